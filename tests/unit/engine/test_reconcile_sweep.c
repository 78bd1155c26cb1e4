/*
 * Every fault at every call: whatever goes wrong and wherever, the scene checks add before remove
 * (I1), never dark (I2), exact (I3) and ours only (I6) at each write; in the end the records are
 * what is wanted (I5), and one more run writes nothing (I4). Then the same with random inputs.
 */
#include "support.h"

#include "engine/scene.h"
#include "core/spec.h"

#define SEED 0xc0ffee11u
#define RANDOM_RUNS 4000

static struct scene s;

static const struct {
	const char *listed, *have;
} pairs[] = {
	{"1.1.1.1", ""},
	{"1.1.1.1 1.1.1.2", "zz=1.1.1.1/60 aa=1.1.1.9/60"},
	{"1.1.1.1 1.1.1.2 1.1.1.3", "a=9.9.9.1/60 b=9.9.9.2/60 c=9.9.9.3/60"},
	{"1.1.1.1", "a=1.1.1.1/300 b=1.1.1.1/60 c=9.9.9.2/60"},
	{"1.1.1.1 2001:db8::1", "a=2001:db8::2/60 b=1.1.1.1/60 f=9.9.9.9/60/f"},
	{"lb.example.net", "a=1.1.1.1/60 b=1.1.1.2/60"},
	{"1.1.1.1 1.1.1.2", "a=lb.example.net/60"},
	{"new.example.net", "a=old.example.net/60"},
	{"1.1.1.1", "a=1.1.1.1/60"},
	{"1.1.1.1/c 1.1.1.2", "a=1.1.1.1/60"},
};

/* What a run alone gets over, without a second one. */
static bool is_passing_fault(enum scene_fault fault)
{
	return fault == SCENE_LOST_BEFORE || fault == SCENE_LOST_AFTER || fault == SCENE_GARBAGE || fault == SCENE_DEATH_BEFORE ||
	       fault == SCENE_DEATH_AFTER;
}

static void tell(const char *what, size_t i, unsigned at)
{
	fail_msg("%s: case %zu, fault %d at call %u, %u times: %s\nrecords: %s", what, i, s.fault, at, s.fault_n, s.story,
		 scene_records(&s));
}

/* No more faults: it comes right, and stays quiet. */
static void settle(size_t i, unsigned at)
{
	enum scene_fault fault = s.fault;

	s.fault_at = 0;
	if (scene_run(&s)->out.result != RECONCILE_DONE || !scene_is_right(&s))
		tell("I5", i, at);
	if (scene_run(&s)->out.result != RECONCILE_DONE || s.writes)
		tell("I4", i, at);
	s.fault = fault;
}

static void run_with_fault(size_t i, enum scene_fault fault, unsigned at, unsigned n, bool batches)
{
	const struct reconcile *r;

	scene_init(&s, pairs[i].listed, pairs[i].have);
	s.fault = fault;
	s.fault_at = at;
	s.fault_n = n;
	s.refuses_batches = !batches;
	r = scene_run(&s);
	if (is_passing_fault(fault) && batches && (r->out.result != RECONCILE_DONE || !scene_is_right(&s)))
		tell("not in one run", i, at);
	s.refuses_batches = false;
	settle(i, at);
}

static unsigned count_calls(size_t i, bool batches)
{
	scene_init(&s, pairs[i].listed, pairs[i].have);
	s.refuses_batches = !batches;
	(void)scene_run(&s);
	return s.calls;
}

static void sweep(unsigned n, bool batches)
{
	for (size_t i = 0; i < COUNT(pairs); i++) {
		unsigned calls = count_calls(i, batches);

		assert_true(calls >= 2);
		for (int fault = SCENE_NO_FAULT; fault < SCENE_FAULTS; fault++)
			for (unsigned at = 1; at <= calls + 1; at++)
				run_with_fault(i, (enum scene_fault)fault, at, n, batches);
	}
}

static void test_one_fault(void **state)
{
	(void)state;
	sweep(1, true);
}

static void test_faults_in_a_row(void **state)
{
	(void)state;
	sweep(2, true);
	sweep(3, true);
}

static void test_faults_among_singles(void **state)
{
	(void)state;
	sweep(1, false);
	sweep(2, false);
}

/* ---- random ---- */

static void random_records(uint32_t *seed)
{
	size_t n = test_random_below(seed, 8);
	char text[64];

	if (test_random_below(seed, 6) == 0) {
		(void)snprintf(text, sizeof text, "x=h%u.example.net/60", test_random_below(seed, 3));
		s.records_n = spec_records(text, s.records, &s.hosts);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text, sizeof text, "r%zu=1.1.1.%u/%u%s", i, (unsigned)test_random_below(seed, 9),
			       test_random_below(seed, 3) ? 60 : 300, test_random_below(seed, 9) ? "" : "/f");
		s.records_n += spec_records(text, s.records + s.records_n, &s.hosts);
	}
}

static void random_listed(uint32_t *seed)
{
	size_t n = 1 + test_random_below(seed, 7);
	char text[64];

	if (test_random_below(seed, 6) == 0) {
		(void)snprintf(text, sizeof text, "h%u.example.net", test_random_below(seed, 3));
		s.listed[0].state = INSTANCE_PASSING;
		s.listed_n = spec_targets(text, &s.listed[0].target, &s.hosts);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text, sizeof text, "1.1.1.%u", (unsigned)test_random_below(seed, 9));
		s.listed[i].state = i ? (enum instance_state)test_random_below(seed, INSTANCE_STATES) : INSTANCE_PASSING;
		s.listed_n += spec_targets(text, &s.listed[i].target, &s.hosts);
	}
}

static bool has_foreign(void)
{
	for (size_t i = 0; i < s.records_n; i++)
		if (!s.records[i].is_ours)
			return true;
	return false;
}

static void random_fault(uint32_t *seed)
{
	s.fault = (enum scene_fault)test_random_below(seed, SCENE_FAULTS);
	s.fault_at = 1 + test_random_below(seed, 10);
	s.fault_n = 1 + test_random_below(seed, 3);
	s.refuses_batches = test_random_below(seed, 8) == 0;
	s.refuses_singles_of_kind[OP_CREATE] = test_random_below(seed, 8) == 0;
	s.bad = test_random_below(seed, 6) ? NULL : "1.1.1.4";
	s.late = test_random_below(seed, 6) ? NULL : "late=1.1.1.3/60";
}

static void calm(void)
{
	s.fault_at = 0;
	s.refuses_batches = s.refuses_singles_of_kind[OP_CREATE] = false;
	s.bad = s.late = NULL;
}

static void test_random_sweep(void **state)
{
	uint32_t seed = SEED;

	(void)state;
	print_message("seed %#x\n", (unsigned)seed);
	for (size_t i = 0; i < RANDOM_RUNS; i++) {
		scene_init(&s, "", "");
		random_records(&seed);
		random_listed(&seed);
		for (int k = 0; k < 3; k++) {
			random_fault(&seed);
			if (s.records_n && s.records[0].target.type == RECORD_CNAME)
				s.late = NULL; /* the API would not let it in */
			(void)scene_run(&s);
			/* Consul may list others by the next run. */
			if (test_random_below(&seed, 2)) {
				s.listed_n = 0;
				random_listed(&seed);
			}
		}
		calm();
		if (!has_foreign())
			settle(i, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_fault),
		cmocka_unit_test(test_faults_in_a_row),
		cmocka_unit_test(test_faults_among_singles),
		cmocka_unit_test(test_random_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
