#include "support.h"

#include <fcntl.h>
#include <unistd.h>

#include "edge.h"

uint32_t test_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

uint32_t test_random_below(uint32_t *state, uint32_t n)
{
	return test_random(state) % n;
}

static char path[64];

static void remove_file(void)
{
	if (path[0])
		(void)unlink(path);
}

const char *test_file(const void *p, size_t n)
{
	int fd;

	if (!path[0])
		(void)atexit(remove_file);
	remove_file();
	(void)snprintf(path, sizeof path, "/tmp/dnsbuddy-unit-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd))
		abort();
	return path;
}

const char *test_stderr(void (*fn)(void *ctx), void *ctx)
{
	static char text[65536];
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t got;

	if (saved < 0 || pipe(ends) || fcntl(ends[0], F_SETFL, O_NONBLOCK) || dup2(ends[1], STDERR_FILENO) < 0)
		abort();
	fn(ctx);
	got = read(ends[0], text, sizeof text - 1);
	text[got > 0 ? got : 0] = '\0';
	if (dup2(saved, STDERR_FILENO) < 0 || close(saved) || close(ends[0]) || close(ends[1]))
		abort();
	return text;
}

static int give_header(const struct http_sink *sink, const char *line, size_t len, struct err *e)
{
	char copy[1024], *colon;

	(void)snprintf(copy, sizeof copy, "%.*s", (int)len, line);
	colon = strchr(copy, ':');
	if (!colon)
		abort();
	*colon = '\0';
	return sink->header(sink->ctx, copy, colon + 1 + strspn(colon + 1, " "), e);
}

int test_answer(const struct http_sink *sink, int status, const char *headers, const char *body, size_t step, struct err *e)
{
	size_t len = strlen(body);

	if (sink->status(sink->ctx, status, e))
		return -1;
	for (const char *p = headers; *p; p += strcspn(p, "\n") + 1)
		if (give_header(sink, p, strcspn(p, "\n"), e))
			return -1;
	for (size_t at = 0; at < len;) {
		size_t n = !step || step > len - at ? len - at : step;

		if (sink->body(sink->ctx, edge_copy(body + at, n), n, e))
			return -1;
		at += n;
	}
	return 0;
}
