/*
 * Who carries out the passes: a few workers, each with scratch and connections for one name at a
 * time, within the API's budget.
 */
#ifndef WATCH_WORKER_H
#define WATCH_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/bucket.h"
#include "engine/driver.h"
#include "pages/status.h"
#include "watch/managed_name.h"

#define WATCH_WORKERS 3     /* names that are written at the same time */
#define WATCH_API_BURST 200 /* requests at once, and then one every... */
#define WATCH_API_MS 333    /* ...so: 200 + 900 in five minutes, of the 1,200 allowed */

struct watch;

struct worker {
	struct watch *watch;
	struct managed_name *name; /* NULL: free */
	uint64_t requests;         /* of the driver, already taken from the budget */
	struct loop_part part;
	struct driver driver;
	struct reconcile_storage storage;
};

/* Requests to Cloudflare: how many may follow, and how many there were. */
struct budget {
	struct bucket bucket;
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

/* Call off this worker's pass, if it has one. */
void worker_cancel(struct worker *worker, int64_t now_ms);

#endif
