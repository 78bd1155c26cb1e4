#include "support.h"

#include "core/plan.h"
#include "core/spec.h"

/* The settings that a plan asks for. */
struct rules {
	uint32_t ttl;
	enum proxied proxied;
	enum on_empty on_empty;
	uint32_t min_records;
	const char *not_evidence;
	unsigned types; /* 0: all of a job's */
	bool wants_none;
	unsigned brief_types;
};

/* What is not named is as sync has it by default. */
struct plan_case {
	const char *what;
	const char *want, *have, *plan;
	struct rules rules; /* ttl 0: 60 */
	size_t kept;
	const char *held; /* a piece of held_why */
	bool is_mixed;
};

static const struct plan_case cases[] = {
	/* add, keep, update, remove */
	{"nothing", .want = "1.1.1.1", .have = "a=1.1.1.1/60", .plan = "", .kept = 1},
	{"add", .want = "1.1.1.1", .have = "", .plan = "+1.1.1.1/60"},
	{"add v6", .want = "2001:db8::1", .have = "", .plan = "+2001:db8::1/60"},
	{"add host", .want = "lb.example.net", .have = "", .plan = "+lb.example.net/60"},
	{"both families", .want = "2001:db8::1 1.1.1.1", .have = "", .plan = "+1.1.1.1/60 +2001:db8::1/60"},
	{"want twice", .want = "1.1.1.1 1.1.1.1 1.1.1.1", .have = "", .plan = "+1.1.1.1/60"},
	{"the article's bug", .want = "1.1.1.1 1.1.1.2", .have = "zz=1.1.1.1/60 aa=1.1.1.9/60", .plan = "+1.1.1.2/60 -aa",
	 .kept = 1},
	{"spellings", .want = "2001:db8:0:0::1", .have = "a=2001:db8::1/60", .plan = "", .kept = 1},
	{"v4 is not v6", .want = "1.1.1.1", .have = "a=::ffff:1.1.1.1/60", .plan = "+1.1.1.1/60 -a"},

	/* ttl and proxied */
	{"ttl", .want = "1.1.1.1", .have = "a=1.1.1.1/300", .plan = "~a=1.1.1.1/60"},
	{"proxied has ttl 1", .want = "1.1.1.1", .have = "a=1.1.1.1/1/p", .plan = "", .kept = 1},
	{"proxied told another ttl", .want = "1.1.1.1", .have = "a=1.1.1.1/300/p", .plan = "~a=1.1.1.1/1p"},
	{"keep leaves proxied", .want = "1.1.1.1", .have = "a=1.1.1.1/1/p b=1.1.1.2/60", .plan = "-b", .kept = 1, .is_mixed = true},
	{"a new one is as the name", .want = "1.1.1.1 2.2.2.2", .have = "a=1.1.1.1/1/p", .plan = "+2.2.2.2/1p", .kept = 1},
	{"v6 too", .want = "1.1.1.1 2001:db8::1", .have = "a=1.1.1.1/1/p", .plan = "+2001:db8::1/1p", .kept = 1},
	{"all rotate", .want = "1.1.1.1 1.1.1.2", .have = "a=2.2.2.1/1/p b=2.2.2.2/1/p", .plan = "+1.1.1.1/1p +1.1.1.2/1p -a -b"},
	{"and are held", .want = "1.1.1.1", .have = "a=2.2.2.1/1/p", .plan = "+1.1.1.1/1p !a", .rules = {.not_evidence = "because"},
	 .held = "because"},
	{"a swap too", .want = "lb.example.net", .have = "a=1.1.1.1/1/p", .plan = "swap +lb.example.net/1p -a"},
	{"and back", .want = "1.1.1.1", .have = "a=lb.example.net/1/p", .plan = "swap +1.1.1.1/1p -a"},
	{"a private one is not", .want = "10.0.0.1 1.1.1.1", .have = "a=2.2.2.2/1/p", .plan = "+1.1.1.1/1p +10.0.0.1/60 -a"},
	{"nor has it a say", .want = "1.1.1.1 10.0.0.1 10.0.0.2", .have = "a=2.2.2.2/1/p b=10.0.0.1/60 c=10.0.0.2/60",
	 .plan = "+1.1.1.1/1p -a", .kept = 2},
	{"most are not", .want = "1.1.1.1", .have = "a=2.2.2.1/1/p b=2.2.2.2/60 c=2.2.2.3/60", .plan = "+1.1.1.1/60 -a -b -c",
	 .is_mixed = true},
	{"most are", .want = "1.1.1.1", .have = "a=2.2.2.1/60 b=2.2.2.2/1/p c=2.2.2.3/1/p", .plan = "+1.1.1.1/1p -a -b -c",
	 .is_mixed = true},
	{"as many are", .want = "1.1.1.1", .have = "a=2.2.2.1/60 b=2.2.2.2/1/p", .plan = "+1.1.1.1/1p -a -b", .is_mixed = true},
	{"mixed, and it is said", .want = "1.1.1.1", .have = "a=2.2.2.1/60 b=2.2.2.2/1/p", .plan = "+1.1.1.1/60 -a -b",
	 .rules = {.proxied = PROXIED_OFF}},
	{"a foreign one has no say", .want = "1.1.1.1", .have = "a=2.2.2.2/1/pf b=2.2.2.3/60", .plan = "+1.1.1.1/60 -b"},
	{"proxied off, new", .want = "1.1.1.1", .have = "a=2.2.2.2/1/p", .plan = "+1.1.1.1/60 -a",
	 .rules = {.proxied = PROXIED_OFF}},
	{"proxied on", .want = "1.1.1.1 2.2.2.2", .have = "a=1.1.1.1/60", .plan = "+2.2.2.2/1p ~a=1.1.1.1/1p",
	 .rules = {.proxied = PROXIED_ON}},
	{"proxied off", .want = "1.1.1.1", .have = "a=1.1.1.1/1/p", .plan = "~a=1.1.1.1/60", .rules = {.proxied = PROXIED_OFF}},
	{"private is never proxied", .want = "10.0.0.1", .have = "", .plan = "+10.0.0.1/60", .rules = {.proxied = PROXIED_ON}},
	{"private, no longer", .want = "10.0.0.1", .have = "a=10.0.0.1/1/p", .plan = "~a=10.0.0.1/60",
	 .rules = {.proxied = PROXIED_ON}},
	{"automatic", .want = "1.1.1.1", .have = "a=1.1.1.1/60", .plan = "~a=1.1.1.1/1", .rules = {.ttl = 1}},

	/* duplicates: the one of the lowest id stays */
	{"duplicate", .want = "1.1.1.1", .have = "b=1.1.1.1/60 a=1.1.1.1/60 c=1.1.1.1/60", .plan = "-b -c", .kept = 1},
	{"duplicates go first", .want = "1.1.1.1", .have = "a=1.1.1.1/60 b=1.1.1.1/60 c=0.0.0.0/60/m", .plan = "-b -c", .kept = 1},

	/* owner */
	{"foreign stays", .want = "1.1.1.1", .have = "a=1.1.1.1/60 b=9.9.9.9/60/f", .plan = "", .kept = 1},
	{"foreign of the target serves", .want = "1.1.1.1", .have = "a=1.1.1.1/300/f", .plan = "", .kept = 1},
	{"ours before the foreign", .want = "1.1.1.1", .have = "a=1.1.1.1/300/f b=1.1.1.1/60", .plan = "", .kept = 1},
	{"foreign duplicate stays", .want = "1.1.1.1", .have = "a=1.1.1.1/60 b=1.1.1.1/60/f c=1.1.1.1/60", .plan = "-c", .kept = 1},
	{"foreign CNAME of the same host", .want = "lb.example.net", .have = "a=lb.example.net/300/f", .plan = "", .kept = 1},
	{"foreign in nobody's way", .want = "", .have = "a=lb.example.net/300/f", .plan = ""},

	/* a type that can be read and that the job does not rule over, as if AAAA were TXT */
	{"another type stays", .want = "1.1.1.1", .have = "a=2001:db8::1/60 b=1.1.1.2/60", .plan = "+1.1.1.1/60 -b",
	 .rules = {.types = RECORD_BIT(RECORD_A)}},
	{"another type stays when all go", .want = "", .have = "a=2001:db8::1/60 b=2001:db8::1/60 c=1.1.1.1/60", .plan = "-c",
	 .rules = {.types = RECORD_BIT(RECORD_A), .on_empty = ON_EMPTY_REMOVE}},
	{"another type is not updated", .want = "2001:db8::1", .have = "a=2001:db8::1/300", .plan = "",
	 .rules = {.types = RECORD_BIT(RECORD_A)}, .kept = 1},

	/* CNAME and addresses */
	{"to CNAME", .want = "lb.example.net", .have = "a=1.1.1.1/60 b=2.2.2.2/60", .plan = "swap +lb.example.net/60 -a -b"},
	{"from CNAME", .want = "1.1.1.1 2.2.2.2", .have = "a=lb.example.net/60", .plan = "swap +1.1.1.1/60 +2.2.2.2/60 -a"},
	{"other host", .want = "new.example.net", .have = "a=old.example.net/60", .plan = "~a=new.example.net/60"},
	{"other host, proxied", .want = "new.example.net", .have = "a=old.example.net/1/p", .plan = "~a=new.example.net/1p"},
	{"same host", .want = "lb.example.net", .have = "a=LB.example.net./60", .plan = "", .kept = 1},

	/* nothing wanted */
	{"empty, keep", .want = "", .have = "a=1.1.1.1/60", .plan = "!a", .held = "--on-empty"},
	{"empty, remove", .want = "", .have = "a=1.1.1.1/60 b=2.2.2.2/60", .plan = "-a -b",
	 .rules = {.on_empty = ON_EMPTY_REMOVE, .min_records = 2}},
	{"empty, remove, no evidence", .want = "", .have = "a=1.1.1.1/60", .plan = "!a",
	 .rules = {.on_empty = ON_EMPTY_REMOVE, .not_evidence = "because"}, .held = "because"},
	{"one in its grace, keep", .want = "3.3.3.3", .have = "a=1.1.1.1/60 b=3.3.3.3/60", .plan = "!a",
	 .rules = {.wants_none = true}, .kept = 1, .held = "--on-empty"},
	{"one in its grace, remove", .want = "3.3.3.3", .have = "a=1.1.1.1/60 b=3.3.3.3/60", .plan = "-a",
	 .rules = {.wants_none = true, .on_empty = ON_EMPTY_REMOVE}, .kept = 1},
	{"empty, none there", .want = "", .have = "", .plan = ""},

	/* the floor; what is held is what is missed most */
	{"floor 1", .want = "1.1.1.1", .have = "a=2.2.2.2/60", .plan = "+1.1.1.1/60 -a"},
	{"floor 2", .want = "1.1.1.1", .have = "a=2.2.2.2/60 b=3.3.3.3/60", .plan = "+1.1.1.1/60 -a !b",
	 .rules = {.min_records = 2}, .held = "--min-records"},
	{"floor, exactly", .want = "1.1.1.1", .have = "a=2.2.2.2/60 b=3.3.3.3/60", .plan = "+1.1.1.1/60 -a -b"},
	{"floor above all", .want = "1.1.1.1", .have = "a=2.2.2.2/60", .plan = "+1.1.1.1/60 !a", .rules = {.min_records = 9},
	 .held = "--min-records"},
	{"rank", .want = "1.1.1.1", .have = "a=1.1.1.1/60/g b=2.2.2.2/60/w c=3.3.3.3/60/c d=4.4.4.4/60/v e=5.5.5.5/60/m",
	 .plan = "-e -d -c -b", .kept = 1},
	{"rank, one held", .want = "1.1.1.1", .have = "a=1.1.1.1/60/g b=2.2.2.2/60/w c=3.3.3.3/60/c d=4.4.4.4/60/v e=5.5.5.5/60/m",
	 .plan = "-e -d -c !b", .rules = {.min_records = 2}, .kept = 1, .held = "--min-records"},
	{"rank, three held", .want = "1.1.1.1",
	 .have = "a=1.1.1.1/60/g b=2.2.2.2/60/w c=3.3.3.3/60/c d=4.4.4.4/60/v e=5.5.5.5/60/m", .plan = "-e !d !c !b",
	 .rules = {.min_records = 4}, .kept = 1, .held = "--min-records"},
	{"duplicates before rank", .want = "1.1.1.1", .have = "a=1.1.1.1/60/g b=1.1.1.1/60/g e=5.5.5.5/60/m", .plan = "-b !e",
	 .rules = {.min_records = 2}, .kept = 1, .held = "--min-records"},
	{"swap below the floor", .want = "lb.example.net", .have = "a=1.1.1.1/60 b=2.2.2.2/60", .plan = "!a !b",
	 .rules = {.min_records = 2}, .held = "--min-records"},
	{"foreign counts", .want = "1.1.1.1", .have = "a=2.2.2.2/60 b=9.9.9.9/60/f", .plan = "+1.1.1.1/60 -a",
	 .rules = {.min_records = 2}},
	{"foreign of a type that is wanted for a grace alone does not", .want = "2.2.2.2 2001:db8::1",
	 .have = "a=2.2.2.2/60 b=9.9.9.9/60/f c=2001:db8::1/60 d=2001:db8::2/60", .plan = "!d",
	 .rules = {.min_records = 3, .brief_types = RECORD_BIT(RECORD_A)}, .kept = 2, .held = "--min-records"},
	{"foreign of a type that is not wanted does not", .want = "1.1.1.1", .have = "a=1.1.1.1/60 b=1.1.1.2/60 c=2001:db8::1/60/f",
	 .plan = "!b", .rules = {.min_records = 2}, .kept = 1, .held = "--min-records"},
	{"ours of one does", .want = "1.1.1.1", .have = "b=1.1.1.2/60 c=2001:db8::1/60/m", .plan = "+1.1.1.1/60 -c !b",
	 .rules = {.min_records = 2}, .held = "--min-records"},

	/* no evidence */
	{"held", .want = "1.1.1.1", .have = "a=2.2.2.2/60", .plan = "+1.1.1.1/60 !a", .rules = {.not_evidence = "because"},
	 .held = "because"},
	{"updates go on", .want = "1.1.1.1", .have = "a=1.1.1.1/300 b=2.2.2.2/60", .plan = "~a=1.1.1.1/60 !b",
	 .rules = {.not_evidence = "because"}, .held = "because"},
	{"duplicates are held too", .want = "1.1.1.1", .have = "a=1.1.1.1/60 b=1.1.1.1/60", .plan = "!b",
	 .rules = {.not_evidence = "because"}, .kept = 1, .held = "because"},
	{"other host held", .want = "new.example.net", .have = "a=old.example.net/60", .plan = "!a",
	 .rules = {.not_evidence = "because"}, .held = "because"},
	{"swap held", .want = "1.1.1.1", .have = "a=lb.example.net/60", .plan = "!a", .rules = {.not_evidence = "because"},
	 .held = "because"},
	{"nothing to hold", .want = "1.1.1.1", .have = "", .plan = "+1.1.1.1/60", .rules = {.not_evidence = "because"}},
};

static struct op ops[64];
static struct target want[64];
static struct record have[64];
static struct target_hosts hosts;
static char text[4096];

static int build(struct plan *p, const char *want_text, const char *have_text, struct rules rules, struct err *e)
{
	struct job job = {
		.types = rules.types ? rules.types : JOB_TYPES,
		.name = "www.example.com",
		.ttl = rules.ttl ? rules.ttl : 60,
		.proxied = rules.proxied,
		.on_empty = rules.on_empty,
		.min_records = rules.min_records ? rules.min_records : 1,
	};
	struct plan_input in = {.want = want,
				.have = have,
				.job = &job,
				.wants_none = rules.wants_none,
				.brief_types = rules.brief_types,
				.not_evidence = rules.not_evidence};

	hosts.len = 0;
	in.want_n = spec_targets(want_text, want, &hosts);
	in.have_n = spec_records(have_text, have, &hosts);
	*p = (struct plan){.ops = ops, .ops_cap = p->ops_cap ? p->ops_cap : COUNT(ops)};
	return plan_build(p, &in, e);
}

static void check_counts(const struct plan *p, const char *what)
{
	size_t n[OP_KINDS] = {0};

	for (size_t i = 0; i < p->ops_n; i++)
		n[p->ops[i].kind]++;
	for (int k = 0; k < OP_KINDS; k++)
		CHECK(n[k] == p->n[k], "%s: n[%d] is %zu", what, k, p->n[k]);
	CHECK((p->held_why != NULL) == (n[OP_HOLD] != 0), "%s: held_why", what);
	CHECK(plan_is_done(p) == (p->ops_n == n[OP_HOLD]), "%s: is_done", what);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plan_case *c = &cases[i];
		struct plan p = {0};
		struct err e = {0};

		CHECK(build(&p, c->want, c->have, c->rules, &e) == 0, "%s: %s", c->what, e.text);
		spec_plan(&p, text, sizeof text);
		CHECK(strcmp(text, c->plan) == 0, "%s: \"%s\"", c->what, text);
		CHECK(p.kept_n == c->kept, "%s: kept %zu", c->what, p.kept_n);
		CHECK(p.is_mixed == c->is_mixed, "%s: is_mixed", c->what);
		check_counts(&p, c->what);
		CHECK(!c->held || (p.held_why && strstr(p.held_why, c->held)), "%s: held", c->what);
		CHECK(c->held || !p.held_why, "%s: held though nothing was said", c->what);
		CHECK(p.is_held_by_rule == (c->held && strstr(c->held, "--")), "%s: by whose rule?", c->what);
	}
}

static const struct {
	const char *want, *have;
	enum err_kind kind;
	const char *says;
} refused[] = {
	{"a.example.net b.example.net", "", ERR_REFUSED, "b.example.net is a host name"},
	{"1.1.1.1 b.example.net", "", ERR_REFUSED, "b.example.net is a host name"},
	{"1.1.1.1", "x=lb.example.net/60/f", ERR_REFUSED, "CNAME record lb.example.net (id x)"},
	{"1.1.1.1", "x=lb.example.net/60/f", ERR_REFUSED, "the comment \"managed by dnsbuddy\""},
	{"2001:db8::1", "x=lb.example.net/60/f", ERR_REFUSED, "id x"},
	{"lb.example.net", "x=1.1.1.1/60/f", ERR_REFUSED, "the A record 1.1.1.1 (id x)"},
	{"lb.example.net", "x=2001:db8::1/60/f", ERR_REFUSED, "the AAAA record"},
	{"lb.example.net", "x=other.example.net/60/f", ERR_REFUSED, "other.example.net"},
	{"lb.example.net", "o=1.1.1.2/60 x=1.1.1.1/60/f", ERR_REFUSED, "1.1.1.1 (id x)"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct plan p = {0};
		struct err e = {0};

		CHECK(build(&p, refused[i].want, refused[i].have, (struct rules){0}, &e) == -1, "%s over %s", refused[i].want,
		      refused[i].have);
		assert_int_equal(e.kind, refused[i].kind);
		CHECK(strstr(e.text, refused[i].says) && strstr(e.text, "www.example.com"), "%s", e.text);
	}
}

static void test_ops_limit(void **state)
{
	struct plan p = {.ops_cap = 3};
	struct err e = {0};

	(void)state;
	assert_int_equal(build(&p, "1.1.1.1 2.2.2.2", "a=9.9.9.9/60", (struct rules){0}, &e), 0);
	assert_int_equal(p.ops_n, 3);
	assert_int_equal(build(&p, "1.1.1.1 2.2.2.2", "a=9.9.9.9/60 b=8.8.8.8/60", (struct rules){0}, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(build(&p, "1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4", "", (struct rules){0}, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_int_equal(build(&p, "1.1.1.1",
			       "a=1.1.1.1/60 b=1.1.1.1/60 c=1.1.1.1/60 d=1.1.1.1/60 "
			       "e=1.1.1.1/60",
			       (struct rules){0}, &e),
			 -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

/* plan_needs_evidence: a delete, or a record that loses its target, held by a rule or not; not a ttl, not
 * what is held for want of it. */
static void test_removes(void **state)
{
	static const struct {
		const char *want, *have;
		struct rules rules;
		bool removes;
	} table[] = {
		{"1.1.1.1", "", {0}, false},
		{"1.1.1.1", "a=1.1.1.1/300", {0}, false},
		{"1.1.1.1", "a=2.2.2.2/60", {0}, true},
		{"1.1.1.1", "a=1.1.1.1/60 b=1.1.1.1/60", {0}, true},
		{"new.example.net", "a=old.example.net/60", {0}, true},
		{"new.example.net", "a=new.example.net/300", {0}, false},
		{"1.1.1.1", "a=2.2.2.2/60", {.not_evidence = "x"}, false},
		{"new.example.net", "a=old.example.net/60", {.not_evidence = "x"}, false},
		{"", "a=1.1.1.1/60", {0}, true},
		{"", "a=1.1.1.1/60", {.not_evidence = "x"}, false},
		{"", "", {0}, false},
		{"1.1.1.1", "a=2.2.2.2/60", {.min_records = 9}, true},
		{"", "a=1.1.1.1/60", {.on_empty = ON_EMPTY_REMOVE}, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct plan p = {0};
		struct err e = {0};

		assert_int_equal(build(&p, table[i].want, table[i].have, table[i].rules, &e), 0);
		CHECK(plan_needs_evidence(&p) == table[i].removes, "%s over %s", table[i].want, table[i].have);
	}
}

static size_t pick(struct plan *p, size_t cap, char *out, size_t out_cap)
{
	struct op *picked[64], copy[64];
	size_t n = plan_pick(p, picked, cap);
	struct plan view = {.ops = copy, .ops_n = n};

	assert_true(n <= cap);
	for (size_t i = 0; i < n; i++) {
		assert_false(picked[i]->is_done);
		copy[i] = *picked[i];
		picked[i]->is_done = true;
	}
	spec_plan(&view, out, out_cap);
	return n;
}

/* The transactions of a plan, " | " between them. */
static const struct {
	const char *want, *have;
	size_t cap;
	const char *writes;
} picks[] = {
	{"1.1.1.1 2.2.2.2", "a=3.3.3.3/60 b=4.4.4.4/60", 200, "+1.1.1.1/60 +2.2.2.2/60 | -a -b | "},
	{"1.1.1.1 2.2.2.2", "a=3.3.3.3/60 b=4.4.4.4/60", 1, "+1.1.1.1/60 | +2.2.2.2/60 | -a | -b | "},
	{"1.1.1.1 2.2.2.2 5.5.5.5", "a=2.2.2.2/300 b=4.4.4.4/60", 2, "+1.1.1.1/60 +5.5.5.5/60 | ~a=2.2.2.2/60 | -b | "},
	{"lb.example.net", "a=1.1.1.1/60 b=2.2.2.2/60", 200, "-a -b +lb.example.net/60 | "},
	{"lb.example.net", "a=1.1.1.1/60 b=2.2.2.2/60", 3, "-a -b +lb.example.net/60 | "},
	{"lb.example.net", "a=1.1.1.1/60 b=2.2.2.2/60", 2, "-a | -b +lb.example.net/60 | "},
	{"lb.example.net", "a=1.1.1.1/60 b=2.2.2.2/60 c=3.3.3.3/60 d=4.4.4.4/60", 2, "-a -b | -c | -d +lb.example.net/60 | "},
	{"1.1.1.1 2.2.2.2 3.3.3.3", "a=lb.example.net/60", 2, "-a +1.1.1.1/60 | +2.2.2.2/60 +3.3.3.3/60 | "},
	{"lb.example.net", "a=1.1.1.1/60", 1, ""}, /* a swap needs two */
	{"1.1.1.1", "a=1.1.1.1/60", 200, ""},
};

static void test_pick(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(picks); i++) {
		char writes[1024] = "", one[512];
		struct plan p = {0};
		struct err e = {0};

		assert_int_equal(build(&p, picks[i].want, picks[i].have, (struct rules){0}, &e), 0);
		while (pick(&p, picks[i].cap, one, sizeof one)) {
			strncat(writes, one, sizeof writes - strlen(writes) - 1);
			strncat(writes, " | ", sizeof writes - strlen(writes) - 1);
		}
		CHECK(strcmp(writes, picks[i].writes) == 0, "case %zu: \"%s\"", i, writes);
		CHECK(plan_is_done(&p) || !picks[i].writes[0], "case %zu is not done", i);
	}
}

/* What is there for the time of its grace alone is about to go: it stays as it is until then. */
static void test_in_its_grace_a_record_stays_as_it_is(void **state)
{
	struct plan p = {.ops = ops, .ops_cap = COUNT(ops)};
	const struct job job = {.types = JOB_TYPES, .name = "www.example.com", .ttl = 120};
	struct plan_input in = {.want = want, .have = have, .job = &job};
	struct err e;

	(void)state;
	for (int is_leaving = 0; is_leaving < 2; is_leaving++) {
		hosts.len = 0;
		in.want_n = spec_targets("1.1.1.1 1.1.1.2", want, &hosts);
		in.have_n = spec_records("a=1.1.1.1/60 b=1.1.1.2/60", have, &hosts);
		have[0].is_leaving = is_leaving;
		assert_int_equal(plan_build(&p, &in, &e), 0);
		assert_int_equal(p.n[OP_UPDATE], 2 - is_leaving);
		assert_int_equal(p.kept_n, is_leaving);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ops_limit), cmocka_unit_test(test_removes),
		cmocka_unit_test(test_pick),      cmocka_unit_test(test_in_its_grace_a_record_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
