/*
 * Texts of others, byte by byte what they are: UTF-8 (RFC 3629) or not, harmless to show or not.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD UINT32_MAX /* in place of a character: a byte that is of none */

/*
 * The first character of s, which is not empty, into *c. Returns its bytes; 1 with UTF8_BAD:
 * overlong forms, surrogates and what is above U+10FFFF are no characters.
 */
size_t utf8_read(const char *s, uint32_t *c);

/*
 * Whether it does something else than to be seen: controls (C0, DEL, C1), line and paragraph
 * separators, marks that turn the direction of what follows (UAX #9); UTF8_BAD too.
 */
bool utf8_is_harmful(uint32_t c);

/* Replace each such character of s by '?', in place. */
void utf8_clean(char *s);

/* How many of the n bytes at p are left when a character that the end cuts is dropped. */
size_t utf8_fit(const char *p, size_t n);

#endif
