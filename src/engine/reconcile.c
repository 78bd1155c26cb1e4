#include "engine/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/pace.h"
#include "engine/report.h"

#define BACKOFF_BASE_MS 500
#define BACKOFF_CAP_MS 15000

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
	r->query = r->job->query;
	r->step = STEP_HEALTH;
}

void reconcile_init(struct reconcile *r, const struct job *job, struct reconcile_storage *storage,
		    bool is_dry_run, int64_t give_up_ms)
{
	memset(r, 0, sizeof *r);
	r->job = job;
	r->storage = storage;
	r->is_dry_run = is_dry_run;
	r->give_up_ms = give_up_ms;
	r->view.listed = storage->listed;
	r->plan.ops = storage->ops;
	r->plan.ops_cap = PLAN_OPS_MAX;
	r->name = job->name;
	if (job->zone_id && str_copy(r->zone_id, sizeof r->zone_id, job->zone_id))
		r->zone_id[0] = '\0'; /* no id is that long: it is looked up */
	start_try(r);
}

enum call reconcile_next(const struct reconcile *r)
{
	switch ((enum step)r->step) {
	case STEP_HEALTH:
	case STEP_VERIFY: return CALL_HEALTH;
	case STEP_ZONE: return CALL_ZONE;
	case STEP_LIST: return CALL_LIST;
	case STEP_WRITE: return CALL_WRITE;
	case STEP_WAIT: return CALL_WAIT;
	case STEP_END:
	default: return CALL_END;
	}
}

static void end(struct reconcile *r, enum reconcile_result result)
{
	r->result = result;
	r->step = STEP_END;
}

/* ---- observe ---- */

static bool is_wanted(const struct job *job, enum instance_state state)
{
	return state == INSTANCE_PASSING || (job->include_warning && state == INSTANCE_WARNING);
}

static int listed_order(const void *a, const void *b)
{
	const struct consul_listed *x = a, *y = b;

	return target_compare(&x->target, &y->target);
}

/*
 * Take a good answer of Consul: what is wanted, and the figures to tell. The host names move to
 * storage of their own, since the next read overwrites the view's even when it fails.
 */
static void take_view(struct reconcile *r)
{
	struct consul_view *v = &r->view;
	struct target *want = r->storage->want;

	r->instances_n = v->instances_n;
	memcpy(r->state_n, v->n, sizeof r->state_n);
	r->unaddressed_n = v->unaddressed_n;
	memcpy(r->unaddressed, v->unaddressed, sizeof r->unaddressed);
	memcpy(r->storage->want_hosts.text, v->hosts.text, v->hosts.len);
	r->want_n = 0;
	for (size_t i = 0; i < v->listed_n; i++) {
		if (!is_wanted(r->job, v->listed[i].state))
			continue;
		want[r->want_n] = v->listed[i].target;
		if (want[r->want_n].host)
			want[r->want_n].host = r->storage->want_hosts.text +
					       (v->listed[i].target.host - v->hosts.text);
		r->want_n++;
	}
	r->is_on_fallback = !r->want_n && r->job->has_fallback;
	if (r->is_on_fallback)
		want[r->want_n++] = r->job->fallback;
	if (v->listed_n)
		qsort(v->listed, v->listed_n, sizeof *v->listed, listed_order);
}

/* What Consul says of a record's target: the best of the instances that have it. */
static enum instance_state find_state(const struct consul_view *v, const struct target *t)
{
	size_t low = 0, high = v->listed_n;
	enum instance_state best = INSTANCE_VANISHED;
	bool has_one = false;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (target_compare(&v->listed[mid].target, t) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < v->listed_n && target_compare(&v->listed[low].target, t) == 0; low++) {
		if (!has_one || v->listed[low].state > best)
			best = v->listed[low].state;
		has_one = true;
	}
	return best;
}

static void note_states(struct reconcile *r)
{
	for (size_t i = 0; i < r->list.records_n; i++)
		r->list.records[i].state = find_state(&r->view, &r->list.records[i].target);
}

/* ---- decide ---- */

static int build_plan(struct reconcile *r, struct err *e)
{
	struct plan_policy policy = r->job->policy;
	struct plan_input in = {
		.want = r->storage->want,
		.want_n = r->want_n,
		.have = r->list.records,
		.have_n = r->list.records_n,
		.policy = &policy,
	};
	int rc;

	policy.name = r->name;
	policy.is_substitute = r->is_on_fallback;
	policy.not_evidence = evidence_gap_text(r->gap);
	rc = plan_build(&r->plan, &in, e);
	r->want_n = in.want_n;
	return rc;
}

static void prepare_list(struct reconcile *r)
{
	cf_record_list_init(&r->list, r->zone_id, r->name, r->job->owner, r->storage->have);
	r->step = STEP_LIST;
}

static void prepare_zone(struct reconcile *r)
{
	bool is_exact = r->job->zone != NULL;

	if (r->zone_id[0]) {
		prepare_list(r);
		return;
	}
	cf_zone_search_init(&r->zones, is_exact ? r->job->zone : r->name, is_exact);
	r->step = STEP_ZONE;
}

/* ---- fail, and try again ---- */

static int64_t retry_delay_ms(const struct reconcile *r, const struct cf_reply *reply,
			      enum err_kind kind, uint32_t random)
{
	/* A 429, and now and then a 503, says when to come again. */
	if (reply && reply->has_retry_after && (kind == ERR_BUSY || kind == ERR_RETRY))
		return reply->retry_after_sec * 1000 + random % BACKOFF_BASE_MS;
	return pace_backoff_ms(r->tries, BACKOFF_BASE_MS, BACKOFF_CAP_MS, random);
}

static const struct cf_reply *reply_of(const struct reconcile *r)
{
	switch ((enum step)r->step) {
	case STEP_ZONE: return &r->zones.reply;
	case STEP_LIST: return &r->list.reply;
	case STEP_WRITE: return &r->write.reply;
	default: return NULL;
	}
}

static bool is_worth_retrying(enum err_kind kind)
{
	return kind == ERR_RETRY || kind == ERR_BUSY || kind == ERR_PROTO;
}

/* Everything starts anew after a failure: the answer that was lost may have been a yes. */
static void fail(struct reconcile *r, const struct err *e, int64_t now_ms, uint32_t random)
{
	int64_t delay_ms = retry_delay_ms(r, reply_of(r), e->kind, random);

	r->last_err = *e;
	if (!is_worth_retrying(e->kind)) {
		end(r, RECONCILE_FAILED);
		return;
	}
	if (delay_ms > r->give_up_ms - now_ms) {
		if (e->kind == ERR_BUSY && now_ms < r->give_up_ms)
			(void)err_set(&r->last_err, e->kind,
				      "%s; to be asked again in %lld s, past --retry-for",
				      e->text, (long long)(delay_ms / 1000));
		end(r, RECONCILE_FAILED);
		return;
	}
	r->tries++;
	r->wake_ms = now_ms + delay_ms;
	r->step = STEP_WAIT;
	report_retry(r, delay_ms);
}

/* ---- apply ---- */

/* All that could be written is. Is it enough? */
static void conclude(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	struct err e = {0};

	if (r->has_stale_list) {
		(void)err_set(&e, ERR_RETRY, "the records change while they are written");
		fail(r, &e, now_ms, random);
		return;
	}
	if (r->refused_n) {
		end(r, RECONCILE_FAILED);
		return;
	}
	if (!r->plan.n[OP_HOLD]) {
		end(r, RECONCILE_DONE);
		return;
	}
	/* An election is over in seconds, and a handler is not called again for this change. */
	if (evidence_gap_may_pass(r->gap) && !r->is_dry_run && now_ms < r->give_up_ms) {
		(void)err_set(&e, ERR_RETRY, "%zu removals held: %s", r->plan.n[OP_HOLD],
			      r->plan.held_why);
		fail(r, &e, now_ms, random);
		if (r->step == STEP_WAIT)
			return;
	}
	end(r, RECONCILE_HELD);
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
	r->query.is_consistent = r->job->query.is_consistent;
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
		.name = r->name,
		.owner = r->job->owner,
		.ops = r->storage->picked,
		.ops_n = n,
		.is_single = is_single,
	};
	r->step = STEP_WRITE;
}

/* A plan stands on this listing; is there more to ask before it may be carried out? */
static void after_list(struct reconcile *r, int64_t now_ms, uint32_t random)
{
	struct err e = {0};

	note_states(r);
	if (build_plan(r, &e)) {
		fail(r, &e, now_ms, random);
		return;
	}
	if (plan_needs_evidence(&r->plan) && !r->query.is_consistent) {
		r->query.is_consistent = true;
		r->step = STEP_VERIFY;
		return;
	}
	prepare_write(r, now_ms, random);
}

static void after_verify(struct reconcile *r, int rc, const struct err *why, int64_t now_ms,
			 uint32_t random)
{
	struct err e = {0};

	if (rc) {
		/* What was read before may still add. */
		r->gap = EVIDENCE_READ_FAILED;
		r->view.listed_n = 0; /* it broke off somewhere in the middle */
		r->gap_err = *why;
	} else {
		take_view(r);
		r->gap = evidence_judge(&r->view.evidence, r->view.instances_n == 0);
		note_states(r);
	}
	if (build_plan(r, &e))
		fail(r, &e, now_ms, random);
	else
		prepare_write(r, now_ms, random);
}

static void drop_op(struct reconcile *r, const struct err *e)
{
	struct op *op = r->write.ops[0];
	const struct cf_reply *reply = &r->write.reply;

	op->is_done = true; /* for this round: it is not tried again */
	if (op->kind == OP_DELETE && cf_reply_has(reply, CF_CODE_GONE))
		return;
	if (cf_reply_has(reply, CF_CODE_IDENTICAL) || cf_reply_has(reply, CF_CODE_EXISTS) ||
	    cf_reply_has(reply, CF_CODE_GONE)) {
		r->has_stale_list = true; /* the next listing shows what is so */
		return;
	}
	r->refused_n++;
	r->absent_n += op->kind == OP_CREATE;
	r->last_err = *e;
	if (cf_reply_has(reply, CF_CODE_IN_THE_WAY) || cf_reply_has(reply, CF_CODE_CNAME_THERE))
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
		r->last_err = *e;
		end(r, RECONCILE_FAILED); /* only a transaction can swap */
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
	}
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
		take_view(r);
		prepare_zone(r);
		break;
	case STEP_ZONE:
		memcpy(r->zone_id, r->zones.id, sizeof r->zone_id);
		prepare_list(r);
		break;
	case STEP_LIST:
		after_list(r, now_ms, random);
		break;
	case STEP_WAIT:
		start_try(r);
		break;
	default:
		break;
	}
}
