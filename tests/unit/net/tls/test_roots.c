/*
 * net/tls/roots: what the build packed, against the certificates it was made from (the build leaves
 * them beside the packed bytes), read by the code that reads a user's CA file.
 */
#include "support.h"

#include "net/tls/roots.h"
#include "net/tls/trust.h"
#include "trust_anchors.h"

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

static void check_same(const struct trust_anchor *a, const struct trust_anchor *b)
{
	assert_int_equal(a->cert.is_ca, b->cert.is_ca);
	assert_int_equal(a->cert.may_sign, b->cert.may_sign);
	assert_int_equal(a->key.key_type, b->key.key_type);
	if (a->key.key_type == BR_KEYTYPE_RSA) {
		check_bytes(a->key.key.rsa.n, a->key.key.rsa.nlen, b->key.key.rsa.n, b->key.key.rsa.nlen);
		check_bytes(a->key.key.rsa.e, a->key.key.rsa.elen, b->key.key.rsa.e, b->key.key.rsa.elen);
	} else {
		assert_int_equal(a->key.key.ec.curve, b->key.key.ec.curve);
		check_bytes(a->key.key.ec.q, a->key.key.ec.qlen, b->key.key.ec.q, b->key.key.ec.qlen);
	}
}

/* It is known by its name, and by no other root's, nor by one that differs in a letter. */
static void check_name(const struct trust_anchor *built_in, const struct trust_anchor *want)
{
	const struct der name = want->cert.subject;
	struct trust_anchor other;
	struct trust_walk all;
	unsigned char odd[1024];

	assert_true(trust_may_be(built_in, name));
	trust_walk_init(&all, &store);
	while (trust_next(&all, &other))
		assert_int_equal(trust_may_be(built_in, other.cert.subject), der_equals(other.cert.subject, name.p, name.n));
	assert_true(name.n && name.n < sizeof odd);
	memcpy(odd, name.p, name.n);
	odd[name.n - 1]++;
	assert_false(trust_may_be(built_in, (struct der){.p = odd, .n = name.n}));
}

/* A root is trusted to the day on which it ends, never past it. */
static void check_end(int64_t packed_sec, int64_t end_sec)
{
	const int64_t longest_sec = (int64_t)65535 * 86400;

	assert_true(packed_sec <= end_sec);
	assert_true(packed_sec > end_sec - 86400 || packed_sec == longest_sec - 1);
	/* Most end with a day: of these nothing is lost. */
	if ((end_sec + 1) % 86400 == 0 && end_sec < longest_sec)
		assert_int_equal(packed_sec, end_sec);
}

/* All of the certificates are built in but those that had ended, in their order. */
static void test_all(void **state)
{
	struct trust_walk all, built_in;
	struct trust_anchor want, root;
	size_t n = 0, rsa_n = 0;

	(void)state;
	trust_walk_init(&all, &store);
	trust_walk_init(&built_in, NULL);
	while (trust_next(&all, &want)) {
		if (want.cert.not_after_sec <= TRUST_ANCHORS_BUILT_SEC)
			continue;
		assert_true(trust_next(&built_in, &root));
		check_same(&root, &want);
		check_name(&root, &want);
		check_end(root.cert.not_after_sec, want.cert.not_after_sec);
		rsa_n += root.key.key_type == BR_KEYTYPE_RSA;
		n++;
	}
	assert_false(trust_next(&built_in, &root));
	assert_int_equal(trust_n(NULL), n);
	/* Both kinds were among them. */
	assert_true(rsa_n > 0 && rsa_n < n);
}

/* Two walks at once, as two handshakes make, do not disturb each other. */
static void test_two_walks(void **state)
{
	struct trust_walk walk[2];
	struct trust_anchor first, again, other;

	(void)state;
	trust_walk_init(&walk[0], NULL);
	trust_walk_init(&walk[1], NULL);
	assert_true(trust_next(&walk[0], &first));
	assert_true(trust_next(&walk[1], &other));
	assert_true(trust_next(&walk[1], &other));
	trust_walk_init(&walk[1], NULL);
	assert_true(trust_next(&walk[1], &again));
	check_same(&first, &again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_two_walks),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
