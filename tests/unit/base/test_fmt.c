/* base/fmt against the C library's own formatter, and where it is cut. */
#include "support.h"

#include <limits.h>

#include "base/fmt.h"

#define SAME(...)                                                                                                                  \
	do {                                                                                                                       \
		char ours[256], theirs[256];                                                                                       \
		int n = snprintf(theirs, sizeof theirs, __VA_ARGS__);                                                              \
                                                                                                                                   \
		assert_int_equal(fmt_text(ours, sizeof ours, __VA_ARGS__), n);                                                     \
		assert_string_equal(ours, theirs);                                                                                 \
	} while (0)

static void test_numbers(void **state)
{
	(void)state;
	SAME("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
	SAME("%u %u", 0u, UINT_MAX);
	SAME("%ld %ld %lu", LONG_MAX, LONG_MIN, ULONG_MAX);
	SAME("%lld %lld %llu", LLONG_MAX, LLONG_MIN, ULLONG_MAX);
	SAME("%zu %zu", (size_t)0, SIZE_MAX);
	SAME("%x %X %lx %llx", 0xdeadbeefu, 0xdeadbeefu, 0xfeedfaceul, 0xfeedfacecafeull);
	SAME("%02X|%04x|%02x", 7u, 0x1fu, 0x123u);
	SAME("%02d|%05d|%05d|%3d", 7, 42, -42, 12345);
	SAME("%5d|%-5d|%5u|%-5u|", 42, -42, 42u, 42u);
	SAME("%hu %hhu", (unsigned short)65535, (unsigned char)255);
}

static void test_strings(void **state)
{
	const char unterminated[4] = {'a', 'b', 'c', 'd'};

	(void)state;
	SAME("%s", "");
	SAME("plain");
	SAME("a%sb%sc", "1", "22");
	SAME("%-5s|%5s|%-15s|%2s", "A", "A", "192.0.2.1", "long");
	SAME("%.3s|%.0s|%.9s|%-6.2s|%6.2s", "abcdef", "abc", "abc", "abc", "abc");
	SAME("%.*s|%.*s", 2, "abc", -1, "abc");
	SAME("%.4s|%.*s", unterminated, 3, unterminated);
	SAME("100%% %s%%", "x");
}

static void test_null(void **state)
{
	const char *volatile null = NULL;
	char text[16];

	(void)state;
	fmt_text(text, sizeof text, "%s", null);
	assert_string_equal(text, "(null)");
}

static void test_cut(void **state)
{
	char text[8];

	(void)state;
	for (size_t cap = 1; cap <= sizeof text; cap++) {
		memset(text, '#', sizeof text);
		assert_int_equal(fmt_text(text, cap, "%s%d%s", "abc", 12, "xyz"), 8);
		assert_int_equal(strlen(text), cap - 1);
		assert_memory_equal(text, "abc12xyz", cap - 1);
		for (size_t i = cap; i < sizeof text; i++)
			assert_int_equal(text[i], '#');
	}
}

static void test_unknown(void **state)
{
	const char *volatile formats[] = {"a %f b %s", "a %p b %s", "a %n b %s", "a %", "a %5"};
	static const char *const wanted[] = {"a %f b %s", "a %p b %s", "a %n b %s", "a %", "a %5"};
	char text[32];

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	for (size_t i = 0; i < COUNT(formats); i++) {
		fmt_text(text, sizeof text, formats[i]);
		assert_string_equal(text, wanted[i]);
	}
#pragma GCC diagnostic pop
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_strings), cmocka_unit_test(test_null),
		cmocka_unit_test(test_cut),     cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
