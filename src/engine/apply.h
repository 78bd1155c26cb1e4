/*
 * How a plan is carried out: which write comes next, and what a refusal means for the others. The
 * first refusal of what it writes alone asks for a new listing, the second for one call per record.
 */
#ifndef ENGINE_APPLY_H
#define ENGINE_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cloudflare/writes.h"
#include "core/job.h"
#include "core/plan.h"
#include "engine/observe.h"

#define APPLY_ROUNDS_MAX 4 /* listings after refusals, within one try */

enum apply_next {
	APPLY_WRITE, /* carry out what apply_fill() says */
	APPLY_LIST,  /* list the records and plan anew */
	APPLY_END,   /* nothing is left that can be written */
	APPLY_FAIL   /* and what was refused is the end of this try */
};

/* Read only for others. */
struct apply {
	const struct job *job;
	bool is_single;      /* batches are refused: one call per record */
	bool is_undoing;     /* the write removes what refusal is about */
	bool has_stale_list; /* an answer said the records are not what was listed */
	unsigned rounds;     /* listings in this try */
	size_t refused_n;    /* single calls that were refused in this round */
	size_t absent_n;     /* of these: wanted records that could not be created */
	struct err *refusal; /* there: the last of them; with APPLY_FAIL: why */
};

/* A new try begins. refusal is used as long as it lasts. */
void apply_start(struct apply *a, const struct job *job, struct err *refusal);

/* What comes next for this plan. */
enum apply_next apply_next(struct apply *a, const struct plan *p);

/*
 * After APPLY_WRITE: what is to be written, at most cap ops. The plan stands on the records of o.
 *   picked  room for cap pointers, which part takes
 */
void apply_fill(const struct apply *a, const struct plan *p, const struct observe *o,
		struct cf_part *part, struct op **picked, size_t cap);

/*
 * The write goes out by itself, not in one batch with those of others: it may be refused, or it is
 * a single call, or has to be one transaction.
 */
bool apply_is_alone(const struct apply *a, const struct plan *p);

/*
 * What was to be carried out was refused, not lost: nothing of it was done. What comes next then.
 *   meaning  of the answer
 */
enum apply_next apply_refused(struct apply *a, const struct plan *p, struct observe *o,
			      const struct cf_part *part, enum cf_meaning meaning,
			      const struct err *e);

/*
 * The write put records into another zone: what removes them again becomes the next, in the place
 * of the plan. However that goes, refusal is why this try has failed then.
 */
void apply_undo(struct apply *a, struct plan *p, const struct cf_part *part, const struct err *e);

/* The write was carried out: note that in o. */
void apply_written(struct apply *a, struct observe *o, const struct cf_part *part);

/* Nothing of this round was refused, or is in doubt. */
bool apply_is_clean(const struct apply *a);

#endif
