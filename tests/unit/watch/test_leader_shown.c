/* watch/leader: that leadership is shown, not inferred, and that who cannot lead says so. */
#include "watch/copies.h"

#include "support.h"

/* ---- leadership is shown ---- */

/* It may renew for ever: what it cannot read it does not hold. */
static void test_who_cannot_read_the_key_does_not_lead(void **state)
{
	int64_t fence_ms;

	(void)state;
	run(2, 3000);
	deny(0, "GET ", 403);
	fence_ms = leader_fence_ms(&copies[0].l, test_now_ms);
	run(2, fence_ms + 4300 - test_now_ms); /* a look that was under way may have moved it */
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
	(void)copies_set_up(state);
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

/* What cannot be renewed is read all the same: it may be somebody else's by now. */
static void test_the_key_is_watched_while_renewals_fail(void **state)
{
	(void)state;
	run(1, 3000);
	deny(0, "/renew/", 403);
	run(1, 12000);
	assert_true(copies[0].l.has_lock && copies[0].l.failure);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
	locks.is_deleted = true;
	locks.holder = -1;
	locks.index++;
	run(1, 2000);
	assert_int_equal(copies[0].events_n[LEADER_LOST], 1);
}

/* What comes in place of a renewal is none: of another session, or no answer of Consul's at all. */
static void test_a_renewal_of_another_session(void **state)
{
	static const char *const answers[] = {"[{\"ID\":\"s63\",\"TTL\":\"30s\"}]", "[]", "<html>"};

	for (size_t i = 0; i < COUNT(answers); i++) {
		(void)copies_set_up(state);
		run(1, 3000);
		copies[0].said = answers[i];
		deny(0, "/renew/", 200);
		run(1, 25100);
		assert_false(copies[0].l.has_lock);
		assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
		assert_in_range(copies[0].calls_n[LEADER_RENEW], 10, 25);
	}
}

/* One call that fails, of whatever kind, costs nothing. */
static void test_a_leader_tries_again(void **state)
{
	static const char *const parts[] = {"GET ", "/renew/"};

	for (size_t i = 0; i < COUNT(parts); i++) {
		(void)copies_set_up(state);
		run(1, 3000);
		deny(0, parts[i], 500);
		while (!copies[0].events_n[LEADER_FAILS])
			run(1, 10);
		deny(0, NULL, 0);
		run(1, 2000);
		assert_int_equal(copies[0].l.failure, 0);
		assert_true(test_now_ms - copies[0].l.shown_ms < 5000);
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
		(void)copies_set_up(state);
		locks.gives_nothing = true;
		while (!copies[0].calls_n[LEADER_ACQUIRE])
			run(1, 10);
		run(1, 10);
		copies[0].frozen_until_ms = test_now_ms + cases[i].age_ms;
		run(1, cases[i].age_ms);
		locks.gives_nothing = false;
		while (!copies[0].l.has_lock)
			run(1, 10);
		assert_int_equal(copies[0].calls_n[LEADER_RENEW], cases[i].renewals);
		assert_int_equal(locks.sessions_n, cases[i].sessions);
	}
}

/* Which is no failure: it is told by nobody, and costs no time. */
static void test_a_session_that_is_gone_is_replaced(void **state)
{
	(void)state;
	locks.gives_nothing = true;
	while (!copies[0].calls_n[LEADER_ACQUIRE])
		run(1, 10);
	run(1, 10);
	locks_end_session(0, test_now_ms);
	locks.gives_nothing = false;
	copies[0].frozen_until_ms = test_now_ms + 16000;
	run(1, 16150);
	assert_true(copies[0].l.has_lock);
	assert_int_equal(locks.sessions_n, 2);
	assert_int_equal(copies[0].calls_n[LEADER_RENEW], 1);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 0);
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
	{"acquire=", 200, "consul: lock service/k/leader: acquire (key:write): neither true nor false"},
	{"/session/create", 200, "consul: lock service/k/leader: create a session (session:write): not JSON: line 1, column 1"},
	{"GET ", 200, "consul: lock service/k/leader: read the key (key:read): not JSON: line 1, column 1"},
};

static void test_every_refusal_is_told_once(void **state)
{
	for (size_t i = 0; i < COUNT(refusals); i++) {
		int64_t start_ms;

		(void)copies_set_up(state);
		start_ms = test_now_ms;
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

static void test_a_call_that_cannot_begin(void **state)
{
	(void)state;
	copies[0].cannot_start = true;
	run(1, 60000);
	assert_int_equal(copies[0].events_n[LEADER_FAILS], 1);
	assert_in_range(copies[0].calls_n[LEADER_WATCH], 4, 20);
	copies[0].cannot_start = false;
	run(1, 16000);
	assert_true(copies[0].l.has_lock);
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
	assert_in_range(copies[0].calls_n[LEADER_ACQUIRE], 45, 75);
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
		(void)copies_set_up(state);
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
		(void)copies_set_up(state);
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
		leader_stop(&copies[0].l, true, test_now_ms);
		run(1, 100);
		assert_int_equal(copies[0].calls_n[LEADER_RELEASE], 0);
		assert_int_equal(copies[0].calls_n[LEADER_DESTROY], 1);
	}
	/* It is not known to be ours again because it cannot be read. */
	(void)copies_set_up(state);
	run(1, 3000);
	locks.entry = foreign[0];
	locks.index++;
	run(1, 300);
	deny(0, "GET ", 500);
	run(1, 3000);
	leader_stop(&copies[0].l, true, test_now_ms);
	run(1, 100);
	assert_int_equal(copies[0].calls_n[LEADER_RELEASE], 0);
	(void)copies_set_up(state);
	run(1, 3000);
	locks.entry = foreign[0];
	locks.index++;
	run(1, 30000);
	assert_false(copies[0].l.has_lock);
	/* And it is again when it is as it was. */
	locks.entry = LOCKS_OURS;
	run(1, 16000);
	leader_stop(&copies[0].l, true, test_now_ms);
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
	assert_string_equal(copies[1].l.holder, "");
	assert_in_range(copies[1].l.leaderless_ms, test_now_ms - 20000, test_now_ms - 19900);
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
	(void)copies_set_up(state);
	for (int i = 0; i < 1000; i++) {
		run(1, 10);
		if (locks.holder >= 0)
			locks.index++;
		locks.holder = -1;
	}
	assert_in_range(copies[0].calls_n[LEADER_ACQUIRE], 7, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_cannot_read_the_key_does_not_lead, copies_set_up),
		cmocka_unit_test_setup(test_who_never_could_read_the_key_never_leads, copies_set_up),
		cmocka_unit_test_setup(test_who_cannot_renew_does_not_lead, copies_set_up),
		cmocka_unit_test_setup(test_the_key_is_watched_while_renewals_fail, copies_set_up),
		cmocka_unit_test_setup(test_a_renewal_of_another_session, copies_set_up),
		cmocka_unit_test_setup(test_a_leader_tries_again, copies_set_up),
		cmocka_unit_test_setup(test_an_old_session_is_renewed_first, copies_set_up),
		cmocka_unit_test_setup(test_a_session_that_is_gone_is_replaced, copies_set_up),
		cmocka_unit_test_setup(test_every_refusal_is_told_once, copies_set_up),
		cmocka_unit_test_setup(test_a_call_that_cannot_begin, copies_set_up),
		cmocka_unit_test_setup(test_another_reason_is_told_anew, copies_set_up),
		cmocka_unit_test_setup(test_a_lock_that_is_never_given, copies_set_up),
		cmocka_unit_test_setup(test_a_key_that_is_no_lock_of_ours, copies_set_up),
		cmocka_unit_test_setup(test_a_key_that_becomes_another, copies_set_up),
		cmocka_unit_test_setup(test_who_follows_knows_whom, copies_set_up),
		cmocka_unit_test_setup(test_a_key_that_never_rests, copies_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
