#include "core/drain.h"

#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/str.h"

/* ---- Settings ---- */

static const struct {
	char prefix[5];
	enum drain_kind kind;
} named[] = {{"dns:", DRAIN_DNS}, {"api:", DRAIN_API}};

int drain_way_parse(struct drain_way *w, const char *text, struct err *e)
{
	struct drain_way out = {.kind = DRAIN_NONE};
	uint64_t seconds;

	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
		const size_t n = sizeof named[i].prefix - 1;

		if (strncmp(text, named[i].prefix, n) != 0)
			continue;
		out.kind = named[i].kind;
		if (name_normalize(out.name, text + n, NAME_RECORD, e))
			return -1;
		*w = out;
		return 0;
	}
	if (str_u64(text, DRAIN_FIXED_MAX_SEC, &seconds) == 0) {
		out.fixed_ms = (int64_t)seconds * 1000;
		out.kind = seconds ? DRAIN_FIXED : DRAIN_NONE;
	} else if (strcmp(text, "none") != 0) {
		return err_set(e, ERR_CONFIG, "write none, SECONDS up to %d, dns:NAME or api:NAME",
			       DRAIN_FIXED_MAX_SEC);
	}
	*w = out;
	return 0;
}

/* Cut "ADDR:PORT" or "[ADDR]:PORT" apart; port NULL: none. */
static int split_port(const char *text, char host[ADDR_TEXT_CAP], const char **port)
{
	const char *colon = strchr(text, ':'), *end = text + strlen(text);

	*port = NULL;
	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -1;
		if (end[1])
			*port = end + 2;
	} else if (colon && !strchr(colon + 1, ':')) {
		end = colon;
		*port = colon + 1;
	}
	return str_copy_n(host, ADDR_TEXT_CAP, text, (size_t)(end - text));
}

int drain_resolver_parse(struct drain_resolver *r, const char *text, struct err *e)
{
	struct drain_resolver out = {.is_set = true};
	char host[ADDR_TEXT_CAP];
	uint64_t port = DRAIN_RESOLVER_PORT;
	const char *digits;
	size_t n;

	if (split_port(text, host, &digits) || (digits && str_u64(digits, UINT16_MAX, &port)) ||
	    !port)
		return err_set(e, ERR_CONFIG, "write ADDR, ADDR:PORT or [ADDR]:PORT");
	out.port = (uint16_t)port;
	n = addr_parse(host, out.addr);
	if (!n)
		return err_set(e, ERR_CONFIG, "a name server is named by its address");
	out.is_ip6 = n == 16;
	*r = out;
	return 0;
}

/* ---- What was observed ---- */

void drain_view_init(struct drain_view *v, const struct drain_rule *rule, int64_t now_ms)
{
	*v = (struct drain_view){.rule = rule, .start_ms = now_ms, .busy_ms = now_ms};
}

void drain_view_sources(struct drain_view *v, size_t n)
{
	memset(v->sources, 0, sizeof v->sources);
	v->sources_n = n < DRAIN_SOURCES_MAX ? n : DRAIN_SOURCES_MAX;
}

bool drain_view_is_known(const struct drain_view *v)
{
	for (size_t i = 0; i < v->sources_n; i++)
		if (!v->sources[i].was_answered)
			return false;
	return v->sources_n;
}

void drain_view_leave(struct drain_view *v, int64_t now_ms)
{
	if (v->has_left)
		return;
	v->has_left = true;
	v->left_ms = now_ms;
	v->was_known = drain_view_is_known(v);
}

static void take_answer(struct drain_view *v, struct drain_source *s, const struct drain_answer *a,
			int64_t now_ms)
{
	if (!a->is_present && (s->is_present || !s->was_answered))
		s->absent_ms = now_ms;
	s->is_present = a->is_present;
	s->was_answered = true;
	s->is_silent = false;
	v->was_seen |= a->is_present;
	v->is_proxied |= a->is_proxied;
	if (a->has_ttl && (!v->has_ttl || a->ttl_sec > v->ttl_sec))
		v->ttl_sec = a->ttl_sec;
	v->has_ttl |= a->has_ttl;
}

void drain_view_take(struct drain_view *v, size_t i, const struct drain_answer *a, int64_t now_ms)
{
	struct drain_source *s = &v->sources[i];

	if (a) {
		take_answer(v, s, a, now_ms);
	} else if (!s->is_silent) {
		s->is_silent = true;
		s->silent_ms = now_ms;
	}
}

void drain_view_blind(struct drain_view *v, bool is_blind, int64_t now_ms)
{
	if (!v->is_blind)
		v->blind_ms = now_ms;
	v->is_blind = is_blind;
}

void drain_view_count(struct drain_view *v, size_t n, int64_t now_ms)
{
	/* The last one may have gone just now. */
	if (n || v->clients_n || !v->has_clients)
		v->busy_ms = now_ms;
	v->has_clients = true;
	v->clients_n = n;
}

/* ---- The verdict ---- */

/*
 * The state of all sources together. A silent one cannot hand out the address either, perhaps: it
 * is left out in the end, as if the address had gone from it at that moment, if others answer.
 *   gone_ms  set when the address is gone from all
 */
static struct drain_verdict judge_sources(const struct drain_view *v, int64_t now_ms,
					  int64_t *gone_ms)
{
	struct drain_verdict out = {.state = DRAIN_ASKING, .until_ms = CLOCK_NEVER};
	bool has_absent = false;

	*gone_ms = 0;
	for (size_t i = 0; i < v->sources_n; i++) {
		const struct drain_source *s = &v->sources[i];
		int64_t at_ms = s->is_silent ? s->silent_ms + DRAIN_SILENT_MS : s->absent_ms;

		if (!s->is_silent && (s->is_present || !s->was_answered)) {
			out.state = s->is_present ? DRAIN_LISTED : DRAIN_ASKING;
			out.source = i;
			return out;
		}
		if (s->is_silent && now_ms < at_ms && out.state != DRAIN_SILENT) {
			out.state = DRAIN_SILENT;
			out.source = i;
		}
		has_absent |= !s->is_silent;
		*gone_ms = at_ms > *gone_ms ? at_ms : *gone_ms;
	}
	if (v->sources_n && out.state != DRAIN_SILENT)
		out.state = has_absent ? DRAIN_TTL : DRAIN_SILENT;
	return out;
}

static int64_t ttl_ms(const struct drain_view *v)
{
	return (int64_t)(v->has_ttl ? v->ttl_sec : DRAIN_TTL_GUESS_SEC) * 1000;
}

/* From when the address was gone. */
static struct drain_verdict judge_wait(const struct drain_view *v, int64_t gone_ms)
{
	const struct drain_rule *rule = v->rule;
	int64_t more_ms = rule->way.kind == DRAIN_API ? rule->settle_ms : DRAIN_ROUND_MS;
	struct drain_verdict out = {.state = DRAIN_TTL};

	if (v->is_proxied || (v->was_known && !v->was_seen)) {
		out.state = DRAIN_SETTLING;
		out.until_ms = (gone_ms > v->left_ms ? gone_ms : v->left_ms) + rule->settle_ms;
	} else {
		out.until_ms = gone_ms + ttl_ms(v) + more_ms;
	}
	return out;
}

static struct drain_verdict judge_address(const struct drain_view *v, int64_t now_ms)
{
	const struct drain_way *way = &v->rule->way;
	struct drain_verdict out;
	int64_t gone_ms;

	if (way->kind == DRAIN_NONE)
		return (struct drain_verdict){.state = DRAIN_OVER, .until_ms = now_ms};
	if (way->kind == DRAIN_FIXED)
		return (struct drain_verdict){.state = DRAIN_WAITING,
					      .until_ms = v->left_ms + way->fixed_ms};
	if (v->is_blind)
		return (struct drain_verdict){
			.state = DRAIN_WAITING,
			.until_ms = (v->blind_ms > v->left_ms ? v->blind_ms : v->left_ms) +
				    ttl_ms(v) + v->rule->settle_ms,
		};
	out = judge_sources(v, now_ms, &gone_ms);
	return out.state == DRAIN_TTL ? judge_wait(v, gone_ms) : out;
}

struct drain_verdict drain_view_judge(const struct drain_view *v, int64_t now_ms)
{
	struct drain_verdict out = {.state = DRAIN_BEFORE, .until_ms = CLOCK_NEVER};

	if (!v->has_left)
		return out;
	out = judge_address(v, now_ms);
	if (now_ms < out.until_ms)
		return out;
	out.state = DRAIN_OVER;
	if (!v->rule->idle_ms || !v->has_clients)
		return out;
	out.until_ms = v->clients_n ? CLOCK_NEVER : v->busy_ms + v->rule->idle_ms;
	if (now_ms < out.until_ms)
		out.state = DRAIN_CLIENTS;
	return out;
}

bool drain_view_is_late(const struct drain_view *v, int64_t now_ms)
{
	return now_ms - v->start_ms >= v->rule->max_ms;
}
