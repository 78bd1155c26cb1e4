#include "net/dns/authority.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/errno_text.h"
#include "base/fmt.h"
#include "net/dns/resolve_errors.h"

enum next { NEXT_WAIT, NEXT_GO, NEXT_DONE, NEXT_BAD };

void authority_init(struct authority *a)
{
	memset(a, 0, offsetof(struct authority, names));
	resolve_init(&a->resolve);
	a->files = a->resolve.files;
	dns_exchange_init(&a->x, a->in, sizeof a->in);
}

void authority_stop(struct authority *a)
{
	dns_exchange_close(&a->x);
	resolve_stop(&a->resolve);
	a->phase = AUTHORITY_IDLE;
}

void authority_give(struct authority *a, enum net_family family, const unsigned char *bytes,
		    uint16_t port)
{
	a->is_given = true;
	a->servers_n = a->servers[0].n = 1;
	net_address_set(&a->servers[0].list[0], family, bytes, 0, port);
	addr_format(bytes, net_family_bytes(family), a->names[0]);
}

/* ---- One question, at one address after the other ---- */

static enum next give_up(struct authority *a, const char *why)
{
	(void)err_set(&a->last_err, ERR_RETRY, "%s", why);
	return NEXT_BAD;
}

/* Who has just been asked has this to say for itself. */
static void note(struct authority *a, const char *why)
{
	const struct sockaddr *to = &a->to.sa.any;
	char text[ADDR_TEXT_CAP];

	if (to->sa_family == AF_INET6)
		addr_format(a->to.sa.in6.sin6_addr.s6_addr, 16, text);
	else
		addr_format((const unsigned char *)&a->to.sa.in.sin_addr, 4, text);
	(void)err_set(&a->last_err, ERR_RETRY, "name server %s: %s", text, why);
}

static int open_to(struct authority *a, bool is_tcp, int64_t now_ms)
{
	enum dns_type type = a->phase == AUTHORITY_ZONE ? DNS_NS : a->wanted->type;

	a->try_ms = now_ms + AUTHORITY_TRY_MS;
	if (!dns_exchange_open(&a->x, &a->to, is_tcp) && !dns_exchange_ask(&a->x, 0, type))
		return 0;
	note(a, errno_text(errno));
	return -1;
}

static void choose_address(struct authority *a)
{
	if (a->phase == AUTHORITY_ZONE) {
		const struct resolve_server *s = &a->conf.servers[a->who++ % a->conf.servers_n];

		net_address_set(&a->to, s->family, s->bytes, s->scope, a->files->port);
	} else {
		struct authority_server *s = &a->servers[a->who];

		a->to = s->list[s->next++ % s->n];
	}
}

static enum next try_next(struct authority *a, int64_t now_ms)
{
	while (a->tries_left) {
		a->tries_left--;
		choose_address(a);
		if (!open_to(a, false, now_ms))
			return NEXT_GO;
	}
	return NEXT_BAD;
}

static enum next begin_question(struct authority *a, int64_t now_ms)
{
	a->x.query_n = dns_write_query(a->x.query + DNS_LENGTH_BYTES, a->name + a->at, "");
	if (!a->x.query_n)
		return give_up(a, "not a name that DNS can hold");
	if (a->phase == AUTHORITY_RECORD && !a->is_given)
		dns_set_no_recursion(a->x.query + DNS_LENGTH_BYTES);
	a->tries_left = AUTHORITY_TRIES;
	if (a->phase == AUTHORITY_ZONE)
		a->tries_left *= (unsigned)a->conf.servers_n;
	return try_next(a, now_ms);
}

/* ---- Where the servers are ---- */

static void take_addresses(struct authority_server *s, const struct net_addresses *found)
{
	s->n = found->n < AUTHORITY_ADDRESSES_MAX ? found->n : AUTHORITY_ADDRESSES_MAX;
	memcpy(s->list, found->list, s->n * sizeof *s->list);
}

/* A server without an address now may have one when it is asked: the others' do for the moment. */
static enum next end_addresses(const struct authority *a)
{
	for (size_t i = 0; i < a->servers_n; i++)
		if (a->servers[i].n)
			return NEXT_DONE;
	return NEXT_BAD;
}

static enum resolve_result begin_address(struct authority *a, struct net_addresses *found)
{
	char host[DNS_TEXT_CAP + 1];

	(void)fmt_text(host, sizeof host, "%s.", a->names[a->who]); /* no search list */
	a->resolve.files = a->files;
	return resolve_start(&a->resolve, host, a->files->port, a->deadline_ms, found,
			     &a->last_err);
}

static enum next step_address(struct authority *a)
{
	struct authority_server *s = &a->servers[a->who];
	struct net_addresses found;
	enum resolve_result result = a->resolve.phase == RESOLVE_IDLE
					     ? begin_address(a, &found)
					     : resolve_step(&a->resolve, &found, &a->last_err);

	if (result == RESOLVE_MORE)
		return NEXT_WAIT;
	if (result == RESOLVE_DONE)
		take_addresses(s, &found);
	else
		(void)err_wrap(&a->last_err, "address of %s", a->names[a->who]);
	if (a->is_finding)
		return ++a->who < a->servers_n ? NEXT_GO : end_addresses(a);
	a->phase = AUTHORITY_RECORD;
	return s->n ? NEXT_GO : NEXT_BAD;
}

/* ---- Which zone ---- */

/* One label up. What names the zone at once, the SOA of an answer, some forwarders leave out. */
static enum next ask_above(struct authority *a, int64_t now_ms)
{
	const char *dot = strchr(a->name + a->at, '.');

	if (!dot) {
		note(a, "no zone holds it");
		a->last_err.kind = ERR_CONFIG;
		return NEXT_BAD;
	}
	a->at = (size_t)(dot + 1 - a->name);
	return begin_question(a, now_ms);
}

static enum next take_zone(struct authority *a, int64_t now_ms)
{
	a->servers_n = dns_read_servers(&a->x.answer, a->names);
	if (!a->servers_n)
		return ask_above(a, now_ms);
	memset(a->servers, 0, sizeof a->servers);
	dns_exchange_close(&a->x);
	a->phase = AUTHORITY_ADDRESS;
	a->at = a->who = 0;
	return NEXT_GO;
}

/* ---- What one says ---- */

/* NULL: it can be taken. */
static const char *flaw_of(const struct authority *a)
{
	const struct dns_answer *m = &a->x.answer;

	if (m->rcode != DNS_NOERROR && m->rcode != DNS_NXDOMAIN)
		return resolve_rcode_text((int)m->rcode);
	if (a->sight.has_it || a->phase == AUTHORITY_ZONE)
		return NULL;
	if (m->is_truncated)
		return "its answer is too long";
	return m->is_authoritative || (a->is_given && m->can_recurse)
		       ? NULL
		       : "it does not serve the zone";
}

static enum next take_answer(struct authority *a, int64_t now_ms)
{
	const struct dns_answer *m = &a->x.answer;
	const char *flaw;

	a->sight.has_it = false;
	if (a->phase == AUTHORITY_RECORD)
		dns_read_sight(m, a->wanted, &a->sight);
	if (m->is_truncated && !a->sight.has_it && !a->x.is_tcp)
		return open_to(a, true, now_ms) ? try_next(a, now_ms) : NEXT_GO;
	flaw = flaw_of(a);
	if (flaw) {
		note(a, flaw);
		return try_next(a, now_ms);
	}
	return a->phase == AUTHORITY_ZONE ? take_zone(a, now_ms) : NEXT_DONE;
}

static enum next step_exchange(struct authority *a, int64_t now_ms)
{
	if (a->x.fd < 0)
		return begin_question(a, now_ms);
	switch (dns_exchange_step(&a->x)) {
	case DNS_EXCHANGE_ANSWER: return take_answer(a, now_ms);
	case DNS_EXCHANGE_BROKEN: note(a, "a broken answer"); break;
	case DNS_EXCHANGE_SYSTEM: note(a, errno_text(errno)); break;
	case DNS_EXCHANGE_WAIT:
		if (now_ms < a->try_ms)
			return NEXT_WAIT;
		note(a, "no answer");
	}
	return try_next(a, now_ms);
}

static void begin(struct authority *a, size_t who, int64_t now_ms)
{
	authority_stop(a);
	(void)give_up(a, "no answer"); /* if nothing else can be said */
	a->deadline_ms = now_ms + AUTHORITY_FIND_MS;
	a->who = who;
}

void authority_find(struct authority *a, const char *name, int64_t now_ms)
{
	begin(a, 0, now_ms);
	a->phase = a->is_given ? AUTHORITY_GIVEN : AUTHORITY_ZONE;
	a->is_finding = true;
	a->at = 0;
	(void)fmt_text(a->name, sizeof a->name, "%s", name);
	resolve_conf_read(&a->conf, a->files->conf);
}

void authority_ask(struct authority *a, size_t i, const struct dns_wanted *wanted, int64_t now_ms)
{
	begin(a, i, now_ms);
	a->phase = a->servers[i].n ? AUTHORITY_RECORD : AUTHORITY_ADDRESS;
	a->is_finding = false;
	a->wanted = wanted;
}

static enum next step_once(struct authority *a, int64_t now_ms)
{
	/* The servers whose addresses are there will do for the moment. */
	if (now_ms >= a->deadline_ms)
		return a->is_finding && a->phase == AUTHORITY_ADDRESS ? end_addresses(a) : NEXT_BAD;
	switch (a->phase) {
	case AUTHORITY_GIVEN: return NEXT_DONE;
	case AUTHORITY_ADDRESS: return step_address(a);
	case AUTHORITY_ZONE:
	case AUTHORITY_RECORD: return step_exchange(a, now_ms);
	case AUTHORITY_IDLE: break;
	}
	return NEXT_BAD;
}

enum authority_result authority_step(struct authority *a, int64_t now_ms, struct err *e)
{
	enum next next;

	/* It ends: each try, each name upwards and each server has its turn once. */
	do
		next = step_once(a, now_ms);
	while (next == NEXT_GO);
	if (next == NEXT_WAIT)
		return AUTHORITY_MORE;
	authority_stop(a);
	if (next == NEXT_DONE)
		return AUTHORITY_DONE;
	*e = a->last_err;
	return AUTHORITY_BAD;
}

void authority_wants(const struct authority *a, struct loop_wait *w)
{
	loop_wait_until(w, a->deadline_ms);
	if (a->phase == AUTHORITY_ADDRESS) {
		resolve_wants(&a->resolve, w);
	} else {
		dns_exchange_wants(&a->x, w);
		loop_wait_until(w, a->try_ms);
	}
}
