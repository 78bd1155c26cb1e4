/*
 * Keys for certificates that are made to measure (forge.h), each from its name: on P-256, unless
 * the name goes on with '#' and its kind: "Mid#p384", "Mid#p521", "Mid#rsa2048". An RSA modulus is
 * a prime just below 2^bits: its private exponent takes no search, and nobody is to trust it.
 */
#ifndef TEST_FORGE_KEY_H
#define TEST_FORGE_KEY_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>

#define FORGE_MODULUS_MAX 514
#define FORGE_SIGNATURE_MAX 514

struct forge_key {
	int curve; /* 0: RSA, of public exponent 3 */
	unsigned char x[66];
	size_t x_len;
	unsigned char n[FORGE_MODULUS_MAX], d[FORGE_MODULUS_MAX];
	size_t n_len;
};

void forge_key_make(struct forge_key *key, const char *name, size_t n);

/* It points into the key. */
br_ec_private_key forge_ec(const struct forge_key *key);

struct forge_hash;

/* "256", "384", "512", "224", "1" (SHA-1), "5" (MD5). */
const struct forge_hash *forge_hash(const char *name);

void forge_digest(const struct forge_hash *h, const void *p, size_t n, unsigned char out[64]);

/* Object identifier of a signature over this hash; its length is returned. */
size_t forge_algorithm(const struct forge_hash *h, bool by_ec, unsigned char out[16]);

/* Sign a digest. RSA: with the name of its hash, or with has_name false without. Returns the length. */
size_t forge_sign(const struct forge_key *key, const struct forge_hash *h, const unsigned char *digest, bool has_name,
		  unsigned char out[FORGE_SIGNATURE_MAX]);

#endif
