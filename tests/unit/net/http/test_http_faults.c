#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those it needs */
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/http/ask.h"
#include "base/clock.h"

/* However often a byte comes: the deadline is for the whole. */
static void test_slow_bytes(void **state)
{
	static const struct {
		const char *before;
		const char *drip;
		const char *phase;
	} cases[] = {
		{"", "HTTP/1.1 200 OK\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "reading the head"},
		{OK "\r\n", "a", "reading the body"},
		{OK "Content-Length: 100000\r\n\r\n", "a", "reading the body"},
		{OK "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "reading the body"},
		{"", "HTTP/1.1 100 Continue\r\n\r\n", "reading the head"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct peer_step steps[] = {{PEER_ACCEPT, NULL},
						  {PEER_READ, NULL},
						  {PEER_SEND, cases[i].before},
						  {PEER_DRIP, cases[i].drip},
						  {PEER_STAY, NULL}};
		int64_t before_ms = clock_now_ms();
		struct peer p;

		use_peer(&p, steps);
		assert_failed(ask_within("GET", NULL, 300), ERR_RETRY, cases[i].phase);
		assert_non_null(strstr(e.text, "no complete answer within "));
		assert_true(clock_now_ms() - before_ms >= 300);
		assert_true(clock_now_ms() - before_ms < 3000);
		end(&p);
	}
}

static void test_silence(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_failed(ask_within("GET", NULL, 100), ERR_RETRY, "(waiting for the answer)");
	assert_failed(ask_within("GET", NULL, -1), ERR_RETRY, "no complete answer");
	end(&p);
}

/* Nobody accepts: the kernel does, until its queue is full. */
static void test_slow_connect(void **state)
{
	static const struct peer_step steps[] = {{PEER_STAY, NULL}};
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int fds[16];
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons(p.port);
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&sa, sizeof sa);
	}
	assert_failed(ask_within("GET", NULL, 200), ERR_RETRY, "(connecting)");
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		(void)close(fds[i]);
	end(&p);
}

static char *big_body(void)
{
	size_t n = 32 << 20;
	char *big = malloc(n + 1);

	assert_non_null(big);
	memset(big, 'a', n);
	big[n] = '\0';
	return big;
}

/* The answer comes while most of the request has not been read. */
static void test_early_answer(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL},
						 {PEER_READ_HEAD, NULL},
						 {PEER_SEND, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"},
						 {PEER_STAY, NULL}};
	char *big = big_body();
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask_within("POST", big, LONG_MS), 0);
	assert_int_equal(status, 413);
	assert_string_equal(body_text, "big");
	assert_int_equal(client.stream.fd, -1);
	end(&p);
	free(big);
}

static void begin(const char *method, const char *request_body)
{
	const struct http_request r = {
		.method = method,
		.target = "/",
		.headers = "",
		.body = request_body,
		.body_len = request_body ? strlen(request_body) : 0,
	};
	assert_int_equal(http_start(&client, &r, &sink, clock_now_ms() + LONG_MS, &e), 0);
	for (int i = 0; i < 100 && client.phase != HTTP_PHASE_EXCHANGE; i++) {
		assert_int_equal(http_step(&client, &e), HTTP_MORE);
		(void)usleep(1000);
	}
	assert_int_equal(http_step(&client, &e), HTTP_MORE);
}

/* What is given up is taken back from the kernel's queue; a question is not worth a reset. */
static void test_given_up(void **state)
{
	static const struct {
		const char *method;
		bool has_body, dies, is_reset;
	} cases[] = {
		{"POST", true, false, true},  {"POST", true, true, true},     {"PATCH", true, false, true},
		{"PUT", true, true, true},    {"DELETE", false, false, true}, {"DELETE", false, true, true},
		{"GET", false, false, false},
	};
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL}, {PEER_READ_HEAD, NULL}, {PEER_DRAIN, NULL}, {PEER_STAY, NULL}};
	char *big = big_body();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct peer p;
		pid_t child;

		use_peer(&p, steps);
		child = cases[i].dies ? fork() : 0;
		if (!child) {
			begin(cases[i].method, cases[i].has_body ? big : NULL);
			peer_wait(&p, 2);
			if (cases[i].dies)
				(void)kill(getpid(), SIGKILL);
			http_close(&client);
			assert_true(http_was_sent(&client));
		} else {
			(void)waitpid(child, NULL, 0);
		}
		peer_drain(&p);
		assert_int_equal(p.seen->was_reset, cases[i].is_reset);
		assert_true(p.seen->drained < 32 << 20);
		end(&p);
	}
	free(big);
}

/* Who was answered parts in peace, also with a connection that was reused. */
static void test_no_reset_after_the_answer(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL},  {PEER_SEND, HELLO}, {PEER_READ, NULL},
						 {PEER_SEND, HELLO},  {PEER_DRAIN, NULL}, {PEER_STAY, NULL}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct peer p;

		use_peer(&p, steps);
		assert_int_equal(ask(i ? "GET" : "POST"), 0);
		assert_int_equal(ask("POST"), 0);
		http_close(&client);
		peer_drain(&p);
		assert_int_equal(p.seen->was_reset, 0);
		end(&p);
	}
}

/* A deadline gives up, too. */
static void test_the_deadline_resets(void **state)
{
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL}, {PEER_READ_HEAD, NULL}, {PEER_DRAIN, NULL}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_failed(ask_within("POST", "body", 100), ERR_RETRY, "no complete answer");
	peer_drain(&p);
	assert_int_equal(p.seen->was_reset, 1);
	end(&p);
}

static int refuse(void *ctx, int s, struct err *err)
{
	(void)ctx;
	(void)s;
	return err_set(err, ERR_REFUSED, "no, thank you");
}

static void test_sink_refuses(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, HELLO}, {PEER_STAY, NULL}};
	const struct http_sink no = {.status = refuse};
	const struct http_request r = {.method = "GET", .target = "/", .headers = ""};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(http_exchange(&client, &r, &no, clock_now_ms() + LONG_MS, &e), -1);
	assert_int_equal(e.kind, ERR_REFUSED);
	assert_string_equal(e.text, "no, thank you");
	assert_int_equal(client.stream.fd, -1);
	end(&p);
}

static void test_bad_requests(void **state)
{
	static const char *const targets[] = {"", "x", "/a b", "/a\r\nX: y", "/\x7f", "/\xc3\xa4", "/a/..", "/a%2f..%2Fb"};
	static const char *const headers[] = {"X: y", "X: y\n", "X\r\n", "\r\n", "X: y\r\n\r\n", "X: \x01\r\n", "X: y\rz\r\n"};
	static char longest[HTTP_REQUEST_HEAD_MAX];
	struct http_request r = {.method = "GET", .headers = ""};

	(void)state;
	use("http://127.0.0.1:1");
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		r.target = targets[i];
		assert_int_equal(http_start(&client, &r, &sink, CLOCK_NEVER, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	r.target = "/";
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		r.headers = headers[i];
		assert_int_equal(http_start(&client, &r, &sink, CLOCK_NEVER, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	r.headers = "";
	r.target = longest;
	memset(longest, '/', sizeof longest - 1);
	assert_int_equal(http_start(&client, &r, &sink, CLOCK_NEVER, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_refused(void **state)
{
	static const struct peer_step steps[] = {{PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	peer_end(&p);
	assert_failed(ask("GET"), ERR_RETRY, "connect: connection refused");
	assert_false(http_was_sent(&client));
}

static void test_names(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, HELLO}, {PEER_STAY, NULL}};
	char url[64];
	struct peer p;

	(void)state;
	peer_start(&p, NULL, steps);
	(void)snprintf(url, sizeof url, "http://localhost:%u", (unsigned)p.port);
	use(url);
	if (ask("GET"))
		fail_msg("%s", e.text);
	end(&p);
	use("http://no-such-host.invalid");
	assert_failed(ask_within("GET", NULL, 2000), ERR_RETRY, "http://no-such-host.invalid: ");
}

static void test_unix_socket(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, HELLO}, {PEER_STAY, NULL}};
	char dir[] = "/tmp/test_http.XXXXXX";
	char path[64], url[96];
	struct peer p;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/s", dir);
	(void)snprintf(url, sizeof url, "unix://%s", path);
	peer_start(&p, path, steps);
	use(url);
	assert_int_equal(ask("GET"), 0);
	assert_string_equal(body_text, "hello");
	assert_non_null(strstr(p.seen->request, "\r\nHost: localhost\r\n"));
	end(&p);
	assert_failed(ask("GET"), ERR_RETRY, "connection refused");
	(void)unlink(path);
	assert_failed(ask("GET"), ERR_RETRY, "no such file");
	(void)rmdir(dir);
}

/* Over TLS a request is only given to the socket by the first step: no event comes before it. */
static void test_it_waits_for_nothing_before_its_first_step(void **state)
{
	static struct http_client one;
	static struct http_origin nobody;
	const struct http_request r = {.method = "GET", .target = "/", .headers = ""};
	const struct http_sink none = {.ctx = NULL};
	struct loop_wait wait = {.wake_ms = CLOCK_NEVER};

	(void)state;
	assert_int_equal(url_parse(&nobody.url, "127.0.0.1", URL_HTTP, 9, &e), 0);
	http_client_init(&one, &nobody, NULL);
	assert_int_equal(http_start(&one, &r, &none, clock_now_ms() + 1000, &e), 0);
	http_wants(&one, &wait);
	assert_int_equal(wait.wake_ms, 0);
	http_close(&one);
}

/* Two exchanges in one loop: neither waits for the other. */
static void test_two_clients(void **state)
{
	static const struct peer_step slow[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_DRIP, "HTTP"}, {PEER_STAY, NULL}};
	static const struct peer_step fast[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, HELLO}, {PEER_STAY, NULL}};
	static struct http_client clients[2];
	static struct http_origin origins[2];
	const struct http_request r = {.method = "GET", .target = "/", .headers = ""};
	const struct http_sink none = {.ctx = NULL};
	enum http_result results[2] = {HTTP_MORE, HTTP_MORE};
	int64_t start_ms = clock_now_ms();
	struct peer peers[2];

	(void)state;
	peer_start(&peers[0], NULL, slow);
	peer_start(&peers[1], NULL, fast);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(url_parse(&origins[i].url, "127.0.0.1", URL_HTTP, peers[i].port, &e), 0);
		http_client_init(&clients[i], &origins[i], NULL);
		assert_int_equal(http_start(&clients[i], &r, &none, start_ms + (i ? LONG_MS : 300), &e), 0);
	}
	while (results[0] == HTTP_MORE || results[1] == HTTP_MORE) {
		struct pollfd pfds[2];
		struct loop_wait wait = {.fds = pfds, .cap = 2, .wake_ms = CLOCK_NEVER};

		for (int i = 0; i < 2; i++) {
			if (results[i] == HTTP_MORE)
				results[i] = http_step(&clients[i], &e);
			http_wants(&clients[i], &wait);
		}
		if (results[0] == HTTP_MORE || results[1] == HTTP_MORE)
			(void)poll(pfds, wait.n, clock_poll_timeout(wait.wake_ms, clock_now_ms()));
	}
	assert_int_equal(results[0], HTTP_BAD);
	assert_int_equal(results[1], HTTP_DONE);
	for (int i = 0; i < 2; i++) {
		http_close(&clients[i]);
		peer_end(&peers[i]);
	}
}

static void test_proxy_refuses(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
		const char *part;
	} cases[] = {
		{"HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n", ERR_AUTH, "407"},
		{"HTTP/1.1 403 No\r\n\r\n", ERR_REFUSED, "(status 403)"},
		{"HTTP/1.1 302 No\r\nLocation: http://portal.example/in?from=x\r\n\r\n", ERR_REFUSED,
		 "(status 302, redirected to http://portal.example/in)"},
		{"HTTP/1.1 502 No\r\n\r\n", ERR_RETRY, "502"},
		{"HTTP/1.1 200 OK\r\n\r\nSSH-2.0", ERR_PROTO, "more than a head"},
		{"SOCKS\r\n", ERR_PROTO, "not HTTP"},
		{"HTTP/1.1 200 OK\r\n", ERR_RETRY, "ended"},
		{"", ERR_RETRY, "ended"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct peer_step steps[] = {{PEER_ACCEPT, NULL},
						  {PEER_READ, NULL},
						  {PEER_SEND, cases[i].answer},
						  {PEER_CLOSE, NULL},
						  {PEER_STAY, NULL}};
		struct peer p;

		peer_start(&p, NULL, steps);
		use("https://[2001:db8::1]:8501");
		origin.has_proxy = true;
		assert_int_equal(url_parse(&origin.proxy, "127.0.0.1", URL_HTTP, p.port, &e), 0);
		(void)snprintf(origin.proxy_auth, sizeof origin.proxy_auth, "Basic c2VjcmV0");
		assert_failed(ask("GET"), cases[i].kind, cases[i].part);
		assert_non_null(strstr(e.text, "https://[2001:db8::1]:8501: proxy http://127.0.0.1:"));
		assert_null(strstr(e.text, "c2VjcmV0"));
		assert_memory_equal(p.seen->request,
				    "CONNECT [2001:db8::1]:8501 HTTP/1.1\r\n"
				    "Host: [2001:db8::1]:8501\r\n",
				    63);
		assert_non_null(strstr(p.seen->request, "Proxy-Authorization: Basic c2VjcmV0\r\n"));
		end(&p);
	}
}

/* What fails behind the tunnel is not the proxy's. */
static void test_behind_the_proxy(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL},  {PEER_SEND, "HTTP/1.1 200 OK\r\n\r\n"},
						 {PEER_READ, NULL},   {PEER_CLOSE, NULL}, {PEER_STAY, NULL}};
	static const struct tls_config nobody;
	struct peer p;

	(void)state;
	peer_start(&p, NULL, steps);
	use("https://a.example:8501");
	origin.tls = &nobody;
	origin.has_proxy = true;
	assert_int_equal(url_parse(&origin.proxy, "127.0.0.1", URL_HTTP, p.port, &e), 0);
	assert_failed(ask_within("GET", NULL, 300), ERR_RETRY, "(TLS handshake)");
	assert_null(strstr(e.text, "proxy"));
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_waits_for_nothing_before_its_first_step),
		cmocka_unit_test(test_slow_bytes),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_slow_connect),
		cmocka_unit_test(test_early_answer),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_no_reset_after_the_answer),
		cmocka_unit_test(test_the_deadline_resets),
		cmocka_unit_test(test_sink_refuses),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unix_socket),
		cmocka_unit_test(test_two_clients),
		cmocka_unit_test(test_proxy_refuses),
		cmocka_unit_test(test_behind_the_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
