/*
 * The log lines of a reconcile: every write, every refusal, every wait, and how it ended.
 */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/job.h"
#include "core/op.h"
#include "core/plan.h"

#define REPORT_LINES_MAX 8 /* names with a line of their own each */

struct cf_zone_search;
struct reconcile;

/* One record was written: "record created", "record updated", "record deleted". */
void report_written(const struct job *job, const struct op *op);

/* One record was refused by the API for good. */
void report_refused(const struct job *job, const struct op *op, const struct err *e);

/* A batch was refused; the records are listed again. */
void report_batch_refused(const struct job *job, const struct err *e);

/* A batch for so many names was refused; smaller ones follow. */
void report_split(size_t names_n, const struct err *e);

/* That happened, and there will be another try in delay_ms. */
void report_retry(const struct job *job, const struct err *e, int64_t delay_ms);

/* The zone that was found answers no query yet, or no more. */
void report_unserved(const struct job *job, const struct cf_zone_search *found);

/* New records come to a name whose records are not all proxied, or not. */
void report_mixed(const struct job *job, const struct plan *p);

/* A listing for no reason but time shows that somebody else changed the records. */
void report_drift(const struct job *job, const struct plan *p);

/* It has ended: "in sync", "synced", "held" or "failed". */
void report_end(const struct reconcile *r);

/*
 * Where many names have the same to say their own closing lines, and those of another try, are for
 * debugging, from here on or no longer; somebody else speaks for them.
 */
void report_quiet(bool is_quiet);

/* So many others are tried again as the last one was told. */
void report_others(size_t names_n);

/* What became of names of one zone that were seen to side by side; zeroed it is empty. */
struct report_sum {
	size_t names_n, held_n, failed_n;
	size_t done_n[OP_KINDS];
};

void report_add(struct report_sum *sum, const struct reconcile *r);

/* If they were more than REPORT_LINES_MAX: "zone synced". zone: its name; NULL or "": not known. */
void report_zone(const struct report_sum *sum, const char *zone);

#endif
