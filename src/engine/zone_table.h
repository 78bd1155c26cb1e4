/*
 * The zones that passes have met: what searches, checks and listings showed of each, for all names
 * in it. One table for a whole program; its zones stay where they are.
 */
#ifndef ENGINE_ZONE_TABLE_H
#define ENGINE_ZONE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloudflare/records.h"
#include "cloudflare/zones.h"
#include "core/job.h"
#include "engine/report.h"

#define ZONES_MAX ((size_t)1024)

/* Calls that many names may want one after the other, and should want together. */
enum zone_pace { ZONE_LIST, ZONE_ADD, ZONE_DELETE, ZONE_PACES };

struct zone {
	char id[RECORD_ID_CAP];
	bool is_checked;       /* it was asked for its name, which may have been kept from us */
	bool adds_wait;        /* round.h's: what adds to it waits for paced_ms */
	char name[NAME_CAP];   /* "": not known */
	char suffix[NAME_CAP]; /* names within this lie in it, so said a listing; "" */
	size_t pages_n;        /* of the last listing of the whole zone; 0: there was none */
	int64_t entries_n;     /* on them */
	unsigned torn_n;       /* listings of several pages, in a row, that told nothing */
	int64_t whole_ms;      /* it is not listed whole before this */
	int64_t paced_ms[ZONE_PACES]; /* no call of that kind before this */
	size_t batch_max; /* names in a batch, as larger ones were lost; 0: as many as go in */
	bool is_full;    /* a new record was refused for want of room, and none was deleted since */
	bool is_wanting; /* and names wait for room */
	const void *user;      /* who is at work on it */
	int64_t resync_ms;     /* when to list it anew for no other reason */
	struct report_sum sum; /* of names that have ended, until they have their line */
};

struct zone_table {
	size_t n;
	int64_t book_ms; /* when the last search began, which fills the book */
	struct cf_zone_book book;
	struct zone zones[ZONES_MAX];
};

/* The zone of that id, which is added when it is new. NULL: there are too many. */
struct zone *zone_table_get(struct zone_table *t, const char *id);

/*
 * The zone that the job says, or what is known of others: NULL: to be searched. Of one that was
 * searched or checked the name is known.
 */
struct zone *zone_table_find(struct zone_table *t, const struct job *job);

/* A search has found one: it is added, with its name. NULL: there are too many. */
struct zone *zone_table_add(struct zone_table *t, const struct cf_zone_search *found);

/* Shown: the name lies in it. */
bool zone_holds(const struct zone *z, const char *name);

/* The whole zone was listed, or was to be. */
void zone_note_listing(struct zone *z, const struct cf_listing *l, bool is_good, int64_t now_ms);

/* Listing the whole zone costs less than listing so many of its names one by one. */
bool zone_is_cheaper_whole(const struct zone *z, size_t names_n, int64_t now_ms);

#endif
