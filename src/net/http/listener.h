/*
 * A small HTTP/1.1 server within somebody's poll(2) loop, for pages that are made on the spot:
 * GET and HEAD, one request per connection, everything bounded in bytes, number and time, so that
 * no reader or writer, however slow, holds the loop or shuts others out. RFC 9110, RFC 9112; it
 * sends no Date, for it is not given the wall clock. Knows nothing of what the pages say.
 */
#ifndef NET_HTTP_LISTENER_H
#define NET_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "net/http/listener_request.h"
#include "net/stream.h"

#define LISTEN_CONNECTIONS_MAX 8
#define LISTEN_REQUEST_MAX REQUEST_MAX
#define LISTEN_ANSWER_MAX 2097152 /* bytes of a page */
#define LISTEN_REQUEST_MS 5000    /* from connect to the request's last byte */
#define LISTEN_ANSWER_MS 10000    /* from there until the peer has taken the answer */
#define LISTEN_LINGER_MS 1000     /* and from there until it hangs up */
#define LISTEN_LINGER_MAX 65536   /* bytes it may send meanwhile */
#define LISTEN_PAUSE_MS 1000      /* without accepting, when the system has no descriptor left */
#define LISTEN_FDS (LISTEN_CONNECTIONS_MAX + 1)
#define LISTEN_HOST_CAP 46  /* bytes of a numeric address */
#define LISTEN_HEAD_CAP 512 /* bytes of an answer's head */
#define LISTEN_LOCALS 64    /* numbers of local listeners: 0 to 63 */
#define LISTEN_LOCAL_CAP 16 /* bytes of the name that goes with a number */

/*
 * Make the page at path.
 *   path, query   from '/', and what follows its '?', or ""; as sent: not decoded
 *   out           empty, room for LISTEN_ANSWER_MAX bytes; when it overflows the answer is 500
 *   content_type  set to a string that lives; text/plain when left alone
 * Returns the status: 200, 404 or 503. An empty page gets a line that names the status.
 */
typedef int listen_page_fn(void *ctx, const char *path, const char *query, struct buf *out,
			   const char **content_type);

enum listen_phase {
	LISTEN_FREE,    /* no connection */
	LISTEN_REQUEST, /* reading */
	LISTEN_ANSWER,  /* sending */
	LISTEN_LINGER   /* all is sent: waiting for the peer to close, so that no reset, for bytes
			   of its that nobody read, takes the answer away from it */
};

struct listen_connection {
	enum listen_phase phase;
	struct stream stream;
	uint64_t order; /* of connecting; the smallest goes first when room is needed */
	int64_t deadline_ms;
	size_t received; /* of the request; when lingering, after it */
	size_t sent;     /* of head and page together */
	struct buf head, page;
	char request[LISTEN_REQUEST_MAX];
	char head_text[LISTEN_HEAD_CAP];
	char *page_text; /* LISTEN_ANSWER_MAX + 1 bytes from the answer on; else NULL */
};

/* The fields are the module's own, but names. Zeroed, as static storage is, it is closed. */
struct listener {
	bool is_open;
	bool is_local;
	int fd;
	uint64_t order;
	int64_t pause_ms;  /* no accept() before; 0: at once */
	const char *names; /* that it is asked by: see request_is_for_us(); NULL: none */
	struct listen_connection connections[LISTEN_CONNECTIONS_MAX];
};

/*
 * Read "ADDR:PORT", "[ADDR]:PORT" with IPv6, or ":PORT" (every address of this machine;
 * "[::]:PORT" is the same where there is IPv6).
 *   host  the address as text; "" for every one; "localhost" becomes 127.0.0.1
 *   e     ERR_CONFIG: what is wrong and what would be right
 * Returns 0, or -1 with host and port untouched. Opens nothing.
 */
int listen_parse(const char *text, char host[LISTEN_HOST_CAP], uint16_t *port, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Listen at text, as listen_parse() reads it. l is closed, and static: it is large.
 *   e  ERR_CONFIG: as listen_parse(); ERR_SYS: the address is in use, not ours, not allowed
 */
int listen_open(struct listener *l, const char *text, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Listen at the first number that is free among the names of listen_local_name(): of unix sockets
 * in Linux's abstract namespace (unix(7)), which takes no file and goes with the process. Only
 * processes of our namespace of processes are answered. l as for listen_open().
 *   e  ERR_SYS: all are taken, or there is no such namespace here
 */
int listen_open_local(struct listener *l, struct err *e) __attribute__((warn_unused_result));

/* The name for net_address_set_unix(). */
void listen_local_name(char out[LISTEN_LOCAL_CAP], unsigned number);

/*
 * Whether who made the other end of this local connection is in our namespace of processes, not
 * in another container of the same network.
 *   of_our_user  and is our user or root, as whom we believe must be
 */
bool listen_is_near(int fd, bool of_our_user);

/* Add what to wait for, LISTEN_FDS descriptors at most. When closed: nothing. */
void listen_wants(const struct listener *l, struct loop_wait *w);

/*
 * Take and answer what can be without waiting; at most one read and one write per connection, and
 * LISTEN_CONNECTIONS_MAX new connections. A new one always gets a place: when all are taken, the
 * one that waits for its peer to hang up, else the one that came first, is dropped for it, so that
 * idle connections cannot keep a health check out. Does nothing when closed.
 *   page  called for each request that is sound; not kept
 */
void listen_step(struct listener *l, int64_t now_ms, listen_page_fn *page, void *ctx);

/* Stop listening and drop every connection. Legal at any time; listen_open() may follow. */
void listen_close(struct listener *l);

#endif
