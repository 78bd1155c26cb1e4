/* core/interface: which rule there is, and which address it means, as Containerbuddy has it but where told. */
#include "support.h"

#include <arpa/inet.h>

#include "base/buf.h"
#include "core/interface.h"

static struct interface_address list[INTERFACE_ADDRESSES_MAX];
static size_t list_n;

/* "eth0 10.0.0.1, eth0 ~fd00::1, ...": ~ is fleeting; lo is loopback. */
static void set_list(const char *text)
{
	char copy[4096], *save = NULL;

	(void)snprintf(copy, sizeof copy, "%s", text);
	list_n = 0;
	for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		struct interface_address *a = &list[list_n++];
		char address[64];
		unsigned char ip4[4];

		*a = (struct interface_address){.is_loopback = false};
		assert_int_equal(sscanf(p, " %15s %63s", a->name, address), 2);
		a->is_fleeting = address[0] == '~';
		a->is_loopback = !strcmp(a->name, "lo");
		if (inet_pton(AF_INET, address, ip4) == 1)
			addr_map(ip4, a->bytes);
		else
			assert_int_equal(inet_pton(AF_INET6, address + a->is_fleeting, a->bytes), 1);
	}
}

static int choose(const char *rules, char out[ADDR_TEXT_CAP], struct err *e)
{
	struct interface_rules r = {.n = 0};
	char copy[1024], *rest = copy;

	(void)snprintf(copy, sizeof copy, "%s", rules);
	for (const char *rule; (rule = strtok_r(rest, ",", &rest));)
		CHECK(!interface_rules_add(&r, rule, e), "%s: %s", rule, e->text);
	return interface_choose(&r, list, list_n, out, e);
}

/* As the machine had them on which the originals were measured. */
#define MEASURED                                                                                                                   \
	"net.1 10.78.0.1, lo 127.0.0.1, eth0 10.20.30.40, eth0 10.20.30.9, br-abc fe80::5, eth1 2001:db8::7, eth0 fe80::1, "       \
	"eth0 fd00:1::40, eth1 203.0.113.7, br-abc 10.77.0.1, lo ::1"
/* Of --interface. */
#define DEFAULT "public,eth0,inet"
#define PRIVATE_ONLY "eth0 10.0.0.5, lo 127.0.0.1, eth0 fe80::1"

static const struct {
	const char *there, *rules, *chosen; /* NULL: none */
} chosen[] = {
	/* As measured. */
	{MEASURED, "eth0", "10.20.30.9"},
	{MEASURED, "eth0:inet", "10.20.30.9"},
	{MEASURED, "eth0[0]", "10.20.30.9"},
	{MEASURED, "eth0[1]", "10.20.30.40"},
	{MEASURED, "eth0[2]", "fd00:1::40"},
	{MEASURED, "eth0[3]", "fe80::1"},
	{MEASURED, "eth0[03]", "fe80::1"},
	{MEASURED, "eth0[4]", NULL},
	{MEASURED, "eth0:inet6", "fd00:1::40"},
	{MEASURED, "inet", "10.77.0.1"},
	{MEASURED, "lo", "127.0.0.1"},
	{MEASURED, "lo[0]", "::1"},
	{MEASURED, "lo[1]", "127.0.0.1"},
	{MEASURED, "10.0.0.0/8", "10.77.0.1"},
	{MEASURED, "10.20.30.0/24", "10.20.30.9"},
	{MEASURED, "10.20.30.77/24", "10.20.30.9"},
	{MEASURED, "0.0.0.0/0", "10.77.0.1"},
	{MEASURED, "eth9,eth1", "203.0.113.7"},
	{MEASURED, "eth1,eth0", "203.0.113.7"},
	{MEASURED, "static:192.0.2.99", "192.0.2.99"},
	{MEASURED, "static:2001:DB8:0::99", "2001:db8::99"},
	{MEASURED, "static:127.0.0.1", "127.0.0.1"},
	{MEASURED, "INET", NULL},
	{MEASURED, "ETH0", NULL},
	/* Names that they refuse. */
	{MEASURED, "br-abc", "10.77.0.1"},
	{MEASURED, "net.1", "10.78.0.1"},
	{"veth@if3 10.0.0.1", "veth@if3", "10.0.0.1"},
	{"12345678901234_ 10.0.0.1", "12345678901234_", "10.0.0.1"},
	{"7 10.0.0.1", "7", "10.0.0.1"},
	/* They choose the link-local address of br-abc here. */
	{MEASURED, "inet6", "fd00:1::40"},
	{MEASURED, "::/0", "fd00:1::40"},
	{MEASURED, "br-abc:inet6", NULL},
	{MEASURED, "fe80::/64", "fe80::5"},
	{MEASURED, "fe80::/7", NULL},
	{MEASURED, "lo:inet6", "::1"},
	{MEASURED, "::1/128", "::1"},
	/* Loopback is in a wide network only by its letter. */
	{"lo 127.0.0.1, wlan0 192.168.1.5", "0.0.0.0/0", "192.168.1.5"},
	{"lo 127.0.0.1", "0.0.0.0/0", NULL},
	{"lo 127.0.0.1, wlan0 192.168.1.5", "127.0.0.0/8", "127.0.0.1"},
	{"lo 10.1.1.1, lo 127.0.0.1", "10.1.1.0/24", "10.1.1.1"},
	{"lo 10.1.1.1, lo 127.0.0.1", "inet", NULL},
	{"eth0 169.254.7.7", "169.254.0.0/16", "169.254.7.7"},
	{"eth0 169.254.7.7", "0.0.0.0/0", NULL},
	/* Networks to the bit, and of their own family. */
	{"a 10.0.0.127, b 10.0.0.128", "10.0.0.128/25", "10.0.0.128"},
	{"a 10.0.0.127, b 10.0.0.128", "10.0.0.127/32", "10.0.0.127"},
	{"a 10.0.0.127, b 10.0.0.128", "10.0.0.126/32", NULL},
	{"a 11.0.0.1, b 12.0.0.1", "12.0.0.0/6", "12.0.0.1"},
	{"a 10.0.0.1, b 2001:db8:8000::1, c 2001:db8:7fff::1", "2001:db8::/33", "2001:db8:7fff::1"},
	{"a 10.0.0.1", "::/0", NULL},
	{"a 2001:db8::1", "0.0.0.0/0", NULL},
	/* The worse come last. */
	{"a 169.254.9.9, b 192.168.1.1", "inet", "192.168.1.1"},
	{"a 169.254.9.9, a 192.168.1.1", "a", "192.168.1.1"},
	{"a 169.254.9.9", "inet", "169.254.9.9"},
	{"a ~2001:db8::1, b 2001:db8::2", "inet6", "2001:db8::2"},
	{"a ~2001:db8::1, a 2001:db8::2", "a:inet6", "2001:db8::2"},
	{"a ~2001:db8::1, a 2001:db8::2", "2001:db8::/32", "2001:db8::2"},
	{"a ~2001:db8::1, a 2001:db8::2", "a[0]", "2001:db8::1"},
	{"a ~2001:db8::1", "inet6", "2001:db8::1"},
	{"a ~2001:db8::1, b 2001:db8::2", "public", "2001:db8::2"},
	/* public and private */
	{MEASURED, "public", "203.0.113.7"},
	{MEASURED, "private", "10.77.0.1"},
	{"a 2001:db8::7, b 10.0.0.1, c 198.51.100.1", "public", "198.51.100.1"},
	{"a 2001:db8::7, b 10.0.0.1", "public", "2001:db8::7"},
	{"a fd00::7, b 10.0.0.1", "private", "10.0.0.1"},
	{"a fd00::7, b 198.51.100.1", "private", "fd00::7"},
	{"lo 198.51.100.1", "public", NULL},
	{"lo 10.0.0.1", "private", NULL},
	{"a fe80::1, b 169.254.1.1, c 8.8.8.8", "private", NULL},
	{PRIVATE_ONLY, "public", NULL},
	{PRIVATE_ONLY, DEFAULT, "10.0.0.5"},
	{"ens3 10.0.0.5, lo 127.0.0.1", DEFAULT, "10.0.0.5"},
	{"eth0 10.0.0.5, eth1 192.0.2.5", DEFAULT, "192.0.2.5"},
	{"eth0 10.0.0.5, br-0 172.17.0.1", DEFAULT, "10.0.0.5"},
	{"", DEFAULT, NULL},
	{"", "static:192.0.2.1", "192.0.2.1"},
};

static void test_choose(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(chosen); i++) {
		char out[ADDR_TEXT_CAP] = "untouched";
		struct err e = {0};
		int rc;

		set_list(chosen[i].there);
		rc = choose(chosen[i].rules, out, &e);
		CHECK(!rc == (chosen[i].chosen != NULL), "case %zu, %s: %s", i, chosen[i].rules, rc ? e.text : out);
		CHECK(!strcmp(out, rc ? "untouched" : chosen[i].chosen), "case %zu, %s: %s", i, chosen[i].rules, out);
		CHECK(!rc || e.kind == ERR_CONFIG, "case %zu: kind", i);
	}
}

/* What is public: the first and last addresses of what is not, and their neighbours. */
static const struct {
	const char *address;
	bool is_public;
} ranges[] = {
	{"9.255.255.255", true},
	{"10.0.0.0", false},
	{"10.255.255.255", false},
	{"11.0.0.0", true},
	{"100.63.255.255", true},
	{"100.64.0.0", false},
	{"100.127.255.255", false},
	{"100.128.0.0", true},
	{"126.255.255.255", true},
	{"127.0.0.0", false},
	{"127.255.255.255", false},
	{"128.0.0.0", true},
	{"169.253.255.255", true},
	{"169.254.0.0", false},
	{"169.254.255.255", false},
	{"169.255.0.0", true},
	{"172.15.255.255", true},
	{"172.16.0.0", false},
	{"172.31.255.255", false},
	{"172.32.0.0", true},
	{"191.255.255.255", true},
	{"192.0.0.0", false},
	{"192.0.0.255", false},
	{"192.0.1.0", true},
	{"192.167.255.255", true},
	{"192.168.0.0", false},
	{"192.168.255.255", false},
	{"192.169.0.0", true},
	{"198.17.255.255", true},
	{"198.18.0.0", false},
	{"198.19.255.255", false},
	{"198.20.0.0", true},
	{"223.255.255.255", true},
	{"224.0.0.0", false},
	{"239.255.255.255", false},
	{"240.0.0.0", false},
	{"255.255.255.255", false},
	{"0.0.0.0", false},
	{"0.255.255.255", false},
	{"1.0.0.0", true},
	/* The networks for documentation stand for public ones. */
	{"192.0.2.1", true},
	{"198.51.100.1", true},
	{"203.0.113.7", true},
	{"2001:db8::7", true},
	{"1fff::1", false},
	{"2000::1", true},
	{"3fff:ffff::1", true},
	{"4000::1", false},
	{"fd00::1", false},
	{"fc00::1", false},
	{"fe80::1", false},
	{"fec0::1", false},
	{"ff02::1", false},
	{"::1", false},
	{"::", false},
	{"64:ff9b::1", false},
};

static void test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ranges); i++) {
		char there[64], out[ADDR_TEXT_CAP];
		struct err e;

		(void)snprintf(there, sizeof there, "eth0 %s", ranges[i].address);
		set_list(there);
		CHECK(!choose("public", out, &e) == ranges[i].is_public, "%s", ranges[i].address);
	}
}

/* ---- reading rules ---- */

static const char *const refused[] = {
	"",
	" eth0",
	"eth0 ",
	"eth 0",
	"eth0:inet4",
	"eth0:",
	"eth0:public",
	":inet",
	"*",
	"eth*",
	"10.20.30.40",
	"1.2.3",
	"eth0[",
	"eth0[]",
	"eth0[-1]",
	"eth0[x]",
	"eth0[1]x",
	"eth0[1024]",
	"[1]",
	"eth0:inet[1]",
	"eth0[1]:inet",
	"eth0[1",
	"eth0]",
	"10.0.0.0/",
	"10.0.0.0/33",
	"10.0.0.0/-1",
	"10.0.0/8",
	"/8",
	"::/129",
	"fe80::1",
	"fe80::%1/8",
	"static:",
	"static:web",
	"static:10.0.0",
	"static:10.0.0.1/8",
	"Static:10.0.0.1",
	"eth0,eth1",
	"a23456789012345z",
	"eth0\n",
	"b\xc3\xbc",
	"eth0;eth1",
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct interface_rules r = {.n = 0};
		struct err e = {0};

		CHECK(interface_rules_add(&r, refused[i], &e), "%s is taken", refused[i]);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_int_equal(r.n, 0);
		CHECK(strchr(refused[i], '\n') || strstr(e.text, refused[i]), "%s", e.text);
	}
}

static void test_limits(void **state)
{
	char text[INTERFACE_RULE_CAP + 1];
	struct interface_rules r = {.n = 0};
	struct err e;

	(void)state;
	for (int i = 0; i < INTERFACE_RULES_MAX; i++)
		assert_int_equal(interface_rules_add(&r, "inet", &e), 0);
	assert_int_equal(interface_rules_add(&r, "inet", &e), -1);
	assert_int_equal(r.n, INTERFACE_RULES_MAX);
	assert_non_null(strstr(e.text, "more than 16"));
	/* Zeros in front are no reason to refuse an index, a rule too long is. */
	memset(text, '0', sizeof text);
	memcpy(text, "eth0[", 5);
	memcpy(text + INTERFACE_RULE_CAP - 2, "]", 2);
	r.n = 0;
	assert_int_equal(interface_rules_add(&r, text, &e), 0);
	memcpy(text + INTERFACE_RULE_CAP - 2, "0]", 3);
	assert_int_equal(interface_rules_add(&r, text, &e), -1);
	assert_int_equal(r.n, 1);
}

/* ---- none fits ---- */

static void test_none(void **state)
{
	static const struct {
		const char *there, *rules, *says;
	} cases[] = {
		{"", "public,eth0,inet", "no address for public,eth0,inet: there is no interface that is up and has one"},
		{"eth0 10.0.0.2, lo 127.0.0.1, eth0 fe80::1", "public",
		 "no address for public: there is eth0 10.0.0.2, eth0 fe80::1, lo 127.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[ADDR_TEXT_CAP];
		struct err e = {0};

		set_list(cases[i].there);
		assert_int_equal(choose(cases[i].rules, out, &e), -1);
		assert_string_equal(e.text, cases[i].says);
	}
}

/* Whatever there is, all of the error fits, and says how much it leaves out. */
static void test_none_of_many(void **state)
{
	char rules[INTERFACE_RULES_MAX * INTERFACE_RULE_CAP] = "", out[ADDR_TEXT_CAP];
	struct err e = {0};
	size_t shown_n = 0, more_n = 0;

	(void)state;
	for (size_t i = 0; i < INTERFACE_ADDRESSES_MAX; i++) {
		list[i] = (struct interface_address){.bytes = {0xfe, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
		(void)snprintf(list[i].name, sizeof list[i].name, "veth12345678%03x", (unsigned)i & 0xfff);
		list[i].bytes[15] = (unsigned char)i;
		list[i].bytes[14] = (unsigned char)(i >> 8);
	}
	list_n = INTERFACE_ADDRESSES_MAX;
	for (int i = 0; i < INTERFACE_RULES_MAX; i++)
		(void)snprintf(rules + strlen(rules), sizeof rules - strlen(rules), "%s2001:db8:1111:2222:3333:4444:5555:6666/128",
			       i ? "," : "");
	assert_int_equal(choose(rules, out, &e), -1);
	assert_true(strlen(e.text) < ERR_TEXT_MAX - 1);
	for (const char *p = e.text; (p = strstr(p, "veth")); p++)
		shown_n++;
	assert_non_null(strstr(e.text, " more"));
	assert_int_equal(sscanf(strstr(e.text, " and ") + 5, "%zu", &more_n), 1);
	assert_int_equal(shown_n + more_n, INTERFACE_ADDRESSES_MAX);
	assert_true(shown_n >= 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose), cmocka_unit_test(test_ranges), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_none),   cmocka_unit_test(test_none_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
