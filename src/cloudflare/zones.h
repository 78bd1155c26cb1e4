/*
 * Which zone holds a name: GET /zones, page by page. Needs the right Zone:Read.
 * https://developers.cloudflare.com/api/resources/zones/methods/list/
 */
#ifndef CLOUDFLARE_ZONES_H
#define CLOUDFLARE_ZONES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "cloudflare/reply.h"
#include "core/name.h"
#include "core/record.h"

#define CF_ZONES_PER_PAGE 50 /* the most that is granted */
#define CF_ZONE_PAGES_MAX 100

struct cf_zone_search {
	const char *name; /* a zone is sought that this lies within */
	bool is_exact;    /* and that has this very name */
	unsigned page;    /* the one to ask for, from 1 */
	bool has_found;
	bool is_ambiguous;      /* two live zones of the found name */
	size_t seen_n;          /* zones the credentials can see */
	char id[RECORD_ID_CAP]; /* the longest that fits so far */
	char zone[NAME_CAP];
	struct cf_reply reply;
};

/* Start a search. name must outlive it. */
void cf_zone_search_init(struct cf_zone_search *s, const char *name, bool is_exact);

/* Append the target of the next page's request. */
void cf_zone_search_target(struct buf *b, const struct cf_zone_search *s);

/* Begin to read that page: the sink for its exchange. */
struct http_sink cf_zone_search_begin(struct cf_zone_search *s, char *element_buf, char *rest);

/*
 * The exchange has ended well.
 *   again  set when there is another page: ask for it
 *   e      as cf_reply_finish(); ERR_LIMIT: too many pages; ERR_CONFIG, at the end: no zone, or
 *          two, and what to set
 */
int cf_zone_search_finish(struct cf_zone_search *s, bool *again, struct err *e)
	__attribute__((warn_unused_result));

#endif
