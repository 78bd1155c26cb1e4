/*
 * The roots built into the program: Mozilla's set as Debian's ca-certificates ships it, turned
 * into trust anchors when the program is built.
 */
#ifndef NET_ROOTS_H
#define NET_ROOTS_H

#include <bearssl.h>
#include <stddef.h>

const br_x509_trust_anchor *roots_anchors(void);
size_t roots_n(void);

#endif
