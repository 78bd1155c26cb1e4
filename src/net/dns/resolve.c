#include "net/dns/resolve.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "net/dns/resolve_errors.h"

#define DATAGRAMS_MAX 16 /* read in one step: others share the thread */

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
	memset(r, 0, sizeof *r);
	r->files = &system_files;
	r->fd = -1;
}

static void close_socket(struct resolve *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

void resolve_stop(struct resolve *r)
{
	close_socket(r);
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
		r->query_n = dns_write_query(r->query + 2, r->name, suffix);
		if (!r->query_n)
			continue;
		r->query[0] = (unsigned char)(r->query_n >> 8);
		r->query[1] = (unsigned char)r->query_n;
		memset(r->of, 0, sizeof r->of);
		r->was_asked = true;
		r->tries_left = (unsigned)r->conf.servers_n * r->conf.attempts;
		r->phase = RESOLVE_TRY;
		return NEXT_GO;
	}
	return NEXT_FAILED;
}

/* ---- A try: one server, what is not known yet ---- */

static void note_trouble(struct resolve *r, enum resolve_trouble trouble, int code)
{
	r->trouble = trouble;
	r->trouble_code = code;
	r->trouble_server = r->server;
}

static enum next next_server(struct resolve *r)
{
	close_socket(r);
	r->server = (r->server + 1) % r->conf.servers_n;
	r->phase = RESOLVE_TRY;
	return NEXT_GO;
}

static enum next server_broke(struct resolve *r)
{
	note_trouble(r, TROUBLE_SYSTEM, errno);
	return next_server(r);
}

/*
 * Every server was tried as often as it may. One that says it cannot tell may be unable for this
 * name only, of a domain that the search list made up: on with the next. Silence is for all names.
 */
static enum next end_tries(struct resolve *r)
{
	r->has_failed = true;
	return r->trouble == TROUBLE_RCODE ? next_candidate(r) : NEXT_FAILED;
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

/* Connected, UDP too: the kernel drops what others send, and a refusal is known at once. */
static int open_to_server(struct resolve *r, int type)
{
	const struct resolve_server *s = &r->conf.servers[r->server];
	struct net_address a;

	net_address_set(&a, s->family, s->bytes, s->scope, r->files->port);
	r->fd = net_open_socket(a.sa.any.sa_family, type);
	if (r->fd < 0)
		return -1;
	return connect(r->fd, &a.sa.any, a.len) && errno != EINPROGRESS && errno != EINTR ? -1 : 0;
}

static void set_question(struct resolve *r, enum net_family family)
{
	dns_set_question(r->query + 2, r->query_n, r->of[family].id, type_of[family]);
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* A question whose datagram finds no room is as good as one that is lost on the way. */
static int send_question(struct resolve *r, enum net_family family)
{
	if (clock_entropy(&r->of[family].id, sizeof r->of[family].id))
		return -1;
	set_question(r, family);
	if (send(r->fd, r->query + 2, r->query_n, MSG_NOSIGNAL) < 0 && !would_block())
		return -1;
	return 0;
}

static enum next begin_try(struct resolve *r)
{
	if (!r->tries_left)
		return end_tries(r);
	r->tries_left--;
	set_try_end(r);
	if (open_to_server(r, SOCK_DGRAM))
		return server_broke(r);
	for (enum net_family f = NET_IP4; f < NET_FAMILIES; f++) {
		if (r->of[f].reply != REPLY_NONE && r->of[f].reply != REPLY_FAILED)
			continue;
		r->of[f].reply = REPLY_NONE;
		if (send_question(r, f))
			return server_broke(r);
	}
	r->phase = RESOLVE_UDP;
	return NEXT_GO;
}

/* ---- Answers ---- */

static enum resolve_reply kind_of_reply(const struct dns_answer *a)
{
	switch (a->rcode) {
	case DNS_NOERROR: return a->n ? REPLY_ADDRESSES : REPLY_EMPTY;
	case DNS_NXDOMAIN: return REPLY_NO_NAME;
	default: return REPLY_FAILED;
	}
}

static void take_answer(struct resolve *r, enum net_family family, const struct dns_answer *a)
{
	r->of[family].reply = kind_of_reply(a);
	if (r->of[family].reply == REPLY_FAILED)
		note_trouble(r, TROUBLE_RCODE, (int)a->rcode);
	for (size_t i = 0; i < a->n; i++)
		net_found_add(&r->found, family, a->list[i]);
}

/* What is no answer to an open question was sent late, or by somebody else. */
static void take_datagram(struct resolve *r, size_t n)
{
	struct dns_answer a;

	for (enum net_family f = NET_IP4; f < NET_FAMILIES; f++) {
		if (r->of[f].reply != REPLY_NONE)
			continue;
		set_question(r, f);
		if (dns_read_answer(r->in, n, r->query + 2, r->query_n, &a))
			continue;
		take_answer(r, f, &a);
		if (a.is_truncated)
			r->of[f].reply = REPLY_CUT;
		return;
	}
}

static bool is_any(const struct resolve *r, enum resolve_reply reply)
{
	return r->of[NET_IP4].reply == reply || r->of[NET_IP6].reply == reply;
}

static enum next step_udp(struct resolve *r)
{
	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		ssize_t n = recv(r->fd, r->in, sizeof r->in, MSG_TRUNC);

		if (n < 0 && would_block())
			break;
		if (n < 0)
			return server_broke(r);
		if ((size_t)n > sizeof r->in) {
			n = sizeof r->in;
			r->in[2] |= DNS_TRUNCATED;
		}
		take_datagram(r, (size_t)n);
		if (!is_any(r, REPLY_NONE)) {
			r->phase = RESOLVE_CONCLUDE;
			return NEXT_GO;
		}
	}
	if (clock_now_ms() < r->try_ms)
		return NEXT_WAIT;
	note_trouble(r, TROUBLE_SILENT, 0);
	r->phase = RESOLVE_CONCLUDE;
	return NEXT_GO;
}

/* ---- TCP ---- */

static enum next end_tcp(struct resolve *r)
{
	close_socket(r);
	r->phase = RESOLVE_CONCLUDE;
	return NEXT_GO;
}

/* The truncated answer has to do, if there was anything in it. */
static enum next tcp_failed(struct resolve *r, enum resolve_trouble trouble, int code)
{
	note_trouble(r, trouble, code);
	r->of[r->asked].reply = REPLY_FAILED;
	return end_tcp(r);
}

static enum next begin_tcp(struct resolve *r, enum net_family family)
{
	r->asked = family;
	r->sent = r->got = 0;
	set_try_end(r);
	if (open_to_server(r, SOCK_STREAM))
		return tcp_failed(r, TROUBLE_SYSTEM, errno);
	set_question(r, family);
	r->phase = RESOLVE_TCP;
	return NEXT_GO;
}

/* Bytes to read: the length, then what it says; of a longer answer the beginning, as cut off. */
static size_t tcp_wanted(const struct resolve *r)
{
	size_t n = (size_t)r->in[0] << 8 | r->in[1];

	if (r->got < 2)
		return 2;
	return 2 + (n < RESOLVE_ANSWER_MAX ? n : RESOLVE_ANSWER_MAX);
}

static enum next end_tcp_answer(struct resolve *r)
{
	struct dns_answer a;
	size_t n = r->got - 2;

	if (n == RESOLVE_ANSWER_MAX)
		r->in[2 + 2] |= DNS_TRUNCATED;
	if (dns_read_answer(r->in + 2, n, r->query + 2, r->query_n, &a))
		return tcp_failed(r, TROUBLE_BROKEN, 0);
	take_answer(r, r->asked, &a);
	return end_tcp(r);
}

static enum next step_tcp(struct resolve *r)
{
	size_t all = 2 + r->query_n;
	ssize_t n;

	if (r->sent < all) {
		n = send(r->fd, r->query + r->sent, all - r->sent, MSG_NOSIGNAL);
		r->sent += n > 0 ? (size_t)n : 0;
	} else {
		n = recv(r->fd, r->in + r->got, tcp_wanted(r) - r->got, 0);
		if (!n)
			return tcp_failed(r, TROUBLE_BROKEN, 0);
		r->got += n > 0 ? (size_t)n : 0;
		if (r->got > 2 && r->got == tcp_wanted(r))
			return end_tcp_answer(r);
	}
	if (n > 0)
		return NEXT_GO;
	/* Not yet connected: Linux says EAGAIN, others say this. */
	if (!would_block() && errno != ENOTCONN)
		return tcp_failed(r, TROUBLE_SYSTEM, errno);
	return clock_now_ms() < r->try_ms ? NEXT_WAIT : tcp_failed(r, TROUBLE_SILENT, 0);
}

/* ---- What the answers amount to ---- */

/* All are there, or the time of the try is over. */
static enum next conclude(struct resolve *r)
{
	close_socket(r);
	for (enum net_family f = NET_IP4; f < NET_FAMILIES; f++)
		if (r->of[f].reply == REPLY_CUT)
			return begin_tcp(r, f);
	/* Servers that fail on AAAA, or keep silent, are common (RFC 4074): one family will do. */
	if (net_found_any(&r->found))
		return NEXT_FOUND;
	/* NXDOMAIN is of the name, not of a type (RFC 8020); said to AAAA it may be wrong (RFC
	 * 4074). */
	if (r->of[NET_IP4].reply == REPLY_NO_NAME)
		return next_candidate(r);
	if (is_any(r, REPLY_NONE) || is_any(r, REPLY_FAILED))
		return next_server(r);
	r->was_empty = true;
	return next_candidate(r);
}

static enum next step_once(struct resolve *r)
{
	if (clock_now_ms() >= r->deadline_ms) {
		r->has_failed = true;
		note_trouble(r, TROUBLE_SILENT, 0);
		return NEXT_FAILED;
	}
	switch (r->phase) {
	case RESOLVE_TRY: return begin_try(r);
	case RESOLVE_UDP: return step_udp(r);
	case RESOLVE_TCP: return step_tcp(r);
	case RESOLVE_CONCLUDE: return conclude(r);
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
	if (find_here(r)) {
		net_found_order(&r->found, port, out);
		return RESOLVE_DONE;
	}
	resolve_conf_read(&r->conf, r->files->conf);
	if (next_candidate(r) == NEXT_FAILED) {
		resolve_explain(r, e);
		return RESOLVE_BAD;
	}
	return resolve_step(r, out, e);
}

void resolve_wants(const struct resolve *r, struct loop_wait *w)
{
	bool is_sending = r->phase == RESOLVE_TCP && r->sent < 2 + r->query_n;

	loop_wait_fd(w, r->fd, is_sending ? POLLOUT : POLLIN);
	loop_wait_until(w, r->try_ms);
	loop_wait_until(w, r->deadline_ms);
}
