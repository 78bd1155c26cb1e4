#include "net/tls/key.h"

#include <string.h>

#include "net/tls/der.h"

static const unsigned char oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const unsigned char oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const unsigned char oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const unsigned char oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const unsigned char oid_p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};

unsigned char *key_bytes(struct der d)
{
	union {
		const unsigned char *as_is;
		unsigned char *as_wanted;
	} p = {.as_is = d.p};

	return p.as_wanted;
}

/* 0: none that is known, explicit parameters among them. */
static int take_curve(struct der *in)
{
	struct der oid;

	if (!der_take(in, DER_OID, &oid))
		return 0;
	if (der_equals(oid, oid_p256, sizeof oid_p256))
		return BR_EC_secp256r1;
	if (der_equals(oid, oid_p384, sizeof oid_p384))
		return BR_EC_secp384r1;
	return der_equals(oid, oid_p521, sizeof oid_p521) ? BR_EC_secp521r1 : 0;
}

/* AlgorithmIdentifier: 0 for an unknown one; *curve of an EC key, 0 when it is not said. */
static int take_algorithm(struct der *in, int *curve)
{
	struct der algorithm, oid;

	*curve = 0;
	if (!der_take(in, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid))
		return 0;
	if (der_equals(oid, oid_rsa, sizeof oid_rsa))
		return BR_KEYTYPE_RSA;
	if (!der_equals(oid, oid_ec, sizeof oid_ec))
		return 0;
	*curve = take_curve(&algorithm);
	return BR_KEYTYPE_EC;
}

bool key_of_cert(const struct cert *c, br_x509_pkey *out)
{
	struct der in = c->key, bits, list, n, e;
	int curve, type = take_algorithm(&in, &curve);

	if (!type || !der_take_last(in, DER_BIT_STRING, &bits) || !bits.n || *bits.p)
		return false;
	bits = (struct der){.p = bits.p + 1, .n = bits.n - 1};
	out->key_type = (unsigned char)type;
	if (type == BR_KEYTYPE_EC) {
		out->key.ec =
			(br_ec_public_key){.curve = curve, .q = key_bytes(bits), .qlen = bits.n};
		return curve && bits.n;
	}
	if (!der_take_last(bits, DER_SEQUENCE, &list) || !der_take_unsigned(&list, &n) ||
	    !der_take_unsigned(&list, &e))
		return false;
	out->key.rsa =
		(br_rsa_public_key){.n = key_bytes(n), .nlen = n.n, .e = key_bytes(e), .elen = e.n};
	return n.n && e.n && e.n <= KEY_EXPONENT_MAX;
}

static bool take_small(struct der *in, unsigned want)
{
	struct der number;

	return der_take_unsigned(in, &number) && number.n <= 1 &&
	       (number.n ? *number.p : 0u) == want;
}

static unsigned bit_length(struct der number)
{
	unsigned n = (unsigned)number.n * 8;

	for (unsigned top = *number.p; !(top & 0x80); top <<= 1)
		n--;
	return n;
}

/* RSAPrivateKey of two primes, what is within it. */
static int read_rsa(struct private_key *out, struct der in, struct err *e)
{
	enum { N, E, D, P, Q, DP, DQ, IQ, NUMBERS };
	struct der number[NUMBERS];

	if (!take_small(&in, 0))
		return err_set(e, ERR_CONFIG, "the RSA key is damaged, or of more than two primes");
	for (size_t i = 0; i < NUMBERS; i++) {
		/* The longest is the modulus: BearSSL relies on it. */
		if (!der_take_unsigned(&in, &number[i]) || !number[i].n ||
		    number[i].n > number[N].n)
			return err_set(e, ERR_CONFIG, "the RSA key is damaged");
	}
	out->type = BR_KEYTYPE_RSA;
	out->rsa = (br_rsa_private_key){
		.n_bitlen = bit_length(number[N]),
		.p = key_bytes(number[P]),
		.plen = number[P].n,
		.q = key_bytes(number[Q]),
		.qlen = number[Q].n,
		.dp = key_bytes(number[DP]),
		.dplen = number[DP].n,
		.dq = key_bytes(number[DQ]),
		.dqlen = number[DQ].n,
		.iq = key_bytes(number[IQ]),
		.iqlen = number[IQ].n,
	};
	if (out->rsa.n_bitlen > KEY_RSA_MAX)
		return err_set(e, ERR_CONFIG, "the RSA key has %u bits, more than %d",
			       out->rsa.n_bitlen, KEY_RSA_MAX);
	return 0;
}

/* ECPrivateKey, what is within it; curve: 0 when it must say that itself. */
static int read_ec(struct private_key *out, struct der in, int curve, struct err *e)
{
	struct der x, parameters;

	if (!take_small(&in, 1) || !der_take(&in, DER_OCTET_STRING, &x))
		return err_set(e, ERR_CONFIG, "the EC key is damaged");
	if (!curve && der_take(&in, DER_PARAMETERS, &parameters))
		curve = take_curve(&parameters);
	if (!curve)
		return err_set(e, ERR_CONFIG, "the key's curve is not P-256, P-384 or P-521");
	out->type = BR_KEYTYPE_EC;
	out->ec = (br_ec_private_key){.curve = curve, .x = key_bytes(x), .xlen = x.n};
	return 0;
}

/* PKCS#8, from the AlgorithmIdentifier on. */
static int read_pkcs8(struct private_key *out, struct der in, struct err *e)
{
	struct der key, inner;
	int curve, type = take_algorithm(&in, &curve);

	if (!type || !der_take(&in, DER_OCTET_STRING, &key) ||
	    !der_take_last(key, DER_SEQUENCE, &inner))
		return err_set(e, ERR_CONFIG, "the key is neither RSA nor EC, or damaged");
	return type == BR_KEYTYPE_RSA ? read_rsa(out, inner, e) : read_ec(out, inner, curve, e);
}

int key_read_private(struct private_key *out, const unsigned char *p, size_t n, struct err *e)
{
	struct der in = {.p = p, .n = n}, list, rest, version;
	unsigned tag = 0;

	memset(out, 0, sizeof *out);
	if (!der_take(&in, DER_SEQUENCE, &list))
		return err_set(e, ERR_CONFIG, "the key is damaged");
	/* All begin with a version; what follows it tells them apart. */
	rest = list;
	if (der_take(&rest, DER_INTEGER, &version)) {
		struct der ahead = rest, value;

		(void)der_next(&ahead, &tag, &value);
	}
	switch (tag) {
	case DER_SEQUENCE: return read_pkcs8(out, rest, e);
	case DER_OCTET_STRING: return read_ec(out, list, 0, e);
	default: return read_rsa(out, list, e);
	}
}
