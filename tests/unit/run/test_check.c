/* run/check: what an HTTP server, a port, a command come to, with real ones of each. */
#include "support.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inherited.h"
#include "base/secret.h"
#include "net/http/peer.h"
#include "run/check.h"

#define LONG_MS 10000
#define OK "HTTP/1.1 200 OK\r\n"

static struct check check;
static struct run_check setup;
static unsigned results;
static struct loop loop;
static struct loop_part part;
static struct pollfd fds[16];

static void part_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	check_wants(&check, w);
}

static void part_step(void *ctx, int64_t now_ms)
{
	(void)ctx;
	results += check_step(&check, now_ms);
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

static void take_signal(void *ctx, int number)
{
	(void)ctx;
	if (number == SIGCHLD)
		process_reap_all();
}

static int set_up_all(void **state)
{
	static const int numbers[] = {SIGCHLD};
	struct err e;

	(void)state;
	inherited_save();
	(void)signal(SIGPIPE, SIG_IGN);
	return loop_catch_signals(numbers, COUNT(numbers), &e);
}

static int set_up(void **state)
{
	(void)state;
	memset(&check, 0, sizeof check);
	memset(&part, 0, sizeof part);
	results = 0;
	setup = (struct run_check){.interval_ms = 60000, .timeout_ms = LONG_MS};
	loop_init(&loop, fds, COUNT(fds));
	part.wants = part_wants;
	part.step = part_step;
	loop_add(&loop, &part);
	loop.signals = (struct loop_part){0};
	loop_on_signal(&loop, take_signal, &loop);
	return 0;
}

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

static void begin(void)
{
	struct err e = {0};

	CHECK(check_init(&check, &setup, NULL, &e) == 0, "%s", e.text);
	check_start(&check, clock_now_ms());
}

static void run_once(void)
{
	unsigned before = results;

	begin();
	TURN_UNTIL(results > before);
}

static void assert_came_to(bool is_passing, const char *part_of_output)
{
	CHECK(check.has_result && check.is_passing == is_passing && strstr(check.output, part_of_output), "%d: %s; wanted %d: %s",
	      check.is_passing, check.output, is_passing, part_of_output);
}

/* ---- HTTP ---- */

#define FOUR_K 4096
static char long_answer[FOUR_K + 128];

static const struct {
	struct peer_step steps[4];
	int64_t timeout_ms;
	bool is_passing;
	const char *output;
} answers[] = {
	{{{PEER_SEND, OK "Content-Length: 5\r\n\r\nhello"}}, LONG_MS, true, ": HTTP 200"},
	{{{PEER_SEND, OK "Content-Length: 0\r\n\r\n"}}, LONG_MS, true, ": HTTP 200"},
	{{{PEER_SEND, "HTTP/1.1 204 No\r\n\r\n"}}, LONG_MS, true, ": HTTP 204"},
	{{{PEER_SEND, "HTTP/1.1 299 x\r\nContent-Length: 0\r\n\r\n"}}, LONG_MS, true, ": HTTP 299"},
	{{{PEER_SEND, "HTTP/1.0 200 OK\r\n\r\nhello"}, {PEER_CLOSE, NULL}}, LONG_MS, true, ": HTTP 200"},
	{{{PEER_SEND, "HTTP/1.1 503 x\r\nContent-Length: 22\r\n\r\n\r\ndatabase is down\r\nyes"}},
	 LONG_MS,
	 false,
	 ": HTTP 503: database is down"},
	{{{PEER_SEND, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"}}, LONG_MS, false, ": HTTP 404"},
	{{{PEER_SEND, "HTTP/1.1 302 x\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"}},
	 LONG_MS,
	 false,
	 "HTTP 302: redirected to /login, which is not followed"},
	{{{PEER_SEND, "HTTP/1.1 300 x\r\nContent-Length: 0\r\n\r\n"}}, LONG_MS, false, ": HTTP 300"},
	{{{PEER_SEND, long_answer}, {PEER_STAY, NULL}}, LONG_MS, true, ": HTTP 200"},
	/* Only the head decides. */
	{{{PEER_SEND, OK "Content-Length: 9\r\n\r\nhello"}, {PEER_STAY, NULL}}, 100, true, ": HTTP 200"},
	{{{PEER_SEND, OK "Content-Length: 9\r\n\r\nhello"}, {PEER_CLOSE, NULL}}, LONG_MS, true, ": HTTP 200"},
	{{{PEER_SEND, OK "Content-Length: 999999999999\r\n\r\nhello"}}, LONG_MS, true, ": HTTP 200"},
	{{{PEER_SEND, OK "Transfer-Encoding: chunked\r\n\r\nhello\r\n"}}, LONG_MS, true, ": HTTP 200"},
	{{{PEER_SEND, "HTTP/1.1 503 x\r\nContent-Length: 999999999999\r\n\r\n"}}, LONG_MS, false, "answer's body: longer than"},
	{{{PEER_SEND, OK "Content-Len"}, {PEER_STAY, NULL}}, 100, false, "no complete answer within 100 ms"},
	{{{PEER_SEND, OK "Content-Len"}, {PEER_CLOSE, NULL}}, LONG_MS, false, "http://127.0.0.1:"},
	{{{PEER_SEND, OK "Content-Length: x\r\n\r\n"}}, LONG_MS, false, "http://127.0.0.1:"},
	{{{PEER_STAY, NULL}}, 100, false, "no complete answer within 100 ms"},
	{{{PEER_CLOSE, NULL}}, LONG_MS, false, "http://127.0.0.1:"},
	{{{PEER_SEND, "SSH-2.0-x\r\n"}}, LONG_MS, false, "http://127.0.0.1:"},
};

static void ask_peer(const struct peer_step *steps, size_t n, struct peer *p)
{
	static struct peer_step script[8];

	memset(script, 0, sizeof script);
	script[0] = (struct peer_step){PEER_ACCEPT, NULL};
	script[1] = (struct peer_step){PEER_READ, NULL};
	memcpy(script + 2, steps, n * sizeof *steps);
	for (size_t i = 2; i < COUNT(script); i++)
		if (script[i].what == PEER_ACCEPT)
			script[i].what = PEER_STAY;
	peer_start(p, NULL, script);
	setup.kind = RUN_CHECK_HTTP;
	setup.target = "/health.txt?x=1";
	setup.url = (struct url){.scheme = URL_HTTP, .host = "127.0.0.1", .port = p->port};
	run_once();
}

static void test_http(void **state)
{
	struct peer p;

	(void)snprintf(long_answer, sizeof long_answer, OK "Content-Length: 100000\r\n\r\n%*s", FOUR_K, "x");
	for (size_t i = 0; i < COUNT(answers); i++) {
		(void)set_up(state);
		setup.timeout_ms = answers[i].timeout_ms;
		ask_peer(answers[i].steps, COUNT(answers[i].steps), &p);
		assert_came_to(answers[i].is_passing, answers[i].output);
		CHECK(strlen(strstr(check.output, answers[i].output)) == strlen(answers[i].output) || !answers[i].is_passing,
		      "%zu: %s", i, check.output);
		assert_memory_equal(p.seen->request, "GET /health.txt?x=1 HTTP/1.1\r\n", 30);
		check_stop(&check);
		peer_end(&p);
	}
}

/* A body that is one byte short of the limit is waited for: the server shall not be cut off. */
static void test_a_body_at_the_limit(void **state)
{
	struct peer p;
	const struct peer_step steps[] = {{PEER_SEND, long_answer}, {PEER_STAY, NULL}};

	(void)state;
	(void)snprintf(long_answer, sizeof long_answer, OK "Content-Length: 100000\r\n\r\n%*s", FOUR_K - 1, "x");
	setup.timeout_ms = 200;
	ask_peer(steps, COUNT(steps), &p);
	assert_came_to(true, "HTTP 200");
	assert_in_range(check.duration_ms, 200, LONG_MS);
	peer_end(&p);
}

static void test_a_connection_for_each(void **state)
{
	static const struct peer_step twice[] = {
		{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, OK "Content-Length: 0\r\n\r\n"},
		{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, OK "Content-Length: 0\r\n\r\n"},
		{PEER_STAY, NULL},
	};
	struct peer p;

	(void)state;
	peer_start(&p, NULL, twice);
	setup.kind = RUN_CHECK_HTTP;
	setup.target = "/";
	setup.interval_ms = 50;
	setup.url = (struct url){.scheme = URL_HTTP, .host = "127.0.0.1", .port = p.port};
	begin();
	TURN_UNTIL(results == 2);
	assert_came_to(true, "HTTP 200");
	assert_int_equal(p.seen->connections, 2);
	assert_non_null(strstr(p.seen->request, "\r\nConnection: close\r\n"));
	peer_end(&p);
}

static void test_http_over_a_unix_socket(void **state)
{
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, OK "Content-Length: 0\r\n\r\n"}, {PEER_STAY, NULL}};
	char folder[] = "/tmp/check.XXXXXX", path[64];
	struct peer p;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/s", folder);
	peer_start(&p, path, steps);
	setup.kind = RUN_CHECK_HTTP;
	setup.target = "/";
	setup.url = (struct url){.scheme = URL_UNIX, .host = "localhost"};
	(void)strcpy(setup.url.socket, path);
	run_once();
	assert_came_to(true, "HTTP 200");
	peer_end(&p);
	(void)unlink(path);
	(void)rmdir(folder);
}

static void test_what_is_secret_is_not_shown(void **state)
{
	static const struct peer_step steps[] = {{PEER_SEND, "HTTP/1.1 500 x\r\nContent-Length: 20\r\n\r\nbad token hush-hush!"}};
	struct peer p;

	(void)state;
	assert_int_equal(secret_add("hush-hush"), 0);
	ask_peer(steps, COUNT(steps), &p);
	assert_came_to(false, "HTTP 500: bad token ***!");
	secret_forget();
	peer_end(&p);
}

/* ---- TCP ---- */

/* A port of loopback that listens, or one that nobody listens on. */
static uint16_t free_port(bool listens, int *fd)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sa;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&sa, &len), 0);
	if (listens)
		assert_int_equal(listen(*fd, 5), 0);
	return ntohs(sa.sin_port);
}

static const struct {
	const char *host;
	bool listens, is_passing;
	const char *output;
} ports[] = {
	{"127.0.0.1", true, true, ": connected"},
	{"localhost", true, true, ": connected"},
	{"127.0.0.1", false, false, ": connect: connection refused"},
	{"no such name", true, false, "tcp://no such name:"},
};

static void test_tcp(void **state)
{
	for (size_t i = 0; i < COUNT(ports); i++) {
		int fd;

		(void)set_up(state);
		setup.kind = RUN_CHECK_TCP;
		setup.url = (struct url){.port = free_port(ports[i].listens, &fd)};
		(void)strcpy(setup.url.host, ports[i].host);
		run_once();
		assert_came_to(ports[i].is_passing, ports[i].output);
		assert_memory_equal(check.output, "tcp://", 6);
		(void)close(fd);
	}
}

/* ---- EXEC ---- */

static char shell_name[] = "sh", shell_option[] = "-c", script[256];
static char *shell[] = {shell_name, shell_option, script, NULL};

static void use_script(const char *text)
{
	(void)snprintf(script, sizeof script, "%s", text);
	setup.kind = RUN_CHECK_EXEC;
	setup.command = (struct run_command){.n = 3, .argv = shell};
}

static const struct {
	const char *script;
	bool is_passing;
	const char *output;
} commands[] = {
	{"exit 0", true, "sh: exit code 0"},
	{"echo one; echo two; echo", true, "two"},
	{"echo to stderr >&2", true, "to stderr"},
	{"exit 3", false, "sh: exit code 3"},
	{"echo why; exit 1", false, "why"},
	{"kill -9 $$", false, "sh: exit code 137"},
	{"printf '\\033[31mred\\n'", true, "?[31mred"},
	{"yes | head -c 3000000; echo end", true, "end"},
};

static void test_exec(void **state)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		(void)set_up(state);
		use_script(commands[i].script);
		run_once();
		CHECK(check.is_passing == commands[i].is_passing &&
			      strncmp(check.output, commands[i].output, strlen(commands[i].output)) == 0,
		      "%s: %d %s", commands[i].script, check.is_passing, check.output);
	}
}

static void test_a_command_that_is_not_there(void **state)
{
	static char missing[] = "/nowhere/to/be/found";
	static char *argv[] = {missing, NULL};

	(void)state;
	setup.kind = RUN_CHECK_EXEC;
	setup.command = (struct run_command){.n = 1, .argv = argv};
	run_once();
	assert_came_to(false, "/nowhere/to/be/found: ");
	assert_null(strstr(check.output, "exit code"));
}

/* Killed with its group, and never two at once. */
static void test_a_command_that_hangs(void **state)
{
	(void)state;
	use_script("sleep 100 & sleep 100");
	setup.timeout_ms = 100;
	setup.interval_ms = 30;
	run_once();
	assert_came_to(false, "sh: not done after 100 ms, killed");
	TURN_UNTIL(results == 3);
	check_stop(&check);
	TURN_UNTIL(!check_is_dying(&check));
	TURN_UNTIL(kill(-check.process.pid, 0) == -1);
}

static long cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* It floods, and hangs: neither is waited for, and it is read slowly. */
static void test_a_command_that_floods(void **state)
{
	static const struct {
		const char *script;
		long cpu_ms; /* of 500 */
	} floods[] = {{"exec cat /dev/zero", 50}, {"exec yes", 300}};

	for (size_t i = 0; i < COUNT(floods); i++) {
		int64_t before_ms = clock_now_ms();
		long before_cpu_ms = cpu_ms(), used_ms;

		(void)set_up(state);
		use_script(floods[i].script);
		setup.timeout_ms = 500;
		run_once();
		used_ms = cpu_ms() - before_cpu_ms;
		assert_came_to(false, "killed");
		assert_true(clock_now_ms() - before_ms < 5000);
		CHECK(used_ms < floods[i].cpu_ms, "%s: %ld ms", floods[i].script, used_ms);
		check_stop(&check);
		TURN_UNTIL(!check_is_dying(&check));
	}
}

/* What it leaves behind holds its output open, and is ended. */
static void test_a_command_that_leaves_something(void **state)
{
	(void)state;
	use_script("sleep 100 & echo fine");
	run_once();
	assert_came_to(true, "fine");
	assert_int_equal(check.output[4], '\0');
	TURN_UNTIL(kill(-check.process.pid, 0) == -1);
}

/* ---- when ---- */

static void test_from_start_to_start(void **state)
{
	int64_t first_ms;

	(void)state;
	use_script("sleep 0.1");
	setup.interval_ms = 150;
	run_once();
	first_ms = check.started_ms;
	TURN_UNTIL(results == 3);
	assert_in_range(check.started_ms - first_ms, 300, 390); /* 500 if they were added */
	assert_int_equal(check.runs, 3);
	assert_int_equal(check.failures, 0);
	assert_in_range(check.duration_ms, 100, 149);
}

static void test_one_that_takes_longer_than_the_interval(void **state)
{
	(void)state;
	use_script("sleep 0.1");
	setup.interval_ms = 10;
	run_once();
	TURN_UNTIL(results == 3);
	assert_true(check.next_ms < check.started_ms + 11);
}

/* What starts is asked often; what has passed once, is not. */
static void test_eager(void **state)
{
	int64_t now_ms = 1000000, end_ms = now_ms + 60000;
	unsigned runs = 0;
	int fd;

	(void)state;
	setup.kind = RUN_CHECK_TCP;
	setup.interval_ms = 10000;
	setup.url = (struct url){.port = free_port(false, &fd)};
	(void)strcpy(setup.url.host, "127.0.0.1");
	begin();
	check.begun_ms = check.next_ms = now_ms;
	for (; now_ms < end_ms; now_ms += 10) {
		int64_t age_ms = now_ms - check.begun_ms;

		if (!check_step(&check, now_ms))
			continue;
		runs++;
		CHECK(check.next_ms == now_ms + (age_ms < 800 ? 100 : age_ms / 8), "%lld", (long long)(check.next_ms - now_ms));
	}
	assert_in_range(runs, 35, 50);
	assert_int_equal(listen(fd, 5), 0);
	now_ms = check.next_ms;
	assert_true(check_step(&check, now_ms));
	assert_true(check.is_passing);
	assert_int_equal(check.next_ms, now_ms + 10000);
	(void)close(fd);
	now_ms = check.next_ms;
	assert_true(check_step(&check, now_ms));
	assert_false(check.is_passing);
	assert_int_equal(check.next_ms, now_ms + 10000);
}

static void test_none(void **state)
{
	struct loop_wait w = {.wake_ms = CLOCK_NEVER};

	(void)state;
	setup.kind = RUN_CHECK_NONE;
	run_once();
	assert_came_to(true, "no check is set");
	check_wants(&check, &w);
	assert_true(w.wake_ms == CLOCK_NEVER);
}

/* Told of another setup while a command runs: that one ends first, and tells nothing. */
static void test_another_setup(void **state)
{
	struct run_check other;
	struct err e;

	(void)state;
	use_script("exec sleep 100");
	begin();
	TURN_UNTIL(process_is_confirmed(&check.process));
	other = (struct run_check){.kind = RUN_CHECK_NONE, .interval_ms = 100};
	assert_int_equal(check_init(&check, &other, NULL, &e), 0);
	check_start(&check, clock_now_ms());
	assert_true(check_is_dying(&check));
	TURN_UNTIL(results == 1);
	assert_came_to(true, "no check is set");
	assert_false(check_is_dying(&check));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_http, set_up),
		cmocka_unit_test_setup(test_a_body_at_the_limit, set_up),
		cmocka_unit_test_setup(test_a_connection_for_each, set_up),
		cmocka_unit_test_setup(test_http_over_a_unix_socket, set_up),
		cmocka_unit_test_setup(test_what_is_secret_is_not_shown, set_up),
		cmocka_unit_test_setup(test_tcp, set_up),
		cmocka_unit_test_setup(test_exec, set_up),
		cmocka_unit_test_setup(test_a_command_that_is_not_there, set_up),
		cmocka_unit_test_setup(test_a_command_that_hangs, set_up),
		cmocka_unit_test_setup(test_a_command_that_floods, set_up),
		cmocka_unit_test_setup(test_a_command_that_leaves_something, set_up),
		cmocka_unit_test_setup(test_from_start_to_start, set_up),
		cmocka_unit_test_setup(test_one_that_takes_longer_than_the_interval, set_up),
		cmocka_unit_test_setup(test_eager, set_up),
		cmocka_unit_test_setup(test_none, set_up),
		cmocka_unit_test_setup(test_another_setup, set_up),
	};

	return cmocka_run_group_tests(tests, set_up_all, NULL);
}
