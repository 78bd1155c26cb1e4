#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/errno_text.h"
#include "config/values.h"

/* Returns 0 or an errno. */
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

/* What a child has read, in memory that it shares with us. */
struct read {
	int error;
	size_t len;
	char text[];
};

#define KILL_MS 100                   /* for it to be gone; whom a mount holds is left to it */
#define CLONE_ONLY ((int)0x80000000U) /* __WCLONE */

static int poll_end(int fd, int wait_ms)
{
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&end, 1, wait_ms);
	while (ready < 0 && errno == EINTR);
	return ready;
}

/* end is of a pipe that the child holds open. Returns 0 or an errno. */
static int wait_for(pid_t child, int end, int wait_ms)
{
	bool is_late = poll_end(end, wait_ms) <= 0;

	if (child < 0)
		return 0;
	if (is_late)
		(void)kill(child, SIGKILL);
	if (!is_late || poll_end(end, KILL_MS) > 0)
		while (waitpid(child, NULL, CLONE_ONLY) < 0 && errno == EINTR)
			;
	return is_late ? ETIMEDOUT : 0;
}

/*
 * A FIFO or a mount that hangs would hold whoever opens it, without limit. So a child does: it is
 * ourselves once more, and gone when it has read, is killed, or we are gone. It ends without
 * SIGCHLD, and is seen by nobody who waits for any child.
 */
static int read_by_child(const char *path, struct read *read, size_t cap, int wait_ms)
{
	int ends[2], error;
	pid_t child;

	if (pipe(ends))
		return errno;
	child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!child) /* it would not notice that nobody waits any more */
		(void)syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (child <= 0)
		read->error = read_path(path, read->text, cap, &read->len);
	if (!child)
		_exit(0);
	(void)close(ends[1]);
	error = wait_for(child, ends[0], wait_ms);
	(void)close(ends[0]);
	return error ? error : read->error;
}

int values_read_file(const struct values *v, const char *path, char *out, size_t cap, struct err *e)
{
	const size_t size = sizeof(struct read) + cap;
	int error, rc = -1;
	struct read *read;

	/* cppcheck-suppress invalidFunctionArg ; -1 is the way to say "no file" */
	read = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (read == MAP_FAILED)
		return err_set(e, ERR_CONFIG, "%s", errno_text(errno));
	read->error = EIO; /* should it die */
	error = read_by_child(path, read, cap, v->wait_ms);
	if (error) {
		(void)err_set(e, ERR_CONFIG, "%s", errno_text(error));
	} else if (read->len == cap) {
		(void)err_set(e, ERR_CONFIG, "it is longer than %zu bytes", cap - 1);
	} else if (memchr(read->text, '\0', read->len)) {
		(void)err_set(e, ERR_CONFIG, "it holds a NUL byte: is it UTF-16?");
	} else {
		memcpy(out, read->text, read->len + 1); /* zeroed, it ends with a NUL */
		rc = 0;
	}
	(void)munmap(read, size);
	return rc;
}
