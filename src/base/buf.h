/*
 * A growing text in storage of the caller's. Overflow is sticky: build the whole, then ask
 * buf_ok() once. Always NUL-terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *p;
	size_t len; /* bytes used, without the NUL */
	size_t cap; /* bytes of storage, with room for the NUL */
	bool overflow;
};

/*
 * Start empty in p[0..cap), cap >= 1. The storage must outlive the buf. Never inline: it would be
 * longer than the call in each of forty places.
 */
void buf_init(struct buf *b, char *p, size_t cap) __attribute__((noinline));

/* Empty it again and forget an overflow; the storage stays. */
void buf_reset(struct buf *b);

/* Take back what was appended since it was len bytes long, and forget an overflow. */
void buf_cut(struct buf *b, size_t len);

/* Append n bytes, a string, or a formatted text. What does not fit wholly is not appended. */
void buf_add(struct buf *b, const char *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Append s as a JSON string with its quotes (RFC 8259 section 7). What is harmful to show
 * (base/utf8.h) is escaped; a byte that is no UTF-8 becomes U+FFFD.
 */
void buf_json_string(struct buf *b, const char *s);

/* The same of the len bytes at s, which end a character, without the quotes. */
void buf_json_text(struct buf *b, const char *s, size_t len);

/* Append s with everything but unreserved characters percent-encoded (RFC 3986 section 2). */
void buf_url_part(struct buf *b, const char *s);

/* Append the n bytes at p in base64 with padding (RFC 4648 section 4). Its 64 digits. */
extern const char buf_base64_digits[];
void buf_base64(struct buf *b, const char *p, size_t n);

/* Whether everything fitted since the last init or reset. */
bool buf_ok(const struct buf *b);

#endif
