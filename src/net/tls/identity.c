#include "net/tls/identity.h"

#include <stdbool.h>
#include <string.h>

#include "net/tls/cert.h"
#include "net/tls/parts.h"
#include "net/tls/pem.h"

static int take_certificate(void *ctx, const char *label, const unsigned char *p, size_t n,
			    struct err *e)
{
	struct tls_identity *i = ctx;
	unsigned char *to = i->chain_bytes + i->chain_used;

	if (strcmp(label, "CERTIFICATE") != 0 && strcmp(label, "X509 CERTIFICATE") != 0)
		return 0;
	if (i->chain_n == IDENTITY_CHAIN_MAX || n > sizeof i->chain_bytes - i->chain_used)
		return err_set(e, ERR_LIMIT, "more than %d certificates or %d bytes",
			       IDENTITY_CHAIN_MAX, IDENTITY_CHAIN_BYTES_MAX);
	memcpy(to, p, n);
	i->chain_used += n;
	i->chain[i->chain_n].data = to;
	i->chain[i->chain_n++].data_len = n;
	return 0;
}

static int take_key(void *ctx, const char *label, const unsigned char *p, size_t n, struct err *e)
{
	struct tls_identity *i = ctx;

	if (strcmp(label, "ENCRYPTED PRIVATE KEY") == 0)
		return err_set(e, ERR_CONFIG, "the key is encrypted with a passphrase");
	if (i->key.type ||
	    (strcmp(label, "PRIVATE KEY") != 0 && strcmp(label, "RSA PRIVATE KEY") != 0 &&
	     strcmp(label, "EC PRIVATE KEY") != 0))
		return 0;
	if (n > sizeof i->key_bytes)
		return err_set(e, ERR_CONFIG, "the key is longer than %d bytes, or %d bits",
			       IDENTITY_KEY_BYTES_MAX, KEY_RSA_MAX);
	memcpy(i->key_bytes, p, n);
	return key_read_private(&i->key, i->key_bytes, n, e);
}

/* A hash to sign; none is 0, which BearSSL does not verify. */
static const unsigned char sample[br_sha256_SIZE] = {1};

static bool is_rsa_pair(const br_rsa_private_key *k, const br_rsa_public_key *pub)
{
	unsigned char sig[KEY_RSA_MAX / 8], back[sizeof sample];
	size_t n = (k->n_bitlen + 7) / 8;

	return br_rsa_i31_pkcs1_sign(BR_HASH_OID_SHA256, sample, sizeof sample, k, sig) &&
	       br_rsa_i31_pkcs1_vrfy(sig, n, BR_HASH_OID_SHA256, sizeof back, pub, back) &&
	       memcmp(sample, back, sizeof back) == 0;
}

static bool is_ec_pair(const br_ec_private_key *k, const br_ec_public_key *pub)
{
	unsigned char sig[139]; /* of P-521 */
	size_t n = br_ecdsa_i31_sign_asn1(&tls_parts_curves, &br_sha256_vtable, sample, k, sig);

	return k->curve == pub->curve && n &&
	       br_ecdsa_i31_vrfy_asn1(&tls_parts_curves, sample, sizeof sample, pub, sig, n);
}

/*
 * A pair that does not belong together would be refused by every server, for obscure reasons. So
 * what the key signs is verified with the certificate: its numbers belong together too, then.
 */
static int check_pair(struct tls_identity *i, struct err *e)
{
	br_x509_pkey pub;
	struct cert c;

	if (!cert_read(&c, i->chain[0].data, i->chain[0].data_len) || !key_of_cert(&c, &pub))
		return err_set(e, ERR_CONFIG, "the certificate is damaged or of an unknown kind");
	if (pub.key_type != i->key.type ||
	    !(i->key.type == BR_KEYTYPE_RSA ? is_rsa_pair(&i->key.rsa, &pub.key.rsa)
					    : is_ec_pair(&i->key.ec, &pub.key.ec)))
		return err_set(e, ERR_CONFIG, "the certificate does not belong to the key");
	return 0;
}

int identity_load(struct tls_identity *i, const char *cert_path, const char *key_path,
		  struct err *e)
{
	const struct pem_sink certificates = {.ctx = i, .object = take_certificate};
	const struct pem_sink keys = {.ctx = i, .object = take_key};

	explicit_bzero(i, sizeof *i);
	if (pem_read_file(cert_path, &certificates, e))
		return -1;
	if (!i->chain_n)
		return err_set(e, ERR_CONFIG, "%s: no certificate (PEM) in it", cert_path);
	if (pem_read_file(key_path, &keys, e))
		return -1;
	if (!i->key.type)
		return err_set(e, ERR_CONFIG, "%s: no private key (PEM) in it", key_path);
	return check_pair(i, e) ? err_wrap(e, "%s", cert_path) : 0;
}
