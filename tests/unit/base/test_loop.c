/* base/loop: who is stepped and when; parts that come and go within a turn; signals. */
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

#define PARTS 4

static struct loop loop;
static struct pollfd fds[PARTS + 1];

/* Parts a, b, c, d: each waits for its descriptor and its time, and notes that it was stepped. */
static struct fake {
	struct loop_part part;
	int fd;
	int64_t wake_ms;
	void (*then)(void);
} fakes[PARTS];
static char story[32];

static void wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	const struct fake *f = ctx;

	assert_true(now_ms <= clock_now_ms());
	loop_wait_fd(w, f->fd, POLLIN);
	loop_wait_until(w, f->wake_ms);
}

static void step(void *ctx, int64_t now_ms)
{
	const struct fake *f = ctx;
	size_t n = strlen(story);

	assert_true(now_ms <= clock_now_ms());
	assert_true(n + 1 < sizeof story);
	story[n] = (char)('a' + (f - fakes));
	story[n + 1] = '\0';
	if (f->then)
		f->then();
}

static int set_up(void **state)
{
	(void)state;
	loop_init(&loop, fds, PARTS + 1);
	story[0] = '\0';
	memset(fakes, 0, sizeof fakes);
	for (int i = 0; i < PARTS; i++) {
		fakes[i].part = (struct loop_part){.ctx = &fakes[i], .wants = wants, .step = step};
		fakes[i].fd = -1;
		fakes[i].wake_ms = CLOCK_NEVER;
	}
	return 0;
}

static void add_all(void)
{
	for (int i = 0; i < PARTS; i++)
		loop_add(&loop, &fakes[i].part);
}

static void readable(struct fake *f)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	(void)close(ends[1]);
	f->fd = ends[0];
}

static void test_only_who_is_ready(void **state)
{
	int silent[2];

	(void)state;
	assert_int_equal(pipe(silent), 0);
	add_all();
	fakes[1].fd = silent[0];
	readable(&fakes[2]);
	loop_turn(&loop);
	assert_string_equal(story, "c");
	fakes[3].wake_ms = 0;
	fakes[0].wake_ms = clock_now_ms() + 100000;
	loop_turn(&loop);
	assert_string_equal(story, "ccd");
	(void)close(silent[0]);
	(void)close(silent[1]);
	(void)close(fakes[2].fd);
}

static void test_in_the_order_of_adding(void **state)
{
	(void)state;
	for (int i = PARTS - 1; i >= 0; i--) {
		fakes[i].wake_ms = 0;
		loop_add(&loop, &fakes[i].part);
	}
	loop_turn(&loop);
	assert_string_equal(story, "dcba");
	loop_remove(&fakes[2].part);
	loop_remove(&fakes[2].part);
	loop_add(&loop, &fakes[2].part);
	loop_add(&loop, &fakes[3].part);
	loop_turn(&loop);
	assert_string_equal(story, "dcbadbac");
}

static void test_waits_for_the_first_time(void **state)
{
	int64_t start_ms = clock_now_ms();

	(void)state;
	add_all();
	fakes[1].wake_ms = start_ms + 30;
	fakes[2].wake_ms = start_ms + 3000;
	loop_turn(&loop);
	assert_in_range(clock_now_ms() - start_ms, 30, 2000);
	assert_string_equal(story, "b");
}

static void remove_b_and_c(void)
{
	loop_remove(&fakes[1].part);
	loop_remove(&fakes[2].part);
}

static void remove_a_add_c(void)
{
	loop_remove(&fakes[0].part);
	loop_add(&loop, &fakes[2].part);
}

/* What is taken out in a turn is not stepped in it; what is added has not been asked yet. */
static void test_changes_within_a_turn(void **state)
{
	(void)state;
	add_all();
	readable(&fakes[1]);
	readable(&fakes[2]);
	fakes[0].wake_ms = fakes[3].wake_ms = 0;
	fakes[0].then = remove_b_and_c;
	loop_turn(&loop);
	assert_string_equal(story, "ad");
	fakes[0].then = remove_a_add_c;
	loop_turn(&loop);
	assert_string_equal(story, "adad");
	loop_turn(&loop);
	assert_string_equal(story, "adaddc");
	(void)close(fakes[1].fd);
	(void)close(fakes[2].fd);
}

/* Without room for its descriptor a part is stepped now and then: slower, and never forgotten. */
static void test_crowded(void **state)
{
	int64_t start_ms = clock_now_ms();

	int silent[2];

	(void)state;
	assert_int_equal(pipe(silent), 0);
	loop_init(&loop, fds, 1);
	add_all();
	fakes[0].fd = silent[0];
	readable(&fakes[3]);
	loop_turn(&loop);
	assert_string_equal(story, "d");
	assert_in_range(clock_now_ms() - start_ms, LOOP_CROWDED_MS, 5000);
	(void)close(silent[0]);
	(void)close(silent[1]);
	(void)close(fakes[3].fd);
}

static void stop(void)
{
	if (strlen(story) == 3)
		loop_stop(&loop);
}

static void test_runs_until_it_is_stopped(void **state)
{
	(void)state;
	loop_add(&loop, &fakes[0].part);
	fakes[0].wake_ms = 0;
	fakes[0].then = stop;
	fakes[1].wake_ms = CLOCK_NEVER;
	loop_add(&loop, &fakes[1].part);
	loop_run(&loop);
	assert_string_equal(story, "aaa");
}

/* A time, a descriptor, and whichever comes first. */
static void test_alone(void **state)
{
	int ends[2];
	struct loop_alone alone;
	const int64_t from_ms = clock_now_ms();

	(void)state;
	assert_int_equal(pipe(ends), 0);
	loop_wait_until(loop_alone_begin(&alone), from_ms + 20);
	loop_wait_fd(&alone.wait, ends[0], POLLIN);
	loop_alone_wait(&alone);
	assert_in_range(clock_now_ms() - from_ms, 19, 5000);
	assert_int_equal(write(ends[1], "", 1), 1);
	(void)alarm(10);
	loop_wait_fd(loop_alone_begin(&alone), ends[0], POLLIN);
	loop_alone_wait(&alone);
	(void)alarm(0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int taken[65];

static void take_signal(void *ctx, int number)
{
	assert_ptr_equal(ctx, &loop);
	taken[number]++;
}

static void test_signals(void **state)
{
	static const int numbers[] = {SIGHUP, SIGUSR1}, bad[] = {4096};
	struct err e = {0};
	int status;
	pid_t child;

	(void)state;
	memset(taken, 0, sizeof taken);
	assert_int_equal(loop_catch_signals(bad, 1, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(loop_catch_signals(numbers, 2, &e), 0);
	/* Before anybody takes them, and more of them than a pipe holds. */
	for (int i = 0; i < 100000; i++)
		assert_int_equal(raise(SIGHUP), 0);
	child = fork();
	if (!child)
		_exit(raise(SIGUSR1));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGUSR1);
	loop_on_signal(&loop, take_signal, &loop);
	assert_int_equal(raise(SIGUSR1), 0);
	loop_turn(&loop);
	assert_int_equal(taken[SIGHUP], 1);
	assert_int_equal(taken[SIGUSR1], 1);
	fakes[0].wake_ms = clock_now_ms() + 20;
	loop_add(&loop, &fakes[0].part);
	loop_turn(&loop);
	assert_string_equal(story, "a"); /* the pipe is empty again */
	assert_int_equal(raise(SIGUSR1), 0);
	loop_turn(&loop);
	assert_int_equal(taken[SIGUSR1], 2);
	assert_int_equal(taken[SIGHUP], 1);
}

/* All of them, those that the C library has for itself too: who forwards signals leaves none out. */
static void test_real_time_signals(void **state)
{
	int numbers[] = {SIGHUP, 32, 33, 34, 63, 64};
	struct err e;

	(void)state;
	memset(taken, 0, sizeof taken);
	assert_int_equal(loop_catch_signals(numbers, COUNT(numbers), &e), 0);
	loop_on_signal(&loop, take_signal, &loop);
	for (size_t i = 1; i < COUNT(numbers); i++) {
		assert_int_equal(kill(getpid(), numbers[i]), 0);
		loop_turn(&loop);
		CHECK(taken[numbers[i]] == 1, "%d: %d", numbers[i], taken[numbers[i]]);
	}
}

static int status_of(pid_t child)
{
	pid_t ended;
	int status;

	do /* its signals come meanwhile */
		ended = waitpid(child, &status, 0);
	while (ended < 0 && errno == EINTR);
	assert_int_equal(ended, child);
	return status;
}

/* Those of faults and failed writes are others' when others have sent them, and only then. */
static void test_who_sent_it(void **state)
{
	int numbers[] = {SIGHUP, SIGSEGV, SIGPIPE}, ends[2], status;
	pid_t child;
	struct err e;

	(void)state;
	memset(taken, 0, sizeof taken);
	assert_int_equal(loop_catch_signals(numbers, COUNT(numbers), &e), 0);
	loop_on_signal(&loop, take_signal, &loop);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(write(ends[1], "", 1), -1);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(kill(getpid(), SIGHUP), 0); /* so that there is something to take */
	loop_turn(&loop);
	assert_int_equal(taken[SIGPIPE], 0);
	child = fork();
	if (!child) {
		(void)kill(getppid(), SIGPIPE);
		(void)kill(getppid(), SIGSEGV);
		_exit(0);
	}
	assert_int_equal(status_of(child), 0);
	loop_turn(&loop);
	assert_int_equal(taken[SIGPIPE], 1);
	assert_int_equal(taken[SIGSEGV], 1);
	child = fork();
	if (!child) {
		*(volatile char *)sysconf(_SC_PAGESIZE) = 0; /* NOLINT: nothing is there */
		_exit(0);
	}
	status = status_of(child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_int_equal(taken[SIGHUP], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_who_is_ready, set_up),
		cmocka_unit_test_setup(test_in_the_order_of_adding, set_up),
		cmocka_unit_test_setup(test_waits_for_the_first_time, set_up),
		cmocka_unit_test_setup(test_changes_within_a_turn, set_up),
		cmocka_unit_test_setup(test_crowded, set_up),
		cmocka_unit_test_setup(test_runs_until_it_is_stopped, set_up),
		cmocka_unit_test_setup(test_alone, set_up),
		cmocka_unit_test_setup(test_signals, set_up),
		cmocka_unit_test_setup(test_real_time_signals, set_up),
		cmocka_unit_test_setup(test_who_sent_it, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
