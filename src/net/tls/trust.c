#include "net/tls/trust.h"

#include <string.h>

#include "net/tls/key.h"
#include "net/tls/pem.h"

static bool is_certificate(const char *label)
{
	return strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0;
}

static bool keep(struct trust_store *s, struct der *d)
{
	unsigned char *to = s->bytes + s->used;

	if (d->n > sizeof s->bytes - s->used)
		return false;
	if (d->n)
		memcpy(to, d->p, d->n);
	s->used += d->n;
	if (d->p)
		d->p = to;
	return true;
}

static int add_anchor(struct trust_store *s, struct cert c, struct err *e)
{
	if (s->n == TRUST_ANCHORS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d certificates", TRUST_ANCHORS_MAX);
	if (c.is_ca)
		c.body = (struct der){0};
	if (!keep(s, &c.subject) || !keep(s, &c.key) || !keep(s, &c.constraints) ||
	    !keep(s, &c.body))
		return err_set(e, ERR_LIMIT, "names and keys of more than %d bytes",
			       TRUST_BYTES_MAX);
	c.signature = c.issuer = c.names = (struct der){0};
	s->certs[s->n++] = c;
	return 0;
}

static int take_object(void *ctx, const char *label, const unsigned char *p, size_t n,
		       struct err *e)
{
	br_x509_pkey key;
	struct cert c;

	if (!is_certificate(label) || !cert_read(&c, p, n))
		return 0;
	/* A key of a kind that is not known cannot have signed anything that is understood. */
	if (!key_of_cert(&c, &key))
		return 0;
	if (c.is_version_1 && cert_is_self_issued(&c))
		c.is_ca = true;
	return c.is_ca || cert_is_self_issued(&c) ? add_anchor(ctx, c, e) : 0;
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

void trust_walk_init(struct trust_walk *w, const struct trust_store *store)
{
	memset(w, 0, sizeof *w);
	w->store = store;
}

bool trust_next(struct trust_walk *w, struct trust_anchor *a)
{
	if (!w->store)
		return roots_next(&w->roots, a);
	if (w->roots.i == w->store->n)
		return false;
	a->cert = w->store->certs[w->roots.i++];
	return key_of_cert(&a->cert, &a->key);
}

bool trust_may_be(const struct trust_anchor *a, struct der name)
{
	return a->cert.subject.n ? der_equals(a->cert.subject, name.p, name.n)
				 : a->name_hash == root_name_hash(name);
}

size_t trust_n(const struct trust_store *store)
{
	return store ? store->n : roots_n();
}
