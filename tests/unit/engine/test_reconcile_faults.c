/* The engine against faults, one by one: what is tried again, when, for how long, and what is not. */
#include "support.h"

#include "engine/alone.h"
#include "engine/scene.h"
#include "core/spec.h"

static struct scene s;

static const struct reconcile *expect(const char *story, enum reconcile_result result, const char *records)
{
	const struct reconcile *r = scene_run(&s);
	size_t len = strlen(s.story);

	if (len)
		s.story[len - 1] = '\0';
	CHECK(strcmp(s.story, story) == 0, "story: %s\n  not: %s", s.story, story);
	CHECK(r->out.result == result, "result %d: %s", r->out.result, r->out.err->text);
	CHECK(strcmp(scene_records(&s), records) == 0, "records: %s", scene_records(&s));
	return r;
}

static void set_fault(enum scene_fault fault, unsigned at, unsigned n)
{
	s.fault = fault;
	s.fault_at = at;
	s.fault_n = n;
}

/* The pair that most cases start from: one to add, one to remove. */
static void start(void)
{
	scene_init(&s, "1.1.1.1", "a=9.9.9.9/60");
}

static void test_lost(void **state)
{
	(void)state;
	start();
	set_fault(SCENE_LOST_BEFORE, 1, 1);
	(void)expect("H . H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1");
	start();
	set_fault(SCENE_LOST_BEFORE, 2, 2);
	(void)expect("H L . H . H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1");
	/* The answer to the create is lost: listed again, not created again. */
	start();
	set_fault(SCENE_LOST_AFTER, 4, 1);
	(void)expect("H L V W[+1.1.1.1/60] . H L V W[-a]", RECONCILE_DONE, "1.1.1.1");
	start();
	set_fault(SCENE_LOST_AFTER, 5, 1);
	(void)expect("H L V W[+1.1.1.1/60] W[-a] . H L", RECONCILE_DONE, "1.1.1.1");
	start();
	set_fault(SCENE_GARBAGE, 2, 1);
	(void)expect("H L . H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1");
}

/* Retries end with --retry-for, and not before. */
static void test_give_up(void **state)
{
	const struct reconcile *r;
	int64_t started;

	(void)state;
	start();
	set_fault(SCENE_LOST_BEFORE, 1, SCENE_CALLS_MAX);
	started = s.now_ms;
	r = scene_run(&s);
	assert_int_equal(r->out.result, RECONCILE_FAILED);
	assert_int_equal(r->out.err->kind, ERR_RETRY);
	assert_string_equal(r->out.err->text, "lost before");
	assert_true(r->tries >= 5 && r->tries < 20);
	assert_true(s.now_ms - started <= s.retry_for_ms);
	assert_true(s.now_ms - started > s.retry_for_ms / 2);
	assert_int_equal(s.writes, 0);

	start();
	s.retry_for_ms = 0;
	set_fault(SCENE_LOST_BEFORE, 1, 1);
	(void)expect("H", RECONCILE_FAILED, "9.9.9.9");
}

static const struct {
	int64_t retry_after_sec;
	int64_t retry_for_ms;
	enum reconcile_result result;
	int64_t waits_ms; /* at least */
} busy[] = {
	{7, 60000, RECONCILE_DONE, 7000},    {59, 60000, RECONCILE_DONE, 59000},
	{0, 60000, RECONCILE_DONE, 0},       {60, 60000, RECONCILE_FAILED, 0},
	{86400, 60000, RECONCILE_FAILED, 0}, {-1, 60000, RECONCILE_DONE, 250}, /* when it is not told: the usual backoff */
	{-1, 100, RECONCILE_FAILED, 0},      {7, 0, RECONCILE_FAILED, 0},
};

static void test_busy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(busy); i++) {
		for (unsigned at = 2; at <= 4; at += 2) { /* the listing, the first write */
			const struct reconcile *r;
			int64_t started;

			start();
			set_fault(SCENE_BUSY, at, 1);
			s.retry_after_sec = busy[i].retry_after_sec;
			s.retry_for_ms = busy[i].retry_for_ms;
			started = s.now_ms;
			r = scene_run(&s);
			CHECK(r->out.result == busy[i].result, "case %zu: %s", i, r->out.err->text);
			CHECK(s.now_ms - started >= busy[i].waits_ms, "case %zu: too early", i);
			CHECK(s.now_ms - started < busy[i].waits_ms + 1000, "case %zu: too late", i);
			CHECK(r->out.result == RECONCILE_DONE || r->out.err->kind == ERR_BUSY, "case %zu", i);
			CHECK(r->out.result == RECONCILE_DONE || !s.retry_for_ms == !strstr(r->out.err->text, "--retry-for"), "%s",
			      r->out.err->text);
		}
	}
}

/* Not a limit's: up to a minute, and as if it was not said where there is no time for it. */
static const struct {
	int64_t retry_after_sec;
	int64_t retry_for_ms;
	int64_t waits_ms; /* at least */
	const char *says; /* of what was cut */
} down[] = {
	{7, 60000, 7000, NULL},
	{7, 5000, 250, NULL},
	{60, 90000, 60000, NULL},
	{61, 90000, 60000, "told to wait 61 s, which is cut"},
	{86400, 90000, 60000, "told to wait 86400 s, which is cut"},
	{86400, 50000, 250, "told to wait 86400 s, which is cut"},
};

static void test_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(down); i++) {
		const struct reconcile *r;
		int64_t started;

		start();
		set_fault(SCENE_DOWN, 2, 1);
		s.retry_after_sec = down[i].retry_after_sec;
		s.retry_for_ms = down[i].retry_for_ms;
		started = s.now_ms;
		r = expect("H L . H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1");
		CHECK(s.now_ms - started >= down[i].waits_ms, "case %zu: too early", i);
		CHECK(s.now_ms - started < down[i].waits_ms + 1000, "case %zu: too late", i);
		CHECK(down[i].says ? strstr(r->out.err->text, down[i].says) != NULL : !strcmp(r->out.err->text, "HTTP 503"), "%s",
		      r->out.err->text);
	}
	start();
	set_fault(SCENE_BUSY, 2, 1);
	s.retry_after_sec = 86400;
	assert_string_equal(expect("H L", RECONCILE_FAILED, "9.9.9.9")->out.err->text,
			    "HTTP 429; told to wait 86400 s, which is cut; to be asked again in 300 s, past --retry-for");
}

/* A page that somebody on the way put there: as any other bad answer. */
static void test_past_a_limit(void **state)
{
	static const char *const stories[] = {"H . H L V W[+1.1.1.1/60] W[-a]", "H L . H L V W[+1.1.1.1/60] W[-a]",
					      "H L V W[+1.1.1.1/60] . H L V W[-a]", "H L V . H L V W[+1.1.1.1/60] W[-a]"};

	(void)state;
	for (unsigned at = 1; at <= 4; at++) {
		if (at == 3)
			continue;
		start();
		set_fault(SCENE_LIMIT, at, 1);
		(void)expect(at == 4 ? stories[3] : stories[at - 1], RECONCILE_DONE, "1.1.1.1");
	}
	start();
	s.retry_for_ms = 0;
	set_fault(SCENE_LIMIT, 2, 1);
	assert_int_equal(expect("H L", RECONCILE_FAILED, "9.9.9.9")->out.err->kind, ERR_LIMIT);
}

/* ---- credentials ---- */

/* One refusal, whichever call it hits, however little time there is: asked once more after 2 s. */
static void test_a_refusal_that_passes(void **state)
{
	static const struct {
		unsigned at;
		const char *story;
		const char *records;
	} cases[] = {
		{1, "H . H L V W[+1.1.1.1/60] W[-a]", "1.1.1.1"},
		{2, "H L . H L V W[+1.1.1.1/60] W[-a]", "1.1.1.1"},
		{4, "H L V . H L V W[+1.1.1.1/60] W[-a]", "1.1.1.1"},
		{5, "H L V W[+1.1.1.1/60] . H L V W[-a]", "1.1.1.1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int64_t retry_for_ms = 0; retry_for_ms <= 60000; retry_for_ms += 1500) {
			int64_t started;

			start();
			set_fault(SCENE_AUTH, cases[i].at, 1);
			s.retry_for_ms = retry_for_ms;
			started = s.now_ms;
			(void)expect(cases[i].story, RECONCILE_DONE, cases[i].records);
			assert_in_range(s.now_ms - started, 2000, 4500);
		}
	/* Who asks for a plan has no time at all. */
	start();
	s.is_dry_run = true;
	s.retry_for_ms = -s.now_ms;
	set_fault(SCENE_AUTH, 2, 1);
	(void)expect("H L . H L V", RECONCILE_DONE, "9.9.9.9");
}

static void test_a_refusal_that_stays(void **state)
{
	(void)state;
	/* Nothing was ever done with these. */
	start();
	set_fault(SCENE_AUTH, 1, SCENE_CALLS_MAX);
	assert_int_equal(expect("H . H", RECONCILE_FAILED, "9.9.9.9")->out.err->kind, ERR_AUTH);
	/* Nor with Cloudflare's, whatever Consul's did. */
	start();
	s.refused_lists = SCENE_CALLS_MAX;
	assert_int_equal(expect("H L . H L", RECONCILE_FAILED, "9.9.9.9")->out.err->kind, ERR_AUTH);
	/* The next record of the same process does not wait again. */
	s.is_not_first = true;
	assert_int_equal(expect("H L", RECONCILE_FAILED, "9.9.9.9")->out.err->kind, ERR_AUTH);
	start();
	set_fault(SCENE_REFUSED, 2, 1);
	assert_int_equal(expect("H L", RECONCILE_FAILED, "9.9.9.9")->out.err->kind, ERR_REFUSED);
}

/* The zone was told: a refusal of the listing is asked for again as long as there is time. */
static void test_a_refusal_of_what_served(void **state)
{
	const struct reconcile *r;
	int64_t started;

	(void)state;
	start();
	s.job.zone_id[0] = '\0';
	s.refused_lists = SCENE_CALLS_MAX;
	started = s.now_ms;
	r = scene_run(&s);
	assert_int_equal(r->out.result, RECONCILE_FAILED);
	assert_int_equal(r->out.err->kind, ERR_AUTH);
	assert_in_range(r->tries, 5, 20);
	assert_in_range(s.now_ms - started, s.retry_for_ms / 2, s.retry_for_ms);
	/* With no time: once more, not more. */
	s.retry_for_ms = 0;
	(void)expect("H Z L . H L", RECONCILE_FAILED, "9.9.9.9");
	/* Of the record before it: it serves for this one, too. */
	start();
	(void)scene_run(&s);
	s.is_not_first = true;
	set_fault(SCENE_AUTH, 2, 4);
	(void)expect("H L . H . H . H . H L", RECONCILE_DONE, "1.1.1.1");
}

/* A token of Consul's is not known everywhere for up to half a minute. */
static void test_a_refusal_by_consul(void **state)
{
	(void)state;
	/* A read was done, then four are refused. */
	start();
	(void)scene_run(&s);
	s.is_not_first = true;
	set_fault(SCENE_AUTH, 1, 4);
	(void)expect("H . H . H . H . H L", RECONCILE_DONE, "1.1.1.1");
	/* The refusal of Consul does not use up the second try at Cloudflare. */
	start();
	s.retry_for_ms = 0;
	s.refused_lists = 1;
	set_fault(SCENE_AUTH, 1, 1);
	(void)expect("H . H L . H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1");
	/* Another fault before it is no first look. */
	start();
	s.retry_for_ms = 1500;
	s.refused_lists = 1;
	set_fault(SCENE_LOST_BEFORE, 2, 1);
	(void)expect("H L . H L . H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1");
}

/* ---- evidence ---- */

static const struct {
	struct evidence gap;
	bool is_retried;
} gaps[] = {
	{{.has_leader = false}, true},
	{{.has_leader = true, .is_stale = true}, true},
	{{.has_leader = true, .last_contact_ms = EVIDENCE_LAST_CONTACT_MAX_MS + 1}, true},
	{{.has_leader = true, .is_filtered = true}, false},
	{{.has_leader = true, .is_cached = true}, false},
	{{.has_leader = true, .unread_n = 1}, false},
};

static void test_gaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(gaps); i++) {
		const struct reconcile *r;

		/* For ever: what is new is added, what is old stays, the result is HELD. */
		start();
		s.gap = gaps[i].gap;
		s.gap_reads = SCENE_CALLS_MAX;
		r = scene_run(&s);
		CHECK(r->out.result == RECONCILE_HELD, "gap %zu: %d", i, r->out.result);
		CHECK(strcmp(scene_records(&s), "1.1.1.1 9.9.9.9") == 0, "gap %zu", i);
		CHECK((r->tries > 0) == gaps[i].is_retried, "gap %zu: %u tries", i, r->tries);
		CHECK(r->out.plan.held_why && r->out.plan.n[OP_HOLD] == 1, "gap %zu: why", i);
		CHECK(!r->out.plan.is_held_by_rule, "gap %zu: by no rule", i);
		CHECK(s.writes == 1, "gap %zu: %u writes", i, s.writes);

		/* Once: the next read is good. */
		start();
		s.gap = gaps[i].gap;
		s.gap_reads = 1;
		r = scene_run(&s);
		CHECK(r->out.result == (gaps[i].is_retried ? RECONCILE_DONE : RECONCILE_HELD), "gap %zu", i);
	}
}

/* Who waits for a plan is told what is held, and not made to wait. */
static void test_a_gap_in_a_plan(void **state)
{
	(void)state;
	start();
	s.is_dry_run = true;
	s.gap_reads = SCENE_CALLS_MAX;
	(void)expect("H L V", RECONCILE_HELD, "9.9.9.9");
}

static void test_denied(void **state)
{
	(void)state;
	scene_init(&s, "", "a=1.1.1.1/60");
	s.job.on_empty = ON_EMPTY_REMOVE;
	s.evidence.is_default_deny = true;
	(void)expect("H L V", RECONCILE_HELD, "1.1.1.1");
	s.evidence.has_token = true;
	(void)expect("H L V W[-a]", RECONCILE_DONE, "");
}

/* A list that ACLs emptied is told as that, with what the token lacks; nobody's rule is to blame. */
static void test_what_acls_hid(void **state)
{
	static const struct {
		struct evidence v;
		const char *why;
		enum evidence_gap gap;
	} hidden[] = {
		{{.has_leader = true, .is_filtered = true}, "ACLs hid part of Consul's answer", EVIDENCE_FILTERED},
		{{.has_leader = true, .is_filtered = true, .has_token = true}, "service:read and node:read", EVIDENCE_FILTERED},
		{{.has_leader = true, .is_default_deny = true}, "no token was sent", EVIDENCE_DENIED},
		{{.has_leader = true, .is_default_deny = true, .has_token = true}, "no instance is wanted", EVIDENCE_OK},
		{{.has_leader = true}, "no instance is wanted", EVIDENCE_OK},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(hidden); i++) {
		const struct reconcile *r;

		scene_init(&s, "", "a=1.1.1.1/60");
		s.evidence = hidden[i].v;
		r = expect("H L V", RECONCILE_HELD, "1.1.1.1");
		CHECK(strstr(r->out.plan.held_why, hidden[i].why), "%s", r->out.plan.held_why);
		assert_int_equal(r->out.gap, hidden[i].gap);
		assert_int_equal(r->seen.hidden, hidden[i].gap);
	}
	/* Whether it may remove, the consistent read says. */
	scene_init(&s, "1.1.1.1", "a=1.1.1.1/60 b=1.1.1.2/60");
	s.evidence = hidden[0].v;
	s.gap = (struct evidence){.has_leader = true};
	s.gap_reads = SCENE_CALLS_MAX;
	(void)expect("H L V W[-b]", RECONCILE_DONE, "1.1.1.1");
	/* An instance that can be seen and is not wanted is one that is not wanted. */
	scene_init(&s, "1.1.1.1/c", "a=1.1.1.1/60");
	s.evidence = hidden[2].v;
	assert_non_null(strstr(expect("H L V", RECONCILE_HELD, "1.1.1.1")->out.plan.held_why, "no instance is wanted"));
	/* Where nothing is held nothing is in the way; it is known all the same. */
	scene_init(&s, "1.1.1.1", "");
	s.evidence = hidden[0].v;
	assert_int_equal(expect("H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1")->seen.hidden, EVIDENCE_FILTERED);
}

/* Between two reads all instances go, and with them the leader: that is told, and tried again. */
static void test_an_empty_consistent_read_without_a_leader(void **state)
{
	const struct job job = {
		.types = JOB_TYPES, .name = "www.example.com", .ttl = 60, .zone_id = "0123456789abcdef0123456789abcdef"};
	struct target_hosts hosts = {0};
	struct consul_view *view = &alone.storage.observe.view;
	const struct reconcile *r = &alone.r;
	const struct err none = {0};
	struct target t;

	(void)state;
	alone_forget_zones();
	alone_init(&job, false, 0);
	assert_int_equal(alone_next(1).kind, CALL_HEALTH);
	(void)spec_targets("1.1.1.1", &t, &hosts);
	view->listed[0] = (struct endpoint){.state = INSTANCE_PASSING, .target = t};
	view->listed_n = view->count.instances_n = 1;
	alone_take(0, &none, 1, 0);
	assert_int_equal(alone_next(1).kind, CALL_LIST);
	alone.r.seen.list.records_n = spec_records("a=1.1.1.1/60 b=1.1.1.2/60", alone.have, &hosts);
	alone_take(0, &none, 1, 0);
	assert_int_equal(alone_next(1).kind, CALL_HEALTH);
	view->listed_n = view->count.instances_n = 0;
	view->evidence = (struct evidence){.is_consistent = true};
	alone_take(0, &none, 1, 0);
	assert_int_equal(r->out.result, RECONCILE_HELD);
	assert_int_equal(r->out.gap, EVIDENCE_NO_LEADER);
	assert_string_equal(r->out.plan.held_why, evidence_gap_text(EVIDENCE_NO_LEADER));
}

/* The first answer may be as bad as it likes as long as it only adds. */
static void test_additions_never_wait(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1", "");
	s.evidence = (struct evidence){.is_stale = true, .is_cached = true, .is_filtered = true};
	(void)expect("H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
}

static void test_verify_fails(void **state)
{
	const struct reconcile *r;

	(void)state;
	start();
	set_fault(SCENE_LOST_BEFORE, 3, 1);
	(void)expect("H L V W[+1.1.1.1/60] . H L V W[-a]", RECONCILE_DONE, "1.1.1.1");
	/* Credentials that may read, but not so: still no reason to lose the addition. */
	start();
	s.retry_for_ms = 0;
	set_fault(SCENE_AUTH, 3, 1);
	r = expect("H L V W[+1.1.1.1/60]", RECONCILE_HELD, "1.1.1.1 9.9.9.9");
	assert_int_equal(r->out.gap, EVIDENCE_READ_FAILED);
	assert_int_equal(r->out.gap_err->kind, ERR_AUTH);
}

/* ---- refusals ---- */

static void test_bad_record_blocks_only_itself(void **state)
{
	const struct reconcile *r;

	(void)state;
	scene_init(&s, "1.1.1.1 1.1.1.2 1.1.1.3", "a=9.9.9.9/60");
	s.bad = "1.1.1.2";
	r = expect("H L V W[+1.1.1.1/60 +1.1.1.2/60 +1.1.1.3/60] L V "
		   "W[+1.1.1.1/60 +1.1.1.2/60 +1.1.1.3/60] S[+1.1.1.1/60] S[+1.1.1.2/60] S[+1.1.1.3/60]",
		   RECONCILE_FAILED, "1.1.1.1 1.1.1.3 9.9.9.9");
	assert_int_equal(r->out.err->kind, ERR_REFUSED);
	assert_non_null(strstr(r->out.err->text, "refused"));
	assert_int_equal(r->out.done_n[OP_CREATE], 2);
	assert_int_equal(r->out.done_n[OP_DELETE], 0);
}

static void test_batches_are_refused(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1 1.1.1.2", "a=1.1.1.1/300 b=9.9.9.9/60 c=9.9.9.8/60");
	s.refuses_batches = true;
	(void)expect("H L V W[+1.1.1.2/60 ~a=1.1.1.1/60] L V W[+1.1.1.2/60 ~a=1.1.1.1/60] "
		     "S[+1.1.1.2/60] S[~a=1.1.1.1/60] S[-c] S[-b]",
		     RECONCILE_DONE, "1.1.1.1 1.1.1.2");
}

/* A refused ttl is no reason to keep a dead address. */
static void test_refused_update(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1", "a=1.1.1.1/300 b=9.9.9.9/60");
	s.refuses_batches = true;
	s.refuses_singles_of_kind[OP_UPDATE] = true;
	(void)expect("H L V W[~a=1.1.1.1/60] L V W[~a=1.1.1.1/60] S[~a=1.1.1.1/60] S[-b]", RECONCILE_FAILED, "1.1.1.1");
}

static void test_refused_delete(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1", "a=9.9.9.8/60 b=9.9.9.9/60");
	s.refuses_batches = true;
	s.refuses_singles_of_kind[OP_DELETE] = true;
	(void)expect("H L V W[+1.1.1.1/60] L V W[+1.1.1.1/60] S[+1.1.1.1/60] S[-a] S[-b]", RECONCILE_FAILED,
		     "1.1.1.1 9.9.9.8 9.9.9.9");
}

/* Another hand adds what we add: it exists already, is listed again, fine. */
static void test_somebody_was_faster(void **state)
{
	(void)state;
	start();
	s.late = "x=1.1.1.1/60";
	(void)expect("H L V W[+1.1.1.1/60] L V W[-a]", RECONCILE_DONE, "1.1.1.1");

	/* The same, one by one: no delete before a listing shows it. */
	scene_init(&s, "1.1.1.1 1.1.1.2", "a=9.9.9.9/60");
	s.refuses_batches = true;
	s.late = "x=1.1.1.1/60";
	s.late_after = 2;
	(void)expect("H L V W[+1.1.1.1/60 +1.1.1.2/60] L V W[+1.1.1.1/60 +1.1.1.2/60] "
		     "S[+1.1.1.1/60] S[+1.1.1.2/60] L V S[-a]",
		     RECONCILE_DONE, "1.1.1.1 1.1.1.2");
}

/* Said to be there, and never listed: no delete rests on such a word. */
static void test_phantom(void **state)
{
	const struct reconcile *r;

	(void)state;
	start();
	s.phantom = "1.1.1.1";
	r = scene_run(&s);
	assert_int_equal(r->out.result, RECONCILE_FAILED);
	assert_int_equal(r->out.err->kind, ERR_RETRY);
	assert_string_equal(scene_records(&s), "9.9.9.9");
	assert_null(strstr(s.story, "[-"));
	assert_true(s.now_ms - 1000000 <= s.retry_for_ms + 1000);
}

/* What one try found out of batches and states does not blind the next one, or the next listing. */
static void test_new_try_starts_anew(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1 1.1.1.2", "");
	s.bad = "1.1.1.2";
	set_fault(SCENE_LOST_BEFORE, 6, 1);
	(void)expect("H L W[+1.1.1.1/60 +1.1.1.2/60] L W[+1.1.1.1/60 +1.1.1.2/60] . "
		     "H L W[+1.1.1.1/60 +1.1.1.2/60] L W[+1.1.1.1/60 +1.1.1.2/60] "
		     "S[+1.1.1.1/60] S[+1.1.1.2/60]",
		     RECONCILE_FAILED, "1.1.1.1");
	scene_init(&s, "1.1.1.1 2.2.2.2/c 3.3.3.3/m", "a=1.1.1.1/60 b=2.2.2.2/60 c=3.3.3.3/60");
	s.refuses_batches = true;
	(void)expect("H L V W[-c -b] L V W[-c -b] S[-c] S[-b]", RECONCILE_DONE, "1.1.1.1");
}

/* Another hand removes what we remove: 81044, listed again or taken for done. */
static void test_already_gone(void **state)
{
	(void)state;
	start();
	s.stolen = "a";
	(void)expect("H L V W[+1.1.1.1/60] W[-a] L", RECONCILE_DONE, "1.1.1.1");
	/* It was the one to be changed. */
	scene_init(&s, "1.1.1.1", "a=1.1.1.1/300");
	s.stolen = "a";
	(void)expect("H L W[~a=1.1.1.1/60] L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
	/* One by one: gone is what a delete wants. */
	scene_init(&s, "1.1.1.1", "a=1.1.1.1/60 b=9.9.9.8/60 c=9.9.9.9/60");
	s.refuses_batches = true;
	s.stolen = "b";
	s.late_after = 2;
	(void)expect("H L V W[-b -c] L V W[-b -c] S[-b] S[-c]", RECONCILE_DONE, "1.1.1.1");
	/* One by one: gone is not what an update wants. */
	scene_init(&s, "1.1.1.1", "a=1.1.1.1/300 b=9.9.9.8/60");
	s.refuses_batches = true;
	s.stolen = "a";
	s.late_after = 2;
	(void)expect("H L V W[~a=1.1.1.1/60] L V W[~a=1.1.1.1/60] S[~a=1.1.1.1/60] L V S[+1.1.1.1/60] "
		     "S[-b]",
		     RECONCILE_DONE, "1.1.1.1");
}

static void test_swap_refused(void **state)
{
	const struct reconcile *r;

	(void)state;
	scene_init(&s, "lb.example.net", "a=1.1.1.1/60 b=1.1.1.2/60");
	s.refuses_batches = true;
	r = expect("H L V W[-a -b +lb.example.net/60] L V W[-a -b +lb.example.net/60]", RECONCILE_FAILED, "1.1.1.1 1.1.1.2");
	assert_int_equal(r->out.err->kind, ERR_REFUSED);
	/* Somebody else's address came in between: it is in the way, and named. */
	scene_init(&s, "lb.example.net", "a=1.1.1.1/60");
	s.late = "x=7.7.7.7/60/f";
	r = expect("H L V W[-a +lb.example.net/60] L", RECONCILE_FAILED, "1.1.1.1 7.7.7.7");
	assert_non_null(strstr(r->out.err->text, "7.7.7.7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_give_up),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_past_a_limit),
		cmocka_unit_test(test_a_refusal_that_passes),
		cmocka_unit_test(test_a_refusal_that_stays),
		cmocka_unit_test(test_a_refusal_of_what_served),
		cmocka_unit_test(test_a_refusal_by_consul),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_a_gap_in_a_plan),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_what_acls_hid),
		cmocka_unit_test(test_an_empty_consistent_read_without_a_leader),
		cmocka_unit_test(test_additions_never_wait),
		cmocka_unit_test(test_verify_fails),
		cmocka_unit_test(test_bad_record_blocks_only_itself),
		cmocka_unit_test(test_batches_are_refused),
		cmocka_unit_test(test_refused_update),
		cmocka_unit_test(test_refused_delete),
		cmocka_unit_test(test_somebody_was_faster),
		cmocka_unit_test(test_phantom),
		cmocka_unit_test(test_new_try_starts_anew),
		cmocka_unit_test(test_already_gone),
		cmocka_unit_test(test_swap_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
