#include <unistd.h>

#include "net/dns/lookup.h"
#include "support.h"

/* ---- A table: one look-up each ---- */

#define TWO "nameserver 127.0.0.1\nnameserver 127.0.0.2\n"
#define ONE "nameserver 127.0.0.1\n"
#define A4(i) "192.0.2." #i " "

struct scene {
	const char *what, *host;
	const char *conf;    /* NULL: ONE */
	const char *servers; /* those that run; NULL: "1" */
	struct ns_rule rules[6];
	const char *want;  /* addresses, or what is in the error's text */
	const char *asked; /* NULL: whatever */
};

static const struct scene good[] = {
	{.what = "both families, taking turns",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 0, "192.0.2.1 192.0.2.2 192.0.2.3", 0}, {0, "www.example", '6', 0, "2001:db8::1", 0}},
	 .want = "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3",
	 .asked = "1u4 www.example,1u6 www.example"},
	{.what = "one family is empty",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 0, "", 0}, {0, "www.example", '6', 0, "2001:db8::1", 0}},
	 .want = "2001:db8::1"},
	{.what = "an address twice",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 0, "192.0.2.1 192.0.2.2 192.0.2.1", 0}, {0, "www.example", '6', 0, "", 0}},
	 .want = "192.0.2.1 192.0.2.2"},
	{.what = "a chain of aliases",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 0, ">a.example >b.example 192.0.2.1", 0},
		   {0, "www.example", '6', 0, ">a.example >b.example", 0}},
	 .want = "192.0.2.1"},
	{.what = "records of others do not count",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 0, "@evil.example 192.0.2.66", 0},
		   {0, "www.example", '6', 0, "2001:db8::1 192.0.2.66", 0}},
	 .want = "2001:db8::1"},
	{.what = "more than are kept",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 0,
		    A4(1) A4(2) A4(3) A4(4) A4(5) A4(6) A4(7) A4(8) A4(9) A4(10) A4(11) A4(12) A4(13) A4(14) A4(15) A4(16) A4(17)
			    A4(18),
		    0},
		   {0, "www.example", '6', 0, "2001:db8::1", 0}},
	 .want = "192.0.2.1 2001:db8::1 " A4(2) A4(3) A4(4) A4(5) A4(6) A4(7) A4(8) A4(9) A4(10) A4(11) A4(12) A4(13)
		 A4(14) "192.0.2.15"},
	{.what = "AAAA fails: A will do",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 0, "192.0.2.1", 0}, {0, "www.example", '6', 0, "rcode=2", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 www.example,1u6 www.example"},
	{.what = "AAAA has NXDOMAIN, wrongly",
	 .host = "www.example",
	 .rules = {{0, "www.example", '6', 0, "rcode=3", 0}, {0, "www.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1"},
	{.what = "AAAA is not answered: A will do after the first try",
	 .host = "www.example",
	 .conf = ONE "options timeout:1",
	 .rules = {{0, "www.example", '4', 0, "192.0.2.1", 0}, {0, "www.example", '6', 0, "silent", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 www.example,1u6 www.example"},
	{.what = "A is empty, AAAA not answered: only that is asked again",
	 .host = "www.example",
	 .conf = ONE "options timeout:1",
	 .rules = {{0, "www.example", '4', 0, "", 0},
		   {0, "www.example", '6', 0, "silent", 1},
		   {0, "www.example", '6', 0, "2001:db8::1", 0}},
	 .want = "2001:db8::1",
	 .asked = "1u4 www.example,1u6 www.example,1u6 www.example"},
	{.what = "SERVFAIL: the next server",
	 .host = "www.example",
	 .conf = TWO,
	 .servers = "12",
	 .rules = {{1, "www.example", 0, 0, "rcode=2", 0},
		   {2, "www.example", '4', 0, "192.0.2.1", 0},
		   {2, "www.example", '6', 0, "", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 www.example,1u6 www.example,2u4 www.example,2u6 www.example"},
	{.what = "REFUSED: the next server",
	 .host = "www.example",
	 .conf = TWO,
	 .servers = "12",
	 .rules = {{1, "www.example", 0, 0, "rcode=5", 0}, {2, "www.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1"},
	{.what = "SERVFAIL once: a second attempt",
	 .host = "www.example",
	 .rules = {{0, "www.example", 0, 0, "rcode=2", 2}, {0, "www.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1"},
	{.what = "a server that nobody runs: the next one, at once",
	 .host = "www.example",
	 .conf = TWO,
	 .servers = "2",
	 .rules = {{0, "www.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1",
	 .asked = "2u4 www.example,2u6 www.example"},
	{.what = "a dead server: the next one, and it is kept for the next name",
	 .host = "www",
	 .conf = TWO "search b.example c.example\noptions timeout:1",
	 .servers = "12",
	 .rules = {{1, "www.b.example", 0, 0, "silent", 0}, {0, "www.c.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 www.b.example,1u6 www.b.example,2u4 www.b.example,2u6 www.b.example,"
		  "2u4 www.c.example,2u6 www.c.example"},
	{.what = "truncated: TCP",
	 .host = "www.example",
	 .rules = {{0, "www.example", 0, 'u', "tc", 0},
		   {0, "www.example", '4', 't', "fill=20 192.0.2.1", 0},
		   {0, "www.example", '6', 't', "2001:db8::1", 0}},
	 .want = "192.0.2.1 2001:db8::1",
	 .asked = "1u4 www.example,1u6 www.example,1t4 www.example,1t6 www.example"},
	{.what = "truncated with something in it, and TCP fails",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 'u', "192.0.2.1 tc", 0}, {0, "www.example", '4', 't', "silent close", 0}},
	 .want = "192.0.2.1"},
	{.what = "truncated, TCP closes: the next server",
	 .host = "www.example",
	 .conf = TWO,
	 .servers = "12",
	 .rules = {{1, "www.example", '4', 'u', "tc", 0},
		   {1, "www.example", '4', 't', "silent close", 0},
		   {1, "www.example", '6', 'u', "", 0},
		   {2, "www.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 www.example,1u6 www.example,1t4 www.example,2u4 www.example"},
	{.what = "truncated, TCP answers to something else: the next server",
	 .host = "www.example",
	 .conf = TWO,
	 .servers = "12",
	 .rules = {{1, "www.example", '4', 'u', "tc", 0},
		   {1, "www.example", '4', 't', "name 192.0.2.66", 0},
		   {2, "www.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1"},
	{.what = "over TCP more than is read",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 'u', "tc", 0}, {0, "www.example", '4', 't', "192.0.2.1 fill=4000 192.0.2.2", 0}},
	 .want = "192.0.2.1"},
	{.what = "over UDP more than is read, too",
	 .host = "www.example",
	 .rules = {{0, "www.example", '4', 'u', "192.0.2.1 fill=300 192.0.2.2", 0},
		   {0, "www.example", '4', 't', "192.0.2.1 192.0.2.2", 0}},
	 .want = "192.0.2.1 192.0.2.2"},
	{.what = "answers to another query, then ours",
	 .host = "www.example",
	 .conf = ONE "options timeout:1 attempts:1",
	 .servers = "12",
	 .rules = {{0, "www.example", '4', 0,
		    "id 192.0.2.66 | name 192.0.2.66 | type 192.0.2.66 | query 192.0.2.66 | "
		    "192.0.2.66 short | other 192.0.2.66 | 192.0.2.1",
		    0}},
	 .want = "192.0.2.1"},
	{.what = "a dot at the end: no search list",
	 .host = "www.",
	 .conf = ONE "search b.example",
	 .rules = {{0, "www", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 www,1u6 www"},
	{.what = "fewer dots than ndots: the search list first",
	 .host = "consul.svc",
	 .conf = ONE "search a.example b.example\noptions ndots:2",
	 .rules = {{0, "consul.svc", '4', 0, "192.0.2.66", 0}, {0, "consul.svc.b.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 consul.svc.a.example,1u6 consul.svc.a.example,"
		  "1u4 consul.svc.b.example,1u6 consul.svc.b.example"},
	{.what = "as many dots as ndots: as it is first",
	 .host = "consul.svc",
	 .conf = ONE "search a.example",
	 .rules = {{0, "consul.svc.a.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 consul.svc,1u6 consul.svc,1u4 consul.svc.a.example,1u6 consul.svc.a.example"},
	{.what = "nothing in the search list: as it is last",
	 .host = "api.example",
	 .conf = ONE "search ns.svc.cluster.local svc.cluster.local\noptions ndots:5",
	 .rules = {{0, "api.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1",
	 .asked = "1u4 api.example.ns.svc.cluster.local,1u6 api.example.ns.svc.cluster.local,"
		  "1u4 api.example.svc.cluster.local,1u6 api.example.svc.cluster.local,"
		  "1u4 api.example,1u6 api.example"},
	{.what = "a domain that no server can tell of: on",
	 .host = "www",
	 .conf = ONE "search a.example b.example\noptions attempts:1",
	 .rules = {{0, "www.a.example", 0, 0, "rcode=2", 0}, {0, "www.b.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1"},
	{.what = "a domain where the name is empty: on",
	 .host = "www",
	 .conf = ONE "search a.example b.example",
	 .rules = {{0, "www.a.example", 0, 0, "", 0}, {0, "www.b.example", '4', 0, "192.0.2.1", 0}},
	 .want = "192.0.2.1"},
};

static const struct scene bad[] = {
	{.what = "NXDOMAIN", .host = "www.example", .want = "resolver: no such name", .asked = "1u4 www.example,1u6 www.example"},
	{.what = "NXDOMAIN to A, AAAA never answered",
	 .host = "www.example",
	 .conf = ONE "options timeout:1",
	 .rules = {{0, "www.example", '6', 0, "silent", 0}},
	 .want = "resolver: no such name",
	 .asked = "1u4 www.example,1u6 www.example"},
	{.what = "no address",
	 .host = "www.example",
	 .rules = {{0, "www.example", 0, 0, "", 0}},
	 .want = "resolver: the name has no address"},
	{.what = "an alias that leads nowhere",
	 .host = "www.example",
	 .rules = {{0, "www.example", 0, 0, ">a.example", 0}},
	 .want = "resolver: the name has no address"},
	{.what = "SERVFAIL",
	 .host = "www.example",
	 .rules = {{0, "www.example", 0, 0, "rcode=2", 0}},
	 .want = "resolver 127.0.0.1: it cannot tell (SERVFAIL)",
	 .asked = "1u4 www.example,1u6 www.example,1u4 www.example,1u6 www.example"},
	{.what = "REFUSED",
	 .host = "www.example",
	 .rules = {{0, "www.example", 0, 0, "rcode=5", 0}},
	 .want = "resolver 127.0.0.1: it refuses to tell (REFUSED)"},
	{.what = "another code",
	 .host = "www.example",
	 .rules = {{0, "www.example", 0, 0, "rcode=9", 0}},
	 .want = "resolver 127.0.0.1: it cannot tell (another error code)"},
	{.what = "SERVFAIL of one domain, NXDOMAIN of the others",
	 .host = "www",
	 .conf = ONE "search a.example b.example",
	 .rules = {{0, "www.a.example", 0, 0, "rcode=2", 0}},
	 .want = "resolver 127.0.0.1: it cannot tell (SERVFAIL)"},
	{.what = "nobody runs", .host = "www.example", .servers = "", .want = "resolver 127.0.0.1: Connection refused"},
	{.what = "silence: no other name is tried",
	 .host = "www",
	 .conf = ONE "search a.example b.example\noptions timeout:1 attempts:1",
	 .rules = {{0, "www.a.example", 0, 0, "silent", 0}},
	 .want = "resolver 127.0.0.1: no answer",
	 .asked = "1u4 www.a.example,1u6 www.a.example"},
	{.what = "an empty label", .host = "a..b", .want = "resolver: not a name that DNS can hold"},
	{.what = "a dot", .host = ".", .want = "resolver: not a name that DNS can hold"},
	{.what = "nothing", .host = "", .want = "resolver: not a name that DNS can hold"},
	{.what = "truncated, TCP broken",
	 .host = "www.example",
	 .conf = ONE "options attempts:1",
	 .rules = {{0, "www.example", 0, 'u', "tc", 0}, {0, "www.example", 0, 't', "silent close", 0}},
	 .want = "resolver 127.0.0.1: a broken answer"},
};

static enum resolve_result run_scene(const struct scene *s)
{
	enum resolve_result result;

	lookup_begin("", s->conf ? s->conf : ONE, s->servers ? s->servers : "1", s->rules);
	result = lookup(s->host, LONG_MS);
	if (s->asked)
		CHECK(!strcmp(ns_asked(), s->asked), "%s: asked \"%s\", not \"%s\"", s->what, ns_asked(), s->asked);
	lookup_end();
	return result;
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		CHECK(run_scene(&good[i]) == RESOLVE_DONE, "%s: %s", good[i].what, lookup_err.text);
		lookup_found(good[i].what, good[i].want);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		CHECK(run_scene(&bad[i]) == RESOLVE_BAD, "%s: found", bad[i].what);
		assert_int_equal(lookup_err.kind, ERR_RETRY);
		CHECK(!strcmp(lookup_err.text, bad[i].want), "%s: \"%s\"", bad[i].what, lookup_err.text);
		assert_int_equal(lookup_out.n, 99);
	}
}

/* ---- Without a server ---- */

static const struct {
	const char *host, *want;
} here[] = {
	{"192.0.2.7", "192.0.2.7"},     {"2001:db8::7", "2001:db8::7"},  {"box", "192.0.2.1 2001:db8::1 192.0.2.2"},
	{"BOX.Example.", "192.0.2.1"},  {"alias", "192.0.2.1"},          {"last", "192.0.2.3"},
	{"localhost", "127.0.0.1 ::1"}, {"LocalHost.", "127.0.0.1 ::1"}, {"a.localhost", "127.0.0.1 ::1"},
	{"own.localhost", "192.0.2.4"},
};

static void test_here(void **state)
{
	(void)state;
	lookup_begin("192.0.2.1 box.example box ALIAS # not\n2001:db8::1\tbox\n"
		     "192.0.2.2 box\nnonsense box\nfe80::1%lo box\n192.0.2.2 box\n"
		     "192.0.2.4 own.localhost\n192.0.2.3  last",
		     ONE, "", NULL);
	for (size_t i = 0; i < COUNT(here); i++) {
		CHECK(lookup(here[i].host, LONG_MS) == RESOLVE_DONE, "%s: %s", here[i].host, lookup_err.text);
		lookup_found(here[i].host, here[i].want);
	}
	assert_int_equal(lookup("not", LONG_MS), RESOLVE_BAD);
	assert_int_equal(lookup("notlocalhost", LONG_MS), RESOLVE_BAD);
	(void)unlink(lookup_hosts);
	assert_int_equal(lookup("localhost", LONG_MS), RESOLVE_DONE);
	lookup_found("localhost", "127.0.0.1 ::1");
	lookup_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
