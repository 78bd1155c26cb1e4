#include "net/dns/exchange.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define DATAGRAMS_MAX 16 /* read in one step: others share the thread */

void dns_exchange_init(struct dns_exchange *x, unsigned char *in, size_t in_cap)
{
	memset(x, 0, sizeof *x);
	x->fd = -1;
	x->in = in;
	x->in_cap = in_cap;
}

void dns_exchange_close(struct dns_exchange *x)
{
	if (x->fd >= 0)
		(void)close(x->fd);
	x->fd = -1;
}

/* Connected, UDP too: the kernel drops what others send, and a refusal is known at once. */
int dns_exchange_open(struct dns_exchange *x, const struct net_address *server, bool is_tcp)
{
	dns_exchange_close(x);
	x->is_tcp = is_tcp;
	x->sent = x->got = 0;
	for (size_t i = 0; i < DNS_QUESTIONS_MAX; i++)
		x->of[i].is_open = false;
	x->fd = net_open_socket(server->sa.any.sa_family, is_tcp ? SOCK_STREAM : SOCK_DGRAM);
	if (x->fd < 0)
		return -1;
	return connect(x->fd, &server->sa.any, server->len) && errno != EINPROGRESS &&
			       errno != EINTR
		       ? -1
		       : 0;
}

static unsigned char *set_question(struct dns_exchange *x, size_t i)
{
	unsigned char *query = x->query + DNS_LENGTH_BYTES;

	dns_set_question(query, x->query_n, x->of[i].id, x->of[i].type);
	return query;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* A question whose datagram finds no room is as good as one that is lost on the way. */
int dns_exchange_ask(struct dns_exchange *x, size_t i, enum dns_type type)
{
	if (clock_entropy(&x->of[i].id, sizeof x->of[i].id))
		return -1;
	x->of[i].type = type;
	x->of[i].is_open = true;
	(void)set_question(x, i);
	x->query[0] = (unsigned char)(x->query_n >> 8);
	x->query[1] = (unsigned char)x->query_n;
	if (x->is_tcp)
		return 0;
	if (send(x->fd, x->query + DNS_LENGTH_BYTES, x->query_n, MSG_NOSIGNAL) < 0 &&
	    !would_block())
		return -1;
	return 0;
}

/* Whether p[0..n) answers an open question: what does not was sent late, or by somebody else. */
static bool take_message(struct dns_exchange *x, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < DNS_QUESTIONS_MAX; i++) {
		if (!x->of[i].is_open ||
		    dns_read_answer(p, n, set_question(x, i), x->query_n, &x->answer))
			continue;
		x->of[i].is_open = false;
		x->question = i;
		return true;
	}
	return false;
}

static enum dns_exchange_next step_udp(struct dns_exchange *x)
{
	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		size_t cap = x->in_cap - DNS_LENGTH_BYTES;
		ssize_t n = recv(x->fd, x->in, cap, MSG_TRUNC);

		if (n < 0 && would_block())
			break;
		if (n < 0)
			return DNS_EXCHANGE_SYSTEM;
		if ((size_t)n > cap) {
			n = (ssize_t)cap;
			x->in[2] |= DNS_TRUNCATED;
		}
		if (take_message(x, x->in, (size_t)n))
			return DNS_EXCHANGE_ANSWER;
	}
	return DNS_EXCHANGE_WAIT;
}

/* Bytes to read: the length, then what it says; of a longer answer the beginning, as cut off. */
static size_t tcp_wanted(const struct dns_exchange *x)
{
	size_t n = DNS_LENGTH_BYTES + ((size_t)x->in[0] << 8 | x->in[1]);

	if (x->got < DNS_LENGTH_BYTES)
		return DNS_LENGTH_BYTES;
	return n < x->in_cap ? n : x->in_cap;
}

static enum dns_exchange_next end_tcp(struct dns_exchange *x)
{
	unsigned char *message = x->in + DNS_LENGTH_BYTES;

	if (x->got == x->in_cap)
		message[2] |= DNS_TRUNCATED;
	return take_message(x, message, x->got - DNS_LENGTH_BYTES) ? DNS_EXCHANGE_ANSWER
								   : DNS_EXCHANGE_BROKEN;
}

static enum dns_exchange_next step_tcp(struct dns_exchange *x)
{
	size_t all = DNS_LENGTH_BYTES + x->query_n;
	ssize_t n;

	for (;;) {
		if (x->sent < all) {
			n = send(x->fd, x->query + x->sent, all - x->sent, MSG_NOSIGNAL);
			x->sent += n > 0 ? (size_t)n : 0;
		} else {
			n = recv(x->fd, x->in + x->got, tcp_wanted(x) - x->got, 0);
			if (!n)
				return DNS_EXCHANGE_BROKEN;
			x->got += n > 0 ? (size_t)n : 0;
			if (x->got > DNS_LENGTH_BYTES && x->got == tcp_wanted(x))
				return end_tcp(x);
		}
		if (n > 0)
			continue;
		/* Not yet connected: Linux says EAGAIN, others say this. */
		return would_block() || errno == ENOTCONN ? DNS_EXCHANGE_WAIT : DNS_EXCHANGE_SYSTEM;
	}
}

enum dns_exchange_next dns_exchange_step(struct dns_exchange *x)
{
	return x->is_tcp ? step_tcp(x) : step_udp(x);
}

void dns_exchange_wants(const struct dns_exchange *x, struct loop_wait *w)
{
	bool is_sending = x->is_tcp && x->sent < DNS_LENGTH_BYTES + x->query_n;

	loop_wait_fd(w, x->fd, is_sending ? POLLOUT : POLLIN);
}
