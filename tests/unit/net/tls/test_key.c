/* net/tls/key: private keys from numbers that are made up; none is computed with here. */
#include "support.h"

#include "net/tls/key.h"

#define KEY_CAP 40000

struct der_out {
	unsigned char p[KEY_CAP];
	size_t n; /* built from the end: they are the last n bytes */
};

static void front(struct der_out *o, const void *p, size_t n)
{
	assert_true(n <= sizeof o->p - o->n);
	o->n += n;
	if (n)
		memcpy(o->p + sizeof o->p - o->n, p, n);
}

/* Put tag and length in front of what was added since `from`. */
static void wrap(struct der_out *o, size_t from, unsigned char tag)
{
	size_t n = o->n - from;

	front(o, (const unsigned char[]){tag, 0x83, (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n}, 5);
}

/* An INTEGER of so many bits, all of them ones; with a sign's zero in front when it needs one. */
static void number(struct der_out *o, size_t bits)
{
	static unsigned char ones[KEY_CAP / 2];
	size_t from = o->n;
	unsigned char top = (unsigned char)(0xff >> (8 - (bits % 8 ? bits % 8 : 8)));

	memset(ones, 0xff, sizeof ones);
	if (bits) {
		front(o, ones, (bits - 1) / 8);
		front(o, &top, 1);
	}
	if (!bits || top & 0x80)
		front(o, "", 1);
	wrap(o, from, 0x02);
}

enum form { PKCS1, PKCS8 };

/* version, n, e, d, p, q, dp, dq, iq */
static void rsa_key(struct der_out *o, enum form form, const size_t bits[9])
{
	static const unsigned char algorithm[] = {0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0};

	o->n = 0;
	for (size_t i = 9; i--;)
		number(o, bits[i]);
	wrap(o, 0, 0x30);
	if (form == PKCS1)
		return;
	wrap(o, 0, 0x04);
	front(o, algorithm, sizeof algorithm);
	front(o, "\x02\x01\x00", 3);
	wrap(o, 0, 0x30);
}

static void test_rsa(void **state)
{
	static const struct {
		size_t bits[9];
		const char *says; /* NULL: read */
	} rows[] = {
		{{0, 2048, 17, 2048, 1024, 1024, 1024, 1024, 1024}, NULL},
		{{0, 4094, 17, 4094, 2047, 2047, 2047, 2047, 2047}, NULL},
		{{0, 4095, 17, 4095, 2048, 2047, 2048, 2047, 2047}, NULL},
		{{0, 4096, 17, 4096, 2048, 2048, 2048, 2048, 2048}, NULL},
		{{0, 4096, 17, 4096, 4096, 4096, 4096, 4096, 4096}, NULL},
		{{0, 4097, 17, 4097, 2049, 2048, 2049, 2048, 2048}, "has 4097 bits, more than 4096"},
		{{0, 4104, 17, 4104, 2052, 2052, 2052, 2052, 2052}, "has 4104 bits, more than 4096"},
		{{0, 5120, 17, 5120, 2560, 2560, 2560, 2560, 2560}, "has 5120 bits, more than 4096"},
		{{0, 16384, 17, 16384, 8192, 8192, 8192, 8192, 8192}, "has 16384 bits, more than 4096"},
		/* Each number alone too long: none may be longer than what they multiply to. */
		{{0, 2048, 2056, 2048, 1024, 1024, 1024, 1024, 1024}, "damaged"},
		{{0, 2048, 17, 5000, 1024, 1024, 1024, 1024, 1024}, "damaged"},
		{{0, 2048, 17, 2048, 12800, 1024, 1024, 1024, 1024}, "damaged"},
		{{0, 2048, 17, 2048, 1024, 12800, 1024, 1024, 1024}, "damaged"},
		{{0, 2048, 17, 2048, 1024, 1024, 12800, 1024, 1024}, "damaged"},
		{{0, 2048, 17, 2048, 1024, 1024, 1024, 12800, 1024}, "damaged"},
		{{0, 2048, 17, 2048, 1024, 1024, 1024, 1024, 12800}, "damaged"},
		/* And none is nothing. */
		{{0, 0, 17, 2048, 1024, 1024, 1024, 1024, 1024}, "damaged"},
		{{0, 2048, 17, 2048, 0, 1024, 1024, 1024, 1024}, "damaged"},
		{{0, 2048, 17, 2048, 1024, 1024, 1024, 1024, 0}, "damaged"},
		{{1, 2048, 17, 2048, 1024, 1024, 1024, 1024, 1024}, "of more than two primes"},
		{{8, 2048, 17, 2048, 1024, 1024, 1024, 1024, 1024}, "of more than two primes"},
	};
	static struct der_out o;

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		size_t row = i / 2;
		struct private_key key;
		struct err e = {0};
		int failed;

		rsa_key(&o, i % 2 ? PKCS8 : PKCS1, rows[row].bits);
		failed = key_read_private(&key, o.p + sizeof o.p - o.n, o.n, &e);
		CHECK(!failed == !rows[row].says, "row %zu: %s", row, failed ? e.text : "read");
		if (failed) {
			assert_int_equal(e.kind, ERR_CONFIG);
			CHECK(strstr(e.text, rows[row].says), "row %zu: %s", row, e.text);
			continue;
		}
		assert_int_equal(key.type, BR_KEYTYPE_RSA);
		assert_int_equal(key.rsa.n_bitlen, rows[row].bits[1]);
		assert_int_equal(key.rsa.plen, (rows[row].bits[4] + 7) / 8);
		assert_int_equal(key.rsa.iqlen, (rows[row].bits[8] + 7) / 8);
	}
}

/* A byte less, at either level, and the key is damaged: nothing is read past its end. */
static void test_short(void **state)
{
	static const size_t bits[9] = {0, 64, 17, 64, 32, 32, 32, 32, 32};
	static struct der_out o;
	struct private_key key;
	struct err e = {0};

	(void)state;
	rsa_key(&o, PKCS8, bits);
	for (size_t n = 0; n < o.n; n++)
		assert_int_equal(key_read_private(&key, o.p + sizeof o.p - o.n, n, &e), -1);
}

#define P256 "06082a8648ce3d030107"
#define P521 "06052b81040023"
#define K256 "0000000000000000000000000000000000000000000000000000000000000001"

static size_t hex(const char *text, unsigned char *out)
{
	size_t n = 0;

	for (unsigned byte; sscanf(text + n * 2, "%2x", &byte) == 1; n++)
		out[n] = (unsigned char)byte;
	return n;
}

static void test_ec(void **state)
{
	static const struct {
		const char *der;
		int curve; /* 0: refused, as it says */
		const char *says;
	} rows[] = {
		{"3031 020101 0420 " K256 " a00a " P256, BR_EC_secp256r1, NULL},
		{"302e 020101 0420 " K256 " a007 " P521, BR_EC_secp521r1, NULL},
		{"3025 020101 0420 " K256, 0, "curve is not"},
		{"302d 020101 0420 " K256 " a006 06042b810477", 0, "curve is not"},
		{"3031 020102 0420 " K256 " a00a " P256, 0, "the EC key is damaged"},
		{"3041 020100 3013 06072a8648ce3d0201 " P256 " 0427 3025 020101 0420 " K256, BR_EC_secp256r1, NULL},
		{"3030 020100 3005 0603 2b6570 0424 0422 0420 " K256, 0, "neither RSA nor EC"},
		{"3000", 0, "damaged"},
		{"0500", 0, "damaged"},
		{"3003 020101", 0, "damaged"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char der[256];
		char packed[512];
		size_t n = 0;
		struct private_key key;
		struct err e = {0};
		int failed;

		for (const char *p = rows[i].der; *p; p++)
			if (*p != ' ')
				packed[n++] = *p;
		packed[n] = '\0';
		n = hex(packed, der);
		failed = key_read_private(&key, der, n, &e);
		CHECK(!failed == !!rows[i].curve, "row %zu: %s", i, failed ? e.text : "read");
		if (failed) {
			CHECK(e.kind == ERR_CONFIG && strstr(e.text, rows[i].says), "row %zu: %s", i, e.text);
			continue;
		}
		assert_int_equal(key.type, BR_KEYTYPE_EC);
		assert_int_equal(key.ec.curve, rows[i].curve);
		assert_int_equal(key.ec.xlen, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_ec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
