/*
 * Copies of a leader, by a clock of ours, against a Consul of ours (locks.h): calls that are late,
 * lost, refused. The module is compiled a second time, against a caller that does as it is told.
 */
#ifndef TEST_COPIES_H
#define TEST_COPIES_H

#define leader_init copied_init
#define leader_fence_ms copied_fence_ms
#define leader_step copied_step
#define leader_stop copied_stop
#define leader_is_over copied_is_over
#define leader_wants copied_wants
#include "watch/leader.h"
#include "watch/locks.h"

#define COPIES 3
#define TIMEOUT_MS 10000

struct copy {
	struct leader l;
	/* the call under way */
	bool is_busy, is_done, is_lost;
	bool cannot_start;
	char method[8], target[HTTP_TARGET_CAP], body[CONSUL_CLIENT_BODY_CAP];
	int64_t started_ms, arrive_ms, answer_ms, deadline_ms;
	bool has_arrived;
	uint64_t asked_index;
	int64_t wait_ms;
	int64_t frozen_until_ms;
	bool may_write;     /* as of its last step */
	const char *denied; /* a part of "METHOD target": such calls are answered status; NULL: none */
	int status;         /* -1: more than an answer may hold */
	const char *said;   /* with it; NULL: a refusal */
	unsigned calls_n[LEADER_OVER];
	unsigned events_n[LEADER_FAILS + 1];
};

extern struct copy copies[COPIES];
extern int64_t test_now_ms;
extern uint32_t test_seed;

/* A test's set-up: nobody holds the lock, and no copy has begun. */
int copies_set_up(void **state);

/* Begin anew, knowing nothing. */
void start_copy(int i);

/* One step of one copy; Consul answers what has arrived. */
enum leader_event step_copy(int i);
void serve(void);

/* Whether it could write now, awake or woken between its step and its write. */
bool could_write(int i);

/* Let time go for the first n copies. */
void run(int n, int64_t ms);

/* From now on these calls of a copy, by a part of "METHOD target", are answered so; NULL: none. */
void deny(int i, const char *part, int status);

/* Its call is dropped. */
void close_call(int i);

#endif
