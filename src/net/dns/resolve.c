#include "net/dns/resolve.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/errno_text.h"
#include "base/str.h"
#include "net/dns/resolve_errors.h"

static const struct resolve_files system_files = {
	.hosts = "/etc/hosts", .conf = "/etc/resolv.conf", .port = 53};

static const enum dns_type type_of[] = {[NET_IP4] = DNS_A, [NET_IP6] = DNS_AAAA};
_Static_assert(sizeof type_of / sizeof *type_of == NET_FAMILIES, "a type of record each");

enum next {
	NEXT_WAIT, /* for what resolve_wants() says */
	NEXT_GO,   /* on at once */
	NEXT_FOUND,
	NEXT_FAILED
};

void resolve_init(struct resolve *r)
{
	memset(r, 0, offsetof(struct resolve, in));
	r->files = &system_files;
	dns_exchange_init(&r->x, r->in, sizeof r->in);
}

void resolve_stop(struct resolve *r)
{
	dns_exchange_close(&r->x);
	r->phase = RESOLVE_IDLE;
}

/* ---- Without asking ---- */

/* RFC 6761 section 6.3: these never go to a server. */
static bool is_localhost(const char *name)
{
	return str_eq_nocase(name, "localhost") || str_ends_nocase(name, ".localhost");
}

static bool find_here(struct resolve *r)
{
	static const unsigned char loopback[NET_FAMILIES][16] = {
		[NET_IP4] = {127, 0, 0, 1}, [NET_IP6] = {[15] = 1}};
	enum net_family family;
	unsigned char bytes[16];

	if (!net_read_address(r->name, &family, bytes)) {
		net_found_add(&r->found, family, bytes);
		return true;
	}
	resolve_hosts_find(r->files->hosts, r->name, &r->found);
	if (!net_found_any(&r->found) && is_localhost(r->name))
		for (enum net_family f = NET_IP4; f < NET_FAMILIES; f++)
			net_found_add(&r->found, f, loopback[f]);
	return net_found_any(&r->found);
}

/* ---- Names to ask for ---- */

/* resolv.conf(5): from ndots dots on, first the name as it is, then the search list. */
static const char *candidate_suffix(const struct resolve *r, size_t i)
{
	unsigned dots = 0;

	for (const char *s = r->name; *s; s++)
		dots += *s == '.';
	if (dots >= r->conf.ndots)
		return i ? resolve_conf_search(&r->conf, i - 1) : "";
	return i < r->conf.search_n ? resolve_conf_search(&r->conf, i) : "";
}

static enum next next_candidate(struct resolve *r)
{
	size_t n = r->is_absolute ? 1 : r->conf.search_n + 1;

	while (r->candidate < n) {
		const char *suffix = r->is_absolute ? "" : candidate_suffix(r, r->candidate);

		r->candidate++;
		r->x.query_n = dns_write_query(r->x.query + DNS_LENGTH_BYTES, r->name, suffix);
		if (!r->x.query_n)
			continue;
		memset(r->reply, 0, sizeof r->reply);
		r->was_asked = true;
		r->tries_left = (unsigned)r->conf.servers_n * r->conf.attempts;
		r->phase = RESOLVE_TRY;
		return NEXT_GO;
	}
	return NEXT_FAILED;
}

/* ---- A try: one server, what is not known yet ---- */

/* The server has this to say for itself. */
static void note_trouble(struct resolve *r, const char *text)
{
	r->trouble = text;
	r->trouble_server = r->server;
	r->is_told = false;
}

static enum next next_server(struct resolve *r)
{
	dns_exchange_close(&r->x);
	r->server = (r->server + 1) % r->conf.servers_n;
	r->phase = RESOLVE_TRY;
	return NEXT_GO;
}

static enum next server_broke(struct resolve *r)
{
	note_trouble(r, errno_text(errno));
	return next_server(r);
}

/*
 * Every server was tried as often as it may. One that says it cannot tell may be unable for this
 * name only, of a domain that the search list made up: on with the next. Silence is for all names.
 */
static enum next end_tries(struct resolve *r)
{
	r->has_failed = true;
	return r->is_told ? next_candidate(r) : NEXT_FAILED;
}

/* The tries that are left, and connecting afterwards, get as much time as this one. */
static void set_try_end(struct resolve *r)
{
	int64_t now_ms = clock_now_ms();
	int64_t share_ms = (r->deadline_ms - now_ms) / (r->tries_left + 2);
	int64_t max_ms = (int64_t)r->conf.timeout_sec * 1000;

	if (share_ms < RESOLVE_TRY_MIN_MS)
		share_ms = RESOLVE_TRY_MIN_MS;
	r->try_ms = now_ms + (share_ms < max_ms ? share_ms : max_ms);
}

/* -1 with errno. */
static int open_to_server(struct resolve *r, bool is_tcp)
{
	const struct resolve_server *s = &r->conf.servers[r->server];
	struct net_address a;

	net_address_set(&a, s->family, s->bytes, s->scope, r->files->port);
	return dns_exchange_open(&r->x, &a, is_tcp);
}

static enum next begin_try(struct resolve *r)
{
	if (!r->tries_left)
		return end_tries(r);
	r->tries_left--;
	set_try_end(r);
	if (open_to_server(r, false))
		return server_broke(r);
	for (enum net_family f = NET_IP4; f < NET_FAMILIES; f++) {
		if (r->reply[f] != REPLY_NONE && r->reply[f] != REPLY_FAILED)
			continue;
		r->reply[f] = REPLY_NONE;
		if (dns_exchange_ask(&r->x, f, type_of[f]))
			return server_broke(r);
	}
	r->phase = RESOLVE_UDP;
	return NEXT_GO;
}

/* ---- Answers ---- */

/* Of what dns_exchange_step() gave. */
static void take_answer(struct resolve *r)
{
	const struct dns_answer *a = &r->x.answer;
	enum net_family family = (enum net_family)r->x.question;
	unsigned char list[DNS_ANSWER_MAX][16];
	enum resolve_reply reply = REPLY_FAILED;
	size_t n;

	if (a->rcode == DNS_NXDOMAIN) {
		reply = REPLY_NO_NAME;
	} else if (a->rcode != DNS_NOERROR) {
		note_trouble(r, resolve_rcode_text((int)a->rcode));
		r->is_told = true;
	} else {
		n = dns_read_addresses(a, list);
		reply = n ? REPLY_ADDRESSES : REPLY_EMPTY;
		for (size_t i = 0; i < n; i++)
			net_found_add(&r->found, family, list[i]);
	}
	r->reply[family] = a->is_truncated && !r->x.is_tcp ? REPLY_CUT : reply;
}

static bool is_any(const struct resolve *r, enum resolve_reply reply)
{
	return r->reply[NET_IP4] == reply || r->reply[NET_IP6] == reply;
}

static enum next step_udp(struct resolve *r)
{
	switch (dns_exchange_step(&r->x)) {
	case DNS_EXCHANGE_ANSWER:
		take_answer(r);
		if (!is_any(r, REPLY_NONE))
			r->phase = RESOLVE_CONCLUDE;
		return NEXT_GO;
	case DNS_EXCHANGE_BROKEN: /* never over UDP */
	case DNS_EXCHANGE_SYSTEM: return server_broke(r);
	case DNS_EXCHANGE_WAIT: break;
	}
	if (clock_now_ms() < r->try_ms)
		return NEXT_WAIT;
	note_trouble(r, "no answer");
	r->phase = RESOLVE_CONCLUDE;
	return NEXT_GO;
}

/* ---- TCP ---- */

static enum next end_tcp(struct resolve *r)
{
	dns_exchange_close(&r->x);
	r->phase = RESOLVE_CONCLUDE;
	return NEXT_GO;
}

/* The truncated answer has to do, if there was anything in it. */
static enum next tcp_failed(struct resolve *r, const char *trouble)
{
	note_trouble(r, trouble);
	r->reply[r->asked] = REPLY_FAILED;
	return end_tcp(r);
}

static enum next begin_tcp(struct resolve *r, enum net_family family)
{
	r->asked = family;
	set_try_end(r);
	if (open_to_server(r, true) || dns_exchange_ask(&r->x, family, type_of[family]))
		return tcp_failed(r, errno_text(errno));
	r->phase = RESOLVE_TCP;
	return NEXT_GO;
}

static enum next step_tcp(struct resolve *r)
{
	switch (dns_exchange_step(&r->x)) {
	case DNS_EXCHANGE_ANSWER: take_answer(r); return end_tcp(r);
	case DNS_EXCHANGE_BROKEN: return tcp_failed(r, "a broken answer");
	case DNS_EXCHANGE_SYSTEM: return tcp_failed(r, errno_text(errno));
	case DNS_EXCHANGE_WAIT: break;
	}
	return clock_now_ms() < r->try_ms ? NEXT_WAIT : tcp_failed(r, "no answer");
}

/* ---- What the answers amount to ---- */

/* All are there, or the time of the try is over. */
static enum next conclude(struct resolve *r)
{
	dns_exchange_close(&r->x);
	for (enum net_family f = NET_IP4; f < NET_FAMILIES; f++)
		if (r->reply[f] == REPLY_CUT)
			return begin_tcp(r, f);
	/* Servers that fail on AAAA, or keep silent, are common (RFC 4074): one family will do. */
	if (net_found_any(&r->found))
		return NEXT_FOUND;
	/* NXDOMAIN is of the name, not of a type (RFC 8020); said to AAAA it may be wrong (RFC
	 * 4074). */
	if (r->reply[NET_IP4] == REPLY_NO_NAME)
		return next_candidate(r);
	if (is_any(r, REPLY_NONE) || is_any(r, REPLY_FAILED))
		return next_server(r);
	r->was_empty = true;
	return next_candidate(r);
}

static enum next begin(struct resolve *r)
{
	if (find_here(r))
		return NEXT_FOUND;
	resolve_conf_read(&r->conf, r->files->conf);
	return next_candidate(r);
}

static enum next step_once(struct resolve *r)
{
	if (r->phase == RESOLVE_BEGIN)
		return begin(r);
	if (clock_now_ms() >= r->deadline_ms) {
		r->has_failed = true;
		note_trouble(r, "no answer");
		return NEXT_FAILED;
	}
	switch (r->phase) {
	case RESOLVE_TRY: return begin_try(r);
	case RESOLVE_UDP: return step_udp(r);
	case RESOLVE_TCP: return step_tcp(r);
	case RESOLVE_CONCLUDE: return conclude(r);
	case RESOLVE_BEGIN:
	case RESOLVE_IDLE: break;
	}
	return NEXT_FAILED;
}

enum resolve_result resolve_step(struct resolve *r, struct net_addresses *out, struct err *e)
{
	enum next next;

	/* It ends: each try and each byte that comes is gone through once. */
	do
		next = step_once(r);
	while (next == NEXT_GO);
	if (next == NEXT_WAIT)
		return RESOLVE_MORE;
	resolve_stop(r);
	if (next == NEXT_FAILED) {
		resolve_explain(r, e);
		return RESOLVE_BAD;
	}
	net_found_order(&r->found, r->port, out);
	return RESOLVE_DONE;
}

/* Everything of an earlier look-up goes. */
static int take_name(struct resolve *r, const char *host)
{
	const struct resolve_files *files = r->files;
	size_t n = strlen(host);

	resolve_stop(r);
	resolve_init(r);
	r->files = files;
	if (str_copy(r->name, sizeof r->name, host))
		return -1;
	r->is_absolute = n > 1 && host[n - 1] == '.';
	if (r->is_absolute)
		r->name[n - 1] = '\0';
	return 0;
}

enum resolve_result resolve_start(struct resolve *r, const char *host, uint16_t port,
				  int64_t deadline_ms, struct net_addresses *out, struct err *e)
{
	if (take_name(r, host)) {
		resolve_explain(r, e);
		return RESOLVE_BAD;
	}
	r->port = port;
	r->deadline_ms = deadline_ms;
	r->phase = RESOLVE_BEGIN;
	return resolve_step(r, out, e);
}

void resolve_wants(const struct resolve *r, struct loop_wait *w)
{
	dns_exchange_wants(&r->x, w);
	loop_wait_until(w, r->try_ms);
	loop_wait_until(w, r->deadline_ms);
}
