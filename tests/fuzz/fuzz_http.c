/*
 * An HTTP answer's head and a chunked body. Input: what ('0' a head and its body, '1' a body),
 * seed, bytes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/http/chunk.h"
#include "net/http/head.h"

static int on_status(void *ctx, int status, struct err *e)
{
	(void)e;
	MUST(status >= 200 && status <= 599);
	buf_fmt(ctx, "status %d\n", status);
	return 0;
}

static int on_header(void *ctx, const char *name, const char *value, struct err *e)
{
	size_t n = strlen(value);

	(void)e;
	MUST(*name && !strpbrk(name, " \t:,;\"(){}"));
	MUST(!n || (!strchr(" \t", value[0]) && !strchr(" \t", value[n - 1])));
	MUST(!strpbrk(value, "\r\n"));
	buf_fmt(ctx, "%s: %s\n", name, value);
	return 0;
}

/* The pieces as a stream: what is not used is what comes next. */
static enum head_result read_head(struct head *h, struct fuzz_input *in, struct fuzz_cuts cuts, struct buf *told)
{
	struct head_sink sink = {.ctx = told, .status = on_status, .header = on_header};
	enum head_result r = HEAD_MORE;
	struct fuzz_input left = *in;
	struct err e = {0};

	head_init(h, &sink);
	while (r == HEAD_MORE && left.n) {
		struct fuzz_input piece = fuzz_piece(&left, &cuts);
		size_t used = piece.n + 1;

		r = head_feed(h, (const char *)piece.p, piece.n, &used, &e);
		MUST(used <= piece.n && (r != HEAD_MORE || used == piece.n));
		in->p += used;
		in->n -= used;
	}
	fuzz_tell_err(told, r == HEAD_BAD ? -1 : 0, &e);
	MUST(h->total <= HTTP_HEAD_MAX + 1);
	if (r != HEAD_DONE)
		return r;
	MUST(h->status >= 200 && h->status <= 599);
	MUST(!(h->chunked && (h->has_length || h->is_http10)));
	MUST(strlen(h->location) < sizeof h->location && !strpbrk(h->location, "?#@"));
	buf_fmt(told, "%d %d %d %d %llu, %zu left\n", h->chunked, h->close, h->keep_alive, h->has_length,
		(unsigned long long)h->length, in->n);
	return r;
}

static enum chunk_result read_chunks(struct fuzz_input in, struct fuzz_cuts cuts, struct buf *body, struct buf *told)
{
	enum chunk_result r = CHUNK_MORE;
	size_t total_used = 0;
	struct err e = {0};
	struct chunk c;

	chunk_init(&c);
	while (r == CHUNK_MORE && in.n) {
		struct fuzz_input piece = fuzz_piece(&in, &cuts);

		while (r == CHUNK_MORE && piece.n) {
			const char *p = (const char *)piece.p;
			struct chunk_data data = {0};
			size_t used = 0;

			r = chunk_feed(&c, p, piece.n, &used, &data, &e);
			if (r == CHUNK_BAD)
				break;
			MUST(used <= piece.n && (used || r == CHUNK_DONE));
			MUST(!data.n || (data.p >= p && data.p + data.n <= p + used));
			if (data.n)
				buf_add(body, data.p, data.n);
			piece.p += used;
			piece.n -= used;
			total_used += used;
		}
	}
	fuzz_tell_err(told, r == CHUNK_BAD ? -1 : 0, &e);
	if (r == CHUNK_DONE)
		buf_fmt(told, "body of %zu in %zu\n", body->len, total_used);
	return r;
}

/* Bytes in chunks of other sizes are the same bytes. */
static void check_encoded(const struct buf *body, unsigned seed)
{
	struct fuzz_input in = {(const uint8_t *)body->p, body->len};
	struct fuzz_cuts cuts = fuzz_way(2, seed);
	static char text[1 << 20], out[1 << 18], ignored[256];
	struct buf encoded, decoded, told;

	buf_init(&encoded, text, sizeof text);
	buf_init(&decoded, out, sizeof out);
	buf_init(&told, ignored, sizeof ignored);
	if (body->len > sizeof text / 16)
		return;
	while (in.n) {
		struct fuzz_input piece = fuzz_piece(&in, &cuts);

		buf_fmt(&encoded, "%zx\r\n", piece.n);
		buf_add(&encoded, (const char *)piece.p, piece.n);
		buf_str(&encoded, "\r\n");
	}
	buf_str(&encoded, "0\r\n\r\n");
	MUST(buf_ok(&encoded));
	in = (struct fuzz_input){(const uint8_t *)encoded.p, encoded.len};
	MUST(read_chunks(in, fuzz_way(2, ~seed & 255), &decoded, &told) == CHUNK_DONE);
	MUST(decoded.len == body->len && memcmp(decoded.p, body->p, body->len) == 0);
}

int fuzz_http(const uint8_t *p, size_t n)
{
	static char body_text[1 << 18];
	static struct head head;
	struct fuzz_input all = {p, n};
	unsigned is_body = fuzz_take(&all) & 1, seed = fuzz_take(&all);

	for (int way = 0; way < FUZZ_WAYS; way++) {
		struct fuzz_cuts cuts = fuzz_way(way, seed);
		bool is_chunked = is_body;
		struct fuzz_input in = all;
		struct buf told, body;

		fuzz_tell_start(&told, way);
		buf_init(&body, body_text, sizeof body_text);
		if (!is_body)
			is_chunked = read_head(&head, &in, cuts, &told) == HEAD_DONE && head.chunked;
		if (is_chunked && read_chunks(in, cuts, &body, &told) == CHUNK_DONE && buf_ok(&body))
			check_encoded(&body, seed);
		for (size_t i = 0; i < body.len; i++)
			buf_fmt(&told, "%02x", (unsigned char)body.p[i]);
		fuzz_tell_same(way);
	}
	return 0;
}
