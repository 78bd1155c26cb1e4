#include "watch/managed_name.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/report.h"

/* What a dropped job's service lists. */
static struct consul_view nothing;

static void set_state(struct managed_name *name, enum status_state state, int64_t now_ms)
{
	if (name->state != state)
		name->state_ms = now_ms;
	name->state = state;
}

static void set_unconverged(struct managed_name *name, int64_t now_ms)
{
	if (!name->is_unconverged)
		name->unconverged_ms = now_ms;
	name->is_unconverged = true;
}

#define PAGE 4096

struct managed_storage {
	_Alignas(PAGE) struct reconcile_seldom seldom;
	_Alignas(PAGE) struct managed_name name;
	struct record have[RECORDS_MAX];
};

struct managed_name *managed_reserve(void)
{
	struct managed_storage *p = memory_reserve(sizeof *p);

	if (!p)
		return NULL;
	p->name.own = (struct reconcile_own){.have = p->have, .seldom = &p->seldom};
	return &p->name;
}

static void start_anew(struct managed_name *name)
{
	name->r.owner = name;
	reconcile_init_watch(&name->r, &name->job, &name->own);
}

void managed_init(struct managed_name *name, const struct job *job, struct service_watch *service,
		  int64_t now_ms)
{
	*name = (struct managed_name){
		.own = name->own,
		.watch = service,
		.is_used = true,
		.is_dirty = true,
		.state = STATUS_WAITING,
		.state_ms = now_ms,
		.job = *job,
	};
	start_anew(name);
	set_unconverged(name, now_ms);
}

void managed_drop(struct managed_name *name, int64_t now_ms)
{
	name->job.on_empty = ON_EMPTY_REMOVE;
	name->job.grace_ms = 0;
	name->job.is_dropped = true;
	name->dropped_ms = now_ms;
	name->watch = NULL;
	start_anew(name);
	managed_mark(name, now_ms);
	set_state(name, STATUS_WAITING, now_ms);
}

void managed_mark(struct managed_name *name, int64_t now_ms)
{
	name->is_dirty = true;
	set_unconverged(name, now_ms);
}

int64_t managed_due_ms(const struct managed_name *name)
{
	int64_t due_ms;

	if (name->is_busy || (name->watch && !name->watch->has_view))
		return CLOCK_NEVER;
	/* After a failure its backoff rules, whatever else there is to do. */
	if (name->state == STATUS_FAILING && name->r.out.wake_ms != CLOCK_NEVER)
		return name->r.out.wake_ms;
	if (name->is_dirty)
		return 0;
	/* Held removals wait for evidence; what is to be added meanwhile does not. */
	due_ms = name->r.seen.linger_ms;
	if (due_ms != CLOCK_NEVER)
		due_ms += MANAGED_GATHER_MS;
	if (name->resync_ms < due_ms)
		due_ms = name->resync_ms;
	return name->r.out.wake_ms < due_ms ? name->r.out.wake_ms : due_ms;
}

void managed_begin(struct managed_name *name, struct reconcile_storage *storage, int64_t now_ms,
		   uint32_t random)
{
	bool is_resync = now_ms >= name->resync_ms;

	name->is_dirty = false;
	name->is_busy = true;
	if (name->state != STATUS_FAILING)
		set_state(name, name->state == STATUS_WAITING ? STATUS_SYNCING : name->state,
			  now_ms);
	reconcile_begin(&name->r, storage, name->watch ? name->watch->view : &nothing, is_resync,
			now_ms, random);
	if (name->r.step == STEP_WRITE || name->r.step == STEP_VERIFY)
		set_state(name, STATUS_SYNCING, now_ms);
}

/* A line when something was written, and when the state is another than the log said last. */
static bool log_pass(struct managed_name *name, bool was_in_sync)
{
	const size_t *n = name->r.out.done_n;
	bool has_written = n[OP_CREATE] || n[OP_UPDATE] || n[OP_DELETE];
	bool is_news = name->r.out.plan.n[OP_HOLD] != name->logged_held_n ||
		       name->r.out.plan.held_why != name->logged_held_why ||
		       name->r.seen.count.unaddressed_n != name->logged_unaddressed_n ||
		       name->r.seen.hidden != name->logged_hidden;

	is_news |= has_written || !was_in_sync;
	if (is_news)
		report_end(&name->r);
	name->logged_held_n = name->r.out.plan.n[OP_HOLD];
	name->logged_held_why = name->r.out.plan.held_why;
	name->logged_unaddressed_n = name->r.seen.count.unaddressed_n;
	name->logged_hidden = name->r.seen.hidden;
	if (has_written) {
		name->has_changed = true;
		name->changed_sec = clock_wall_sec();
	}
	return is_news;
}

bool managed_end(struct managed_name *name, int64_t resync_ms)
{
	int64_t now_ms = clock_now_ms();
	bool was_in_sync = name->has_synced && name->state != STATUS_FAILING, is_told;

	name->is_busy = false;
	if (name->r.out.result == RECONCILE_FAILED) {
		set_state(name, STATUS_FAILING, now_ms);
		set_unconverged(name, now_ms);
		return false;
	}
	is_told = log_pass(name, was_in_sync);
	if (now_ms >= name->resync_ms)
		name->resync_ms = resync_ms;
	if (name->settled_ms > name->served_ms && name->settled_ms < name->resync_ms)
		name->resync_ms = name->settled_ms;
	set_state(name, name->r.out.result == RECONCILE_HELD ? STATUS_HELD : STATUS_IN_SYNC,
		  now_ms);
	name->has_synced = true;
	/* Held for want of evidence they are not what is wanted; held by a rule they are. */
	if (name->r.out.result == RECONCILE_HELD && !name->r.out.plan.is_held_by_rule) {
		set_unconverged(name, now_ms);
		return is_told;
	}
	name->synced_sec = clock_wall_sec();
	name->is_unconverged = name->is_dirty; /* Consul may have had news meanwhile */
	if (name->is_dirty)
		name->unconverged_ms = now_ms;
	return is_told;
}

void managed_cancel(struct managed_name *name, int64_t now_ms)
{
	reconcile_cancel(&name->r);
	name->is_busy = false;
	managed_mark(name, now_ms);
	set_state(name, STATUS_WAITING, now_ms);
}
