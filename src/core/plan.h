/*
 * What has to change at one name so that its records become what is wanted. Pure: no I/O, no
 * clock. Everything that protects records is decided here: add before remove, the floor, whose
 * records they are, whether the answer may remove at all.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/job.h"
#include "core/op.h"
#include "core/record.h"

#define PLAN_OPS_MAX ((size_t)2 * RECORDS_MAX)
#define TTL_AUTOMATIC 1

/* What is wanted, what is there, and by which rules the way between is found. */
struct plan_input {
	struct target *want; /* sorted in place, repeated targets made one: want_n may shrink */
	size_t want_n;
	struct record *have; /* every A, AAAA and CNAME record of the name; sorted in place */
	size_t have_n;
	const struct job *job; /* the rules */
	bool wants_none;       /* what is wanted is there for the time of its grace, no more */
	unsigned brief_types;  /* RECORD_BITs of what is wanted for the time of its grace alone */
	bool is_substitute;    /* wanted is an address in the place of all instances */
	const char *not_evidence; /* NULL: Consul's answer may remove; else why it may not */
};

struct plan {
	struct op *ops; /* sorted by kind, then target; DELETEs: what is least missed first */
	size_t ops_cap;
	size_t ops_n;
	size_t n[OP_KINDS];
	size_t kept_n;        /* records that are as they shall be */
	bool is_partial;      /* done, it wants another: a duplicate goes before its twin changes */
	bool is_substitute;   /* what comes, comes in the place of what is there */
	bool is_proxied;      /* what a new record is when the job does not say it... */
	bool is_mixed;        /* ...though not all of ours are so */
	bool is_swap;         /* CNAME <-> addresses: deletes and creates share one transaction */
	const char *held_why; /* why OP_HOLDs are held; NULL when there are none */
	bool is_held_by_rule; /* by one that the user gave, not for want of evidence */
};

/*
 * Plan the way from have to want.
 *   p   ops and ops_cap are set by the caller (PLAN_OPS_MAX is always enough)
 *   e   ERR_REFUSED: several targets and one is a host name, or a foreign record is in the way;
 *       ERR_LIMIT: ops is too small
 * The ops point into want and have, which must stay untouched while the plan is used.
 */
int plan_build(struct plan *p, struct plan_input *in, struct err *e)
	__attribute__((warn_unused_result));

/*
 * It deletes a record, takes an address away, or puts a substitute beside what is there: only
 * evidence may do that. Or it would, but for a rule of the user's: evidence tells whether that is
 * all that holds it.
 */
bool plan_needs_evidence(const struct plan *p);

/* What is left to write, if anything, are deletes. */
bool plan_only_deletes(const struct plan *p);

/* Nothing is left to write. Held records do not count. */
bool plan_is_done(const struct plan *p);

/*
 * The ops of the next transaction, at most cap: creates and updates first; deletes only when all
 * of those are done. In a swap the last delete and the first create come together. Returns how
 * many; 0 when nothing is left.
 */
size_t plan_pick(const struct plan *p, struct op **picked, size_t cap);

#endif
