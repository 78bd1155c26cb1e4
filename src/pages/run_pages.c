#include <string.h>

#include "base/str.h"
#include "pages/parts.h"
#include "pages/run_status.h"

/*
 * A row is its metric and its help, one behind the other and each ended: in an array of arrays a
 * third of it would be empty.
 */
#define RUN_FACT(name, part, metric, help) metric "\0" help "\0"
static const char infos[] =
#include "pages/run_facts.def"
	;
#undef RUN_FACT

void run_status_set(struct run_status_part *p, enum run_fact fact, int64_t n)
{
	p->facts[fact] = (struct fact_value){.is_known = true, .n = n};
}

static struct run_status_part part_at(const struct run_status *s, size_t i)
{
	struct run_status_part p = {.kind = RUN_STATUS_SERVICE};

	s->fill_part(s, i, &p);
	return p;
}

/* ---- what is wrong ---- */

static const char app_states[RUN_APPS][12] = {
	[RUN_APP_NONE] = "none",
	[RUN_APP_BEFORE] = "not started",
	[RUN_APP_RUNNING] = "running",
	[RUN_APP_ENDED] = "ended",
};

static bool is_app_well(const struct run_status *s)
{
	return s->app == RUN_APP_NONE || s->app == RUN_APP_RUNNING;
}

static bool is_part_well(const struct run_status_part *p)
{
	const struct fact_value *passing = &p->facts[RUN_FACT_PASSING];

	if (p->kind != RUN_STATUS_SERVICE)
		return true;
	return passing->is_known ? passing->n : p->waiting_ms < p->ttl_ms;
}

bool run_status_is_healthy(const struct run_status *s)
{
	for (size_t i = 0; i < s->parts_n; i++) {
		struct run_status_part p = part_at(s, i);

		if (!is_part_well(&p))
			return false;
	}
	return is_app_well(s);
}

/* ---- /health ---- */

static void put_reason(struct buf *b, const struct run_status_part *p)
{
	if (p->facts[RUN_FACT_PASSING].is_known) {
		parts_put(b, PARTS_JSON, "\"%: its check fails: %", p->name, p->output, NULL);
	} else {
		parts_put(b, PARTS_JSON, "\"%: no result of its check for ", p->name, NULL, NULL);
		parts_span(b, p->waiting_ms / 1000);
	}
	buf_str(b, "\"");
}

/* Returns how many. */
static size_t put_reasons(const struct run_status *s, struct buf *b)
{
	size_t n = !is_app_well(s);

	buf_str(b, "\"reasons\":[");
	if (n)
		buf_fmt(b, "\"application: %s\"", app_states[s->app]);
	for (size_t i = 0; i < s->parts_n; i++) {
		struct run_status_part p = part_at(s, i);

		if (is_part_well(&p))
			continue;
		buf_str(b, n++ ? "," : "");
		put_reason(b, &p);
	}
	buf_str(b, "],");
	return n;
}

static void put_optional(struct buf *b, const char *key, const char *text)
{
	if (text && *text)
		parts_member(b, key, text);
}

static void put_bool(struct buf *b, const struct run_status_part *p, const char *key,
		     enum run_fact f)
{
	if (p->facts[f].is_known)
		buf_fmt(b, "\"%s\":%s,", key, parts_word(p->facts[f].n));
}

static void put_part(struct buf *b, const struct run_status_part *p)
{
	buf_str(b, "{");
	put_optional(b, "id", p->id);
	put_optional(b, "address", p->address);
	if (p->port)
		buf_fmt(b, "\"port\":%u,", (unsigned)p->port);
	put_bool(b, p, "registered", RUN_FACT_REGISTERED);
	put_bool(b, p, "maintenance", RUN_FACT_MAINTENANCE);
	put_bool(b, p, "passing", RUN_FACT_PASSING);
	put_optional(b, "output", p->output);
	put_bool(b, p, "behind", RUN_FACT_BEHIND);
	put_optional(b, "consul_error", p->error);
	parts_put(b, PARTS_JSON, "\"name\":\"%\"}", p->name, NULL, NULL);
}

static void put_parts(const struct run_status *s, struct buf *b, enum run_status_kind kind)
{
	const char *between = "";

	for (size_t i = 0; i < s->parts_n; i++) {
		struct run_status_part p = part_at(s, i);

		if (p.kind != kind)
			continue;
		buf_fmt(b, "%s\n", between);
		put_part(b, &p);
		between = ",";
	}
}

static void render_health_of_run(const struct run_status *s, struct buf *b, bool is_healthy)
{
	size_t n;

	buf_fmt(b, "{\"healthy\":%s,", parts_word(is_healthy));
	parts_member(b, "version", s->version);
	buf_str(b, "\"uptime_seconds\":");
	parts_seconds(b, s->uptime_ms);
	buf_str(b, ",");
	n = put_reasons(s, b);
	buf_fmt(b, "\"unhealthy\":%zu,", n);
	parts_member(b, "application", app_states[s->app]);
	buf_fmt(b, "\"stopping\":%s,", parts_word(s->is_stopping));
	if (s->has_drain)
		put_optional(b, "drain", s->drain_line);
	buf_str(b, "\"services\":[");
	put_parts(s, b, RUN_STATUS_SERVICE);
	buf_str(b, "],\"backends\":[");
	put_parts(s, b, RUN_STATUS_BACKEND);
	buf_str(b, "]}\n");
}

/* ---- /metrics ---- */

static void put_sample(struct buf *b, const char *info, const struct run_status_part *p, int64_t n)
{
	parts_put(b, PARTS_LABEL,
		  p->id ? "dnsbuddy_%{service=\"%\",id=\"%\"} " : "dnsbuddy_%{service=\"%\"} ",
		  info, p->name, p->id);
	if (str_ends_nocase(info, "_seconds"))
		parts_seconds(b, n);
	else
		buf_fmt(b, "%lld", (long long)n);
	buf_str(b, "\n");
}

static void put_family(const struct run_status *s, enum run_fact f, const char *info, struct buf *b)
{
	const char *help = info + strlen(info) + 1;
	bool is_begun = false;

	for (size_t i = 0; i < s->parts_n; i++) {
		struct run_status_part p = part_at(s, i);

		if (!p.facts[f].is_known)
			continue;
		if (!is_begun)
			parts_family(b, info, help);
		is_begun = true;
		put_sample(b, info, &p, p.facts[f].n);
	}
}

static void put_families(const struct run_status *s, struct buf *b)
{
	const char *info = infos;

	for (int f = 0; f < RUN_FACTS; f++) {
		put_family(s, (enum run_fact)f, info, b);
		for (int i = 0; i < 2; i++)
			info += strlen(info) + 1;
	}
}

static void put_drain(const struct run_status *s, struct buf *b)
{
	static const char names[DRAIN_STATES][9] = {
		[DRAIN_BEFORE] = "before",   [DRAIN_ASKING] = "asking",
		[DRAIN_LISTED] = "listed",   [DRAIN_SILENT] = "silent",
		[DRAIN_TTL] = "ttl",         [DRAIN_SETTLING] = "settling",
		[DRAIN_WAITING] = "waiting", [DRAIN_CLIENTS] = "clients",
		[DRAIN_OVER] = "over",
	};

	parts_family(b, "drain_state",
		     "1 for what a drain waits for: servers, a TTL, clients... None: no drain.");
	for (int i = 0; i < DRAIN_STATES; i++)
		buf_fmt(b, "dnsbuddy_drain_state{state=\"%s\"} %d\n", names[i],
			s->has_drain && s->drain == (enum drain_state)i);
}

static void render_metrics_of_run(const struct run_status *s, struct buf *b, bool is_healthy)
{
	parts_program(b, s->version, s->uptime_ms, is_healthy);
	parts_single(b, "application_running", "1 while the application runs.",
		     s->app == RUN_APP_RUNNING);
	parts_single(b, "stopping", "1 from the signal to stop on.", s->is_stopping);
	put_drain(s, b);
	put_families(s, b);
}

/* ---- both ---- */

int run_pages_answer(const struct run_status *s, const char *path, struct buf *out,
		     const char **content_type)
{
	bool is_healthy = run_status_is_healthy(s);

	if (strcmp(path, "/health") == 0) {
		*content_type = "application/json";
		render_health_of_run(s, out, is_healthy);
		return is_healthy ? 200 : 503;
	}
	if (strcmp(path, "/metrics") == 0) {
		*content_type = "text/plain; version=0.0.4; charset=utf-8";
		render_metrics_of_run(s, out, is_healthy);
		return 200;
	}
	return 404;
}
