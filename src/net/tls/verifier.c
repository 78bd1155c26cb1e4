#include "net/tls/verifier.h"

#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "net/tls/constraints.h"
#include "net/tls/key.h"
#include "net/tls/parts.h"

#define EFFORT_MAX 64 /* paths looked at and signatures verified; a server needs 2 to 6 */

static struct verifier *self(const br_x509_class **ctx)
{
	return (struct verifier *)(void *)ctx;
}

static void start_chain(const br_x509_class **ctx, const char *server_name)
{
	struct verifier *v = self(ctx);

	/* Its own idea of the name, set by verifier_init(): what goes into SNI may be less. */
	(void)server_name;
	v->was_asked = true;
	chain_start(&v->chain);
}

static void start_cert(const br_x509_class **ctx, uint32_t length)
{
	(void)length;
	chain_start_cert(&self(ctx)->chain);
}

static void append(const br_x509_class **ctx, const unsigned char *p, size_t n)
{
	chain_append(&self(ctx)->chain, p, n);
}

static void end_cert(const br_x509_class **ctx)
{
	chain_end_cert(&self(ctx)->chain);
}

/* "3 days", "5 hours"... */
static void span_text(int64_t sec, char *out, size_t cap)
{
	int64_t n = sec >= 86400 ? sec / 86400 : sec >= 3600 ? sec / 3600 : sec / 60;
	const char *unit = sec >= 86400 ? "day" : sec >= 3600 ? "hour" : "minute";

	(void)fmt_text(out, cap, "%" PRId64 " %s%s", n, unit, n == 1 ? "" : "s");
}

/* A path with the root at its end: the server's certificate, issuers, root. */
struct way {
	const struct chain *chain;
	struct chain_path path;
	struct trust_anchor root;
	bool is_direct; /* the server's own certificate is a trusted one */
};

static const struct cert *cert_at(const struct way *w, size_t i)
{
	return i < w->path.n ? &w->chain->certs[w->path.at[i]] : &w->root.cert;
}

#define WHO_CAP 128

/* "certificate", "issuer \"Let's Encrypt R3\""... Returns out. */
static const char *who(const struct way *w, size_t i, char out[WHO_CAP])
{
	char name[WHO_CAP - 16];

	cert_name_text(cert_at(w, i)->subject, name, sizeof name);
	(void)fmt_text(out, WHO_CAP, i ? "%s \"%s\"" : "certificate",
		       i < w->path.n ? "issuer" : "root", name);
	return out;
}

/* Whether it is valid now. False: v->why is set. */
static bool is_in_time(struct verifier *v, const struct way *w, size_t i)
{
	const struct cert *c = cert_at(w, i);
	char whose[WHO_CAP], span[48];

	if (v->now_sec > c->not_after_sec) {
		span_text(v->now_sec - c->not_after_sec, span, sizeof span);
		(void)fmt_text(v->why, sizeof v->why, "%s expired %s ago", who(w, i, whose), span);
		return false;
	}
	if (v->now_sec >= c->not_before_sec)
		return true;
	span_text(c->not_before_sec - v->now_sec, span, sizeof span);
	(void)fmt_text(v->why, sizeof v->why,
		       "%s becomes valid in %s only (is this machine's clock right?)",
		       who(w, i, whose), span);
	return false;
}

static struct der host_name(const struct verifier *v, unsigned *tag)
{
	*tag = v->address_len ? DER_IP_ADDRESS : DER_DNS_NAME;
	if (v->address_len)
		return (struct der){.p = v->address, .n = v->address_len};
	return (struct der){.p = (const unsigned char *)v->host, .n = strlen(v->host)};
}

/* Whether the i-th lets the one below it bear all its names. False: v->why is set. */
static bool is_permitted(struct verifier *v, const struct way *w, size_t i, size_t below)
{
	const struct cert *c = cert_at(w, i), *b = cert_at(w, below);
	char whose[WHO_CAP], text[CERT_NAME_CAP];
	struct der name;
	unsigned tag;
	bool is_ok;

	/* An issuer that signed itself is passed over (RFC 5280 section 6.1.4). */
	if (below && cert_is_self_issued(b))
		return true;
	is_ok = constraints_permit_all(c, b, &tag, &name);
	if (is_ok && !below) {
		/* The host itself too: a wildcard may stand for names that are excluded. */
		name = host_name(v, &tag);
		is_ok = constraints_permit(c, tag, name);
	}
	if (is_ok)
		return true;
	cert_one_name_text(tag, name, text);
	(void)fmt_text(v->why, sizeof v->why, "nameConstraints of %s do not permit %s",
		       who(w, i, whose), text);
	return false;
}

/* What holds for every certificate of the way, whatever its place. False: v->why is set. */
static bool is_fit(struct verifier *v, const struct way *w, size_t i)
{
	const struct cert *c = cert_at(w, i);
	char whose[WHO_CAP];
	const char *fault = NULL;
	enum cert_extension x = c->unreadable;

	if (x) {
		fault = "cannot be read";
	} else if (!i && !c->may_shake_hands) {
		x = CERT_KEY_USAGE;
		fault = "lacks digitalSignature, which ECDHE needs";
	} else if (!c->is_for_servers) {
		x = CERT_PURPOSES;
		fault = "is not for TLS servers";
	} else if (i && c->has_critical_constraints && c->has_other_constraints) {
		x = CERT_NAME_CONSTRAINTS;
		fault = "is critical, and of a kind that is not known";
	}
	if (!fault)
		return true;
	(void)fmt_text(v->why, sizeof v->why, "%s of %s %s", cert_extension_name(x),
		       who(w, i, whose), fault);
	return false;
}

/* As judge(), for the root. False: v->why is set. */
static bool is_root_fit(struct verifier *v, const struct way *w)
{
	const struct cert *c = &w->root.cert;
	const char *fault = NULL;
	char whose[WHO_CAP];

	if (!is_in_time(v, w, w->path.n))
		return false;
	if (c->has_unknown_critical)
		fault = "a critical extension that is unknown";
	else if (!w->is_direct && !c->may_sign)
		fault = "a keyUsage that lets it sign no certificates (no keyCertSign)";
	else if (c->has_path_len && c->path_len < w->path.n - 1)
		fault = "a path length (basicConstraints) that allows fewer issuers below it";
	if (!fault)
		return true;
	(void)fmt_text(v->why, sizeof v->why, "%s has %s", who(w, w->path.n, whose), fault);
	return false;
}

/* What is not about one certificate and its issuer alone. False: v->why is set. */
static bool is_acceptable(struct verifier *v, const struct way *w)
{
	for (size_t i = 0; i <= w->path.n; i++) {
		if (!is_fit(v, w, i))
			return false;
		for (size_t below = 0; below < i; below++)
			if (!is_permitted(v, w, i, below))
				return false;
	}
	return is_root_fit(v, w);
}

/* Whether it has a length that is safe, and that is computed with. Returns BR_ERR_X509_... */
static int judge_length(const br_rsa_public_key *key)
{
	const unsigned top_bit = 0x80, min = TLS_RSA_MIN / 8;

	if (key->nlen < min || (key->nlen == min && !(*key->n & top_bit)))
		return BR_ERR_X509_WEAK_PUBLIC_KEY;
	return key->nlen > KEY_RSA_MAX / 8 ? BR_ERR_X509_LIMIT_EXCEEDED : 0;
}

/* Whether what it says of itself lets it stand there. Returns BR_ERR_X509_...; key is its key. */
static int judge(struct verifier *v, const struct way *w, size_t i, br_x509_pkey *key)
{
	const struct cert *c = cert_at(w, i);
	int code = 0;

	if (!is_in_time(v, w, i))
		return BR_ERR_X509_EXPIRED;
	if (!key_of_cert(c, key))
		return BR_ERR_X509_UNSUPPORTED;
	if (key->key_type == BR_KEYTYPE_RSA)
		code = judge_length(&key->key.rsa);
	if (code)
		return code;
	if (c->has_unknown_critical)
		return BR_ERR_X509_CRITICAL_EXTENSION;
	if (i && (!c->is_ca || (c->has_path_len && c->path_len < i - 1)))
		return BR_ERR_X509_NOT_CA;
	return i && !c->may_sign ? BR_ERR_X509_FORBIDDEN_KEY_USAGE : 0;
}

/* Whether the server's certificate is the trusted one, or bears the key of a CA that is trusted. */
static bool is_trusted_itself(const struct way *w)
{
	const struct cert *root = &w->root.cert, *server = cert_at(w, 0);

	return root->is_ca ? der_equals(root->key, server->key.p, server->key.n)
			   : der_equals(root->body, server->body.p, server->body.n);
}

/* Whether the key is that of its issuer. Returns BR_ERR_X509_... */
static int check_signature(const struct cert *c, const br_x509_pkey *key)
{
	if (!c->hash_n)
		return BR_ERR_X509_UNSUPPORTED;
	return c->is_signed_by_ec == (key->key_type == BR_KEYTYPE_EC) &&
			       tls_parts_is_signed(key, c->hash_n, c->body.p, c->body.n,
						   c->signature.p, c->signature.n)
		       ? 0
		       : BR_ERR_X509_BAD_SIGNATURE;
}

/* Whether each vouches for the one before it, and the root for the last. 0, or BR_ERR_X509_... */
static int is_genuine(struct verifier *v, const struct way *w)
{
	int code = judge(v, w, 0, &v->key);
	br_x509_pkey key;
	size_t i;

	if (!code && w->is_direct)
		return is_trusted_itself(w) ? 0 : BR_ERR_X509_NOT_TRUSTED;
	for (i = 1; !code && i <= w->path.n; i++) {
		key = w->root.key;
		if (i < w->path.n)
			code = judge(v, w, i, &key);
		if (!code)
			code = check_signature(cert_at(w, i - 1), &key);
	}
	/* A root that is only called like the one that signed it: another one may be that. */
	return code == BR_ERR_X509_BAD_SIGNATURE && i > w->path.n ? BR_ERR_X509_NOT_TRUSTED : code;
}

/* A verdict that is not yet the last: what is told is what was wrong first. */
static bool is_good(struct verifier *v, const struct way *w)
{
	const struct cert *server = &v->chain.certs[0];
	bool is_first = !v->code || v->code == BR_ERR_X509_BAD_SIGNATURE;
	char before[sizeof v->why];
	int code;

	v->effort += (unsigned)w->path.n;
	memcpy(before, v->why, sizeof before);
	code = is_genuine(v, w);
	if (!code && !(v->address_len ? cert_has_address(server, v->address, v->address_len)
				      : cert_has_host(server, v->host)))
		code = BR_ERR_X509_BAD_SERVER_NAME;
	if (!code && !is_acceptable(v, w))
		code = BR_ERR_X509_FORBIDDEN_KEY_USAGE;
	if (code != BR_ERR_X509_NOT_TRUSTED && is_first)
		v->code = code;
	else
		memcpy(v->why, before, sizeof before);
	return !code;
}

/* The root, if it is called so, vouches for the path. */
static bool is_vouched_by(struct verifier *v, struct way *w, struct der name)
{
	if (!trust_may_be(&w->root, name))
		return false;
	w->root.cert.subject = name;
	return is_good(v, w);
}

/* Whether a root vouches for the path. */
static bool is_vouched_for(struct verifier *v, struct way *w)
{
	const struct cert *server = &v->chain.certs[0], *last = cert_at(w, w->path.n - 1);
	struct trust_walk roots;

	trust_walk_init(&roots, v->trust);
	while (trust_next(&roots, &w->root)) {
		struct der own = w->root.cert.subject;

		w->is_direct = true;
		if (w->path.n == 1 && is_vouched_by(v, w, server->subject))
			return true;
		w->root.cert.subject = own;
		w->is_direct = false;
		if (w->root.cert.is_ca && is_vouched_by(v, w, last->issuer))
			return true;
	}
	if (w->path.n > v->longest) {
		v->longest = w->path.n;
		cert_name_text(last->issuer, v->issuer, sizeof v->issuer);
	}
	return false;
}

static unsigned end_chain(const br_x509_class **ctx)
{
	struct verifier *v = self(ctx);
	struct way w = {.chain = &v->chain};

	if (!v->chain.n)
		return v->chain.is_unreadable || v->chain.is_cut ? BR_ERR_X509_INVALID_VALUE
								 : BR_ERR_X509_EMPTY_CHAIN;
	if (!v->verify)
		return key_of_cert(&v->chain.certs[0], &v->key) ? 0 : BR_ERR_X509_UNSUPPORTED;
	cert_list_names(&v->chain.certs[0], v->names, sizeof v->names);
	while (v->effort++ < EFFORT_MAX && chain_next_path(&v->chain, &w.path))
		if (is_vouched_for(v, &w)) {
			v->root_end_sec = w.root.cert.not_after_sec;
			return 0;
		}
	return v->code ? (unsigned)v->code : BR_ERR_X509_NOT_TRUSTED;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct verifier *v = (const struct verifier *)(const void *)ctx;

	/* Its keyUsage has been looked at. */
	if (usages)
		*usages = BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN;
	return &v->key;
}

static const br_x509_class verifier_class = {
	.context_size = sizeof(struct verifier),
	.start_chain = start_chain,
	.start_cert = start_cert,
	.append = append,
	.end_cert = end_cert,
	.end_chain = end_chain,
	.get_pkey = get_pkey,
};

void verifier_init(struct verifier *v, const char *host, bool verify,
		   const struct trust_store *trust)
{
	memset(v, 0, offsetof(struct verifier, chain));
	chain_start(&v->chain);
	v->vtable = &verifier_class;
	v->verify = verify;
	v->trust = trust;
	(void)fmt_text(v->host, sizeof v->host, "%s", host);
	v->address_len = addr_parse(host, v->address);
	v->now_sec = clock_wall_sec();
}

static int explain_trust(const struct verifier *v, struct err *e)
{
	size_t n = trust_n(v->trust);

	if (v->chain.is_cut || v->effort > EFFORT_MAX)
		return err_set(
			e, ERR_TLS,
			"the first %zu certificates of the server lead to no trusted root; of "
			"more than %d, or %d bytes, nothing is read",
			v->chain.n, CHAIN_MAX, CHAIN_BYTES_MAX);
	if (v->chain.n == 1 && cert_is_self_issued(&v->chain.certs[0]))
		return err_set(e, ERR_TLS,
			       "certificate is self-signed and not among the %zu trusted roots", n);
	if (!v->issuer[0])
		return err_set(e, ERR_TLS, "issuer is not among the %zu trusted roots", n);
	return err_set(e, ERR_TLS, "issuer \"%s\" is not among the %zu trusted roots", v->issuer,
		       n);
}

static int explain_name(const struct verifier *v, struct err *e)
{
	if (!v->names[0])
		return err_set(e, ERR_TLS,
			       "certificate names no host (a common name alone does not count), "
			       "wanted %s",
			       v->host);
	return err_set(e, ERR_TLS, "certificate is for another name: %s, not %s", v->names,
		       v->host);
}

int verifier_explain(const struct verifier *v, int code, struct err *e)
{
	if (v->why[0])
		return err_set(e, ERR_TLS, "%s", v->why);
	switch (code) {
	case BR_ERR_X509_NOT_TRUSTED: return explain_trust(v, e);
	case BR_ERR_X509_BAD_SERVER_NAME: return explain_name(v, e);
	case BR_ERR_X509_EMPTY_CHAIN: return err_set(e, ERR_TLS, "the server sent no certificate");
	case BR_ERR_X509_BAD_SIGNATURE:
		return err_set(e, ERR_TLS, "a signature in the certificate chain is wrong");
	case BR_ERR_X509_DN_MISMATCH:
		return err_set(e, ERR_TLS, "the certificates do not form a chain");
	case BR_ERR_X509_NOT_CA:
		return err_set(e, ERR_TLS, "an issuer's certificate is not one of a CA");
	case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
		return err_set(e, ERR_TLS,
			       "keyUsage of an issuer lets it sign no certificates (no "
			       "keyCertSign)");
	case BR_ERR_X509_WEAK_PUBLIC_KEY:
		return err_set(e, ERR_TLS, "a key in the certificate chain is too short");
	case BR_ERR_X509_CRITICAL_EXTENSION:
		return err_set(e, ERR_TLS, "certificate has a critical extension that is unknown");
	case BR_ERR_X509_UNSUPPORTED:
		return err_set(e, ERR_TLS,
			       "a key or signature in the certificate chain is of a kind that is "
			       "not supported");
	case BR_ERR_X509_LIMIT_EXCEEDED:
		return err_set(e, ERR_TLS,
			       "a key in the certificate chain is longer than 4096 bits");
	default:
		if (v->chain.is_cut)
			return err_set(e, ERR_TLS, "certificate is longer than %d bytes",
				       CHAIN_BYTES_MAX);
		return err_set(e, ERR_TLS, "certificate is malformed (code %d)", code);
	}
}
