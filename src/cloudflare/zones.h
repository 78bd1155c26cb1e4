/*
 * Which zone holds a name: GET /zones. The first page is all that most accounts have. Where there
 * are more the name is asked for, and what it lies within, longest first. The API has some zones'
 * names in Unicode, which what is asked for in Punycode need not match: such a zone is looked for
 * on all pages, last. What is answered is compared in normal form. A book keeps what was shown, so
 * that one search tells the zones of many names. Needs the right Zone:Read.
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
#define CF_ZONE_LABELS_MAX 10 /* no zone has more: of a longer name its end is looked for */
#define CF_ZONE_STATUS_CAP 32
#define CF_BOOK_ZONES_MAX ((size_t)CF_ZONE_PAGES_MAX * CF_ZONES_PER_PAGE)

struct cf_zone {
	char id[RECORD_ID_CAP];
	char status[CF_ZONE_STATUS_CAP];
	char name[NAME_CAP];
};

/* The zones that searches were shown. All zero: none yet. */
struct cf_zone_book {
	bool is_whole; /* these credentials see no others */
	size_t n;
	struct cf_zone zones[CF_BOOK_ZONES_MAX];
};

struct cf_zone_search {
	const char *name; /* a zone is sought that this lies within */
	/* Takes what is shown; the caller's, set after _init(). NULL: none. */
	struct cf_zone_book *book;
	size_t names_n;    /* how many wait for theirs: the more, the more of all zones are read */
	bool is_exact;     /* and that has this very name */
	bool is_check;     /* none is: does the one of that id hold it? */
	const char *asked; /* the end of name that is asked for; NULL: all zones */
	unsigned page;     /* the one to ask for, from 1 */
	bool has_found;
	bool is_served;         /* what was found is active; else it answers no query yet */
	bool is_ambiguous;      /* two such zones of the found name */
	char id[RECORD_ID_CAP]; /* of the longest that fits so far; one that is served goes first */
	/* Of the same; when none was found, of one that fits and is of no use. */
	char zone[NAME_CAP];
	char status[CF_ZONE_STATUS_CAP];
	struct cf_reply reply;
};

/* Start a search, without a book. name must outlive it. */
void cf_zone_search_init(struct cf_zone_search *s, const char *name, bool is_exact);

/* Start to look whether the zone of that id holds name, which must outlive s. */
void cf_zone_check_init(struct cf_zone_search *s, const char *name, const char *id);

enum cf_told {
	CF_TOLD_NONE = -1, /* e: there is none, or two. Of a book of some age: forget it and ask */
	CF_TOLD_NOTHING,   /* ask */
	CF_TOLD_FOUND
};

/*
 * What the book tells of a search that was just started, in place of the API. But for
 * CF_TOLD_NOTHING s and e are as at the end of the search.
 */
enum cf_told cf_zone_search_told(struct cf_zone_search *s, struct err *e)
	__attribute__((warn_unused_result));

/* As it was before the first search: an answer said that a zone of it is none any more. */
void cf_zone_book_forget(struct cf_zone_book *book);

/* Append the target of the next page's request. */
void cf_zone_search_target(struct buf *b, const struct cf_zone_search *s);

/* Begin to read that page: the sink for its exchange. */
struct http_sink cf_zone_search_begin(struct cf_zone_search *s, char *element_buf, char *rest);

/*
 * The exchange has ended well.
 *   again  set when there is another page, or something else to ask for: ask for it
 *   e      as cf_reply_finish(); ERR_LIMIT: too many pages; ERR_CONFIG, at the end: no zone, or
 *          two, and what to set; or that zone does not hold the name
 * A check that these credentials may not make ends with 0, and not has_found.
 */
int cf_zone_search_finish(struct cf_zone_search *s, bool *again, struct err *e)
	__attribute__((warn_unused_result));

#endif
