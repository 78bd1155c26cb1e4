/*
 * Keys from DER to what BearSSL computes with: public ones of certificates (RFC 5280, RFC 5480),
 * private ones of files (RFC 8017 PKCS#1, RFC 5958 PKCS#8, RFC 5915 SEC1). Nothing is copied and
 * nothing computed: numbers point into the bytes that were read.
 */
#ifndef NET_TLS_KEY_H
#define NET_TLS_KEY_H

#include <bearssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "net/tls/cert.h"

#define KEY_RSA_MAX 4096   /* bits that BearSSL computes with */
#define KEY_EXPONENT_MAX 8 /* bytes of a public exponent: each takes as long as the modulus does */

/* BearSSL takes what it only reads without const. */
unsigned char *key_bytes(struct der d);

/*
 * The certificate's. False when it is neither RSA nor EC on P-256, P-384 or P-521, or its exponent
 * is longer than KEY_EXPONENT_MAX. An RSA modulus may be of any length: what uses it refuses what
 * is too long.
 */
bool key_of_cert(const struct cert *c, br_x509_pkey *out);

struct private_key {
	int type; /* BR_KEYTYPE_RSA or BR_KEYTYPE_EC */
	br_rsa_private_key rsa;
	br_ec_private_key ec;
};

/*
 * A private key of either form without a passphrase, p[0..n), which must outlive *out.
 * e: ERR_CONFIG: neither RSA nor EC, damaged, on another curve, or longer than KEY_RSA_MAX.
 */
int key_read_private(struct private_key *out, const unsigned char *p, size_t n, struct err *e)
	__attribute__((warn_unused_result));

#endif
