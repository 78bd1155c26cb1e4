/*
 * `watch`: services watched, names managed, one copy leading, all as parts of one loop on one
 * thread. Nothing in here waits for one peer alone, and nothing but a signal ends it.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "core/bucket.h"
#include "watch/discovery.h"
#include "watch/managed_name.h"
#include "watch/leader.h"
#include "engine/registration.h"
#include "pages/status.h"
#include "watch/services.h"
#include "watch/worker.h"
#include "net/http/listener.h"

#define WATCH_RECORDS_MAX 2048 /* names, those just dropped included */
#define WATCH_FINISH_MS 600    /* at the end, for the exchange under way */
#define WATCH_LEAVE_MS 950     /* and for all of it */
#define WATCH_SETTLE_MS 30000  /* a write that was given up may be done within that */

/* What the loop is given; the texts and what is pointed to stay in use. */
struct watch_setup {
	const struct http_origin *consul, *cloudflare;
	const char *consul_headers, *cf_headers;
	int64_t timeout_ms;
	int64_t resync_ms;
	int64_t unhealthy_ms;
	unsigned wait_sec;          /* of a blocking query */
	const char *lock_key;       /* NULL: no lock */
	const char *register_as;    /* "": not; for watch_init() only */
	const struct job *place;    /* of the lock and our own service */
	bool has_name_series;       /* /metrics: of each name */
	struct listener *listeners; /* WATCH_LISTENERS of them, open or closed; NULL: none */
	/*
	 * Read the configuration again: on SIGHUP all of it, after credentials were refused only
	 * the credentials. New jobs are put in with watch_set_jobs().
	 */
	void (*reload)(void *ctx, bool only_secrets);
	void *ctx;
};

/* The parts that every watch has; services and workers come after them. */
#define WATCH_PARTS 6
#define WATCH_LISTENERS 2 /* for people and Prometheus; for health */
#define WATCH_FDS                                                                                  \
	(1 + (SERVICES_CONNECTIONS_MAX + WATCH_WORKERS + 3) * HTTP_FDS +                           \
	 WATCH_LISTENERS * LISTEN_FDS)

struct watch {
	/* The small ones first: near the beginning their code is shorter. */
	bool was_refused; /* credentials: to be read again */
	bool is_stopping, is_leaving;
	int64_t refused_ms;
	int64_t start_ms;
	int64_t stop_ms;
	int64_t settled_ms; /* as in struct managed_name, of any */
	int64_t gather_ms;  /* first passes wait for others' until then; 0: none does */
	int64_t gather_since_ms;
	size_t gathered_n;
	struct zone_table *zones;
	struct worker *workers; /* WATCH_WORKERS of them */
	struct watch_setup setup;
	/* For the metrics. */
	uint64_t writes[OP_KINDS];
	uint64_t retries;
	struct budget api; /* of requests to Cloudflare */
	struct loop loop;
	struct loop_part parts[WATCH_PARTS];
	char lock_name[LEADER_NAME_CAP];
	struct managed_name *names[WATCH_RECORDS_MAX]; /* a NULL ends those that have storage */
	struct services services;
	struct leader leader;
	struct registration registration;
	struct discovery discovery;
	struct pollfd fds[WATCH_FDS];
};

/*
 * From now on SIGTERM, SIGINT and SIGHUP are for watch_run(), and before watch_init() as
 * loop_catch_signals() has it: none is lost, not even as PID 1. e: ERR_SYS
 */
int watch_catch_signals(struct err *e) __attribute__((warn_unused_result));

/* Prepare; signals are caught. e: ERR_SYS: no memory. */
int watch_init(struct watch *w, const struct watch_setup *setup, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Keep these names from now on; what they were before is forgotten, but a job that is no longer
 * among them and whose on_drop is ON_DROP_REMOVE is seen through: until its records are gone, or
 * its place is needed by those that were dropped later.
 *   e  ERR_LIMIT: more than WATCH_RECORDS_MAX; ERR_SYS: no memory. Nothing has changed then.
 */
int watch_set_jobs(struct watch *w, const struct job *jobs, size_t jobs_n, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Keep one name more, which is discovered: in the place of the one of that name that is kept or
 * removed, if there is one. NULL: no memory, or no room.
 */
struct managed_name *watch_add_name(struct watch *w, const struct job *job, int64_t now_ms);

/* Keep it no longer; services_sweep() follows. removes: when its records are gone. */
void watch_drop_name(struct watch *w, struct managed_name *name, bool removes, int64_t now_ms);

/*
 * Keep the names, too, that services claim. After watch_set_jobs(), which forgets them,
 * watch_discover_by() is told of the new configuration, which stays in use. e: ERR_SYS: no memory
 */
int watch_discover(struct watch *w, const struct config *config, struct err *e)
	__attribute__((warn_unused_result));
void watch_discover_by(struct watch *w, const struct config *config);

/* Fill what s has of discovery; ctx of it is w. For watch_status(). */
void watch_discovery_status(const struct watch *w, struct status *s);

/* The jobs of the last watch_set_jobs(), into as many, but with a token now, or without. */
void watch_get_jobs(const struct watch *w, struct job *jobs, bool has_token);

/* Other times from now on: see watch_setup. */
void watch_set_times(struct watch *w, int64_t timeout_ms, int64_t resync_ms, int64_t unhealthy_ms,
		     unsigned wait_sec);

/* Make everything but the services parts of the loop. For watch_init(). */
void watch_add_parts(struct watch *w);

/* Whether this copy may write now, and until when: with a lock only while it leads. */
bool watch_may_write(const struct watch *w, int64_t now_ms);
int64_t watch_fence_ms(const struct watch *w, int64_t now_ms);

/* Call off every pass. What was asked of Cloudflare may have been done: all is listed anew. */
void watch_cancel(struct watch *w, int64_t now_ms);

/* Run until SIGTERM or SIGINT. */
void watch_run(struct watch *w);

/* Fill s, which is valid until the loop goes on. */
void watch_status(const struct watch *w, int64_t now_ms, struct status *s);

/*
 * Whether every name is what is wanted, or has been something else for less than unhealthy_ms; and
 * with a lock, whether it is known who leads, or has not been known for less than that.
 */
bool watch_is_healthy(const struct watch *w, int64_t now_ms);

/*
 * The check's output in Consul, in out: "3 records: 2 in sync, 1 failing; www.example.com: ...",
 * the count of each state and the first name that fails or holds records.
 */
const char *watch_line(const struct watch *w, char *out, size_t cap);

#endif
