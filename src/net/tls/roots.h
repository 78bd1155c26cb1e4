/*
 * The roots built into the program: Mozilla's set as Debian's ca-certificates ships it, turned
 * into trust anchors when the program is built.
 */
#ifndef NET_TLS_ROOTS_H
#define NET_TLS_ROOTS_H

#include <bearssl.h>
#include <stddef.h>

/*
 * All of them, valid until the program ends. The first call unpacks them, in some microseconds;
 * who only uses roots of his own never pays for it.
 */
const br_x509_trust_anchor *roots_anchors(void);

/* How many there are. */
size_t roots_n(void);

#endif
