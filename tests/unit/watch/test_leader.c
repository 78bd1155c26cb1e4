/*
 * watch/leader: the lock's state machine, by a clock of ours, against a Consul of ours: sessions
 * that end early or late, answers that are lost, processes that are frozen. The module is compiled
 * a second time, against a caller that does as it is told.
 */
#include "support.h"

#include "base/clock.h"
#include "consul/client.h"
#include "watch/locks.h"

#define consul_client_start wire_start
#define consul_client_step wire_step
#define consul_client_is_busy wire_is_busy
#define consul_client_wants wire_wants
#define http_close wire_close
#define leader_init tested_init
#define leader_fence_ms tested_fence_ms
#define leader_step tested_step
#define leader_stop tested_stop
#define leader_is_over tested_is_over
#define leader_wants tested_wants
static int wire_start(struct consul_client *c, const char *method, int64_t deadline_ms, struct err *e);
static enum http_result wire_step(struct consul_client *c, struct err *e);
static bool wire_is_busy(const struct consul_client *c);
static void wire_wants(const struct consul_client *c, struct loop_wait *wait);
static void wire_close(struct http_client *c);
/* Both cmocka and the module have a fail(). */
#undef fail
#define fail tested_fail
#include "watch/leader.c" /* NOLINT(bugprone-suspicious-include) */
#undef fail
#define fail() _fail(__FILE__, __LINE__)

#define COPIES 3
#define TIMEOUT_MS 10000

struct copy {
	struct leader l;
	/* the call under way */
	bool is_busy, is_done, is_lost;
	char method[8], target[HTTP_TARGET_CAP], body[CONSUL_CLIENT_BODY_CAP];
	int64_t started_ms, arrive_ms, answer_ms, deadline_ms;
	bool has_arrived;
	uint64_t asked_index;
	int64_t frozen_until_ms;
	bool may_write; /* as of its last step */
};

static struct copy copies[COPIES];
static int64_t now_ms;
static uint32_t seed;

static struct copy *copy_of(const struct consul_client *c)
{
	for (int i = 0; i < COPIES; i++)
		if (&copies[i].l.client == c)
			return &copies[i];
	fail_msg("no copy");
	return NULL;
}

static int wire_start(struct consul_client *c, const char *method, int64_t deadline_ms, struct err *e)
{
	struct copy *k = copy_of(c);
	const char *index;

	(void)e;
	assert_false(k->is_busy);
	assert_true(buf_ok(&c->target) && buf_ok(&c->body));
	k->is_busy = true;
	k->is_done = k->has_arrived = k->is_lost = false;
	(void)snprintf(k->method, sizeof k->method, "%s", method);
	(void)snprintf(k->target, sizeof k->target, "%s", c->target.p);
	(void)snprintf(k->body, sizeof k->body, "%s", c->body.len ? c->body.p : "");
	index = strstr(k->target, "index=");
	k->asked_index = index ? strtoull(index + 6, NULL, 10) : 0;
	k->started_ms = now_ms;
	k->deadline_ms = deadline_ms;
	k->arrive_ms = now_ms;
	k->answer_ms = now_ms;
	return 0;
}

static enum http_result wire_step(struct consul_client *c, struct err *e)
{
	struct copy *k = copy_of(c);

	assert_true(k->is_busy);
	if (now_ms >= k->deadline_ms) {
		k->is_busy = false;
		(void)err_set(e, ERR_RETRY, "no answer in time");
		return HTTP_BAD;
	}
	if (!k->is_done || k->is_lost || now_ms < k->answer_ms)
		return HTTP_MORE;
	k->is_busy = false;
	return HTTP_DONE;
}

static bool wire_is_busy(const struct consul_client *c)
{
	return copy_of(c)->is_busy;
}

static void wire_wants(const struct consul_client *c, struct loop_wait *wait)
{
	loop_wait_until(wait, copy_of(c)->deadline_ms);
}

static void wire_close(struct http_client *c)
{
	for (int i = 0; i < COPIES; i++)
		if (&copies[i].l.client.http == c)
			copies[i].is_busy = false;
}

/* ---- Consul ---- */

static void say(struct copy *k, int status, const char *text)
{
	struct consul_answer *a = &k->l.client.answer;

	k->is_done = true;
	k->answer_ms = now_ms > k->answer_ms ? now_ms : k->answer_ms;
	a->status = status;
	a->index = locks.index;
	a->len = strlen(text);
	memcpy(a->body, text, a->len + 1);
}

static void serve(void)
{
	locks_age(now_ms);
	for (int i = 0; i < COPIES; i++) {
		struct copy *k = &copies[i];

		char text[LOCKS_TEXT_CAP];
		int status;

		if (!k->is_busy || k->is_done || now_ms < k->arrive_ms)
			continue;
		if (k->method[0] == 'G' && k->asked_index && k->asked_index == locks.index && now_ms - k->arrive_ms < 60000)
			continue; /* it waits */
		status = locks_answer(k->method, k->target, k->body, now_ms, &seed, text);
		say(k, status, text);
	}
}

/* ---- copies ---- */

static void start_copy(int i)
{
	static const struct job place;

	memset(&copies[i], 0, sizeof copies[i]);
	leader_init(&copies[i].l, "service/k/leader", "dnsbuddy", &place, TIMEOUT_MS);
}

static int set_up(void **state)
{
	(void)state;
	locks_init(LEADER_TTL_SEC);
	now_ms = 1000000;
	seed = 1;
	for (int i = 0; i < COPIES; i++)
		start_copy(i);
	return 0;
}

static enum leader_event step_copy(int i)
{
	enum leader_event event = leader_step(&copies[i].l, now_ms, test_random(&seed));

	copies[i].may_write = leader_fence_ms(&copies[i].l, now_ms) > now_ms;
	assert_true(copies[i].may_write == copies[i].l.has_lock);
	return event;
}

/* Whether it could write now, awake or woken between its step and its write. */
static bool could_write(int i)
{
	return copies[i].may_write && leader_fence_ms(&copies[i].l, now_ms) > now_ms;
}

/* Let time go for the first n copies. */
static void run(int n, int64_t ms)
{
	for (int64_t until_ms = now_ms + ms; now_ms < until_ms; now_ms += 10) {
		for (int i = 0; i < n; i++)
			if (now_ms >= copies[i].frozen_until_ms)
				(void)step_copy(i);
		serve();
	}
}

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

static void test_it_renews_in_time_and_no_more_often(void **state)
{
	unsigned renewals = 0;
	bool was_renewing = false;

	(void)state;
	run(1, 500);
	for (int i = 0; i < 6000; i++) {
		bool is_renewing;

		run(1, 100);
		is_renewing = copies[0].l.step == LEADER_WATCH || copies[0].l.renewed_ms >= now_ms - 100;
		renewals += is_renewing && !was_renewing;
		was_renewing = is_renewing;
		assert_true(copies[0].l.has_lock);
	}
	assert_in_range(renewals, 55, 65); /* ten minutes, every ten seconds */
}

static void test_a_longer_ttl_moves_no_fence(void **state)
{
	(void)state;
	locks.answer_ttl_sec = 60;
	run(1, 12000);
	assert_int_equal(copies[0].l.ttl_ms, 60000);
	/* The lock-delay is as it was: a session that ends early must not find two of us. */
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), copies[0].l.renewed_ms + 25000);
	assert_int_equal(copies[0].l.next_ms, copies[0].l.renewed_ms + 10000);
}

static void test_stop_hands_over_within_a_second(void **state)
{
	(void)state;
	run(2, 2000);
	leader_stop(&copies[0].l, now_ms);
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), now_ms);
	run(2, 1000);
	assert_true(leader_is_over(&copies[0].l));
	assert_true(copies[1].l.has_lock);
	assert_false(locks.sessions[0].is_alive);
}

static void test_stop_of_who_never_had_a_session_is_at_once(void **state)
{
	(void)state;
	leader_stop(&copies[0].l, now_ms);
	assert_true(leader_is_over(&copies[0].l));
}

/* Asked to stop while the answer to its acquire is on the way: what it may hold, it releases. */
static void test_stop_during_the_acquire(void **state)
{
	(void)state;
	while (copies[0].l.step != LEADER_ACQUIRE || locks.holder < 0)
		run(1, 10);
	assert_false(copies[0].l.has_lock);
	leader_stop(&copies[0].l, now_ms);
	run(1, 1000);
	assert_true(leader_is_over(&copies[0].l));
	run(2, 1500);
	assert_true(copies[1].l.has_lock);
}

/* Consul is not to be reached any more: to the millisecond. */
static void test_the_fence(void **state)
{
	int64_t fence_ms;

	(void)state;
	run(1, 3000);
	fence_ms = copies[0].l.renewed_ms + LEADER_TTL_SEC * 1000 - LEADER_MARGIN_MS;
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), fence_ms);
	for (; now_ms < fence_ms; now_ms++) /* nobody serves */
		assert_int_equal(step_copy(0), LEADER_NOTHING);
	assert_int_equal(step_copy(0), LEADER_LOST);
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), now_ms);
}

/* Its time counts from when it asked: Consul may have heard that long before we hear of it. */
static void test_the_fence_counts_from_the_question(void **state)
{
	int64_t asked_ms;

	(void)state;
	while (copies[0].l.step != LEADER_CREATE || !copies[0].is_busy)
		run(1, 10);
	asked_ms = copies[0].started_ms;
	copies[0].answer_ms += 4000;
	run(1, 5000);
	assert_true(copies[0].l.has_lock);
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), asked_ms + 25000);
	while (copies[0].l.step != LEADER_RENEW || !copies[0].is_busy)
		run(1, 10);
	asked_ms = copies[0].started_ms;
	copies[0].answer_ms += 4000;
	run(1, 5000);
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), asked_ms + 25000);
}

/* It sleeps past its fence: the first thing it learns is that it does not lead. */
static void test_frozen_for_longer_than_its_ttl(void **state)
{
	(void)state;
	run(2, 3000);
	copies[0].frozen_until_ms = now_ms + 200000;
	run(2, 120000);
	assert_true(copies[1].l.has_lock);
	now_ms += 100000;
	copies[1].frozen_until_ms = 0;
	assert_int_equal(step_copy(0), LEADER_LOST);
	assert_false(could_write(0));
}

static void test_taken_away_by_hand(void **state)
{
	(void)state;
	run(1, 3000);
	locks.holder = 63; /* of somebody else, as the key says at the next look */
	locks.index++;
	run(1, 11000);
	assert_false(copies[0].l.has_lock);
}

static void test_session_lost(void **state)
{
	(void)state;
	run(1, 3000);
	locks_end_session(0, now_ms);
	run(1, 11000);
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
	assert_int_equal(copies[1].deadline_ms, copies[1].started_ms + 63750 + TIMEOUT_MS);
	/* An older index is another truth: to be answered at once. */
	locks.index -= 10;
	run(2, 30);
	assert_true(copies[1].is_busy && copies[1].asked_index == 0);
	assert_int_equal(copies[1].deadline_ms, copies[1].started_ms + TIMEOUT_MS);
	run(2, 2000);
	assert_int_equal(copies[1].asked_index, locks.index);
}

static void test_it_wakes_for_its_fence(void **state)
{
	struct loop_wait wait = {.wake_ms = CLOCK_NEVER};

	(void)state;
	run(1, 3000);
	copies[0].l.next_ms = CLOCK_NEVER;
	leader_wants(&copies[0].l, &wait);
	assert_int_equal(wait.wake_ms, leader_fence_ms(&copies[0].l, now_ms));
}

/* ---- whatever happens ---- */

static void disturb(int i)
{
	struct copy *k = &copies[i];
	uint32_t dice = test_random_below(&seed, 3000);

	if (k->is_busy && !k->is_done && k->arrive_ms == k->started_ms) {
		k->arrive_ms += 1 + test_random_below(&seed, dice % 5 ? 20 : 9000);
		k->answer_ms = k->arrive_ms + test_random_below(&seed, dice % 7 ? 20 : 9000);
		k->is_lost = dice % 11 == 0;
	}
	if (dice == 0)
		k->frozen_until_ms = now_ms + test_random_below(&seed, 90000);
	if (dice == 1 && locks.holder >= 0)
		locks_end_session(locks.holder, now_ms); /* its node failed, or by hand */
	if (dice == 2 && k->frozen_until_ms <= now_ms)
		start_copy(i); /* killed, and started again */
}

static void test_never_two(void **state)
{
	unsigned led = 0;

	for (uint32_t round = 1; round <= 60; round++) {
		(void)set_up(state);
		seed = round;
		locks.answer_ttl_sec = round % 2 ? LEADER_TTL_SEC : 2 * LEADER_TTL_SEC;
		for (int64_t until_ms = now_ms + 600000; now_ms < until_ms; now_ms += 20) {
			int writers = 0;

			if (locks.sessions_n > LOCKS_SESSIONS - COPIES)
				break;
			for (int i = 0; i < COPIES; i++) {
				disturb(i);
				if (now_ms >= copies[i].frozen_until_ms)
					(void)step_copy(i);
				writers += could_write(i);
			}
			CHECK(writers <= 1, "round %u: %d may write at %lld", round, writers, (long long)now_ms);
			led += (unsigned)writers;
			serve();
		}
	}
	CHECK(led > 60 * 600000 / 20 / 10, "somebody led in %u steps only", led);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_leads_the_other_follows, set_up),
		cmocka_unit_test_setup(test_it_renews_in_time_and_no_more_often, set_up),
		cmocka_unit_test_setup(test_a_longer_ttl_moves_no_fence, set_up),
		cmocka_unit_test_setup(test_stop_hands_over_within_a_second, set_up),
		cmocka_unit_test_setup(test_stop_of_who_never_had_a_session_is_at_once, set_up),
		cmocka_unit_test_setup(test_stop_during_the_acquire, set_up),
		cmocka_unit_test_setup(test_the_fence, set_up),
		cmocka_unit_test_setup(test_the_fence_counts_from_the_question, set_up),
		cmocka_unit_test_setup(test_frozen_for_longer_than_its_ttl, set_up),
		cmocka_unit_test_setup(test_taken_away_by_hand, set_up),
		cmocka_unit_test_setup(test_session_lost, set_up),
		cmocka_unit_test_setup(test_a_follower_waits, set_up),
		cmocka_unit_test_setup(test_it_wakes_for_its_fence, set_up),
		cmocka_unit_test(test_never_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
