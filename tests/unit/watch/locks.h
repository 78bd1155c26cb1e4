/*
 * Consul's sessions and one key, for tests of who holds it: TTLs that run out late, lock-delays.
 * Answers as a server does. Time is the test's.
 */
#ifndef TEST_LOCKS_H
#define TEST_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#define LOCKS_SESSIONS 64
#define LOCKS_TEXT_CAP 256

struct locks_session {
	bool is_alive;
	int64_t ends_ms; /* unless renewed */
	int64_t delay_ms;
};

extern struct locks {
	struct locks_session sessions[LOCKS_SESSIONS];
	unsigned sessions_n;
	int holder;              /* the session that holds the key; -1: none */
	int64_t free_ms;         /* nobody gets it before: a lock-delay */
	uint64_t index;          /* of the key; 1: there never was one */
	bool is_deleted;         /* by hand; who acquires it makes it anew */
	bool gives_nothing;      /* every acquire is answered false */
	const char *entry;       /* what else the key's entry says: its flags and value */
	unsigned ttl_sec;        /* what a session has to ask for... */
	unsigned answer_ttl_sec; /* ...and what a renewal says */
} locks;

/* What is in the entry of a lock of ours. */
#define LOCKS_OURS "\"Flags\":3304740253564472344,\"Value\":\"ZG5zYnVkZHkgYQ==\""

void locks_init(unsigned ttl_sec);

/* End what has run out; end one now, as when its node fails. */
void locks_age(int64_t now_ms);
void locks_end_session(int i, int64_t now_ms);

/* Carry out a request; returns the status, with the body in text. The ids are s0, s1... */
int locks_answer(const char *method, const char *target, const char *body, int64_t now_ms, uint32_t *seed,
		 char text[LOCKS_TEXT_CAP]);

#endif
