/*
 * /metrics: Prometheus text format 0.0.4.
 * https://prometheus.io/docs/instrumenting/exposition_formats/ and .../practices/naming/
 */
#include "pages/pages.h"
#include "pages/parts.h"

/* One value per record. */
enum family {
	IN_SYNC,
	HEALTHY,
	WANTED,
	ACTUAL,
	HELD,
	UNCONVERGED,
	LAST_SYNC,
	LAST_CHANGE,
	CONSUL_AGE,
	FAMILIES
};

static const struct {
	const char *name;
	const char *help;
} families[] = {
	[IN_SYNC] = {"record_in_sync", "1 when the records are what is wanted."},
	[HEALTHY] = {"record_healthy", "0 when the name makes this program unhealthy."},
	[WANTED] = {"record_wanted", "Records that Consul's instances ask for."},
	[ACTUAL] = {"record_actual", "Records at Cloudflare that are ours."},
	[HELD] = {"record_held", "Records that a safety rule keeps though nobody wants them."},
	[UNCONVERGED] = {"record_unconverged_seconds",
			 "How long the records have not been what is wanted."},
	[LAST_SYNC] = {"record_last_sync_timestamp_seconds",
		       "When the records were last what is wanted."},
	[LAST_CHANGE] = {"record_last_change_timestamp_seconds", "When a record was last written."},
	[CONSUL_AGE] = {"consul_last_answer_age_seconds",
			"Since Consul answered last for this service."},
};
_Static_assert(sizeof families / sizeof families[0] == FAMILIES, "each has a name");

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

/* A family's value for r; false when there is none yet. */
static bool put_value(struct buf *b, enum family f, const struct status_record *r)
{
	switch (f) {
	case IN_SYNC: buf_fmt(b, "%d", r->state == STATUS_IN_SYNC); return true;
	case HEALTHY: buf_fmt(b, "%d", !r->is_unhealthy); return true;
	case WANTED: buf_fmt(b, "%zu", r->wanted_n); return true;
	case ACTUAL: buf_fmt(b, "%zu", pages_actual_n(r)); return r->has_records;
	case HELD: buf_fmt(b, "%zu", r->held_n); return true;
	case UNCONVERGED: pages_seconds(b, r->unconverged_ms); return true;
	case LAST_SYNC: buf_fmt(b, "%lld", (long long)r->synced_sec); return r->has_synced;
	case LAST_CHANGE: buf_fmt(b, "%lld", (long long)r->changed_sec); return r->has_changed;
	case CONSUL_AGE: pages_seconds(b, r->consul_age_ms); return r->consul_age_ms >= 0;
	case FAMILIES: break;
	}
	return false;
}

/* name="...",service="..." and the owner if there is one */
static void put_labels(struct buf *b, const struct status_record *r)
{
	buf_str(b, "name=\"");
	pages_text(b, r->name, PAGES_LABEL);
	buf_str(b, "\",service=\"");
	pages_text(b, r->service, PAGES_LABEL);
	if (r->owner) {
		buf_str(b, "\",owner=\"");
		pages_text(b, r->owner, PAGES_LABEL);
	}
	buf_str(b, "\"");
}

static void put_family(const struct status *s, size_t records_n, enum family f, struct buf *b)
{
	put_head(b, families[f].name, "gauge", families[f].help);
	for (size_t i = 0; i < records_n; i++) {
		struct status_record r = pages_record(s, i);
		char text[32];
		struct buf value;

		buf_init(&value, text, sizeof text);
		if (!put_value(&value, f, &r))
			continue;
		buf_fmt(b, "dnsbuddy_%s{", families[f].name);
		put_labels(b, &r);
		buf_fmt(b, "} %s\n", text);
	}
}

static void put_instances(const struct status *s, size_t records_n, struct buf *b)
{
	put_head(b, "record_instances", "gauge", "Instances in Consul by state.");
	for (size_t i = 0; i < records_n; i++) {
		struct status_record r = pages_record(s, i);

		for (int state = 0; r.view && state < INSTANCE_STATES; state++) {
			if (state == INSTANCE_VANISHED) /* not listed: nobody counts them */
				continue;
			buf_str(b, "dnsbuddy_record_instances{");
			put_labels(b, &r);
			buf_fmt(b, ",state=\"%s\"} %zu\n",
				instance_state_name((enum instance_state)state), r.view->n[state]);
		}
	}
}

static void put_records(const struct status *s, size_t records_n, struct buf *b)
{
	for (int f = 0; f < FAMILIES; f++)
		put_family(s, records_n, (enum family)f, b);
	put_instances(s, records_n, b);
}

static void put_calls(const struct status *s, struct buf *b)
{
	static const char *const kinds[] = {
		[STATUS_CALL_ZONES] = "zones",
		[STATUS_CALL_LIST] = "list",
		[STATUS_CALL_WRITE] = "write",
	};
	static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

	_Static_assert(sizeof kinds / sizeof kinds[0] == STATUS_CALLS, "each has a name");
	put_head(b, "cloudflare_calls_total", "counter",
		 "API calls by kind and class of the answer; none: there was no answer.");
	for (size_t kind = 0; kind < STATUS_CALLS; kind++)
		for (size_t class = 0; class < sizeof classes / sizeof classes[0]; class ++) {
			if (class == 1) /* never final */
				continue;
			buf_fmt(b,
				"dnsbuddy_cloudflare_calls_total{kind=\"%s\",status=\"%s\"} "
				"%llu\n",
				kinds[kind], classes[class],
				(unsigned long long)s->api_calls[kind][class]);
		}
}

static void put_program(const struct status *s, struct buf *b)
{
	static const char *const ops[] = {"create", "update", "delete"};

	put_head(b, "build_info", "gauge", "Always 1; the version is a label.");
	buf_str(b, "dnsbuddy_build_info{version=\"");
	pages_text(b, s->version, PAGES_LABEL);
	buf_str(b, "\"} 1\n");
	put_head(b, "uptime_seconds", "gauge", "Since the program started.");
	buf_str(b, "dnsbuddy_uptime_seconds ");
	pages_seconds(b, s->uptime_ms);
	buf_str(b, "\n");
	put_single(b, "healthy", "gauge", "1 when /health says 200.", s->is_healthy);
	put_single(b, "leader", "gauge", "1 when this copy writes.", s->is_leader);
	put_calls(s, b);
	put_head(b, "cloudflare_writes_total", "counter", "Records written.");
	for (size_t op = 0; op < sizeof ops / sizeof ops[0]; op++)
		buf_fmt(b, "dnsbuddy_cloudflare_writes_total{op=\"%s\"} %llu\n", ops[op],
			(unsigned long long)s->writes[op]);
	put_single(b, "retries_total", "counter", "Passes that failed and are tried again.",
		   s->retries);
	put_single(b, "consul_reads_total", "counter", "Good answers of Consul to watches.",
		   s->consul_reads);
	put_single(b, "connections_total", "counter", "Connections opened, to both sides.",
		   s->connections);
}

void pages_metrics(const struct status *s, struct buf *b)
{
	size_t n = s->records_n, mark;

	put_program(s, b);
	mark = b->len;
	put_records(s, n, b);
	/* No family may be cut shorter than another: fewer records, each whole. */
	while (!pages_keep(b, mark) && n) {
		n = n * 3 / 4;
		put_records(s, n, b);
	}
	put_single(b, "records", "gauge", "Names that are kept.", s->records_n);
	put_single(b, "records_left_out", "gauge", "Names for which this page had no room.",
		   s->records_n - n);
}
