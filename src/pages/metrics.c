#include "pages/parts.h"
#include "pages/render.h"

/* name="...",service="..." and the owner if there is one */
static void put_labels(struct buf *b, const struct status_record *r)
{
	buf_str(b, "name=\"");
	parts_text(b, r->name, PARTS_LABEL);
	buf_str(b, "\",service=\"");
	parts_text(b, r->service, PARTS_LABEL);
	if (r->owner) {
		buf_str(b, "\",owner=\"");
		parts_text(b, r->owner, PARTS_LABEL);
	}
	buf_str(b, "\"");
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
	parts_single(b, "retries_total", "Passes that failed and are tried again.", s->retries);
	parts_single(b, "consul_reads_total", "Good answers of Consul to watches.",
		     s->consul_reads);
	parts_single(b, "connections_total", "Connections opened, to both sides.", s->connections);
}

void render_metrics(const struct status *s, struct buf *b)
{
	size_t n = s->records_n, mark;

	put_program(s, b);
	mark = b->len;
	put_records(s, n, b);
	/* Every family has the same records: when they do not fit, all with fewer. */
	while (!parts_keep(b, mark) && n) {
		n = n * 3 / 4;
		put_records(s, n, b);
	}
	parts_single(b, "records", "Names that are kept.", s->records_n);
	parts_single(b, "records_left_out", "Names for which this page had no room.",
		     s->records_n - n);
}
