/*
 * Decoder of the chunked transfer coding, RFC 9112 section 7.1. Holds no data of its own: it
 * points into what it is fed. Extensions and trailers are read, bounded, and dropped.
 */
#ifndef NET_HTTP_CHUNK_H
#define NET_HTTP_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CHUNK_LINE_MAX 1024    /* bytes of one size line with its extensions */
#define CHUNK_EXT_MAX 65536    /* bytes of all extensions of one body */
#define CHUNK_TRAILER_MAX 4096 /* bytes of all trailers */

enum chunk_result { CHUNK_BAD, CHUNK_MORE, CHUNK_DONE };

/* The fields are the decoder's own. */
struct chunk {
	int state;
	uint64_t left;      /* bytes of data still to come in this chunk */
	size_t line_len;    /* bytes of the size line, or of the trailer line, so far */
	size_t ext_len;     /* bytes of extensions so far */
	size_t trailer_len; /* bytes of trailers so far */
};

/* A span of decoded bytes. */
struct chunk_data {
	const char *p;
	size_t n;
};

void chunk_init(struct chunk *c);

/*
 * Feed the next n bytes of a body, and get at most one span of data out of them.
 *   p     read only, not kept
 *   used  set to the bytes consumed, 0..n
 *   data  set to the span, within p[0..n); n is 0 for none
 *   e     filled on BAD: ERR_PROTO (syntax), ERR_LIMIT (a line, size or trailer past its MAX)
 * Returns MORE (call again with the rest, or with new bytes if all were used), DONE (last chunk
 * and trailers were read; bytes after `used` are not of this body), or BAD. After BAD or DONE
 * only chunk_init() may be called.
 */
enum chunk_result chunk_feed(struct chunk *c, const char *p, size_t n, size_t *used,
			     struct chunk_data *data, struct err *e)
	__attribute__((warn_unused_result));

#endif
