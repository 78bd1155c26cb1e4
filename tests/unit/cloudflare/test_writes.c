/* Writing records: the requests, compared as JSON, and which answers are taken for a yes. */
#include "support.h"

#include <limits.h>

#include "base/json.h"
#include "cloudflare/writes.h"
#include "core/spec.h"

#define MAX 8

/* An id: a hexadecimal digit and 31 zeros. */
#define ID(digit) digit "0000000000000000000000000000000"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct target_hosts hosts;
static struct target want[MAX];
static struct record have[MAX];
static struct op ops[MAX], *picked[MAX];
static struct job job = {.types = JOB_TYPES, .name = "www.example.com"};
static struct cf_part part;
static struct cf_write w;

/* "+1.1.1.1/60 ~a=1.1.1.1/60 -b": as spec_plan() writes it; p after a ttl: proxied. */
static void set_ops(const char *text, const char *owner, bool is_single)
{
	char copy[512], *save = NULL;
	size_t n = 0;

	hosts.len = 0;
	memset(ops, 0, sizeof ops);
	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save), n++) {
		struct op *op = &ops[n];
		char *slash = strchr(p, '/'), *equals = strchr(p, '=');

		op->kind = *p == '+' ? OP_CREATE : *p == '~' ? OP_UPDATE : OP_DELETE;
		op->ttl = slash ? (uint32_t)strtoul(slash + 1, NULL, 10) : 0;
		op->proxied = slash && strchr(slash, 'p');
		if (slash)
			*slash = '\0';
		if (equals)
			*equals = '\0';
		if (op->kind != OP_CREATE) {
			(void)snprintf(have[n].id, sizeof have[n].id, ID("%s"), p + 1);
			op->record = &have[n];
		}
		if (op->kind != OP_DELETE) {
			assert_int_equal(spec_targets(equals ? equals + 1 : p + 1, &want[n], &hosts), 1);
			op->target = &want[n];
		}
		picked[n] = op;
	}
	(void)snprintf(job.owner, sizeof job.owner, "%s", owner ? owner : "");
	part = (struct cf_part){.job = &job, .ops = picked, .ops_n = n};
	w = (struct cf_write){.zone_id = "z0ne", .parts = &part, .parts_n = 1, .is_single = is_single};
}

static const char *body(void)
{
	static char text[CF_BODY_CAP];
	struct buf b;

	buf_init(&b, text, sizeof text);
	cf_write_body(&b, &w);
	assert_true(buf_ok(&b));
	return text;
}

static const char *target(void)
{
	static char text[256];
	struct buf b;

	buf_init(&b, text, sizeof text);
	cf_write_target(&b, &w);
	return text;
}

static int parse_body(void)
{
	const char *text = body();
	struct err e = {0};

	CHECK(json_parse(text, strlen(text), &e) == 0, "%s: %s", text, e.text);
	return 0;
}

static void check_record(int object, const char *id, const char *type, const char *content, int ttl, bool proxied,
			 const char *comment)
{
	int64_t got_ttl = 0;
	bool got_proxied = !proxied;

	CHECK(id ? json_equals(json_get(object, "id"), id) : json_get(object, "id") == JSON_NONE, "id");
	assert_true(json_equals(json_get(object, "type"), type));
	assert_true(json_equals(json_get(object, "name"), "www.example.com"));
	assert_true(json_equals(json_get(object, "content"), content));
	assert_int_equal(json_integer(json_get(object, "ttl"), &got_ttl), 0);
	assert_int_equal(got_ttl, ttl);
	assert_int_equal(json_boolean(json_get(object, "proxied"), &got_proxied), 0);
	assert_int_equal(got_proxied, proxied);
	if (comment)
		assert_true(json_equals(json_get(object, "comment"), comment));
	/* An update leaves comment, tags and settings alone. */
	assert_int_equal(json_count(object), 5 + (id != NULL) + (comment != NULL));
}

static void test_batch_body(void **state)
{
	int root, list;

	(void)state;
	set_ops("+1.1.1.1/60 +2001:db8::1/1p ~a=2.2.2.2/300 -b -c", NULL, false);
	root = parse_body();
	assert_int_equal(json_count(root), 3);
	list = json_get(root, "posts");
	assert_int_equal(json_count(list), 2);
	check_record(json_first(list), NULL, "A", "1.1.1.1", 60, false, "managed by dnsbuddy");
	check_record(json_next(json_first(list)), NULL, "AAAA", "2001:db8::1", 1, true, "managed by dnsbuddy");
	list = json_get(root, "patches");
	assert_int_equal(json_count(list), 1);
	check_record(json_first(list), ID("a"), "A", "2.2.2.2", 300, false, NULL);
	list = json_get(root, "deletes");
	assert_int_equal(json_count(list), 2);
	assert_int_equal(json_count(json_first(list)), 1);
	assert_true(json_equals(json_get(json_first(list), "id"), ID("b")));
	assert_true(json_equals(json_get(json_next(json_first(list)), "id"), ID("c")));
	assert_string_equal(cf_write_method(&w), "POST");
	assert_string_equal(target(), "/zones/z0ne/dns_records/batch");
}

static void test_only_lists_that_are_needed(void **state)
{
	static const struct {
		const char *ops, *list;
	} cases[] = {
		{"+1.1.1.1/60", "posts"},
		{"~a=1.1.1.1/60", "patches"},
		{"-a", "deletes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		set_ops(cases[i].ops, NULL, false);
		assert_int_equal(json_count(parse_body()), 1);
		assert_int_equal(json_count(json_get(0, cases[i].list)), 1);
	}
}

static void test_single(void **state)
{
	(void)state;
	set_ops("+lb.example.net/60", "web", true);
	check_record(parse_body(), NULL, "CNAME", "lb.example.net", 60, false, "managed by dnsbuddy owner=web");
	assert_string_equal(cf_write_method(&w), "POST");
	assert_string_equal(target(), "/zones/z0ne/dns_records");
	/* A comment is a text, whatever goes into it. */
	set_ops("+lb.example.net/60", "a\"b\\c", true);
	check_record(parse_body(), NULL, "CNAME", "lb.example.net", 60, false, "managed by dnsbuddy owner=a\"b\\c");
	set_ops("~a=1.1.1.1/60", "web", true);
	(void)snprintf(have[0].id, sizeof have[0].id, "a?b");
	check_record(parse_body(), NULL, "A", "1.1.1.1", 60, false, NULL);
	assert_string_equal(cf_write_method(&w), "PATCH");
	assert_string_equal(target(), "/zones/z0ne/dns_records/a%3Fb");
	set_ops("-a", "web", true);
	assert_string_equal(body(), "");
	assert_string_equal(cf_write_method(&w), "DELETE");
	assert_string_equal(target(), "/zones/z0ne/dns_records/" ID("a"));
}

/* What is left of somebody's record is its id: it is marked, and not when its TTL alone changes. */
static void test_made_ours(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool is_unmarked = i & 1, has_comment = i & 2;

		set_ops("~a=new.example.net/60", NULL, true);
		memset(&have[0].target, 0, sizeof have[0].target);
		assert_int_equal(spec_targets("old.example.net", &have[0].target, &hosts), 1);
		have[0].is_unmarked = is_unmarked;
		have[0].has_comment = has_comment;
		check_record(parse_body(), NULL, "CNAME", "new.example.net", 60, false,
			     is_unmarked && !has_comment ? "managed by dnsbuddy" : NULL);
		have[0].target = want[0];
		check_record(parse_body(), NULL, "CNAME", "new.example.net", 60, false, NULL);
	}
	have[0].is_unmarked = have[0].has_comment = false;
}

/* As many and as long ones as there can be. */
static void test_largest_body(void **state)
{
	static struct op many[CF_BATCH_MAX], *pick[CF_BATCH_MAX];
	static struct job longest;
	static struct record record;
	struct target t;

	(void)state;
	memset(longest.name, 'a', sizeof longest.name - 1);
	memset(longest.owner, 'o', sizeof longest.owner - 1);
	memset(record.id, 'f', RECORD_ID_CAP - 1);
	t = (struct target){.type = RECORD_CNAME, .host = longest.name};
	for (size_t i = 0; i < CF_BATCH_MAX; i++) {
		many[i] = (struct op){
			.kind = i % 2 ? OP_CREATE : OP_UPDATE, .ttl = 86400, .target = &t, .record = i % 2 ? NULL : &record};
		pick[i] = &many[i];
	}
	part = (struct cf_part){.job = &longest, .ops = pick, .ops_n = CF_BATCH_MAX};
	w = (struct cf_write){.zone_id = "z", .parts = &part, .parts_n = 1};
	(void)parse_body();
	assert_int_equal(json_count(json_get(0, "posts")), CF_BATCH_MAX / 2);
}

/* ---- answers ---- */

#define SHOWN(id, type, content)                                                                                                   \
	"{\"id\":\"" ID(id) "\",\"type\":\"" type "\",\"name\":\"www.example.com\",\"content\":\"" content                         \
			    "\",\"ttl\":60,\"proxied\":false,\"comment\":\"\"}"
#define OTHER                                                                                                                      \
	"{\"id\":\"" ID("0") "\",\"type\":\"A\",\"name\":\"x.example.com\",\"content\":\"1.1.1.1\",\"ttl\":60,\"proxied\":false}"

static const struct {
	const char *ops;
	bool is_single;
	const char *result;
	int rc;
	enum err_kind kind;
} answers[] = {
	{"+1.1.1.1/60", false, "{\"posts\":[" SHOWN("1", "A", "1.1.1.1") "],\"deletes\":[],\"patches\":null}", 0, ERR_NONE},
	{"+1.1.1.1/60 +1.1.1.2/60", false, "{\"posts\":[" SHOWN("2", "A", "1.1.1.2") "," SHOWN("1", "A", "1.1.1.1") "]}", 0,
	 ERR_NONE},
	{"+2001:db8::1/60", false, "{\"posts\":[" SHOWN("1", "AAAA", "2001:DB8:0:0::1") "]}", 0, ERR_NONE},
	{"~a=1.1.1.1/60", false, "{\"patches\":[" SHOWN("a", "A", "1.1.1.1") "]}", 0, ERR_NONE},
	{"+lb.example.net/60", false, "{\"posts\":[" SHOWN("1", "CNAME", "LB.example.net") "]}", 0, ERR_NONE},
	{"-a", false, "{\"deletes\":[]}", 0, ERR_NONE},
	{"-a", false, "{\"deletes\":[{\"id\":\"a\"}],\"posts\":[]}", 0, ERR_NONE},
	{"-a +1.1.1.1/60", false, "{\"deletes\":[],\"posts\":[" SHOWN("1", "A", "1.1.1.1") "]}", 0, ERR_NONE},
	/* not everything is shown */
	{"+1.1.1.1/60", false, "{\"posts\":[]}", -1, ERR_RETRY},
	{"+1.1.1.1/60", false, "{}", -1, ERR_RETRY},
	{"+1.1.1.1/60", false, "null", -1, ERR_RETRY},
	{"+1.1.1.1/60", false, "{\"posts\":[" OTHER "]}", -1, ERR_CONFIG},
	{"+1.1.1.1/60 +1.1.1.2/60", false, "{\"posts\":[" SHOWN("1", "A", "1.1.1.1") "]}", -1, ERR_RETRY},
	{"+1.1.1.1/60 +1.1.1.2/60", false, "{\"posts\":[" SHOWN("1", "A", "1.1.1.1") "," SHOWN("2", "A", "1.1.1.1") "]}", -1,
	 ERR_RETRY},
	/* another content, another list, another id */
	{"+1.1.1.1/60", false, "{\"posts\":[" SHOWN("1", "A", "1.1.1.2") "]}", -1, ERR_RETRY},
	{"+1.1.1.1/60", false, "{\"patches\":[" SHOWN("1", "A", "1.1.1.1") "]}", -1, ERR_RETRY},
	{"+1.1.1.1/60", false, "{\"puts\":[" SHOWN("1", "A", "1.1.1.1") "]}", -1, ERR_RETRY},
	{"~a=1.1.1.1/60", false, "{\"patches\":[" SHOWN("b", "A", "1.1.1.1") "]}", -1, ERR_RETRY},
	{"~a=1.1.1.1/60", false, "{\"patches\":[" SHOWN("a", "A", "1.1.1.2") "]}", -1, ERR_RETRY},
	/* no id of theirs */
	{"+1.1.1.1/60", false, "{\"posts\":[" SHOWN("../", "A", "1.1.1.1") "]}", -1, ERR_PROTO},
	{"+1.1.1.1/60", true, SHOWN("", "A", "1.1.1.1"), -1, ERR_PROTO},
	/* broken */
	{"+1.1.1.1/60", false, "{\"posts\":[{}]}", -1, ERR_PROTO},
	{"+1.1.1.1/60", false, "{\"posts\":[null]}", -1, ERR_PROTO},
	/* single calls */
	{"+1.1.1.1/60", true, SHOWN("1", "A", "1.1.1.1"), 0, ERR_NONE},
	{"~a=1.1.1.1/60", true, SHOWN("a", "A", "1.1.1.1"), 0, ERR_NONE},
	{"-a", true, "{\"id\":\"a\"}", 0, ERR_NONE},
	{"-a", true, "null", 0, ERR_NONE},
	{"+1.1.1.1/60", true, SHOWN("1", "A", "1.1.1.2"), -1, ERR_RETRY},
	{"+1.1.1.1/60", true, OTHER, -1, ERR_CONFIG},
	{"~a=1.1.1.1/60", true, SHOWN("b", "A", "1.1.1.1"), -1, ERR_RETRY},
	{"+1.1.1.1/60", true, "null", -1, ERR_PROTO},
	{"+1.1.1.1/60", true, "[]", -1, ERR_PROTO},
};

static int answer(int status, const char *text, size_t step, struct err *e)
{
	struct http_sink sink = cf_write_begin(&w, element_buf, rest);

	if (test_answer(&sink, status, "", text, step, e))
		return -1;
	return cf_write_finish(&w, e);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		for (size_t step = 0; step < 8; step += 7) {
			char text[2048];
			struct err e = {0};

			set_ops(answers[i].ops, NULL, answers[i].is_single);
			(void)snprintf(text, sizeof text, "{\"success\":true,\"result\":%s,\"errors\":[]}", answers[i].result);
			CHECK(answer(200, text, step, &e) == answers[i].rc, "%s: %s: %s", answers[i].ops, answers[i].result,
			      e.text);
			CHECK(e.kind == answers[i].kind, "%s: %s", answers[i].result, e.text);
			for (size_t k = 0; !answers[i].rc && k < part.ops_n; k++)
				assert_true(ops[k].is_done);
		}
	}
}

#define ASTRAY(id, name, content)                                                                                                  \
	"{\"id\":\"" ID(id) "\",\"type\":\"A\",\"name\":\"" name "\",\"content\":\"" content "\",\"ttl\":60,\"proxied\":false}"

/* What was created in another zone, and nothing else, is known by its id. */
static void test_stray(void **state)
{
	static struct record created[MAX];
	static const struct {
		const char *ops;
		bool is_single;
		const char *result;
		size_t strays_n;
	} cases[] = {
		{"+1.1.1.1/60", false, "{\"posts\":[" ASTRAY("5", "www.example.com.other.net", "1.1.1.1") "]}", 1},
		{"+1.1.1.1/60", true, ASTRAY("5", "www.example.com.other.net", "1.1.1.1"), 1},
		{"+1.1.1.1/60", true, ASTRAY("5", "www.example.com.b\u00fccher.example", "1.1.1.1"), 1},
		{"+1.1.1.1/60", true, ASTRAY("5", "mail.other.net", "1.1.1.1"), 0},
		{"+1.1.1.1/60", true, ASTRAY("5", "www.example.comx.other.net", "1.1.1.1"), 0},
		{"+1.1.1.1/60", true, ASTRAY("5", "www.example.com.other.net", "1.1.1.2"), 0},
		{"+1.1.1.1/60", true, ASTRAY("g", "www.example.com.other.net", "1.1.1.1"), 0},
		{"+1.1.1.1/60", true, ASTRAY("../", "www.example.com.other.net", "1.1.1.1"), 0},
		{"~a=1.1.1.1/60", true, ASTRAY("a", "www.example.com.other.net", "1.1.1.1"), 0},
		{"+1.1.1.1/60", false, "{\"patches\":[" ASTRAY("5", "www.example.com.other.net", "1.1.1.1") "]}", 0},
		{"+1.1.1.1/60 +1.1.1.2/60", false, "{\"posts\":[" ASTRAY("5", "www.example.com.other.net", "1.1.1.1") "]}", 1},
		{"+1.1.1.1/60 +1.1.1.2/60", false,
		 "{\"posts\":[" ASTRAY("5", "www.example.com.other.net", "1.1.1.1") "," ASTRAY("6", "www.example.com.other.net",
											       "1.1.1.2") "]}",
		 2},
		/* ours is none */
		{"+1.1.1.1/60 +1.1.1.2/60", false,
		 "{\"posts\":[" SHOWN("1", "A", "1.1.1.2") "," ASTRAY("5", "www.example.com.other.net", "1.1.1.1") "]}", 1},
		{"+1.1.1.1/60 +1.1.1.2/60", false,
		 "{\"posts\":[" ASTRAY("5", "www.example.com.other.net", "1.1.1.1") "," SHOWN("1", "A", "1.1.1.2") "]}", 1},
		/* more than was asked for */
		{"+1.1.1.1/60", false,
		 "{\"posts\":[" ASTRAY("5", "www.example.com.other.net", "1.1.1.1") "," ASTRAY("6", "www.example.com.other.net",
											       "1.1.1.1") "]}",
		 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024];
		struct err e = {0};

		set_ops(cases[i].ops, NULL, cases[i].is_single);
		part.created = created;
		(void)snprintf(text, sizeof text, "{\"success\":true,\"result\":%s}", cases[i].result);
		CHECK(answer(200, text, 0, &e) == -1 && e.kind == ERR_CONFIG, "%s: %s", cases[i].result, e.text);
		CHECK(w.has_other && part.created_n == cases[i].strays_n, "%s: %zu", cases[i].result, part.created_n);
		assert_true(!part.created_n || strcmp(created[0].id, ID("5")) == 0);
	}
}

/* It is ours in whatever spelling the API shows it. */
static void test_stray_in_unicode(void **state)
{
	static const char body[] = "{\"success\":true,\"result\":" ASTRAY("5", "www.\U0001f4a9.la.other.net", "1.1.1.1") "}";
	static struct record created[MAX];
	struct err e = {0};

	(void)state;
	set_ops("+1.1.1.1/60", NULL, true);
	memcpy(job.name, "www.xn--ls8h.la", sizeof "www.xn--ls8h.la");
	part.created = created;
	assert_int_equal(answer(200, body, 0, &e), -1);
	assert_int_equal(part.created_n, 1);
	memcpy(job.name, "www.example.com", sizeof "www.example.com");
}

static void test_refused(void **state)
{
	struct err e = {0};

	(void)state;
	set_ops("+1.1.1.1/60 -a", NULL, false);
	assert_int_equal(answer(400,
				"{\"success\":false,\"result\":null,\"errors\":[{\"code\":81058,"
				"\"message\":\"An identical record already exists.\"}]}",
				0, &e),
			 -1);
	assert_int_equal(e.kind, ERR_REFUSED);
	assert_int_equal(w.reply.meaning, CF_EXISTS);
	assert_false(ops[0].is_done || ops[1].is_done);
	assert_int_equal(answer(200, "{\"success\":true,", 0, &e), -1);
	assert_int_equal(e.kind, ERR_PROTO);
	assert_false(ops[1].is_done);
}

/* ---- many names ---- */

#define NAMES 100

static struct job jobs[NAMES];
static struct cf_part parts[NAMES];
static struct op two_each[NAMES][2], *of_each[NAMES][2];
static struct target to[NAMES][2];
static struct record created_of[NAMES][2], there[NAMES];

/* Each name has a post and, at those of odd numbers, a delete; at the others another post. The last two have one name. */
static void set_names(void)
{
	for (unsigned i = 0; i < NAMES; i++) {
		jobs[i] = (struct job){.types = JOB_TYPES};
		(void)snprintf(jobs[i].name, sizeof jobs[i].name, "n%u.example.com", i < NAMES - 1 ? i : NAMES - 2);
		(void)snprintf(jobs[i].owner, sizeof jobs[i].owner, "o%u", i);
		(void)snprintf(there[i].id, sizeof there[i].id, "%032x", i);
		for (unsigned k = 0; k < 2; k++) {
			to[i][k] = (struct target){.type = RECORD_A, .addr = {10, (unsigned char)i, (unsigned char)k, 1}};
			two_each[i][k] = (struct op){.kind = OP_CREATE, .ttl = 60, .target = &to[i][k]};
			of_each[i][k] = &two_each[i][k];
		}
		if (i % 2)
			two_each[i][1] = (struct op){.kind = OP_DELETE, .record = &there[i]};
		parts[i] = (struct cf_part){.job = &jobs[i], .ops = of_each[i], .ops_n = 2, .created = created_of[i]};
	}
	w = (struct cf_write){.zone_id = "z0ne", .parts = parts, .parts_n = NAMES};
}

static void test_body_of_many(void **state)
{
	char text[64];
	int list, n = 0;

	(void)state;
	set_names();
	list = json_get(parse_body(), "posts");
	assert_int_equal(json_count(0), 2);
	assert_int_equal(json_count(list), NAMES + NAMES / 2);
	assert_int_equal(json_count(json_get(0, "deletes")), NAMES / 2);
	/* Each under its own name, with its own owner's mark. */
	for (int i = json_first(list); i != JSON_NONE; i = json_next(i), n++) {
		int name = n / 3 * 2 + (n % 3 == 2), k = n % 3 == 1;

		assert_true(json_equals(json_get(i, "name"), jobs[name].name));
		(void)snprintf(text, sizeof text, "10.%d.%d.1", name, k);
		assert_true(json_equals(json_get(i, "content"), text));
		(void)snprintf(text, sizeof text, "managed by dnsbuddy owner=o%d", name);
		assert_true(json_equals(json_get(i, "comment"), text));
	}
}

/* The answer to set_names(), last first; without the entry at left_out; that at moved has another name. */
static const char *answer_of_many(unsigned left_out, unsigned moved)
{
	static char text[65536];
	char id[RECORD_ID_CAP];
	struct buf b;

	buf_init(&b, text, sizeof text);
	buf_str(&b, "{\"success\":true,\"result\":{\"deletes\":[],\"posts\":[");
	for (unsigned n = 2 * NAMES; n-- > 0;) {
		unsigned i = n / 2, k = n % 2;

		if (two_each[i][k].kind != OP_CREATE || n == left_out)
			continue;
		(void)snprintf(id, sizeof id, "%032x", 1000 + n);
		buf_fmt(&b,
			"%s{\"id\":\"%s\",\"type\":\"A\",\"name\":\"%s%s\",\"content\":\"10.%u.%u.1\",\"ttl\":60,"
			"\"proxied\":false}",
			b.p[b.len - 1] == '[' ? "" : ",", id, jobs[i].name, n == moved ? ".other.net" : "", i, k);
	}
	buf_str(&b, "]}}");
	assert_true(buf_ok(&b));
	return text;
}

static void test_answer_of_many(void **state)
{
	(void)state;
	for (size_t step = 0; step < 2; step++) {
		struct err e = {0};

		set_names();
		CHECK(answer(200, answer_of_many(UINT_MAX, UINT_MAX), step, &e) == 0, "%s", e.text);
		for (unsigned i = 0; i < NAMES; i++) {
			assert_true(two_each[i][0].is_done && two_each[i][1].is_done);
			assert_int_equal(parts[i].created_n, i % 2 ? 1 : 2);
			for (unsigned k = 0; k < parts[i].created_n; k++) {
				char id[RECORD_ID_CAP];

				(void)snprintf(id, sizeof id, "%032zx", 1000 + 2 * i + parts[i].created_n - 1 - k);
				assert_string_equal(created_of[i][k].id, id);
				assert_true(created_of[i][k].is_ours);
			}
		}
		/* One of one name is not shown. */
		set_names();
		assert_int_equal(answer(200, answer_of_many(14, UINT_MAX), step, &e), -1);
		assert_int_equal(e.kind, ERR_RETRY);
		assert_false(w.has_other);
	}
}

/* In another zone: what is to be removed again is with the name that it was made of. */
static void test_strays_of_many(void **state)
{
	struct err e = {0};
	size_t n = 0;

	(void)state;
	set_names();
	assert_int_equal(answer(200, answer_of_many(UINT_MAX, 14), 0, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_true(w.has_other);
	for (unsigned i = 0; i < NAMES; i++)
		n += parts[i].created_n;
	assert_int_equal(n, 1);
	assert_int_equal(parts[7].created_n, 1);
	assert_int_equal(strtoul(created_of[7][0].id, NULL, 16), 1000 + 14);
	/* Nobody wants to know the ids of one. */
	set_names();
	parts[7].created = NULL;
	assert_int_equal(answer(200, answer_of_many(UINT_MAX, 14), 0, &e), -1);
	assert_true(w.has_other);
}

/* A record of a name that is there, with a content that only another name is given, proves nothing. */
static void test_content_of_another(void **state)
{
	struct err e = {0};
	char text[512];

	(void)state;
	set_names();
	w.parts_n = 2;
	parts[0].ops_n = parts[1].ops_n = 1;
	(void)snprintf(
		text, sizeof text,
		"{\"success\":true,\"result\":{\"posts\":[%s\"n1.example.com\",\"content\":\"10.0.0.1\"},%s\"n0.example.com\","
		"\"content\":\"10.1.0.1\"}]}}",
		"{\"id\":\"" ID("1") "\",\"type\":\"A\",\"ttl\":60,\"proxied\":false,\"name\":",
		"{\"id\":\"" ID("2") "\",\"type\":\"A\",\"ttl\":60,\"proxied\":false,\"name\":");
	assert_int_equal(answer(200, text, 0, &e), -1);
	assert_int_equal(e.kind, ERR_RETRY);
	assert_false(two_each[0][0].is_done || two_each[1][0].is_done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_body),
		cmocka_unit_test(test_only_lists_that_are_needed),
		cmocka_unit_test(test_made_ours),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_largest_body),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stray),
		cmocka_unit_test(test_stray_in_unicode),
		cmocka_unit_test(test_body_of_many),
		cmocka_unit_test(test_answer_of_many),
		cmocka_unit_test(test_strays_of_many),
		cmocka_unit_test(test_content_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
