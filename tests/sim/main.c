/*
 * sim [--seed N] [--days N] [--jobs N] [--only LIST] [--no-shrink] [--trace]: simulated days, one for
 * each seed. The first that breaks a rule is made as short as it gets, and shown.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "sim/day.h"
#include "watch/watch.h"

#define HANG_SEC 120      /* of one day */
#define SHRINK_SEC 60     /* for making one shorter */
#define SHRUNK_MS 3600000 /* so much later one that is made shorter has to break the rule */

/* ---- many days, in several processes ---- */

static struct day_result *share(size_t n)
{
	void *p = mmap(NULL, n * sizeof(struct day_result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* What killed a process is a finding too. */
static void note_death(struct day_result *r, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	r->is_broken = r->is_over = true;
	(void)snprintf(r->invariant, sizeof r->invariant, "%s",
		       WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hang" : "crash");
	(void)snprintf(r->how, sizeof r->how, "the process ended with status %#x", (unsigned)status);
}

static void run_apart(struct day_result *r, uint64_t seed, bool is_traced)
{
	int status;
	pid_t pid;

	r->is_broken = r->is_over = false;
	(void)fflush(stdout);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		day_result = r;
		(void)alarm(HANG_SEC);
		day_run(seed, is_traced);
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

static bool breaks_too(struct day_result *r, uint64_t seed, const char *invariant)
{
	run_apart(r, seed, false);
	return r->is_broken && strcmp(r->invariant, invariant) == 0;
}

/* Leave out what is not needed to break the same rule: parts of the list, smaller and smaller. */
static void shrink(const struct day_result *found)
{
	struct day_result *r = share(1);
	time_t until = time(NULL) + SHRINK_SEC;

	day_only.is_set = true;
	day_only.until_ms = found->at_ms + SHRUNK_MS < SIM_DAY_MS ? found->at_ms + SHRUNK_MS : SIM_DAY_MS;
	day_only.n = found->decisions_n;
	memcpy(day_only.numbers, found->decisions, day_only.n * sizeof day_only.numbers[0]);
	if (!breaks_too(r, found->seed, found->invariant)) {
		day_only.is_set = false;
		return;
	}
	for (unsigned part = day_only.n / 2 ? day_only.n / 2 : 1; part; part /= 2) {
		for (unsigned at = 0; at < day_only.n && time(NULL) < until;) {
			unsigned saved[DAY_DECISIONS], saved_n = day_only.n, n = part < day_only.n - at ? part : day_only.n - at;

			memcpy(saved, day_only.numbers, sizeof saved);
			memmove(&day_only.numbers[at], &day_only.numbers[at + n],
				(day_only.n - at - n) * sizeof day_only.numbers[0]);
			day_only.n -= n;
			if (breaks_too(r, found->seed, found->invariant))
				continue;
			memcpy(day_only.numbers, saved, sizeof saved);
			day_only.n = saved_n;
			at += n;
		}
	}
	qsort(day_only.numbers, day_only.n, sizeof day_only.numbers[0], by_number);
}

static void show(const struct day_result *found, const char *program, bool is_shrunk)
{
	struct day_result *r = share(1);

	printf("FAIL seed=%" PRIu64 " invariant=%s steps=%u time=%.3f: %s\n", found->seed, found->invariant, found->steps,
	       (double)found->at_ms / 1000, found->how);
	printf("  %s\n", found->setup);
	if (!is_shrunk)
		return;
	shrink(found);
	if (!day_only.is_set) {
		printf("  it cannot be made shorter; again with: %s --seed %" PRIu64 " --trace\n", program, found->seed);
		return;
	}
	run_apart(r, found->seed, false);
	printf("  of %u decisions %u are needed: steps=%u: %s\n", found->decisions_n, day_only.n, r->steps, r->how);
	for (unsigned i = 0; i < day_only.n; i++)
		if (day_only.numbers[i] < SIM_EVENTS)
			printf("    [%u] %.3f s %s\n", day_only.numbers[i],
			       (double)(sim.events[day_only.numbers[i]].at_ms - SIM_START_MS) / 1000,
			       day_kind_name(sim.events[day_only.numbers[i]].kind));
		else
			printf("    [%u] by chance\n", day_only.numbers[i]);
	printf("  again with: %s --seed %" PRIu64 " --trace --only ", program, found->seed);
	for (unsigned i = 0; i < day_only.n; i++)
		printf("%s%u", i ? "," : "", day_only.numbers[i]);
	printf("%s\n", day_only.n ? "" : "none");
}

static void work(struct day_result *results, unsigned who, unsigned jobs, uint64_t first, uint64_t days)
{
	day_result = &results[who];
	for (uint64_t i = who; i < days; i += jobs) {
		(void)alarm(HANG_SEC);
		day_run(first + i, false);
		day_result->days++;
		if (day_result->is_broken)
			break;
		/* Another one has found something already. */
		for (unsigned k = 0; k < jobs; k++)
			if (results[k].is_broken && results[k].is_over)
				return;
	}
}

static const struct day_result *run_all(struct day_result *results, unsigned jobs, uint64_t first, uint64_t days)
{
	const struct day_result *found = NULL;
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
	day_only.is_set = true;
	for (char *end; *list >= '0' && *list <= '9' && day_only.n < DAY_DECISIONS; list = *end ? end + 1 : end)
		day_only.numbers[day_only.n++] = (unsigned)strtoul(list, &end, 10);
}

static void sum_up(const struct day_result *results, unsigned jobs, time_t seconds)
{
	struct day_result sum = {0};

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
	const struct day_result *found;
	struct day_result *results;
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
	if (is_traced || day_only.is_set) {
		run_apart(results, seed, is_traced);
		if (results->is_broken)
			printf("FAIL seed=%" PRIu64 " invariant=%s steps=%u time=%.3f: %s\n", seed, results->invariant,
			       results->steps, (double)results->at_ms / 1000, results->how);
		return results->is_broken;
	}
	found = run_all(results, jobs, seed, days);
	if (found) {
		day_result = &results[jobs];
		sim.seed = found->seed;
		schedule_make();
		show(found, argv[0], is_shrunk);
	}
	sum_up(results, jobs, time(NULL) - start);
	return found != NULL;
}
