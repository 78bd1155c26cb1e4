/*
 * Facts of one X.509 certificate (RFC 5280): dates, alternative names, purposes, constraints, who
 * issued it, how it is signed. Reads only: whether it is genuine is for others to say.
 */
#ifndef NET_TLS_CERT_H
#define NET_TLS_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tls/der.h"

/* Extensions that are read, by the last number of their identifier, 2.5.29.X. */
enum cert_extension {
	CERT_NO_EXTENSION = 0,
	CERT_KEY_USAGE = 15,
	CERT_NAMES = 17, /* subjectAltName */
	CERT_BASIC_CONSTRAINTS = 19,
	CERT_NAME_CONSTRAINTS = 30,
	CERT_PURPOSES = 37 /* extendedKeyUsage */
};

/* All of struct der lie within the certificate's bytes; p is NULL for what it does not have. */
struct cert {
	int64_t not_before_sec; /* since 1970 */
	int64_t not_after_sec;
	struct der body;            /* what is signed, whole */
	struct der signature;       /* its bits */
	size_t hash_n;              /* bytes of the hash that is signed; 0: not known */
	bool is_signed_by_ec;       /* ECDSA (RFC 5758); else RSA, PKCS#1 v1.5 (RFC 4055) */
	struct der issuer, subject; /* whole names */
	struct der key;             /* SubjectPublicKeyInfo without the outer tag */
	struct der names;           /* GeneralNames of subjectAltName, likewise */
	struct der constraints;     /* NameConstraints, likewise */
	bool has_critical_constraints;
	bool has_other_constraints; /* on names that are neither dNSName nor iPAddress */
	bool has_unknown_critical;  /* an extension that is critical, and that nobody here knows */
	bool is_version_1;          /* too old to have extensions */
	bool is_ca;                 /* it says so */
	/*
	 * It may authenticate a TLS server, or issue to who may: no extendedKeyUsage, or one with
	 * serverAuth or anyExtendedKeyUsage (as Go; OpenSSL takes serverAuth alone).
	 */
	bool is_for_servers;
	/* keyUsage, where there is one, has keyCertSign; digitalSignature, which ECDHE needs. */
	bool may_sign, may_shake_hands;
	bool has_path_len;
	unsigned path_len; /* issuers that may stand between it and the server's certificate */
	enum cert_extension unreadable; /* the first that is malformed, or there twice */
};

/*
 * Read p[0..n), which must outlive *c. False when it is not a certificate. One with an extension
 * that cannot be read is one: who relies on it looks at unreadable.
 */
bool cert_read(struct cert *c, const unsigned char *p, size_t n);

bool cert_is_self_issued(const struct cert *c);

/*
 * Whether an alternative name of type dNSName is the host, which ends in no dot. Letter case is
 * ignored. A wildcard is a whole first label and stands for one label (RFC 6125 section 6.4.3);
 * at least two labels must follow it. The common name counts for nothing.
 */
bool cert_has_host(const struct cert *c, const char *host);

/* Whether an alternative name of type iPAddress is these 4 or 16 bytes. */
bool cert_has_address(const struct cert *c, const unsigned char *address, size_t n);

/* A name of this tag for a message: its text, or that of the address; "" for others. */
#define CERT_NAME_CAP 72 /* bytes; what is longer is cut */
void cert_one_name_text(unsigned tag, struct der name, char out[CERT_NAME_CAP]);

/* The names it has, for a message: "a.example, *.b.example, 2 more"; "" for none. */
void cert_list_names(const struct cert *c, char *out, size_t cap);

/* A distinguished name's common name, else organization, for a message; "" for neither. */
void cert_name_text(struct der name, char *out, size_t cap);

/* As RFC 5280 calls it. */
const char *cert_extension_name(enum cert_extension x);

#endif
