/*
 * Keeps one name: when its reconcile has to run, and how it is doing. Knows the clock only by what
 * it is given.
 */
#ifndef WATCH_MANAGED_NAME_H
#define WATCH_MANAGED_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/reconcile.h"
#include "pages/status.h"
#include "engine/service_watch.h"

#define MANAGED_GATHER_MS 150 /* past its grace a record stays so long: others leave with it */

struct managed_name {
	struct reconcile_own own;    /* storage of its own */
	struct service_watch *watch; /* NULL when the job was dropped */
	enum status_state state;
	int64_t state_ms; /* since when */
	bool is_used;
	bool is_busy;  /* a worker has it */
	bool is_dirty; /* what Consul lists has changed since the last pass began */
	bool is_unconverged;
	bool has_synced, has_changed;
	bool is_discovered; /* a service claims it: claim_sum... */
	bool is_doubted;    /* ...no more since left_ms, but that is no evidence */
	uint64_t claim_sum;
	int64_t left_ms;                 /* 0: it is claimed */
	int64_t unconverged_ms;          /* since when */
	int64_t synced_sec, changed_sec; /* wall clock */
	int64_t dropped_ms;              /* when its job was */
	int64_t served_ms;               /* when a worker had it last */
	int64_t resync_ms;               /* when to list anew for no other reason */
	int64_t settled_ms;   /* a write that was given up may be done until then: list anew */
	size_t logged_held_n; /* what the log said last */
	const char *logged_held_why;
	size_t logged_unaddressed_n;
	enum evidence_gap logged_hidden;
	struct job job;
	struct reconcile r; /* its owner is this */
};

/*
 * Storage for one, for the rest of the program's life: own is set. NULL: there is
 * none. A name with few records whose passes end well needs one page of it.
 */
struct managed_name *managed_reserve(void);

/* Prepare to keep a name. job is copied; name->own is set. */
void managed_init(struct managed_name *name, const struct job *job, struct service_watch *service,
		  int64_t now_ms);

/* The configuration names it no more, and its records shall go. */
void managed_drop(struct managed_name *name, int64_t now_ms);

/* What Consul lists has changed. */
void managed_mark(struct managed_name *name, int64_t now_ms);

/* When the next pass is due: CLOCK_NEVER when nothing is. */
int64_t managed_due_ms(const struct managed_name *name);

/* Begin a pass, in scratch that is the managed name's until managed_end() or managed_cancel(). */
void managed_begin(struct managed_name *name, struct reconcile_storage *storage, int64_t now_ms,
		   uint32_t random);

/* The pass has come to its end: note and log how it went. Returns whether there was news to log. */
bool managed_end(struct managed_name *name, int64_t resync_ms);

/*
 * The pass, if there is one, is called off, and what is remembered of the records counts no more:
 * others may write.
 */
void managed_cancel(struct managed_name *name, int64_t now_ms);

#endif
