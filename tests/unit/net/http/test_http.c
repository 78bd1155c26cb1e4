#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those it needs */
#include <cmocka.h>

#include "base/clock.h"
#include "net/http/ask.h"
#include "net/http/client_parts.h"

/* One exchange over a connection of its own, the peer closing after its answer. */
static const struct {
	const char *name;
	const char *method;
	const char *answer;
	enum err_kind kind;   /* ERR_NONE: well */
	const char *expected; /* the body, or a part of the error */
} answers[] = {
	{"length", "GET", HELLO, ERR_NONE, "hello"},
	{"length 0", "GET", OK "Content-Length: 0\r\n\r\n", ERR_NONE, ""},
	{"chunked", "GET", OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: x\r\n\r\n", ERR_NONE, "hello"},
	{"until close", "GET", OK "\r\nhello", ERR_NONE, "hello"},
	{"until close, empty", "GET", OK "\r\n", ERR_NONE, ""},
	{"204", "GET", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", ERR_NONE, ""},
	{"304", "GET", "HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_NONE, ""},
	{"interim", "GET", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\nX: y\r\n\r\n" HELLO, ERR_NONE, "hello"},
	{"excess", "GET", HELLO "HTTP/1.1 200 OK\r\n", ERR_NONE, "hello"},
	{"nothing", "GET", "", ERR_RETRY, "closed the connection without an answer"},
	{"cut in the status line", "GET", "HTTP/1.1 2", ERR_RETRY, "within the answer's head"},
	{"cut in the head", "GET", OK "Content-Le", ERR_RETRY, "within the answer's head"},
	{"cut in the body", "GET", OK "Content-Length: 6\r\n\r\nhello", ERR_RETRY, "before the end of the answer's body"},
	{"cut in a chunk", "GET", OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", ERR_RETRY,
	 "before the end of the answer's body"},
	{"cut before the last chunk", "GET", OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ERR_RETRY,
	 "before the end of the answer's body"},
	{"garbage", "GET", "\x16\x03\x01\x02\x00\x01", ERR_PROTO, "control character"},
	{"not HTTP", "GET", "SSH-2.0-OpenSSH\r\n", ERR_PROTO, "not HTTP"},
	{"bad chunk", "GET", OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", ERR_PROTO, "chunk"},
	{"as long as may be", "GET", OK "Content-Length: 268435456\r\n\r\nhello", ERR_RETRY, "before the end"},
	{"too long", "GET", OK "Content-Length: 268435457\r\n\r\n", ERR_LIMIT, "268435456"},
	{"far too long", "GET", OK "Content-Length: 18446744073709551615\r\n\r\n", ERR_LIMIT, "268435456"},
	{"two framings", "GET", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ERR_PROTO, "both"},
	{"switch", "GET", "HTTP/1.1 101 Switching\r\n\r\n", ERR_PROTO, "101"},
	{"encoded", "GET", OK "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", ERR_PROTO, "Content-Encoding is not"},
	{"encoded error", "GET", "HTTP/1.1 503 x\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", ERR_NONE, ""},
	{"encoded chunks", "GET",
	 "HTTP/1.1 403 x\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n", ERR_NONE, ""},
	{"redirect", "GET", "HTTP/1.1 301 x\r\nLocation: https://u:p@example.com/a?b\r\nContent-Length: 5\r\n\r\nhello",
	 ERR_REFUSED, ": HTTP 301: redirected to example.com/a, which is not followed"},
	{"redirect", "POST", "HTTP/1.1 307 x\r\nlocation:/ui/\r\n\r\n", ERR_REFUSED, ": HTTP 307: redirected to /ui/, which"},
	{"redirect, cut", "GET", "HTTP/1.1 399 x\r\nLocation: /ui/\r\nContent-Length: 5\r\n\r\n", ERR_REFUSED, "HTTP 399"},
	{"redirect nowhere", "GET", "HTTP/1.1 302 x\r\nContent-Length: 5\r\n\r\nhello", ERR_NONE, "hello"},
	{"created", "POST", "HTTP/1.1 201 x\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nhello", ERR_NONE, "hello"},
	{"retry", "GET", "HTTP/1.1 400 x\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nhello", ERR_NONE, "hello"},
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const struct peer_step steps[] = {{PEER_ACCEPT, NULL},
						  {PEER_READ, NULL},
						  {PEER_SEND, answers[i].answer},
						  {PEER_CLOSE, NULL},
						  {PEER_STAY, NULL}};
		struct peer p;
		int result;

		use_peer(&p, steps);
		result = ask(answers[i].method);
		if (answers[i].kind) {
			assert_failed(result, answers[i].kind, answers[i].expected);
		} else if (result || strcmp(body_text, answers[i].expected) != 0) {
			fail_msg("%s: %s \"%s\"", answers[i].name, e.text, body_text);
		}
		assert_int_equal(p.seen->connections, 1);
		assert_int_equal(http_counters(&client)->requests, 1);
		end(&p);
	}
}

/* What is not announced is counted as it comes. */
static void test_too_much(void **state)
{
	static const char head[] = OK "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", two[] = "\r\n2\r\na", b[] = "b";
	static char piece[65536];
	size_t left = 0xfffffff;

	(void)state;
	memset(&client, 0, sizeof client);
	http_answer_init(&client);
	assert_int_equal(http_answer_feed(&client, head, sizeof head - 1, &e), PROGRESS_GO);
	while (left) {
		size_t n = left < sizeof piece ? left : sizeof piece;

		assert_int_equal(http_answer_feed(&client, piece, n, &e), PROGRESS_GO);
		left -= n;
	}
	assert_int_equal(http_answer_feed(&client, two, sizeof two - 1, &e), PROGRESS_GO);
	assert_int_equal(client.received, HTTP_BODY_MAX);
	assert_int_equal(http_answer_feed(&client, b, sizeof b - 1, &e), PROGRESS_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_request(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, HELLO}, {PEER_STAY, NULL}};
	char expected[512];
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask_within("POST", "{}", LONG_MS), 0);
	(void)snprintf(expected, sizeof expected, "POST /pre/x HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", (unsigned)p.port);
	assert_memory_equal(p.seen->request, expected, strlen(expected));
	assert_non_null(strstr(p.seen->request, "\r\nUser-Agent: dnsbuddy/"));
	assert_non_null(strstr(p.seen->request, "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n"
						"Content-Length: 2\r\nX-Test: y\r\n\r\n{}"));
	end(&p);
}

static void test_keep_alive(void **state)
{
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL},
		{PEER_READ, NULL},
		{PEER_SEND, HELLO},
		{PEER_READ, NULL},
		{PEER_SEND, OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{PEER_READ, NULL},
		{PEER_SEND, "HTTP/1.1 204 No\r\nConnection: close\r\n\r\n"},
		{PEER_ACCEPT, NULL},
		{PEER_READ, NULL},
		{PEER_SEND, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
		{PEER_READ, NULL},
		{PEER_SEND, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{PEER_ACCEPT, NULL},
		{PEER_READ, NULL},
		{PEER_SEND, HELLO},
		{PEER_STAY, NULL}};
	static const int connections[] = {1, 1, 1, 2, 2, 3};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++) {
		assert_int_equal(ask("GET"), 0);
		assert_int_equal(p.seen->connections, connections[i]);
	}
	assert_int_equal(http_counters(&client)->connections, 3);
	assert_int_equal(http_counters(&client)->requests, 6);
	end(&p);
}

static void test_excess_drops(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL},
						 {PEER_READ, NULL},
						 {PEER_SEND, HELLO "x"},
						 {PEER_ACCEPT, NULL},
						 {PEER_READ, NULL},
						 {PEER_SEND, HELLO},
						 {PEER_SEND, "HTTP/1.1 200 late\r\n"},
						 {PEER_ACCEPT, NULL},
						 {PEER_READ, NULL},
						 {PEER_SEND, HELLO},
						 {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask("GET"), 0);
	assert_int_equal(client.stream.fd, -1);
	assert_int_equal(ask("GET"), 0);
	peer_wait(&p, 7);
	assert_int_equal(ask("GET"), 0);
	assert_int_equal(p.seen->connections, 3);
	end(&p);
}

/* Reused, read by the server, and closed without a byte of an answer. */
static void test_dead_on_reuse(void **state)
{
	static const struct {
		const char *method;
		enum peer_what ending;
		bool again;
	} cases[] = {
		{"GET", PEER_CLOSE, true},   {"PUT", PEER_CLOSE, true},   {"DELETE", PEER_RESET, true}, {"GET", PEER_RESET, true},
		{"POST", PEER_CLOSE, false}, {"POST", PEER_RESET, false}, {"PATCH", PEER_CLOSE, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL},       {PEER_SEND, HELLO},
						  {PEER_READ, NULL},   {cases[i].ending, NULL}, {PEER_ACCEPT, NULL},
						  {PEER_READ, NULL},   {PEER_SEND, HELLO},      {PEER_STAY, NULL}};
		struct peer p;

		use_peer(&p, steps);
		assert_int_equal(ask("GET"), 0);
		if (cases[i].again) {
			if (ask(cases[i].method))
				fail_msg("%s: %s", cases[i].method, e.text);
			assert_string_equal(body_text, "hello");
			assert_int_equal(p.seen->requests, 3);
		} else {
			assert_failed(ask(cases[i].method), ERR_RETRY, "answer lost");
			assert_true(http_was_sent(&client));
			assert_int_equal(p.seen->connections, 1);
		}
		end(&p);
	}
}

/* The second try fails as well: there is no third. */
static void test_dead_twice(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL},   {PEER_SEND, HELLO}, {PEER_READ, NULL},
						 {PEER_CLOSE, NULL},  {PEER_ACCEPT, NULL}, {PEER_READ, NULL},  {PEER_CLOSE, NULL},
						 {PEER_ACCEPT, NULL}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask("GET"), 0);
	assert_failed(ask("GET"), ERR_RETRY, "without an answer");
	assert_int_equal(p.seen->connections, 2);
	end(&p);
}

/* Dead, but not while the request was on its way: that was no race, and who asked decides. */
static void test_dead_after_a_long_silence(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL},   {PEER_SEND, HELLO}, {PEER_READ, NULL},
						 {PEER_CLOSE, NULL},  {PEER_ACCEPT, NULL}, {PEER_STAY, NULL}};
	const struct http_request r = {.method = "GET", .target = "/x", .headers = ""};
	enum http_result result = HTTP_MORE;
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask("GET"), 0);
	assert_int_equal(http_start(&client, &r, &sink, clock_now_ms() + LONG_MS, &e), 0);
	client.start_ms -= 2000;
	while (result == HTTP_MORE)
		result = http_step(&client, &e);
	assert_failed(result == HTTP_DONE ? 0 : -1, ERR_RETRY, "without an answer");
	assert_int_equal(p.seen->connections, 1);
	end(&p);
}

/* A byte of the answer came: it was begun, so it is not sent again. */
static void test_cut_on_reuse(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL},  {PEER_SEND, HELLO},  {PEER_READ, NULL},
						 {PEER_SEND, "H"},    {PEER_CLOSE, NULL}, {PEER_ACCEPT, NULL}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask("GET"), 0);
	assert_failed(ask("GET"), ERR_RETRY, "within the answer's head");
	assert_int_equal(p.seen->connections, 1);
	end(&p);
}

/* Closed while idle, seen before anything is sent: a POST is safe. */
static void test_stale_idle(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, HELLO}, {PEER_CLOSE, NULL},
						 {PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, HELLO}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask("GET"), 0);
	peer_wait(&p, 4);
	assert_int_equal(ask("POST"), 0);
	assert_int_equal(p.seen->requests, 2);
	end(&p);
}

/* Once more, and nobody is there: the first one may have been done all the same. */
static void test_lost_twice(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL},  {PEER_SEND, HELLO},
						 {PEER_READ, NULL},   {PEER_RESET, NULL}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_int_equal(ask("GET"), 0);
	origin.url.port = 1; /* for whoever connects anew */
	assert_failed(ask("DELETE"), ERR_RETRY, "connection refused");
	assert_true(http_was_sent(&client));
	/* Of another request nothing was. */
	assert_failed(ask("DELETE"), ERR_RETRY, "connection refused");
	assert_false(http_was_sent(&client));
	end(&p);
}

static void test_lost_post(void **state)
{
	static const struct peer_step steps[] = {{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_RESET, NULL}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_failed(ask_within("POST", "{}", LONG_MS), ERR_RETRY, "answer lost");
	assert_true(http_was_sent(&client));
	end(&p);
}

static void test_reset_in_body(void **state)
{
	static const struct peer_step steps[] = {
		{PEER_ACCEPT, NULL}, {PEER_READ, NULL}, {PEER_SEND, OK "\r\nhel"}, {PEER_RESET, NULL}, {PEER_STAY, NULL}};
	struct peer p;

	(void)state;
	use_peer(&p, steps);
	assert_failed(ask("GET"), ERR_RETRY, "reset");
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_excess_drops),
		cmocka_unit_test(test_dead_on_reuse),
		cmocka_unit_test(test_dead_twice),
		cmocka_unit_test(test_dead_after_a_long_silence),
		cmocka_unit_test(test_cut_on_reuse),
		cmocka_unit_test(test_stale_idle),
		cmocka_unit_test(test_lost_twice),
		cmocka_unit_test(test_lost_post),
		cmocka_unit_test(test_reset_in_body),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
