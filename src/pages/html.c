#include <string.h>

#include "pages/filter.h"
#include "pages/order.h"
#include "pages/parts.h"
#include "pages/render.h"

/* How a state is drawn: the class sets the colour. */
struct look {
	char class[5];
	char sign[9];
};

static const struct look looks[STATUS_STATES] = {
	[STATUS_WAITING] = {"dim", "&hellip;"}, [STATUS_IN_SYNC] = {"ok", "&check;"},
	[STATUS_SYNCING] = {"info", "&rarr;"},  [STATUS_HELD] = {"warn", "&#8214;"},
	[STATUS_FAILING] = {"bad", "&times;"},
};

static const char instance_classes[INSTANCE_STATES][5] = {
	[INSTANCE_MAINTENANCE] = "info", [INSTANCE_VANISHED] = "dim", [INSTANCE_CRITICAL] = "bad",
	[INSTANCE_WARNING] = "warn",     [INSTANCE_PASSING] = "ok",
};

/* light-dark(): since 2024; without it all is black on white, and told by words all the same. */
static const char style[] =
	":root{color-scheme:light dark;--card:light-dark(#fff,#161b22);"
	"--line:light-dark(#d8dde3,#30363d);--dim:light-dark(#57606a,#9aa4af)}"
	"body{margin:0 auto;max-width:1088px;padding:16px;background:light-dark(#f5f6f8,#0e1116);"
	"color:light-dark(#1b1f24,#e6edf3);font:15px/1.5 system-ui,sans-serif;"
	"overflow-wrap:anywhere}"
	".ok{--c:light-dark(#116329,#6fdd8b)}.warn{--c:light-dark(#7a4a00,#e8b84a)}"
	".bad{--c:light-dark(#a40e26,#ff9a92)}.info{--c:light-dark(#0b4f9e,#82bdff)}"
	".dim{--c:var(--dim)}"
	"h1,h2,h3,p,ul,dl,dd{margin:0;padding:0}h1{font-size:1.5rem}h2{font-size:1.1rem}"
	"h3,dt,span,small,.note{font-size:.85rem;color:var(--dim)}.note{padding:6px 2px 16px}"
	".top,details,.row,.zone{background:var(--card);border:1px solid var(--line);"
	"box-shadow:inset 6px 0 var(--c)}.top,details{border-radius:8px}.top{padding:14px 22px}"
	".top.bad{background:#85182a;color:#fff}details{margin-top:10px}"
	"form,summary,dl,li,.row,.zone{display:flex;flex-wrap:wrap;gap:2px 12px;"
	"align-items:baseline;list-style:none}"
	"summary,.row,.zone{padding:10px 22px}summary{cursor:pointer}"
	"summary::before{content:\"\\25b8\"}[open]>summary::before{content:\"\\25be\"}"
	"b,.why{color:var(--c);font-weight:600}.in{padding:0 22px 14px}.why,dl{padding-bottom:8px}"
	"dl{gap:4px 28px}"
	".two{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:12px 28px}"
	"li{padding:3px 0;border-top:1px solid var(--line)}li>b{min-width:6.4em}"
	"code{font:.95em ui-monospace,monospace}"
	".zone{font-weight:600;margin-top:10px}.zone+.zone,.row{margin-top:-1px}"
	".row{padding:5px 34px}.row .why{flex:100%;padding:0}.row .why,span{font-weight:400}"
	"a{color:inherit}form{gap:8px}"
	"input,select,button{font:inherit;color:inherit;background:var(--card);"
	"border:1px solid var(--line);border-radius:6px;padding:5px 10px;min-width:0}"
	"input{flex:9em}";

static void put_count(struct buf *b, size_t n, const char *one)
{
	buf_fmt(b, "%zu %s%s", n, one, n == 1 ? "" : "s");
}

static void put_html(struct buf *b, const char *text)
{
	parts_text(b, text, PARTS_HTML);
}

/* ---- one name ---- */

static void put_target(struct buf *b, const struct target *t)
{
	char text[TARGET_TEXT_CAP];

	target_format(t, text);
	parts_put(b, PARTS_HTML, "<code>%</code>", text, NULL, NULL);
}

static void put_more(struct buf *b, size_t n)
{
	if (n > HTML_LIST_MAX)
		buf_fmt(b, "<li><small>and %zu more</small>", n - HTML_LIST_MAX);
}

static bool has_record(const struct status_record *r, const struct target *t)
{
	for (size_t i = 0; i < r->records_n; i++)
		if (r->records[i].id[0] && target_compare(&r->records[i].target, t) == 0)
			return true;
	return false;
}

/* Where Consul and Cloudflare differ. */
static void put_difference(struct buf *b, const struct status_record *r, const struct endpoint *e)
{
	bool is_wanted = e->state == INSTANCE_PASSING;

	/* Whether warning is wanted is a setting, which the status does not hold. */
	if (!r->has_records || r->records_n > HTML_MATCH_MAX || e->state == INSTANCE_WARNING ||
	    has_record(r, &e->target) == is_wanted)
		return;
	buf_fmt(b, "<small><b class=warn>%s</b></small>",
		is_wanted ? "not in DNS" : "still in DNS");
}

/* Worst first. */
static void put_instances(struct buf *b, const struct status_record *r)
{
	size_t shown_n = 0;

	buf_fmt(b, "<section><h3>Instances in Consul: %zu</h3><ul>", r->count->instances_n);
	for (int rank = 0; rank < INSTANCE_STATES; rank++) {
		enum instance_state state = instance_by_rank(rank);

		for (size_t i = 0; i < r->endpoints_n && shown_n < HTML_LIST_MAX; i++) {
			if (r->endpoints[i].state != state)
				continue;
			buf_fmt(b, "<li><b class=%s>%s</b> ", instance_classes[state],
				instance_state_name(state));
			put_target(b, &r->endpoints[i].target);
			put_difference(b, r, &r->endpoints[i]);
			shown_n++;
		}
	}
	put_more(b, r->endpoints_n);
	if (r->count->unaddressed_n) {
		buf_fmt(b, "<li class=warn><b>%zu without address</b> ", r->count->unaddressed_n);
		put_html(b, r->count->unaddressed);
	}
	buf_str(b, "</ul></section>");
}

static void put_dns_record(struct buf *b, const struct record *r)
{
	buf_fmt(b, "<li><b class=%s>%s</b> ", r->is_leaving ? "warn" : "dim",
		record_type_name(r->target.type));
	put_target(b, &r->target);
	buf_fmt(b, r->ttl == 1 ? " <small>TTL automatic" : " <small>TTL %u s", (unsigned)r->ttl);
	if (r->proxied)
		buf_str(b, ", proxied");
	if (!r->is_ours)
		buf_str(b, ", not ours");
	else if (r->is_leaving)
		buf_fmt(b, ", not wanted: %s", instance_state_name(r->state));
	buf_str(b, "</small>");
}

static void put_dns(struct buf *b, const struct status_record *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->records_n; i++)
		n += r->records[i].id[0] != '\0';
	buf_fmt(b, "<section><h3>Records at Cloudflare: %zu</h3><ul>", n);
	for (size_t i = 0, shown_n = 0; i < r->records_n && shown_n < HTML_LIST_MAX; i++) {
		if (!r->records[i].id[0])
			continue;
		put_dns_record(b, &r->records[i]);
		shown_n++;
	}
	put_more(b, n);
	buf_str(b, "</ul></section>");
}

static bool is_shown(const struct status_record *r, enum fact f)
{
	switch ((enum fact_shown)fact_infos[f].shown) {
	case FACT_KNOWN: return r->facts[f].is_known;
	case FACT_NOT_ZERO: return r->facts[f].n;
	case FACT_NOT_IN_SYNC: return r->facts[f].is_known && r->state != STATUS_IN_SYNC;
	case FACT_OR_NEVER: return true;
	case FACT_SHOWNS: break;
	}
	return false;
}

static void put_fact(struct buf *b, const struct status *s, enum fact f, struct fact_value value)
{
	buf_fmt(b, "<div><dt>%s<dd>", fact_infos[f].label);
	if (!value.is_known) {
		buf_str(b, "never");
	} else if (fact_infos[f].kind == FACT_IS_TIME) {
		parts_span(b, s->now_sec - value.n);
		buf_str(b, " ago <small>");
		parts_time(b, value.n);
		buf_str(b, "</small>");
	} else if (fact_infos[f].kind == FACT_IS_AGE) {
		parts_span(b, value.n / 1000);
		buf_str(b, " ago");
	} else {
		buf_fmt(b, "%lld", (long long)value.n);
	}
	buf_str(b, "</div>");
}

static void put_facts(struct buf *b, const struct status *s, const struct status_record *r)
{
	buf_str(b, "<dl>");
	for (int shown = 0; shown < FACT_SHOWNS; shown++)
		for (int f = 0; f < FACTS; f++)
			if (*fact_infos[f].label && (int)fact_infos[f].shown == shown &&
			    is_shown(r, (enum fact)f))
				put_fact(b, s, (enum fact)f, r->facts[f]);
	buf_str(b, "</dl>");
}

static void put_why(struct buf *b, const struct status *s, const struct status_record *r)
{
	size_t mark = b->len, start;

	buf_str(b, "<p class=why>");
	start = b->len;
	parts_reason(b, r, PARTS_HTML);
	if (b->len == start && r->state == STATUS_WAITING)
		buf_str(b, s->is_leader       ? "Waiting for Consul's first answer."
			   : s->is_leaderless ? "Waiting for the lock."
					      : "Another copy leads: this one writes nothing.");
	if (b->len > start) {
		buf_str(b, "</p>");
		return;
	}
	buf_cut(b, mark);
}

static const char *class_of(enum status_state state, bool is_unhealthy)
{
	return is_unhealthy ? "bad" : looks[state].class;
}

/* Its state and for how long, and whose name it is. */
static void put_about(struct buf *b, const struct status_record *r)
{
	buf_fmt(b, "<b>%s %s</b><span>for ", looks[r->state].sign, status_state_name(r->state));
	parts_span(b, r->since_ms / 1000);
	parts_put(b, PARTS_HTML,
		  r->owner ? "</span><span>service %, owner %</span>"
			   : "</span><span>service %</span>",
		  r->service, r->owner, NULL);
}

/* All there is to say. */
static void put_card(struct buf *b, const struct status *s, const struct status_record *r)
{
	parts_put(b, PARTS_HTML, "<details class=% open><summary><h2>%</h2>",
		  class_of(r->state, r->is_unhealthy), r->name, NULL);
	put_about(b, r);
	buf_str(b, "</summary><div class=in>");
	put_why(b, s, r);
	put_facts(b, s, r);
	buf_str(b, "<div class=two>");
	if (r->count)
		put_instances(b, r);
	if (r->has_records)
		put_dns(b, r);
	buf_str(b, "</div></div></details>\n");
}

/* ---- names ---- */

/* The beginning of a line that leads to more. */
static void put_line(struct buf *b, const char *kind, const char *class, const char *query,
		     const char *value, const char *text)
{
	buf_fmt(b, "<div class=\"%s %s\"><a href=\"?%s", kind, class, query);
	buf_url_part(b, value);
	parts_put(b, PARTS_HTML, "\">%</a>", text, NULL, NULL);
}

static void put_row(struct buf *b, const struct status *s, const struct status_record *r)
{
	put_line(b, "row", class_of(r->state, r->is_unhealthy), "name=%3D", r->name, r->name);
	put_about(b, r);
	put_why(b, s, r);
	buf_str(b, "</div>\n");
}

/* How many are in each state, worst first: "3 names: 1 held, 2 in sync". */
static void put_sum(struct buf *b, const struct order_sum *sum)
{
	static const unsigned char order[STATUS_STATES] = {
		STATUS_FAILING, STATUS_HELD, STATUS_WAITING, STATUS_SYNCING, STATUS_IN_SYNC};
	const char *between = ": ";

	put_count(b, sum->n, "name");
	for (size_t i = 0; i < STATUS_STATES; i++) {
		const char *word = status_state_name((enum status_state)order[i]);
		size_t n = sum->state_n[order[i]];

		if (!n)
			continue;
		if (n == sum->n)
			buf_fmt(b, "%s %s", n > 1 ? ", all" : ",", word);
		else
			buf_fmt(b, "%s%zu %s", between, n, word);
		between = ", ";
	}
}

/* A line that leads to all names of a zone. */
static void put_zone_line(struct buf *b, const char *kind, const char *class, const char *zone,
			  const char *text)
{
	put_line(b, kind, class, "zone=", *zone ? zone : FILTER_UNKNOWN, text);
}

/* A zone's line; at is its worst name. */
static void put_zone(struct buf *b, const struct order_name *at, const struct order_name *end)
{
	struct order_sum sum = order_count(at, end);

	put_zone_line(b, "zone", class_of((enum status_state)at->state, at->rank == RANK_UNHEALTHY),
		      at->zone, *at->zone ? at->zone : "zone not known yet");
	buf_str(b, "<span>");
	put_sum(b, &sum);
	buf_str(b, "</span></div>\n");
}

/* The link to those that had no place; of a key that stands in it twice the last counts. */
static void put_rest(struct buf *b, const char *query, size_t next, size_t n)
{
	if (next == n)
		return;
	parts_put(b, PARTS_HTML, "<p class=note><a href=\"?%", query, NULL, NULL);
	buf_fmt(b, "&amp;from=%zu\">", next);
	put_count(b, n - next, "more name");
	buf_str(b, "</a></p>\n");
}

/*
 * Few names in full; of those that were asked for a line each; else those in trouble alone, some
 * of each zone. Returns how many there was place for, those before included.
 */
static size_t put_names(struct buf *b, const struct status *s, const struct filter *f,
			const struct order_name *names, size_t n)
{
	const bool is_few = n <= HTML_OPEN_MAX, is_all = is_few || filter_is_set(f);
	const struct order_name *end = names + n, *zone_begin = names, *zone_end = names;
	size_t i = (size_t)(f->from < n ? f->from : n);

	for (size_t lines_n = 0; i < n && lines_n < HTML_LINES_MAX; lines_n++) {
		const struct order_name *at = &names[i];
		struct status_record r = status_record_at(s, at->i);
		size_t mark = b->len;

		if (at >= zone_end) {
			zone_end = order_zone_end(at, end);
			zone_begin = at;
			while (zone_begin > names && strcmp(zone_begin[-1].zone, at->zone) == 0)
				zone_begin--;
			/* Of few names of one zone it says nothing. */
			if (!is_few || zone_begin > names || zone_end < end)
				put_zone(b, zone_begin, zone_end);
		}
		if (is_few) {
			put_card(b, s, &r);
		} else if (is_all ||
			   (at->rank <= RANK_HELD && at - zone_begin < HTML_TROUBLE_MAX)) {
			put_row(b, s, &r);
		} else {
			if (at->rank <= RANK_HELD) {
				put_zone_line(b, "row", "dim", at->zone, "and others");
				buf_str(b, "</div>\n");
			}
			at = zone_end - 1;
		}
		if (!parts_keep(b, mark))
			break;
		i = (size_t)(at + 1 - names);
	}
	return i;
}

/* ---- the page ---- */

static void put_role(struct buf *b, const struct status *s)
{
	if (!s->has_lock_key)
		return;
	if (s->is_leaderless)
		parts_lock_reason(b, s, PARTS_HTML);
	else
		buf_str(b, s->is_leader ? "Leader" : "Follower: another copy leads");
	parts_put(b, PARTS_HTML, " (lock %) &middot; ", s->lock_key, NULL, NULL);
}

/* The headline: what is wrong, and with which name when it is only one. */
static void put_verdict(struct buf *b, const struct status *s, size_t unhealthy_n,
			const struct order_name *first)
{
	if (s->is_healthy) {
		buf_str(b, "&check; Healthy");
		return;
	}
	buf_str(b, "&times; Unhealthy");
	if (unhealthy_n == 1) {
		parts_put(b, PARTS_HTML, ": %", first->name, NULL, NULL);
	} else if (unhealthy_n) {
		buf_fmt(b, ": %zu of %zu names", unhealthy_n, s->records_n);
	} else if (s->is_lock_unhealthy) {
		buf_str(b, ": the lock");
	}
}

static void put_top(struct buf *b, const struct status *s, const struct order_name *names)
{
	struct order_sum sum = order_count(names, names + s->records_n);
	bool has_trouble = sum.state_n[STATUS_FAILING] || sum.state_n[STATUS_HELD] || s->claims_n;

	buf_fmt(b,
		"<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
		"<meta name=viewport content=\"width=device-width\">\n"
		"<meta http-equiv=refresh content=%d>\n"
		"<title>%s - dnsbuddy</title>\n<style>%s</style>\n"
		"<header><div class=\"top %s\"><h1>",
		HTML_REFRESH_SEC, s->is_healthy ? "Healthy" : "Unhealthy", style,
		!s->is_healthy ? "bad"
		: has_trouble  ? "warn"
			       : "ok");
	put_verdict(b, s, sum.unhealthy_n, names);
	buf_str(b, "</h1><p>");
	put_sum(b, &sum);
	if (s->claims_n) {
		buf_str(b, " &middot; <a href=#claims>");
		put_count(b, s->claims_n, "refused claim");
		buf_str(b, "</a>");
	}
	buf_str(b, "</p></div><p class=note>");
	put_role(b, s);
	parts_put(b, PARTS_HTML, "dnsbuddy % &middot; up ", s->version, NULL, NULL);
	parts_span(b, s->uptime_ms / 1000);
	buf_str(b, " &middot; ");
	parts_time(b, s->now_sec);
	buf_str(b, "</p></header>\n<main>\n");
}

static void put_form(struct buf *b, const struct filter *f)
{
	parts_put(b, PARTS_HTML,
		  "<form><input name=name placeholder=\"name or service\" value=\"%\">"
		  "<input name=zone placeholder=zone value=\"%\">"
		  "<select name=state aria-label=state><option value=\"\">any state",
		  f->name, f->zone, NULL);
	for (int i = 0; i < STATUS_STATES; i++) {
		const char *word = status_state_name((enum status_state)i);

		buf_fmt(b, "<option%s>%s", strcmp(word, f->state) == 0 ? " selected" : "", word);
	}
	buf_str(b, "</select><button>Show</button><a href=\"?\">All names</a></form>\n");
}

static void put_claims(struct buf *b, const struct status *s)
{
	buf_str(b, "<div id=claims class=\"zone warn\">Refused: names that services ask for"
		   "</div>\n");
	for (size_t i = 0; i < s->claims_n; i++) {
		struct status_claim c = {0};
		size_t mark = b->len;

		s->fill_claim(s, i, &c);
		parts_put(b, PARTS_HTML,
			  "<div class=\"row warn\">%<span>service %</span><p "
			  "class=why>%</p></div>\n",
			  c.name, c.service, c.why);
		if (!parts_keep(b, mark)) {
			buf_fmt(b, "<p class=note>and %zu more</p>\n", s->claims_n - i);
			return;
		}
	}
}

void render_html(const struct status *s, const char *query, struct buf *b)
{
	struct order_name *names = order_names(s, ORDER_WORST_ZONE);
	struct filter f;
	size_t n;

	filter_read(&f, query);
	put_top(b, s, names);
	n = filter_names(&f, s, names, s->records_n);
	if (s->records_n > HTML_OPEN_MAX || filter_is_set(&f))
		put_form(b, &f);
	if (!n && filter_is_set(&f))
		buf_str(b, "<p class=note>No name is like that.</p>\n");
	put_rest(b, query, put_names(b, s, &f, names, n), n);
	if (s->claims_n)
		put_claims(b, s);
	buf_str(b, "</main>\n</html>\n");
}
