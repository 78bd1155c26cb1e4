/*
 * The records of one name: GET /zones/:zone_id/dns_records, page by page.
 * Needs the right DNS:Read or DNS:Edit.
 * https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/list/
 */
#ifndef CLOUDFLARE_RECORDS_H
#define CLOUDFLARE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cloudflare/reply.h"
#include "core/job.h"
#include "core/record.h"

#define CF_RECORDS_PER_PAGE 5000 /* what is asked for; what is granted may be less */
#define CF_RECORD_PAGES_MAX 1000

struct cf_record_list {
	const char *zone_id;
	const struct job *job;  /* whose name, and by its owner whose records */
	struct record *records; /* the caller's, RECORDS_MAX of them */
	size_t records_n;
	size_t seen_n; /* entries of all types on the pages so far */
	size_t page_seen_n;
	int64_t total; /* entries that page 1 announced */
	unsigned page; /* the one to ask for, from 1 */
	struct cf_reply reply;
	struct target_hosts hosts;
};

/* Start a listing into records. zone_id and job must outlive it and the records. */
void cf_record_list_init(struct cf_record_list *l, const char *zone_id, const struct job *job,
			 struct record *records);

/* Append the target of the next page's request. */
void cf_record_list_target(struct buf *b, const struct cf_record_list *l);

/* Begin to read that page: the sink for its exchange. */
struct http_sink cf_record_list_begin(struct cf_record_list *l, char *element_buf, char *rest);

/*
 * The exchange has ended well.
 *   again  set when there is another page: ask for it
 *   e      as cf_reply_finish(); ERR_PROTO: a record without its fields; ERR_LIMIT: more than
 *          RECORDS_MAX; ERR_RETRY: the zone changed between two pages, the listing proves nothing
 * After 0 without again, records[0..records_n) is the whole name.
 */
int cf_record_list_finish(struct cf_record_list *l, bool *again, struct err *e)
	__attribute__((warn_unused_result));

/* Which records are looked for, and where their host names are kept. */
struct cf_record_filter {
	const struct job *job;
	struct target_hosts *hosts;
};

/*
 * Read one record from a JSON object of the parsed text.
 *   is_other  set when it is of another type or name, *r then untouched
 */
int cf_record_read(struct record *r, int object, const struct cf_record_filter *f, bool *is_other,
		   struct err *e) __attribute__((warn_unused_result));

#endif
