#include "net/dns/authority.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "net/dns/lookup.h"
#include "net/dns/nameserver.h"
#include "support.h"

/* The system's server is 1; those of the zone are 2 and 3. */
#define CONF "nameserver 127.0.0.1\n"
#define WWW "www.example.com"
#define NS1                                                                                                                        \
	{                                                                                                                          \
		1, "ns1.example.com", '4', 0, "127.0.0.2", 0                                                                       \
	}
#define NS2                                                                                                                        \
	{                                                                                                                          \
		1, "ns2.example.com", '4', 0, "127.0.0.3", 0                                                                       \
	}
#define ZONE                                                                                                                       \
	{                                                                                                                          \
		1, "example.com", 'n', 0, "&ns1.example.com &NS2.example.com", 0                                                   \
	}
#define NONE                                                                                                                       \
	{                                                                                                                          \
		1, WWW, 'n', 0, "", 0                                                                                              \
	}

static struct authority authority;
static struct err err;
static int64_t ahead_ms; /* the clock of the test runs faster while nothing comes */

static int64_t now_ms(void)
{
	return clock_now_ms() + ahead_ms;
}

static enum authority_result go_on(void)
{
	enum authority_result result;

	err = (struct err){.kind = ERR_NONE};
	while ((result = authority_step(&authority, now_ms(), &err)) == AUTHORITY_MORE) {
		struct pollfd pfd[NAMESERVER_FDS + 2];
		struct loop_wait w = {.fds = pfd, .cap = 2, .wake_ms = CLOCK_NEVER};

		authority_wants(&authority, &w);
		assert_true(w.wake_ms > now_ms() || w.wake_ms == 0);
		if (poll(pfd, ns_wants(pfd + w.n) + w.n, 20) == 0)
			ahead_ms += 400;
		ns_step();
	}
	assert_int_equal(authority.x.fd, -1);
	assert_int_equal(authority.resolve.x.fd, -1);
	return result;
}

static struct resolve_files files;

static void begin(const char *servers, const struct ns_rule *rules)
{
	lookup_begin("", CONF, servers, rules);
	files = *resolve.files;
	ahead_ms = 0;
	authority_init(&authority);
	authority.files = &files;
}

/* ---- Finding ---- */

struct search {
	const char *what, *name;
	struct ns_rule rules[8];
	const char *want;  /* "ns1.example.com 127.0.0.2, ...", or what is in the error's text */
	const char *asked; /* NULL: whatever */
};

static const struct search found[] = {
	{.what = "of the zone above",
	 .name = WWW,
	 .rules = {NONE, ZONE, NS1, NS2},
	 .want = "ns1.example.com 127.0.0.2, ns2.example.com 127.0.0.3",
	 .asked = "1un www.example.com,1un example.com,1u4 ns1.example.com,1u6 ns1.example.com,1u4 ns2.example.com,1u6 "
		  "ns2.example.com"},
	{.what = "of the name itself",
	 .name = "example.com",
	 .rules = {ZONE, NS1, NS2},
	 .want = "ns1.example.com 127.0.0.2, ns2.example.com 127.0.0.3"},
	{.what = "label by label",
	 .name = "a.b." WWW,
	 .rules = {ZONE, NS1, NS2},
	 .want = "ns1.example.com 127.0.0.2, ns2.example.com 127.0.0.3",
	 .asked = "1un a.b.www.example.com,1un b.www.example.com,1un www.example.com,1un example.com,1u4 ns1.example.com,1u6 "
		  "ns1.example.com,1u4 ns2.example.com,1u6 ns2.example.com"},
	{.what = "past an alias, whose servers are others'",
	 .name = WWW,
	 .rules = {{1, WWW, 'n', 0, ">other.example &ns.other.example", 0}, ZONE, NS1, NS2},
	 .want = "ns1.example.com 127.0.0.2, ns2.example.com 127.0.0.3"},
	{.what = "over TCP",
	 .name = "example.com",
	 .rules = {{1, "example.com", 'n', 'u', "tc", 0}, ZONE, NS1, NS2},
	 .want = "ns1.example.com 127.0.0.2, ns2.example.com 127.0.0.3",
	 .asked =
		 "1un example.com,1tn example.com,1u4 ns1.example.com,1u6 ns1.example.com,1u4 ns2.example.com,1u6 ns2.example.com"},
	{.what = "a server whose address is not known now",
	 .name = "example.com",
	 .rules = {ZONE, NS2},
	 .want = "ns1.example.com, ns2.example.com 127.0.0.3"},
	{.what = "SERVFAIL once",
	 .name = "example.com",
	 .rules = {{1, "example.com", 'n', 0, "rcode=2", 1}, ZONE, NS1, NS2},
	 .want = "ns1.example.com 127.0.0.2, ns2.example.com 127.0.0.3"},
	{.what = "silent once",
	 .name = "example.com",
	 .rules = {{1, "example.com", 'n', 0, "silent", 1}, ZONE, NS1, NS2},
	 .want = "ns1.example.com 127.0.0.2, ns2.example.com 127.0.0.3"},
	{.what = "more than are kept, and odd names",
	 .name = "example.com",
	 .rules = {{1, "example.com", 'n', 0, "&a!b.example &a &b &c &d &e &f &g &h &i", 0}, {0, "b", '4', 0, "127.0.0.2", 0}},
	 .want = "a, b 127.0.0.2, c, d, e, f, g, h"},
};

static const struct search lost[] = {
	{.what = "no zone",
	 .name = "www.example",
	 .want = "name server 127.0.0.1: no zone holds it",
	 .asked = "1un www.example,1un example"},
	{.what = "SERVFAIL",
	 .name = WWW,
	 .rules = {{1, WWW, 'n', 0, "rcode=2", 0}},
	 .want = "name server 127.0.0.1: it cannot tell (SERVFAIL)"},
	{.what = "REFUSED above",
	 .name = WWW,
	 .rules = {NONE, {1, "example.com", 'n', 0, "rcode=5", 0}},
	 .want = "name server 127.0.0.1: it refuses to tell (REFUSED)"},
	{.what = "silence above",
	 .name = WWW,
	 .rules = {NONE, {1, "example.com", 'n', 0, "silent", 0}},
	 .want = "name server 127.0.0.1: no answer"},
	{.what = "silence", .name = WWW, .rules = {{1, WWW, 'n', 0, "silent", 0}}, .want = "name server 127.0.0.1: no answer"},
	{.what = "no address",
	 .name = "example.com",
	 .rules = {ZONE},
	 .want = "address of ns2.example.com: resolver: no such name"},
	{.what = "no name", .name = "a..b", .want = "not a name that DNS can hold"},
};

static const char *servers_text(void)
{
	static char text[1024];

	text[0] = '\0';
	for (size_t i = 0; i < authority.servers_n; i++) {
		const struct authority_server *s = &authority.servers[i];
		size_t n = strlen(text);

		(void)snprintf(text + n, sizeof text - n, "%s%s", i ? ", " : "", authority.names[i]);
		for (size_t k = 0; k < s->n; k++) {
			n = strlen(text);
			(void)snprintf(text + n, sizeof text - n, " %s", inet_ntoa(s->list[k].sa.in.sin_addr));
			assert_int_equal(ntohs(s->list[k].sa.in.sin_port), ns_port());
		}
	}
	return text;
}

static void search(const struct search *s, bool is_found)
{
	enum authority_result result;

	begin("123", s->rules);
	authority_find(&authority, s->name, now_ms());
	result = go_on();
	CHECK(result == (is_found ? AUTHORITY_DONE : AUTHORITY_BAD), "%s: %d, %s", s->what, (int)result, err.text);
	if (is_found)
		CHECK(!strcmp(servers_text(), s->want), "%s: %s, not %s", s->what, servers_text(), s->want);
	else
		CHECK(strstr(err.text, s->want) && err.kind == (strstr(s->want, "no zone") ? ERR_CONFIG : ERR_RETRY), "%s: %s",
		      s->what, err.text);
	CHECK(!s->asked || !strcmp(ns_asked(), s->asked), "%s: asked %s", s->what, ns_asked());
	lookup_end();
}

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(found); i++)
		search(&found[i], true);
	for (size_t i = 0; i < COUNT(lost); i++)
		search(&lost[i], false);
}

/* ---- Asking ---- */

struct question {
	const char *what;
	struct ns_rule rules[4];
	const char *host; /* a CNAME to it is looked for; NULL: 192.0.2.1 */
	const char *want; /* "yes N" or "no N" with the TTL; " alias NAME"; else in the error's text */
	const char *asked;
};

static const struct question questions[] = {
	{"it is there", {{2, WWW, '4', 0, "aa ttl=30 192.0.2.9 192.0.2.1", 0}}, NULL, "yes 30", "2U4 www.example.com"},
	{"it is not", {{2, WWW, '4', 0, "aa ttl=31 192.0.2.9", 0}}, NULL, "no 31", NULL},
	{"there is none", {{2, WWW, '4', 0, "aa", 0}}, NULL, "no 0", NULL},
	{"no such name", {{2, WWW, '4', 0, "aa rcode=3", 0}}, NULL, "no 0", NULL},
	{"behind an alias, the highest TTL",
	 {{2, WWW, '4', 0, "aa ttl=90 >b.example.com ttl=20 192.0.2.1", 0}},
	 NULL,
	 "yes 90",
	 NULL},
	{"an alias that leads away", {{2, WWW, '4', 0, "aa ttl=90 >B.example.org", 0}}, NULL, "no 90 alias b.example.org", NULL},
	{"another's address", {{2, WWW, '4', 0, "aa @ftp.example.com 192.0.2.1", 0}}, NULL, "no 0", NULL},
	{"a TTL with the highest bit", {{2, WWW, '4', 0, "aa ttl=2147483648 192.0.2.1", 0}}, NULL, "yes 0", NULL},
	{"truncated: TCP",
	 {{2, WWW, '4', 'u', "aa tc", 0}, {2, WWW, '4', 't', "aa fill=20 192.0.2.1", 0}},
	 NULL,
	 "yes 60",
	 "2U4 www.example.com,2T4 www.example.com"},
	{"truncated, but it is there", {{2, WWW, '4', 0, "aa tc 192.0.2.1", 0}}, NULL, "yes 60", "2U4 www.example.com"},
	{"the last of as many as are read", {{2, WWW, '4', 0, "aa fill=280 192.0.2.1", 0}}, NULL, "yes 60", NULL},
	{"more than is read", {{2, WWW, '4', 0, "aa fill=400 192.0.2.1", 0}}, NULL, "its answer is too long", NULL},
	{"not its zone", {{2, WWW, '4', 0, "", 0}}, NULL, "it does not serve the zone", "2U4 www.example.com,2U4 www.example.com"},
	{"not its zone, but there", {{2, WWW, '4', 0, "192.0.2.1", 0}}, NULL, "yes 60", NULL},
	{"REFUSED", {{2, WWW, '4', 0, "rcode=5", 0}}, NULL, "REFUSED", NULL},
	{"silent once", {{2, WWW, '4', 0, "silent", 1}, {2, WWW, '4', 0, "aa 192.0.2.1", 0}}, NULL, "yes 60", NULL},
	{"silent", {{2, WWW, '4', 0, "silent", 0}}, NULL, "name server 127.0.0.2: no answer", NULL},
	{"to another question, then to ours",
	 {{2, WWW, '4', 0, "aa id 192.0.2.1 | aa name 192.0.2.1 | aa 192.0.2.2", 0}},
	 NULL,
	 "no 60",
	 NULL},
	{"a CNAME", {{2, WWW, 'c', 0, "aa >A.cns.example", 0}}, "a.cns.example", "yes 60", "2Uc www.example.com"},
	{"another CNAME", {{2, WWW, 'c', 0, "aa >b.cns.example", 0}}, "a.cns.example", "no 60", NULL},
	{"no CNAME any more", {{2, WWW, 'c', 0, "aa", 0}}, "a.cns.example", "no 0", NULL},
};

static const unsigned char address_a[] = {192, 0, 2, 1};
static const struct dns_wanted wanted_a = {.type = DNS_A, .data = address_a};

/* One server, at port ns_port() of 127.0.0.2. */
static void set_server(void)
{
	const unsigned char bytes[] = {127, 0, 0, 2};

	authority.servers_n = 1;
	authority.servers[0] = (struct authority_server){.n = 1};
	(void)snprintf(authority.names[0], sizeof authority.names[0], "ns1.example.com");
	net_address_set(&authority.servers[0].list[0], NET_IP4, bytes, 0, ns_port());
	(void)snprintf(authority.name, sizeof authority.name, WWW);
}

static void ask(const struct question *q)
{
	struct dns_wanted wanted = wanted_a;
	const struct dns_sight *s = &authority.sight;
	char text[DNS_TEXT_CAP + 64];

	begin("123", q->rules);
	set_server();
	if (q->host)
		wanted = (struct dns_wanted){.type = DNS_CNAME, .host = q->host};
	authority_ask(&authority, 0, &wanted, now_ms());
	if (go_on() == AUTHORITY_DONE) {
		(void)snprintf(text, sizeof text, "%s %u%s%s", s->has_it ? "yes" : "no", (unsigned)s->ttl_sec,
			       *s->alias ? " alias " : "", s->alias);
		CHECK(!strcmp(text, q->want), "%s: %s, not %s", q->what, text, q->want);
	} else {
		CHECK(strstr(err.text, q->want) && err.kind == ERR_RETRY, "%s: %s", q->what, err.text);
	}
	CHECK(!q->asked || !strcmp(ns_asked(), q->asked), "%s: asked %s", q->what, ns_asked());
	lookup_end();
}

static void test_ask(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++)
		ask(&questions[i]);
}

/* A server's addresses take turns; one that has none is looked up again first. */
static void test_addresses(void **state)
{
	static const struct ns_rule rules[] = {
		{3, WWW, '4', 0, "aa 192.0.2.1", 0}, {1, "ns1.example.com", '4', 0, "127.0.0.3", 0}, {0}};
	const unsigned char bytes[] = {127, 0, 0, 3};

	(void)state;
	begin("13", rules); /* nobody is at 127.0.0.2 */
	set_server();
	authority.servers[0].n = 2;
	net_address_set(&authority.servers[0].list[1], NET_IP4, bytes, 0, ns_port());
	authority_ask(&authority, 0, &wanted_a, now_ms());
	assert_int_equal(go_on(), AUTHORITY_DONE);
	assert_true(authority.sight.has_it);
	authority.servers[0].n = 0;
	authority_ask(&authority, 0, &wanted_a, now_ms());
	assert_int_equal(go_on(), AUTHORITY_DONE);
	assert_string_equal(ns_asked(), "3U4 www.example.com,1u4 ns1.example.com,1u6 ns1.example.com,3U4 www.example.com");
	lookup_end();
}

/* One that was given recurses, and need not be of the zone. */
static void test_given(void **state)
{
	static const struct ns_rule rules[] = {{2, WWW, '4', 0, "ttl=7 192.0.2.2", 1},
					       {2, WWW, '4', 0, "lame ttl=8 192.0.2.1", 1},
					       {2, WWW, '4', 0, "lame aa ttl=9", 1},
					       {2, WWW, '4', 0, "lame", 0},
					       {0}};
	const unsigned char bytes[] = {127, 0, 0, 2};

	(void)state;
	begin("2", rules);
	authority_give(&authority, NET_IP4, bytes, ns_port());
	assert_string_equal(authority.names[0], "127.0.0.2");
	authority_find(&authority, WWW, now_ms());
	assert_int_equal(go_on(), AUTHORITY_DONE);
	assert_int_equal(authority.servers_n, 1);
	authority_ask(&authority, 0, &wanted_a, now_ms());
	assert_int_equal(go_on(), AUTHORITY_DONE);
	assert_true(!authority.sight.has_it && authority.sight.ttl_sec == 7);
	assert_string_equal(ns_asked(), "2u4 www.example.com");
	/* Or it is, or has it. */
	for (int has_it = 1; has_it >= 0; has_it--) {
		authority_ask(&authority, 0, &wanted_a, now_ms());
		assert_int_equal(go_on(), AUTHORITY_DONE);
		assert_int_equal(authority.sight.has_it, has_it);
	}
	/* What refers us to others says nothing. */
	authority_ask(&authority, 0, &wanted_a, now_ms());
	assert_int_equal(go_on(), AUTHORITY_BAD);
	assert_string_equal(err.text, "name server 127.0.0.2: it does not serve the zone");
	lookup_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
