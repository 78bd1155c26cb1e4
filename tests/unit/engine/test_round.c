/* engine/round: what many names share: searches, listings, batches, reads of Consul. */
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

/* ---- calls by zone, not by name ---- */

static void test_250_names_are_created(void **state)
{
	(void)state;
	for (int is_paced = 0; is_paced < 2; is_paced++) {
		town_init(250);
		town.round.is_paced = is_paced; /* a full batch is followed at once */
		town_want_all();
		town_begin_all(false);
		town_run();
		assert_string_equal(town.story, "Z L250 W+200/200 W+50/50");
		town_check_all_done();
		for (size_t i = 0; i < 250; i++)
			assert_int_equal(town_names[i].r.out.done_n[OP_CREATE], 1);
	}
}

static void test_250_names_are_right(void **state)
{
	(void)state;
	town_init(250);
	town_want_all();
	town_have_all();
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L250");
	town_check_all_done();
	town_clear_story();
	town_begin_all(true);
	town_run();
	assert_string_equal(town.story, "L250");
	town_check_all_done();
	town_clear_story();
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "");
}

/* As sync does it. */
static void test_each_reads_its_service_and_shares_the_rest(void **state)
{
	(void)state;
	town_init(3);
	town_want_all();
	for (size_t i = 0; i < 3; i++)
		town_begin_sync(i, town.now_ms);
	town_run();
	assert_string_equal(town.story, "H1 H1 H1 Z L3 W+3/3");
	town_check_all_done();
}

/* One part may have more than is left of a batch: the rest of it goes with the last. */
static void test_a_batch_is_filled(void **state)
{
	(void)state;
	town_init(50);
	for (size_t i = 0; i < 50; i++) {
		char text[256], *out = text;

		for (unsigned k = 1; k < 10; k++)
			out += sprintf(out, "10.%zu.0.%u ", i, k);
		town_set(i, text);
	}
	town_begin_all(false);
	while (town.writes < 2)
		assert_true(town_step());
	assert_false(town_is_right(22));
	assert_int_equal(town_count_records(22), 2);
	assert_true(town_is_right(44));
	town_run();
	assert_string_equal(town.story, "Z L50 W+200/23 W+200/23 W+50/6");
	town_check_all_done();
}

/* Whether a zone's id that was given is the right one, is asked once for all names that lie in it. */
static void test_a_given_zone_is_checked_once(void **state)
{
	(void)state;
	town_init(50);
	town_want_all();
	for (size_t i = 0; i < 50; i++)
		memcpy(town_names[i].job.zone_id, town.api[0].id, RECORD_ID_CAP);
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "L50 C W+50/50");
	town_check_all_done();
}

/* ---- reading Consul ---- */

static void share_service(size_t from, size_t to, size_t service)
{
	for (size_t i = from; i < to; i++) {
		town_names[i].service = service;
		(void)snprintf(town_names[i].job.service, JOB_TEXT_CAP, "s%zu", service);
	}
}

/* One read for all names of a service; a name of another, and one with another tag, has its own. */
static void test_evidence_is_shared_by_service(void **state)
{
	(void)state;
	town_init(20);
	share_service(0, 10, 0);
	share_service(10, 18, 10);
	for (size_t i = 0; i < 20; i++) {
		town_set(town_names[i].service, "192.0.2.1");
		town_add_record(i, "192.0.2.1");
		town_add_record(i, "192.0.2.2");
	}
	(void)snprintf(town_names[3].job.tag, JOB_TEXT_CAP, "blue");
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L20 V9 V1 V8 V1 V1 W-20/20");
	town_check_all_done();
}

/* A listing that comes after the read makes it too old: there is no delete by it (town.c, I7). */
static void test_evidence_is_not_older_than_the_listing(void **state)
{
	(void)state;
	town_init(2);
	share_service(0, 2, 0);
	town_set(0, "192.0.2.1");
	for (size_t i = 0; i < 2; i++) {
		town_add_record(i, "192.0.2.1");
		town_add_record(i, "192.0.2.2");
	}
	town_begin(0, false);
	while (!town.verifies)
		assert_true(town_step());
	town_begin(1, false); /* of the same service, but not listed yet */
	town_run();
	assert_string_equal(town.story, "Z l1 V1 l1 V1 W-2/2");
	town_check_all_done();
}

/* A read that fails holds the removals of all who asked, and of nobody else. */
static enum town_fault fail_first_verify(const struct call *c, struct err *e)
{
	if (c->kind != CALL_HEALTH || town.verifies > 1)
		return TOWN_FINE;
	(void)err_set(e, ERR_RETRY, "lost");
	return TOWN_LOST_BEFORE;
}

static void test_evidence_that_fails_holds_who_asked(void **state)
{
	(void)state;
	town_init(5);
	share_service(0, 3, 0);
	surplus_all();
	town_set(0, "10.0.0.1 10.0.1.1 10.0.2.1");
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++)
			if (k != i) {
				char text[16];

				(void)snprintf(text, sizeof text, "10.0.%zu.1", k);
				town_add_record(i, text);
			}
	town.fault = fail_first_verify;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L5 V3! V1 V1 W-2/2");
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(town_names[i].r.out.result, i < 3 ? RECONCILE_HELD : RECONCILE_DONE);
		assert_int_equal(town_names[i].r.out.gap, i < 3 ? EVIDENCE_READ_FAILED : EVIDENCE_OK);
	}
	assert_int_equal(town_names[0].r.out.wake_ms, town_names[2].r.out.wake_ms);
	assert_true(town_names[0].r.out.wake_ms != CLOCK_NEVER);
}

/* Consul's answer has no order; a host name beside addresses is left out, wherever it stands. */
static void test_evidence_is_put_in_order(void **state)
{
	(void)state;
	town_init(1);
	town_set(0, "192.0.2.1 192.0.2.2 lb.example.org");
	town_add_record(0, "192.0.2.1");
	town_add_record(0, "192.0.2.2");
	town_add_record(0, "192.0.2.9");
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z l1 V1 W-1/1");
	town_check_all_done();
}

/* ---- the barrier ---- */

/* What is added of any name before what is removed of any. */
static void test_all_adds_before_all_removals(void **state)
{
	(void)state;
	town_init(300);
	surplus_all();
	town.records_n -= 50; /* of the last 50 there is nothing to remove... */
	for (size_t i = 150; i < 300; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "10.%zu.%zu.1 10.%zu.%zu.2", i / 256, i % 256, i / 256, i % 256);
		town_set(i, text); /* ...and 150 have something to add */
	}
	town.latency_ms[CALL_HEALTH] = 0;
	town_begin_all(false);
	town_run();
	CHECK(strstr(town.story, "W+150/150 W-200/200 W-50/50"), "%s", town.story);
	assert_int_equal(town.writes, 3);
	assert_int_equal(town.lists, 1);
	town_check_all_done();
}

/* A member that comes when the deletes were about to go out goes before them, and may read first. */
static void test_who_comes_later_adds_before_others_remove(void **state)
{
	(void)state;
	town_init(4);
	surplus_all();
	town_set(3, "10.0.3.1 10.0.3.7 192.0.2.9");
	for (size_t i = 0; i < 3; i++)
		town_begin(i, false);
	while (town.verifies < 3)
		assert_true(town_step());
	town_begin(3, false);
	town_run();
	assert_string_equal(town.story, "Z L3 V1 V1 V1 l1 W+1/1 W-3/3");
	town_check_all_done();
}

/* Removals that are refused, however many, say nothing of what is to be added. */
static enum town_fault refuse_removals(const struct call *c, struct err *e)
{
	if (c->kind != CALL_WRITE || c->write->parts->ops[0]->kind != OP_DELETE)
		return TOWN_FINE;
	c->write->reply = (struct cf_reply){.status = 400, .meaning = CF_REFUSED};
	(void)err_set(e, ERR_REFUSED, "refused");
	return TOWN_LOST_BEFORE;
}

static void test_removals_are_refused(void **state)
{
	(void)state;
	town_init(31);
	surplus_all();
	town.records_n -= 1;
	town_set(30, "10.0.30.1 10.0.30.2");
	town.fault = refuse_removals;
	town.latency_ms[CALL_HEALTH] = 0;
	town.round.is_paced = true;
	zone_table_get(&town.zones, town.api[0].id)->paced_ms[ZONE_ADD] = town.now_ms + 60000;
	town_begin_all(false);
	town_run();
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
	assert_int_equal(town_names[30].r.out.result, RECONCILE_DONE);
	assert_true(town_is_right(30));
}

/* A CNAME in the place of addresses is one transaction, and nobody else's with it. */
static void test_a_swap_is_alone(void **state)
{
	(void)state;
	town_init(4);
	for (size_t i = 0; i < 4; i++)
		town_add_record(i, "192.0.2.1");
	town_set(0, "192.0.2.1 192.0.2.2");
	town_set(1, "lb.example.org");
	town_set(2, "lb.example.org");
	town_set(3, "192.0.2.1 192.0.2.2");
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L4 V1 V1 W+2/2 W+1-1/1 W+1-1/1");
	assert_int_equal(town_count_right(), 4);
}

/* ---- listings ---- */

static enum town_fault fail_lists(const struct call *c, struct err *e)
{
	if (c->kind != CALL_LIST)
		return TOWN_FINE;
	(void)err_set(e, ERR_RETRY, "lost");
	return TOWN_LOST_AFTER;
}

/* All who asked fail, nothing is removed, and they come again together. */
static void test_a_listing_that_fails(void **state)
{
	(void)state;
	town_init(50);
	surplus_all();
	town.fault = fail_lists;
	town.random = 12345;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L50!");
	assert_int_equal(town.records_n, 100);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
		assert_false(town_names[i].r.seen.has_list);
		assert_true(town_names[i].r.out.wake_ms > town.now_ms);
		assert_int_equal(town_names[i].r.out.wake_ms, town_names[0].r.out.wake_ms);
	}
	town.fault = NULL;
	town_clear_story();
	town.now_ms = town_names[0].r.out.wake_ms;
	town_begin_all(false);
	town_run();
	assert_int_equal(town.lists, 1);
	town_check_all_done();
}

/* As many pages and thousands of entries as there are, so many names make a whole listing worth it. */
static void test_whole_or_by_name(void **state)
{
	static const struct {
		size_t others_n, per_page, names_n;
		bool is_whole;
	} cases[] = {
		{0, 5000, 1, false},      {0, 5000, 2, true},      {1, 5000, 2, true},     {3500, 5000, 2, false},
		{3500, 5000, 4, false},   {3500, 5000, 5, true},   {3500, 100, 38, false}, {3500, 100, 45, true},
		{20000, 5000, 20, false}, {20000, 5000, 30, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		town_init(100);
		town_want_all();
		town_have_all();
		town.api[0].others_n = cases[i].others_n - (cases[i].others_n > 100 ? 100 : 0);
		town.per_page = cases[i].per_page;
		town_begin_all(false);
		town_run();
		town_clear_story();
		for (size_t n = 0; n < cases[i].names_n; n++)
			town_begin(n, true);
		town_run();
		CHECK(town.lists == (cases[i].is_whole ? 1 : cases[i].names_n), "case %zu: %s", i, town.story);
		CHECK(strchr(town.story, 'L') ? cases[i].is_whole : !cases[i].is_whole, "case %zu: %s", i, town.story);
	}
}

/* A listing in between does not make its grace longer. */
static void test_a_grace_outlives_a_listing(void **state)
{
	(void)state;
	town_init(2);
	surplus_all();
	for (size_t i = 0; i < 2; i++)
		town_names[i].job.grace_ms = 5000;
	town_begin_all(false);
	town_run();
	assert_int_equal(town.records_n, 4);
	town.now_ms += 3000;
	town_begin_all(true);
	town_run();
	town.now_ms += 2000;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L2 L2 V1 V1 W-2/2");
	town_check_all_done();
}

/* What two owners have of one name is listed once, by its name too. */
static void test_owners_share_a_listing(void **state)
{
	(void)state;
	town_init(2);
	zone_table_get(&town.zones, town.api[0].id)->entries_n = 5000;
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(town_names[i].job.name, NAME_CAP, "www.example.com");
		(void)snprintf(town_names[i].job.owner, JOB_OWNER_CAP, "%s", i ? "red" : "blue");
		town_want(i);
		town_add_record(i, i ? "192.0.2.7" : "192.0.2.8");
	}
	town_begin_all(false);
	town_run();
	/* Each counts the other's records for its floor: what one deletes the other has to know. */
	assert_string_equal(town.story, "Z l2 V1 V1 W+2/2 W-1/1 l1 V1 W-1/1");
	assert_int_equal(town.records_n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(town.records[i].owner, strstr(town.records[i].content, "10.0.1.") ? "red" : "blue");
	town_check_all_done();
}

/* A zone that others write all the time tells nothing whole: then names are listed one by one. */
static void test_torn_listings(void **state)
{
	(void)state;
	town_init(50);
	town_want_all();
	town_have_all();
	town.api[0].others_n = 400;
	town.per_page = 100;
	town.api[0].is_torn = true;
	for (int i = 0; i < 3; i++) {
		town_clear_story();
		town_begin_all(true);
		town_run();
		CHECK(town.lists == 1 && strstr(town.story, "L50!"), "%d: %s", i, town.story);
	}
	town_clear_story();
	town_begin_all(true);
	town_run();
	assert_int_equal(town.lists, 50);
	assert_null(strchr(town.story, 'L'));
	town_check_all_done();
	/* For a while. */
	town.now_ms += 600000;
	town.api[0].is_torn = false;
	town_clear_story();
	town_begin_all(true);
	town_run();
	assert_string_equal(town.story, "L50");
}

/* A record that cannot be read fails its name: all others are served by the listing of the zone. */
static void test_an_odd_name_is_listed_by_itself(void **state)
{
	(void)state;
	town_init(30);
	town_want_all();
	town_names[7].is_odd = true;
	town_names[8].is_odd = town_names[8].is_ill = true;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L30 l1 l1! W+29/29");
	assert_int_equal(town_count_right(), 29);
	assert_true(town_is_right(7));
	assert_int_equal(town_names[8].r.out.result, RECONCILE_FAILED);
	assert_int_equal(town_names[8].seldom.err.kind, ERR_PROTO);
	assert_int_equal(town_names[9].r.out.result, RECONCILE_DONE);
	/* Mended, it goes with the others again. */
	town_names[7].is_odd = town_names[8].is_odd = town_names[8].is_ill = false;
	town_clear_story();
	town_begin_all(true);
	town_run();
	assert_string_equal(town.story, "L30 W+1/1");
}

/* It stays apart from listings that others want, before it and after it. */
static void test_an_odd_name_stays_apart(void **state)
{
	(void)state;
	town_init(2);
	town_want_all();
	town.round.is_paced = true;
	town_names[0].is_bad = true; /* and lists again */
	town_names[1].is_odd = true;
	town_begin_all(false);
	town_run();
	assert_string_equal(town.story, "Z L2 W+1/1! . l1 W+1/1! S+1/1! . l1 W+1/1");
	assert_true(town_is_right(1));
	town_init(6);
	town_want_all();
	town_names[0].is_odd = true;
	town_begin(0, false);
	town_begin(1, false);
	while (!town.lists)
		assert_true(town_step());
	for (size_t i = 2; i < 6; i++)
		town_begin(i, false);
	town_run();
	assert_string_equal(town.story, "Z L2 l1 L4 W+6/6");
}

/* ---- the scratch ---- */

/*
 * A plan with a host name waits, while the others' are made in the same scratch and what Consul
 * lists is overwritten.
 */
static void test_a_plan_outlives_the_scratch(void **state)
{
	(void)state;
	town_init(40);
	for (size_t i = 0; i < 40; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "lb%zu.example.net", i);
		town_set(i, text);
	}
	for (size_t i = 0; i < 39; i++)
		town_begin(i, false);
	while (!town.lists)
		assert_true(town_step());
	memset(&town.storage.observe, 0xa5, sizeof town.storage.observe);
	memset(town.storage.ops, 0xa5, sizeof town.storage.ops);
	town.storage.observe.view.listed = town.storage.observe.listed;
	town_set(3, "zz.example.net");
	town_begin(39, false); /* there is something to overwrite it with */
	town_run();
	assert_int_equal(town_count_right(), 39);
	for (size_t i = 0; i < 40; i++)
		if (strcmp(town.records[i].name, town_names[3].job.name) == 0)
			assert_string_equal(town.records[i].content, "lb3.example.net");
	town_begin(3, false);
	town_run();
	assert_int_equal(town_count_right(), 40);
}

/* There is no room for one plan more: that one comes again, and nothing is lost. */
static void test_room_is_used_up(void **state)
{
	(void)state;
	town_init(3);
	town_want_all();
	town_begin(0, false);
	while (!town.lists)
		assert_true(town_step());
	town.storage.room_used = RECONCILE_ROOM;
	town_begin(1, false);
	town_begin(2, false);
	town_run();
	assert_int_equal(town_names[0].r.out.result, RECONCILE_DONE);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(town_names[i].r.out.result, RECONCILE_FAILED);
		assert_int_equal(town_names[i].seldom.err.kind, ERR_RETRY);
		assert_int_equal(town_count_records(i), 0);
	}
	town.now_ms = town_names[1].r.out.wake_ms;
	assert_int_equal(town.storage.room_used, 0);
	town_begin_all(false);
	town_run();
	town_check_all_done();
}

static void test_members_come_and_go(void **state)
{
	struct reconcile *r;
	size_t i = 0;

	(void)state;
	town_init(5);
	town_want_all();
	town_begin_all(false);
	(void)round_next(&town.round, town.now_ms);
	assert_ptr_equal(round_asked(&town.round, &i), &town_names[0].r);
	assert_null(round_asked(&town.round, &i));
	for (size_t n = 5; n--;) {
		r = round_take_any(&town.round);
		assert_ptr_equal(r, &town_names[n].r);
		town_names[n].is_busy = false;
	}
	assert_null(round_take_any(&town.round));
	assert_int_equal(round_next(&town.round, town.now_ms).kind, CALL_END);
	town_begin_all(false);
	assert_null(round_asked(&town.round, &(size_t){0})); /* that was in another life */
	town_run();
	town_check_all_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_250_names_are_created, town_set_up),
		cmocka_unit_test_setup(test_250_names_are_right, town_set_up),
		cmocka_unit_test_setup(test_a_given_zone_is_checked_once, town_set_up),
		cmocka_unit_test_setup(test_each_reads_its_service_and_shares_the_rest, town_set_up),
		cmocka_unit_test_setup(test_a_batch_is_filled, town_set_up),
		cmocka_unit_test_setup(test_evidence_is_shared_by_service, town_set_up),
		cmocka_unit_test_setup(test_evidence_is_not_older_than_the_listing, town_set_up),
		cmocka_unit_test_setup(test_evidence_that_fails_holds_who_asked, town_set_up),
		cmocka_unit_test_setup(test_evidence_is_put_in_order, town_set_up),
		cmocka_unit_test_setup(test_all_adds_before_all_removals, town_set_up),
		cmocka_unit_test_setup(test_who_comes_later_adds_before_others_remove, town_set_up),
		cmocka_unit_test_setup(test_removals_are_refused, town_set_up),
		cmocka_unit_test_setup(test_a_swap_is_alone, town_set_up),
		cmocka_unit_test_setup(test_a_listing_that_fails, town_set_up),
		cmocka_unit_test_setup(test_whole_or_by_name, town_set_up),
		cmocka_unit_test_setup(test_a_grace_outlives_a_listing, town_set_up),
		cmocka_unit_test_setup(test_owners_share_a_listing, town_set_up),
		cmocka_unit_test_setup(test_torn_listings, town_set_up),
		cmocka_unit_test_setup(test_an_odd_name_is_listed_by_itself, town_set_up),
		cmocka_unit_test_setup(test_an_odd_name_stays_apart, town_set_up),
		cmocka_unit_test_setup(test_a_plan_outlives_the_scratch, town_set_up),
		cmocka_unit_test_setup(test_room_is_used_up, town_set_up),
		cmocka_unit_test_setup(test_members_come_and_go, town_set_up),
	};

	return cmocka_run_group_tests_name("engine/round", tests, NULL, NULL);
}
