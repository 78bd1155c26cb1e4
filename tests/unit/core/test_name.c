#include "support.h"

#include "core/name.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define U8 "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"
#define U56 U8 U8 U8 U8 U8 U8 U8
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
	/* in Unicode; what Python's idna and UTS 46 make of it */
	{NAME_RECORD, "b\u00fccher.example", "xn--bcher-kva.example", NULL},
	{NAME_RECORD, "www.B\u00dcCHER.Example.", "www.xn--bcher-kva.example", NULL},
	{NAME_RECORD, "*.b\u00fccher.example", "*.xn--bcher-kva.example", NULL},
	{NAME_HOST, "\u00fc.\u00fc.\u00fc", "xn--tda.xn--tda.xn--tda", NULL},
	{NAME_RECORD, "stra\u00dfe.de", "xn--strae-oqa.de", NULL},
	{NAME_RECORD, "\u039a\u03a5\u03a0\u03a1\u039f\u03a3.gr", "xn--vxakceli.gr", NULL},
	{NAME_RECORD, "\u041f\u043e\u0447\u0442\u0430.\u0420\u0424", "xn--80a1acny.xn--p1ai", NULL},
	{NAME_RECORD, "\u65e5\u672c\u8a9e\u3002jp", "xn--wgv71a119e.jp", NULL},
	{NAME_RECORD, "\uff57\uff57\uff57\uff0eexample\uff61com\u3002", "www.example.com", NULL},
	{NAME_RECORD, "\u0160koda.cz", "xn--koda-f6a.cz", NULL},
	{NAME_RECORD, "\u017d\u0141.pl", "xn--tfa3j.pl", NULL},
	{NAME_RECORD, "Xn--Bcher-KVA.example", "xn--bcher-kva.example", NULL},
	{NAME_RECORD, "bu\u0308cher.example", NULL, "Punycode"}, /* the mark by itself */
	{NAME_RECORD, "a\u200bb.example", NULL, "Punycode"},
	{NAME_RECORD, "a\u00a0b.example", NULL, "Punycode"},
	{NAME_RECORD, "a\u00adb.example", NULL, "Punycode"},
	{NAME_RECORD, "\ufeffexample.com", NULL, "Punycode"},
	{NAME_RECORD, "\U0001f4a9.example", NULL, "Punycode"},
	{NAME_RECORD, "\u0130.example", NULL, "Punycode"},
	{NAME_RECORD, "\u1e9e.example", NULL, "Punycode"},
	{NAME_RECORD, "a\u3002\u3002b", NULL, "empty label"},
	{NAME_RECORD, "\uff0e", NULL, "empty"},
	/* not UTF-8: cut off, too long, a lone byte, a surrogate, Latin-1 */
	{NAME_RECORD, "a\xc3", NULL, "Punycode"},
	{NAME_RECORD, "a\xe3\x80", NULL, "Punycode"},
	{NAME_RECORD, "\xc1\xa1.example", NULL, "Punycode"},
	{NAME_RECORD, "\xe0\x83\xbc.example", NULL, "Punycode"},
	{NAME_RECORD, "\x80.example", NULL, "Punycode"},
	{NAME_RECORD, "\xed\xa0\x80.example", NULL, "Punycode"},
	{NAME_RECORD,
	 "b\xfc"
	 "cher.example",
	 NULL, "Punycode"},
	/* as an API gives it: no table is needed */
	{NAME_GIVEN, "*.\u2603.example", "*.xn--n3h.example", NULL},
	{NAME_GIVEN, "\U0001f4a9.la", "xn--ls8h.la", NULL},
	{NAME_GIVEN, "\u0567\u057e\u056b.\u0570\u0561\u0575", "xn--49ai0d.xn--y9a3aq", NULL},
	{NAME_GIVEN, "b\u00fccher.example", "xn--bcher-kva.example", NULL},
	{NAME_GIVEN, "b\xfc.example", NULL, "Punycode"},
	{NAME_RECORD, "\U0001f4a9.la", NULL, "Punycode"},
	/* 63 bytes in Punycode, and one more */
	{NAME_HOST, U56 "\u00fc.de", "xn--tda" A50 "aaaaaa.de", NULL},
	{NAME_HOST, U56 "\u00fc\u00fc.de", NULL, "63"},
	{NAME_HOST, "a" A63 ".\u00fc", NULL, "63"},
	{NAME_HOST, NAME_253 ".\u00fc", NULL, "253"},
	{NAME_HOST, U56 U56 U56 U56 U56, NULL, "253"},
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
