/* base/out: standard output as files, pipes and full disks have it. A process for each case. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/out.h"

#define LINES_N 5000

/* Run fn with standard output at fd, in a process of its own; returns its exit code. */
static int run_at(int fd, int (*fn)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (!pid) {
		if (dup2(fd, STDOUT_FILENO) < 0)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int flush_code(const char *wanted_error)
{
	struct err e = {0};

	if (!out_flush(&e))
		return 0;
	return e.kind == ERR_SYS && strcmp(e.text, wanted_error) == 0 ? 1 : 98;
}

static int write_lines(void)
{
	for (int i = 0; i < LINES_N; i++) {
		out_fmt("%06d %s", i, "and");
		out_str(" so on\n");
	}
	return flush_code("");
}

static int write_little(void)
{
	out_str("a line\n");
	return flush_code("standard output: No space left on device");
}

static int write_much_to_full(void)
{
	(void)write_lines();
	/* Sticky: nothing more is tried, and the first error is the one that is told. */
	out_str("more");
	out_push();
	return flush_code("standard output: No space left on device");
}

static int write_to_closed(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	out_str("a line\n");
	return flush_code("standard output: Broken pipe");
}

static int write_to_none(void)
{
	(void)close(STDOUT_FILENO);
	out_str("a line\n");
	return flush_code("standard output: Bad file descriptor");
}

static int write_nothing_to_none(void)
{
	(void)close(STDOUT_FILENO);
	return flush_code("");
}

static void check_lines(int fd)
{
	char line[32], got[32];

	for (int i = 0; i < LINES_N; i++) {
		int n = snprintf(line, sizeof line, "%06d and so on\n", i);

		assert_int_equal(read(fd, got, (size_t)n), n);
		assert_memory_equal(got, line, (size_t)n);
	}
	assert_int_equal(read(fd, got, 1), 0);
}

static void test_to_file(void **state)
{
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	assert_int_equal(run_at(fileno(f), write_lines), 0);
	assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
	check_lines(fileno(f));
	(void)fclose(f);
}

static void test_full_disk(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(run_at(fd, write_little), 1);
	assert_int_equal(run_at(fd, write_much_to_full), 1);
	(void)close(fd);
}

static void test_closed_pipe(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	(void)close(fds[0]);
	assert_int_equal(run_at(fds[1], write_to_closed), 1);
	(void)close(fds[1]);
}

static void test_no_stdout(void **state)
{
	(void)state;
	assert_int_equal(run_at(STDERR_FILENO, write_to_none), 1);
	assert_int_equal(run_at(STDERR_FILENO, write_nothing_to_none), 0);
}

/* A reader that starts only when the pipe is full; the writer's end does not block. */
static void test_full_pipe(void **state)
{
	FILE *f = tmpfile();
	char got[4096];
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_non_null(f);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		(void)close(fds[0]);
		_exit(run_at(fds[1], write_lines));
	}
	while (poll(&(struct pollfd){.fd = fds[1], .events = POLLOUT}, 1, 0) == 1)
		(void)usleep(1000);
	(void)close(fds[1]);
	while ((n = read(fds[0], got, sizeof got)) > 0)
		assert_int_equal(write(fileno(f), got, (size_t)n), n);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
	check_lines(fileno(f));
	(void)fclose(f);
	(void)close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_file),   cmocka_unit_test(test_full_disk), cmocka_unit_test(test_closed_pipe),
		cmocka_unit_test(test_no_stdout), cmocka_unit_test(test_full_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
