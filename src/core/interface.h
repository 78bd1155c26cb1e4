/*
 * Which of this host's addresses is published: Containerbuddy's rules for interfaces, and `public`.
 * Pure: net/interfaces.h finds what there is.
 *
 *   NAME, NAME:inet   the interface's first IPv4 address
 *   NAME:inet6        its first IPv6 address
 *   NAME[INDEX]       the one with this index, from 0, of all of its addresses
 *   inet, inet6       the first such address of any interface, loopback apart
 *   public            the first of these that anybody can reach, IPv4 before IPv6
 *   private           the first of these that others can reach, but not anybody; likewise
 *   NETWORK/BITS      the first address in this network
 *   static:ADDRESS    this one, whether it is here or not
 *
 * First is in the order of interfaces' names, then of addresses, IPv4 before IPv6: the lowest, not
 * the one that was set first. So has Containerbuddy it, and so it is the same after a restart.
 * Where it differs from Containerbuddy, it does on purpose:
 *   - A name may hold '-', '.' and '@': br-abc.
 *   - A link-local IPv6 address, which is none without its interface, is only chosen by NAME[INDEX]
 *     or by a network of such addresses. NETWORK/BITS finds one of loopback likewise.
 *   - What is worse comes after all others that fit: an IPv4 address that is link-local, an IPv6
 *     address that is temporary, deprecated, or not yet known to be unique (RFC 4862).
 */
#ifndef CORE_INTERFACE_H
#define CORE_INTERFACE_H

#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"

#define INTERFACE_RULES_MAX 16
#define INTERFACE_RULE_CAP 64        /* bytes of a rule with its NUL */
#define INTERFACE_ADDRESSES_MAX 1024 /* of this host that are looked at */

enum interface_kind {
	INTERFACE_IP4,
	INTERFACE_IP6,
	INTERFACE_NTH,
	INTERFACE_PUBLIC,
	INTERFACE_PRIVATE,
	INTERFACE_NETWORK,
	INTERFACE_STATIC
};

struct interface_rule {
	enum interface_kind kind;
	char name[INTERFACE_NAME_CAP]; /* "": of any interface but loopback */
	unsigned n;                    /* NTH: its index; NETWORK: bits, of 128 */
	unsigned char bytes[16];       /* NETWORK, STATIC; as in struct interface_address */
	char text[INTERFACE_RULE_CAP]; /* as it was written */
};

/* Copied by '='; zeroed it has none. */
struct interface_rules {
	size_t n;
	struct interface_rule of[INTERFACE_RULES_MAX];
};

/*
 * Add one rule, exactly as it must be written: no blanks, no comma.
 *   e  ERR_CONFIG: it is none, or one too many
 * Returns 0, or -1 with r untouched.
 */
int interface_rules_add(struct interface_rules *r, const char *text, struct err *e)
	__attribute__((warn_unused_result));

/*
 * The address, as text, of the first rule that has one. list[0..n) is put into order.
 *   e  ERR_CONFIG: none has; the rules, and which addresses there are
 * Returns 0, or -1 with out untouched.
 */
int interface_choose(const struct interface_rules *r, struct interface_address *list, size_t n,
		     char out[ADDR_TEXT_CAP], struct err *e) __attribute__((warn_unused_result));

#endif
