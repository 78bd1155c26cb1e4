#include "support.h"

#include "base/fmt.h"
#include "base/utf8.h"

static void test_read(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		uint32_t c;
	} cases[] = {
		{"a", 1, 'a'},
		{"\x7f", 1, 0x7f},
		{"\xc2\x80", 2, 0x80},
		{"\xdf\xbf", 2, 0x7ff},
		{"\xe0\xa0\x80", 3, 0x800},
		{"\xed\x9f\xbf", 3, 0xd7ff},
		{"\xee\x80\x80", 3, 0xe000},
		{"\xef\xbf\xbf", 3, 0xffff},
		{"\xf0\x90\x80\x80", 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
		/* Not UTF-8: */
		{"\x80", 1, UTF8_BAD},
		{"\xbf", 1, UTF8_BAD},
		{"\xc0\x80", 1, UTF8_BAD},
		{"\xc1\xbf", 1, UTF8_BAD},
		{"\xc3", 1, UTF8_BAD},
		{"\xc3(", 1, UTF8_BAD},
		{"\xe0\x9f\xbf", 1, UTF8_BAD},
		{"\xe2\x82", 1, UTF8_BAD},
		{"\xed\xa0\x80", 1, UTF8_BAD},
		{"\xed\xbf\xbf", 1, UTF8_BAD},
		{"\xf0\x8f\xbf\xbf", 1, UTF8_BAD},
		{"\xf0\x90\x80", 1, UTF8_BAD},
		{"\xf4\x90\x80\x80", 1, UTF8_BAD},
		{"\xf7\xbf\xbf\xbf", 1, UTF8_BAD},
		{"\xf8\x88\x80\x80\x80", 1, UTF8_BAD},
		{"\xff", 1, UTF8_BAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t c = 0;

		CHECK(utf8_read(cases[i].text, &c) == cases[i].n && c == cases[i].c, "case %zu: %x", i, (unsigned)c);
	}
}

/* Each end of each range, and its neighbours. */
static void test_harmful(void **state)
{
	static const struct {
		uint32_t first, last;
	} harmful[] = {
		{0, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
	};

	(void)state;
	for (uint32_t c = 0; c < 0x3000; c++) {
		bool is_among = false;

		for (size_t i = 0; i < COUNT(harmful); i++)
			is_among |= c >= harmful[i].first && c <= harmful[i].last;
		CHECK(utf8_is_harmful(c) == is_among, "U+%04X", (unsigned)c);
	}
	assert_true(utf8_is_harmful(UTF8_BAD));
	assert_false(utf8_is_harmful(0x10ffff));
}

static void test_clean(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"b\xc3\xbc"
		 "cher",
		 "b\xc3\xbc"
		 "cher"},
		{"\x1b[31m", "?[31m"},
		{"\xc2\x9b"
		 "31m",
		 "?31m"},
		{"\xe2\x80\xae"
		 "moc.live\xe2\x80\xac",
		 "?moc.live?"},
		{"a\xe2\x80", "a??"},
		{"\xff\xfe\xc3\xa4", "??\xc3\xa4"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[32];

		strcpy(text, cases[i][0]);
		utf8_clean(text);
		assert_string_equal(text, cases[i][1]);
	}
}

/* Wherever a text is cut, no character is. */
static void test_fit(void **state)
{
	static const char text[] = "a\xc3\xbc"
				   "b\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t fits[] = {0, 1, 1, 3, 4, 4, 4, 7, 7, 7, 7, 11, 12};

	(void)state;
	assert_int_equal(COUNT(fits), sizeof text);
	for (size_t n = 0; n < sizeof text; n++) {
		char out[sizeof text], exact[sizeof text];

		assert_int_equal(utf8_fit(text, n), fits[n]);
		(void)fmt_text(exact, sizeof exact, "<%.*s>", (int)n, text);
		assert_int_equal(strlen(exact), fits[n] + 2 < sizeof exact ? fits[n] + 2 : sizeof exact - 1);
		assert_int_equal(fmt_text(out, n + 1, "%s", text), sizeof text - 1);
		assert_int_equal(strlen(out), fits[n]);
	}
	assert_int_equal(utf8_fit("\x80\x80\x80\x80\x80", 5), 5); /* no character at all */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_harmful),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
