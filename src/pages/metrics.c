#include <string.h>

#include "base/fmt.h"
#include "pages/order.h"
#include "pages/parts.h"
#include "pages/render.h"

/* name="...",service="..." and the owner if there is one */
static void put_labels(struct buf *b, const struct status_record *r)
{
	parts_put(b, PARTS_LABEL,
		  r->owner ? "name=\"%\",service=\"%\",owner=\"%\"" : "name=\"%\",service=\"%\"",
		  r->name, r->service, r->owner);
}

static void put_family(const struct status *s, size_t records_n, enum fact f, struct buf *b)
{
	parts_family(b, fact_infos[f].metric, fact_infos[f].help);
	for (size_t i = 0; i < records_n; i++) {
		struct status_record r = status_record_at(s, i);

		if (!r.facts[f].is_known)
			continue;
		buf_fmt(b, "dnsbuddy_%s{", fact_infos[f].metric);
		put_labels(b, &r);
		buf_str(b, "} ");
		parts_number(b, f, &r);
		buf_str(b, "\n");
	}
}

static void put_instances(const struct status *s, size_t records_n, struct buf *b)
{
	parts_family(b, "record_instances", "Instances in Consul by state.");
	for (size_t i = 0; i < records_n; i++) {
		struct status_record r = status_record_at(s, i);

		for (int state = 0; r.count && state < INSTANCE_STATES; state++) {
			if (state == INSTANCE_VANISHED) /* not listed, so not counted */
				continue;
			buf_str(b, "dnsbuddy_record_instances{");
			put_labels(b, &r);
			buf_fmt(b, ",state=\"%s\"} %zu\n",
				instance_state_name((enum instance_state)state),
				r.count->state_n[state]);
		}
	}
}

static void put_records(const struct status *s, size_t records_n, struct buf *b)
{
	for (int f = 0; f < FACTS; f++)
		put_family(s, records_n, (enum fact)f, b);
	put_instances(s, records_n, b);
}

/* Names by zone and state; those of zones past the limit together. */
static void put_zones(const struct status *s, struct buf *b)
{
	const struct order_name *at = order_names(s, ORDER_ZONE), *end = at + s->records_n;

	parts_family(b, "zone_records",
		     "Names by zone, \"\" where it is not known yet, and state.");
	for (int i = 0; at < end; i++) {
		bool is_last = i == METRICS_ZONES_MAX;
		const struct order_name *next = is_last ? end : order_zone_end(at, end);
		struct order_sum sum = order_count(at, next);

		for (int state = 0; state < STATUS_STATES; state++) {
			parts_put(b, PARTS_LABEL, "dnsbuddy_zone_records{zone=\"%\",state=\"%\"} ",
				  is_last ? "other" : at->zone,
				  status_state_name((enum status_state)state), NULL);
			buf_fmt(b, "%zu\n", sum.state_n[state]);
		}
		at = next;
	}
}

/* What /metrics says of all names together, under the name with an s: record_held, records_held. */
static void put_sums(const struct status *s, struct buf *b)
{
	struct status_record all = {0};

	for (size_t i = 0; i < s->records_n; i++) {
		struct status_record r = status_record_at(s, i);

		for (int f = 0; f < FACTS; f++) {
			int64_t n = r.facts[f].n, *sum = &all.facts[f].n;

			if (fact_infos[f].kind != FACT_IS_AGE)
				*sum += n;
			else if (n > *sum)
				*sum = n;
		}
	}
	for (int f = 0; f < FACTS; f++) {
		char name[48];

		if (fact_infos[f].kind == FACT_IS_TIME)
			continue;
		(void)fmt_text(name, sizeof name, "records_%s",
			       strchr(fact_infos[f].metric, '_') + 1);
		parts_family(b, name, "Over all names: the sum; of ages the largest.");
		buf_fmt(b, "dnsbuddy_%s ", name);
		parts_number(b, (enum fact)f, &all);
		buf_str(b, "\n");
	}
}

static void put_calls(const struct status *s, struct buf *b)
{
/* NOLINTNEXTLINE(bugprone-macro-parentheses): it initialises an array */
#define NAME(kind, name) [STATUS_CALL_##kind] = name,
	static const char kinds[][6] = {STATUS_CALLS_LIST(NAME)};

	/* A 1xx is never the answer. */
	static const char classes[STATUS_CLASSES][5] = {"none", "", "2xx", "3xx", "4xx", "5xx"};

	parts_family(b, "cloudflare_calls_total",
		     "API calls by kind and class of the answer; none: there was no answer.");
	for (size_t kind = 0; kind < STATUS_CALLS; kind++)
		for (size_t i = 0; i < STATUS_CLASSES; i++)
			if (classes[i][0])
				buf_fmt(b,
					"dnsbuddy_cloudflare_calls_total{kind=\"%s\","
					"status=\"%s\"} %llu\n",
					kinds[kind], classes[i],
					(unsigned long long)s->api_calls[kind][i]);
}

static void put_program(const struct status *s, struct buf *b)
{
	static const char ops[STATUS_WRITES][7] = {"create", "update", "delete"};

	parts_program(b, s->version, s->uptime_ms, s->is_healthy);
	parts_single(b, "leader", "1 when this copy writes.", s->is_leader);
	parts_single(b, "leaderless_seconds", "How long nobody has been known to lead.",
		     (uint64_t)s->leaderless_ms / 1000);
	put_calls(s, b);
	parts_family(b, "cloudflare_writes_total", "Records written.");
	for (size_t op = 0; op < STATUS_WRITES; op++)
		buf_fmt(b, "dnsbuddy_cloudflare_writes_total{op=\"%s\"} %llu\n", ops[op],
			(unsigned long long)s->writes[op]);
	parts_single(b, "cloudflare_requests_left", "API requests that may be made at once.",
		     s->api_left);
	if (s->api_end_sec)
		parts_single(b, "cloudflare_root_expiry_timestamp_seconds",
			     "When the root ends by which the API is believed.",
			     (uint64_t)s->api_end_sec);
	parts_single(b, "builtin_roots_timestamp_seconds", "Date of the roots built in.",
		     (uint64_t)s->roots_sec);
	parts_single(b, "retries_total", "Passes that failed and are tried again.", s->retries);
	parts_single(b, "consul_reads_total", "Good answers of Consul to watches.",
		     s->consul_reads);
	parts_single(b, "connections_total", "Connections opened, to both sides.", s->connections);
}

void render_metrics(const struct status *s, struct buf *b)
{
	size_t n = s->has_name_series ? s->records_n : 0, asked_n = n, mark;

	put_program(s, b);
	put_zones(s, b);
	put_sums(s, b);
	if (s->has_discovery) {
		parts_single(b, "records_discovered", "Names that services ask for by their tags.",
			     s->discovered_n);
		parts_single(b, "claims_refused", "Names they ask for and do not get.",
			     s->claims_n);
	}
	mark = b->len;
	if (n)
		put_records(s, n, b);
	/* Every family has the same records: when they do not fit, all with fewer. */
	while (!parts_keep(b, mark) && n) {
		n = n * 3 / 4;
		put_records(s, n, b);
	}
	parts_single(b, "records", "Names that are kept.", s->records_n);
	parts_single(b, "records_left_out", "Names for which this page had no room.", asked_n - n);
}
