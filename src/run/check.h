/*
 * A health check, again and again: one at a time, each bounded by its timeout; what it came to
 * last. HTTP: the head of the answer is 2xx, whatever becomes of its body, over a connection of
 * its own; redirects are not followed. TCP: there is a connection. EXEC: exit code 0; the last
 * line that it writes is the output; it is killed with its group at the timeout. Never blocks: it
 * lives in a poll loop.
 *
 * From start to start it takes the interval, or longer where a check does; none is made up for.
 * Until the first one passes they come sooner: what has just been started is not to be missed.
 */
#ifndef RUN_CHECK_H
#define RUN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "config/run_config.h"
#include "net/dial.h"
#include "net/dns/resolve.h"
#include "net/http/client.h"
#include "run/process.h"

#define CHECK_OUTPUT_CAP 512
#define CHECK_BODY_MAX 4096   /* bytes of an answer that are read */
#define CHECK_EXCERPT_CAP 161 /* of which so many, of one line, are shown of a failure */
#define CHECK_EAGER_MS 100    /* until one has passed: the shortest rest... */
#define CHECK_EAGER_PART 8    /* ...and this part of the time that it has taken so far */

enum check_phase {
	CHECK_RESTS,
	CHECK_RUNS,
	CHECK_DIES /* a command that had its time: it has failed, and is not yet over */
};

struct check {
	/* The small ones first: near the beginning their code is shorter. */
	const struct run_check *setup;
	enum check_phase phase;
	int status;       /* HTTP */
	int64_t begun_ms; /* since when there is none that passed */
	int64_t started_ms, deadline_ms, next_ms;
	size_t body_len;         /* HTTP */
	struct tls_storage *tls; /* reserved when it is needed */

	/* What it came to last: nothing yet is a failure. */
	bool has_result, is_passing;
	bool has_passed;        /* one of them, since check_start() */
	bool has_passed_before; /* and one before the last */
	int64_t duration_ms;
	uint64_t runs, failures;
	char output[CHECK_OUTPUT_CAP]; /* masked, and fit to be shown */

	struct process process; /* EXEC */
	/* HTTP */
	struct http_origin origin;
	char excerpt[CHECK_EXCERPT_CAP];
	union {
		struct http_client http;
		struct {
			struct resolve resolve;
			struct dial dial;
			bool is_resolving;
		} tcp;
	} by;
};

/*
 * Prepare; no check is made before check_start(). c is zeroed at first, and may be told of another
 * setup later: what is under way is broken off, and the last result stays.
 *   setup, tls  kept; tls is how https servers are verified
 *   e           ERR_SYS: no memory for TLS
 */
int check_init(struct check *c, const struct run_check *setup, const struct tls_config *tls,
	       struct err *e) __attribute__((warn_unused_result));

/* The first one, at once. */
void check_start(struct check *c, int64_t now_ms);

/* Go on without waiting. True: there is a new result. */
bool check_step(struct check *c, int64_t now_ms);

void check_wants(const struct check *c, struct loop_wait *w);

/* No more, until check_start(): what is under way is broken off, a command killed. */
void check_stop(struct check *c);

/* A command is not over yet. */
bool check_is_dying(const struct check *c);

#endif
