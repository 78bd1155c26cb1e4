/*
 * engine/round under chance: names of several zones, owners and rules, services that change at any
 * call, another hand, calls that are lost or refused. What must always hold holds at each write
 * (town_api.c), and in the end the records are right.
 */
#include "engine/town.h"
#include "support.h"

#include "base/clock.h"

#define NAMES 24
#define SEEDS 100

static uint32_t chance_of_fault;
static bool is_meddled[NAMES], is_dirty[NAMES];
static unsigned changes; /* in 1,000 calls, by which a service becomes another */

static void change_service(size_t service);

static enum town_fault by_chance(const struct call *c, struct err *e)
{
	struct cf_reply *reply = c->zones ? &c->zones->reply : c->list ? &c->list->reply : c->write ? &c->write->reply : NULL;

	if (test_random_below(&town.seed, 1000) < changes)
		change_service(test_random_below(&town.seed, NAMES));
	if (test_random_below(&town.seed, 100) >= chance_of_fault)
		return TOWN_FINE;
	if (reply)
		*reply = (struct cf_reply){0};
	switch (test_random_below(&town.seed, 4)) {
	case 0: (void)err_set(e, ERR_RETRY, "lost before"); return TOWN_LOST_BEFORE;
	case 1: (void)err_set(e, ERR_PROTO, "lost after"); return TOWN_LOST_AFTER;
	case 2:
		if (reply)
			*reply = (struct cf_reply){.status = 429, .meaning = CF_BUSY};
		(void)err_set(e, ERR_BUSY, "HTTP 429");
		return TOWN_LOST_BEFORE;
	default:
		if (reply)
			*reply = (struct cf_reply){.status = 400, .meaning = CF_REFUSED};
		(void)err_set(e, ERR_REFUSED, "HTTP 400");
		return TOWN_LOST_BEFORE;
	}
}

/* Zero to three addresses of a few, a host name now and then; some are critical. */
static void change_service(size_t service)
{
	char text[128], *out = text;

	*out = '\0';
	if (!test_random_below(&town.seed, 8)) {
		out += sprintf(out, "lb%u.example.org", (unsigned)test_random_below(&town.seed, 3));
	} else {
		for (unsigned k = 0, n = test_random_below(&town.seed, 4); k < n; k++)
			out += sprintf(out, "192.0.2.%u%s ", 1 + (unsigned)test_random_below(&town.seed, 6),
				       test_random_below(&town.seed, 5) ? "" : "/c");
	}
	town_set(service, text);
	for (size_t i = 0; i < NAMES; i++)
		is_dirty[i] |= town_names[i].service == service;
}

/*
 * Another hand: a record with the mark, or of somebody else; or one is removed. The name's next pass
 * lists anew: by what it remembers it could not know.
 */
static void meddle(size_t i)
{
	size_t has = town.records_n;
	char text[32];

	for (size_t k = 0; k < town.records_n; k++)
		if (strcmp(town.records[k].name, town_names[i].job.name) == 0)
			has = k;
	is_meddled[i] = true;
	if (has < town.records_n && test_random_below(&town.seed, 2)) {
		town.records[has] = town.records[--town.records_n];
		return;
	}
	if (has < town.records_n && strchr(town.records[has].content, 'l')) /* beside a CNAME nothing can be */
		return;
	(void)snprintf(text, sizeof text, "198.51.100.%u", 1 + (unsigned)test_random_below(&town.seed, 200));
	town_add_record(i, text);
	if (town_names[i].job.owner[0] && test_random_below(&town.seed, 2))
		town.records[town.records_n - 1].is_marked = false;
}

static void set_name(size_t i)
{
	struct town_name *name = &town_names[i];
	struct job *job = &name->job;

	if (!test_random_below(&town.seed, 3)) { /* a service of several names */
		name->service = test_random_below(&town.seed, 4);
		(void)snprintf(job->service, sizeof job->service, "s%zu", name->service);
	}
	name->is_odd = !test_random_below(&town.seed, 10);
	job->on_empty = test_random_below(&town.seed, 2) ? ON_EMPTY_REMOVE : ON_EMPTY_KEEP;
	job->min_records = test_random_below(&town.seed, 3);
	if (test_random_below(&town.seed, 2))
		(void)snprintf(job->owner, sizeof job->owner, "red");
	if (!test_random_below(&town.seed, 3))
		(void)snprintf(job->name, NAME_CAP, "n%03zu.example.net", i);
	if (!test_random_below(&town.seed, 4))
		memcpy(job->zone_id, town.api[strstr(job->name, ".net") != NULL].id, RECORD_ID_CAP);
}

/* After a failure its backoff rules, whatever else there is to do. */
static bool is_due(size_t i)
{
	const struct reconcile *r = &town_names[i].r;

	if (town_names[i].is_busy)
		return false;
	if (r->out.result == RECONCILE_FAILED && r->out.wake_ms != CLOCK_NEVER)
		return r->out.wake_ms <= town.now_ms;
	return is_dirty[i] || is_meddled[i] || r->out.wake_ms <= town.now_ms;
}

static void begin_due(void)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (!is_due(i) || !test_random_below(&town.seed, 4)) /* some come later */
			continue;
		town_begin(i, is_meddled[i] || !test_random_below(&town.seed, 5));
		is_meddled[i] = is_dirty[i] = false;
	}
}

/* As time goes on. */
static void run_for(int64_t ms)
{
	int64_t until_ms = town.now_ms + ms;

	while (town.now_ms < until_ms) {
		int64_t next_ms = until_ms;

		begin_due();
		if (town_step())
			continue;
		for (size_t i = 0; i < NAMES; i++) {
			if (is_due(i))
				next_ms = town.now_ms;
			else if (town_names[i].r.out.wake_ms < next_ms)
				next_ms = town_names[i].r.out.wake_ms;
		}
		town.now_ms = next_ms > town.now_ms ? next_ms : town.now_ms;
	}
	town_run();
}

static void dirty_all(void)
{
	for (size_t i = 0; i < NAMES; i++)
		is_meddled[i] = true;
}

/* Held removals are right, too: kept by on_empty or by the floor. */
static bool is_at_rest(size_t i)
{
	const struct reconcile *r = &town_names[i].r;

	return town_is_right(i) || (r->out.result == RECONCILE_HELD && r->out.plan.is_held_by_rule) ||
	       (r->out.result == RECONCILE_FAILED && strstr(r->out.err->text, "in the way"));
}

static void live(void)
{
	town_clear_story();
	chance_of_fault = test_random_below(&town.seed, 3) * 10;
	changes = test_random_below(&town.seed, 2) * 20;
	town.has_no_leader = !test_random_below(&town.seed, 6);
	town.random = test_random(&town.seed);
	for (int i = 0; i < CALL_END; i++)
		town.latency_ms[i] = test_random_below(&town.seed, 4) ? 10 : 400;
	for (size_t i = 0; i < NAMES; i++) {
		town_names[i].is_bad = !test_random_below(&town.seed, 12);
		if (!test_random_below(&town.seed, 2))
			change_service(i);
		if (!test_random_below(&town.seed, 6))
			meddle(i);
	}
	run_for(5000);
}

static void calm(void)
{
	chance_of_fault = changes = 0;
	town.has_no_leader = false;
	for (size_t i = 0; i < NAMES; i++)
		town_names[i].is_bad = false;
	for (int i = 0; i < 2; i++) {
		town_clear_story();
		dirty_all();
		run_for(700000);
	}
}

static void run_seed(uint32_t seed)
{
	town_init(NAMES);
	memset(is_meddled, 0, sizeof is_meddled);
	memset(is_dirty, 0, sizeof is_dirty);
	town.seed = seed;
	town.fault = by_chance;
	town.round.is_paced = seed % 2;
	for (size_t i = 0; i < NAMES; i++)
		set_name(i);
	for (int day = 0; day < 12; day++)
		live();
	calm();
	for (size_t i = 0; i < NAMES; i++)
		CHECK(is_at_rest(i), "seed %u: %s is not right: %s: %s", (unsigned)seed, town_names[i].job.name,
		      town_names[i].seldom.err.text, town.story);
	town_clear_story();
	town_begin_all(true);
	town_run();
	CHECK(!town.writes, "seed %u: I4: %s", (unsigned)seed, town.story);
}

static void test_chance(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chance),
	};

	return cmocka_run_group_tests_name("engine/round, at random", tests, NULL, NULL);
}
