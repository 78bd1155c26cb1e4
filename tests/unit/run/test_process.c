/* run/process: what becomes of children, as PID 1 would see them too: codes, output, groups. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inherited.h"
#include "base/loop.h"
#include "base/secret.h"
#include "run/process.h"

#define LONG_MS 10000

static struct loop loop;
static struct pollfd fds[16];
static struct loop_part part;
static struct process p;

static void part_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	process_wants(&p, w);
}

static void part_step(void *ctx, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	process_step(&p);
}

static void take_signal(void *ctx, int number)
{
	(void)ctx;
	if (number == SIGCHLD)
		process_reap_all();
}

/* Which signals are blocked and ignored, before anything of that is changed: who runs the tests ignores some, or not. */
static char own_masks[128];

static void read_own_masks(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256], blocked[32], ignored[32];

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		(void)sscanf(line, "SigBlk: %31s", blocked);
		(void)sscanf(line, "SigIgn: %31s", ignored);
	}
	(void)fclose(f);
	(void)snprintf(own_masks, sizeof own_masks, "SigBlk:%sSigIgn:%s", blocked, ignored);
}

static int set_up_all(void **state)
{
	static const int numbers[] = {SIGCHLD, SIGUSR2};
	struct err e;

	(void)state;
	read_own_masks();
	inherited_save();
	(void)signal(SIGPIPE, SIG_IGN);
	return loop_catch_signals(numbers, COUNT(numbers), &e);
}

static int set_up(void **state)
{
	(void)state;
	memset(&p, 0, sizeof p);
	memset(&part, 0, sizeof part);
	loop_init(&loop, fds, COUNT(fds));
	part.wants = part_wants;
	part.step = part_step;
	loop_add(&loop, &part);
	loop.signals = (struct loop_part){0};
	loop_on_signal(&loop, take_signal, &loop);
	return 0;
}

static void tick_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	loop_wait_until(w, now_ms + 20);
}

static void tick_step(void *ctx, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
}

static void start(char *const *argv, enum process_output output)
{
	struct err e = {0};

	CHECK(process_start(&p, argv, output, &e) == 0, "%s", e.text);
	assert_true(process_is_running(&p));
}

static void shell(char *script, enum process_output output)
{
	char name[] = "sh", option[] = "-c";
	char *const argv[] = {name, option, script, NULL};

	start(argv, output);
}

/* Turn the loop until it is so, or for too long. */
#define TURN_UNTIL(condition)                                                                                                      \
	do {                                                                                                                       \
		struct loop_part tick = {.wants = tick_wants, .step = tick_step};                                                  \
		int64_t end_ms = clock_now_ms() + LONG_MS;                                                                         \
		loop_add(&loop, &tick);                                                                                            \
		while (!(condition) && clock_now_ms() < end_ms)                                                                    \
			loop_turn(&loop);                                                                                          \
		loop_remove(&tick);                                                                                                \
		CHECK(condition, "never: %s", #condition);                                                                         \
	} while (0)

static const struct {
	char script[64];
	int code;
	char line[24];
} ends[] = {
	{"exit 0", 0, ""},
	{"exit 7", 7, ""},
	{"exit 255", 255, ""},
	{"kill -9 $$", 137, ""},
	{"kill -TERM $$", 143, ""},
	{"echo one; echo two", 0, "two"},
	{"echo out; echo err >&2", 0, "err"},
	{"echo first; echo; echo '  '", 0, "first"},
	{"printf 'a\\n  no end\t'; exit 3", 3, "no end"},
	{"printf '\\033[31mred\\n'", 0, "?[31mred"},
	{"printf 'a\\0b\\n'", 0, "a?b"},
	{"echo is hunter22 it", 0, "is *** it"},
};

static void test_codes_and_last_lines(void **state)
{
	(void)state;
	assert_int_equal(secret_add("hunter22"), 0);
	for (size_t i = 0; i < COUNT(ends); i++) {
		char script[64];

		memcpy(script, ends[i].script, sizeof script);
		shell(script, PROCESS_LAST_LINE);
		TURN_UNTIL(p.is_over);
		CHECK(p.code == ends[i].code, "%s: %d", script, p.code);
		CHECK(strcmp(p.line, ends[i].line) == 0, "%s: \"%s\"", script, p.line);
		assert_false(process_is_running(&p));
	}
	secret_forget();
}

/* A line past the limit is cut, and what floods us is thrown away as it comes. */
static void test_floods(void **state)
{
	char longer[] = "head -c 2000 /dev/zero | tr '\\0' x; echo; exit 5";
	char flood[] = "yes | head -c 3000000; echo last";

	(void)state;
	shell(longer, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_int_equal(p.code, 5);
	assert_int_equal(strlen(p.line), PROCESS_LINE_CAP - 1);
	shell(flood, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_string_equal(p.line, "last");
}

static void refuse(const char *path, int code, const char *why)
{
	char name[256];
	char *const argv[] = {name, NULL};

	(void)snprintf(name, sizeof name, "%s", path);
	start(argv, PROCESS_INHERIT);
	TURN_UNTIL(p.is_over);
	CHECK(p.code == code, "%s: %d", path, p.code);
	CHECK(strcmp(p.line, why) == 0, "%s: %s", path, p.line);
}

static void test_what_cannot_be_executed(void **state)
{
	char script[64];

	(void)state;
	refuse("dnsbuddy-is-not-there", 127, "No such file or directory");
	refuse("/nonexistent/x", 127, "No such file or directory");
	refuse("/dev/null/x", 127, "Not a directory");
	refuse("/", 126, "Permission denied");
	(void)snprintf(script, sizeof script, "%s", test_file("#!/nonexistent/sh\n", 18));
	refuse(script, 126, "Permission denied");
	assert_int_equal(chmod(script, 0700), 0);
	refuse(script, 127, "No such file or directory");
	(void)snprintf(script, sizeof script, "%s", test_file("text\n", 5));
	assert_int_equal(chmod(script, 0700), 0);
	refuse(script, 126, "error 8"); /* ENOEXEC: no shell takes it */
}

/* PATH: what is in a later folder counts, what may not be executed is told, no name is in none. */
static void test_path(void **state)
{
	static const struct {
		char path[40];
		int code;
	} cases[] = {
		{"/nonexistent:/usr/bin:/bin", 0}, {"", 127}, {"/nonexistent", 127}, {":/bin:", 0}, {"/dev/null:/bin", 0},
	};
	char old[1024], name[] = "true";
	char *const argv[] = {name, NULL};

	(void)state;
	(void)snprintf(old, sizeof old, "%s", getenv("PATH"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(setenv("PATH", cases[i].path, 1), 0);
		start(argv, PROCESS_INHERIT);
		TURN_UNTIL(p.is_over);
		CHECK(p.code == cases[i].code, "%s: %d", cases[i].path, p.code);
	}
	assert_int_equal(unsetenv("PATH"), 0);
	start(argv, PROCESS_INHERIT);
	TURN_UNTIL(p.is_over);
	assert_int_equal(p.code, 0);
	refuse("", 127, "No such file or directory");
	{
		char folder[] = "/tmp/dnsbuddy-unit-XXXXXX", file[64];

		assert_non_null(mkdtemp(folder));
		(void)snprintf(file, sizeof file, "%s/dnsbuddy-x", folder);
		assert_int_equal(close(open(file, O_CREAT | O_WRONLY, 0600)), 0);
		assert_int_equal(setenv("PATH", folder, 1), 0);
		refuse("dnsbuddy-x", 126, "Permission denied");
		(void)unlink(file);
		(void)rmdir(folder);
	}
	assert_int_equal(setenv("PATH", old, 1), 0);
}

/* A program of its own that ends with 127 is no failure to find it. */
static void test_its_own_127(void **state)
{
	char script[] = "exit 127";

	(void)state;
	shell(script, PROCESS_LAST_LINE);
	TURN_UNTIL(process_is_confirmed(&p) || p.is_over);
	TURN_UNTIL(p.is_over);
	assert_int_equal(p.code, 127);
	assert_string_equal(p.line, "");
}

static void test_confirmed(void **state)
{
	char name[] = "sleep", arg[] = "60";
	char *const argv[] = {name, arg, NULL};

	(void)state;
	start(argv, PROCESS_INHERIT);
	TURN_UNTIL(process_is_confirmed(&p));
	process_kill(&p, SIGKILL);
	TURN_UNTIL(p.is_over);
	assert_int_equal(p.code, 137);
	process_kill(&p, SIGKILL); /* of which nobody takes notice */
	process_signal(&p, SIGKILL);
}

static int is_there(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

/* What it left in its group ends with it, though nobody of us waits for that. */
static void test_leftovers(void **state)
{
	char script[] = "sleep 60 & echo $!";
	pid_t left;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	shell(script, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	left = (pid_t)atoi(p.line);
	assert_true(left > 1);
	TURN_UNTIL(!is_there(left)); /* reaped, as PID 1 has to */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

/* Its end may be seen first: what it said, or why it is not what it shall be, is read all the same. */
static void test_the_end_comes_first(void **state)
{
	static const struct {
		char name[16], arg[8], script[16];
		int code;
		const char *line;
	} cases[] = {{"sh", "-c", "printf last", 0, "last"}, {"/nonexistent", "", "", 127, "No such file or directory"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char name[16], arg[8], script[16];
		char *const argv[] = {name, arg, script, NULL};
		siginfo_t info;

		memcpy(name, cases[i].name, sizeof name);
		memcpy(arg, cases[i].arg, sizeof arg);
		memcpy(script, cases[i].script, sizeof script);
		start(argv, PROCESS_LAST_LINE);
		while (waitid(P_PID, (id_t)p.pid, &info, WEXITED | WNOWAIT) < 0)
			assert_int_equal(errno, EINTR);
		process_reap_all();
		assert_true(p.is_over);
		assert_int_equal(p.code, cases[i].code);
		assert_string_equal(p.line, cases[i].line);
	}
}

/* A daemon that holds its output open, in a session of its own, keeps nobody waiting. */
static void test_daemon(void **state)
{
	char script[] = "setsid sleep 3 & echo up; exit 0";
	int64_t start_ms = clock_now_ms();

	(void)state;
	shell(script, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_string_equal(p.line, "up");
	assert_in_range(clock_now_ms() - start_ms, 0, 2000);
}

/* The group as a whole, the leader's children with it. */
static void test_kill_is_for_all(void **state)
{
	char script[] = "sleep 60 & echo $!; wait";
	pid_t left;

	(void)state;
	shell(script, PROCESS_LAST_LINE);
	TURN_UNTIL(p.line[0]);
	left = (pid_t)atoi(p.line);
	assert_int_equal(getpgid(left), p.pid);
	process_kill(&p, SIGTERM);
	TURN_UNTIL(p.is_over);
	assert_int_equal(p.code, 143);
	TURN_UNTIL(!is_there(left));
}

static void test_stopped(void **state)
{
	char script[] = "kill -STOP $$; exit 4";

	(void)state;
	shell(script, PROCESS_INHERIT);
	TURN_UNTIL(p.stop_signal);
	assert_int_equal(p.stop_signal, SIGSTOP);
	assert_true(process_is_running(&p));
	process_signal(&p, SIGCONT);
	TURN_UNTIL(p.is_over);
	assert_int_equal(p.code, 4);
}

/* Nothing of how we live is theirs: masks, dispositions, limits; nor is a descriptor. */
static void test_inherits(void **state)
{
	char masks[] = "grep -h '^Sig[BI]' /proc/self/status | tr -d '\\n\\t '; echo";
	char limit[] = "ulimit -c";
	char files[] = "ls /proc/self/fd | tr '\\n' ' '; echo; readlink /proc/self/fd/0";
	struct rlimit old, none = {0, 0};

	(void)state;
	shell(masks, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_string_equal(p.line, own_masks);
	assert_int_equal(getrlimit(RLIMIT_CORE, &old), 0);
	old.rlim_cur = old.rlim_max < 1048576 ? old.rlim_max : 1048576;
	assert_int_equal(setrlimit(RLIMIT_CORE, &old), 0);
	inherited_forbid_cores();
	assert_int_equal(getrlimit(RLIMIT_CORE, &none), 0);
	assert_int_equal(none.rlim_cur, 0);
	assert_int_equal(none.rlim_max, old.rlim_max);
	shell(limit, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_int_equal(atoll(p.line), (long long)(old.rlim_cur / 512));
	shell(files, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_string_equal(p.line, "/dev/null");
}

static bool is_hidden(const char *pair)
{
	return strncmp(pair, "SECRET=", 7) == 0 || strncmp(pair, "TOKEN=", 6) == 0;
}

static void test_environment(void **state)
{
	char script[] = "echo ${SECRET-none} ${SECRET2-none} ${TOKEN-none}";

	(void)state;
	assert_int_equal(setenv("SECRET", "a", 1), 0);
	assert_int_equal(setenv("SECRET2", "b", 1), 0);
	assert_int_equal(setenv("TOKEN", "c", 1), 0);
	shell(script, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_string_equal(p.line, "a b c");
	process_hide_environment(is_hidden);
	shell(script, PROCESS_LAST_LINE);
	TURN_UNTIL(p.is_over);
	assert_string_equal(p.line, "none b none");
	assert_string_equal(getenv("TOKEN"), "c");
	process_hide_environment(NULL);
}

static int files_n(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Where no process may be made, and after many that were: no descriptor is lost. */
static void test_nothing_is_left(void **state)
{
	char script[] = "echo x; exit 1";
	int before = files_n();

	(void)state;
	for (int i = 0; i < 50; i++) {
		shell(script, PROCESS_LAST_LINE);
		TURN_UNTIL(p.is_over);
		assert_int_equal(p.code, 1);
	}
	assert_int_equal(files_n(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_no_process(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		const struct rlimit none = {0, 0};
		char *const argv[] = {(char[]){"true"}, NULL};
		int before = files_n();
		struct err e = {0};

		if (setrlimit(RLIMIT_NPROC, &none) || (geteuid() == 0 && setuid(65534)))
			_exit(2);
		if (process_start(&p, argv, PROCESS_LAST_LINE, &e) != -1 || e.kind != ERR_SYS)
			_exit(3);
		_exit(process_is_running(&p) ? 4 : files_n() != before ? 5 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Orphans and several children at once: nobody's status is another's. */
static void test_many_at_once(void **state)
{
	static struct process many[20];
	int over = 0;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	for (int i = 0; i < 20; i++) {
		char script[64];
		char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
		struct err e;

		(void)snprintf(script, sizeof script, "(setsid sh -c 'exit 99' &); exit %d", i + 1);
		memset(&many[i], 0, sizeof many[i]);
		assert_int_equal(process_start(&many[i], argv, PROCESS_INHERIT, &e), 0);
	}
	TURN_UNTIL((over = 0, ({
			    for (int i = 0; i < 20; i++)
				    over += many[i].is_over;
			    over == 20;
		    })));
	for (int i = 0; i < 20; i++)
		assert_int_equal(many[i].code, i + 1);
	TURN_UNTIL(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_codes_and_last_lines, set_up),
		cmocka_unit_test_setup(test_floods, set_up),
		cmocka_unit_test_setup(test_what_cannot_be_executed, set_up),
		cmocka_unit_test_setup(test_path, set_up),
		cmocka_unit_test_setup(test_its_own_127, set_up),
		cmocka_unit_test_setup(test_confirmed, set_up),
		cmocka_unit_test_setup(test_leftovers, set_up),
		cmocka_unit_test_setup(test_the_end_comes_first, set_up),
		cmocka_unit_test_setup(test_daemon, set_up),
		cmocka_unit_test_setup(test_kill_is_for_all, set_up),
		cmocka_unit_test_setup(test_stopped, set_up),
		cmocka_unit_test_setup(test_inherits, set_up),
		cmocka_unit_test_setup(test_environment, set_up),
		cmocka_unit_test_setup(test_nothing_is_left, set_up),
		cmocka_unit_test_setup(test_no_process, set_up),
		cmocka_unit_test_setup(test_many_at_once, set_up),
	};

	return cmocka_run_group_tests(tests, set_up_all, NULL);
}
