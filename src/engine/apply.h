/*
 * How a plan is carried out: which write comes next, and what a refusal means for the others. The
 * first refusal of a batch asks for a new listing, the second for one call per record.
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
	APPLY_WRITE, /* carry out write */
	APPLY_LIST,  /* list the records and plan anew */
	APPLY_END,   /* nothing is left that can be written */
	APPLY_FAIL   /* and what was refused is the end of this try */
};

/* Scratch of the caller's, for one pass. */
struct apply_storage {
	struct op *picked[CF_BATCH_MAX];
	struct cf_part part;
	struct cf_write write;
};

/* Read only for others. */
struct apply {
	const struct job *job;
	struct apply_storage *storage;
	struct cf_part *part;   /* there */
	struct cf_write *write; /* there */
	unsigned rounds;        /* listings in this try */
	bool is_single;         /* batches are refused: one call per record */
	bool is_undoing;        /* the write removes what refusal is about */
	bool has_stale_list;    /* an answer said the records are not what was listed */
	size_t refused_n;       /* single calls that were refused in this round */
	size_t absent_n;        /* of these: wanted records that could not be created */
	struct err refusal;     /* the last of them; with APPLY_FAIL: why */
};

/* A new try begins. storage is used as long as it lasts. */
void apply_start(struct apply *a, const struct job *job, struct apply_storage *storage);

/* What comes next for this plan, which stands on the records of o. */
enum apply_next apply_next(struct apply *a, const struct plan *p, struct observe *o);

/*
 * The write that was to be carried out was refused, not lost: nothing of a batch was done. What
 * comes next then.
 */
enum apply_next apply_refused(struct apply *a, const struct plan *p, struct observe *o,
			      const struct err *e);

/*
 * The write put records into another zone: what removes them again becomes the write. However that
 * goes, refusal is why this try has failed then.
 */
void apply_undo(struct apply *a, const struct err *e);

/* The write was carried out: note that in o. */
void apply_written(struct apply *a, struct observe *o);

/* Nothing of this round was refused, or is in doubt. */
bool apply_is_clean(const struct apply *a);

#endif
