#include "base/out.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/errno_text.h"
#include "base/fmt.h"

static char held[OUT_CAP];
static size_t held_len;
static int first_errno;

/* Standard output may be a pipe that another process made non-blocking. */
static void wait_for_room(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	(void)poll(&p, 1, -1);
}

void out_push(void)
{
	const char *p = held;

	while (held_len && !first_errno) {
		ssize_t put = write(STDOUT_FILENO, p, held_len);

		if (put > 0) {
			p += put;
			held_len -= (size_t)put;
		} else if (!put) {
			first_errno = EIO;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			wait_for_room();
		} else if (errno != EINTR) {
			first_errno = errno;
		}
	}
	held_len = 0;
}

static void hold(void *ctx, const char *p, size_t n)
{
	(void)ctx;
	while (n && !first_errno) {
		size_t room = sizeof held - held_len;
		size_t part = n < room ? n : room;

		memcpy(held + held_len, p, part);
		held_len += part;
		p += part;
		n -= part;
		if (held_len == sizeof held)
			out_push();
	}
}

void out_str(const char *s)
{
	hold(NULL, s, strlen(s));
}

void out_fmt(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_to(hold, NULL, fmt, ap);
	va_end(ap);
}

int out_flush(struct err *e)
{
	out_push();
	if (first_errno)
		return err_set(e, ERR_SYS, "standard output: %s", errno_text(first_errno));
	return 0;
}
