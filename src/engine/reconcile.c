#include "engine/reconcile.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/report.h"

#define ROOM_KEPT 65536 /* bytes that stay resident when the room is given up */

static void start_try(struct reconcile *r)
{
	apply_start(&r->apply, r->in.job, r->apply.refusal);
	/* What was refused once: to find out again which of them it is costs calls. */
	r->apply.is_single = r->is_suspect && r->in.is_watch;
	r->out.gap = EVIDENCE_OK;
	r->query = (struct consul_query){.job = r->in.job};
	r->lists_alone = r->wants_room = false;
	r->leaving_n = 0;
	r->step = STEP_HEALTH;
}

static void lend(struct reconcile *r, struct reconcile_storage *storage)
{
	r->in.storage = storage;
	r->seen.storage = &storage->observe;
	storage->observe.view.listed = storage->observe.listed;
	r->room = NULL;
	r->room_cap = 0;
	r->out.plan.ops_n = 0;
}

static void init(struct reconcile *r, const struct job *job, const struct reconcile_own *own,
		 bool is_watch)
{
	struct reconcile_seldom *seldom = own->seldom;

	*r = (struct reconcile){
		.step = STEP_END,
		.owner = r->owner,
		.in = {.job = job, .is_watch = is_watch, .give_up_ms = CLOCK_NEVER},
		.out = {.wake_ms = CLOCK_NEVER, .err = &seldom->err, .gap_err = &seldom->gap_err},
		.apply = {.refusal = &seldom->refusal},
	};
	observe_init(&r->seen, job, own->have, &seldom->hosts, is_watch);
}

void reconcile_init(struct reconcile *r, const struct job *job, struct reconcile_storage *storage,
		    const struct reconcile_own *own, bool is_dry_run, int64_t give_up_ms)
{
	init(r, job, own, false);
	r->in.view = r->in.own_view = own->view;
	r->in.is_dry_run = is_dry_run;
	r->in.give_up_ms = give_up_ms;
	lend(r, storage);
	start_try(r);
}

void reconcile_init_watch(struct reconcile *r, const struct job *job,
			  const struct reconcile_own *own)
{
	init(r, job, own, true);
}

const char *reconcile_zone_id(const struct reconcile *r)
{
	return r->zone ? r->zone->id : r->in.job->zone_id;
}

/* ---- what is kept between two calls ---- */

/* NULL: there is none. */
static void *take_room(struct reconcile_storage *s, size_t size)
{
	void *p = s->room + s->room_used;

	size = (size + 15) & ~(size_t)15;
	if (size > sizeof s->room - s->room_used)
		return NULL;
	s->room_used += size;
	return p;
}

void reconcile_forget_all(struct reconcile_storage *s)
{
	if (s->room_used > ROOM_KEPT)
		memory_forget(s->room, s->room_used);
	s->room_used = 0;
}

/* An op, its target, and that one's host name. */
static size_t kept_size(const struct plan *p)
{
	size_t size = p->ops_n * (sizeof(struct op) + sizeof(struct target));

	for (size_t i = 0; i < p->ops_n; i++)
		if (p->ops[i].target && p->ops[i].target->host)
			size += strlen(p->ops[i].target->host) + 1;
	return size;
}

static void copy_plan(struct plan *p, char *room)
{
	struct op *ops = (struct op *)(void *)room;
	struct target *targets = (struct target *)(void *)(ops + p->ops_n);
	char *text = (char *)(targets + p->ops_n);

	for (size_t i = 0; i < p->ops_n; i++) {
		ops[i] = p->ops[i];
		if (!ops[i].target)
			continue;
		targets[i] = *ops[i].target;
		ops[i].target = &targets[i];
		if (!targets[i].host)
			continue;
		size_t len = strlen(targets[i].host) + 1;

		memcpy(text, targets[i].host, len);
		targets[i].host = text;
		text += len;
	}
	p->ops = ops;
}

/* The plan was made in scratch, which the next name overwrites. */
static int keep_plan(struct reconcile *r, struct err *e)
{
	size_t size = kept_size(&r->out.plan);

	if (!size) /* there may be no room yet, to which nothing can be added either */
		return 0;
	if (size > r->room_cap) {
		char *room = take_room(r->in.storage, 2 * size);

		if (!room)
			return err_set(e, ERR_RETRY, "too many changes at once");
		r->room = room;
		r->room_cap = 2 * size;
	}
	copy_plan(&r->out.plan, r->room);
	return 0;
}

/* ---- the end of a try ---- */

static void end(struct reconcile *r, enum reconcile_result result)
{
	r->out.result = result;
	r->step = STEP_END;
	if (result == RECONCILE_FAILED) {
		r->seen.has_list = false; /* what was lost may have been done */
	} else if (result == RECONCILE_DONE) {
		r->tries = 0;
		r->is_suspect = false;
	}
}

static void give_up(struct reconcile *r, int64_t delay_ms, int64_t now_ms)
{
	struct err *e = r->out.err;

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
	*r->out.err = *e;
	if (f->hint && f->hint->told_sec)
		(void)err_set(r->out.err, e->kind, "%s; told to wait %lld s, which is cut", e->text,
			      (long long)f->hint->told_sec);
	if (e->kind == ERR_AUTH)
		trust_of(r)->was_refused = true;
}

/* Everything starts anew after a failure: the answer that was lost may have been a yes. */
static void fail(struct reconcile *r, const struct err *e, const struct outcome *o)
{
	const struct pace_failure failure = {
		.kind = e->kind,
		/* What we refuse ourselves costs no write: it is looked at as often as ever. */
		.tries = e->kind == ERR_REFUSED && !r->is_suspect ? 0 : r->tries,
		.hint = o->reply ? &o->reply->hint : NULL,
		.trust = *trust_of(r),
		.left_ms = r->in.give_up_ms - o->now_ms,
	};
	int64_t delay_ms = 0;
	enum pace who = r->in.is_watch ? PACE_WATCH : PACE_SYNC;

	note_failure(r, e, &failure);
	if (!pace_retry(who, &failure, o->random, &delay_ms)) {
		give_up(r, delay_ms, o->now_ms);
		return;
	}
	r->tries++;
	r->out.wake_ms = o->now_ms + delay_ms;
	r->wants_room = o->reply && o->reply->meaning == CF_QUOTA;
	if (r->wants_room && r->zone)
		r->zone->is_wanting = true;
	if ((e->kind == ERR_CONFIG ||
	     (e->kind == ERR_AUTH && o->reply && r->in.is_watch && r->tries > 1)) &&
	    !r->in.job->zone_id[0] && r->zone) {
		/* Perhaps it was made anew under another id, which these credentials may see. */
		cf_zone_book_forget(&r->in.storage->zones->book);
		r->zone = NULL;
	}
	if (r->in.is_watch)
		end(r, RECONCILE_FAILED);
	else
		r->step = STEP_WAIT;
	report_retry(r->in.job, r->out.err, delay_ms);
}

/* Removals are held for want of evidence, which an election may bring back within seconds. */
static void hold(struct reconcile *r, const struct outcome *o)
{
	bool may_pass = evidence_gap_may_pass(r->out.gap);
	struct err e = {0};

	if (may_pass && r->in.is_watch) {
		r->out.wake_ms = o->now_ms + pace_delay_ms(PACE_WATCH, r->tries, o->random);
		r->tries++;
	} else if (may_pass && !r->in.is_dry_run) {
		/* A handler is not called again for this change. */
		(void)err_set(&e, ERR_RETRY, "removals held: %s", r->out.plan.held_why);
		fail(r, &e, o);
		if (r->step == STEP_WAIT)
			return;
	}
	end(r, RECONCILE_HELD);
}

/* All that could be written is. Is it enough? */
static void conclude(struct reconcile *r, const struct outcome *o)
{
	struct err e = {0};

	if (r->apply.has_stale_list) {
		(void)err_set(&e, ERR_RETRY, "the records change while they are written");
		fail(r, &e, o);
	} else if (r->apply.refused_n) {
		fail(r, r->apply.refusal, o);
	} else if (r->out.plan.n[OP_HOLD]) {
		hold(r, o);
	} else {
		end(r, RECONCILE_DONE);
	}
}

/* ---- which call comes next ---- */

static void want_zone(struct reconcile *r)
{
	r->step = STEP_ZONE;
	reconcile_look_up(r);
}

void reconcile_look_up(struct reconcile *r)
{
	if (!r->zone)
		r->zone = zone_table_find(r->in.storage->zones, r->in.job);
	if (r->zone)
		r->step = STEP_LIST;
}

void reconcile_begin_list(struct reconcile *r)
{
	struct reconcile_storage *s = r->in.storage;
	size_t cap = 0;

	if (!r->seen.has_list) /* it was to begin before */
		return;
	for (size_t i = 0; i < r->seen.list.records_n; i++)
		cap += r->seen.list.records[i].is_leaving;
	r->leaving = take_room(s, cap * sizeof *r->leaving);
	r->leaving_n = observe_begin_list(&r->seen, r->leaving, r->leaving ? cap : 0);
}

/* What others wrote stands on a newer Consul: evidence must not be older. */
void reconcile_list_again(struct reconcile *r)
{
	r->query.is_consistent = false;
	r->out.gap = EVIDENCE_OK;
	r->step = STEP_LIST;
}

static void go_on(struct reconcile *r, enum apply_next next, const struct outcome *o)
{
	switch (next) {
	case APPLY_WRITE: r->step = STEP_WRITE; break;
	case APPLY_LIST: reconcile_list_again(r); break;
	case APPLY_END: conclude(r, o); break;
	case APPLY_FAIL: fail(r, r->apply.refusal, o); break;
	}
}

/*
 * What was shown of the zone counts for other names too: calls are limited. Where nothing may be
 * known of it, what is written shows.
 */
static bool knows_zone(struct reconcile *r)
{
	r->seen.is_zone_known = zone_holds(r->zone, r->in.job->name);
	return r->seen.is_zone_known || (r->zone->is_checked && !r->zone->name[0]);
}

/* The types of these targets. */
static unsigned types_of(const struct target *targets, size_t n)
{
	unsigned types = 0;

	while (n--)
		types |= RECORD_BIT(targets[n].type);
	return types;
}

static int make_plan(struct reconcile *r, int64_t now_ms, struct err *e)
{
	struct plan *plan = &r->out.plan;
	struct plan_input in = {
		.want = r->seen.storage->want,
		.have = r->seen.list.records,
		.have_n = r->seen.list.records_n,
		.job = r->in.job,
		.wants_none = !r->seen.want_n,
		.is_substitute = r->seen.is_on_fallback,
		.not_evidence = evidence_gap_text(r->out.gap),
	};

	plan->ops = r->in.storage->ops;
	plan->ops_cap = PLAN_OPS_MAX;
	in.want_n = observe_targets(&r->seen, now_ms);
	in.brief_types = types_of(in.want, in.want_n) & ~types_of(in.want, r->seen.want_n);
	if (plan_build(plan, &in, e) || keep_plan(r, e)) {
		plan->ops_n = 0;
		return -1;
	}
	return 0;
}

/* Decide by what Consul said, and begin to apply, or first ask for evidence. */
static void decide(struct reconcile *r, const struct consul_view *v, const struct outcome *o)
{
	struct plan *plan = &r->out.plan;
	struct err e = {0};

	/* On anything else than a whole listing of that zone a plan would be a guess. */
	assert(r->seen.has_list && r->zone);
	observe_answer(&r->seen, v);
	observe_states(&r->seen, v);
	if (make_plan(r, o->now_ms, &e)) {
		fail(r, &e, o);
		return;
	}
	if (plan->n[OP_CREATE] && r->is_zone_wrong) {
		(void)err_set(&e, ERR_CONFIG, "CF_ZONE_ID is not the zone of %s", r->in.job->name);
		fail(r, &e, o);
		return;
	}
	if (plan->n[OP_CREATE] && observe_doubts_zone(&r->seen) && !knows_zone(r)) {
		r->step = STEP_CHECK;
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
		conclude(r, o);
	else
		go_on(r, apply_next(&r->apply, plan), o);
}

/* ---- outcomes ---- */

/* What Consul said is in the storage's view, for this name and others. */
static void take_health(struct reconcile *r)
{
	if (r->in.own_view)
		consul_view_copy(r->in.own_view, &r->in.storage->observe.view);
}

static void after_verify(struct reconcile *r, const struct outcome *o)
{
	const struct consul_view *v = &r->in.storage->observe.view;

	r->read_ms = o->now_ms;
	observe_forget_deleted(&r->seen);
	if (o->rc) {
		/* What was read before may still add. */
		r->out.gap = EVIDENCE_READ_FAILED;
		*r->out.gap_err = *o->e;
		decide(r, r->in.view, o);
		return;
	}
	take_health(r);
	r->out.gap = evidence_assess(&v->evidence, v->count.instances_n == 0);
	decide(r, v, o);
}

static void after_zone(struct reconcile *r, const struct outcome *o)
{
	struct err e = {0};

	r->zone = zone_table_add(r->in.storage->zones, o->zones);
	if (!r->zone) {
		(void)err_set(&e, ERR_LIMIT, "more than %zu zones", ZONES_MAX);
		fail(r, &e, o);
		return;
	}
	if (o->zones->has_found && !o->zones->is_served)
		report_unserved(r->in.job, o->zones);
	r->step = STEP_LIST;
}

static void after_check(struct reconcile *r, const struct outcome *o)
{
	r->zone->is_checked = true;
	memcpy(r->zone->name, o->zones->zone, sizeof r->zone->name);
	r->seen.is_zone_known = o->zones->has_found;
	decide(r, r->in.view, o);
}

static void after_list(struct reconcile *r, const struct outcome *o)
{
	if (r->seen.list.is_odd) {
		r->lists_alone = true; /* which will say what is odd */
		return;
	}
	observe_end_list(&r->seen, r->leaving, r->leaving_n);
	decide(r, r->in.view, o);
}

static void after_write(struct reconcile *r, const struct outcome *o)
{
	struct plan *plan = &r->out.plan;
	const struct cf_part *part = &o->parts[r->part_i];
	enum apply_next next;

	if (r->apply.is_undoing) {
		struct err *why = r->apply.refusal;

		(void)err_set(why, why->kind, "%s; what it wrote %s", why->text,
			      o->rc ? "could not be removed" : "is removed again");
		fail(r, why, o);
		return;
	}
	if (o->rc && o->has_other && part->created_n) {
		r->is_zone_wrong = true;
		apply_undo(&r->apply, plan, part, o->e);
		return;
	}
	if (o->rc && o->e->kind != ERR_REFUSED) {
		fail(r, o->e, o);
		return;
	}
	if (o->rc && o->is_isolated && !plan->is_swap) {
		/* Others were written meanwhile: it is the record, not what was listed. */
		r->is_suspect = r->apply.is_single = true;
		next = apply_next(&r->apply, plan);
	} else if (o->rc) {
		r->is_suspect = true;
		next = apply_refused(&r->apply, plan, &r->seen, part, o->reply->meaning, o->e);
	} else {
		for (size_t i = 0; i < part->ops_n; i++)
			r->out.done_n[part->ops[i]->kind]++;
		apply_written(&r->apply, &r->seen, part);
		next = apply_next(&r->apply, plan);
	}
	go_on(r, next, o);
}

void reconcile_give_up(struct reconcile *r, const struct outcome *o)
{
	/* Its own refusal says more. */
	fail(r, r->is_suspect ? r->apply.refusal : o->e, o);
}

void reconcile_take(struct reconcile *r, const struct outcome *o)
{
	if (!o->rc && r->step < STEP_WAIT)
		trust_of(r)->has_served = true;
	if (o->rc && r->step != STEP_VERIFY && r->step != STEP_WRITE) {
		fail(r, o->e, o);
		return;
	}
	switch (r->step) {
	case STEP_HEALTH:
		r->read_ms = o->now_ms;
		take_health(r);
		want_zone(r);
		break;
	case STEP_ZONE: after_zone(r, o); break;
	case STEP_CHECK: after_check(r, o); break;
	case STEP_LIST: after_list(r, o); break;
	case STEP_VERIFY: after_verify(r, o); break;
	case STEP_WRITE: after_write(r, o); break;
	case STEP_WAIT: start_try(r); break;
	case STEP_END: break;
	}
}

void reconcile_begin(struct reconcile *r, struct reconcile_storage *storage,
		     const struct consul_view *listed, bool resync, int64_t now_ms, uint32_t random)
{
	const struct outcome o = {.now_ms = now_ms, .random = random};
	bool remembers = r->seen.has_list && !resync;

	lend(r, storage);
	start_try(r);
	memset(r->out.done_n, 0, sizeof r->out.done_n);
	r->out.wake_ms = CLOCK_NEVER;
	r->is_resync = resync && r->seen.has_list;
	observe_forget_deleted(&r->seen);
	r->read_ms = now_ms;
	r->in.view = listed;
	if (remembers)
		decide(r, listed, &o);
	else
		want_zone(r);
}

void reconcile_refresh(struct reconcile *r, int64_t now_ms)
{
	/* With a record in the plan that was refused it would be refused again, and again. */
	if (r->step != STEP_WRITE || now_ms - r->read_ms <= RECONCILE_READ_MS ||
	    r->in.job->is_dropped || !apply_is_clean(&r->apply))
		return;
	r->query.is_consistent = r->seen.has_list;
	/* Without a list what was written is not all known. */
	r->step = r->seen.has_list ? STEP_VERIFY : STEP_LIST;
}

void reconcile_fill(struct reconcile *r, struct cf_part *part, struct op **picked, size_t cap)
{
	apply_fill(&r->apply, &r->out.plan, &r->seen, part, picked, cap);
}

bool reconcile_writes_alone(const struct reconcile *r)
{
	/* In another zone than it is taken for the strays of several would have to be sorted. */
	return r->is_suspect || apply_is_alone(&r->apply, &r->out.plan) ||
	       observe_doubts_zone(&r->seen);
}

bool reconcile_only_deletes(const struct reconcile *r)
{
	return plan_only_deletes(&r->out.plan);
}

void reconcile_cancel(struct reconcile *r)
{
	r->seen.has_list = false;
	r->step = STEP_END;
}
