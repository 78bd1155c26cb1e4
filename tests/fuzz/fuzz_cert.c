/*
 * Certificates: PEM files and what is in them, DER. Input: what ('0' DER; '2', '4' also
 * written as PEM, with LF or CR LF; '1' PEM), bytes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/tls/cert.h"
#include "net/tls/constraints.h"
#include "net/tls/pem.h"

static bool is_inside(struct der outer, struct der d)
{
	return d.p >= outer.p && d.p + d.n <= outer.p + outer.n;
}

/* Elements cover the bytes without a gap, and each lies in the one around it. */
static void check_elements(struct der in, unsigned depth)
{
	while (in.n) {
		struct der before = in, value, whole, copy = in;
		unsigned tag = 0;

		if (!der_next(&in, &tag, &value)) {
			MUST(in.p == before.p && in.n == before.n);
			return;
		}
		MUST(is_inside(before, value) && in.p == value.p + value.n);
		MUST(in.n == before.n - (size_t)(in.p - before.p));
		MUST(der_take_whole(&copy, (enum der_tag)tag, &whole));
		MUST(whole.p == before.p && whole.p + whole.n == in.p && copy.n == in.n);
		if (depth < 8 && (tag & 0x20))
			check_elements(value, depth + 1);
	}
}

static void check_text(const char *text, size_t cap)
{
	MUST(memchr(text, '\0', cap));
}

/* Each name it has is found in it again. */
static void check_names(const struct cert *c)
{
	struct der list = c->names, name;
	unsigned tag;

	while (list.p && der_next(&list, &tag, &name)) {
		char *host = fuzz_string((struct fuzz_input){name.p, name.n});

		if (tag == DER_DNS_NAME && strlen(host) == name.n)
			MUST(cert_has_host(c, host));
		if (tag == DER_IP_ADDRESS)
			MUST(cert_has_address(c, name.p, name.n));
		free(host);
	}
}

/* Names are permitted together when each is, and without constraints all are. */
static void check_constraints(const struct cert *c)
{
	struct der list = c->names, name;
	unsigned tag, refused = 0, first_tag = 0;
	struct der first = {0};

	while (list.p && der_next(&list, &tag, &name))
		refused += !constraints_permit(c, tag, name);
	MUST(constraints_permit_all(c, c, &first_tag, &first) == !refused);
	MUST(!refused || !constraints_permit(c, first_tag, first));
	MUST(!refused || c->constraints.p);
}

static void check_cert(struct der d)
{
	char text[512], small[40];
	struct cert c;

	check_elements(d, 0);
	if (!cert_read(&c, d.p, d.n))
		return;
	MUST(is_inside(d, c.issuer) && is_inside(d, c.subject));
	MUST(is_inside(d, c.body) && is_inside(d, c.key));
	MUST(!c.names.p || is_inside(d, c.names));
	MUST(!c.constraints.p || is_inside(d, c.constraints));
	MUST(is_inside(d, c.signature));
	MUST(!c.hash_n || c.hash_n == 32 || c.hash_n == 48 || c.hash_n == 64);
	/* 0000-01-01 to 9999-12-31, with what a field past its range adds */
	MUST(c.not_before_sec > -62400000000 && c.not_before_sec < 253500000000);
	MUST(c.not_after_sec > -62400000000 && c.not_after_sec < 253500000000);
	check_names(&c);
	MUST(c.names.p || !cert_has_host(&c, "www.example.com"));
	check_constraints(&c);
	(void)cert_is_self_issued(&c);
	cert_list_names(&c, text, sizeof text);
	check_text(text, sizeof text);
	cert_list_names(&c, small, sizeof small);
	check_text(small, sizeof small);
	cert_name_text(c.subject, text, sizeof text);
	check_text(text, sizeof text);
	cert_name_text(c.issuer, small, sizeof small);
	check_text(small, sizeof small);
}

/* What the objects of a file must be; n is their number. */
struct objects {
	const struct fuzz_input *want; /* NULL: anything */
	size_t n;
};

static int on_object(void *ctx, const char *label, const unsigned char *p, size_t n, struct err *e)
{
	struct objects *o = ctx;
	unsigned char *copy = malloc(n ? n : 1);

	(void)e;
	MUST(n <= PEM_OBJECT_MAX && strlen(label) < 64 && copy);
	o->n++;
	if (o->want)
		MUST(!strcmp(label, "CERTIFICATE") && n == o->want->n && (!n || !memcmp(p, o->want->p, n)));
	if (n)
		memcpy(copy, p, n);
	check_cert((struct der){copy, n});
	free(copy);
	return 0;
}

static int read_pem(struct fuzz_input in, struct objects *o)
{
	struct pem_sink sink = {.ctx = o, .object = on_object};
	struct err e = {0};
	int failed = pem_read_file(fuzz_file(in), &sink, &e);

	if (!failed)
		return 0;
	MUST(failed == -1 && e.kind == ERR_CONFIG);
	fuzz_check_err(&e);
	return -1;
}

/* The bytes as a PEM object of lines of 64 characters are read as these bytes. */
static void check_encoded(struct fuzz_input in, const char *line_end)
{
	static char text[PEM_OBJECT_MAX * 2];
	struct objects o = {.want = &in};
	struct buf pem;

	buf_init(&pem, text, sizeof text);
	buf_fmt(&pem, "text%s", line_end);
	fuzz_pem(&pem, "CERTIFICATE", in, line_end);
	MUST(buf_ok(&pem));
	MUST(read_pem((struct fuzz_input){(const uint8_t *)pem.p, pem.len}, &o) == 0 && o.n == 1);
}

int fuzz_cert(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	unsigned what = fuzz_take(&in);
	struct objects any = {.n = 0};
	uint8_t *copy;

	if (what & 1) {
		(void)read_pem(in, &any);
		return 0;
	}
	copy = malloc(in.n ? in.n : 1);
	MUST(copy);
	if (in.n)
		memcpy(copy, in.p, in.n);
	check_cert((struct der){copy, in.n});
	free(copy);
	if (in.n <= 12000 && (what & 6))
		check_encoded(in, what & 2 ? "\n" : "\r\n");
	return 0;
}
