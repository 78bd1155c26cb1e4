#include "core/instance.h"

#include <string.h>

static const char state_names[][12] = {
	[INSTANCE_MAINTENANCE] = "maintenance", [INSTANCE_VANISHED] = "vanished",
	[INSTANCE_CRITICAL] = "critical",       [INSTANCE_WARNING] = "warning",
	[INSTANCE_PASSING] = "passing",
};
_Static_assert(sizeof state_names / sizeof state_names[0] == INSTANCE_STATES, "a name for each");

const char *instance_state_name(enum instance_state state)
{
	return state_names[state];
}

enum instance_state instance_by_rank(int i)
{
	return (enum instance_state)i;
}

int instance_compare(enum instance_state a, enum instance_state b)
{
	return (int)a - (int)b;
}

enum instance_state instance_check_state(const char *check_id, const char *status)
{
	static const char service[] = "_service_maintenance:";

	/* Consul registers these two only while maintenance is on, and only as critical. */
	if (strcmp(check_id, "_node_maintenance") == 0 ||
	    strncmp(check_id, service, sizeof service - 1) == 0)
		return INSTANCE_MAINTENANCE;
	if (strcmp(status, state_names[INSTANCE_PASSING]) == 0)
		return INSTANCE_PASSING;
	return strcmp(status, state_names[INSTANCE_WARNING]) == 0 ? INSTANCE_WARNING
								  : INSTANCE_CRITICAL;
}
