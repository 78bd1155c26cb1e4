#include "net/tls/roots.h"

#include <string.h>

#include "base/memory.h"
#include "trust_anchors.h"

/*
 * Packed as third_party/trust_anchors.awk describes it: pointers would have to be relocated at
 * every start, and take more room than the rest. Unpacked one at a time, for a handshake asks
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

uint32_t root_name_hash(struct der name)
{
	uint32_t h = 0;

	for (size_t i = 0; i < name.n; i++)
		h = h * 257 + name.p[i];
	return h;
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
	a->name_hash = (uint32_t)take_16(&w->at) << 16;
	a->name_hash |= (uint32_t)take_16(&w->at);
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

int64_t roots_date_sec(void)
{
	return TRUST_ANCHORS_DATE_SEC;
}

void roots_set_apart(void)
{
	memory_set_apart(trust_anchors, TRUST_ANCHORS_SIZE);
}
