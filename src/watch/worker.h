/*
 * Who carries out the passes: a few workers, each with scratch and connections for a round of
 * names, within the API's budget. A zone is one worker's as long as names of it are at work.
 */
#ifndef WATCH_WORKER_H
#define WATCH_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/bucket.h"
#include "engine/driver.h"
#include "engine/report.h"
#include "engine/round.h"
#include "pages/status.h"
#include "watch/managed_name.h"

#define WATCH_WORKERS 3     /* zones that are written at the same time */
#define WATCH_API_BURST 200 /* requests at once, and then one every... */
#define WATCH_API_MS 333    /* ...so: 200 + 900 in five minutes, of the 1,200 allowed */
#define WATCH_STUCK_MS 250  /* after so long other names of a zone do not wait for a call */
/*
 * First passes wait so long after the last that is due, while services are read for the first time,
 * and no longer than the second.
 */
#define WATCH_GATHER_MS 300
#define WATCH_GATHER_MAX_MS 3000

struct watch;

struct worker {
	struct watch *watch;
	bool is_closed;    /* others wait for a worker: no more names come */
	int64_t called_ms; /* when the call under way was begun */
	uint64_t requests; /* of the driver, already taken from the budget */
	struct loop_part part;
	struct driver driver;
	struct report_sum sum; /* of members that have ended without a zone */
	struct round round;    /* without members it is free */
	struct reconcile_storage storage;
};

/* Requests to Cloudflare: how many may follow, and how many there were; and who vouches for it. */
struct budget {
	struct bucket bucket;
	int64_t root_end_sec;                         /* as http_root_end_sec() */
	uint64_t calls[STATUS_CALLS][STATUS_CLASSES]; /* as in struct status */
};

void budget_init(struct budget *b);

/* Make w->workers[i] parts of its loop. */
void worker_add_all(struct watch *w);

/* As a part of the loop: give names that are due to workers that are free. */
void worker_dispatch_wants(void *ctx, struct loop_wait *wait, int64_t now_ms);
void worker_dispatch_step(void *ctx, int64_t now_ms);

/* Whether an exchange is under way. */
bool worker_is_any_calling(const struct watch *w);

/* Call off this name's pass, if one is under way; with a call that serves others, too, theirs. */
void worker_cancel_name(struct watch *w, struct managed_name *name, int64_t now_ms);

/* Call off this worker's passes, if it has any. */
void worker_cancel(struct worker *worker, int64_t now_ms);

#endif
