/* The engine as it begins, and which zone it asks for before the first record of a name comes. */
#include "support.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/alone.h"

#define ZONE_ID "0123456789abcdef0123456789abcdef"
#define NOW_MS 1000000

static struct reconcile *const r = &alone.r;
static struct endpoint listed[1];
static struct consul_view seen = {.listed = listed};
static struct job job;

static int set_up(void **state)
{
	(void)state;
	log_setup(LOG_LOGFMT, LOG_LEVELS);
	job = (struct job){
		.types = JOB_TYPES,
		.service = "web",
		.ttl = 60,
		.name = "www.example.com",
		.zone_id = ZONE_ID,
	};
	listed[0] = (struct endpoint){.state = INSTANCE_PASSING, .target = {.type = RECORD_A, .addr = {192, 0, 2, 1}}};
	seen.listed_n = seen.count.instances_n = seen.count.state_n[INSTANCE_PASSING] = 1;
	alone_forget_zones();
	alone_init_watch(&job);
	return 0;
}

static enum call_kind next(void)
{
	return alone_next(NOW_MS).kind;
}

/* The listing finds nothing of that name at all. */
static void list_nothing(struct err *e)
{
	assert_int_equal(next(), CALL_LIST);
	alone.round.list.reply = (struct cf_reply){0};
	r->seen.list.records_n = r->seen.list.seen_n = 0;
	alone_take(0, e, NOW_MS, 0);
}

static void test_at_first_nothing_is_to_be_done(void **state)
{
	static const size_t nothing[OP_KINDS];

	(void)state;
	memset(r, 0xff, sizeof *r);
	alone_init_watch(&job);
	assert_int_equal(next(), CALL_END);
	assert_int_equal(r->out.wake_ms, CLOCK_NEVER);
	assert_int_equal(r->seen.linger_ms, CLOCK_NEVER);
	assert_int_equal(r->in.give_up_ms, CLOCK_NEVER);
	assert_string_equal(reconcile_zone_id(r), ZONE_ID);
	assert_ptr_equal(r->in.job, &job);
	assert_true(r->in.is_watch && r->seen.has_grace);
	assert_false(r->in.is_dry_run || r->is_zone_wrong || r->is_resync || r->seen.has_list);
	assert_int_equal(r->tries, 0);
	assert_memory_equal(r->out.done_n, nothing, sizeof nothing);
}

/* Sync begins with a call, and has no grace. */
static void test_at_first_sync_reads(void **state)
{
	(void)state;
	memset(r, 0xff, sizeof *r);
	alone_init(&job, true, 4711);
	assert_int_equal(next(), CALL_HEALTH);
	assert_false(alone_next(NOW_MS).query->is_consistent);
	assert_int_equal(r->out.wake_ms, CLOCK_NEVER);
	assert_int_equal(r->in.give_up_ms, 4711);
	assert_true(r->in.is_dry_run);
	assert_false(r->in.is_watch || r->seen.has_grace);
	assert_string_equal(reconcile_zone_id(r), ZONE_ID);
}

/* A zone that is named is that one; else any that the name lies within. */
static void test_which_zone_is_looked_for(void **state)
{
	(void)state;
	job.zone_id[0] = '\0';
	for (int is_named = 0; is_named < 2; is_named++) {
		(void)memcpy(job.zone, is_named ? "example.com" : "", is_named ? sizeof "example.com" : 1);
		alone_init_watch(&job);
		alone_begin(&seen, false, NOW_MS);
		assert_int_equal(next(), CALL_ZONE);
		assert_false(alone.round.zones.is_check);
		assert_int_equal(alone.round.zones.is_exact, is_named);
		assert_string_equal(alone.round.zones.name, is_named ? "example.com" : "www.example.com");
	}
}

/* The zone was asked for and its answer came; the write that follows is lost. */
static void check_zone_then_lose(bool has_found)
{
	struct err e = {0};

	alone_begin(&seen, false, NOW_MS);
	assert_int_equal(next(), CALL_LIST);
	list_nothing(&e);
	if (next() == CALL_ZONE) {
		assert_true(alone.round.zones.is_check && !r->zone->is_checked);
		alone.round.zones.has_found = has_found;
		alone_take(0, &e, NOW_MS, 0);
	}
	assert_int_equal(next(), CALL_WRITE);
	(void)err_set(&e, ERR_RETRY, "lost");
	alone_take(-1, &e, NOW_MS, 0);
}

/* A name asks once, whoever carries its next pass out, and whatever it was told. */
static void test_a_zone_is_asked_for_once(void **state)
{
	for (int has_found = 0; has_found < 2; has_found++) {
		struct err e = {0};

		(void)set_up(state);
		check_zone_then_lose(has_found);
		assert_true(r->zone->is_checked);
		assert_int_equal(r->seen.is_zone_known, has_found);
		r->seen.is_zone_known = false;
		alone_begin(&seen, false, NOW_MS);
		list_nothing(&e);
		assert_int_equal(next(), CALL_WRITE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_at_first_nothing_is_to_be_done, set_up),
		cmocka_unit_test_setup(test_at_first_sync_reads, set_up),
		cmocka_unit_test_setup(test_which_zone_is_looked_for, set_up),
		cmocka_unit_test(test_a_zone_is_asked_for_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
