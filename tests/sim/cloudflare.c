#include "sim/cloudflare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "sim/cloud_parts.h"

/* FNV-1a, letter case ignored. */
static uint32_t digest(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (uint8_t)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s)) * 16777619u;
	return h;
}

/* Whose a record is, by its comment: the owner, or nobody in particular. */
static uint32_t mark_of(const char *comment)
{
	static const char words[] = CLOUD_MARK " owner=";
	char owner[128];

	if (strncmp(comment, words, sizeof words - 1) != 0)
		return 0;
	(void)snprintf(owner, sizeof owner, "%.*s", (int)strcspn(comment + sizeof words - 1, " "), comment + sizeof words - 1);
	return digest(owner);
}

static char *copy_of(const char *s, size_t len)
{
	char *p = malloc(len + 1);

	if (!p)
		cloud_no_room("memory");
	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

/* "/zones/ZONE/dns_records[/TAIL]". */
static int split_target(const struct cloud_exchange *x, char zone[CLOUD_ID_LEN + 1], char tail[64])
{
	const char *p = strstr(x->target, "/zones/"), *end;

	zone[0] = tail[0] = '\0';
	if (!p)
		return -1;
	p += 7;
	end = p + strcspn(p, "/?");
	(void)snprintf(zone, CLOUD_ID_LEN + 1, "%.*s", (int)(end - p), p);
	if (end - p > CLOUD_ID_LEN)
		zone[0] = '\0';
	if (strncmp(end, "/dns_records", 12) != 0)
		return -1;
	end += 12;
	if (*end == '/')
		(void)snprintf(tail, 64, "%.*s", (int)strcspn(end + 1, "?"), end + 1);
	return 0;
}

/* ---- a call ---- */

static enum cloud_fate draw_fate(void)
{
	const struct cloud_rates *r = &cloud.setup.rates;
	const struct {
		const char *what;
		unsigned per_million;
	} fates[] = {
		[CLOUD_FATE_LOST_BEFORE] = {"cloudflare: the request is lost", r->lost_before},
		[CLOUD_FATE_LOST_AFTER] = {"cloudflare: the answer is lost", r->lost_after},
		[CLOUD_FATE_SILENT] = {"cloudflare: no answer", r->silent},
		[CLOUD_FATE_LATE] = {"cloudflare: the request comes late", r->late},
		[CLOUD_FATE_CUT] = {"cloudflare: the answer is cut", r->cut},
		[CLOUD_FATE_SLOW] = {"cloudflare: the answer comes slowly", r->slow},
		[CLOUD_FATE_HTML] = {"cloudflare: 5xx", r->error_html},
		[CLOUD_FATE_HTML_AFTER] = {"cloudflare: 5xx after it was done", r->error_after},
		[CLOUD_FATE_JSON] = {"cloudflare: 500", r->error_json},
		[CLOUD_FATE_FORBIDDEN] = {"cloudflare: 403 for nothing", r->forbidden},
		[CLOUD_FATE_LIMITED] = {"cloudflare: others use up the window", r->limited},
	};

	for (size_t i = 1; i < sizeof fates / sizeof fates[0]; i++)
		if (cloud_happens(fates[i].what, fates[i].per_million))
			return (enum cloud_fate)i;
	return CLOUD_FATE_GOOD;
}

static void draw_way(struct cloud_exchange *x)
{
	x->arrive_ms = x->begun_ms + cloud.setup.latency_ms;
	x->answer_ms = x->arrive_ms + cloud.setup.latency_ms;
	x->break_ms = CLOCK_NEVER;
	x->cut_len = SIZE_MAX;
	x->fate = draw_fate();
	switch (x->fate) {
	case CLOUD_FATE_LOST_BEFORE:
		x->break_ms = x->arrive_ms;
		x->arrive_ms = x->answer_ms = CLOCK_NEVER;
		break;
	case CLOUD_FATE_LOST_AFTER:
		x->break_ms = x->answer_ms;
		x->answer_ms = CLOCK_NEVER;
		break;
	case CLOUD_FATE_SILENT: x->answer_ms = CLOCK_NEVER; break;
	case CLOUD_FATE_LATE:
		x->arrive_ms += cloud.setup.rates.late_ms ? cloud_draw((uint32_t)cloud.setup.rates.late_ms) : 0;
		x->answer_ms = x->arrive_ms + cloud.setup.latency_ms;
		break;
	default: break;
	}
}

static void break_rule(const char *invariant, const char *how)
{
	if (cloud.setup.broken)
		cloud.setup.broken(invariant, how);
}

/* Secrets go where they belong, in the place they belong to. */
static void check_secrets(struct cloud_exchange *x, const char *headers)
{
	const char *token = cloud.setup.token, *at;

	for (size_t i = 0; i < sizeof cloud.setup.secrets / sizeof cloud.setup.secrets[0]; i++) {
		const char *s = cloud.setup.secrets[i];

		if (s && *s && (strstr(headers, s) || strstr(x->target, s) || strstr(x->body, s)))
			break_rule("I8", "a secret for somebody else came to Cloudflare");
	}
	if (!token || !*token)
		return;
	if (strstr(x->target, token) || strstr(x->body, token))
		break_rule("I8", "the token is outside of its header");
	at = strstr(headers, "Authorization: Bearer ");
	x->is_refused_token = !at || strncmp(at + 22, token, strlen(token)) != 0 || at[22 + strlen(token)] != '\r';
}

static void check_budget(const struct cloud_exchange *x)
{
	struct cloud_caller *c = &cloud.callers[x->who];

	/* Another page of a listing that was under way is asked for as soon as the one before came. */
	if (x->begun_ms < c->told_ms && !(x->kind == CLOUD_LIST && x->page > 1))
		break_rule("budget", "a call in the time that a 429 told to wait");
	if (x->begun_ms - c->window_ms >= CLOUD_WINDOW_MS) {
		c->window_ms = x->begun_ms;
		c->window_calls = 0;
	}
	if (++c->window_calls == CLOUD_WINDOW_CALLS + 1)
		break_rule("budget", "more than 1200 calls of one process in 300 s");
}

/* ---- what a caller cannot know ---- */

static void touch(struct cloud_exchange *x, const char *name, const char *comment)
{
	struct cloud_touch of = {digest(name), mark_of(comment)};

	for (size_t i = 0; i < x->touches_n; i++)
		if (x->touches[i].name == of.name && x->touches[i].mark == of.mark)
			return;
	if (x->touches_n < CLOUD_TOUCHES)
		x->touches[x->touches_n++] = of;
}

static void touch_op(struct cloud_exchange *x, int object, const char *id_text)
{
	char text[CLOUD_ID_LEN + 1] = "", name[256] = "", comment[128] = "";
	uint64_t id;

	if (!id_text && !json_get_string(object, "id", text, sizeof text))
		id_text = text;
	if (!id_text) {
		if (!json_get_string(object, "name", name, sizeof name)) {
			(void)json_get_string(object, "comment", comment, sizeof comment);
			touch(x, name, comment);
		}
		return;
	}
	for (size_t i = 0; !cloud_parse_id(id_text, &id) && i < cloud.records_n; i++)
		if (cloud.records[i].id == id && cloud_is_live(&cloud.records[i]))
			touch(x, cloud.records[i].name, cloud.records[i].comment);
}

static void find_touches(struct cloud_exchange *x)
{
	static const char *const lists[] = {"deletes", "patches", "puts", "posts"};
	char zone[CLOUD_ID_LEN + 1], tail[64], name[256];
	struct err e;

	if (x->kind == CLOUD_LIST) {
		x->is_whole = cloud_parameter(x->target, "name.exact", name, sizeof name);
		if (!x->is_whole)
			touch(x, name, "");
		return;
	}
	if (x->kind == CLOUD_SINGLE) {
		(void)split_target(x, zone, tail);
		touch_op(x, x->body_len && !json_parse(x->body, x->body_len, &e) ? 0 : JSON_NONE, tail[0] ? tail : NULL);
		return;
	}
	if (x->kind != CLOUD_BATCH || json_parse(x->body, x->body_len, &e))
		return;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		for (int k = json_first(json_get(0, lists[i])); k != JSON_NONE; k = json_next(k))
			touch_op(x, k, NULL);
}

/* What is written stands on a listing that is newer than every write whose answer was lost. */
static void check_lost(const struct cloud_exchange *x)
{
	const struct cloud_caller *c = &cloud.callers[x->who];

	for (size_t i = 0; i < x->touches_n; i++)
		for (size_t k = 0; k < c->lost_n; k++)
			if (c->lost[k].of.name == x->touches[i].name && c->lost[k].of.mark == x->touches[i].mark) {
				break_rule("I3", "a write without a new listing after one whose answer was lost");
				return;
			}
}

static void note_lost(const struct cloud_exchange *x)
{
	struct cloud_caller *c = &cloud.callers[x->who];

	cloud.counts.lost++;
	for (size_t i = 0; i < x->touches_n && c->lost_n < CLOUD_LOST; i++)
		c->lost[c->lost_n++] = (struct cloud_lost){x->touches[i], c->calls};
}

static void note_listed(const struct cloud_exchange *x)
{
	struct cloud_caller *c = &cloud.callers[x->who];
	size_t n = 0;

	for (size_t k = 0; k < c->lost_n; k++)
		if (c->lost[k].serial >= x->serial || (!x->is_whole && c->lost[k].of.name != x->touches[0].name))
			c->lost[n++] = c->lost[k];
	c->lost_n = n;
}

static enum cloud_kind kind_of(const struct cloud_exchange *x)
{
	char zone[CLOUD_ID_LEN + 1], tail[64];
	bool is_get = strcmp(x->method, "GET") == 0;

	if (is_get && strstr(x->target, "/zones?"))
		return CLOUD_ZONES_LIST;
	if (split_target(x, zone, tail))
		return is_get && zone[0] ? CLOUD_ZONE_GET : CLOUD_OTHER;
	if (is_get)
		return tail[0] ? CLOUD_OTHER : CLOUD_LIST;
	return strcmp(tail, "batch") == 0 ? CLOUD_BATCH : CLOUD_SINGLE;
}

void cloud_begin(struct cloud_exchange *x, int who, int64_t now_ms, const char *method, const char *target, const char *headers,
		 const char *body, size_t body_len)
{
	struct cloud_caller *c = &cloud.callers[who];

	*x = (struct cloud_exchange){.who = who, .life = c->life, .begun_ms = now_ms, .serial = ++c->calls};
	cloud.now_ms = now_ms;
	(void)snprintf(x->method, sizeof x->method, "%s", method);
	x->target = copy_of(target, strlen(target));
	x->body = copy_of(body, body_len);
	x->body_len = body_len;
	x->kind = kind_of(x);
	x->page = cloud_number_parameter(target, "page", 1);
	cloud.counts.calls++;
	cloud.counts.zone_calls += x->kind == CLOUD_ZONES_LIST || x->kind == CLOUD_ZONE_GET;
	cloud.counts.lists += x->kind == CLOUD_LIST && x->page == 1;
	cloud.counts.more_pages += x->kind == CLOUD_LIST && x->page > 1;
	cloud.counts.writes += x->kind == CLOUD_BATCH || x->kind == CLOUD_SINGLE;
	if (x->kind == CLOUD_OTHER)
		break_rule("protocol", "a call that the API does not know");
	find_touches(x);
	check_secrets(x, headers);
	check_budget(x);
	if (x->kind != CLOUD_LIST)
		check_lost(x);
	draw_way(x);
}

void cloud_delay(struct cloud_exchange *x, int64_t ms)
{
	if (x->is_served || x->arrive_ms == CLOCK_NEVER)
		return;
	x->arrive_ms += ms;
	if (x->answer_ms != CLOCK_NEVER)
		x->answer_ms += ms;
	if (x->break_ms != CLOCK_NEVER)
		x->break_ms += ms;
}

static void serve_html(struct cloud_exchange *x, struct text *t, int status)
{
	x->status = status;
	t->len = 0;
	text_add(t,
		 "<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center>cloudflare</body>\r\n</html>\r\n",
		 status, status);
}

static int an_edge_status(void)
{
	static const int statuses[] = {500, 502, 503, 504, 520, 522};

	return statuses[cloud_draw(6)];
}

static bool is_limited(void)
{
	if (cloud.now_ms < cloud.limited_until_ms)
		return true;
	if (cloud.now_ms - cloud.window_ms >= CLOUD_WINDOW_MS) {
		cloud.window_ms = cloud.now_ms;
		cloud.window_calls = 0;
	}
	if (++cloud.window_calls <= CLOUD_WINDOW_CALLS)
		return false;
	cloud.limited_until_ms = cloud.now_ms + CLOUD_WINDOW_MS;
	return true;
}

static void add_header(struct cloud_exchange *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_header(struct cloud_exchange *x, const char *format, ...)
{
	size_t n = strlen(x->headers);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(x->headers + n, sizeof x->headers - n, format, ap);
	va_end(ap);
}

static void serve_limited(struct cloud_exchange *x, struct text *t)
{
	int64_t sec = (cloud.limited_until_ms - cloud.now_ms + 999) / 1000;

	cloud.counts.limited++;
	cloud_say_refused(
		x, t,
		&(struct cloud_refusal){429, 10100, 0,
					"More than 1200 requests per 300 seconds reached. Please wait and consider throttling your "
					"request speed"});
	if (cloud.setup.has_retry_after)
		add_header(x, "Retry-After: %" PRId64 "\n", sec);
	x->limited_ms = cloud.setup.has_retry_after && sec < 300 ? sec * 1000 : CLOUD_WINDOW_MS;
	if (!cloud.setup.has_retry_after && cloud.setup.has_ratelimit) {
		add_header(x, "Ratelimit: \"default\";r=0;t=%" PRId64 "\n", sec);
		x->limited_ms = (sec < 300 ? sec : 300) * 1000;
	} else if (cloud.setup.has_ratelimit) {
		add_header(x, "Ratelimit: \"default\";r=0;t=%" PRId64 "\n", sec);
	}
}

/* The zone of a call; -1: the call was answered. */
static int zone_of(struct cloud_exchange *x, struct text *t)
{
	char id_text[CLOUD_ID_LEN + 1], tail[64];
	uint64_t id;

	(void)split_target(x, id_text, tail);
	for (size_t i = 0; !cloud_parse_id(id_text, &id) && i < cloud.zones_n; i++) {
		if (cloud.zones[i].id != id || cloud_is_gone(&cloud.zones[i]))
			continue;
		if (cloud.now_ms >= cloud.zones[i].refused_until_ms)
			return (int)i;
		cloud_say_refused(x, t, &(struct cloud_refusal){403, 10000, 0, "Authentication error"});
		return -1;
	}
	cloud_say_refused(x, t,
			  &(struct cloud_refusal){
				  cloud_draw(2) ? 404 : 400, 7003, 0,
				  "Could not route to /client/v4/zones/dns_records, perhaps your object identifier is invalid?"});
	return -1;
}

static void serve_call(struct cloud_exchange *x, struct text *t)
{
	char id[CLOUD_ID_LEN + 1], tail[64];
	int zone;

	if (x->is_refused_token) {
		cloud_say_refused(x, t, &(struct cloud_refusal){403, 9109, 0, "Invalid access token"});
		return;
	}
	if (x->kind == CLOUD_ZONES_LIST) {
		cloud_serve_zones(x, t);
		return;
	}
	zone = zone_of(x, t);
	if (zone < 0)
		return;
	if (x->kind == CLOUD_LIST && x->page > 1 && cloud_happens("cloudflare: pages shift", cloud.setup.rates.shifted))
		cloud_shift_pages(x, zone);
	else if (x->kind != CLOUD_LIST && cloud_happens("cloudflare: somebody was faster", cloud.setup.rates.raced) &&
		 !cloud_forestall(x, zone))
		(void)cloud_do_some(cloud.setup.deeds &
				    (CLOUD_DO_PAD | CLOUD_DO_DELETE | CLOUD_DO_TTL | CLOUD_DO_CONTENT | CLOUD_DO_ADD));
	cloud_start(cloud.now_ms);
	(void)split_target(x, id, tail);
	switch (x->kind) {
	case CLOUD_ZONE_GET: cloud_serve_zone(x, &cloud.zones[zone], t); break;
	case CLOUD_LIST: cloud_serve_list(x, zone, t); break;
	case CLOUD_BATCH: cloud_serve_batch(x, zone, t); break;
	case CLOUD_SINGLE: cloud_serve_single(x, zone, tail, t); break;
	case CLOUD_ZONES_LIST:
	case CLOUD_OTHER:
	default: cloud_say_refused(x, t, &(struct cloud_refusal){400, 7000, 0, "No route for that URI"});
	}
}

static void serve_whole(struct cloud_exchange *x, struct text *t)
{
	if (x->fate == CLOUD_FATE_LIMITED && cloud.now_ms >= cloud.limited_until_ms)
		cloud.limited_until_ms = cloud.now_ms + 5000 + cloud_draw(300000);
	if (is_limited()) {
		serve_limited(x, t);
	} else if (x->fate == CLOUD_FATE_HTML || x->fate == CLOUD_FATE_FORBIDDEN) {
		serve_html(x, t, x->fate == CLOUD_FATE_HTML ? an_edge_status() : 403);
	} else if (x->fate == CLOUD_FATE_JSON) {
		cloud_say_refused(x, t, &(struct cloud_refusal){500, 1000, 0, "Internal error"});
	} else {
		serve_call(x, t);
		if (x->fate == CLOUD_FATE_HTML_AFTER)
			serve_html(x, t, an_edge_status());
	}
}

void cloud_serve(struct cloud_exchange *x, int64_t now_ms)
{
	struct text t = {0};

	if (x->is_served)
		return;
	cloud_start(now_ms);
	serve_whole(x, &t);
	if (cloud.setup.has_ratelimit && x->status != 429)
		add_header(x, "Ratelimit: \"default\";r=%u;t=%" PRId64 "\n", CLOUD_WINDOW_CALLS - cloud.window_calls,
			   (cloud.window_ms + CLOUD_WINDOW_MS - now_ms + 999) / 1000);
	add_header(x, "CF-RAY: %016" PRIx64 "-FRA\nContent-Type: %s\n", x->serial,
		   t.len && t.p[0] == '<' ? "text/html" : "application/json");
	x->is_served = true;
	x->answer = t.p;
	x->answer_len = t.len;
	if (x->answer_ms != CLOCK_NEVER && x->answer_ms < now_ms)
		x->answer_ms = now_ms;
	if (x->fate == CLOUD_FATE_CUT)
		x->cut_len = cloud_draw((uint32_t)t.len);
	if (x->fate == CLOUD_FATE_SLOW) {
		x->piece_len = t.len / 5 + 1;
		x->piece_ms = 1 + cloud_draw(400);
	}
}

enum cloud_progress cloud_progress(const struct cloud_exchange *x, int64_t now_ms, size_t *len, int64_t *next_ms)
{
	size_t n = x->answer_len;

	*len = 0;
	*next_ms = CLOCK_NEVER;
	if (now_ms >= x->break_ms)
		return CLOUD_BROKEN;
	if (!x->is_served || now_ms < x->answer_ms) {
		*next_ms = x->is_served ? x->answer_ms : x->arrive_ms;
		if (x->break_ms < *next_ms)
			*next_ms = x->break_ms;
		return CLOUD_WAITING;
	}
	if (x->piece_len) {
		size_t pieces = (size_t)((now_ms - x->answer_ms) / x->piece_ms) + 1;

		n = pieces < n / x->piece_len + 1 ? pieces * x->piece_len : n;
		n = n < x->answer_len ? n : x->answer_len;
		*next_ms = x->answer_ms + (int64_t)pieces * x->piece_ms;
	}
	*len = n < x->cut_len ? n : x->cut_len;
	if (n >= x->cut_len)
		return CLOUD_BROKEN;
	if (n == x->answer_len)
		*next_ms = CLOCK_NEVER;
	return n == x->answer_len ? CLOUD_WHOLE : CLOUD_PART;
}

void cloud_end(struct cloud_exchange *x, int64_t now_ms, bool is_answered)
{
	struct cloud_caller *c = &cloud.callers[x->who];
	bool is_write = x->kind == CLOUD_BATCH || x->kind == CLOUD_SINGLE;

	cloud.now_ms = now_ms;
	if (c->life != x->life)
		return;
	if (is_write && (!is_answered || x->status >= 500))
		note_lost(x);
	if (x->kind == CLOUD_LIST && x->page == 1 && is_answered && x->status == 200)
		note_listed(x);
	if (is_answered && x->limited_ms && now_ms + x->limited_ms > c->told_ms)
		c->told_ms = now_ms + x->limited_ms;
}

void cloud_free(struct cloud_exchange *x)
{
	free(x->target);
	free(x->body);
	free(x->answer);
	*x = (struct cloud_exchange){0};
}

void cloud_restart(int who)
{
	unsigned life = cloud.callers[who].life;

	cloud.callers[who] = (struct cloud_caller){.life = life + 1};
}
