#include "engine/zone_table.h"

#include <string.h>

#define TORN_MAX 3
#define TORN_MS 600000
#define ENTRIES_PER_CALL 1000 /* that many take as long as one call more */

struct zone *zone_table_get(struct zone_table *t, const char *id)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->zones[i].id, id) == 0)
			return &t->zones[i];
	if (t->n == ZONES_MAX)
		return NULL;
	memcpy(t->zones[t->n].id, id, RECORD_ID_CAP);
	return &t->zones[t->n++];
}

struct zone *zone_table_add(struct zone_table *t, const struct cf_zone_search *found)
{
	struct zone *z = zone_table_get(t, found->id);

	if (z)
		memcpy(z->name, found->zone, sizeof z->name);
	return z;
}

struct zone *zone_table_find(struct zone_table *t, const struct job *job)
{
	struct cf_zone_search s;
	struct err e;

	if (job->zone_id[0])
		return zone_table_get(t, job->zone_id);
	cf_zone_search_init(&s, job->zone[0] ? job->zone : job->name, job->zone[0] != '\0');
	s.book = &t->book;
	return cf_zone_search_told(&s, &e) > 0 ? zone_table_add(t, &s) : NULL;
}

bool zone_holds(const struct zone *z, const char *name)
{
	return name_is_within(name, z->name[0] ? z->name : z->suffix);
}

/*
 * Where others write all the time a listing of many pages may never prove anything: then names are
 * listed one by one for a while.
 */
void zone_note_listing(struct zone *z, const struct cf_listing *l, bool is_good, int64_t now_ms)
{
	if (!is_good) {
		z->torn_n += l->page > 1;
		if (z->torn_n == TORN_MAX) {
			z->torn_n = 0;
			z->whole_ms = now_ms + TORN_MS;
		}
		return;
	}
	z->torn_n = 0;
	z->pages_n = l->page;
	z->entries_n = (int64_t)l->seen_n;
	memcpy(z->suffix, l->suffix, sizeof z->suffix);
}

bool zone_is_cheaper_whole(const struct zone *z, size_t names_n, int64_t now_ms)
{
	size_t pages_n = z->pages_n ? z->pages_n : 1;

	return now_ms >= z->whole_ms &&
	       names_n > pages_n + (size_t)(z->entries_n / ENTRIES_PER_CALL);
}
