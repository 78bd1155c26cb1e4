#include "support.h"

#include "base/json.h"
#include "edge.h"

static void parse(const char *text)
{
	struct err e = {0};

	CHECK(json_parse(text, strlen(text), &e) == 0, "%s: %s", text, e.text);
}

static const char document[] = "{ \"id\": \"a1\", \"n\": -42, \"on\": true, \"off\": false, \"none\": null,\n"
			       "  \"list\": [1, \"two\", [3, 4], {\"five\": [5]}, []], \"id\": \"second\",\n"
			       "  \"deep\": {\"list\": [{\"x\": {\"y\": [[[\"z\"]]]}}], \"last\": 7}, \"end\": {} }";

static void test_get(void **state)
{
	int64_t n = 0;
	bool b = false;

	(void)state;
	parse(document);
	assert_true(json_is_object(0));
	assert_int_equal(json_count(0), 9);
	assert_true(json_equals(json_get(0, "id"), "a1")); /* the first of that name */
	assert_int_equal(json_integer(json_get(0, "n"), &n), 0);
	assert_int_equal(n, -42);
	assert_int_equal(json_boolean(json_get(0, "on"), &b), 0);
	assert_true(b);
	assert_int_equal(json_boolean(json_get(0, "off"), &b), 0);
	assert_false(b);
	assert_true(json_is_null(json_get(0, "none")));
	assert_int_equal(json_integer(json_get(json_get(0, "deep"), "last"), &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(json_get(0, "five"), JSON_NONE); /* it is deeper */
	assert_int_equal(json_get(0, "I"), JSON_NONE);
	assert_int_equal(json_get(0, "idd"), JSON_NONE);
	assert_int_equal(json_get(0, ""), JSON_NONE);
	assert_int_equal(json_get(json_get(0, "list"), "five"), JSON_NONE);
	assert_int_equal(json_get(JSON_NONE, "id"), JSON_NONE);
	assert_int_equal(json_get(99999, "id"), JSON_NONE);
	assert_true(json_is_object(json_get(0, "end")));
	assert_int_equal(json_first(json_get(0, "end")), JSON_NONE);
}

static void test_walk(void **state)
{
	static const char *const names[] = {
		"id", "n", "on", "off", "none", "list", "id", "deep", "end",
	};
	int list, i, n = 0;

	(void)state;
	parse(document);
	for (i = json_first(0); i != JSON_NONE; i = json_next(i), n++) {
		assert_true(n < (int)COUNT(names));
		assert_true(json_equals(i, names[n]));
		assert_int_not_equal(json_value(i), JSON_NONE);
	}
	assert_int_equal(n, COUNT(names));
	list = json_get(0, "list");
	assert_true(json_is_array(list));
	assert_int_equal(json_count(list), 5);
	n = 0;
	for (i = json_first(list); i != JSON_NONE; i = json_next(i), n++)
		assert_int_equal(json_value(i), JSON_NONE); /* elements have no value of their own */
	assert_int_equal(n, 5);
	assert_int_equal(json_next(0), JSON_NONE);
	assert_int_equal(json_next(JSON_NONE), JSON_NONE);
	assert_int_equal(json_next(99999), JSON_NONE);
	assert_int_equal(json_first(JSON_NONE), JSON_NONE);
	assert_int_equal(json_first(json_get(0, "n")), JSON_NONE);
	assert_int_equal(json_count(json_get(0, "n")), 0);
	assert_int_equal(json_value(list), JSON_NONE);
}

/* "" begins where it ends: what stands behind it is found all the same. */
static void test_empty_strings(void **state)
{
	int64_t n = 0;
	int i, seen = 0;

	(void)state;
	parse("{\"\":\"\",\"a\":\"\",\"b\":[\"\",\"\",7],\"c\":{\"\":\"\"},\"d\":{\"e\":\"\"},\"n\":7}");
	assert_int_equal(json_integer(json_get(0, "n"), &n), 0);
	assert_int_equal(n, 7);
	for (i = json_first(0); i != JSON_NONE; i = json_next(i))
		seen++;
	assert_int_equal(seen, 6);
	for (i = json_first(json_get(0, "b")), seen = 0; i != JSON_NONE; i = json_next(i))
		seen++;
	assert_int_equal(seen, 3);
	assert_true(json_equals(json_get(0, ""), ""));
	assert_true(json_equals(json_get(json_get(0, "d"), "e"), ""));
}

/* Every look-up takes what is not there, and what is of another type. */
static void test_types(void **state)
{
	static const char *const names[] = {"id", "n", "on", "none", "list", "deep", "absent"};
	char text[8] = "old";

	(void)state;
	parse(document);
	for (size_t i = 0; i < COUNT(names); i++) {
		int v = json_get(0, names[i]);
		int64_t n = 4711;
		bool b = true;

		assert_int_equal(json_string(v, text, sizeof text) == 0, i == 0);
		assert_int_equal(json_integer(v, &n) == 0, i == 1);
		assert_int_equal(json_boolean(v, &b) == 0, i == 2);
		assert_int_equal(json_is_null(v), i == 3);
		assert_int_equal(json_is_array(v), i == 4);
		assert_int_equal(json_is_object(v), i == 5);
		assert_int_equal(json_is_string(v), i == 0);
		assert_true(i == 1 || n == 4711);
		assert_string_equal(text, "a1");
		assert_false(json_equals(v, "42"));
	}
}

static void test_offset(void **state)
{
	(void)state;
	parse(document);
	assert_int_equal(json_offset(0), 0);
	assert_int_equal(json_offset(json_get(0, "n")), strstr(document, "-42") - document);
	assert_int_equal(json_offset(json_get(0, "deep")), strstr(document, "{\"list") - document);
	assert_int_equal(json_offset(JSON_NONE), 0);
	assert_int_equal(json_offset(99999), 0);
}

static const struct {
	const char *json, *text; /* NULL: does not fit */
} strings[] = {
	{"\"\"", ""},
	{"\"abc\"", "abc"},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
	{"\"\\u0041\\u007f\"", "A\x7f"},
	{"\"\\u0080\\u07ff\"", "\xc2\x80\xdf\xbf"},
	{"\"\\u0800\\uFFFF\\ud7ff\\ue000\"", "\xe0\xa0\x80\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80"},
	{"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
	{"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
	{"\"\\u00e4\"", "\xc3\xa4"},
	{"\"\xc3\xa4\"", "\xc3\xa4"},
	{"\"\\u0000\"", NULL},
	{"\"a\\u0000b\"", NULL},
	{"\"\\ud83d\"", NULL},
	{"\"\\ude00\"", NULL},
	{"\"\\ud83dx\"", NULL},
	{"\"\\ud83d\\n23456\"", NULL},
	{"\"\\ud83d\\u0041\"", NULL},
	{"\"\\ud83d\\ud83d\"", NULL},
	{"\"\\ude00\\ud83d\"", NULL},
	{"\"\\udc00\\udc00\"", NULL},
	{"\"\\udfff\\udfff\"", NULL},
};

static void test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(strings); i++) {
		const char *want = strings[i].text;
		char text[32] = "old";
		struct err e = {0};
		size_t json_len = strlen(strings[i].json);

		assert_int_equal(json_parse(edge_copy(strings[i].json, json_len), json_len, &e), 0);
		CHECK(json_string(0, text, sizeof text) == (want ? 0 : -1), "%s", strings[i].json);
		CHECK(strcmp(text, want ? want : "old") == 0, "%s: %s", strings[i].json, text);
		CHECK(json_equals(0, want ? want : "a") == (want != NULL), "%s", strings[i].json);
		if (!want)
			continue;
		/* The smallest storage, and one less. */
		strcpy(text, "old");
		assert_int_equal(json_string(0, text, strlen(want)), -1);
		assert_string_equal(text, "old");
		assert_int_equal(json_string(0, text, strlen(want) + 1), 0);
		assert_string_equal(text, want);
	}
}

/* An escape is another spelling of the same: in a value, and in a member's name. */
static void test_equal_by_what_is_meant(void **state)
{
	(void)state;
	parse("{\"i\\u0064\":\"a\\/b\",\"id\":2}");
	assert_true(json_equals(json_get(0, "id"), "a/b"));
	assert_true(json_equals(json_first(0), "id"));
	assert_false(json_equals(json_get(0, "id"), "a\\/b"));
	assert_false(json_equals(json_get(0, "id"), "a/"));
	assert_false(json_equals(json_get(0, "id"), "a/bc"));
	assert_false(json_equals(json_get(0, "id"), ""));
	assert_int_equal(json_get(0, "i\\u0064"), JSON_NONE);
}

static const struct {
	const char *json;
	int rc;
	int64_t value;
} numbers[] = {
	{"[0]", 0, 0},
	{"[-0]", 0, 0},
	{"[1]", 0, 1},
	{"[-1]", 0, -1},
	{"[9223372036854775807]", 0, INT64_MAX},
	{"[-9223372036854775807]", 0, -INT64_MAX},
	{"[9223372036854775808]", -1, 0},
	{"[-9223372036854775809]", -1, 0},
	{"[99999999999999999999999999]", -1, 0},
	{"[1.0]", -1, 0},
	{"[1e3]", -1, 0},
	{"[true]", -1, 0},
	{"[null]", -1, 0},
	{"[\"1\"]", -1, 0},
	{"[[]]", -1, 0},
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		int64_t value = 4711;

		parse(numbers[i].json);
		CHECK(json_integer(json_first(0), &value) == numbers[i].rc, "%s", numbers[i].json);
		CHECK(value == (numbers[i].rc ? 4711 : numbers[i].value), "%s", numbers[i].json);
	}
}

static void test_bad(void **state)
{
	static const char *const texts[] = {"", "{", "[1 2]", "{\"a\" \"b\"}", "[1]]", "{\"a\":1,}"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct err e = {0};

		parse(document);
		assert_int_equal(json_parse(texts[i], strlen(texts[i]), &e), -1);
		assert_int_equal(e.kind, ERR_PROTO);
		assert_non_null(strstr(e.text, "line 1"));
		/* The look-ups of the text before it have ended. */
		assert_false(json_is_object(0));
		assert_int_equal(json_get(0, "id"), JSON_NONE);
	}
}

/* "[" and "0," so many times: one token for the list, one for each number. */
static void test_tokens_limit(void **state)
{
	static char text[2 * JSON_TOKENS_MAX + 8];

	(void)state;
	for (size_t n = JSON_TOKENS_MAX - 2; n <= JSON_TOKENS_MAX + 1; n++) {
		struct err e = {0};
		int rc;

		text[0] = '[';
		for (size_t i = 0; i < n; i++)
			memcpy(text + 1 + 2 * i, "0,", 2);
		text[2 * n] = ']';
		rc = json_parse(text, 2 * n + 1, &e);
		if (n + 1 <= JSON_TOKENS_MAX) {
			assert_int_equal(rc, 0);
			assert_int_equal(json_count(0), n);
		} else {
			assert_int_equal(rc, -1);
			assert_int_equal(e.kind, ERR_LIMIT);
		}
	}
}

/* Nothing is behind the only value: the text ends with it. */
static void test_bare(void **state)
{
	int64_t n = 0;
	bool b = false;

	(void)state;
	assert_int_equal(json_parse(edge_copy("true", 4), 4, &(struct err){0}), 0);
	assert_int_equal(json_boolean(0, &b), 0);
	assert_true(b);
	assert_int_equal(json_next(0), JSON_NONE);
	assert_int_equal(json_parse(edge_copy(" -17", 4), 4, &(struct err){0}), 0);
	assert_int_equal(json_integer(0, &n), 0);
	assert_int_equal(n, -17);
	parse("\t null");
	assert_true(json_is_null(0));
	parse("0 ");
	assert_int_equal(json_integer(0, &n), 0);
	assert_int_equal(n, 0);
}

/* What people read is cut between characters and never missing. */
static void test_label(void **state)
{
	static const struct {
		const char *json, *label; /* in 6 bytes */
	} labels[] = {
		{"\"\"", ""},
		{"\"abcde\"", "abcde"},
		{"\"abcdef\"", "abcde"},
		{"\"a\\u0000b\"", "a?b"},
		{"\"\\ud83d\"", "?"},
		{"\"\\ud83dx\\udc00\"", "?x?"},
		{"\"ab\\ud83d\\ude00\"", "ab"},
		{"\"a\\ud83d\\ude00b\"", "a\xf0\x9f\x98\x80"},
		{"\"abc\xe2\x82\xac\"", "abc"},
		{"\"ab\xe2\x82\xac\"", "ab\xe2\x82\xac"},
		{"\"\xe2\x82\xac\xe2\x82\xac\"", "\xe2\x82\xac"},
		{"\"abcd\xc3\xa4\"", "abcd"},
		{"\"\\n\\\"\"", "\n\""},
		{"7", ""},
		{"null", ""},
		{"[\"a\"]", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(labels); i++) {
		char out[6];
		struct err e = {0};

		memset(out, 'x', sizeof out);
		assert_int_equal(json_parse(labels[i].json, strlen(labels[i].json), &e), 0);
		json_label(0, out, sizeof out);
		CHECK(strcmp(out, labels[i].label) == 0, "%s: %s", labels[i].json, out);
		json_label(JSON_NONE, out, sizeof out);
		assert_string_equal(out, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label),        cmocka_unit_test(test_get),
		cmocka_unit_test(test_walk),         cmocka_unit_test(test_empty_strings),
		cmocka_unit_test(test_types),        cmocka_unit_test(test_offset),
		cmocka_unit_test(test_strings),      cmocka_unit_test(test_equal_by_what_is_meant),
		cmocka_unit_test(test_numbers),      cmocka_unit_test(test_bad),
		cmocka_unit_test(test_tokens_limit), cmocka_unit_test(test_bare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
