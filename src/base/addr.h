/*
 * IP addresses as text (RFC 5952), and those of this host's interfaces as plain values. A libc's
 * own functions are twice as large, cost its whole formatter, and shorten a single zero where the
 * RFC forbids it.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#define ADDR_TEXT_CAP 46      /* bytes of the longest with its NUL, as INET6_ADDRSTRLEN */
#define INTERFACE_NAME_CAP 16 /* IFNAMSIZ */

/* An address of an interface that is up: what net/interfaces finds and core/interface chooses. */
struct interface_address {
	_Alignas(size_t) char name[INTERFACE_NAME_CAP]; /* of the interface; aligned for sort() */
	unsigned char bytes[16]; /* network order; an IPv4 address mapped into IPv6 */
	bool is_loopback;        /* the interface is */
	bool is_fleeting;        /* IPv6: temporary, deprecated, or not yet known to be unique */
};

/*
 * Write the address of n bytes in network order, n 4 or 16. An IPv4 address mapped into IPv6 has
 * its last four bytes dotted: "::ffff:192.0.2.1".
 */
void addr_format(const unsigned char *p, size_t n, char out[ADDR_TEXT_CAP]);

/*
 * Read "192.0.2.1", without zeros in front, or an IPv6 address (RFC 4291 section 2.2), of which no
 * zone is a part. Returns how many bytes of out it fills, 4 or 16; 0: it is neither, and what out
 * holds is of no meaning.
 */
size_t addr_parse(const char *text, unsigned char out[16]);

/* These 16 bytes are an IPv4 address mapped into IPv6, RFC 4291 section 2.5.5.2. */
bool addr_is_mapped(const unsigned char *p);

/* Map the 4 bytes at p so. */
void addr_map(const unsigned char *p, unsigned char out[16]);

#endif
