/*
 * The phases of a run: what begins with each, and when it is over.
 */
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/run.h"

bool run_has_app(const struct run *r)
{
	return process_is_running(&r->app.process);
}

/* There was an application, and it is no more: nothing is stopped in order any longer. */
static bool is_app_over(const struct run *r)
{
	return r->has_app && !run_has_app(r);
}

static bool is_asked(const struct run *r)
{
	return r->stops_n > 0;
}

/* Nobody is to be asked, or waited for, before the end. */
static bool is_hurried(const struct run *r)
{
	return is_app_over(r) || r->stops_n > 1;
}

/* Neither an application, nor clients, nor a hook would notice that we are in maintenance. */
static bool is_alone(const struct run *r)
{
	return !r->has_app && !run_drain_is_set(r) && !r->setup.config->pre_stop.n;
}

/* Hooks that are waited for have that much time, too. */
static int64_t max_ms(const struct run *r)
{
	return r->setup.drain->max_ms;
}

/* ---- what begins ---- */

static void begin_pre_start(struct run *r, int64_t now_ms)
{
	hook_start(&r->pre_start, "pre-start", &r->setup.config->pre_start, CLOCK_NEVER, now_ms);
}

static void begin_work(struct run *r, int64_t now_ms)
{
	const struct run_command *app = &r->setup.config->app;
	struct err e;

	(void)now_ms;
	if (!app->n)
		return;
	r->has_app = true;
	r->code = PROCESS_NOT_EXECUTABLE;
	if (app_start(&r->app, app->argv, &e))
		log_event(LOG_ERROR, "the application cannot be started", "error=%s", e.text);
}

static void begin_maintenance(struct run *r, int64_t now_ms)
{
	(void)now_ms;
	if (!is_hurried(r) && !is_alone(r))
		run_services_maintain(r, true, REGISTRATION_REASON ": stopping");
}

static void begin_drain(struct run *r, int64_t now_ms)
{
	if (!is_hurried(r))
		run_drain_leave(r, now_ms);
}

static void begin_look(struct run *r, int64_t now_ms)
{
	if (!is_hurried(r))
		run_drain_look(r, now_ms);
}

static void begin_pre_stop(struct run *r, int64_t now_ms)
{
	run_drain_end(r);
	if (!is_app_over(r))
		hook_start(&r->pre_stop, "pre-stop", &r->setup.config->pre_stop, max_ms(r), now_ms);
}

static void begin_end(struct run *r, int64_t now_ms)
{
	backends_stop(&r->backends, now_ms + RUN_HANDLER_MS);
	if (!run_has_app(r))
		return;
	log_event(LOG_INFO, "ending the application", "pid=%d", r->app.process.pid);
	app_terminate(&r->app);
}

static void begin_kill(struct run *r, int64_t now_ms)
{
	(void)now_ms;
	if (!run_has_app(r))
		return;
	log_event(LOG_WARN, "killing the application", "pid=%d", r->app.process.pid);
	r->code = 128 + SIGKILL; /* should it not even die of that */
	app_kill(&r->app);
}

static void begin_leave(struct run *r, int64_t now_ms)
{
	run_services_leave(r, now_ms);
}

static void begin_post_stop(struct run *r, int64_t now_ms)
{
	hook_start(&r->post_stop, "post-stop", &r->setup.config->post_stop, max_ms(r), now_ms);
}

static void begin_nothing(struct run *r, int64_t now_ms)
{
	(void)r;
	(void)now_ms;
}

/* ---- what is over ---- */

static bool is_pre_start_over(const struct run *r)
{
	return hook_is_over(&r->pre_start);
}

static bool is_work_over(const struct run *r)
{
	return is_app_over(r) || is_asked(r);
}

static bool is_pre_stop_over(const struct run *r)
{
	return hook_is_over(&r->pre_stop);
}

static bool is_app_gone(const struct run *r)
{
	return !run_has_app(r);
}

static bool is_post_stop_over(const struct run *r)
{
	return hook_is_over(&r->post_stop);
}

static bool is_never_over(const struct run *r)
{
	(void)r;
	return false;
}

static bool is_look_over(const struct run *r)
{
	return is_hurried(r) || !r->has_drain || drain_knows(&r->drain);
}

static bool is_maintenance_over(const struct run *r)
{
	return is_hurried(r) || is_alone(r) || run_services_are_settled(r);
}

static bool is_drain_over(const struct run *r)
{
	return is_hurried(r) || !r->has_drain || r->is_drained;
}

static bool is_leave_over(const struct run *r)
{
	return run_services_are_over(r) && backends_are_over(&r->backends);
}

/* ---- how long at most ---- */

static int64_t no_limit_ms(const struct run *r)
{
	(void)r;
	return CLOCK_NEVER; /* hooks have their own */
}

static int64_t stop_timeout_ms(const struct run *r)
{
	return r->setup.config->stop_timeout_ms;
}

static int64_t look_ms(const struct run *r)
{
	(void)r;
	return DRAIN_LOOK_MS;
}

static int64_t settle_ms(const struct run *r)
{
	(void)r;
	return RUN_SETTLE_MS;
}

static int64_t leave_ms(const struct run *r)
{
	return r->has_app ? RUN_SETTLE_MS : RUN_LEAVE_MS;
}

static int64_t kill_ms(const struct run *r)
{
	(void)r;
	return RUN_KILL_MS;
}

static const struct {
	void (*begin)(struct run *r, int64_t now_ms);
	bool (*is_over)(const struct run *r);
	int64_t (*limit_ms)(const struct run *r);
} phases[] = {
	[RUN_PRE_START] = {begin_pre_start, is_pre_start_over, no_limit_ms},
	[RUN_WORKING] = {begin_work, is_work_over, no_limit_ms},
	[RUN_LOOKING] = {begin_look, is_look_over, look_ms},
	[RUN_MAINTENANCE] = {begin_maintenance, is_maintenance_over, settle_ms},
	[RUN_DRAINING] = {begin_drain, is_drain_over, no_limit_ms},
	[RUN_PRE_STOP] = {begin_pre_stop, is_pre_stop_over, no_limit_ms},
	[RUN_ENDING] = {begin_end, is_app_gone, stop_timeout_ms},
	[RUN_KILLING] = {begin_kill, is_app_gone, kill_ms},
	[RUN_LEAVING] = {begin_leave, is_leave_over, leave_ms},
	[RUN_POST_STOP] = {begin_post_stop, is_post_stop_over, no_limit_ms},
	[RUN_OVER] = {begin_nothing, is_never_over, no_limit_ms},
};
_Static_assert(sizeof phases / sizeof phases[0] == RUN_PHASES, "a row for each");

/* ---- from one to the next ---- */

static void go(struct run *r, enum run_phase phase, int64_t now_ms)
{
	int64_t ms = phases[phase].limit_ms(r);

	r->phase = phase;
	r->limit_ms = ms < CLOCK_NEVER - now_ms ? now_ms + ms : CLOCK_NEVER;
	phases[phase].begin(r, now_ms);
}

/* What did not even begin ends at once: of a hook that failed, or that was asked to end. */
static enum run_phase next(struct run *r)
{
	if (r->phase != RUN_PRE_START)
		return r->phase + 1;
	r->code = r->pre_start.code;
	if (!r->code && is_asked(r))
		r->code = 128 + r->stop_signal;
	return r->code ? RUN_OVER : RUN_WORKING;
}

void run_phase_begin(struct run *r, int64_t now_ms)
{
	go(r, RUN_PRE_START, now_ms);
}

void run_phase_step(struct run *r, int64_t now_ms)
{
	while (phases[r->phase].is_over(r) || r->limit_ms <= now_ms)
		go(r, next(r), now_ms);
}

int64_t run_phase_until_ms(const struct run *r, int64_t now_ms)
{
	return phases[r->phase].is_over(r) ? now_ms : r->limit_ms;
}

/* The first time in order; the second time without waiting; then at once. */
void run_phase_stop(struct run *r, int number, int64_t now_ms)
{
	static const char *const words[] = {"stopping", "stopping without waiting",
					    "stopping at once"};
	unsigned nth = r->stops_n < 2 ? r->stops_n : 2;

	log_event(LOG_INFO, words[nth], "signal=%d", number);
	if (!r->stops_n++)
		r->stop_signal = number;
	hook_stop(&r->pre_start, now_ms);
	if (nth == 0)
		return;
	hook_stop(&r->pre_stop, now_ms);
	hook_stop(&r->post_stop, now_ms);
	if (nth == 1)
		return;
	hook_kill(&r->pre_start, now_ms);
	hook_kill(&r->pre_stop, now_ms);
	hook_kill(&r->post_stop, now_ms);
	app_kill(&r->app);
}
