#include "engine/round.h"

#include <string.h>

#include "base/clock.h"
#include "engine/report.h"

void round_add(struct round *r, struct reconcile *member)
{
	member->is_asked = false;
	r->members[r->n++] = member;
}

static struct reconcile *take_out(struct round *r, size_t i)
{
	struct reconcile *member = r->members[i];

	/* In their order: who came first is served first. */
	for (r->n--; i < r->n; i++)
		r->members[i] = r->members[i + 1];
	if (!r->n) {
		r->parts_max = r->isolated_n = r->lost_n = 0;
		r->has_listed_again = r->has_shrunk = false;
	}
	return member;
}

struct reconcile *round_take_ended(struct round *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i]->step == STEP_END)
			return take_out(r, i);
	return NULL;
}

struct reconcile *round_take_any(struct round *r)
{
	return r->n ? take_out(r, r->n - 1) : NULL;
}

static size_t find(const struct round *r, const struct reconcile *member)
{
	size_t i = 0;

	while (i < r->n && r->members[i] != member)
		i++;
	return i;
}

bool round_has(const struct round *r, const struct reconcile *member)
{
	return find(r, member) < r->n;
}

void round_remove(struct round *r, const struct reconcile *member)
{
	(void)take_out(r, find(r, member));
}

struct reconcile *round_asked(const struct round *r, size_t *i)
{
	while (*i < r->n) {
		struct reconcile *m = r->members[(*i)++];

		if (m->is_asked)
			return m;
	}
	return NULL;
}

static struct reconcile *first_at(const struct round *r, enum reconcile_step step)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i]->step == step)
			return r->members[i];
	return NULL;
}

/* ---- reading Consul: one answer for all who ask the same ---- */

static bool ask_health(struct round *r)
{
	struct reconcile *first = first_at(r, STEP_HEALTH);

	if (!first && !(first = first_at(r, STEP_VERIFY)))
		return false;
	for (size_t i = 0; i < r->n; i++) {
		struct reconcile *m = r->members[i];

		m->is_asked = m == first || (m->step == first->step &&
					     job_is_same_query(m->in.job, first->in.job));
	}
	r->query = first->query;
	r->call = (struct call){
		.kind = CALL_HEALTH, .query = &r->query, .view = &r->storage->observe.view};
	return true;
}

/* ---- zones ---- */

static void tell(struct reconcile *m, struct outcome *o)
{
	m->is_asked = false;
	reconcile_take(m, o);
}

/*
 * What was found for others tells the zones of most. Returns whose is to be searched; NULL: of
 * nobody.
 */
static struct reconcile *look_up_zones(struct round *r, int64_t now_ms)
{
	struct zone_table *t = r->storage->zones;

	for (size_t i = 0; i < r->n; i++) {
		struct reconcile *m = r->members[i];
		const struct job *job = m->in.job;
		struct err e = {0};
		struct outcome o = {.rc = -1, .e = &e, .now_ms = now_ms};

		if (m->step != STEP_ZONE)
			continue;
		reconcile_look_up(m);
		if (m->step != STEP_ZONE)
			continue;
		cf_zone_search_init(&r->zones, job->zone[0] ? job->zone : job->name,
				    job->zone[0] != '\0');
		r->zones.book = &t->book;
		if (!cf_zone_search_told(&r->zones, &e))
			return m;
		/* There is none: of an old book that is no news. */
		if (now_ms - t->book_ms > ROUND_BOOK_MS) {
			cf_zone_book_forget(&t->book);
			return m;
		}
		tell(m, &o);
	}
	return NULL;
}

static bool ask_zone(struct round *r, int64_t now_ms)
{
	struct reconcile *m = look_up_zones(r, now_ms);

	if (m) {
		for (size_t i = 0; i < r->n; i++)
			r->zones.names_n += r->members[i]->step == STEP_ZONE;
		r->storage->zones->book_ms = now_ms;
	} else {
		m = first_at(r, STEP_CHECK);
		if (!m)
			return false;
		cf_zone_check_init(&r->zones, m->in.job->name, m->zone->id);
	}
	m->is_asked = true;
	r->call = (struct call){.kind = CALL_ZONE, .zones = &r->zones};
	return true;
}

/* ---- listing ---- */

/* Whether a call of that kind for its zone may begin, or not before *until_ms. */
static bool is_ready(const struct round *r, const struct reconcile *m, enum zone_pace pace,
		     int64_t now_ms, int64_t *until_ms)
{
	int64_t ready_ms = r->is_paced ? m->zone->paced_ms[pace] : now_ms;

	if (ready_ms > now_ms && ready_ms < *until_ms)
		*until_ms = ready_ms;
	return ready_ms <= now_ms;
}

/* Who is to be listed next; NULL: nobody, or not before *until_ms. */
static struct reconcile *next_listed(const struct round *r, int64_t now_ms, int64_t *until_ms)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i]->step == STEP_LIST &&
		    is_ready(r, r->members[i], ZONE_LIST, now_ms, until_ms))
			return r->members[i];
	return NULL;
}

static bool is_listed(const struct reconcile *m, const struct zone *z)
{
	return m->step == STEP_LIST && m->zone == z;
}

/* How many names of that zone are to be listed, and may be together. */
static size_t count_listed(const struct round *r, const struct zone *z)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += is_listed(r->members[i], z) && !r->members[i]->lists_alone;
	return n;
}

static bool ask_list(struct round *r, int64_t now_ms, int64_t *until_ms)
{
	struct reconcile *first = next_listed(r, now_ms, until_ms);
	bool is_whole;
	size_t n = 0;

	if (!first)
		return false;
	r->zone = first->zone;
	is_whole = !first->lists_alone &&
		   zone_is_cheaper_whole(r->zone, count_listed(r, r->zone), now_ms);
	for (size_t i = 0; i < r->n; i++) {
		struct reconcile *m = r->members[i];

		m->is_asked =
			m == first || (is_listed(m, r->zone) &&
				       (is_whole ? !m->lists_alone
						 : !strcmp(m->in.job->name, first->in.job->name)));
		if (!m->is_asked)
			continue;
		reconcile_begin_list(m);
		r->names[n++] = &m->seen.list;
	}
	cf_listing_init(&r->list, r->zone->id, r->names, n, is_whole);
	r->call = (struct call){.kind = CALL_LIST, .list = &r->list};
	return true;
}

/* ---- writing ---- */

static bool is_writer(const struct reconcile *m, const struct reconcile *first, bool deletes)
{
	return m->step == STEP_WRITE && m->zone == first->zone &&
	       reconcile_only_deletes(m) == deletes && !reconcile_writes_alone(m);
}

static bool is_same_name(const struct reconcile *a, const struct reconcile *b)
{
	return a->zone == b->zone && strcmp(a->in.job->name, b->in.job->name) == 0;
}

/*
 * Of a name that two owners share each counts the other's records for its floor: what one deletes
 * the other has to know.
 */
static bool has_name(const struct round *r, size_t parts_n, const struct reconcile *m)
{
	for (size_t i = 0; i < parts_n; i++)
		if (strcmp(r->parts[i].job->name, m->in.job->name) == 0)
			return true;
	return false;
}

/* Fill the write with what first wants, and those who may go with it. */
static void fill_write(struct round *r, struct reconcile *first, bool deletes)
{
	bool is_alone = reconcile_writes_alone(first);
	size_t ops_n = 0, n = 0, max = r->parts_max ? r->parts_max : CF_BATCH_MAX;

	if (first->zone->batch_max && first->zone->batch_max < max)
		max = first->zone->batch_max;

	for (size_t i = 0; i < r->n && n < max && ops_n < CF_BATCH_MAX; i++) {
		struct reconcile *m = r->members[i];

		if (is_alone ? m != first : !is_writer(m, first, deletes))
			continue;
		if (deletes && has_name(r, n, m))
			continue;
		reconcile_fill(m, &r->parts[n], r->picked + ops_n, CF_BATCH_MAX - ops_n);
		m->is_asked = true;
		m->part_i = n;
		r->last_writer = m;
		ops_n += r->parts[n++].ops_n;
	}
	r->zone = first->zone;
	r->is_alone = is_alone;
	r->deletes = deletes;
	r->is_full = ops_n == CF_BATCH_MAX;
	r->write = (struct cf_write){
		.zone_id = r->zone->id,
		.parts = r->parts,
		.parts_n = n,
		.is_single = first->apply.is_single && !first->out.plan.is_swap,
	};
	r->call = (struct call){.kind = CALL_WRITE, .write = &r->write};
}

/* In the order in which they come. */
enum turn {
	TURN_ROOM, /* deletes, where there is no room for more */
	TURN_ADDS,
	TURN_DELETES,
	TURNS
};

/*
 * Who writes next: additions before removals in each zone, and together with others before alone.
 * is_late: only who has waited for others long enough. NULL: nobody, and *until_ms says when.
 */
static struct reconcile *next_writer(const struct round *r, enum turn turn, bool is_late,
				     int64_t now_ms, int64_t *until_ms)
{
	const bool deletes = turn != TURN_ADDS;
	struct reconcile *alone = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct reconcile *m = r->members[i];
		int64_t late_ms;

		if (m->step != STEP_WRITE || reconcile_only_deletes(m) != deletes)
			continue;
		if (turn == TURN_ROOM && m->zone->is_full)
			return m;
		if (turn == TURN_ROOM)
			continue;
		late_ms = m->read_ms +
			  (deletes || !r->is_paced ? RECONCILE_READ_MS / 2 : ROUND_READY_MS);
		if (is_late && now_ms < late_ms)
			continue;
		if (deletes && m->zone->adds_wait && now_ms < late_ms) {
			*until_ms = late_ms < *until_ms ? late_ms : *until_ms;
			continue;
		}
		if (!is_ready(r, m, deletes ? ZONE_DELETE : ZONE_ADD, now_ms, until_ms)) {
			m->zone->adds_wait |= !deletes;
			continue;
		}
		if (!reconcile_writes_alone(m))
			return m;
		if (!alone)
			alone = m;
	}
	return alone;
}

/* Deletes of a zone wait for what others of it may have to add. */
static bool ask_write(struct round *r, bool is_late, int64_t now_ms, int64_t *until_ms)
{
	for (enum turn turn = TURN_ROOM; turn < TURNS; turn++) {
		struct reconcile *m = next_writer(r, turn, is_late, now_ms, until_ms);

		if (!m)
			continue;
		fill_write(r, m, turn != TURN_ADDS);
		return true;
	}
	return false;
}

/* ---- which call comes next ---- */

static void ask_again(struct round *r, int64_t now_ms)
{
	for (size_t i = 0; i < r->n; i++) {
		struct reconcile *m = r->members[i];

		m->is_asked = false;
		if (m->zone)
			m->zone->adds_wait = false;
		reconcile_refresh(m, now_ms);
	}
}

static int64_t first_wait_ms(const struct round *r)
{
	int64_t until_ms = CLOCK_NEVER;

	for (size_t i = 0; i < r->n; i++) {
		const struct reconcile *m = r->members[i];

		if (m->step == STEP_WAIT && m->out.wake_ms < until_ms)
			until_ms = m->out.wake_ms;
	}
	return until_ms;
}

struct call round_next(struct round *r, int64_t now_ms)
{
	int64_t until_ms = first_wait_ms(r);

	r->asked_ms = now_ms;
	ask_again(r, now_ms);
	if (ask_write(r, true, now_ms, &until_ms) || ask_health(r) || ask_zone(r, now_ms) ||
	    ask_list(r, now_ms, &until_ms) || ask_write(r, false, now_ms, &until_ms))
		return r->call;
	r->call = (struct call){.kind = until_ms == CLOCK_NEVER ? CALL_END : CALL_WAIT,
				.until_ms = until_ms};
	return r->call;
}

/* ---- outcomes ---- */

/* One call was one try with those credentials, however many it was for. */
static void tell_asked(struct round *r, struct outcome *o)
{
	struct pace_trust before[SIDES];
	struct reconcile *m;
	size_t i = 0, n = 0;

	memcpy(before, r->storage->trust, sizeof before);
	while ((m = round_asked(r, &i))) {
		memcpy(r->storage->trust, before, sizeof before);
		report_quiet(n++ >= REPORT_LINES_MAX);
		tell(m, o);
	}
	report_quiet(false);
	if (o->rc && n > REPORT_LINES_MAX)
		report_others(n - REPORT_LINES_MAX);
}

/*
 * What has nothing to do with one name's zone is true of all who search; what a zone is called, of
 * all who doubt it and lie in it.
 */
static void take_zone(struct round *r, struct outcome *o)
{
	size_t i = 0;
	const struct reconcile *first = round_asked(r, &i);
	const struct zone *doubted = first->step == STEP_CHECK ? first->zone : NULL;

	for (i = 0; o->rc && o->e->kind != ERR_CONFIG && i < r->n; i++)
		r->members[i]->is_asked |=
			r->members[i]->step == first->step && r->members[i]->zone == first->zone;
	tell_asked(r, o);
	for (i = 0; !o->rc && doubted && i < r->n; i++) {
		struct reconcile *m = r->members[i];

		if (m->step == STEP_CHECK && m->zone == doubted &&
		    (!doubted->name[0] || zone_holds(doubted, m->in.job->name)))
			tell(m, o);
	}
}

static void take_list(struct round *r, struct outcome *o)
{
	if (r->list.is_whole)
		zone_note_listing(r->zone, &r->list, !o->rc, o->now_ms);
	tell_asked(r, o);
	/* Those that are listed by name one after the other have waited for others together. */
	if (!count_listed(r, r->zone))
		r->zone->paced_ms[ZONE_LIST] = r->asked_ms + ROUND_PACE_MS;
}

/* Nothing of it was done; which of them it is about was not said. */
static void split(struct round *r, const struct err *e)
{
	report_split(r->write.parts_n, e);
	r->parts_max = (r->write.parts_n + 1) / 2;
}

/* Whatever an answer said before it said no. */
static void undo_marks(struct round *r)
{
	for (size_t i = 0; i < r->write.parts_n; i++)
		for (size_t k = 0; k < r->parts[i].ops_n; k++)
			r->parts[i].ops[k]->is_done = false;
}

/*
 * What one met others would meet, too: there is no room for any more, or so many were refused, or
 * lost, that it is not for what they are. To ask for each would take the calls that others need.
 */
static void give_up_others(struct round *r, struct outcome *o)
{
	struct err e = {0};
	struct outcome others = *o;

	(void)err_set(&e, o->e->kind, "not tried, as another name failed: %s", o->e->text);
	others.e = &e;
	for (size_t i = 0; i < r->n; i++) {
		struct reconcile *m = r->members[i];

		/* What is refused is what is added; what is lost may be anything. */
		if (m->step == STEP_WRITE && m->zone == r->zone && !m->is_asked &&
		    (o->e->kind != ERR_REFUSED || !reconcile_only_deletes(m)))
			reconcile_give_up(m, &others);
	}
}

/* The denser the bad ones are, the smaller are the batches in which the good ones are found. */
static void note_refusal(struct round *r, struct outcome *o)
{
	if (o->is_isolated) {
		r->isolated_n++;
		r->parts_max = CF_BATCH_MAX >> (r->isolated_n < 5 ? r->isolated_n : 5);
	}
	if (r->write.reply.meaning == CF_QUOTA || r->isolated_n == ROUND_REFUSED_MAX) {
		r->parts_max = r->isolated_n = 0;
		give_up_others(r, o);
	}
}

static bool has_deletes(const struct round *r, const struct zone *z)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->members[i]->step == STEP_WRITE && r->members[i]->zone == z &&
		    reconcile_only_deletes(r->members[i]))
			return true;
	return false;
}

/* There was no room for it. Returns whether there may be when what waits to be deleted is gone. */
static bool note_full(struct round *r)
{
	bool is_news = !r->zone->is_full;

	r->zone->is_full = true;
	return is_news && has_deletes(r, r->zone);
}

/*
 * Who writes together fails together, and comes again together: a record at which the API itself
 * fails, or falls silent, shall not keep the others waiting for ever.
 */
static void note_lost(struct round *r, struct outcome *o)
{
	/* That calls are too many says nothing of what is in them. */
	if (r->write.parts_n > 1 && o->e->kind != ERR_BUSY) {
		r->zone->batch_max = (r->write.parts_n + 1) / 2;
		r->has_shrunk = true;
	}
	/* From then on one of each other zone is tried. */
	if (++r->lost_n >= ROUND_LOST_MAX)
		give_up_others(r, o);
}

/* Records are there that were not listed, or are not: one listing tells it of all. */
static void list_again(struct round *r)
{
	struct reconcile *m;
	size_t i = 0;

	r->has_listed_again = true;
	while ((m = round_asked(r, &i)))
		reconcile_list_again(m);
}

/* Others of a name of which something was deleted decide anew. */
static void tell_owners(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct reconcile *m = r->members[i];

		for (size_t k = 0; k < r->n && m->step == STEP_WRITE && !m->is_asked; k++)
			if (r->members[k]->is_asked && is_same_name(r->members[k], m))
				reconcile_list_again(m);
	}
}

static void note_written(struct round *r)
{
	r->lost_n = 0;
	r->has_listed_again = false;
	/* Not beside what was lost: who was in it comes again, and is to be in a smaller one. */
	if (!r->has_shrunk)
		r->zone->batch_max =
			r->zone->batch_max * 2 < CF_BATCH_MAX ? r->zone->batch_max * 2 : 0;
	r->parts_max = r->parts_max * 2 < CF_BATCH_MAX ? r->parts_max * 2 : 0;
	if (r->write.parts_n >= ROUND_REFUSED_MAX / 4)
		r->isolated_n = 0;
	if (r->deletes) {
		r->zone->is_full = false;
		tell_owners(r);
	}
	if (!r->is_full)
		r->zone->paced_ms[r->deletes ? ZONE_DELETE : ZONE_ADD] =
			r->asked_ms + ROUND_PACE_MS;
}

/* Who has more to write than one batch holds does not keep the others waiting. */
static void queue_again(struct round *r, struct reconcile *m)
{
	round_remove(r, m);
	r->members[r->n++] = m;
}

static bool is_stale(const struct cf_reply *reply)
{
	return reply->meaning == CF_EXISTS || reply->meaning == CF_GONE;
}

static void take_write(struct round *r, struct outcome *o)
{
	bool is_refused = o->rc && o->e->kind == ERR_REFUSED;

	o->is_isolated = r->parts_max && !r->is_alone;
	if (o->rc)
		undo_marks(r);
	if (is_refused && r->write.reply.meaning == CF_QUOTA && note_full(r))
		return;
	if (is_refused && r->write.parts_n > 1) {
		if (is_stale(&r->write.reply) && !r->has_listed_again)
			list_again(r);
		else
			split(r, o->e);
		return;
	}
	if (is_refused && !r->deletes)
		note_refusal(r, o);
	else if (o->rc && !is_refused && o->e->kind != ERR_AUTH)
		note_lost(r, o);
	if (!o->rc)
		note_written(r);
	if (r->is_full)
		queue_again(r, r->last_writer);
	o->has_other = r->write.has_other;
	o->parts = r->parts;
	tell_asked(r, o);
}

void round_take(struct round *r, int rc, const struct err *e, int64_t now_ms, uint32_t random)
{
	struct outcome o = {
		.rc = rc,
		.e = e,
		.reply = call_reply(&r->call),
		.zones = r->call.zones,
		.now_ms = now_ms,
		.random = random,
	};

	switch (r->call.kind) {
	case CALL_HEALTH:
		if (!rc)
			consul_view_sort(&r->storage->observe.view);
		tell_asked(r, &o);
		break;
	case CALL_ZONE: take_zone(r, &o); break;
	case CALL_LIST: take_list(r, &o); break;
	case CALL_WRITE: take_write(r, &o); break;
	case CALL_WAIT:
		for (size_t i = 0; i < r->n; i++)
			if (r->members[i]->step == STEP_WAIT &&
			    r->members[i]->out.wake_ms <= now_ms) {
				r->has_shrunk = false; /* another try, without what was lost */
				tell(r->members[i], &o);
			}
		break;
	case CALL_END: break;
	}
}
