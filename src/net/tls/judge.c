#include "net/tls/judge.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "net/tls/cert.h"
#include "net/tls/parts.h"

#define DAYS_TO_1970 719528 /* from BearSSL's day 0, 0000-01-01 */

static struct judge *self(const br_x509_class **ctx)
{
	return (struct judge *)(void *)ctx;
}

static void start_chain(const br_x509_class **ctx, const char *server_name)
{
	struct judge *j = self(ctx);
	const br_x509_class **minimal = &j->minimal.vtable;

	/* Its own idea of the name, set by judge_init(): what goes into SNI may be less. */
	(void)server_name;
	j->was_asked = true;
	j->certs_n = 0;
	/* For an address BearSSL's name check is off: ours is the one that counts. */
	if (j->verify)
		(*minimal)->start_chain(minimal, j->address_len ? NULL : j->host);
	else
		br_x509_decoder_init(&j->decoder, NULL, NULL);
}

static void start_cert(const br_x509_class **ctx, uint32_t length)
{
	struct judge *j = self(ctx);
	const br_x509_class **minimal = &j->minimal.vtable;

	j->cert_len = 0;
	j->cert_is_cut = false;
	if (j->verify)
		(*minimal)->start_cert(minimal, length);
}

static void append(const br_x509_class **ctx, const unsigned char *p, size_t n)
{
	struct judge *j = self(ctx);
	const br_x509_class **minimal = &j->minimal.vtable;

	if (j->verify)
		(*minimal)->append(minimal, p, n);
	else if (!j->certs_n)
		br_x509_decoder_push(&j->decoder, p, n);
	if (n > sizeof j->cert - j->cert_len) {
		j->cert_is_cut = true;
		return;
	}
	memcpy(j->cert + j->cert_len, p, n);
	j->cert_len += n;
}

static void look_at_server(struct judge *j, const struct cert *c)
{
	j->is_misnamed = j->address_len ? !cert_has_address(c, j->address, j->address_len)
					: !cert_has_host(c, j->host);
	j->is_misused = !cert_is_for_servers(c);
	j->is_self_signed = cert_is_self_issued(c);
	cert_list_names(c, j->names, sizeof j->names);
}

static void look_at_dates(struct judge *j, const struct cert *c)
{
	if (j->is_out_of_date ||
	    (j->now_sec >= c->not_before_sec && j->now_sec <= c->not_after_sec))
		return;
	j->is_out_of_date = true;
	j->out_of_date_at = j->certs_n;
	j->not_before_sec = c->not_before_sec;
	j->not_after_sec = c->not_after_sec;
}

static void end_cert(const br_x509_class **ctx)
{
	struct judge *j = self(ctx);
	const br_x509_class **minimal = &j->minimal.vtable;
	struct cert c;

	if (j->verify) {
		(*minimal)->end_cert(minimal);
		if (!j->cert_is_cut && cert_read(&c, j->cert, j->cert_len)) {
			if (!j->certs_n)
				look_at_server(j, &c);
			look_at_dates(j, &c);
			cert_name_text(c.issuer, j->issuer, sizeof j->issuer);
		} else if (!j->certs_n) {
			j->is_unreadable = true;
		}
	}
	j->certs_n++;
}

static unsigned end_chain(const br_x509_class **ctx)
{
	struct judge *j = self(ctx);
	const br_x509_class **minimal = &j->minimal.vtable;
	unsigned code;

	if (!j->verify)
		return (unsigned)br_x509_decoder_last_error(&j->decoder);
	code = (*minimal)->end_chain(minimal);
	if (code)
		return code;
	if (!j->certs_n)
		return BR_ERR_X509_EMPTY_CHAIN;
	if (j->is_unreadable)
		return BR_ERR_X509_INVALID_VALUE;
	if (j->is_misnamed)
		return BR_ERR_X509_BAD_SERVER_NAME;
	if (j->is_misused)
		return BR_ERR_X509_FORBIDDEN_KEY_USAGE;
	return 0;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct judge *j = (const struct judge *)(const void *)ctx;
	const br_x509_class *const *minimal = &j->minimal.vtable;

	if (j->verify)
		return (*minimal)->get_pkey(minimal, usages);
	if (usages)
		*usages = BR_KEYTYPE_SIGN | BR_KEYTYPE_KEYX;
	/* BearSSL's own accessor wants a context that is not const. */
	return j->decoder.decoded && !j->decoder.err ? &j->decoder.pkey : NULL;
}

static const br_x509_class judge_class = {
	.context_size = sizeof(struct judge),
	.start_chain = start_chain,
	.start_cert = start_cert,
	.append = append,
	.end_cert = end_cert,
	.end_chain = end_chain,
	.get_pkey = get_pkey,
};

void judge_init(struct judge *j, const char *host, bool verify, const br_x509_trust_anchor *anchors,
		size_t anchors_n)
{
	memset(j, 0, offsetof(struct judge, cert));
	memset(&j->is_unreadable, 0, sizeof *j - offsetof(struct judge, is_unreadable));
	j->vtable = &judge_class;
	j->verify = verify;
	(void)fmt_text(j->host, sizeof j->host, "%s", host);
	if (inet_pton(AF_INET, host, j->address) == 1)
		j->address_len = 4;
	else if (inet_pton(AF_INET6, host, j->address) == 1)
		j->address_len = 16;
	j->now_sec = clock_wall_sec();
	br_x509_minimal_init(&j->minimal, &br_sha256_vtable, anchors, anchors_n);
	tls_parts_for_certs(&j->minimal);
	br_x509_minimal_set_time(&j->minimal, (uint32_t)(j->now_sec / 86400 + DAYS_TO_1970),
				 (uint32_t)(j->now_sec % 86400));
}

/* "3 days", "5 hours"... */
static void span_text(int64_t sec, char *out, size_t cap)
{
	int64_t n = sec >= 86400 ? sec / 86400 : sec >= 3600 ? sec / 3600 : sec / 60;
	const char *unit = sec >= 86400 ? "day" : sec >= 3600 ? "hour" : "minute";

	(void)fmt_text(out, cap, "%" PRId64 " %s%s", n, unit, n == 1 ? "" : "s");
}

static int explain_dates(const struct judge *j, struct err *e)
{
	const char *whose = j->out_of_date_at ? "an issuer's certificate" : "certificate";
	char span[48];

	if (!j->is_out_of_date)
		return err_set(e, ERR_TLS, "certificate has expired or is not yet valid");
	if (j->now_sec > j->not_after_sec) {
		span_text(j->now_sec - j->not_after_sec, span, sizeof span);
		return err_set(e, ERR_TLS, "%s expired %s ago", whose, span);
	}
	span_text(j->not_before_sec - j->now_sec, span, sizeof span);
	return err_set(e, ERR_TLS, "%s becomes valid in %s only (is this machine's clock right?)",
		       whose, span);
}

static int explain_trust(const struct judge *j, struct err *e)
{
	size_t n = j->minimal.trust_anchors_num;

	if (j->is_self_signed && j->certs_n == 1)
		return err_set(e, ERR_TLS,
			       "certificate is self-signed and not among the %zu trusted roots", n);
	if (!j->issuer[0])
		return err_set(e, ERR_TLS, "issuer is not among the %zu trusted roots", n);
	return err_set(e, ERR_TLS, "issuer \"%s\" is not among the %zu trusted roots", j->issuer,
		       n);
}

static int explain_name(const struct judge *j, struct err *e)
{
	if (!j->names[0])
		return err_set(e, ERR_TLS,
			       "certificate names no host (a common name alone does not count), "
			       "wanted %s",
			       j->host);
	return err_set(e, ERR_TLS, "certificate is for another name: %s, not %s", j->names,
		       j->host);
}

int judge_explain(const struct judge *j, int code, struct err *e)
{
	switch (code) {
	case BR_ERR_X509_EXPIRED: return explain_dates(j, e);
	case BR_ERR_X509_NOT_TRUSTED: return explain_trust(j, e);
	case BR_ERR_X509_BAD_SERVER_NAME: return explain_name(j, e);
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
		if (j->cert_is_cut)
			return err_set(e, ERR_TLS, "certificate is longer than %d bytes",
				       JUDGE_CERT_MAX);
		return err_set(e, ERR_TLS, "certificate is malformed (code %d)", code);
	}
}
