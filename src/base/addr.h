/*
 * IP addresses as text (RFC 5952). Reading them is inet_pton()'s; its counterpart costs a libc's
 * whole formatter, and shortens a single zero where the RFC forbids it.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stddef.h>

#define ADDR_TEXT_CAP 46 /* bytes of the longest with its NUL, as INET6_ADDRSTRLEN */

/*
 * Write the address of n bytes in network order, n 4 or 16. An IPv4 address mapped into IPv6 has
 * its last four bytes dotted: "::ffff:192.0.2.1".
 */
void addr_format(const unsigned char *p, size_t n, char out[ADDR_TEXT_CAP]);

#endif
