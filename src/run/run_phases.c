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

/* ---- what begins ---- */

static void begin_hook(struct run *r, struct hook *h, const char *name,
		       const struct run_command *command, int64_t now_ms)
{
	r->hook = h;
	hook_start(h, name, command,
		   r->phase == RUN_PRE_START ? CLOCK_NEVER : r->setup.drain->max_ms, now_ms);
}

static void begin_work(struct run *r)
{
	const struct run_command *app = &r->setup.config->app;
	struct err e;

	if (!app->n)
		return;
	r->has_app = true;
	r->code = PROCESS_NOT_EXECUTABLE;
	if (app_start(&r->app, app->argv, &e))
		log_event(LOG_ERROR, "the application cannot be started", "error=%s", e.text);
}

static void begin_end(struct run *r, int64_t now_ms)
{
	backends_stop(&r->backends, now_ms + RUN_HANDLER_MS);
	if (!run_has_app(r))
		return;
	log_event(LOG_INFO, "ending the application", "pid=%d", r->app.process.pid);
	app_terminate(&r->app);
}

static void begin_kill(struct run *r)
{
	if (!run_has_app(r))
		return;
	log_event(LOG_WARN, "killing the application", "pid=%d", r->app.process.pid);
	r->code = 128 + SIGKILL; /* should it not even die of that */
	app_kill(&r->app);
}

static void begin(struct run *r, int64_t now_ms)
{
	const struct run_config *c = r->setup.config;

	switch (r->phase) {
	case RUN_PRE_START: begin_hook(r, &r->pre_start, "pre-start", &c->pre_start, now_ms); break;
	case RUN_WORKING: begin_work(r); break;
	case RUN_LOOKING:
		if (!is_hurried(r))
			run_drain_look(r, now_ms);
		break;
	case RUN_MAINTENANCE:
		if (!is_hurried(r) && !is_alone(r))
			run_services_maintain(r, true, REGISTRATION_REASON ": stopping");
		break;
	case RUN_DRAINING:
		if (is_hurried(r))
			break;
		if (!is_alone(r))
			run_services_tell_unsettled(r);
		run_drain_leave(r, now_ms);
		break;
	case RUN_PRE_STOP:
		run_drain_end(r);
		if (!is_app_over(r))
			begin_hook(r, &r->pre_stop, "pre-stop", &c->pre_stop, now_ms);
		break;
	case RUN_ENDING: begin_end(r, now_ms); break;
	case RUN_KILLING: begin_kill(r); break;
	case RUN_LEAVING: run_services_leave(r, now_ms); break;
	case RUN_POST_STOP:
		run_services_tell_left(r);
		begin_hook(r, &r->post_stop, "post-stop", &c->post_stop, now_ms);
		break;
	case RUN_OVER: break;
	}
}

/* ---- until when ---- */

static bool is_over(const struct run *r)
{
	switch (r->phase) {
	case RUN_PRE_START:
	case RUN_PRE_STOP:
	case RUN_POST_STOP: return hook_is_over(r->hook);
	case RUN_WORKING: return is_app_over(r) || r->stops_n;
	case RUN_LOOKING: return is_hurried(r) || !r->has_drain || drain_knows(&r->drain);
	case RUN_MAINTENANCE: return is_hurried(r) || is_alone(r) || run_services_are_settled(r);
	case RUN_DRAINING: return is_hurried(r) || !r->has_drain || r->is_drained;
	case RUN_ENDING:
	case RUN_KILLING: return !run_has_app(r);
	case RUN_LEAVING: return run_services_are_over(r) && backends_are_over(&r->backends);
	case RUN_OVER: break;
	}
	return false;
}

/* How long it lasts at most; hooks have their own limits. */
static int64_t limit_ms(const struct run *r)
{
	switch (r->phase) {
	case RUN_LOOKING: return DRAIN_LOOK_MS;
	case RUN_MAINTENANCE: return RUN_SETTLE_MS;
	case RUN_ENDING: return r->setup.config->stop_timeout_ms;
	case RUN_KILLING: return RUN_KILL_MS;
	case RUN_LEAVING: return r->has_app ? RUN_SETTLE_MS : RUN_LEAVE_MS;
	default: return CLOCK_NEVER;
	}
}

/* ---- from one to the next ---- */

static void go(struct run *r, enum run_phase phase, int64_t now_ms)
{
	int64_t ms;

	r->phase = phase;
	begin(r, now_ms);
	ms = limit_ms(r);
	r->limit_ms = ms < CLOCK_NEVER - now_ms ? now_ms + ms : CLOCK_NEVER;
}

/* What did not even begin ends at once: of a hook that failed, or that was asked to end. */
static enum run_phase next(struct run *r)
{
	if (r->phase != RUN_PRE_START)
		return r->phase + 1;
	r->code = r->pre_start.code;
	if (!r->code && r->stops_n)
		r->code = 128 + r->stop_signal;
	return r->code ? RUN_OVER : RUN_WORKING;
}

void run_phase_begin(struct run *r, int64_t now_ms)
{
	go(r, RUN_PRE_START, now_ms);
}

void run_phase_step(struct run *r, int64_t now_ms)
{
	while (is_over(r) || r->limit_ms <= now_ms)
		go(r, next(r), now_ms);
}

int64_t run_phase_until_ms(const struct run *r, int64_t now_ms)
{
	return is_over(r) || r->phase == RUN_OVER ? now_ms : r->limit_ms;
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
	if (nth > 0 || r->phase == RUN_PRE_START)
		hook_stop(r->hook, now_ms);
	if (nth < 2)
		return;
	hook_kill(r->hook, now_ms);
	app_kill(&r->app);
}
