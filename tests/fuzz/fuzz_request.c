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

/* Where the text within text[0..len) ends that begins at p. */
static size_t end_of(const char *p, const char *text, size_t len)
{
	const char *end;

	MUST(p >= text && p < text + len);
	end = memchr(p, '\0', (size_t)(text + len - p));
	MUST(end);
	return (size_t)(end - text);
}

static void check_done(const char *text, const char *before, size_t len, const struct request *r)
{
	const size_t query_end = end_of(r->query, text, len);
	size_t path_end = query_end;

	MUST(r->query > text);
	if (r->path >= text && r->path < text + len)
		path_end = end_of(r->path, text, len);
	else
		MUST(strcmp(r->path, "/") == 0);
	/* Nothing else was written, and of the target nothing else is left out. */
	for (size_t i = 0; i < len; i++)
		MUST(text[i] == before[i] || i == path_end || i == query_end);
	MUST(before[query_end] == ' ');
	MUST(before[path_end] == (query_end == path_end ? ' ' : '?'));
	MUST(r->path[0] == '/' && !strpbrk(r->path, " ?\r\n\t") && !strpbrk(r->query, " \r\n\t"));
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
			MUST(strcmp(part.path, whole.path) == 0 && strcmp(part.query, whole.query) == 0);
		}
		MUST(so_far != REQUEST_BAD || part.status == whole.status);
		free(exact);
	}
	MUST(!in.n || so_far == r);
	free(text);
	return 0;
}
