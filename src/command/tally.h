/*
 * What the plans of several names come to: how many names stand how, and what would be done to
 * their records.
 */
#ifndef COMMAND_TALLY_H
#define COMMAND_TALLY_H

#include <stddef.h>

#include "engine/reconcile.h"

/* How a name stands, trouble first. */
enum plan_state { PLAN_FAILED, PLAN_HELD, PLAN_CHANGES, PLAN_IN_SYNC, PLAN_STATES };

struct tally {
	size_t names_n;
	size_t state_n[PLAN_STATES];
	size_t op_n[OP_KINDS];
	size_t kept_n;
};

enum plan_state plan_state(const struct reconcile *r);

/* Add one name. */
void tally_add(struct tally *t, const struct reconcile *r);

/* Sum up those of n names that are in the same zone as the i-th; which may be not known. */
struct tally tally_zone(const struct reconcile *r, size_t n, size_t i);

/* The i-th is the first of its zone. */
bool tally_is_new_zone(const struct reconcile *r, size_t i);

#endif
