/* engine/round and the zones of its names: who is searched, asked again, doubted. */
#include "engine/town.h"
#include "support.h"

static void move(size_t i, size_t zone)
{
	(void)snprintf(town_names[i].job.name, NAME_CAP, "n%03zu.%s", i, town.api[zone].name);
}

static void test_several_zones(void **state)
{
	(void)state;
	town_init(90);
	town_want_all();
	for (size_t i = 0; i < 90; i++)
		move(i, i % 3);
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L30 L30 L30 W+30/30 W+30/30 W+30/30");
	town_check_all_done();
	assert_int_equal(town.zones.n, 3);
	town_clear_story();
	town_begin_all(true);
	town_run();
	assert_string_equal(town.story, "L30 L30 L30");
}

/* Names of which one has its zone by id and others by search. */
static void test_a_zone_by_id_is_the_same_zone(void **state)
{
	(void)state;
	town_init(4);
	town_want_all();
	town_have_all();
	memcpy(town_names[2].job.zone_id, town.api[0].id, RECORD_ID_CAP);
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L4");
	town_check_all_done();
}

/* Where the account has more zones than were shown, a longer one may hold a name: it is asked for. */
static void test_zones_that_were_not_shown(void **state)
{
	(void)state;
	town_init(3);
	town_want_all();
	town.unseen_zones_n = 2450;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z Z Z L3 W+3/3");
	town_check_all_done();
	/* A few pages are read whole for many names: that is fewer calls. */
	for (size_t n = 1; n < 3; n++) {
		town_init(n);
		town_want_all();
		town.unseen_zones_n = 100;
		town_begin_all(false);
		town_run();
		assert_int_equal(town.searches, 1);
		assert_int_equal(town.zones.book.is_whole, n > 1);
		town_check_all_done();
	}
	/* Whose zone is named is told by what others were shown. */
	town_init(3);
	town_want_all();
	town.unseen_zones_n = 2450;
	for (size_t i = 0; i < 3; i++)
		(void)snprintf(town_names[i].job.zone, NAME_CAP, "example.com");
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L3 W+3/3");
	town_check_all_done();
}

/* Of no zone: told by a fresh book without a call, and asked anew when the book is old. */
static void test_a_name_without_a_zone(void **state)
{
	(void)state;
	town_init(5);
	town_want_all();
	for (size_t i = 3; i < 5; i++)
		(void)snprintf(town_names[i].job.name, NAME_CAP, "n%03zu.example.edu", i);
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L3 W+3/3");
	for (size_t i = 3; i < 5; i++) {
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
		assert_int_equal(town_names[i].seldom.err.kind, ERR_CONFIG);
		assert_non_null(strstr(town_names[i].seldom.err.text, town_names[i].job.name));
		assert_true(town_names[i].r.out.wake_ms > town.now_ms);
	}
	town_clear_story();
	town.now_ms = town.zones.book_ms + ROUND_BOOK_MS;
	town_begin(3, false);
	town_run();
	assert_string_equal(town.story, ""); /* that was a moment ago */
	assert_int_equal(town_names[3].ends_n, 2);
	town.now_ms = town.zones.book_ms + ROUND_BOOK_MS + 1;
	town_begin(3, false);
	town_begin(4, false);
	town_run();
	assert_string_equal(town.story, "Z!"); /* one search for both */
	town_clear_story();
	town.now_ms += ROUND_BOOK_MS + 1000;
	town.api[1].name = "example.edu";
	town_begin(3, false);
	town_begin(4, false);
	town_run();
	town.api[1].name = "example.net";
	assert_string_equal(town.story, "Z L2 W+2/2");
	assert_int_equal(town_names[3].r.out.result, RECONCILE_DONE);
}

/* What is wrong with one name's zone is nobody else's failure; what is lost is of one zone's names. */
static enum town_fault lose_first_check(const struct call *c, struct err *e)
{
	if (c->kind != CALL_ZONE || !c->zones->is_check || town.searches > 1)
		return TOWN_FINE;
	(void)err_set(e, ERR_RETRY, "lost");
	return TOWN_LOST_BEFORE;
}

static void test_a_zone_that_fails_is_one(void **state)
{
	(void)state;
	town_init(3);
	town_want_all();
	town.unseen_zones_n = 2450;
	(void)snprintf(town_names[0].job.name, NAME_CAP, "www.example.edu");
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z! Z Z L2 W+2/2");
	assert_int_equal(town_names[0].r.out.result, RECONCILE_FAILED);
	assert_int_equal(town_count_right(), 2);
	town_init(2);
	move(1, 1);
	for (size_t i = 0; i < 2; i++)
		memcpy(town_names[i].job.zone_id, town.api[i].id, RECORD_ID_CAP);
	town_begin_all(false);
	town_run(); /* both are empty, and nothing is wanted */
	town_clear_story();
	town_want_all();
	town.fault = lose_first_check;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "C! C W+1/1");
	assert_int_equal(town_names[0].r.out.result, RECONCILE_FAILED);
	assert_int_equal(town_names[1].r.out.result, RECONCILE_DONE);
}

/* The zone was made anew under another id: it is looked up again, once for all. */
static void test_a_zone_that_is_gone(void **state)
{
	(void)state;
	town_init(40);
	town_want_all();
	for (size_t i = 20; i < 40; i++)
		move(i, 1);
	town_begin_all(false);
	town_run();
	town_check_all_done();
	for (size_t i = 0; i < town.records_n; i++)
		assert_int_equal(town.records[i].zone, i >= 20);
	(void)snprintf(town.api[0].id, RECORD_ID_CAP, "%032x", 0xabc);
	town.api[3].name = "gone.example"; /* whose id it is that nobody has */
	(void)snprintf(town.api[3].id, RECORD_ID_CAP, "%032x", 1);
	town_clear_story();
	town_begin_all(true);
	town_run();
	assert_string_equal(town.story, "L20! L20");
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(town_names[i].r.out.result, i < 20 ? RECONCILE_FAILED : RECONCILE_DONE);
	town_clear_story();
	town.now_ms = town_names[0].r.out.wake_ms;
	for (size_t i = 0; i < 20; i++)
		town_begin(i, false);
	town_run();
	assert_string_equal(town.story, "Z L20");
	town_check_all_done();
}

/* By the id a name was put into another zone: its strays are removed, and it alone fails. */
static void test_strays(void **state)
{
	(void)state;
	town_init(3);
	town_want_all();
	town_have_all();
	memcpy(town_names[1].job.zone_id, town.api[0].id, RECORD_ID_CAP);
	town.records_n = 0;
	town_begin(1, false);
	town.zones.zones[0].is_checked = true; /* and was not told its name */
	town.goes_astray = true;
	town_run();
	assert_string_equal(town.story, "l1 W+1/1! W-1/1");
	assert_int_equal(town.strays_n, 0);
	assert_int_equal(town_names[1].r.out.result, RECONCILE_FAILED);
	assert_int_equal(town_names[1].seldom.err.kind, ERR_CONFIG);
}

/* Who doubts that its zone is the right one writes by itself. */
static void test_who_doubts_its_zone_writes_alone(void **state)
{
	(void)state;
	town_init(3);
	town_want_all();
	for (size_t i = 0; i < 3; i++)
		memcpy(town_names[i].job.zone_id, town.api[0].id, RECORD_ID_CAP);
	town_begin(0, false);
	town.zones.zones[0].is_checked = true; /* and was not told its name */
	town_begin(1, false);
	town_begin(2, false);
	town_run();
	assert_string_equal(town.story, "L3 W+1/1 W+1/1 W+1/1");
	town_check_all_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_several_zones, town_set_up),
		cmocka_unit_test_setup(test_a_zone_by_id_is_the_same_zone, town_set_up),
		cmocka_unit_test_setup(test_zones_that_were_not_shown, town_set_up),
		cmocka_unit_test_setup(test_a_name_without_a_zone, town_set_up),
		cmocka_unit_test_setup(test_a_zone_that_fails_is_one, town_set_up),
		cmocka_unit_test_setup(test_a_zone_that_is_gone, town_set_up),
		cmocka_unit_test_setup(test_strays, town_set_up),
		cmocka_unit_test_setup(test_who_doubts_its_zone_writes_alone, town_set_up),
	};

	return cmocka_run_group_tests_name("engine/round, zones", tests, NULL, NULL);
}
