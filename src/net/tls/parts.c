#include "net/tls/parts.h"

#include <string.h>

static const uint16_t suites[] = {
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
};

/* No SHA-1: neither in certificates nor in handshakes. */
static const struct {
	int id;
	const br_hash_class *hash;
} hashes[] = {
	{br_sha256_ID, &br_sha256_vtable},
	{br_sha384_ID, &br_sha384_vtable},
	{br_sha512_ID, &br_sha512_vtable},
};

static const br_ec_impl *find_curve(int curve)
{
	return curve == BR_EC_curve25519 ? &br_ec_c25519_i31 : &br_ec_prime_i31;
}

static const unsigned char *generator(int curve, size_t *len)
{
	return find_curve(curve)->generator(curve, len);
}

static const unsigned char *order(int curve, size_t *len)
{
	return find_curve(curve)->order(curve, len);
}

static size_t x_offset(int curve, size_t *len)
{
	return find_curve(curve)->xoff(curve, len);
}

static uint32_t mul(unsigned char *g, size_t g_len, const unsigned char *x, size_t x_len, int curve)
{
	return find_curve(curve)->mul(g, g_len, x, x_len, curve);
}

static size_t mulgen(unsigned char *r, const unsigned char *x, size_t x_len, int curve)
{
	return find_curve(curve)->mulgen(r, x, x_len, curve);
}

/* NOLINTNEXTLINE(readability-function-size): as BearSSL has it */
static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
		       size_t x_len, const unsigned char *y, size_t y_len, int curve)
{
	return find_curve(curve)->muladd(a, b, len, x, x_len, y, y_len, curve);
}

const br_ec_impl tls_parts_curves = {
	(uint32_t)1 << BR_EC_secp256r1 | (uint32_t)1 << BR_EC_secp384r1 |
		(uint32_t)1 << BR_EC_secp521r1 | (uint32_t)1 << BR_EC_curve25519,
	generator,
	order,
	x_offset,
	mul,
	mulgen,
	muladd,
};

/* In constant time on any processor, by words as wide as its own. */
#if UINTPTR_MAX > UINT32_MAX
#define AES_ANYWHERE br_aes_ct64_ctr_vtable
#define GHASH_ANYWHERE br_ghash_ctmul64
#else
#define AES_ANYWHERE br_aes_ct_ctr_vtable
#define GHASH_ANYWHERE br_ghash_ctmul
#endif

/* By the processor's own instructions if it says that it has them; BearSSL knows those of x86. */
static void set_gcm(br_ssl_engine_context *eng)
{
	const br_block_ctr_class *aes = br_aes_x86ni_ctr_get_vtable();
	br_ghash ghash = br_ghash_pclmul_get();

	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_aes_ctr(eng, aes ? aes : &AES_ANYWHERE);
	br_ssl_engine_set_ghash(eng, ghash ? ghash : GHASH_ANYWHERE);
}

void tls_parts_for_client(br_ssl_client_context *c)
{
	br_ssl_engine_context *eng = &c->eng;

	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_suites(eng, suites, sizeof suites / sizeof suites[0]);
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
		br_ssl_engine_set_hash(eng, hashes[i].id, hashes[i].hash);
	br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(eng, &br_tls12_sha384_prf);

	br_ssl_engine_set_ec(eng, &tls_parts_curves);
	br_ssl_engine_set_ecdsa(eng, &br_ecdsa_i31_vrfy_asn1);
	br_ssl_engine_set_rsavrfy(eng, &br_rsa_i31_pkcs1_vrfy);

	set_gcm(eng);
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(eng, &br_chacha20_ct_run);
	br_ssl_engine_set_poly1305(eng, &br_poly1305_ctmul_run);

	br_ssl_engine_add_flags(eng, BR_OPT_NO_RENEGOTIATION);
}

static const br_hash_class *find_hash(size_t n)
{
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
		if (n == (hashes[i].hash->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK))
			return hashes[i].hash;
	return NULL;
}

static bool is_signed_by_rsa(const br_rsa_public_key *key, const unsigned char *hash, size_t hash_n,
			     const unsigned char *signature, size_t signature_n)
{
	/* 2.16.840.1.101.3.4.2.X, its length in front: SHA-256, 384 and 512 are 1, 2, 3. */
	const unsigned char oid[] = {9,    0x60, 0x86, 0x48, 0x01,
				     0x65, 0x03, 0x04, 0x02, (unsigned char)(hash_n / 16 - 1)};
	unsigned char signed_hash[64];

	return br_rsa_i31_pkcs1_vrfy(signature, signature_n, oid, hash_n, key, signed_hash) == 1 &&
	       memcmp(hash, signed_hash, hash_n) == 0;
}

bool tls_parts_is_signed(const br_x509_pkey *key, size_t hash_n, const unsigned char *p, size_t n,
			 const unsigned char *signature, size_t signature_n)
{
	const br_hash_class *class = find_hash(hash_n);
	br_hash_compat_context h;
	unsigned char hash[64];

	if (!class)
		return false;
	class->init(&h.vtable);
	class->update(&h.vtable, p, n);
	class->out(&h.vtable, hash);
	return key->key_type == BR_KEYTYPE_EC
		       ? br_ecdsa_i31_vrfy_asn1(&tls_parts_curves, hash, hash_n, &key->key.ec,
						signature, signature_n) == 1
		       : is_signed_by_rsa(&key->key.rsa, hash, hash_n, signature, signature_n);
}

void tls_parts_for_rsa_key(br_ssl_client_context *c, const br_x509_certificate *chain, size_t n,
			   const br_rsa_private_key *key)
{
	br_ssl_client_set_single_rsa(c, chain, n, key, &br_rsa_i31_pkcs1_sign);
}

void tls_parts_for_ec_key(br_ssl_client_context *c, const br_x509_certificate *chain, size_t n,
			  const br_ec_private_key *key)
{
	/* Who signed the certificate would matter for static ECDH only, which is not offered. */
	br_ssl_client_set_single_ec(c, chain, n, key, BR_KEYTYPE_SIGN, BR_KEYTYPE_EC,
				    &tls_parts_curves, &br_ecdsa_i31_sign_asn1);
}
