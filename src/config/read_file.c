#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_text.h"
#include "config/values.h"

/* These return 0 or an errno. */

static int read_path(const char *path, char *out, size_t cap, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = fd < 0 ? errno : 0;
	ssize_t got = 1;

	while (!error && *len < cap && got) {
		got = read(fd, out + *len, cap - *len);
		if (got > 0)
			*len += (size_t)got;
		else if (got < 0 && errno != EINTR)
			error = errno;
	}
	(void)close(fd);
	return error;
}

/* Read from a pipe until its end, or until p is full. */
static int read_pipe(int fd, char *p, size_t cap, size_t *len, int64_t deadline_ms)
{
	while (*len < cap) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int64_t now_ms = clock_now_ms();
		ssize_t got;

		if (now_ms >= deadline_ms)
			return ETIMEDOUT;
		if (poll(&poll_fd, 1, clock_poll_timeout(deadline_ms, now_ms)) <= 0)
			continue;
		got = read(fd, p + *len, cap - *len);
		if (got <= 0)
			return got < 0 ? errno : 0;
		*len += (size_t)got;
	}
	return 0;
}

static void write_whole(int fd, const char *p, size_t n)
{
	ssize_t put = 0;

	for (; n && put >= 0; n -= (size_t)put, p += put)
		put = write(fd, p, n);
}

/*
 * A FIFO or a mount that hangs would hold whoever opens it, without limit: a child does, which is
 * ourselves once more and gone with its answer (an errno, then the bytes), or killed.
 */
static int read_by_child(const char *path, char *out, size_t cap, size_t *len, int wait_ms)
{
	const int64_t deadline_ms = clock_now_ms() + wait_ms;
	size_t first = 0;
	unsigned char error = EIO;
	int ends[2], rc;
	pid_t child;

	if (pipe(ends))
		return errno;
	(void)signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!child) {
		error = (unsigned char)read_path(path, out, cap, len);
		write_whole(ends[1], (const char *)&error, 1);
		write_whole(ends[1], out, *len);
		_exit(0);
	}
	(void)close(ends[1]);
	rc = child < 0 ? read_path(path, out, cap, len)
		       : read_pipe(ends[0], (char *)&error, 1, &first, deadline_ms);
	if (!rc && child > 0)
		rc = error ? error : read_pipe(ends[0], out, cap, len, deadline_ms);
	if (child > 0 && rc == ETIMEDOUT &&
	    error != ETIMEDOUT) /* else its number may be another's */
		(void)kill(child, SIGKILL);
	(void)close(ends[0]);
	return rc;
}

int values_read_file(const struct values *v, const char *path, char *out, size_t cap, struct err *e)
{
	size_t len = 0;
	int error = read_by_child(path, out, cap, &len, v->wait_ms), rc = -1;

	if (error)
		(void)err_set(e, ERR_CONFIG, "%s", errno_text(error));
	else if (len == cap)
		(void)err_set(e, ERR_CONFIG, "it is longer than %zu bytes", cap - 1);
	else if (memchr(out, '\0', len))
		(void)err_set(e, ERR_CONFIG, "it holds a NUL byte: is it UTF-16?");
	else
		rc = 0;
	if (rc)
		explicit_bzero(out, len);
	else
		out[len] = '\0';
	return rc;
}
