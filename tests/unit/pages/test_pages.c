/* pages/pages: what /health, /metrics and / say of a status, and that they end where they must. */
#include "support.h"

#include "base/json.h"
#include "pages/pages.h"
#include "pages/shown.h"

/* Markup, quotes, a backslash, a control byte, broken UTF-8, and a character of three bytes. */
#define NASTY "<i>&\"'\\\n\xc3x\xe2\x82\xac"

static int setup(void **state)
{
	(void)state;
	shown_init();
	return 0;
}

/* ---- which page ---- */

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		int well, ill;
	} cases[] = {
		{"/", 200, 200},       {"/metrics", 200, 200}, {"/health", 200, 503}, {"/health/", 404, 404},
		{"/Health", 404, 404}, {"//", 404, 404},       {"", 404, 404},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status;

		shown.is_healthy = true;
		(void)shown_page(cases[i].path, SHOWN_CAP, &status);
		assert_int_equal(status, cases[i].well);
		shown.is_healthy = false;
		(void)shown_page(cases[i].path, SHOWN_CAP, &status);
		assert_int_equal(status, cases[i].ill);
	}
}

/* ---- /health ---- */

static int parse_health(void)
{
	const char *text = shown_at("/health");
	struct err e = {0};

	CHECK(!json_parse(text, strlen(text), &e), "%s: %s", e.text, text);
	return 0;
}

static void assert_json(int value, const char *wanted)
{
	char text[1024];

	assert_int_equal(json_string(value, text, sizeof text), 0);
	assert_string_equal(text, wanted);
}

static int64_t number(const char *key)
{
	int64_t n = -1;

	assert_int_equal(json_integer(json_get(0, key), &n), 0);
	return n;
}

static void test_health_well(void **state)
{
	bool healthy = false, leader = false;
	int record;

	(void)state;
	(void)shown_name("www.example.com");
	(void)parse_health();
	assert_int_equal(json_boolean(json_get(0, "healthy"), &healthy), 0);
	assert_int_equal(json_boolean(json_get(0, "leader"), &leader), 0);
	assert_true(healthy && leader);
	assert_int_equal(json_count(json_get(0, "reasons")), 0);
	assert_int_equal(json_count(json_get(0, "records")), 1);
	record = json_first(json_get(0, "records"));
	assert_json(json_get(record, "name"), "www.example.com");
	assert_json(json_get(record, "service"), "web");
	assert_json(json_get(record, "state"), "in sync");
	assert_json(json_get(record, "reason"), "");
	assert_true(shown_has("/health", "\"unconverged_seconds\":0.000,"));
}

static void test_health_ill(void **state)
{
	struct status_record *r;
	int reason;

	(void)state;
	(void)shown_name("www.example.com");
	(void)shown_failing("a.example.com");
	r = shown_failing("b.example.com");
	r->why = NULL;
	r->consul_error = "connect: connection refused";
	status_set(r, FACT_UNCONVERGED, 0);
	r = shown_failing("c.example.com");
	r->why = NULL;
	status_set(r, FACT_UNCONVERGED, 0);
	/* Told of, though it makes nobody unhealthy. */
	r = shown_name("d.example.com");
	r->state = STATUS_HELD;
	status_set(r, FACT_HELD, 1);
	r->why = "no leader";
	r->owner = "me";
	(void)parse_health();
	assert_int_equal(number("unhealthy"), 3);
	assert_int_equal(number("left_out"), 0);
	reason = json_first(json_get(0, "reasons"));
	assert_json(reason, "a.example.com: cloudflare: list records: status 502 (for 1 min)");
	assert_json(json_next(reason), "b.example.com: Consul: connect: connection refused");
	assert_json(json_next(json_next(reason)), "c.example.com: no answer from Consul");
	assert_int_equal(json_count(json_get(0, "reasons")), 3);
	assert_true(shown_has("/health", "\"unconverged_seconds\":75.250,"));
	assert_true(shown_has("/health", "\"owner\":\"me\",\"state\":\"held\",\"healthy\":true,"));
	assert_true(shown_has("/health", "\"reason\":\"1 removal held: no leader\""));
}

static void test_health_escapes(void **state)
{
	struct status_record *r = shown_failing("www.example.com");

	(void)state;
	r->service = NASTY;
	r->why = NASTY;
	(void)parse_health();
	assert_json(json_get(json_first(json_get(0, "records")), "service"), "<i>&\"'\\??x\xe2\x82\xac");
}

/* ---- text ---- */

static void test_utf8(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"\xc2\xa0 \xdf\xbf", "\xc2\xa0 \xdf\xbf"},
		{"\xc2\x9b \xe2\x80\xae \xe2\x80\xa9 \xe2\x81\xa9", "? ? ? ?"}, /* C1; direction, paragraph */
		{"\xe0\xa0\x80 \xed\x9f\xbf", "\xe0\xa0\x80 \xed\x9f\xbf"},
		{"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"},
		{"\x80 \xbf", "? ?"},
		{"\xc1\xbf \xc0\x80", "?? ??"}, /* longer than needed */
		{"\xe0\x9f\xbf \xf0\x8f\xbf\xbf", "??? ????"},
		{"\xed\xa0\x80", "???"},                            /* half a pair */
		{"\xf4\x90\x80\x80 \xf5\x80\x80\x80", "???? ????"}, /* past U+10FFFF */
		{"\xe2\x82", "??"},                                 /* cut off */
		{"\xf0\x9f\x98", "???"},
		{"\xc3", "?"},
		{"a\x7f\x1f"
		 "b",
		 "a??b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char wanted[64];

		shown_init();
		shown_name("x")->service = cases[i].text;
		(void)snprintf(wanted, sizeof wanted, "\"service\":\"%s\",", cases[i].shown);
		CHECK(shown_has("/health", wanted), "case %zu: %s", i, shown_at("/health"));
		(void)snprintf(wanted, sizeof wanted, "service=\"%s\"", cases[i].shown);
		CHECK(shown_has("/metrics", wanted), "case %zu: %s", i, shown_at("/metrics"));
		(void)snprintf(wanted, sizeof wanted, "service %s<", cases[i].shown);
		CHECK(shown_has("/", wanted), "case %zu: %s", i, shown_at("/"));
	}
}

/* ---- /metrics ---- */

static void test_metrics(void **state)
{
	struct status_record *r = shown_name("www.example.com");

	(void)state;
	status_set(r, FACT_WANTED, 3);
	status_set(r, FACT_HELD, 2);
	status_set(r, FACT_UNCONVERGED, 1005);
	status_set(r, FACT_LAST_SYNC, 1700000000);
	status_set(r, FACT_LAST_CHANGE, 1600000000);
	shown_instance(INSTANCE_PASSING, "192.0.2.1");
	shown_instance(INSTANCE_CRITICAL, "192.0.2.2");
	(void)shown_record("192.0.2.1");
	shown_record("192.0.2.2")->id[0] = '\0';
	shown_record("192.0.2.3")->is_ours = false;
	shown.api_calls[STATUS_CALL_WRITE][4] = 7;
	shown.api_calls[STATUS_CALL_LIST][0] = 8;
	shown.writes[2] = 9;
	shown.retries = UINT64_MAX;
	shown.api_left = 197;
	shown.api_end_sec = 2097824400;
	shown.roots_sec = 1749802000;
#define AT "{name=\"www.example.com\",service=\"web\"} "
	assert_true(shown_has("/metrics", "\ndnsbuddy_record_in_sync" AT "1\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_record_wanted" AT "3\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_record_actual" AT "1\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_record_held" AT "2\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_record_unconverged_seconds" AT "1.005\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_record_last_sync_timestamp_seconds" AT "1700000000\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_record_last_change_timestamp_seconds" AT "1600000000\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_consul_last_answer_age_seconds" AT "2.500\n"));
	assert_true(shown_has("/metrics", "service=\"web\",state=\"critical\"} 1\n"));
	assert_true(shown_has("/metrics", "calls_total{kind=\"write\",status=\"4xx\"} 7\n"));
	assert_true(shown_has("/metrics", "calls_total{kind=\"list\",status=\"none\"} 8\n"));
	assert_true(shown_has("/metrics", "writes_total{op=\"delete\"} 9\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_retries_total 18446744073709551615\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_cloudflare_requests_left 197\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_cloudflare_root_expiry_timestamp_seconds 2097824400\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_builtin_roots_timestamp_seconds 1749802000\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_build_info{version=\"1.2.3\"} 1\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_uptime_seconds 93784.005\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_records_left_out 0\n"));
	r->state = STATUS_HELD;
	r->owner = "a\"b";
	assert_true(shown_has("/metrics", "dnsbuddy_record_in_sync{name=\"www.example.com\","
					  "service=\"web\",owner=\"a\\\"b\"} 0\n"));
}

/* What is not known has no sample: no zero that looks like one. */
static void test_unknown(void **state)
{
	(void)state;
	(void)shown_name("www.example.com");
	assert_false(shown_has("/metrics", "dnsbuddy_record_last_sync_timestamp_seconds{"));
	assert_false(shown_has("/metrics", "dnsbuddy_record_last_change_timestamp_seconds{"));
	assert_false(shown_has("/metrics", "dnsbuddy_consul_last_answer_age_seconds{"));
	assert_false(shown_has("/metrics", "dnsbuddy_record_actual{"));
	assert_false(shown_has("/metrics", "dnsbuddy_record_instances{"));
	assert_false(shown_has("/metrics", "dnsbuddy_cloudflare_root_expiry"));
	assert_true(shown_has("/health", "\"unconverged_seconds\":"));
	shown_records[0].facts[FACT_UNCONVERGED].is_known = false;
	assert_false(shown_has("/health", "\"unconverged_seconds\":"));
}

static void test_metrics_families(void **state)
{
	struct status_record *r;

	(void)state;
	shown_check_families(shown_at("/metrics"));
	r = shown_name("www.example.com");
	r->service = NASTY;
	shown_instance(INSTANCE_WARNING, "192.0.2.1");
	(void)shown_name("b.example.com");
	shown_check_families(shown_at("/metrics"));
	assert_true(shown_has("/metrics", ",service=\"<i>&\\\"'\\\\??x\xe2\x82\xac\"} "));
}

/* ---- / ---- */

static void test_html_escapes(void **state)
{
	struct status_record *r = shown_failing("*.example.com");

	(void)state;
	r->service = r->owner = r->why = NASTY;
	shown.version = shown.lock_key = NASTY;
	shown.has_lock_key = true;
	shown_instance(INSTANCE_PASSING, "192.0.2.1");
	assert_int_equal(shown_count(shown_at("/"), "&lt;i&gt;&amp;&quot;&#39;\\??x\xe2\x82\xac"), 5);
	assert_false(shown_has("/", "<i>"));
	assert_false(shown_has("/", "<script"));
}

static void test_html_says(void **state)
{
	struct status_record *r;
	struct record *record;
	const char *text;

	(void)state;
	r = shown_name("www.example.com");
	status_set(r, FACT_LAST_CHANGE, SHOWN_NOW_SEC - 7260);
	status_set(r, FACT_WANTED, 2);
	assert_true(shown_has("/", "&check; Healthy"));
	assert_true(shown_has("/", "<p>1 name, in sync</p>"));
	assert_true(shown_has("/", "up 1 d 2 h"));
	assert_true(shown_has("/", "<time datetime=\"2023-11-14T22:13:20Z\">"
				   "2023-11-14 22:13:20 UTC</time>"));
	assert_true(shown_has("/", "<dd>2 h 1 min ago <small>"
				   "<time datetime=\"2023-11-14T20:12:20Z\">"));
	assert_true(shown_has("/", "<dt>Consul answered<dd>never</div>"));
	assert_false(shown_has("/", "Instances in Consul"));
	assert_false(shown_has("/", "Cloudflare"));
	shown_instance(INSTANCE_PASSING, "192.0.2.1");
	shown_instance(INSTANCE_PASSING, "192.0.2.2");
	shown_instance(INSTANCE_WARNING, "192.0.2.3");
	shown_instance(INSTANCE_CRITICAL, "192.0.2.4");
	shown_instance(INSTANCE_CRITICAL, "192.0.2.5");
	assert_false(shown_has("/", "not in DNS")); /* who knows? */
	(void)shown_record("192.0.2.1");
	shown_record("192.0.2.2")->id[0] = '\0';
	record = shown_record("192.0.2.4");
	record->is_leaving = true;
	record->state = INSTANCE_CRITICAL;
	record->ttl = 1;
	record = shown_record("192.0.2.9");
	record->is_ours = false;
	record->proxied = true;
	assert_true(shown_has("/", "Instances in Consul: 5<"));
	assert_true(shown_has("/", "Records at Cloudflare: 3<"));
	assert_true(shown_has("/", "<dt>At Cloudflare<dd>2<"));
	assert_int_equal(shown_count(shown_at("/"), "not in DNS"), 1);
	assert_true(shown_has("/", "192.0.2.2</code><small><b class=warn>not in DNS"));
	assert_int_equal(shown_count(shown_at("/"), "still in DNS"), 1);
	assert_true(shown_has("/", "192.0.2.4</code><small><b class=warn>still in DNS"));
	assert_true(shown_has("/", "TTL automatic, not wanted: critical<"));
	assert_true(shown_has("/", "TTL 60 s, proxied, not ours<"));
	/* worst first */
	text = shown_at("/");
	assert_true(strstr(text, ">critical<") < strstr(text, ">passing<"));
	assert_false(shown_has("/", "without address"));
	shown_count_of(r)->unaddressed_n = 2;
	memcpy(shown_count_of(r)->unaddressed, "node <n>", sizeof "node <n>");
	assert_true(shown_has("/", "<li class=warn><b>2 without address</b> node &lt;n&gt;</ul>"));
}

static void test_html_order(void **state)
{
	static const char *const names[] = {"unhealthy.", "failing.", "held.", "waiting.", "well."};
	const char *before, *at;

	(void)state;
	(void)shown_name("well.");
	shown_name("waiting.")->state = STATUS_WAITING;
	shown_name("held.")->state = STATUS_HELD;
	(void)shown_failing("failing.");
	shown_records[3].is_unhealthy = false;
	(void)shown_failing("unhealthy.");
	before = shown_at("/");
	assert_non_null(strstr(before, "&times; Unhealthy: unhealthy.<"));
	assert_non_null(strstr(before, "<p>5 names: 2 failing, 1 held, 1 waiting, 1 in sync</p>"));
	before = strstr(before, "<main>");
	for (size_t i = 0; i < COUNT(names); i++) {
		at = strstr(before, names[i]);
		CHECK(at, "%s is not behind the one before", names[i]);
		before = at;
	}
	shown_records[3].is_unhealthy = true;
	assert_true(shown_has("/", "&times; Unhealthy: 2 of 5 names<"));
}

static void test_html_roles(void **state)
{
	(void)state;
	shown_name("www.example.com")->state = STATUS_WAITING;
	assert_true(shown_has("/", "Waiting for Consul's first answer."));
	assert_false(shown_has("/", "Leader"));
	shown.has_lock_key = true;
	shown.lock_key = "the/key";
	assert_true(shown_has("/", "Leader (lock the/key)"));
	shown.is_leader = false;
	assert_true(shown_has("/", "Follower: another copy leads (lock the/key)"));
	assert_true(shown_has("/", "Another copy leads: this one writes nothing."));
}

/* Nobody is known to lead: every page says so, and why. */
static void test_leaderless(void **state)
{
	(void)state;
	shown_name("www.example.com")->state = STATUS_WAITING;
	assert_true(shown_has("/metrics", "\ndnsbuddy_leaderless_seconds 0\n"));
	shown.has_lock_key = shown.is_leaderless = true;
	shown.is_leader = false;
	shown.lock_key = "the/key";
	shown.leaderless_ms = 59500;
	assert_true(shown_has("/", "<p class=note>no leader known (for 59 s) (lock the/key)"));
	assert_true(shown_has("/", "Waiting for the lock."));
	assert_true(shown_has("/metrics", "\ndnsbuddy_leaderless_seconds 59\n"));
	assert_true(shown_has("/health", "\"reasons\":[],"));
	assert_false(shown_has("/health", "lock_error"));
	shown.lock_error = NASTY;
	shown.is_lock_unhealthy = true;
	shown.is_healthy = false;
	assert_true(shown_has("/", "Unhealthy: the lock</h1>"));
	assert_true(shown_has("/", "no leader known: &lt;i&gt;"));
	assert_true(shown_has("/health", "\"lock_error\":\"<i>&\\\"'"));
	assert_true(shown_has("/health", "\"reasons\":[\"lock: no leader known: <i>&\\\"'"));
	assert_true(shown_has("/health", "(for 59 s)\"],"));
	(void)shown_failing("b.example.com");
	assert_true(shown_has("/health", "(for 59 s)\",\"b.example.com: "));
	assert_true(shown_has("/", "Unhealthy: b.example.com<"));
}

/* ---- the tables: no state, kind or class is left out ---- */

static void test_every_state(void **state)
{
	static const struct {
		const char *word, *head;
	} cases[STATUS_STATES] = {
		[STATUS_WAITING] = {"waiting", "<details class=dim open><summary><h2>x</h2><b>&hellip; waiting</b>"},
		[STATUS_IN_SYNC] = {"in sync", "<details class=ok open><summary><h2>x</h2><b>&check; in sync</b>"},
		[STATUS_SYNCING] = {"syncing", "<details class=info open><summary><h2>x</h2><b>&rarr; syncing</b>"},
		[STATUS_HELD] = {"held", "<details class=warn open><summary><h2>x</h2><b>&#8214; held</b>"},
		[STATUS_FAILING] = {"failing", "<details class=bad open><summary><h2>x</h2><b>&times; failing</b>"},
	};
	char text[64];

	(void)state;
	for (int i = 0; i < STATUS_STATES; i++) {
		shown_init();
		shown_name("x")->state = (enum status_state)i;
		(void)snprintf(text, sizeof text, "<p>1 name, %s</p>", cases[i].word);
		CHECK(shown_has("/", text), "%d: %s", i, shown_at("/"));
		CHECK(shown_has("/", cases[i].head), "%d: %s", i, shown_at("/"));
		(void)snprintf(text, sizeof text, "\"state\":\"%s\",", cases[i].word);
		CHECK(shown_has("/health", text), "%d: %s", i, shown_at("/health"));
	}
	shown_init();
	for (int i = 0; i < STATUS_STATES; i++)
		shown_name("x")->state = (enum status_state)i;
	assert_true(shown_has("/", "<p>5 names: 1 failing, 1 held, 1 waiting, 1 syncing, 1 in sync</p>"));
	assert_int_equal(shown_count(shown_at("/"), "<details "), STATUS_STATES);
}

static void test_every_instance_state(void **state)
{
	static const char *const shown_as[INSTANCE_STATES] = {
		[INSTANCE_MAINTENANCE] = "<b class=info>maintenance</b>", [INSTANCE_VANISHED] = "<b class=dim>vanished</b>",
		[INSTANCE_CRITICAL] = "<b class=bad>critical</b>",        [INSTANCE_WARNING] = "<b class=warn>warning</b>",
		[INSTANCE_PASSING] = "<b class=ok>passing</b>",
	};

	(void)state;
	(void)shown_name("www.example.com");
	for (int i = 0; i < INSTANCE_STATES; i++)
		shown_instance((enum instance_state)i, "192.0.2.1");
	for (int i = 0; i < INSTANCE_STATES; i++)
		assert_true(shown_has("/", shown_as[i]));
	/* who vanished is not counted */
	assert_int_equal(shown_count(shown_at("/metrics"), "record_instances{"), INSTANCE_STATES - 1);
}

static void test_every_count(void **state)
{
	static const char *const kinds[STATUS_CALLS] = {
		[STATUS_CALL_ZONES] = "zones", [STATUS_CALL_LIST] = "list", [STATUS_CALL_WRITE] = "write"};
	static const char *const classes[STATUS_CLASSES] = {"none", NULL, "2xx", "3xx", "4xx", "5xx"};
	static const char *const ops[STATUS_WRITES] = {"create", "update", "delete"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < STATUS_CALLS; i++)
		for (size_t k = 0; k < STATUS_CLASSES; k++)
			shown.api_calls[i][k] = 10 * (i + 1) + k;
	for (size_t i = 0; i < STATUS_WRITES; i++)
		shown.writes[i] = i + 1;
	for (size_t i = 0; i < STATUS_CALLS; i++)
		for (size_t k = 0; k < STATUS_CLASSES; k++) {
			if (!classes[k])
				continue;
			(void)snprintf(text, sizeof text, "_calls_total{kind=\"%s\",status=\"%s\"} %zu\n", kinds[i], classes[k],
				       10 * (i + 1) + k);
			CHECK(shown_has("/metrics", text), "%s", text);
		}
	assert_int_equal(shown_count(shown_at("/metrics"), "_calls_total{"), STATUS_CALLS * (STATUS_CLASSES - 1));
	for (size_t i = 0; i < STATUS_WRITES; i++) {
		(void)snprintf(text, sizeof text, "_writes_total{op=\"%s\"} %zu\n", ops[i], i + 1);
		CHECK(shown_has("/metrics", text), "%s", text);
	}
}

/* A row of the list has all that its kind and place need, and names that are its own. */
static void test_every_fact(void **state)
{
	(void)state;
	for (int f = 0; f < FACTS; f++) {
		const struct fact_info *a = &fact_infos[f];
		bool is_seconds = a->kind == FACT_IS_AGE || a->kind == FACT_IS_TIME;

		assert_true(a->metric[0] && a->help[0]);
		CHECK(ENDS(a->metric) && ENDS(a->help) && ENDS(a->label), "%s", a->metric);
		CHECK(!a->in_health || strncmp(a->metric, "record_", 7) == 0, "%s: its key in /health", a->metric);
		CHECK(strstr(a->metric, "_seconds") || !is_seconds, "%s: the unit", a->metric);
		CHECK(a->label[0] || a->shown == FACT_KNOWN, "%s: when it is on the page, and how not", a->metric);
		for (int k = 0; k < f; k++)
			CHECK(strcmp(a->metric, fact_infos[k].metric) != 0, "%s: twice", a->metric);
	}
}

/* ---- the lines about a name ---- */

static void test_html_facts(void **state)
{
	struct status_record *r;

	(void)state;
	r = shown_name("www.example.com");
	r->facts[FACT_WANTED].is_known = false;
	assert_true(shown_has("/", "<dl><div><dt>Consul answered<dd>never</div></dl>"));
	status_set(r, FACT_WANTED, 4);
	status_set(r, FACT_CONSUL_AGE, 61999);
	r->has_records = true;
	assert_true(shown_has("/", "<dl><div><dt>Wanted<dd>4</div><div><dt>At Cloudflare<dd>0</div>"
				   "<div><dt>Consul answered<dd>1 min ago</div></dl>"));
	status_set(r, FACT_HELD, 2);
	status_set(r, FACT_LAST_CHANGE, SHOWN_NOW_SEC - 3);
	status_set(r, FACT_LAST_SYNC, SHOWN_NOW_SEC - 5);
	assert_true(shown_has("/", "<dd>0</div><div><dt>Held<dd>2</div><div><dt>Last change<dd>3 s ago <small>"
				   "<time datetime=\"2023-11-14T22:13:17Z\">2023-11-14 22:13:17 UTC</time></small></div>"
				   "<div><dt>Consul answered<dd>"));
	r->state = STATUS_SYNCING;
	assert_true(shown_has("/", "UTC</time></small></div><div><dt>Last in sync<dd>5 s ago <small>"
				   "<time datetime=\"2023-11-14T22:13:15Z\">"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_paths),        TEST(test_health_well),
		TEST(test_health_ill),   TEST(test_health_escapes),
		TEST(test_utf8),         TEST(test_metrics),
		TEST(test_unknown),      TEST(test_metrics_families),
		TEST(test_html_escapes), TEST(test_html_says),
		TEST(test_html_order),   TEST(test_html_roles),
		TEST(test_every_state),  TEST(test_every_instance_state),
		TEST(test_every_count),  TEST(test_every_fact),
		TEST(test_html_facts),   TEST(test_leaderless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
