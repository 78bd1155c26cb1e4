#include "sim/day.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/cloudflare.h"
#include "sim/consul.h"
#include "sim/copy.h"
#include "sim/wire.h"

#define STUCK_MAX 100000 /* turns of the world at one time */
#define CALM_AFTER_MS 4800000
#define PROBE_MS 200000 /* the longest rest after a failure, the longest grace, and some */
#define PLANNED_MAX 64

struct sim sim;
struct day_only day_only;
struct day_result *day_result;

/* ---- for all ---- */

void sim_broken(const char *invariant, const char *fmt, ...)
{
	va_list ap;

	if (sim.is_broken)
		return;
	sim.is_broken = true;
	(void)snprintf(sim.invariant, sizeof sim.invariant, "%s", invariant);
	va_start(ap, fmt);
	(void)vsnprintf(sim.how, sizeof sim.how, fmt, ap);
	va_end(ap);
	NOTE("BROKEN %s: %s", sim.invariant, sim.how);
}

void sim_note(const char *fmt, ...)
{
	va_list ap;

	printf("%10.3f ", (double)(sim.now_ms - SIM_START_MS) / 1000);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static bool is_kept(unsigned number)
{
	for (unsigned i = 0; i < day_only.n; i++)
		if (day_only.numbers[i] == number)
			return true;
	return !day_only.is_set;
}

static void note_decision(unsigned number)
{
	if (day_result->decisions_n < DAY_DECISIONS)
		day_result->decisions[day_result->decisions_n++] = number;
}

bool sim_chance(const char *what, unsigned per_million)
{
	unsigned number = SIM_EVENTS + sim.chances++;
	bool is_so = sim_below(ROW_CLOUD, 1000000) < per_million;

	if (day_only.is_set)
		is_so = is_kept(number);
	if (!is_so)
		return false;
	note_decision(number);
	NOTE("[%u] %s", number, what);
	return true;
}

bool sim_has_secret(const char *p, size_t n)
{
	static const char *const secrets[] = {SIM_CONSUL_TOKEN, SIM_CF_TOKEN};
	const char *end = p + n;

	for (; (p = memchr(p, SIM_SECRET, (size_t)(end - p))); p++)
		for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
			if ((size_t)(end - p) >= strlen(secrets[i]) && memcmp(p, secrets[i], strlen(secrets[i])) == 0)
				return true;
	return false;
}

/* ---- the world of a day ---- */

static int64_t rates_until_ms;

static uint32_t cloud_below(uint32_t n)
{
	return sim_below(ROW_CLOUD, n);
}

static void set_cloud(void)
{
	static const unsigned per_page[] = {5000, 5000, 5000, 100, 10, 2};
	struct cloud_setup s = {
		.below = cloud_below,
		.chance = sim_chance,
		.committed = check_committed,
		.token = SIM_CF_TOKEN,
		.secrets = {SIM_CONSUL_TOKEN},
		.deeds = sim_random(ROW_SETUP),
		.latency_ms = sim_between(ROW_SETUP, 5, 120),
		.per_page = per_page[sim_below(ROW_SETUP, 6)],
		.has_ratelimit = sim_below(ROW_SETUP, 2),
		.has_retry_after = sim_below(ROW_SETUP, 4),
		.has_total_pages = sim_below(ROW_SETUP, 4),
	};

	s.broken = NULL;
	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		s.names[s.names_n++] = sim.setup.jobs[i].name;
	cloud_init(&s, sim.now_ms);
	for (size_t i = 0; i < sim.setup.zones_n; i++)
		(void)cloud_add_zone(sim.setup.zones[i]);
	rates_until_ms = 0;
}

static void cloud_broken(const char *invariant, const char *how)
{
	sim_broken(invariant, "%s", how);
}

static void set_rates(const struct sim_event *event)
{
	struct cloud_rates *rates = &cloud.setup.rates;
	unsigned *all[] = {&rates->lost_before, &rates->lost_after, &rates->silent,      &rates->late,       &rates->cut,
			   &rates->slow,        &rates->error_html, &rates->error_after, &rates->error_json, &rates->forbidden,
			   &rates->limited,     &rates->shifted,    &rates->raced,       &rates->echo};

	memset(rates, 0, sizeof *rates);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (event->random >> i & 1)
			*all[i] = i == 10 ? 10000 : event->random & 0x10000 ? 200000 : 50000;
	rates->late_ms = 20000;
	rates_until_ms = event->until_ms;
}

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_STATE] = "state",     [EVENT_BLIP] = "blip",     [EVENT_ROLL] = "roll",           [EVENT_DOWN] = "down",
	[EVENT_UP] = "up",           [EVENT_OUTPUT] = "output", [EVENT_KILL] = "kill",           [EVENT_TERM] = "term",
	[EVENT_PAUSE] = "pause",     [EVENT_RELOAD] = "reload", [EVENT_NO_LEADER] = "no leader", [EVENT_STALE] = "stale",
	[EVENT_DEPOSED] = "deposed", [EVENT_CACHED] = "cached", [EVENT_HIDDEN] = "hidden",       [EVENT_DENIED] = "denied",
	[EVENT_FULL] = "full",       [EVENT_AWAY] = "away",     [EVENT_RESTORED] = "restored",   [EVENT_WIRE] = "wire",
	[EVENT_SESSION] = "session", [EVENT_KEY] = "key",       [EVENT_STIR] = "stir",           [EVENT_RATES] = "rates",
	[EVENT_CLOCK] = "clock",
};

const char *day_kind_name(enum sim_kind kind)
{
	return kind_names[kind];
}

/* What an event leads to, a little later. */
static struct planned {
	int64_t at_ms;
	size_t service, slot;
	enum slot state;
} planned[PLANNED_MAX];
static size_t planned_n;

static void plan_state(int64_t at_ms, size_t service, size_t slot, enum slot state)
{
	if (planned_n < PLANNED_MAX)
		planned[planned_n++] = (struct planned){at_ms, service, slot, state};
}

static void begin_changes(const struct sim_event *event)
{
	size_t service = event->random % (uint32_t)sim.setup.services_n, slot = (event->random >> 8) % SIM_SLOTS;
	int64_t length_ms = event->until_ms - event->at_ms;

	if (event->kind == EVENT_BLIP) {
		enum slot now = (enum slot)consul_slots(service)[slot];

		consul_set(service, slot, SLOT_ABSENT);
		plan_state(event->until_ms, service, slot, now);
		return;
	}
	for (size_t i = 0; i < SIM_SLOTS; i++) {
		if (consul_slots(service)[i] == SLOT_ABSENT && i != slot)
			continue;
		plan_state(sim.now_ms + length_ms * (int64_t)i / SIM_SLOTS, service, i, i % 2 ? SLOT_MAINTENANCE : SLOT_ABSENT);
		plan_state(sim.now_ms + length_ms * (int64_t)(i + 1) / SIM_SLOTS, service, i, SLOT_PASSING);
	}
}

static int64_t planned_next_ms(void)
{
	int64_t first_ms = CLOCK_NEVER;

	for (size_t i = 0; i < planned_n; i++)
		if (planned[i].at_ms < first_ms)
			first_ms = planned[i].at_ms;
	return first_ms;
}

static void do_planned(void)
{
	for (size_t i = 0; i < planned_n;) {
		struct planned p = planned[i];

		if (p.at_ms > sim.now_ms) {
			i++;
			continue;
		}
		memmove(&planned[i], &planned[i + 1], (--planned_n - i) * sizeof planned[0]);
		consul_set(p.service, p.slot, p.state);
	}
}

static void do_event(size_t i)
{
	const struct sim_event *event = &sim.events[i];
	const char *what;

	if (!is_kept((unsigned)i))
		return;
	note_decision((unsigned)i);
	NOTE("[%zu] %s, %08x, for %lld ms", i, kind_names[event->kind], (unsigned)event->random,
	     (long long)(event->until_ms - event->at_ms));
	switch (event->kind) {
	case EVENT_BLIP:
	case EVENT_ROLL: begin_changes(event); break;
	case EVENT_KILL:
	case EVENT_TERM:
	case EVENT_PAUSE:
	case EVENT_RELOAD: copy_event(event); break;
	case EVENT_WIRE: wire_event(event); break;
	case EVENT_STIR:
		what = cloud_stir(sim.now_ms);
		NOTE("others: %s", what ? what : "nothing");
		break;
	case EVENT_RATES: set_rates(event); break;
	case EVENT_CLOCK: sim.wall_sec += (int32_t)event->random % 100000; break;
	case EVENT_RESTORED:
		/* Whoever waits for a higher index knows nothing new before his wait is over. */
		for (int k = 0; k < (int)sim.setup.copies_n; k++)
			check_failed(k, sim.now_ms + (int64_t)sim.setup.wait_sec * 1100);
		consul_event(event);
		break;
	default: consul_event(event); break;
	}
}

/* ---- phases ---- */

static size_t next_event, episode;
static int64_t phase_ms, quiet_since_ms;
static enum { PHASE_CHAOS, PHASE_CALM, PHASE_PROBE, PHASE_QUIET } phase;

static void calm(void)
{
	NOTE("from now on nothing goes wrong");
	sim.is_calm = true;
	memset(&cloud.setup.rates, 0, sizeof cloud.setup.rates);
	cloud_calm(sim.now_ms);
	consul_calm();
	wire_calm();
	copy_calm();
}

static void next_phase(void)
{
	switch (phase) {
	case PHASE_CHAOS:
		calm();
		phase = PHASE_CALM;
		phase_ms = sim.now_ms + 2 * sim.setup.resync_ms + 600000;
		break;
	case PHASE_CALM:
		NOTE("what has become of it?");
		check_rest(false);
		schedule_probe();
		phase = PHASE_PROBE;
		phase_ms = sim.now_ms + PROBE_MS;
		break;
	case PHASE_PROBE:
		NOTE("and of what changed since?");
		check_rest(true);
		check_begin_quiet();
		quiet_since_ms = sim.now_ms;
		phase = PHASE_QUIET;
		episode++;
		phase_ms = SIM_START_MS + (int64_t)episode * (SIM_DAY_MS / SIM_EPISODES);
		break;
	case PHASE_QUIET:
		check_end_quiet(sim.now_ms - quiet_since_ms);
		sim.is_calm = cloud.is_calm = false;
		phase = PHASE_CHAOS;
		phase_ms = SIM_START_MS + (int64_t)episode * (SIM_DAY_MS / SIM_EPISODES) + CALM_AFTER_MS;
		break;
	}
}

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_ms(void)
{
	int64_t first_ms = earliest(phase_ms, earliest(wire_next_ms(), earliest(consul_next_ms(), planned_next_ms())));

	if (next_event < sim.events_n)
		first_ms = earliest(first_ms, sim.events[next_event].at_ms);
	for (int i = 0; i < (int)sim.setup.copies_n; i++)
		first_ms = earliest(first_ms, copy_next_ms(i));
	return first_ms > sim.now_ms ? first_ms : sim.now_ms;
}

/* All that happens at this time. */
static void go_on(void)
{
	if (phase_ms <= sim.now_ms)
		next_phase();
	while (next_event < sim.events_n && sim.events[next_event].at_ms <= sim.now_ms)
		do_event(next_event++);
	if (sim.now_ms >= rates_until_ms && rates_until_ms) {
		memset(&cloud.setup.rates, 0, sizeof cloud.setup.rates);
		rates_until_ms = 0;
	}
	do_planned();
	consul_age();
	wire_serve();
	for (int i = 0; i < (int)sim.setup.copies_n && !sim.is_broken; i++) {
		if (copy_next_ms(i) > sim.now_ms)
			continue;
		if (copies[i].is_alive)
			copy_turn(i);
		else
			copy_start(i);
	}
}

static void describe(char *out, size_t cap)
{
	const struct sim_setup *s = &sim.setup;

	(void)snprintf(out, cap, "%zu names, %zu services, %zu zones, %zu %s%s, resync %lld s", s->jobs_n, s->services_n,
		       s->zones_n, s->copies_n, s->copies_n == 1 ? "copy" : "copies", s->has_lock ? " with a lock" : "",
		       (long long)(s->resync_ms / 1000));
}

static void note_job(const struct job *j)
{
	static const char *const words[] = {
		[ON_EMPTY_KEEP] = "keep", [ON_EMPTY_REMOVE] = "remove", [ON_EMPTY_FALLBACK] = "fallback"};

	NOTE("%s of %s, owner %s, ttl %u, proxied %d, on empty %s %s, at least %u, grace %lld ms%s", j->name, j->service, j->owner,
	     (unsigned)j->ttl, (int)j->proxied, words[j->on_empty], j->fallback, (unsigned)j->min_records, (long long)j->grace_ms,
	     j->include_warning ? ", warning too" : "");
}

void day_run(uint64_t seed, bool is_traced)
{
	int64_t last_ms = 0;
	unsigned stuck = 0;

	memset(&sim, 0, offsetof(struct sim, events));
	sim.is_broken = false;
	sim.seed = seed;
	sim.is_traced = is_traced;
	sim.now_ms = SIM_START_MS;
	sim.end_ms = SIM_START_MS + (day_only.until_ms ? day_only.until_ms : SIM_DAY_MS);
	sim.wall_sec = 1800000000;
	schedule_make();
	describe(day_result->setup, sizeof day_result->setup);
	NOTE("seed %" PRIu64 ": %s", seed, day_result->setup);
	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		note_job(&sim.setup.jobs[i]);
	day_result->seed = seed;
	day_result->decisions_n = 0;
	day_result->is_broken = false;
	next_event = episode = planned_n = 0;
	phase = PHASE_CHAOS;
	phase_ms = sim.now_ms + CALM_AFTER_MS;
	wire_init();
	check_begin();
	consul_init();
	set_cloud();
	cloud.setup.broken = cloud_broken;
	copy_init_all();
	for (size_t i = 0; i < sim.setup.copies_n; i++)
		copies[i].start_ms = sim.now_ms + (int64_t)i * sim_between(ROW_SETUP, 0, 5000);
	while (!sim.is_broken && sim.now_ms < sim.end_ms) {
		sim.now_ms = next_ms();
		stuck = sim.now_ms == last_ms ? stuck + 1 : 0;
		last_ms = sim.now_ms;
		if (stuck > STUCK_MAX)
			sim_broken("I9", "time does not go on");
		go_on();
	}
	day_result->is_broken = sim.is_broken;
	day_result->steps = sim.steps;
	day_result->at_ms = sim.now_ms - SIM_START_MS;
	day_result->counts = check_counts;
	day_result->calls += cloud.counts.calls;
	memcpy(day_result->invariant, sim.invariant, sizeof day_result->invariant);
	memcpy(day_result->how, sim.how, sizeof day_result->how);
	day_result->is_over = true;
}
