/* watch/managed_name: when the next pass of a name is due, by what happened to it. */
#include "support.h"

#include "base/clock.h"
#include "base/log.h"
#include "watch/managed_name.h"

#define NOW 5000000

static struct managed_name k;
static struct service_watch w;
static struct record have[RECORDS_MAX];
static struct reconcile_seldom seldom;
static struct job job;

static int set_up(void **state)
{
	(void)state;
	job = (struct job){
		.service = "web",
		.name = "www.example.com",
		.owner = "east",
		.zone = "example.com",
		.grace_ms = 1000,
		.on_drop = ON_DROP_REMOVE,
	};
	w = (struct service_watch){.has_view = true};
	k.own = (struct reconcile_own){have, &seldom, NULL};
	managed_init(&k, &job, &w, NOW);
	return 0;
}

/* In step since a while, the next resync far away. */
static void settle(void)
{
	k.is_dirty = false;
	k.state = STATUS_IN_SYNC;
	k.has_synced = true;
	k.is_unconverged = false;
	k.resync_ms = NOW + 300000;
	k.r.seen.linger_ms = k.r.out.wake_ms = CLOCK_NEVER;
}

static void test_waits_for_the_first_answer(void **state)
{
	(void)state;
	w.has_view = false;
	assert_int_equal(managed_due_ms(&k), CLOCK_NEVER);
	w.has_view = true;
	assert_true(managed_due_ms(&k) <= NOW);
	k.is_busy = true;
	assert_int_equal(managed_due_ms(&k), CLOCK_NEVER);
}

static const struct {
	enum status_state state;
	bool is_dirty;
	int64_t wake_ms, linger_ms, resync_ms, due_ms; /* from NOW */
} dues[] = {
	{STATUS_IN_SYNC, false, -1, -1, 300, 300}, {STATUS_IN_SYNC, false, -1, 5, 300, 5}, {STATUS_IN_SYNC, true, -1, 5, 300, 0},
	{STATUS_HELD, false, 8, -1, 300, 8},       {STATUS_HELD, false, 8, 5, 300, 5},     {STATUS_HELD, false, 400, -1, 300, 300},
	{STATUS_HELD, true, 8, -1, 300, 0},  /* an addition does not wait for evidence */
	{STATUS_FAILING, false, 8, 5, 3, 8}, /* the backoff does */
	{STATUS_FAILING, true, 8, 5, 3, 8},
};

static int64_t at(int64_t sec)
{
	return sec < 0 ? CLOCK_NEVER : NOW + sec * 1000;
}

static void test_due(void **state)
{
	for (size_t i = 0; i < COUNT(dues); i++) {
		int64_t due_ms;

		(void)set_up(state);
		settle();
		k.state = dues[i].state;
		k.is_dirty = dues[i].is_dirty;
		k.r.out.wake_ms = at(dues[i].wake_ms);
		k.r.seen.linger_ms = at(dues[i].linger_ms);
		k.resync_ms = at(dues[i].resync_ms);
		due_ms = managed_due_ms(&k);
		/* Who leaves waits for others that leave. */
		if (dues[i].due_ms && dues[i].due_ms == dues[i].linger_ms)
			due_ms -= MANAGED_GATHER_MS;
		CHECK(dues[i].due_ms ? due_ms == at(dues[i].due_ms) : due_ms <= NOW, "%zu: %lld", i, (long long)due_ms);
	}
}

static void test_unconverged_since_the_first_news(void **state)
{
	(void)state;
	settle();
	managed_mark(&k, NOW + 10);
	managed_mark(&k, NOW + 20);
	assert_true(k.is_unconverged);
	assert_int_equal(k.unconverged_ms, NOW + 10);
}

/* How long the records are not what is wanted when a pass ends: only a rule of the user's excuses them. */
static void test_held(void **state)
{
	static const struct {
		enum reconcile_result result;
		bool is_by_rule, is_dirty, was_unconverged, is_unconverged;
	} cases[] = {
		{RECONCILE_DONE, false, false, true, false}, {RECONCILE_DONE, false, true, true, true},
		{RECONCILE_HELD, true, false, true, false},  {RECONCILE_HELD, true, true, true, true},
		{RECONCILE_HELD, false, false, true, true},  {RECONCILE_HELD, false, false, false, true},
		{RECONCILE_HELD, false, true, true, true},   {RECONCILE_FAILED, false, false, false, true},
		{RECONCILE_FAILED, true, false, true, true},
	};

	log_setup(LOG_LOGFMT, LOG_LEVELS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool keeps_its_time = cases[i].was_unconverged && (cases[i].result == RECONCILE_FAILED ||
								   (cases[i].result == RECONCILE_HELD && !cases[i].is_by_rule));

		(void)set_up(state);
		settle();
		k.synced_sec = 1;
		k.is_dirty = cases[i].is_dirty;
		k.is_unconverged = cases[i].was_unconverged;
		k.unconverged_ms = 7;
		k.r.out.result = cases[i].result;
		k.r.out.plan.n[OP_HOLD] = cases[i].result == RECONCILE_HELD;
		k.r.out.plan.held_why = "why";
		k.r.out.plan.is_held_by_rule = cases[i].is_by_rule;
		managed_end(&k, NOW);
		CHECK(k.is_unconverged == cases[i].is_unconverged, "case %zu", i);
		CHECK(!k.is_unconverged || (k.unconverged_ms == 7) == keeps_its_time, "case %zu: since %lld", i,
		      (long long)k.unconverged_ms);
		CHECK((k.synced_sec == 1) ==
			      (cases[i].result == RECONCILE_FAILED || (cases[i].result == RECONCILE_HELD && !cases[i].is_by_rule)),
		      "case %zu: in sync when?", i);
	}
}

static void test_called_off(void **state)
{
	(void)state;
	settle();
	k.r.seen.has_list = true;
	k.is_busy = true;
	managed_cancel(&k, NOW);
	assert_false(k.is_busy);
	assert_false(k.r.seen.has_list); /* what was asked may have been done */
	assert_true(managed_due_ms(&k) <= NOW);
}

/* What is wanted is nothing, and that at once. */
static void test_dropped(void **state)
{
	(void)state;
	settle();
	managed_drop(&k, NOW);
	assert_true(job_overlaps(&k.job, &job));
	assert_string_equal(k.job.zone, "example.com");
	assert_ptr_equal(k.r.in.job, &k.job);
	assert_true(k.job.is_dropped);
	assert_int_equal(k.job.grace_ms, 0);
	assert_int_equal(k.job.on_empty, ON_EMPTY_REMOVE);
	assert_null(k.watch);
	assert_true(managed_due_ms(&k) <= NOW);
}

/* ---- what the log says ---- */

static void end_pass(void *ctx)
{
	(void)ctx;
	k.is_busy = true;
	k.r.out.result = RECONCILE_DONE;
	managed_end(&k, NOW + 300000);
}

/* In step it is silent; an instance more that is left out, or that ACLs hide, is news all the same. */
static void test_what_is_left_out_is_news(void **state)
{
	(void)state;
	settle();
	assert_string_equal(test_stderr(end_pass, NULL), "");
	k.r.seen.count.unaddressed_n = 1;
	(void)snprintf(k.r.seen.count.unaddressed, sizeof k.r.seen.count.unaddressed, "web-3: no address");
	assert_non_null(strstr(test_stderr(end_pass, NULL), "web-3: no address"));
	assert_string_equal(test_stderr(end_pass, NULL), "");
	k.r.seen.hidden = EVIDENCE_FILTERED;
	assert_non_null(strstr(test_stderr(end_pass, NULL), "service:read and node:read"));
	assert_string_equal(test_stderr(end_pass, NULL), "");
}

static void end_held(void *ctx)
{
	(void)ctx;
	k.is_busy = true;
	k.r.out.result = RECONCILE_HELD;
	managed_end(&k, NOW + 300000);
}

/* So is another number that is held, and another reason. */
static void test_what_is_held_is_news(void **state)
{
	(void)state;
	settle();
	k.r.out.plan.n[OP_HOLD] = 1;
	k.r.out.plan.held_why = "why";
	assert_string_not_equal(test_stderr(end_held, NULL), "");
	assert_string_equal(test_stderr(end_held, NULL), "");
	k.r.out.plan.n[OP_HOLD] = 2;
	assert_string_not_equal(test_stderr(end_held, NULL), "");
	assert_string_equal(test_stderr(end_held, NULL), "");
	k.r.out.plan.held_why = "another";
	assert_string_not_equal(test_stderr(end_held, NULL), "");
	assert_string_equal(test_stderr(end_held, NULL), "");
}

/* So is the first pass, the one after a failure, and every write. */
static void test_what_is_done_is_news(void **state)
{
	(void)state;
	settle();
	k.has_synced = false;
	assert_string_not_equal(test_stderr(end_pass, NULL), "");
	assert_string_equal(test_stderr(end_pass, NULL), "");
	k.state = STATUS_FAILING;
	assert_string_not_equal(test_stderr(end_pass, NULL), "");
	assert_false(k.has_changed);
	for (int i = OP_CREATE; i <= OP_DELETE; i++) {
		memset(k.r.out.done_n, 0, sizeof k.r.out.done_n);
		k.r.out.done_n[i] = 1;
		k.has_changed = false;
		k.changed_sec = 0;
		CHECK(*test_stderr(end_pass, NULL), "%d: not said", i);
		CHECK(k.has_changed && k.changed_sec > 0, "%d: not changed", i);
	}
}

/* Before its first pass a name is behind since it is kept. */
static void test_at_the_begin(void **state)
{
	(void)state;
	assert_true(k.is_unconverged && k.is_dirty);
	assert_int_equal(k.unconverged_ms, NOW);
	assert_int_equal(k.state, STATUS_WAITING);
	k.state = STATUS_IN_SYNC;
	managed_drop(&k, NOW + 5);
	assert_int_equal(k.state, STATUS_WAITING);
	assert_int_equal(k.state_ms, NOW + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_left_out_is_news, set_up),
		cmocka_unit_test_setup(test_what_is_held_is_news, set_up),
		cmocka_unit_test_setup(test_what_is_done_is_news, set_up),
		cmocka_unit_test_setup(test_at_the_begin, set_up),
		cmocka_unit_test_setup(test_waits_for_the_first_answer, set_up),
		cmocka_unit_test(test_due),
		cmocka_unit_test_setup(test_unconverged_since_the_first_news, set_up),
		cmocka_unit_test(test_held),
		cmocka_unit_test_setup(test_called_off, set_up),
		cmocka_unit_test_setup(test_dropped, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
