/*
 * The verdict over a server's certificates (RFC 5280 section 6). The chain is taken in whole; each
 * path among them that ends at the name of a root is judged with that root:
 *   - signatures, by the code of BearSSL;
 *   - dates, keyUsage, basicConstraints, extendedKeyUsage and nameConstraints of each certificate
 *     up to the root, and of the root; RSA keys of at least TLS_RSA_MIN bits but for the root's;
 *   - the host must be among the subject alternative names, host names and IP addresses alike; a
 *     common name counts for nothing;
 *   - words for people: which certificate expired and when, whose it is, who issued it.
 * With verification off it takes the server's key and checks nothing.
 */
#ifndef NET_TLS_VERIFIER_H
#define NET_TLS_VERIFIER_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/address.h"
#include "net/tls/chain.h"
#include "net/tls/trust.h"

struct verifier {
	const br_x509_class *vtable; /* first: BearSSL is given its address */
	br_x509_pkey key;            /* the server's */
	const struct trust_store *trust;
	bool verify;
	bool was_asked; /* a chain came in: the session was not resumed */
	char host[NET_HOST_MAX + 1];
	unsigned char address[16];
	size_t address_len; /* 4 or 16 when the host is an address, else 0 */
	int64_t now_sec;
	int64_t root_end_sec; /* of a chain that is believed: when its root ends */

	unsigned effort;  /* spent on paths */
	int code;         /* BR_ERR_X509_..., of what was found wrong first */
	char why[320];    /* in words, where the code does not say it */
	char names[256];  /* of the server's certificate, for messages */
	size_t longest;   /* of the paths, all in vain */
	char issuer[128]; /* at the end of the longest */

	struct chain chain;
};

/*
 * Prepare for one handshake.
 *   host   a host name without a dot at its end, or an address; never empty
 *   trust  NULL for the built-in roots; kept; must outlive the handshake
 */
void verifier_init(struct verifier *v, const char *host, bool verify,
		   const struct trust_store *trust);

/*
 * Put into words why the chain was refused. code: BearSSL's. e becomes ERR_TLS. Returns -1.
 */
int verifier_explain(const struct verifier *v, int code, struct err *e);

#endif
