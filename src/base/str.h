/*
 * Small questions about C strings, without locale and without allocation.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy s with its NUL into dst[0..cap). Returns -1, dst untouched, when it does not fit. */
int str_copy(char *dst, size_t cap, const char *s) __attribute__((warn_unused_result));

/* The same for the n bytes at p, which hold no NUL of their own (-1 if they do). */
int str_copy_n(char *dst, size_t cap, const char *p, size_t n) __attribute__((warn_unused_result));

/* ASCII letter case ignored. */
bool str_eq_nocase(const char *a, const char *b);
bool str_starts_nocase(const char *s, const char *prefix);
bool str_ends_nocase(const char *s, const char *suffix);

/*
 * Where sub stands in s first; NULL: nowhere. As strstr(), in a twentieth of its bytes: for texts
 * of our sizes.
 */
const char *str_find(const char *s, const char *sub);

/* True when s holds a byte below 0x20 or 0x7f (CR, LF, NUL cannot occur, DEL...). */
bool str_has_control(const char *s);

/* Cut ASCII white space from both ends, in place. Returns s moved to its first other byte. */
char *str_trim(char *s);

/*
 * A decimal number of digits alone: no sign, no space, no leading text. Returns -1, *out
 * untouched, when s is empty, holds anything else, or is above max.
 */
int str_u64(const char *s, uint64_t max, uint64_t *out) __attribute__((warn_unused_result));

/* A letter of ASCII or a digit. */
bool str_is_alnum(char c);

/* The value of a hexadecimal digit; -1: it is none. */
int str_hex_digit(char c);

/* The value of the two hexadecimal digits that s begins with; -1: it does not. */
int str_hex_byte(const char *s);

/* ASCII lower case in place. */
void str_lower(char *s);

#endif
