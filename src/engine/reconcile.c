#include "engine/reconcile.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "engine/report.h"

static void start_try(struct reconcile *r)
{
	apply_start(&r->apply, r->in.job, &r->in.storage->apply);
	r->out.gap = EVIDENCE_OK;
	r->query = (struct consul_query){.job = r->in.job};
	r->step = STEP_HEALTH;
}

static void lend(struct reconcile *r, struct reconcile_storage *storage)
{
	r->in.storage = storage;
	observe_lend(&r->seen, &storage->observe);
	r->out.plan.ops = storage->ops;
	r->out.plan.ops_cap = PLAN_OPS_MAX;
}

static void init(struct reconcile *r, const struct job *job, struct record *have, bool is_watch)
{
	memset(r, 0, offsetof(struct reconcile, seen));
	r->in.job = job;
	r->in.is_watch = is_watch;
	observe_init(&r->seen, job, have, is_watch);
	r->out.wake_ms = CLOCK_NEVER;
	memcpy(r->out.zone_id, job->zone_id, sizeof r->out.zone_id);
	r->step = STEP_END;
}

void reconcile_init(struct reconcile *r, const struct job *job, struct reconcile_storage *storage,
		    struct record *have, bool is_dry_run, int64_t give_up_ms)
{
	init(r, job, have, false);
	r->in.is_dry_run = is_dry_run;
	r->in.give_up_ms = give_up_ms;
	lend(r, storage);
	start_try(r);
}

void reconcile_init_watch(struct reconcile *r, const struct job *job, struct record *have)
{
	init(r, job, have, true);
	r->in.give_up_ms = CLOCK_NEVER;
}

struct call reconcile_next(struct reconcile *r)
{
	switch (r->step) {
	case STEP_HEALTH:
	case STEP_VERIFY:
		return (struct call){.kind = CALL_HEALTH,
				     .query = &r->query,
				     .view = &r->in.storage->observe.view};
	case STEP_ZONE: return (struct call){.kind = CALL_ZONE, .zones = &r->zones};
	case STEP_LIST: return (struct call){.kind = CALL_LIST, .list = &r->seen.listing};
	case STEP_WRITE: return (struct call){.kind = CALL_WRITE, .write = r->apply.write};
	case STEP_WAIT: return (struct call){.kind = CALL_WAIT, .until_ms = r->out.wake_ms};
	case STEP_END:
	default: return (struct call){.kind = CALL_END};
	}
}

/* ---- the end of a try ---- */

static void end(struct reconcile *r, enum reconcile_result result)
{
	r->out.result = result;
	r->step = STEP_END;
	if (result == RECONCILE_FAILED)
		r->seen.has_list = false; /* what was lost may have been done */
	else if (result == RECONCILE_DONE)
		r->tries = 0;
}

static void give_up(struct reconcile *r, int64_t delay_ms, int64_t now_ms)
{
	struct err *e = &r->out.err;

	if (e->kind == ERR_BUSY && now_ms < r->in.give_up_ms)
		(void)err_set(e, e->kind, "%s; to be asked again in %lld s, past --retry-for",
			      e->text, (long long)(delay_ms / 1000));
	end(r, RECONCILE_FAILED);
}

/* In what the present call sends; nothing is sent by a wait. */
static struct pace_trust *trust_of(struct reconcile *r)
{
	return &r->in.storage
			->trust[r->step == STEP_HEALTH || r->step == STEP_VERIFY ? SIDE_CONSUL
										 : SIDE_CLOUDFLARE];
}

static void note_failure(struct reconcile *r, const struct err *e, const struct pace_failure *f)
{
	r->out.err = *e;
	if (f->hint && f->hint->told_sec)
		(void)err_set(&r->out.err, e->kind, "%s; told to wait %lld s, which is cut",
			      e->text, (long long)f->hint->told_sec);
	if (e->kind == ERR_AUTH)
		trust_of(r)->was_refused = true;
}

/* Everything starts anew after a failure: the answer that was lost may have been a yes. */
static void fail(struct reconcile *r, const struct err *e, int64_t now_ms, uint32_t random)
{
	const struct call call = reconcile_next(r);
	const struct cf_reply *reply = call_reply(&call);
	const struct pace_failure failure = {
		.kind = e->kind,
		.tries = r->tries,
		.hint = reply ? &reply->hint : NULL,
		.trust = *trust_of(r),
		.left_ms = r->in.give_up_ms - now_ms,
	};
	int64_t delay_ms = 0;
	enum pace who = r->in.is_watch ? PACE_WATCH : PACE_SYNC;

	note_failure(r, e, &failure);
	if (!pace_retry(who, &failure, random, &delay_ms)) {
		give_up(r, delay_ms, now_ms);
		return;
	}
	r->tries++;
	r->out.wake_ms = now_ms + delay_ms;
	if (e->kind == ERR_CONFIG && !r->in.job->zone_id[0])
		r->out.zone_id[0] = '\0'; /* perhaps it was made anew under another id */
	if (r->in.is_watch)
		end(r, RECONCILE_FAILED);
	else
		r->step = STEP_WAIT;
	report_retry(r->in.job, &r->out.err, delay_ms);
}

/* Removals are held for want of evidence, which an election may bring back within seconds. */
static void hold(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	bool may_pass = evidence_gap_may_pass(r->out.gap);
	struct err e = {0};

	if (may_pass && r->in.is_watch) {
		r->out.wake_ms = now_ms + pace_delay_ms(PACE_WATCH, r->tries, random);
		r->tries++;
	} else if (may_pass && !r->in.is_dry_run) {
		/* A handler is not called again for this change. */
		(void)err_set(&e, ERR_RETRY, "removals held: %s", r->out.plan.held_why);
		fail(r, &e, now_ms, random);
		if (r->step == STEP_WAIT)
			return;
	}
	end(r, RECONCILE_HELD);
}

/* All that could be written is. Is it enough? */
static void conclude(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	struct err e = {0};

	if (r->apply.has_stale_list) {
		(void)err_set(&e, ERR_RETRY, "the records change while they are written");
		fail(r, &e, now_ms, random);
	} else if (r->apply.refused_n) {
		fail(r, &r->apply.refusal, now_ms, random);
	} else if (r->out.plan.n[OP_HOLD]) {
		hold(r, now_ms, random);
	} else {
		end(r, RECONCILE_DONE);
	}
}

/* ---- which call comes next ---- */

static void want_list(struct reconcile *r)
{
	observe_begin_list(&r->seen, r->out.zone_id);
	r->step = STEP_LIST;
}

static void want_zone(struct reconcile *r)
{
	const struct job *job = r->in.job;
	bool is_exact = job->zone[0] != '\0';

	if (r->out.zone_id[0]) {
		want_list(r);
		return;
	}
	cf_zone_search_init(&r->zones, is_exact ? job->zone : job->name, is_exact);
	r->step = STEP_ZONE;
}

static void go_on(struct reconcile *r, enum apply_next next, int64_t now_ms, uint32_t random)
{
	switch (next) {
	case APPLY_WRITE: r->step = STEP_WRITE; break;
	case APPLY_LIST:
		/* What others wrote stands on a newer Consul: evidence must not be older. */
		r->query.is_consistent = false;
		r->out.gap = EVIDENCE_OK;
		want_list(r);
		break;
	case APPLY_END: conclude(r, now_ms, random); break;
	case APPLY_FAIL: fail(r, &r->apply.refusal, now_ms, random); break;
	}
}

/*
 * What a check has said of the zone counts for other names too: calls are limited. Where nothing
 * may be known of it, what is written shows.
 */
static bool knows_zone(struct reconcile *r)
{
	const struct reconcile_storage *s = r->in.storage;

	if (strcmp(s->zone_id, r->out.zone_id) != 0)
		return false;
	r->seen.is_zone_known = name_is_within(r->in.job->name, s->zone);
	return r->seen.is_zone_known || !s->zone[0];
}

/* Decide, and begin to apply, or first ask Consul for evidence. */
static void decide(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	struct plan *plan = &r->out.plan;
	struct plan_input in = {
		.want = r->seen.storage->targets,
		.have = r->seen.list.records,
		.have_n = r->seen.list.records_n,
		.job = r->in.job,
		.wants_none = !r->seen.want_n,
		.is_substitute = r->seen.is_on_fallback,
		.not_evidence = evidence_gap_text(r->out.gap),
	};
	struct err e = {0};

	/* On anything else than a whole listing of that zone a plan would be a guess. */
	assert(r->seen.has_list && r->out.zone_id[0]);
	in.want_n = observe_targets(&r->seen, now_ms);
	if (plan_build(plan, &in, &e)) {
		fail(r, &e, now_ms, random);
		return;
	}
	if (plan->n[OP_CREATE] && r->is_zone_wrong) {
		(void)err_set(&e, ERR_CONFIG, "CF_ZONE_ID is not the zone of %s", r->in.job->name);
		fail(r, &e, now_ms, random);
		return;
	}
	if (plan->n[OP_CREATE] && !r->is_zone_checked && observe_doubts_zone(&r->seen) &&
	    !knows_zone(r)) {
		cf_zone_check_init(&r->zones, r->in.job->name, r->out.zone_id);
		r->step = STEP_ZONE;
		return;
	}
	if (plan_needs_evidence(plan) && !r->query.is_consistent && !r->in.job->is_dropped) {
		r->query.is_consistent = true;
		r->step = STEP_VERIFY;
		return;
	}
	if (r->is_resync && !plan_is_done(plan))
		report_drift(r->in.job, plan);
	r->is_resync = false;
	if (plan->is_mixed && plan->n[OP_CREATE])
		report_mixed(r->in.job, plan);
	if (r->in.is_dry_run)
		conclude(r, now_ms, random);
	else
		go_on(r, apply_next(&r->apply, plan, &r->seen), now_ms, random);
}

/* ---- outcomes ---- */

static void after_verify(struct reconcile *r, int rc, const struct err *why, int64_t now_ms,
			 uint32_t random)
{
	struct consul_view *view = &r->in.storage->observe.view;

	r->read_ms = now_ms;
	observe_forget_deleted(&r->seen);
	if (rc) {
		/* What was read before may still add. */
		r->out.gap = EVIDENCE_READ_FAILED;
		r->out.gap_err = *why;
		view->listed_n = 0; /* it broke off somewhere in the middle */
	} else {
		observe_answer(&r->seen);
		observe_states(&r->seen);
		r->out.gap = evidence_assess(&view->evidence, view->count.instances_n == 0);
	}
	decide(r, now_ms, random);
}

static void after_write(struct reconcile *r, int rc, const struct err *e, int64_t now_ms,
			uint32_t random)
{
	struct plan *plan = &r->out.plan;
	const struct cf_part *part = r->apply.part;
	enum apply_next next;

	if (r->apply.is_undoing) {
		struct err *why = &r->apply.refusal;

		(void)err_set(why, why->kind, "%s; what it wrote %s", why->text,
			      rc ? "could not be removed" : "is removed again");
		fail(r, why, now_ms, random);
		return;
	}
	if (rc && r->apply.write->has_other && part->created_n) {
		r->is_zone_wrong = true;
		apply_undo(&r->apply, e);
		return;
	}
	if (rc && e->kind != ERR_REFUSED) {
		fail(r, e, now_ms, random);
		return;
	}
	if (rc) {
		next = apply_refused(&r->apply, plan, &r->seen, e);
	} else {
		for (size_t i = 0; i < part->ops_n; i++)
			r->out.done_n[part->ops[i]->kind]++;
		apply_written(&r->apply, &r->seen);
		next = apply_next(&r->apply, plan, &r->seen);
	}
	go_on(r, next, now_ms, random);
}

void reconcile_take(struct reconcile *r, int rc, const struct err *e, int64_t now_ms,
		    uint32_t random)
{
	if (!rc && r->step < STEP_WAIT)
		trust_of(r)->has_served = true;
	if (rc && r->step != STEP_VERIFY && r->step != STEP_WRITE) {
		fail(r, e, now_ms, random);
		return;
	}
	switch (r->step) {
	case STEP_HEALTH:
		r->read_ms = now_ms;
		observe_answer(&r->seen);
		want_zone(r);
		break;
	case STEP_ZONE:
		if (r->zones.is_check) {
			r->is_zone_checked = true;
			r->seen.is_zone_known = r->zones.has_found;
			memcpy(r->in.storage->zone_id, r->zones.id, sizeof r->zones.id);
			memcpy(r->in.storage->zone, r->zones.zone, sizeof r->zones.zone);
			decide(r, now_ms, random);
			break;
		}
		memcpy(r->out.zone_id, r->zones.id, sizeof r->out.zone_id);
		if (r->zones.has_found && !r->zones.is_served)
			report_unserved(r->in.job, &r->zones);
		want_list(r);
		break;
	case STEP_LIST:
		observe_end_list(&r->seen);
		observe_states(&r->seen);
		decide(r, now_ms, random);
		break;
	case STEP_VERIFY: after_verify(r, rc, e, now_ms, random); break;
	case STEP_WRITE: after_write(r, rc, e, now_ms, random); break;
	case STEP_WAIT: start_try(r); break;
	case STEP_END: break;
	}
}

void reconcile_begin(struct reconcile *r, struct reconcile_storage *storage,
		     const struct consul_view *listed, bool resync, int64_t now_ms, uint32_t random)
{
	bool remembers = r->seen.has_list && !resync;

	lend(r, storage);
	start_try(r);
	memset(r->out.done_n, 0, sizeof r->out.done_n);
	r->out.wake_ms = CLOCK_NEVER;
	r->is_resync = resync && r->seen.has_list;
	observe_forget_deleted(&r->seen);
	r->read_ms = now_ms;
	/* The service watch's may change under a long pass. */
	consul_view_copy(&r->in.storage->observe.view, listed);
	observe_answer(&r->seen);
	if (!remembers) {
		want_zone(r);
		return;
	}
	observe_states(&r->seen);
	decide(r, now_ms, random);
}

void reconcile_refresh(struct reconcile *r, int64_t now_ms)
{
	/* With a record in the plan that was refused it would be refused again, and again. */
	if (r->step != STEP_WRITE || now_ms - r->read_ms <= RECONCILE_READ_MS ||
	    r->in.job->is_dropped || !apply_is_clean(&r->apply))
		return;
	r->query.is_consistent = r->seen.has_list;
	if (r->seen.has_list)
		r->step = STEP_VERIFY;
	else
		want_list(r); /* what was written is not all known */
}

void reconcile_cancel(struct reconcile *r)
{
	r->seen.has_list = false;
	r->step = STEP_END;
}
