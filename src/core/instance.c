#include "core/instance.h"

#include <string.h>

static const char *const state_names[] = {
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
	static const enum instance_state worst_first[INSTANCE_STATES] = {
		INSTANCE_MAINTENANCE, INSTANCE_VANISHED, INSTANCE_CRITICAL,
		INSTANCE_WARNING,     INSTANCE_PASSING,
	};

	return worst_first[i];
}

static int rank_of(enum instance_state state)
{
	int i = 0;

	while (instance_by_rank(i) != state)
		i++;
	return i;
}

int instance_compare(enum instance_state a, enum instance_state b)
{
	return rank_of(a) - rank_of(b);
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
