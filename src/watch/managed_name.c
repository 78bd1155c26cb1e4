#include "watch/managed_name.h"

#include <string.h>

#include "base/clock.h"
#include "engine/report.h"

/* What a dropped job's service lists. */
static struct consul_view nothing;

static void set_state(struct managed_name *k, enum status_state state, int64_t now_ms)
{
	if (k->state != state)
		k->state_ms = now_ms;
	k->state = state;
}

static void set_unconverged(struct managed_name *k, int64_t now_ms)
{
	if (!k->is_unconverged)
		k->unconverged_ms = now_ms;
	k->is_unconverged = true;
}

void managed_init(struct managed_name *k, const struct job *job,
		  const struct service_watch *service, int64_t now_ms)
{
	struct record *have = k->have;

	/* r is cleared by its own: it leaves pages alone that few names need. */
	memset(k, 0, offsetof(struct managed_name, r));
	k->job = *job;
	k->have = have;
	k->watch = service;
	k->is_used = k->is_dirty = true;
	k->state = STATUS_WAITING;
	k->state_ms = now_ms;
	reconcile_init_watch(&k->r, &k->job, k->have);
	set_unconverged(k, now_ms);
}

void managed_drop(struct managed_name *k, int64_t now_ms)
{
	k->job.on_empty = ON_EMPTY_REMOVE;
	k->job.grace_ms = 0;
	k->job.is_dropped = true;
	k->dropped_ms = now_ms;
	k->watch = NULL;
	reconcile_init_watch(&k->r, &k->job, k->have);
	managed_mark(k, now_ms);
	set_state(k, STATUS_WAITING, now_ms);
}

void managed_mark(struct managed_name *k, int64_t now_ms)
{
	k->is_dirty = true;
	set_unconverged(k, now_ms);
}

void managed_forget(struct managed_name *k, int64_t now_ms)
{
	k->wants_list = true;
	managed_mark(k, now_ms);
}

int64_t managed_due_ms(const struct managed_name *k)
{
	int64_t due_ms;

	if (k->is_busy || (k->watch && !k->watch->has_view))
		return CLOCK_NEVER;
	/* After a failure its backoff rules, whatever else there is to do. */
	if (k->state == STATUS_FAILING && k->r.out.wake_ms != CLOCK_NEVER)
		return k->r.out.wake_ms;
	if (k->is_dirty)
		return 0;
	/* Held removals wait for evidence; what is to be added meanwhile does not. */
	due_ms = k->r.seen.linger_ms < k->resync_ms ? k->r.seen.linger_ms : k->resync_ms;
	return k->r.out.wake_ms < due_ms ? k->r.out.wake_ms : due_ms;
}

void managed_begin(struct managed_name *k, struct reconcile_storage *storage, int64_t now_ms,
		   uint32_t random)
{
	bool is_resync = now_ms >= k->resync_ms;
	enum call_kind next;

	if (k->wants_list)
		reconcile_cancel(&k->r);
	k->wants_list = false;
	k->is_dirty = false;
	k->is_busy = true;
	if (k->state != STATUS_FAILING)
		set_state(k, k->state == STATUS_WAITING ? STATUS_SYNCING : k->state, now_ms);
	reconcile_begin(&k->r, storage, k->watch ? k->watch->view : &nothing, is_resync, now_ms,
			random);
	next = reconcile_next(&k->r).kind;
	if (next == CALL_WRITE || next == CALL_HEALTH)
		set_state(k, STATUS_SYNCING, now_ms);
}

/* A line when something was written, and when the state is another than the log said last. */
static void log_pass(struct managed_name *k, bool was_in_sync)
{
	const size_t *n = k->r.out.done_n;
	bool has_written = n[OP_CREATE] || n[OP_UPDATE] || n[OP_DELETE];
	bool is_news = k->r.out.plan.n[OP_HOLD] != k->logged_held_n ||
		       k->r.out.plan.held_why != k->logged_held_why;

	if (has_written || is_news || !was_in_sync)
		report_end(&k->r);
	k->logged_held_n = k->r.out.plan.n[OP_HOLD];
	k->logged_held_why = k->r.out.plan.held_why;
	if (has_written) {
		k->has_changed = true;
		k->changed_sec = clock_wall_sec();
	}
}

void managed_end(struct managed_name *k, int64_t resync_ms)
{
	int64_t now_ms = clock_now_ms();
	bool was_in_sync = k->has_synced && k->state != STATUS_FAILING;

	k->is_busy = false;
	if (k->r.out.result == RECONCILE_FAILED) {
		set_state(k, STATUS_FAILING, now_ms);
		set_unconverged(k, now_ms);
		return;
	}
	log_pass(k, was_in_sync);
	if (now_ms >= k->resync_ms)
		k->resync_ms = resync_ms;
	set_state(k, k->r.out.result == RECONCILE_HELD ? STATUS_HELD : STATUS_IN_SYNC, now_ms);
	k->has_synced = true;
	k->synced_sec = clock_wall_sec();
	k->is_unconverged = k->is_dirty; /* Consul may have had news meanwhile */
	if (k->is_dirty)
		k->unconverged_ms = now_ms;
}

void managed_cancel(struct managed_name *k, int64_t now_ms)
{
	reconcile_cancel(&k->r);
	k->is_busy = false;
	managed_forget(k, now_ms);
	set_state(k, STATUS_WAITING, now_ms);
}
