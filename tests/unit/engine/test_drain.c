#include "engine/drain.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "net/dns/lookup.h"
#include "support.h"

/* Name servers as in tests/unit/net/dns/test_authority.c; the clock runs as fast as nothing happens. */
#define CONF "nameserver 127.0.0.1\n"
#define WWW "www.example.com"
#define ZONE                                                                                                                       \
	{                                                                                                                          \
		1, "example.com", 'n', 0, "&ns1.example.com &ns2.example.com", 0                                                   \
	}
#define NS1                                                                                                                        \
	{                                                                                                                          \
		1, "ns1.example.com", '4', 0, "127.0.0.2", 0                                                                       \
	}
#define NS2                                                                                                                        \
	{                                                                                                                          \
		1, "ns2.example.com", '4', 0, "127.0.0.3", 0                                                                       \
	}

static struct drain drain;
static struct drain_rule rule;
static struct err err;
static int64_t ahead_ms, stepped_ms;
static char lines[65536]; /* each that was shown, once in a row */

static int64_t now_ms(void)
{
	return clock_now_ms() + ahead_ms;
}

static void note_line(void)
{
	char line[DRAIN_LINE_CAP], *digit, *last = strrchr(lines, '\n');

	(void)drain_line(&drain, now_ms(), line);
	/* Seconds that run down are no other line. */
	for (digit = line; (digit = strpbrk(digit, "0123456789")); digit++)
		if (digit > line && digit[-1] == ' ' && digit[strspn(digit, "0123456789")] == ' ')
			*digit = '#';
	if (last && !strncmp(last + 1, line, strlen(line)))
		return;
	(void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "\n%s", line);
}

/* One turn of a loop; the clock goes on when nothing comes. */
static enum drain_result turn(int64_t until_ms)
{
	struct pollfd pfd[NAMESERVER_FDS + 2];
	struct loop_wait w = {.fds = pfd, .cap = 2, .wake_ms = CLOCK_NEVER};
	enum drain_result result;
	int64_t left_ms;

	stepped_ms = now_ms();
	result = drain_step(&drain, stepped_ms, &err);
	note_line();
	if (result != DRAIN_MORE)
		return result;
	drain_wants(&drain, &w, now_ms());
	loop_wait_until(&w, until_ms);
	if (poll(pfd, ns_wants(pfd + w.n) + w.n, 2) == 0) {
		left_ms = w.wake_ms - now_ms();
		ahead_ms += left_ms > 0 ? left_ms : 0;
	}
	ns_step();
	return DRAIN_MORE;
}

static enum drain_result run_until(int64_t until_ms)
{
	enum drain_result result = DRAIN_MORE;

	while (result == DRAIN_MORE && now_ms() < until_ms)
		result = turn(until_ms);
	return result;
}

static void set_address(struct drain_setup *setup, const char *address)
{
	static struct target_hosts hosts;

	hosts.len = 0;
	assert_int_equal(target_parse(&setup->address, address, &hosts, &err), 0);
}

static void begin(enum drain_kind kind, const char *address, const struct ns_rule *rules)
{
	struct drain_setup setup = {.rule = &rule};
	static struct resolve_files files;

	lookup_begin("", CONF, "123", rules);
	files = *resolve.files;
	rule = (struct drain_rule){.way = {.kind = kind}, .max_ms = 300000, .settle_ms = 5000};
	if (kind == DRAIN_DNS)
		(void)snprintf(rule.way.name, sizeof rule.way.name, WWW);
	set_address(&setup, address);
	ahead_ms = 0;
	lines[0] = '\0';
	drain_start(&drain, &setup, now_ms());
	drain.authority.files = &files;
}

static void end(void)
{
	drain_stop(&drain);
	if (rule.way.kind == DRAIN_DNS)
		assert_int_equal(drain.authority.x.fd, -1);
	lookup_end();
}

static void shows(const char *what)
{
	CHECK(strstr(lines, what), "there is no \"%s\" in:%s", what, strlen(lines) > 700 ? lines + strlen(lines) - 700 : lines);
}

/* ---- */

/* Both servers have it a few times, the second one longer: the TTL counts from there. */
static void test_dns(void **state)
{
	static const struct ns_rule rules[] = {
		ZONE,
		NS1,
		NS2,
		{2, WWW, '4', 0, "aa ttl=30 192.0.2.2 192.0.2.1", 3},
		{2, WWW, '4', 0, "aa ttl=30 192.0.2.2", 0},
		{3, WWW, '4', 0, "aa ttl=40 192.0.2.2 192.0.2.1", 12},
		{3, WWW, '4', 0, "aa ttl=30 192.0.2.2", 0},
		{0},
	};
	int64_t left_ms, gone_ms;

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	assert_false(drain_knows(&drain));
	while (!drain_knows(&drain))
		assert_int_equal(turn(CLOCK_NEVER), DRAIN_MORE);
	left_ms = now_ms();
	drain_leave(&drain, left_ms);
	while (drain_judge(&drain, now_ms()).state != DRAIN_TTL)
		assert_int_equal(turn(CLOCK_NEVER), DRAIN_MORE);
	gone_ms = stepped_ms; /* it was seen in the last step */
	assert_true(gone_ms - left_ms >= 9000 && gone_ms - left_ms < 20000);
	assert_int_equal(run_until(gone_ms + 39900), DRAIN_MORE);
	assert_int_equal(run_until(gone_ms + 42000), DRAIN_DONE);
	shows("looking at www.example.com before it leaves");
	shows("192.0.2.1 is still answered by ns1.example.com for www.example.com");
	shows("192.0.2.1 is still answered by ns2.example.com for www.example.com");
	shows("192.0.2.1 is gone from www.example.com; caches may have it for #");
	shows("safe to stop");
	end();
}

static void test_ip6(void **state)
{
	static const struct ns_rule rules[] = {
		ZONE, NS1, NS2, {0, WWW, '6', 0, "aa ttl=30 2001:db8::1", 3}, {0, WWW, '6', 0, "aa", 0}, {0}};

	(void)state;
	begin(DRAIN_DNS, "2001:db8::1", rules);
	drain_leave(&drain, now_ms());
	assert_int_equal(run_until(now_ms() + 60000), DRAIN_DONE);
	shows("2001:db8::1 is still answered by");
	end();
}

static void test_host(void **state)
{
	static const struct ns_rule rules[] = {
		ZONE, NS1, NS2, {0, WWW, 'c', 0, "aa ttl=30 >a.cns.example.org", 3}, {0, WWW, 'c', 0, "aa", 0}, {0}};

	(void)state;
	begin(DRAIN_DNS, "a.cns.example.org", rules);
	drain_leave(&drain, now_ms());
	assert_int_equal(run_until(now_ms() + 60000), DRAIN_DONE);
	shows("a.cns.example.org is still answered by");
	end();
}

/* The name is another's, in another zone: its servers count. */
static void test_alias(void **state)
{
	static const struct ns_rule rules[] = {
		{1, "example.com", 'n', 0, "&ns1.example.com", 0},
		NS1,
		{2, WWW, '4', 0, "aa ttl=60 >lb.example.org", 0},
		{1, "example.org", 'n', 0, "&ns2.example.com", 0},
		NS2,
		{3, "lb.example.org", '4', 0, "aa ttl=20 192.0.2.1", 4},
		{3, "lb.example.org", '4', 0, "aa", 0},
		{0},
	};

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	drain_leave(&drain, now_ms());
	assert_int_equal(run_until(now_ms() + 60000), DRAIN_DONE);
	shows("192.0.2.1 is still answered by ns2.example.com for lb.example.org");
	end();
}

/* It is the second server that says so, and the other zone has but one. */
static void test_alias_of_a_later_server(void **state)
{
	static const struct ns_rule rules[] = {
		ZONE,
		NS1,
		NS2,
		{2, WWW, '4', 0, "silent", 0},
		{3, WWW, '4', 0, "aa ttl=60 >lb.example.org", 0},
		{1, "example.org", 'n', 0, "&ns2.example.com", 0},
		{3, "lb.example.org", '4', 0, "aa ttl=20 192.0.2.1", 4},
		{3, "lb.example.org", '4', 0, "aa", 0},
		{0},
	};

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	drain_leave(&drain, now_ms());
	assert_int_equal(run_until(now_ms() + 120000), DRAIN_DONE);
	shows("192.0.2.1 is still answered by ns2.example.com for lb.example.org");
	end();
}

/* Aliases in a circle tell nothing, and are followed no further; by one answer or by many. */
static void test_circle(void **state)
{
	static const struct ns_rule each[] = {ZONE,
					      NS1,
					      NS2,
					      {0, WWW, '4', 0, "aa >b.example.com", 0},
					      {0, "b.example.com", '4', 0, "aa >www.example.com", 0},
					      {0}},
				    own[] = {ZONE, NS1, NS2, {0, WWW, '4', 0, "aa >www.example.com", 0}, {0}};

	(void)state;
	for (int is_own = 0; is_own < 2; is_own++) {
		begin(DRAIN_DNS, "192.0.2.1", is_own ? own : each);
		drain_leave(&drain, now_ms());
		assert_int_equal(run_until(now_ms() + 301000), DRAIN_GAVE_UP);
		assert_int_equal(drain.aliases_n, DNS_CHAIN_MAX);
		shows("does not tell whether 192.0.2.1 is gone: more than #6 aliases, or a circle");
		assert_false(drain_lacks_name(&drain));
		end();
	}
}

/* Where nobody can ever tell run does not wait for all the time that there is. */
static void gives_up_blind(const struct ns_rule *rules, const char *why)
{
	int64_t start_ms;

	begin(DRAIN_DNS, "192.0.2.1", rules);
	drain.setup.gives_up_blind = true;
	start_ms = now_ms();
	drain_leave(&drain, start_ms);
	assert_int_equal(run_until(start_ms + 64000), DRAIN_MORE);
	assert_string_equal(drain_take_note(&drain), "nobody can tell whether the address is gone");
	assert_int_equal(run_until(start_ms + 80000), DRAIN_GAVE_UP);
	CHECK(!strncmp(err.text, "nobody can tell whether 192.0.2.1 is gone: ", 43) && strstr(err.text, why), "%s", err.text);
	shows(why);
	shows(": waiting, #");
	end();
}

static void test_blind(void **state)
{
	static const struct ns_rule zoneless[] = {{1, WWW, 'n', 0, "", 0}, {0}},
				    circle[] = {ZONE, NS1, NS2, {0, WWW, '4', 0, "aa >www.example.com", 0}, {0}};

	(void)state;
	gives_up_blind(zoneless, "no zone holds it");
	gives_up_blind(circle, "aliases");
}

/* A typo, perhaps: known as that only if it was looked at before. */
static void test_no_such_name(void **state)
{
	static const struct ns_rule rules[] = {ZONE, NS1, NS2, {0, WWW, '4', 0, "aa rcode=3", 0}, {0}},
				    half[] = {ZONE, NS1, NS2, {2, WWW, '4', 0, "aa rcode=3", 0}, {3, WWW, '4', 0, "aa", 0}, {0}};
	int64_t left_ms;

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	assert_false(drain_lacks_name(&drain));
	while (!drain_knows(&drain))
		(void)turn(CLOCK_NEVER);
	assert_true(drain_lacks_name(&drain));
	left_ms = now_ms();
	drain_leave(&drain, left_ms);
	assert_string_equal(drain_take_note(&drain), "the name that is to lose the address does not exist");
	assert_int_equal(run_until(left_ms + 5500), DRAIN_DONE);
	shows("www.example.com does not exist: settling, #");
	end();
	begin(DRAIN_DNS, "192.0.2.1", half);
	while (!drain_knows(&drain))
		(void)turn(CLOCK_NEVER);
	assert_false(drain_lacks_name(&drain));
	end();
}

/* Several servers behind one address: it is asked to the end, and what comes back counts. */
static void test_comes_back(void **state)
{
	static const struct ns_rule rules[] = {{1, "example.com", 'n', 0, "&ns1.example.com", 0},
					       NS1,
					       {2, WWW, '4', 0, "aa ttl=4 192.0.2.1", 2},
					       {2, WWW, '4', 0, "aa ttl=4 192.0.2.9", 1},
					       {2, WWW, '4', 0, "aa ttl=4 192.0.2.1", 20},
					       {2, WWW, '4', 0, "aa ttl=4 192.0.2.9", 0},
					       {0}};
	int64_t start_ms;

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	start_ms = now_ms();
	drain_leave(&drain, start_ms);
	assert_int_equal(run_until(start_ms + 21000), DRAIN_MORE);
	assert_int_equal(run_until(start_ms + 40000), DRAIN_DONE);
	end();
}

static void test_never_there(void **state)
{
	static const struct ns_rule rules[] = {ZONE, NS1, NS2, {0, WWW, '4', 0, "aa ttl=300 192.0.2.9", 0}, {0}};
	int64_t left_ms;

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	while (!drain_knows(&drain))
		(void)turn(CLOCK_NEVER);
	left_ms = now_ms();
	drain_leave(&drain, left_ms);
	assert_int_equal(run_until(left_ms + 4900), DRAIN_MORE);
	assert_int_equal(run_until(left_ms + 5500), DRAIN_DONE);
	shows("192.0.2.1 never was answered (proxied, or of nobody here): settling, #");
	end();
}

static void test_silent_server(void **state)
{
	static const struct ns_rule rules[] = {ZONE,
					       NS1,
					       NS2,
					       {3, WWW, '4', 0, "silent", 0},
					       {2, WWW, '4', 0, "aa ttl=30 192.0.2.1", 2},
					       {2, WWW, '4', 0, "aa", 0},
					       {0}};
	int64_t start_ms;

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	start_ms = now_ms();
	drain_leave(&drain, start_ms);
	assert_int_equal(run_until(start_ms + DRAIN_SILENT_MS + 30000), DRAIN_MORE);
	assert_int_equal(run_until(start_ms + DRAIN_SILENT_MS + 45000), DRAIN_DONE);
	shows("ns2.example.com does not tell whether 192.0.2.1 is gone: name server 127.0.0.3: no answer");
	shows("; ns2.example.com does not answer and is left out");
	end();
}

static void test_gives_up(void **state)
{
	static const struct ns_rule rules[] = {ZONE, NS1, NS2, {0, WWW, '4', 0, "aa ttl=30 192.0.2.1", 0}, {0}};
	int64_t start_ms;

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	start_ms = drain.view.start_ms;
	drain_leave(&drain, now_ms());
	assert_int_equal(run_until(start_ms + 50000), DRAIN_MORE);
	assert_null(drain_take_note(&drain));
	assert_int_equal(run_until(start_ms + 299000), DRAIN_MORE);
	assert_non_null(strstr(drain_take_note(&drain), "has another instance that address"));
	assert_int_equal(run_until(start_ms + 301000), DRAIN_GAVE_UP);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_string_equal(err.text,
			    "not safe to stop after 300 s: 192.0.2.1 is still answered by ns1.example.com for www.example.com");
	end();
}

/* Nobody tells whom to ask: again and again, ever more seldom, and the reason is shown. */
static void test_no_servers(void **state)
{
	static const struct ns_rule rules[] = {{1, WWW, 'n', 0, "rcode=2", 0}, {0}};

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	drain_leave(&drain, now_ms());
	assert_int_equal(run_until(now_ms() + 301000), DRAIN_GAVE_UP);
	assert_true(strstr(err.text,
			   "looking for the name servers of www.example.com: name server 127.0.0.1: it cannot tell (SERVFAIL)") !=
		    NULL);
	assert_true(strlen(ns_asked()) < 60 * strlen("1un www.example.com,"));
	end();
}

static void test_resolver(void **state)
{
	static const struct ns_rule rules[] = {{2, WWW, '4', 0, "ttl=12 192.0.2.1", 2}, {2, WWW, '4', 0, "ttl=20", 0}, {0}};
	struct drain_setup setup = {.rule = &rule};

	(void)state;
	begin(DRAIN_DNS, "192.0.2.1", rules);
	setup = drain.setup;
	rule.resolver = (struct drain_resolver){.is_set = true, .port = ns_port(), .addr = {127, 0, 0, 2}};
	drain_start(&drain, &setup, now_ms());
	drain_leave(&drain, now_ms());
	assert_int_equal(run_until(now_ms() + 30000), DRAIN_DONE);
	shows("192.0.2.1 is still answered by 127.0.0.2 for www.example.com");
	assert_memory_equal(ns_asked(), "2u4 www.example.com,2u4 ", 24);
	end();
}

static void test_fixed(void **state)
{
	int64_t left_ms;

	(void)state;
	begin(DRAIN_FIXED, "192.0.2.1", NULL);
	rule.way.fixed_ms = 20000;
	assert_true(drain_knows(&drain));
	left_ms = now_ms() + 1000;
	(void)run_until(left_ms);
	drain_leave(&drain, left_ms);
	assert_int_equal(run_until(left_ms + 19900), DRAIN_MORE);
	assert_int_equal(run_until(left_ms + 20100), DRAIN_DONE);
	shows("waiting, #");
	assert_string_equal(ns_asked(), "");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_alias_of_a_later_server),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_blind),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_never_there),
		cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_no_servers),
		cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
