#include "pages/parts.h"
#include "pages/render.h"

static void put_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_fmt(b, "# HELP dnsbuddy_%s %s\n# TYPE dnsbuddy_%s %s\n", name, help, name, type);
}

static void put_single(struct buf *b, const char *name, const char *type, const char *help,
		       uint64_t value)
{
	put_head(b, name, type, help);
	buf_fmt(b, "dnsbuddy_%s %llu\n", name, (unsigned long long)value);
}

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
	put_head(b, fact_infos[f].metric, "gauge", fact_infos[f].help);
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
	put_head(b, "record_instances", "gauge", "Instances in Consul by state.");
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
#define NAME(kind, name) [STATUS_CALL_##kind] = (name),
	static const char *const kinds[] = {STATUS_CALLS_LIST(NAME)};

	/* A 1xx is never the answer. */
	static const char classes[STATUS_CLASSES][5] = {"none", "", "2xx", "3xx", "4xx", "5xx"};

	put_head(b, "cloudflare_calls_total", "counter",
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
	static const char *const ops[STATUS_WRITES] = {"create", "update", "delete"};

	put_head(b, "build_info", "gauge", "Always 1; the version is a label.");
	buf_str(b, "dnsbuddy_build_info{version=\"");
	parts_text(b, s->version, PARTS_LABEL);
	buf_str(b, "\"} 1\n");
	put_head(b, "uptime_seconds", "gauge", "Since the program started.");
	buf_str(b, "dnsbuddy_uptime_seconds ");
	parts_seconds(b, s->uptime_ms);
	buf_str(b, "\n");
	put_single(b, "healthy", "gauge", "1 when /health says 200.", s->is_healthy);
	put_single(b, "leader", "gauge", "1 when this copy writes.", s->is_leader);
	put_single(b, "leaderless_seconds", "gauge", "How long nobody has been known to lead.",
		   (uint64_t)s->leaderless_ms / 1000);
	put_calls(s, b);
	put_head(b, "cloudflare_writes_total", "counter", "Records written.");
	for (size_t op = 0; op < STATUS_WRITES; op++)
		buf_fmt(b, "dnsbuddy_cloudflare_writes_total{op=\"%s\"} %llu\n", ops[op],
			(unsigned long long)s->writes[op]);
	put_single(b, "retries_total", "counter", "Passes that failed and are tried again.",
		   s->retries);
	put_single(b, "consul_reads_total", "counter", "Good answers of Consul to watches.",
		   s->consul_reads);
	put_single(b, "connections_total", "counter", "Connections opened, to both sides.",
		   s->connections);
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
	put_single(b, "records", "gauge", "Names that are kept.", s->records_n);
	put_single(b, "records_left_out", "gauge", "Names for which this page had no room.",
		   s->records_n - n);
}
