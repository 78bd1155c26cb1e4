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
	{PACE_REGISTRATION, 0, 5000, NONE},
	{PACE_REGISTRATION, 9, 5000, NONE},
	{PACE_REGISTERED, 0, 1000, NONE},
	{PACE_REGISTERED, 9, 1000, NONE},
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
	{PACE_SYNC, ERR_LIMIT, NULL, NEVER},
	{PACE_SYNC, ERR_TLS, NULL, NEVER},
	{PACE_SYNC, ERR_AUTH, NULL, NEVER},
	{PACE_SYNC, ERR_REFUSED, NULL, NEVER},
	{PACE_SYNC, ERR_CONFIG, NULL, NEVER},
	{PACE_SYNC, ERR_SYS, NULL, NEVER},
	{PACE_WATCH, ERR_RETRY, NULL, 250},
	{PACE_WATCH, ERR_PROTO, NULL, 250},
	{PACE_WATCH, ERR_BUSY, NULL, 300000},
	{PACE_WATCH, ERR_AUTH, NULL, 60000},
	{PACE_WATCH, ERR_REFUSED, NULL, 60000},
	{PACE_WATCH, ERR_CONFIG, NULL, 60000},
	/* the other side's own time: with a 429, and now and then with a 503 */
	{PACE_SYNC, ERR_BUSY, SAYS(7), 7000},
	{PACE_SYNC, ERR_RETRY, SAYS(7), 7000},
	{PACE_SYNC, ERR_BUSY, SAYS(0), 0},
	{PACE_SYNC, ERR_PROTO, SAYS(7), 250},
	{PACE_SYNC, ERR_REFUSED, SAYS(7), NEVER},
	{PACE_WATCH, ERR_BUSY, SAYS(86400), 86400000},
	{PACE_WATCH, ERR_RETRY, SAYS(7), 7000},
	{PACE_WATCH, ERR_AUTH, SAYS(7), 60000},
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

		CHECK(pace_retry(retries[i].who, &f, 0, &ms) == (retries[i].ms == NEVER ? PACE_NOT_AGAIN : PACE_AGAIN), "row %zu",
		      i);
		CHECK(ms == retries[i].ms, "row %zu: %lld", i, (long long)ms);
		/* The time that is left is enough to the millisecond. */
		if (ms == NEVER)
			continue;
		f.left_ms = ms;
		assert_int_equal(pace_retry(retries[i].who, &f, 0, &ms), PACE_AGAIN);
		f.left_ms = ms - 1;
		assert_int_equal(pace_retry(retries[i].who, &f, 0, &ms), PACE_TOO_LATE);
		assert_int_equal(ms, retries[i].ms);
	}
}

/* Many that were told the same time do not come at the same moment. */
static void test_a_said_time_has_chance_behind_it(void **state)
{
	struct pace_failure f = {.kind = ERR_BUSY, .hint = SAYS(7), .left_ms = INT64_MAX};
	int64_t ms;

	(void)state;
	assert_int_equal(pace_retry(PACE_SYNC, &f, 499, &ms), PACE_AGAIN);
	assert_int_equal(ms, 7499);
	assert_int_equal(pace_retry(PACE_SYNC, &f, 500, &ms), PACE_AGAIN);
	assert_int_equal(ms, 7000);
}

static void test_tries_count(void **state)
{
	struct pace_failure f = {.kind = ERR_RETRY, .tries = 3, .left_ms = INT64_MAX};
	int64_t ms;

	(void)state;
	assert_int_equal(pace_retry(PACE_WATCH, &f, 0, &ms), PACE_AGAIN);
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
		cmocka_unit_test(test_tries_count),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
