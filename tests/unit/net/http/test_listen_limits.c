/* net/http/listener: who is slow, who comes ninth, who is killed; and what poll() is told. */
#include "support.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http/guest.h"

static void test_big(void **state)
{
	int fd = guest_connect_sized(4096);

	(void)state;
	say(fd, GET("/big"));
	got_n = 0;
	for (int i = 0; i < 10000 && hear(fd) == OPEN; i++)
		step();
	assert_true(is_status(200));
	assert_int_equal(strlen(body()), LISTEN_ANSWER_MAX);
	assert_int_equal(strspn(body(), "x"), LISTEN_ANSWER_MAX);
	(void)close(fd);
}

static void test_slow_writer(void **state)
{
	int fd = guest_connect(), silent = guest_connect();

	(void)state;
	step();
	for (int64_t ms = 1000; ms < LISTEN_REQUEST_MS; ms += 1000) {
		say(fd, "G");
		now_ms = START_MS + ms;
		step();
	}
	now_ms = START_MS + LISTEN_REQUEST_MS - 1;
	step();
	assert_int_equal(hear_anew(fd), OPEN);
	assert_int_equal(got_n, 0);
	now_ms++;
	step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_true(is_status(408));
	assert_int_equal(hear_anew(silent), CLOSED);
	assert_true(is_status(408));
	/* Neither hangs up. */
	now_ms += LISTEN_LINGER_MS - 1;
	step();
	assert_int_equal(used_n(LISTEN_LINGER), 2);
	now_ms++;
	step();
	assert_true(is_idle());
	(void)close(fd);
	(void)close(silent);
}

static void test_slow_reader(void **state)
{
	int fd = guest_connect_sized(4096);

	(void)state;
	say(fd, GET("/big"));
	step();
	step();
	assert_int_equal(used_n(LISTEN_ANSWER), 1);
	guest_ask(GET("/")); /* others do not notice */
	assert_string_equal(body(), "hello\n");
	/* A sip now and then moves no deadline. */
	now_ms += LISTEN_ANSWER_MS - 1;
	assert_int_equal(recv(fd, got, 1000, MSG_DONTWAIT), 1000);
	step();
	assert_int_equal(used_n(LISTEN_ANSWER), 1);
	now_ms++;
	step();
	assert_true(is_idle());
	(void)close(fd);
}

static void test_ninth(void **state)
{
	int fds[LISTEN_CONNECTIONS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = guest_connect();
		step();
	}
	guest_ask(GET("/"));
	assert_string_equal(body(), "hello\n");
	/* The one that came first made room, and no other. */
	assert_int_equal(hear_anew(fds[0]), CLOSED);
	for (size_t i = 1; i < COUNT(fds); i++) {
		guest_ask_at(fds[i], GET("/"));
		assert_string_equal(body(), "hello\n");
	}
	(void)close(fds[0]);
}

static void test_ninth_when_one_lingers(void **state)
{
	int fds[LISTEN_CONNECTIONS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = guest_connect();
		step();
	}
	say(fds[3], GET("/"));
	step();
	assert_int_equal(used_n(LISTEN_LINGER), 1);
	guest_ask(GET("/"));
	assert_int_equal(hear_anew(fds[0]), OPEN);
	assert_int_equal(used_n(LISTEN_REQUEST), LISTEN_CONNECTIONS_MAX - 1);
	for (size_t i = 0; i < COUNT(fds); i++)
		(void)close(fds[i]);
	step();
	assert_true(is_idle());
}

/* Far more than there is room for, all at once: the last ones are served, nothing is lost. */
static void test_crowd(void **state)
{
	int fds[14];
	size_t served = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = guest_connect();
		say(fds[i], GET("/"));
	}
	for (int i = 0; i < 4; i++)
		step();
	for (size_t i = 0; i < COUNT(fds); i++) {
		served += hear_anew(fds[i]) == CLOSED && is_status(200);
		(void)close(fds[i]);
	}
	assert_int_equal(served, COUNT(fds));
}

static void test_killed_peer(void **state)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	static const char *const texts[] = {"", "GET /", GET("/big")};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		int fd = guest_connect_sized(4096);

		say(fd, texts[i]);
		step();
		assert_false(is_idle());
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
		(void)close(fd);
		step(); /* SIGPIPE would end the test */
		assert_true(is_idle());
	}
}

static struct pollfd pfds[LISTEN_FDS];
static struct loop_wait wait;

static void ask_wants(void)
{
	wait = (struct loop_wait){.fds = pfds, .cap = LISTEN_FDS, .wake_ms = INT64_MAX};
	listen_wants(&l, &wait);
}

static void test_no_descriptor(void **state)
{
	struct rlimit old, none;
	int fd = guest_connect(), spare = dup(fd);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)spare;
	(void)close(spare);
	say(fd, GET("/"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	step();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(is_idle());
	/* poll() must not say again and again that somebody is there. */
	ask_wants();
	assert_int_equal(wait.n, 0);
	assert_int_equal(wait.wake_ms, now_ms + LISTEN_PAUSE_MS);
	now_ms = wait.wake_ms;
	step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_string_equal(body(), "hello\n");
	(void)close(fd);
}

static void test_wants(void **state)
{
	int asking = guest_connect(), reading;

	(void)state;
	ask_wants();
	assert_int_equal(wait.n, 1);
	assert_int_equal(wait.wake_ms, INT64_MAX);
	assert_int_equal(pfds[0].fd, l.fd);
	assert_int_equal(poll(pfds, 1, 0), 1);
	step();
	assert_int_equal(poll(pfds, 1, 0), 0);
	now_ms++;
	reading = guest_connect_sized(4096);
	say(reading, GET("/big"));
	step();
	ask_wants();
	assert_int_equal(wait.n, 3);
	assert_int_equal(wait.wake_ms, START_MS + LISTEN_REQUEST_MS);
	assert_int_equal(pfds[1].events, POLLIN);
	assert_int_equal(pfds[2].events, POLLOUT);
	for (int i = 0; i < 3; i++)
		assert_true(fcntl(pfds[i].fd, F_GETFD) & FD_CLOEXEC && fcntl(pfds[i].fd, F_GETFL) & O_NONBLOCK);
	listen_close(&l);
	ask_wants();
	assert_int_equal(wait.n, 0);
	step();
	assert_int_equal(hear_anew(asking), CLOSED);
	(void)close(asking);
	(void)close(reading);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, guest_setup, guest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_big),
		TEST(test_slow_writer),
		TEST(test_slow_reader),
		TEST(test_ninth),
		TEST(test_ninth_when_one_lingers),
		TEST(test_crowd),
		TEST(test_killed_peer),
		TEST(test_no_descriptor),
		TEST(test_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
