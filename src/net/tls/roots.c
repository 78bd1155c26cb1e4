#include "net/tls/roots.h"

#include <string.h>

#include "base/memory.h"
#include "net/tls/der.h"
#include "trust_anchors.h"

#define TYPE_IS_UTF8 0x80 /* in an attribute's type */

_Static_assert(TRUST_ANCHORS_NAME_MAX <= ROOT_NAME_MAX, "every name fits");

/*
 * Packed as third_party/trust_anchors.awk describes it: pointers would have to be relocated at
 * every start, and take more room than the names. Unpacked one at a time, for a handshake asks
 * for one. What is read here was written by the build, so nothing is checked; the unit test
 * compares all of it with the certificates.
 */

static unsigned char *take(const unsigned char **in, size_t n)
{
	/* BearSSL takes what it only reads without const. */
	union {
		const unsigned char *as_is;
		unsigned char *as_wanted;
	} p = {.as_is = *in};

	*in += n;
	return p.as_wanted;
}

static size_t take_8(const unsigned char **in)
{
	return *take(in, 1);
}

static size_t take_16(const unsigned char **in)
{
	size_t high = take_8(in);

	return high << 8 | take_8(in);
}

/* The head of the sequence, with the length in its shortest form. */
static unsigned char *put_head(unsigned char *to, size_t n)
{
	*to++ = DER_SEQUENCE;
	if (n > 0xff) {
		*to++ = 0x82;
		*to++ = (unsigned char)(n >> 8);
	} else if (n > 0x7f) {
		*to++ = 0x81;
	}
	*to++ = (unsigned char)n;
	return to;
}

/* A set of one attribute: SEQUENCE { OBJECT IDENTIFIER 2.5.4.type, string }. */
static unsigned char *put_attribute(unsigned char *to, const unsigned char **in)
{
	unsigned char type = (unsigned char)take_8(in), n = (unsigned char)take_8(in);
	const unsigned char head[] = {
		DER_SET,
		(unsigned char)(n + 9),
		DER_SEQUENCE,
		(unsigned char)(n + 7),
		DER_OID,
		3,
		0x55,
		0x04,
		(unsigned char)(type & ~TYPE_IS_UTF8),
		type & TYPE_IS_UTF8 ? DER_UTF8_STRING : DER_PRINTABLE_STRING,
		n,
	};

	memcpy(to, head, sizeof head);
	memcpy(to + sizeof head, take(in, n), n);
	return to + sizeof head + n;
}

/* The name's DER: built in to[ROOT_NAME_MAX], or as it stands in the packed bytes. */
static struct der unpack_name(const unsigned char **in, unsigned char *to)
{
	size_t n = take_16(in);
	unsigned char *at;

	if (!n) {
		n = take_16(in);
		return (struct der){.p = take(in, n), .n = n};
	}
	at = put_head(to, n);
	for (const unsigned char *end = at + n; at < end;)
		at = put_attribute(at, in);
	return (struct der){.p = to, .n = (size_t)(at - to)};
}

static br_rsa_public_key unpack_rsa(const unsigned char **in)
{
	static unsigned char usual_exponent[] = {0x01, 0x00, 0x01};
	br_rsa_public_key key = {.nlen = take_16(in)};

	key.n = take(in, key.nlen);
	key.elen = take_8(in);
	key.e = take(in, key.elen);
	if (!key.elen) {
		key.e = usual_exponent;
		key.elen = sizeof usual_exponent;
	}
	return key;
}

static br_ec_public_key unpack_ec(const unsigned char **in, int curve)
{
	br_ec_public_key key = {.curve = curve, .qlen = take_8(in)};

	key.q = take(in, key.qlen);
	return key;
}

bool roots_next(struct roots_walk *w, struct trust_anchor *a)
{
	int curve;

	if (w->i++ == TRUST_ANCHORS_N)
		return false;
	if (!w->at)
		w->at = trust_anchors;
	curve = (int)take_8(&w->at);
	memset(a, 0, sizeof *a);
	a->cert.is_ca = a->cert.may_sign = true;
	a->cert.not_after_sec = (int64_t)take_16(&w->at) * 86400 - 1;
	a->cert.subject = unpack_name(&w->at, w->name);
	a->key.key_type = curve ? BR_KEYTYPE_EC : BR_KEYTYPE_RSA;
	if (curve)
		a->key.key.ec = unpack_ec(&w->at, curve);
	else
		a->key.key.rsa = unpack_rsa(&w->at);
	return true;
}

size_t roots_n(void)
{
	return TRUST_ANCHORS_N;
}

void roots_set_apart(void)
{
	memory_set_apart(trust_anchors, TRUST_ANCHORS_SIZE);
}
