/*
 * engine/round where the zone has little room, where one record keeps a whole batch from being
 * answered, and where others have written meanwhile: what it costs, and that all others are right.
 */
#include "engine/town.h"
#include "support.h"

#include "base/clock.h"

static void want_all(size_t n)
{
	town_init(n);
	for (size_t i = 0; i < n; i++)
		town_want(i);
}

/* The one record that each has is another one. */
static void replace_all(size_t n)
{
	want_all(n);
	for (size_t i = 0; i < n; i++)
		town_add_record(i, "192.0.2.9");
}

static void begin_sync_all(void)
{
	for (size_t i = 0; i < town.names_n; i++)
		town_begin_sync(i, town.now_ms);
}

static bool has_failed(size_t i)
{
	return town_names[i].r.out.result == RECONCILE_FAILED;
}

/* All that failed, when the last of them is due again. */
static void run_failed(void)
{
	for (size_t i = 0; i < town.names_n; i++)
		if (has_failed(i) && town_names[i].r.out.wake_ms > town.now_ms)
			town.now_ms = town_names[i].r.out.wake_ms;
	for (size_t i = 0; i < town.names_n; i++)
		if (has_failed(i))
			town_begin(i, false);
	town_run();
}

static bool is_not_tried(size_t i)
{
	return strncmp(town_names[i].seldom.err.text, "not tried, as another name failed: ", 35) == 0;
}

static size_t count_not_tried(void)
{
	size_t n = 0;

	for (size_t i = 0; i < town.names_n; i++)
		n += has_failed(i) && is_not_tried(i);
	return n;
}

static struct zone *zone(void)
{
	return &town.zones.zones[0];
}

/* ---- a zone near its quota ---- */

static void test_records_are_replaced_where_there_is_little_room(void **state)
{
	static const struct {
		size_t quota;
		unsigned writes_max;
	} cases[] = {{41, 170}, {45, 40}, {60, 6}, {79, 6}, {80, 2}, {0, 2}};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		replace_all(40);
		town.api[0].quota = cases[c].quota;
		begin_sync_all();
		town_run();
		CHECK(town_count_right() == 40, "quota %zu: %zu right: %s", cases[c].quota, town_count_right(), town.story);
		CHECK(town.writes <= cases[c].writes_max, "quota %zu: %u writes: %s", cases[c].quota, town.writes, town.story);
		assert_int_equal(town.lists, 1);
		assert_false(zone()->is_full);
	}
}

/* What is to be deleted goes before what is to be added, but only while there is no room. */
static void test_room_is_made_first(void **state)
{
	(void)state;
	want_all(12);
	for (size_t i = 6; i < 12; i++) {
		town_have(i);
		town_add_record(i, "192.0.2.9");
	}
	town.api[0].quota = 14;
	begin_sync_all();
	town_run();
	CHECK(strstr(town.story, "W+6/6! W-6/6 W+6/6"), "%s", town.story);
	assert_int_equal(town_count_right(), 12);
	assert_false(zone()->is_full);
	want_all(12);
	for (size_t i = 6; i < 12; i++) {
		town_have(i);
		town_add_record(i, "192.0.2.9");
	}
	begin_sync_all();
	town_run();
	CHECK(strstr(town.story, "W+6/6 W-6/6"), "%s", town.story);
}

/* One is told that there is no room, the others are not asked about: they wait for it. */
static void test_nothing_makes_room(void **state)
{
	(void)state;
	want_all(10);
	town.api[0].quota = 3;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L10 W+10/10! W+5/5! W+3/3 W+6/6! W+3/3! W+2/2! W+1/1! S+1/1!");
	assert_int_equal(town_count_right(), 3);
	assert_int_equal(count_not_tried(), 6);
	assert_true(zone()->is_full);
	assert_true(zone()->is_wanting);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(has_failed(i), !town_is_right(i));
		assert_int_equal(town_names[i].r.wants_room, has_failed(i));
	}
	/* Somebody else has made room: what is refused then is no want of it, and nobody else's. */
	town.api[0].quota = 0;
	town_names[4].is_bad = true;
	run_failed();
	assert_int_equal(town_count_right(), 9);
	/* Who has it wants no more. */
	town_names[4].is_bad = false;
	run_failed();
	assert_int_equal(town_count_right(), 10);
	for (size_t i = 0; i < 10; i++)
		assert_false(town_names[i].r.wants_room);
}

/* Another refusal is no want of room. */
static void test_who_is_refused_wants_no_room(void **state)
{
	(void)state;
	want_all(2);
	town_names[1].is_bad = true;
	town_begin_all(false);
	town_run();
	assert_true(has_failed(1));
	assert_false(town_names[1].r.wants_room);
	assert_false(zone()->is_wanting);
}

/* ---- writes that are lost ---- */

/* Try by try the batches have half as many names; who is not beside that record is right. */
static void test_a_record_at_which_the_api_fails(void **state)
{
	static const size_t at[] = {0, 31, 62};

	(void)state;
	for (size_t c = 0; c < COUNT(at); c++) {
		size_t max = 32;

		want_all(64);
		town_names[at[c]].is_poison = true;
		town_begin_all(false);
		town_run();
		assert_int_equal(zone()->batch_max, max);
		for (unsigned tries = 1; max > 1; tries++) {
			run_failed();
			max /= 2;
			CHECK(zone()->batch_max == max, "%zu: try %u: %zu: %s", at[c], tries, zone()->batch_max, town.story);
			assert_int_equal(town_count_right(), 64 - 2 * max);
		}
		run_failed();
		assert_int_equal(town_count_right(), 63);
		assert_true(has_failed(at[c]));
		assert_int_equal(town_names[at[c]].seldom.err.kind, ERR_RETRY);
		/* Alone it is nobody's measure. */
		town_clear_story();
		run_failed();
		assert_string_equal(town.story, "l1 W+1/1!");
		assert_true(has_failed(at[c]));
		town_names[at[c]].is_poison = false;
		run_failed();
		assert_int_equal(town_count_right(), 64);
		assert_int_equal(zone()->batch_max, 4); /* it was 1, and there were two rounds without a loss */
	}
}

/* What is taken lets them grow: 16 names at most, then 32, and so on. */
static void test_batches_grow_when_none_are_lost(void **state)
{
	(void)state;
	want_all(300);
	zone_table_get(&town.zones, town.api[0].id)->batch_max = 16;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L300 W+16/16 W+32/32 W+64/64 W+128/128 W+60/60");
	assert_int_equal(zone()->batch_max, 0);
}

static enum err_kind lost_kind;
static enum cf_meaning lost_meaning;

static enum town_fault lose_writes(const struct call *c, struct err *e)
{
	if (c->kind != CALL_WRITE)
		return TOWN_FINE;
	c->write->reply = (struct cf_reply){.status = 400, .meaning = lost_meaning};
	(void)err_set(e, lost_kind, "lost");
	return TOWN_LOST_BEFORE;
}

static void lose(enum err_kind kind, enum cf_meaning meaning)
{
	lost_kind = kind;
	lost_meaning = meaning;
	town.fault = lose_writes;
	memset(town.latency_ms, 0, sizeof town.latency_ms);
}

/* Additions, removals, and one more write for another zone: not one for each name. */
static void test_an_outage(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		want_all(1000);
		for (size_t i = 0; i < 1000; i++) {
			if (c == 1) {
				town_have(i);
				town_add_record(i, "192.0.2.9");
			} else if (c == 2 && i >= 500) {
				(void)snprintf(town_names[i].job.name, NAME_CAP, "w%zu.example.net", i);
			}
		}
		lose(ERR_RETRY, CF_DONE);
		town_begin_all(false);
		town_run();
		CHECK(town.writes == ROUND_LOST_MAX + (c == 2), "case %u: %u writes", c, town.writes);
		for (size_t i = 0; i < 1000; i++) {
			assert_true(has_failed(i));
			assert_int_equal(town_names[i].seldom.err.kind, ERR_RETRY);
		}
		assert_true(is_not_tried(999));
		assert_false(is_not_tried(0));
		town.fault = NULL;
		run_failed();
		assert_int_equal(town_count_right(), 1000);
	}
}

static enum town_fault lose_ten_writes(const struct call *c, struct err *e)
{
	return town.writes <= 10 ? lose_writes(c, e) : TOWN_FINE;
}

/* What became small while all was lost is soon as large as before, in one run, too. */
static void test_sync_after_an_outage(void **state)
{
	(void)state;
	want_all(250);
	lose(ERR_RETRY, CF_DONE);
	town.fault = lose_ten_writes;
	for (size_t i = 0; i < 250; i++)
		town_begin_sync(i, town.now_ms + 600000);
	town_run();
	assert_int_equal(town_count_right(), 250);
	CHECK(town.writes <= 10 + 8, "%u writes: %s", town.writes, town.story);
}

/* What is written in between shows that not all is lost. */
static void test_losses_that_are_not_in_a_row(void **state)
{
	(void)state;
	want_all(40);
	zone_table_get(&town.zones, town.api[0].id)->batch_max = 1;
	for (size_t i = 0; i < 40; i += 2)
		town_names[i].is_poison = true;
	town_begin_all(false);
	town_run();
	assert_int_equal(count_not_tried(), 0);
	CHECK(town_count_right() >= 19, "%zu right: %s", town_count_right(), town.story);
}

/* What is for other reasons is not for what is written. */
static void test_other_failures_do_not_halve(void **state)
{
	(void)state;
	want_all(40);
	lose(ERR_AUTH, CF_AUTH);
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L40 W+40/40!");
	assert_int_equal(zone()->batch_max, 0);
	want_all(40);
	lose(ERR_BUSY, CF_BUSY);
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L40 W+40/40!");
	assert_int_equal(zone()->batch_max, 0);
	want_all(40);
	lose(ERR_RETRY, CF_DONE);
	town_begin_all(false);
	town_run();
	assert_int_equal(zone()->batch_max, 20);
}

/* ---- others write the same ---- */

static enum town_fault be_overtaken(const struct call *c, struct err *e)
{
	(void)e;
	if (c->kind != CALL_WRITE || town.writes > 1)
		return TOWN_FINE;
	for (size_t i = 0; i < town.names_n; i++)
		town_have(i);
	return TOWN_FINE;
}

static enum town_fault be_overtaken_in_removing(const struct call *c, struct err *e)
{
	(void)e;
	if (c->kind != CALL_WRITE || town.writes > 1)
		return TOWN_FINE;
	for (size_t i = 0; i < town.records_n;)
		if (strcmp(town.records[i].content, "192.0.2.9") == 0)
			town.records[i] = town.records[--town.records_n];
		else
			i++;
	return TOWN_FINE;
}

/* One listing tells it of all: they are right without another write. */
static void test_others_were_faster(void **state)
{
	(void)state;
	want_all(40);
	town.fault = be_overtaken;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L40 W+40/40! L40");
	assert_int_equal(town_count_right(), 40);
	want_all(40);
	for (size_t i = 0; i < 40; i++) {
		town_have(i);
		town_add_record(i, "192.0.2.9");
	}
	town.fault = be_overtaken_in_removing;
	town_begin_all(false);
	town_run();
	CHECK(strstr(town.story, " W-40/40! L40"), "%s", town.story);
	assert_int_equal(town.writes, 1);
	assert_int_equal(town.lists, 2);
	assert_int_equal(town_count_right(), 40);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(town_names[i].r.out.result, RECONCILE_DONE);
}

/* When that was no help it is found out whose it is, and the round comes to its end. */
static void test_what_is_there_is_never_listed(void **state)
{
	(void)state;
	want_all(40);
	lose(ERR_REFUSED, CF_EXISTS);
	town_begin_all(false);
	town_run();
	CHECK(strncmp(town.story, "Z L40 W+40/40! L40 W+40/40! W+20/20! W+10/10!", 45) == 0, "%s", town.story);
	CHECK(town.lists <= 2 + APPLY_ROUNDS_MAX, "%u lists", town.lists);
	CHECK(town.writes <= 160, "%u writes", town.writes);
	for (size_t i = 0; i < 40; i++)
		assert_true(has_failed(i));
}

static enum town_fault be_overtaken_twice(const struct call *c, struct err *e)
{
	if (c->kind != CALL_WRITE || (town.writes != 1 && town.writes != 3))
		return TOWN_FINE;
	return lose_writes(c, e);
}

/* After a write that was taken one listing is worth its call again. */
static void test_it_is_listed_again_after_a_success(void **state)
{
	(void)state;
	want_all(300);
	lose(ERR_REFUSED, CF_EXISTS);
	town.fault = be_overtaken_twice;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L300 W+200/200! L200 W+200/200 W+100/100! L100 W+100/100");
	assert_int_equal(town_count_right(), 300);
}

/* ---- who is refused ---- */

/* It goes on by itself, by a call and without a listing. */
static void test_who_was_isolated_is_not_listed(void **state)
{
	(void)state;
	want_all(8);
	town_names[5].is_bad = true;
	begin_sync_all();
	town_run();
	CHECK(strstr(town.story, "W+1/1!") && strstr(town.story, " S+1/1!"), "%s", town.story);
	assert_int_equal(town.lists, 1);
	assert_int_equal(town_count_right(), 7);
}

/* Each one found makes the batches smaller in which the next one is looked for. */
static void test_batches_are_smaller_where_many_are_bad(void **state)
{
	static const size_t sizes[] = {100, 50, 25, 12, 6, 6, 6};
	size_t seen_n = 0;

	(void)state;
	want_all(250);
	for (size_t i = 0; i < 250; i++)
		town_names[i].is_bad = true;
	town_begin_all(false);
	while (seen_n < COUNT(sizes)) {
		assert_true(town_step());
		if (town.round.isolated_n == seen_n)
			continue;
		assert_int_equal(town.round.isolated_n, ++seen_n);
		assert_int_equal(town.round.parts_max, sizes[seen_n - 1]);
	}
	town_run();
	/* So many have their own refusal, and no other is tried. */
	assert_int_equal(count_not_tried(), 250 - ROUND_REFUSED_MAX);
	assert_int_equal(town.lists, 1);
	CHECK(town.writes <= ROUND_REFUSED_MAX * 6, "%u writes", town.writes);
}

static void test_a_tenth_is_bad(void **state)
{
	(void)state;
	for (int sync = 0; sync < 2; sync++) {
		want_all(250);
		for (size_t i = 0; i < 250; i++)
			town_names[i].is_bad = i % 10 == 3;
		if (sync)
			begin_sync_all();
		else
			town_begin_all(false);
		town_run();
		assert_int_equal(town_count_right(), 225);
		assert_int_equal(count_not_tried(), 0);
		CHECK(town.writes <= 250, "%u writes", town.writes);
		assert_int_equal(town.lists, 1);
	}
}

/* Many that were taken in between show that it is each one's own reason. */
static void test_refusals_that_are_not_in_a_row(void **state)
{
	(void)state;
	want_all(1000);
	for (size_t i = 0; i < 1000; i++)
		town_names[i].is_bad = i % 20 == 3; /* more than ROUND_REFUSED_MAX */
	begin_sync_all();
	town_run();
	assert_int_equal(town_count_right(), 950);
	assert_int_equal(count_not_tried(), 0);
}

/* ---- a zone that was made anew ---- */

static char old_id[RECORD_ID_CAP];

static enum town_fault hide_the_old_zone(const struct call *c, struct err *e)
{
	if (c->kind != CALL_LIST || strcmp(c->list->zone_id, old_id) != 0)
		return TOWN_FINE;
	c->list->reply = (struct cf_reply){.status = 403, .meaning = CF_AUTH};
	(void)err_set(e, ERR_AUTH, "HTTP 403");
	return TOWN_LOST_BEFORE;
}

/* Its old id may not be asked about: the second time it is searched again, not the first. */
static void test_a_zone_has_another_id(void **state)
{
	(void)state;
	want_all(5);
	town_begin_all(false);
	town_run();
	memcpy(old_id, town.api[0].id, RECORD_ID_CAP);
	(void)snprintf(town.api[0].id, RECORD_ID_CAP, "%032x", 77);
	town.records_n = 0;
	town.fault = hide_the_old_zone;
	town_clear_story();
	town_begin_all(true);
	town_run();
	run_failed();
	assert_string_equal(town.story, "L5! L5!");
	run_failed();
	assert_string_equal(town.story, "L5! L5! Z L5 W+5/5");
	assert_int_equal(town_count_right(), 5);
}

/* An id that was configured is not searched for, and makes nobody else search. */
static void test_a_configured_zone_is_hidden(void **state)
{
	(void)state;
	want_all(3);
	memset(old_id, 'f', RECORD_ID_CAP - 1);
	memcpy(town_names[0].job.zone_id, old_id, RECORD_ID_CAP);
	town.fault = hide_the_old_zone;
	town_begin(0, false);
	town_begin(1, false);
	town_run();
	assert_int_equal(town.searches, 1);
	for (unsigned tries = 0; tries < 3; tries++) {
		town.now_ms = town_names[0].r.out.wake_ms;
		town_begin(0, false);
		town_run();
	}
	town_begin(2, false);
	town_run();
	assert_int_equal(town.searches, 1);
	assert_true(has_failed(0));
	assert_true(town_is_right(1));
	assert_true(town_is_right(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_records_are_replaced_where_there_is_little_room, town_set_up),
		cmocka_unit_test_setup(test_room_is_made_first, town_set_up),
		cmocka_unit_test_setup(test_nothing_makes_room, town_set_up),
		cmocka_unit_test_setup(test_who_is_refused_wants_no_room, town_set_up),
		cmocka_unit_test_setup(test_a_record_at_which_the_api_fails, town_set_up),
		cmocka_unit_test_setup(test_batches_grow_when_none_are_lost, town_set_up),
		cmocka_unit_test_setup(test_an_outage, town_set_up),
		cmocka_unit_test_setup(test_sync_after_an_outage, town_set_up),
		cmocka_unit_test_setup(test_losses_that_are_not_in_a_row, town_set_up),
		cmocka_unit_test_setup(test_other_failures_do_not_halve, town_set_up),
		cmocka_unit_test_setup(test_others_were_faster, town_set_up),
		cmocka_unit_test_setup(test_what_is_there_is_never_listed, town_set_up),
		cmocka_unit_test_setup(test_it_is_listed_again_after_a_success, town_set_up),
		cmocka_unit_test_setup(test_who_was_isolated_is_not_listed, town_set_up),
		cmocka_unit_test_setup(test_batches_are_smaller_where_many_are_bad, town_set_up),
		cmocka_unit_test_setup(test_a_tenth_is_bad, town_set_up),
		cmocka_unit_test_setup(test_refusals_that_are_not_in_a_row, town_set_up),
		cmocka_unit_test_setup(test_a_zone_has_another_id, town_set_up),
		cmocka_unit_test_setup(test_a_configured_zone_is_hidden, town_set_up),
	};

	return cmocka_run_group_tests_name("engine/round, room", tests, NULL, NULL);
}
