/*
 * Writing records: the batch, one transaction of deletes, patches and posts, and the single calls.
 * Needs the right DNS:Edit.
 * https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/
 */
#ifndef CLOUDFLARE_WRITES_H
#define CLOUDFLARE_WRITES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "cloudflare/reply.h"
#include "core/job.h"
#include "core/op.h"

#define CF_BATCH_MAX 200   /* operations in one batch on the smallest plan */
#define CF_BODY_CAP 262144 /* bytes: CF_BATCH_MAX operations on names of the longest kind */

/* What of a write is one name's. */
struct cf_part {
	const struct job *job; /* whose name its records have; new ones are its owner's */
	struct op **ops;
	size_t ops_n;           /* 1 or more */
	struct record *created; /* room for ops_n: what was created is put here; NULL: unwanted */
	size_t created_n;
};

struct cf_write {
	const char *zone_id;
	struct cf_part *parts; /* of one zone, with at most CF_BATCH_MAX ops in all */
	size_t parts_n;
	bool is_single; /* a call for one record: one part with one op */
	/*
	 * The answer shows a record of a name or type that no part has. The new ones of these, by
	 * whose name they were made of: created.
	 */
	bool has_other;
	struct cf_reply reply;
	struct target_hosts hosts; /* of the record that is read */
};

/* The method of the request: POST, or for a single call POST, PATCH, DELETE. */
const char *cf_write_method(const struct cf_write *w);

/* Append the request's target. */
void cf_write_target(struct buf *b, const struct cf_write *w);

/* Append the body; nothing for a single DELETE. */
void cf_write_body(struct buf *b, const struct cf_write *w);

/* Begin to read the answer: the sink for the exchange. No op may be marked done before. */
struct http_sink cf_write_begin(struct cf_write *w, char *element_buf, char *rest);

/*
 * The exchange has ended well. On 0 every op is marked done: the answer names each record that
 * was asked for, with its content.
 *   e  as cf_reply_finish(); ERR_CONFIG: the API wrote another name; ERR_RETRY: it said yes and did
 *      not show every record: list again
 * created[0..created_n) of each part then holds its new records, with their ids; a CNAME's host is
 * its op's. On -1 the ops may or may not have been carried out; is_done says nothing.
 */
int cf_write_finish(struct cf_write *w, struct err *e) __attribute__((warn_unused_result));

#endif
