/* engine/observe: copies of a view, the best state of a target, gaps that deletes left. */
#include "support.h"

#include "base/clock.h"
#include "engine/observe.h"
#include "core/spec.h"

static struct reconcile r;
static struct reconcile_storage storage;
static struct record have[RECORDS_MAX];
static struct endpoint listed[8], copied[8];
static struct consul_view view = {.listed = listed}, copy = {.listed = copied};
static struct job job;

static void list(const char *targets, const enum instance_state *states)
{
	struct target parsed[8];

	view.hosts.len = 0;
	view.listed_n = view.instances_n = spec_targets(targets, parsed, &view.hosts);
	for (size_t i = 0; i < view.listed_n; i++)
		listed[i] = (struct endpoint){.state = states[i], .target = parsed[i]};
	observe_sort_view(&view);
}

static int set_up(void **state)
{
	(void)state;
	memset(&r, 0, sizeof r);
	memset(have, 0, 8 * sizeof have[0]);
	job = (struct job){.types = JOB_TYPES, .name = "www.example.com", .grace_ms = 1000};
	r.job = &job;
	r.storage = &storage;
	r.is_watch = true;
	r.have = have;
	r.list.records = have;
	return 0;
}

/* The original may be read into anew: no pointer into it is left. */
static void test_a_copy_stands_alone(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING, INSTANCE_CRITICAL};

	(void)state;
	list("b.example.net a.example.net", states);
	observe_copy_view(&copy, &view);
	memset(view.hosts.text, 'x', sizeof view.hosts.text);
	memset(listed, 0, sizeof listed);
	assert_int_equal(copy.listed_n, 2);
	assert_string_equal(copy.listed[0].target.host, "a.example.net");
	assert_int_equal(copy.listed[0].state, INSTANCE_CRITICAL);
	assert_string_equal(copy.listed[1].target.host, "b.example.net");
}

/* Several instances of one address: the best of them counts, and it is wanted once. */
static void test_the_best_state_counts(void **state)
{
	static const enum instance_state states[] = {INSTANCE_CRITICAL, INSTANCE_PASSING, INSTANCE_MAINTENANCE, INSTANCE_WARNING};

	(void)state;
	list("1.1.1.1 1.1.1.1 1.1.1.2 1.1.1.3", states);
	r.list.records_n = spec_records("a=1.1.1.1/60 b=1.1.1.2/60 c=1.1.1.3/60 d=1.1.1.4/60", have, NULL);
	observe_view(&r, &view);
	observe_states(&r);
	assert_int_equal(r.want_n, 1);
	assert_int_equal(have[0].state, INSTANCE_PASSING);
	assert_int_equal(have[1].state, INSTANCE_MAINTENANCE);
	assert_int_equal(have[2].state, INSTANCE_WARNING);
	assert_int_equal(have[3].state, INSTANCE_VANISHED);
}

/* Who lingers: critical and vanished; not who asked to go, not a foreign one, not beside a CNAME. */
static void test_who_lingers(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING, INSTANCE_CRITICAL, INSTANCE_MAINTENANCE};

	(void)state;
	list("1.1.1.1 1.1.1.2 1.1.1.3", states);
	r.list.records_n = spec_records("a=1.1.1.1/60 b=1.1.1.2/60 c=1.1.1.3/60 d=1.1.1.4/60 "
					"e=1.1.1.5/60/f",
					have, NULL);
	observe_view(&r, &view);
	observe_states(&r);
	assert_int_equal(observe_targets(&r, 5000), 3);
	assert_int_equal(r.linger_ms, 6000);
	assert_false(have[4].is_leaving);
	assert_int_equal(observe_targets(&r, 6000), 1);
	assert_int_equal(r.linger_ms, CLOCK_NEVER);
}

static void test_nothing_lingers_beside_a_cname(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING};

	(void)state;
	list("lb.example.net", states);
	r.list.records_n = spec_records("a=1.1.1.1/60", have, NULL);
	observe_view(&r, &view);
	observe_states(&r);
	assert_int_equal(observe_targets(&r, 5000), 1);
	assert_int_equal(r.linger_ms, CLOCK_NEVER);
}

static void test_gaps_are_closed(void **state)
{
	(void)state;
	r.list.records_n = spec_records("a=1.1.1.1/60 b=1.1.1.2/60 c=1.1.1.3/60", have, NULL);
	have[1].id[0] = '\0';
	observe_forget_deleted(&r);
	assert_int_equal(r.list.records_n, 2);
	assert_string_equal(have[0].id, "a");
	assert_string_equal(have[1].id, "c");
}

static void test_leaving_outlives_a_listing(void **state)
{
	(void)state;
	r.has_list = true;
	r.list.records_n = spec_records("a=1.1.1.1/60 b=1.1.1.2/60", have, NULL);
	have[1].is_leaving = true;
	have[1].leaving_since_ms = 77;
	observe_save_leaving(&r);
	r.list.records_n = spec_records("x=1.1.1.2/60 a=1.1.1.1/60", have, NULL);
	observe_restore_leaving(&r);
	assert_true(have[0].is_leaving);
	assert_int_equal(have[0].leaving_since_ms, 77);
	assert_false(have[1].is_leaving);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_copy_stands_alone, set_up),
		cmocka_unit_test_setup(test_the_best_state_counts, set_up),
		cmocka_unit_test_setup(test_who_lingers, set_up),
		cmocka_unit_test_setup(test_nothing_lingers_beside_a_cname, set_up),
		cmocka_unit_test_setup(test_gaps_are_closed, set_up),
		cmocka_unit_test_setup(test_leaving_outlives_a_listing, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
