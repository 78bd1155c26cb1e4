/* Of many services: what is read after which change, when, and what is not. */
#include "support.h"

#include "watch/many.h"

/* ---- what is told ---- */

static void test_what_is_told_is_read_alone_and_at_once(void **state)
{
	(void)state;
	many_settle(MANY);
	many_set_state(700, "critical");
	world_run(60);
	assert_false(many_is_passing(700));
	assert_int_equal(many.reads_n, 1);
	world_run(1000);
	many_set_state(700, "passing");
	world_run(60);
	assert_true(many_is_passing(700));
	world_run(1000);
	many_set_tag(5, 7);
	world_run(60);
	assert_int_equal(many.read_of[5], 1);
	assert_int_equal(many.reads_n, 3);
	world_run(60000); /* and all, for what may have come with it; and it, when of the checks as much is told */
	assert_int_equal(many.reads_n, 3 + MANY + 1);
	assert_int_equal(many.read_of[5], 3);
}

static void test_of_a_node_its_services_are_read(void **state)
{
	(void)state;
	many_settle(64);
	many_set_node(3, true);
	world_run(100);
	for (size_t i = 0; i < 64; i++)
		CHECK(many_is_passing(i) == (i % MANY_NODES != 3), "%zu", i);
	assert_true(many.reads_n < 64);
	world_run(1000); /* and all, for those without checks */
	for (size_t i = 0; i < 64; i++)
		CHECK(many.read_of[i] >= 1, "%zu", i);
}

/* Its check came with the same index: that it was. */
static void test_what_comes_with_a_check_is_no_riddle(void **state)
{
	(void)state;
	many_settle(100);
	many.of[9].address = 9;
	many.of[9].state = "warning";
	many_come(9);
	world_run(100);
	assert_int_equal(many_address_of(9), 9);
	/* and the state changes before the answer that has it */
	many.of[8].address = 8;
	many_come(8);
	many.of[8].is_unchecked = false;
	many_set_state(8, "critical");
	world_run(60000);
	assert_int_equal(many_address_of(8), 8);
	assert_true(many.reads_n <= 4 + 2 * 100); /* all, for what may have come with each */
	/* and so with one that goes */
	many_forget();
	many.of[7].is_gone = true;
	many_come(7);
	world_run(60000);
	assert_int_equal(many.watched[7]->view->count.instances_n, 0);
	assert_true(many.reads_n <= 2 + 100);
}

static void test_an_output_is_no_change(void **state)
{
	(void)state;
	many_settle(100);
	for (int i = 0; i < 50; i++) {
		many.indices[TOLD_CHECKS] = ++many.index;
		world_run(100);
	}
	assert_int_equal(many.reads_n, 0);
	assert_true(many.told_n[TOLD_CHECKS] <= 25); /* the rest grows while nothing is news */
}

/* ---- what is not told ---- */

static void test_an_address_is_found_by_the_index(void **state)
{
	(void)state;
	many_settle(MANY);
	many_set_address(900, 77);
	world_run(1000);
	assert_int_equal(many_address_of(900), 77);
	assert_int_equal(many.reads_n, MANY);
	world_run(1000);
	many_set_address(3, 78);
	world_run(1000);
	assert_int_equal(many_address_of(3), 78);
	/* also when the check's output is another with the same index */
	many_set_state(4, "critical");
	world_run(2000);
	many.of[5].address = 79;
	many.indices[TOLD_CHECKS] = many.indices[TOLD_TAGS] = ++many.index;
	world_run(1000);
	assert_int_equal(many_address_of(5), 79);
}

/* Others' services, of which nothing is told: it is looked less and less often, and still each is found. */
static void test_futile_reading_gets_rarer(void **state)
{
	(void)state;
	many_settle(50);
	for (int i = 0; i < 600; i++) {
		many.indices[TOLD_TAGS] = ++many.index;
		world_run(100);
	}
	CHECK(many.reads_n >= 50 * 10 && many.reads_n <= 50 * 20, "%u", many.reads_n);
	many_set_address(7, 9);
	world_run(5500);
	assert_int_equal(many_address_of(7), 9);
	world_run(1000);
	many_set_address(8, 9); /* there was news: at once again */
	world_run(1000);
	assert_int_equal(many_address_of(8), 9);
}

/* In a burst each query stops at another index, or both at that of the last change: what hides in it is found. */
static void test_what_hides_in_a_burst_is_found(void **state)
{
	(void)state;
	many_settle(50);
	many.indices[TOLD_CHECKS] = ++many.index;
	many.of[1].state = "warning";
	many.of[2].is_unchecked = true; /* its check goes... */
	many_set_address(3, 9);         /* ...and so it hides */
	world_run(1000);
	assert_int_equal(many_address_of(3), 9);
	world_run(60000);
	many_set_address(4, 9);
	world_run(10);
	many_come(5); /* here both stop */
	world_run(1000);
	assert_int_equal(many_address_of(4), 9);
	world_run(60000);
	many_set_tag(6, 7);
	world_run(200);
	many_set_address(7, 9);
	world_run(1200);
	assert_int_equal(many_address_of(7), 9);
}

/* Nothing at all moves, as when a node changes its address. */
static void test_what_nothing_tells_is_found_in_turns(void **state)
{
	(void)state;
	many_settle(50);
	many.of[3].address = 9;
	world_run(MANY_RESYNC_MS + 1000);
	assert_int_equal(many_address_of(3), 9);
}

/* ---- time ---- */

static void test_a_change_during_a_read_is_read_again(void **state)
{
	(void)state;
	many_settle(50);
	world.latency_ms = 100;
	many_set_state(3, "critical");
	world_run(10); /* told, and being read */
	world.latency_ms = 0;
	world_run(30);
	many_be_old(3, "critical");
	many_set_state(3, "passing");
	world_run(30); /* told again */
	assert_non_null(many.watched[3]->reader);
	world_run(1000);
	assert_true(many_is_passing(3));
}

/* While nothing is news, it is told late; and soon all are read, for the catalog has moved. */
static void settle_told_late(void)
{
	many_settle(50);
	for (int i = 0; i < 10; i++) {
		many.indices[TOLD_CHECKS] = ++many.index;
		world_run(400);
	}
	many_set_address(9, 9);
}

/* What a sweep has read is over before it is told: of the checks, all is as it was. */
static void test_a_change_that_is_over_before_it_is_told(void **state)
{
	(void)state;
	settle_told_late();
	world_run(200);
	many.indices[TOLD_CHECKS] = ++many.index;
	world_run(50);
	many_set_state(3, "critical");
	many_set_state(4, "critical");
	world_run(150);
	assert_false(many_is_passing(3));
	assert_int_equal(many.read_of[3], 1);
	many_set_state(3, "passing");
	world_run(1000);
	assert_true(many_is_passing(3));
	assert_false(many_is_passing(4));
	for (size_t i = 0; i < 50; i++) /* of the two that were ahead, once more when it was told */
		CHECK(many.read_of[i] == (i == 3 || i == 4 ? 2 : 1), "%zu: %u", i, many.read_of[i]);
}

/* It was told, but the reading shows what came after that, and then it is told as it was. */
static void test_a_reading_that_is_ahead(void **state)
{
	(void)state;
	many_settle(50);
	world.latency_ms = 10;
	many_set_state(3, "critical");
	world_run(5); /* told, and being read */
	assert_non_null(many.watched[3]->reader);
	many_set_state(3, "passing");
	world_run(10);
	assert_null(many.watched[3]->reader);
	assert_true(many_is_passing(3));
	many_set_state(3, "critical"); /* before the next is told */
	world_run(1000);
	assert_false(many_is_passing(3));
}

/* It was over and told while the reading that shows it was under way. */
static void test_a_reading_that_comes_late(void **state)
{
	(void)state;
	settle_told_late();
	world_run(295);
	world.latency_ms = 100;
	world_run(10);
	assert_non_null(many.watched[3]->reader);
	many_set_state(3, "critical");
	many_be_old(3, "critical");
	many_set_state(3, "passing");
	world_run(50);
	assert_non_null(many.watched[3]->reader);
	world.latency_ms = 0;
	world_run(60);
	assert_false(many_is_passing(3));
	world_run(200);
	assert_true(many_is_passing(3));
}

/* Their index is always ahead: that says nothing of them. */
static void test_services_that_are_not_there(void **state)
{
	(void)state;
	many_settle(50);
	for (size_t i = 10; i < 50; i++) {
		many.of[i].is_gone = true;
		many_come(i);
	}
	world_run(60000);
	many_set_tag(9, 1); /* all of them are read, with an index that no check has */
	world_run(5000);
	many_forget();
	for (int i = 0; i < 20; i++) {
		many_set_state(0, i % 2 ? "passing" : "critical");
		world_run(1000);
	}
	for (size_t i = 0; i < 50; i++)
		CHECK(many.read_of[i] == (i == 0 ? 20 : i == 9 ? 1 : 0), "%zu: %u", i, many.read_of[i]);
}

/* Who changes all the time is read at its pace, and keeps nobody waiting. */
static void test_one_that_flaps(void **state)
{
	static const char *const states[] = {"passing", "critical"};

	(void)state;
	many_settle(200);
	for (int i = 0; i < 1000; i++) {
		many_set_state(1, states[test_random_below(&world.seed, 2)]);
		if (i == 500)
			many_set_state(150, "critical");
		world_run(5);
		if (i == 600)
			assert_false(many_is_passing(150));
	}
	CHECK(many.read_of[1] >= 5 && many.read_of[1] <= 55, "%u", many.read_of[1]);
	assert_int_equal(many.read_of[150], 1);
}

static void test_the_index_goes_back(void **state)
{
	(void)state;
	many_settle(50);
	many.index = 3;
	many.indices[0] = many.indices[1] = 2;
	world_run(60000); /* until the queries have waited for long enough */
	many_set_state(3, "critical");
	world_run(1000);
	assert_false(many_is_passing(3));
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_told_is_read_alone_and_at_once, world_set_up),
		cmocka_unit_test_setup(test_of_a_node_its_services_are_read, world_set_up),
		cmocka_unit_test_setup(test_what_comes_with_a_check_is_no_riddle, world_set_up),
		cmocka_unit_test_setup(test_an_output_is_no_change, world_set_up),
		cmocka_unit_test_setup(test_an_address_is_found_by_the_index, world_set_up),
		cmocka_unit_test_setup(test_futile_reading_gets_rarer, world_set_up),
		cmocka_unit_test_setup(test_what_hides_in_a_burst_is_found, world_set_up),
		cmocka_unit_test_setup(test_what_nothing_tells_is_found_in_turns, world_set_up),
		cmocka_unit_test_setup(test_a_change_during_a_read_is_read_again, world_set_up),
		cmocka_unit_test_setup(test_a_change_that_is_over_before_it_is_told, world_set_up),
		cmocka_unit_test_setup(test_a_reading_that_is_ahead, world_set_up),
		cmocka_unit_test_setup(test_a_reading_that_comes_late, world_set_up),
		cmocka_unit_test_setup(test_services_that_are_not_there, world_set_up),
		cmocka_unit_test_setup(test_one_that_flaps, world_set_up),
		cmocka_unit_test_setup(test_the_index_goes_back, world_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
