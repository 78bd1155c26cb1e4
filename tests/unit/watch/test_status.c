/* watch/watch_status: each fact about a name, when a name is unhealthy, the counters, the line. */
#include "support.h"

#include "net/tls/roots.h"
#include "watch/watch.h"

#define NOW 50000000
#define UNHEALTHY 60000
#define WAIT_SEC 33
#define LATE (2 * WAIT_SEC * 1000)

static struct watch w;
static struct worker workers[WATCH_WORKERS];
static struct managed_name names[STATUS_STATES];
static struct service_watch service;
static struct service_reader reader;
static struct err last_err;
static struct endpoint endpoints[4];
static struct consul_view view = {
	.listed = endpoints,
	.listed_n = 4,
	.count = {.instances_n = 5, .state_n = {1, 0, 3, 7, 9}, .unaddressed_n = 2, .unaddressed = "node n: no address"},
};
static struct record have[4];
static struct status s;

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	memset(names, 0, sizeof names);
	w.setup.wait_sec = WAIT_SEC;
	w.setup.unhealthy_ms = UNHEALTHY;
	w.start_ms = NOW - 3600000;
	w.workers = workers;
	service = (struct service_watch){
		.view = &view, .has_view = true, .read = {.answered_ms = NOW - 2500, .last_err = &last_err}, .reader = &reader};
	return 0;
}

static struct reconcile_seldom seldom;

/* The i-th name, in slot 3 i + 2: in sync for 5 s, with three records listed of which two are ours and there. */
static struct managed_name *add_name(size_t i, const char *name)
{
	struct managed_name *k = &names[i];

	w.names[3 * i + 2] = k;
	(void)snprintf(k->job.name, sizeof k->job.name, "%s", name);
	(void)snprintf(k->job.service, sizeof k->job.service, "web");
	k->watch = &service;
	k->is_used = true;
	k->state = STATUS_IN_SYNC;
	k->state_ms = NOW - 5000;
	k->unconverged_ms = NOW - 30000;
	k->own.have = have;
	for (size_t n = 0; n < COUNT(have); n++)
		have[n] = (struct record){.id = "1", .is_ours = true};
	have[0].id[0] = '\0';
	have[1].is_ours = false;
	k->r.seen.has_list = true;
	k->r.seen.list.records_n = COUNT(have);
	k->r.seen.want_n = 7;
	k->r.out.plan.n[OP_HOLD] = 3;
	k->r.out.plan.held_why = "no leader";
	k->r.out.err = &seldom.err;
	k->r.out.gap_err = &seldom.gap_err;
	k->has_synced = k->has_changed = true;
	k->synced_sec = 1700000000;
	k->changed_sec = 1600000000;
	(void)snprintf(k->r.out.err->text, sizeof k->r.out.err->text, "status 502");
	return k;
}

static struct status_record record_at(size_t i)
{
	watch_status(&w, NOW, &s);
	return status_record_at(&s, i);
}

static int64_t fact(size_t i, enum fact f)
{
	struct status_record r = record_at(i);

	CHECK(r.facts[f].is_known, "%s is not known", fact_infos[f].metric);
	return r.facts[f].n;
}

/* ---- a name ---- */

static void test_every_fact_is_filled(void **state)
{
	struct status_record r;

	(void)state;
	(void)add_name(0, "www.example.com");
	r = record_at(0);
	for (int f = 0; f < FACTS; f++)
		CHECK(r.facts[f].is_known, "%s is filled by nobody", fact_infos[f].metric);
}

static void test_facts(void **state)
{
	static const struct {
		enum fact fact;
		int64_t n;
	} cases[] = {
		{FACT_IN_SYNC, 1},
		{FACT_HEALTHY, 1},
		{FACT_WANTED, 7},
		{FACT_ACTUAL, 2},
		{FACT_HELD, 0}, /* the plan is an old one: nothing is held in this state */
		{FACT_HELD_BY_RULE, 0},
		{FACT_UNCONVERGED, 0},
		{FACT_LAST_SYNC, 1700000000},
		{FACT_LAST_CHANGE, 1600000000},
		{FACT_CONSUL_AGE, 2500},
	};

	(void)state;
	(void)add_name(0, "www.example.com");
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK(fact(0, cases[i].fact) == cases[i].n, "%s", fact_infos[cases[i].fact].metric);
}

static void test_what_is_not_known(void **state)
{
	static const enum fact unknown[] = {FACT_ACTUAL, FACT_LAST_SYNC, FACT_LAST_CHANGE, FACT_CONSUL_AGE};
	struct managed_name *k = add_name(0, "www.example.com");
	struct status_record r;

	(void)state;
	k->r.seen.has_list = k->has_synced = k->has_changed = service.has_view = false;
	r = record_at(0);
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_false(r.facts[unknown[i]].is_known);
	assert_false(r.has_records);
	assert_int_equal(r.records_n, 0);
	assert_null(r.count);
	/* of a dropped job nothing is read */
	service.has_view = true;
	k->watch = NULL;
	r = record_at(0);
	assert_false(r.facts[FACT_CONSUL_AGE].is_known);
	assert_null(r.count);
	assert_null(r.consul_error);
}

static void test_by_state(void **state)
{
	struct managed_name *k = add_name(0, "www.example.com");

	(void)state;
	for (int i = 0; i < STATUS_STATES; i++) {
		struct status_record r;

		k->state = (enum status_state)i;
		r = record_at(0);
		assert_int_equal(r.state, i);
		assert_int_equal(r.since_ms, 5000);
		assert_int_equal(fact(0, FACT_IN_SYNC), i == STATUS_IN_SYNC);
		assert_int_equal(fact(0, FACT_HELD), i == STATUS_HELD ? 3 : 0);
		k->r.out.plan.is_held_by_rule = true;
		assert_int_equal(fact(0, FACT_HELD_BY_RULE), i == STATUS_HELD ? 3 : 0);
		k->r.out.plan.is_held_by_rule = false;
		assert_int_equal(fact(0, FACT_HELD_BY_RULE), 0);
		CHECK(!r.why == (i != STATUS_HELD && i != STATUS_FAILING), "state %d: why", i);
	}
	assert_string_equal(record_at(0).why, "status 502");
	k->state = STATUS_HELD;
	assert_string_equal(record_at(0).why, "no leader");
}

static void test_texts_and_lists(void **state)
{
	struct managed_name *k = add_name(0, "www.example.com");
	struct status_record r = record_at(0);

	(void)state;
	assert_string_equal(r.name, "www.example.com");
	assert_string_equal(r.service, "web");
	assert_null(r.owner);
	assert_true(r.has_records);
	assert_ptr_equal(r.records, have);
	assert_int_equal(r.records_n, COUNT(have));
	assert_ptr_equal(r.count, &view.count);
	assert_ptr_equal(r.endpoints, endpoints);
	assert_int_equal(r.endpoints_n, 4);
	/* The pass by this answer left out more: a host name beside addresses. */
	k->is_dirty = false;
	k->r.seen.count.unaddressed_n = view.count.unaddressed_n + 1;
	assert_ptr_equal(record_at(0).count, &k->r.seen.count);
	k->is_dirty = true; /* there is a newer answer */
	assert_ptr_equal(record_at(0).count, &view.count);
	k->is_dirty = false;
	k->r.seen.count.unaddressed_n = view.count.unaddressed_n;
	assert_ptr_equal(record_at(0).count, &view.count);
	assert_null(r.consul_error);
	(void)snprintf(k->job.owner, sizeof k->job.owner, "east");
	(void)snprintf(last_err.text, sizeof last_err.text, "connection refused");
	service.read.failures = 1;
	assert_string_equal(record_at(0).owner, "east");
	assert_string_equal(record_at(0).consul_error, "connection refused");
	assert_non_null(record_at(0).count); /* what it listed last */
}

/* ---- healthy or not ---- */

static const struct {
	const char *what;
	bool has_lock_key, has_lock;
	int64_t unconverged_ms; /* -1: it is what is wanted */
	bool has_view;
	int64_t heard_ms; /* ago: the last answer, or the start */
	bool is_dropped;
	bool is_healthy;
	int64_t shown_ms; /* unconverged */
} healths[] = {
	{"well", false, false, -1, true, 0, false, true, 0},
	{"a change is under way", false, false, UNHEALTHY - 1, true, 0, false, true, UNHEALTHY - 1},
	{"it takes too long", false, false, UNHEALTHY, true, 0, false, false, UNHEALTHY},
	{"and we lead", true, true, UNHEALTHY, true, 0, false, false, UNHEALTHY},
	{"another copy leads", true, false, UNHEALTHY, true, 0, false, true, 0},
	{"dropped, and it takes too long", false, false, UNHEALTHY, true, 0, true, false, UNHEALTHY},
	{"Consul is just in time", false, false, -1, true, LATE, false, true, 0},
	{"Consul is late", false, false, -1, true, LATE + 1, false, false, 0},
	{"the first answer is just in time", false, false, -1, false, LATE, false, true, 0},
	{"the first answer is late", false, false, -1, false, LATE + 1, false, false, 0},
	{"late for a follower too", true, false, -1, true, LATE + 1, false, false, 0},
	{"dropped: nobody asks Consul", false, false, -1, true, LATE + 1, true, true, 0},
};

static void test_healthy(void **state)
{
	for (size_t i = 0; i < COUNT(healths); i++) {
		struct managed_name *k;

		(void)set_up(state);
		k = add_name(0, "www.example.com");
		w.setup.lock_key = healths[i].has_lock_key ? "key" : NULL;
		w.leader.has_lock = healths[i].has_lock;
		k->is_unconverged = healths[i].unconverged_ms >= 0;
		k->unconverged_ms = NOW - (k->is_unconverged ? healths[i].unconverged_ms : 10 * UNHEALTHY);
		service.has_view = healths[i].has_view;
		w.start_ms = NOW - (service.has_view ? 10 * LATE : healths[i].heard_ms);
		service.read.answered_ms = NOW - (service.has_view ? healths[i].heard_ms : 10 * LATE);
		if (healths[i].is_dropped)
			k->watch = NULL;
		CHECK(fact(0, FACT_HEALTHY) == healths[i].is_healthy, "%s", healths[i].what);
		CHECK(fact(0, FACT_UNCONVERGED) == healths[i].shown_ms, "%s", healths[i].what);
		CHECK(s.is_healthy == healths[i].is_healthy, "%s", healths[i].what);
		CHECK(watch_is_healthy(&w, NOW) == healths[i].is_healthy, "%s", healths[i].what);
	}
}

static void test_one_unhealthy_name_is_enough(void **state)
{
	struct managed_name *k;

	(void)state;
	(void)add_name(0, "a.example.com");
	k = add_name(1, "b.example.com");
	(void)add_name(2, "c.example.com");
	assert_true(watch_is_healthy(&w, NOW));
	k->is_unconverged = true;
	k->unconverged_ms = NOW - UNHEALTHY;
	assert_false(watch_is_healthy(&w, NOW));
	assert_int_equal(fact(0, FACT_HEALTHY) + 2 * fact(1, FACT_HEALTHY) + 4 * fact(2, FACT_HEALTHY), 1 + 4);
	/* a slot that is free again does not count */
	k->is_used = false;
	assert_true(watch_is_healthy(&w, NOW));
	assert_string_equal(record_at(1).name, "c.example.com");
	assert_int_equal(s.records_n, 2);
}

/* ---- the whole ---- */

static void test_whole(void **state)
{
	(void)state;
	watch_status(&w, NOW, &s);
	assert_int_equal(s.records_n, 0);
	assert_int_equal(s.uptime_ms, 3600000);
	assert_int_equal(s.now_ms, NOW);
	assert_true(s.now_sec > 1700000000);
	assert_true(s.version[0]);
	assert_true(s.is_healthy && s.is_leader && !s.has_lock_key);
	assert_null(s.lock_key);
	w.setup.lock_key = "the/key";
	watch_status(&w, NOW, &s);
	assert_true(s.has_lock_key && !s.is_leader);
	assert_string_equal(s.lock_key, "the/key");
	w.leader.has_lock = true;
	watch_status(&w, NOW, &s);
	assert_true(s.is_leader);
}

/* Neither do we lead nor another one: for how long, why, and when that makes the whole unhealthy. */
static void test_leaderless(void **state)
{
	(void)state;
	(void)add_name(0, "www.example.com");
	names[0].is_unconverged = true; /* which is nobody's fault while another one leads */
	names[0].unconverged_ms = NOW - 10 * UNHEALTHY;
	w.leader.is_leaderless = true;
	w.leader.leaderless_ms = NOW - UNHEALTHY;
	watch_status(&w, NOW, &s);
	assert_false(s.is_leaderless || s.is_lock_unhealthy); /* there is no lock */
	assert_int_equal(s.leaderless_ms, 0);
	w.setup.lock_key = "the/key";
	watch_status(&w, NOW - 1, &s);
	assert_true(s.is_leaderless && s.is_healthy && !s.is_lock_unhealthy);
	assert_int_equal(s.leaderless_ms, UNHEALTHY - 1);
	assert_null(s.lock_error);
	w.leader.failure = 1;
	(void)snprintf(w.leader.last_err.text, sizeof w.leader.last_err.text, "HTTP 403");
	watch_status(&w, NOW, &s);
	assert_true(s.is_leaderless && !s.is_healthy && s.is_lock_unhealthy);
	assert_string_equal(s.lock_error, "HTTP 403");
	assert_false(watch_is_healthy(&w, NOW));
	w.leader.is_leaderless = false;
	watch_status(&w, NOW, &s);
	assert_true(s.is_healthy && !s.is_leaderless && !s.is_lock_unhealthy);
	assert_int_equal(s.leaderless_ms, 0);
}

static void test_counters(void **state)
{
	static struct service_reader other_reader;
	static struct service_watch other = {.reader = &other_reader};
	static struct catalog_watch told[TOLD_KINDS];
	uint64_t bit = 1;

	(void)state;
	w.services.of[0] = &service;
	w.services.of[1] = &other;
	w.services.n = 2;
	w.services.readers[0] = &reader;
	w.services.readers[1] = &other_reader;
	w.services.places_n = 1;
	for (size_t i = 0; i < TOLD_KINDS; i++) {
		w.services.places[0].ears[i].told = &told[i];
		told[i].read.reads = 100;
		told[i].by.client.counters.connections = bit <<= 1;
	}
	service.read.reads = 3;
	other.read.reads = 5;
	w.services.old_reads = 7;
	w.services.old_connections = 1;
	reader.by.client.counters.connections = bit <<= 1;
	other_reader.by.client.counters.connections = bit <<= 1;
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		workers[i].driver.consul.counters.connections = bit <<= 1;
		workers[i].driver.cloudflare.counters.connections = bit <<= 1;
	}
	w.leader.client.http.counters.connections = bit <<= 1;
	w.registration.client.http.counters.connections = bit <<= 1;
	w.writes[OP_CREATE] = 11;
	w.writes[OP_UPDATE] = 12;
	w.writes[OP_DELETE] = 13;
	w.writes[OP_HOLD] = 14;
	w.retries = 15;
	budget_init(&w.api);
	watch_status(&w, NOW, &s);
	assert_true(s.api_left == WATCH_API_BURST && !s.api_end_sec);
	for (size_t i = 0; i < STATUS_CALLS; i++)
		for (size_t k = 0; k < STATUS_CLASSES; k++)
			w.api.calls[i][k] = 10 * i + k;
	bucket_take(&w.api.bucket, NOW);
	w.api.root_end_sec = 1900000000;
	watch_status(&w, NOW, &s);
	assert_int_equal(s.api_left, WATCH_API_BURST - 1);
	assert_int_equal(s.api_end_sec, 1900000000);
	assert_int_equal(s.roots_sec, roots_date_sec());
	assert_int_equal(s.consul_reads, 3 + 5 + 7 + 200);
	assert_int_equal(s.connections, 2 * bit - 1);
	assert_memory_equal(s.api_calls, w.api.calls, sizeof s.api_calls);
	assert_true(s.writes[0] == 11 && s.writes[1] == 12 && s.writes[2] == 13);
	assert_int_equal(s.retries, 15);
	/* the services that are watched no more are in old_reads */
	w.services.n = 1;
	watch_status(&w, NOW, &s);
	assert_int_equal(s.consul_reads, 3 + 7 + 200);
}

/* ---- the line ---- */

static void assert_line(const char *wanted)
{
	char line[REGISTRATION_LINE_CAP];

	assert_string_equal(watch_line(&w, line, sizeof line), wanted);
}

static void test_line(void **state)
{
	(void)state;
	assert_line("0 records");
	(void)add_name(0, "a.example.com");
	assert_line("1 record: 1 in sync");
	(void)add_name(1, "b.example.com");
	names[1].state = STATUS_HELD;
	assert_line("2 records: 1 in sync, 1 held; b.example.com: no leader");
	(void)add_name(2, "c.example.com");
	names[2].state = STATUS_FAILING;
	assert_line("3 records: 1 in sync, 1 held, 1 failing; b.example.com: no leader");
	names[1].state = STATUS_FAILING;
	assert_line("3 records: 1 in sync, 2 failing; b.example.com: status 502");
	names[1].is_used = false;
	w.setup.lock_key = "key";
	assert_line("following, 2 records: 1 in sync, 1 failing; c.example.com: status 502");
	w.leader.is_leaderless = true;
	assert_line("no leader known, 2 records: 1 in sync, 1 failing; c.example.com: status 502");
	(void)snprintf(w.leader.last_err.text, sizeof w.leader.last_err.text, "HTTP 403");
	w.leader.failure = 1;
	assert_line("no leader known, HTTP 403; 2 records: 1 in sync, 1 failing; c.example.com: status 502");
	w.leader.failure = 0;
	w.leader.is_leaderless = false;
	w.leader.has_lock = true;
	assert_line("leading, 2 records: 1 in sync, 1 failing; c.example.com: status 502");
}

static void test_line_of_every_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < STATUS_STATES; i++)
		add_name(i, "x")->state = (enum status_state)i;
	assert_line("5 records: 1 waiting, 1 in sync, 1 syncing, 1 held, 1 failing; x: no leader");
}

/* The longest name and error leave the line whole: they are cut, it is not. */
static void test_line_is_cut(void **state)
{
	char line[REGISTRATION_LINE_CAP];
	struct managed_name *k = add_name(0, "");

	(void)state;
	memset(k->job.name, 'n', sizeof k->job.name - 1);
	memset(k->r.out.err->text, 'e', sizeof k->r.out.err->text - 1);
	k->state = STATUS_FAILING;
	w.setup.lock_key = "key";
	(void)watch_line(&w, line, sizeof line);
	assert_int_equal(strlen(line), strlen("following, 1 record: 1 failing; : ") + 100 + 200);
	memset(w.leader.last_err.text, 'l', sizeof w.leader.last_err.text - 1);
	w.leader.is_leaderless = true;
	w.leader.failure = 1;
	(void)watch_line(&w, line, sizeof line);
	assert_int_equal(strlen(line), strlen("no leader known, ; 1 record: 1 failing; : ") + 160 + 100 + 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_every_fact_is_filled),
		TEST(test_facts),
		TEST(test_what_is_not_known),
		TEST(test_by_state),
		TEST(test_texts_and_lists),
		TEST(test_healthy),
		TEST(test_one_unhealthy_name_is_enough),
		TEST(test_whole),
		TEST(test_leaderless),
		TEST(test_counters),
		TEST(test_line),
		TEST(test_line_of_every_state),
		TEST(test_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
