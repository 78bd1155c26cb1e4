/* engine/apply: which write comes next, and what a refusal means for the others. */
#include "support.h"

#include "base/log.h"
#include "core/spec.h"
#include "engine/apply.h"

static struct apply a;
static struct observe o;
static struct record have[RECORDS_MAX];
static struct target want[8];
static struct target_hosts hosts;
static struct op ops[16];
static struct err refusal;
static struct target_hosts texts;
static struct cf_part part;
static struct op *picked[CF_BATCH_MAX];
static struct plan plan;
static struct job job;

static int set_up(void **state)
{
	(void)state;
	log_setup(LOG_LOGFMT, LOG_LEVELS);
	job = (struct job){.types = JOB_TYPES, .name = "www.example.com", .ttl = 60, .min_records = 1};
	observe_init(&o, &job, have, &texts, false);
	o.has_list = true;
	apply_start(&a, &job, &refusal);
	return 0;
}

static void build(const char *wanted, const char *there)
{
	struct plan_input in = {.want = want, .have = have, .job = &job};
	struct err e;

	hosts.len = 0;
	in.want_n = spec_targets(wanted, want, &hosts);
	in.have_n = o.list.records_n = spec_records(there, have, &hosts);
	plan = (struct plan){.ops = ops, .ops_cap = COUNT(ops)};
	assert_int_equal(plan_build(&plan, &in, &e), 0);
}

static enum apply_next refuse(enum cf_meaning meaning)
{
	struct err e = {.kind = ERR_REFUSED, .text = "refused"};

	return apply_refused(&a, &plan, &o, &part, meaning, &e);
}

/* What comes next; when it is a write, part holds it. */
static enum apply_next next(void)
{
	enum apply_next next = apply_next(&a, &plan);

	if (next == APPLY_WRITE)
		apply_fill(&a, &plan, &o, &part, picked, COUNT(picked));
	return next;
}

/* The write that is offered: "+1.1.1.1/60", in [] when it is a single call. */
static const char *offered(void)
{
	static char text[1024];
	struct op copy[16];
	struct plan view = {.ops = copy};
	size_t len = 0;

	assert_int_equal(next(), APPLY_WRITE);
	view.ops_n = part.ops_n;
	for (size_t i = 0; i < part.ops_n; i++)
		copy[i] = *part.ops[i];
	if (a.is_single)
		text[len++] = '[';
	spec_plan(&view, text + len, sizeof text - len - 2);
	if (a.is_single)
		strcat(text, "]");
	return text;
}

static void carry_out(void)
{
	for (size_t i = 0; i < part.ops_n; i++)
		part.ops[i]->is_done = true;
	apply_written(&a, &o, &part);
}

static void test_additions_then_removals(void **state)
{
	(void)state;
	build("1.1.1.1 1.1.1.2", "a=1.1.1.3/60");
	assert_int_equal(next(), APPLY_WRITE);
	assert_string_equal(offered(), "+1.1.1.1/60 +1.1.1.2/60");
	carry_out();
	assert_int_equal(next(), APPLY_WRITE);
	assert_string_equal(offered(), "-a");
	carry_out();
	assert_string_equal(have[0].id, "");
	assert_int_equal(next(), APPLY_END);
	assert_true(apply_is_clean(&a) && o.has_list);
}

/* First a new listing, then one by one; what is refused then is left, and nothing is removed. */
static void test_refused_batches(void **state)
{
	(void)state;
	build("1.1.1.1 1.1.1.2", "a=1.1.1.3/60");
	assert_int_equal(next(), APPLY_WRITE);
	assert_int_equal(refuse(CF_REFUSED), APPLY_LIST);
	assert_true(apply_is_clean(&a));
	assert_int_equal(next(), APPLY_WRITE);
	assert_string_equal(offered(), "+1.1.1.1/60 +1.1.1.2/60");
	assert_int_equal(refuse(CF_REFUSED), APPLY_WRITE);
	assert_string_equal(offered(), "[+1.1.1.1/60]");
	assert_int_equal(refuse(CF_IN_THE_WAY), APPLY_WRITE);
	assert_string_equal(a.refusal->text, "another record of www.example.com is in the way: refused");
	assert_string_equal(offered(), "[+1.1.1.2/60]");
	carry_out();
	assert_int_equal(next(), APPLY_END);
	assert_int_equal(a.refused_n, 1);
	assert_false(apply_is_clean(&a));
	/* A new try knows nothing of it. */
	apply_start(&a, &job, &refusal);
	assert_true(apply_is_clean(&a));
	assert_int_equal(next(), APPLY_WRITE);
	assert_string_equal(offered(), "-a");
}

/* What each meaning leads to, for a create, an update, a delete by themselves. */
static const struct {
	const char *wanted, *there;
	enum cf_meaning meaning;
	enum apply_next next;
	bool is_refused, is_stale;
} singles[] = {
	{"1.1.1.1", "", CF_REFUSED, APPLY_END, true, false},
	{"1.1.1.1", "", CF_QUOTA, APPLY_END, true, false},
	{"1.1.1.1", "", CF_IN_THE_WAY, APPLY_END, true, false},
	{"1.1.1.1", "", CF_EXISTS, APPLY_LIST, false, false},
	{"1.1.1.1", "a=1.1.1.1/300", CF_GONE, APPLY_LIST, false, false},
	{"1.1.1.1", "a=1.1.1.1/300", CF_EXISTS, APPLY_LIST, false, false},
	{"1.1.1.1", "a=1.1.1.1/300", CF_REFUSED, APPLY_END, true, false},
	{"1.1.1.1", "a=1.1.1.1/60 b=1.1.1.2/60", CF_GONE, APPLY_END, false, false},
	{"1.1.1.1", "a=1.1.1.1/60 b=1.1.1.2/60", CF_REFUSED, APPLY_END, true, false},
};

static void test_refused_singles(void **state)
{
	for (size_t i = 0; i < COUNT(singles); i++) {
		(void)set_up(state);
		a.is_single = true;
		a.rounds = 1;
		build(singles[i].wanted, singles[i].there);
		assert_int_equal(next(), APPLY_WRITE);
		CHECK(refuse(singles[i].meaning) == singles[i].next, "case %zu", i);
		CHECK((a.refused_n != 0) == singles[i].is_refused && a.has_stale_list == singles[i].is_stale, "case %zu", i);
		/* In the last round a new listing is no way out. */
		if (singles[i].next != APPLY_LIST)
			continue;
		a.rounds = APPLY_ROUNDS_MAX;
		build(singles[i].wanted, singles[i].there);
		assert_int_equal(next(), APPLY_WRITE);
		CHECK(refuse(singles[i].meaning) == APPLY_END && a.has_stale_list, "case %zu", i);
	}
}

static void test_a_refused_swap_fails(void **state)
{
	(void)state;
	build("lb.example.net", "a=1.1.1.1/60");
	a.rounds = 1;
	assert_int_equal(next(), APPLY_WRITE);
	assert_int_equal(refuse(CF_REFUSED), APPLY_FAIL);
}

/* The duplicate is gone, and now its twin can be changed: that is another plan. */
static void test_a_plan_that_wants_another(void **state)
{
	(void)state;
	build("1.1.1.1", "a=1.1.1.1/300 b=1.1.1.1/300");
	assert_int_equal(next(), APPLY_WRITE);
	assert_string_equal(offered(), "-a");
	carry_out();
	assert_int_equal(next(), APPLY_LIST);
}

/* Without room for what was created, the records have to be listed anew. */
static void test_no_room(void **state)
{
	(void)state;
	build("1.1.1.1", "");
	o.list.records_n = RECORDS_MAX;
	assert_int_equal(next(), APPLY_WRITE);
	assert_null(part.created);
	carry_out();
	assert_false(o.has_list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_additions_then_removals, set_up),
		cmocka_unit_test_setup(test_refused_batches, set_up),
		cmocka_unit_test(test_refused_singles),
		cmocka_unit_test_setup(test_a_refused_swap_fails, set_up),
		cmocka_unit_test_setup(test_a_plan_that_wants_another, set_up),
		cmocka_unit_test_setup(test_no_room, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
