#include "net/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_text.h"

void dial_init(struct dial *d)
{
	memset(d, 0, sizeof *d);
	d->fd = -1;
}

static void close_socket(struct dial *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}

void dial_stop(struct dial *d)
{
	close_socket(d);
}

void dial_start(struct dial *d, int64_t deadline_ms)
{
	dial_stop(d);
	d->next = 0;
	d->deadline_ms = deadline_ms;
	d->last.text[0] = '\0';
}

static void set_no_delay(int fd, int family)
{
	int on = 1;

	/* ENOSYS, EINVAL, ENOTSUP are tolerated: slower, but right. */
	if (family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Errno as people know it: errno_text() says "Connection refused". */
static void address_failed(struct dial *d, int error)
{
	char *first = d->last.text;

	(void)err_set(&d->last, ERR_RETRY, "%s", errno_text(error));
	if (*first >= 'A' && *first <= 'Z')
		*first = (char)(*first - 'A' + 'a');
	close_socket(d);
}

static enum dial_result take_socket(struct dial *d, int *fd)
{
	*fd = d->fd;
	d->fd = -1;
	return DIAL_DONE;
}

/* Begin with the next address. Its share: what is left, by the addresses that are left. */
static enum dial_result try_next(struct dial *d, int *fd)
{
	const struct net_address *a = &d->addresses.list[d->next];
	int64_t now_ms = clock_now_ms();
	int64_t left_n = (int64_t)(d->addresses.n - d->next);

	d->next++;
	d->share_ms = now_ms + (d->deadline_ms - now_ms) / left_n;
	d->fd = net_open_socket(a->sa.any.sa_family, SOCK_STREAM);
	if (d->fd < 0) {
		address_failed(d, errno);
		return DIAL_MORE;
	}
	set_no_delay(d->fd, a->sa.any.sa_family);
	if (!connect(d->fd, &a->sa.any, a->len))
		return take_socket(d, fd);
	/* EINTR: the connection goes on being made, as after EINPROGRESS. */
	if (errno != EINPROGRESS && errno != EINTR)
		address_failed(d, errno);
	return DIAL_MORE;
}

/* See how the present connect is doing. Sets waiting when it needs more time. */
static enum dial_result check_connect(struct dial *d, int *fd, bool *waiting)
{
	struct pollfd pfd = {.fd = d->fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof error;

	if (poll(&pfd, 1, 0) <= 0 || !pfd.revents) {
		if (clock_now_ms() >= d->share_ms)
			address_failed(d, ETIMEDOUT);
		else
			*waiting = true;
		return DIAL_MORE;
	}
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (!error)
		return take_socket(d, fd);
	address_failed(d, error);
	return DIAL_MORE;
}

static enum dial_result all_failed(const struct dial *d, struct err *e)
{
	if (d->addresses.n == 1)
		(void)err_set(e, ERR_RETRY, "connect: %s", d->last.text);
	else
		(void)err_set(e, ERR_RETRY, "connect: %s (%zu addresses tried)", d->last.text,
			      d->addresses.n);
	return DIAL_BAD;
}

enum dial_result dial_step(struct dial *d, int *fd, struct err *e)
{
	bool waiting = false;

	while (!waiting) {
		enum dial_result r;

		if (d->fd < 0 && d->next == d->addresses.n)
			return all_failed(d, e);
		r = d->fd < 0 ? try_next(d, fd) : check_connect(d, fd, &waiting);
		if (r == DIAL_DONE)
			return r;
	}
	return DIAL_MORE;
}

void dial_wants(const struct dial *d, struct loop_wait *w)
{
	loop_wait_fd(w, d->fd, POLLOUT);
	loop_wait_until(w, d->share_ms);
}
