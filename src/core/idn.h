/*
 * Names in Unicode: read from UTF-8, written in Punycode (RFC 3492). Letters are made small
 * as UTS 46 does it (ß stays), for the alphabets of one table; what that does not hold is refused,
 * for no tables of normalization are at hand: combining marks above all.
 */
#ifndef CORE_IDN_H
#define CORE_IDN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Read a name in UTF-8 as code points, small, its dots as ASCII has them.
 *   points  room for cap
 * Returns how many they are; cap + 1 when there are more, 0 with a byte or a character that cannot
 * be read.
 *   keeps_unknown  a character that the table does not hold is as it shall be, and no fault
 */
size_t idn_read(uint32_t *points, size_t cap, const char *text, bool keeps_unknown);

/* Append a label: ASCII as it is, else the prefix and Punycode. */
void idn_add_label(struct buf *b, const uint32_t *points, size_t n);

#endif
