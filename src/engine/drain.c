#include "engine/drain.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "core/pace.h"
#include "net/connections.h"

#define ASK_MS 1000     /* between two rounds of questions, while one may end the waiting */
#define ASK_TTL_MS 5000 /* and while the address is gone */
#define ASK_API_MS 2000 /* the same of the API, which counts calls */
#define ASK_API_TTL_MS 15000
#define ASK_SHARE 4       /* of what is left of that time, if that is shorter */
#define LONG_MS 60000     /* still answered: not only because it takes time */
#define FIND_MAX_MS 10000 /* between two attempts to find whom to ask */
#define COUNT_MS 1000     /* between two looks at the connections, or... */
#define COUNT_SHARE 4     /* ...a share of the time without, if that is shorter */

/* ---- Begin ---- */

static void start_dns(struct drain *d)
{
	const struct drain_resolver *r = &d->setup.rule->resolver;
	const struct target *t = &d->setup.address;

	authority_init(&d->authority);
	d->wanted = (struct dns_wanted){
		.type = t->type == RECORD_A      ? DNS_A
			: t->type == RECORD_AAAA ? DNS_AAAA
						 : DNS_CNAME,
		.data = t->addr,
		.host = t->host,
	};
	if (r->is_set)
		authority_give(&d->authority, r->is_ip6 ? NET_IP6 : NET_IP4, r->addr, r->port);
}

static void start_api(struct drain *d)
{
	static const char cloudflare[] = "Cloudflare";

	d->job = *d->setup.job;
	d->job.types = JOB_TYPES;
	memcpy(d->job.name, d->name, sizeof d->job.name);
	d->records =
		(struct cf_name){.job = &d->job, .records = d->setup.records, .hosts = &d->hosts};
	d->names[0] = &d->records;
	drain_view_sources(&d->view, 1);
	memcpy(d->authority.names[0], cloudflare, sizeof cloudflare);
}

void drain_start(struct drain *d, const struct drain_setup *setup, int64_t now_ms)
{
	memset(d, 0, sizeof *d);
	d->setup = *setup;
	drain_view_init(&d->view, setup->rule, now_ms);
	target_format(&setup->address, d->text);
	memcpy(d->name, setup->rule->way.name, sizeof setup->rule->way.name);
	d->ask_ms = d->count_ms = now_ms;
	if (!setup->rule->idle_ms || !setup->port)
		d->count_ms = CLOCK_NEVER;
	switch (setup->rule->way.kind) {
	case DRAIN_DNS: start_dns(d); break;
	case DRAIN_API: start_api(d); break;
	default: d->ask_ms = CLOCK_NEVER;
	}
}

static bool is_asking_somebody(const struct drain *d)
{
	return *d->name;
}

bool drain_knows(const struct drain *d)
{
	return !is_asking_somebody(d) || drain_view_is_known(&d->view);
}

bool drain_lacks_name(const struct drain *d)
{
	return d->setup.rule->way.kind == DRAIN_DNS && drain_knows(d) && !d->is_name_there;
}

void drain_leave(struct drain *d, int64_t now_ms)
{
	if (!d->view.has_left && drain_lacks_name(d))
		d->note = "the name that is to lose the address does not exist";
	drain_view_leave(&d->view, now_ms);
	if (is_asking_somebody(d) && !d->is_asking)
		d->ask_ms = now_ms;
}

void drain_stop(struct drain *d)
{
	if (d->setup.rule->way.kind == DRAIN_DNS)
		authority_stop(&d->authority);
	else if (d->is_asking)
		driver_abort(d->setup.driver);
	d->is_asking = false;
}

/* ---- Clients ---- */

static void count_clients(struct drain *d, int64_t now_ms)
{
	int64_t share_ms = d->setup.rule->idle_ms / COUNT_SHARE;
	size_t n;

	if (now_ms < d->count_ms)
		return;
	d->count_ms = now_ms + (share_ms < COUNT_MS ? share_ms : COUNT_MS);
	if (!connections_count(connections_files, d->setup.port, &n)) {
		drain_view_count(&d->view, n, now_ms);
		return;
	}
	if (d->view.has_clients) /* it could be counted before: it fails by chance */
		return;
	d->count_ms = CLOCK_NEVER;
	d->note = "connections cannot be seen here: clients are not waited for";
}

/* ---- The name's servers ---- */

/* The answers of a round are there. */
static void end_round(struct drain *d, int64_t wait_ms, int64_t gone_wait_ms, int64_t now_ms)
{
	struct drain_verdict v = drain_view_judge(&d->view, now_ms);
	bool is_gone =
		v.state == DRAIN_TTL || v.state == DRAIN_SETTLING || v.state == DRAIN_CLIENTS;
	int64_t share_ms = (v.until_ms - now_ms) / ASK_SHARE;

	/* One of several servers behind an address may have it still: it is asked to the end. */
	if (is_gone && share_ms > wait_ms)
		wait_ms = share_ms < gone_wait_ms ? share_ms : gone_wait_ms;
	d->source = 0;
	d->failures = 0;
	d->ask_ms = now_ms + wait_ms;
}

/* What would be said again however often it is asked; or not. */
static void count_refusal(struct drain *d, int64_t now_ms)
{
	bool is_refused = d->last_err.kind == ERR_CONFIG || d->last_err.kind == ERR_AUTH;

	d->refusals = is_refused ? d->refusals + 1 : 0;
	if (d->refusals == 2 && d->setup.gives_up_blind)
		d->note = "nobody can tell whether the address is gone";
	drain_view_blind(&d->view, d->refusals > 1 && d->setup.gives_up_blind, now_ms);
}

static void end_find(struct drain *d, bool is_found, int64_t now_ms)
{
	int64_t wait_ms = (int64_t)ASK_MS << d->failures;

	if (is_found) {
		drain_view_sources(&d->view, d->authority.servers_n);
		d->failures = 0;
		return;
	}
	d->failures += wait_ms < FIND_MAX_MS;
	d->ask_ms = now_ms + wait_ms;
	count_refusal(d, now_ms);
}

/* The name is another's; that one may lie in another zone. */
static bool follow_alias(struct drain *d)
{
	const struct dns_sight *s = &d->authority.sight;

	if (d->aliases_n == DNS_CHAIN_MAX)
		return false;
	d->aliases_n++;
	d->is_name_there = false;
	memcpy(d->name, s->alias, sizeof d->name);
	drain_view_sources(&d->view, 0);
	d->source = 0; /* of the other zone's, which may be fewer */
	return true;
}

static void take_sight(struct drain *d, bool is_answered, int64_t now_ms)
{
	const struct dns_sight *s = &d->authority.sight;
	const struct drain_answer a = {
		.is_present = s->has_it,
		.has_ttl = s->n > 0,
		.ttl_sec = s->ttl_sec,
	};

	if (is_answered && s->alias[0]) {
		if (follow_alias(d))
			return;
		is_answered = false;
		(void)err_set(&d->last_err, ERR_CONFIG, "more than %d aliases, or a circle",
			      DNS_CHAIN_MAX);
	}
	d->is_name_there |= is_answered && d->authority.x.answer.rcode != DNS_NXDOMAIN;
	drain_view_take(&d->view, d->source, is_answered ? &a : NULL, now_ms);
	count_refusal(d, now_ms);
	if (++d->source == d->view.sources_n)
		end_round(d, ASK_MS, ASK_TTL_MS, now_ms);
}

static void begin_dns(struct drain *d, int64_t now_ms)
{
	if (d->view.sources_n)
		authority_ask(&d->authority, d->source, &d->wanted, now_ms);
	else
		authority_find(&d->authority, d->name, now_ms);
}

static bool step_dns(struct drain *d, int64_t now_ms)
{
	enum authority_result result = authority_step(&d->authority, now_ms, &d->last_err);

	if (result == AUTHORITY_MORE)
		return false;
	d->is_asking = false;
	if (result == AUTHORITY_DONE)
		d->last_err.kind = ERR_NONE;
	if (d->view.sources_n)
		take_sight(d, result == AUTHORITY_DONE, now_ms);
	else
		end_find(d, result == AUTHORITY_DONE, now_ms);
	return true;
}

/* ---- The API ---- */

/* While it is listed its own record tells the TTL, else the others of the name: as it was. */
static void take_list(struct drain *d, int64_t now_ms)
{
	const struct cf_name *l = &d->records;
	struct drain_answer a = {.is_present = false};

	for (size_t i = 0; i < l->records_n; i++) {
		const struct record *r = &l->records[i];
		uint32_t ttl_sec = r->ttl == 1 ? DRAIN_TTL_AUTO_SEC : r->ttl;
		bool is_it = !target_compare(&r->target, &d->setup.address);

		if (is_it && !a.is_present)
			a = (struct drain_answer){.is_present = true};
		if (is_it != a.is_present)
			continue;
		a.has_ttl = true;
		a.is_proxied |= r->proxied;
		a.ttl_sec = ttl_sec > a.ttl_sec ? ttl_sec : a.ttl_sec;
	}
	drain_view_take(&d->view, 0, &a, now_ms);
	count_refusal(d, now_ms);
	end_round(d, ASK_API_MS, ASK_API_TTL_MS, now_ms);
}

static void fail_api(struct drain *d, int64_t now_ms)
{
	const struct cf_reply *reply = call_reply(&d->setup.driver->call);
	const struct pace_failure failure = {
		.kind = d->last_err.kind,
		.tries = d->failures,
		.hint = reply ? &reply->hint : NULL,
		.left_ms = INT64_MAX,
	};
	int64_t delay_ms = FIND_MAX_MS;

	(void)pace_retry(PACE_WATCH, &failure, driver_random(), &delay_ms);
	d->failures++;
	d->ask_ms = now_ms + (delay_ms > ASK_API_MS ? delay_ms : ASK_API_MS);
	if (failure.kind == ERR_CONFIG)
		memcpy(d->job.zone_id, d->setup.job->zone_id, sizeof d->job.zone_id);
	drain_view_take(&d->view, 0, NULL, now_ms);
	count_refusal(d, now_ms);
}

static void begin_api(struct drain *d, int64_t now_ms)
{
	struct call call = {.until_ms = 0};
	bool is_exact = d->job.zone[0];

	if (d->job.zone_id[0]) {
		call.kind = CALL_LIST;
		call.list = &d->list;
		cf_listing_init(&d->list, d->job.zone_id, d->names, 1, false);
	} else {
		cf_zone_search_init(&d->zones, is_exact ? d->job.zone : d->job.name, is_exact);
		call.kind = CALL_ZONE;
		call.zones = &d->zones;
	}
	if (!driver_begin(d->setup.driver, &call, CLOCK_NEVER, &d->last_err))
		return;
	d->is_asking = false;
	fail_api(d, now_ms);
}

static bool step_api(struct drain *d, int64_t now_ms)
{
	enum http_result result = driver_step(d->setup.driver, &d->last_err);

	if (result == HTTP_MORE)
		return false;
	d->is_asking = false;
	if (result == HTTP_BAD) {
		fail_api(d, now_ms);
		return true;
	}
	d->last_err.kind = ERR_NONE;
	if (d->setup.driver->call.kind == CALL_ZONE)
		memcpy(d->job.zone_id, d->zones.id, sizeof d->job.zone_id);
	else
		take_list(d, now_ms);
	return true;
}

/* ---- All together ---- */

/* Ask, take answers, ask the next: until there is something to wait for. */
static void ask(struct drain *d, int64_t now_ms)
{
	bool is_dns = d->setup.rule->way.kind == DRAIN_DNS;
	bool goes_on = true;

	while (goes_on) {
		if (!d->is_asking) {
			if (now_ms < d->ask_ms)
				return;
			d->is_asking = true;
			if (is_dns)
				begin_dns(d, now_ms);
			else
				begin_api(d, now_ms);
			if (!d->is_asking)
				return;
		}
		goes_on = is_dns ? step_dns(d, now_ms) : step_api(d, now_ms);
	}
}

struct drain_verdict drain_judge(const struct drain *d, int64_t now_ms)
{
	return drain_view_judge(&d->view, now_ms);
}

/* Another's address is the same one, or whoever keeps the records does not take it out. */
static void note_long(struct drain *d, enum drain_state state, int64_t now_ms)
{
	if (state != DRAIN_LISTED || d->was_long_told || now_ms < d->view.left_ms + LONG_MS)
		return;
	d->was_long_told = true;
	d->note = "still in DNS: has another instance that address, or does nobody take it out?";
}

enum drain_result drain_step(struct drain *d, int64_t now_ms, struct err *e)
{
	enum drain_state state;

	count_clients(d, now_ms);
	if (is_asking_somebody(d))
		ask(d, now_ms);
	state = drain_judge(d, now_ms).state;
	note_long(d, state, now_ms);
	if (state == DRAIN_OVER) {
		drain_stop(d);
		if (!d->view.is_blind)
			return DRAIN_DONE;
		(void)err_set(e, ERR_RETRY, "nobody can tell whether %s is gone: %s", d->text,
			      d->last_err.text);
		return DRAIN_GAVE_UP;
	}
	if (!drain_view_is_late(&d->view, now_ms))
		return DRAIN_MORE;
	(void)err_set(e, ERR_RETRY, "not safe to stop after %lld s: %s",
		      (long long)(d->setup.rule->max_ms / 1000), drain_line(d, now_ms, e->text));
	drain_stop(d);
	return DRAIN_GAVE_UP;
}

void drain_wants(const struct drain *d, struct loop_wait *w, int64_t now_ms)
{
	loop_wait_until(w, drain_judge(d, now_ms).until_ms);
	loop_wait_until(w, d->view.start_ms + d->setup.rule->max_ms);
	loop_wait_until(w, d->count_ms);
	if (!d->is_asking)
		loop_wait_until(w, d->ask_ms);
	else if (d->setup.rule->way.kind == DRAIN_DNS)
		authority_wants(&d->authority, w);
	else
		driver_wants(d->setup.driver, w);
}

const char *drain_take_note(struct drain *d)
{
	const char *note = d->note;

	d->note = NULL;
	return note;
}

/* ---- In words ---- */

/* Why it was not answered, if that is known. */
static void add_reason(struct buf *b, const struct drain *d)
{
	if (d->last_err.kind)
		buf_fmt(b, ": %s", d->last_err.text);
}

static void add_asking(struct buf *b, const struct drain *d, size_t source)
{
	if (d->view.sources_n)
		buf_fmt(b, "asking %s for %s", d->authority.names[source], d->name);
	else
		buf_fmt(b, "looking for the name servers of %s", d->name);
	add_reason(b, d);
}

static void add_clients(struct buf *b, size_t n)
{
	if (n)
		buf_fmt(b, "%zu client%s still connected", n, n == 1 ? "" : "s");
	else
		buf_str(b, "no client any more; if none comes:");
}

static void add_left_out(struct buf *b, const struct drain *d)
{
	for (size_t i = 0; i < d->view.sources_n; i++)
		if (d->view.sources[i].is_silent)
			buf_fmt(b, "; %s does not answer and is left out", d->authority.names[i]);
}

const char *drain_line(const struct drain *d, int64_t now_ms, char out[DRAIN_LINE_CAP])
{
	struct drain_verdict v = drain_judge(d, now_ms);
	bool was_there = d->view.was_seen || !d->view.was_known;
	struct buf b;

	buf_init(&b, out, DRAIN_LINE_CAP);
	switch (v.state) {
	case DRAIN_BEFORE:
		buf_fmt(&b, *d->name ? "looking at %s before it leaves" : "about to leave%s",
			d->name);
		add_reason(&b, d);
		break;
	case DRAIN_ASKING: add_asking(&b, d, v.source); break;
	case DRAIN_LISTED:
		buf_fmt(&b, "%s is still answered by %s for %s", d->text,
			d->authority.names[v.source], d->name);
		break;
	case DRAIN_SILENT:
		buf_fmt(&b, "%s does not tell whether %s is gone", d->authority.names[v.source],
			d->text);
		add_reason(&b, d);
		break;
	case DRAIN_TTL:
		buf_fmt(&b, "%s is gone from %s; caches may have it for", d->text, d->name);
		break;
	case DRAIN_SETTLING:
		if (drain_lacks_name(d) && !was_there)
			buf_fmt(&b, "%s does not exist: settling,", d->name);
		else
			buf_fmt(&b, "%s %s: settling,", d->text,
				was_there ? "is gone, and was proxied"
					  : "never was answered (proxied, or of nobody here)");
		break;
	case DRAIN_WAITING:
		if (d->view.is_blind)
			buf_fmt(&b, "nobody can tell whether %s is gone: ", d->text);
		buf_str(&b, "waiting,");
		break;
	case DRAIN_CLIENTS: add_clients(&b, d->view.clients_n); break;
	case DRAIN_OVER:
	default: buf_str(&b, "safe to stop"); return out;
	}
	if (v.until_ms != CLOCK_NEVER)
		buf_fmt(&b, " %lld s", (long long)((v.until_ms - now_ms + 999) / 1000));
	if (v.state == DRAIN_TTL)
		add_left_out(&b, d);
	return out;
}
