/*
 * One byte stream over a connected socket, plain or TLS. Never blocks, never raises SIGPIPE.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/err.h"
#include "net/io.h"
#include "net/tls/tls.h"

struct stream {
	int fd;                  /* -1 when closed */
	struct tls_storage *tls; /* NULL: plain */
	bool sent;               /* any byte of the caller's may have left for the peer */
};

/* Take fd, which the stream closes; plain at first. */
void stream_init(struct stream *s, int fd);

/* Talk TLS from here on; the handshake is to be done by tls_handshake(). */
void stream_use_tls(struct stream *s, struct tls_storage *t);

/*
 * Send what can be sent of v[0..n), in as few segments or records as possible.
 *   done  set to the bytes taken: more than none on OK, none otherwise
 * With TLS, bytes taken may wait in a buffer: go on with stream_flush() until it says OK.
 */
enum io_result stream_send(struct stream *s, const struct iovec *v, int n, size_t *done,
			   struct err *e);
enum io_result stream_flush(struct stream *s, struct err *e);

/* Receive at most cap bytes; got is set, more than 0 on OK. */
enum io_result stream_recv(struct stream *s, char *p, size_t cap, size_t *got, struct err *e);

/* What poll() should look for: receiving is always of interest, sending when `sending`. */
short stream_events(const struct stream *s, bool sending);

/* For an idle connection: true when the peer has sent or closed something. Never waits. */
bool stream_is_stale(const struct stream *s);

/* Close; with TLS and when the socket takes it at once, after saying so to the peer. */
void stream_close(struct stream *s);

#endif
