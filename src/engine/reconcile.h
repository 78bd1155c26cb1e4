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
#include "core/plan.h"
#include "engine/call.h"

#define RECONCILE_ROUNDS_MAX 4 /* listings after refusals, within one try */
#define RECONCILE_READ_MS 2000 /* so old may be what Consul said when a write begins */

enum reconcile_result {
	RECONCILE_DONE,  /* the records are what is wanted */
	RECONCILE_HELD,  /* but for removals that a safety rule holds back */
	RECONCILE_FAILED /* last_err says how */
};

struct leaving {
	struct target target;
	int64_t since_ms;
};

/*
 * Scratch of the caller's, as large as its limits, for the time from the start to CALL_END;
 * several may share it one after another.
 */
struct reconcile_storage {
	struct endpoint listed[CONSUL_INSTANCES_MAX];
	struct target want[CONSUL_INSTANCES_MAX + 1]; /* sorted, each once */
	struct target plan_want[CONSUL_INSTANCES_MAX + 1 + RECORDS_MAX];
	struct target_hosts want_hosts;
	struct op ops[PLAN_OPS_MAX];
	struct op *picked[CF_BATCH_MAX];
	struct leaving leaving[RECORDS_MAX];
	size_t leaving_n;
};

struct reconcile {
	const struct job *job;
	struct reconcile_storage *storage;
	struct record *have; /* RECORDS_MAX of them */
	bool is_watch;
	bool is_dry_run;    /* plan only: no CALL_WRITE ever */
	int64_t give_up_ms; /* no new try after this */

	/* The calls: what to ask, where the answer goes. */
	struct consul_query query;
	struct consul_view view;
	struct cf_zone_search zones;
	struct cf_record_list list;
	struct cf_write write;
	int64_t wake_ms;

	/* What is known. */
	const char *name;
	char zone_id[RECORD_ID_CAP];
	const struct consul_view *seen; /* the last good answer of Consul */
	int64_t read_ms;                /* when it came */
	size_t want_n;
	bool has_list;       /* have is what the API said last, and what was written since */
	bool is_resync;      /* listed anew for no reason but time: a change is drift */
	int64_t linger_ms;   /* when the next record's grace is over; CLOCK_NEVER */
	bool is_on_fallback; /* no instance is wanted, but the fallback in their place */
	struct plan plan;
	enum evidence_gap gap;
	struct err gap_err; /* with EVIDENCE_READ_FAILED: how */
	size_t instances_n; /* of the last good answer */
	size_t state_n[INSTANCE_STATES];
	size_t unaddressed_n;
	char unaddressed[sizeof((struct consul_view *)0)->unaddressed];

	/* Where we are. */
	int step;
	unsigned tries;      /* failed ones */
	unsigned rounds;     /* listings in this try */
	bool is_single;      /* batches are refused: one call per record */
	bool has_stale_list; /* an answer said the records are not what was listed */
	size_t refused_n;    /* single calls that were refused in this round */
	size_t absent_n;     /* of these: wanted records that could not be created */
	struct err last_err;
	enum reconcile_result result;

	/* What was written, over all tries. */
	size_t done_n[OP_KINDS];
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
 *   seen     what Consul lists, sorted by observe_sort_view(); copied
 *   resync   list the records anew, whatever is remembered
 * After CALL_END: result; linger_ms; and after RECONCILE_FAILED, or when evidence may come by
 * itself, wake_ms, when to start the next pass (CLOCK_NEVER otherwise).
 */
void reconcile_begin(struct reconcile *r, struct reconcile_storage *storage,
		     const struct consul_view *seen, bool resync, int64_t now_ms, uint32_t random);

/* The pass is called off: nothing that it learnt counts. */
void reconcile_cancel(struct reconcile *r);

/*
 * The call that comes next; CALL_WAIT: nothing before wake_ms; CALL_END: finished, see result.
 * Asked again without reconcile_take(), it answers the same.
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
 * After CALL_WAIT: call it with 0 once wake_ms has come.
 */
void reconcile_take(struct reconcile *r, int rc, const struct err *e, int64_t now_ms,
		    uint32_t random);

#endif
