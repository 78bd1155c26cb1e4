/*
 * Facts of one X.509 certificate (RFC 5280) that BearSSL does not tell: dates, alternative
 * names, purposes, who issued it. Reads only: whether it is genuine is for others to say.
 */
#ifndef NET_TLS_CERT_H
#define NET_TLS_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tls/der.h"

struct cert {
	int64_t not_before_sec; /* since 1970 */
	int64_t not_after_sec;
	struct der issuer; /* whole names, all within the certificate's bytes */
	struct der subject;
	bool has_names;
	struct der names; /* GeneralNames of subjectAltName, without the outer tag */
	bool has_purposes;
	struct der purposes; /* of extendedKeyUsage, likewise */
};

/* Read p[0..n), which must outlive *c. False when it is not a certificate. */
bool cert_read(struct cert *c, const unsigned char *p, size_t n);

bool cert_is_self_issued(const struct cert *c);

/* Whether it may authenticate a TLS server: no extendedKeyUsage, or one that says so. */
bool cert_is_for_servers(const struct cert *c);

/*
 * Whether an alternative name of type dNSName is the host, which ends in no dot. Letter case is
 * ignored. A wildcard is a whole first label and stands for one label (RFC 6125 section 6.4.3);
 * at least two labels must follow it. The common name counts for nothing.
 */
bool cert_has_host(const struct cert *c, const char *host);

/* Whether an alternative name of type iPAddress is these 4 or 16 bytes. */
bool cert_has_address(const struct cert *c, const unsigned char *address, size_t n);

/* The names it has, for a message: "a.example, *.b.example, 2 more"; "" for none. */
void cert_list_names(const struct cert *c, char *out, size_t cap);

/* A distinguished name's common name, else organization, for a message; "" for neither. */
void cert_name_text(struct der name, char *out, size_t cap);

#endif
