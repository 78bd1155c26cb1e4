/*
 * /health: {"healthy":false,"leader":true,...,"reasons":["NAME: WHY"...],"records":[...]}
 */
#include <string.h>

#include "pages/order.h"
#include "pages/parts.h"
#include "pages/render.h"

/* names: the unhealthy ones go first */
static void put_reasons(const struct status *s, const struct order_name *names, size_t unhealthy_n,
			struct buf *b)
{
	size_t n = s->is_lock_unhealthy;

	if (n) {
		buf_str(b, "\"lock: ");
		parts_lock_reason(b, s, PARTS_JSON);
		buf_str(b, "\"");
	}
	for (size_t i = 0; i < unhealthy_n && n < HEALTH_REASONS_MAX; i++) {
		struct status_record r = status_record_at(s, names[i].i);
		size_t mark = b->len;

		parts_put(b, PARTS_JSON, n ? ",\"%: " : "\"%: ", r.name, NULL, NULL);
		parts_reason(b, &r, PARTS_JSON);
		buf_str(b, "\"");
		if (!parts_keep(b, mark))
			return;
		n++;
	}
}

static void put_fact(const struct status_record *r, enum fact f, struct buf *b)
{
	if (!fact_infos[f].in_health || !r->facts[f].is_known)
		return;
	buf_fmt(b, "\"%s\":", fact_infos[f].metric + strlen("record_"));
	if (fact_infos[f].kind == FACT_IS_BOOL)
		buf_str(b, parts_word(r->facts[f].n));
	else
		parts_number(b, f, r);
	buf_str(b, ",");
}

static void put_record(const struct status_record *r, struct buf *b)
{
	parts_put(b, PARTS_JSON, "{\"name\":\"%\",\"service\":\"%\",", r->name, r->service, NULL);
	if (r->owner)
		parts_member(b, "owner", r->owner);
	parts_member(b, "state", status_state_name(r->state));
	for (int f = 0; f < FACTS; f++)
		put_fact(r, (enum fact)f, b);
	buf_str(b, "\"reason\":\"");
	parts_reason(b, r, PARTS_JSON);
	buf_str(b, "\"}");
}

void render_health(const struct status *s, struct buf *b)
{
	const struct order_name *names = order_names(s, ORDER_RANK);
	size_t i, unhealthy_n = order_count(names, names + s->records_n).unhealthy_n;

	buf_fmt(b, "{\"healthy\":%s,\"leader\":%s,", parts_word(s->is_healthy),
		parts_word(s->is_leader));
	if (s->lock_error)
		parts_member(b, "lock_error", s->lock_error);
	parts_member(b, "version", s->version);
	buf_str(b, "\"uptime_seconds\":");
	parts_seconds(b, s->uptime_ms);
	buf_fmt(b, ",\"unhealthy\":%zu,\"reasons\":[", unhealthy_n);
	put_reasons(s, names, unhealthy_n, b);
	buf_str(b, "],\"records\":[");
	for (i = 0; i < s->records_n && i < HEALTH_RECORDS_MAX; i++) {
		struct status_record r = status_record_at(s, names[i].i);
		size_t mark = b->len;

		buf_str(b, i ? ",\n" : "\n");
		put_record(&r, b);
		if (!parts_keep(b, mark))
			break;
	}
	buf_fmt(b, "],\"left_out\":%zu}\n", s->records_n - i);
}
