/* Who we are towards a server that asks: certificate chain and private key, from PEM files. */
#ifndef NET_TLS_IDENTITY_H
#define NET_TLS_IDENTITY_H

#include <bearssl.h>
#include <stddef.h>

#include "base/err.h"
#include "net/tls/key.h"

#define IDENTITY_CHAIN_MAX 8
#define IDENTITY_CHAIN_BYTES_MAX 16384
#define IDENTITY_KEY_BYTES_MAX 4096 /* an RSA key of 4096 bits takes 2,400 */

/* Static at the caller's: it points into itself and must not be copied. Holds a secret. */
struct tls_identity {
	br_x509_certificate chain[IDENTITY_CHAIN_MAX];
	size_t chain_n;
	struct private_key key; /* its numbers lie in key_bytes */
	size_t chain_used;
	unsigned char chain_bytes[IDENTITY_CHAIN_BYTES_MAX];
	unsigned char key_bytes[IDENTITY_KEY_BYTES_MAX];
};

/*
 * Read the certificate, with its intermediates after it, and the key: PKCS#1, PKCS#8 or SEC1,
 * RSA or EC (P-256, P-384, P-521), without a passphrase. Both may be in one file.
 * e: ERR_CONFIG with the file's name: unreadable, no certificate or key in it, encrypted, of a
 * kind that is not known, longer than KEY_RSA_MAX bits, or a key that is not the certificate's;
 * ERR_LIMIT: too many certificates. The identity is then not to be used. No message holds
 * anything of the key.
 */
int identity_load(struct tls_identity *i, const char *cert_path, const char *key_path,
		  struct err *e) __attribute__((warn_unused_result));

#endif
