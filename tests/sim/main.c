/*
 * sim [--seed N] [--days N] [--jobs N] [--only LIST] [--trace] [--quiet]: simulated days, one for
 * each seed. The first that breaks a rule is made as short as it gets, and shown.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "sim/check.h"
#include "sim/cloudflare.h"
#include "sim/consul.h"
#include "sim/copy.h"
#include "sim/sim.h"
#include "sim/wire.h"
#include "watch/watch.h"

#define DECISIONS 4096
#define HANG_SEC 120      /* of one day */
#define SHRINK_SEC 60     /* for making one shorter */
#define SHRUNK_MS 3600000 /* so much later one that is made shorter has to break the rule */
#define STUCK_MAX 100000  /* turns of the world at one time */
#define CALM_AFTER_MS 4800000
#define PROBE_MS 200000 /* the longest rest after a failure, the longest grace, and some */
#define PLANNED_MAX 64

struct sim sim;

/* Left out is what is not among these, when there are any. Decisions: events, then chances. */
static struct {
	bool is_set;
	unsigned n;
	unsigned numbers[DECISIONS];
	int64_t until_ms; /* no day is longer */
} only;

/* What came of a day, in memory that is shared with who started it. */
struct result {
	bool is_over, is_broken;
	uint64_t seed;
	unsigned steps, decisions_n;
	int64_t at_ms;
	char invariant[32], how[1024], setup[256];
	unsigned decisions[DECISIONS];
	struct check_counts counts;
	uint64_t calls, days;
};
static struct result *result;

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
	for (unsigned i = 0; i < only.n; i++)
		if (only.numbers[i] == number)
			return true;
	return !only.is_set;
}

static void note_decision(unsigned number)
{
	if (result->decisions_n < DECISIONS)
		result->decisions[result->decisions_n++] = number;
}

bool sim_chance(const char *what, unsigned per_million)
{
	unsigned number = SIM_EVENTS + sim.chances++;
	bool is_so = sim_below(ROW_CLOUD, 1000000) < per_million;

	if (only.is_set)
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

static void run_day(uint64_t seed, bool is_traced)
{
	int64_t last_ms = 0;
	unsigned stuck = 0;

	memset(&sim, 0, offsetof(struct sim, events));
	sim.is_broken = false;
	sim.seed = seed;
	sim.is_traced = is_traced;
	sim.now_ms = SIM_START_MS;
	sim.end_ms = SIM_START_MS + (only.until_ms ? only.until_ms : SIM_DAY_MS);
	sim.wall_sec = 1800000000;
	schedule_make();
	describe(result->setup, sizeof result->setup);
	NOTE("seed %" PRIu64 ": %s", seed, result->setup);
	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		note_job(&sim.setup.jobs[i]);
	result->seed = seed;
	result->decisions_n = 0;
	result->is_broken = false;
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
	result->is_broken = sim.is_broken;
	result->steps = sim.steps;
	result->at_ms = sim.now_ms - SIM_START_MS;
	result->counts = check_counts;
	result->calls += cloud.counts.calls;
	memcpy(result->invariant, sim.invariant, sizeof result->invariant);
	memcpy(result->how, sim.how, sizeof result->how);
	result->is_over = true;
}

/* ---- many days, in several processes ---- */

static struct result *share(size_t n)
{
	void *p = mmap(NULL, n * sizeof(struct result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* What killed a process is a finding too. */
static void note_death(struct result *r, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	r->is_broken = r->is_over = true;
	(void)snprintf(r->invariant, sizeof r->invariant, "%s",
		       WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hang" : "crash");
	(void)snprintf(r->how, sizeof r->how, "the process ended with status %#x", (unsigned)status);
}

static void run_apart(struct result *r, uint64_t seed, bool is_traced)
{
	int status;
	pid_t pid;

	r->is_broken = r->is_over = false;
	(void)fflush(stdout);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		result = r;
		(void)alarm(HANG_SEC);
		run_day(seed, is_traced);
		(void)fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) == pid)
		note_death(r, status);
}

static int by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool breaks_too(struct result *r, uint64_t seed, const char *invariant)
{
	run_apart(r, seed, false);
	return r->is_broken && strcmp(r->invariant, invariant) == 0;
}

/* Leave out what is not needed to break the same rule: parts of the list, smaller and smaller. */
static void shrink(const struct result *found)
{
	struct result *r = share(1);
	time_t until = time(NULL) + SHRINK_SEC;

	only.is_set = true;
	only.until_ms = found->at_ms + SHRUNK_MS < SIM_DAY_MS ? found->at_ms + SHRUNK_MS : SIM_DAY_MS;
	only.n = found->decisions_n;
	memcpy(only.numbers, found->decisions, only.n * sizeof only.numbers[0]);
	if (!breaks_too(r, found->seed, found->invariant)) {
		only.is_set = false;
		return;
	}
	for (unsigned part = only.n / 2 ? only.n / 2 : 1; part; part /= 2) {
		for (unsigned at = 0; at < only.n && time(NULL) < until;) {
			unsigned saved[DECISIONS], saved_n = only.n, n = part < only.n - at ? part : only.n - at;

			memcpy(saved, only.numbers, sizeof saved);
			memmove(&only.numbers[at], &only.numbers[at + n], (only.n - at - n) * sizeof only.numbers[0]);
			only.n -= n;
			if (breaks_too(r, found->seed, found->invariant))
				continue;
			memcpy(only.numbers, saved, sizeof saved);
			only.n = saved_n;
			at += n;
		}
	}
	qsort(only.numbers, only.n, sizeof only.numbers[0], by_number);
}

static void show(const struct result *found, const char *program, bool is_shrunk)
{
	struct result *r = share(1);

	printf("FAIL seed=%" PRIu64 " invariant=%s steps=%u time=%.3f: %s\n", found->seed, found->invariant, found->steps,
	       (double)found->at_ms / 1000, found->how);
	printf("  %s\n", found->setup);
	if (!is_shrunk)
		return;
	shrink(found);
	if (!only.is_set) {
		printf("  it cannot be made shorter; again with: %s --seed %" PRIu64 " --trace\n", program, found->seed);
		return;
	}
	run_apart(r, found->seed, false);
	printf("  of %u decisions %u are needed: steps=%u: %s\n", found->decisions_n, only.n, r->steps, r->how);
	for (unsigned i = 0; i < only.n; i++)
		if (only.numbers[i] < SIM_EVENTS)
			printf("    [%u] %.3f s %s\n", only.numbers[i],
			       (double)(sim.events[only.numbers[i]].at_ms - SIM_START_MS) / 1000,
			       kind_names[sim.events[only.numbers[i]].kind]);
		else
			printf("    [%u] by chance\n", only.numbers[i]);
	printf("  again with: %s --seed %" PRIu64 " --trace --only ", program, found->seed);
	for (unsigned i = 0; i < only.n; i++)
		printf("%s%u", i ? "," : "", only.numbers[i]);
	printf("%s\n", only.n ? "" : "none");
}

static void work(struct result *results, unsigned who, unsigned jobs, uint64_t first, uint64_t days)
{
	result = &results[who];
	for (uint64_t i = who; i < days; i += jobs) {
		(void)alarm(HANG_SEC);
		run_day(first + i, false);
		result->days++;
		if (result->is_broken)
			break;
		/* Another one has found something already. */
		for (unsigned k = 0; k < jobs; k++)
			if (results[k].is_broken && results[k].is_over)
				return;
	}
}

static const struct result *run_all(struct result *results, unsigned jobs, uint64_t first, uint64_t days)
{
	const struct result *found = NULL;
	pid_t pids[64];

	(void)fflush(stdout);
	for (unsigned i = 0; i < jobs; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			abort();
		if (!pids[i]) {
			work(results, i, jobs, first, days);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < jobs; i++) {
		int status;

		if (waitpid(pids[i], &status, 0) == pids[i])
			note_death(&results[i], status);
	}
	for (unsigned i = 0; i < jobs; i++)
		if (results[i].is_broken && (!found || results[i].seed < found->seed))
			found = &results[i];
	return found;
}

static void read_only(const char *list)
{
	only.is_set = true;
	for (char *end; *list >= '0' && *list <= '9' && only.n < DECISIONS; list = *end ? end + 1 : end)
		only.numbers[only.n++] = (unsigned)strtoul(list, &end, 10);
}

static void sum_up(const struct result *results, unsigned jobs, time_t seconds)
{
	struct result sum = {0};

	for (unsigned i = 0; i < jobs; i++) {
		sum.days += results[i].days;
		sum.calls += results[i].calls;
		sum.counts.writes += results[i].counts.writes;
		sum.counts.checked += results[i].counts.checked;
		sum.counts.excused += results[i].counts.excused;
		sum.counts.episodes += results[i].counts.episodes;
	}
	printf("%" PRIu64 " days in %lld s: %" PRIu64 " calls, %" PRIu64 " writes, %" PRIu64 " removals checked (of %" PRIu64
	       " others had changed the name meanwhile), %" PRIu64 " times at rest\n",
	       sum.days, (long long)seconds, sum.calls, sum.counts.writes, sum.counts.checked, sum.counts.excused,
	       sum.counts.episodes);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, days = 1;
	unsigned jobs = 1;
	bool is_traced = false, is_shrunk = true;
	const struct result *found;
	struct result *results;
	time_t start = time(NULL);
	struct err e;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--trace") == 0) {
			is_traced = true;
			continue;
		}
		if (strcmp(argv[i], "--no-shrink") == 0) {
			is_shrunk = false;
			continue;
		}
		i++;
		if (strcmp(argv[i - 1], "--seed") == 0)
			seed = strtoull(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--days") == 0)
			days = strtoull(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--jobs") == 0)
			jobs = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--only") == 0)
			read_only(value);
		else
			return 64;
	}
	jobs = jobs < 1 ? 1 : jobs > 64 ? 64 : jobs;
	results = share(jobs + 1);
	log_setup(LOG_LOGFMT, LOG_DEBUG);
	if (secret_add(SIM_CONSUL_TOKEN) || secret_add(SIM_CF_TOKEN) || watch_catch_signals(&e))
		return 70;
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	if (is_traced || only.is_set) {
		run_apart(results, seed, is_traced);
		if (results->is_broken)
			printf("FAIL seed=%" PRIu64 " invariant=%s steps=%u time=%.3f: %s\n", seed, results->invariant,
			       results->steps, (double)results->at_ms / 1000, results->how);
		return results->is_broken;
	}
	found = run_all(results, jobs, seed, days);
	if (found) {
		result = &results[jobs];
		sim.seed = found->seed;
		schedule_make();
		show(found, argv[0], is_shrunk);
	}
	sum_up(results, jobs, time(NULL) - start);
	return found != NULL;
}
