/*
 * watch/service_watch: which query comes when, by a clock of ours and an HTTP client that does as it is
 * told. The module is compiled a second time, against that client.
 */
#include "support.h"

#include "base/clock.h"
#include "net/http/client.h"

#define http_client_init wire_init
#define http_start wire_start
#define http_step wire_step
#define http_is_busy wire_is_busy
#define http_wants wire_wants
#define clock_cpu_us wire_cpu_us
#define service_watch_reserve tested_watch_reserve
#define service_watch_init tested_watch_init
#define service_watch_step tested_watch_step
#define service_watch_wants tested_watch_wants
#define service_watch_heard_ms tested_watch_heard_ms
#define service_watch_error tested_watch_error
#define service_reader_reserve tested_reader_reserve
#define service_reader_init tested_reader_init
#define blocking_reserve tested_blocking_reserve
#define blocking_init tested_blocking_init
#define blocking_step tested_blocking_step
#define blocking_ready_ms tested_blocking_ready_ms
#define blocking_wants tested_blocking_wants
static void wire_init(struct http_client *c, const struct http_origin *o, struct tls_storage *tls);
static int wire_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e);
static enum http_result wire_step(struct http_client *c, struct err *e);
static bool wire_is_busy(const struct http_client *c);
static void wire_wants(const struct http_client *c, struct loop_wait *wait);
static int64_t wire_cpu_us(void);
/* Both cmocka and the module have a fail(). */
#undef fail
#define fail tested_fail
#include "engine/blocking.c" /* NOLINT(bugprone-suspicious-include) */
#define begin watch_begin
#include "engine/service_watch.c" /* NOLINT(bugprone-suspicious-include) */
#undef fail
#define fail() _fail(__FILE__, __LINE__)

#define BACKOFF_MAX_MS 60000
#define START_MS 5000000
#define HEAD "X-Consul-KnownLeader: true\n"
#define ONE(address, status)                                                                                                       \
	"{\"Node\":{\"Address\":\"10.0.0.1\"},\"Service\":{\"ID\":\"" address "\",\"Address\":\"" address                          \
	"\"},\"Checks\":[{\"CheckID\":\"c\",\"Status\":\"" status "\"}]}"
#define A ONE("192.0.2.1", "passing")
#define B ONE("192.0.2.2", "passing")

static struct {
	bool is_busy;
	struct http_sink sink;
	char target[HTTP_TARGET_CAP];
	int64_t deadline_ms;
	unsigned starts;
	/* what wire_step() does next */
	bool has_answer;
	bool fails;
	enum err_kind fails_as;
	int status;
	const char *headers, *body;
	int64_t cost_us; /* of an answer */
	int64_t cpu_us;
} wire;

static int64_t wire_cpu_us(void)
{
	return wire.cpu_us;
}

static void wire_init(struct http_client *c, const struct http_origin *o, struct tls_storage *tls)
{
	(void)c;
	(void)o;
	(void)tls;
}

static int wire_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e)
{
	(void)c;
	(void)e;
	assert_false(wire.is_busy);
	assert_string_equal(r->method, "GET");
	wire.is_busy = true;
	wire.sink = *s;
	wire.deadline_ms = deadline_ms;
	wire.starts++;
	(void)snprintf(wire.target, sizeof wire.target, "%s", r->target);
	return 0;
}

static enum http_result wire_step(struct http_client *c, struct err *e)
{
	(void)c;
	assert_true(wire.is_busy);
	if (!wire.has_answer)
		return HTTP_MORE;
	wire.is_busy = wire.has_answer = false;
	wire.cpu_us += wire.cost_us;
	if (wire.fails && wire.status)
		(void)wire.sink.status(wire.sink.ctx, wire.status, e);
	if (wire.fails) {
		(void)err_set(e, wire.fails_as, "connection lost");
		return HTTP_BAD;
	}
	return test_answer(&wire.sink, wire.status, wire.headers, wire.body, 0, e) ? HTTP_BAD : HTTP_DONE;
}

static bool wire_is_busy(const struct http_client *c)
{
	(void)c;
	return wire.is_busy;
}

static void wire_wants(const struct http_client *c, struct loop_wait *wait)
{
	(void)c;
	(void)wait;
}

/* ---- one service watch ---- */

static struct service_watch w;
static struct service_reader reader;
static struct consul_view views[2];
static struct endpoint listed[2][CONSUL_INSTANCES_MAX], few[FEW_MAX];
static char element[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct err last_err;
static struct http_origin origin;
static int64_t now_ms;

static int set_up(void **state)
{
	const struct job q = {
		.service = "web",
		.addresses = {{ADDRESS_SERVICE}, 1},
	};

	(void)state;
	memset(&wire, 0, sizeof wire);
	memset(&w, 0, sizeof w);
	memset(&reader, 0, sizeof reader);
	for (int i = 0; i < 2; i++)
		views[i].listed = listed[i];
	w.view = &views[0];
	w.few = few;
	w.many = listed[0];
	w.read.last_err = &last_err;
	w.reader = &reader;
	reader.incoming.listed = listed[1];
	reader.by.element = element;
	reader.by.rest = rest;
	now_ms = START_MS;
	service_watch_init(&w, &q);
	service_reader_init(&reader, &origin, "", 10000);
	w.read.wait_sec = 45;
	return 0;
}

static enum blocking_event step(void)
{
	return service_watch_step(&w, now_ms, 0);
}

/* Let time go until a query goes out; how long that was. */
static int64_t wait_for_query(void)
{
	const int64_t from_ms = now_ms;

	for (unsigned starts = wire.starts;; now_ms++) {
		CHECK(now_ms - from_ms < 100000, "no query in 100 s");
		(void)step();
		if (wire.starts != starts)
			return now_ms - from_ms;
	}
}

/* The query under way is answered, after so long. */
static enum blocking_event answer(int64_t ms, const char *index, const char *body)
{
	static char headers[256];

	(void)snprintf(headers, sizeof headers, HEAD "%s%s%s", index ? "X-Consul-Index: " : "", index ? index : "",
		       index ? "\n" : "");
	now_ms += ms;
	wire.has_answer = true;
	wire.fails = false;
	wire.status = 200;
	wire.headers = headers;
	wire.body = body;
	return step();
}

static enum blocking_event answer_badly_as(bool is_lost, int status, enum err_kind kind)
{
	wire.has_answer = true;
	wire.fails = is_lost;
	wire.fails_as = kind;
	wire.status = status;
	wire.headers = HEAD;
	wire.body = "rpc error";
	return step();
}

static enum blocking_event answer_badly(bool is_lost, int status)
{
	return answer_badly_as(is_lost, status, ERR_RETRY);
}

/* ---- the index ---- */

/* Answered with this index after asking with that: what is asked with next; "" for none. */
static const struct {
	const char *first, *second, *asked;
} indices[] = {
	{"10", "11", "index=11&wait=45s"},
	{"10", "10", "index=10&wait=45s"},
	{"10", "9", ""}, /* it went back */
	{"10", "0", ""},
	{"10", NULL, ""}, /* none counts as 0 */
	{"10", "x", ""},
	{"0", "0", ""},
	{"0", "7", "index=7&wait=45s"},
	{"18446744073709551615", "18446744073709551615", "index=18446744073709551615&wait=45s"},
	{"10", "18446744073709551616", ""}, /* past what it can be */
};

static void test_index(void **state)
{
	for (size_t i = 0; i < COUNT(indices); i++) {
		const char *question;

		(void)set_up(state);
		(void)wait_for_query();
		assert_null(strstr(wire.target, "index="));
		(void)answer(5, indices[i].first, "[" A "]");
		(void)wait_for_query();
		CHECK(!strstr(wire.target, "index=0"), "%s", wire.target);
		(void)answer(5000, indices[i].second, "[" A "]");
		(void)wait_for_query();
		question = strchr(wire.target, '?');
		CHECK(strcmp(question ? question + 1 : "", indices[i].asked) == 0, "%zu: %s", i, wire.target);
	}
}

static void test_an_error_forgets_the_index(void **state)
{
	(void)state;
	(void)wait_for_query();
	(void)answer(5, "10", "[" A "]");
	(void)wait_for_query();
	assert_non_null(strstr(wire.target, "index=10"));
	assert_int_equal(answer_badly(true, 0), BLOCKING_FAILED);
	(void)wait_for_query();
	assert_null(strstr(wire.target, "index="));
}

static void test_deadline(void **state)
{
	(void)state;
	(void)wait_for_query();
	assert_int_equal(wire.deadline_ms - now_ms, 10000);
	(void)answer(5, "10", "[" A "]");
	(void)wait_for_query();
	/* the server may add a 16th of the wait */
	assert_int_equal(wire.deadline_ms - now_ms, 45000 + 45000 / 16 + BLOCKING_MARGIN_MS);
	assert_true(wire.deadline_ms - now_ms < 60000);
}

/* ---- the content ---- */

static const struct {
	const char *first, *second;
	bool is_news;
} contents[] = {
	{"[" A "," B "]", "[" A "," B "]", false},
	{"[" A "," B "]", "[" B "," A "]", false},
	{"[" A "]", "[" A "," B "]", true},
	{"[" A "," B "]", "[" A "]", true},
	{"[" A "]", "[]", true},
	{"[" A "]", "[" B "]", true},
	{"[" A "]", "[" ONE("192.0.2.1", "critical") "]", true},
	{"[" A "," ONE("192.0.2.2", "critical") "]", "[" ONE("192.0.2.1", "critical") "," B "]", true}, /* as many of each */
	{"[" ONE("", "passing") "]", "[]", true},
};

static void test_content_is_compared_not_the_index(void **state)
{
	for (size_t i = 0; i < COUNT(contents); i++) {
		(void)set_up(state);
		(void)wait_for_query();
		assert_int_equal(answer(5, "10", contents[i].first), BLOCKING_CHANGED);
		(void)wait_for_query();
		CHECK(answer(5000, "11", contents[i].second) == (contents[i].is_news ? BLOCKING_CHANGED : BLOCKING_NOTHING), "%zu",
		      i);
	}
}

/* Each part of the content is news by itself, on either side; else the two are the same. */
static void expect_news(const struct consul_view *a, const struct consul_view *b, bool is_news)
{
	assert_int_equal(is_same_content(a, b), !is_news);
	assert_int_equal(is_same_content(b, a), !is_news);
}

static void test_each_part_of_the_content_counts(void **state)
{
	struct consul_view *a = &views[0], *b = &views[1];
	size_t *const counts[] = {&b->count.instances_n, &b->count.unaddressed_n, &b->count.state_n[INSTANCE_PASSING],
				  &b->count.state_n[INSTANCE_CRITICAL], &b->listed_n};

	(void)state;
	memset(listed, 0, sizeof listed);
	for (size_t i = 0; i < 2; i++) {
		views[i].listed_n = 1;
		views[i].count = (struct instance_counts){.instances_n = 1};
		views[i].evidence = (struct evidence){.has_leader = true};
	}
	expect_news(a, b, false);
	for (size_t i = 0; i < COUNT(counts); i++) {
		++*counts[i];
		expect_news(a, b, true);
		--*counts[i];
	}
	listed[1][0].state = INSTANCE_WARNING;
	expect_news(a, b, true);
	listed[1][0].state = listed[0][0].state;
	listed[1][0].target.addr[3] = 1;
	expect_news(a, b, true);
	listed[1][0].target.addr[3] = 0;
	expect_news(a, b, false);
}

/* Not what the evidence says, but whether it may remove; of an empty list it may say less. */
static void test_only_what_the_evidence_allows_counts(void **state)
{
	struct consul_view *a = &views[0], *b = &views[1];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		views[i].listed_n = 0;
		views[i].count = (struct instance_counts){0};
		views[i].evidence = (struct evidence){.has_leader = true};
	}
	b->evidence.last_contact_ms = EVIDENCE_LAST_CONTACT_MAX_MS;
	expect_news(a, b, false);
	b->evidence.last_contact_ms++;
	expect_news(a, b, true);
	b->evidence = (struct evidence){.has_leader = true, .is_default_deny = true};
	expect_news(a, b, true);
	a->count.instances_n = b->count.instances_n = 1;
	expect_news(a, b, false);
}

/* For the metrics: good answers, with news or without, and nothing else. */
static void test_good_answers_are_counted(void **state)
{
	(void)state;
	(void)wait_for_query();
	assert_int_equal(w.read.reads, 0);
	(void)answer(5, "10", "[" A "]");
	assert_int_equal(w.read.reads, 1);
	(void)wait_for_query();
	assert_int_equal(answer(5000, "11", "[" A "]"), BLOCKING_NOTHING);
	assert_int_equal(w.read.reads, 2);
	(void)wait_for_query();
	assert_int_equal(answer_badly(false, 500), BLOCKING_FAILED);
	assert_int_equal(w.read.reads, 2);
}

static void test_the_first_answer_is_news_even_when_empty(void **state)
{
	(void)state;
	(void)wait_for_query();
	assert_int_equal(answer(5, "10", "[]"), BLOCKING_CHANGED);
	assert_true(w.has_view);
}

static void test_evidence_is_news(void **state)
{
	(void)state;
	(void)wait_for_query();
	(void)answer(5, "10\nX-Consul-Results-Filtered-By-ACLs: true", "[" A "]");
	(void)wait_for_query();
	assert_int_equal(answer(5000, "11", "[" A "]"), BLOCKING_CHANGED);
	(void)wait_for_query();
	assert_int_equal(answer(5000, "12", "[" A "]"), BLOCKING_NOTHING);
}

static void test_a_bad_answer_leaves_the_last_good_one(void **state)
{
	(void)state;
	(void)wait_for_query();
	(void)answer(5, "10", "[" A "," B "]");
	for (int i = 0; i < 4; i++) {
		(void)wait_for_query();
		assert_int_equal(i == 3 ? answer(5, "9", "{\"no\":\"list\"}") : answer_badly(i == 0, i == 1 ? 500 : 403),
				 BLOCKING_FAILED);
		assert_int_equal(w.view->count.instances_n, 2);
		assert_true(w.has_view);
	}
	assert_int_equal(w.read.failures, 4);
	(void)wait_for_query();
	assert_int_equal(answer(5, "10", "[" A "," B "]"), BLOCKING_NOTHING);
	assert_int_equal(w.read.failures, 0);
}

/* ---- the pace ---- */

/* So many answers at once, each with news or without: how long after each the next query went out. */
static void churn(size_t n, bool is_news, int64_t *rest_ms)
{
	(void)wait_for_query();
	(void)answer(5000, "10", "[" A "," B "]"); /* news */
	for (size_t i = 0; i < n; i++) {
		rest_ms[i] = wait_for_query();
		(void)answer(0, "10", !is_news ? "[" A "," B "]" : i % 2 ? "[" A "]" : "[" B "]");
	}
}

static void test_news_rests_a_tenth_of_a_second(void **state)
{
	int64_t rest_ms[60];

	(void)state;
	churn(COUNT(rest_ms), true, rest_ms);
	for (size_t i = 0; i < COUNT(rest_ms); i++)
		assert_int_equal(rest_ms[i], 100);
}

static void test_without_news_the_rest_grows_to_a_second(void **state)
{
	static const int64_t wanted_ms[] = {100, 200, 400, 800, 1000, 1000, 1000};
	int64_t rest_ms[40];

	(void)state;
	churn(COUNT(rest_ms), false, rest_ms);
	for (size_t i = 0; i < COUNT(rest_ms); i++)
		assert_int_equal(rest_ms[i], wanted_ms[i < 6 ? i : 6]);
	(void)wait_for_query();
	assert_int_equal(answer(0, "10", "[" A "]"), BLOCKING_CHANGED);
	assert_int_equal(wait_for_query(), 100); /* the first news ends it */
}

/* While a query waits no rest is due: what comes after quiet is read at once, whatever was before. */
static void test_after_quiet_the_next_query_is_out_already(void **state)
{
	int64_t rest_ms[20];

	(void)state;
	wire.cost_us = 300000;
	churn(COUNT(rest_ms), false, rest_ms);
	(void)wait_for_query();
	assert_int_equal(answer(60000, "11", "[" A "]"), BLOCKING_CHANGED);
	wire.cost_us = 0;
	(void)wait_for_query();
	(void)answer(9000, "11", "[" B "]");
	assert_int_equal(wait_for_query(), 100);
}

static const struct {
	int64_t read_us, decide_us, rest_ms, same_ms;
} costs[] = {
	{0, 0, 100, 1000},       {9000, 1900, 109, 1000},    {10000, 0, 100, 1000},
	{40000, 0, 400, 1000},   {20000, 60000, 800, 1000},  {100000, 20000, 1200, 1200},
	{499000, 0, 4990, 4990}, {499000, 2000, 5000, 5000}, {0, 60000000, 5000, 5000},
};

static void test_the_rest_follows_the_cost(void **state)
{
	for (size_t i = 0; i < COUNT(costs); i++) {
		(void)set_up(state);
		wire.cost_us = costs[i].read_us;
		for (int k = 0; k < 16; k++) {
			int64_t rest_ms = wait_for_query();

			/* answers 1 to 7 are news, the others are not */
			CHECK(k < 1 || k > 7 || rest_ms == costs[i].rest_ms, "%zu, %d: %lld ms", i, k, (long long)rest_ms);
			CHECK(k < 13 || rest_ms == costs[i].same_ms, "%zu, %d: %lld ms", i, k, (long long)rest_ms);
			(void)answer(0, "10", k < 7 && k % 2 ? "[" A "]" : "[" B "]");
			w.read.cost_us += costs[i].decide_us; /* as the worker does */
		}
	}
}

/* What it cost is over once it was rested for. */
static void test_a_costly_read_slows_one_rest_only(void **state)
{
	(void)state;
	(void)wait_for_query();
	wire.cost_us = 400000;
	(void)answer(0, "10", "[" A "]");
	assert_int_equal(wait_for_query(), 4000);
	wire.cost_us = 0;
	(void)answer(0, "10", "[" B "]");
	assert_int_equal(wait_for_query(), 100);
}

static void test_never_more_than_ten_a_second(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int64_t until_ms = now_ms + 600000; now_ms < until_ms;) {
		(void)wait_for_query();
		(void)answer(test_random_below(&seed, 400), "10", test_random_below(&seed, 2) ? "[" A "]" : "[" B "]");
	}
	CHECK(wire.starts <= 6001, "%u reads in ten minutes", wire.starts);
	CHECK(wire.starts >= 600, "%u reads in ten minutes", wire.starts);
}

/* ---- a proxy on the way that gives up ---- */

/* The query under way is cut off after so long. */
static enum blocking_event cut(int64_t ms, bool is_lost, int status, enum err_kind kind)
{
	now_ms += ms;
	return answer_badly_as(is_lost, status, kind);
}

static const struct {
	unsigned wait_sec;
	int64_t silent_ms;
	bool is_lost;
	enum err_kind kind;
	int status;
	bool is_failure;
} cuts[] = {
	{45, 30000, true, ERR_RETRY, 200, true}, /* within an answer: there is news */
	{45, 30000, true, ERR_RETRY, 0, false},     {45, 45000, true, ERR_RETRY, 0, false},
	{45, 20000, true, ERR_RETRY, 0, false},     {45, 19999, true, ERR_RETRY, 0, true}, /* not that long */
	{45, 5, true, ERR_RETRY, 0, true},          {45, 30000, true, ERR_TLS, 0, true},
	{45, 30000, true, ERR_PROTO, 0, true},      {45, 57000, true, ERR_RETRY, 0, true}, /* our own deadline */
	{45, 30000, false, ERR_RETRY, 504, false},  {45, 30000, false, ERR_RETRY, 503, false},
	{45, 30000, false, ERR_RETRY, 502, false},  {45, 30000, false, ERR_RETRY, 500, true}, /* Consul's own words */
	{45, 30000, false, ERR_RETRY, 501, true},   {45, 30000, false, ERR_RETRY, 505, true},
	{45, 30000, false, ERR_RETRY, 403, true},   {45, 10, false, ERR_RETRY, 504, true},
	{2, 1000, false, ERR_RETRY, 504, false},    {2, 999, false, ERR_RETRY, 504, true},
	{300, 60000, false, ERR_RETRY, 504, false}, /* a minute is long, whatever is asked for */
	{300, 20000, true, ERR_RETRY, 0, false},    {300, 19999, true, ERR_RETRY, 0, true},
	{45, 52812, true, ERR_RETRY, 0, false},     {45, 52813, true, ERR_RETRY, 0, true}, /* wait, 16th, half the margin */
};

static void test_a_cut_after_a_long_silence_is_no_news(void **state)
{
	for (size_t i = 0; i < COUNT(cuts); i++) {
		enum blocking_event event;

		(void)set_up(state);
		w.read.wait_sec = cuts[i].wait_sec;
		(void)wait_for_query();
		(void)answer(5, "10", "[" A "]");
		(void)wait_for_query();
		event = cut(cuts[i].silent_ms, cuts[i].is_lost, cuts[i].status, cuts[i].kind);
		CHECK(event == (cuts[i].is_failure ? BLOCKING_FAILED : BLOCKING_NOTHING), "%zu: %d", i, event);
		assert_int_equal(w.read.failures, cuts[i].is_failure);
		if (cuts[i].is_failure)
			continue;
		assert_int_equal(wait_for_query(), 0);                              /* at once... */
		CHECK(strstr(wire.target, "index=10&"), "%zu: %s", i, wire.target); /* ...and the same */
		assert_int_equal(answer(5, "11", "[" B "]"), BLOCKING_CHANGED);
	}
}

/* A query that asks for an answer at once must get one. */
static void test_a_first_query_that_is_cut_has_failed(void **state)
{
	(void)state;
	(void)wait_for_query();
	assert_int_equal(cut(30000, false, 504, ERR_RETRY), BLOCKING_FAILED);
	assert_false(w.has_view);
}

/* With nothing but cuts Consul is asked for an answer at once, before it counts as gone. */
static void test_consul_has_to_show_that_it_lives(void **state)
{
	int64_t answered_ms;

	(void)state;
	(void)wait_for_query();
	(void)answer(5, "10", "[" A "]");
	answered_ms = now_ms;
	while (strstr(wire.target, "index=") || wire.starts < 2) {
		(void)wait_for_query();
		CHECK(now_ms - answered_ms < 2 * 45000, "not asked for 2 waits");
		if (strstr(wire.target, "index="))
			assert_int_equal(cut(29000, false, 504, ERR_RETRY), BLOCKING_NOTHING);
	}
	assert_int_equal(wire.starts, 5);
	assert_int_equal(cut(30000, false, 504, ERR_RETRY), BLOCKING_FAILED);
}

/* After one and a half waits, and not before. */
static void test_consul_has_to_show_it_after_a_time(void **state)
{
	for (int is_late = 0; is_late < 2; is_late++) {
		int64_t answered_ms;

		(void)set_up(state);
		(void)wait_for_query();
		(void)answer(5, "10", "[" A "]");
		answered_ms = now_ms;
		(void)wait_for_query();
		assert_int_equal(cut(30000, false, 504, ERR_RETRY), BLOCKING_NOTHING);
		(void)wait_for_query();
		assert_non_null(strstr(wire.target, "index="));
		assert_int_equal(cut(answered_ms + 67500 + is_late - now_ms, false, 504, ERR_RETRY), BLOCKING_NOTHING);
		(void)wait_for_query();
		assert_int_equal(strstr(wire.target, "index=") == NULL, is_late);
		assert_int_equal(w.read.reads, 1);
	}
}

static void test_backoff(void **state)
{
	int64_t last_ms = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		int64_t waited_ms = wait_for_query();

		CHECK(waited_ms <= BACKOFF_MAX_MS, "%lld ms", (long long)waited_ms);
		CHECK(i < 4 || waited_ms >= last_ms, "%lld ms after %lld", (long long)waited_ms, (long long)last_ms);
		last_ms = waited_ms;
		assert_int_equal(answer_badly(true, 0), BLOCKING_FAILED);
	}
	assert_true(last_ms >= BACKOFF_MAX_MS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),
		cmocka_unit_test_setup(test_an_error_forgets_the_index, set_up),
		cmocka_unit_test_setup(test_deadline, set_up),
		cmocka_unit_test(test_content_is_compared_not_the_index),
		cmocka_unit_test_setup(test_each_part_of_the_content_counts, set_up),
		cmocka_unit_test_setup(test_only_what_the_evidence_allows_counts, set_up),
		cmocka_unit_test_setup(test_good_answers_are_counted, set_up),
		cmocka_unit_test_setup(test_the_first_answer_is_news_even_when_empty, set_up),
		cmocka_unit_test_setup(test_evidence_is_news, set_up),
		cmocka_unit_test_setup(test_a_bad_answer_leaves_the_last_good_one, set_up),
		cmocka_unit_test_setup(test_news_rests_a_tenth_of_a_second, set_up),
		cmocka_unit_test_setup(test_without_news_the_rest_grows_to_a_second, set_up),
		cmocka_unit_test_setup(test_after_quiet_the_next_query_is_out_already, set_up),
		cmocka_unit_test(test_the_rest_follows_the_cost),
		cmocka_unit_test_setup(test_a_costly_read_slows_one_rest_only, set_up),
		cmocka_unit_test_setup(test_never_more_than_ten_a_second, set_up),
		cmocka_unit_test(test_a_cut_after_a_long_silence_is_no_news),
		cmocka_unit_test_setup(test_a_first_query_that_is_cut_has_failed, set_up),
		cmocka_unit_test_setup(test_consul_has_to_show_that_it_lives, set_up),
		cmocka_unit_test(test_consul_has_to_show_it_after_a_time),
		cmocka_unit_test_setup(test_backoff, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
