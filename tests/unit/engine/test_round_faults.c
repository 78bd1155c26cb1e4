/*
 * engine/round when not all goes well: what is refused stands alone in the end and holds nobody up,
 * a slow side costs only its own time.
 */
#include "engine/town.h"
#include "support.h"

#include "base/clock.h"

static void surplus_all(void)
{
	town_want_all();
	town_have_all();
	for (size_t i = 0; i < town.names_n; i++)
		town_add_record(i, "192.0.2.9");
}

/* ---- a batch that is refused ---- */

/* Writes that splitting costs at most, for each bad name: 200 to 1 halved, and back. */
#define SPLIT_WRITES 20

static void test_a_bad_record_stands_alone(void **state)
{
	static const struct {
		const char *what;
		size_t bad[3];
		size_t bad_n;
		unsigned writes_max;
	} cases[] = {
		{"none", {0}, 0, 1},
		{"the first", {0}, 1, SPLIT_WRITES},
		{"in the middle", {100}, 1, SPLIT_WRITES},
		{"the last", {199}, 1, SPLIT_WRITES},
		{"two apart", {3, 196}, 2, 2 * SPLIT_WRITES},
		{"two together", {50, 51}, 2, 2 * SPLIT_WRITES},
		{"three", {0, 100, 199}, 3, 3 * SPLIT_WRITES},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		town_init(200);
		town_want_all();
		for (size_t k = 0; k < cases[c].bad_n; k++)
			town_names[cases[c].bad[k]].is_bad = true;
		town_begin_all(false);
		town_run();
		CHECK(town_count_right() == 200 - cases[c].bad_n, "%s: %zu right: %s", cases[c].what, town_count_right(),
		      town.story);
		CHECK(town.writes <= cases[c].writes_max, "%s: %u writes: %s", cases[c].what, town.writes, town.story);
		CHECK(town.lists <= 1 + cases[c].bad_n, "%s: %s", cases[c].what, town.story);
		for (size_t i = 0; i < 200; i++) {
			const struct town_name *name = &town_names[i];

			assert_int_equal(name->r.out.result, name->is_bad ? RECONCILE_FAILED : RECONCILE_DONE);
			assert_int_equal(name->r.is_suspect, name->is_bad);
			if (!name->is_bad)
				continue;
			assert_int_equal(name->seldom.err.kind, ERR_REFUSED);
			assert_true(name->r.out.wake_ms > town.now_ms);
		}
		assert_int_equal(town.round.parts_max, 0); /* nothing is remembered of it when all have ended */
	}
}

/* Halved, doubled again after what is taken. */
static void test_batches_grow_again(void **state)
{
	(void)state;
	town_init(16);
	town_want_all();
	town_names[2].is_bad = true;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L16 W+16/16! W+8/8! W+4/4! W+2/2 W+4/4! W+2/2! W+1/1! W+13/13 S+1/1!");
	assert_int_equal(town_count_right(), 15);
}

static void test_all_are_bad(void **state)
{
	(void)state;
	town_init(64);
	town_want_all();
	for (size_t i = 0; i < 64; i++)
		town_names[i].is_bad = true;
	town_begin_all(false);
	town_run();
	assert_int_equal(town.records_n, 0);
	CHECK(town.writes <= 6 + 3 * 64, "%u writes", town.writes);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
}

/*
 * So many are refused one after the other that it may be for no reason of theirs: the rest is not
 * tried, and comes again later. Those that are good are right then; what removes goes on.
 */
static void test_many_are_refused(void **state)
{
	(void)state;
	town_init(200);
	town_want_all();
	town_have(199);
	town_add_record(199, "192.0.2.9");
	for (size_t i = 0; i < 40; i++)
		town_names[i].is_bad = true;
	town_begin_all(false);
	town_run();
	assert_true(town_is_right(199));
	assert_true(town.refused_n <= ROUND_REFUSED_MAX * 12);
	assert_int_equal(town_names[150].seldom.err.kind, ERR_REFUSED);
	CHECK(strncmp(town_names[150].seldom.err.text, "not tried, as another name failed: ", 35) == 0, "%s",
	      town_names[150].seldom.err.text);
	for (unsigned pass = 0; town_count_right() < 160; pass++) {
		assert_true(pass < 3);
		for (size_t i = 0; i < 200; i++)
			if (town_names[i].r.out.wake_ms != CLOCK_NEVER && town_names[i].r.out.wake_ms > town.now_ms)
				town.now_ms = town_names[i].r.out.wake_ms;
		for (size_t i = 0; i < 200; i++)
			if (town_names[i].r.out.result == RECONCILE_FAILED)
				town_begin(i, false);
		town_run();
	}
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(town_names[i].r.out.result == RECONCILE_FAILED, i < 40);
}

static void init_refused(size_t n)
{
	town_init(n);
	town_want_all();
	memset(town.latency_ms, 0, sizeof town.latency_ms);
}

static bool is_not_tried(size_t i)
{
	return strncmp(town_names[i].seldom.err.text, "not tried", 9) == 0;
}

/* Not when many others were taken in between; but a few are no proof. Of each zone for itself. */
static void test_what_many_refusals_are(void **state)
{
	(void)state;
	init_refused(120);
	for (size_t i = 0; i < 120; i++)
		town_names[i].is_bad = i < 3 || i >= 117;
	town_begin_all(false);
	town_run();
	assert_int_equal(town_count_right(), 114);
	for (size_t i = 0; i < 120; i++)
		CHECK(!is_not_tried(i), "%zu: %s", i, town.story);
	CHECK(strstr(town.story, "S+1/1! S+1/1! S+1/1! S+1/1! S+1/1! S+1/1!"), "%s", town.story);
	init_refused(200);
	for (size_t i = 0; i < 200; i += 2)
		town_names[i].is_bad = true;
	town_begin_all(false);
	town_run();
	assert_true(is_not_tried(199));
	init_refused(80);
	for (size_t i = 0; i < 80; i++) {
		town_names[i].is_bad = true;
		if (i >= 40)
			(void)snprintf(town_names[i].job.name, NAME_CAP, "w%zu.example.net", i);
	}
	town_begin_all(false);
	town_run();
	assert_false(is_not_tried(0));
	assert_true(is_not_tried(39));
	assert_false(is_not_tried(40));
	assert_true(is_not_tried(79));
}

/* There is no room in the zone for any more: the first answer tells that of all its names. */
static enum town_fault have_no_room(const struct call *c, struct err *e)
{
	if (c->kind != CALL_WRITE || c->write->parts->ops[0]->kind != OP_CREATE || strcmp(c->write->zone_id, town.api[0].id) != 0)
		return TOWN_FINE;
	c->write->reply = (struct cf_reply){.status = 400, .meaning = CF_QUOTA};
	(void)err_set(e, ERR_REFUSED, "quota");
	return TOWN_LOST_BEFORE;
}

static void test_a_zone_is_full(void **state)
{
	(void)state;
	town_init(70);
	town_want_all();
	town_have(60);
	town_add_record(60, "192.0.2.9");
	for (size_t i = 61; i < 70; i++)
		(void)snprintf(town_names[i].job.name, NAME_CAP, "w%zu.example.net", i);
	town.fault = have_no_room;
	town_begin_all(false);
	town_run();
	for (size_t i = 0; i < 70; i++)
		assert_int_equal(town_names[i].r.out.result, i < 60 ? RECONCILE_FAILED : RECONCILE_DONE);
	assert_int_equal(town_count_right(), 10);
	CHECK(town.writes <= 12, "%s", town.story);
}

/* Its next pass costs nobody else a call; nor does it when others have something to write. */
static void test_the_next_try_is_its_own(void **state)
{
	(void)state;
	town_init(50);
	town_want_all();
	town_names[20].is_bad = true;
	town_begin_all(false);
	town_run();
	town_clear_story();
	for (size_t i = 0; i < 50; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "10.0.%zu.1 10.0.%zu.2", i, i);
		town_set(i, text);
	}
	town.now_ms = town_names[20].r.out.wake_ms;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "l1 W+49/49 S+1/1! S+1/1!");
	assert_int_equal(town_count_right(), 49);
	/* When it was taken at last it goes with the others again. */
	town_names[20].is_bad = false;
	town_clear_story();
	town.now_ms = town_names[20].r.out.wake_ms;
	town_begin(20, false);
	town_run();
	assert_int_equal(town_count_right(), 50);
	assert_false(town_names[20].r.is_suspect);
}

/* Those who write alone do so in their order. */
static void test_first_come_first_served(void **state)
{
	(void)state;
	town_init(2);
	for (size_t i = 0; i < 2; i++) {
		town_add_record(i, "192.0.2.1");
		town_set(i, "lb.example.org"); /* a swap */
	}
	town_begin_all(false);
	while (!town.writes)
		assert_true(town_step());
	assert_true(town_is_right(0));
	assert_false(town_is_right(1));
	town_run();
	assert_int_equal(town_count_right(), 2);
}

/* A record that somebody else has removed meanwhile: one listing tells it of all. */
static void test_a_refused_removal(void **state)
{
	(void)state;
	town_init(40);
	surplus_all();
	town.latency_ms[CALL_HEALTH] = 0;
	town_begin_all(false);
	while (town.verifies < 40)
		assert_true(town_step());
	for (size_t i = 0; i < town.records_n; i++)
		if (strcmp(town.records[i].name, town_names[33].job.name) == 0 &&
		    strcmp(town.records[i].content, "192.0.2.9") == 0) {
			town.records[i] = town.records[--town.records_n];
			break;
		}
	town_run();
	assert_int_equal(town_count_right(), 40);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(town_names[i].r.out.result, RECONCILE_DONE);
	assert_int_equal(town.lists, 2); /* all that were refused with it list again */
	CHECK(town.writes <= SPLIT_WRITES, "%s", town.story);
}

/* What is lost and not refused is not split: who took part fails, and lists anew. */
static enum town_fault lose_writes(const struct call *c, struct err *e)
{
	if (c->kind != CALL_WRITE)
		return TOWN_FINE;
	(void)err_set(e, ERR_RETRY, "lost");
	return TOWN_LOST_AFTER;
}

static void test_a_batch_that_is_lost(void **state)
{
	(void)state;
	town_init(30);
	town_want_all();
	town.fault = lose_writes;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L30 W+30/30!");
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
		assert_int_equal(town_names[i].r.out.wake_ms, town_names[0].r.out.wake_ms);
		assert_false(town_names[i].r.is_suspect);
	}
	town.fault = NULL;
	town_clear_story();
	town.now_ms = town_names[0].r.out.wake_ms;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "L30");
	assert_int_equal(town_count_right(), 30);
}

/* ---- pacing ---- */

static void test_batches_of_a_zone_are_paced(void **state)
{
	int64_t first_ms;

	(void)state;
	town_init(40);
	town_want_all();
	town.round.is_paced = true;
	town_begin(0, false);
	while (!town.writes)
		assert_true(town_step());
	first_ms = town.now_ms - town.latency_ms[CALL_WRITE];
	assert_int_equal(town.zones.zones[0].paced_ms[ZONE_ADD], first_ms + ROUND_PACE_MS);
	for (size_t i = 1; i < 20; i++)
		town_begin(i, false);
	town_clear_story();
	while (!town.writes)
		assert_true(town_step());
	assert_string_equal(town.story, ". L19 W+19/19");
	assert_int_equal(town.now_ms, first_ms + ROUND_PACE_MS + town.latency_ms[CALL_WRITE]);
	/* What waits has the zone's other names come with it. */
	town_begin(20, false);
	town_clear_story();
	assert_true(town_step());
	town_begin(21, false);
	town_run();
	assert_string_equal(town.story, ". L2 W+2/2");
	/* Listed by name one after the other, as that is cheaper, they wait once. */
	town.zones.zones[0].entries_n = 5000;
	town_clear_story();
	for (size_t i = 22; i < 25; i++)
		town_begin(i, false);
	town_run();
	assert_string_equal(town.story, ". l1 l1 l1 W+3/3");
}

/* Deletes have a pace of their own, another zone has, and who writes once (sync) has none. */
static void test_what_is_not_paced(void **state)
{
	(void)state;
	town_init(6);
	town_want_all();
	town.round.is_paced = true;
	for (size_t i = 2; i < 6; i++)
		town_have(i);
	town_add_record(2, "192.0.2.9");
	(void)snprintf(town_names[1].job.name, NAME_CAP, "www.example.net");
	for (size_t i = 0; i < 5; i++)
		if (i != 3)
			town_begin(i, false);
	town_run();
	assert_string_equal(town.story, "Z L3 V1 l1 W+1/1 W+1/1 W-1/1");
	/* A removal holds no addition up. */
	town_clear_story();
	town.now_ms += 1000;
	town_add_record(3, "192.0.2.9");
	town_begin(3, true);
	town_run();
	town_set(4, "192.0.2.77");
	town_begin(4, false);
	town_run();
	assert_string_equal(town.story, "l1 V1 W-1/1 V1 W+1/1 . W-1/1");
	town.round.is_paced = false;
	town_clear_story();
	town_set(5, "10.0.5.1 192.0.2.78");
	town_begin(5, true);
	town_run();
	assert_string_equal(town.story, "l1 W+1/1");
}

/* Of several zones that wait the first that is ready goes on. */
static void test_each_zone_waits_for_itself(void **state)
{
	int64_t from_ms;

	(void)state;
	town_init(3);
	town_want_all();
	town.round.is_paced = true;
	(void)snprintf(town_names[1].job.name, NAME_CAP, "www.example.net");
	(void)snprintf(town_names[2].job.name, NAME_CAP, "www.example.org");
	town_begin_all(false);
	while (town.lists < 3)
		assert_true(town_step());
	from_ms = town.now_ms;
	town.zones.zones[0].paced_ms[ZONE_ADD] = from_ms + 60;
	town.zones.zones[1].paced_ms[ZONE_ADD] = from_ms + 30;
	town.zones.zones[2].paced_ms[ZONE_ADD] = from_ms + 90;
	town_clear_story();
	town_step();
	assert_string_equal(town.story, ".");
	assert_int_equal(town.now_ms, from_ms + 30);
	town_run();
	assert_string_equal(town.story, ". W+1/1 . W+1/1 . W+1/1");
	assert_int_equal(town.now_ms, from_ms + 100);
}

/* What others of the zone add, though it waits, goes before what could go at once is removed. */
static void test_removals_wait_for_additions_that_wait(void **state)
{
	(void)state;
	town_init(4);
	town_want_all();
	town.round.is_paced = true;
	town.latency_ms[CALL_HEALTH] = 1;
	for (size_t i = 1; i < 4; i++)
		town_have(i);
	town_add_record(2, "192.0.2.9");
	(void)snprintf(town_names[3].job.name, NAME_CAP, "www.example.net");
	(void)snprintf(town.records[2].name, sizeof town.records[2].name, "www.example.net");
	town.records[2].zone = 1;
	town_begin_all(false);
	town_run();
	CHECK(strstr(town.story, "W+1/1 W-1/1"), "%s", town.story);
	town_add_record(2, "192.0.2.10");
	town_add_record(3, "192.0.2.10");
	town_set(1, "10.0.1.1 10.0.1.2");
	town_clear_story();
	town.now_ms += 1000;
	town.zones.zones[0].paced_ms[ZONE_ADD] = town.now_ms + 500;
	town.zones.zones[0].paced_ms[ZONE_DELETE] = town.now_ms;
	town_begin(1, false);
	town_begin(2, true);
	town_begin(3, true);
	town_run();
	/* Another zone's does not wait. */
	assert_string_equal(town.story, "l1 V1 l1 V1 W-1/1 . W+1/1 W-1/1");
	/* Nor does it wait for ever: who adds again and again keeps nobody from removing. */
	town_add_record(2, "192.0.2.10");
	town_set(1, "10.0.1.1 10.0.1.2 10.0.1.3");
	town_clear_story();
	town.now_ms += 1000;
	town.zones.zones[0].paced_ms[ZONE_ADD] = town.now_ms + 1500;
	town_begin(1, false);
	town_begin(2, true);
	town_run();
	assert_string_equal(town.story, "l1 V1 . W-1/1 . W+1/1");
}

/* ---- a slow Consul ---- */

/* Who has something to add does not wait for the evidence of all others. */
static void test_an_addition_does_not_wait_for_all_evidence(void **state)
{
	int64_t from_ms;

	(void)state;
	town_init(1000);
	surplus_all();
	town.round.is_paced = true;
	town_set(999, "10.3.231.1 192.0.2.9 192.0.2.10");
	from_ms = town.now_ms;
	town_begin_all(false);
	while (!town.writes)
		assert_true(town_step());
	assert_non_null(strstr(town.story, " W+1/1"));
	assert_int_equal(town.now_ms - from_ms, ROUND_READY_MS + town.latency_ms[CALL_WRITE]);
	town_run();
	assert_int_equal(town_count_right(), 1000);
	/* What is read is used before it is too old: nobody asks twice. */
	assert_int_equal(town.verifies, 999);
	assert_true(town.writes <= 12);
}

/* What was read is too old when the API was slow: it is read again before what it is to remove goes. */
static void test_old_evidence_is_read_again(void **state)
{
	(void)state;
	town_init(3);
	surplus_all();
	town_set(2, "10.0.2.1 192.0.2.9 192.0.2.10");
	town.latency_ms[CALL_WRITE] = 3000;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L3 V1 V1 W+1/1 V1 V1 W-2/2");
	assert_int_equal(town_count_right(), 3);
	assert_true(town_is_right(2));
}

/* So is what was no evidence: after seconds it is to be one. */
static void test_an_old_answer_is_read_again(void **state)
{
	(void)state;
	town_init(1);
	town_want_all();
	town.round.is_paced = true;
	zone_table_get(&town.zones, town.api[0].id)->paced_ms[ZONE_ADD] = town.now_ms + 2500;
	town_begin(0, false);
	town_run();
	assert_string_equal(town.story, "Z l1 . V1 W+1/1");
	assert_int_equal(town_count_right(), 1);
}

/* ---- credentials ---- */

static enum town_fault refuse_credentials(const struct call *c, struct err *e)
{
	if (c->kind != CALL_LIST)
		return TOWN_FINE;
	(void)err_set(e, ERR_AUTH, "HTTP 403");
	return TOWN_LOST_BEFORE;
}

/* One refusal of all is one doubt for each of them: all have the same second try, and no third. */
static void test_credentials_are_refused(void **state)
{
	(void)state;
	town_init(5);
	town_want_all();
	for (size_t i = 0; i < 5; i++)
		memcpy(town_names[i].job.zone_id, town.api[0].id, RECORD_ID_CAP);
	town.fault = refuse_credentials;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "L5!");
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
		assert_int_equal(town_names[i].r.out.wake_ms, town.now_ms + 2000);
	}
	town.now_ms += 2000;
	town_begin_all(false);
	town_run();
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(town_names[i].r.out.wake_ms, town.now_ms + 60000);
	/* As sync has it. */
	town_init(5);
	town_want_all();
	for (size_t i = 0; i < 5; i++)
		memcpy(town_names[i].job.zone_id, town.api[0].id, RECORD_ID_CAP);
	town.fault = refuse_credentials;
	for (size_t i = 0; i < 5; i++)
		town_begin_sync(i, town.now_ms + 60000);
	town_run();
	assert_int_equal(town.lists, 2);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
}

static enum town_fault refuse_writes(const struct call *c, struct err *e)
{
	if (c->kind != CALL_WRITE)
		return TOWN_FINE;
	c->write->reply = (struct cf_reply){.status = 403, .meaning = CF_AUTH};
	(void)err_set(e, ERR_AUTH, "HTTP 403");
	return TOWN_LOST_BEFORE;
}

static void test_credentials_that_may_not_write(void **state)
{
	(void)state;
	town_init(5);
	town_want_all();
	town.fault = refuse_writes;
	for (size_t i = 0; i < 5; i++)
		town_begin_sync(i, town.now_ms);
	town_run();
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
		assert_int_equal(town_names[i].r.tries, town_names[0].r.tries);
	}
	assert_int_equal(town.writes, 2);
	assert_int_equal(town.records_n, 0);
}

/* ---- calls that are lost ---- */

/* A search that fails for no reason of one name's fails all who search: one try at a time. */
static enum town_fault fail_searches(const struct call *c, struct err *e)
{
	if (c->kind != CALL_ZONE)
		return TOWN_FINE;
	(void)err_set(e, ERR_RETRY, "lost");
	return TOWN_LOST_BEFORE;
}

static void test_a_search_that_fails(void **state)
{
	(void)state;
	town_init(30);
	town_want_all();
	memcpy(town_names[5].job.zone_id, town.api[0].id, RECORD_ID_CAP);
	town.fault = fail_searches;
	town_begin_all(false);
	town_run();
	CHECK(strncmp(town.story, "Z! l1", 5) == 0, "%s", town.story);
	assert_int_equal(town.searches, 2); /* the other is the check of the id */
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
		assert_int_equal(town_names[i].seldom.err.kind, ERR_RETRY);
	}
}

/* All wait for the same time, and then go on together. */
static enum town_fault lose_first_list(const struct call *c, struct err *e)
{
	if (c->kind != CALL_LIST || town.lists > 1)
		return TOWN_FINE;
	(void)err_set(e, ERR_RETRY, "lost");
	return TOWN_LOST_BEFORE;
}

static void test_sync_tries_again_together(void **state)
{
	(void)state;
	town_init(5);
	town_want_all();
	town.fault = lose_first_list;
	for (size_t i = 0; i < 5; i++)
		town_begin_sync(i, town.now_ms + 60000);
	town_run();
	assert_string_equal(town.story, "H1 H1 H1 H1 H1 Z L5! . H1 H1 H1 H1 H1 L5 W+5/5");
	assert_int_equal(town_count_right(), 5);
}

/* Each at its own time: who has waited goes on, whoever waits longer does not. */
static enum town_fault lose_lists_for_a_while(const struct call *c, struct err *e)
{
	if (c->kind != CALL_LIST || town.lists > 2)
		return TOWN_FINE;
	town.random += 100; /* the second waits longer */
	town.latency_ms[CALL_LIST] = town.lists == 1 ? 10 : 40;
	(void)err_set(e, ERR_RETRY, "lost");
	return TOWN_LOST_BEFORE;
}

static void test_sync_waits_for_each(void **state)
{
	(void)state;
	town_init(4);
	town_want_all();
	for (size_t i = 2; i < 4; i++)
		(void)snprintf(town_names[i].job.name, NAME_CAP, "w%zu.example.net", i);
	town.fault = lose_lists_for_a_while;
	for (size_t i = 0; i < 4; i++)
		town_begin_sync(i, town.now_ms + 60000);
	town_run();
	assert_string_equal(town.story, "H1 H1 H1 H1 Z L2! L2! . H1 H1 L2 W+2/2 . H1 H1 L2 W+2/2");
	assert_int_equal(town_count_right(), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_bad_record_stands_alone, town_set_up),
		cmocka_unit_test_setup(test_batches_grow_again, town_set_up),
		cmocka_unit_test_setup(test_all_are_bad, town_set_up),
		cmocka_unit_test_setup(test_many_are_refused, town_set_up),
		cmocka_unit_test_setup(test_what_many_refusals_are, town_set_up),
		cmocka_unit_test_setup(test_a_zone_is_full, town_set_up),
		cmocka_unit_test_setup(test_the_next_try_is_its_own, town_set_up),
		cmocka_unit_test_setup(test_first_come_first_served, town_set_up),
		cmocka_unit_test_setup(test_a_refused_removal, town_set_up),
		cmocka_unit_test_setup(test_a_batch_that_is_lost, town_set_up),
		cmocka_unit_test_setup(test_batches_of_a_zone_are_paced, town_set_up),
		cmocka_unit_test_setup(test_what_is_not_paced, town_set_up),
		cmocka_unit_test_setup(test_each_zone_waits_for_itself, town_set_up),
		cmocka_unit_test_setup(test_removals_wait_for_additions_that_wait, town_set_up),
		cmocka_unit_test_setup(test_an_addition_does_not_wait_for_all_evidence, town_set_up),
		cmocka_unit_test_setup(test_old_evidence_is_read_again, town_set_up),
		cmocka_unit_test_setup(test_an_old_answer_is_read_again, town_set_up),
		cmocka_unit_test_setup(test_credentials_are_refused, town_set_up),
		cmocka_unit_test_setup(test_credentials_that_may_not_write, town_set_up),
		cmocka_unit_test_setup(test_sync_tries_again_together, town_set_up),
		cmocka_unit_test_setup(test_a_search_that_fails, town_set_up),
		cmocka_unit_test_setup(test_sync_waits_for_each, town_set_up),
	};

	return cmocka_run_group_tests_name("engine/round, faults", tests, NULL, NULL);
}
