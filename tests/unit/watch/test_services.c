/* Many services on few connections: which are followed, and how; failures. */
#include "support.h"

#include "watch/many.h"

/* ---- few and many ---- */

static void test_few_have_a_query_each(void **state)
{
	(void)state;
	many_settle(SERVICES_SINGLE_MAX);
	assert_false(world_watch.services.is_wide);
	many_set_state(3, "critical");
	world_run(200);
	assert_false(many_is_passing(3));
	assert_int_equal(many.told_n[TOLD_TAGS] + many.told_n[TOLD_CHECKS], 0);
}

static void test_one_more_and_it_is_wide(void **state)
{
	(void)state;
	many_settle(SERVICES_SINGLE_MAX);
	many.n++;
	many_add(SERVICES_SINGLE_MAX);
	world_run(1000);
	assert_true(world_watch.services.is_wide);
	assert_true(many.told_n[TOLD_TAGS] && many.told_n[TOLD_CHECKS]);
	assert_true(many.watched[SERVICES_SINGLE_MAX]->has_view);
	for (size_t i = 0; i <= SERVICES_SINGLE_MAX; i++)
		assert_true(!many.watched[i]->reader && many.watched[i]->has_view);
	many_forget();
	many_set_state(3, "critical");
	world_run(100);
	assert_false(many_is_passing(3));
	assert_int_equal(many.reads_n, 1);
}

static void test_and_single_again(void **state)
{
	(void)state;
	many_settle(40);
	services_stop(&world_watch);
	for (size_t i = 0; i < SERVICES_SINGLE_MAX; i++)
		many_add(i);
	world_run(1000);
	many_forget();
	many_set_state(SERVICES_SINGLE_MAX - 1, "critical");
	world_run(200);
	assert_false(many_is_passing(SERVICES_SINGLE_MAX - 1));
	assert_int_equal(many.told_n[TOLD_TAGS] + many.told_n[TOLD_CHECKS], 0);
}

/* All of them once, after both queries have told what it is compared with; and within a second. */
static void test_the_first_reads(void **state)
{
	(void)state;
	world.latency_ms = 5;
	many_follow(MANY);
	world_run(9);
	assert_int_equal(many.reads_n, 0);
	world_run(1000);
	for (size_t i = 0; i < MANY; i++)
		CHECK(many.read_of[i] == 1, "%zu: %u", i, many.read_of[i]);
	world_run(60000);
	assert_int_equal(many.reads_n, MANY);
}

static void test_in_turns_each_is_read_once_a_resync(void **state)
{
	(void)state;
	many_settle(200);
	world_run(3 * MANY_RESYNC_MS);
	for (size_t i = 0; i < 200; i++)
		CHECK(many.read_of[i] >= 2 && many.read_of[i] <= 4, "%zu: %u", i, many.read_of[i]);
}

/* Whenever they were read last: a wake for each would cost more than the reads. */
static void test_turns_come_many_at_a_time(void **state)
{
	(void)state;
	many_settle(200);
	for (size_t i = 0; i < 200; i += 2) {
		many_set_state(i, "warning");
		world_run(1100);
	}
	many_forget();
	world_run(MANY_RESYNC_MS);
	for (size_t i = 0; i < 200; i++)
		CHECK(many.read_of[i] >= 1 && many.read_of[i] <= 2, "%zu: %u", i, many.read_of[i]);
	CHECK(many.moments_n <= SERVICES_TURNS + 1, "%u", many.moments_n);
}

/* ---- failures ---- */

static void test_consul_is_away(void **state)
{
	unsigned before;

	(void)state;
	many_settle(100);
	world.consul_is_away = true;
	many_set_state(3, "critical");
	world_run(200);
	assert_int_equal(many.reads_n, 0);
	for (size_t i = 0; i < 100; i++)
		assert_non_null(service_watch_error(many.watched[i]));
	world_run(120000);
	before = many.reads_n;
	world.consul_is_away = false;
	for (int i = 0; i < 62 && world_watch.services.places[0].is_blind; i++)
		world_run(1000);
	world_run(1000); /* then there is no more to wait for */
	assert_true(many.reads_n > before);
	assert_false(many_is_passing(3));
	for (size_t i = 0; i < 100; i++)
		assert_null(service_watch_error(many.watched[i]));
	world_run(10000);
	many_forget();
	many_set_state(4, "critical"); /* as before */
	world_run(100);
	assert_false(many_is_passing(4));
	assert_int_equal(many.reads_n, 1);
}

/* An old or restricted Consul: nobody tells, so it is looked. */
static void test_blind_they_are_read_in_turns(void **state)
{
	static const int statuses[] = {403, 404};

	for (size_t k = 0; k < COUNT(statuses); k++) {
		for (int kind = 0; kind < TOLD_KINDS; kind++) {
			(void)world_set_up(state);
			many.told_status[kind] = 0;
			many_follow(300);
			many.told_status[kind] = statuses[k];
			world_run(10000);
			many_forget();
			many_set_state(250, "critical");
			world_run(6000);
			assert_false(many_is_passing(250));
			for (size_t i = 0; i < 300; i++)
				CHECK(many.read_of[i] && many.read_of[i] <= 2 && !service_watch_error(many.watched[i]), "%zu: %u",
				      i, many.read_of[i]);
			many.told_status[kind] = 0;
			world_run(90000);
			many_forget();
			world_run(20000);
			assert_int_equal(many.reads_n, 0);
		}
	}
}

static void test_one_service_fails_alone(void **state)
{
	(void)state;
	many_settle(50);
	many.read_status = 500;
	many_set_state(3, "critical");
	world_run(300);
	assert_non_null(service_watch_error(many.watched[3]));
	assert_null(service_watch_error(many.watched[4]));
	world_run(10000);
	CHECK(many.reads_n >= 3 && many.reads_n <= 12, "%u", many.reads_n);
	many.read_status = 0;
	world_run(20000);
	assert_null(service_watch_error(many.watched[3]));
	assert_false(many_is_passing(3));
}

/* What it heard of the place, it heard of the service, as long as that can be read. */
static void test_when_it_was_heard_last(void **state)
{
	(void)state;
	many_settle(50);
	world_run(100000);
	assert_true(world.now_ms - service_watch_heard_ms(many.watched[3]) < 60000);
	assert_true(world.now_ms - many.watched[3]->read.answered_ms > 90000);
}

/* ---- they come and go ---- */

static void keep(size_t from, size_t to)
{
	static struct managed_name names[MANY];

	memset(world_watch.names, 0, sizeof world_watch.names);
	for (size_t i = from; i < to; i++) {
		names[i] = (struct managed_name){.is_used = true, .watch = many.watched[i], .is_busy = true};
		world_watch.names[i] = &names[i];
	}
}

static void test_services_go_while_others_stay(void **state)
{
	(void)state;
	many_settle(100);
	world.latency_ms = 20;
	for (size_t i = 0; i < 100; i += 3)
		many_set_state(i, "warning");
	world_run(50); /* some are being read */
	keep(40, 100);
	services_sweep(&world_watch);
	assert_int_equal(world_watch.services.n, 60);
	world.latency_ms = 0;
	world_run(1000);
	many_forget();
	for (size_t i = 0; i < 100; i++)
		many_set_state(i, "critical");
	world_run(1000);
	for (size_t i = 0; i < 100; i++)
		CHECK(i < 40 ? !many.read_of[i] : !many_is_passing(i) && many.read_of[i] <= 2, "%zu: %u", i, many.read_of[i]);
	many_forget();
	world_run(MANY_RESYNC_MS + 1000);
	for (size_t i = 40; i < 100; i++)
		CHECK(many.read_of[i], "%zu", i);
	keep(0, 0);
	keep(40, 44);
	services_sweep(&world_watch);
	assert_false(world_watch.services.is_wide);
	world_run(1000);
	many_forget();
	many_set_state(41, "passing");
	world_run(200);
	assert_true(many_is_passing(41));
	assert_int_equal(many.told_n[TOLD_TAGS] + many.told_n[TOLD_CHECKS], 0);
	keep(0, 0);
}

static void test_one_that_comes_is_read_at_once(void **state)
{
	(void)state;
	many_settle(50);
	many.n = 51;
	many_add(50);
	world_run(50);
	assert_true(many.watched[50]->has_view);
	assert_int_equal(many.reads_n, 1);
	world_run(60000);
	many_forget();
	many_set_state(50, "critical");
	world_run(100);
	assert_false(many_is_passing(50));
	assert_int_equal(many.reads_n, 1);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_few_have_a_query_each, world_set_up),
		cmocka_unit_test_setup(test_one_more_and_it_is_wide, world_set_up),
		cmocka_unit_test_setup(test_and_single_again, world_set_up),
		cmocka_unit_test_setup(test_the_first_reads, world_set_up),
		cmocka_unit_test_setup(test_in_turns_each_is_read_once_a_resync, world_set_up),
		cmocka_unit_test_setup(test_turns_come_many_at_a_time, world_set_up),
		cmocka_unit_test_setup(test_consul_is_away, world_set_up),
		cmocka_unit_test_setup(test_blind_they_are_read_in_turns, world_set_up),
		cmocka_unit_test_setup(test_one_service_fails_alone, world_set_up),
		cmocka_unit_test_setup(test_when_it_was_heard_last, world_set_up),
		cmocka_unit_test_setup(test_services_go_while_others_stay, world_set_up),
		cmocka_unit_test_setup(test_one_that_comes_is_read_at_once, world_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
