/*
 * Bring the records of one name in step with one service: observe, decide, apply. Does no I/O
 * and knows no clock: it says which call comes next and is given its outcome, so that one loop can
 * drive many of them and a test can script every answer. What must always hold (src/README.md)
 * holds at every call, whatever the answers are.
 *
 * Used in two ways. Once, by sync: reconcile_init(), then calls until CALL_END; it reads Consul
 * itself and tries again by itself. Again and again, by watch: reconcile_init_watch(), then for
 * each pass reconcile_begin() and calls until CALL_END; it is given what Consul lists, remembers
 * the records in between, and says when it wants the next pass.
 */
#ifndef ENGINE_RECONCILE_H
#define ENGINE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/evidence.h"
#include "core/job.h"
#include "core/pace.h"
#include "core/plan.h"
#include "engine/apply.h"
#include "engine/call.h"
#include "engine/observe.h"

#define RECONCILE_READ_MS 2000 /* so old may be what Consul said when a write begins */

enum reconcile_result {
	RECONCILE_DONE,  /* the records are what is wanted */
	RECONCILE_HELD,  /* but for removals that a safety rule holds back */
	RECONCILE_FAILED /* err says how */
};

/* Whose credentials. */
enum reconcile_side { SIDE_CONSUL, SIDE_CLOUDFLARE, SIDES };

/* Scratch of the caller's for one pass; several may share it one after another. All 0 at first. */
struct reconcile_storage {
	struct observe_storage observe;
	struct op ops[PLAN_OPS_MAX];
	struct apply_storage apply;

	/* These go on from one pass to the next. */
	struct pace_trust trust[SIDES];
	char zone_id[RECORD_ID_CAP]; /* whose zone was checked last... */
	char zone[NAME_CAP];         /* ...and its name; "": it may not be known */
};

/* What it was given. */
struct reconcile_input {
	const struct job *job;
	struct reconcile_storage *storage;
	bool is_watch;
	bool is_dry_run;    /* plan only: no CALL_WRITE ever */
	int64_t give_up_ms; /* no new try after this */
};

/* What came of it, for whoever runs or shows it. Final at CALL_END. */
struct reconcile_output {
	enum reconcile_result result; /* of the last pass that came to its end */
	enum evidence_gap gap;        /* why nothing may be removed */
	int64_t wake_ms;              /* of the next try; see reconcile_begin() */
	size_t done_n[OP_KINDS];      /* what was written, over all tries */
	struct plan plan;             /* its ops are in the storage */
	char zone_id[RECORD_ID_CAP];
	struct err err;
	struct err gap_err; /* with EVIDENCE_READ_FAILED: how */
};

enum reconcile_step {
	STEP_HEALTH,
	STEP_ZONE,
	STEP_LIST,
	STEP_VERIFY, /* the consistent read before anything is removed */
	STEP_WRITE,
	STEP_WAIT,
	STEP_END
};

struct reconcile {
	/* Its own. The small ones first: near the beginning code is shorter. */
	enum reconcile_step step;
	bool is_zone_checked, is_zone_wrong;
	bool is_resync;  /* listed anew for no reason but time: a change is drift */
	unsigned tries;  /* failed ones */
	int64_t read_ms; /* when Consul answered last */
	struct consul_query query;

	struct reconcile_input in;
	struct reconcile_output out;

	struct apply apply;
	struct cf_zone_search zones;
	/* What is wanted and what is there; read only for others. */
	struct observe seen;
};

/*
 * Start. job and storage are used until CALL_END.
 *   give_up_ms  on the monotonic clock; now or earlier: one try only
 */
void reconcile_init(struct reconcile *r, const struct job *job, struct reconcile_storage *storage,
		    struct record *have, bool is_dry_run, int64_t give_up_ms);

/* Prepare for many passes. job and have are used as long as r is. */
void reconcile_init_watch(struct reconcile *r, const struct job *job, struct record *have);

/*
 * Start a pass: what does this mean for the records? When nothing has to be called, CALL_END comes
 * at once.
 *   storage  used until CALL_END
 *   listed   what Consul lists; copied
 *   resync   list the records anew, whatever is remembered
 * After CALL_END: out.result; seen.linger_ms; and after RECONCILE_FAILED, or when evidence may come
 * by itself, out.wake_ms, when to start the next pass (CLOCK_NEVER otherwise).
 */
void reconcile_begin(struct reconcile *r, struct reconcile_storage *storage,
		     const struct consul_view *listed, bool resync, int64_t now_ms,
		     uint32_t random);

/* What is remembered counts no more; a pass under way is called off. */
void reconcile_cancel(struct reconcile *r);

/*
 * The call that comes next; CALL_END: finished, see out. Asked again without reconcile_take(), it
 * answers the same.
 */
struct call reconcile_next(struct reconcile *r);

/*
 * To be called before a call is begun, and reconcile_next() asked after it: when what Consul said
 * has grown old (the API was slow, or not to be asked for a while), it is read again before a
 * write.
 */
void reconcile_refresh(struct reconcile *r, int64_t now_ms);

/*
 * How that call went: 0 and its answer is in place, or -1 and why.
 *   now_ms  the monotonic clock
 *   random  for jitter
 */
void reconcile_take(struct reconcile *r, int rc, const struct err *e, int64_t now_ms,
		    uint32_t random);

#endif
