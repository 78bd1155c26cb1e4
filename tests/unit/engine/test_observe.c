/* engine/observe: the best state of a target, who lingers, gaps that deletes left. */
#include "support.h"

#include "base/clock.h"
#include "engine/observe.h"
#include "core/spec.h"

static struct observe o;
static struct observe_storage storage;
static struct record have[RECORDS_MAX];
static struct target_hosts texts;
static struct job job;

static int set_up(void **state)
{
	(void)state;
	memset(have, 0, 8 * sizeof have[0]);
	job = (struct job){.types = JOB_TYPES, .name = "www.example.com", .grace_ms = 1000};
	observe_init(&o, &job, have, &texts, true);
	o.storage = &storage;
	storage.view.listed = storage.listed;
	return 0;
}

/* An answer of Consul. */
static void list(const char *targets, const enum instance_state *states)
{
	struct target parsed[8];

	storage.view.hosts.len = 0;
	storage.view.listed_n = storage.view.count.instances_n = spec_targets(targets, parsed, &storage.view.hosts);
	for (size_t i = 0; i < storage.view.listed_n; i++)
		storage.view.listed[i] = (struct endpoint){.state = states[i], .target = parsed[i]};
	consul_view_sort(&storage.view);
	observe_answer(&o, &storage.view);
}

static void records(const char *text)
{
	o.list.records_n = spec_records(text, have, NULL);
	o.has_list = true;
}

/* Several instances of one address: the best of them counts, and it is wanted once. */
static void test_the_best_state_counts(void **state)
{
	static const enum instance_state states[] = {INSTANCE_WARNING, INSTANCE_PASSING, INSTANCE_MAINTENANCE, INSTANCE_CRITICAL};

	(void)state;
	list("1.1.1.3 1.1.1.1 1.1.1.2 1.1.1.1", states);
	records("a=1.1.1.1/60 b=1.1.1.2/60 c=1.1.1.3/60 d=1.1.1.4/60");
	observe_states(&o, &storage.view);
	assert_int_equal(o.want_n, 1);
	assert_int_equal(have[0].state, INSTANCE_PASSING);
	assert_int_equal(have[1].state, INSTANCE_MAINTENANCE);
	assert_int_equal(have[2].state, INSTANCE_WARNING);
	assert_int_equal(have[3].state, INSTANCE_VANISHED);
}

/* A host name that is the record's own is no address, for this record alone. */
static void test_its_own_name(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING, INSTANCE_PASSING, INSTANCE_PASSING};

	(void)state;
	list("1.1.1.1 www.example.com WWW.Example.Com.", states);
	assert_int_equal(o.want_n, 1);
	assert_int_equal(storage.want[0].type, RECORD_A);
	assert_int_equal(o.count.unaddressed_n, 2);
	assert_string_equal(o.count.unaddressed, "www.example.com is the record's own name");
	assert_int_equal(o.types, RECORD_BIT(RECORD_A));
	/* What was told first stays. */
	storage.view.count.unaddressed_n = 1;
	strcpy(storage.view.count.unaddressed, "web-1: no address");
	list("1.1.1.1 www.example.com", states);
	assert_int_equal(o.count.unaddressed_n, 2);
	assert_string_equal(o.count.unaddressed, "web-1: no address");
	storage.view.count.unaddressed_n = 0;
	strcpy(job.name, "api.example.com");
	list("www.example.com", states);
	assert_int_equal(o.want_n, 1);
	list("1.1.1.1", states);
	assert_int_equal(o.count.unaddressed_n, 0);
}

/* The service's types, in whatever state; not those that exclude what is wanted. */
static void test_types(void **state)
{
	static const struct {
		const char *listed;
		enum instance_state states[2];
		unsigned types;
	} cases[] = {
		{"1.1.1.1 2001:db8::1", {INSTANCE_PASSING, INSTANCE_PASSING}, RECORD_BIT(RECORD_A) | RECORD_BIT(RECORD_AAAA)},
		{"1.1.1.1 2001:db8::1", {INSTANCE_PASSING, INSTANCE_CRITICAL}, RECORD_BIT(RECORD_A) | RECORD_BIT(RECORD_AAAA)},
		{"1.1.1.1 2001:db8::1", {INSTANCE_MAINTENANCE, INSTANCE_CRITICAL}, RECORD_BIT(RECORD_A) | RECORD_BIT(RECORD_AAAA)},
		{"1.1.1.1 lb.example.net", {INSTANCE_PASSING, INSTANCE_CRITICAL}, RECORD_BIT(RECORD_A)},
		{"1.1.1.1 lb.example.net", {INSTANCE_CRITICAL, INSTANCE_PASSING}, RECORD_BIT(RECORD_CNAME)},
		{"lb.example.net", {INSTANCE_CRITICAL}, RECORD_BIT(RECORD_CNAME)},
		{"", {0}, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		list(cases[i].listed, cases[i].states);
		CHECK(o.types == cases[i].types, "%s: %x", cases[i].listed, o.types);
	}
}

/* They follow the service from answer to answer: what is remembered is judged anew. */
static void test_whose_records(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING};

	(void)state;
	records("a=2001:db8::1/60/u b=1.1.1.1/60/f c=2001:db8::2/60");
	list("1.1.1.1", states);
	observe_states(&o, &storage.view);
	assert_true(!have[0].is_ours && !have[1].is_ours && have[2].is_ours);
	list("2001:db8::3", states);
	observe_states(&o, &storage.view);
	assert_true(have[0].is_ours && !have[1].is_ours && have[2].is_ours);
	list("lb.example.net", states);
	observe_states(&o, &storage.view);
	assert_true(!have[0].is_ours && !have[1].is_ours && have[2].is_ours);
}

/* Who lingers: critical and vanished; not who asked to go, not a foreign one, not beside a CNAME. */
static void test_who_lingers(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING, INSTANCE_CRITICAL, INSTANCE_MAINTENANCE};

	(void)state;
	list("1.1.1.1 1.1.1.2 1.1.1.3", states);
	records("a=1.1.1.1/60 b=1.1.1.2/60 c=1.1.1.3/60 d=1.1.1.4/60 e=1.1.1.5/60/f");
	observe_states(&o, &storage.view);
	assert_int_equal(observe_targets(&o, 5000), 3);
	assert_int_equal(o.linger_ms, 6000);
	assert_false(have[4].is_leaving);
	assert_int_equal(observe_targets(&o, 6000), 1);
	assert_int_equal(o.linger_ms, CLOCK_NEVER);
}

static void test_without_grace_nobody_lingers(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING, INSTANCE_CRITICAL};

	(void)state;
	o.has_grace = false;
	list("1.1.1.1 1.1.1.2", states);
	records("a=1.1.1.1/60 b=1.1.1.2/60");
	observe_states(&o, &storage.view);
	assert_int_equal(observe_targets(&o, 5000), 1);
	assert_int_equal(o.linger_ms, CLOCK_NEVER);
}

static void test_nothing_lingers_beside_a_cname(void **state)
{
	static const enum instance_state states[] = {INSTANCE_PASSING};

	(void)state;
	list("lb.example.net", states);
	records("a=1.1.1.1/60");
	observe_states(&o, &storage.view);
	assert_int_equal(observe_targets(&o, 5000), 1);
	assert_int_equal(o.linger_ms, CLOCK_NEVER);
}

/* A name has one CNAME and nothing beside it: what is wanted of what is listed, and how many are left out. */
static const struct {
	const char *listed, *wanted;
	size_t left_out_n;
	const char *first;
} mixed[] = {
	{"1.1.1.1 lb.example.net", "1.1.1.1", 1, "lb.example.net: "},
	{"lb.example.net 1.1.1.2 1.1.1.1 lb.example.net", "1.1.1.1 1.1.1.2", 2, "lb.example.net: "},
	{"b.example.net 2001:db8::1 a.example.net", "2001:db8::1", 2, "a.example.net: "},
	{"b.example.net a.example.net", "a.example.net b.example.net", 0, ""}, /* which? the plan refuses */
	{"a.example.net a.example.net", "a.example.net", 0, ""},
	{"1.1.1.1 1.1.1.2", "1.1.1.1 1.1.1.2", 0, ""},
};

static void test_host_names_and_addresses(void **state)
{
	static const enum instance_state states[8] = {INSTANCE_PASSING, INSTANCE_PASSING, INSTANCE_PASSING, INSTANCE_PASSING};
	static struct target_hosts hosts;

	for (size_t i = 0; i < COUNT(mixed); i++) {
		struct target wanted[8];
		size_t wanted_n;

		(void)set_up(state);
		storage.view.count = (struct instance_counts){0};
		hosts.len = 0;
		wanted_n = spec_targets(mixed[i].wanted, wanted, &hosts);
		list(mixed[i].listed, states);
		CHECK(o.want_n == wanted_n, "%s: %zu wanted", mixed[i].listed, o.want_n);
		for (size_t k = 0; k < wanted_n; k++)
			CHECK(target_compare(&storage.want[k], &wanted[k]) == 0, "%s", mixed[i].listed);
		CHECK(o.count.unaddressed_n == mixed[i].left_out_n, "%s: %zu", mixed[i].listed, o.count.unaddressed_n);
		CHECK(strncmp(o.count.unaddressed, mixed[i].first, strlen(mixed[i].first)) == 0, "%s: %s", mixed[i].listed,
		      o.count.unaddressed);
	}
}

/* Only what is wanted crowds anything out. */
static void test_a_critical_host_name_is_in_nobodys_way(void **state)
{
	static const enum instance_state states[] = {INSTANCE_CRITICAL, INSTANCE_PASSING, INSTANCE_WARNING, INSTANCE_PASSING};

	(void)state;
	storage.view.count = (struct instance_counts){0};
	list("lb.example.net b.example.net c.example.net 1.1.1.1", states);
	assert_int_equal(o.want_n, 1);
	assert_int_equal(o.count.unaddressed_n, 1);
	assert_non_null(strstr(o.count.unaddressed, "b.example.net: "));
}

static void test_gaps_are_closed(void **state)
{
	(void)state;
	records("a=1.1.1.1/60 b=1.1.1.2/60 c=1.1.1.3/60");
	have[1].id[0] = '\0';
	observe_forget_deleted(&o);
	assert_int_equal(o.list.records_n, 2);
	assert_string_equal(have[0].id, "a");
	assert_string_equal(have[1].id, "c");
}

static void test_leaving_outlives_a_listing(void **state)
{
	struct leaving leaving[2];

	(void)state;
	records("a=1.1.1.1/60 b=1.1.1.2/60");
	have[1].is_leaving = true;
	have[1].leaving_since_ms = 77;
	assert_int_equal(observe_begin_list(&o, leaving, COUNT(leaving)), 1);
	assert_false(o.has_list);
	assert_false(o.has_list);
	assert_ptr_equal(o.list.records, have);
	o.list.records_n = spec_records("x=1.1.1.2/60 a=1.1.1.1/60", have, NULL);
	observe_end_list(&o, leaving, 1);
	assert_true(o.has_list);
	assert_true(have[0].is_leaving);
	assert_int_equal(have[0].leaving_since_ms, 77);
	assert_false(have[1].is_leaving);
}

/* What was written is what is remembered, as far as that is known. */
static void test_written(void **state)
{
	struct target_hosts hosts = {0};
	struct target t;
	struct op op;

	(void)state;
	records("a=1.1.1.1/60 b=1.1.1.2/60");
	op = (struct op){.kind = OP_UPDATE, .record = &have[1], .target = &have[1].target, .ttl = 300, .proxied = true};
	observe_written(&o, &op);
	assert_true(have[1].ttl == 300 && have[1].proxied && o.has_list);
	op = (struct op){.kind = OP_DELETE, .record = &have[0]};
	observe_written(&o, &op);
	assert_string_equal(have[0].id, "");
	assert_true(o.has_list);
	(void)spec_targets("lb.example.net", &t, &hosts);
	op = (struct op){.kind = OP_CREATE, .target = &t};
	observe_written(&o, &op);
	assert_false(o.has_list); /* its host name is the plan's */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_best_state_counts, set_up),
		cmocka_unit_test_setup(test_its_own_name, set_up),
		cmocka_unit_test_setup(test_types, set_up),
		cmocka_unit_test_setup(test_whose_records, set_up),
		cmocka_unit_test_setup(test_who_lingers, set_up),
		cmocka_unit_test_setup(test_without_grace_nobody_lingers, set_up),
		cmocka_unit_test_setup(test_nothing_lingers_beside_a_cname, set_up),
		cmocka_unit_test(test_host_names_and_addresses),
		cmocka_unit_test_setup(test_a_critical_host_name_is_in_nobodys_way, set_up),
		cmocka_unit_test_setup(test_gaps_are_closed, set_up),
		cmocka_unit_test_setup(test_leaving_outlives_a_listing, set_up),
		cmocka_unit_test_setup(test_written, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
