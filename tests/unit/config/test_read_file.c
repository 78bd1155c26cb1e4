/* A file of settings, whatever stands at its path: read to its end, or given up in time. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/values.h"

#define WAIT_MS 300

static struct values v;
static char out[4097];

static int read_it(const char *path, struct err *e)
{
	v.wait_ms = WAIT_MS;
	memset(out, '?', sizeof out);
	*e = (struct err){0};
	return values_read_file(&v, path, out, sizeof out, e);
}

static void refuse(const char *path, const char *told)
{
	struct err e;

	CHECK(read_it(path, &e) == -1, "%s", path);
	CHECK(e.kind == ERR_CONFIG && strstr(e.text, told), "%s: %s", path, e.text);
}

static void test_whole(void **state)
{
	static char text[4097];
	struct err e;

	(void)state;
	assert_int_equal(read_it(test_file("abc\n", 4), &e), 0);
	assert_string_equal(out, "abc\n");
	assert_int_equal(read_it(test_file("", 0), &e), 0);
	assert_string_equal(out, "");
	memset(text, 'x', sizeof text);
	assert_int_equal(read_it(test_file(text, 4096), &e), 0);
	assert_int_equal(strlen(out), 4096);
	refuse(test_file(text, 4097), "longer than 4096 bytes");
	refuse(test_file("a\0b", 3), "NUL");
	refuse("/nonexistent", "No such file");
	refuse("/tmp", "Is a directory");
	refuse("/dev/zero", "longer than");
	assert_int_equal(read_it("/dev/null", &e), 0);
	/* More than a pipe holds at once. */
	{
		static char big[262145], read[262145];
		struct values slow = {.wait_ms = 5000};

		memset(big, 'y', sizeof big);
		assert_int_equal(values_read_file(&slow, test_file(big, 262144), read, sizeof read, &e), 0);
		assert_int_equal(strlen(read), 262144);
	}
}

/* Nothing of a text that was not taken stays. */
static void test_nothing_stays(void **state)
{
	(void)state;
	refuse(test_file("secret\0", 7), "NUL");
	assert_true(memcmp(out, "secret", 6) != 0);
}

/* A FIFO with what stands in script, a character each: '.' waits 100 ms, else it is written; '$' ends it. */
static const char *fifo(const char *script, pid_t *writer)
{
	static char path[32];

	(void)snprintf(path, sizeof path, "/tmp/dnsbuddy-unit-fifo-XXXXXX");
	assert_true(close(mkstemp(path)) == 0 && unlink(path) == 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	*writer = 0;
	if (!*script)
		return path;
	/* The reader makes SIGCHLD ignored: a test waits for its own. */
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	*writer = fork();
	if (*writer)
		return path;
	{
		int fd = open(path, O_WRONLY);

		for (; *script && *script != '$'; script++)
			if (*script == '.')
				(void)usleep(100000);
			else if (write(fd, script, 1) != 1)
				_exit(1);
		if (*script == '$')
			_exit(0);
		(void)pause();
		_exit(0);
	}
}

static void end(const char *path, pid_t writer)
{
	(void)unlink(path);
	if (writer)
		(void)kill(writer, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static const struct {
	const char *script;
	const char *text; /* NULL: it does not come */
} pipes[] = {
	{"", NULL}, /* nobody opens the other end */
	{"abc", NULL}, {".....", NULL}, {"a.b.c....d$", NULL}, {"abc$", "abc"}, {"a.b.c$", "abc"}, {"$", ""},
};

static void test_pipes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pipes); i++) {
		pid_t writer;
		const char *path = fifo(pipes[i].script, &writer);
		int64_t before = clock_now_ms();
		struct err e;
		int rc = read_it(path, &e);

		end(path, writer);
		CHECK(clock_now_ms() - before < 10 * WAIT_MS, "%s: %d ms", pipes[i].script, (int)(clock_now_ms() - before));
		CHECK((rc == 0) == (pipes[i].text != NULL), "%s: %s", pipes[i].script, e.text);
		CHECK(rc == 0 || strstr(e.text, "timed out"), "%s: %s", pipes[i].script, e.text);
		CHECK(rc != 0 || strcmp(out, pipes[i].text) == 0, "%s: %s", pipes[i].script, out);
	}
}

static void take_alarm(int number)
{
	(void)number;
}

/* A signal that comes meanwhile ends no waiting. */
static void test_signals(void **state)
{
	const struct sigaction action = {.sa_handler = take_alarm};
	pid_t writer;
	const char *path = fifo("a.b$", &writer);
	struct err e;
	int rc;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	(void)ualarm(30000, 0);
	rc = read_it(path, &e);
	end(path, writer);
	CHECK(rc == 0, "%s", e.text);
	assert_string_equal(out, "ab");
}

static int files_n(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Neither descriptors nor children are left, and nobody has to wait for them. */
static void test_nothing_is_left(void **state)
{
	int before = files_n();
	struct err e;

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(read_it(test_file("abc", 3), &e), 0);
	v.wait_ms = 1;
	{
		pid_t writer;
		const char *path = fifo("", &writer);

		assert_int_equal(values_read_file(&v, path, out, sizeof out, &e), -1);
		(void)unlink(path);
	}
	assert_int_equal(files_n(), before);
	(void)usleep(200000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Nor does one stay that waits for ever when who waits for it is ended. */
static void test_it_goes_with_us(void **state)
{
	pid_t writer, reader, left = 0;
	const char *path = fifo("", &writer);
	struct err e;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	reader = fork();
	if (!reader) {
		v.wait_ms = 10000;
		_exit(values_read_file(&v, path, out, sizeof out, &e) ? 1 : 0);
	}
	(void)usleep(300000);
	assert_int_equal(kill(reader, SIGKILL), 0);
	assert_int_equal(waitpid(reader, NULL, 0), reader);
	for (int i = 0; i < 20 && left == 0; i++) {
		(void)usleep(100000);
		left = waitpid(-1, NULL, WNOHANG);
	}
	(void)close(open(path, O_WRONLY | O_NONBLOCK)); /* lets go whoever is there still */
	(void)unlink(path);
	CHECK(left > 0, "%d", (int)left);
}

/* Where no process may be made it is read all the same. */
static void test_no_child(void **state)
{
	const char *path = test_file("abc", 3);
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(chmod(path, 0644), 0);
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	pid = fork();
	if (!pid) {
		const struct rlimit none = {0, 0};
		struct err e;

		if (setrlimit(RLIMIT_NPROC, &none) || (geteuid() == 0 && setuid(65534)))
			_exit(2);
		_exit(fork() >= 0 ? 3 : read_it(path, &e) || strcmp(out, "abc") != 0 ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),           cmocka_unit_test(test_nothing_stays),   cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_signals),         cmocka_unit_test(test_nothing_is_left), cmocka_unit_test(test_no_child),
		cmocka_unit_test(test_it_goes_with_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
