#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* after those it needs */
#include <cmocka.h>

#include "base/buf.h"
#include "edge.h"
#include "net/http/head.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* What the sink was told, as one text: "200|name=value|..." */
static char told_text[4096];
static struct buf told;

static int on_status(void *ctx, int status, struct err *e)
{
	(void)ctx;
	(void)e;
	buf_fmt(&told, "%d|", status);
	return 0;
}

static int on_header(void *ctx, const char *name, const char *value, struct err *e)
{
	(void)ctx;
	if (!strcmp(name, "Refuse"))
		return err_set(e, ERR_REFUSED, "by the sink");
	buf_fmt(&told, "%s=%s|", name, value);
	return 0;
}

static const struct head_sink sink = {.status = on_status, .header = on_header};

static const struct {
	const char *in;
	const char *told;
	int status;
	bool chunked, has_length, close, keep_alive, is_http10;
	uint64_t length;
	size_t excess;
} good[] = {
	{OK "\r\n", "200|", 200, .excess = 0},
	{OK "\r\nbody", "200|", 200, .excess = 4},
	{"HTTP/1.1 204\r\n\r\n", "204|", 204, .excess = 0},
	{"HTTP/1.1 204 \r\n\r\n", "204|", 204, .excess = 0},
	{"HTTP/1.9 200 x y\r\n\r\n", "200|", 200, .excess = 0},
	{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", "200|Connection=keep-alive|", 200, .keep_alive = true,
	 .is_http10 = true},
	{OK "Content-Length: 5\r\n\r\nhello", "200|Content-Length=5|", 200, .has_length = true, .length = 5, .excess = 5},
	{OK "content-length:5\r\nCONTENT-LENGTH: 5\r\n\r\n", "200|content-length=5|CONTENT-LENGTH=5|", 200, .has_length = true,
	 .length = 5},
	{OK "Content-Length: 5, 5\r\n\r\n", "200|Content-Length=5, 5|", 200, .has_length = true, .length = 5},
	{OK "Transfer-Encoding: Chunked\r\n\r\n", "200|Transfer-Encoding=Chunked|", 200, .chunked = true},
	{OK "Connection: x, Close\r\n\r\n", "200|Connection=x, Close|", 200, .close = true},
	{OK "X:\t a b\t \r\nY:\r\n\r\n", "200|X=a b|Y=|", 200, .excess = 0},
	{OK "X: \xe4\xf6\r\n\r\n", "200|X=\xe4\xf6|", 200, .excess = 0},
	{OK "Content-Encoding: identity\r\n\r\n", "200|Content-Encoding=identity|", 200, .excess = 0},
	{OK "Content-Encoding: IDENTITY\r\nContent-Encoding:\r\n\r\n", "200|Content-Encoding=IDENTITY|Content-Encoding=|", 200,
	 .excess = 0},
	{"HTTP/1.1 100 Continue\r\n\r\n" OK "\r\n", "200|", 200, .excess = 0},
	{"HTTP/1.1 103 Early\r\nLink: x\r\nContent-Length: 9\r\n\r\nHTTP/1.1 404 No\r\n\r\n", "404|", 404, .excess = 0},
};

static const struct {
	const char *in;
	enum err_kind kind;
} bad[] = {
	{"\r\n", ERR_PROTO},
	{"HTTP/2 200\r\n", ERR_PROTO},
	{"HTTP/1 200\r\n", ERR_PROTO},
	{"HTTP/1.10 200\r\n", ERR_PROTO},
	{"http/1.1 200\r\n", ERR_PROTO},
	{"HTTP/1.1  200\r\n", ERR_PROTO},
	{"HTTP/1.1 20\r\n", ERR_PROTO},
	{"HTTP/1.1 2000\r\n", ERR_PROTO},
	{"HTTP/1.1 200x\r\n", ERR_PROTO},
	{"HTTP/1.1 099 x\r\n", ERR_PROTO},
	{"HTTP/1.1 600 x\r\n", ERR_PROTO},
	{"HTTP/1.1 101 Switching\r\n", ERR_PROTO},
	{"SSH-2.0-x\r\n", ERR_PROTO},
	{"ICY 200 OK\r\n", ERR_PROTO},
	{"HTTP/1.1 200 OK\n", ERR_PROTO},
	{"HTTP/1.1 200 O\rK\r\n", ERR_PROTO},
	{OK "X: y\n\r\n", ERR_PROTO},
	{OK "X: y\rz\r\n", ERR_PROTO},
	{OK "X: y\r\r\n", ERR_PROTO},
	{OK "X: y\r\n z\r\n", ERR_PROTO},
	{OK "X: y\r\n\tz\r\n", ERR_PROTO},
	{OK " X: y\r\n", ERR_PROTO},
	{OK "X : y\r\n", ERR_PROTO},
	{OK "X\t: y\r\n", ERR_PROTO},
	{OK ": y\r\n", ERR_PROTO},
	{OK "X\r\n", ERR_PROTO},
	{OK "X Y: z\r\n", ERR_PROTO},
	{OK "X(: z\r\n", ERR_PROTO},
	{OK "X\xe4: z\r\n", ERR_PROTO},
	{OK "X: \x01\r\n", ERR_PROTO},
	{OK "X: \x7f\r\n", ERR_PROTO},
	{OK "Content-Length: 5\r\nContent-Length: 6\r\n", ERR_PROTO},
	{OK "Content-Length: 5, 6\r\n", ERR_PROTO},
	{OK "Content-Length: 5,\r\n", ERR_PROTO},
	{OK "Content-Length: \r\n", ERR_PROTO},
	{OK "Content-Length: +5\r\n", ERR_PROTO},
	{OK "Content-Length: -5\r\n", ERR_PROTO},
	{OK "Content-Length: 0x5\r\n", ERR_PROTO},
	{OK "Content-Length: 5 5\r\n", ERR_PROTO},
	{OK "Content-Length: 18446744073709551616\r\n", ERR_PROTO},
	{OK "Transfer-Encoding: gzip, chunked\r\n", ERR_PROTO},
	{OK "Transfer-Encoding: chunked, chunked\r\n", ERR_PROTO},
	{OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ERR_PROTO},
	{OK "Transfer-Encoding: identity\r\n", ERR_PROTO},
	{OK "Transfer-Encoding: xchunked\r\n", ERR_PROTO},
	{OK "Transfer-Encoding:\r\n", ERR_PROTO},
	{OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_PROTO},
	{OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ERR_PROTO},
	{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_PROTO},
	{OK "Content-Encoding: gzip\r\n", ERR_PROTO},
	{OK "Content-Encoding: identity\r\nContent-Encoding: br\r\n", ERR_PROTO},
	{OK "Content-Encoding: identity, gzip\r\n", ERR_PROTO},
	{"HTTP/1.1 299 x\r\nContent-Encoding: gzip\r\n", ERR_PROTO},
	{OK "Refuse: x\r\n", ERR_REFUSED},
};

static enum head_result feed(struct head *h, const char *p, size_t n, size_t piece, size_t *left, struct err *e)
{
	enum head_result r = HEAD_MORE;

	memset(e, 0, sizeof *e);
	head_init(h, &sink);
	buf_init(&told, told_text, sizeof told_text);
	while (n && r == HEAD_MORE) {
		size_t take = n < piece ? n : piece;
		size_t used;

		r = head_feed(h, edge_copy(p, take), take, &used, e);
		assert_true(used <= take && (r != HEAD_MORE || used == take));
		p += used;
		n -= used;
	}
	*left = n;
	return r;
}

static void test_good(void **state)
{
	static const size_t pieces[] = {1, 2, 7, 10000};
	static struct head h;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
			struct err e;
			size_t left;
			enum head_result r = feed(&h, good[i].in, strlen(good[i].in), pieces[k], &left, &e);

			if (r != HEAD_DONE)
				fail_msg("case %zu by %zu: %d %s", i, pieces[k], (int)r, e.text);
			assert_string_equal(told_text, good[i].told);
			assert_int_equal(h.status, good[i].status);
			assert_int_equal(h.chunked, good[i].chunked);
			assert_int_equal(h.has_length, good[i].has_length);
			assert_int_equal(h.length, good[i].length);
			assert_int_equal(h.close, good[i].close);
			assert_int_equal(h.keep_alive, good[i].keep_alive);
			assert_int_equal(h.is_http10, good[i].is_http10);
			assert_int_equal(left, good[i].excess);
		}
	}
}

static void test_bad(void **state)
{
	static struct head h;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		for (size_t piece = 1; piece < 10000; piece *= 10) {
			struct err e;
			size_t left;
			enum head_result r = feed(&h, bad[i].in, strlen(bad[i].in), piece, &left, &e);

			if (r != HEAD_BAD || e.kind != bad[i].kind)
				fail_msg("case %zu by %zu: %d %s", i, piece, (int)r, e.text);
		}
	}
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* For messages: no user, no query, no fragment. */
static const struct {
	const char *value, *location;
} locations[] = {
	{"https://api.example.com/v4/zones", "https://api.example.com/v4/zones"},
	{"https://user:pass@host:8501/p?token=t", "host:8501/p"},
	{"https://user:p@ss@host", "host"},
	{"https://user:p/ss@host", "host"},
	{"https://user@", ""},
	{"//user:pass@host/p", "host/p"},
	{"/ui/", "/ui/"},
	{"ui?token=t", "ui"},
	{"ui#token", "ui"},
	{"?token=t//user@host", ""},
	{"/login?next=//user:pass@host/p", "/login"},
	{"https://host/a@b/c@d#e?f", "d"},
	{"https://host?a@b", "https://host"},
	{"https://host#a@b", "https://host"},
	{"", ""},
	{A64 A64 A64 A64, A64 A64 A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
};

static void test_location(void **state)
{
	static struct head h;
	struct err e;
	size_t left;

	(void)state;
	for (size_t i = 0; i < sizeof locations / sizeof locations[0]; i++) {
		char in[1024];
		int n = snprintf(in, sizeof in, "HTTP/1.1 301 x\r\nlOCATION: %s\r\n\r\n", locations[i].value);

		assert_int_equal(feed(&h, in, (size_t)n, 1, &left, &e), HEAD_DONE);
		assert_string_equal(h.location, locations[i].location);
		assert_int_equal(feed(&h, OK "\r\n", sizeof OK + 1, 100, &left, &e), HEAD_DONE);
		assert_string_equal(h.location, "");
	}
}

/* What nobody can read is an error where it matters what it says, and told by its name. */
static void test_encoded(void **state)
{
	static const char *const errors[] = {"300", "404", "429", "503"};
	static struct head h;
	char in[128];
	struct err e;
	size_t left;

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		int n = snprintf(in, sizeof in, "HTTP/1.1 %s x\r\nContent-Encoding: gzip\r\n\r\n", errors[i]);

		assert_int_equal(feed(&h, in, (size_t)n, 1, &left, &e), HEAD_DONE);
		assert_true(h.is_encoded);
	}
	assert_int_equal(feed(&h, OK "\r\n", sizeof OK + 1, 100, &left, &e), HEAD_DONE);
	assert_false(h.is_encoded);
	assert_int_equal(feed(&h, OK "Content-Encoding: x-gzip\r\n", sizeof OK + 25, 100, &left, &e), HEAD_BAD);
	assert_string_equal(e.text, "answer's head: Content-Encoding is not just \"identity\"");
}

/* Every proper beginning of a good head wants more. */
static void test_prefixes(void **state)
{
	static const char in[] = OK "Content-Length: 5\r\nX: y\r\n\r\n";
	static struct head h;

	(void)state;
	for (size_t n = 0; n < sizeof in - 1; n++) {
		struct err e;
		size_t left;

		assert_int_equal(feed(&h, in, n, n + 1, &left, &e), HEAD_MORE);
	}
}

static void test_nul(void **state)
{
	static const char in[] = OK "X: a\0b\r\n\r\n";
	static struct head h;
	struct err e;
	size_t left;

	(void)state;
	assert_int_equal(feed(&h, in, sizeof in - 1, 100, &left, &e), HEAD_BAD);
	assert_int_equal(e.kind, ERR_PROTO);
}

static char big[HTTP_HEAD_MAX + 4096];

static enum head_result feed_big(size_t n, struct err *e)
{
	static struct head h;
	size_t left;

	return feed(&h, big, n, 4000, &left, e);
}

static void test_line_limit(void **state)
{
	struct err e;
	int n;

	(void)state;
	n = snprintf(big, sizeof big, OK "X:%0*d\r\n\r\n", HTTP_LINE_MAX - 2, 0);
	assert_int_equal(feed_big((size_t)n, &e), HEAD_DONE);
	n = snprintf(big, sizeof big, OK "X:%0*d\r\n\r\n", HTTP_LINE_MAX - 1, 0);
	assert_int_equal(feed_big((size_t)n, &e), HEAD_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

/* Four lines of 8,000 bytes and one that makes the head `total` bytes long. */
static size_t head_of(size_t total)
{
	size_t n = (size_t)snprintf(big, sizeof big, OK);

	for (int i = 0; i < 4; i++)
		n += (size_t)snprintf(big + n, sizeof big - n, "X:%07996d\r\n", 0);
	return n + (size_t)snprintf(big + n, sizeof big - n, "X:%0*d\r\n\r\n", (int)(total - n - 6), 0);
}

static void test_head_limit(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(head_of(HTTP_HEAD_MAX), HTTP_HEAD_MAX);
	assert_int_equal(feed_big(HTTP_HEAD_MAX, &e), HEAD_DONE);
	assert_int_equal(feed_big(head_of(HTTP_HEAD_MAX + 1), &e), HEAD_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_endless_interim(void **state)
{
	struct err e;
	size_t n = 0;

	(void)state;
	while (n < sizeof big - 100)
		n += (size_t)snprintf(big + n, sizeof big - n, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(feed_big(n, &e), HEAD_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_headers_limit(void **state)
{
	struct err e;
	size_t n = (size_t)snprintf(big, sizeof big, OK);

	(void)state;
	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		n += (size_t)snprintf(big + n, sizeof big - n, "X:y\r\n");
	(void)snprintf(big + n, sizeof big - n, "\r\n");
	assert_int_equal(feed_big(n + 2, &e), HEAD_DONE);
	n += (size_t)snprintf(big + n, sizeof big - n, "X:y\r\n\r\n");
	assert_int_equal(feed_big(n, &e), HEAD_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),          cmocka_unit_test(test_bad),        cmocka_unit_test(test_location),
		cmocka_unit_test(test_encoded),       cmocka_unit_test(test_prefixes),   cmocka_unit_test(test_nul),
		cmocka_unit_test(test_line_limit),    cmocka_unit_test(test_head_limit), cmocka_unit_test(test_endless_interim),
		cmocka_unit_test(test_headers_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
