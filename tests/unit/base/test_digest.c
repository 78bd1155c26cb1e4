/* base/digest: FNV-1a, 64 bits, by the values of its authors (draft-eastlake-fnv, appendix C). */
#include "support.h"

#include "base/digest.h"

static void test_known(void **state)
{
	static const struct {
		const char *text;
		uint64_t sum;
	} rows[] = {
		{"", 0xcbf29ce484222325},
		{"a", 0xaf63dc4c8601ec8c},
		{"foobar", 0x85944171f73967e8},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK(digest_add(DIGEST_START, rows[i].text, strlen(rows[i].text)) == rows[i].sum, "\"%s\"", rows[i].text);
	assert_true(digest_add(1, NULL, 0) == 1);
}

static void test_pieces(void **state)
{
	(void)state;
	assert_true(digest_add(digest_add(DIGEST_START, "foo", 3), "bar", 3) == 0x85944171f73967e8);
	assert_true(digest_text(DIGEST_START, "foobar") == digest_add(DIGEST_START, "foobar", 7));
	assert_true(digest_text(DIGEST_START, NULL) == digest_text(DIGEST_START, ""));
	assert_true(digest_text(digest_text(DIGEST_START, "a"), "b") != digest_text(digest_text(DIGEST_START, "ab"), ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
