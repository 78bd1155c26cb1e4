#include "engine/reconcile.h"

#include <string.h>

#include "base/clock.h"
#include "core/pace.h"
#include "engine/observe.h"
#include "engine/report.h"

enum step {
	STEP_HEALTH,
	STEP_ZONE,
	STEP_LIST,
	STEP_VERIFY, /* the consistent read before anything is removed */
	STEP_WRITE,
	STEP_WAIT,
	STEP_END
};

static void start_try(struct reconcile *r)
{
	r->rounds = 0;
	r->is_single = false;
	r->has_stale_list = false;
	r->refused_n = r->absent_n = 0;
	r->gap = EVIDENCE_OK;
	r->query = (struct consul_query){.job = r->job};
	r->step = STEP_HEALTH;
}

static void lend(struct reconcile *r, struct reconcile_storage *storage)
{
	r->storage = storage;
	r->view.listed = storage->listed;
	r->plan.ops = storage->ops;
	r->plan.ops_cap = PLAN_OPS_MAX;
}

static void init(struct reconcile *r, const struct job *job, struct record *have)
{
	memset(r, 0, sizeof *r);
	r->job = job;
	r->have = have;
	r->name = job->name;
	r->linger_ms = r->wake_ms = CLOCK_NEVER;
	memcpy(r->zone_id, job->zone_id, sizeof r->zone_id);
}

void reconcile_init(struct reconcile *r, const struct job *job, struct reconcile_storage *storage,
		    struct record *have, bool is_dry_run, int64_t give_up_ms)
{
	init(r, job, have);
	r->is_dry_run = is_dry_run;
	r->give_up_ms = give_up_ms;
	lend(r, storage);
	start_try(r);
}

void reconcile_init_watch(struct reconcile *r, const struct job *job, struct record *have)
{
	init(r, job, have);
	r->is_watch = true;
	r->give_up_ms = CLOCK_NEVER;
	r->step = STEP_END;
}

struct call reconcile_next(struct reconcile *r)
{
	switch ((enum step)r->step) {
	case STEP_HEALTH:
	case STEP_VERIFY:
		return (struct call){.kind = CALL_HEALTH, .query = &r->query, .view = &r->view};
	case STEP_ZONE: return (struct call){.kind = CALL_ZONE, .zones = &r->zones};
	case STEP_LIST: return (struct call){.kind = CALL_LIST, .list = &r->list};
	case STEP_WRITE: return (struct call){.kind = CALL_WRITE, .write = &r->write};
	case STEP_WAIT: return (struct call){.kind = CALL_WAIT};
	case STEP_END:
	default: return (struct call){.kind = CALL_END};
	}
}

static void end(struct reconcile *r, enum reconcile_result result)
{
	r->result = result;
	r->step = STEP_END;
	if (result == RECONCILE_FAILED)
		r->has_list = false; /* what was lost may have been done */
	else if (result == RECONCILE_DONE)
		r->tries = 0;
}

/* ---- decide ---- */

static int build_plan(struct reconcile *r, int64_t now_ms, struct err *e)
{
	struct plan_input in = {
		.want = r->storage->plan_want,
		.want_n = observe_targets(r, now_ms),
		.have = r->list.records,
		.have_n = r->list.records_n,
		.job = r->job,
		.is_substitute = r->is_on_fallback,
		.not_evidence = evidence_gap_text(r->gap),
	};

	return plan_build(&r->plan, &in, e);
}

static void prepare_list(struct reconcile *r)
{
	observe_save_leaving(r);
	r->has_list = false;
	cf_record_list_init(&r->list, r->zone_id, r->job, r->have);
	r->step = STEP_LIST;
}

static void prepare_zone(struct reconcile *r)
{
	bool is_exact = r->job->zone[0] != '\0';

	if (r->zone_id[0]) {
		prepare_list(r);
		return;
	}
	cf_zone_search_init(&r->zones, is_exact ? r->job->zone : r->name, is_exact);
	r->step = STEP_ZONE;
}

/* ---- fail, and try again ---- */

static void give_up(struct reconcile *r, int64_t delay_ms, bool is_late, int64_t now_ms)
{
	struct err *e = &r->last_err;

	if (is_late && e->kind == ERR_BUSY && now_ms < r->give_up_ms)
		(void)err_set(e, e->kind, "%s; to be asked again in %lld s, past --retry-for",
			      e->text, (long long)(delay_ms / 1000));
	end(r, RECONCILE_FAILED);
}

/* Everything starts anew after a failure: the answer that was lost may have been a yes. */
static void fail(struct reconcile *r, const struct err *e, int64_t now_ms, uint32_t random)
{
	const struct call call = reconcile_next(r);
	const struct cf_reply *reply = call_reply(&call);
	const struct pace_failure failure = {
		.kind = e->kind,
		.tries = r->tries,
		.said = reply ? &reply->said : NULL,
		.left_ms = r->give_up_ms - now_ms,
	};
	int64_t delay_ms = 0;
	enum pace_next next =
		pace_retry(r->is_watch ? PACE_WATCH : PACE_SYNC, &failure, random, &delay_ms);

	r->last_err = *e;
	if (next != PACE_AGAIN) {
		give_up(r, delay_ms, next == PACE_TOO_LATE, now_ms);
		return;
	}
	r->tries++;
	r->wake_ms = now_ms + delay_ms;
	if (e->kind == ERR_CONFIG && !r->job->zone_id[0])
		r->zone_id[0] = '\0'; /* perhaps it was made anew under another id */
	if (r->is_watch)
		end(r, RECONCILE_FAILED);
	else
		r->step = STEP_WAIT;
	report_retry(r, delay_ms);
}

/* ---- apply ---- */

/* Removals are held for want of evidence, which an election may bring back within seconds. */
static void hold(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	struct err e = {0};

	if (evidence_gap_may_pass(r->gap) && r->is_watch) {
		r->wake_ms = now_ms + pace_delay_ms(PACE_WATCH, r->tries, random);
		r->tries++;
	} else if (evidence_gap_may_pass(r->gap) && !r->is_dry_run && now_ms < r->give_up_ms) {
		/* A handler is not called again for this change. */
		(void)err_set(&e, ERR_RETRY, "removals held: %s", r->plan.held_why);
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

	if (r->has_stale_list) {
		(void)err_set(&e, ERR_RETRY, "the records change while they are written");
		fail(r, &e, now_ms, random);
	} else if (r->refused_n && r->is_watch) {
		fail(r, &r->last_err, now_ms, random);
	} else if (r->refused_n) {
		end(r, RECONCILE_FAILED);
	} else if (r->plan.n[OP_HOLD]) {
		hold(r, now_ms, random);
	} else {
		end(r, RECONCILE_DONE);
	}
}

/*
 * One record, as the API refuses batches. No delete as long as a wanted record is refused, or
 * only said to be there: I1. A swap needs a transaction and stays a batch.
 */
static size_t pick_single(struct reconcile *r)
{
	size_t n = plan_pick(&r->plan, r->storage->picked, CF_BATCH_MAX);

	if (n && r->storage->picked[0]->kind == OP_DELETE && (r->absent_n || r->has_stale_list))
		return 0;
	return n ? 1 : 0;
}

static void list_again(struct reconcile *r)
{
	r->rounds++;
	r->refused_n = r->absent_n = 0;
	r->has_stale_list = false;
	/* What others wrote meanwhile stands on a newer Consul: evidence must not be older. */
	r->query.is_consistent = false;
	r->gap = EVIDENCE_OK;
	prepare_list(r);
}

static void prepare_write(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	bool is_single = r->is_single && !r->plan.is_swap;
	size_t n;

	if (r->is_dry_run) {
		conclude(r, now_ms, random);
		return;
	}
	n = is_single ? pick_single(r) : plan_pick(&r->plan, r->storage->picked, CF_BATCH_MAX);
	if (!n && (r->has_stale_list || (r->plan.is_partial && !r->refused_n)) &&
	    r->rounds < RECONCILE_ROUNDS_MAX) {
		list_again(r);
		return;
	}
	if (!n) {
		conclude(r, now_ms, random);
		return;
	}
	r->write = (struct cf_write){
		.zone_id = r->zone_id,
		.job = r->job,
		.ops = r->storage->picked,
		.ops_n = n,
		.is_single = is_single,
		.created = RECORDS_MAX - r->list.records_n < n ? NULL : r->have + r->list.records_n,
	};
	r->step = STEP_WRITE;
}

static void report_if_drift(struct reconcile *r)
{
	if (r->is_resync && !plan_is_done(&r->plan))
		report_drift(r);
	r->is_resync = false;
}

/* A plan stands on this listing; is there more to ask before it may be carried out? */
static void after_list(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	struct err e = {0};

	observe_states(r);
	if (build_plan(r, now_ms, &e)) {
		fail(r, &e, now_ms, random);
		return;
	}
	if (plan_needs_evidence(&r->plan) && !r->query.is_consistent && !r->job->is_dropped) {
		r->query.is_consistent = true;
		r->step = STEP_VERIFY;
		return;
	}
	report_if_drift(r);
	prepare_write(r, now_ms, random);
}

static void after_verify(struct reconcile *r, int rc, const struct err *why, int64_t now_ms,
			 uint32_t random)
{
	struct err e = {0};

	r->read_ms = now_ms;
	observe_forget_deleted(r);
	if (rc) {
		/* What was read before may still add. */
		r->gap = EVIDENCE_READ_FAILED;
		r->view.listed_n = 0; /* it broke off somewhere in the middle */
		r->gap_err = *why;
	} else {
		observe_sort_view(&r->view);
		observe_view(r, &r->view);
		r->gap = evidence_assess(&r->view.evidence, r->view.instances_n == 0);
		observe_states(r);
	}
	if (build_plan(r, now_ms, &e)) {
		fail(r, &e, now_ms, random);
		return;
	}
	report_if_drift(r);
	prepare_write(r, now_ms, random);
}

static void drop_op(struct reconcile *r, const struct err *e)
{
	struct op *op = r->write.ops[0];
	enum cf_meaning meaning = r->write.reply.meaning;

	op->is_done = true; /* for this round: it is not tried again */
	if (op->kind == OP_DELETE && meaning == CF_GONE) {
		observe_written(r, op); /* somebody else deleted it */
		return;
	}
	if (meaning == CF_EXISTS || meaning == CF_GONE) {
		r->has_stale_list = true; /* the next listing shows what is so */
		return;
	}
	r->refused_n++;
	r->absent_n += op->kind == OP_CREATE;
	r->last_err = *e;
	if (meaning == CF_IN_THE_WAY)
		(void)err_wrap(&r->last_err, "another record of %s is in the way", r->name);
	report_refused(r, op, &r->last_err);
}

/*
 * The write was refused, not lost: nothing of a batch was done. The records are not what was
 * listed, or one of ours is bad: list and plan again once, then record by record.
 */
static void after_refusal(struct reconcile *r, const struct err *e, int64_t now_ms, uint32_t random)
{
	if (r->write.is_single) {
		drop_op(r, e);
		prepare_write(r, now_ms, random);
		return;
	}
	if (!r->rounds) {
		report_batch_refused(r, e);
		list_again(r);
		return;
	}
	if (r->plan.is_swap || r->is_single) {
		fail(r, e, now_ms, random); /* only a transaction can swap */
		return;
	}
	r->is_single = true;
	prepare_write(r, now_ms, random);
}

static void after_write(struct reconcile *r, int rc, const struct err *e, int64_t now_ms,
			uint32_t random)
{
	if (rc && e->kind == ERR_REFUSED) {
		after_refusal(r, e, now_ms, random);
		return;
	}
	if (rc) {
		fail(r, e, now_ms, random);
		return;
	}
	for (size_t i = 0; i < r->write.ops_n; i++) {
		r->done_n[r->write.ops[i]->kind]++;
		report_written(r, r->write.ops[i]);
		observe_written(r, r->write.ops[i]);
	}
	if (r->write.created)
		r->list.records_n += r->write.created_n;
	else
		r->has_list = false;
	prepare_write(r, now_ms, random);
}

void reconcile_take(struct reconcile *r, int rc, const struct err *e, int64_t now_ms,
		    uint32_t random)
{
	enum step step = (enum step)r->step;

	if (step == STEP_VERIFY) {
		after_verify(r, rc, e, now_ms, random);
		return;
	}
	if (step == STEP_WRITE) {
		after_write(r, rc, e, now_ms, random);
		return;
	}
	if (rc) {
		fail(r, e, now_ms, random);
		return;
	}
	switch (step) {
	case STEP_HEALTH:
		r->read_ms = now_ms;
		observe_sort_view(&r->view);
		observe_view(r, &r->view);
		prepare_zone(r);
		break;
	case STEP_ZONE:
		memcpy(r->zone_id, r->zones.id, sizeof r->zone_id);
		prepare_list(r);
		break;
	case STEP_LIST:
		r->has_list = true;
		observe_restore_leaving(r);
		after_list(r, now_ms, random);
		break;
	case STEP_WAIT: start_try(r); break;
	default: break;
	}
}

void reconcile_begin(struct reconcile *r, struct reconcile_storage *storage,
		     const struct consul_view *seen, bool resync, int64_t now_ms, uint32_t random)
{
	lend(r, storage);
	start_try(r);
	memset(r->done_n, 0, sizeof r->done_n);
	r->wake_ms = CLOCK_NEVER;
	r->is_resync = resync && r->has_list;
	observe_forget_deleted(r);
	r->read_ms = now_ms;
	observe_copy_view(&r->view, seen); /* the service watch's may change under a long pass */
	observe_view(r, &r->view);
	if (r->has_list && !resync)
		after_list(r, now_ms, random);
	else
		prepare_zone(r);
}

void reconcile_refresh(struct reconcile *r, int64_t now_ms)
{
	/* With a record in the plan that was refused it would be refused again, and again. */
	if (r->step != STEP_WRITE || now_ms - r->read_ms <= RECONCILE_READ_MS ||
	    r->job->is_dropped || r->refused_n || r->has_stale_list)
		return;
	r->query.is_consistent = r->has_list;
	if (r->has_list)
		r->step = STEP_VERIFY;
	else
		prepare_list(r); /* what was written is not all known */
}

void reconcile_cancel(struct reconcile *r)
{
	r->has_list = false;
	r->step = STEP_END;
}
