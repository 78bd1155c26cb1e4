/*
 * net/tls/verifier: keys and signatures of each kind, right and wrong ones, over chains that are
 * made to measure. A number of bits stands for what is too much or too little by one.
 */
#include "support.h"

#include "net/tls/forge.h"
#include "net/tls/judge.h"

#define SAN " san=DNS:server.test"
#define RSA_MID "Mid#rsa2048<Root !ca"
#define RSA_LEAF "leaf<Mid#rsa2048" SAN
#define SHORT "a key in the certificate chain is too short"
#define LONG "a key in the certificate chain is longer than 4096 bits"
#define KIND "is of a kind that is not supported"
#define WRONG "a signature in the certificate chain is wrong"

/* How long an RSA key is, of each but the root. */
static void test_lengths(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {"leaf#rsa2048<Mid" SAN, MID}, NULL}, "ok"},
		{{{ROOT}, {"leaf#rsa4096<Mid" SAN, MID}, NULL}, "ok"},
		{{{ROOT}, {"leaf#rsa2047<Mid" SAN, MID}, NULL}, SHORT},
		{{{ROOT}, {"leaf#rsa2040<Mid" SAN, MID}, NULL}, SHORT},
		{{{ROOT}, {"leaf#rsa1024<Mid" SAN, MID}, NULL}, SHORT},
		{{{ROOT}, {"leaf#rsa4097<Mid" SAN, MID}, NULL}, LONG},
		{{{ROOT}, {RSA_LEAF, RSA_MID}, NULL}, "ok"},
		{{{ROOT}, {"leaf<Mid#rsa4096" SAN, "Mid#rsa4096<Root !ca"}, NULL}, "ok"},
		{{{ROOT}, {"leaf<Mid#rsa2047" SAN, "Mid#rsa2047<Root !ca"}, NULL}, SHORT},
		{{{ROOT}, {"leaf<Mid#rsa1024" SAN, "Mid#rsa1024<Root !ca"}, NULL}, SHORT},
		{{{ROOT}, {"leaf<Mid#rsa4097" SAN, "Mid#rsa4097<Root !ca"}, NULL}, LONG},
		{{{"Root#rsa2048<Root !ca"}, {"leaf<Root#rsa2048" SAN}, NULL}, "ok"},
		{{{"Root#rsa1024<Root !ca"}, {"leaf<Root#rsa1024" SAN}, NULL}, "ok"},
		{{{"Root#rsa4097<Root !ca"}, {"leaf<Root#rsa4097" SAN}, NULL}, "issuer \"Root\" is not among"},
		/* A certificate that is trusted itself has to be as good as any. */
		{{{"self#rsa1024<self !ca" SAN}, {"self#rsa1024<self !ca" SAN}, NULL}, SHORT},
		{{{"self#rsa2048<self" SAN}, {"self#rsa2048<self" SAN}, NULL}, "ok"},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* The public exponent: each of its bytes takes time, and there could be 64 KiB of them. */
static void test_exponents(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {"leaf#rsa2048<Mid e=010001" SAN, MID}, NULL}, "ok"},
		{{{ROOT}, {"leaf#rsa2048<Mid e=008000000000000001" SAN, MID}, NULL}, "ok"},
		{{{ROOT}, {"leaf#rsa2048<Mid e=010000000000000001" SAN, MID}, NULL}, KIND},
		{{{ROOT}, {"leaf#rsa2048<Mid e=00" SAN, MID}, NULL}, KIND},
		{{{ROOT}, {"leaf#rsa2048<Mid e=" SAN, MID}, NULL}, KIND},
		{{{ROOT}, {"leaf#rsa2048<Mid e=83" SAN, MID}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF, RSA_MID " e=010000000000000001"}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF, RSA_MID " e=010001"}, NULL}, WRONG},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* Each kind of key with each hash. */
static void test_kinds(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {LEAF " hash=384", MID " hash=512"}, NULL}, "ok"},
		{{{ROOT}, {"leaf#p384<Mid#p384" SAN, "Mid#p384<Root !ca"}, NULL}, "ok"},
		{{{ROOT}, {"leaf#p384<Mid#p384 hash=384" SAN, "Mid#p384<Root !ca"}, NULL}, "ok"},
		{{{ROOT}, {"leaf#p384<Mid#p384 hash=512" SAN, "Mid#p384<Root !ca"}, NULL}, "ok"},
		{{{ROOT}, {"leaf#p521<Mid#p521 hash=512" SAN, "Mid#p521<Root !ca"}, NULL}, "ok"},
		{{{ROOT}, {RSA_LEAF " hash=384", RSA_MID}, NULL}, "ok"},
		{{{ROOT}, {RSA_LEAF " hash=512", RSA_MID}, NULL}, "ok"},
		{{{"Root#p384<Root !ca"}, {LEAF, "Mid<Root#p384 !ca hash=384"}, NULL}, "ok"},
		{{{"Root#rsa2048<Root !ca"}, {LEAF, "Mid<Root#rsa2048 !ca hash=512"}, NULL}, "ok"},
		/* Too weak, or not known; the root's own is nobody's business. */
		{{{ROOT}, {LEAF " hash=224", MID}, NULL}, KIND},
		{{{ROOT}, {LEAF " hash=1", MID}, NULL}, KIND},
		{{{ROOT}, {LEAF, MID " hash=1"}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF " hash=224", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF " hash=1", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF " hash=5", RSA_MID}, NULL}, KIND},
		{{{"Root#rsa2048<Root !ca"}, {LEAF, "Mid<Root#rsa2048 !ca hash=1"}, NULL}, KIND},
		{{{ROOT " hash=1"}, {LEAF, MID}, NULL}, "ok"},
		{{{"Root#rsa2048<Root#rsa2048 !ca hash=5"}, {"leaf<Root#rsa2048" SAN}, NULL}, "ok"},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* What is signed is not what it is said to be. */
static void test_signatures(void **state)
{
	static const struct judge_row rows[] = {
		{{{ROOT}, {RSA_LEAF " forged", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {"leaf<Mid#rsa2048b" SAN, RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {"leaf<Mid#2" SAN, MID}, NULL}, WRONG},
		/* Another hash, by its name and in truth, and none named. */
		{{{ROOT}, {RSA_LEAF " digest=384", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {RSA_LEAF " digest=1", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {RSA_LEAF " hash=384 digest=256", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {RSA_LEAF " hash=512 digest=384", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {RSA_LEAF " raw", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {LEAF " digest=384", MID}, NULL}, WRONG},
		{{{ROOT}, {LEAF " hash=512 digest=256", MID}, NULL}, WRONG},
		/* Of the other kind than the key. */
		{{{ROOT}, {LEAF " by=rsa", MID}, NULL}, WRONG},
		{{{ROOT}, {RSA_LEAF " by=ec", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {RSA_LEAF, MID}, NULL}, WRONG},
		{{{ROOT}, {LEAF, RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {"leaf<Root by=rsa" SAN}, NULL}, "issuer \"Root\" is not among"},
		{{{"Root#rsa2048<Root !ca"}, {"leaf<Root#rsa2048 by=ec" SAN}, NULL}, "issuer \"Root\" is not among"},
		{{{"Root#rsa2048<Root !ca"}, {"leaf<Root" SAN}, NULL}, "issuer \"Root\" is not among"},
		{{{ROOT}, {"leaf<Root#rsa2048" SAN}, NULL}, "issuer \"Root\" is not among"},
		{{{ROOT}, {"leaf<Mid#p384" SAN, MID}, NULL}, WRONG},
		{{{ROOT}, {LEAF, "Mid#p384<Root !ca"}, NULL}, WRONG},
		/* Bytes behind it. */
		{{{ROOT}, {RSA_LEAF " tail=00", RSA_MID}, NULL}, WRONG},
		{{{ROOT}, {LEAF " tail=00", MID}, NULL}, WRONG},
		/* The two names of the algorithm differ, bits are unused: no certificate. */
		{{{ROOT}, {LEAF " inner=384", MID}, NULL}, "certificate is malformed"},
		{{{ROOT}, {RSA_LEAF " inner=1", RSA_MID}, NULL}, "certificate is malformed"},
		{{{ROOT}, {LEAF, MID " inner=384"}, NULL}, "issuer \"Mid\" is not among"},
		{{{ROOT}, {LEAF " unused=1", MID}, NULL}, "certificate is malformed"},
		{{{ROOT}, {RSA_LEAF, RSA_MID " unused=7"}, NULL}, "issuer \"Mid\" is not among"},
		{{{ROOT}, {LEAF " after=0500", MID}, NULL}, "certificate is malformed"},
		{{{ROOT}, {LEAF " behind=00", MID}, NULL}, "certificate is malformed"},
		{{{ROOT}, {LEAF " keyunused=1", MID}, NULL}, KIND},
		{{{ROOT}, {LEAF " key=06072a8648ce3d020106052b8104000a", MID}, NULL}, KIND},
		{{{ROOT}, {LEAF " key=06032b657006082a8648ce3d030107", MID}, NULL}, KIND},
		/* Of a family that nobody knows, though it ends as ours. */
		{{{ROOT}, {RSA_LEAF " oid=2a864886f70d01020b", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF " oid=2a864886f70d0101010b", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF " oid=0b", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {LEAF " oid=2a8648ce3d040402", MID}, NULL}, KIND},
		{{{ROOT}, {LEAF " oid=2a8648ce3d0402", MID}, NULL}, KIND},
		{{{ROOT}, {LEAF " oid=", MID}, NULL}, "certificate is malformed"},
		/* The algorithm's parameters: NULL or none. */
		{{{ROOT}, {RSA_LEAF " params=", RSA_MID}, NULL}, "ok"},
		{{{ROOT}, {LEAF " params=0500", MID}, NULL}, "ok"},
		{{{ROOT}, {RSA_LEAF " params=3000", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF " params=05000500", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {RSA_LEAF " params=0501", RSA_MID}, NULL}, KIND},
		{{{ROOT}, {LEAF " params=06082a8648ce3d030107", MID}, NULL}, KIND},
		{{{ROOT}, {LEAF, MID " params=3000"}, NULL}, KIND},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* A certificate that is trusted itself: of a CA, by its name and key, whoever signed what is sent. */
static void test_same_key(void **state)
{
	static const struct judge_row rows[] = {
		{{{"self#rsa2048<self !ca"}, {"self#rsa2048<self" SAN}, NULL}, "ok"},
		{{{"self#rsa2048<self !ca"}, {"self#rsa2048b<self" SAN}, NULL}, "self-signed and not among"},
		{{{"self#rsa2048<self !ca"}, {"self#rsa4096<self" SAN}, NULL}, "self-signed and not among"},
		{{{"self#rsa2048<self !ca"}, {"self#rsa2048<self e=010001" SAN}, NULL}, "self-signed and not among"},
		{{{"self#rsa2048<self !ca"}, {"self#rsa2048<self e=05" SAN}, NULL}, "self-signed and not among"},
		{{{"self#rsa2048<self !ca"}, {"self<self" SAN}, NULL}, "self-signed and not among"},
		{{{"self<self !ca"}, {"self#rsa2048<self#2" SAN}, NULL}, "self-signed and not among"},
		{{{"self#p384<self !ca"}, {"self#p384<self" SAN}, NULL}, "ok"},
		{{{"self#p384<self !ca"}, {"self<self" SAN}, NULL}, "self-signed and not among"},
		{{{"self#p384<self !ca"}, {"self#p521<self" SAN}, NULL}, "self-signed and not among"},
		{{{"self#p384<self !ca"}, {"other#p384<self" SAN}, NULL}, "issuer \"self\" is not among"},
	};

	(void)state;
	judge_rows(rows, COUNT(rows));
}

/* With verification off the server's key is taken, whatever it is for, but not one that takes long. */
static void test_unverified(void **state)
{
	static const struct {
		const char *cert;
		unsigned code;
	} rows[] = {
		{"leaf<Mid ku=20", 0},
		{"leaf#rsa1024<Mid !unknown", 0},
		{"leaf#rsa2048<Mid e=010000000000000001", BR_ERR_X509_UNSUPPORTED},
	};
	static struct verifier v;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char der[FORGE_MAX];
		size_t n = forge_cert(rows[i].cert, der);
		unsigned usages = 0;

		verifier_init(&v, "server.test", false, NULL);
		v.vtable->start_chain(&v.vtable, NULL);
		v.vtable->start_cert(&v.vtable, (uint32_t)n);
		v.vtable->append(&v.vtable, der, n);
		v.vtable->end_cert(&v.vtable);
		CHECK(v.vtable->end_chain(&v.vtable) == rows[i].code, "row %zu", i);
		(void)v.vtable->get_pkey(&v.vtable, &usages);
		assert_true(usages & BR_KEYTYPE_SIGN);
	}
}

/* What the handshake is given is the server's own key, for a signature and not for RSA's old use alone. */
static void test_key_given(void **state)
{
	static const struct judged chains[] = {
		{{ROOT}, {"leaf#rsa2048<Mid" SAN, MID}, NULL},
		{{"Root#p384<Root !ca"}, {"leaf#rsa2048<Mid#p384" SAN, "Mid#p384<Root#p384 !ca"}, NULL},
		{{"leaf#rsa2048<leaf" SAN}, {"leaf#rsa2048<leaf" SAN}, NULL},
	};
	static struct verifier v;

	(void)state;
	for (size_t i = 0; i < COUNT(chains); i++) {
		const br_x509_pkey *key;
		unsigned usages = 0;

		assert_int_equal(judge(&v, &chains[i], 0), 0);
		key = v.vtable->get_pkey(&v.vtable, &usages);
		assert_int_equal(key->key_type, BR_KEYTYPE_RSA);
		assert_int_equal(key->key.rsa.nlen, 256);
		assert_int_equal(key->key.rsa.elen, 1);
		assert_true(usages & BR_KEYTYPE_SIGN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),    cmocka_unit_test(test_exponents), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_signatures), cmocka_unit_test(test_same_key),  cmocka_unit_test(test_key_given),
		cmocka_unit_test(test_unverified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
