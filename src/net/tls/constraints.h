/* What nameConstraints (RFC 5280 section 4.2.1.10) permit: names of hosts and addresses. */
#ifndef NET_TLS_CONSTRAINTS_H
#define NET_TLS_CONSTRAINTS_H

#include <stdbool.h>

#include "net/tls/cert.h"

/*
 * Whether c's constraints, if it has any, let who stands below it bear this name.
 *   tag   DER_DNS_NAME, DER_IP_ADDRESS (4 or 16 bytes); a name of another kind is permitted
 *   name  of a host, without a dot at its end, or a wildcard as it is written
 * A base fits itself and all below it, one that begins with a dot what is below it, an empty one
 * everything. Of the kind of a permitted subtree one must fit, and no excluded one may.
 */
bool constraints_permit(const struct cert *c, unsigned tag, struct der name);

/*
 * The same for each alternative name of a certificate below c. False: *tag, *name are the first
 * that is not permitted. (The common name is no name of a host here, so it is not looked at; Go
 * judges so, and NSS. OpenSSL looks at it when there is no dNSName.)
 */
bool constraints_permit_all(const struct cert *c, const struct cert *below, unsigned *tag,
			    struct der *name);

#endif
