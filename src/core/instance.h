/*
 * An instance's state, and the order in which Consul itself aggregates checks.
 */
#ifndef CORE_INSTANCE_H
#define CORE_INSTANCE_H

#include <stdbool.h>

/* From the worst to the best. */
enum instance_state {
	INSTANCE_MAINTENANCE, /* it asked to leave */
	INSTANCE_VANISHED,    /* not listed (any more) */
	INSTANCE_CRITICAL,
	INSTANCE_WARNING,
	INSTANCE_PASSING,
	INSTANCE_STATES
};

/* "passing", "warning"...: Consul's words, where it has one. */
const char *instance_state_name(enum instance_state state);

/*
 * The state that one check has, from its CheckID and Status as the health endpoint gives them
 * (https://developer.hashicorp.com/consul/api-docs/health). A status that is not known counts
 * as critical: it is not passing.
 */
enum instance_state instance_check_state(const char *check_id, const char *status);

/* The states in order: i is 0 for the worst, INSTANCE_STATES - 1 for the best. */
enum instance_state instance_by_rank(int i);

/* Below 0 when a is worse than b, 0 when equal. */
int instance_compare(enum instance_state a, enum instance_state b);

#endif
