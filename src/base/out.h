/*
 * Standard output, for results: gathered, written with write(2), the first error remembered.
 * (stdio's output half costs 8 kB, and forgets which error it was.)
 */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include "base/err.h"

#define OUT_CAP 4096 /* bytes gathered before they are written */

/* Append a string or a formatted text (base/fmt.h) of any length. After an error: nothing. */
void out_str(const char *s);
void out_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Write what is gathered now, so that it comes before what is written elsewhere later. */
void out_push(void);

/*
 * Write what is gathered, and tell whether all there ever was has been written.
 * Returns -1 with ERR_SYS if not (a full disk, a reader that went away), now or earlier. More may
 * follow.
 */
int out_flush(struct err *e) __attribute__((warn_unused_result));

#endif
