#include "command/tally.h"

enum plan_state plan_state(const struct reconcile *r)
{
	if (r->out.result != RECONCILE_DONE)
		return r->out.result == RECONCILE_FAILED ? PLAN_FAILED : PLAN_HELD;
	return r->out.plan.ops_n ? PLAN_CHANGES : PLAN_IN_SYNC;
}

void tally_add(struct tally *t, const struct reconcile *r)
{
	enum plan_state state = plan_state(r);

	t->names_n++;
	t->state_n[state]++;
	if (state == PLAN_FAILED)
		return;
	for (int i = 0; i < OP_KINDS; i++)
		t->op_n[i] += r->out.plan.n[i];
	t->kept_n += r->out.plan.kept_n;
}

struct tally tally_zone(const struct reconcile *r, size_t n, size_t i)
{
	struct tally t = {0};

	for (size_t k = i; k < n; k++)
		if (r[k].zone == r[i].zone)
			tally_add(&t, &r[k]);
	return t;
}

bool tally_is_new_zone(const struct reconcile *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (r[k].zone == r[i].zone)
			return false;
	return true;
}
