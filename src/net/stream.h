/*
 * One byte stream over a connected socket, plain or through a layer such as TLS. Never blocks,
 * never raises SIGPIPE.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/err.h"
#include "net/io.h"

/*
 * What puts the bytes on the socket in place of the stream itself. send, flush and recv as the
 * functions of the stream below, for one piece.
 */
struct stream_layer {
	enum io_result (*send)(void *ctx, int fd, const void *p, size_t n, size_t *done,
			       struct err *e);
	enum io_result (*flush)(void *ctx, int fd, struct err *e);
	enum io_result (*recv)(void *ctx, int fd, char *p, size_t cap, size_t *got, struct err *e);
	bool (*wants_send)(const void *ctx); /* bytes of its own wait to be sent */
	bool (*has_input)(const void *ctx);  /* bytes that it has taken wait to be received */
	void (*bye)(void *ctx, int fd);      /* before the socket is closed; takes no waiting */
};

struct stream {
	int fd;                           /* -1 when closed */
	const struct stream_layer *layer; /* NULL: plain */
	void *ctx;                        /* of the layer */
	bool sent;                        /* any byte of the caller's may have left for the peer */
	bool is_cuttable;                 /* see stream_set_cuttable() */
};

/* Take fd, which the stream closes; plain at first. */
void stream_init(struct stream *s, int fd);

/* Go through this layer from here on; both pointers are kept. */
void stream_use(struct stream *s, const struct stream_layer *layer, void *ctx);

/*
 * Send what can be sent of v[0..n), in as few segments or records as possible.
 *   done  set to the bytes taken: more than none on OK, none otherwise
 * Through a layer, bytes taken may wait in a buffer: go on with stream_flush() until it says OK.
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

/*
 * Whether the end of the connection, by stream_close() or with the process however it dies, takes
 * back what the peer has not received yet: a reset in place of a goodbye (SO_LINGER of 0 s).
 */
void stream_set_cuttable(struct stream *s, bool yes);

/* Close, after the layer's goodbye. */
void stream_close(struct stream *s);

#endif
