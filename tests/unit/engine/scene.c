#include "engine/scene.h"

#include "engine/alone.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/spec.h"
#include "support.h"

#define ZONE_ID "0123456789abcdef0123456789abcdef"

static void set_instances(struct scene *s, const char *text)
{
	static const char letters[] = "mvcwg";
	char copy[4096], *save = NULL;

	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		char *slash = strchr(p, '/');

		s->listed[s->listed_n].state = INSTANCE_PASSING;
		if (slash) {
			*slash++ = '\0';
			s->listed[s->listed_n].state = (enum instance_state)(strchr(letters, *slash) - letters);
		}
		(void)spec_targets(p, &s->listed[s->listed_n++].target, &s->hosts);
	}
}

void scene_init(struct scene *s, const char *instances, const char *have)
{
	log_setup(LOG_LOGFMT, LOG_LEVELS); /* quiet */
	memset(s, 0, sizeof *s);
	alone_forget_zones();
	s->job = (struct job){
		.types = JOB_TYPES,
		.service = "nginx",
		.name = "www.example.com",
		.ttl = 60,
		.min_records = 1,
		.zone_id = ZONE_ID,
	};
	s->evidence.has_leader = true;
	s->retry_for_ms = 60000;
	s->retry_after_sec = -1;
	s->now_ms = 1000000;
	s->seed = 1;
	set_instances(s, instances);
	s->records_n = spec_records(have, s->records, &s->hosts);
}

/* ---- what must always hold ---- */

static bool is_wanted_state(const struct scene *s, enum instance_state state)
{
	return state == INSTANCE_PASSING || (s->job.include_warning && state == INSTANCE_WARNING);
}

static size_t collect_want(const struct scene *s, struct target *want)
{
	static struct target_hosts fallback_hosts;
	size_t n = 0;

	/* Addresses; when there are none, host names. */
	for (int hosts = 0; hosts < 2 && !n; hosts++)
		for (size_t i = 0; i < s->listed_n; i++)
			if (is_wanted_state(s, s->listed[i].state) && !s->listed[i].target.host == !hosts)
				want[n++] = s->listed[i].target;
	if (!n && s->job.on_empty == ON_EMPTY_FALLBACK)
		n += spec_targets(s->job.fallback, want, &fallback_hosts);
	return n;
}

static bool is_listed(const struct target *t, const struct target *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (target_compare(t, &list[i]) == 0)
			return true;
	return false;
}

static size_t count_target(const struct scene *s, const struct target *t)
{
	size_t n = 0;

	for (size_t i = 0; i < s->records_n; i++)
		n += target_compare(&s->records[i].target, t) == 0;
	return n;
}

static struct record *find_id(struct scene *s, const char *id)
{
	for (size_t i = 0; i < s->records_n; i++)
		if (strcmp(s->records[i].id, id) == 0)
			return &s->records[i];
	return NULL;
}

static bool may_write(const struct scene *s, const struct record *r)
{
	bool is_claimed = r->is_ours;

	for (size_t i = 0; i < s->listed_n; i++)
		is_claimed |= r->is_unmarked && s->listed[i].target.type == r->target.type;
	return is_claimed && (s->job.types & RECORD_BIT(r->target.type));
}

/* Before a delete or a change is carried out: is it allowed at all? */
static void check_op(struct scene *s, const struct op *op, const struct target *want, size_t want_n)
{
	const struct record *r = op->record ? find_id(s, op->record->id) : NULL;

	CHECK(op->kind != OP_HOLD, "%s a held record is written", s->story);
	if (!r)
		return;
	CHECK(may_write(s, r), "%s I6: a foreign record is written", s->story);
	if (op->kind != OP_DELETE)
		return;
	CHECK(target_compare(&r->target, &op->record->target) == 0, "%s I3: another record", s->story);
	CHECK(!is_listed(&r->target, want, want_n) || count_target(s, &r->target) > 1,
	      "%s I3: the last record of a wanted target is deleted", s->story);
}

static bool is_cname_at(const struct scene *s)
{
	return s->records_n && s->records[0].target.type == RECORD_CNAME;
}

static void check_write(struct scene *s, const struct cf_write *w)
{
	struct target want[SCENE_MAX];
	size_t want_n = collect_want(s, want), have_n = 0, deletes = 0;
	bool is_swap = want_n && s->records_n && is_cname_at(s) != (want[0].type == RECORD_CNAME);

	CHECK(!s->is_dry_run, "%s a dry run writes", s->story);
	for (size_t i = 0; i < w->parts->ops_n; i++) {
		check_op(s, w->parts->ops[i], want, want_n);
		deletes += w->parts->ops[i]->kind == OP_DELETE;
	}
	for (size_t i = 0; i < want_n; i++)
		have_n += count_target(s, &want[i]) != 0;
	CHECK(!deletes || is_swap || have_n == want_n, "%s I1: %zu of %zu present", s->story, have_n, want_n);
}

static void check_after(const struct scene *s, size_t before_n)
{
	size_t floor = s->job.min_records < before_n ? s->job.min_records : before_n;
	struct target want[SCENE_MAX];

	if (!collect_want(s, want) && s->job.on_empty == ON_EMPTY_REMOVE)
		return;
	CHECK(s->records_n >= floor, "%s I2: %zu records are left", s->story, s->records_n);
}

/* ---- the API ---- */

static bool excludes(const struct target *a, const struct target *b)
{
	return (a->type == RECORD_CNAME) != (b->type == RECORD_CNAME) || (a->type == RECORD_CNAME && target_compare(a, b) != 0);
}

static enum cf_meaning put_record(struct scene *s, const struct op *op, struct record *r)
{
	char content[TARGET_TEXT_CAP] = "";

	target_format(op->target, content);
	if (s->bad && strcmp(content, s->bad) == 0)
		return CF_REFUSED;
	if (s->phantom && strcmp(content, s->phantom) == 0)
		return CF_EXISTS;
	for (size_t i = 0; i < s->records_n; i++) {
		if (&s->records[i] == r)
			continue;
		if (excludes(op->target, &s->records[i].target))
			return CF_IN_THE_WAY;
		if ((!r || target_compare(op->target, &r->target) != 0) && target_compare(op->target, &s->records[i].target) == 0)
			return CF_EXISTS;
	}
	if (!r) {
		assert_true(s->records_n < SCENE_MAX);
		r = &s->records[s->records_n++];
		*r = (struct record){.is_ours = true, .state = INSTANCE_VANISHED};
		(void)snprintf(r->id, sizeof r->id, "n%u", s->next_id++);
	}
	(void)spec_targets(content, &r->target, &s->hosts);
	r->ttl = op->ttl;
	r->proxied = op->proxied;
	return CF_DONE;
}

static enum cf_meaning apply_op(struct scene *s, const struct op *op)
{
	struct record *r = op->record ? find_id(s, op->record->id) : NULL;

	if (op->record && !r)
		return CF_GONE;
	if (op->kind != OP_DELETE)
		return put_record(s, op, r);
	*r = s->records[--s->records_n];
	return CF_DONE;
}

static enum cf_meaning apply_write(struct scene *s, const struct cf_write *w)
{
	static const enum op_kind order[] = {OP_DELETE, OP_UPDATE, OP_CREATE};

	if (!w->is_single && s->refuses_batches)
		return CF_REFUSED;
	if (w->is_single && s->refuses_singles_of_kind[w->parts->ops[0]->kind])
		return CF_REFUSED;
	for (size_t k = 0; k < COUNT(order); k++)
		for (size_t i = 0; i < w->parts->ops_n; i++)
			if (w->parts->ops[i]->kind == order[k]) {
				enum cf_meaning meaning = apply_op(s, w->parts->ops[i]);

				if (meaning != CF_DONE)
					return meaning;
			}
	return CF_DONE;
}

static void tell_write(struct scene *s, const struct cf_write *w)
{
	struct op copy[CF_BATCH_MAX];
	struct plan view = {.ops = copy, .ops_n = w->parts->ops_n};
	size_t len = strlen(s->story);

	if (sizeof s->story - len < 2048)
		return;
	for (size_t i = 0; i < w->parts->ops_n; i++)
		copy[i] = *w->parts->ops[i];
	(void)snprintf(s->story + len, sizeof s->story - len, w->is_single ? "S[" : "W[");
	if (w->parts->ops_n < 32)
		spec_plan(&view, s->story + len + 2, sizeof s->story - len - 2);
	strcat(s->story, "] ");
}

/* A new record goes into another zone; the same again is there already. */
static int answer_astray(struct scene *s, struct cf_write *w, struct err *e)
{
	tell_write(s, w);
	w->reply = (struct cf_reply){0};
	if (w->parts->ops[0]->kind == OP_DELETE) {
		CHECK(s->strays_n == w->parts->ops_n, "%s others are deleted", s->story);
		s->strays_n = 0;
		return s->refuses_singles_of_kind[OP_DELETE] ? err_set(e, ERR_REFUSED, "refused") : 0;
	}
	if (s->strays_n) {
		w->reply.meaning = CF_EXISTS;
		return err_set(e, ERR_REFUSED, "identical");
	}
	s->strays_n = w->parts->created_n = w->parts->ops_n;
	for (size_t i = 0; i < w->parts->ops_n; i++)
		(void)snprintf(w->parts->created[i].id, sizeof w->parts->created[i].id, "s%zu", i);
	w->has_other = true;
	return err_set(e, ERR_CONFIG, "another name");
}

static int answer_write(struct scene *s, struct cf_write *w, struct err *e)
{
	static struct record saved[SCENE_MAX];
	size_t saved_n = s->records_n;
	enum cf_meaning meaning;

	s->writes++;
	tell_write(s, w);
	check_write(s, w);
	memcpy(saved, s->records, sizeof saved);
	w->reply = (struct cf_reply){0};
	meaning = apply_write(s, w);
	if (meaning != CF_DONE) { /* a transaction: nothing of it was done */
		memcpy(s->records, saved, sizeof saved);
		s->records_n = saved_n;
		w->reply.meaning = meaning;
		return err_set(e, ERR_REFUSED, "refused");
	}
	check_after(s, saved_n);
	for (size_t i = 0; i < w->parts->ops_n; i++)
		w->parts->ops[i]->is_done = true;
	return 0;
}

static void copy_target(struct target *to, const struct target *from, struct target_hosts *hosts)
{
	char content[TARGET_TEXT_CAP] = "";

	target_format(from, content);
	(void)spec_targets(content, to, hosts);
}

static int answer_list(struct scene *s, struct cf_listing *listing, struct err *e)
{
	struct cf_name *l = listing->names[0];

	listing->reply = (struct cf_reply){0};
	if (s->refused_lists) {
		s->refused_lists--;
		return err_set(e, ERR_AUTH, "HTTP 403");
	}
	l->hosts->len = 0;
	l->records_n = s->records_n;
	l->seen_n = s->records_n + !s->is_bare;
	for (size_t i = 0; i < s->records_n; i++) {
		l->records[i] = s->records[i];
		l->records[i].state = INSTANCE_VANISHED;
		copy_target(&l->records[i].target, &s->records[i].target, l->hosts);
	}
	if (++s->lists != (s->late_after ? s->late_after : 1))
		return 0;
	/* Another hand, after the listing. */
	if (s->late)
		s->records_n += spec_records(s->late, s->records + s->records_n, &s->hosts);
	if (s->stolen) {
		struct record *r = find_id(s, s->stolen);

		*r = s->records[--s->records_n];
	}
	return 0;
}

static int answer_health(struct scene *s, const struct call *c)
{
	struct consul_view *v = c->view;
	bool is_consistent = c->query->is_consistent;

	v->listed_n = v->count.instances_n = s->listed_n;
	v->hosts.len = 0;
	memset(v->count.state_n, 0, sizeof v->count.state_n);
	for (size_t i = 0; i < s->listed_n; i++) {
		v->listed[i].state = is_consistent && s->is_healed ? INSTANCE_PASSING : s->listed[i].state;
		v->count.state_n[v->listed[i].state]++;
		copy_target(&v->listed[i].target, &s->listed[i].target, &v->hosts);
	}
	v->evidence = s->evidence;
	if (is_consistent && s->gap_reads) {
		s->gap_reads--;
		v->evidence = s->gap;
	}
	v->evidence.is_consistent = is_consistent;
	return 0;
}

static int answer_zone(const struct scene *s, struct cf_zone_search *z, struct err *e)
{
	z->reply = (struct cf_reply){0};
	z->has_found = z->is_served = !s->is_zone_secret;
	if (z->has_found)
		memcpy(z->zone, "example.com", sizeof "example.com");
	if (z->is_check && s->is_wrong_zone && !s->is_zone_secret)
		return err_set(e, ERR_CONFIG, "another zone");
	memcpy(z->id, ZONE_ID, sizeof ZONE_ID);
	return 0;
}

static int answer(struct scene *s, const struct call *c, struct err *e)
{
	switch (c->kind) {
	case CALL_HEALTH: return answer_health(s, c);
	case CALL_ZONE: return answer_zone(s, c->zones, e);
	case CALL_LIST: return answer_list(s, c->list, e);
	case CALL_WRITE: return s->is_wrong_zone ? answer_astray(s, c->write, e) : answer_write(s, c->write, e);
	case CALL_WAIT:
		CHECK(c->until_ms >= s->now_ms, "it waits for the past");
		s->now_ms = c->until_ms;
		return 0;
	case CALL_END:
	default: fail_msg("the end is no call"); return -1;
	}
}

/* ---- faults ---- */

static struct cf_reply *reply_of(const struct call *c)
{
	return c->zones ? &c->zones->reply : c->list ? &c->list->reply : c->write ? &c->write->reply : NULL;
}

static int say_when(const struct scene *s, const struct call *c, struct err *e)
{
	bool is_busy = s->fault == SCENE_BUSY;
	struct cf_reply *reply = reply_of(c);

	assert_ptr_equal(call_reply(c), reply);
	if (!reply)
		return err_set(e, ERR_RETRY, "HTTP 429");
	*reply = (struct cf_reply){.meaning = is_busy ? CF_BUSY : CF_TRANSIENT};
	if (s->retry_after_sec >= 0) {
		reply->hint.has_retry_after = true;
		reply->hint.retry_after_sec = pace_believe(&reply->hint, is_busy, s->retry_after_sec);
	}
	return is_busy ? err_set(e, ERR_BUSY, "HTTP 429") : err_set(e, ERR_RETRY, "HTTP 503");
}

static int answer_with_fault(struct scene *s, const struct call *c, struct err *e)
{
	switch (s->fault) {
	case SCENE_LOST_BEFORE: return err_set(e, ERR_RETRY, "lost before");
	case SCENE_LOST_AFTER: (void)answer(s, c, e); return err_set(e, ERR_RETRY, "lost after");
	case SCENE_GARBAGE: (void)answer(s, c, e); return err_set(e, ERR_PROTO, "not JSON");
	case SCENE_BUSY:
	case SCENE_DOWN: return say_when(s, c, e);
	case SCENE_AUTH: return err_set(e, ERR_AUTH, "HTTP 401");
	case SCENE_LIMIT: return err_set(e, ERR_LIMIT, "longer than");
	case SCENE_REFUSED:
		if (c->write)
			tell_write(s, c->write);
		if (reply_of(c))
			*reply_of(c) = (struct cf_reply){.meaning = CF_REFUSED};
		return err_set(e, ERR_REFUSED, "HTTP 400");
	default: return answer(s, c, e);
	}
}

static void tell_call(struct scene *s, const struct call *c)
{
	static const char letters[] = {
		[CALL_HEALTH] = 'H',
		[CALL_ZONE] = 'Z',
		[CALL_LIST] = 'L',
		[CALL_WAIT] = '.',
	};
	size_t len = strlen(s->story);

	if (c->write || len + 3 > sizeof s->story)
		return;
	s->story[len] = c->query && c->query->is_consistent ? 'V' : letters[c->kind];
	s->story[len + 1] = ' ';
	s->story[len + 2] = '\0';
}

static void start(struct scene *s)
{
	s->starts++;
	if (!s->is_not_first)
		memset(alone.storage.trust, 0, sizeof alone.storage.trust);
	alone_init(&s->job, s->is_dry_run, s->now_ms + s->retry_for_ms);
}

const struct reconcile *scene_run(struct scene *s)
{
	struct call call;

	s->story[0] = '\0';
	s->calls = s->writes = s->lists = s->starts = 0;
	start(s);
	while ((call = alone_next(s->now_ms)).kind != CALL_END) {
		bool has_fault =
			call.kind != CALL_WAIT && s->fault_at && ++s->calls >= s->fault_at && s->calls < s->fault_at + s->fault_n;
		bool is_death = s->fault == SCENE_DEATH_BEFORE || s->fault == SCENE_DEATH_AFTER;
		struct err e = {0};
		int rc = 0;

		s->calls += !s->fault_at;
		CHECK(s->calls < SCENE_CALLS_MAX, "it does not end: %s", s->story);
		assert_int_equal(alone_next(s->now_ms).kind, call.kind);
		tell_call(s, &call);
		s->now_ms += call.kind == CALL_WAIT ? 0 : 20;
		if (!has_fault)
			rc = answer(s, &call, &e);
		else if (s->fault != SCENE_DEATH_BEFORE)
			rc = answer_with_fault(s, &call, &e);
		if (has_fault && is_death)
			start(s);
		else
			alone_take(rc, &e, s->now_ms, test_random(&s->seed));
	}
	return &alone.r;
}

bool scene_is_right(const struct scene *s)
{
	struct target want[SCENE_MAX];
	size_t want_n = collect_want(s, want);

	for (size_t i = 0; i < want_n; i++)
		if (!count_target(s, &want[i]))
			return false;
	for (size_t i = 0; i < s->records_n; i++)
		if (s->records[i].is_ours &&
		    (!is_listed(&s->records[i].target, want, want_n) || count_target(s, &s->records[i].target) > 1))
			return false;
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

const char *scene_records(const struct scene *s)
{
	static char texts[SCENE_MAX][TARGET_TEXT_CAP], all[4096];
	struct buf b;

	buf_init(&b, all, sizeof all);
	for (size_t i = 0; i < s->records_n; i++)
		target_format(&s->records[i].target, texts[i]);
	qsort(texts, s->records_n, sizeof texts[0], by_text);
	for (size_t i = 0; i < s->records_n; i++)
		buf_fmt(&b, "%s%s", i ? " " : "", texts[i]);
	return all;
}
