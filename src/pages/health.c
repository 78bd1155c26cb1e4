/*
 * /health: {"healthy":false,"leader":true,...,"reasons":["NAME: WHY"...],"records":[...]}
 */
#include "pages/pages.h"
#include "pages/parts.h"

static const char *word(bool yes)
{
	return yes ? "true" : "false";
}

static void put_string(struct buf *b, const char *key, const char *text)
{
	buf_fmt(b, "\"%s\":\"", key);
	pages_text(b, text, PAGES_JSON);
	buf_str(b, "\",");
}

static void put_reasons(const struct status *s, struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < s->records_n && n < PAGES_REASONS_MAX; i++) {
		struct status_record r = pages_record(s, i);
		size_t mark = b->len;

		if (!r.is_unhealthy)
			continue;
		buf_str(b, n ? ",\"" : "\"");
		pages_text(b, r.name, PAGES_JSON);
		buf_str(b, ": ");
		pages_reason(b, &r, PAGES_JSON);
		buf_str(b, "\"");
		if (!pages_keep(b, mark))
			return;
		n++;
	}
}

static void put_record(const struct status_record *r, struct buf *b)
{
	buf_str(b, "{");
	put_string(b, "name", r->name);
	put_string(b, "service", r->service);
	if (r->owner)
		put_string(b, "owner", r->owner);
	put_string(b, "state", pages_state_name(r->state));
	buf_fmt(b, "\"healthy\":%s,\"unconverged_seconds\":", word(!r->is_unhealthy));
	pages_seconds(b, r->unconverged_ms);
	buf_str(b, ",\"reason\":\"");
	pages_reason(b, r, PAGES_JSON);
	buf_str(b, "\"}");
}

void pages_health(const struct status *s, struct buf *b)
{
	size_t i, unhealthy_n = 0;

	for (i = 0; i < s->records_n; i++)
		unhealthy_n += pages_record(s, i).is_unhealthy;
	buf_fmt(b, "{\"healthy\":%s,\"leader\":%s,", word(s->is_healthy), word(s->is_leader));
	put_string(b, "version", s->version);
	buf_str(b, "\"uptime_seconds\":");
	pages_seconds(b, s->uptime_ms);
	buf_fmt(b, ",\"unhealthy\":%zu,\"reasons\":[", unhealthy_n);
	put_reasons(s, b);
	buf_str(b, "],\"records\":[");
	for (i = 0; i < s->records_n; i++) {
		struct status_record r = pages_record(s, i);
		size_t mark = b->len;

		buf_str(b, i ? ",\n" : "\n");
		put_record(&r, b);
		if (!pages_keep(b, mark))
			break;
	}
	buf_fmt(b, "],\"left_out\":%zu}\n", s->records_n - i);
}
