/*
 * A command that is run once and waited for: before the application starts, before it is stopped,
 * after it has ended. Its output is ours.
 */
#ifndef RUN_HOOK_H
#define RUN_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "config/run_config.h"
#include "run/process.h"

#define HOOK_KILL_MS 2000 /* from SIGTERM to SIGKILL, and from there until nobody waits any more */

/* Zeroed it is over. */
struct hook {
	const char *name;
	bool was_started, is_over;
	int code;        /* of its end, as struct process has it */
	int signal;      /* that it got last of us; 0: none */
	int64_t next_ms; /* when it gets the next */
	struct process process;
};

/*
 * Run a command; one without words is over at once, with 0.
 *   name      for the log, "pre-start"
 *   limit_ms  it gets SIGTERM after so long, or after the command's own time if that is shorter
 */
void hook_start(struct hook *h, const char *name, const struct run_command *command,
		int64_t limit_ms, int64_t now_ms);

/* It has ended, or cannot be ended: code counts. */
bool hook_is_over(const struct hook *h);

/* End it: SIGTERM, and after HOOK_KILL_MS SIGKILL, both for its group. */
void hook_stop(struct hook *h, int64_t now_ms);

/* SIGKILL at once. */
void hook_kill(struct hook *h, int64_t now_ms);

void hook_wants(const struct hook *h, struct loop_wait *w);
void hook_step(struct hook *h, int64_t now_ms);

#endif
