/*
 * The loop of `watch`: services watched, names kept, one copy leading, all in one poll(2) on one
 * thread. Nothing in here waits for one peer alone, and nothing but a signal ends it.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/bucket.h"
#include "engine/driver.h"
#include "engine/job.h"
#include "watch/managed_name.h"
#include "watch/leader.h"
#include "watch/registration.h"
#include "pages/status.h"
#include "watch/service_watch.h"
#include "net/http/listener.h"

#define WATCH_RECORDS_MAX 512 /* names, those just dropped included */
#define WATCH_WORKERS 3       /* names that are written at the same time */
#define WATCH_API_BURST 200   /* requests at once, and then one every... */
#define WATCH_API_MS 333      /* ...so: 200 + 900 in five minutes, of the 1,200 allowed */
#define WATCH_FINISH_MS 600   /* at the end, for the exchange under way */
#define WATCH_LEAVE_MS 950    /* and for all of it */

/* Scratch and connections for one pass. */
struct worker {
	struct driver driver;
	struct reconcile_storage storage;
	struct managed_name *name; /* NULL: free */
	bool is_calling;           /* an exchange is under way */
	uint64_t requests;         /* of the driver, already taken from the bucket */
};

/* What the loop is given; the texts and what is pointed to stay in use. */
struct watch_setup {
	const struct http_origin *consul, *cloudflare;
	const char *consul_headers, *cf_headers;
	int64_t timeout_ms;
	int64_t resync_ms;
	int64_t unhealthy_ms;
	const char *lock_key;      /* NULL: no lock */
	const char *register_as;   /* NULL: not */
	struct consul_place place; /* of lock and registration */
	struct listener *listener; /* open, or NULL for none */
	/*
	 * Read the configuration again: on SIGHUP all of it, after credentials were refused only
	 * the credentials. New jobs are put in with watch_set_jobs().
	 */
	void (*reload)(void *ctx, bool only_secrets);
	void *ctx;
};

struct watch {
	struct watch_setup setup;
	struct managed_name *names[WATCH_RECORDS_MAX];
	struct service_watch *services[WATCH_RECORDS_MAX];
	size_t services_n;
	struct worker *workers; /* WATCH_WORKERS of them */
	struct leader leader;
	struct registration registration;
	struct bucket api; /* requests to Cloudflare */
	int64_t start_ms;
	bool was_refused; /* credentials: to be read again */
	int64_t refused_ms;
	bool is_stopping, is_leaving;
	int64_t stop_ms;
	/* For the metrics. */
	uint64_t api_calls[STATUS_CALLS][6];
	uint64_t writes[OP_KINDS];
	uint64_t retries;
	uint64_t old_reads, old_connections; /* of service watches that are gone */
};

/*
 * From now on SIGTERM, SIGINT and SIGHUP wait for watch_run(): one that comes before it is not
 * lost, not even as PID 1. e: ERR_SYS
 */
int watch_catch_signals(struct err *e) __attribute__((warn_unused_result));

/* Prepare; signals are caught. e: ERR_SYS: no memory. */
int watch_init(struct watch *w, const struct watch_setup *setup, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Keep these names from now on; what they were before is forgotten, but a job that is no longer
 * among them and removes_on_drop is seen through. e: ERR_LIMIT, ERR_SYS
 */
int watch_set_jobs(struct watch *w, const struct job *jobs, size_t jobs_n, struct err *e)
	__attribute__((warn_unused_result));

/* Call off every pass. What was asked of Cloudflare may have been done: all is listed anew. */
void watch_cancel(struct watch *w, int64_t now_ms);

/* Run until SIGTERM or SIGINT. */
void watch_run(struct watch *w);

/* How it is doing. s is valid until the loop goes on. */
void watch_status(const struct watch *w, struct status *s);

/* The same in one line, for the check in Consul; in out. */
const char *watch_line(const struct status *s, char *out, size_t cap);

#endif
