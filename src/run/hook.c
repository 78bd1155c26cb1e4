#include "run/hook.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"

/* Said once: a hook that failed has its code and, if it never was, the reason. */
static void tell_end(const struct hook *h, const char *why)
{
	if (!h->code)
		log_event(LOG_INFO, "hook ended", "hook=%s code=%d", h->name, 0);
	else
		log_event(LOG_ERROR, "hook failed", "hook=%s code=%d error=%s", h->name, h->code,
			  *why ? why : NULL);
}

static void finish(struct hook *h, int code, const char *why)
{
	h->is_over = true;
	h->code = code;
	tell_end(h, why);
}

void hook_start(struct hook *h, const char *name, const struct run_command *command,
		int64_t limit_ms, int64_t now_ms)
{
	int64_t ms = command->timeout_ms > 0 && command->timeout_ms < limit_ms ? command->timeout_ms
									       : limit_ms;
	struct err e;

	*h = (struct hook){.name = name};
	if (!command->n)
		return;
	h->was_started = true;
	h->next_ms = ms < CLOCK_NEVER - now_ms ? now_ms + ms : CLOCK_NEVER;
	log_event(LOG_INFO, "hook started", "hook=%s command=%s", name, command->argv[0]);
	if (process_start(&h->process, command->argv, PROCESS_INHERIT, &e))
		finish(h, PROCESS_NOT_EXECUTABLE, e.text);
}

bool hook_is_over(const struct hook *h)
{
	return !h->was_started || h->is_over;
}

static void send_signal(struct hook *h, int number, int64_t now_ms)
{
	h->signal = number;
	h->next_ms = now_ms + HOOK_KILL_MS;
	process_kill(&h->process, number);
	process_kill(&h->process, SIGCONT);
}

void hook_stop(struct hook *h, int64_t now_ms)
{
	if (!hook_is_over(h) && !h->signal)
		send_signal(h, SIGTERM, now_ms);
}

void hook_kill(struct hook *h, int64_t now_ms)
{
	if (!hook_is_over(h))
		send_signal(h, SIGKILL, now_ms);
}

void hook_wants(const struct hook *h, struct loop_wait *w)
{
	if (hook_is_over(h))
		return;
	process_wants(&h->process, w);
	loop_wait_until(w, h->process.is_over ? 0 : h->next_ms);
}

void hook_step(struct hook *h, int64_t now_ms)
{
	if (hook_is_over(h))
		return;
	process_step(&h->process);
	if (h->process.is_over) {
		finish(h, h->process.code, h->process.line);
	} else if (now_ms >= h->next_ms) {
		if (!h->signal)
			log_event(LOG_WARN, "hook takes too long", "hook=%s", h->name);
		if (h->signal == SIGKILL)
			finish(h, 128 + SIGKILL, "it cannot be ended");
		else
			send_signal(h, h->signal ? SIGKILL : SIGTERM, now_ms);
	}
}
