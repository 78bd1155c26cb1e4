#include "net/http/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/errno_text.h"
#include "base/fmt.h"
#include "base/memory.h"
#include "base/str.h"
#include "net/address.h"

#define BACKLOG 16
#define SEND_BUFFER 65536 /* bytes the kernel keeps per connection: eight of them at most */

/* Who asks for pages: what is the same for all connections of one step. */
struct asker {
	const struct listener *l;
	listen_page_fn *page;
	void *ctx;
	int64_t now_ms;
};

/* ---- address ---- */

static int bad_address(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_CONFIG,
		       "\"%s\": %s: give ADDR:PORT, [ADDR]:PORT or :PORT, as "
		       "0.0.0.0:8080",
		       text, why);
}

int listen_parse(const char *text, char host[LISTEN_HOST_CAP], uint16_t *port, struct err *e)
{
	const char *colon = strrchr(text, ':');
	bool has_brackets = text[0] == '[';
	size_t len = colon ? (size_t)(colon - text) : 0;
	char found[LISTEN_HOST_CAP];
	unsigned char bytes[16];
	enum net_family family;
	uint64_t number;

	if (!colon)
		return bad_address(text, "no port", e);
	if (str_u64(colon + 1, UINT16_MAX, &number) || !number)
		return bad_address(text, "the port is no number from 1 to 65535", e);
	if (has_brackets && (len < 2 || text[len - 1] != ']'))
		return bad_address(text, "a bracket is missing", e);
	if (str_copy_n(found, sizeof found, text + has_brackets, has_brackets ? len - 2 : len))
		return bad_address(text, "no IP address", e);
	if (str_eq_nocase(found, "localhost"))
		memcpy(found, "127.0.0.1", sizeof "127.0.0.1");
	if (len || has_brackets) {
		if (net_read_address(found, &family, bytes) || (has_brackets && family == NET_IP4))
			return bad_address(text, "no IP address", e);
		if (!has_brackets && family == NET_IP6)
			return bad_address(text, "brackets are missing", e);
	}
	*port = (uint16_t)number;
	return str_copy(host, LISTEN_HOST_CAP, found);
}

/* ---- listening ---- */

/* What a connection inherits, and that we may come back at once after a restart. */
static int set_options(int fd)
{
	int on = 1, size = SEND_BUFFER;

	/* Slower or roomier without these two, but right. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

static int bind_family(int fd, enum net_family family, const char *host, uint16_t port)
{
	unsigned char bytes[16] = {0};
	enum net_family found = family;
	struct net_address a;
	int off = 0; /* whatever the system's default is: the unspecified address takes IPv4 too */

	if ((*host && net_read_address(host, &found, bytes)) || found != family)
		return -1;
	if (family == NET_IP6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off))
		return -1;
	net_address_set(&a, family, bytes, 0, port);
	return bind(fd, &a.sa.any, a.len);
}

/* A listening socket of that family, or -1 with errno set. */
static int open_family(enum net_family family, const char *host, uint16_t port)
{
	int fd = net_open_socket(family == NET_IP6 ? AF_INET6 : AF_INET, SOCK_STREAM), error;

	if (fd < 0)
		return -1;
	if (!set_options(fd) && !bind_family(fd, family, host, port) && !listen(fd, BACKLOG))
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static void begin(struct listener *l, int fd, bool is_local)
{
	l->fd = fd;
	l->order = 0;
	l->pause_ms = 0;
	l->is_local = is_local;
	l->is_open = true;
}

int listen_open(struct listener *l, const char *text, struct err *e)
{
	char host[LISTEN_HOST_CAP] = "";
	uint16_t port = 0;
	int fd = -1;

	if (listen_parse(text, host, &port, e))
		return -1;
	if (!*host || strchr(host, ':'))
		fd = open_family(NET_IP6, host, port);
	/* A kernel without IPv6 has its IPv4 addresses all the same; a port in use stays in use. */
	if (fd < 0 && !strchr(host, ':') && (*host || errno != EADDRINUSE))
		fd = open_family(NET_IP4, host, port);
	if (fd < 0)
		return err_set(e, ERR_SYS, "listen at %s: %s", text, errno_text(errno));
	begin(l, fd, false);
	return 0;
}

/* ---- by number, for who is near ---- */

void listen_local_name(char out[LISTEN_LOCAL_CAP], unsigned number)
{
	(void)fmt_text(out, LISTEN_LOCAL_CAP, "@dnsbuddy/%u", number);
}

int listen_open_local(struct listener *l, struct err *e)
{
	int fd = net_open_socket(AF_UNIX, SOCK_STREAM);

	for (unsigned i = 0; fd >= 0 && i < LISTEN_LOCALS; i++) {
		char name[LISTEN_LOCAL_CAP];
		struct net_address a;

		listen_local_name(name, i);
		net_address_set_unix(&a, name);
		if (bind(fd, &a.sa.any, a.len) == 0 && listen(fd, BACKLOG) == 0) {
			begin(l, fd, true);
			return 0;
		}
		if (errno != EADDRINUSE)
			break;
	}
	(void)err_set(e, ERR_SYS, "no socket for health: %s", errno_text(errno));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

bool listen_is_near(int fd, bool of_our_user)
{
	struct {
		int32_t pid;
		uint32_t uid, gid;
	} peer; /* struct ucred, of unix(7) */
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.pid <= 0)
		return false;
	return !of_our_user || !peer.uid || peer.uid == geteuid();
}

/* ---- a connection ---- */

static void drop(struct listen_connection *c)
{
	stream_close(&c->stream);
	c->phase = LISTEN_FREE;
	if (c->page_text)
		memory_release(c->page_text, LISTEN_ANSWER_MAX + 1);
	c->page_text = NULL;
}

static const char *phrase(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 414: return "URI Too Long";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Internal Server Error";
	}
}

/* The head to what is in page; an empty one gets its line. */
static void begin_answer(struct listen_connection *c, int status, const char *content_type,
			 bool is_head, int64_t now_ms)
{
	if (!c->page.len)
		buf_fmt(&c->page, "%d %s\n", status, phrase(status));
	buf_init(&c->head, c->head_text, sizeof c->head_text);
	buf_fmt(&c->head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
		phrase(status), content_type, c->page.len);
	buf_str(&c->head,
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
		"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
		"Connection: close\r\n");
	if (status == 405)
		buf_str(&c->head, "Allow: GET, HEAD\r\n");
	buf_str(&c->head, "\r\n");
	if (is_head)
		buf_reset(&c->page);
	c->sent = 0;
	c->phase = LISTEN_ANSWER;
	c->deadline_ms = now_ms + LISTEN_ANSWER_MS;
}

static void answer(struct listen_connection *c, int status, const struct request *r,
		   const struct asker *a)
{
	static const char plain[] = "text/plain; charset=utf-8";
	const char *content_type = plain;

	/* For as long as it is needed: a page of 1,024 names would stay resident. */
	c->page_text = memory_reserve(LISTEN_ANSWER_MAX + 1);
	if (!c->page_text) {
		drop(c);
		return;
	}
	buf_init(&c->page, c->page_text, LISTEN_ANSWER_MAX + 1);
	if (status == 200 && !a->l->is_local &&
	    !request_is_for_us(r, a->l->names ? a->l->names : "")) {
		status = 403;
		buf_str(&c->page,
			"403 Forbidden: this Host is no address, no name without a dot and not "
			"in --listen-host\n");
	}
	if (status == 200)
		status = a->page(a->ctx, r->path, r->query, &c->page, &content_type);
	if (!buf_ok(&c->page)) {
		buf_reset(&c->page);
		content_type = plain;
		status = 500;
	}
	begin_answer(c, status, content_type, r->is_head, a->now_ms);
}

static void read_request(struct listen_connection *c, const struct asker *a)
{
	struct request r = {0};
	struct err e;
	size_t got;
	enum io_result io = stream_recv(&c->stream, c->request + c->received,
					sizeof c->request - c->received, &got, &e);

	/* Gone, or it will say no more and has not asked yet. */
	if (io != IO_OK && io != IO_WAIT) {
		drop(c);
		return;
	}
	c->received += got;
	switch (request_read(c->request, c->received, &r)) {
	case REQUEST_DONE: answer(c, 200, &r, a); break;
	case REQUEST_BAD: answer(c, r.status, &r, a); break;
	case REQUEST_MORE:
		if (a->now_ms >= c->deadline_ms)
			answer(c, 408, &r, a);
		break;
	}
}

static void send_answer(struct listen_connection *c, const struct asker *a)
{
	size_t head_left = c->sent < c->head.len ? c->head.len - c->sent : 0;
	size_t page_sent = c->sent - (c->head.len - head_left), done;
	const struct iovec v[2] = {
		{.iov_base = c->head.p + c->head.len - head_left, .iov_len = head_left},
		{.iov_base = c->page.p + page_sent, .iov_len = c->page.len - page_sent},
	};
	struct err e;
	enum io_result io = stream_send(&c->stream, v, 2, &done, &e);

	if (io != IO_OK && io != IO_WAIT) {
		drop(c);
		return;
	}
	c->sent += done;
	if (c->sent < c->head.len + c->page.len)
		return;
	/* ENOTCONN is tolerated: the peer was quicker. */
	(void)shutdown(c->stream.fd, SHUT_WR);
	c->phase = LISTEN_LINGER;
	c->order = 0;
	c->received = 0;
	c->deadline_ms = a->now_ms + LISTEN_LINGER_MS;
}

static void linger(struct listen_connection *c)
{
	struct err e;
	size_t got;
	enum io_result io = stream_recv(&c->stream, c->request, sizeof c->request, &got, &e);

	c->received += got;
	if ((io != IO_OK && io != IO_WAIT) || c->received > LISTEN_LINGER_MAX)
		drop(c);
}

static void serve(struct listen_connection *c, const struct asker *a)
{
	if (c->phase == LISTEN_REQUEST)
		read_request(c, a);
	if (c->phase == LISTEN_ANSWER)
		send_answer(c, a);
	if (c->phase == LISTEN_LINGER)
		linger(c);
	if (c->phase != LISTEN_FREE && a->now_ms >= c->deadline_ms)
		drop(c);
}

/* ---- all of them ---- */

/* A free place, made by dropping whoever is first in line if there is none. */
static struct listen_connection *make_room(struct listener *l)
{
	struct listen_connection *first = &l->connections[0];

	for (size_t i = 0; i < LISTEN_CONNECTIONS_MAX; i++) {
		struct listen_connection *c = &l->connections[i];

		if (c->phase == LISTEN_FREE)
			return c;
		if (c->order < first->order)
			first = c;
	}
	drop(first);
	return first;
}

/* Returns false when there is nothing more to accept now. */
static bool accept_one(struct listener *l, const struct asker *a)
{
	int fd = accept(l->fd, NULL, NULL);
	struct listen_connection *c;

	if (fd < 0) {
		/* The peer gave up, or a signal came: the next may be well. */
		if (errno == ECONNABORTED || errno == EINTR)
			return true;
		/* EMFILE, ENFILE, ENOMEM: poll() would call at once, over and over. */
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			l->pause_ms = a->now_ms + LISTEN_PAUSE_MS;
		return false;
	}
	if (net_set_flags(fd) || (l->is_local && !listen_is_near(fd, false))) {
		(void)close(fd);
		return true;
	}
	c = make_room(l);
	stream_init(&c->stream, fd);
	c->phase = LISTEN_REQUEST;
	c->order = ++l->order;
	c->received = 0;
	c->deadline_ms = a->now_ms + LISTEN_REQUEST_MS;
	serve(c, a);
	return true;
}

void listen_step(struct listener *l, int64_t now_ms, listen_page_fn *page, void *ctx)
{
	const struct asker a = {.l = l, .page = page, .ctx = ctx, .now_ms = now_ms};

	if (!l->is_open)
		return;
	for (size_t i = 0; i < LISTEN_CONNECTIONS_MAX; i++)
		serve(&l->connections[i], &a);
	if (now_ms < l->pause_ms)
		return;
	l->pause_ms = 0;
	for (int i = 0; i < LISTEN_CONNECTIONS_MAX && accept_one(l, &a); i++)
		;
}

void listen_wants(const struct listener *l, struct loop_wait *w)
{
	if (!l->is_open)
		return;
	if (l->pause_ms)
		loop_wait_until(w, l->pause_ms);
	else
		loop_wait_fd(w, l->fd, POLLIN);
	for (size_t i = 0; i < LISTEN_CONNECTIONS_MAX; i++) {
		const struct listen_connection *c = &l->connections[i];

		if (c->phase == LISTEN_FREE)
			continue;
		loop_wait_fd(w, c->stream.fd, c->phase == LISTEN_ANSWER ? POLLOUT : POLLIN);
		loop_wait_until(w, c->deadline_ms);
	}
}

void listen_close(struct listener *l)
{
	if (!l->is_open)
		return;
	for (size_t i = 0; i < LISTEN_CONNECTIONS_MAX; i++)
		if (l->connections[i].phase != LISTEN_FREE)
			drop(&l->connections[i]);
	(void)close(l->fd);
	l->is_open = false;
}
