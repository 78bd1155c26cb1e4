#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"

#define TOLD_CAP ((size_t)1 << 20)

void fuzz_fail(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

unsigned fuzz_take(struct fuzz_input *in)
{
	unsigned c = in->n ? *in->p : 0;

	if (in->n) {
		in->p++;
		in->n--;
	}
	return c >= '0' && c <= '9' ? c - '0' : c;
}

struct fuzz_input fuzz_take_until(struct fuzz_input *in, char separator)
{
	const uint8_t *at = in->n ? memchr(in->p, separator, in->n) : NULL;
	struct fuzz_input piece = {in->p, at ? (size_t)(at - in->p) : in->n};

	in->p += piece.n + (at != NULL);
	in->n -= piece.n + (at != NULL);
	return piece;
}

struct fuzz_input fuzz_take_block(struct fuzz_input *in)
{
	struct fuzz_input block = {in->p, 0};

	if (in->n >= 2) {
		block = (struct fuzz_input){in->p + 2, (size_t)in->p[0] << 8 | in->p[1]};
		in->p += 2;
		in->n -= 2;
	} else {
		/* No length is left: whoever goes on until nothing is left must come to an end. */
		block.n = in->n;
	}
	if (block.n > in->n)
		block.n = in->n;
	in->p += block.n;
	in->n -= block.n;
	return block;
}

void fuzz_pem(struct buf *out, const char *label, struct fuzz_input in, const char *line_end)
{
	buf_fmt(out, "-----BEGIN %s-----%s", label, line_end);
	for (size_t at = 0; at < in.n; at += 48) {
		buf_base64(out, (const char *)in.p + at, in.n - at < 48 ? in.n - at : 48);
		buf_str(out, line_end);
	}
	buf_fmt(out, "-----END %s-----%s", label, line_end);
}

char *fuzz_string(struct fuzz_input in)
{
	const uint8_t *end = in.n ? memchr(in.p, 0, in.n) : NULL;
	size_t n = end ? (size_t)(end - in.p) : in.n;
	char *s = malloc(n + 1);

	MUST(s);
	if (n)
		memcpy(s, in.p, n);
	s[n] = '\0';
	return s;
}

struct fuzz_cuts fuzz_way(int way, unsigned choice)
{
	return (struct fuzz_cuts){.seed = way < 2 ? (uint32_t)way : choice + 2};
}

static size_t next_cut(struct fuzz_cuts *c, size_t left)
{
	size_t n;

	if (c->seed < 2)
		return c->seed ? 1 : left;
	c->seed ^= c->seed << 13;
	c->seed ^= c->seed >> 17;
	c->seed ^= c->seed << 5;
	n = 1 + (c->seed >> 8) % (c->seed & 1 ? 3 : 60);
	return n < left ? n : left;
}

struct fuzz_input fuzz_piece(struct fuzz_input *in, struct fuzz_cuts *cuts)
{
	static uint8_t *copy;
	struct fuzz_input piece;

	free(copy);
	copy = NULL;
	if (!in->n)
		return (struct fuzz_input){in->p, 0};
	piece.n = next_cut(cuts, in->n);
	copy = malloc(piece.n);
	MUST(copy);
	memcpy(copy, in->p, piece.n);
	piece.p = copy;
	in->p += piece.n;
	in->n -= piece.n;
	return piece;
}

/* What no reader of heads lets through is passed over: a line without colon, control bytes. */
static int give_header(struct fuzz_input line, const struct http_sink *sink, struct err *e)
{
	char *text = fuzz_string(line), *colon = strchr(text, ':');
	int failed = 0;

	if (colon && !str_has_control(text)) {
		*colon = '\0';
		failed = sink->header(sink->ctx, text, colon + 1 + strspn(colon + 1, " \t"), e);
	}
	free(text);
	return failed;
}

int fuzz_answer(struct fuzz_input in, struct fuzz_cuts cuts, const struct http_sink *sink, struct err *e)
{
	struct fuzz_input line = fuzz_take_until(&in, '\n');
	int status = 0;

	for (size_t i = 0; i < line.n && i < 3; i++)
		status = status * 10 + line.p[i] % 10;
	if (sink->status(sink->ctx, status < 200 || status > 599 ? 200 : status, e))
		return -1;
	while ((line = fuzz_take_until(&in, '\n')).n)
		if (give_header(line, sink, e))
			return -1;
	while (in.n) {
		struct fuzz_input piece = fuzz_piece(&in, &cuts);

		if (sink->body(sink->ctx, (const char *)piece.p, piece.n, e))
			return -1;
	}
	return 0;
}

static char told_text[FUZZ_WAYS][TOLD_CAP];

void fuzz_tell_start(struct buf *told, int way)
{
	buf_init(told, told_text[way], TOLD_CAP);
}

void fuzz_tell_err(struct buf *told, int failed, const struct err *e)
{
	MUST(failed == 0 || failed == -1);
	if (!failed)
		return;
	fuzz_check_err(e);
	buf_fmt(told, "error %s %s\n", err_kind_name(e->kind), e->text);
}

void fuzz_tell_same(int way)
{
	if (strcmp(told_text[0], told_text[way]) == 0)
		return;
	(void)fprintf(stderr, "whole:\n%s\nway %d:\n%s\n", told_text[0], way, told_text[way]);
	fuzz_fail("the same, however it is cut", __FILE__, __LINE__);
}

void fuzz_check_err(const struct err *e)
{
	MUST(e->kind > ERR_NONE && e->kind < ERR_KINDS);
	MUST(memchr(e->text, '\0', sizeof e->text));
	MUST(e->text[0]);
	MUST(!str_has_control(e->text));
}

const char *fuzz_file(struct fuzz_input in)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		MUST(fd >= 0);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0 && pwrite(fd, in.p, in.n, 0) == (ssize_t)in.n);
	return path;
}
