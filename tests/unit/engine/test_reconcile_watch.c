/*
 * The engine pass after pass, as watch drives it: what it remembers of the records is what is there,
 * whatever was written and however that went.
 */
#include "support.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/alone.h"

#define ADDRESSES 12
#define ZONE_ID "0123456789abcdef0123456789abcdef"

static struct reconcile *const r = &alone.r;
static struct endpoint listed[ADDRESSES];
static struct consul_view seen = {.listed = listed};
static struct job job;

/* What the API holds. */
static struct record records[ADDRESSES * 2];
static size_t records_n;
static unsigned next_id, lists, writes;
static bool refuses_batches, is_astray;
static uint32_t seed;
static int64_t now_ms;

static struct target target_of(unsigned n)
{
	return (struct target){.type = RECORD_A, .addr = {192, 0, 2, (unsigned char)(n + 1)}};
}

static void list_instances(unsigned mask)
{
	seen.listed_n = 0;
	memset(seen.count.state_n, 0, sizeof seen.count.state_n);
	for (unsigned i = 0; i < ADDRESSES; i++)
		if (mask & 1u << i)
			listed[seen.listed_n++] = (struct endpoint){
				.state = INSTANCE_PASSING,
				.target = target_of(i),
			};
	seen.count.instances_n = seen.count.state_n[INSTANCE_PASSING] = seen.listed_n;
	seen.evidence = (struct evidence){.has_leader = true};
	consul_view_sort(&seen);
}

static struct record *find(const char *id, const struct target *t)
{
	for (size_t i = 0; i < records_n; i++)
		if (id ? strcmp(records[i].id, id) == 0 : target_compare(&records[i].target, t) == 0)
			return &records[i];
	return NULL;
}

static enum cf_meaning apply(const struct op *op, struct cf_write *w)
{
	struct record *known = op->record ? find(op->record->id, NULL) : NULL;

	if (op->record && !known)
		return CF_GONE;
	if (op->kind == OP_DELETE) {
		*known = records[--records_n];
		return CF_DONE;
	}
	if (op->kind == OP_CREATE && find(NULL, op->target))
		return CF_EXISTS;
	if (op->kind == OP_CREATE) {
		known = &records[records_n++];
		*known = (struct record){.target = *op->target, .is_ours = true};
		(void)snprintf(known->id, sizeof known->id, "r%u", next_id++);
	}
	known->ttl = op->ttl;
	known->proxied = op->proxied;
	if (op->kind == OP_CREATE && w->parts->created)
		w->parts->created[w->parts->created_n++] = *known;
	return CF_DONE;
}

static int answer_write(struct cf_write *w, struct err *e)
{
	static struct record saved[COUNT(records)];
	const size_t saved_n = records_n;
	enum cf_meaning meaning = !w->is_single && refuses_batches ? CF_REFUSED : CF_DONE;

	writes++;
	memcpy(saved, records, sizeof saved);
	w->reply = (struct cf_reply){0};
	w->parts->created_n = 0;
	for (int kind = OP_KINDS - 1; kind >= 0 && meaning == CF_DONE; kind--)
		for (size_t i = 0; i < w->parts->ops_n && meaning == CF_DONE; i++)
			if ((int)w->parts->ops[i]->kind == kind)
				meaning = apply(w->parts->ops[i], w);
	if (meaning != CF_DONE) {
		memcpy(records, saved, sizeof saved);
		records_n = saved_n;
		w->reply.meaning = meaning;
		return err_set(e, ERR_REFUSED, "refused");
	}
	for (size_t i = 0; i < w->parts->ops_n; i++)
		w->parts->ops[i]->is_done = true;
	return 0;
}

/* It goes into another zone. */
static int answer_astray(struct cf_write *w, struct err *e)
{
	writes++;
	if (w->parts->ops[0]->kind == OP_DELETE)
		return 0;
	w->has_other = true;
	w->parts->created_n = w->parts->ops_n;
	return err_set(e, ERR_CONFIG, "another name");
}

static int answer(const struct call *c, struct err *e)
{
	switch (c->kind) {
	case CALL_HEALTH:
		consul_view_copy(c->view, &seen);
		c->view->evidence.is_consistent = true;
		return 0;
	case CALL_LIST:
		lists++;
		c->list->reply = (struct cf_reply){0};
		c->list->names[0]->records_n = records_n;
		c->list->names[0]->seen_n = !is_astray; /* something else stands there */
		memcpy(c->list->names[0]->records, records, records_n * sizeof *records);
		return 0;
	case CALL_ZONE: return 0; /* it may not be known */
	case CALL_WRITE: return is_astray ? answer_astray(c->write, e) : answer_write(c->write, e);
	default: fail_msg("call %d", (int)c->kind); return -1;
	}
}

/* The call that comes next. */
static int answer_next(struct err *e)
{
	const struct call c = alone_next(now_ms);

	return answer(&c, e);
}

static enum call_kind next(void)
{
	return alone_next(now_ms).kind;
}

/* One pass. fault: chance in 100 that a call is lost, before or after its effect. */
static void run_pass(bool is_resync, uint32_t fault)
{
	alone_begin(&seen, is_resync, now_ms);
	for (int i = 0; next() != CALL_END; i++) {
		struct err e = {0};
		int rc = 0;

		assert_true(i < 200);
		if (test_random_below(&seed, 100) >= fault)
			rc = answer_next(&e);
		else {
			if (test_random_below(&seed, 2))
				(void)answer_next(&e);
			rc = err_set(&e, ERR_RETRY, "lost");
		}
		now_ms += test_random_below(&seed, 3) ? 20 : 3000;
		alone_take(rc, &e, now_ms, 0);
	}
}

/* What is remembered is what is there, each once. */
static void check_memory(void)
{
	size_t n = 0;

	for (size_t i = 0; i < r->seen.list.records_n; i++) {
		const struct record *mine = &r->seen.list.records[i], *real;

		if (!mine->id[0])
			continue;
		n++;
		real = find(mine->id, NULL);
		CHECK(real, "%s is remembered and gone", mine->id);
		assert_int_equal(target_compare(&real->target, &mine->target), 0);
		assert_int_equal(real->ttl, mine->ttl);
		assert_int_equal(real->proxied, mine->proxied);
	}
	assert_int_equal(n, records_n);
}

static void check_right(void)
{
	assert_int_equal(r->out.result, RECONCILE_DONE);
	for (size_t i = 0; i < seen.listed_n; i++) {
		const struct record *record = find(NULL, &seen.listed[i].target);

		assert_non_null(record);
		assert_int_equal(record->ttl, job.ttl);
	}
	assert_int_equal(records_n, seen.listed_n);
}

static int set_up(void **state)
{
	(void)state;
	log_setup(LOG_LOGFMT, LOG_LEVELS);
	job = (struct job){
		.types = JOB_TYPES,
		.service = "web",
		.ttl = 60,
		.on_empty = ON_EMPTY_REMOVE,
		.name = "www.example.com",
		.zone_id = ZONE_ID,
	};
	records_n = lists = writes = 0;
	refuses_batches = false;
	now_ms = 1000000;
	alone_init_watch(&job);
	return 0;
}

/* Change after change, without a listing but the first. */
static void test_memory_follows_the_writes(void **state)
{
	(void)state;
	seed = 1;
	for (int i = 0; i < 400; i++) {
		list_instances(test_random_below(&seed, 1u << ADDRESSES));
		job.ttl = 60 + test_random_below(&seed, 2);
		run_pass(false, 0);
		check_right();
		if (r->seen.has_list)
			check_memory();
		assert_true(r->seen.has_list);
	}
	assert_int_equal(lists, 1);
	assert_true(writes <= 800);
}

static void test_nothing_to_do_is_no_call(void **state)
{
	(void)state;
	seed = 1;
	list_instances(7);
	run_pass(false, 0);
	lists = writes = 0;
	for (int i = 0; i < 5; i++)
		run_pass(false, 0);
	assert_int_equal(lists + writes, 0);
	assert_int_equal(r->out.done_n[OP_CREATE], 0); /* not those of the first pass */
	run_pass(true, 0);
	assert_int_equal(lists, 1);
	assert_int_equal(writes, 0);
}

/* A read that Consul answers says nothing about Cloudflare's credentials, nor a refusal about its. */
static void test_each_side_is_trusted_for_itself(void **state)
{
	static const struct pace_trust nothing[SIDES];
	const struct pace_trust *consul = &alone.storage.trust[SIDE_CONSUL], *cloudflare = &alone.storage.trust[SIDE_CLOUDFLARE];
	struct err e = {0};

	(void)state;
	seed = 1;
	list_instances(1);
	run_pass(false, 0);
	assert_true(cloudflare->has_served);
	memcpy(alone.storage.trust, nothing, sizeof nothing);
	list_instances(2);
	alone_begin(&seen, false, now_ms);
	assert_int_equal(next(), CALL_HEALTH);
	alone_take(answer_next(&e), &e, now_ms, 0);
	assert_true(consul->has_served && !cloudflare->has_served);
	assert_int_equal(next(), CALL_WRITE);
	alone_take(answer_next(&e), &e, now_ms, 0);
	assert_true(cloudflare->has_served);
	memcpy(alone.storage.trust, nothing, sizeof nothing);
	(void)err_set(&e, ERR_AUTH, "HTTP 403");
	assert_int_equal(next(), CALL_WRITE);
	alone_take(-1, &e, now_ms, 0);
	assert_true(cloudflare->was_refused && !consul->was_refused);
	assert_int_equal(r->out.result, RECONCILE_FAILED);
	assert_int_equal(r->out.wake_ms, now_ms + 2000);
}

/* Failure after failure it waits longer; from the first success on it begins anew. */
static void test_delays_grow_and_end(void **state)
{
	static const int64_t delays_ms[] = {250, 500, 1000, -1, 250, 500};
	struct err e = {0};

	(void)state;
	seed = 1;
	(void)err_set(&e, ERR_RETRY, "lost");
	for (size_t i = 0; i < COUNT(delays_ms); i++) {
		list_instances(1 + (unsigned)i);
		alone_begin(&seen, true, now_ms);
		if (delays_ms[i] < 0) {
			run_pass(true, 0);
			assert_int_equal(r->out.wake_ms, CLOCK_NEVER);
			continue;
		}
		assert_int_equal(next(), CALL_LIST);
		alone_take(-1, &e, now_ms, 0);
		assert_int_equal(r->out.result, RECONCILE_FAILED);
		assert_int_equal(r->out.wake_ms, now_ms + delays_ms[i]);
	}
}

/* What is held for want of evidence is looked at again when evidence may come by itself. */
static void test_held(void **state)
{
	static const struct {
		struct evidence evidence;
		bool is_again;
	} cases[] = {
		{{.has_leader = true, .is_filtered = true}, false},
		{{.has_leader = true, .is_cached = true}, false},
		{{.has_leader = true, .is_stale = true}, true},
		{{.has_leader = false}, true},
	};

	(void)state;
	seed = 1;
	for (size_t i = 0; i < COUNT(cases); i++) {
		list_instances(3);
		run_pass(true, 0);
		assert_int_equal(r->out.result, RECONCILE_DONE);
		list_instances(1);
		seen.evidence = cases[i].evidence;
		run_pass(true, 0);
		assert_int_equal(r->out.result, RECONCILE_HELD);
		CHECK((r->out.wake_ms != CLOCK_NEVER) == cases[i].is_again, "case %zu", i);
	}
}

/* As often as it is held in vain it waits longer; with evidence it begins anew. */
static void test_held_waits_longer_and_longer(void **state)
{
	(void)state;
	seed = 1;
	for (int round = 0; round < 2; round++) {
		list_instances(3);
		run_pass(true, 0);
		assert_int_equal(r->out.result, RECONCILE_DONE);
		list_instances(1);
		seen.evidence.has_leader = false;
		for (int64_t delay_ms = 250; delay_ms <= 2000; delay_ms *= 2) {
			run_pass(false, 0);
			assert_int_equal(r->out.result, RECONCILE_HELD);
			assert_int_equal(r->out.wake_ms - now_ms, delay_ms);
		}
	}
}

/* ---- what the log says ---- */

static size_t count_lines(const char *log, const char *message)
{
	size_t n = 0;

	while ((log = strstr(log, message))) {
		n++;
		log += strlen(message);
	}
	return n;
}

static void run_resync(void *ctx)
{
	log_setup(LOG_LOGFMT, LOG_WARN);
	run_pass(*(const bool *)ctx, 0);
	log_setup(LOG_LOGFMT, LOG_LEVELS);
}

/* How often one pass writes that line. */
static size_t count_said(bool is_resync, const char *message)
{
	return count_lines(test_stderr(run_resync, &is_resync), message);
}

/* Found by nothing but time, and to be mended: once, though the batch is refused and listed again. */
static void test_drift(void **state)
{
	static const char drift[] = "drift: somebody else";

	(void)state;
	seed = 1;
	list_instances(3);
	assert_int_equal(count_said(true, drift), 0); /* the first pass: nothing is known that could drift */
	assert_int_equal(writes, 1);
	assert_int_equal(count_said(true, drift), 0); /* as it was */
	list_instances(7);
	assert_int_equal(count_said(false, drift), 0); /* Consul's news */
	assert_int_equal(records_n, 3);
	records_n--;
	refuses_batches = true;
	assert_int_equal(count_said(true, drift), 1);
	assert_int_equal(records_n, 3);
	refuses_batches = false;
	list_instances(15);
	assert_int_equal(count_said(false, drift), 0);
	records_n--;
	reconcile_cancel(r);
	assert_int_equal(count_said(true, drift), 0); /* what was known counts no more */
	assert_int_equal(records_n, 4);
}

/* It is the new record that is as most are: without one there is nothing to say. */
static void test_mixed_proxied_is_said_of_new_records(void **state)
{
	static const char mixed[] = "some records are proxied, some not";

	(void)state;
	seed = 1;
	list_instances(3);
	assert_int_equal(count_said(false, mixed), 0);
	records[0].proxied = true;
	assert_int_equal(count_said(true, mixed), 0);
	list_instances(7);
	assert_int_equal(count_said(false, mixed), 1);
	for (size_t i = 0; i < records_n; i++)
		records[i].proxied = true;
	list_instances(15);
	assert_int_equal(count_said(true, mixed), 0);
	assert_int_equal(records_n, 4);
}

static void test_a_pass_that_is_called_off(void **state)
{
	(void)state;
	seed = 1;
	list_instances(1);
	run_pass(false, 0);
	list_instances(3);
	alone_begin(&seen, false, now_ms);
	assert_int_equal(next(), CALL_WRITE);
	reconcile_cancel(r);
	assert_int_equal(next(), CALL_END);
	assert_int_equal(lists, 1);
	run_pass(false, 0);
	assert_int_equal(lists, 2);
	check_right();
}

/* A zone that is no more may be made anew under another id, unless the id is a setting. */
static void test_a_zone_id_that_is_none(void **state)
{
	struct err e = {0};

	seed = 1;
	list_instances(1);
	for (int is_set = 0; is_set < 2; is_set++) {
		for (int kind = ERR_RETRY; kind < ERR_KINDS; kind++) {
			bool is_kept = is_set || kind != ERR_CONFIG;

			(void)set_up(state);
			if (!is_set)
				job.zone_id[0] = '\0';
			alone_forget_zones();
			r->zone = zone_table_get(&alone.zones, ZONE_ID);
			alone_begin(&seen, false, now_ms);
			assert_int_equal(next(), CALL_LIST);
			(void)err_set(&e, (enum err_kind)kind, "no");
			alone_take(-1, &e, now_ms, 0);
			assert_int_equal(r->out.result, RECONCILE_FAILED);
			assert_string_equal(reconcile_zone_id(r), is_kept ? ZONE_ID : "");
		}
	}
}

/* Lost calls, refused batches, others' hands: what it believes is right or it lists again. */
static void test_memory_after_faults(void **state)
{
	for (uint32_t round = 1; round <= 200; round++) {
		(void)set_up(state);
		seed = round;
		refuses_batches = round % 3 == 0;
		for (int i = 0; i < 30; i++) {
			list_instances(test_random_below(&seed, 1u << ADDRESSES));
			job.ttl = 60 + test_random_below(&seed, 2);
			if (records_n && test_random_below(&seed, 5) == 0) {
				records[0] = records[--records_n]; /* another hand */
				r->seen.has_list = false;
			}
			run_pass(test_random_below(&seed, 10) == 0, 15);
			if (r->seen.has_list)
				check_memory();
			else
				assert_true(r->out.result == RECONCILE_FAILED || refuses_batches);
		}
		run_pass(false, 0);
		check_right();
		check_memory();
	}
}

/* A record that another hand deleted while single calls go on: forgotten, and made anew later. */
static void test_a_record_that_is_gone_is_forgotten(void **state)
{
	struct record gone;

	(void)state;
	seed = 1;
	list_instances(7);
	run_pass(false, 0);
	refuses_batches = true;
	list_instances(3);
	gone = *find(NULL, &(struct target){.type = RECORD_A, .addr = {192, 0, 2, 3}});
	/* It goes between the second listing and the single delete. */
	alone_begin(&seen, false, now_ms);
	while (next() != CALL_END) {
		struct err e = {0};
		int rc;
		struct record *theirs = find(gone.id, NULL);

		if (alone_next(now_ms).write && alone_next(now_ms).write->is_single && theirs)
			*theirs = records[--records_n];
		rc = answer_next(&e);
		alone_take(rc, &e, now_ms, 0);
	}
	assert_int_equal(r->out.result, RECONCILE_DONE);
	if (r->seen.has_list)
		check_memory();
	list_instances(7);
	run_pass(false, 0);
	check_right();
}

/* What Consul said has grown old before the delete: it is asked again, and heard. */
static void test_old_news_is_read_again_before_a_write(void **state)
{
	(void)state;
	seed = 1;
	list_instances(3);
	run_pass(false, 0);
	list_instances(1);
	alone_begin(&seen, false, now_ms);
	assert_int_equal(next(), CALL_HEALTH);
	for (int i = 0; i < 2; i++) {
		struct err e = {0};

		assert_int_equal(answer_next(&e), 0);
		alone_take(0, &e, now_ms, 0);
		if (next() == CALL_END)
			break;
		assert_int_equal(next(), CALL_WRITE);
		now_ms += RECONCILE_READ_MS;
		assert_int_equal(next(), CALL_WRITE); /* not too old yet */
		now_ms++;
		assert_int_equal(next(), CALL_HEALTH);
		list_instances(3); /* it is back */
	}
	assert_int_equal(next(), CALL_END);
	check_right();
	check_memory();
}

/* With a record in the plan that was refused it would be refused again, and again. */
static void test_old_news_waits_for_who_was_refused(void **state)
{
	struct err e = {.kind = ERR_REFUSED};

	(void)state;
	seed = 1;
	refuses_batches = true;
	list_instances(3);
	alone_begin(&seen, false, now_ms);
	while (!(next() == CALL_WRITE && alone_next(now_ms).write->is_single)) {
		struct err refused = {0};
		int rc = answer_next(&refused);

		alone_take(rc, &refused, now_ms, 0);
	}
	alone_next(now_ms).write->reply.meaning = CF_REFUSED;
	alone_take(-1, &e, now_ms, 0);
	now_ms += RECONCILE_READ_MS + 1;
	assert_int_equal(next(), CALL_WRITE);
	assert_int_equal(next(), CALL_WRITE);
}

/* ---- grace ---- */

static void begin_at(int64_t at_ms)
{
	now_ms = at_ms;
	run_pass(false, 0);
}

static void test_grace(void **state)
{
	const int64_t t = 2000000;

	(void)state;
	seed = 3;
	job.grace_ms = 5000;
	list_instances(7);
	begin_at(t);
	list_instances(6);
	begin_at(t + 10000);
	assert_int_equal(records_n, 3);
	assert_int_equal(r->seen.linger_ms, t + 15000);
	list_instances(4); /* another one later: a grace of its own */
	begin_at(t + 12000);
	assert_int_equal(r->seen.linger_ms, t + 15000);
	begin_at(t + 14999);
	assert_int_equal(records_n, 3);
	begin_at(t + 15000);
	assert_int_equal(records_n, 2);
	assert_int_equal(r->seen.linger_ms, t + 17000);
	list_instances(6); /* back in time: forgotten that it was away */
	begin_at(t + 16900);
	assert_int_equal(r->seen.linger_ms, CLOCK_NEVER);
	begin_at(t + 30000);
	list_instances(4);
	begin_at(t + 31000);
	assert_int_equal(r->seen.linger_ms, t + 36000);
	assert_int_equal(records_n, 2);
}

static void test_a_listing_does_not_prolong_the_grace(void **state)
{
	(void)state;
	seed = 3;
	job.grace_ms = 5000;
	list_instances(7);
	begin_at(2000000);
	list_instances(6);
	begin_at(2001000);
	now_ms = 2003000;
	run_pass(true, 0); /* a resync */
	assert_int_equal(r->seen.linger_ms, 2006000);
}

static void test_maintenance_has_no_grace(void **state)
{
	(void)state;
	seed = 3;
	job.grace_ms = 60000;
	list_instances(7);
	begin_at(2000000);
	listed[2].state = INSTANCE_MAINTENANCE;
	begin_at(2000001);
	assert_int_equal(records_n, 2);
	listed[1].state = INSTANCE_CRITICAL;
	begin_at(2000002);
	assert_int_equal(records_n, 2);
}

/* Nothing more is written into a zone that has shown to be another's. */
static void test_a_wrong_zone_is_written_once(void **state)
{
	(void)state;
	is_astray = true;
	alone_forget_zones();
	list_instances(7);
	run_pass(false, 0);
	assert_int_equal(writes, 2); /* and it was removed again */
	assert_int_equal(r->out.err->kind, ERR_CONFIG);
	run_pass(true, 0);
	run_pass(false, 0);
	assert_int_equal(writes, 2);
	assert_int_equal(r->out.err->kind, ERR_CONFIG);
	assert_non_null(strstr(r->out.err->text, "CF_ZONE_ID"));
	/* Where nothing is to be created there is nothing that could go astray. */
	list_instances(0);
	run_pass(true, 0);
	assert_int_equal(r->out.result, RECONCILE_DONE);
	is_astray = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_memory_follows_the_writes, set_up),
		cmocka_unit_test_setup(test_nothing_to_do_is_no_call, set_up),
		cmocka_unit_test_setup(test_each_side_is_trusted_for_itself, set_up),
		cmocka_unit_test_setup(test_a_zone_id_that_is_none, set_up),
		cmocka_unit_test_setup(test_delays_grow_and_end, set_up),
		cmocka_unit_test_setup(test_held, set_up),
		cmocka_unit_test_setup(test_held_waits_longer_and_longer, set_up),
		cmocka_unit_test_setup(test_drift, set_up),
		cmocka_unit_test_setup(test_mixed_proxied_is_said_of_new_records, set_up),
		cmocka_unit_test_setup(test_a_pass_that_is_called_off, set_up),
		cmocka_unit_test_setup(test_a_wrong_zone_is_written_once, set_up),
		cmocka_unit_test(test_memory_after_faults),
		cmocka_unit_test_setup(test_a_record_that_is_gone_is_forgotten, set_up),
		cmocka_unit_test_setup(test_old_news_is_read_again_before_a_write, set_up),
		cmocka_unit_test_setup(test_old_news_waits_for_who_was_refused, set_up),
		cmocka_unit_test_setup(test_grace, set_up),
		cmocka_unit_test_setup(test_a_listing_does_not_prolong_the_grace, set_up),
		cmocka_unit_test_setup(test_maintenance_has_no_grace, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
