#include "net/dns/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define END (-1)

void words_open(struct words *w, const char *path)
{
	/* A pipe without a writer is not waited for. */
	w->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	w->at = w->n = 0;
	w->left = WORDS_FILE_MAX;
}

void words_close(struct words *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

static int fill(struct words *w)
{
	size_t want = w->left < sizeof w->buf ? w->left : sizeof w->buf;
	ssize_t got;

	do
		got = read(w->fd, w->buf, want);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return -1;
	w->at = 0;
	w->n = (size_t)got;
	w->left -= (size_t)got;
	return 0;
}

static int peek(struct words *w)
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

enum words_next words_next(struct words *w)
{
	bool is_comment = false, is_bad = false;
	size_t n = 0;
	int c;

	while ((c = peek(w)) != END && c != '\n' &&
	       (is_comment || is_blank(c) || c == '#' || c == ';')) {
		is_comment = is_comment || !is_blank(c);
		w->at++;
	}
	if (c == END)
		return WORDS_END;
	if (c == '\n') {
		w->at++;
		return WORDS_LINE;
	}
	for (; !ends_word(c); c = peek(w)) {
		if (!c || n == WORDS_WORD_MAX)
			is_bad = true;
		else
			w->word[n++] = (char)c;
		w->at++;
	}
	w->word[is_bad ? 0 : n] = '\0';
	return WORDS_WORD;
}
