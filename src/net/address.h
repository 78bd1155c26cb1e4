/*
 * Addresses of a host: as a look-up finds them, and as connect(2) wants them. Knows nothing of
 * how they are found.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NET_HOST_MAX 253 /* bytes of a host name or address in text, RFC 1035 */
#define ADDRESSES_MAX 16 /* of one host that are kept, and of each family while looking */

struct net_address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} sa;
};

struct net_addresses {
	size_t n;
	struct net_address list[ADDRESSES_MAX];
};

enum net_family { NET_IP4, NET_IP6, NET_FAMILIES };

/* What a look-up has found: of each family, each address once, in the order they came. */
struct net_found {
	size_t n[NET_FAMILIES];
	unsigned char list[NET_FAMILIES][ADDRESSES_MAX][16];
};

/* Bytes of an address: 4 or 16. */
size_t net_family_bytes(enum net_family f);

/*
 * Read an address in text: 4 or 16 bytes in network order, without zone.
 * Returns 0, or -1 with both outputs untouched when text is none.
 */
int net_read_address(const char *text, enum net_family *family, unsigned char out[16])
	__attribute__((warn_unused_result));

/* Add an address. One that is there already, or past ADDRESSES_MAX, is passed over. */
void net_found_add(struct net_found *f, enum net_family family, const unsigned char *bytes);

bool net_found_any(const struct net_found *f);

/*
 * Fill out[] with what was found, families taking turns (RFC 8305 section 4): one of them can be
 * wholly unreachable. IPv4 begins. What is past ADDRESSES_MAX is left out.
 */
void net_found_order(const struct net_found *f, uint16_t port, struct net_addresses *out);

/* Fill *a. scope: of a link-local IPv6 address, the interface; otherwise 0. */
void net_address_set(struct net_address *a, enum net_family family, const unsigned char *bytes,
		     uint32_t scope, uint16_t port);

/*
 * The address of a unix socket; with '@' in front of a name in Linux's abstract namespace. path has
 * fewer bytes than sockaddr_un.sun_path.
 */
void net_address_set_unix(struct net_address *a, const char *path);

/* A socket, non-blocking and close-on-exec; -1 with errno. */
int net_open_socket(int family, int type) __attribute__((warn_unused_result));

/* The same of one that came by other means. */
int net_set_flags(int fd) __attribute__((warn_unused_result));

#endif
