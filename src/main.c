/*
 * What every command needs before it begins.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/inherited.h"
#include "command/command.h"

#define FDS_MAX 1024 /* numbers below it: a command opens few, but may be given many */

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

	(void)sigfillset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	inherited_unblock_signals();
}

/* Secrets are in memory: no core of it, and no look at it by others of our user. */
static void hide_memory(void)
{
	inherited_forbid_cores();
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks as a debugger does */
	(void)syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int main(int argc, char **argv)
{
	inherited_save();
	hide_memory();
	end_on_signals();
	(void)signal(SIGPIPE, SIG_IGN); /* who reads the log may go; the work goes on */
	return command_main(argc, argv);
}
