/*
 * The records of names: GET /zones/:zone_id/dns_records, page by page, of one name or of the whole
 * zone. Needs the right DNS:Read or DNS:Edit.
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

/* The records of one name, as a listing fills them. The caller's; records and hosts as well. */
struct cf_name {
	const struct job *job;  /* whose name, and by its owner whose records */
	struct record *records; /* RECORDS_MAX of them */
	size_t records_n;
	size_t seen_n; /* entries of the name, of all types */
	bool is_odd;   /* the whole zone was listed, and a record of it cannot be read */
	struct target_hosts *hosts; /* its own, or shared by several */
};

/* One listing for one name, or for several of a zone. */
struct cf_listing {
	const char *zone_id;
	struct cf_name **names; /* by name; several may have one, with other owners */
	size_t names_n;
	bool has_suffix;
	bool is_whole; /* the whole zone is listed; else the one name that all of names have */
	unsigned page; /* the one to ask for, from 1 */
	size_t seen_n; /* entries on the pages so far */
	size_t page_seen_n;
	int64_t total;         /* entries that page 1 announced */
	int64_t per_page;      /* as granted: with seen_n, what the next one costs */
	char suffix[NAME_CAP]; /* the longest end, of whole labels, that all entries' names share */
	struct cf_reply reply;
};

/*
 * Start a listing. The arguments must outlive it; names is put in order, what names[] held of
 * records is forgotten. names_n is not 0.
 */
void cf_listing_init(struct cf_listing *l, const char *zone_id, struct cf_name **names,
		     size_t names_n, bool is_whole);

/* Append the target of the next page's request. */
void cf_listing_target(struct buf *b, const struct cf_listing *l);

/* Begin to read that page: the sink for its exchange. */
struct http_sink cf_listing_begin(struct cf_listing *l, char *element_buf, char *rest);

/*
 * The exchange has ended well.
 *   again  set when there is another page: ask for it
 *   e      as cf_reply_finish(); ERR_PROTO: a record without its fields; ERR_LIMIT: a name with
 *          more than RECORDS_MAX; ERR_RETRY: the zone changed between two pages, the listing
 *          proves nothing
 * After 0 without again, each name's records are all of it. When the zone is whole, a record that
 * cannot be read, or one too many, fails its name alone: that one is_odd, its records prove
 * nothing; listed by itself it says why. The zone's name is an end of suffix, which is "" when
 * nothing was seen: a name within suffix lies in the zone.
 * After -1, or a failed exchange, no name's records prove anything.
 */
int cf_listing_finish(struct cf_listing *l, bool *again, struct err *e)
	__attribute__((warn_unused_result));

/* Which records are looked for, and where their host names are kept. */
struct cf_record_filter {
	const struct job *job;
	struct target_hosts *hosts;
};

/*
 * Read the name of a record from a JSON object of the parsed text, in normal form; "" when it is
 * one that no name of ours has. e: ERR_PROTO: it has none
 */
int cf_record_name(char out[NAME_CAP], int object, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Read one record of the job's name from such an object.
 *   is_other  set when it is of a type that the job does not rule over, *r then untouched
 */
int cf_record_read(struct record *r, int object, const struct cf_record_filter *f, bool *is_other,
		   struct err *e) __attribute__((warn_unused_result));

#endif
