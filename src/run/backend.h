/*
 * Backends, as Containerbuddy has them: services that are followed by blocking queries, each with a
 * command that is run when its passing instances are others than before, by address and port.
 *
 * One run of a backend at a time: what changes meanwhile makes one further run. A run that fails,
 * or is killed with its group at its timeout, is repeated with a growing delay until one is done; a
 * new change comes at once. The first list has the command run if there is anybody in it. Other
 * than there, our own maintenance does not stop backends, and a command that takes long holds
 * nobody else up. A file's `poll` is not used: Consul tells at once.
 *
 * A command gets our environment, stdout and stderr. What has changed it finds out by itself.
 */
#ifndef RUN_BACKEND_H
#define RUN_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "config/run_config.h"
#include "engine/service_watch.h"
#include "pages/run_status.h"
#include "run/process.h"

/* Those that were dropped on SIGHUP while their command ran are among them until it has ended. */
#define BACKENDS_MAX ((size_t)2 * RUN_BACKENDS_MAX)

struct backend {
	bool is_followed;
	const struct run_command *on_change; /* of the configuration in force */
	struct service_watch *watch;         /* NULL: this place was never used */
	bool is_running;                     /* and its end has not been looked at */
	bool has_seen;
	uint64_t seen_sum; /* of the last list, see passing_sum */
	size_t passing_n;
	bool is_due;       /* the command has not done its work for that list */
	unsigned failures; /* in a row */
	int64_t retry_ms;  /* no run before this */
	int64_t kill_ms;   /* the command has time until then */
	bool was_late;     /* and did not end by itself */
	uint64_t runs, failed;
	struct process process; /* the command */
};

struct backends {
	const struct http_origin *consul;
	const char *headers;
	int64_t timeout_ms; /* of an exchange */
	unsigned wait_sec;  /* of a blocking query */
	bool was_refused;   /* Consul refused our credentials: for who reads them again */
	bool is_stopping;
	struct backend of[BACKENDS_MAX];
};

/* Prepare; none is followed. b is static: it is large. The pointers are kept. */
void backends_init(struct backends *b, const struct http_origin *consul, const char *headers,
		   int64_t timeout_ms, unsigned wait_sec);

/*
 * Follow these from now on. What was followed before goes on as it is, but with its new command.
 * A command that runs for one that is dropped is left to end.
 *   list  kept until it is replaced by another
 *   e     ERR_SYS: no memory; ERR_LIMIT: too many commands of dropped ones run. Nothing has changed
 *         then.
 */
int backends_set(struct backends *b, const struct run_backend *list, size_t n, struct err *e)
	__attribute__((warn_unused_result));

/* Wait for Consul, commands and delays, and go on without waiting. */
void backends_wants(const struct backends *b, struct loop_wait *w);
void backends_step(struct backends *b, int64_t now_ms);

/* Run nothing any more. A command that runs is to end, and is killed at kill_ms. */
void backends_stop(struct backends *b, int64_t kill_ms);

/* After that: no command runs. */
bool backends_are_over(const struct backends *b);

/*
 * What to show of the i-th that is followed: *p, which is zero, is filled. Returns false when there
 * are not so many.
 */
bool backends_show(const struct backends *b, size_t i, struct run_status_part *p);

#endif
