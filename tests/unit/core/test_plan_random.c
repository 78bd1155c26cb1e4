/*
 * Properties of a plan over many random inputs, carried out transaction by transaction: add before
 * remove (I1), never dark (I2), exact (I3), quiet (I4), ours only (I6), evidence (I7), and that it
 * ends with what is wanted.
 */
#include "support.h"

#include "core/plan.h"

#define SEED 0x5eed2015u
#define ROUNDS 30000
#define MANY 64

static const size_t caps[] = {1, 2, 3, 7, 200};

/* A small world: the records of one name. */
struct names {
	struct record r[MANY * 2];
	size_t n;
	unsigned next_id;
};

struct input {
	struct target want[MANY];
	size_t want_n;
	struct names have;
	struct job job;
	const char *not_evidence;
};

static const char *const hosts[] = {"a.example.net", "b.example.net", "c.example.net"};

static struct target random_target(uint32_t *seed, bool is_host)
{
	struct target t = {.type = RECORD_A};

	if (is_host)
		return (struct target){.type = RECORD_CNAME, .host = hosts[test_random_below(seed, COUNT(hosts))]};
	if (test_random_below(seed, 3) == 0) {
		t.type = RECORD_AAAA;
		t.addr[0] = 0x20;
		t.addr[15] = (unsigned char)test_random_below(seed, 6);
	} else {
		t.addr[0] = test_random_below(seed, 5) ? 8 : 10; /* now and then a private one */
		t.addr[3] = (unsigned char)test_random_below(seed, 8);
	}
	return t;
}

static void add_record(struct names *names, const struct target *t, uint32_t ttl, bool proxied)
{
	struct record *r = &names->r[names->n++];

	assert_true(names->n <= COUNT(names->r));
	*r = (struct record){.target = *t, .ttl = ttl, .proxied = proxied, .is_ours = true, .state = INSTANCE_VANISHED};
	(void)snprintf(r->id, sizeof r->id, "%08x", (names->next_id++ * 2654435761u));
}

static void make_input(struct input *in, uint32_t *seed)
{
	bool want_host = test_random_below(seed, 4) == 0, have_host = test_random_below(seed, 4) == 0;
	size_t want_n = test_random_below(seed, 10), have_n = test_random_below(seed, 14);
	static const uint32_t ttls[] = {1, 60, 300};

	*in = (struct input){
		.job =
			{
				.types = JOB_TYPES,
				.name = "www.example.com",
				.ttl = ttls[test_random_below(seed, 3)],
				.proxied = (enum proxied)test_random_below(seed, 3),
				.on_empty = (enum on_empty)test_random_below(seed, 2),
				.min_records = test_random_below(seed, 5),
			},
		.not_evidence = test_random_below(seed, 5) ? NULL : "because",
	};
	if (want_host && want_n > 1)
		want_n = 1;
	if (have_host && have_n > 1)
		have_n = 1;
	for (; in->want_n < want_n; in->want_n++)
		in->want[in->want_n] = random_target(seed, want_host);
	for (size_t i = 0; i < have_n; i++) {
		struct target t = random_target(seed, have_host);
		struct record *r = &in->have.r[in->have.n];

		add_record(&in->have, &t, ttls[test_random_below(seed, 3)], test_random_below(seed, 4) == 0);
		r->is_ours = test_random_below(seed, 8) != 0;
		r->state = (enum instance_state)test_random_below(seed, INSTANCE_STATES);
	}
}

static size_t count_target(const struct names *names, const struct target *t)
{
	size_t n = 0;

	for (size_t i = 0; i < names->n; i++)
		n += target_compare(&names->r[i].target, t) == 0;
	return n;
}

static bool has_all(const struct names *names, const struct target *want, size_t want_n)
{
	for (size_t i = 0; i < want_n; i++)
		if (!count_target(names, &want[i]))
			return false;
	return true;
}

static struct record *find(struct names *names, const struct record *like)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->r[i].id, like->id) == 0 && target_compare(&names->r[i].target, &like->target) == 0)
			return &names->r[i];
	fail_msg("a write to the record %s that is not there", like->id);
	return NULL;
}

static void apply_op(struct names *names, const struct op *op)
{
	struct record *r;

	switch (op->kind) {
	case OP_CREATE: add_record(names, op->target, op->ttl, op->proxied); break;
	case OP_UPDATE:
		r = find(names, op->record);
		assert_true(r->is_ours);
		r->target = *op->target;
		r->ttl = op->ttl;
		r->proxied = op->proxied;
		break;
	case OP_DELETE:
		r = find(names, op->record);
		assert_true(r->is_ours);
		*r = names->r[--names->n];
		break;
	case OP_HOLD:
	default: fail_msg("held, and picked all the same");
	}
}

/* As the API carries a batch out: deletes, patches, posts; nobody sees what lies between. */
static bool apply_batch(struct names *names, struct op **picked, size_t n)
{
	static const enum op_kind order[] = {OP_DELETE, OP_UPDATE, OP_CREATE};
	bool deletes = false;

	for (size_t k = 0; k < COUNT(order); k++)
		for (size_t i = 0; i < n; i++)
			if (picked[i]->kind == order[k]) {
				apply_op(names, picked[i]);
				deletes |= order[k] == OP_DELETE;
				picked[i]->is_done = true;
			}
	return deletes;
}

/* No two types that exclude each other, and no CNAME twice. */
static bool is_sound(const struct names *names)
{
	size_t hosts_n = 0;

	for (size_t i = 0; i < names->n; i++)
		hosts_n += names->r[i].target.type == RECORD_CNAME;
	return !hosts_n || names->n == 1;
}

static size_t count_foreign(const struct names *names)
{
	size_t n = 0;

	for (size_t i = 0; i < names->n; i++)
		n += !names->r[i].is_ours;
	return n;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void run_plan(const struct input *in, struct plan *p, struct names *names, const struct target *want, size_t want_n,
		     size_t cap)
{
	size_t start_n = names->n, foreign_n = count_foreign(names), writes = 0, n;
	bool was_swap = p->is_swap, empties = !want_n && in->job.on_empty == ON_EMPTY_REMOVE;
	size_t floor = was_swap ? 1 : least(in->job.min_records, start_n);
	struct op *picked[200];

	while ((n = plan_pick(p, picked, cap)) > 0) {
		bool had_all = has_all(names, want, want_n);
		bool deletes = apply_batch(names, picked, n);

		CHECK(++writes < 200, "it does not end");
		CHECK(!deletes || had_all || was_swap, "I1: removed before all was added");
		CHECK(names->n >= least(floor, start_n) || empties, "I2: %zu left", names->n);
		CHECK(is_sound(names), "a CNAME beside something");
		CHECK(count_foreign(names) == foreign_n, "I6");
	}
	if (was_swap && cap == 1) /* a swap is two ops at least: it stops, the name not dark */
		return;
	CHECK(plan_is_done(p), "stopped before the end");
	CHECK(names->n >= least(in->job.min_records, start_n) || empties, "I2 at the end");
}

static bool is_swap_held(const struct plan *p, const struct names *names, const struct target *want, size_t want_n)
{
	return p->n[OP_HOLD] && want_n && names->n && (names->r[0].target.type == RECORD_CNAME || want[0].type == RECORD_CNAME);
}

/* After a plan that held nothing the records are what is wanted, once each, and ours as policy has it. */
static void check_end(const struct input *in, const struct plan *p, const struct names *names, const struct target *want,
		      size_t want_n)
{
	CHECK(has_all(names, want, want_n) || is_swap_held(p, names, want, want_n), "something that is wanted is absent");
	for (size_t i = 0; i < names->n; i++) {
		const struct record *r = &names->r[i];
		bool is_wanted = false, proxied;

		for (size_t k = 0; k < want_n; k++)
			is_wanted |= target_compare(&r->target, &want[k]) == 0;
		if (!r->is_ours || p->n[OP_HOLD])
			continue;
		CHECK(is_wanted, "something is left that nobody wants");
		proxied = in->job.proxied == PROXIED_ON && target_can_be_proxied(&r->target);
		CHECK(in->job.proxied == PROXIED_KEEP || r->proxied == proxied, "proxied");
		CHECK(r->ttl == (r->proxied ? 1 : in->job.ttl), "ttl %u", (unsigned)r->ttl);
	}
}

static bool has_excuse(const struct input *in)
{
	for (size_t i = 0; i < in->have.n; i++)
		if (!in->have.r[i].is_ours)
			return true;
	return false;
}

static void plan_again(const struct input *in, const struct plan *first, struct names *names, struct target *want, size_t want_n)
{
	static struct op ops[MANY * 3];
	struct plan p = {.ops = ops, .ops_cap = COUNT(ops)};
	struct plan_input input = {
		.want = want,
		.want_n = want_n,
		.have = names->r,
		.have_n = names->n,
		.job = &in->job,
		.not_evidence = in->not_evidence,
	};
	struct err e = {0};

	CHECK(plan_build(&p, &input, &e) == 0, "the second plan: %s", e.text);
	CHECK(plan_is_done(&p), "I4: a second plan writes");
	CHECK(p.n[OP_HOLD] == first->n[OP_HOLD], "held %zu, then %zu", first->n[OP_HOLD], p.n[OP_HOLD]);
}

static void check_one(uint32_t *seed, size_t cap, size_t *planned)
{
	static struct op ops[MANY * 3];
	static struct record have[MANY];
	static struct input in;
	struct target want[MANY];
	struct plan p = {.ops = ops, .ops_cap = COUNT(ops)};
	struct plan_input input = {.want = want, .have = have, .job = &in.job};
	struct err e = {0};

	make_input(&in, seed);
	input.want_n = in.want_n;
	input.have_n = in.have.n;
	input.not_evidence = in.not_evidence;
	memcpy(want, in.want, sizeof want);
	memcpy(have, in.have.r, sizeof have);
	if (plan_build(&p, &input, &e)) {
		assert_int_equal(e.kind, ERR_REFUSED);
		assert_true(has_excuse(&in));
		return;
	}
	++*planned;
	CHECK(!plan_needs_evidence(&p) || !in.not_evidence, "I7: removes without evidence");
	run_plan(&in, &p, &in.have, want, input.want_n, cap);
	if (cap == 1 && p.is_swap)
		return;
	if (p.is_partial) {
		input.want = want;
		input.have = in.have.r;
		input.have_n = in.have.n;
		assert_int_equal(plan_build(&p, &input, &e), 0);
		CHECK(!p.is_partial || p.n[OP_HOLD], "twice partial");
		run_plan(&in, &p, &in.have, want, input.want_n, cap);
	}
	check_end(&in, &p, &in.have, want, input.want_n);
	if (!p.n[OP_HOLD] || in.not_evidence)
		plan_again(&in, &p, &in.have, want, input.want_n);
}

static void test_properties(void **state)
{
	uint32_t seed = SEED;

	(void)state;
	print_message("seed %#x\n", (unsigned)seed);
	for (size_t c = 0; c < COUNT(caps); c++) {
		size_t planned = 0;

		for (int i = 0; i < ROUNDS; i++)
			check_one(&seed, caps[c], &planned);
		assert_true(planned > ROUNDS / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
