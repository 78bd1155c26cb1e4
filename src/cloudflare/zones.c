#include "cloudflare/zones.h"

#include <string.h>

#include "base/str.h"

static const char *parent_of(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : NULL;
}

/* The longest end of the name that is asked for. */
static const char *first_end(const char *name)
{
	size_t labels = 1;

	if (strncmp(name, "*.", 2) == 0)
		name += 2;
	for (const char *p = name; *p; p++)
		labels += *p == '.';
	for (; labels > CF_ZONE_LABELS_MAX; labels--)
		name = parent_of(name);
	return name;
}

void cf_zone_search_init(struct cf_zone_search *s, const char *name, bool is_exact)
{
	*s = (struct cf_zone_search){.name = name, .is_exact = is_exact, .page = 1};
	s->asked = is_exact ? name : NULL;
}

void cf_zone_check_init(struct cf_zone_search *s, const char *name, const char *id)
{
	*s = (struct cf_zone_search){.name = name, .is_check = true};
	memcpy(s->id, id, sizeof s->id);
}

void cf_zone_search_target(struct buf *b, const struct cf_zone_search *s)
{
	if (s->is_check) {
		buf_fmt(b, "/zones/%s", s->id);
		return;
	}
	buf_fmt(b, "/zones?per_page=%d&page=%u", CF_ZONES_PER_PAGE, s->page);
	if (!s->asked)
		return;
	buf_str(b, "&name=");
	buf_url_part(b, s->asked);
}

/* 2: it answers queries. 1: it will, or did. 0: it is of no use. */
static int rank_of(const char *status)
{
	if (strcmp(status, "active") == 0)
		return 2;
	return !strcmp(status, "pending") || !strcmp(status, "initializing") ||
	       !strcmp(status, "moved");
}

/* Whether the filter was honoured is not taken on trust. */
static bool fits(const struct cf_zone_search *s, const char *zone)
{
	return s->is_exact ? strcmp(s->name, zone) == 0 : name_is_within(s->name, zone);
}

/* It is one of these; keep the better one. */
static void consider(struct cf_zone_search *s, const struct cf_zone *z)
{
	int rank, order;

	if (!fits(s, z->name))
		return;
	rank = rank_of(z->status);
	order = rank - (s->has_found + s->is_served);
	if (!order)
		order = (int)strlen(z->name) - (int)strlen(s->zone);
	if (!order)
		s->is_ambiguous |= rank && strcmp(z->id, s->id) != 0;
	if (order <= 0)
		return;
	memcpy(s->id, z->id, sizeof s->id);
	memcpy(s->zone, z->name, sizeof s->zone);
	memcpy(s->status, z->status, sizeof s->status);
	s->has_found = rank > 0;
	s->is_served = rank > 1;
	s->is_ambiguous = false;
}

/* A zone is noted once, as it was shown last. False: there is no room. */
static bool note(struct cf_zone_book *book, const struct cf_zone *z)
{
	size_t i = 0;

	while (i < book->n && strcmp(book->zones[i].id, z->id) != 0)
		i++;
	if (i == CF_BOOK_ZONES_MAX)
		return false;
	book->zones[i] = *z;
	book->n += i == book->n;
	return true;
}

static int take_zone(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct cf_zone_search *s = ctx;
	struct cf_zone z;

	(void)list;
	if (json_parse(text, len, e))
		return -1;
	if (json_get_string(0, "id", z.id, sizeof z.id) || !record_id_is_good(z.id) ||
	    !json_is_string(json_get(0, "name")) ||
	    json_get_string(0, "status", z.status, sizeof z.status))
		return err_set(e, ERR_PROTO, "a zone without a good id, name or status");
	if (cf_read_name(z.name, 0))
		return 0;
	if (s->book)
		(void)note(s->book, &z);
	consider(s, &z);
	return 0;
}

/* Most accounts have no more zones than one page. */
static bool is_first_look(const struct cf_zone_search *s)
{
	return !s->is_exact && !s->is_check && !s->asked && s->page == 1;
}

void cf_zone_book_forget(struct cf_zone_book *book)
{
	book->is_whole = false;
	book->n = 0;
}

struct http_sink cf_zone_search_begin(struct cf_zone_search *s, char *element_buf, char *rest)
{
	if (s->book && is_first_look(s))
		cf_zone_book_forget(s->book);
	return cf_reply_begin(&s->reply, JSON_CUT_RESULT, take_zone, s, element_buf, rest);
}

static int conclude(const struct cf_zone_search *s, struct err *e)
{
	if (s->is_ambiguous)
		return err_set(e, ERR_CONFIG, "two zones are named %s: set CF_ZONE_ID", s->zone);
	if (s->has_found)
		return 0;
	if (s->zone[0])
		return err_set(e, ERR_CONFIG, "the zone %s is of no use, it is %s", s->zone,
			       s->status);
	return err_set(e, ERR_CONFIG,
		       "no zone %s %s among those that these credentials can see: check "
		       "CF_ROOT_DOMAIN and the right Zone:Read, or set CF_ZONE_ID",
		       s->is_exact ? "named" : "that holds", s->name);
}

enum cf_told cf_zone_search_told(struct cf_zone_search *s, struct err *e)
{
	struct cf_zone_book *book = s->book;

	if (!book)
		return CF_TOLD_NOTHING;
	for (size_t i = 0; i < book->n; i++)
		consider(s, &book->zones[i]);
	/* Of those that are not in it one may be longer. */
	if (book->is_whole || (s->is_served && strcmp(s->zone, s->name) == 0))
		return conclude(s, e) ? CF_TOLD_NONE : CF_TOLD_FOUND;
	cf_zone_search_init(s, s->name, s->is_exact);
	s->book = book;
	return CF_TOLD_NOTHING;
}

/* There is something else to ask for. */
static bool go_on(struct cf_zone_search *s)
{
	const char *next = NULL;

	if (is_first_look(s))
		next = first_end(s->name);
	else if (!s->asked)
		return false;
	else if (!s->is_exact)
		next = parent_of(s->asked);
	if (next && !strchr(next, '.')) /* no zone is a whole top level domain */
		next = NULL;
	if (next ? s->is_served && strlen(s->zone) >= strlen(next)
		 : s->is_served || !str_find(s->name, NAME_PUNYCODE))
		return false;
	s->asked = next;
	s->page = next || s->is_exact ? 1 : 2;
	return true;
}

/* It takes no more calls to read them all than to ask for each name and what it lies within. */
static bool fills_book(const struct cf_zone_search *s, int64_t pages)
{
	return s->book && pages > 1 && pages <= (int64_t)(2 * s->names_n) &&
	       pages <= CF_ZONE_PAGES_MAX;
}

static int finish_check(struct cf_zone_search *s, struct err *e)
{
	if (cf_reply_finish(&s->reply, e))
		return e->kind == ERR_AUTH || e->kind == ERR_REFUSED ? 0 : -1;
	if (cf_read_name(s->zone, json_get(0, "result")))
		return 0;
	s->has_found = name_is_within(s->name, s->zone);
	return s->has_found
		       ? 0
		       : err_set(e, ERR_CONFIG, "that zone is %s: CF_ZONE_ID is not the one of %s",
				 s->zone, s->name);
}

int cf_zone_search_finish(struct cf_zone_search *s, bool *again, struct err *e)
{
	int64_t pages = 0, total = -1;
	bool is_known;
	int info;

	if (s->is_check) {
		*again = false;
		return finish_check(s, e);
	}
	if (cf_reply_finish(&s->reply, e)) {
		/* Perhaps it is no name that a zone may have. */
		*again = e->kind == ERR_REFUSED && go_on(s);
		if (!*again && (e->kind != ERR_REFUSED || !s->zone[0]))
			return -1;
		return *again ? 0 : conclude(s, e);
	}
	if (!s->reply.split.has_cut)
		return err_set(e, ERR_PROTO, "an answer without a list of zones");
	info = json_get(0, "result_info");
	is_known = json_get_integer(info, "total_pages", &pages) == 0;
	(void)json_get_integer(info, "total_count", &total);
	if (s->book && !s->asked)
		s->book->is_whole = total == (int64_t)s->book->n;
	if (is_first_look(s) && !fills_book(s, pages)) {
		*again = (!is_known || pages > 1) && go_on(s);
	} else if ((int64_t)s->page < pages) {
		*again = true;
		if (s->page++ == CF_ZONE_PAGES_MAX)
			return err_set(e, ERR_LIMIT, "more than %d pages of zones: set CF_ZONE_ID",
				       CF_ZONE_PAGES_MAX);
	} else {
		*again = go_on(s);
	}
	return *again ? 0 : conclude(s, e);
}
