/*
 * The copies of watch: each with memory of its own, which is lost when it is killed.
 */
#ifndef SIM_COPY_H
#define SIM_COPY_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"
#include "watch/watch.h"

/* Where a copy dies, when it has come there so often. */
enum death { DEATH_NONE, DEATH_AT_START, DEATH_AFTER_SENDING, DEATH_AT_ANSWER };

extern struct copy {
	bool is_alive;
	unsigned life;
	int64_t start_ms; /* when it is started, or was; CLOCK_NEVER */
	int64_t wake_ms, paused_ms;
	enum death death;
	unsigned death_n;
	int64_t rest_ms; /* it comes back so long after that */
	bool wants_end, wants_reload;
	bool wants_end_in_write;   /* once a write is under way */
	bool is_dropped[SIM_JOBS]; /* by the configuration that it was given last */
	struct watch *watch;
	char *arena;
	size_t arena_used;
	jmp_buf jump;
	uint64_t calls; /* to Cloudflare, in this life */
	int64_t called_ms[1201];
} copies[SIM_COPIES];

extern int copy_now; /* which one is running; -1: none */

void copy_init_all(void);
void copy_start(int who);
void copy_kill(int who, int64_t rest_ms);
void copy_event(const struct sim_event *event);

/* Wake and unpause all, start who is dead. */
void copy_calm(void);

/* Let it go on as far as it goes now. */
void copy_turn(int who);
int64_t copy_next_ms(int who);

/* It has come to a place where it may have to die. Does not return then. */
void copy_reach(enum death where);

#endif
