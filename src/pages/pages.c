#include "pages/pages.h"

#include <string.h>

#include "base/clock.h"
#include "pages/parts.h"

static const char *const state_names[] = {
	[STATUS_WAITING] = "waiting", [STATUS_IN_SYNC] = "in sync", [STATUS_SYNCING] = "syncing",
	[STATUS_HELD] = "held",       [STATUS_FAILING] = "failing",
};
_Static_assert(sizeof state_names / sizeof state_names[0] == STATUS_STATES, "a name for each");

const char *pages_state_name(enum status_state state)
{
	return state_names[state];
}

struct status_record pages_record(const struct status *s, size_t i)
{
	struct status_record r = {0};

	s->record(s, i, &r);
	return r;
}

/* ---- text ---- */

static bool is_between(unsigned char c, unsigned char low, unsigned char high)
{
	return c >= low && c <= high;
}

/* Bytes of the character s begins with, as RFC 3629 section 4 has it; 0 if it is none. */
static size_t utf8_len(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] < 0x80)
		return 1;
	if (!is_between(s[0], 0xc2, 0xf4))
		return 0;
	/* Not what a shorter one says too, no half of a pair, nothing past U+10FFFF. */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (!is_between(s[1], low, high))
		return 0;
	for (size_t i = 2; i < n; i++)
		if (!is_between(s[i], 0x80, 0xbf))
			return 0;
	return n;
}

/* What c is written as; NULL: as itself. */
static const char *replacement(char c, enum pages_escape as)
{
	if ((unsigned char)c < ' ' || c == 0x7f)
		return "?";
	if (as != PAGES_HTML)
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

void pages_text(struct buf *b, const char *s, enum pages_escape as)
{
	while (*s) {
		size_t n = utf8_len(s);
		const char *other = n ? replacement(*s, as) : "?";

		if (other)
			buf_str(b, other);
		else
			buf_add(b, s, n);
		s += n ? n : 1;
	}
}

size_t pages_actual_n(const struct status_record *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->records_n; i++)
		n += r->records[i].id[0] && r->records[i].is_ours;
	return n;
}

void pages_reason(struct buf *b, const struct status_record *r, enum pages_escape as)
{
	if (r->error) {
		pages_text(b, r->error, as);
	} else if (r->consul_error) {
		buf_str(b, "Consul: ");
		pages_text(b, r->consul_error, as);
	} else if (r->held_why) {
		buf_fmt(b, "%zu removal%s held: ", r->held_n, r->held_n == 1 ? "" : "s");
		pages_text(b, r->held_why, as);
	} else if (r->is_unhealthy) {
		buf_str(b, r->unconverged_ms ? "not what Consul lists" : "no answer from Consul");
	} else {
		return;
	}
	if (!r->unconverged_ms)
		return;
	buf_str(b, " (for ");
	pages_span(b, r->unconverged_ms / 1000);
	buf_str(b, ")");
}

/* ---- room ---- */

bool pages_keep(struct buf *b, size_t mark)
{
	if (buf_ok(b) && b->cap - b->len > PAGES_END_CAP)
		return true;
	b->len = mark;
	b->p[mark] = '\0';
	b->overflow = false;
	return false;
}

/* ---- time ---- */

static void put_two(struct buf *b, long long large, const char *large_unit, long long small,
		    const char *small_unit)
{
	buf_fmt(b, "%lld %s", large, large_unit);
	if (small)
		buf_fmt(b, " %lld %s", small, small_unit);
}

void pages_span(struct buf *b, int64_t sec)
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

void pages_seconds(struct buf *b, int64_t ms)
{
	buf_fmt(b, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
}

void pages_time(struct buf *b, int64_t sec)
{
	char text[CLOCK_TEXT_CAP];

	clock_format(sec, text);
	buf_fmt(b, "<time datetime=\"%s\">%.10s %.8s UTC</time>", text, text, text + 11);
}

/* ---- which ---- */

int pages_answer(const struct status *s, const char *path, struct buf *out,
		 const char **content_type)
{
	if (strcmp(path, "/health") == 0) {
		*content_type = "application/json";
		pages_health(s, out);
		return s->is_healthy ? 200 : 503;
	}
	if (strcmp(path, "/metrics") == 0) {
		*content_type = "text/plain; version=0.0.4; charset=utf-8";
		pages_metrics(s, out);
		return 200;
	}
	if (strcmp(path, "/") == 0) {
		*content_type = "text/html; charset=utf-8";
		pages_html(s, out);
		return 200;
	}
	return 404;
}
