/*
 * printf's formats without printf: what the program writes needs no floating point, no locale
 * and no wide characters, which are most of a libc's formatter (12 kB of it).
 *
 *   %s %d %u %x %X %%   with - (left), 0 (zeros), a width, and l ll z h hh before d u x X
 *   %.Ns %.*s              at most so many bytes; no character is cut (UTF-8)
 *
 * Any other conversion is a mistake of the program: the text ends with it, as it stands.
 */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <stdarg.h>
#include <stddef.h>

/* Takes the next n bytes of the text, n >= 0; p is not kept. */
typedef void fmt_put_fn(void *ctx, const char *p, size_t n);

/* Format piece by piece into put(ctx, ...). ap is spent afterwards, as with vprintf(). */
void fmt_to(fmt_put_fn *put, void *ctx, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/*
 * Format into out[0..cap), cap >= 1, always NUL-terminated; what does not fit is cut, between
 * characters. Returns the bytes of the whole text without its NUL: cut when that is >= cap.
 */
size_t fmt_text(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
size_t fmt_textv(char *out, size_t cap, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

#endif
