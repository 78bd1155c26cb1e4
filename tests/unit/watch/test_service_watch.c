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
#define service_watch_init tested_init
#define service_watch_step tested_step
#define service_watch_wants tested_wants
static void wire_init(struct http_client *c, const struct http_origin *o, struct tls_storage *tls);
static int wire_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e);
static enum http_result wire_step(struct http_client *c, struct err *e);
static bool wire_is_busy(const struct http_client *c);
static void wire_wants(const struct http_client *c, struct loop_wait *wait);
/* Both cmocka and the module have a fail(). */
#undef fail
#define fail tested_fail
#include "watch/service_watch.c" /* NOLINT(bugprone-suspicious-include) */
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
	int status;
	const char *headers, *body;
} wire;

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
	if (wire.fails) {
		(void)err_set(e, ERR_RETRY, "connection lost");
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
static struct consul_view views[2];
static struct endpoint listed[2][CONSUL_INSTANCES_MAX];
static char element[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
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
	for (int i = 0; i < 2; i++)
		views[i].listed = listed[i];
	w.view = &views[0];
	w.incoming = &views[1];
	w.element = element;
	w.rest = rest;
	now_ms = START_MS;
	service_watch_init(&w, &q, &origin, "", 10000);
	return 0;
}

static enum service_watch_event step(void)
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
static enum service_watch_event answer(int64_t ms, const char *index, const char *body)
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

static enum service_watch_event answer_badly(bool is_lost, int status)
{
	wire.has_answer = true;
	wire.fails = is_lost;
	wire.status = status;
	wire.headers = HEAD;
	wire.body = "rpc error";
	return step();
}

/* ---- the index ---- */

/* Answered with this index after asking with that: what is asked with next; "" for none. */
static const struct {
	const char *first, *second, *asked;
} indices[] = {
	{"10", "11", "index=11&wait=60s"},
	{"10", "10", "index=10&wait=60s"},
	{"10", "9", ""}, /* it went back */
	{"10", "0", ""},
	{"10", NULL, ""}, /* none counts as 0 */
	{"10", "x", ""},
	{"0", "0", ""},
	{"0", "7", "index=7&wait=60s"},
	{"18446744073709551615", "18446744073709551615", "index=18446744073709551615&wait=60s"},
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
	assert_int_equal(answer_badly(true, 0), SERVICE_WATCH_FAILED);
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
	assert_int_equal(wire.deadline_ms - now_ms, 60000 + 3750 + SERVICE_WATCH_MARGIN_MS);
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
		assert_int_equal(answer(5, "10", contents[i].first), SERVICE_WATCH_CHANGED);
		(void)wait_for_query();
		CHECK(answer(5000, "11", contents[i].second) ==
			      (contents[i].is_news ? SERVICE_WATCH_CHANGED : SERVICE_WATCH_NOTHING),
		      "%zu", i);
	}
}

static void test_the_first_answer_is_news_even_when_empty(void **state)
{
	(void)state;
	(void)wait_for_query();
	assert_int_equal(answer(5, "10", "[]"), SERVICE_WATCH_CHANGED);
	assert_true(w.has_view);
}

static void test_evidence_is_news(void **state)
{
	(void)state;
	(void)wait_for_query();
	(void)answer(5, "10\nX-Consul-Results-Filtered-By-ACLs: true", "[" A "]");
	(void)wait_for_query();
	assert_int_equal(answer(5000, "11", "[" A "]"), SERVICE_WATCH_CHANGED);
	(void)wait_for_query();
	assert_int_equal(answer(5000, "12", "[" A "]"), SERVICE_WATCH_NOTHING);
}

static void test_a_bad_answer_leaves_the_last_good_one(void **state)
{
	(void)state;
	(void)wait_for_query();
	(void)answer(5, "10", "[" A "," B "]");
	for (int i = 0; i < 4; i++) {
		(void)wait_for_query();
		assert_int_equal(i == 3 ? answer(5, "9", "{\"no\":\"list\"}") : answer_badly(i == 0, i == 1 ? 500 : 403),
				 SERVICE_WATCH_FAILED);
		assert_int_equal(w.view->count.instances_n, 2);
		assert_true(w.has_view);
	}
	assert_int_equal(w.failures, 4);
	(void)wait_for_query();
	assert_int_equal(answer(5, "10", "[" A "," B "]"), SERVICE_WATCH_NOTHING);
	assert_int_equal(w.failures, 0);
}

/* ---- the pace ---- */

/* So many answers at once, each with news or without: when each query went out, in ms. */
static void churn(size_t n, bool is_news, int64_t *at_ms)
{
	for (size_t i = 0; i < n; i++) {
		(void)wait_for_query();
		at_ms[i] = now_ms - START_MS;
		(void)answer(1, "10", is_news && i % 2 ? "[" A "]" : "[" B "]");
	}
}

static void test_pace_without_news(void **state)
{
	int64_t at_ms[40];

	(void)state;
	churn(COUNT(at_ms), false, at_ms);
	assert_true(at_ms[1] <= 2); /* two at once */
	for (size_t i = 2; i < COUNT(at_ms); i++) {
		int64_t gap_ms = at_ms[i] - at_ms[i - 1];

		CHECK(gap_ms >= 990, "%zu: %lld ms", i, (long long)gap_ms);
		CHECK(gap_ms <= SERVICE_WATCH_READ_MAX_MS + 10, "%zu: %lld ms", i, (long long)gap_ms);
		CHECK(i < 12 || gap_ms >= SERVICE_WATCH_READ_MAX_MS - 10, "%zu: %lld ms", i, (long long)gap_ms);
	}
}

static void test_pace_with_news(void **state)
{
	int64_t at_ms[60];

	(void)state;
	churn(COUNT(at_ms), true, at_ms);
	for (size_t i = 2; i < 8; i++)
		assert_in_range(at_ms[i] - at_ms[i - 1], 990, 1010);
	assert_in_range(at_ms[59] - at_ms[58], SERVICE_WATCH_READ_MAX_MS - 10, SERVICE_WATCH_READ_MAX_MS + 10);
}

static void test_pace_recovers_after_a_rest(void **state)
{
	int64_t at_ms[20];

	(void)state;
	churn(COUNT(at_ms), false, at_ms);
	(void)wait_for_query();
	(void)answer(60000, "11", "[" A "]");
	for (int i = 0; i < 4; i++) {
		assert_true(wait_for_query() <= 1000);
		(void)answer(1, "12", i % 2 ? "[" A "]" : "[" B "]");
	}
}

static void test_never_more_than_one_a_second(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int64_t until_ms = now_ms + 3600000; now_ms < until_ms;) {
		(void)wait_for_query();
		(void)answer(test_random_below(&seed, 4000), "10", test_random_below(&seed, 2) ? "[" A "]" : "[" B "]");
	}
	CHECK(wire.starts <= 3602, "%u reads in an hour", wire.starts);
	CHECK(wire.starts >= 3600 / 16, "%u reads in an hour", wire.starts);
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
		assert_int_equal(answer_badly(true, 0), SERVICE_WATCH_FAILED);
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
		cmocka_unit_test_setup(test_the_first_answer_is_news_even_when_empty, set_up),
		cmocka_unit_test_setup(test_evidence_is_news, set_up),
		cmocka_unit_test_setup(test_a_bad_answer_leaves_the_last_good_one, set_up),
		cmocka_unit_test_setup(test_pace_without_news, set_up),
		cmocka_unit_test_setup(test_pace_with_news, set_up),
		cmocka_unit_test_setup(test_pace_recovers_after_a_rest, set_up),
		cmocka_unit_test_setup(test_never_more_than_one_a_second, set_up),
		cmocka_unit_test_setup(test_backoff, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
