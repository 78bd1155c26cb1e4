/* core/pace: when the next try comes, row by row: who asks, how it failed, what was said. */
#include "support.h"

#include "core/pace.h"

/* Which part of a delay is chance. */
enum chance { HALF, NONE, AROUND };

static const struct {
	enum pace who;
	unsigned tries;
	int64_t ms;
	enum chance chance;
} delays[] = {
	{PACE_SYNC, 0, 500, HALF},
	{PACE_SYNC, 1, 1000, HALF},
	{PACE_SYNC, 4, 8000, HALF},
	{PACE_SYNC, 5, 15000, HALF},
	{PACE_SYNC, UINT32_MAX, 15000, HALF},
	{PACE_WATCH, 0, 500, HALF},
	{PACE_WATCH, 6, 32000, HALF},
	{PACE_WATCH, 7, 60000, HALF},
	{PACE_WATCH, UINT32_MAX, 60000, HALF},
	{PACE_SERVICE, 0, 250, HALF},
	{PACE_SERVICE, 7, 32000, HALF},
	{PACE_SERVICE, 8, 60000, HALF},
	{PACE_SERVICE, UINT32_MAX, 60000, HALF},
	{PACE_FOLLOWER, 0, 1000, HALF},
	{PACE_FOLLOWER, 3, 8000, HALF},
	{PACE_FOLLOWER, 4, 15000, HALF},
	{PACE_CANDIDATE, 0, 1000, AROUND},
	{PACE_CANDIDATE, 9, 1000, AROUND},
	{PACE_LEADER, 0, 1000, NONE},
	{PACE_LEADER, 9, 1000, NONE},
	{PACE_REGISTRATION, 0, 1000, NONE},
	{PACE_REGISTRATION, 2, 4000, NONE},
	{PACE_REGISTRATION, 9, 5000, NONE},
	{PACE_HANDLER, 0, 1000, HALF},
	{PACE_HANDLER, 5, 32000, HALF},
	{PACE_HANDLER, 9, 60000, HALF},
};

static void test_delays(void **state)
{
	bool has_row[PACES] = {false};

	(void)state;
	for (size_t i = 0; i < COUNT(delays); i++) {
		int64_t ms = delays[i].ms, least = delays[i].chance == NONE ? ms : ms / 2;
		int64_t most = delays[i].chance == AROUND ? ms / 2 + ms - 1 : ms;
		uint32_t seed = 7;

		has_row[delays[i].who] = true;
		/* Chance reaches both ends, and never past them. */
		assert_int_equal(pace_delay_ms(delays[i].who, delays[i].tries, 0), least);
		assert_int_equal(pace_delay_ms(delays[i].who, delays[i].tries, (uint32_t)(most - least)), most);
		assert_int_equal(pace_delay_ms(delays[i].who, delays[i].tries, (uint32_t)(most - least + 1)), least);
		for (int k = 0; k < 100; k++) {
			int64_t got = pace_delay_ms(delays[i].who, delays[i].tries, test_random(&seed));

			CHECK(got >= least && got <= most, "row %zu: %lld", i, (long long)got);
		}
	}
	for (int who = 0; who < PACES; who++)
		CHECK(has_row[who], "nothing is said of %d", who);
}

#define NEVER (-1)
#define SAYS(sec)                                                                                                                  \
	&(const struct pace_hint)                                                                                                  \
	{                                                                                                                          \
		.has_retry_after = true, .retry_after_sec = (sec)                                                                  \
	}
#define LEFT(n, sec)                                                                                                               \
	&(const struct pace_hint)                                                                                                  \
	{                                                                                                                          \
		.has_left = true, .left_n = (n), .reset_sec = (sec)                                                                \
	}

/* The first failure, with the least chance. */
static const struct {
	enum pace who;
	enum err_kind kind;
	const struct pace_hint *hint;
	int64_t ms;
} retries[] = {
	/* what passes by itself, and what does not */
	{PACE_SYNC, ERR_RETRY, NULL, 250},
	{PACE_SYNC, ERR_BUSY, NULL, 250},
	{PACE_SYNC, ERR_PROTO, NULL, 250},
	{PACE_SYNC, ERR_LIMIT, NULL, 250},
	{PACE_SYNC, ERR_TLS, NULL, NEVER},
	{PACE_SYNC, ERR_REFUSED, NULL, NEVER},
	{PACE_SYNC, ERR_CONFIG, NULL, NEVER},
	{PACE_SYNC, ERR_SYS, NULL, NEVER},
	{PACE_WATCH, ERR_RETRY, NULL, 250},
	{PACE_WATCH, ERR_PROTO, NULL, 250},
	{PACE_WATCH, ERR_BUSY, NULL, 300000},
	{PACE_WATCH, ERR_LIMIT, NULL, 250},
	{PACE_WATCH, ERR_TLS, NULL, 60000},
	{PACE_WATCH, ERR_REFUSED, NULL, 60000},
	{PACE_WATCH, ERR_CONFIG, NULL, 60000},
	/* the other side's own time: with a 429, and now and then with a 503 */
	{PACE_SYNC, ERR_BUSY, SAYS(7), 7000},
	{PACE_SYNC, ERR_BUSY, SAYS(0), 250}, /* never earlier than without it */
	{PACE_SYNC, ERR_PROTO, SAYS(7), 250},
	{PACE_SYNC, ERR_LIMIT, SAYS(7), 250},
	{PACE_SYNC, ERR_REFUSED, SAYS(7), NEVER},
	{PACE_WATCH, ERR_REFUSED, SAYS(7), 60000},
	/* a 429 without Retry-After, but with the limit's end */
	{PACE_SYNC, ERR_BUSY, LEFT(0, 30), 30000},
	{PACE_SYNC, ERR_BUSY, LEFT(1, 30), 250},
	{PACE_SYNC, ERR_RETRY, LEFT(0, 30), 250},
	{PACE_WATCH, ERR_BUSY, LEFT(0, 30), 30000},
	{PACE_WATCH, ERR_BUSY, LEFT(1, 30), 300000},
};

static void test_retries(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(retries); i++) {
		struct pace_failure f = {.kind = retries[i].kind, .hint = retries[i].hint, .left_ms = INT64_MAX};
		int64_t ms = NEVER;

		CHECK(pace_retry(retries[i].who, &f, 0, &ms) == (retries[i].ms != NEVER), "row %zu", i);
		CHECK(ms == retries[i].ms, "row %zu: %lld", i, (long long)ms);
		/* The time that is left is enough to the millisecond. */
		if (ms == NEVER)
			continue;
		f.left_ms = ms;
		assert_true(pace_retry(retries[i].who, &f, 0, &ms));
		f.left_ms = ms - 1;
		assert_false(pace_retry(retries[i].who, &f, 0, &ms));
		assert_int_equal(ms, retries[i].ms);
	}
}

/* Many that were told the same time do not come at the same moment. */
static void test_a_said_time_has_chance_behind_it(void **state)
{
	struct pace_failure f = {.kind = ERR_BUSY, .hint = SAYS(7), .left_ms = INT64_MAX};
	int64_t ms;

	(void)state;
	assert_true(pace_retry(PACE_SYNC, &f, 499, &ms));
	assert_int_equal(ms, 7499);
	assert_true(pace_retry(PACE_SYNC, &f, 500, &ms));
	assert_int_equal(ms, 7000);
}

/* Not of a limit: honoured where there is time for it. */
static void test_a_hint_of_what_is_down(void **state)
{
	static const struct {
		int64_t sec, left_ms, ms;
		bool again;
	} cases[] = {
		{7, 7000, 7000, true},
		{60, INT64_MAX, 60000, true},
		{60, 60000, 60000, true},
		/* past the time that is left: as if nothing was said */
		{7, 6999, 250, true},
		{60, 59999, 250, true},
		{60, 249, 250, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pace_failure f = {.kind = ERR_RETRY, .hint = SAYS(cases[i].sec), .left_ms = cases[i].left_ms};
		int64_t ms;

		CHECK(pace_retry(PACE_SYNC, &f, 0, &ms) == cases[i].again && ms == cases[i].ms, "case %zu: %lld", i, (long long)ms);
		CHECK(pace_retry(PACE_WATCH, &f, 0, &ms) == cases[i].again && ms == cases[i].ms, "case %zu: %lld", i,
		      (long long)ms);
	}
}

static const struct {
	enum pace who;
	bool has_served, was_refused;
	unsigned tries;
	int64_t left_ms;
	bool again;
	int64_t ms;
} refusals[] = {
	/* once more, however late it is: plan and --retry-for 0 too */
	{PACE_SYNC, false, false, 0, 60000, true, 2000},
	{PACE_SYNC, false, false, 0, 1999, true, 2000},
	{PACE_SYNC, false, false, 9, -1000000, true, 2000},
	{PACE_SYNC, false, true, 1, 60000, false, NEVER},
	/* these have served: as what passes, but slowly */
	{PACE_SYNC, true, false, 0, 60000, true, 2000},
	{PACE_SYNC, true, true, 0, 60000, true, 2000},
	{PACE_SYNC, true, true, 1, 60000, true, 4000},
	{PACE_SYNC, true, true, 99, 60000, true, 7500},
	{PACE_SYNC, true, true, 0, 2000, true, 2000},
	{PACE_SYNC, true, true, 0, 1999, false, NEVER},
	{PACE_SYNC, true, false, 1, 3999, true, 2000},
	{PACE_SYNC, true, false, 0, -1000000, true, 2000},
	/* who stays asks on and on, once a minute soon */
	{PACE_WATCH, false, false, 0, INT64_MAX, true, 2000},
	{PACE_WATCH, false, true, 1, INT64_MAX, true, 60000},
	{PACE_WATCH, true, true, 0, INT64_MAX, true, 2000},
	{PACE_WATCH, true, true, 3, INT64_MAX, true, 16000},
	{PACE_WATCH, true, true, 99, INT64_MAX, true, 30000},
};

static void test_refused_credentials(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct pace_failure f = {
			.kind = ERR_AUTH,
			.tries = refusals[i].tries,
			.hint = SAYS(7), /* is of no interest */
			.trust = {.has_served = refusals[i].has_served, .was_refused = refusals[i].was_refused},
			.left_ms = refusals[i].left_ms,
		};
		int64_t ms = NEVER;

		CHECK(pace_retry(refusals[i].who, &f, 0, &ms) == refusals[i].again, "row %zu", i);
		CHECK(!refusals[i].again || ms == refusals[i].ms, "row %zu: %lld", i, (long long)ms);
	}
}

static void test_what_is_believed(void **state)
{
	static const struct {
		bool is_busy;
		int64_t sec, believed;
	} cases[] = {
		{true, 0, 0},  {true, 300, 300}, {true, 301, 300}, {true, 86400, 300}, {true, INT64_MAX, 300},
		{false, 0, 0}, {false, 60, 60},  {false, 61, 60},  {false, 86400, 60}, {false, INT64_MAX, 60},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t sec = cases[i].sec, believed = cases[i].believed;
		struct pace_hint hint = {.told_sec = 7};

		CHECK(pace_believe(&hint, cases[i].is_busy, sec) == believed, "case %zu", i);
		CHECK(hint.told_sec == (sec == believed ? 7 : sec), "case %zu", i);
	}
}

static void test_tries_count(void **state)
{
	struct pace_failure f = {.kind = ERR_RETRY, .tries = 3, .left_ms = INT64_MAX};
	int64_t ms;

	(void)state;
	assert_true(pace_retry(PACE_WATCH, &f, 0, &ms));
	assert_int_equal(ms, 2000);
	f.hint = SAYS(1); /* it said so three times, and it was not true */
	assert_true(pace_retry(PACE_WATCH, &f, 0, &ms));
	assert_int_equal(ms, 2000);
}

static void test_block(void **state)
{
	static const struct pace_hint nothing;

	(void)state;
	assert_int_equal(pace_block_ms(false, &nothing), 0);
	assert_int_equal(pace_block_ms(false, SAYS(7)), 0);
	assert_int_equal(pace_block_ms(false, LEFT(1, 30)), 0);
	assert_int_equal(pace_block_ms(false, LEFT(0, 30)), 30000);
	assert_int_equal(pace_block_ms(true, &nothing), 300000);
	assert_int_equal(pace_block_ms(true, SAYS(7)), 7000);
	assert_int_equal(pace_block_ms(true, LEFT(0, 30)), 30000);
	assert_int_equal(pace_block_ms(true, LEFT(1, 30)), 300000);
}

static void test_secrets(void **state)
{
	(void)state;
	for (int kind = 0; kind < ERR_KINDS; kind++)
		assert_int_equal(pace_wants_secrets((enum err_kind)kind), kind == ERR_AUTH);
	assert_int_equal(pace_secrets_ms(false, 0), 0);
	assert_int_equal(pace_secrets_ms(true, 5000), 65000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delays),
		cmocka_unit_test(test_retries),
		cmocka_unit_test(test_a_said_time_has_chance_behind_it),
		cmocka_unit_test(test_a_hint_of_what_is_down),
		cmocka_unit_test(test_refused_credentials),
		cmocka_unit_test(test_what_is_believed),
		cmocka_unit_test(test_tries_count),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
