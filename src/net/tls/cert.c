#include "net/tls/cert.h"

#include <string.h>

#include "base/addr.h"
#include "base/buf.h"

/* Object identifiers as DER has them, without tag and length. */
static const unsigned char oid_any_purpose[] = {0x55, 0x1d, 0x25, 0x00};
static const unsigned char oid_server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
static const unsigned char oid_common_name[] = {0x55, 0x04, 0x03};
static const unsigned char oid_organization[] = {0x55, 0x04, 0x0a};

static const unsigned char null_parameters[] = {DER_NULL, 0};

/* These go on with a byte for the hash. */
static const unsigned char oid_rsa_with[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
static const unsigned char oid_ecdsa_with[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03};
#define RSA_WITH_SHA256 0x0b
#define ECDSA_WITH_SHA256 0x02 /* of both the next two are SHA-384 and SHA-512 */

/* Those of 2.5.29.X that may be critical: ours, and those that say nothing about trust. */
#define KNOWN_EXTENSIONS                                                                           \
	(1ull << CERT_KEY_USAGE | 1ull << CERT_NAMES | 1ull << CERT_BASIC_CONSTRAINTS |            \
	 1ull << CERT_NAME_CONSTRAINTS | 1ull << CERT_PURPOSES | 1ull << 9 | 1ull << 14 |          \
	 1ull << 18 | 1ull << 31 | 1ull << 32 | 1ull << 35 | 1ull << 46)

static bool read_key_usage(struct cert *c, struct der value)
{
	const unsigned char key_cert_sign = 0x04, digital_signature = 0x80;
	struct der bits;

	if (!der_take_last(value, DER_BIT_STRING, &bits) || !bits.n)
		return false;
	c->may_sign = bits.n > 1 && bits.p[1] & key_cert_sign;
	c->may_shake_hands = bits.n > 1 && bits.p[1] & digital_signature;
	return true;
}

static bool read_basic_constraints(struct cert *c, struct der value)
{
	struct der list, flag, number;

	if (!der_take_last(value, DER_SEQUENCE, &list))
		return false;
	c->is_ca = der_take(&list, DER_BOOLEAN, &flag) && flag.n == 1 && *flag.p;
	if (list.n) {
		if (!der_take_unsigned(&list, &number))
			return false;
		/* None is longer than what a byte can say. */
		c->has_path_len = number.n < 2;
		c->path_len = number.n ? *number.p : 0;
	}
	return !list.n;
}

/* A list of at least one element, nothing after it, each of this tag if one is given. */
static bool take_list(struct der value, unsigned tag, struct der *list)
{
	struct der rest, element;
	unsigned found;

	if (!der_take_last(value, DER_SEQUENCE, list))
		return false;
	for (rest = *list; der_next(&rest, &found, &element);)
		if (tag && found != tag)
			return false;
	return list->n && !rest.n;
}

/* The tag's subtrees of NameConstraints, if it has them. Each is a base alone (RFC 5280). */
static bool read_subtrees(struct cert *c, struct der *constraints, enum der_tag which)
{
	struct der list, tree, base;
	unsigned tag;

	if (!der_take(constraints, which, &list))
		return true;
	if (!list.n)
		return false;
	while (der_take(&list, DER_SEQUENCE, &tree)) {
		if (!der_next(&tree, &tag, &base) || tree.n)
			return false;
		if (tag != DER_DNS_NAME && tag != DER_IP_ADDRESS)
			c->has_other_constraints = true;
		/* An address and its mask; a dot at the end would fit no name. */
		if (tag == DER_IP_ADDRESS
			    ? base.n != 8 && base.n != 32
			    : tag == DER_DNS_NAME && base.n && base.p[base.n - 1] == '.')
			return false;
	}
	return !list.n;
}

static bool read_name_constraints(struct cert *c, struct der value)
{
	struct der rest;

	if (!take_list(value, 0, &c->constraints))
		return false;
	rest = c->constraints;
	return read_subtrees(c, &rest, DER_PERMITTED) && read_subtrees(c, &rest, DER_EXCLUDED) &&
	       !rest.n;
}

static bool read_purposes(struct cert *c, struct der value)
{
	struct der list, oid;

	if (!take_list(value, DER_OID, &list))
		return false;
	c->is_for_servers = false;
	while (der_take(&list, DER_OID, &oid))
		c->is_for_servers |= der_equals(oid, oid_server, sizeof oid_server) ||
				     der_equals(oid, oid_any_purpose, sizeof oid_any_purpose);
	return true;
}

static bool read_value(struct cert *c, enum cert_extension id, struct der value)
{
	switch (id) {
	case CERT_KEY_USAGE: return read_key_usage(c, value);
	case CERT_NAMES: return take_list(value, 0, &c->names);
	case CERT_BASIC_CONSTRAINTS: return read_basic_constraints(c, value);
	case CERT_NAME_CONSTRAINTS: return read_name_constraints(c, value);
	case CERT_PURPOSES: return read_purposes(c, value);
	default: return true;
	}
}

static bool read_extension(struct cert *c, struct der ext, uint64_t *seen)
{
	struct der oid, value, flag = {0};
	bool is_critical;
	uint64_t bit;

	if (!der_take(&ext, DER_OID, &oid))
		return false;
	is_critical = der_take(&ext, DER_BOOLEAN, &flag) && flag.n == 1 && *flag.p;
	if (!der_take_last(ext, DER_OCTET_STRING, &value))
		return false;
	bit = oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x1d && oid.p[2] < 64 ? 1ull << oid.p[2]
										  : 0;
	if (!(bit & KNOWN_EXTENSIONS)) {
		c->has_unknown_critical |= is_critical;
		return true;
	}
	if ((*seen & bit || !read_value(c, oid.p[2], value)) && !c->unreadable)
		c->unreadable = oid.p[2];
	*seen |= bit;
	c->has_critical_constraints |= is_critical && oid.p[2] == CERT_NAME_CONSTRAINTS;
	return true;
}

/* What follows the public key: unique identifiers of old, then the extensions. */
static bool read_extensions(struct cert *c, struct der tbs)
{
	struct der value, list, ext;
	uint64_t seen = 0;
	unsigned tag;

	while (der_next(&tbs, &tag, &value)) {
		if (tag != DER_EXTENSIONS)
			continue;
		if (!der_take(&value, DER_SEQUENCE, &list))
			return false;
		while (der_take(&list, DER_SEQUENCE, &ext))
			if (!read_extension(c, ext, &seen))
				return false;
		return !list.n && !tbs.n;
	}
	return !tbs.n;
}

/* hash_n of an algorithm that ends with this byte where that with SHA-256 ends with that one. */
static size_t hash_bytes(unsigned char end, unsigned char sha256)
{
	return end < sha256 || end > sha256 + 2 ? 0 : 32u + 16u * (unsigned)(end - sha256);
}

/* What comes after the body: the algorithm, which the body has to name, too, and the bits. */
static bool read_signature(struct cert *c, struct der in, struct der algorithm)
{
	struct der again, oid, bits;

	if (!der_take(&in, DER_SEQUENCE, &again) || !der_equals(again, algorithm.p, algorithm.n) ||
	    !der_take(&again, DER_OID, &oid) || !oid.n ||
	    !der_take_last(in, DER_BIT_STRING, &bits) || !bits.n || *bits.p)
		return false;
	c->signature = (struct der){.p = bits.p + 1, .n = bits.n - 1};
	/* Parameters: NULL (RFC 4055) or none (RFC 5758); here, as elsewhere, either for both. */
	if (again.n && !der_equals(again, null_parameters, sizeof null_parameters))
		return true;
	oid.n--;
	if (der_equals(oid, oid_rsa_with, sizeof oid_rsa_with))
		c->hash_n = hash_bytes(oid.p[oid.n], RSA_WITH_SHA256);
	c->is_signed_by_ec = der_equals(oid, oid_ecdsa_with, sizeof oid_ecdsa_with);
	if (c->is_signed_by_ec)
		c->hash_n = hash_bytes(oid.p[oid.n], ECDSA_WITH_SHA256);
	return true;
}

bool cert_read(struct cert *c, const unsigned char *p, size_t n)
{
	struct der in = {.p = p, .n = n};
	struct der outer, whole, tbs, skipped, algorithm, validity;

	memset(c, 0, sizeof *c);
	if (!der_take_last(in, DER_SEQUENCE, &outer) ||
	    !der_take_whole(&outer, DER_SEQUENCE, &c->body))
		return false;
	whole = c->body;
	(void)der_take(&whole, DER_SEQUENCE, &tbs);
	c->may_sign = c->may_shake_hands = c->is_for_servers = true;
	c->is_version_1 = !der_take(&tbs, DER_VERSION, &skipped);
	return der_take(&tbs, DER_INTEGER, &skipped) && /* serial number */
	       der_take(&tbs, DER_SEQUENCE, &algorithm) && read_signature(c, outer, algorithm) &&
	       der_take_whole(&tbs, DER_SEQUENCE, &c->issuer) &&
	       der_take(&tbs, DER_SEQUENCE, &validity) &&
	       der_take_time(&validity, &c->not_before_sec) &&
	       der_take_time(&validity, &c->not_after_sec) &&
	       der_take_whole(&tbs, DER_SEQUENCE, &c->subject) &&
	       der_take(&tbs, DER_SEQUENCE, &c->key) && read_extensions(c, tbs);
}

bool cert_is_self_issued(const struct cert *c)
{
	return der_equals(c->issuer, c->subject.p, c->subject.n);
}

static bool matches_host(struct der name, const char *host)
{
	const char *rest = strchr(host, '.');

	if (der_equals_nocase(name, host, strlen(host)))
		return true;
	if (name.n < 3 || name.p[0] != '*' || !rest || rest == host || !strchr(rest + 1, '.'))
		return false;
	return der_equals_nocase((struct der){.p = name.p + 1, .n = name.n - 1}, rest,
				 strlen(rest));
}

bool cert_has_host(const struct cert *c, const char *host)
{
	struct der list = c->names;
	struct der name;
	unsigned tag;

	while (list.p && der_next(&list, &tag, &name))
		if (tag == DER_DNS_NAME && matches_host(name, host))
			return true;
	return false;
}

bool cert_has_address(const struct cert *c, const unsigned char *address, size_t n)
{
	struct der list = c->names;
	struct der name;
	unsigned tag;

	while (list.p && der_next(&list, &tag, &name))
		if (tag == DER_IP_ADDRESS && der_equals(name, address, n))
			return true;
	return false;
}

void cert_one_name_text(unsigned tag, struct der name, char out[CERT_NAME_CAP])
{
	struct buf b;

	buf_init(&b, out, CERT_NAME_CAP);
	if (tag == DER_DNS_NAME)
		buf_add(&b, (const char *)name.p,
			name.n < CERT_NAME_CAP ? name.n : CERT_NAME_CAP - 1);
	else if (tag == DER_IP_ADDRESS && (name.n == 4 || name.n == 16))
		addr_format(name.p, name.n, out);
}

void cert_list_names(const struct cert *c, char *out, size_t cap)
{
	struct der list = c->names;
	struct der name;
	struct buf b;
	unsigned tag, shown = 0, more = 0;
	char text[CERT_NAME_CAP];

	buf_init(&b, out, cap);
	while (list.p && der_next(&list, &tag, &name)) {
		cert_one_name_text(tag, name, text);
		if (!*text)
			continue;
		if (shown == 3 || name.n > 64 || cap - b.len < 96) {
			more++;
			continue;
		}
		buf_fmt(&b, "%s%s", shown++ ? ", " : "", text);
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

const char *cert_extension_name(enum cert_extension x)
{
	switch (x) {
	case CERT_KEY_USAGE: return "keyUsage";
	case CERT_NAMES: return "subjectAltName";
	case CERT_BASIC_CONSTRAINTS: return "basicConstraints";
	case CERT_NAME_CONSTRAINTS: return "nameConstraints";
	default: return "extendedKeyUsage";
	}
}
