#include "support.h"

#include "core/name.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_253 A63 "." A63 "." A63 "." A61

static const struct {
	enum name_kind kind;
	const char *text, *name; /* NULL: refused */
	const char *says;
} cases[] = {
	{NAME_RECORD, "www.example.com", "www.example.com", NULL},
	{NAME_RECORD, "WWW.Example.COM.", "www.example.com", NULL},
	{NAME_RECORD, "example", "example", NULL},
	{NAME_RECORD, "_dmarc.ex-am_ple.com", "_dmarc.ex-am_ple.com", NULL},
	{NAME_RECORD, "xn--bcher-kva.example", "xn--bcher-kva.example", NULL},
	{NAME_RECORD, "*.example.com", "*.example.com", NULL},
	{NAME_HOST, "1.2.example.com", "1.2.example.com", NULL},
	{NAME_RECORD, A63 ".com", A63 ".com", NULL},
	{NAME_RECORD, NAME_253, NAME_253, NULL},
	{NAME_RECORD, NAME_253 ".", NAME_253, NULL},
	{NAME_HOST, "*.example.com", NULL, "wildcard"},
	{NAME_RECORD, "a.*.example.com", NULL, "wildcard"},
	{NAME_RECORD, "a*.example.com", NULL, "wildcard"},
	{NAME_RECORD, "*", NULL, "wildcard"},
	{NAME_RECORD, "*.*.example.com", NULL, "wildcard"},
	{NAME_RECORD, "*.", NULL, "wildcard"},
	{NAME_RECORD, "*..", NULL, "empty label"},
	{NAME_RECORD, "", NULL, "empty"},
	{NAME_RECORD, ".", NULL, "empty"},
	{NAME_RECORD, "..", NULL, "empty label"},
	{NAME_RECORD, ".example.com", NULL, "empty label"},
	{NAME_RECORD, "www..example.com", NULL, "empty label"},
	{NAME_RECORD, "a" A63 ".com", NULL, "63"},
	{NAME_RECORD, "a" NAME_253, NULL, "253"},
	{NAME_RECORD,
	 "b\xc3\xbc"
	 "cher.example",
	 NULL, "Punycode"},
	{NAME_RECORD, "www example.com", NULL, "character"},
	{NAME_RECORD, "www.example.com\n", NULL, "character"},
	{NAME_RECORD, "www/example", NULL, "character"},
	{NAME_RECORD, "@", NULL, "character"},
};

static void test_normalize(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *want = cases[i].name;
		char name[NAME_CAP] = "old";
		struct err e = {0};

		CHECK(name_normalize(name, cases[i].text, cases[i].kind, &e) == (want ? 0 : -1), "%s", cases[i].text);
		CHECK(strcmp(name, want ? want : "old") == 0, "%s: %s", cases[i].text, name);
		if (want)
			continue;
		assert_int_equal(e.kind, ERR_CONFIG);
		CHECK(strstr(e.text, cases[i].says), "%s: %s", cases[i].text, e.text);
	}
}

static void test_within(void **state)
{
	(void)state;
	assert_true(name_is_within("example.com", "example.com"));
	assert_true(name_is_within("www.example.com", "example.com"));
	assert_true(name_is_within("a.b.example.com", "b.example.com"));
	assert_true(name_is_within("*.example.com", "example.com"));
	assert_false(name_is_within("wwwexample.com", "example.com"));
	assert_false(name_is_within("example.com", "www.example.com"));
	assert_false(name_is_within("example.com.evil.net", "example.com"));
	assert_false(name_is_within("example.org", "example.com"));
	assert_false(name_is_within("", "example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
