#include "base/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define END (-1)

void tokens_open(struct tokens *w, const char *path, off_t sizeless_max)
{
	/* A pipe without a writer is not waited for. */
	w->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	w->at = w->n = w->words = 0;
	w->left = lseek(w->fd, 0, SEEK_END);
	(void)lseek(w->fd, 0, SEEK_SET);
	if (w->left <= 0)
		w->left = sizeless_max;
}

void tokens_close(struct tokens *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

static int fill(struct tokens *w)
{
	const off_t cap = sizeof w->buf;
	ssize_t got;

	do
		got = read(w->fd, w->buf, (size_t)(w->left < cap ? w->left : cap));
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return -1;
	w->at = 0;
	w->n = (size_t)got;
	w->left -= got;
	return 0;
}

static int peek(struct tokens *w)
{
	if (w->at == w->n && (w->fd < 0 || fill(w)))
		return END;
	return (unsigned char)w->buf[w->at];
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool ends_word(int c)
{
	return c == END || c == '\n' || c == '#' || is_blank(c);
}

/* Find the next word; END: there is none. */
static int skip(struct tokens *w)
{
	bool is_comment = false;
	int c;

	for (; (c = peek(w)) != END; w->at++) {
		if (c == '\n') {
			is_comment = false;
			w->words = 0;
		} else if (!is_comment && !is_blank(c)) {
			if (c != '#' && c != ';')
				break;
			is_comment = true;
		}
	}
	return c;
}

bool tokens_next(struct tokens *w)
{
	int c = skip(w);
	bool is_bad = false;
	size_t n = 0;

	if (c == END)
		return false;
	for (; !ends_word(c); c = peek(w)) {
		if (!c || n == TOKENS_TOKEN_MAX)
			is_bad = true;
		else
			w->token[n++] = (char)c;
		w->at++;
	}
	w->token[is_bad ? 0 : n] = '\0';
	w->words++;
	return true;
}
