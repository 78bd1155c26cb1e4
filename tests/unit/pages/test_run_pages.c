/* pages/run_pages: what /health and /metrics of a run say of it. */
#include "support.h"

#include "base/json.h"
#include "pages/run_status.h"
#include "pages/shown.h"

#define PARTS_MAX 32
/* Markup, quotes, a backslash, a control byte, broken UTF-8, and a character of three bytes. */
#define NASTY "<i>&\"'\\\n\xc3x\xe2\x82\xac"
#define NASTY_SHOWN "<i>&\"'\\??x\xe2\x82\xac"

static struct run_status run;
static struct run_status_part parts[PARTS_MAX];

static void fill(const struct run_status *s, size_t i, struct run_status_part *p)
{
	(void)s;
	assert_true(p->kind == RUN_STATUS_SERVICE && !p->name); /* zeroed */
	*p = parts[i];
}

static int set_up(void **state)
{
	(void)state;
	memset(parts, 0, sizeof parts);
	run = (struct run_status){
		.version = "1.2.3",
		.uptime_ms = 93784005,
		.app = RUN_APP_RUNNING,
		.drain = DRAIN_LISTED, /* of a drain that is not under way */
		.drain_line = "is still answered",
		.fill_part = fill,
	};
	return 0;
}

static struct run_status_part *add(enum run_status_kind kind, const char *name)
{
	struct run_status_part *p = &parts[run.parts_n++];

	*p = (struct run_status_part){.kind = kind, .name = name, .ttl_ms = 25000};
	if (kind == RUN_STATUS_SERVICE)
		run_status_set(p, RUN_FACT_PASSING, 1);
	return p;
}

static const char *page(const char *path, int *status)
{
	static char text[RUN_PAGES_CAP];
	const char *content_type = NULL;
	struct buf b;

	buf_init(&b, text, sizeof text);
	*status = run_pages_answer(&run, path, &b, &content_type);
	assert_true(buf_ok(&b));
	assert_int_equal(*status != 404, content_type != NULL);
	return text;
}

static const char *health(void)
{
	struct err e = {0};
	int status;
	const char *text = page("/health", &status);

	CHECK(!json_parse(text, strlen(text), &e), "%s: %s", e.text, text);
	return text;
}

static const char *metrics(void)
{
	int status;

	return page("/metrics", &status);
}

static void assert_json(int value, const char *wanted)
{
	char text[1024];

	assert_int_equal(json_string(value, text, sizeof text), 0);
	assert_string_equal(text, wanted);
}

static bool is_true(int value)
{
	bool is = false;

	assert_int_equal(json_boolean(value, &is), 0);
	return is;
}

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		int well, ill;
	} cases[] = {{"/health", 200, 503}, {"/metrics", 200, 200}, {"/", 404, 404}, {"/health/", 404, 404}, {"", 404, 404}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status;

		run.app = RUN_APP_RUNNING;
		(void)page(cases[i].path, &status);
		assert_int_equal(status, cases[i].well);
		run.app = RUN_APP_ENDED;
		(void)page(cases[i].path, &status);
		assert_int_equal(status, cases[i].ill);
	}
}

/* ---- is it well? ---- */

/* passing: -1 no result yet, for so long; reason: NULL when it is well */
static const struct {
	enum run_app app;
	int passing;
	int64_t waiting_ms;
	bool is_maintained;
	const char *reason;
} healths[] = {
	{RUN_APP_RUNNING, 1, 0, false, NULL},
	{RUN_APP_NONE, 1, 0, false, NULL},
	{RUN_APP_BEFORE, 1, 0, false, "application: not started"},
	{RUN_APP_ENDED, 1, 0, false, "application: ended"},
	{RUN_APP_RUNNING, 0, 0, false, "web: its check fails: HTTP 503"},
	{RUN_APP_RUNNING, 0, 0, true, "web: its check fails: HTTP 503"},
	{RUN_APP_RUNNING, 1, 999999, true, NULL}, /* it leaves, and is well */
	{RUN_APP_RUNNING, -1, 0, false, NULL},
	{RUN_APP_RUNNING, -1, 24999, false, NULL},
	{RUN_APP_RUNNING, -1, 25000, false, "web: no result of its check for 25 s"},
};

static void test_healthy(void **state)
{
	for (size_t i = 0; i < COUNT(healths); i++) {
		struct run_status_part *p;
		int status, reasons;

		(void)set_up(state);
		run.app = healths[i].app;
		p = add(RUN_STATUS_SERVICE, "web");
		p->output = "HTTP 503";
		p->waiting_ms = healths[i].waiting_ms;
		run_status_set(p, RUN_FACT_PASSING, healths[i].passing);
		p->facts[RUN_FACT_PASSING].is_known = healths[i].passing >= 0;
		run_status_set(p, RUN_FACT_MAINTENANCE, healths[i].is_maintained);
		(void)health();
		CHECK(run_status_is_healthy(&run) == !healths[i].reason, "case %zu", i);
		assert_int_equal(is_true(json_get(0, "healthy")), !healths[i].reason);
		reasons = json_get(0, "reasons");
		assert_int_equal(json_count(reasons), healths[i].reason != NULL);
		if (healths[i].reason)
			assert_json(json_first(reasons), healths[i].reason);
		CHECK(strstr(metrics(), healths[i].reason ? "\ndnsbuddy_healthy 0\n" : "\ndnsbuddy_healthy 1\n"), "case %zu", i);
		(void)page("/health", &status);
		assert_int_equal(status, healths[i].reason ? 503 : 200);
	}
}

/* Each of several must be well; a backend makes nobody ill. */
static void test_several(void **state)
{
	struct run_status_part *p;
	int64_t unhealthy_n = 0;
	int reason;

	(void)state;
	(void)add(RUN_STATUS_SERVICE, "a");
	run_status_set(add(RUN_STATUS_SERVICE, "b"), RUN_FACT_PASSING, 0);
	p = add(RUN_STATUS_BACKEND, "c");
	p->error = "connection refused";
	run_status_set(p, RUN_FACT_BEHIND, 1);
	p->waiting_ms = 99999;
	p = add(RUN_STATUS_SERVICE, "d");
	run_status_set(p, RUN_FACT_PASSING, 0);
	p->output = "refused";
	run.app = RUN_APP_ENDED;
	(void)health();
	assert_int_equal(json_integer(json_get(0, "unhealthy"), &unhealthy_n), 0);
	assert_int_equal(unhealthy_n, 3);
	reason = json_first(json_get(0, "reasons"));
	assert_json(reason, "application: ended");
	assert_json(json_next(reason), "b: its check fails: ");
	assert_json(json_next(json_next(reason)), "d: its check fails: refused");
	shown_check_families(metrics());
	parts[1].facts[RUN_FACT_PASSING].n = parts[3].facts[RUN_FACT_PASSING].n = 1;
	run.app = RUN_APP_RUNNING;
	assert_true(run_status_is_healthy(&run));
}

/* ---- /health ---- */

static void test_health(void **state)
{
	struct run_status_part *p = add(RUN_STATUS_SERVICE, "web");
	int one;

	(void)state;
	p->id = "web-host";
	p->address = "192.0.2.1";
	p->port = 80;
	p->output = "HTTP 200 OK";
	run_status_set(p, RUN_FACT_REGISTERED, 1);
	run_status_set(p, RUN_FACT_MAINTENANCE, 0);
	p = add(RUN_STATUS_BACKEND, "app");
	p->error = "connection refused";
	run_status_set(p, RUN_FACT_BEHIND, 1);
	(void)health();
	assert_json(json_get(0, "version"), "1.2.3");
	assert_json(json_get(0, "application"), "running");
	assert_false(is_true(json_get(0, "stopping")));
	assert_int_equal(json_get(0, "drain"), JSON_NONE);
	assert_int_equal(json_count(json_get(0, "services")), 1);
	one = json_first(json_get(0, "services"));
	assert_json(json_get(one, "name"), "web");
	assert_json(json_get(one, "id"), "web-host");
	assert_json(json_get(one, "address"), "192.0.2.1");
	assert_json(json_get(one, "output"), "HTTP 200 OK");
	assert_true(is_true(json_get(one, "registered")) && is_true(json_get(one, "passing")));
	assert_false(is_true(json_get(one, "maintenance")));
	assert_int_equal(json_get(one, "consul_error"), JSON_NONE);
	assert_int_equal(json_count(json_get(0, "backends")), 1);
	one = json_first(json_get(0, "backends"));
	assert_json(json_get(one, "name"), "app");
	assert_json(json_get(one, "consul_error"), "connection refused");
	assert_true(is_true(json_get(one, "behind")));
	assert_non_null(strstr(health(), "\"port\":80,"));
	assert_non_null(strstr(health(), "\"uptime_seconds\":93784.005,"));
	run.has_drain = run.is_stopping = true;
	run.drain_line = "";
	(void)health();
	assert_int_equal(json_get(0, "drain"), JSON_NONE); /* nothing to tell of it yet */
	run.drain_line = "is still answered";
	(void)health();
	assert_json(json_get(0, "drain"), "is still answered");
	assert_true(is_true(json_get(0, "stopping")));
}

static void test_escapes(void **state)
{
	struct run_status_part *p = add(RUN_STATUS_SERVICE, NASTY);
	int one;

	(void)state;
	p->id = p->address = p->output = p->error = run.drain_line = NASTY;
	run_status_set(p, RUN_FACT_PASSING, 0);
	run.has_drain = true;
	(void)health();
	assert_json(json_get(0, "drain"), NASTY_SHOWN);
	assert_json(json_first(json_get(0, "reasons")), NASTY_SHOWN ": its check fails: " NASTY_SHOWN);
	one = json_first(json_get(0, "services"));
	assert_json(json_get(one, "name"), NASTY_SHOWN);
	assert_json(json_get(one, "id"), NASTY_SHOWN);
	assert_json(json_get(one, "output"), NASTY_SHOWN);
	assert_non_null(
		strstr(metrics(), "\ndnsbuddy_check_passing{service=\"<i>&\\\"'\\\\??x\xe2\x82\xac\",id=\"<i>&\\\"'\\\\??"));
}

/* ---- /metrics ---- */

/* Every fact, of a part of its own kind, under a name of its own. */
static const char *const samples[RUN_FACTS] = {
	[RUN_FACT_REGISTERED] = "service_registered{service=\"web\",id=\"web-host\"} 1",
	[RUN_FACT_MAINTENANCE] = "service_maintenance{service=\"web\",id=\"web-host\"} 2",
	[RUN_FACT_REGISTRATIONS] = "service_registrations_total{service=\"web\",id=\"web-host\"} 3",
	[RUN_FACT_HEARTBEATS] = "service_heartbeats_total{service=\"web\",id=\"web-host\"} 4",
	[RUN_FACT_CALL_FAILURES] = "service_call_failures_total{service=\"web\",id=\"web-host\"} 5",
	[RUN_FACT_PASSING] = "check_passing{service=\"web\",id=\"web-host\"} 6",
	[RUN_FACT_CHECK_TIME] = "check_duration_seconds{service=\"web\",id=\"web-host\"} 0.007",
	[RUN_FACT_CHECKS] = "check_runs_total{service=\"web\",id=\"web-host\"} 8",
	[RUN_FACT_CHECK_FAILURES] = "check_failures_total{service=\"web\",id=\"web-host\"} 9",
	[RUN_FACT_INSTANCES] = "backend_instances{service=\"app\"} 10",
	[RUN_FACT_BEHIND] = "backend_behind{service=\"app\"} 11",
	[RUN_FACT_RUNS] = "backend_runs_total{service=\"app\"} 12",
	[RUN_FACT_RUN_FAILURES] = "backend_failures_total{service=\"app\"} 13",
};

static void test_samples(void **state)
{
	struct run_status_part *web = add(RUN_STATUS_SERVICE, "web"), *app = add(RUN_STATUS_BACKEND, "app");

	(void)state;
	web->id = "web-host";
	web->facts[RUN_FACT_PASSING].is_known = false;
	for (int f = 0; f < RUN_FACTS; f++) {
		char line[256];

		CHECK(samples[f], "no case for fact %d", f);
		/* What is not known is not told of, not even that there could be such a thing. */
		(void)snprintf(line, sizeof line, " dnsbuddy_%.*s ", (int)strcspn(samples[f], "{"), samples[f]);
		CHECK(!strstr(metrics(), line), "%s", samples[f]);
		run_status_set(strstr(samples[f], "\"web\"") ? web : app, (enum run_fact)f, f + 1);
		(void)snprintf(line, sizeof line, "\ndnsbuddy_%s\n", samples[f]);
		CHECK(shown_count(metrics(), line) == 1, "%s", samples[f]);
		(void)snprintf(line, sizeof line, "# TYPE dnsbuddy_%.*s %s\n", (int)strcspn(samples[f], "{"), samples[f],
			       strstr(samples[f], "_total") ? "counter" : "gauge");
		CHECK(shown_count(metrics(), line) == 1, "%s", line);
	}
	shown_check_families(metrics());
}

static void test_program(void **state)
{
	(void)state;
	assert_non_null(strstr(metrics(), "\ndnsbuddy_build_info{version=\"1.2.3\"} 1\n"));
	assert_non_null(strstr(metrics(), "\ndnsbuddy_uptime_seconds 93784.005\n"));
	assert_non_null(strstr(metrics(), "\ndnsbuddy_application_running 1\n"));
	assert_non_null(strstr(metrics(), "\ndnsbuddy_stopping 0\n"));
	run.app = RUN_APP_NONE;
	run.is_stopping = true;
	assert_non_null(strstr(metrics(), "\ndnsbuddy_application_running 0\n"));
	assert_non_null(strstr(metrics(), "\ndnsbuddy_stopping 1\n"));
	shown_check_families(metrics());
}

static void test_drain(void **state)
{
	static const char *const names[DRAIN_STATES] = {"before",   "asking",  "listed",  "silent", "ttl",
							"settling", "waiting", "clients", "over"};
	char line[64];

	(void)state;
	assert_int_equal(shown_count(metrics(), "\ndnsbuddy_drain_state{"), DRAIN_STATES);
	assert_null(strstr(metrics(), "\"} 1\ndnsbuddy_drain_state"));
	run.has_drain = true;
	for (int i = 0; i < DRAIN_STATES; i++) {
		run.drain = (enum drain_state)i;
		for (int k = 0; k < DRAIN_STATES; k++) {
			(void)snprintf(line, sizeof line, "\ndnsbuddy_drain_state{state=\"%s\"} %d\n", names[k], i == k);
			CHECK(strstr(metrics(), line), "%d: %s", i, line);
		}
	}
}

/* As many as there may be, with all facts and the longest texts, which all have to be escaped. */
static void test_room(void **state)
{
	static char name[256], id[384], output[512], error[ERR_TEXT_MAX];
	int status;

	(void)state;
	memset(name, '"', sizeof name - 1);
	memset(id, '"', sizeof id - 1);
	memset(output, '"', sizeof output - 1);
	memset(error, '"', sizeof error - 1);
	for (size_t i = 0; i < PARTS_MAX; i++) {
		struct run_status_part *p = add(i % 2 ? RUN_STATUS_BACKEND : RUN_STATUS_SERVICE, name);

		p->id = i % 2 ? NULL : id;
		p->output = output;
		p->error = error;
		p->address = "2001:db8:1111:2222:3333:4444:5555:6666";
		p->port = 65535;
		for (int f = 0; f < RUN_FACTS; f++)
			if ((i % 2 != 0) == (f >= RUN_FACT_INSTANCES))
				run_status_set(p, (enum run_fact)f, INT64_MIN / 1000);
		if (p->kind == RUN_STATUS_SERVICE)
			run_status_set(p, RUN_FACT_PASSING, 0);
	}
	assert_true(strlen(page("/health", &status)) > 100000);
	assert_true(strlen(metrics()) > 200000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_paths, set_up),   cmocka_unit_test_setup(test_healthy, set_up),
		cmocka_unit_test_setup(test_several, set_up), cmocka_unit_test_setup(test_health, set_up),
		cmocka_unit_test_setup(test_escapes, set_up), cmocka_unit_test_setup(test_samples, set_up),
		cmocka_unit_test_setup(test_program, set_up), cmocka_unit_test_setup(test_drain, set_up),
		cmocka_unit_test_setup(test_room, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
