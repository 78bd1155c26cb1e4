/* The scanner against RFC 8259: each text whole, byte by byte, and ending where memory ends. */
#include "support.h"

#include "base/json.h"
#include "edge.h"

static const char *const good[] = {
	"0",
	"-0",
	"1",
	"-1",
	"10",
	"1.5",
	"-0.0",
	"1e5",
	"1E+5",
	"1e-05",
	"0e0",
	"123.456e7",
	"true",
	"false",
	"null",
	"\"\"",
	"\"a\"",
	"[]",
	"{}",
	" [ ] ",
	"\t{\n}\r",
	"[1]",
	"[1,2]",
	"[ 1 , 2 ]",
	"[[]]",
	"[{}]",
	"[[],[]]",
	"{\"a\":1}",
	"{ \"a\" : 1 }",
	"{\"a\":1,\"b\":2}",
	"{\"a\":{\"b\":[1,{\"c\":null}]}}",
	"{\"\":\"\"}",
	"[true,false,null]",
	"{\"a\":1,\"a\":2}", /* odd, and allowed */
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\"\\u0000\\uABCD\\uabcd\\uD83D\\uDE00\"",
	"\"\\ud800\"",
	"\"\x7f\xc3\xa4\"",
	"\"/\"",
	"[1.0,2e3]",
	"[-1]",
	"{\"a\":-0.1e+1}",
	" 1 ",
	"1 \n",
	"[0]",
	"{\"a\":\"}\"}",
	"[\"]\"]",
	"[\"\\\\\"]",
};

/* offset: of the first wrong byte; the length when something is missing. */
static const struct {
	const char *text;
	size_t offset;
} bad[] = {
	{"", 0},
	{" ", 1},
	{"[", 1},
	{"{", 1},
	{"]", 0},
	{"}", 0},
	{"[}", 1},
	{"{]", 1},
	{"[1}", 2},
	{"{\"a\":1]", 6},
	{"[,]", 1},
	{"[1,]", 3},
	{"[1,,2]", 3},
	{"[1 2]", 3},
	{"{,}", 1},
	{"{\"a\"}", 4},
	{"{\"a\":}", 5},
	{"{\"a\":1,}", 7},
	{"{a:1}", 1},
	{"{'a':1}", 1},
	{"{1:2}", 1},
	{"{\"a\" 1}", 5},
	{"{\"a\"::1}", 5},
	{"{\"a\":1 \"b\":2}", 7},
	{"1 2", 2},
	{"[] []", 3},
	{"{}x", 2},
	{"true false", 5},
	{"00", 1},
	{"01", 1},
	{"-", 1},
	{"-a", 1},
	{"+1", 0},
	{".5", 0},
	{"1.", 2},
	{"1.e5", 2},
	{"1e", 2},
	{"1e+", 3},
	{"1ee5", 2},
	{"1e5.5", 3},
	{"0x10", 1},
	{"1a", 1},
	{"-01", 2},
	{"1.5.5", 3},
	{"--1", 1},
	{"1-", 1},
	{"NaN", 0},
	{"Infinity", 0},
	{"tru", 3},
	{"truE", 3},
	{"trux", 3},
	{"True", 0},
	{"nul", 3},
	{"nulll", 4},
	{"falsee", 5},
	{"undefined", 0},
	{"\"", 1},
	{"\"a", 2},
	{"\"\\\"", 3},
	{"\"\\x\"", 2},
	{"\"\\u12\"", 5},
	{"\"\\u12g4\"", 5},
	{"\"\\u\"", 3},
	{"\"\\'\"", 2},
	{"\"\n\"", 1},
	{"\"\t\"", 1},
	{"\"\x01\"", 1},
	{"\"\x1f\"", 1},
	{"'a'", 0},
	{"\xef\xbb\xbf[]", 0},
	{"[1]//", 3},
	{"/**/1", 0},
	{"\v1", 0},
	{"[1\f]", 2},
	{"[\"a\", \"b\": 1]", 9},
	{"[1:2]", 2},
	{"{\"a\":1,2}", 7},
	{"<html>", 0},
	{"[1e]", 3},
	{"[-]", 2},
	{"[1.]", 3},
	{"{\"a\":tru}", 8},
	{"[\"a]", 4},
	{"{\"a\":[1}", 7},
};

static void check_good(const char *text)
{
	size_t len = strlen(text), offset = 4711;
	enum json_result last = JSON_MORE;
	struct json_scan s;

	CHECK(json_check(edge_copy(text, len), len, &offset) == JSON_DONE, "%s at %zu", text, offset);
	assert_int_equal(offset, len);
	json_scan_init(&s);
	for (size_t i = 0; i < len; i++) {
		last = json_scan_byte(&s, text[i]);
		CHECK(last != JSON_BAD, "%s at %zu", text, i);
	}
	CHECK(json_scan_end(&s) == JSON_DONE, "%s", text);
	/* DONE with the last byte, but for a number, whose end nobody can see. */
	CHECK(last == JSON_DONE || strchr("0123456789", text[len - 1]), "%s", text);
	/* Anything but white space after it is too much. */
	assert_int_equal(json_scan_byte(&s, ' '), JSON_DONE);
	assert_int_equal(json_scan_byte(&s, '\n'), JSON_DONE);
	assert_int_equal(json_scan_byte(&s, 'x'), JSON_BAD);
	assert_int_equal(json_scan_byte(&s, ' '), JSON_BAD);
	assert_int_equal(json_scan_end(&s), JSON_BAD);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check_good(good[i]);
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t len = strlen(bad[i].text), offset = 4711;
		struct json_scan s;

		CHECK(json_check(edge_copy(bad[i].text, len), len, &offset) == JSON_BAD, "%s", bad[i].text);
		CHECK(offset == bad[i].offset, "%s: offset %zu", bad[i].text, offset);
		json_scan_init(&s);
		for (size_t k = 0; k < bad[i].offset; k++)
			CHECK(json_scan_byte(&s, bad[i].text[k]) != JSON_BAD, "%s at %zu", bad[i].text, k);
		if (bad[i].offset < len)
			assert_int_equal(json_scan_byte(&s, bad[i].text[bad[i].offset]), JSON_BAD);
		CHECK(json_scan_end(&s) == JSON_BAD, "%s", bad[i].text);
	}
}

static void test_nul(void **state)
{
	size_t offset;

	(void)state;
	assert_int_equal(json_check("[\0]", 3, &offset), JSON_BAD);
	assert_int_equal(offset, 1);
	assert_int_equal(json_check("\"\0\"", 3, &offset), JSON_BAD);
	assert_int_equal(json_check("\"\\\0\"", 4, &offset), JSON_BAD);
	assert_int_equal(offset, 2);
	assert_int_equal(json_check("1\0", 2, &offset), JSON_BAD);
}

/* Every text cut short is no JSON, unless a number is cut to a number. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len = strlen(good[i]), offset;

		while (len && strchr(" \t\r\n", good[i][len - 1]))
			len--;
		if (strchr("0123456789", good[i][len - 1]))
			continue;
		while (--len) {
			CHECK(json_check(edge_copy(good[i], len), len, &offset) == JSON_BAD, "%.*s", (int)len, good[i]);
			assert_int_equal(offset, len);
		}
	}
}

static void test_depth(void **state)
{
	(void)state;
	for (int is_object = 0; is_object < 2; is_object++) {
		for (size_t depth = 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
			char text[8 * (JSON_DEPTH_MAX + 2)] = "";
			size_t offset, open_len;

			for (size_t i = 0; i < depth; i++)
				strcat(text, is_object ? "{\"a\":" : "[");
			open_len = strlen(text);
			strcat(text, "1");
			for (size_t i = 0; i < depth; i++)
				strcat(text, is_object ? "}" : "]");
			assert_int_equal(json_check(text, strlen(text), &offset), depth <= JSON_DEPTH_MAX ? JSON_DONE : JSON_BAD);
			if (depth > JSON_DEPTH_MAX)
				assert_int_equal(offset, open_len - (is_object ? 5 : 1));
		}
	}
}

/* The kind of each container on the way is kept: to the deepest, and back. */
static void test_mixed_depth(void **state)
{
	char text[8 * JSON_DEPTH_MAX] = "", close[JSON_DEPTH_MAX + 1];
	size_t offset;

	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		strcat(text, i % 3 ? "[" : "{\"a\":");
		close[JSON_DEPTH_MAX - 1 - i] = i % 3 ? ']' : '}';
	}
	close[JSON_DEPTH_MAX] = '\0';
	strcat(text, "0");
	strcat(text, close);
	assert_int_equal(json_check(text, strlen(text), &offset), JSON_DONE);
	for (size_t i = strlen(text) - JSON_DEPTH_MAX; i < strlen(text); i++) {
		text[i] ^= ']' ^ '}';
		assert_int_equal(json_check(text, strlen(text), &offset), JSON_BAD);
		assert_int_equal(offset, i);
		text[i] ^= ']' ^ '}';
	}
}

static void test_where(void **state)
{
	static const char text[] = "{\"ab\":[1,{\"c\\\"\":\"x\"}],\"\":2}";
	struct json_scan s;

	(void)state;
	json_scan_init(&s);
	assert_true(json_scan_wants_value(&s));
	for (size_t i = 0; text[i]; i++) {
		bool in_name, wants;

		assert_int_not_equal(json_scan_byte(&s, text[i]), JSON_BAD);
		in_name = json_scan_in_name(&s);
		wants = json_scan_wants_value(&s);
		assert_false(in_name && wants);
		if (text[i] == ':' || text[i] == '[')
			assert_true(wants);
		if (text[i] == 'a' || text[i] == 'b' || text[i] == 'c')
			assert_true(in_name);
		if (text[i] == 'x' || text[i] == '1' || text[i] == '}' || text[i] == ']')
			assert_false(in_name || wants);
	}
}

static void test_position(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
		unsigned line, column;
	} places[] = {
		{"", 0, 1, 1},     {"abc", 0, 1, 1},    {"abc", 2, 1, 3},  {"a\nb", 1, 1, 2},   {"a\nb", 2, 2, 1},
		{"a\nb", 3, 2, 2}, {"\n\n\n", 3, 4, 1}, {"abc", 99, 1, 4}, {"a\r\nb", 3, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		unsigned line = 0, column = 0;

		json_position(places[i].text, places[i].offset, &line, &column);
		assert_int_equal(line, places[i].line);
		assert_int_equal(column, places[i].column);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_bad),      cmocka_unit_test(test_nul),
		cmocka_unit_test(test_cut),   cmocka_unit_test(test_depth),    cmocka_unit_test(test_mixed_depth),
		cmocka_unit_test(test_where), cmocka_unit_test(test_position),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
