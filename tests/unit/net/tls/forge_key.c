#include "net/tls/forge_key.h"

#include "support.h"

/* Its modulus is 2^bits - below. Where that is no prime it can sign nothing. */
struct rsa_kind {
	const char *name;
	size_t bits;
	uint32_t below;
};

static const struct rsa_kind rsa_kinds[] = {
	{"rsa1024", 1024, 179},  {"rsa2047", 2047, 705}, {"rsa2048", 2048, 2543}, {"rsa2048b", 2048, 8507},
	{"rsa4096", 4096, 2549}, {"rsa4097", 4097, 1},   {"rsa2040", 2040, 1},
};

/*
 * All ones below the top, but for the last bytes. n is a prime that leaves 2 when divided by 3:
 * (2n - 1) / 3 is the inverse of 3 modulo n - 1, then.
 */
static void make_rsa(struct forge_key *key, const struct rsa_kind *kind)
{
	size_t n_bits;
	unsigned rest = 0;

	key->n_len = (kind->bits + 7) / 8;
	n_bits = key->n_len * 8;
	memset(key->n, 0xff, key->n_len);
	key->n[0] = (unsigned char)(0xff >> (n_bits - kind->bits));
	for (size_t i = 0; i < 4; i++)
		key->n[key->n_len - 1 - i] ^= (unsigned char)((kind->below - 1) >> 8 * i);
	/* The bits of n, of which the last becomes 0, and a 1. */
	for (size_t i = 0; i <= n_bits; i++) {
		unsigned bit = i == n_bits ? 1 : i == n_bits - 1 ? 0 : (unsigned)key->n[i / 8] >> (7 - i % 8) & 1;

		rest = rest * 2 + bit;
		if (i)
			key->d[(i - 1) / 8] = (unsigned char)(key->d[(i - 1) / 8] << 1 | (rest >= 3));
		rest %= 3;
	}
}

/* The private number is the name's hash. */
static void make_ec(struct forge_key *key, const char *name, size_t n)
{
	br_sha512_context h;

	key->x_len = key->curve == BR_EC_secp256r1 ? 32 : key->curve == BR_EC_secp384r1 ? 48 : 66;
	br_sha512_init(&h);
	br_sha512_update(&h, name, n);
	br_sha512_out(&h, key->x + (key->x_len == 66 ? 2 : 0));
}

static bool is_kind(const char *kind, size_t n, const char *name)
{
	return n == strlen(name) && !memcmp(kind, name, n);
}

void forge_key_make(struct forge_key *key, const char *name, size_t n)
{
	const char *kind = memchr(name, '#', n);
	size_t kind_n = kind ? n - (size_t)(++kind - name) : 0;

	memset(key, 0, sizeof *key);
	for (size_t i = 0; i < COUNT(rsa_kinds); i++) {
		if (is_kind(kind, kind_n, rsa_kinds[i].name)) {
			make_rsa(key, &rsa_kinds[i]);
			return;
		}
	}
	key->curve = is_kind(kind, kind_n, "p384")   ? BR_EC_secp384r1
		     : is_kind(kind, kind_n, "p521") ? BR_EC_secp521r1
						     : BR_EC_secp256r1;
	make_ec(key, name, n);
}

br_ec_private_key forge_ec(const struct forge_key *key)
{
	union {
		const unsigned char *as_is;
		unsigned char *as_wanted;
	} x = {.as_is = key->x};

	return (br_ec_private_key){.curve = key->curve, .x = x.as_wanted, .xlen = key->x_len};
}

struct forge_hash {
	const char *name;
	const br_hash_class *class;
	unsigned char with_rsa, with_ec; /* the last number of the signature's identifier */
	unsigned char own_len, own[9];   /* its own identifier */
};

#define SHA2 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02

static const struct forge_hash hashes[] = {
	{"256", &br_sha256_vtable, 0x0b, 2, 9, {SHA2, 1}},
	{"384", &br_sha384_vtable, 0x0c, 3, 9, {SHA2, 2}},
	{"512", &br_sha512_vtable, 0x0d, 4, 9, {SHA2, 3}},
	{"224", &br_sha224_vtable, 0x0e, 1, 9, {SHA2, 4}},
	{"1", &br_sha1_vtable, 5, 1, 5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}},
	{"5", &br_md5_vtable, 4, 0, 8, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05}},
};

const struct forge_hash *forge_hash(const char *name)
{
	for (size_t i = 0; i < COUNT(hashes); i++)
		if (!strcmp(hashes[i].name, name))
			return &hashes[i];
	fail_msg("no such hash: %s", name);
	return NULL;
}

void forge_digest(const struct forge_hash *h, const void *p, size_t n, unsigned char out[64])
{
	br_hash_compat_context c;

	h->class->init(&c.vtable);
	h->class->update(&c.vtable, p, n);
	h->class->out(&c.vtable, out);
}

static size_t digest_len(const struct forge_hash *h)
{
	return h->class->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

size_t forge_algorithm(const struct forge_hash *h, bool by_ec, unsigned char out[16])
{
	static const unsigned char rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1};
	static const unsigned char ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3};
	/* ecdsa-with-SHA1 is 1.2.840.10045.4.1 (RFC 3279), all others are 1.2.840.10045.4.3.X. */
	size_t n = !by_ec ? sizeof rsa : digest_len(h) == br_sha1_SIZE ? sizeof ec - 1 : sizeof ec;

	memcpy(out, by_ec ? ec : rsa, n);
	out[n] = by_ec ? h->with_ec : h->with_rsa;
	return n + 1;
}

/* PKCS#1 v1.5 (RFC 8017 section 9.2), as wide as the modulus. */
static void pad(const struct forge_key *key, const struct forge_hash *h, const unsigned char *digest, bool has_name,
		unsigned char *out)
{
	size_t n = digest_len(h), name_n = has_name ? h->own_len + 10u : 0, at = key->n_len - n - name_n;
	const unsigned char named[] = {0x30,      (unsigned char)(h->own_len + 8u + n), 0x30, (unsigned char)(h->own_len + 4u), 6,
				       h->own_len};

	memset(out, 0xff, key->n_len);
	out[0] = 0;
	out[1] = 1;
	out[at - 1] = 0;
	if (has_name) {
		memcpy(out + at, named, sizeof named);
		memcpy(out + at + sizeof named, h->own, h->own_len);
		memcpy(out + at + sizeof named + h->own_len, (const unsigned char[]){5, 0, 4, (unsigned char)n}, 4);
	}
	memcpy(out + key->n_len - n, digest, n);
}

static size_t sign_rsa(const struct forge_key *key, const struct forge_hash *h, const unsigned char *digest, bool has_name,
		       unsigned char *out)
{
	struct forge_key copy = *key;
	const br_rsa_public_key as_public = {.n = copy.n, .nlen = copy.n_len, .e = copy.d, .elen = copy.n_len};

	pad(key, h, digest, has_name, out);
	/* What is longer than BearSSL computes with is left as it is: nobody is to verify it. */
	(void)br_rsa_i31_public(out, key->n_len, &as_public);
	return key->n_len;
}

size_t forge_sign(const struct forge_key *key, const struct forge_hash *h, const unsigned char *digest, bool has_name,
		  unsigned char out[FORGE_SIGNATURE_MAX])
{
	const br_ec_private_key x = forge_ec(key);
	size_t n;

	if (!key->curve)
		return sign_rsa(key, h, digest, has_name, out);
	n = br_ecdsa_i31_sign_asn1(&br_ec_all_m31, h->class, digest, &x, out);
	assert_true(n > 0);
	return n;
}
