#include "net/tls/cert.h"

#include <string.h>

#include "base/addr.h"
#include "base/buf.h"

/* Object identifiers as DER has them, without tag and length. */
static const unsigned char oid_names[] = {0x55, 0x1d, 0x11};    /* 2.5.29.17 */
static const unsigned char oid_purposes[] = {0x55, 0x1d, 0x25}; /* 2.5.29.37 */
static const unsigned char oid_any_purpose[] = {0x55, 0x1d, 0x25, 0x00};
static const unsigned char oid_server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
static const unsigned char oid_common_name[] = {0x55, 0x04, 0x03};
static const unsigned char oid_organization[] = {0x55, 0x04, 0x0a};

static bool read_extension(struct cert *c, struct der ext)
{
	struct der oid, value, critical;

	if (!der_take(&ext, DER_OID, &oid))
		return false;
	(void)der_take(&ext, DER_BOOLEAN, &critical);
	if (!der_take(&ext, DER_OCTET_STRING, &value))
		return false;
	/* A second one of either could say something else than BearSSL has read. */
	if (der_equals(oid, oid_names, sizeof oid_names)) {
		if (c->has_names || !der_take(&value, DER_SEQUENCE, &c->names))
			return false;
		c->has_names = true;
	} else if (der_equals(oid, oid_purposes, sizeof oid_purposes)) {
		if (c->has_purposes || !der_take(&value, DER_SEQUENCE, &c->purposes))
			return false;
		c->has_purposes = true;
	}
	return true;
}

/* What follows the public key: unique identifiers of old, then the extensions. */
static bool read_extensions(struct cert *c, struct der tbs)
{
	struct der value, list, ext;
	unsigned tag;

	while (der_next(&tbs, &tag, &value)) {
		if (tag != DER_EXTENSIONS)
			continue;
		if (!der_take(&value, DER_SEQUENCE, &list))
			return false;
		while (der_take(&list, DER_SEQUENCE, &ext))
			if (!read_extension(c, ext))
				return false;
		return !list.n && !tbs.n;
	}
	return !tbs.n;
}

bool cert_read(struct cert *c, const unsigned char *p, size_t n)
{
	struct der in = {.p = p, .n = n};
	struct der outer, tbs, skipped, validity;

	memset(c, 0, sizeof *c);
	if (!der_take(&in, DER_SEQUENCE, &outer) || !der_take(&outer, DER_SEQUENCE, &tbs))
		return false;
	(void)der_take(&tbs, DER_VERSION, &skipped);
	return der_take(&tbs, DER_INTEGER, &skipped) &&  /* serial number */
	       der_take(&tbs, DER_SEQUENCE, &skipped) && /* signature algorithm */
	       der_take_whole(&tbs, DER_SEQUENCE, &c->issuer) &&
	       der_take(&tbs, DER_SEQUENCE, &validity) &&
	       der_take_time(&validity, &c->not_before_sec) &&
	       der_take_time(&validity, &c->not_after_sec) &&
	       der_take_whole(&tbs, DER_SEQUENCE, &c->subject) &&
	       der_take(&tbs, DER_SEQUENCE, &skipped) && /* public key */
	       read_extensions(c, tbs);
}

bool cert_is_self_issued(const struct cert *c)
{
	return der_equals(c->issuer, c->subject.p, c->subject.n);
}

bool cert_is_for_servers(const struct cert *c)
{
	struct der list = c->purposes;
	struct der oid;

	if (!c->has_purposes)
		return true;
	while (der_take(&list, DER_OID, &oid))
		if (der_equals(oid, oid_server, sizeof oid_server) ||
		    der_equals(oid, oid_any_purpose, sizeof oid_any_purpose))
			return true;
	return false;
}

static bool equals_nocase(struct der name, const char *s)
{
	for (size_t i = 0; i < name.n; i++, s++) {
		unsigned char a = name.p[i];
		unsigned char b = (unsigned char)*s;

		/* A NUL in the name must not end it: "good.example\0.evil.example". */
		if (!a || !b)
			return false;
		if (a >= 'A' && a <= 'Z')
			a = (unsigned char)(a + ('a' - 'A'));
		if (b >= 'A' && b <= 'Z')
			b = (unsigned char)(b + ('a' - 'A'));
		if (a != b)
			return false;
	}
	return !*s;
}

static bool matches_host(struct der name, const char *host)
{
	const char *rest = strchr(host, '.');

	if (equals_nocase(name, host))
		return true;
	if (name.n < 3 || name.p[0] != '*' || name.p[1] != '.' || !rest || rest == host)
		return false;
	if (!strchr(rest + 1, '.'))
		return false;
	return equals_nocase((struct der){.p = name.p + 1, .n = name.n - 1}, rest);
}

bool cert_has_host(const struct cert *c, const char *host)
{
	struct der list = c->names;
	struct der name;
	unsigned tag;

	while (c->has_names && der_next(&list, &tag, &name))
		if (tag == DER_DNS_NAME && matches_host(name, host))
			return true;
	return false;
}

bool cert_has_address(const struct cert *c, const unsigned char *address, size_t n)
{
	struct der list = c->names;
	struct der name;
	unsigned tag;

	while (c->has_names && der_next(&list, &tag, &name))
		if (tag == DER_IP_ADDRESS && der_equals(name, address, n))
			return true;
	return false;
}

static void add_name(struct buf *b, unsigned tag, struct der name)
{
	char text[ADDR_TEXT_CAP];

	if (tag == DER_DNS_NAME) {
		buf_add(b, (const char *)name.p, name.n);
		return;
	}
	addr_format(name.p, name.n, text);
	buf_str(b, text);
}

void cert_list_names(const struct cert *c, char *out, size_t cap)
{
	struct der list = c->names;
	struct der name;
	struct buf b;
	unsigned tag, shown = 0, more = 0;

	buf_init(&b, out, cap);
	while (c->has_names && der_next(&list, &tag, &name)) {
		if (tag != DER_DNS_NAME && (tag != DER_IP_ADDRESS || (name.n != 4 && name.n != 16)))
			continue;
		if (shown == 3 || name.n > 64 || cap - b.len < 96) {
			more++;
			continue;
		}
		if (shown++)
			buf_str(&b, ", ");
		add_name(&b, tag, name);
	}
	if (more)
		buf_fmt(&b, "%s%u more", shown ? ", " : "", more);
}

/* The value of the first attribute of this type within a distinguished name. */
static bool find_attribute(struct der name, const unsigned char *type, size_t n, struct der *out)
{
	struct der list, set, attribute, oid;
	unsigned tag;

	if (!der_take(&name, DER_SEQUENCE, &list))
		return false;
	while (der_take(&list, DER_SET, &set))
		while (der_take(&set, DER_SEQUENCE, &attribute))
			if (der_take(&attribute, DER_OID, &oid) && der_equals(oid, type, n) &&
			    der_next(&attribute, &tag, out))
				return true;
	return false;
}

void cert_name_text(struct der name, char *out, size_t cap)
{
	struct der value;
	struct buf b;

	out[0] = '\0';
	if (!find_attribute(name, oid_common_name, sizeof oid_common_name, &value) &&
	    !find_attribute(name, oid_organization, sizeof oid_organization, &value))
		return;
	buf_init(&b, out, cap);
	buf_add(&b, (const char *)value.p, value.n < cap ? value.n : cap - 1);
}
