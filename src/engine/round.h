/*
 * The passes of several names side by side: what several of them want next is made one call. One
 * listing of a zone for all who want one, one batch for all who write, what is created and updated
 * by any before what is deleted by any. Each has its own struct reconcile, which is given the
 * outcome as if the call had been its own. A batch that is refused is made smaller until what is
 * refused stands alone. Does no I/O and knows no clock.
 */
#ifndef ENGINE_ROUND_H
#define ENGINE_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/call.h"
#include "engine/reconcile.h"

#define ROUND_NAMES_MAX ((size_t)2048)
#define ROUND_READY_MS 100   /* who could write waits so long for others' evidence */
#define ROUND_PACE_MS 70     /* between two listings of a zone, batches that add or that delete */
#define ROUND_REFUSED_MAX 32 /* names refused one after the other, and no other is tried */
#define ROUND_LOST_MAX 3     /* writes lost one after the other, and no other is tried */
#define ROUND_BOOK_MS 5000   /* so long a book of zones is believed that a name's zone is none */

/* All 0 at first, but for storage. */
struct round {
	bool deletes;  /* the write made last, and nothing else */
	bool is_paced; /* listings and batches wait for ROUND_PACE_MS: not of who comes once */
	size_t n;
	size_t parts_max;                  /* names in one batch; fewer after a refusal */
	size_t isolated_n;                 /* names that were refused by themselves, in a row */
	size_t lost_n;                     /* writes, in a row */
	bool has_shrunk;                   /* batches, as some were lost; in this try */
	bool has_listed_again;             /* after a refusal, and nothing was written since */
	struct reconcile_storage *storage; /* the members'; the caller's */
	int64_t asked_ms;                  /* when the call was made that was made last: */
	struct call call;
	struct consul_query query;
	struct cf_zone_search zones;
	struct cf_listing list;
	struct cf_write write;
	struct zone *zone; /* of a listing or a write */
	bool is_alone;     /* the write is of one name that is not to be mixed with others */
	bool is_full;      /* the write has as many operations as it may */
	struct reconcile *last_writer;
	struct op *picked[CF_BATCH_MAX];
	struct cf_part parts[CF_BATCH_MAX];
	struct cf_name *names[ROUND_NAMES_MAX];
	struct reconcile *members[ROUND_NAMES_MAX];
};

/* A pass that was begun in this storage takes part. There is room: n < ROUND_NAMES_MAX. */
void round_add(struct round *r, struct reconcile *member);

/* Take out a member that has come to its end: NULL when there is none. */
struct reconcile *round_take_ended(struct round *r);

/* Take out a member, however far it is, while no call is under way; NULL when there is none. */
struct reconcile *round_take_any(struct round *r);

/* Take out this one, which is a member and for which no call is under way. */
bool round_has(const struct round *r, const struct reconcile *member);
void round_remove(struct round *r, const struct reconcile *member);

/*
 * The call that comes next. CALL_WAIT: nothing is to be asked before until_ms, or before another
 * member comes. CALL_END: all have come to their end. Asked again without round_take(), it answers
 * the same, but for members that came meanwhile.
 */
struct call round_next(struct round *r, int64_t now_ms);

/*
 * How that call went: 0 and its answer is in place, or -1 and why.
 *   random  for jitter: one for all it was for, so that they come again together
 */
void round_take(struct round *r, int rc, const struct err *e, int64_t now_ms, uint32_t random);

/* For whom the call under way is: the i-th, or NULL behind the last. */
struct reconcile *round_asked(const struct round *r, size_t *i);

#endif
