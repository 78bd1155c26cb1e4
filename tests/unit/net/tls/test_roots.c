/*
 * net/tls/roots: what the build packed, against the certificates it was made from (the build leaves
 * them beside the packed bytes), read by the code that reads a user's CA file.
 */
#include "support.h"

#include "net/tls/roots.h"
#include "net/tls/trust.h"

static struct trust_store store;

static int load(void **state)
{
	const char *build = getenv("BUILD");
	struct err e = {0};
	char path[512];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/gen/trust_anchors.pem", build ? build : "build");
	if (trust_load_pem_file(&store, path, &e)) {
		print_error("%s\n", e.text);
		return -1;
	}
	return 0;
}

static void check_bytes(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
	assert_int_equal(a_len, b_len);
	assert_memory_equal(a, b, a_len);
}

static void check_same(const br_x509_trust_anchor *a, const br_x509_trust_anchor *b)
{
	assert_int_equal(a->flags, b->flags);
	check_bytes(a->dn.data, a->dn.len, b->dn.data, b->dn.len);
	assert_int_equal(a->pkey.key_type, b->pkey.key_type);
	if (a->pkey.key_type == BR_KEYTYPE_RSA) {
		check_bytes(a->pkey.key.rsa.n, a->pkey.key.rsa.nlen, b->pkey.key.rsa.n, b->pkey.key.rsa.nlen);
		check_bytes(a->pkey.key.rsa.e, a->pkey.key.rsa.elen, b->pkey.key.rsa.e, b->pkey.key.rsa.elen);
	} else {
		assert_int_equal(a->pkey.key.ec.curve, b->pkey.key.ec.curve);
		check_bytes(a->pkey.key.ec.q, a->pkey.key.ec.qlen, b->pkey.key.ec.q, b->pkey.key.ec.qlen);
	}
}

static void test_all(void **state)
{
	const br_x509_trust_anchor *roots = roots_anchors();
	size_t rsa_n = 0;

	(void)state;
	assert_true(roots_n() > 0);
	assert_int_equal(roots_n(), store.n);
	for (size_t i = 0; i < store.n; i++) {
		check_same(&roots[i], &store.anchors[i]);
		rsa_n += roots[i].pkey.key_type == BR_KEYTYPE_RSA;
	}
	/* Both kinds were among them. */
	assert_true(rsa_n > 0 && rsa_n < roots_n());
}

static void test_again(void **state)
{
	const unsigned char *name = roots_anchors()[0].dn.data;

	(void)state;
	assert_ptr_equal(roots_anchors()[0].dn.data, name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
