#include "cloudflare/zones.h"

#include <string.h>

#include "base/str.h"

void cf_zone_search_init(struct cf_zone_search *s, const char *name, bool is_exact)
{
	*s = (struct cf_zone_search){.name = name, .is_exact = is_exact, .page = 1};
}

void cf_zone_search_target(struct buf *b, const struct cf_zone_search *s)
{
	buf_fmt(b, "/zones?per_page=%d&page=%u", CF_ZONES_PER_PAGE, s->page);
	if (s->is_exact) {
		buf_str(b, "&name=");
		buf_url_part(b, s->name);
	}
}

/* Zones that are deleted or deactivated answer no query. */
static bool is_live(const char *status)
{
	return strcmp(status, "active") == 0 || strcmp(status, "pending") == 0 ||
	       strcmp(status, "initializing") == 0 || strcmp(status, "moved") == 0;
}

static int take_zone(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	char id[RECORD_ID_CAP], zone[NAME_CAP], status[32];
	struct cf_zone_search *s = ctx;

	(void)list;
	if (json_parse(text, len, e))
		return -1;
	if (json_string(json_get(0, "id"), id, sizeof id) ||
	    json_string(json_get(0, "name"), zone, sizeof zone) ||
	    json_string(json_get(0, "status"), status, sizeof status))
		return err_set(e, ERR_PROTO, "a zone without id, name or status");
	s->seen_n++;
	str_lower(zone);
	/* Whether the filter was honoured is not taken on trust. */
	if (!is_live(status) || !name_is_within(s->name, zone) ||
	    (s->is_exact && strcmp(s->name, zone) != 0))
		return 0;
	if (s->has_found && strlen(zone) <= strlen(s->zone)) {
		s->is_ambiguous |= strlen(zone) == strlen(s->zone) && strcmp(id, s->id) != 0;
		return 0;
	}
	memcpy(s->id, id, sizeof id);
	memcpy(s->zone, zone, sizeof zone);
	s->has_found = true;
	s->is_ambiguous = false;
	return 0;
}

struct http_sink cf_zone_search_begin(struct cf_zone_search *s, char *element_buf, char *rest)
{
	return cf_reply_begin(&s->reply, JSON_CUT_RESULT, take_zone, s, element_buf, rest);
}

static int conclude(const struct cf_zone_search *s, struct err *e)
{
	if (s->is_ambiguous)
		return err_set(e, ERR_CONFIG, "two zones are named %s: set CF_ZONE_ID", s->zone);
	if (!s->has_found)
		return err_set(e, ERR_CONFIG,
			       "no zone %s %s among the %zu that these credentials can see: check "
			       "CF_ROOT_DOMAIN and the right Zone:Read, or set CF_ZONE_ID",
			       s->is_exact ? "named" : "that holds", s->name, s->seen_n);
	return 0;
}

int cf_zone_search_finish(struct cf_zone_search *s, bool *again, struct err *e)
{
	int64_t pages = 0;

	if (cf_reply_finish(&s->reply, e))
		return -1;
	if (!s->reply.split.has_cut)
		return err_set(e, ERR_PROTO, "an answer without a list of zones");
	(void)json_integer(json_get(json_get(0, "result_info"), "total_pages"), &pages);
	*again = (int64_t)s->page < pages;
	if (!*again)
		return conclude(s, e);
	if (s->page == CF_ZONE_PAGES_MAX)
		return err_set(e, ERR_LIMIT,
			       "more than %d pages of zones: set CF_ROOT_DOMAIN or "
			       "CF_ZONE_ID",
			       CF_ZONE_PAGES_MAX);
	s->page++;
	return 0;
}
