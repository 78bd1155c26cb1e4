/*
 * A request's head, as the listener reads it: all it has so far, again with every piece more. Input:
 * seed, bytes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/http/listener_request.h"

static bool is_known(int status)
{
	return status == 400 || status == 405 || status == 414 || status == 431 || status == 505;
}

static void check_done(const char *text, const char *before, size_t len, const struct request *r)
{
	const char *end;
	size_t at = 0;

	if (r->path >= text && r->path < text + len) {
		end = memchr(r->path, '\0', (size_t)(text + len - r->path));
		MUST(end);
		/* Nothing else was written. */
		at = (size_t)(end - text);
		MUST(memcmp(text, before, at) == 0);
		MUST(memcmp(text + at + 1, before + at + 1, len - at - 1) == 0);
	} else {
		MUST(strcmp(r->path, "/") == 0);
	}
	MUST(r->path[0] == '/' && !strpbrk(r->path, " ?\r\n\t"));
	MUST(strncmp(before, r->is_head ? "HEAD " : "GET ", r->is_head ? 5 : 4) == 0);
}

int fuzz_request(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	struct fuzz_cuts cuts = fuzz_way(2, fuzz_take(&in));
	struct request whole = {0}, part = {0};
	enum request_result r, so_far = REQUEST_MORE;
	char *text;
	size_t len = 0;

	if (in.n > REQUEST_MAX)
		in.n = REQUEST_MAX;
	text = malloc(in.n ? in.n : 1);
	MUST(text);
	if (in.n)
		memcpy(text, in.p, in.n);
	r = request_read(text, in.n, &whole);
	if (r == REQUEST_DONE) {
		check_done(text, (const char *)in.p, in.n, &whole);
		MUST(request_is_for_us(&whole, "") <= request_is_for_us(&whole, "a.example,b"));
	} else
		MUST(!in.n || memcmp(text, in.p, in.n) == 0);
	MUST(r != REQUEST_BAD || is_known(whole.status));
	MUST(r != REQUEST_MORE || in.n < REQUEST_MAX);
	for (struct fuzz_input left = in; left.n && so_far == REQUEST_MORE;) {
		char *exact;

		len += fuzz_piece(&left, &cuts).n;
		exact = malloc(len);
		MUST(exact);
		memcpy(exact, in.p, len);
		so_far = request_read(exact, len, &part);
		if (so_far == REQUEST_DONE) {
			MUST(r == REQUEST_DONE && part.is_head == whole.is_head);
			MUST(strcmp(part.path, whole.path) == 0);
		}
		MUST(so_far != REQUEST_BAD || part.status == whole.status);
		free(exact);
	}
	MUST(!in.n || so_far == r);
	free(text);
	return 0;
}
