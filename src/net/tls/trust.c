#include "net/tls/trust.h"

#include <stdbool.h>
#include <string.h>

#include "net/tls/cert.h"
#include "net/tls/pem.h"

static bool is_certificate(const char *label)
{
	return strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0;
}

static unsigned char *keep(struct trust_store *s, const unsigned char *p, size_t n)
{
	unsigned char *to = s->bytes + s->used;

	if (n > sizeof s->bytes - s->used)
		return NULL;
	memcpy(to, p, n);
	s->used += n;
	return to;
}

static bool keep_key(struct trust_store *s, br_x509_trust_anchor *a, const br_x509_pkey *key)
{
	a->pkey.key_type = key->key_type;
	if (key->key_type == BR_KEYTYPE_RSA) {
		a->pkey.key.rsa.n = keep(s, key->key.rsa.n, key->key.rsa.nlen);
		a->pkey.key.rsa.nlen = key->key.rsa.nlen;
		a->pkey.key.rsa.e = keep(s, key->key.rsa.e, key->key.rsa.elen);
		a->pkey.key.rsa.elen = key->key.rsa.elen;
		return a->pkey.key.rsa.n && a->pkey.key.rsa.e;
	}
	a->pkey.key.ec.curve = key->key.ec.curve;
	a->pkey.key.ec.q = keep(s, key->key.ec.q, key->key.ec.qlen);
	a->pkey.key.ec.qlen = key->key.ec.qlen;
	return a->pkey.key.ec.q != NULL;
}

static int add_anchor(struct trust_store *s, struct der subject, unsigned flags,
		      const br_x509_pkey *key, struct err *e)
{
	br_x509_trust_anchor *a = &s->anchors[s->n];

	if (s->n == TRUST_ANCHORS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d certificates", TRUST_ANCHORS_MAX);
	memset(a, 0, sizeof *a);
	a->flags = flags;
	a->dn.data = keep(s, subject.p, subject.n);
	a->dn.len = subject.n;
	if (!a->dn.data || !keep_key(s, a, key))
		return err_set(e, ERR_LIMIT, "names and keys of more than %d bytes",
			       TRUST_BYTES_MAX);
	s->n++;
	return 0;
}

static int take_object(void *ctx, const char *label, const unsigned char *p, size_t n,
		       struct err *e)
{
	br_x509_decoder_context decoder;
	const br_x509_pkey *key;
	struct cert c;

	if (!is_certificate(label) || !cert_read(&c, p, n))
		return 0;
	br_x509_decoder_init(&decoder, NULL, NULL);
	br_x509_decoder_push(&decoder, p, n);
	key = br_x509_decoder_get_pkey(&decoder);
	/* A key of a kind that is not known cannot have signed anything that is understood. */
	if (!key)
		return 0;
	if (br_x509_decoder_isCA(&decoder))
		return add_anchor(ctx, c.subject, BR_X509_TA_CA, key, e);
	return cert_is_self_issued(&c) ? add_anchor(ctx, c.subject, 0, key, e) : 0;
}

int trust_load_pem_file(struct trust_store *s, const char *path, struct err *e)
{
	const struct pem_sink sink = {.ctx = s, .object = take_object};
	size_t before = s->n;

	if (pem_read_file(path, &sink, e))
		return -1;
	if (s->n == before)
		return err_set(e, ERR_CONFIG, "%s: no usable CA certificate (PEM) in it", path);
	return 0;
}
