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
	int64_t wait_ms;
	int64_t frozen_until_ms;
	bool may_write;     /* as of its last step */
	const char *denied; /* a part of "METHOD target": such calls are answered status; NULL: none */
	int status;         /* -1: more than an answer may hold */
	const char *said;   /* with it; NULL: a refusal */
	unsigned calls_n[LEADER_OVER];
	unsigned events_n[LEADER_FAILS + 1];
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
	k->wait_ms = index ? strtoll(strstr(k->target, "wait=") + 5, NULL, 10) * 1000 : 0;
	k->calls_n[k->l.step]++;
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
	if (c->answer.status >= 0)
		return HTTP_DONE;
	c->answer.status = 200;
	(void)err_set(e, ERR_LIMIT, "more than 4096 bytes");
	return HTTP_BAD;
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

		char text[LOCKS_TEXT_CAP], call[sizeof k->method + sizeof k->target];
		int status;

		if (!k->is_busy || k->is_done || now_ms < k->arrive_ms)
			continue;
		(void)snprintf(call, sizeof call, "%s %s", k->method, k->target);
		if (k->denied && strstr(call, k->denied)) {
			say(k, k->status, k->said ? k->said : "Permission denied");
			continue;
		}
		if (k->asked_index && k->asked_index == locks.index && now_ms - k->arrive_ms < k->wait_ms)
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
	leader_init(&copies[i].l, "service/k/leader", "dnsbuddy", &place, TIMEOUT_MS, now_ms);
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

	copies[i].events_n[event]++;
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

/* Every third of its life, but for the look at the key that is under way; and two looks between. */
static void test_it_renews_in_time_and_no_more_often(void **state)
{
	(void)state;
	run(1, 500);
	for (int i = 0; i < 60000; i++) {
		run(1, 10);
		assert_true(copies[0].l.has_lock);
		assert_true(now_ms - copies[0].l.renewed_ms <= 10050);
		assert_true(leader_fence_ms(&copies[0].l, now_ms) - now_ms >= 25000 - 10050 - 4300);
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
	assert_true(leader_fence_ms(&copies[0].l, now_ms) <= copies[0].l.renewed_ms + 25000);
	assert_true(now_ms - copies[0].l.renewed_ms <= 10000);
}

static void test_stop_hands_over_within_a_second(void **state)
{
	(void)state;
	run(2, 2000);
	leader_stop(&copies[0].l, true, now_ms);
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), now_ms);
	run(2, 1000);
	assert_true(leader_is_over(&copies[0].l));
	assert_true(copies[1].l.has_lock);
	assert_false(locks.sessions[0].is_alive);
}

static void test_stop_of_who_never_had_a_session_is_at_once(void **state)
{
	(void)state;
	leader_stop(&copies[0].l, true, now_ms);
	assert_true(leader_is_over(&copies[0].l));
}

/* Asked to stop while the answer to its acquire is on the way: what it may hold, it releases. */
static void test_stop_during_the_acquire(void **state)
{
	(void)state;
	while (copies[0].l.step != LEADER_ACQUIRE || locks.holder < 0)
		run(1, 10);
	assert_false(copies[0].l.has_lock);
	leader_stop(&copies[0].l, true, now_ms);
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
	leader_stop(&copies[0].l, false, now_ms);
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
	leader_stop(&copies[0].l, true, now_ms);
	copies[0].denied = "release=";
	copies[0].status = 500;
	run(1, 100);
	assert_true(leader_is_over(&copies[0].l));
	assert_false(locks.sessions[0].is_alive);
	(void)set_up(state);
	run(1, 2000);
	leader_stop(&copies[0].l, true, now_ms);
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
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), fence_ms);
	for (; now_ms < fence_ms; now_ms++) { /* nobody serves */
		enum leader_event event = step_copy(0);

		assert_true(event == LEADER_NOTHING || event == LEADER_FAILS);
	}
	assert_int_equal(step_copy(0), LEADER_LOST);
	assert_non_null(strstr(copies[0].l.last_err.text, "no answer in time"));
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), now_ms);
	assert_true(copies[0].l.is_leaderless);
	assert_int_equal(copies[0].l.leaderless_ms, now_ms);
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
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), created_ms + 25000);
	/* And it moves only when both have succeeded. */
	renewed_ms = run_until(LEADER_RENEW);
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), created_ms + 25000);
	run(1, 4010);
	shown_ms = leader_fence_ms(&copies[0].l, now_ms) - 25000;
	assert_true(shown_ms > created_ms && shown_ms < renewed_ms);
	shown_ms = run_until(LEADER_WATCH);
	assert_true(leader_fence_ms(&copies[0].l, now_ms) < renewed_ms + 25000);
	run(1, 4010);
	assert_true(shown_ms > renewed_ms);
	assert_int_equal(leader_fence_ms(&copies[0].l, now_ms), renewed_ms + 25000);
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
		(void)set_up(state);
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
	locks_end_session(0, now_ms);
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

static void test_it_wakes_for_its_fence(void **state)
{
	struct loop_wait wait = {.wake_ms = CLOCK_NEVER};

	(void)state;
	run(1, 3000);
	wire_close(&copies[0].l.client.http);
	copies[0].l.next_ms = CLOCK_NEVER;
	leader_wants(&copies[0].l, &wait);
	assert_int_equal(wait.wake_ms, leader_fence_ms(&copies[0].l, now_ms));
}

/* ---- leadership is shown ---- */

static void deny(int i, const char *part, int status)
{
	copies[i].denied = part;
	copies[i].status = status;
}

/* It may renew for ever: what it cannot read it does not hold. */
static void test_who_cannot_read_the_key_does_not_lead(void **state)
{
	int64_t fence_ms;

	(void)state;
	run(2, 3000);
	deny(0, "GET ", 403);
	fence_ms = leader_fence_ms(&copies[0].l, now_ms);
	run(2, fence_ms + 4300 - now_ms); /* a look that was under way may have moved it */
	assert_false(copies[0].l.has_lock);
	assert_non_null(strstr(copies[0].l.last_err.text, "read the key (key:read): HTTP 403"));
	run(2, 2 * LEADER_TTL_SEC * 1000 + LEADER_LOCK_DELAY_SEC * 1000 + 5000);
	assert_false(copies[0].l.has_lock);
	assert_true(copies[1].l.has_lock);
	assert_int_equal(copies[0].events_n[LEADER_WON], 1);
}

static void test_who_never_could_read_the_key_never_leads(void **state)
{
	(void)state;
	deny(0, "GET ", 403);
	run(1, 100000);
	assert_int_equal(copies[0].events_n[LEADER_WON], 0);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
	/* Acquired, and not shown. */
	(void)set_up(state);
	while (copies[0].l.step != LEADER_ACQUIRE)
		run(1, 10);
	deny(0, "GET ", 403);
	run(1, 100000);
	assert_int_equal(copies[0].events_n[LEADER_WON], 0);
}

static void test_who_cannot_renew_does_not_lead(void **state)
{
	(void)state;
	run(1, 3000);
	deny(0, "/renew/", 500);
	run(1, 25100);
	assert_false(copies[0].l.has_lock);
	assert_non_null(strstr(copies[0].l.last_err.text, "renew the session (session:write): HTTP 500"));
	deny(0, NULL, 0);
	run(1, 2000);
	assert_true(copies[0].l.has_lock); /* its session lived: no other one was needed */
	assert_int_equal(locks.sessions_n, 1);
}

/* What comes in place of a renewal is none: of another session, or no answer of Consul's at all. */
static void test_a_renewal_of_another_session(void **state)
{
	static const char *const answers[] = {"[{\"ID\":\"s63\",\"TTL\":\"30s\"}]", "[]", "<html>"};

	for (size_t i = 0; i < COUNT(answers); i++) {
		(void)set_up(state);
		run(1, 3000);
		copies[0].said = answers[i];
		deny(0, "/renew/", 200);
		run(1, 25100);
		assert_false(copies[0].l.has_lock);
	}
}

/* One call that fails, of whatever kind, costs nothing. */
static void test_a_leader_tries_again(void **state)
{
	static const char *const parts[] = {"GET ", "/renew/"};

	for (size_t i = 0; i < COUNT(parts); i++) {
		(void)set_up(state);
		run(1, 3000);
		deny(0, parts[i], 500);
		while (!copies[0].events_n[LEADER_FAILS])
			run(1, 10);
		deny(0, NULL, 0);
		run(1, 2000);
		assert_int_equal(copies[0].l.failure, 0);
		assert_true(now_ms - copies[0].l.shown_ms < 5000);
		run(1, 60000);
		assert_int_equal(copies[0].events_n[LEADER_LOST], 0);
	}
}

/* A session that is not sure to live is renewed before anybody leads with it. */
static void test_an_old_session_is_renewed_first(void **state)
{
	static const struct {
		int64_t age_ms;
		unsigned renewals, sessions;
	} cases[] = {{14000, 0, 1}, {16000, 1, 1}, {29000, 1, 1}, {31000, 0, 2}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)set_up(state);
		locks.gives_nothing = true;
		while (!copies[0].calls_n[LEADER_ACQUIRE])
			run(1, 10);
		run(1, 10);
		copies[0].frozen_until_ms = now_ms + cases[i].age_ms;
		run(1, cases[i].age_ms);
		locks.gives_nothing = false;
		while (!copies[0].l.has_lock)
			run(1, 10);
		assert_int_equal(copies[0].calls_n[LEADER_RENEW], cases[i].renewals);
		assert_int_equal(locks.sessions_n, cases[i].sessions);
	}
}

/* ---- who cannot lead says so ---- */

static const struct {
	const char *denied;
	int status;
	const char *text;
} refusals[] = {
	{"/session/create", 403, "consul: lock service/k/leader: create a session (session:write): HTTP 403: Permission denied"},
	{"acquire=", 403, "consul: lock service/k/leader: acquire (key:write): HTTP 403: Permission denied"},
	{"GET ", 403, "consul: lock service/k/leader: read the key (key:read): HTTP 403: Permission denied"},
	{"GET ", 500, "consul: lock service/k/leader: read the key (key:read): HTTP 500: Permission denied"},
	{"GET ", -1,
	 "consul: lock service/k/leader: read the key (key:read): it is not a lock of ours and stays as it is: more than 4096 "
	 "bytes"},
	{"acquire=", 404, "consul: lock service/k/leader: acquire (key:write): HTTP 404: Permission denied"},
};

static void test_every_refusal_is_told_once(void **state)
{
	for (size_t i = 0; i < COUNT(refusals); i++) {
		int64_t start_ms;

		(void)set_up(state);
		start_ms = now_ms;
		deny(0, refusals[i].denied, refusals[i].status);
		run(1, 100);
		assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
		assert_string_equal(copies[0].l.last_err.text, refusals[i].text);
		run(1, 600000);
		assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
		assert_true(copies[0].l.is_leaderless && copies[0].l.failure);
		assert_int_equal(copies[0].l.leaderless_ms, start_ms);
		assert_in_range(locks.sessions_n, 0, 2);
		/* Tried again, more and more seldom. */
		assert_in_range(copies[0].calls_n[LEADER_WATCH], 40, 140);
		deny(0, NULL, 0);
		run(1, 16000);
		assert_true(copies[0].l.has_lock);
		assert_false(copies[0].l.is_leaderless || copies[0].l.failure);
	}
}

static void test_another_reason_is_told_anew(void **state)
{
	(void)state;
	deny(0, "GET ", 403);
	run(1, 20000);
	copies[0].status = 500;
	run(1, 20000);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 2);
	deny(0, "acquire=", 500);
	run(1, 20000);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 3);
	deny(0, NULL, 0);
	run(1, 20000);
	assert_true(copies[0].l.has_lock);
	deny(0, "GET ", 403);
	run(1, 50000);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 4);
}

/* For a moment nobody holds it and it is not given: after a death that is so for 30 s. */
static void test_a_lock_that_is_never_given(void **state)
{
	(void)state;
	locks.gives_nothing = true;
	run(1, 400);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 0); /* somebody may have been faster */
	run(1, 60000);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
	assert_non_null(strstr(copies[0].l.last_err.text, "acquire (key:write): not given"));
	assert_true(copies[0].l.is_leaderless);
	/* It is asked for every second, for the lock-delay may be over. */
	assert_in_range(copies[0].calls_n[LEADER_ACQUIRE], 38, 62);
	assert_int_equal(locks.sessions_n, 1);
	locks.gives_nothing = false;
	run(1, 2000);
	assert_true(copies[0].l.has_lock);
}

static const char *const foreign[] = {
	"\"Flags\":0,\"Value\":\"ZG5zYnVkZHkgYQ==\"",
	"\"Value\":\"ZG5zYnVkZHkgYQ==\"",
	"\"Flags\":3304740253564472344,\"Value\":\"c29tZWJvZHkncw==\"",
	"\"Flags\":3304740253564472344,\"Value\":null",
	"\"Flags\":3304740253564472344",
	"\"Flags\":3304740253564472345,\"Value\":\"ZG5zYnVkZHkgYQ==\"",
};

/* Whether somebody holds it or not, it is not ours to write. */
static void test_a_key_that_is_no_lock_of_ours(void **state)
{
	for (size_t i = 0; i < 2 * COUNT(foreign); i++) {
		(void)set_up(state);
		locks.entry = foreign[i / 2];
		locks.index = 7;
		locks.holder = i % 2 ? 63 : -1;
		locks.sessions[63].is_alive = true;
		locks.sessions[63].ends_ms = INT64_MAX;
		run(1, 60000);
		assert_int_equal(copies[0].calls_n[LEADER_CREATE] + copies[0].calls_n[LEADER_ACQUIRE], 0);
		assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
		assert_non_null(strstr(copies[0].l.last_err.text, "not a lock of ours"));
		assert_true(copies[0].l.is_leaderless);
		locks.entry = LOCKS_OURS;
		locks.holder = -1;
		run(1, 16000);
		assert_true(copies[0].l.has_lock);
	}
}

/* Written over while we lead: from then on it is not ours, and is not even released. */
static void test_a_key_that_becomes_another(void **state)
{
	for (int is_long = 0; is_long < 2; is_long++) {
		(void)set_up(state);
		run(1, 3000);
		if (is_long)
			deny(0, "GET ", -1);
		else
			locks.entry = foreign[0];
		locks.index++;
		run(1, is_long ? 4500 : 30);
		assert_int_equal(copies[0].events_n[LEADER_LOST], 1);
		assert_non_null(strstr(copies[0].l.last_err.text, "not a lock of ours"));
		run(1, 9000);
		assert_false(copies[0].l.has_lock);
		leader_stop(&copies[0].l, true, now_ms);
		run(1, 100);
		assert_int_equal(copies[0].calls_n[LEADER_RELEASE], 0);
		assert_int_equal(copies[0].calls_n[LEADER_DESTROY], 1);
	}
	(void)set_up(state);
	run(1, 3000);
	locks.entry = foreign[0];
	locks.index++;
	run(1, 30000);
	assert_false(copies[0].l.has_lock);
	/* And it is again when it is as it was. */
	locks.entry = LOCKS_OURS;
	run(1, 16000);
	leader_stop(&copies[0].l, true, now_ms);
	run(1, 100);
	assert_int_equal(copies[0].calls_n[LEADER_RELEASE], 1);
}

static void test_who_follows_knows_whom(void **state)
{
	(void)state;
	run(1, 1000);
	run(2, 1000);
	assert_int_equal(copies[1].events_n[LEADER_FOLLOWS], 1);
	assert_string_equal(copies[1].l.holder, "s0");
	assert_false(copies[1].l.is_leaderless);
	run(2, 300000);
	assert_int_equal(copies[1].events_n[LEADER_FOLLOWS], 1);
	/* Consul does not answer: then it is not known, and is told anew when it is. */
	deny(1, "GET ", 500);
	locks.index++;
	run(2, 20000);
	assert_true(copies[1].l.is_leaderless);
	assert_in_range(copies[1].l.leaderless_ms, now_ms - 20000, now_ms - 19900);
	assert_int_equal(copies[1].events_n[LEADER_FAILS], 1);
	deny(1, NULL, 0);
	run(2, 16000);
	assert_false(copies[1].l.is_leaderless);
	assert_int_equal(copies[1].events_n[LEADER_FOLLOWS], 2);
	/* Its lock goes to another one. */
	locks.holder = 63;
	locks.index++;
	run(2, 1000);
	assert_int_equal(copies[1].events_n[LEADER_FOLLOWS], 3);
	assert_string_equal(copies[1].l.holder, "s63");
}

/* The key changes all the time, or Consul does not wait: nobody turns without end. */
static void test_a_key_that_never_rests(void **state)
{
	(void)state;
	run(1, 1000);
	run(2, 1000);
	for (int i = 0; i < 1000; i++) {
		locks.index++;
		run(2, 10);
	}
	assert_in_range(copies[0].calls_n[LEADER_WATCH], 40, 60);
	assert_in_range(copies[1].calls_n[LEADER_WATCH], 40, 60);
	assert_true(copies[0].l.has_lock);
	/* It is given, and gone when one looks. */
	(void)set_up(state);
	for (int i = 0; i < 1000; i++) {
		run(1, 10);
		if (locks.holder >= 0)
			locks.index++;
		locks.holder = -1;
	}
	assert_in_range(copies[0].calls_n[LEADER_ACQUIRE], 9, 12);
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
		cmocka_unit_test_setup(test_stop_without_release, set_up),
		cmocka_unit_test_setup(test_stop_is_refused, set_up),
		cmocka_unit_test_setup(test_given_away_by_hand, set_up),
		cmocka_unit_test_setup(test_given_away_to_another, set_up),
		cmocka_unit_test_setup(test_who_cannot_read_the_key_does_not_lead, set_up),
		cmocka_unit_test_setup(test_who_never_could_read_the_key_never_leads, set_up),
		cmocka_unit_test_setup(test_who_cannot_renew_does_not_lead, set_up),
		cmocka_unit_test_setup(test_a_leader_tries_again, set_up),
		cmocka_unit_test_setup(test_an_old_session_is_renewed_first, set_up),
		cmocka_unit_test_setup(test_every_refusal_is_told_once, set_up),
		cmocka_unit_test_setup(test_another_reason_is_told_anew, set_up),
		cmocka_unit_test_setup(test_a_lock_that_is_never_given, set_up),
		cmocka_unit_test_setup(test_a_key_that_is_no_lock_of_ours, set_up),
		cmocka_unit_test_setup(test_a_key_that_becomes_another, set_up),
		cmocka_unit_test_setup(test_who_follows_knows_whom, set_up),
		cmocka_unit_test_setup(test_a_key_that_never_rests, set_up),
		cmocka_unit_test_setup(test_a_renewal_of_another_session, set_up),
		cmocka_unit_test(test_never_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
