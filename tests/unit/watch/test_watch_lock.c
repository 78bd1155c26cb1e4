/*
 * watch/watch with a lock: who leads writes, who does not shows that it waits, and who leads again
 * trusts nothing that was.
 */
#include "watch/world.h"

#include "support.h"

#include "watch/locks.h"

#define WWW "www.example.com"

static int lock_set_up(void **state)
{
	world_set_up(state);
	world_setup.lock_key = "service/dnsbuddy/leader";
	return 0;
}

static void lock_is_anothers(void)
{
	locks.holder = 0;
	locks.sessions_n = 1;
	locks.sessions[0] = (struct locks_session){.is_alive = true, .ends_ms = INT64_MAX};
	locks.index = 5;
}

static void test_only_the_leader_writes(void **state)
{
	(void)state;
	lock_is_anothers();
	world_start_with("192.0.2.1");
	world_run(60000);
	assert_int_equal(world.lists + world.writes, 0);
	locks_end_session(0, world.now_ms);
	world_run(5000);
	assert_string_equal(world_records(WWW), "192.0.2.1");
}

/* The write under way is broken off, and whatever became of it is listed anew. */
static void test_who_loses_the_lock_stops_writing(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	world_run(5000);
	assert_true(world_watch.leader.has_lock);
	world.api_hangs = true;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(100);
	assert_int_equal(world_count("+192.0.2.2"), 1);
	assert_int_equal(world.aborts, 0);
	locks_end_session(locks.holder, world.now_ms);
	world_run(20000);
	assert_int_equal(world.aborts, 1);
	world_clear();
	world.api_hangs = false;
	world_set("web", "192.0.2.1 192.0.2.2 192.0.2.3");
	world_run(100);
	assert_int_equal(world.lists + world.writes, 0); /* the lock-delay */
	world_run(60000);
	assert_true(world_watch.leader.has_lock);
	assert_true(strstr(world.story, "list") < strstr(world.story, "+192.0.2.3"));
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.2 192.0.2.3");
}

/* Who followed for hours has a while to do what is to be done, as everybody has. */
static void test_who_begins_to_lead_is_not_behind_for_hours(void **state)
{
	(void)state;
	lock_is_anothers();
	world_start_with("192.0.2.1");
	world_run(3600000);
	world.api_status = 503;
	world.api_headers = "";
	locks_end_session(0, world.now_ms);
	world_run(10000);
	assert_true(world_watch.leader.has_lock);
	assert_true(watch_is_healthy(&world_watch, world.now_ms));
	world_run(world_setup.unhealthy_ms);
	assert_false(watch_is_healthy(&world_watch, world.now_ms));
}

/* While another one led the records may have been changed: they are listed anew. */
static void test_who_leads_again_lists_again(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	world_run(5000);
	locks_end_session(locks.holder, world.now_ms);
	world_run(20000);
	assert_false(world_watch.leader.has_lock);
	world.records_n = 0;
	world_run(60000);
	assert_true(world_watch.leader.has_lock);
	assert_string_equal(world_records(WWW), "192.0.2.1");
}

/* A name that was held, and one that failed: what is said of them is of when this one wrote. */
static void test_who_loses_the_lock_shows_that_it_waits(void **state)
{
	struct managed_name *const *k = world_watch.names;
	struct status s;

	(void)state;
	world.services[0].name = "web";
	world.services[0].instances = "192.0.2.1 192.0.2.2";
	world.services[1].name = "api";
	world.services[1].instances = "192.0.2.3";
	world_start();
	world_run(5000);
	world.consul_is_leaderless = true;
	world_set("web", "192.0.2.1");
	world_run(5000);
	world.api_status = 500;
	world.api_headers = "";
	world_set("api", "192.0.2.3 192.0.2.4");
	world_run(5000);
	assert_int_equal(k[0]->state, STATUS_HELD);
	assert_int_equal(k[1]->state, STATUS_FAILING);
	locks_end_session(locks.holder, world.now_ms);
	world_run(20000);
	assert_false(world_watch.leader.has_lock);
	watch_status(&world_watch, world.now_ms, &s);
	assert_int_equal(s.records_n, 2);
	for (size_t i = 0; i < s.records_n; i++) {
		struct status_record r = status_record_at(&s, i);

		assert_int_equal(r.state, STATUS_WAITING);
		assert_null(r.why);
		assert_int_equal(r.facts[FACT_HELD].n, 0);
		assert_int_equal(r.facts[FACT_UNCONVERGED].n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_the_leader_writes, lock_set_up),
		cmocka_unit_test_setup(test_who_loses_the_lock_stops_writing, lock_set_up),
		cmocka_unit_test_setup(test_who_begins_to_lead_is_not_behind_for_hours, lock_set_up),
		cmocka_unit_test_setup(test_who_leads_again_lists_again, lock_set_up),
		cmocka_unit_test_setup(test_who_loses_the_lock_shows_that_it_waits, lock_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
