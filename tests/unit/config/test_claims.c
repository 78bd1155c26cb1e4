/* Who gets which name: one answer of the catalog, and the next. */
#include "support.h"

#include "base/json.h"
#include "base/memory.h"
#include "config/claims.h"
#include "config/conf.h"

#define BASE "CLOUDFLARE_API_TOKEN=tok-12345|DNSBUDDY_DISCOVER=true|DNSBUDDY_OWNER=me|DNSBUDDY_DISCOVER_ALLOW=*.example.com|"
#define R(name) "\"dnsbuddy.record=" name ".example.com\""
#define JSON_CAP 1048576

static struct claims *now, *before;

static int set_up(void **state)
{
	struct err e = {0};

	(void)state;
	if (!now) {
		now = memory_reserve(sizeof *now);
		before = memory_reserve(sizeof *before);
	}
	assert_non_null(now);
	assert_non_null(before);
	claims_begin(before, NULL);
	claims_begin(now, NULL);
	CHECK(conf_read("", BASE, NULL, &e) == 0, "%s", e.text);
	return 0;
}

/* Take an answer, {"service": [tag...]...}, after the last. Returns -1 with *e when it cannot be. */
static int try_answer(const char *json, enum evidence_gap gap, struct err *e)
{
	static char text[JSON_CAP];
	struct claims *next = before;
	char service[JOB_TEXT_CAP];

	(void)snprintf(text, sizeof text, "%s", json);
	claims_begin(next, now);
	assert_int_equal(json_parse(text, strlen(text), e), 0);
	for (int m = json_first(0); m != JSON_NONE; m = json_next(m)) {
		assert_int_equal(json_string(m, service, sizeof service), 0);
		if (claims_take(next, now, conf.discover_prefix, service, json_value(m), e))
			return -1;
	}
	if (claims_end(next, now, &conf, gap, e))
		return -1;
	before = now;
	now = next;
	return 0;
}

static void answer_as(const char *json, enum evidence_gap gap)
{
	struct err e = {0};

	CHECK(try_answer(json, gap, &e) == 0, "%s", e.text);
}

static void answer(const char *json)
{
	answer_as(json, EVIDENCE_OK);
}

/* "www:web a:api!2 ": name, service, and the verdict if it is none that grants. */
static const char *shown(void)
{
	static char text[65536];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < now->n; i++) {
		const struct claim *c = &now->of[i];

		len += (size_t)snprintf(text + len, sizeof text - len, "%.*s:%s", (int)strcspn(c->name, "."), c->name,
					c->by->tags.service);
		if (c->verdict != CLAIM_GRANTED)
			len += (size_t)snprintf(text + len, sizeof text - len, "!%c", "?btacr"[c->verdict]);
		len += (size_t)snprintf(text + len, sizeof text - len, " ");
	}
	return text;
}

/* Each by itself. */
static const struct {
	const char *json, *shown;
} answers[] = {
	{"{}", ""},
	{"{\"consul\":[],\"web\":null}", ""},
	{"{\"web\":[\"v1\",\"dnsbuddyrecord=a.example.com\",\"dnsbuddy\"]}", ""},
	{"{\"web\":[" R("www") "]}", "www:web "},
	{"{\"web\":[\"v1\"," R("www") ",\"dnsbuddy.ttl=90\"]}", "www:web "},
	{"{\"web\":[" R("www") "," R("a") "]}", "a:web www:web "},
	{"{\"web\":[\"dnsbuddy.record=www.example.com,a.example.com,www.example.com\"," R("a") "]}", "a:web www:web "},
	{"{\"web\":[" R("www") "," R("WWW") "," R("www") "]}", "www:web "},
	{"{\"web\":[" R("www") "],\"api\":[" R("api") "]}", "api:api www:web "},
	{"{\"web\":[\"dnsbuddy.ttl=90\"]}", ""},
	/* two want it: neither gets it */
	{"{\"web\":[" R("www") "," R("w") "],\"api\":[" R("www") "]}", "w:web www:api!t www:web!t "},
	{"{\"c\":[" R("www") "],\"web\":[" R("www") "],\"api\":[" R("WWW") "]}", "www:api!t www:c!t www:web!t "},
	/* also when one of them is wrong itself */
	{"{\"web\":[" R("www") "],\"api\":[" R("www") ",\"dnsbuddy.ttl=0\"]}", "www:api!b www:web!t "},
	/* a wrong tag spoils all names of its service, and no other */
	{"{\"web\":[" R("www") "," R("a") ",\"dnsbuddy.ttl=0\"],\"api\":[" R("api") "]}", "a:web!b api:api www:web!b "},
	{"{\"web\":[" R("www") ",\"dnsbuddy.ttl=60\",\"dnsbuddy.ttl=90\"]}", "www:web!b "},
	{"{\"web\":[\"dnsbuddy.record=\"]}", ":web!b "},
	{"{\"web\":[\"dnsbuddy.record\"],\"api\":[\"dnsbuddy.x=y\"]}", ":api!b :web!b "},
	{"{\"web\":[\"dnsbuddy.record=www.example.com\\u0000\"]}", ":web!b "},
	{"{\"web\":[\"dnsbuddy.record=\\ud800.example.com\"]}", ":web!b "},
	{"{\"..\":[" R("www") "]}", "www:..!b "},
	/* what is not allowed */
	{"{\"web\":[\"dnsbuddy.record=www.example.org\"," R("www") "]}", "www:web www:web!a "},
	{"{\"web\":[\"dnsbuddy.record=*.example.com\"]}", "*:web!a "},
	{"{\"web\":[\"dnsbuddy.record=example.com\"]}", "example:web!a "},
	{"{\"web\":[\"dnsbuddy.record=www.example.com.evil.org\"]}", "www:web!a "},
};

static void test_answers(void **state)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		(void)set_up(state);
		answer(answers[i].json);
		CHECK(strcmp(shown(), answers[i].shown) == 0, "%s: %s", answers[i].json, shown());
	}
}

static const char *why(const char *name)
{
	static struct err e;
	const struct claim *claim = claims_find(now, name);

	CHECK(claim, "no claim on %s", name);
	e = (struct err){0};
	return claims_why(claim, &conf, &e);
}

static void test_why(void **state)
{
	(void)state;
	answer("{\"web\":[" R("www") ",\"dnsbuddy.ttl=0\"],\"x\":[" R("a") "],\"y\":[" R("a") ",\"dnsbuddy.record=a.org\"]}");
	assert_string_equal(why("www.example.com"), "tag \"dnsbuddy.ttl=0\": 1 (automatic), or 30 to 86400 seconds");
	assert_string_equal(why("a.example.com"), "two services claim it");
	assert_string_equal(why("a.org"), "--discover-allow does not allow it");
}

static void test_job(void **state)
{
	struct job job;

	(void)state;
	answer("{\"web\":[" R("www") ",\"dnsbuddy.ttl=90\",\"dnsbuddy.proxied=true\"]}");
	claims_job(claims_find(now, "www.example.com"), &conf, &job);
	assert_string_equal(job.name, "www.example.com");
	assert_string_equal(job.service, "web");
	assert_string_equal(job.owner, "me");
	assert_int_equal(job.ttl, 90);
	assert_int_equal(job.proxied, PROXIED_ON);
	assert_null(claims_find(now, "ww.example.com"));
	assert_null(claims_find(now, "x.example.com"));
	assert_null(claims_find_by(now, "api"));
	assert_string_equal(claims_find_by(now, "web")->tags.service, "web");
}

/* Names of the configuration go first, whoever's they are there. */
static void test_configured(void **state)
{
	struct err e = {0};

	(void)state;
	CHECK(conf_read("", BASE "DNSBUDDY_CONFIG=%|",
			"{\"records\":[{\"service\":\"s\",\"record\":\"www.example.com\",\"owner\":\"you\"},"
			"{\"service\":\"s\",\"record\":\"b.example.com\",\"owner\":\"you\"}]}",
			&e) == 0,
	      "%s", e.text);
	answer("{\"web\":[" R("www") "," R("a") "],\"api\":[" R("www") "]}");
	assert_string_equal(shown(), "a:web www:api!c www:web!c ");
}

/* By another configuration, without another answer. */
static void test_judged_anew(void **state)
{
	struct err e = {0};

	(void)state;
	answer("{\"web\":[" R("www") "," R("a") "],\"api\":[" R("api") "],\"z\":[" R("z") ",\"dnsbuddy.x=\"]}");
	CHECK(conf_read("", BASE "SERVICE=s|RECORD=api.example.com|", NULL, &e) == 0, "%s", e.text);
	(void)snprintf(conf.discover_allow, sizeof conf.discover_allow, "a.example.com,api.example.com");
	claims_judge(now, &conf);
	assert_string_equal(shown(), "a:web api:api!c www:web!a z:z!b ");
	assert_int_equal(now->granted_n, 1);
	assert_int_equal(claims_find(now, "www.example.com")->before, CLAIM_GRANTED);
	(void)snprintf(conf.discover_allow, sizeof conf.discover_allow, "*.example.com");
	conf.jobs_n = 0;
	claims_judge(now, &conf);
	assert_string_equal(shown(), "a:web api:api www:web z:z!b ");
	assert_int_equal(claims_find(now, "www.example.com")->before, CLAIM_NOT_ALLOWED);
	assert_int_equal(claims_find(now, "a.example.com")->before, CLAIM_GRANTED);
	/* Of a service that has vanished no name is left that it lost. */
	answer("{}");
	(void)snprintf(conf.discover_allow, sizeof conf.discover_allow, "a.example.com");
	claims_judge(now, &conf);
	claims_judge(now, &conf);
	assert_string_equal(shown(), "a:web ");
}

/* In whatever order services and tags come. */
static void test_order(void **state)
{
	static const char *const services[] = {"\"web\":[\"dnsbuddy.ttl=90\"," R("www") "," R("b") "]",
					       "\"api\":[" R("api") "," R("b") "]", "\"z\":[" R("z") ",\"dnsbuddy.proxied=1\"]",
					       "\"bad\":[" R("z1") ",\"dnsbuddy.x=1\"]"};
	static char first[1024];

	for (size_t turn = 0; turn < COUNT(services); turn++) {
		char json[1024] = "{";

		(void)set_up(state);
		for (size_t i = 0; i < COUNT(services); i++)
			(void)snprintf(json + strlen(json), 256, "%s%s", i ? "," : "",
				       services[(i * (turn % 2 ? 3 : 1) + turn) % 4]);
		(void)snprintf(json + strlen(json), 2, "}");
		answer(json);
		if (!turn)
			(void)snprintf(first, sizeof first, "%s", shown());
		assert_string_equal(shown(), first);
	}
	assert_string_equal(first, "api:api b:api!t b:web!t www:web z:z z1:bad!b ");
}

/* A service that is no longer listed keeps its names, with its last tags. */
static void test_vanishes(void **state)
{
	struct job job;

	(void)state;
	answer("{\"web\":[" R("www") ",\"dnsbuddy.ttl=90\"],\"bad\":[" R("b") ",\"dnsbuddy.x=1\"]}");
	for (int i = 0; i < 3; i++) {
		answer("{\"api\":[]}");
		assert_string_equal(shown(), "www:web ");
		assert_true(claims_find_by(now, "web")->is_gone);
		claims_job(claims_find(now, "www.example.com"), &conf, &job);
		assert_int_equal(job.ttl, 90);
	}
	/* Its tags went: it claims no more. */
	answer("{\"web\":[]}");
	assert_string_equal(shown(), "");
	assert_null(claims_find_by(now, "web"));
}

/* Blue gives way to green, but only when it is sure that it has gone. */
static void test_takes_over(void **state)
{
	(void)state;
	answer("{\"blue\":[" R("www") "," R("a") "]}");
	answer_as("{\"green\":[" R("www") "]}", EVIDENCE_FILTERED);
	assert_string_equal(shown(), "a:blue www:blue!t www:green!t ");
	assert_false(claims_find_by(now, "blue")->is_gone);
	answer_as("{\"green\":[" R("www") "]}", EVIDENCE_FILTERED); /* for as long as that is so */
	assert_string_equal(shown(), "a:blue www:blue!t www:green!t ");
	answer("{\"green\":[" R("www") "]}");
	assert_string_equal(shown(), "a:blue www:green ");
	/* Both are gone: it stays with the last who had it. */
	answer("{}");
	assert_string_equal(shown(), "a:blue www:green ");
	answer("{\"blue\":[" R("www") "]}");
	assert_string_equal(shown(), "www:blue ");
}

/* One that was listed again is as any other. */
static void test_comes_back(void **state)
{
	(void)state;
	answer("{\"web\":[" R("www") "]}");
	answer("{}");
	answer("{\"web\":[" R("www") "],\"api\":[" R("www") "]}");
	assert_string_equal(shown(), "www:api!t www:web!t ");
	assert_false(claims_find_by(now, "web")->is_gone);
}

static const char *many(const char *service, int from, int n)
{
	static char json[JSON_CAP / 2];
	size_t len = (size_t)snprintf(json, sizeof json, "\"%s\":[\"dnsbuddy.record=", service);

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(json + len, sizeof json - len, "%sn%05d.example.com", i ? "," : "", from + i);
	(void)snprintf(json + len, sizeof json - len, "\"]");
	return json;
}

static size_t count(enum claim_verdict verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < now->n; i++)
		n += now->of[i].verdict == verdict;
	return n;
}

/* There is room for so many names; who has one keeps it, whatever the newcomers are called. */
static void test_room(void **state)
{
	static char json[JSON_CAP];
	struct err e = {0};

	(void)state;
	(void)snprintf(json, sizeof json, "{%s}", many("web", 1000, CONFIG_RECORDS_MAX - 1));
	answer(json);
	assert_int_equal(now->granted_n, CONFIG_RECORDS_MAX - 1);
	(void)snprintf(json, sizeof json, "{\"a\":[" R("a1") "," R("a2") "," R("z") "],%s}",
		       many("web", 1000, CONFIG_RECORDS_MAX - 1));
	answer(json);
	assert_int_equal(now->granted_n, CONFIG_RECORDS_MAX);
	assert_int_equal(count(CLAIM_GRANTED), CONFIG_RECORDS_MAX);
	assert_int_equal(count(CLAIM_NO_ROOM), 2);
	assert_int_equal(claims_find(now, "a1.example.com")->verdict, CLAIM_GRANTED);
	assert_int_equal(claims_find(now, "a2.example.com")->verdict, CLAIM_NO_ROOM);
	/* Judged anew, nobody loses anything. */
	claims_judge(now, &conf);
	assert_int_equal(now->granted_n, CONFIG_RECORDS_MAX);
	assert_int_equal(claims_find(now, "a1.example.com")->verdict, CLAIM_GRANTED);
	/* A configuration that takes a place of it: the next ones find less room. */
	CHECK(conf_read("", BASE "SERVICE=s|RECORD=x.example.com|", NULL, &e) == 0, "%s", e.text);
	answer(json);
	assert_int_equal(now->granted_n, CONFIG_RECORDS_MAX);
	(void)set_up(state);
	CHECK(conf_read("", BASE "SERVICE=s|RECORD=x.example.com|", NULL, &e) == 0, "%s", e.text);
	answer(json);
	assert_int_equal(now->granted_n, CONFIG_RECORDS_MAX - 1);
	assert_int_equal(count(CLAIM_NO_ROOM), 3);
}

/* More than can be taken at all: the answer is not, and the last stays. */
static void test_limits(void **state)
{
	static char json[JSON_CAP];
	struct err e = {0};
	size_t len;

	(void)state;
	answer("{\"web\":[" R("www") "]}");
	len = (size_t)snprintf(json, sizeof json, "{");
	for (int i = 0; i < CLAIMS_MAX / 1024; i++)
		len += (size_t)snprintf(json + len, sizeof json - len, "%s\"s%d\":%s", i ? "," : "", i,
					strchr(many("s", i * 1024, 1024), ':') + 1);
	(void)snprintf(json + len, sizeof json - len, "}");
	assert_int_equal(try_answer(json, EVIDENCE_OK, &e), -1); /* with www's */
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_string_equal(shown(), "www:web ");
	answer("{\"web\":[]}");
	e = (struct err){0};
	CHECK(try_answer(json, EVIDENCE_OK, &e) == 0, "%s", e.text);
	assert_int_equal(now->n, CLAIMS_MAX);
	/* One service more than there may be. */
	len = (size_t)snprintf(json, sizeof json, "{");
	for (int i = 0; i <= CLAIMS_MAX; i++)
		len += (size_t)snprintf(json + len, sizeof json - len, "%s\"s%d\":[\"dnsbuddy.ttl=60\"]", i ? "," : "", i);
	(void)snprintf(json + len, sizeof json - len, "}");
	assert_int_equal(try_answer(json, EVIDENCE_OK, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

/* So much from one service spoils its own names alone. */
static void test_large(void **state)
{
	static char json[JSON_CAP];
	const int least = CLAIMS_TAGS_CAP / 19; /* of the names */

	(void)state;
	for (int over = 0; over < 2; over++) {
		(void)set_up(state);
		(void)snprintf(json, sizeof json, "{%s,\"api\":[" R("api") "]}", many("web", 0, over ? least + 1 : 1024));
		answer(json);
		assert_int_equal(claims_find(now, "api.example.com")->verdict, CLAIM_GRANTED);
		assert_int_equal(claims_find_by(now, "web")->is_bad, over);
		if (over) {
			assert_string_equal(shown(), ":web!b api:api ");
			assert_string_equal(why(""), "there are too many tags");
		}
	}
	/* By many tags, too. */
	(void)set_up(state);
	{
		size_t len = (size_t)snprintf(json, sizeof json, "{\"web\":[");

		for (int i = 0; i < 2000; i++)
			len += (size_t)snprintf(json + len, sizeof json - len, "%s\"dnsbuddy.record=n%d.example.com\"",
						i ? "," : "", i);
		(void)snprintf(json + len, sizeof json - len, "],\"api\":[" R("api") "]}");
	}
	answer(json);
	assert_string_equal(shown(), ":web!b api:api ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answers, set_up),     cmocka_unit_test_setup(test_why, set_up),
		cmocka_unit_test_setup(test_job, set_up),         cmocka_unit_test_setup(test_configured, set_up),
		cmocka_unit_test_setup(test_judged_anew, set_up), cmocka_unit_test_setup(test_order, set_up),
		cmocka_unit_test_setup(test_vanishes, set_up),    cmocka_unit_test_setup(test_takes_over, set_up),
		cmocka_unit_test_setup(test_comes_back, set_up),  cmocka_unit_test_setup(test_room, set_up),
		cmocka_unit_test_setup(test_limits, set_up),      cmocka_unit_test_setup(test_large, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
