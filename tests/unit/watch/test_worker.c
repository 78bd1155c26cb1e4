/*
 * watch/worker with many names in several zones: who begins when, with whom, and who waits for
 * nobody.
 */
#include "watch/world.h"

#include "support.h"

#include "base/clock.h"

static char names[WORLD_SERVICES][NAME_CAP], services[WORLD_SERVICES][32];
static struct job jobs[WORLD_SERVICES];

static void add_zones(size_t n)
{
	static const char *const zones[WORLD_ZONES] = {"example.com", "example.net",  "example.org",
						       "example.edu", "example.info", "example.biz"};

	for (size_t i = 0; i < n; i++)
		world.zones[i].name = zones[i];
}

/* n names w0, w1... in the zones in turns, which nobody has told; of services s0, s1... */
static void prepare(size_t n, size_t zones_n)
{
	add_zones(zones_n);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(services[i], sizeof services[i], "s%zu", i);
		(void)snprintf(names[i], sizeof names[i], "w%zu.%s", i, world.zones[i % zones_n].name);
		if (!world.services[i].instances)
			world_set(services[i], "192.0.2.1");
		jobs[i] = world_job(services[i], names[i]);
		jobs[i].zone[0] = '\0';
	}
}

static void start(size_t n, size_t zones_n)
{
	prepare(n, zones_n);
	world_start_jobs(jobs, n);
}

/* In step, and long enough for no pace to be left. */
static void start_at_rest(size_t n, size_t zones_n)
{
	start(n, zones_n);
	world_run(5000);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(world_records(names[i]), "192.0.2.1");
	world_clear();
	memset(world.zones, 0, sizeof world.zones);
	add_zones(zones_n);
}

static bool is_written(size_t i, const char *contents)
{
	return strcmp(world_records(names[i]), contents) == 0;
}

/* ---- together ---- */

/* One search for all, one listing and one batch for each zone. */
static void test_names_share_what_they_can(void **state)
{
	(void)state;
	start(12, 4);
	world_run(1000);
	assert_int_equal(world_count("zone"), 1);
	for (size_t z = 0; z < 4; z++) {
		assert_int_equal(world.zones[z].lists, 1);
		assert_int_equal(world.zones[z].writes, 1);
	}
	for (size_t i = 0; i < 12; i++)
		assert_true(is_written(i, "192.0.2.1"));
}

/* Whose zone is not known goes with who searches: what that one finds tells his. */
static void test_one_searches_for_all(void **state)
{
	(void)state;
	add_zones(2);
	world.latency_ms = 200;
	world_set("s0", "192.0.2.1");
	world_set("s1", "192.0.2.1");
	world.services[1].delay_ms = WATCH_GATHER_MS + 100; /* while the search is under way */
	start(2, 2);
	world_run(200 + WATCH_GATHER_MS + 50);
	assert_int_equal(world_count("zone"), 0);
	assert_true(driver_is_busy(&world_watch.workers[0].driver));
	world_run(2000);
	assert_int_equal(world_count("zone"), 1);
	assert_true(is_written(0, "192.0.2.1"));
	assert_true(is_written(1, "192.0.2.1"));
}

/* At first they are gathered until no more services are told. */
static void test_first_passes_are_gathered(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		(void)snprintf(services[i], sizeof services[i], "s%zu", i);
		world_set(services[i], "192.0.2.1");
		world.services[i].delay_ms = (int64_t)i * (WATCH_GATHER_MS - 20);
	}
	start(5, 1);
	world_run(4 * (WATCH_GATHER_MS - 20));
	assert_int_equal(world_count("zone"), 0);
	world_run(10); /* the last one is there: nobody else is waited for */
	assert_int_equal(world_count("zone"), 1);
	assert_int_equal(world.lists, 1);
	assert_int_equal(world.writes, 1);
	for (size_t i = 0; i < 5; i++)
		assert_true(is_written(i, "192.0.2.1"));
}

/* One that is not told holds the others up for a moment, however many are told meanwhile. */
static void test_nobody_waits_long_for_a_service(void **state)
{
	(void)state;
	world_set("s0", "192.0.2.1");
	world_set("s1", "192.0.2.1");
	world.services[1].delay_ms = 9000;
	start(2, 1);
	world_run(WATCH_GATHER_MS - 10);
	assert_string_equal(world_records(names[0]), "");
	world_run(20);
	assert_true(is_written(0, "192.0.2.1"));
	world_clear();
	world_run(9000); /* and that one for nobody */
	assert_true(is_written(1, "192.0.2.1"));
	assert_string_equal(world.story, "health list +192.0.2.1");
}

static void test_nobody_waits_for_one_after_the_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < 14; i++) {
		(void)snprintf(services[i], sizeof services[i], "s%zu", i);
		world_set(services[i], "192.0.2.1");
		world.services[i].delay_ms = (int64_t)i * (WATCH_GATHER_MS - 20);
	}
	start(14, 1);
	world_run(WATCH_GATHER_MAX_MS - 10);
	assert_int_equal(world.writes, 0);
	world_run(20);
	assert_true(is_written(0, "192.0.2.1"));
	assert_int_equal(world.writes, 1);
	world_run(5000);
	for (size_t i = 0; i < 14; i++)
		assert_true(is_written(i, "192.0.2.1"));
}

/* A service that Consul does not tell is nobody's to wait for: it may never be. */
static void test_a_service_that_fails_is_not_waited_for(void **state)
{
	(void)state;
	world_set("s0", "192.0.2.1");
	world_set("s1", "192.0.2.1");
	world.services[1].fails = true;
	start(2, 1);
	world_run(10);
	assert_true(is_written(0, "192.0.2.1"));
}

/* What changes while a batch of the zone has its pace goes in one. */
static void test_changes_join(void **state)
{
	(void)state;
	start_at_rest(5, 1);
	for (size_t i = 0; i < 5; i++) {
		world_set(services[i], "192.0.2.1 192.0.2.2");
		world_run(10);
		assert_int_equal(is_written(i, "192.0.2.1 192.0.2.2"), i == 0);
	}
	world_run(60);
	for (size_t i = 0; i < 5; i++)
		assert_true(is_written(i, "192.0.2.1 192.0.2.2"));
	assert_int_equal(world.writes, 2);
	assert_int_equal(world.lists, 0);
}

/* Removals whose grace is over leave together with those that follow. */
static void test_removals_join(void **state)
{
	(void)state;
	start_at_rest(4, 1);
	for (size_t i = 0; i < 4; i++)
		world_set(services[i], "192.0.2.1 192.0.2.2");
	world_run(5000);
	world_clear();
	for (size_t i = 0; i < 4; i++) {
		world_set(services[i], "192.0.2.1");
		world_run(30);
	}
	world_run(2000);
	for (size_t i = 0; i < 4; i++)
		assert_true(is_written(i, "192.0.2.1"));
	assert_in_range(world.writes, 1, 3);
}

/* All names of a zone are listed at one time, whenever each was served first. */
static void test_a_zone_is_listed_anew_at_one_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		(void)snprintf(services[i], sizeof services[i], "s%zu", i);
		world_set(services[i], "192.0.2.1");
		world.services[i].delay_ms = (int64_t)i * 1500;
	}
	start(6, 2);
	world_run(20000);
	for (size_t i = 0; i < 6; i++) {
		assert_true(is_written(i, "192.0.2.1"));
		assert_int_equal(world_watch.names[i]->resync_ms, world_watch.names[i % 2]->resync_ms);
		assert_in_range(world_watch.names[i]->resync_ms, world.now_ms + 220000, world.now_ms + 330000);
	}
	assert_int_not_equal(world_watch.names[0]->resync_ms, world_watch.names[1]->resync_ms);
	world.zones[0].lists = world.zones[1].lists = 0;
	world_run(1500000);
	assert_in_range(world.zones[0].lists, 4, 6);
	assert_in_range(world.zones[1].lists, 4, 6);
}

/* ---- apart ---- */

/* Of several zones each has a worker of its own, as far as there are some. */
static void test_zones_are_served_side_by_side(void **state)
{
	size_t n = 0;

	(void)state;
	start_at_rest(4, 4);
	for (size_t i = 0; i < 4; i++)
		world.zones[i].delay_ms = 200;
	for (size_t i = 0; i < 4; i++)
		world_set(services[i], "192.0.2.1 192.0.2.2");
	world_run(210);
	for (size_t i = 0; i < 4; i++)
		n += is_written(i, "192.0.2.1 192.0.2.2");
	assert_int_equal(n, WATCH_WORKERS);
	world_run(200);
	for (size_t i = 0; i < 4; i++)
		assert_true(is_written(i, "192.0.2.1 192.0.2.2"));
}

/* A call that takes long holds up who takes part in it, and others of the zone for a moment. */
static void test_a_call_that_is_stuck(void **state)
{
	(void)state;
	start_at_rest(2, 1);
	world.zones[0].delay_ms = 5000;
	world_set(services[0], "192.0.2.1 192.0.2.2");
	world_run(5);
	assert_true(worker_is_any_calling(&world_watch));
	world.zones[0].delay_ms = 0;
	world_run(50);
	world_set(services[1], "192.0.2.1 192.0.2.2");
	world_run(WATCH_STUCK_MS - 70);
	assert_true(is_written(1, "192.0.2.1"));
	world_run(30);
	assert_true(is_written(1, "192.0.2.1 192.0.2.2"));
	assert_true(is_written(0, "192.0.2.1"));
	world_run(5000);
	assert_true(is_written(0, "192.0.2.1 192.0.2.2"));
	assert_int_equal(world.writes, 2);
}

/* Names that come again and again keep their workers for themselves; but not while others wait for one. */
static void test_a_zone_does_not_starve(void **state)
{
	(void)state;
	prepare(13, 3);
	add_zones(4);
	(void)snprintf(names[12], NAME_CAP, "w12.%s", world.zones[3].name);
	memcpy(jobs[12].name, names[12], NAME_CAP);
	world_start_jobs(jobs, 13);
	world_run(5000);
	for (size_t i = 0; i < 3; i++) {
		world_watch.names[i]->r.zone->paced_ms[ZONE_ADD] = world.now_ms + 1000;
		world_set(services[i], "192.0.2.1 192.0.2.2");
	}
	world_run(100);
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		assert_int_equal(world_watch.workers[i].round.n, 1);
	world_set("s3", "192.0.2.1 192.0.2.2");
	world_run(10);
	assert_true(world_watch.names[3]->is_busy);
	world_set("s12", "192.0.2.1 192.0.2.2");
	world_run(10);
	assert_false(world_watch.names[12]->is_busy); /* there is no worker */
	world_set("s6", "192.0.2.1 192.0.2.2");
	world_run(10);
	world_set("s9", "192.0.2.1 192.0.2.2");
	world_run(10);
	assert_false(world_watch.names[9]->is_busy); /* who came before has seen that */
	world_run(850);
	assert_true(is_written(0, "192.0.2.1"));
	world_run(30);
	assert_true(is_written(0, "192.0.2.1 192.0.2.2"));
	assert_true(is_written(12, "192.0.2.1 192.0.2.2"));
	world_run(1000);
	assert_true(is_written(9, "192.0.2.1 192.0.2.2"));
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		assert_int_equal(world_watch.workers[i].round.n, 0);
		assert_int_equal(world_watch.workers[i].storage.room_used, 0);
		assert_false(world_watch.workers[i].is_closed);
	}
	for (size_t z = 0; z < 4; z++)
		assert_null(world_watch.zones->zones[z].user);
}

/* While nobody waits for a worker names of a zone join, though all are at work. */
static void test_all_at_work_and_nobody_waits(void **state)
{
	(void)state;
	start_at_rest(9, 3);
	for (size_t i = 0; i < 9; i++) {
		world_set(services[i], "192.0.2.1 192.0.2.2");
		world_run(i % 3 == 2 ? 15 : 0);
	}
	world_run(200);
	for (size_t i = 0; i < 9; i++)
		assert_true(is_written(i, "192.0.2.1 192.0.2.2"));
	for (size_t z = 0; z < 3; z++)
		assert_int_equal(world.zones[z].writes, 2);
}

/* Who is due and has a free worker waiting for him keeps nobody from joining others. */
static void test_another_zone_closes_nobody(void **state)
{
	(void)state;
	start_at_rest(6, 2);
	world_set(services[0], "192.0.2.1 192.0.2.2");
	world_run(10);
	world_set(services[1], "192.0.2.1 192.0.2.2");
	world_set(services[2], "192.0.2.1 192.0.2.2");
	world_run(20);
	world_set(services[4], "192.0.2.1 192.0.2.2");
	world_run(200);
	for (size_t i = 0; i < 3; i++)
		assert_true(is_written(i, "192.0.2.1 192.0.2.2"));
	assert_true(is_written(4, "192.0.2.1 192.0.2.2"));
	assert_int_equal(world.zones[0].writes, 2);
	assert_int_equal(world.zones[1].writes, 1);
}

/* Of those who wait for a worker who has waited longest. */
static void test_who_waited_longest_is_next(void **state)
{
	static const char *const lists[] = {"192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.2 192.0.2.3",
					    "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4"};

	(void)state;
	start_at_rest(5, 5);
	for (size_t z = 0; z < 5; z++)
		world.zones[z].delay_ms = 100;
	for (unsigned turn = 0; turn < COUNT(lists); turn++) {
		for (size_t i = 0; i < 5; i++)
			world_set(services[i], lists[turn]);
		world_run(80);
	}
	/* The first three have had their turn at 0 and at 100, or two of them have. */
	assert_true(is_written(3, lists[2]) || is_written(3, lists[1]));
	assert_true(is_written(4, lists[2]) || is_written(4, lists[1]));
}

/* What is being planned has its room: while that is short nobody joins. */
static void test_who_has_no_room_takes_nobody(void **state)
{
	struct worker *worker;

	(void)state;
	start_at_rest(3, 1);
	worker = &world_watch.workers[0];
	world_set(services[0], "192.0.2.1 192.0.2.2");
	world_run(10);
	world_set(services[1], "192.0.2.1 192.0.2.2");
	world_run(10);
	assert_int_equal(worker->round.n, 1); /* which waits for its pace */
	worker->storage.room_used = RECONCILE_ROOM / 2;
	world_set(services[2], "192.0.2.1 192.0.2.2");
	world_run(10);
	assert_int_equal(worker->round.n, 1);
	assert_int_equal(world_watch.workers[1].round.n, 0);
	world_run(200);
	assert_true(is_written(2, "192.0.2.1 192.0.2.2"));
	assert_int_equal(worker->storage.room_used, 0);
	assert_int_equal(world.writes, 3);
}

/* While the first of others are gathered, who was served before is served at once. */
static void test_who_was_served_is_not_gathered(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(services[i], sizeof services[i], "s%zu", i);
		world_set(services[i], "192.0.2.1");
		world.services[i].delay_ms = (int64_t)i * 2000;
	}
	start(3, 1);
	world_run(2050);
	assert_true(is_written(0, "192.0.2.1"));
	world_set("s0", "192.0.2.1 192.0.2.2");
	world_run(10);
	assert_true(is_written(0, "192.0.2.1 192.0.2.2"));
	assert_true(is_written(1, ""));
	world_run(WATCH_GATHER_MS + 100);
	assert_true(is_written(1, "192.0.2.1"));
}

/* Whose zone somebody has found meanwhile goes with him. */
static void test_a_zone_that_was_found_is_joined(void **state)
{
	(void)state;
	add_zones(1);
	world.latency_ms = 100;
	world_set("s0", "192.0.2.1");
	world_set("s1", "192.0.2.1");
	world.services[1].delay_ms = WATCH_GATHER_MS + 150; /* while the records are listed */
	start(2, 1);
	world_run(100 + WATCH_GATHER_MS + 160);
	assert_int_equal(world_count("zone"), 1);
	assert_int_equal(world.lists, 0);
	assert_true(driver_is_busy(&world_watch.workers[0].driver));
	for (size_t i = 1; i < WATCH_WORKERS; i++)
		assert_int_equal(world_watch.workers[i].round.n, 0);
	world_run(2000);
	assert_true(is_written(0, "192.0.2.1"));
	assert_true(is_written(1, "192.0.2.1"));
	assert_int_equal(world_count("zone"), 1);
}

/* That it has none, what was found for others may have told: its pass has ended, without a call. */
static void test_a_name_without_a_zone(void **state)
{
	(void)state;
	prepare(2, 1);
	(void)snprintf(jobs[1].name, NAME_CAP, "www.nowhere.example");
	world_start_jobs(jobs, 2);
	world_run(1000);
	assert_true(is_written(0, "192.0.2.1"));
	assert_int_equal(world_count("zone"), 1);
	assert_int_equal(world_watch.names[1]->state, STATUS_FAILING);
	assert_false(world_watch.names[1]->is_busy);
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		assert_int_equal(world_watch.workers[i].round.n, 0);
}

/* While the API is not to be asked Consul is: what will be written then stands on its answers. */
static void test_consul_is_asked_while_the_api_is_not(void **state)
{
	(void)state;
	start_at_rest(2, 1);
	for (size_t i = 0; i < 2; i++)
		world_set(services[i], "192.0.2.1 192.0.2.2");
	world_run(5000);
	world_clear();
	for (size_t i = 0; i < 2; i++) {
		world_set(services[i], "192.0.2.1/maintenance 192.0.2.2");
		world.services[i].delay_ms = 50;
	}
	for (int i = 0; i < 100 && world_watch.workers[0].round.n < 2; i++)
		world_run(1);
	bucket_block(&world_watch.api.bucket, world.now_ms + 1000);
	world_run(500);
	assert_int_equal(world_count("verify"), 2);
	assert_int_equal(world.writes, 0);
	world_run(600);
	assert_int_equal(world.writes, 1);
	assert_int_equal(world_count("verify"), 2);
}

/* Other times are those of the zones, too. */
static void test_a_zone_is_listed_at_other_times(void **state)
{
	(void)state;
	start_at_rest(2, 1);
	watch_set_times(&world_watch, 10000, 10000, 60000, 50);
	world_watch.names[0]->resync_ms = world.now_ms + 1000;
	world_run(1500);
	assert_int_equal(world.lists, 1);
	assert_in_range(world_watch.names[0]->resync_ms, world.now_ms, world.now_ms + 11000);
}

/* A pass that is called off while others of its round have a call under way is none of theirs. */
static void test_one_pass_is_called_off(void **state)
{
	const struct worker *worker;

	(void)state;
	start_at_rest(3, 1);
	worker = &world_watch.workers[0];
	for (size_t i = 0; i < 3; i++)
		world_set(services[i], "192.0.2.1 192.0.2.2");
	world_run(5000);
	for (size_t i = 0; i < 3; i++)
		world_set(services[i], "192.0.2.1/maintenance 192.0.2.2");
	for (size_t i = 0; i < 3; i++)
		world.services[i].delay_ms = 50;
	for (int i = 0; i < 100 && worker->round.n < 3; i++)
		world_run(1);
	assert_int_equal(worker->round.n, 3);
	assert_true(driver_is_busy(&worker->driver)); /* with the read for the first one */
	worker_cancel_name(&world_watch, world_watch.names[2], world.now_ms);
	assert_int_equal(worker->round.n, 2);
	assert_true(driver_is_busy(&worker->driver));
	assert_false(world_watch.names[2]->is_busy);
	/* Whose call it is takes all with it: it may have been about them, too. */
	worker_cancel_name(&world_watch, world_watch.names[0], world.now_ms);
	assert_int_equal(worker->round.n, 0);
	assert_false(driver_is_busy(&worker->driver));
	for (size_t i = 0; i < 3; i++)
		assert_false(world_watch.names[i]->is_busy);
	world_run(1000);
	for (size_t i = 0; i < 3; i++)
		assert_true(is_written(i, "192.0.2.2"));
	assert_null(world_watch.zones->zones[0].user);
	/* So does the last one. */
	for (size_t i = 0; i < 2; i++) {
		world.services[i].delay_ms = 0;
		world_set(services[i], "192.0.2.2 192.0.2.3");
		world_run(10);
	}
	assert_int_equal(worker->round.n, 1); /* which waits for its pace */
	worker_cancel_name(&world_watch, world_watch.names[1], world.now_ms);
	assert_int_equal(worker->round.n, 0);
	assert_null(world_watch.zones->zones[0].user);
	assert_int_equal(worker->storage.room_used, 0);
	world_run(1000);
	assert_true(is_written(1, "192.0.2.2 192.0.2.3"));
}

/* ---- room ---- */

static size_t count_written(size_t from, size_t to, const char *contents)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += is_written(i, contents);
	return n;
}

static size_t count_wanting(void)
{
	size_t n = 0;

	for (size_t i = 0; i < 6; i++)
		n += world_watch.names[i]->r.wants_room;
	return n;
}

/* s0 to s2 have an instance more, and the zone, where s3 to s5 have two records each, no room. */
static void fill_the_zone(void)
{
	start_at_rest(6, 1);
	for (size_t i = 3; i < 6; i++)
		world_set(services[i], "192.0.2.1 192.0.2.2");
	world_run(5000);
	world.zones[0].quota = 9;
	for (size_t i = 0; i < 3; i++)
		world_set(services[i], "192.0.2.1 192.0.2.2");
	world_run(5000);
	assert_int_equal(count_written(0, 3, "192.0.2.1"), 3);
	assert_int_equal(count_wanting(), 3);
	assert_true(world_watch.zones->zones[0].is_wanting);
	world_clear();
}

/* As many names as records are deleted try again, and not after their minute. */
static void test_who_waits_for_room_is_told(void **state)
{
	(void)state;
	fill_the_zone();
	world_set(services[3], "192.0.2.1 192.0.2.2/maintenance");
	world_set(services[4], "192.0.2.1 192.0.2.2/maintenance");
	world_run(1000);
	assert_int_equal(count_written(3, 6, "192.0.2.1"), 2);
	assert_int_equal(count_written(0, 3, "192.0.2.1 192.0.2.2"), 2);
	assert_int_equal(count_wanting(), 1);
	assert_int_equal(world_count("full"), 0); /* who has no room is not tried */
	assert_true(world_watch.zones->zones[0].is_wanting);
	world_set(services[5], "192.0.2.1 192.0.2.2/maintenance");
	world_run(1000);
	assert_int_equal(count_written(0, 3, "192.0.2.1 192.0.2.2"), 3);
	assert_int_equal(count_wanting(), 0);
	assert_false(world_watch.zones->zones[0].is_wanting);
	assert_int_equal(world_count("full"), 0);
}

/* Who is told is of that zone, though others wait in theirs. */
static void test_room_is_the_zones_own(void **state)
{
	(void)state;
	start_at_rest(4, 2);
	world_set(services[3], "192.0.2.1 192.0.2.2");
	world_run(5000);
	world.zones[0].quota = 2;
	world.zones[1].quota = 3;
	world_set(services[0], "192.0.2.1 192.0.2.2");
	world_set(services[1], "192.0.2.1 192.0.2.2");
	world_run(5000);
	assert_true(world_watch.names[0]->r.wants_room);
	assert_true(world_watch.names[1]->r.wants_room);
	world.zones[0].writes = 0;
	world_set(services[3], "192.0.2.1 192.0.2.2/maintenance");
	world_run(2000);
	assert_true(is_written(1, "192.0.2.1 192.0.2.2"));
	assert_true(is_written(0, "192.0.2.1"));
	assert_true(world_watch.names[0]->r.wants_room);
	assert_int_equal(world.zones[0].writes, 0);
}

/* Of another zone it is none. */
static void test_room_elsewhere_is_no_room(void **state)
{
	(void)state;
	start_at_rest(2, 2);
	world_set(services[1], "192.0.2.1 192.0.2.2");
	world_run(5000);
	world.zones[0].quota = 1;
	world_set(services[0], "192.0.2.1 192.0.2.2");
	world_run(2000);
	assert_int_equal(world_watch.names[0]->state, STATUS_FAILING);
	world.zones[0].quota = 0;
	world_set(services[1], "192.0.2.1");
	world_run(10000);
	assert_true(is_written(1, "192.0.2.1"));
	assert_true(is_written(0, "192.0.2.1"));
	assert_true(world_watch.names[0]->r.wants_room);
	/* Nor is it for ever. */
	world_run(70000);
	assert_true(is_written(0, "192.0.2.1 192.0.2.2"));
	assert_false(world_watch.names[0]->r.wants_room);
}

/* Of which root is told: of the last call's, whose connection knows of one. */
static void test_the_root_that_vouches(void **state)
{
	static const struct {
		int64_t known_sec, told_sec;
	} steps[] = {{0, 0}, {1900000000, 1900000000}, {0, 1900000000}, {2000000000, 2000000000}};

	(void)state;
	start_at_rest(1, 1);
	for (size_t i = 0; i < COUNT(steps); i++) {
		for (size_t k = 0; k < WATCH_WORKERS; k++)
			world_watch.workers[k].driver.cloudflare.session.root_end_sec = steps[i].known_sec;
		world_set(services[0], i % 2 ? "192.0.2.1" : "192.0.2.1 192.0.2.2");
		world_run(5000);
		assert_int_equal(world_watch.api.root_end_sec, steps[i].told_sec);
	}
	assert_int_equal(world.writes, COUNT(steps));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_names_share_what_they_can, world_set_up),
		cmocka_unit_test_setup(test_one_searches_for_all, world_set_up),
		cmocka_unit_test_setup(test_first_passes_are_gathered, world_set_up),
		cmocka_unit_test_setup(test_nobody_waits_long_for_a_service, world_set_up),
		cmocka_unit_test_setup(test_nobody_waits_for_one_after_the_other, world_set_up),
		cmocka_unit_test_setup(test_a_service_that_fails_is_not_waited_for, world_set_up),
		cmocka_unit_test_setup(test_changes_join, world_set_up),
		cmocka_unit_test_setup(test_removals_join, world_set_up),
		cmocka_unit_test_setup(test_a_zone_is_listed_anew_at_one_time, world_set_up),
		cmocka_unit_test_setup(test_zones_are_served_side_by_side, world_set_up),
		cmocka_unit_test_setup(test_a_call_that_is_stuck, world_set_up),
		cmocka_unit_test_setup(test_a_zone_does_not_starve, world_set_up),
		cmocka_unit_test_setup(test_all_at_work_and_nobody_waits, world_set_up),
		cmocka_unit_test_setup(test_another_zone_closes_nobody, world_set_up),
		cmocka_unit_test_setup(test_who_waited_longest_is_next, world_set_up),
		cmocka_unit_test_setup(test_who_has_no_room_takes_nobody, world_set_up),
		cmocka_unit_test_setup(test_who_was_served_is_not_gathered, world_set_up),
		cmocka_unit_test_setup(test_a_zone_that_was_found_is_joined, world_set_up),
		cmocka_unit_test_setup(test_a_name_without_a_zone, world_set_up),
		cmocka_unit_test_setup(test_consul_is_asked_while_the_api_is_not, world_set_up),
		cmocka_unit_test_setup(test_a_zone_is_listed_at_other_times, world_set_up),
		cmocka_unit_test_setup(test_one_pass_is_called_off, world_set_up),
		cmocka_unit_test_setup(test_who_waits_for_room_is_told, world_set_up),
		cmocka_unit_test_setup(test_room_is_the_zones_own, world_set_up),
		cmocka_unit_test_setup(test_room_elsewhere_is_no_room, world_set_up),
		cmocka_unit_test_setup(test_the_root_that_vouches, world_set_up),
	};

	return cmocka_run_group_tests_name("watch/worker", tests, NULL, NULL);
}
