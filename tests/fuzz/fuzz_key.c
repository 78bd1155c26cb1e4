/*
 * A client's identity, BearSSL's arithmetic with it too. Input: blocks (two bytes of length, DER):
 * certificate, private key.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/tls/identity.h"
#include "net/tls/pem.h"

/* What a handshake does with the key, into memory of just that size. */
static void sign(const struct private_key *key)
{
	const unsigned char hash[32] = {1, 2, 3};
	size_t n = key->type == BR_KEYTYPE_RSA ? (key->rsa.n_bitlen + 7) / 8 : 139;
	unsigned char *sig = malloc(n);

	MUST(sig && n <= KEY_RSA_MAX / 8);
	if (key->type == BR_KEYTYPE_RSA)
		(void)br_rsa_i31_pkcs1_sign(BR_HASH_OID_SHA256, hash, sizeof hash, &key->rsa, sig);
	else
		MUST(br_ecdsa_i31_sign_asn1(&br_ec_all_m31, &br_sha256_vtable, hash, &key->ec, sig) <= n);
	free(sig);
}

static void read_key(struct fuzz_input in)
{
	struct private_key key;
	struct err e = {0};
	uint8_t *copy = malloc(in.n ? in.n : 1);

	MUST(copy);
	if (in.n)
		memcpy(copy, in.p, in.n);
	if (!key_read_private(&key, copy, in.n, &e)) {
		sign(&key);
	} else {
		MUST(e.kind == ERR_CONFIG);
		fuzz_check_err(&e);
	}
	free(copy);
}

int fuzz_key(const uint8_t *p, size_t n)
{
	static char text[PEM_OBJECT_MAX * 4];
	static struct tls_identity identity;
	struct fuzz_input in = {p, n}, cert = fuzz_take_block(&in), key = fuzz_take_block(&in);
	struct err e = {0};
	struct buf pem;
	const char *path;

	read_key(key);
	buf_init(&pem, text, sizeof text);
	fuzz_pem(&pem, "CERTIFICATE", cert, "\n");
	fuzz_pem(&pem, "PRIVATE KEY", key, "\n");
	if (!buf_ok(&pem))
		return 0;
	path = fuzz_file((struct fuzz_input){(const uint8_t *)pem.p, pem.len});
	if (identity_load(&identity, path, path, &e)) {
		MUST(e.kind == ERR_CONFIG || e.kind == ERR_LIMIT);
		fuzz_check_err(&e);
	} else {
		sign(&identity.key);
	}
	return 0;
}
