/*
 * watch/leader: the lock's state machine: sessions that end early or late, answers that are lost,
 * processes that are frozen.
 */
#include "watch/copies.h"

#include "support.h"

#include "base/clock.h"

static void test_one_leads_the_other_follows(void **state)
{
	(void)state;
	run(1, 500);
	assert_true(copies[0].l.has_lock);
	run(2, 600000);
	assert_true(copies[0].l.has_lock);
	assert_false(copies[1].l.has_lock);
	assert_int_equal(locks.sessions_n, 1); /* who follows has none */
}

/* Every third of its life, but for the look at the key that is under way; and two looks between. */
static void test_it_renews_in_time_and_no_more_often(void **state)
{
	(void)state;
	run(1, 500);
	for (int i = 0; i < 60000; i++) {
		run(1, 10);
		assert_true(copies[0].l.has_lock);
		assert_true(test_now_ms - copies[0].l.renewed_ms <= 10050);
		assert_true(leader_fence_ms(&copies[0].l, test_now_ms) - test_now_ms >= 25000 - 10050 - 4300);
	}
	assert_in_range(copies[0].calls_n[LEADER_RENEW], 60, 80);
	assert_in_range(copies[0].calls_n[LEADER_WATCH], 120, 160);
}

static void test_a_longer_ttl_moves_no_fence(void **state)
{
	(void)state;
	locks.answer_ttl_sec = 60;
	run(1, 12000);
	/* The lock-delay is as it was: a session that ends early must not find two of us. */
	assert_true(leader_fence_ms(&copies[0].l, test_now_ms) <= copies[0].l.renewed_ms + 25000);
	assert_true(test_now_ms - copies[0].l.renewed_ms <= 10000);
}

static void test_stop_hands_over_within_a_second(void **state)
{
	(void)state;
	run(2, 2000);
	leader_stop(&copies[0].l, true, test_now_ms);
	assert_int_equal(leader_fence_ms(&copies[0].l, test_now_ms), test_now_ms);
	run(2, 1000);
	assert_true(leader_is_over(&copies[0].l));
	assert_true(copies[1].l.has_lock);
	assert_false(locks.sessions[0].is_alive);
}

static void test_stop_of_who_never_had_a_session_is_at_once(void **state)
{
	(void)state;
	leader_stop(&copies[0].l, true, test_now_ms);
	assert_true(leader_is_over(&copies[0].l));
}

/* Asked to stop while the answer to its acquire is on the way: what it may hold, it releases. */
static void test_stop_during_the_acquire(void **state)
{
	(void)state;
	while (copies[0].l.step != LEADER_ACQUIRE || locks.holder < 0)
		run(1, 10);
	assert_false(copies[0].l.has_lock);
	leader_stop(&copies[0].l, true, test_now_ms);
	run(1, 1000);
	assert_true(leader_is_over(&copies[0].l));
	run(2, 1500);
	assert_true(copies[1].l.has_lock);
}

/* A write may still land: the session ends, and with it the others have to wait. */
static void test_stop_without_release(void **state)
{
	(void)state;
	run(2, 2000);
	leader_stop(&copies[0].l, false, test_now_ms);
	run(2, 1000);
	assert_true(leader_is_over(&copies[0].l));
	assert_false(locks.sessions[0].is_alive);
	assert_int_equal(copies[0].calls_n[LEADER_RELEASE], 0);
	run(2, (LEADER_LOCK_DELAY_SEC - 2) * 1000);
	assert_false(copies[1].l.has_lock);
	run(2, 4000);
	assert_true(copies[1].l.has_lock);
}

/* What cannot be released is destroyed; what cannot be destroyed ends by itself. */
static void test_stop_is_refused(void **state)
{
	(void)state;
	run(2, 2000);
	leader_stop(&copies[0].l, true, test_now_ms);
	copies[0].denied = "release=";
	copies[0].status = 500;
	run(1, 100);
	assert_true(leader_is_over(&copies[0].l));
	assert_false(locks.sessions[0].is_alive);
	(void)copies_set_up(state);
	run(1, 2000);
	leader_stop(&copies[0].l, true, test_now_ms);
	copies[0].denied = "destroy";
	copies[0].status = 500;
	run(1, 100);
	assert_true(leader_is_over(&copies[0].l));
	assert_int_equal(locks.holder, -1);
	assert_int_equal(copies[0].calls_n[LEADER_DESTROY], 1);
}

/* Consul is not to be reached any more: to the millisecond. */
static void test_the_fence(void **state)
{
	int64_t fence_ms;

	(void)state;
	run(1, 3000);
	fence_ms = copies[0].l.renewed_ms + LEADER_TTL_SEC * 1000 - LEADER_MARGIN_MS;
	assert_int_equal(leader_fence_ms(&copies[0].l, test_now_ms), fence_ms);
	for (; test_now_ms < fence_ms; test_now_ms++) { /* nobody serves */
		enum leader_event event = step_copy(0);

		assert_true(event == LEADER_NOTHING || event == LEADER_FAILS);
	}
	assert_int_equal(step_copy(0), LEADER_LOST);
	assert_non_null(strstr(copies[0].l.last_err.text, "no answer in time"));
	assert_int_equal(copies[0].l.failures, 0);
	assert_null(strstr(copies[0].l.last_err.text, "not a lock of ours"));
	assert_int_equal(leader_fence_ms(&copies[0].l, test_now_ms), test_now_ms);
	assert_true(copies[0].l.is_leaderless);
	assert_int_equal(copies[0].l.leaderless_ms, test_now_ms);
}

/* Whatever is under way then is dropped: its answer would be taken for that of another call. */
static void test_the_fence_drops_the_call(void **state)
{
	(void)state;
	run(1, 3000);
	while (copies[0].l.step != LEADER_RENEW || !copies[0].is_busy)
		run(1, 10);
	copies[0].deadline_ms = CLOCK_NEVER;
	test_now_ms = leader_fence_ms(&copies[0].l, test_now_ms);
	assert_int_equal(step_copy(0), LEADER_LOST);
	assert_non_null(strstr(copies[0].l.last_err.text, "no answer of Consul in time"));
	assert_int_equal(copies[0].started_ms, test_now_ms);
	assert_string_equal(copies[0].method, "GET");
	assert_int_equal(copies[0].asked_index, 0);
}

/* Until a call of this kind is under way; returns when it was sent. Its answer takes 4 s. */
static int64_t run_until(enum leader_step step)
{
	while (copies[0].l.step != step || !copies[0].is_busy)
		run(1, 10);
	copies[0].answer_ms += 4000;
	return copies[0].started_ms;
}

/* Its time counts from when it asked: Consul may have heard that long before we hear of it. */
static void test_the_fence_counts_from_the_question(void **state)
{
	int64_t created_ms, shown_ms, renewed_ms;

	(void)state;
	created_ms = run_until(LEADER_CREATE);
	run(1, 4500);
	assert_true(copies[0].l.has_lock);
	assert_int_equal(leader_fence_ms(&copies[0].l, test_now_ms), created_ms + 25000);
	/* And it moves only when both have succeeded. */
	renewed_ms = run_until(LEADER_RENEW);
	assert_int_equal(leader_fence_ms(&copies[0].l, test_now_ms), created_ms + 25000);
	run(1, 4010);
	shown_ms = leader_fence_ms(&copies[0].l, test_now_ms) - 25000;
	assert_true(shown_ms > created_ms && shown_ms < renewed_ms);
	shown_ms = run_until(LEADER_WATCH);
	assert_true(leader_fence_ms(&copies[0].l, test_now_ms) < renewed_ms + 25000);
	run(1, 4010);
	assert_true(shown_ms > renewed_ms);
	assert_int_equal(leader_fence_ms(&copies[0].l, test_now_ms), renewed_ms + 25000);
}

/* It sleeps past its fence: the first thing it learns is that it does not lead. */
static void test_frozen_for_longer_than_its_ttl(void **state)
{
	(void)state;
	run(2, 3000);
	copies[0].frozen_until_ms = test_now_ms + 200000;
	run(2, 120000);
	assert_true(copies[1].l.has_lock);
	test_now_ms += 100000;
	copies[1].frozen_until_ms = 0;
	assert_int_equal(step_copy(0), LEADER_LOST);
	assert_false(could_write(0));
}

static void test_taken_away_by_hand(void **state)
{
	(void)state;
	run(1, 3000);
	locks.holder = 63; /* somebody else */
	locks.index++;
	run(1, 30);
	assert_false(copies[0].l.has_lock);
	assert_string_equal(copies[0].l.holder, "s63");
	assert_int_equal(copies[0].events_n[LEADER_LOST], 1);
	run(1, 300);
	assert_int_equal(copies[0].events_n[LEADER_FOLLOWS], 1);
}

/* By whoever deletes the key, or releases it: we learn it at once, and may lead again. */
static void test_given_away_by_hand(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)copies_set_up(state);
		run(1, 3000);
		locks.holder = -1;
		locks.is_deleted = i;
		locks.index++;
		run(1, 20);
		assert_false(copies[0].l.has_lock);
		assert_non_null(strstr(copies[0].l.last_err.text, "taken away"));
		run(1, 100);
		assert_true(copies[0].l.has_lock);
		assert_int_equal(locks.sessions_n, 1);
	}
}

/* Deleted under a leader while another one waits: at no time both may write, but for 20 ms. */
static void test_given_away_to_another(void **state)
{
	unsigned both = 0;

	(void)state;
	run(2, 3000);
	for (int i = 0; i < 20; i++) {
		locks.holder = -1;
		locks.is_deleted = true;
		locks.index++;
		for (int k = 0; k < 500; k++) {
			run(2, 10);
			both += could_write(0) && could_write(1);
		}
	}
	assert_int_equal(both, 0);
}

static void test_session_lost(void **state)
{
	(void)state;
	run(1, 3000);
	locks_end_session(0, test_now_ms);
	run(1, 30);
	assert_false(copies[0].l.has_lock);
	run(1, (LEADER_LOCK_DELAY_SEC + 5) * 1000);
	assert_true(copies[0].l.has_lock); /* again, after the delay */
	assert_int_equal(locks.holder, locks.sessions_n - 1);
}

/* Who follows waits for news of the key: as long as Consul may take, and the time of any call. */
static void test_a_follower_waits(void **state)
{
	(void)state;
	locks.index = 50;
	run(1, 2000);
	run(2, 2000);
	assert_true(copies[1].is_busy && copies[1].asked_index == locks.index);
	assert_int_equal(copies[1].deadline_ms, copies[1].started_ms + 47812 + TIMEOUT_MS);
	/* An older index is another truth: to be answered at once. */
	locks.index -= 10;
	run(2, 30);
	assert_true(copies[1].is_busy && copies[1].asked_index == 0);
	assert_int_equal(copies[1].deadline_ms, copies[1].started_ms + TIMEOUT_MS);
	run(2, 2000);
	assert_int_equal(copies[1].asked_index, locks.index);
}

/* Where a proxy gives up sooner, neither who follows nor who leads is silent for longer. */
static void test_the_wait_that_is_set(void **state)
{
	(void)state;
	copies[0].l.wait_sec = 3;
	copies[1].l.wait_sec = 20;
	run(1, 2000);
	run(2, 2000);
	assert_true(copies[0].l.has_lock && copies[0].is_busy && copies[1].is_busy);
	assert_int_equal(copies[0].wait_ms, 3000);
	assert_int_equal(copies[1].wait_ms, 20000);
	copies[0].l.wait_sec = 45;
	run(2, 8000);
	assert_true(copies[0].l.has_lock && copies[0].wait_ms == LEADER_LOOK_SEC * 1000);
}

static void test_it_wakes_for_its_fence(void **state)
{
	struct loop_wait wait = {.wake_ms = CLOCK_NEVER};

	(void)state;
	run(1, 3000);
	close_call(0);
	copies[0].l.next_ms = CLOCK_NEVER;
	leader_wants(&copies[0].l, &wait);
	assert_int_equal(wait.wake_ms, leader_fence_ms(&copies[0].l, test_now_ms));
}

/* ---- whatever happens ---- */

static void disturb(int i)
{
	struct copy *k = &copies[i];
	uint32_t dice = test_random_below(&test_seed, 3000);

	if (k->is_busy && !k->is_done && k->arrive_ms == k->started_ms) {
		k->arrive_ms += 1 + test_random_below(&test_seed, dice % 5 ? 20 : 9000);
		k->answer_ms = k->arrive_ms + test_random_below(&test_seed, dice % 7 ? 20 : 9000);
		k->is_lost = dice % 11 == 0;
	}
	if (dice == 0)
		k->frozen_until_ms = test_now_ms + test_random_below(&test_seed, 90000);
	if (dice == 1 && locks.holder >= 0)
		locks_end_session(locks.holder, test_now_ms); /* its node failed, or by hand */
	if (dice == 2 && k->frozen_until_ms <= test_now_ms)
		start_copy(i); /* killed, and started again */
}

static void test_never_two(void **state)
{
	unsigned led = 0;

	for (uint32_t round = 1; round <= 60; round++) {
		(void)copies_set_up(state);
		test_seed = round;
		locks.answer_ttl_sec = round % 2 ? LEADER_TTL_SEC : 2 * LEADER_TTL_SEC;
		for (int64_t until_ms = test_now_ms + 600000; test_now_ms < until_ms; test_now_ms += 20) {
			int writers = 0;

			if (locks.sessions_n > LOCKS_SESSIONS - COPIES)
				break;
			for (int i = 0; i < COPIES; i++) {
				disturb(i);
				if (test_now_ms >= copies[i].frozen_until_ms)
					(void)step_copy(i);
				writers += could_write(i);
			}
			CHECK(writers <= 1, "round %u: %d may write at %lld", round, writers, (long long)test_now_ms);
			led += (unsigned)writers;
			serve();
		}
	}
	CHECK(led > 60 * 600000 / 20 / 10, "somebody led in %u steps only", led);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_leads_the_other_follows, copies_set_up),
		cmocka_unit_test_setup(test_it_renews_in_time_and_no_more_often, copies_set_up),
		cmocka_unit_test_setup(test_a_longer_ttl_moves_no_fence, copies_set_up),
		cmocka_unit_test_setup(test_stop_hands_over_within_a_second, copies_set_up),
		cmocka_unit_test_setup(test_stop_of_who_never_had_a_session_is_at_once, copies_set_up),
		cmocka_unit_test_setup(test_stop_during_the_acquire, copies_set_up),
		cmocka_unit_test_setup(test_stop_without_release, copies_set_up),
		cmocka_unit_test_setup(test_stop_is_refused, copies_set_up),
		cmocka_unit_test_setup(test_the_fence, copies_set_up),
		cmocka_unit_test_setup(test_the_fence_drops_the_call, copies_set_up),
		cmocka_unit_test_setup(test_the_fence_counts_from_the_question, copies_set_up),
		cmocka_unit_test_setup(test_frozen_for_longer_than_its_ttl, copies_set_up),
		cmocka_unit_test_setup(test_taken_away_by_hand, copies_set_up),
		cmocka_unit_test_setup(test_given_away_by_hand, copies_set_up),
		cmocka_unit_test_setup(test_given_away_to_another, copies_set_up),
		cmocka_unit_test_setup(test_session_lost, copies_set_up),
		cmocka_unit_test_setup(test_a_follower_waits, copies_set_up),
		cmocka_unit_test_setup(test_the_wait_that_is_set, copies_set_up),
		cmocka_unit_test_setup(test_it_wakes_for_its_fence, copies_set_up),
		cmocka_unit_test(test_never_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
