/* Cutting the list out of an answer: whole, byte by byte, in random pieces. */
#include "support.h"

#include "base/json.h"
#include "edge.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];

struct seen {
	char text[4096]; /* "list:element;" each; the list only with RESULT_LISTS */
	size_t n;
	size_t fail_at; /* from 1 */
	size_t longest;
};

static int take(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct seen *seen = ctx;

	assert_int_equal(strlen(text), len);
	if (++seen->n == seen->fail_at)
		return err_set(e, ERR_LIMIT, "no more");
	seen->longest = len > seen->longest ? len : seen->longest;
	if (len < 256 && strlen(seen->text) + len + 32 < sizeof seen->text) {
		if (*list) {
			strcat(seen->text, list);
			strcat(seen->text, ":");
		}
		strcat(seen->text, text);
		strcat(seen->text, ";");
	}
	return 0;
}

static const struct {
	enum json_cut cut;
	const char *text;
	const char *elements;
	const char *rest;
	bool has_cut;
} cases[] = {
	{JSON_CUT_NONE, "{\"result\":[1,2]}", "", "{\"result\":[1,2]}", false},
	{JSON_CUT_NONE, "[1]", "", "[1]", false},
	{JSON_CUT_ROOT, "[]", "", "[]", true},
	{JSON_CUT_ROOT, " [ ] ", "", " [] ", true},
	{JSON_CUT_ROOT, "[1,2]", "1;2;", "[]", true},
	{JSON_CUT_ROOT, "[{\"a\":[1,2]} , {\"b\":\",]\"}]", "{\"a\":[1,2]} ;{\"b\":\",]\"};", "[]", true},
	{JSON_CUT_ROOT, "[[1,[2]],\"\\\"]\"]", "[1,[2]];\"\\\"]\";", "[]", true},
	{JSON_CUT_ROOT, "{\"a\":[1]}", "", "{\"a\":[1]}", false},
	{JSON_CUT_ROOT, "\"[1]\"", "", "\"[1]\"", false},
	{JSON_CUT_ROOT, "null", "", "null", false},
	{JSON_CUT_RESULT, "{\"result\":[{\"id\":1},{\"id\":2}],\"success\":true}", "{\"id\":1};{\"id\":2};",
	 "{\"result\":[],\"success\":true}", true},
	{JSON_CUT_RESULT, "{\"success\":true,\"result\" : [ 1 ] , \"errors\":[{\"code\":7}]}", "1 ;",
	 "{\"success\":true,\"result\" : [] , \"errors\":[{\"code\":7}]}", true},
	{JSON_CUT_RESULT, "{\"result\":[]}", "", "{\"result\":[]}", true},
	{JSON_CUT_RESULT, "{\"result\":null}", "", "{\"result\":null}", false},
	{JSON_CUT_RESULT, "{\"result\":{\"result\":[1]}}", "", "{\"result\":{\"result\":[1]}}", false},
	{JSON_CUT_RESULT, "{\"a\":{\"result\":[1]}}", "", "{\"a\":{\"result\":[1]}}", false},
	{JSON_CUT_RESULT, "[{\"result\":[1]}]", "", "[{\"result\":[1]}]", false},
	{JSON_CUT_RESULT, "{\"results\":[1],\"resul\":[2],\"Result\":[3]}", "", "{\"results\":[1],\"resul\":[2],\"Result\":[3]}",
	 false},
	{JSON_CUT_RESULT, "{\"r\\u0065sult\":[1]}", "", "{\"r\\u0065sult\":[1]}", false},
	{JSON_CUT_RESULT, "{\"x\":\"result\",\"y\":[1]}", "", "{\"x\":\"result\",\"y\":[1]}", false},
	{JSON_CUT_RESULT, "{\"x\":{\"result\":0},\"y\":[1]}", "", "{\"x\":{\"result\":0},\"y\":[1]}", false},
	{JSON_CUT_RESULT, "{\"resultresultresultresultresult\":[1],\"result\":[2]}", "2;",
	 "{\"resultresultresultresultresult\":[1],\"result\":[]}", true},
	{JSON_CUT_RESULT, "{\"result\":[[\"result\",[1]],{\"result\":[2]}]}", "[\"result\",[1]];{\"result\":[2]};",
	 "{\"result\":[]}", true},
	{JSON_CUT_RESULT, "{\"result\":[\"a\\\\\",\"b\"]}", "\"a\\\\\";\"b\";", "{\"result\":[]}", true},
	{JSON_CUT_RESULT_LISTS, "{\"result\":{\"posts\":[1,2],\"puts\":null,\"patches\":[]}}", "posts:1;posts:2;",
	 "{\"result\":{\"posts\":[],\"puts\":null,\"patches\":[]}}", true},
	{JSON_CUT_RESULT_LISTS, "{\"success\":true,\"result\":{\"deletes\":[{\"id\":[9]}]}}", "deletes:{\"id\":[9]};",
	 "{\"success\":true,\"result\":{\"deletes\":[]}}", true},
	{JSON_CUT_RESULT_LISTS, "{\"errors\":{\"posts\":[1]},\"result\":{\"a\":{\"posts\":[2]}}}", "",
	 "{\"errors\":{\"posts\":[1]},\"result\":{\"a\":{\"posts\":[2]}}}", false},
	{JSON_CUT_RESULT_LISTS, "{\"result\":[[1]]}", "", "{\"result\":[[1]]}", false},
	{JSON_CUT_RESULT_LISTS, "{\"result\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":[1]}}", "aaaaaaaaaaaaaaaaaaaaaaa:1;",
	 "{\"result\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":[]}}", true},
	{JSON_CUT_MEMBERS, "{}", "", "{}", true},
	{JSON_CUT_MEMBERS, " { } ", "", " {} ", true},
	{JSON_CUT_MEMBERS, "{\"a\":[],\"b\" : [\"x\",\"y\"]}", "{\"a\":[]};{\"b\" : [\"x\",\"y\"]};", "{}", true},
	{JSON_CUT_MEMBERS, "{\"a,}\":1 , \"b\\\"\":{\"c\":1,\"d\":[1,2]}}", "{\"a,}\":1 };{\"b\\\"\":{\"c\":1,\"d\":[1,2]}};", "{}",
	 true},
	{JSON_CUT_MEMBERS, "{\"a\":\"{[,\",\"a\":null}", "{\"a\":\"{[,\"};{\"a\":null};", "{}", true},
	{JSON_CUT_MEMBERS, "[{\"a\":1}]", "", "[{\"a\":1}]", false},
	{JSON_CUT_MEMBERS, "[\"{\",1]", "", "[\"{\",1]", false},
	{JSON_CUT_MEMBERS, "null", "", "null", false},
};

/* Feed in pieces of up to step bytes; step 0: of random length. */
static int feed(struct json_split *s, const char *text, size_t len, size_t step, struct err *e)
{
	static uint32_t seed = 7;

	for (size_t at = 0; at < len;) {
		size_t n = step ? step : 1 + test_random_below(&seed, 9);

		n = n < len - at ? n : len - at;
		if (json_split_feed(s, edge_copy(text + at, n), n, e))
			return -1;
		at += n;
	}
	return json_split_end(s, e);
}

static void test_cases(void **state)
{
	static const size_t steps[] = {1 << 19, 1, 2, 3, 0, 0, 0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t k = 0; k < COUNT(steps); k++) {
			struct seen seen = {{0}, 0, 0, 0};
			struct json_split s;
			struct err e = {0};

			json_split_init(&s, cases[i].cut, take, &seen, element_buf, rest);
			CHECK(feed(&s, cases[i].text, strlen(cases[i].text), steps[k], &e) == 0, "%s: %s", cases[i].text, e.text);
			CHECK(strcmp(seen.text, cases[i].elements) == 0, "%s: %s", cases[i].text, seen.text);
			CHECK(strcmp(rest, cases[i].rest) == 0, "%s: rest %s", cases[i].text, rest);
			assert_int_equal(s.rest_len, strlen(rest));
			assert_int_equal(s.has_cut, cases[i].has_cut);
		}
	}
}

static const struct {
	enum json_cut cut;
	const char *text;
	size_t elements_n; /* given before it was seen */
} bad[] = {
	{JSON_CUT_ROOT, "", 0},
	{JSON_CUT_ROOT, "[1,2", 1},
	{JSON_CUT_ROOT, "[1,", 1},
	{JSON_CUT_ROOT, "[1,]", 1},
	{JSON_CUT_ROOT, "[1 2]", 0},
	{JSON_CUT_ROOT, "[,1]", 0},
	{JSON_CUT_ROOT, "[1]]", 1},
	{JSON_CUT_ROOT, "[1}", 0},
	{JSON_CUT_ROOT, "<html>", 0},
	{JSON_CUT_RESULT, "{\"result\":[1],\"result\":[2]}", 1},
	{JSON_CUT_RESULT, "{\"result\":[1]", 1},
	{JSON_CUT_RESULT, "{\"result\":[{\"a\":1}}", 0},
	{JSON_CUT_NONE, "{\"a\":", 0},
	{JSON_CUT_MEMBERS, "{\"a\":1", 0},
	{JSON_CUT_MEMBERS, "{\"a\":1,}", 1},
	{JSON_CUT_MEMBERS, "{\"a\":1]", 0},
	{JSON_CUT_MEMBERS, "{\"a\"}", 0},
	{JSON_CUT_MEMBERS, "{\"a\":1}}", 1},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		for (size_t step = 0; step < 3; step++) {
			struct seen seen = {{0}, 0, 0, 0};
			struct json_split s;
			struct err e = {0};

			json_split_init(&s, bad[i].cut, take, &seen, element_buf, rest);
			CHECK(feed(&s, bad[i].text, strlen(bad[i].text), step, &e) == -1, "%s", bad[i].text);
			CHECK(e.kind == ERR_PROTO && seen.n == bad[i].elements_n, "%s: %s", bad[i].text, e.text);
		}
	}
}

static void test_callback_fails(void **state)
{
	static const char text[] = "{\"result\":[1,2,3]}";

	(void)state;
	for (size_t at = 1; at <= 3; at++) {
		struct seen seen = {.fail_at = at};
		struct json_split s;
		struct err e = {0};

		json_split_init(&s, JSON_CUT_RESULT, take, &seen, element_buf, rest);
		assert_int_equal(json_split_feed(&s, text, sizeof text - 1, &e), -1);
		assert_int_equal(e.kind, ERR_LIMIT);
		assert_string_equal(e.text, "no more");
		assert_int_equal(seen.n, at);
	}
}

static int feed_fill(struct json_split *s, size_t n, struct err *e)
{
	static char fill[4096];

	memset(fill, 'x', sizeof fill);
	while (n) {
		size_t part = n < sizeof fill ? n : sizeof fill;

		if (json_split_feed(s, fill, part, e))
			return -1;
		n -= part;
	}
	return 0;
}

static void test_element_limit(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct seen seen = {{0}, 0, 0, 0};
		struct json_split s;
		struct err e = {0};
		int rc;

		json_split_init(&s, JSON_CUT_ROOT, take, &seen, element_buf, rest);
		assert_int_equal(json_split_feed(&s, "[1,\"", 4, &e), 0);
		assert_int_equal(feed_fill(&s, JSON_ELEMENT_MAX - 2, &e), 0);
		rc = json_split_feed(&s, over ? "x\"" : "\"", over ? 2 : 1, &e);
		if (over) {
			assert_int_equal(rc, -1);
			assert_int_equal(e.kind, ERR_LIMIT);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(json_split_feed(&s, "]", 1, &e), 0);
		assert_int_equal(json_split_end(&s, &e), 0);
		assert_int_equal(seen.longest, JSON_ELEMENT_MAX);
		assert_int_equal(seen.n, 2);
	}
}

/* A member has its braces within the same limit. */
static void test_member_limit(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct seen seen = {{0}, 0, 0, 0};
		struct json_split s;
		struct err e = {0};

		json_split_init(&s, JSON_CUT_MEMBERS, take, &seen, element_buf, rest);
		s.takes_long = true;
		assert_int_equal(json_split_feed(&s, "{\"a\":\"", 6, &e), 0);
		assert_int_equal(feed_fill(&s, JSON_ELEMENT_MAX - 8, &e), 0);
		assert_int_equal(json_split_feed(&s, over ? "xx\"}" : "\"}", over ? 4 : 2, &e), 0);
		assert_int_equal(json_split_end(&s, &e), 0);
		assert_int_equal(seen.longest, JSON_ELEMENT_MAX);
		assert_int_equal(seen.n, 1);
		assert_int_equal(json_parse(element_buf, seen.longest, &e), over ? -1 : 0);
	}
}

static void test_rest_limit(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct seen seen = {{0}, 0, 0, 0};
		struct json_split s;
		struct err e = {0};
		int rc;

		json_split_init(&s, JSON_CUT_RESULT, take, &seen, element_buf, rest);
		assert_int_equal(json_split_feed(&s, "{\"a\":\"", 6, &e), 0);
		assert_int_equal(feed_fill(&s, JSON_REST_MAX - 8, &e), 0);
		rc = json_split_feed(&s, over ? "x\"}" : "\"}", over ? 3 : 2, &e);
		assert_int_equal(rc, over ? -1 : 0);
		if (over) {
			assert_int_equal(e.kind, ERR_LIMIT);
		} else {
			assert_int_equal(json_split_end(&s, &e), 0);
			assert_int_equal(strlen(rest), JSON_REST_MAX);
		}
	}
}

/* A million elements do not need the memory of one. */
static void test_many(void **state)
{
	struct seen seen = {{0}, 0, 0, 0};
	struct json_split s;
	struct err e = {0};

	(void)state;
	json_split_init(&s, JSON_CUT_ROOT, take, &seen, element_buf, rest);
	assert_int_equal(json_split_feed(&s, "[0", 2, &e), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(json_split_feed(&s, ",1,2,3,4,5,6,7,8,9,0", 20, &e), 0);
	assert_int_equal(json_split_feed(&s, "]", 1, &e), 0);
	assert_int_equal(json_split_end(&s, &e), 0);
	assert_int_equal(seen.n, 1000001);
	assert_string_equal(rest, "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),         cmocka_unit_test(test_bad),          cmocka_unit_test(test_callback_fails),
		cmocka_unit_test(test_element_limit), cmocka_unit_test(test_member_limit), cmocka_unit_test(test_rest_limit),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
