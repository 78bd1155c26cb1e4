/*
 * A sum of 64 bits, FNV-1a (draft-eastlake-fnv): tells apart what nobody makes alike on purpose.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_START 0xcbf29ce484222325 /* the sum of nothing */

/* The sum of what was summed before and of p[0..n); n 0: the same, and p may be NULL. */
uint64_t digest_add(uint64_t sum, const void *p, size_t n);

/* The same of a text and its end, so that "a", "b" is not "ab", ""; NULL is "". */
uint64_t digest_text(uint64_t sum, const char *text);

#endif
