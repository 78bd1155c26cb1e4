/*
 * The verdict over a server's certificate chain: BearSSL's "minimal" engine for signatures,
 * dates and constraints, and beside it a look of our own at each certificate for what that
 * engine leaves open:
 *   - the host must be among the subject alternative names (BearSSL takes the common name when
 *     there are none), host names and IP addresses alike (BearSSL knows no addresses);
 *   - extendedKeyUsage, when present, must allow TLS servers (BearSSL does not look);
 *   - words for people: which certificate expired and when, whose it is, who issued it.
 * Both must agree. With verification off it takes the server's key and checks nothing.
 */
#ifndef NET_TLS_VERIFIER_H
#define NET_TLS_VERIFIER_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/address.h"

#define VERIFIER_CERT_MAX 16384 /* bytes of the server's certificate */

struct verifier {
	const br_x509_class *vtable; /* first: BearSSL is given its address */
	br_x509_minimal_context minimal;
	br_x509_decoder_context decoder;
	bool verify;
	bool was_asked; /* a chain came in: the session was not resumed */
	char host[NET_HOST_MAX + 1];
	unsigned char address[16];
	size_t address_len; /* 4 or 16 when the host is an address, else 0 */
	int64_t now_sec;

	/* The present certificate. */
	size_t certs_n; /* complete ones so far */
	size_t cert_len;
	bool cert_is_cut; /* longer than VERIFIER_CERT_MAX */
	unsigned char cert[VERIFIER_CERT_MAX];

	/* What was found. */
	bool is_unreadable;
	bool is_misnamed;
	bool is_misused; /* not for TLS servers */
	bool is_self_signed;
	bool is_out_of_date; /* of the first certificate that is */
	size_t out_of_date_at;
	int64_t not_before_sec;
	int64_t not_after_sec;
	char names[256];  /* of the server's certificate, for messages */
	char issuer[128]; /* of the last certificate */
};

/*
 * Prepare for one handshake.
 *   host     a host name without a dot at its end, or an address; never empty
 *   anchors  kept; must outlive the handshake
 */
void verifier_init(struct verifier *v, const char *host, bool verify,
		   const br_x509_trust_anchor *anchors, size_t anchors_n);

/*
 * Put into words why the chain was refused. code: BearSSL's. e becomes ERR_TLS. Returns -1.
 */
int verifier_explain(const struct verifier *v, int code, struct err *e);

#endif
