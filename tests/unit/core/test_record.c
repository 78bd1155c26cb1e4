#include "support.h"

#include "core/record.h"

static struct target_hosts hosts;

static const struct {
	const char *text;
	enum record_type type;
	const char *again; /* NULL: refused */
	const char *says;
} parsed[] = {
	{"192.0.2.1", RECORD_A, "192.0.2.1", NULL},
	{"2001:db8::1", RECORD_AAAA, "2001:db8::1", NULL},
	{"2001:DB8:0:0:0:0:0:1", RECORD_AAAA, "2001:db8::1", NULL},
	{"2001:0db8::0001", RECORD_AAAA, "2001:db8::1", NULL},
	{"2001:db8:0::1", RECORD_AAAA, "2001:db8::1", NULL},
	{"2001:db8::0:1", RECORD_AAAA, "2001:db8::1", NULL},
	{"2001:db8:0:1:1:1:1:1", RECORD_AAAA, "2001:db8:0:1:1:1:1:1", NULL},
	{"1:0:0:2:0:0:0:3", RECORD_AAAA, "1:0:0:2::3", NULL},
	{"2001:db8::192.0.2.1", RECORD_AAAA, "2001:db8::c000:201", NULL},
	{"lb.example.net", RECORD_CNAME, "lb.example.net", NULL},
	{"LB.Example.NET.", RECORD_CNAME, "lb.example.net", NULL},
	{"localhost", RECORD_A, NULL, "whole"},
	{"web-host.", RECORD_A, NULL, "whole"},
	{"1.2.3.com", RECORD_CNAME, "1.2.3.com", NULL},
	{"0.0.0.0", RECORD_A, NULL, "reach"},
	{"::", RECORD_A, NULL, "reach"},
	{"0::0", RECORD_A, NULL, "reach"},
	{"", RECORD_A, NULL, "empty"},
	{"300.1.1.1", RECORD_A, NULL, "neither"},
	{"1.2.3", RECORD_A, NULL, "neither"},
	{"1.2.3.4.5", RECORD_A, NULL, "neither"},
	{"01.2.3.4", RECORD_A, NULL, "neither"},
	{"1", RECORD_A, NULL, "neither"},
	{"1.2.3.4a", RECORD_CNAME, "1.2.3.4a", NULL},
	{"host1", RECORD_A, NULL, "whole"},
	{"host.1a", RECORD_CNAME, "host.1a", NULL},
	{"0.255.255.255", RECORD_A, NULL, "reach"},
	{"1.0.0.0", RECORD_A, "1.0.0.0", NULL},
	{"126.255.255.255", RECORD_A, "126.255.255.255", NULL},
	{"127.0.0.1", RECORD_A, NULL, "reach"},
	{"128.0.0.0", RECORD_A, "128.0.0.0", NULL},
	{"169.254.0.1", RECORD_A, NULL, "reach"},
	{"223.255.255.255", RECORD_A, "223.255.255.255", NULL},
	{"224.0.0.1", RECORD_A, NULL, "reach"},
	{"255.255.255.255", RECORD_A, NULL, "reach"},
	{"fe80::1", RECORD_A, NULL, "reach"},
	{"fec0::1", RECORD_AAAA, "fec0::1", NULL},
	{"ff02::1", RECORD_A, NULL, "reach"},
	{"::1", RECORD_A, NULL, "reach"},
	{"::2", RECORD_AAAA, "::2", NULL},
	{"lb.xn--4", RECORD_CNAME, "lb.xn--4", NULL},
	{"::ffff:192.0.2.1", RECORD_A, "192.0.2.1", NULL},
	{"::ffff:c000:201", RECORD_A, "192.0.2.1", NULL},
	{"::fffe:192.0.2.1", RECORD_AAAA, "::fffe:c000:201", NULL},
	{"::ffff:0.0.0.0", RECORD_A, NULL, "reach"},
	{"1.2.3.4:80", RECORD_A, NULL, "not an address"},
	{"fe80::1%eth0", RECORD_A, NULL, "not an address"},
	{"[::1]", RECORD_A, NULL, "not an address"},
	{"1::2::3", RECORD_A, NULL, "not an address"},
	{":", RECORD_A, NULL, "not an address"},
	{"12345::", RECORD_A, NULL, "not an address"},
	{"1.2.3.4 ", RECORD_A, NULL, "character"},
	{"a b", RECORD_A, NULL, "character"},
	{"*.example.com", RECORD_A, NULL, "wildcard"},
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parsed); i++) {
		struct target t = {.type = RECORD_TYPES};
		char text[TARGET_TEXT_CAP];
		struct err e = {0};

		hosts.len = 0;
		CHECK(target_parse(&t, parsed[i].text, &hosts, &e) == (parsed[i].again ? 0 : -1), "%s", parsed[i].text);
		if (!parsed[i].again) {
			assert_int_equal(e.kind, ERR_CONFIG);
			CHECK(strstr(e.text, parsed[i].says), "%s: %s", parsed[i].text, e.text);
			CHECK(t.type == RECORD_TYPES, "%s: written on failure", parsed[i].text);
			continue;
		}
		assert_int_equal(t.type, parsed[i].type);
		target_format(&t, text);
		assert_string_equal(text, parsed[i].again);
	}
}

static void test_no_hosts(void **state)
{
	struct target t = {.type = RECORD_TYPES};
	struct err e = {0};

	(void)state;
	assert_int_equal(target_parse(&t, "lb.example.net", NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(target_parse(&t, "192.0.2.1", NULL, &e), 0);
}

/* What DNS holds is taken as it is. */
static void test_content(void **state)
{
	static const struct {
		enum record_type type;
		const char *content, *again;
	} cases[] = {
		{RECORD_A, "0.0.0.0", "0.0.0.0"},
		{RECORD_A, "1.2.3.4", "1.2.3.4"},
		{RECORD_AAAA, "::", "::"},
		{RECORD_AAAA, "2001:DB8::0:1", "2001:db8::1"},
		{RECORD_CNAME, "Odd Host*.1.", "odd host*.1"},
		{RECORD_CNAME, "1.2.3.4", "1.2.3.4"},
		{RECORD_CNAME, "lb.B\u00fccher.example.", "lb.xn--bcher-kva.example"},
		{RECORD_CNAME, "\U0001f4a9.Example.", "xn--ls8h.example"},
		{RECORD_A, "::1", NULL},
		{RECORD_AAAA, "1.2.3.4", NULL},
		{RECORD_A, "host", NULL},
		{RECORD_A, "", NULL},
		{RECORD_CNAME, "a\nb", NULL},
		{RECORD_A, "1.2.3.4\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[TARGET_TEXT_CAP];
		struct target t;
		struct err e = {0};

		hosts.len = 0;
		CHECK(target_from_content(&t, cases[i].type, cases[i].content, &hosts, &e) == (cases[i].again ? 0 : -1), "%s",
		      cases[i].content);
		if (!cases[i].again) {
			assert_int_equal(e.kind, ERR_PROTO);
			continue;
		}
		target_format(&t, text);
		assert_string_equal(text, cases[i].again);
		assert_int_equal(t.type, cases[i].type);
	}
}

static void test_long_content(void **state)
{
	char name[NAME_CAP + 2];
	struct target t;
	struct err e = {0};

	(void)state;
	hosts.len = 0;
	memset(name, 'a', sizeof name);
	name[NAME_MAX_LEN] = '\0';
	assert_int_equal(target_from_content(&t, RECORD_CNAME, name, &hosts, &e), 0);
	name[NAME_MAX_LEN] = 'a';
	name[NAME_MAX_LEN + 1] = '\0';
	assert_int_equal(target_from_content(&t, RECORD_CNAME, name, &hosts, &e), -1);
	assert_int_equal(e.kind, ERR_PROTO);
}

static void test_hosts(void **state)
{
	struct target a, b, c, d;
	struct err e = {0};
	char name[NAME_CAP];
	size_t n = 0;

	(void)state;
	hosts.len = 0;
	assert_int_equal(target_parse(&a, "lb.example.net", &hosts, &e), 0);
	assert_int_equal(target_parse(&b, "b.example.net", &hosts, &e), 0);
	assert_int_equal(target_parse(&c, "LB.example.net", &hosts, &e), 0);
	assert_int_equal(target_parse(&d, "example.net", &hosts, &e), 0); /* the end of another */
	assert_ptr_equal(a.host, c.host);
	assert_string_equal(d.host, "example.net");
	assert_ptr_not_equal(d.host, a.host + 3);
	assert_int_equal(hosts.len, sizeof "lb.example.net" + sizeof "b.example.net" + sizeof "example.net");
	/* Full to the last byte, and one more. */
	hosts.len = 0;
	memset(name, 'x', sizeof name);
	name[127] = '\0';
	for (; n < TARGET_HOSTS_CAP / 128; n++) {
		(void)snprintf(name, 9, "%07zu", n);
		name[7] = 'x';
		assert_int_equal(target_from_content(&a, RECORD_CNAME, name, &hosts, &e), 0);
	}
	assert_int_equal(hosts.len, TARGET_HOSTS_CAP);
	assert_int_equal(target_from_content(&b, RECORD_CNAME, name, &hosts, &e), 0); /* known */
	assert_int_equal(target_from_content(&b, RECORD_CNAME, "z", &hosts, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(hosts.len, TARGET_HOSTS_CAP);
}

static enum record_type guess_type(const char *text)
{
	if (strchr(text, ':'))
		return RECORD_AAAA;
	return strspn(text, "0123456789.") == strlen(text) ? RECORD_A : RECORD_CNAME;
}

static void test_compare(void **state)
{
	static const char *const order[] = {
		"1.1.1.1", "1.1.1.2", "2.0.0.0", "200.0.0.0", "::1", "2001:db8::1", "ff00::", "a.example.net", "b.example.net",
	};
	struct target t[COUNT(order)];
	struct err e = {0};

	(void)state;
	hosts.len = 0;
	for (size_t i = 0; i < COUNT(order); i++)
		assert_int_equal(target_from_content(&t[i], guess_type(order[i]), order[i], &hosts, &e), 0);
	for (size_t i = 0; i < COUNT(order); i++)
		for (size_t k = 0; k < COUNT(order); k++) {
			int c = target_compare(&t[i], &t[k]);

			CHECK(i < k ? c < 0 : i > k ? c > 0 : c == 0, "%s %s", order[i], order[k]);
		}
}

static const struct {
	const char *text;
	bool is_private;
} ranges[] = {
	{"9.255.255.255", false},
	{"10.0.0.0", true},
	{"10.255.255.255", true},
	{"11.0.0.0", false},
	{"172.15.255.255", false},
	{"172.16.0.0", true},
	{"172.31.255.255", true},
	{"172.32.0.0", false},
	{"192.167.255.255", false},
	{"192.168.0.0", true},
	{"192.168.255.255", true},
	{"192.169.0.0", false},
	{"126.255.255.255", false},
	{"127.0.0.0", true},
	{"127.255.255.255", true},
	{"128.0.0.0", false},
	{"169.253.255.255", false},
	{"169.254.0.0", true},
	{"169.254.255.255", true},
	{"169.255.0.0", false},
	{"100.63.255.255", false},
	{"100.64.0.0", true},
	{"100.127.255.255", true},
	{"100.128.0.0", false},
	{"8.8.8.8", false},
	{"fbff::1", false},
	{"fc00::", true},
	{"fdff:ffff::1", true},
	{"fe00::1", false},
	{"fe7f::1", false},
	{"fe80::", true},
	{"febf:ffff::1", true},
	{"fec0::1", false},
	{"::1", true},
	{"::2", false},
	{"2001:db8::1", false},
	{"a00::1", false},
	{"localhost", false},
};

static void test_private(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ranges); i++) {
		struct target t;
		struct err e = {0};

		hosts.len = 0;
		assert_int_equal(target_from_content(&t, guess_type(ranges[i].text), ranges[i].text, &hosts, &e), 0);
		CHECK(target_can_be_proxied(&t) != ranges[i].is_private, "%s", ranges[i].text);
	}
}

/* A CNAME has its name for itself: RFC 1034 section 3.6.2. */
static void test_excludes(void **state)
{
	static const char *const texts[] = {"1.1.1.1", "1.1.1.2", "2001:db8::1", "a.example.net", "b.example.net"};
	struct target t[COUNT(texts)];
	struct err e = {0};

	(void)state;
	hosts.len = 0;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(target_from_content(&t[i], guess_type(texts[i]), texts[i], &hosts, &e), 0);
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(target_is_alone(&t[i]), i >= 3);
		for (size_t k = 0; k < COUNT(texts); k++)
			CHECK(target_excludes(&t[i], &t[k]) == (i != k && (i >= 3 || k >= 3)), "%s %s", texts[i], texts[k]);
	}
}

static void test_types(void **state)
{
	static const char *const others[] = {"", "a", "AA", "aaaa", "MX", "CNAME ", "TXT"};
	enum record_type type;

	(void)state;
	for (int i = 0; i < RECORD_TYPES; i++) {
		type = RECORD_TYPES;
		assert_int_equal(record_type_parse(record_type_name((enum record_type)i), &type), 0);
		assert_int_equal(type, i);
	}
	assert_string_equal(record_type_name(RECORD_AAAA), "AAAA");
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(record_type_parse(others[i], &type), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),        cmocka_unit_test(test_no_hosts), cmocka_unit_test(test_content),
		cmocka_unit_test(test_long_content), cmocka_unit_test(test_hosts),    cmocka_unit_test(test_compare),
		cmocka_unit_test(test_private),      cmocka_unit_test(test_excludes), cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
