#include "engine/run.h"

#include "base/clock.h"

void run_reconcile(struct reconcile *r, struct driver *d)
{
	while (reconcile_next(r).kind != CALL_END) {
		struct err e = {0};
		struct call call;
		int rc = 0;

		reconcile_refresh(r, clock_now_ms());
		call = reconcile_next(r);
		if (call.kind == CALL_WAIT)
			driver_wait(r->out.wake_ms);
		else
			rc = driver_call(d, &call, &e);
		reconcile_take(r, rc, &e, clock_now_ms(), driver_random());
	}
}
