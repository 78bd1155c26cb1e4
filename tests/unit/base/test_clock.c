/* base/clock: dates against the C library's, and the edges of what poll() takes. */
#include "support.h"

#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#ifndef SYS_clock_gettime /* musl on 32 bit has the call alone whose seconds have 64 */
#define SYS_clock_gettime SYS_clock_gettime64
#endif

/* A kernel of the test's, in the place of the C library's: nanoseconds by clock; -1: no such clock. */
static bool is_faked;
static int64_t boot_ns, monotonic_ns;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ns = clock == CLOCK_BOOTTIME ? boot_ns : clock == CLOCK_MONOTONIC ? monotonic_ns : -1;

	if (!is_faked)
		return (int)syscall(SYS_clock_gettime, clock, ts);
	if (ns < 0)
		return -1;
	ts->tv_sec = ns / 1000000000;
	ts->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

static void check_same(int64_t sec)
{
	char ours[CLOCK_TEXT_CAP], theirs[80];
	time_t t = (time_t)sec;
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	(void)snprintf(theirs, sizeof theirs, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		       tm.tm_hour, tm.tm_min, tm.tm_sec);
	clock_format(sec, ours);
	assert_string_equal(ours, theirs);
	assert_true(clock_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 +
			    tm.tm_sec ==
		    sec);
}

static void test_dates(void **state)
{
	const int64_t day = 86400;

	(void)state;
	/* Each day of 400 years is another way through the calendar; and both its ends. */
	for (int64_t d = -70000; d < 90000; d++) {
		check_same(d * day);
		check_same(d * day + day - 1);
	}
	check_same(1700000000);
	check_same(-62162035200 + 12345);
}

static void test_date_limits(void **state)
{
	static const struct {
		int64_t sec;
		const char *text;
	} cases[] = {
		{-62162035200, "0000-03-01T00:00:00Z"}, {-62162035201, "0000-03-01T00:00:00Z"}, {INT64_MIN, "0000-03-01T00:00:00Z"},
		{253402300799, "9999-12-31T23:59:59Z"}, {253402300800, "9999-12-31T23:59:59Z"}, {INT64_MAX, "9999-12-31T23:59:59Z"},
	};
	char text[CLOCK_TEXT_CAP];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		clock_format(cases[i].sec, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_poll_timeout(void **state)
{
	(void)state;
	assert_int_equal(clock_poll_timeout(100, 100), 0);
	assert_int_equal(clock_poll_timeout(99, 100), 0);
	assert_int_equal(clock_poll_timeout(101, 100), 1);
	assert_int_equal(clock_poll_timeout(3600100, 100), 3600000);
	assert_int_equal(clock_poll_timeout(3600101, 100), 3600000);
	assert_int_equal(clock_poll_timeout(CLOCK_NEVER, 100), 3600000);
}

static void test_now(void **state)
{
	int64_t a = clock_now_ms(), b = clock_now_ms();

	(void)state;
	assert_true(b >= a);
	assert_true(clock_wall_sec() > 1600000000);
}

/* A suspended machine's time goes on: what was leased to it is over. */
static void test_suspended(void **state)
{
	(void)state;
	is_faked = true;
	monotonic_ns = 5000123456;
	boot_ns = 65000123456;
	assert_int_equal(clock_now_ms(), 65000);
	boot_ns = -1;
	assert_int_equal(clock_now_ms(), 5000);
	is_faked = false;
}

static void test_entropy(void **state)
{
	unsigned char a[32] = {0}, b[32] = {0}, many[300] = {0};

	(void)state;
	assert_int_equal(clock_entropy(a, sizeof a), 0);
	assert_int_equal(clock_entropy(b, sizeof b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	/* More than getrandom(2) gives in one piece. */
	assert_int_equal(clock_entropy(many, sizeof many), 0);
	assert_memory_not_equal(many, many + 150, 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates), cmocka_unit_test(test_date_limits), cmocka_unit_test(test_poll_timeout),
		cmocka_unit_test(test_now),   cmocka_unit_test(test_suspended),   cmocka_unit_test(test_entropy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
