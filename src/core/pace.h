/*
 * When to try again, and when not: by who asks, how it failed, and the hints of the other side.
 * Pure: the caller brings the clock and chance.
 */
#ifndef CORE_PACE_H
#define CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Who asks. */
enum pace {
	PACE_SYNC,      /* a process that ends, for one name */
	PACE_WATCH,     /* watch, for one name */
	PACE_SERVICE,   /* a service's blocking query */
	PACE_FOLLOWER,  /* who would like to lead */
	PACE_CANDIDATE, /* the same when the lock was not given: others were faster, or it rests */
	PACE_LEADER,    /* who leads: its fence comes nearer */
	PACE_REGISTRATION, /* who is, or would like to be, a service in Consul */
	PACE_HANDLER,      /* a backend's command that failed */
	PACES
};

/*
 * Hints of the other side: Retry-After, RFC 9110 section 10.2.3, and Ratelimit. The times as
 * pace_believe() gives them.
 */
struct pace_hint {
	bool has_retry_after;
	int64_t retry_after_sec;
	bool has_left;
	int64_t left_n, reset_sec; /* so many requests are left until then */
	int64_t told_sec;          /* what was said instead, when it is not believed; or 0 */
};

/*
 * Of sec >= 0 that the other side says as many as are believed: 300 from who is asked too often, 60
 * otherwise. What is more is noted in hint->told_sec.
 */
int64_t pace_believe(struct pace_hint *hint, bool is_busy, int64_t sec);

/* What is known of credentials at one of the two sides. */
struct pace_trust {
	bool has_served;  /* a call with them was done in the life of this process */
	bool was_refused; /* and one was not */
};

struct pace_failure {
	enum err_kind kind;
	unsigned tries;               /* that failed before */
	const struct pace_hint *hint; /* NULL: nothing */
	struct pace_trust trust;      /* in what was sent, before this failure */
	int64_t left_ms;              /* no try may begin later */
};

/*
 * Is there another try after this failure, and when? ERR_AUTH gets a second one even past left_ms,
 * unless it was_refused before: a token that was just made is not known everywhere.
 *   random    any number; its low bits decide
 *   delay_ms  from now until then; set whenever asking the same again is not pointless: where it
 *             is past left_ms, too
 */
bool pace_retry(enum pace who, const struct pace_failure *f, uint32_t random, int64_t *delay_ms);

/* Milliseconds to the next try where all failures are alike; tries and random as above. */
int64_t pace_delay_ms(enum pace who, unsigned tries, uint32_t random);

/* For how long nobody at all may ask after an answer: 0 when that was not said. */
int64_t pace_block_ms(bool is_busy, const struct pace_hint *hint);

/* Whether credentials are worth to be read again after this failure, and from when on. */
bool pace_wants_secrets(enum err_kind kind);
int64_t pace_secrets_ms(bool was_read, int64_t read_ms);

#endif
