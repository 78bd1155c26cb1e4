#include "run/backend.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/pace.h"
#include "engine/driver.h"

void backends_init(struct backends *b, const struct http_origin *consul, const char *headers,
		   int64_t timeout_ms, unsigned wait_sec)
{
	b->consul = consul;
	b->headers = headers;
	b->timeout_ms = timeout_ms;
	b->wait_sec = wait_sec;
}

/* ---- which are followed ---- */

static bool is_free(const struct backend *one)
{
	return !one->is_followed && !one->is_running;
}

/* It follows what setup wants, or did: there are never two commands of one backend. */
static bool is_for(const struct backend *one, const struct run_backend *setup)
{
	return !is_free(one) && job_is_same_query(&one->watch->job, &setup->job);
}

static size_t find(struct backends *b, const struct run_backend *setup, const bool *is_taken)
{
	size_t free_at = BACKENDS_MAX;

	for (size_t i = BACKENDS_MAX; i-- > 0;) {
		if (is_taken[i])
			continue;
		if (is_for(&b->of[i], setup))
			return i;
		if (is_free(&b->of[i]))
			free_at = i;
	}
	return free_at;
}

static void follow(struct backends *b, struct backend *one, const struct run_backend *setup)
{
	one->on_change = &setup->on_change;
	if (one->is_followed)
		return;
	one->is_followed = true;
	one->has_seen = one->is_due = false;
	one->failures = 0;
	one->retry_ms = 0;
	one->runs = one->failed = 0;
	service_watch_init(one->watch, &setup->job);
	service_reader_init(one->watch->reader, b->consul, b->headers, b->timeout_ms);
	one->watch->read.wait_sec = b->wait_sec;
	one->watch->query.sums_passing = true;
}

static void drop(struct backend *one)
{
	if (!one->is_followed)
		return;
	one->is_followed = false;
	http_close(&one->watch->reader->by.client);
}

/* Storage for a service watch with a reader of its own. */
static bool has_storage(struct backend *one)
{
	if (!one->watch)
		one->watch = service_watch_reserve();
	if (one->watch && !one->watch->reader)
		one->watch->reader = service_reader_reserve();
	return one->watch && one->watch->reader;
}

int backends_set(struct backends *b, const struct run_backend *list, size_t n, struct err *e)
{
	const struct run_backend *wanted[BACKENDS_MAX] = {NULL};
	bool is_taken[BACKENDS_MAX] = {false};

	for (size_t i = 0; i < n; i++) {
		size_t at = find(b, &list[i], is_taken);

		if (at == BACKENDS_MAX)
			return err_set(e, ERR_LIMIT, "too many commands of former backends run");
		if (!has_storage(&b->of[at]))
			return err_set(e, ERR_SYS, "no memory");
		is_taken[at] = true;
		wanted[at] = &list[i];
	}
	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		if (wanted[i])
			follow(b, &b->of[i], wanted[i]);
		else
			drop(&b->of[i]);
	}
	return 0;
}

/* ---- what Consul lists ---- */

static const char *name_of(const struct backend *one)
{
	return one->watch->job.service;
}

static void look(struct backend *one, int64_t now_ms)
{
	const struct consul_view *v = one->watch->view;
	size_t passing_n = v->count.state_n[INSTANCE_PASSING];
	bool is_first = !one->has_seen;

	if (!is_first && v->passing_sum == one->seen_sum && passing_n == one->passing_n)
		return;
	one->has_seen = true;
	one->seen_sum = v->passing_sum;
	one->passing_n = passing_n;
	if (is_first && !passing_n)
		return;
	one->is_due = true;
	one->failures = 0;
	one->retry_ms = now_ms;
	log_event(LOG_INFO, "backend changed", "backend=%s passing=%zu", name_of(one), passing_n);
}

static void step_watch(struct backends *b, struct backend *one, int64_t now_ms)
{
	struct service_watch *w = one->watch;
	uint64_t reads = w->read.reads;

	if (service_watch_step(w, now_ms, driver_random()) == BLOCKING_FAILED) {
		b->was_refused |= pace_wants_secrets(w->read.last_err->kind);
		log_event(w->read.failures == 1 ? LOG_WARN : LOG_DEBUG, "consul does not answer",
			  "backend=%s error=%s", name_of(one), w->read.last_err->text);
	}
	if (w->read.reads != reads)
		look(one, now_ms);
}

/* ---- the command ---- */

static void fail(struct backend *one, int code, const char *why, int64_t now_ms)
{
	int64_t delay_ms = pace_delay_ms(PACE_HANDLER, one->failures, driver_random());

	one->failures++;
	one->failed++;
	one->is_due = true;
	one->retry_ms = now_ms + delay_ms;
	log_event(LOG_WARN, "onChange failed", "backend=%s command=%s error=%s code=%d in_ms=%lld",
		  name_of(one), one->on_change->argv[0], why, code, (long long)delay_ms);
}

static void run(struct backend *one, int64_t now_ms)
{
	const struct run_command *c = one->on_change;
	struct err e = {0};

	one->is_due = false; /* what changes from now on, it may have overlooked */
	one->runs++;
	one->was_late = false;
	one->kill_ms = c->timeout_ms == CLOCK_NEVER ? CLOCK_NEVER : now_ms + c->timeout_ms;
	if (process_start(&one->process, c->argv, PROCESS_INHERIT, &e))
		fail(one, PROCESS_NOT_EXECUTABLE, e.text, now_ms);
	else
		one->is_running = true;
}

static void take_end(struct backends *b, struct backend *one, int64_t now_ms)
{
	const struct process *p = &one->process;

	one->is_running = false;
	if (!one->is_followed || b->is_stopping)
		return;
	if (p->code == 0 && !one->was_late)
		log_event(LOG_INFO, "onChange done", "backend=%s", name_of(one));
	else
		fail(one, p->code,
		     one->was_late ? "it did not end within its timeout"
		     : p->line[0]  ? p->line
				   : "it did not end with 0",
		     now_ms);
}

static void step_command(struct backends *b, struct backend *one, int64_t now_ms)
{
	process_step(&one->process);
	if (one->is_running && one->process.is_over)
		take_end(b, one, now_ms);
	if (one->is_running && now_ms >= one->kill_ms) {
		one->was_late = true;
		one->kill_ms = CLOCK_NEVER;
		process_kill(&one->process, SIGKILL);
	}
	if (one->is_due && one->is_followed && !one->is_running && !b->is_stopping &&
	    now_ms >= one->retry_ms)
		run(one, now_ms);
}

/* ---- as a part of the loop ---- */

static void wants(const struct backends *b, const struct backend *one, struct loop_wait *w)
{
	if (one->is_followed && !b->is_stopping)
		service_watch_wants(one->watch, w);
	if (one->is_running) {
		process_wants(&one->process, w);
		loop_wait_until(w, one->process.is_over ? 0 : one->kill_ms);
	} else if (one->is_due && one->is_followed && !b->is_stopping) {
		loop_wait_until(w, one->retry_ms);
	}
}

void backends_wants(const struct backends *b, struct loop_wait *w)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++)
		if (!is_free(&b->of[i]))
			wants(b, &b->of[i], w);
}

void backends_step(struct backends *b, int64_t now_ms)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		struct backend *one = &b->of[i];

		if (one->is_followed && !b->is_stopping)
			step_watch(b, one, now_ms);
		if (!is_free(one))
			step_command(b, one, now_ms);
	}
}

void backends_stop(struct backends *b, int64_t kill_ms)
{
	b->is_stopping = true;
	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		if (!b->of[i].is_running)
			continue;
		process_kill(&b->of[i].process, SIGTERM);
		b->of[i].kill_ms = kill_ms;
	}
}

bool backends_are_over(const struct backends *b)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++)
		if (b->of[i].is_running)
			return false;
	return true;
}

/* ---- shown ---- */

bool backends_show(const struct backends *b, size_t i, struct run_status_part *p)
{
	const struct backend *one = b->of;

	for (; one < b->of + BACKENDS_MAX; one++)
		if (one->is_followed && !i--)
			break;
	if (one == b->of + BACKENDS_MAX)
		return false;
	p->kind = RUN_STATUS_BACKEND;
	p->name = name_of(one);
	p->error = service_watch_error(one->watch);
	if (one->has_seen)
		run_status_set(p, RUN_FACT_INSTANCES, (int64_t)one->passing_n);
	run_status_set(p, RUN_FACT_BEHIND, one->is_due || one->is_running);
	run_status_set(p, RUN_FACT_RUNS, (int64_t)one->runs);
	run_status_set(p, RUN_FACT_RUN_FAILURES, (int64_t)one->failed);
	return true;
}
