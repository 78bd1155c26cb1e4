/*
 * HTTP/1.1 client, RFC 9112: one exchange at a time over one connection that is kept and reused.
 * Never blocks by itself: http_step() does what can be done now and http_wants() says what to
 * wait for, so that many clients share one loop; http_exchange() is a loop for one.
 * Knows connections, TLS and framing; nothing of what is asked.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/http/chunk.h"
#include "net/dial.h"
#include "net/dns/resolve.h"
#include "net/http/head.h"
#include "net/http/proxy.h"
#include "net/stream.h"
#include "net/tls/tls.h"
#include "net/http/url.h"

#define HTTP_BODY_MAX 268435456 /* bytes of a decoded body, 256 MiB */
#define HTTP_REQUEST_HEAD_MAX 8192
#define HTTP_TARGET_CAP 2048 /* bytes of a path and query of ours, with the NUL */
#define HTTP_FDS 1           /* descriptors that http_wants() adds at most */
#define HTTP_RECV_MAX 8192   /* bytes taken from the connection at once */

/* Who is asked and how: filled before the first exchange, read only after. */
struct http_origin {
	struct url url;
	const struct tls_config *tls; /* for https; NULL otherwise */
	bool has_proxy;               /* https only: CONNECT through this one */
	struct url proxy;
	char proxy_auth[PROXY_AUTH_MAX]; /* "Basic ..." or "" */
};

struct http_request {
	const char *method;
	const char *target;  /* path and query, encoded, from '/'; url.path goes before it */
	const char *headers; /* whole lines, each ended by CR LF; "" for none; never framing */
	const char *body;    /* NULL for none; must live until the exchange has ended */
	size_t body_len;
};

/*
 * Who takes the answer. Called in order: status once, header for each field of the final head
 * (names as sent: compare without case), body for each decoded piece. Any may be NULL. A
 * callback that returns -1, with *e set, ends the exchange: http_step returns BAD with that e.
 */
struct http_sink {
	void *ctx;
	int (*status)(void *ctx, int status, struct err *e);
	int (*header)(void *ctx, const char *name, const char *value, struct err *e);
	int (*body)(void *ctx, const char *p, size_t n, struct err *e);
};

enum http_result {
	HTTP_BAD,  /* failed, e says how; the connection is gone */
	HTTP_MORE, /* wait as http_wants() says, then step again */
	HTTP_DONE  /* the whole answer was taken */
};

struct http_counters {
	uint64_t connections; /* TCP or unix connections that were opened */
	uint64_t handshakes;  /* full TLS handshakes */
	uint64_t resumed;     /* resumed TLS sessions */
	uint64_t requests;    /* sent, repeats included */
};

enum http_phase {
	HTTP_PHASE_IDLE,    /* no exchange; the connection may be open */
	HTTP_PHASE_RESOLVE, /* looking up the address */
	HTTP_PHASE_DIAL,    /* connecting */
	HTTP_PHASE_TUNNEL,  /* asking the proxy */
	HTTP_PHASE_SECURE,  /* TLS handshake */
	HTTP_PHASE_EXCHANGE /* sending and receiving: the answer may come early */
};

enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED, HTTP_UNTIL_CLOSE };

/* One connection to one origin and the exchange over it. The fields are the module's own. */
struct http_client {
	/* What is looked at most comes first: near the beginning its code is shorter. */
	const struct http_origin *origin;
	struct tls_storage *tls;
	enum http_phase phase;
	bool is_resolving;  /* a look-up is under way */
	bool is_read;       /* the method is GET: it changes nothing */
	bool is_repeatable; /* the method may be sent twice: GET, PUT, DELETE */
	bool is_reused;     /* over a connection that served before */
	bool was_retried;   /* a reused connection was dead: this is the second try */
	bool was_sent;      /* any byte of the request may have reached the server */
	bool is_hasty;      /* it waits for nothing: not stepped yet, or stopped for fairness */
	bool is_sink_error; /* the error is the sink's */
	int64_t start_ms;
	int64_t deadline_ms;

	/* The answer. */
	bool has_answer; /* any byte of it has come */
	bool has_head;
	bool is_over;    /* all of it has come */
	bool has_excess; /* and bytes after it */
	enum http_framing framing;
	uint64_t received; /* decoded bytes of the body */

	/* The request: out, then body. */
	const char *body;
	size_t body_len;
	size_t out_len;
	size_t sent; /* of both together; of the request to a proxy */
	size_t tunnel_len;
	bool is_send_broken; /* the peer takes nothing more; its answer may be there all the same */

	struct stream stream;
	struct http_sink sink;
	struct head_sink head_sink;
	struct chunk chunk;
	struct http_counters counters;
	struct resolve resolve;
	struct dial dial;
	struct tls_session session;
	struct err send_err; /* why it is broken */
	/* Last, for they are not cleared: what is not used of them takes no memory. */
	struct head head;
	char out[HTTP_REQUEST_HEAD_MAX];
	char in[HTTP_RECV_MAX]; /* received, or the request to a proxy */
};

/*
 * Prepare a client, not connected.
 *   o    kept, as is what it points to
 *   tls  kept; one per client, for https only: NULL otherwise. Static at the caller's
 */
void http_client_init(struct http_client *c, const struct http_origin *o, struct tls_storage *tls);

/*
 * Begin an exchange. None may be under way. The idle connection is used if it is still good.
 *   r            the body it points to must live until the exchange has ended, the rest not
 *   s            copied
 *   deadline_ms  when the last byte must have come, look-up and connect included
 *   e            ERR_LIMIT: the request's head is past HTTP_REQUEST_HEAD_MAX; ERR_CONFIG: target
 *                or headers hold a control character
 * After 0 follow with http_step(); after -1 the client is as before.
 */
int http_start(struct http_client *c, const struct http_request *r, const struct http_sink *s,
	       int64_t deadline_ms, struct err *e) __attribute__((warn_unused_result));

/*
 * Go on as far as possible without waiting, though not for ever.
 *   e  filled on BAD:
 *      ERR_RETRY   no connection, connection lost, no complete answer before the deadline
 *      ERR_PROTO   the answer is not sound HTTP, or was cut off within TLS
 *      ERR_LIMIT   the answer is past a MAX
 *      ERR_TLS     the server could not be authenticated, or refuses our certificate
 *      ERR_AUTH    the proxy refuses our credentials
 *      ERR_REFUSED a redirect, with where it points; the proxy refuses the tunnel
 *      ERR_CONFIG  no server name to check
 *      or what a callback of the sink said, untouched
 * A GET, PUT or DELETE is sent once more, over a new connection, when a reused connection
 * turns out dead before any byte of the answer, within two seconds; any other method only if none
 * of it had been sent.
 * After DONE or BAD http_start() may be called. After BAD http_was_sent() tells whether the
 * server may have acted on the request.
 */
enum http_result http_step(struct http_client *c, struct err *e)
	__attribute__((warn_unused_result));

/* Add what to wait for. Between exchanges: nothing. */
void http_wants(const struct http_client *c, struct loop_wait *w);

/* http_start(), then http_step() in a loop of its own until the end: 0 after DONE, -1 after BAD. */
int http_exchange(struct http_client *c, const struct http_request *r, const struct http_sink *s,
		  int64_t deadline_ms, struct err *e) __attribute__((warn_unused_result));

/* Whether any byte of the last request may have reached the server. */
bool http_was_sent(const struct http_client *c);

/* Whether an exchange is under way. */
bool http_is_busy(const struct http_client *c);

/*
 * Drop the connection and the exchange, if any: anything but a GET that the server has not
 * received yet it never will, for the connection is reset. So it is when the process dies. What
 * makes the next TLS handshake short is kept.
 * Legal at any time after http_client_init().
 */
void http_close(struct http_client *c);

const struct http_counters *http_counters(const struct http_client *c);

/* When the root ends that last vouched for the server, seconds since 1970; 0: none did so far. */
int64_t http_root_end_sec(const struct http_client *c);

#endif
