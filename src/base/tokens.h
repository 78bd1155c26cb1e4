/*
 * A text file of lines of words, as /etc/hosts and /etc/resolv.conf are, read piece by piece: no
 * line is too long, and no file that has a size. A comment goes from '#', or from a word that
 * begins with ';', to the line's end.
 */
#ifndef BASE_TOKENS_H
#define BASE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TOKENS_TOKEN_MAX 255         /* bytes of a word */
#define TOKENS_SIZELESS_MAX 16777216 /* bytes of a device, where a file is expected */

struct tokens {
	int fd; /* -1: at the end */
	size_t at, n;
	size_t words; /* of the line so far, from 1: the last one is in token */
	off_t left;   /* bytes that may still be read */
	char token[TOKENS_TOKEN_MAX + 1];
	char buf[4096];
};

/*
 * A file that is absent, not to be read, or a directory has no words.
 *   sizeless_max  bytes that are read of one that has no size
 */
void tokens_open(struct tokens *w, const char *path, off_t sizeless_max);

/*
 * Read the next word; false: there is none. A word past TOKENS_TOKEN_MAX or with a NUL in it comes
 * as "". After false only tokens_close() may be called.
 */
bool tokens_next(struct tokens *w) __attribute__((warn_unused_result));

void tokens_close(struct tokens *w);

#endif
