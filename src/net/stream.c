#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/errno_text.h"

void stream_init(struct stream *s, int fd)
{
	s->fd = fd;
	s->layer = NULL;
	s->sent = s->is_cuttable = false;
}

void stream_use(struct stream *s, const struct stream_layer *layer, void *ctx)
{
	s->layer = layer;
	s->ctx = ctx;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

static enum io_result lost(const char *what, struct err *e)
{
	/* ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH... all the same to us */
	(void)err_set(e, ERR_RETRY, "%s: %s", what,
		      errno == ECONNRESET ? "connection reset by the server"
		      : errno == EPIPE    ? "connection closed by the server"
					  : errno_text(errno));
	return IO_LOST;
}

static enum io_result plain_send(struct stream *s, const struct iovec *v, int n, size_t *done,
				 struct err *e)
{
	struct iovec copy[2];
	struct msghdr m = {.msg_iov = copy};
	ssize_t sent;

	/* msghdr's pointer is not to const. */
	m.msg_iovlen = 0;
	for (int i = 0; i < n && i < 2; i++)
		copy[m.msg_iovlen++] = v[i];
	do
		sent = sendmsg(s->fd, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return would_block() ? IO_WAIT : lost("send", e);
	s->sent = s->sent || sent > 0;
	*done = (size_t)sent;
	return sent ? IO_OK : IO_WAIT;
}

enum io_result stream_send(struct stream *s, const struct iovec *v, int n, size_t *done,
			   struct err *e)
{
	enum io_result r = IO_WAIT;

	*done = 0;
	if (!s->layer)
		return plain_send(s, v, n, done, e);
	for (int i = 0; i < n; i++) {
		size_t one = 0;

		r = s->layer->send(s->ctx, s->fd, v[i].iov_base, v[i].iov_len, &one, e);
		*done += one;
		if (r != IO_OK || one < v[i].iov_len)
			break;
	}
	s->sent = s->sent || *done;
	return *done && r == IO_WAIT ? IO_OK : r;
}

enum io_result stream_flush(struct stream *s, struct err *e)
{
	return s->layer ? s->layer->flush(s->ctx, s->fd, e) : IO_OK;
}

enum io_result stream_recv(struct stream *s, char *p, size_t cap, size_t *got, struct err *e)
{
	ssize_t n;

	*got = 0;
	if (s->layer)
		return s->layer->recv(s->ctx, s->fd, p, cap, got, e);
	do
		n = recv(s->fd, p, cap, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return would_block() ? IO_WAIT : lost("receive", e);
	*got = (size_t)n;
	return n ? IO_OK : IO_EOF;
}

short stream_events(const struct stream *s, bool sending)
{
	bool out = s->layer ? s->layer->wants_send(s->ctx) : sending;

	return (short)(POLLIN | (out ? POLLOUT : 0));
}

bool stream_is_stale(const struct stream *s)
{
	struct pollfd pfd = {.fd = s->fd, .events = POLLIN};

	if (s->layer && s->layer->has_input(s->ctx))
		return true;
	return poll(&pfd, 1, 0) != 0;
}

void stream_set_cuttable(struct stream *s, bool yes)
{
	const struct linger at_once = {.l_onoff = yes};

	if (s->is_cuttable != yes)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	s->is_cuttable = yes;
}

void stream_close(struct stream *s)
{
	if (s->fd < 0)
		return;
	/* A goodbye would flush what is left of the request before it. */
	if (s->layer && !s->is_cuttable)
		s->layer->bye(s->ctx, s->fd);
	(void)close(s->fd);
	s->fd = -1;
	s->layer = NULL;
}
