#include "support.h"

#include "base/str.h"

static void test_copy(void **state)
{
	char to[4] = "old";

	(void)state;
	assert_int_equal(str_copy(to, sizeof to, "abcd"), -1);
	assert_string_equal(to, "old");
	assert_int_equal(str_copy(to, sizeof to, "abc"), 0);
	assert_string_equal(to, "abc");
	assert_int_equal(str_copy(to, sizeof to, ""), 0);
	assert_string_equal(to, "");
	assert_int_equal(str_copy(to, 0, ""), -1);
	assert_int_equal(str_copy_n(to, sizeof to, "abcdef", 3), 0);
	assert_string_equal(to, "abc");
	assert_int_equal(str_copy_n(to, sizeof to, "xyzw", 4), -1);
	assert_int_equal(str_copy_n(to, sizeof to, "x\0z", 3), -1);
	assert_string_equal(to, "abc");
	assert_int_equal(str_copy_n(to, sizeof to, "abc", 0), 0);
	assert_string_equal(to, "");
}

static void test_case(void **state)
{
	(void)state;
	assert_true(str_eq_nocase("Content-Type", "content-tYPE"));
	assert_true(str_eq_nocase("", ""));
	assert_false(str_eq_nocase("a", "ab"));
	assert_false(str_eq_nocase("ab", "a"));
	assert_false(str_eq_nocase("[", "{")); /* 0x20 apart, and no letters */
	assert_false(str_eq_nocase("@", "`"));
	assert_false(str_eq_nocase("\xc4", "\xe4"));
	assert_true(str_starts_nocase("HIT from edge", "hit"));
	assert_true(str_starts_nocase("x", ""));
	assert_false(str_starts_nocase("hi", "hit"));
	assert_true(str_ends_nocase("www.Example.COM", "example.com"));
	assert_true(str_ends_nocase("a", ""));
	assert_false(str_ends_nocase("com", "example.com"));
}

static void test_control(void **state)
{
	(void)state;
	assert_false(str_has_control(""));
	assert_false(str_has_control(" ~\xc3\xa4\x80\xff"));
	for (char c = 1; c > 0; c++) {
		const char text[] = {'a', c, 'b', '\0'};

		assert_int_equal(str_has_control(text), c < 0x20 || c == 0x7f);
		if (c == 0x7f)
			break;
	}
}

static void test_find(void **state)
{
	static const struct {
		const char *s, *sub;
		int at; /* -1: nowhere */
	} cases[] = {
		{"", "", 0},      {"abc", "", 0},         {"", "a", -1},       {"abc", "abc", 0},
		{"abc", "c", 2},  {"abc", "abcd", -1},    {"aabab", "ab", 1},  {"ababac", "abac", 2},
		{"abc", "C", -1}, {"http://h", "://", 4}, {"a:/b", "://", -1}, {"ab", "b", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *at = str_find(cases[i].s, cases[i].sub);

		if (cases[i].at < 0)
			assert_null(at);
		else
			assert_ptr_equal(at, cases[i].s + cases[i].at);
	}
}

static void test_trim(void **state)
{
	static const char *const cases[][2] = {
		{"", ""}, {" ", ""}, {" \t\r\n\v\f", ""}, {"a", "a"}, {" a b \n", "a b"}, {"a\r\n", "a"}, {"\xa0", "\xa0"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[16];

		strcpy(text, cases[i][0]);
		assert_string_equal(str_trim(text), cases[i][1]);
	}
}

static const struct {
	const char *text;
	uint64_t max;
	int rc;
	uint64_t value;
} numbers[] = {
	{"0", 0, 0, 0},
	{"1", 0, -1, 0},
	{"60", 86400, 0, 60},
	{"00060", 86400, 0, 60},
	{"86400", 86400, 0, 86400},
	{"86401", 86400, -1, 0},
	{"864000", 86400, -1, 0},
	{"7", 7, 0, 7},
	{"8", 7, -1, 0},
	{"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX, -1, 0},
	{"99999999999999999999999", UINT64_MAX, -1, 0},
	{"9223372036854775807", INT64_MAX, 0, INT64_MAX},
	{"9223372036854775808", INT64_MAX, -1, 0},
	{"", 9, -1, 0},
	{"-1", 9, -1, 0},
	{"+1", 9, -1, 0},
	{" 1", 9, -1, 0},
	{"1 ", 9, -1, 0},
	{"1x", 9, -1, 0},
	{"0x1", 9, -1, 0},
	{"1.0", 9, -1, 0},
	{"\xb2", 9, -1, 0},
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint64_t value = 4711;

		CHECK(str_u64(numbers[i].text, numbers[i].max, &value) == numbers[i].rc, "\"%s\"", numbers[i].text);
		CHECK(value == (numbers[i].rc ? 4711 : numbers[i].value), "\"%s\"", numbers[i].text);
	}
}

static void test_lower(void **state)
{
	char text[] = "AZaz09@[`{\xc4";

	(void)state;
	str_lower(text);
	assert_string_equal(text, "azaz09@[`{\xc4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),  cmocka_unit_test(test_case), cmocka_unit_test(test_control),
		cmocka_unit_test(test_trim),  cmocka_unit_test(test_find), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_lower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
