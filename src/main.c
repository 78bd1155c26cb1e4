/*
 * What every command needs before it begins.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command/command.h"

/* The kernel is asked itself: musl's setrlimit(), which stops all threads, is 2 kB of code. */
#define FDS_MAX 1024 /* numbers below it: a command opens few, but may be given many */

/*
 * The number of a closed standard file would go to the next socket, and results or logs to its
 * peer. A folder is opened in its place: writing there fails, and is seen to.
 */
static void fill_standard_files(void)
{
	int fd;

	do
		fd = open("/", O_RDONLY | O_DIRECTORY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/*
 * End at once. A connection is reset: of a request that is half on its way the kernel would send
 * the rest after we are gone. Sockets that were inherited are somebody else's; ours alone are
 * closed on exec. Only what signal-safety(7) allows.
 */
static void end(int number)
{
	const struct linger reset = {.l_onoff = 1};

	for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && flags & FD_CLOEXEC)
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	}
	_exit(128 + number);
}

/* A default action does not end PID 1, nor does a signal that who started us has blocked. */
static void end_on_signals(void)
{
	struct sigaction action = {.sa_handler = end};
	const uint64_t none = 0;

	(void)sigfillset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

/* Secrets are in memory: no core of it, and no look at it by others of our user. */
static void hide_memory(void)
{
	const uint64_t none[2] = {0, 0}; /* struct rlimit64 */

	(void)syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL);
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks as a debugger does */
	(void)syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int main(int argc, char **argv)
{
	fill_standard_files();
	hide_memory();
	end_on_signals();
	(void)signal(SIGPIPE, SIG_IGN); /* who reads the log may go; the work goes on */
	return command_main(argc, argv);
}
