#include "net/dns/resolve_errors.h"

#include <string.h>

#include "base/addr.h"

const char *resolve_rcode_text(int rcode)
{
	switch (rcode) {
	case DNS_FORMERR: return "it does not understand the query (FORMERR)";
	case DNS_SERVFAIL: return "it cannot tell (SERVFAIL)";
	case DNS_REFUSED: return "it refuses to tell (REFUSED)";
	default: return "it cannot tell (another error code)";
	}
}

void resolve_explain(const struct resolve *r, struct err *e)
{
	const struct resolve_server *s = &r->conf.servers[r->trouble_server];
	char server[ADDR_TEXT_CAP];

	if (r->has_failed) {
		addr_format(s->bytes, net_family_bytes(s->family), server);
		(void)err_set(e, ERR_RETRY, "resolver %s: %s", server, r->trouble);
	} else if (r->was_empty) {
		(void)err_set(e, ERR_RETRY, "resolver: the name has no address");
	} else if (r->was_asked) {
		(void)err_set(e, ERR_RETRY, "resolver: no such name");
	} else {
		(void)err_set(e, ERR_RETRY, "resolver: not a name that DNS can hold");
	}
}
