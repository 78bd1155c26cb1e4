#include "run/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_text.h"
#include "base/fmt.h"
#include "base/inherited.h"
#include "base/secret.h"
#include "base/str.h"

#define PATH_CAP 4096 /* bytes of a file's whole name in PATH; a longer one is none */

extern char **environ;

static struct process *running; /* all that were started and are not over */
static bool (*is_hidden_variable)(const char *pair);

void process_hide_environment(bool (*is_hidden)(const char *pair))
{
	is_hidden_variable = is_hidden;
}

/* ---- in the child ---- */

static void hide_variables(void)
{
	char **kept = environ;

	for (char **pair = environ; is_hidden_variable && *pair; pair++)
		if (!is_hidden_variable(*pair))
			*kept++ = *pair;
	if (is_hidden_variable)
		*kept = NULL;
}

static void empty_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd < 0) /* an image without it: reading fails there */
		fd = open("/", O_RDONLY | O_DIRECTORY);
	(void)dup2(fd, STDIN_FILENO);
	if (fd != STDIN_FILENO)
		(void)close(fd);
	/* cppcheck-suppress resourceLeak ; else it is in its place */
}

/* Of a terminal whose foreground we are: what reads and is typed is the application's. */
static void come_to_front(void)
{
	if (tcgetpgrp(STDIN_FILENO) == getpgid(getppid()))
		(void)tcsetpgrp(STDIN_FILENO, getpid()); /* SIGTTOU is blocked: it does it */
}

/*
 * As execvp(), which in some C libraries gives what is no program to a shell. Returns an errno: a
 * file that is there, but cannot be executed, is told of rather than that there is none elsewhere.
 */
static int execute(char *const *argv)
{
	const char *path = getenv("PATH");
	char file[PATH_CAP];
	int error = ENOENT;

	if (strchr(argv[0], '/')) {
		(void)execve(argv[0], argv, environ);
		return errno;
	}
	if (!path)
		path = "/usr/local/bin:/bin:/usr/bin";
	for (bool is_last = false; !is_last; path++) {
		size_t len = strcspn(path, ":");

		if (fmt_text(file, sizeof file, "%.*s%s%s", (int)len, path, len ? "/" : "",
			     argv[0]) < sizeof file) {
			(void)execve(file, argv, environ);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
			if (error != ENOENT && error != EACCES)
				return error;
		}
		path += len;
		is_last = !*path;
	}
	return error;
}

/* Does not return. why: where the errno goes that kept it from becoming argv */
static void become(char *const *argv, enum process_output output, int out, int why)
{
	int error;

	(void)setpgid(0, 0);
	if (output == PROCESS_FOREGROUND)
		come_to_front();
	inherited_restore();
	if (output != PROCESS_FOREGROUND)
		empty_stdin();
	if (output == PROCESS_LAST_LINE) {
		(void)dup2(out, STDOUT_FILENO);
		(void)dup2(out, STDERR_FILENO);
	}
	hide_variables();
	error = *argv[0] ? execute(argv) : ENOENT;
	(void)!write(why, &error, sizeof error);
	_exit(PROCESS_NOT_FOUND);
}

/* ---- start ---- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* A pipe whose reader does not wait; the writer's end is an ordinary one. */
static int open_pipe(int ends[2])
{
	ends[0] = ends[1] = -1;
	if (syscall(SYS_pipe2, ends, O_CLOEXEC))
		return -1;
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return 0;
}

int process_start(struct process *p, char *const *argv, enum process_output output, struct err *e)
{
	int why[2] = {-1, -1}, out[2] = {-1, -1};
	pid_t pid = -1;

	if (open_pipe(why) == 0 && (output != PROCESS_LAST_LINE || open_pipe(out) == 0)) {
		inherited_block_signals();
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			become(argv, output, out[1], why[1]);
		if (pid > 0)
			(void)setpgid(pid, pid); /* as it does: whoever comes first */
	}
	if (pid < 0)
		(void)err_set(e, ERR_SYS, "%s cannot be started: %s", argv[0], errno_text(errno));
	inherited_unblock_signals();
	close_fd(&why[1]);
	close_fd(&out[1]);
	if (pid < 0) {
		close_fd(&why[0]);
		close_fd(&out[0]);
		return -1;
	}
	*p = (struct process){
		.pid = pid,
		.is_unconfirmed = true,
		.exec_fd = why[0],
		.out = out[0],
		.leftovers = SIGKILL,
		.next = running,
	};
	running = p;
	return 0;
}

bool process_is_running(const struct process *p)
{
	return p->pid && !p->is_over;
}

bool process_is_confirmed(const struct process *p)
{
	return process_is_running(p) && !p->is_unconfirmed;
}

void process_kill(const struct process *p, int number)
{
	if (process_is_running(p))
		(void)kill(-p->pid, number); /* ESRCH: it is in another's session now */
}

void process_signal(const struct process *p, int number)
{
	if (process_is_running(p))
		(void)kill(p->pid, number);
}

void process_set_leftovers(struct process *p, int number)
{
	p->leftovers = number;
}

/* ---- its output ---- */

static void end_line(struct process *p)
{
	char *text = p->rest, *nul;

	p->rest[p->rest_len] = '\0';
	while ((nul = memchr(text, '\0', p->rest_len)))
		*nul = '?';
	p->rest_len = 0;
	text = str_trim(text);
	if (!*text)
		return;
	memcpy(p->line, text, strlen(text) + 1); /* as long as the other at most */
}

static void take_output(struct process *p, const char *from, size_t n)
{
	while (n) {
		const char *end = memchr(from, '\n', n);
		size_t len = end ? (size_t)(end - from) : n;
		size_t room = sizeof p->rest - 1 - p->rest_len;

		memcpy(p->rest + p->rest_len, from, len < room ? len : room);
		p->rest_len += len < room ? len : room;
		if (end)
			end_line(p);
		len += end != NULL;
		from += len;
		n -= len;
	}
}

static void read_output(struct process *p)
{
	char piece[4096];
	ssize_t got = 1;

	p->read_ms = 0;
	for (size_t n = 0; p->out >= 0 && n < PROCESS_READ_MAX && got > 0; n += (size_t)got) {
		got = read(p->out, piece, sizeof piece);
		if (got > 0)
			take_output(p, piece, (size_t)got);
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			close_fd(&p->out);
	}
	if (p->out >= 0 && got > 0)
		p->read_ms = clock_now_ms() + PROCESS_READ_MS;
}

/* ---- its beginning: the pipe is closed when it becomes another program ---- */

static void fail_to_execute(struct process *p)
{
	bool is_there = p->exec_error != ENOENT && p->exec_error != ENOTDIR;

	p->code = is_there ? PROCESS_NOT_EXECUTABLE : PROCESS_NOT_FOUND;
	(void)fmt_text(p->line, sizeof p->line, "%s", errno_text(p->exec_error));
}

static void read_beginning(struct process *p)
{
	int error;
	ssize_t got = p->exec_fd < 0 ? -1 : read(p->exec_fd, &error, sizeof error);

	if (got == sizeof error)
		p->exec_error = error; /* it ends now, of which SIGCHLD tells */
	if (got < 0)
		return;
	p->is_unconfirmed = got > 0;
	close_fd(&p->exec_fd);
}

void process_wants(const struct process *p, struct loop_wait *w)
{
	if (!process_is_running(p))
		return;
	loop_wait_fd(w, p->exec_fd, POLLIN);
	if (p->read_ms)
		loop_wait_until(w, p->read_ms);
	else
		loop_wait_fd(w, p->out, POLLIN);
}

void process_step(struct process *p)
{
	if (!process_is_running(p))
		return;
	if (p->read_ms <= clock_now_ms())
		read_output(p);
	read_beginning(p);
}

/* ---- its end ---- */

static void finish(struct process *p, const siginfo_t *info)
{
	read_beginning(p);
	read_output(p);
	end_line(p);
	secret_clean(p->line);
	close_fd(&p->out);
	p->code = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
	if (p->exec_error)
		fail_to_execute(p);
	p->is_over = true;
}

static struct process **find(pid_t pid)
{
	struct process **at = &running;

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	return at;
}

/* info is of one that waits to be reaped: until then its number is nobody else's. */
static void reap(const siginfo_t *info)
{
	struct process **at = find(info->si_pid), *p = *at;

	if (p) {
		*at = p->next;
		(void)kill(-p->pid, p->leftovers);
		finish(p, info);
	}
	(void)waitpid(info->si_pid, NULL, WNOHANG);
}

void process_reap_all(void)
{
	siginfo_t info = {0};

	while (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid) {
		struct process *p = *find(info.si_pid);

		if (info.si_code != CLD_STOPPED) {
			reap(&info);
		} else {
			if (p)
				p->stop_signal = info.si_status;
			(void)waitid(P_PID, (id_t)info.si_pid, &info, WSTOPPED | WNOHANG);
		}
		info.si_pid = 0;
	}
}
