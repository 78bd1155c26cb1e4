#include "net/tls/verifier.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "net/tls/cert.h"
#include "net/tls/parts.h"

#define DAYS_TO_1970 719528 /* from BearSSL's day 0, 0000-01-01 */

static struct verifier *self(const br_x509_class **ctx)
{
	return (struct verifier *)(void *)ctx;
}

static void start_chain(const br_x509_class **ctx, const char *server_name)
{
	struct verifier *v = self(ctx);
	const br_x509_class **minimal = &v->minimal.vtable;

	/* Its own idea of the name, set by verifier_init(): what goes into SNI may be less. */
	(void)server_name;
	v->was_asked = true;
	v->certs_n = 0;
	/* For an address BearSSL's name check is off: ours is the one that counts. */
	if (v->verify)
		(*minimal)->start_chain(minimal, v->address_len ? NULL : v->host);
	else
		br_x509_decoder_init(&v->decoder, NULL, NULL);
}

static void start_cert(const br_x509_class **ctx, uint32_t length)
{
	struct verifier *v = self(ctx);
	const br_x509_class **minimal = &v->minimal.vtable;

	v->cert_len = 0;
	v->cert_is_cut = false;
	if (v->verify)
		(*minimal)->start_cert(minimal, length);
}

static void append(const br_x509_class **ctx, const unsigned char *p, size_t n)
{
	struct verifier *v = self(ctx);
	const br_x509_class **minimal = &v->minimal.vtable;

	if (v->verify)
		(*minimal)->append(minimal, p, n);
	else if (!v->certs_n)
		br_x509_decoder_push(&v->decoder, p, n);
	if (n > sizeof v->cert - v->cert_len) {
		v->cert_is_cut = true;
		return;
	}
	memcpy(v->cert + v->cert_len, p, n);
	v->cert_len += n;
}

static void look_at_server(struct verifier *v, const struct cert *c)
{
	v->is_misnamed = v->address_len ? !cert_has_address(c, v->address, v->address_len)
					: !cert_has_host(c, v->host);
	v->is_misused = !cert_is_for_servers(c);
	v->is_self_signed = cert_is_self_issued(c);
	cert_list_names(c, v->names, sizeof v->names);
}

static void look_at_dates(struct verifier *v, const struct cert *c)
{
	if (v->is_out_of_date ||
	    (v->now_sec >= c->not_before_sec && v->now_sec <= c->not_after_sec))
		return;
	v->is_out_of_date = true;
	v->out_of_date_at = v->certs_n;
	v->not_before_sec = c->not_before_sec;
	v->not_after_sec = c->not_after_sec;
}

static void end_cert(const br_x509_class **ctx)
{
	struct verifier *v = self(ctx);
	const br_x509_class **minimal = &v->minimal.vtable;
	struct cert c;

	if (v->verify) {
		(*minimal)->end_cert(minimal);
		if (!v->cert_is_cut && cert_read(&c, v->cert, v->cert_len)) {
			if (!v->certs_n)
				look_at_server(v, &c);
			look_at_dates(v, &c);
			cert_name_text(c.issuer, v->issuer, sizeof v->issuer);
		} else if (!v->certs_n) {
			v->is_unreadable = true;
		}
	}
	v->certs_n++;
}

static unsigned end_chain(const br_x509_class **ctx)
{
	struct verifier *v = self(ctx);
	const br_x509_class **minimal = &v->minimal.vtable;
	unsigned code;

	if (!v->verify)
		return (unsigned)br_x509_decoder_last_error(&v->decoder);
	code = (*minimal)->end_chain(minimal);
	if (code)
		return code;
	if (!v->certs_n)
		return BR_ERR_X509_EMPTY_CHAIN;
	if (v->is_unreadable)
		return BR_ERR_X509_INVALID_VALUE;
	if (v->is_misnamed)
		return BR_ERR_X509_BAD_SERVER_NAME;
	if (v->is_misused)
		return BR_ERR_X509_FORBIDDEN_KEY_USAGE;
	return 0;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct verifier *v = (const struct verifier *)(const void *)ctx;
	const br_x509_class *const *minimal = &v->minimal.vtable;

	if (v->verify)
		return (*minimal)->get_pkey(minimal, usages);
	if (usages)
		*usages = BR_KEYTYPE_SIGN | BR_KEYTYPE_KEYX;
	/* BearSSL's own accessor wants a context that is not const. */
	return v->decoder.decoded && !v->decoder.err ? &v->decoder.pkey : NULL;
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
		   const br_x509_trust_anchor *anchors, size_t anchors_n)
{
	memset(v, 0, offsetof(struct verifier, cert));
	memset(&v->is_unreadable, 0, sizeof *v - offsetof(struct verifier, is_unreadable));
	v->vtable = &verifier_class;
	v->verify = verify;
	(void)fmt_text(v->host, sizeof v->host, "%s", host);
	if (inet_pton(AF_INET, host, v->address) == 1)
		v->address_len = 4;
	else if (inet_pton(AF_INET6, host, v->address) == 1)
		v->address_len = 16;
	v->now_sec = clock_wall_sec();
	br_x509_minimal_init(&v->minimal, &br_sha256_vtable, anchors, anchors_n);
	tls_parts_for_certs(&v->minimal);
	br_x509_minimal_set_time(&v->minimal, (uint32_t)(v->now_sec / 86400 + DAYS_TO_1970),
				 (uint32_t)(v->now_sec % 86400));
}

/* "3 days", "5 hours"... */
static void span_text(int64_t sec, char *out, size_t cap)
{
	int64_t n = sec >= 86400 ? sec / 86400 : sec >= 3600 ? sec / 3600 : sec / 60;
	const char *unit = sec >= 86400 ? "day" : sec >= 3600 ? "hour" : "minute";

	(void)fmt_text(out, cap, "%" PRId64 " %s%s", n, unit, n == 1 ? "" : "s");
}

static int explain_dates(const struct verifier *v, struct err *e)
{
	const char *whose = v->out_of_date_at ? "an issuer's certificate" : "certificate";
	char span[48];

	if (!v->is_out_of_date)
		return err_set(e, ERR_TLS, "certificate has expired or is not yet valid");
	if (v->now_sec > v->not_after_sec) {
		span_text(v->now_sec - v->not_after_sec, span, sizeof span);
		return err_set(e, ERR_TLS, "%s expired %s ago", whose, span);
	}
	span_text(v->not_before_sec - v->now_sec, span, sizeof span);
	return err_set(e, ERR_TLS, "%s becomes valid in %s only (is this machine's clock right?)",
		       whose, span);
}

static int explain_trust(const struct verifier *v, struct err *e)
{
	size_t n = v->minimal.trust_anchors_num;

	if (v->is_self_signed && v->certs_n == 1)
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
	switch (code) {
	case BR_ERR_X509_EXPIRED: return explain_dates(v, e);
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
		return err_set(e, ERR_TLS, "certificate is not for TLS servers");
	case BR_ERR_X509_WEAK_PUBLIC_KEY:
		return err_set(e, ERR_TLS, "a key in the certificate chain is too short");
	case BR_ERR_X509_CRITICAL_EXTENSION:
		return err_set(e, ERR_TLS, "certificate has a critical extension that is unknown");
	case BR_ERR_X509_UNSUPPORTED:
		return err_set(e, ERR_TLS, "certificate's algorithm is not supported");
	case BR_ERR_X509_LIMIT_EXCEEDED:
		return err_set(e, ERR_TLS,
			       "a key in the certificate chain is longer than 4096 bits");
	default:
		if (v->cert_is_cut)
			return err_set(e, ERR_TLS, "certificate is longer than %d bytes",
				       VERIFIER_CERT_MAX);
		return err_set(e, ERR_TLS, "certificate is malformed (code %d)", code);
	}
}
