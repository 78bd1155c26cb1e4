/*
 * One poll(2) loop on one thread. Whoever lives in it is a part: it says what it waits for and has
 * a step that never waits. The loop knows no part by name. Signals arrive through it, too.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LOOP_ALONE_FDS 4
#define LOOP_CROWDED_MS 100 /* a part whose descriptors find no room is stepped so often instead */

/* What one part waits for: the first of its descriptors' events, or a time. */
struct loop_wait {
	struct pollfd *fds;
	size_t n, cap;
	int64_t wake_ms; /* monotonic; CLOCK_NEVER */
};

/* Wait for these poll(2) events at fd; a negative fd is none. */
void loop_wait_fd(struct loop_wait *w, int fd, short events);

/* Wait no longer than until at_ms. A time that has passed: not at all. */
void loop_wait_until(struct loop_wait *w, int64_t at_ms);

/* Say what to wait for. Nothing: the part is not stepped. */
typedef void loop_wants_fn(void *ctx, struct loop_wait *w, int64_t now_ms);

/* Go on without waiting: an event has come or the time has. */
typedef void loop_step_fn(void *ctx, int64_t now_ms);

/* Embedded by its owner, zeroed but for these three; must live until loop_remove(). */
struct loop_part {
	void *ctx;
	loop_wants_fn *wants;
	loop_step_fn *step;
	/* The loop's own. */
	struct loop *loop; /* NULL: in none */
	struct loop_part *next;
	size_t first, n; /* its descriptors in loop.wait.fds */
	int64_t wake_ms;
};

struct loop {
	struct loop_wait wait; /* of all parts */
	struct loop_part *parts, *following;
	struct loop_part signals;
	void (*on_signal)(void *ctx, int number);
	void *signal_ctx;
};

/* Prepare a loop without parts. fds[0..cap) is used as long as the loop is. */
void loop_init(struct loop *l, struct pollfd *fds, size_t cap);

/*
 * Put a part at the end, or take it out; also from within a step, and twice is like once. In each
 * turn the parts that have something to do are stepped in the order in which they were added.
 */
void loop_add(struct loop *l, struct loop_part *part);
void loop_remove(struct loop_part *part);

/* Fill a part that is in no loop, and put it at the end. */
void loop_add_new(struct loop *l, struct loop_part *part, void *ctx, loop_wants_fn *wants,
		  loop_step_fn *step);

/* Run until no part is left. */
void loop_run(struct loop *l);

/*
 * Without a loop, for one that is waited for alone: what loop_alone_begin() returns is filled with
 * up to LOOP_ALONE_FDS descriptors and a time, loop_alone_wait() waits for the first of these.
 */
struct loop_alone {
	struct loop_wait wait;
	struct pollfd fds[LOOP_ALONE_FDS];
};
struct loop_wait *loop_alone_begin(struct loop_alone *a);
void loop_alone_wait(const struct loop_alone *a);

/* One turn: ask all parts, wait, step those that are ready. */
void loop_turn(struct loop *l);

/* Take out all parts: loop_run() ends, and nobody is stepped any more. */
void loop_stop(struct loop *l);

/*
 * From now on these signals are for loop_on_signal(). Of those that come before it SIGHUP is kept
 * until then; the others end the process, not to wait for what may hang, with 128 and their number.
 * 1 to 64; of the C library's own, 32 to 34, only together with SIGHUP, or after it. What the
 * kernel sends for a fault of ours ends the process as ever, what it sends for a write that failed
 * is passed over, and SIGHUP because our terminal is gone is taken as SIGTERM.
 * e: ERR_SYS: no pipe, or one that cannot be caught
 */
int loop_catch_signals(const int *numbers, size_t n, struct err *e)
	__attribute__((warn_unused_result));

/* Take what loop_catch_signals() catches, as a part: one call for a signal that came repeatedly. */
void loop_on_signal(struct loop *l, void (*on_signal)(void *ctx, int number), void *ctx);

#endif
