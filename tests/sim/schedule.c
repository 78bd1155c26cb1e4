/*
 * What a seed makes of a day: its configuration and its events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cloudflare.h"
#include "sim/consul.h"

#define WIDE_FROM 16

static uint64_t rows[16];
static uint64_t rows_seed;

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint32_t sim_random(unsigned row)
{
	return (uint32_t)(mix(rows_seed ^ mix(row) ^ rows[row]++ * 0xd1342543de82ef95u) >> 32);
}

uint32_t sim_below(unsigned row, uint32_t n)
{
	return (uint32_t)((uint64_t)sim_random(row) * n >> 32);
}

int64_t sim_between(unsigned row, int64_t from, int64_t to)
{
	return from + sim_below(row, (uint32_t)(to - from + 1));
}

static bool one_in(unsigned n)
{
	return sim_below(ROW_SETUP, n) == 0;
}

/* ---- configuration ---- */

static bool has_host(size_t service)
{
	return strstr(consul_content(service, 0), "example.net") != NULL;
}

static void make_job(size_t i)
{
	static const char *const owners[] = {"", "blue", "green"};
	struct sim_setup *s = &sim.setup;
	struct job *job = &s->jobs[i];
	size_t zone = sim_below(ROW_SETUP, (uint32_t)s->zones_n);

	*job = (struct job){
		.ttl = one_in(3) ? 1 : 60 + 60 * sim_below(ROW_SETUP, 3),
		.min_records = one_in(3) ? sim_below(ROW_SETUP, 4) : 1,
		.include_warning = one_in(4),
		.grace_ms = one_in(3) ? 0 : 1000 * sim_between(ROW_SETUP, 1, one_in(4) ? 60 : 3),
		.proxied = one_in(4)   ? PROXIED_ON
			   : one_in(3) ? PROXIED_KEEP
				       : PROXIED_OFF,
		.on_empty = one_in(2)   ? ON_EMPTY_KEEP
			    : one_in(3) ? ON_EMPTY_FALLBACK
					: ON_EMPTY_REMOVE,
		.on_drop = one_in(2) ? ON_DROP_REMOVE : ON_DROP_KEEP,
		.addresses = {.of = {ADDRESS_SERVICE}, .n = 1},
		.types = JOB_TYPES,
		.has_token = s->has_token,
	};
	(void)snprintf(job->owner, sizeof job->owner, "%s", owners[one_in(2) ? 0 : 1 + sim_below(ROW_SETUP, 2)]);
	if (job->on_empty == ON_EMPTY_FALLBACK)
		(void)snprintf(job->fallback, sizeof job->fallback, "198.51.100.%u", 1 + (unsigned)i);
	/* Many services have a name each: then they are followed by a few wide queries. */
	s->service_of[i] = s->services_n > WIDE_FROM ? i % s->services_n : sim_below(ROW_SETUP, (uint32_t)s->services_n);
	(void)snprintf(job->service, sizeof job->service, "%s", consul_service_name(s->service_of[i]));
	if (one_in(8))
		(void)snprintf(job->name, sizeof job->name, "%s", s->zones[zone]);
	else
		(void)snprintf(job->name, sizeof job->name, "w%zu.%s", i, s->zones[zone]);
	/*
	 * Where a zone lies within another one, its names say which is meant: while it is away they would move to the other, and
	 * stay there.
	 */
	if (zone == 1 || one_in(4))
		(void)snprintf(job->zone, sizeof job->zone, "%s", s->zones[zone]);
	/* Two owners may share a name. */
	if (i && job->owner[0] && one_in(4)) {
		size_t other = sim_below(ROW_SETUP, (uint32_t)i);
		const struct job *like = &s->jobs[other];

		/* But not with a host name and addresses: only one of them can be. */
		if (!has_host(s->service_of[i]) && !has_host(s->service_of[other])) {
			memcpy(job->name, like->name, sizeof job->name);
			memcpy(job->zone, like->zone, sizeof job->zone);
		}
	}
	for (size_t k = 0; k < i; k++)
		if (job_overlaps(job, &s->jobs[k])) {
			(void)snprintf(job->name, sizeof job->name, "w%zu.%s", i, s->zones[zone]);
			(void)snprintf(job->zone, sizeof job->zone, "%s", s->zones[zone]);
		}
}

static void make_setup(void)
{
	/* Of two zones one lies within the other. */
	static const char *const zones[SIM_ZONES] = {"example.com", "dev.example.com", "example.org"};
	struct sim_setup *s = &sim.setup;
	bool is_wide = one_in(16);

	*s = (struct sim_setup){
		.copies_n = one_in(6) ? 2 + sim_below(ROW_SETUP, SIM_COPIES - 1) : 1,
		.zones_n = 1 + sim_below(ROW_SETUP, SIM_ZONES),
		.services_n =
			is_wide ? WIDE_FROM + 1 + sim_below(ROW_SETUP, SIM_SERVICES - WIDE_FROM) : 1 + sim_below(ROW_SETUP, 6),
		.jobs_n = is_wide ? 20 + sim_below(ROW_SETUP, SIM_JOBS - 19) : 1 + sim_below(ROW_SETUP, 12),
		.has_token = !one_in(4),
		.timeout_ms = 10000,
		.resync_ms = 1000 * sim_between(ROW_SETUP, 600, 2700),
		.unhealthy_ms = 120000,
		.wait_sec = 600,
	};
	if (s->services_n <= 2 && one_in(8))
		s->wait_sec = 60;
	s->has_lock = s->copies_n > 1 ? !one_in(3) : one_in(20);
	for (size_t i = 0; i < SIM_ZONES; i++)
		s->zones[i] = zones[i];
	for (size_t i = 0; i < s->jobs_n; i++)
		make_job(i);
}

/* ---- events ---- */

/* How often each is, of all; and how long it lasts at most. */
static const struct {
	unsigned weight;
	int64_t longest_ms;
} kinds[EVENT_KINDS] = {
	[EVENT_STATE] = {30, 0},     [EVENT_BLIP] = {8, 6000},    [EVENT_ROLL] = {4, 30000},      [EVENT_DOWN] = {4, 0},
	[EVENT_UP] = {5, 0},         [EVENT_OUTPUT] = {3, 0},     [EVENT_KILL] = {8, 60000},      [EVENT_TERM] = {5, 60000},
	[EVENT_PAUSE] = {3, 90000},  [EVENT_RELOAD] = {2, 0},     [EVENT_NO_LEADER] = {3, 60000}, [EVENT_STALE] = {3, 60000},
	[EVENT_DEPOSED] = {3, 5000}, [EVENT_CACHED] = {2, 60000}, [EVENT_HIDDEN] = {2, 60000},    [EVENT_DENIED] = {1, 60000},
	[EVENT_FULL] = {1, 60000},   [EVENT_AWAY] = {2, 60000},   [EVENT_RESTORED] = {1, 0},      [EVENT_WIRE] = {5, 60000},
	[EVENT_SESSION] = {1, 0},    [EVENT_KEY] = {1, 0},        [EVENT_STIR] = {6, 0},          [EVENT_RATES] = {6, 120000},
	[EVENT_CLOCK] = {1, 0},
};

static enum sim_kind pick_kind(void)
{
	unsigned sum = 0, at;

	for (int i = 0; i < EVENT_KINDS; i++)
		sum += kinds[i].weight;
	at = sim_below(ROW_EVENTS, sum);
	for (int i = 0;; i++) {
		if (at < kinds[i].weight)
			return (enum sim_kind)i;
		at -= kinds[i].weight;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct sim_event *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->random < y->random ? -1 : x->random > y->random;
}

/* Some hours are quiet: in a short time things come thick. */
static void make_episode(int64_t begin_ms)
{
	int64_t length_ms = 1000LL << sim_between(ROW_EVENTS, 3, 10);
	int64_t n = sim_between(ROW_EVENTS, 3, 60);

	begin_ms += sim_between(ROW_EVENTS, 0, 3600000);
	while (n-- && sim.events_n < SIM_EVENTS) {
		struct sim_event *event = &sim.events[sim.events_n++];
		enum sim_kind kind = pick_kind();
		int64_t longest_ms = kinds[kind].longest_ms;

		event->kind = kind;
		event->at_ms = begin_ms + sim_between(ROW_EVENTS, 0, length_ms);
		event->until_ms = event->at_ms + (longest_ms ? sim_between(ROW_EVENTS, longest_ms / 100, longest_ms) : 0);
		event->random = sim_random(ROW_EVENTS);
	}
}

void schedule_make(void)
{
	memset(rows, 0, sizeof rows);
	rows_seed = mix(sim.seed);
	sim.events_n = 0;
	make_setup();
	for (int i = 0; i < SIM_EPISODES; i++)
		make_episode(SIM_START_MS + i * (int64_t)(SIM_DAY_MS / SIM_EPISODES));
	qsort(sim.events, sim.events_n, sizeof sim.events[0], by_time);
}

/*
 * One instance of each service takes another's place, so that there are as many as before, or is critical, or
 * its node is lost: that has to be seen at once, and not only when everything is looked at anew.
 */
void schedule_probe(void)
{
	static const enum slot ways[] = {SLOT_ABSENT, SLOT_NODE_DOWN, SLOT_CRITICAL};
	enum slot way = ways[sim_below(ROW_WORLD, 3)]; /* the same for all: of a check, or of a node, nothing else tells */

	/* What another copy wrote each sees when it lists again. */
	if (sim.setup.copies_n > 1 && !sim.setup.has_lock)
		return;
	for (size_t i = 0; i < sim.setup.services_n; i++) {
		size_t from = SIM_SLOTS, to = SIM_SLOTS;
		bool is_refused = false; /* then it fails, which takes its time */

		for (size_t k = 0; k < SIM_SLOTS; k++) {
			is_refused |= cloud_is_refused(consul_content(i, k), sim.now_ms);
			from = consul_slots(i)[k] == SLOT_PASSING ? k : from;
			to = consul_slots(i)[k] == SLOT_ABSENT ? k : to;
		}
		if (is_refused || from == SIM_SLOTS || to == SIM_SLOTS)
			continue;
		consul_set(i, from, way);
		if (way == SLOT_ABSENT)
			consul_set(i, to, SLOT_PASSING);
	}
}
