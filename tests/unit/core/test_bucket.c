/* core/bucket: so many at once, then one per interval, and never more than that in any window. */
#include "support.h"

#include "core/bucket.h"

static void test_burst_then_one_per_interval(void **state)
{
	struct bucket b;
	int64_t now_ms = 1000000;

	(void)state;
	bucket_init(&b, 3, 100);
	for (int i = 0; i < 3; i++) {
		assert_true(bucket_ready_ms(&b, now_ms) <= now_ms);
		bucket_take(&b, now_ms);
	}
	for (int i = 1; i < 10; i++) {
		assert_int_equal(bucket_ready_ms(&b, now_ms), now_ms + 100);
		now_ms += 100;
		bucket_take(&b, now_ms);
	}
}

static void test_it_fills_up_again_and_no_further(void **state)
{
	struct bucket b;
	int64_t now_ms = 1000000;
	int taken = 0;

	(void)state;
	bucket_init(&b, 3, 100);
	for (int i = 0; i < 3; i++)
		bucket_take(&b, now_ms);
	for (now_ms += 1000000; bucket_ready_ms(&b, now_ms) <= now_ms; taken++)
		bucket_take(&b, now_ms);
	assert_int_equal(taken, 3);
}

static void test_block(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 200, 333);
	bucket_block(&b, 1300000);
	assert_int_equal(bucket_ready_ms(&b, 1000000), 1300000);
	bucket_block(&b, 1100000); /* a shorter one changes nothing */
	assert_int_equal(bucket_ready_ms(&b, 1000000), 1300000);
	bucket_take(&b, 1300000);
	assert_int_equal(bucket_ready_ms(&b, 1300000), 1300333); /* and it begins slowly */
}

/* What is left is what may be taken, to the millisecond. */
static void test_left(void **state)
{
	struct bucket b;
	int64_t now_ms = 1000000;

	(void)state;
	bucket_init(&b, 3, 100);
	assert_int_equal(bucket_left(&b, now_ms), 3);
	for (int left = 2; left >= 0; left--) {
		bucket_take(&b, now_ms);
		assert_int_equal(bucket_left(&b, now_ms), left);
	}
	assert_int_equal(bucket_left(&b, now_ms + 99), 0);
	assert_int_equal(bucket_left(&b, now_ms + 100), 1);
	assert_int_equal(bucket_left(&b, now_ms + 299), 2);
	assert_int_equal(bucket_left(&b, now_ms + 300), 3);
	assert_int_equal(bucket_left(&b, now_ms + 1000000), 3);
	bucket_block(&b, now_ms + 5000);
	assert_int_equal(bucket_left(&b, now_ms), 0);
	assert_int_equal(bucket_left(&b, now_ms + 4999), 0);
	assert_int_equal(bucket_left(&b, now_ms + 5000), 1);
}

/* The limit of the API: whatever is asked for when, no five minutes see more than 1,200. */
static void test_no_window_sees_more(void **state)
{
	static int64_t at_ms[8192];
	struct bucket b;
	uint32_t seed = 3;
	size_t n = 0;
	int64_t now_ms = 1000000;

	(void)state;
	bucket_init(&b, 200, 333);
	while (n < COUNT(at_ms)) {
		int64_t ready_ms = bucket_ready_ms(&b, now_ms);

		if (ready_ms > now_ms)
			now_ms = ready_ms;
		bucket_take(&b, now_ms);
		at_ms[n++] = now_ms;
		if (test_random_below(&seed, 400) == 0)
			now_ms += test_random_below(&seed, 200000);
	}
	for (size_t i = 1200; i < n; i++)
		CHECK(at_ms[i] - at_ms[i - 1200] >= 300000, "1,201 in %lld ms", (long long)(at_ms[i] - at_ms[i - 1200]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_one_per_interval),
		cmocka_unit_test(test_it_fills_up_again_and_no_further),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_no_window_sees_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
