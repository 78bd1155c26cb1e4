/*
 * The choice of BearSSL's parts, made in one place because the linker takes what is named here
 * and leaves the rest: TLS 1.2, ECDHE with RSA or ECDSA, ChaCha20-Poly1305 and AES-GCM.
 */
#ifndef NET_TLS_PARTS_H
#define NET_TLS_PARTS_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>

#define TLS_RSA_MIN 2048 /* bits of the RSA key of a certificate */

/*
 * X25519, P-256, P-384 and P-521, in arithmetic that all of them share. br_ec_all_m31 has code of
 * their own for the first two: a handshake takes 2 ms less with it, and the program 7.5 kB more.
 */
extern const br_ec_impl tls_parts_curves;

/* Set versions, cipher suites and algorithms of a zeroed client. */
void tls_parts_for_client(br_ssl_client_context *c);

/*
 * Whether key made this signature of p[0..n), as its kind does, over a hash of hash_n bytes. False
 * also for a hash that is not among ours.
 */
bool tls_parts_is_signed(const br_x509_pkey *key, size_t hash_n, const unsigned char *p, size_t n,
			 const unsigned char *signature, size_t signature_n);

/* Let the client present a chain when it is asked for one; all is kept. */
void tls_parts_for_rsa_key(br_ssl_client_context *c, const br_x509_certificate *chain, size_t n,
			   const br_rsa_private_key *key);
void tls_parts_for_ec_key(br_ssl_client_context *c, const br_x509_certificate *chain, size_t n,
			  const br_ec_private_key *key);

#endif
