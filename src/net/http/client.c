#include "net/http/client.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/http/client_parts.h"

#define HTTP_RACE_MS 2000 /* so late a request that crossed with the server's FIN is dropped */
#define STEP_MAX 64       /* reads or writes of one http_step(): others share the thread */

void http_client_init(struct http_client *c, const struct http_origin *o, struct tls_storage *tls)
{
	memset(c, 0, offsetof(struct http_client, head));
	c->origin = o;
	c->tls = tls;
	resolve_init(&c->resolve);
	dial_init(&c->dial);
	stream_init(&c->stream, -1);
}

bool http_was_sent(const struct http_client *c)
{
	return c->was_sent || c->stream.sent;
}

bool http_is_busy(const struct http_client *c)
{
	return c->phase != HTTP_PHASE_IDLE;
}

const struct http_counters *http_counters(const struct http_client *c)
{
	return &c->counters;
}

int64_t http_root_end_sec(const struct http_client *c)
{
	return c->session.root_end_sec;
}

static void drop(struct http_client *c)
{
	c->was_sent = http_was_sent(c);
	resolve_stop(&c->resolve);
	c->is_resolving = false;
	dial_stop(&c->dial);
	stream_close(&c->stream);
	c->stream.sent = false;
}

void http_close(struct http_client *c)
{
	drop(c);
	c->phase = HTTP_PHASE_IDLE;
}

static const struct url *next_hop(const struct http_client *c)
{
	return c->origin->has_proxy ? &c->origin->proxy : &c->origin->url;
}

static void connect_anew(struct http_client *c)
{
	drop(c);
	c->is_reused = false;
	c->phase = HTTP_PHASE_RESOLVE;
}

/* The connection is ready for the request. */
static void begin_exchange(struct http_client *c)
{
	c->sent = 0;
	c->stream.sent = false;
	c->is_send_broken = false;
	c->send_err.text[0] = '\0';
	http_answer_init(c);
	c->counters.requests++;
	/* What is given up must not be done later, out of the kernel's queue. */
	stream_set_cuttable(&c->stream, !c->is_read);
	c->phase = HTTP_PHASE_EXCHANGE;
}

int http_start(struct http_client *c, const struct http_request *r, const struct http_sink *s,
	       int64_t deadline_ms, struct err *e)
{
	if (http_write_request(c, r, e))
		return -1;
	c->sink = *s;
	c->start_ms = clock_now_ms();
	c->deadline_ms = deadline_ms;
	c->was_retried = false;
	c->was_sent = false;
	c->is_sink_error = false;
	c->is_hasty = true; /* nothing is on its way before the first step */
	if (c->stream.fd >= 0 && !stream_is_stale(&c->stream)) {
		c->is_reused = true;
		begin_exchange(c);
	} else {
		connect_anew(c);
		c->was_sent = false; /* that was another request */
	}
	return 0;
}

/* ---- Steps on the way to a connection ---- */

static enum http_progress begin_tls(struct http_client *c, struct err *e)
{
	if (tls_start(c->tls, c->origin->tls, c->origin->url.host, &c->session, e))
		return PROGRESS_BAD;
	stream_use(&c->stream, &tls_layer, c->tls);
	c->phase = HTTP_PHASE_SECURE;
	return PROGRESS_GO;
}

/* The addresses of the next hop: of a unix socket, its path. */
static enum resolve_result find_addresses(struct http_client *c, struct err *e)
{
	const struct url *u = next_hop(c);
	struct net_addresses *out = &c->dial.addresses;

	if (c->is_resolving)
		return resolve_step(&c->resolve, out, e);
	if (u->scheme != URL_UNIX)
		return resolve_start(&c->resolve, u->host, u->port, c->deadline_ms, out, e);
	net_address_set_unix(&out->list[0], u->socket);
	out->n = 1;
	return RESOLVE_DONE;
}

static enum http_progress step_resolve(struct http_client *c, struct err *e)
{
	enum resolve_result r = find_addresses(c, e);

	c->is_resolving = r == RESOLVE_MORE;
	if (r != RESOLVE_DONE)
		return r == RESOLVE_MORE ? PROGRESS_WAIT : PROGRESS_BAD;
	dial_start(&c->dial, c->deadline_ms);
	c->phase = HTTP_PHASE_DIAL;
	return PROGRESS_GO;
}

static enum http_progress step_dial(struct http_client *c, struct err *e)
{
	int fd = -1;

	switch (dial_step(&c->dial, &fd, e)) {
	case DIAL_MORE: return PROGRESS_WAIT;
	case DIAL_BAD: return PROGRESS_BAD;
	case DIAL_DONE: break;
	}
	c->counters.connections++;
	dial_stop(&c->dial);
	stream_init(&c->stream, fd);
	if (c->origin->has_proxy) {
		if (http_write_tunnel(c, e))
			return PROGRESS_BAD;
		head_init(&c->head, NULL);
		c->phase = HTTP_PHASE_TUNNEL;
		return PROGRESS_GO;
	}
	if (c->origin->url.scheme == URL_HTTPS)
		return begin_tls(c, e);
	begin_exchange(c);
	return PROGRESS_GO;
}

static enum http_progress proxy_answered(struct http_client *c, bool has_excess, struct err *e)
{
	int status = c->head.status;

	if (status == 407)
		(void)err_set(e, ERR_AUTH, "the proxy wants other credentials (status 407)");
	else if (status < 200 || status > 299)
		(void)err_set(e, status >= 500 ? ERR_RETRY : ERR_REFUSED,
			      "the proxy refuses the tunnel (status %d%s%s)", status,
			      c->head.location[0] ? ", redirected to " : "", c->head.location);
	else if (has_excess)
		(void)err_set(e, ERR_PROTO, "the proxy sent more than a head");
	else
		return begin_tls(c, e);
	return PROGRESS_BAD;
}

static enum http_progress from_io(enum io_result r, struct err *e)
{
	if (r == IO_WAIT)
		return PROGRESS_WAIT;
	if (r == IO_EOF || r == IO_CUT)
		(void)err_set(e, ERR_RETRY, "the connection ended");
	return r == IO_OK ? PROGRESS_GO : PROGRESS_BAD;
}

static enum http_progress step_tunnel(struct http_client *c, struct err *e)
{
	enum io_result r;
	size_t n, used;

	if (c->sent < c->tunnel_len) {
		struct iovec v = {.iov_base = c->in + c->sent, .iov_len = c->tunnel_len - c->sent};

		r = stream_send(&c->stream, &v, 1, &n, e);
		c->sent += n;
		return from_io(r, e);
	}
	r = stream_recv(&c->stream, c->in, sizeof c->in, &n, e);
	if (r != IO_OK)
		return from_io(r, e);
	switch (head_feed(&c->head, c->in, n, &used, e)) {
	case HEAD_BAD: return PROGRESS_BAD;
	case HEAD_MORE: return PROGRESS_GO;
	case HEAD_DONE: break;
	}
	return proxy_answered(c, used < n, e);
}

static enum http_progress step_secure(struct http_client *c, struct err *e)
{
	enum io_result r = tls_handshake(c->tls, c->stream.fd, e);

	if (r != IO_OK)
		return from_io(r, e);
	if (tls_was_resumed(c->tls))
		c->counters.resumed++;
	else
		c->counters.handshakes++;
	begin_exchange(c);
	return PROGRESS_GO;
}

/* ---- The exchange ---- */

static bool is_all_sent(const struct http_client *c)
{
	return c->sent == c->out_len + c->body_len;
}

/* sendmsg() reads what it is given, though its type does not say so. */
static struct iovec span(const char *p, size_t n)
{
	struct iovec v = {.iov_len = n};

	memcpy(&v.iov_base, &p, sizeof v.iov_base);
	return v;
}

/* What of head and body is still to be sent. */
static int unsent(const struct http_client *c, struct iovec v[2])
{
	size_t of_body = c->sent > c->out_len ? c->sent - c->out_len : 0;
	int n = 0;

	if (c->sent < c->out_len)
		v[n++] = span(c->out + c->sent, c->out_len - c->sent);
	if (of_body < c->body_len)
		v[n++] = span(c->body + of_body, c->body_len - of_body);
	return n;
}

/*
 * A server may answer and close before it has read all (413): a failed send is only remembered,
 * and what can be received decides.
 */
static enum http_progress send_some(struct http_client *c, struct err *e)
{
	struct iovec v[2];
	size_t n;
	enum io_result r = stream_send(&c->stream, v, unsent(c, v), &n, &c->send_err);

	c->sent += n;
	if (r == IO_OK && is_all_sent(c))
		r = stream_flush(&c->stream, &c->send_err) == IO_BAD ? IO_BAD : IO_OK;
	if (r == IO_BAD) {
		*e = c->send_err;
		return PROGRESS_BAD;
	}
	if (r != IO_OK && r != IO_WAIT)
		c->is_send_broken = true;
	return n ? PROGRESS_GO : PROGRESS_WAIT;
}

static enum http_progress receive_some(struct http_client *c, struct err *e)
{
	size_t n;
	enum io_result r = stream_recv(&c->stream, c->in, sizeof c->in, &n, e);

	switch (r) {
	case IO_OK: return http_answer_feed(c, c->in, n, e);
	case IO_WAIT: return PROGRESS_WAIT;
	case IO_EOF:
	case IO_CUT: return http_answer_eof(c, r == IO_CUT, e);
	case IO_LOST: return c->has_answer ? PROGRESS_BAD : PROGRESS_DEAD;
	case IO_BAD: break;
	}
	return PROGRESS_BAD;
}

static enum http_progress step_exchange(struct http_client *c, struct err *e)
{
	enum http_progress p = PROGRESS_WAIT;

	if (!is_all_sent(c) && !c->is_send_broken)
		p = send_some(c, e);
	return p == PROGRESS_WAIT ? receive_some(c, e) : p;
}

/* ---- The whole ---- */

static const char *phase_name(const struct http_client *c)
{
	switch (c->phase) {
	case HTTP_PHASE_RESOLVE: return "looking up the name";
	case HTTP_PHASE_DIAL: return "connecting";
	case HTTP_PHASE_TUNNEL: return "asking the proxy";
	case HTTP_PHASE_SECURE: return "TLS handshake";
	default: break;
	}
	if (!c->has_answer)
		return is_all_sent(c) ? "waiting for the answer" : "sending the request";
	return c->has_head ? "reading the body" : "reading the head";
}

static enum http_progress too_late(const struct http_client *c, struct err *e)
{
	int64_t ms = c->deadline_ms - c->start_ms;
	bool is_whole = ms >= 1000 && ms % 1000 == 0;

	(void)err_set(e, ERR_RETRY, "no complete answer within %" PRId64 " %s (%s)",
		      is_whole ? ms / 1000 : ms, is_whole ? "s" : "ms", phase_name(c));
	return PROGRESS_BAD;
}

static enum http_progress step_once(struct http_client *c, struct err *e)
{
	switch (c->phase) {
	case HTTP_PHASE_RESOLVE: return step_resolve(c, e);
	case HTTP_PHASE_DIAL: return step_dial(c, e);
	case HTTP_PHASE_TUNNEL: return step_tunnel(c, e);
	case HTTP_PHASE_SECURE: return step_secure(c, e);
	case HTTP_PHASE_EXCHANGE: return step_exchange(c, e);
	case HTTP_PHASE_IDLE: break;
	}
	(void)err_set(e, ERR_SYS, "no exchange was begun");
	return PROGRESS_BAD;
}

/*
 * A server may close an idle connection at any time, also while the next request is on its way
 * (RFC 9112 section 9.3.1): once more, if being done twice is no different from once.
 */
static bool may_retry(const struct http_client *c)
{
	return c->is_reused && !c->was_retried && (c->is_repeatable || !http_was_sent(c)) &&
	       clock_now_ms() - c->start_ms < HTTP_RACE_MS;
}

static void add_origin(const char *what, const struct url *u, struct err *e)
{
	char text[NET_HOST_MAX + 32];
	struct buf b;

	buf_init(&b, text, sizeof text);
	url_add_origin(&b, u);
	(void)err_wrap(e, "%s%s", what, b.p);
}

static void add_where(const struct http_client *c, struct err *e)
{
	if (c->origin->has_proxy && c->phase <= HTTP_PHASE_TUNNEL)
		add_origin("proxy ", &c->origin->proxy, e);
	add_origin("", &c->origin->url, e);
}

static enum http_result failed(struct http_client *c, bool is_dead, struct err *e)
{
	if (is_dead && c->is_send_broken && c->send_err.text[0])
		*e = c->send_err;
	if (is_dead && http_was_sent(c) && !c->is_repeatable)
		(void)err_wrap(e, "answer lost, the request may have been done");
	if (!c->is_sink_error)
		add_where(c, e);
	http_close(c);
	return HTTP_BAD;
}

static enum http_result done(struct http_client *c)
{
	c->was_sent = true;
	stream_set_cuttable(&c->stream, false);
	if (!http_answer_keeps(c))
		drop(c);
	c->phase = HTTP_PHASE_IDLE;
	return HTTP_DONE;
}

enum http_result http_step(struct http_client *c, struct err *e)
{
	c->is_hasty = false;
	for (int i = 0; i < STEP_MAX; i++) {
		enum http_progress p = PROGRESS_WAIT;

		if (clock_now_ms() >= c->deadline_ms && http_is_busy(c))
			p = too_late(c, e);
		else
			p = step_once(c, e);
		if (p == PROGRESS_DEAD && may_retry(c)) {
			connect_anew(c);
			c->was_retried = true;
			p = PROGRESS_GO;
		}
		if (p == PROGRESS_WAIT)
			return HTTP_MORE;
		if (p == PROGRESS_DONE)
			return done(c);
		if (p != PROGRESS_GO)
			return failed(c, p == PROGRESS_DEAD, e);
	}
	c->is_hasty = true;
	return HTTP_MORE;
}

void http_wants(const struct http_client *c, struct loop_wait *w)
{
	bool is_tunnelling = c->phase == HTTP_PHASE_TUNNEL;
	bool is_sending =
		is_tunnelling ? c->sent < c->tunnel_len : !is_all_sent(c) && !c->is_send_broken;

	if (c->phase == HTTP_PHASE_IDLE)
		return;
	loop_wait_until(w, c->is_hasty ? 0 : c->deadline_ms);
	if (c->phase == HTTP_PHASE_RESOLVE)
		resolve_wants(&c->resolve, w);
	else if (c->phase == HTTP_PHASE_DIAL)
		dial_wants(&c->dial, w);
	else
		loop_wait_fd(w, c->stream.fd, stream_events(&c->stream, is_sending));
}

int http_exchange(struct http_client *c, const struct http_request *r, const struct http_sink *s,
		  int64_t deadline_ms, struct err *e)
{
	enum http_result result;

	if (http_start(c, r, s, deadline_ms, e))
		return -1;
	while ((result = http_step(c, e)) == HTTP_MORE) {
		struct loop_alone alone;

		http_wants(c, loop_alone_begin(&alone));
		loop_alone_wait(&alone);
	}
	return result == HTTP_DONE ? 0 : -1;
}
