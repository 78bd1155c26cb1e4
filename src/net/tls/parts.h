/*
 * The choice of BearSSL's parts, made in one place because the linker takes what is named here
 * and leaves the rest: TLS 1.2, ECDHE with RSA or ECDSA, ChaCha20-Poly1305 and AES-GCM.
 */
#ifndef NET_TLS_PARTS_H
#define NET_TLS_PARTS_H

#include <bearssl.h>

#define TLS_RSA_MIN 2048 /* bits of the RSA key of a certificate */

/* Set versions, cipher suites and algorithms of a zeroed client. */
void tls_parts_for_client(br_ssl_client_context *c);

/* Set the algorithms that certificates are verified with. */
void tls_parts_for_certs(br_x509_minimal_context *x);

/* Of those the one whose hashes are n bytes long; NULL for none. */
const br_hash_class *tls_parts_hash(size_t n);

/* Let the client present a chain when it is asked for one; all is kept. */
void tls_parts_for_rsa_key(br_ssl_client_context *c, const br_x509_certificate *chain, size_t n,
			   const br_rsa_private_key *key);
void tls_parts_for_ec_key(br_ssl_client_context *c, const br_x509_certificate *chain, size_t n,
			  const br_ec_private_key *key);

#endif
