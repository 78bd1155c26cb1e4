#include "net/tls/identity.h"

#include <stdbool.h>
#include <string.h>

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

/* Copy a number of the key. NULL when there is no room. */
static unsigned char *keep(struct tls_identity *i, const unsigned char *p, size_t n)
{
	unsigned char *to = i->key_bytes + i->key_used;

	if (n > sizeof i->key_bytes - i->key_used)
		return NULL;
	memcpy(to, p, n);
	i->key_used += n;
	return to;
}

static bool keep_rsa(struct tls_identity *i, const br_rsa_private_key *k)
{
	br_rsa_private_key *to = &i->key.rsa;

	*to = *k;
	to->p = keep(i, k->p, k->plen);
	to->q = keep(i, k->q, k->qlen);
	to->dp = keep(i, k->dp, k->dplen);
	to->dq = keep(i, k->dq, k->dqlen);
	to->iq = keep(i, k->iq, k->iqlen);
	return to->p && to->q && to->dp && to->dq && to->iq;
}

static bool keep_ec(struct tls_identity *i, const br_ec_private_key *k)
{
	i->key.ec = *k;
	i->key.ec.x = keep(i, k->x, k->xlen);
	return i->key.ec.x != NULL;
}

static bool is_known_curve(int curve)
{
	return curve == BR_EC_secp256r1 || curve == BR_EC_secp384r1 || curve == BR_EC_secp521r1;
}

static int keep_key(struct tls_identity *i, const br_skey_decoder_context *d, struct err *e)
{
	bool fits;

	switch (br_skey_decoder_key_type(d)) {
	case BR_KEYTYPE_RSA: fits = keep_rsa(i, br_skey_decoder_get_rsa(d)); break;
	case BR_KEYTYPE_EC:
		if (!is_known_curve(br_skey_decoder_get_ec(d)->curve))
			return err_set(e, ERR_CONFIG,
				       "the key's curve is not P-256, P-384 or P-521");
		fits = keep_ec(i, br_skey_decoder_get_ec(d));
		break;
	default: return err_set(e, ERR_CONFIG, "the key is neither RSA nor EC, or damaged");
	}
	if (!fits)
		return err_set(e, ERR_LIMIT, "the key is longer than %d bytes",
			       IDENTITY_KEY_BYTES_MAX);
	i->key_type = br_skey_decoder_key_type(d);
	return 0;
}

static int take_key(void *ctx, const char *label, const unsigned char *p, size_t n, struct err *e)
{
	struct tls_identity *i = ctx;
	br_skey_decoder_context d;
	int failed;

	if (strcmp(label, "ENCRYPTED PRIVATE KEY") == 0)
		return err_set(e, ERR_CONFIG, "the key is encrypted with a passphrase");
	if (i->key_type ||
	    (strcmp(label, "PRIVATE KEY") != 0 && strcmp(label, "RSA PRIVATE KEY") != 0 &&
	     strcmp(label, "EC PRIVATE KEY") != 0))
		return 0;
	br_skey_decoder_init(&d);
	br_skey_decoder_push(&d, p, n);
	failed = keep_key(i, &d, e);
	explicit_bzero(&d, sizeof d);
	return failed;
}

static bool is_rsa_pair(const br_rsa_private_key *k, const br_rsa_public_key *pub)
{
	unsigned char n[512 + 8];
	size_t len = br_rsa_i31_compute_modulus(NULL, k);
	const unsigned char *pub_n = pub->n;
	size_t pub_len = pub->nlen;

	while (pub_len && !*pub_n) {
		pub_n++;
		pub_len--;
	}
	return len <= sizeof n && br_rsa_i31_compute_modulus(n, k) == pub_len &&
	       memcmp(n, pub_n, pub_len) == 0;
}

static bool is_ec_pair(const br_ec_private_key *k, const br_ec_public_key *pub)
{
	unsigned char q[BR_EC_KBUF_PUB_MAX_SIZE];
	br_ec_public_key mine;
	size_t n = br_ec_compute_pub(&tls_curves, &mine, q, k);

	return k->curve == pub->curve && n == pub->qlen && memcmp(q, pub->q, n) == 0;
}

/* A pair that does not belong together would be refused by every server, for obscure reasons. */
static int check_pair(struct tls_identity *i, struct err *e)
{
	br_x509_decoder_context d;
	const br_x509_pkey *pub;

	br_x509_decoder_init(&d, NULL, NULL);
	br_x509_decoder_push(&d, i->chain[0].data, i->chain[0].data_len);
	pub = br_x509_decoder_get_pkey(&d);
	if (!pub)
		return err_set(e, ERR_CONFIG, "the certificate is damaged or of an unknown kind");
	i->issuer_key_type = (unsigned)br_x509_decoder_get_signer_key_type(&d);
	if (pub->key_type != i->key_type ||
	    !(i->key_type == BR_KEYTYPE_RSA ? is_rsa_pair(&i->key.rsa, &pub->key.rsa)
					    : is_ec_pair(&i->key.ec, &pub->key.ec)))
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
	if (!i->key_type)
		return err_set(e, ERR_CONFIG, "%s: no private key (PEM) in it", key_path);
	return check_pair(i, e) ? err_wrap(e, "%s", cert_path) : 0;
}
