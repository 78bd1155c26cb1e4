/* Why a look-up failed, in words. */
#ifndef NET_DNS_RESOLVE_ERRORS_H
#define NET_DNS_RESOLVE_ERRORS_H

#include "base/err.h"
#include "net/dns/resolve.h"

/* Set *e, ERR_RETRY: what a server had to say comes before "no address", that before "no name". */
void resolve_explain(const struct resolve *r, struct err *e);

/* What a server says of itself by an rcode other than NOERROR and NXDOMAIN. */
const char *resolve_rcode_text(int rcode);

#endif
