#include "pages/parts.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"

/* What stands for c in a text of that kind; NULL: itself. */
static const char *replacement(uint32_t c, enum parts_escape as)
{
	if (utf8_is_harmful(c))
		return "?";
	if (as != PARTS_HTML)
		return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void parts_text(struct buf *b, const char *s, enum parts_escape as)
{
	while (*s) {
		uint32_t c;
		size_t n = utf8_read(s, &c);
		const char *other = replacement(c, as);

		if (other)
			buf_str(b, other);
		else
			buf_add(b, s, n);
		s += n;
	}
}

void parts_put(struct buf *b, enum parts_escape as, const char *fmt, const char *first,
	       const char *second, const char *third)
{
	const char *const texts[] = {first, second, third};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t n = strcspn(fmt, "%");

		if (!fmt[n])
			break;
		buf_add(b, fmt, n);
		if (texts[i])
			parts_text(b, texts[i], as);
		fmt += n + 1;
	}
	buf_str(b, fmt);
}

static void put_two(struct buf *b, long long large, const char *large_unit, long long small,
		    const char *small_unit)
{
	buf_fmt(b, "%lld %s", large, large_unit);
	if (small)
		buf_fmt(b, " %lld %s", small, small_unit);
}

void parts_span(struct buf *b, int64_t sec)
{
	long long s = sec > 0 ? sec : 0;

	if (s < 60)
		buf_fmt(b, "%lld s", s);
	else if (s < 3600)
		buf_fmt(b, "%lld min", s / 60);
	else if (s < 86400)
		put_two(b, s / 3600, "h", s / 60 % 60, "min");
	else
		put_two(b, s / 86400, "d", s / 3600 % 24, "h");
}

void parts_seconds(struct buf *b, int64_t ms)
{
	buf_fmt(b, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
}

void parts_time(struct buf *b, int64_t sec)
{
	char text[CLOCK_TEXT_CAP];

	clock_format(sec, text);
	buf_fmt(b, "<time datetime=\"%s\">%.10s %.8s UTC</time>", text, text, text + 11);
}

void parts_number(struct buf *b, enum fact fact, const struct status_record *r)
{
	int64_t n = r->facts[fact].n;

	if (fact_infos[fact].kind == FACT_IS_AGE)
		parts_seconds(b, n);
	else
		buf_fmt(b, "%lld", (long long)n);
}

void parts_reason(struct buf *b, const struct status_record *r, enum parts_escape as)
{
	int64_t unconverged_ms = r->facts[FACT_UNCONVERGED].n, held_n = r->facts[FACT_HELD].n;

	if (r->why && r->state == STATUS_FAILING) {
		parts_text(b, r->why, as);
	} else if (r->consul_error) {
		parts_put(b, as, "Consul: %", r->consul_error, NULL, NULL);
	} else if (r->why) {
		buf_fmt(b, "%lld removal%s held: ", (long long)held_n, held_n == 1 ? "" : "s");
		parts_text(b, r->why, as);
	} else if (r->is_unhealthy) {
		buf_str(b, unconverged_ms ? "not what Consul lists" : "no answer from Consul");
	} else {
		return;
	}
	if (!unconverged_ms)
		return;
	buf_str(b, " (for ");
	parts_span(b, unconverged_ms / 1000);
	buf_str(b, ")");
}

void parts_lock_reason(struct buf *b, const struct status *s, enum parts_escape as)
{
	parts_put(b, as, s->lock_error ? "no leader known: % (for " : "no leader known (for ",
		  s->lock_error, NULL, NULL);
	parts_span(b, s->leaderless_ms / 1000);
	buf_str(b, ")");
}

const char *parts_word(bool yes)
{
	return yes ? "true" : "false";
}

void parts_member(struct buf *b, const char *key, const char *text)
{
	parts_put(b, PARTS_JSON, "\"%\":\"%\",", key, text, NULL);
}

void parts_family(struct buf *b, const char *name, const char *help)
{
	buf_fmt(b, "# HELP dnsbuddy_%s %s\n# TYPE dnsbuddy_%s %s\n", name, help, name,
		str_ends_nocase(name, "_total") ? "counter" : "gauge");
}

void parts_single(struct buf *b, const char *name, const char *help, uint64_t value)
{
	parts_family(b, name, help);
	buf_fmt(b, "dnsbuddy_%s %llu\n", name, (unsigned long long)value);
}

void parts_program(struct buf *b, const char *version, int64_t uptime_ms, bool is_healthy)
{
	parts_family(b, "build_info", "Always 1; the version is a label.");
	parts_put(b, PARTS_LABEL, "dnsbuddy_build_info{version=\"%\"} 1\n", version, NULL, NULL);
	parts_family(b, "uptime_seconds", "Since the program started.");
	buf_str(b, "dnsbuddy_uptime_seconds ");
	parts_seconds(b, uptime_ms);
	buf_str(b, "\n");
	parts_single(b, "healthy", "1 when /health says 200.", is_healthy);
}

bool parts_keep(struct buf *b, size_t mark)
{
	if (buf_ok(b) && b->cap - b->len > PARTS_END_CAP)
		return true;
	buf_cut(b, mark);
	return false;
}
