/* The engine in a scripted world: the calls it makes, in their order, and what they lead to. */
#include "support.h"

#include "engine/scene.h"
#include "core/spec.h"

static struct scene s;

/* Run, and compare the calls, the result and the records. */
static const struct reconcile *expect(const char *story, enum reconcile_result result, const char *records)
{
	const struct reconcile *r = scene_run(&s);
	size_t len = strlen(s.story);

	if (len)
		s.story[len - 1] = '\0';
	CHECK(strcmp(s.story, story) == 0, "story: %s\n  not: %s", s.story, story);
	CHECK(r->out.result == result, "result %d: %s", r->out.result, r->out.err->text);
	CHECK(strcmp(scene_records(&s), records) == 0, "records: %s", scene_records(&s));
	return r;
}

static const struct {
	const char *listed, *have, *story;
	enum reconcile_result result;
	const char *records;
} plain[] = {
	/* nothing to do: nothing written, nothing verified */
	{"1.1.1.1 1.1.1.2", "a=1.1.1.1/60 b=1.1.1.2/60", "H L", RECONCILE_DONE, "1.1.1.1 1.1.1.2"},
	{"1.1.1.1", "", "H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1"},
	{"1.1.1.1", "a=1.1.1.1/300", "H L W[~a=1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1"},
	/* the article's bug: .1 has the larger id, .9 the smaller */
	{"1.1.1.1 1.1.1.2", "zz=1.1.1.1/60 aa=1.1.1.9/60", "H L V W[+1.1.1.2/60] W[-aa]", RECONCILE_DONE, "1.1.1.1 1.1.1.2"},
	{"1.1.1.1", "a=1.1.1.1/60 b=1.1.1.9/60", "H L V W[-b]", RECONCILE_DONE, "1.1.1.1"},
	{"1.1.1.1", "a=1.1.1.1/60 b=1.1.1.1/60", "H L V W[-b]", RECONCILE_DONE, "1.1.1.1"},
	/* states */
	{"1.1.1.1 1.1.1.2/w 1.1.1.3/c 1.1.1.4/m", "a=1.1.1.2/60 b=1.1.1.3/60 c=1.1.1.4/60 d=1.1.1.5/60",
	 "H L V W[+1.1.1.1/60] W[-c -d -b -a]", RECONCILE_DONE, "1.1.1.1"},
	{"1.1.1.1/c 1.1.1.1", "a=1.1.1.1/60", "H L", RECONCILE_DONE, "1.1.1.1"},
	/* of several instances at one address the best counts */
	{"1.1.1.1 2.2.2.2/c 2.2.2.2/w 3.3.3.3/c", "k=1.1.1.1/60 a=2.2.2.2/60 b=3.3.3.3/60", "H L V W[-b -a]", RECONCILE_DONE,
	 "1.1.1.1"},
	/* CNAME */
	{"lb.example.net", "a=1.1.1.1/60 b=1.1.1.2/60", "H L V W[-a -b +lb.example.net/60]", RECONCILE_DONE, "lb.example.net"},
	{"1.1.1.1 1.1.1.2", "a=lb.example.net/60", "H L V W[-a +1.1.1.1/60 +1.1.1.2/60]", RECONCILE_DONE, "1.1.1.1 1.1.1.2"},
	{"new.example.net", "a=old.example.net/60", "H L V W[~a=new.example.net/60]", RECONCILE_DONE, "new.example.net"},
	/* a host name beside addresses is left out */
	{"1.1.1.1 lb.example.net 1.1.1.2", "a=1.1.1.1/60 b=1.1.1.9/60", "H L V W[+1.1.1.2/60] W[-b]", RECONCILE_DONE,
	 "1.1.1.1 1.1.1.2"},
	{"1.1.1.1 lb.example.net", "a=lb.example.net/60", "H L V W[-a +1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1"},
	{"1.1.1.1/c lb.example.net", "a=1.1.1.1/60", "H L V W[-a +lb.example.net/60]", RECONCILE_DONE, "lb.example.net"},
	/* nothing wanted */
	/* (held by a rule, if Consul is to be believed) */
	{"", "a=1.1.1.1/60", "H L V", RECONCILE_HELD, "1.1.1.1"},
	{"1.1.1.1/c", "a=1.1.1.1/60", "H L V", RECONCILE_HELD, "1.1.1.1"},
	{"", "", "H L", RECONCILE_DONE, ""},
	/* what cannot be */
	{"a.example.net b.example.net", "a=1.1.1.1/60", "H L", RECONCILE_FAILED, "1.1.1.1"},
	{"1.1.1.1", "a=lb.example.net/60/f", "H L", RECONCILE_FAILED, "lb.example.net"},
	{"lb.example.net", "a=1.1.1.1/60/f", "H L", RECONCILE_FAILED, "1.1.1.1"},
	/* without our comment it is ours only where the service has such a target */
	{"1.1.1.1", "a=2001:db8::1/60/u", "H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1 2001:db8::1"},
	{"1.1.1.1", "a=2001:db8::1/60", "H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1"},
	{"1.1.1.1 2001:db8::2", "a=2001:db8::1/60/u", "H L V W[+1.1.1.1/60 +2001:db8::2/60] W[-a]", RECONCILE_DONE,
	 "1.1.1.1 2001:db8::2"},
	{"1.1.1.1 2001:db8::1/c", "a=2001:db8::1/60/u", "H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1"},
	{"1.1.1.1", "a=lb.example.net/60/u", "H L", RECONCILE_FAILED, "lb.example.net"},
	{"1.1.1.1 lb.example.net/c", "a=lb.example.net/60/u", "H L", RECONCILE_FAILED, "lb.example.net"},
	{"lb.example.net", "a=old.example.net/60/u", "H L V W[~a=lb.example.net/60]", RECONCILE_DONE, "lb.example.net"},
	{"lb.example.net", "a=2001:db8::1/60/u", "H L", RECONCILE_FAILED, "2001:db8::1"},
	{"", "a=2001:db8::1/60/u", "H L", RECONCILE_DONE, "2001:db8::1"},
	{"1.1.1.1", "a=1.1.1.9/60/f", "H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1 1.1.1.9"},
};

static void test_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++) {
		scene_init(&s, plain[i].listed, plain[i].have);
		(void)expect(plain[i].story, plain[i].result, plain[i].records);
	}
}

/* What the consistent read says counts, not what was read before it. */
static void test_second_look(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1 1.1.1.2/c", "a=1.1.1.1/60 b=1.1.1.2/60");
	s.is_healed = true;
	(void)expect("H L V", RECONCILE_DONE, "1.1.1.1 1.1.1.2");
}

/* What was held for want of evidence is asked for again once the records are listed again. */
static void test_a_second_listing_asks_for_evidence_anew(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1", "a=9.9.9.9/60");
	s.refuses_batches = true;
	s.gap_reads = 1; /* no leader */
	(void)expect("H L V W[+1.1.1.1/60] L V W[+1.1.1.1/60] S[+1.1.1.1/60] S[-a]", RECONCILE_DONE, "1.1.1.1");
}

static void test_policies(void **state)
{
	(void)state;
	scene_init(&s, "", "a=1.1.1.1/60 b=1.1.1.2/60");
	s.job.on_empty = ON_EMPTY_REMOVE;
	(void)expect("H L V W[-a -b]", RECONCILE_DONE, "");

	scene_init(&s, "2001:db8::1/c", "a=1.1.1.1/60 b=2001:db8::1/60/u c=2001:db8::2/60/u");
	s.job.on_empty = ON_EMPTY_REMOVE;
	(void)expect("H L V W[-a -c -b]", RECONCILE_DONE, "");

	scene_init(&s, "1.1.1.1/c", "a=1.1.1.1/60 b=2001:db8::1/60/u c=2001:db8::2/60");
	s.job.on_empty = ON_EMPTY_REMOVE;
	(void)expect("H L V W[-c -a]", RECONCILE_DONE, "2001:db8::1");

	scene_init(&s, "1.1.1.1/w", "");
	s.job.include_warning = true;
	(void)expect("H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");

	scene_init(&s, "1.1.1.1/c", "a=1.1.1.1/60");
	s.job.on_empty = ON_EMPTY_FALLBACK;
	strcpy(s.job.fallback, "9.9.9.9");
	(void)expect("H L V W[+9.9.9.9/60] W[-a]", RECONCILE_DONE, "9.9.9.9");

	scene_init(&s, "1.1.1.1/c", "a=1.1.1.1/60 b=2001:db8::1/60/u");
	s.job.on_empty = ON_EMPTY_FALLBACK;
	strcpy(s.job.fallback, "2001:db8::9"); /* is not the service's */
	(void)expect("H L V W[+2001:db8::9/60] W[-a]", RECONCILE_DONE, "2001:db8::1 2001:db8::9");

	scene_init(&s, "1.1.1.1", "a=1.1.1.1/60");
	s.job.on_empty = ON_EMPTY_FALLBACK;
	strcpy(s.job.fallback, "9.9.9.9");
	(void)expect("H L", RECONCILE_DONE, "1.1.1.1");

	scene_init(&s, "1.1.1.1", "a=1.1.1.2/60 b=1.1.1.3/60");
	s.job.min_records = 2;
	(void)expect("H L V W[+1.1.1.1/60] W[-a]", RECONCILE_HELD, "1.1.1.1 1.1.1.3");
}

/* As if AAAA were TXT: it can be read, and the job rules over A alone. */
static void test_other_types_are_not_ours(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1", "a=2001:db8::1/60 b=1.1.1.2/60 c=2001:db8::1/60");
	s.job.types = RECORD_BIT(RECORD_A);
	(void)expect("H L V W[+1.1.1.1/60] W[-b]", RECONCILE_DONE, "1.1.1.1 2001:db8::1 2001:db8::1");

	scene_init(&s, "", "a=2001:db8::1/60 b=1.1.1.2/60");
	s.job.types = RECORD_BIT(RECORD_A);
	s.job.on_empty = ON_EMPTY_REMOVE;
	(void)expect("H L V W[-b]", RECONCILE_DONE, "2001:db8::1");
}

static void test_zone_is_looked_up_once(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1", "");
	s.job.zone_id[0] = '\0';
	s.fault = SCENE_LOST_BEFORE;
	s.fault_at = 3;
	s.fault_n = 1;
	(void)expect("H Z L . H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
}

/* A zone's id is the user's word: before the first record of a name comes, it is asked. */
static void test_zone_is_checked(void **state)
{
	(void)state;
	scene_init(&s, "1.1.1.1 1.1.1.2", "");
	s.is_bare = true;
	(void)expect("H L Z W[+1.1.1.1/60 +1.1.1.2/60]", RECONCILE_DONE, "1.1.1.1 1.1.1.2");
	/* nothing is to come, or something is there */
	scene_init(&s, "", "");
	s.is_bare = true;
	(void)expect("H L", RECONCILE_DONE, "");
	scene_init(&s, "1.1.1.1", "a=1.1.1.9/60");
	s.is_bare = true;
	(void)expect("H L V W[+1.1.1.1/60] W[-a]", RECONCILE_DONE, "1.1.1.1");
	/* looked up: there is no doubt */
	scene_init(&s, "1.1.1.1", "");
	s.is_bare = true;
	s.job.zone_id[0] = '\0';
	(void)expect("H Z L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
	/* the answer is lost */
	scene_init(&s, "1.1.1.1", "");
	s.is_bare = true;
	s.fault = SCENE_LOST_BEFORE;
	s.fault_at = 3;
	s.fault_n = 1;
	(void)expect("H L Z . H L Z W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
}

/* What was said of a zone is not asked again for other names. */
static void test_zone_is_checked_once(void **state)
{
	static struct scene other;

	(void)state;
	scene_init(&s, "1.1.1.1", "");
	s.is_bare = true;
	other = s;
	strcpy(other.job.name, "api.example.com");
	(void)expect("H L Z W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
	s = other;
	(void)expect("H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
	s = other;
	strcpy(s.job.name, "api.example.net"); /* which that does not speak of */
	(void)expect("H L Z W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
	s = other;
	memset(s.job.zone_id, 'b', 32);
	(void)expect("H L Z W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");

	scene_init(&s, "1.1.1.1", "");
	s.is_bare = s.is_zone_secret = true;
	other = s;
	(void)expect("H L Z W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
	s = other;
	strcpy(s.job.name, "api.example.com");
	(void)expect("H L W[+1.1.1.1/60]", RECONCILE_DONE, "1.1.1.1");
}

static void test_wrong_zone(void **state)
{
	const struct reconcile *r;

	(void)state;
	for (int dry = 0; dry < 2; dry++) {
		scene_init(&s, "1.1.1.1 1.1.1.2", "");
		s.is_bare = s.is_wrong_zone = true;
		s.is_dry_run = dry;
		r = expect("H L Z", RECONCILE_FAILED, "");
		assert_int_equal(r->out.err->kind, ERR_CONFIG);
		assert_int_equal(s.strays_n, 0);
	}
}

/* It may not be asked: what is written shows, and goes again. */
static void test_wrong_zone_shows_late(void **state)
{
	const struct reconcile *r;

	(void)state;
	scene_init(&s, "1.1.1.1 1.1.1.2 1.1.1.3", "");
	s.is_bare = s.is_zone_secret = true;
	(void)expect("H L Z W[+1.1.1.1/60 +1.1.1.2/60 +1.1.1.3/60]", RECONCILE_DONE, "1.1.1.1 1.1.1.2 1.1.1.3");

	scene_init(&s, "1.1.1.1 1.1.1.2", "");
	s.is_bare = s.is_zone_secret = s.is_wrong_zone = true;
	r = expect("H L Z W[+1.1.1.1/60 +1.1.1.2/60] W[-s0 -s1]", RECONCILE_FAILED, "");
	assert_int_equal(r->out.err->kind, ERR_CONFIG);
	assert_non_null(strstr(r->out.err->text, "removed again"));
	assert_int_equal(s.strays_n, 0);

	scene_init(&s, "1.1.1.1 1.1.1.2", "");
	s.is_bare = s.is_zone_secret = s.is_wrong_zone = s.refuses_singles_of_kind[OP_DELETE] = true;
	r = expect("H L Z W[+1.1.1.1/60 +1.1.1.2/60] W[-s0 -s1]", RECONCILE_FAILED, "");
	assert_non_null(strstr(r->out.err->text, "another name; what it wrote could not be removed"));

	/* One from before: it is there, and it is not listed. */
	scene_init(&s, "1.1.1.1 1.1.1.2", "");
	s.is_bare = s.is_zone_secret = s.is_wrong_zone = true;
	s.strays_n = 1;
	r = expect("H L Z W[+1.1.1.1/60 +1.1.1.2/60] L W[+1.1.1.1/60 +1.1.1.2/60]", RECONCILE_FAILED, "");
	assert_int_equal(r->out.err->kind, ERR_CONFIG);
	assert_non_null(strstr(r->out.err->text, "CF_ZONE_ID"));
}

static void test_dry_run(void **state)
{
	const struct reconcile *r;

	(void)state;
	scene_init(&s, "1.1.1.1", "a=1.1.1.9/60");
	s.is_dry_run = true;
	r = expect("H L V", RECONCILE_DONE, "1.1.1.9");
	assert_int_equal(r->out.plan.n[OP_CREATE], 1);
	assert_int_equal(r->out.plan.n[OP_DELETE], 1);

	scene_init(&s, "1.1.1.1", "a=1.1.1.9/60");
	s.is_dry_run = true;
	s.evidence.has_leader = false;
	r = expect("H L V", RECONCILE_HELD, "1.1.1.9");
	assert_int_equal(r->out.plan.n[OP_HOLD], 1);
}

/* 250 new ones, 250 old ones: two writes of each. */
static void test_chunks(void **state)
{
	const struct reconcile *r;

	(void)state;
	scene_init(&s, "", "");
	for (unsigned i = 0; i < 250; i++) {
		struct record *old = &s.records[s.records_n++];

		s.listed[s.listed_n].state = INSTANCE_PASSING;
		s.listed[s.listed_n++].target = (struct target){.type = RECORD_A, .addr = {8, 8, 0, (unsigned char)i}};
		*old = (struct record){
			.target = {.type = RECORD_A, .addr = {9, 9, 0, (unsigned char)i}}, .ttl = 60, .is_ours = true};
		(void)snprintf(old->id, sizeof old->id, "o%u", i);
	}
	r = scene_run(&s);
	assert_int_equal(r->out.result, RECONCILE_DONE);
	assert_true(scene_is_right(&s));
	assert_int_equal(s.records_n, 250);
	assert_int_equal(s.writes, 4);
	assert_int_equal(r->out.done_n[OP_CREATE], 250);
	assert_int_equal(r->out.done_n[OP_DELETE], 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_second_look),
		cmocka_unit_test(test_a_second_listing_asks_for_evidence_anew),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_other_types_are_not_ours),
		cmocka_unit_test(test_zone_is_looked_up_once),
		cmocka_unit_test(test_zone_is_checked),
		cmocka_unit_test(test_zone_is_checked_once),
		cmocka_unit_test(test_wrong_zone),
		cmocka_unit_test(test_wrong_zone_shows_late),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
