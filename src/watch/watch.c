#include "watch/watch.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/pace.h"
#include "pages/pages.h"

/* ---- the lock ---- */

bool watch_may_write(const struct watch *w, int64_t now_ms)
{
	return watch_fence_ms(w, now_ms) > now_ms;
}

int64_t watch_fence_ms(const struct watch *w, int64_t now_ms)
{
	return w->setup.lock_key ? leader_fence_ms(&w->leader, now_ms) : CLOCK_NEVER;
}

void watch_cancel(struct watch *w, int64_t now_ms)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		worker_cancel(&w->workers[i], now_ms);
}

static void lock_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct watch *w = ctx;

	(void)now_ms;
	if (w->setup.lock_key)
		leader_wants(&w->leader, wait);
}

static void lock_step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;

	switch (leader_step(&w->leader, now_ms, driver_random())) {
	case LEADER_WON:
		log_event(LOG_INFO, "leading", "lock=%s", w->setup.lock_key);
		for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++)
			if (w->names[i]->is_used) {
				w->names[i]->is_unconverged = false; /* until now not our part */
				managed_mark(w->names[i], now_ms);
			}
		break;
	case LEADER_LOST:
		watch_cancel(w, now_ms);
		/* What was held or failed is another one's now. */
		for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++)
			if (w->names[i]->is_used)
				managed_cancel(w->names[i], now_ms);
		log_event(LOG_WARN, "not leading any more", "lock=%s error=%s", w->setup.lock_key,
			  w->leader.last_err.text);
		break;
	case LEADER_FOLLOWS:
		log_event(LOG_INFO, "following", "lock=%s session=%s", w->setup.lock_key,
			  w->leader.holder);
		break;
	case LEADER_FAILS:
		log_event(LOG_WARN,
			  w->leader.has_lock ? "the lock is not confirmed, retrying"
					     : "cannot take the lock, retrying",
			  "error=%s", w->leader.last_err.text);
		break;
	case LEADER_NOTHING: break;
	}
	w->was_refused |= w->leader.failure && pace_wants_secrets(w->leader.last_err.kind);
}

/* ---- credentials that were refused ---- */

static void credentials_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct watch *w = ctx;

	(void)now_ms;
	if (w->was_refused && !w->is_stopping)
		loop_wait_until(wait, pace_secrets_ms(w->refused_ms != 0, w->refused_ms));
}

static void credentials_step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;

	w->was_refused = false;
	w->refused_ms = now_ms;
	w->setup.reload(w->setup.ctx, true);
}

/* ---- our own service, and the listener ---- */

static void registration_part_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	struct watch *w = ctx;
	char line[REGISTRATION_LINE_CAP];

	if (registration_is_over(&w->registration))
		return;
	if (!w->registration.is_leaving)
		registration_set(&w->registration, watch_is_healthy(w, now_ms),
				 watch_line(w, line, sizeof line));
	registration_wants(&w->registration, wait);
}

static void registration_part_step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;

	if (registration_step(&w->registration, now_ms) == REGISTRATION_FAILED)
		log_event(LOG_WARN, "not registered in Consul", "error=%s",
			  w->registration.last_err.text);
}

static int answer_page(void *ctx, const char *path, const char *query, struct buf *out,
		       const char **content_type)
{
	struct status s;

	watch_status(ctx, clock_now_ms(), &s);
	return pages_answer(&s, path, query, out, content_type);
}

static void listener_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct watch *w = ctx;

	(void)now_ms;
	for (size_t i = 0; w->setup.listeners && i < WATCH_LISTENERS; i++)
		listen_wants(&w->setup.listeners[i], wait);
}

static void listener_step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;

	for (size_t i = 0; i < WATCH_LISTENERS; i++)
		listen_step(&w->setup.listeners[i], now_ms, answer_page, w);
}

/* ---- the end: first the exchange under way, then lock and registration; a second for all ---- */

static void begin_stop(struct watch *w)
{
	if (w->is_stopping)
		_exit(0); /* asked twice: at once */
	w->is_stopping = true;
	w->stop_ms = clock_now_ms();
	log_event(LOG_INFO, "stopping", "pid=%d", getpid());
}

static void leave(struct watch *w, int64_t now_ms)
{
	w->is_leaving = true;
	watch_cancel(w, now_ms); /* before the lock is given back: see settled_ms */
	if (w->setup.lock_key)
		leader_stop(&w->leader, now_ms >= w->settled_ms, now_ms);
	registration_rename(&w->registration, "", now_ms);
}

static bool has_left(const struct watch *w)
{
	return (!w->setup.lock_key || leader_is_over(&w->leader)) &&
	       registration_is_over(&w->registration);
}

static bool is_phase_over(const struct watch *w)
{
	return w->is_leaving ? has_left(w) : !worker_is_any_calling(w);
}

static void stop_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct watch *w = ctx;

	if (w->is_stopping)
		loop_wait_until(wait, is_phase_over(w)
					      ? now_ms
					      : w->stop_ms + (w->is_leaving ? WATCH_LEAVE_MS
									    : WATCH_FINISH_MS));
}

static void stop_step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;

	if (w->is_leaving)
		loop_stop(&w->loop);
	else
		leave(w, now_ms);
}

static void take_signal(void *ctx, int number)
{
	struct watch *w = ctx;

	if (number != SIGHUP)
		begin_stop(w);
	else if (!w->is_stopping)
		w->setup.reload(w->setup.ctx, false);
}

int watch_catch_signals(struct err *e)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

	return loop_catch_signals(numbers, sizeof numbers / sizeof numbers[0], e);
}

/* ---- all parts ---- */

void watch_add_parts(struct watch *w)
{
	loop_init(&w->loop, w->fds, WATCH_FDS);
	/* First: who has lost it must not even finish a write. */
	loop_add_new(&w->loop, &w->parts[0], w, lock_wants, lock_step);
	loop_add_new(&w->loop, &w->parts[1], w, worker_dispatch_wants, worker_dispatch_step);
	loop_add_new(&w->loop, &w->parts[2], w, credentials_wants, credentials_step);
	loop_add_new(&w->loop, &w->parts[3], w, registration_part_wants, registration_part_step);
	loop_add_new(&w->loop, &w->parts[4], w, listener_wants, listener_step);
	loop_add_new(&w->loop, &w->parts[WATCH_PARTS - 1], w, stop_wants, stop_step);
	loop_on_signal(&w->loop, take_signal, w);
	worker_add_all(w);
}

void watch_run(struct watch *w)
{
	/* From here on nothing but a signal ends us. */
	loop_run(&w->loop);
	log_event(LOG_INFO, "stopped", "pid=%d", getpid());
}
