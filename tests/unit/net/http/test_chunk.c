#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* after those it needs */
#include <cmocka.h>

#include "edge.h"
#include "net/http/chunk.h"

static const struct {
	const char *in;
	enum chunk_result result;
	enum err_kind kind;
	const char *data;
	size_t excess; /* bytes after the end */
} cases[] = {
	{"0\r\n\r\n", CHUNK_DONE, ERR_NONE, "", 0},
	{"5\r\nhello\r\n0\r\n\r\n", CHUNK_DONE, ERR_NONE, "hello", 0},
	{"5\r\nhello\r\n0\r\n\r\nHTTP", CHUNK_DONE, ERR_NONE, "hello", 4},
	{"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", CHUNK_DONE, ERR_NONE, "hello", 0},
	{"a\r\n0123456789\r\n000\r\n\r\n", CHUNK_DONE, ERR_NONE, "0123456789", 0},
	{"A\r\n0123456789\r\n0\r\n\r\n", CHUNK_DONE, ERR_NONE, "0123456789", 0},
	{"1;x=y\r\na\r\n0;z\r\n\r\n", CHUNK_DONE, ERR_NONE, "a", 0},
	{"1 ;x=\"a b\"\r\na\r\n0\r\n\r\n", CHUNK_DONE, ERR_NONE, "a", 0},
	{"1\r\na\r\n0\r\nX: y\r\nZ: w\r\n\r\n", CHUNK_DONE, ERR_NONE, "a", 0},
	{"2\r\n\r\n\r\n0\r\n\r\n", CHUNK_DONE, ERR_NONE, "\r\n", 0},
	{"", CHUNK_MORE, ERR_NONE, "", 0},
	{"5", CHUNK_MORE, ERR_NONE, "", 0},
	{"5\r\nhel", CHUNK_MORE, ERR_NONE, "hel", 0},
	{"5\r\nhello\r\n0\r\n", CHUNK_MORE, ERR_NONE, "hello", 0},
	{"5\r\nhello\r\n0\r\n\r", CHUNK_MORE, ERR_NONE, "hello", 0},
	{"\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"g\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"-1\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"0x5\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{" 5\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"5 \r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"5 5\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"5\nhello", CHUNK_BAD, ERR_PROTO, "", 0},
	{"5\r\rhello", CHUNK_BAD, ERR_PROTO, "", 0},
	{"5\r\nhello0\r\n\r\n", CHUNK_BAD, ERR_PROTO, "hello", 0},
	{"5\r\nhello\n0\r\n\r\n", CHUNK_BAD, ERR_PROTO, "hello", 0},
	{"5\r\nhelloo\r\n", CHUNK_BAD, ERR_PROTO, "hello", 0},
	{"1;a\nb\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"0\r\nX: y\n\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"0\r\nX: y\rz\r\n\r\n", CHUNK_BAD, ERR_PROTO, "", 0},
	{"0\r\n\rx", CHUNK_BAD, ERR_PROTO, "", 0},
	{"ffffffffff\r\n", CHUNK_BAD, ERR_LIMIT, "", 0},
	{"10000000000000005\r\nhello", CHUNK_BAD, ERR_LIMIT, "", 0},
};

/* Feed p[0..n) in pieces of `piece` bytes. */
static enum chunk_result feed(const char *p, size_t n, size_t piece, char *data, size_t *data_n, size_t *left, struct err *e)
{
	enum chunk_result r = CHUNK_MORE;
	struct chunk c;

	chunk_init(&c);
	*data_n = 0;
	while (n && r == CHUNK_MORE) {
		size_t take = n < piece ? n : piece;
		const char *copy = edge_copy(p, take);
		struct chunk_data span;
		size_t used;

		r = chunk_feed(&c, copy, take, &used, &span, e);
		if (r == CHUNK_BAD)
			break;
		assert_true(used > 0 && used <= take);
		memcpy(data + *data_n, span.p, span.n);
		*data_n += span.n;
		p += used;
		n -= used;
	}
	*left = n;
	return r;
}

static void test_cases(void **state)
{
	static const size_t pieces[] = {1, 2, 3, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
			struct err e = {0};
			char data[64];
			size_t n, left;
			enum chunk_result r = feed(cases[i].in, strlen(cases[i].in), pieces[k], data, &n, &left, &e);

			if (r != cases[i].result || e.kind != cases[i].kind)
				fail_msg("case %zu by %zu: %d, %s", i, pieces[k], (int)r, e.text);
			if (r == CHUNK_BAD)
				continue;
			assert_int_equal(n, strlen(cases[i].data));
			assert_memory_equal(data, cases[i].data, n);
			assert_int_equal(left, cases[i].excess);
		}
	}
}

static char big[CHUNK_EXT_MAX + 200000];

static enum chunk_result feed_big(size_t n, struct err *e)
{
	static char data[sizeof big];
	size_t data_n, left;

	memset(e, 0, sizeof *e);
	return feed(big, n, sizeof big, data, &data_n, &left, e);
}

static void test_line_limit(void **state)
{
	struct err e;
	int n;

	(void)state;
	/* CHUNK_LINE_MAX counts the CR LF too: "1;" + extension + CR LF */
	n = snprintf(big, sizeof big, "1;%0*d\r\na\r\n0\r\n\r\n", CHUNK_LINE_MAX - 4, 0);
	assert_int_equal(feed_big((size_t)n, &e), CHUNK_DONE);
	n = snprintf(big, sizeof big, "1;%0*d\r\na\r\n0\r\n\r\n", CHUNK_LINE_MAX - 3, 0);
	assert_int_equal(feed_big((size_t)n, &e), CHUNK_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_trailer_limit(void **state)
{
	struct err e;
	int n;

	(void)state;
	n = snprintf(big, sizeof big, "0\r\nX:%0*d\r\n\r\n", CHUNK_TRAILER_MAX - 2, 0);
	assert_int_equal(feed_big((size_t)n, &e), CHUNK_DONE);
	n = snprintf(big, sizeof big, "0\r\nX:%0*d\r\n\r\n", CHUNK_TRAILER_MAX - 1, 0);
	assert_int_equal(feed_big((size_t)n, &e), CHUNK_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

/* Lines within their limit, too many of them. */
static void test_extension_limit(void **state)
{
	struct err e;
	size_t n = 0, lines = 0;

	(void)state;
	for (; lines < CHUNK_EXT_MAX / 512; lines++)
		n += (size_t)snprintf(big + n, sizeof big - n, "1;%0512d\r\na\r\n", 0);
	n += (size_t)snprintf(big + n, sizeof big - n, "0\r\n\r\n");
	assert_int_equal(feed_big(n, &e), CHUNK_DONE);
	n -= 5;
	n += (size_t)snprintf(big + n, sizeof big - n, "0;x\r\n\r\n");
	assert_int_equal(feed_big(n, &e), CHUNK_BAD);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_nul(void **state)
{
	static const char in[] = "1;\0\r\na\r\n0\r\n\r\n";
	char data[8];
	struct err e = {0};
	size_t n, left;

	(void)state;
	assert_int_equal(feed(in, sizeof in - 1, 100, data, &n, &left, &e), CHUNK_BAD);
	assert_int_equal(e.kind, ERR_PROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),           cmocka_unit_test(test_line_limit), cmocka_unit_test(test_trailer_limit),
		cmocka_unit_test(test_extension_limit), cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
