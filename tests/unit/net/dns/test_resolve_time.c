#include <unistd.h>

#include "base/clock.h"
#include "net/dns/lookup.h"
#include "support.h"

#define TWO "nameserver 127.0.0.1\nnameserver 127.0.0.2\n"
#define ONE "nameserver 127.0.0.1\n"

static const struct ns_rule silent[] = {{0, "www.example", 0, 0, "silent", 0}, {0}};

static void test_deadline(void **state)
{
	(void)state;
	lookup_begin("", ONE, "1", silent);
	assert_int_equal(lookup("www.example", 150), RESOLVE_BAD);
	assert_string_equal(lookup_err.text, "resolver 127.0.0.1: no answer");
	CHECK(lookup_ms >= 150 && lookup_ms < 450, "%d ms", (int)lookup_ms);
	lookup_end();
}

/* A far deadline is shared out: a dead server does not use it up. */
static void test_share(void **state)
{
	static const struct ns_rule rules[] = {
		{1, "www.example", 0, 0, "silent", 0}, {2, "www.example", '4', 0, "192.0.2.1", 0}, {0}};

	(void)state;
	lookup_begin("", TWO, "12", rules);
	assert_int_equal(lookup("www.example", 3000), RESOLVE_DONE);
	CHECK(lookup_ms >= 590 && lookup_ms < 950, "%d ms", (int)lookup_ms); /* 3000 / 5 */
	lookup_end();
}

static void test_timeout(void **state)
{
	(void)state;
	lookup_begin("", TWO "options timeout:1 attempts:1", "12", silent);
	assert_int_equal(lookup("www.example", LONG_MS), RESOLVE_BAD);
	CHECK(lookup_ms >= 1990 && lookup_ms < 2900, "%d ms", (int)lookup_ms);
	assert_string_equal(lookup_err.text, "resolver 127.0.0.2: no answer");
	assert_string_equal(ns_asked(), "1u4 www.example,1u6 www.example,2u4 www.example,2u6 www.example");
	lookup_end();
}

/* TCP that is accepted and never answered has its time, too. */
static void test_tcp_timeout(void **state)
{
	static const struct ns_rule rules[] = {{0, "www.example", 0, 'u', "tc", 0}, {0, "www.example", 0, 't', "silent", 0}, {0}};

	(void)state;
	lookup_begin("", ONE "options timeout:1 attempts:1", "1", rules);
	assert_int_equal(lookup("www.example", LONG_MS), RESOLVE_BAD);
	CHECK(lookup_ms >= 1990 && lookup_ms < 2900, "%d ms", (int)lookup_ms);
	assert_string_equal(lookup_err.text, "resolver 127.0.0.1: no answer");
	lookup_end();
}

/* A forger who floods the port, one wrong id after the other, does not stop the clock. */
static void test_flood(void **state)
{
	static const struct ns_rule rules[] = {{0, "www.example", 0, 0,
						"id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | "
						"id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | "
						"id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66 | id 192.0.2.66",
						0},
					       {0}};

	(void)state;
	lookup_begin("", ONE "options timeout:1 attempts:1", "1", rules);
	assert_int_equal(lookup("www.example", LONG_MS), RESOLVE_BAD);
	CHECK(lookup_ms >= 990 && lookup_ms < 1900, "%d ms", (int)lookup_ms);
	lookup_end();
}

/* Given up halfway, and begun anew: the answers to the first are nobody's. */
static void test_stop(void **state)
{
	static const struct ns_rule rules[] = {
		{0, "old.example", 0, 0, "192.0.2.66", 0}, {0, "www.example", '4', 0, "192.0.2.1", 0}, {0}};

	(void)state;
	lookup_begin("", ONE, "1", rules);
	resolve_stop(&resolve);
	assert_int_equal(resolve_start(&resolve, "old.example", 1, CLOCK_NEVER, &lookup_out, &lookup_err), RESOLVE_MORE);
	lookup_wait();
	resolve_stop(&resolve);
	assert_int_equal(resolve.x.fd, -1);
	assert_int_equal(lookup("www.example", LONG_MS), RESOLVE_DONE);
	lookup_found("www.example", "192.0.2.1");
	lookup_end();
}

/* The answers to the first try come when the second one is under way: it has other ids. */
static void test_late(void **state)
{
	static const struct ns_rule rules[] = {
		{0, "www.example", 0, 0, "silent", 2}, {0, "www.example", 0, 0, "late 192.0.2.66 | 192.0.2.1", 0}, {0}};

	(void)state;
	lookup_begin("", ONE "options timeout:1", "1", rules);
	assert_int_equal(lookup("www.example", LONG_MS), RESOLVE_DONE);
	lookup_found("www.example", "192.0.2.1");
	assert_string_equal(ns_asked(), "1u4 www.example,1u6 www.example,1u4 www.example,1u6 www.example");
	lookup_end();
}

/* Each query has an id of its own: what a forger has to guess, besides the port. */
static void test_ids(void **state)
{
	uint16_t ids[16];
	size_t same = 0;

	(void)state;
	lookup_begin("", ONE, "1", silent);
	for (size_t i = 0; i < COUNT(ids); i += 2) {
		assert_int_equal(resolve_start(&resolve, "www.example", 1, CLOCK_NEVER, &lookup_out, &lookup_err), RESOLVE_MORE);
		ids[i] = resolve.x.of[NET_IP4].id;
		ids[i + 1] = resolve.x.of[NET_IP6].id;
	}
	for (size_t i = 1; i < COUNT(ids); i++)
		same += ids[i] == ids[0];
	assert_true(same < 3);
	resolve_stop(&resolve);
	lookup_end();
}

/* The files are read anew: what a container's engine changes in them holds at once. */
static void test_files_change(void **state)
{
	(void)state;
	lookup_begin("192.0.2.1 box\n", ONE, "", NULL);
	assert_int_equal(lookup("box", LONG_MS), RESOLVE_DONE);
	lookup_found("box", "192.0.2.1");
	lookup_end();
	lookup_begin("192.0.2.2 box\n", ONE, "", NULL);
	assert_int_equal(lookup("box", LONG_MS), RESOLVE_DONE);
	lookup_found("box", "192.0.2.2");
	lookup_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadline),    cmocka_unit_test(test_share), cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_tcp_timeout), cmocka_unit_test(test_flood), cmocka_unit_test(test_stop),
		cmocka_unit_test(test_late),        cmocka_unit_test(test_ids),   cmocka_unit_test(test_files_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
