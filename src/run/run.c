#include "run/run.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/pace.h"
#include "run/process.h"

/* ---- signals ---- */

/* Ours from the start; what else can be forwarded follows when there is somebody to forward to. */
int run_catch_signals(struct err *e)
{
	static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};

	return loop_catch_signals(numbers, sizeof numbers / sizeof numbers[0], e);
}

/* Not those that stop, whose default is right for us. */
static bool is_forwarded(int number)
{
	static const unsigned char kept[] = {SIGKILL, SIGSTOP, SIGTTIN, SIGTTOU,
					     SIGTSTP, SIGHUP,  SIGTERM, SIGINT};

	for (size_t i = 0; i < sizeof kept; i++)
		if (kept[i] == number)
			return false;
	return true;
}

static int catch_the_rest(struct err *e)
{
	for (int number = 1; number <= 64; number++)
		if (is_forwarded(number) && loop_catch_signals(&number, 1, e))
			return -1;
	return 0;
}

static void toggle_maintenance(struct run *r)
{
	if (r->phase > RUN_WORKING)
		return;
	r->is_maintained = !r->is_maintained;
	log_event(LOG_INFO, r->is_maintained ? "maintenance" : "maintenance is over", "signal=%d",
		  SIGUSR1);
	run_services_maintain(r, r->is_maintained, REGISTRATION_REASON ": SIGUSR1");
}

static void read_again(struct run *r)
{
	if (r->phase == RUN_WORKING && r->setup.reload)
		r->setup.reload(r->setup.ctx, false);
	else
		log_event(LOG_INFO, "configuration not read again", "reason=%s",
			  r->phase < RUN_WORKING ? "it begins" : "it stops");
}

static void take_signal(void *ctx, int number)
{
	struct run *r = ctx;

	switch (number) {
	case SIGCHLD: process_reap_all(); break;
	case SIGTERM:
	case SIGINT: run_phase_stop(r, number, clock_now_ms()); break;
	case SIGHUP: read_again(r); break;
	case SIGUSR1: toggle_maintenance(r); break;
	default: app_forward(&r->app, number); break;
	}
}

/* ---- processes ---- */

/* One clear line, and its code, whatever else comes. Nobody is to be sent to us any more. */
static void take_end(struct run *r, int64_t now_ms)
{
	const struct process *p = &r->app.process;

	r->has_ended = true;
	r->code = p->code;
	if (*p->line)
		log_plain("dnsbuddy run: %s: %s", r->setup.config->app.argv[0], p->line);
	log_event(LOG_INFO, "application ended", "code=%d", p->code);
	run_services_leave(r, now_ms);
}

/* What is asked of Consul, or resolved, comes after the application. */
static bool is_to_start(const struct run *r)
{
	return r->phase == RUN_WORKING && !r->has_started &&
	       (!r->has_app || process_is_confirmed(&r->app.process));
}

static void processes_wants(const struct run *r, struct loop_wait *w, int64_t now_ms)
{
	process_wants(&r->app.process, w);
	hook_wants(r->hook, w);
	if (r->app.process.stop_signal || (r->app.process.is_over && !r->has_ended) ||
	    is_to_start(r))
		loop_wait_until(w, now_ms);
}

static void processes_step(struct run *r, int64_t now_ms)
{
	app_step(&r->app);
	hook_step(r->hook, now_ms);
	if (r->app.process.is_over && !r->has_ended)
		take_end(r, now_ms);
	if (is_to_start(r))
		run_services_start(r, now_ms);
}

/* ---- pages ---- */

static int answer_page(void *ctx, const char *path, const char *query, struct buf *out,
		       const char **content_type)
{
	struct run_status s;

	(void)query;
	run_status_fill(ctx, clock_now_ms(), &s);
	return run_pages_answer(&s, path, out, content_type);
}

/* ---- credentials that were refused ---- */

static int64_t secrets_due_ms(const struct run *r)
{
	bool was_refused = r->was_refused || r->backends.was_refused;

	return r->setup.reload && was_refused && r->phase <= RUN_WORKING
		       ? pace_secrets_ms(r->refused_ms != 0, r->refused_ms)
		       : CLOCK_NEVER;
}

static void read_secrets(struct run *r, int64_t now_ms)
{
	r->was_refused = r->backends.was_refused = false;
	r->refused_ms = now_ms;
	r->setup.reload(r->setup.ctx, true);
}

/* ---- all of it: one part of the loop ---- */

static void wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	const struct run *r = ctx;

	processes_wants(r, w, now_ms);
	run_services_wants(r, w);
	if (r->has_started)
		backends_wants(&r->backends, w);
	for (size_t i = 0; r->setup.listeners && i < RUN_LISTENERS; i++)
		listen_wants(&r->setup.listeners[i], w);
	run_drain_wants(r, w, now_ms);
	loop_wait_until(w, secrets_due_ms(r));
	loop_wait_until(w, run_phase_until_ms(r, now_ms));
}

static void step(void *ctx, int64_t now_ms)
{
	struct run *r = ctx;

	processes_step(r, now_ms);
	run_services_step(r, now_ms);
	if (r->has_started)
		backends_step(&r->backends, now_ms);
	for (size_t i = 0; r->setup.listeners && i < RUN_LISTENERS; i++)
		listen_step(&r->setup.listeners[i], now_ms, answer_page, r);
	run_drain_step(r, now_ms);
	if (now_ms >= secrets_due_ms(r))
		read_secrets(r, now_ms);
	run_phase_step(r, now_ms);
	if (r->phase != RUN_OVER)
		return;
	app_clean(&r->app);
	loop_stop(&r->loop);
}

int run_init(struct run *r, const struct run_setup *setup, struct err *e)
{
	r->setup = *setup;
	r->start_ms = clock_now_ms();
	loop_init(&r->loop, r->fds, sizeof r->fds / sizeof r->fds[0]);
	loop_add_new(&r->loop, &r->part, r, wants, step);
	return run_services_init(r, e);
}

int run_run(struct run *r, struct err *e)
{
	app_init();
	loop_on_signal(&r->loop, take_signal, r);
	if (catch_the_rest(e))
		return 1;
	/* From here on nothing but the application's end or a signal ends us. */
	run_phase_begin(r, clock_now_ms());
	run_phase_step(r, clock_now_ms());
	loop_run(&r->loop);
	return r->code;
}
