/*
 * A text file of lines of words, as /etc/hosts and /etc/resolv.conf are, read piece by piece: no
 * line is too long. A comment goes from '#', or from a word that begins with ';', to the line's
 * end.
 */
#ifndef NET_DNS_WORDS_H
#define NET_DNS_WORDS_H

#include <stddef.h>

#define WORDS_FILE_MAX 1048576 /* bytes; what comes after is not read */
#define WORDS_WORD_MAX 255     /* bytes of a word */

struct words {
	int fd; /* -1: at the end */
	size_t at, n;
	size_t left; /* bytes that may still be read */
	char buf[512];
	char word[WORDS_WORD_MAX + 1];
};

enum words_next { WORDS_END, WORDS_LINE, WORDS_WORD };

/* A file that is absent, not to be read, or a directory has no words. */
void words_open(struct words *w, const char *path);

/*
 * What comes next: a word, which is in w->word then, or the end of a line, or of the file. A word
 * past WORDS_WORD_MAX or with a NUL in it comes as "". After WORDS_END only words_close() may be
 * called.
 */
enum words_next words_next(struct words *w) __attribute__((warn_unused_result));

void words_close(struct words *w);

#endif
