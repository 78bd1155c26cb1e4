/* What is left of secrets in a text, however a peer wrote them into it. */
#include "support.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

static void check_masked(const char *text, const char *masked)
{
	char storage[256];
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	buf_str(&b, text);
	secret_mask(b.p);
	assert_string_equal(storage, masked);
}

static void test_masking(void **state)
{
	(void)state;
	assert_int_equal(secret_add("abc"), 0); /* too short to hide anything */
	check_masked("abc", "abc");
	assert_int_equal(secret_add("hunter22"), 0);
	assert_int_equal(secret_add("hunter22"), 0);
	check_masked("", "");
	check_masked("hunter2", "hunter2");
	check_masked("hunter22", "***");
	check_masked("a hunter22", "a ***");
	check_masked("hunter22 z", "*** z");
	check_masked("hunter22hunter22", "******");
	check_masked("a hunter22 b hunter22 c", "a *** b *** c");
	assert_int_equal(secret_add("5ec2e700-aaaa-\"bbb"), 0);
	check_masked("x 5ec2e700-aaaa", "x ***"); /* cut off at a limit */
	check_masked("5ec2e700", "***");
	check_masked("5ec2e70", "5ec2e70");
	check_masked("5ec2e700-aaaa-\\\"b", "***");
	check_masked("5ec2e700-aaaa-\\", "***\\");
}

/* One secret begins with another, holds another, or laps over it: no piece of either is left. */
static void test_masking_overlap(void **state)
{
	static const char *const texts[] = {
		"abcdWXYZ", "x abcdWXYZ y", "abcdWXYZabcd", "abcdWXYZ1234", "aabcdWXYZ", "abcdWXYZ1234abcd", "WXYZ1234 abcd",
	};
	char storage[64];
	struct buf b;

	(void)state;
	assert_int_equal(secret_add("abcd"), 0);
	assert_int_equal(secret_add("abcdWXYZ"), 0);
	assert_int_equal(secret_add("WXYZ1234"), 0);
	assert_int_equal(secret_add("0000abcd0000"), 0);
	for (size_t i = 0; i < COUNT(texts); i++) {
		buf_init(&b, storage, sizeof storage);
		buf_str(&b, texts[i]);
		secret_mask(b.p);
		CHECK(!strpbrk(storage, "bcdWXYZ1234"), "%s: %s", texts[i], storage);
	}
	buf_init(&b, storage, sizeof storage);
	buf_str(&b, "0000abcd0000");
	secret_mask(b.p);
	assert_null(strchr(storage, '0'));
}

/* As a peer may write it that is asked with it: each form is hidden whole, and nothing else is. */
static void test_forms(void **state)
{
	static const char *const cases[][2] = {
		{"Token v1.a+b/c=d-e_f!", "Token ***!"},
		{"v1.a%2Bb%2fc%3Dd-e_f", "***"},
		{"%76%31%2e%61%2b%62%2f%63%3d%64%2d%65%5f%66", "***"},
		{"{\\\"v1.a+b\\/c=d-e_f\\\"}", "{\\\"***\\\"}"},
		{"v1.a\\u002bb\\u002Fc\\u003dd-e_f.", "***."},
		{"v1.a%2Bb%2fc", "***"}, /* cut off */
		{"%", "%"},
		{"%2", "%2"},
		{"\\", "\\"},
		{"\\u00", "\\u00"},
		{"v1.a%00b", "v1.a%00b"},
		{"v1.a+b/x", "v1.a+b/x"},
	};

	(void)state;
	secret_forget();
	assert_int_equal(secret_add("v1.a+b/c=d-e_f"), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		check_masked(cases[i][0], cases[i][1]);
}

/* Behind any number of others' bytes, before any: what is left has not eight of its bytes in a row. */
static void test_base64(void **state)
{
	static const char secret[] = "5ec2e700-aaaa-\xff\xfe-bbbb";

	(void)state;
	secret_forget();
	assert_int_equal(secret_add(secret), 0);
	for (size_t before = 0; before < 7; before++)
		for (size_t after = 0; after < 4; after++)
			for (int is_url = 0; is_url < 2; is_url++) {
				char plain[64] = "", text[128], left[128];
				struct buf b;

				memcpy(plain, "XXXXXXX", before);
				strcat(plain, secret);
				strncat(plain, "YYYY", after);
				buf_init(&b, text, sizeof text);
				buf_str(&b, "Basic ");
				buf_base64(&b, plain, strlen(plain));
				for (char *c = text; is_url && *c; c++)
					*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
				strcpy(left, text);
				secret_mask(left);
				CHECK(strstr(left, "***") &&
					      strlen(left) <= strlen("Basic ***") + 4 + 4 * ((before + 2) / 3 + (after + 2) / 3),
				      "%zu, %zu: %s: %s", before, after, text, left);
			}
	check_masked("Basic Zm9vOmJhcg==", "Basic Zm9vOmJhcg==");
	check_masked("NWVjMmU3MD", "NWVjMmU3MD"); /* seven bytes of it are chance */
	check_masked("NWVjMmU3MDA", "***");
}

/* Whatever makes an error, it holds no secret: also one that a limit would have cut in two. */
static void test_errors(void **state)
{
	char filler[ERR_TEXT_MAX + 1];
	struct err e = {0};

	(void)state;
	secret_forget();
	assert_int_equal(secret_add("hunter22hunter22"), 0);
	(void)err_set(&e, ERR_AUTH, "HTTP 403: %s is wrong", "hunter22hunter22");
	assert_string_equal(e.text, "HTTP 403: *** is wrong");
	(void)err_wrap(&e, "GET /%s", "hunter22%68unter22");
	assert_string_equal(e.text, "GET /***: HTTP 403: *** is wrong");
	memset(filler, 'x', sizeof filler - 1);
	filler[sizeof filler - 1] = '\0';
	for (int n = ERR_TEXT_MAX - 40; n < ERR_TEXT_MAX; n++) {
		(void)err_set(&e, ERR_AUTH, "%.*s%s", n, filler, "hunter22hunter22");
		CHECK(!strchr(e.text, 'h'), "%d", n);
		(void)err_set(&e, ERR_AUTH, "%s", "hunter22hunter22");
		(void)err_wrap(&e, "%.*s", n, filler);
		CHECK(!strchr(e.text, 'h'), "wrapped, %d", n);
	}
	/* What was made before the secret was known is made again by who learns it. */
	secret_forget();
	(void)err_set(&e, ERR_AUTH, "%s", "hunter22hunter22");
	assert_int_equal(secret_add("hunter22hunter22"), 0);
	(void)err_set(&e, e.kind, "%s", e.text);
	assert_string_equal(e.text, "***");
}

static void test_clean(void **state)
{
	char text[] = "a\tb \xc2\x9bhunter22 \xe2\x80\xae\xff";

	(void)state;
	secret_forget();
	assert_int_equal(secret_add("hunter22"), 0);
	secret_clean(text);
	assert_string_equal(text, "a?b ?*** ??");
}

/* The last in this file: the list stays full. */
static void test_secrets_limit(void **state)
{
	static char secrets[SECRETS_MAX][8];
	int refused = 0;

	(void)state;
	secret_forget();
	check_masked("hunter22", "hunter22");
	assert_int_equal(secret_add("hunter22"), 0);
	for (int i = 0; i < SECRETS_MAX; i++) {
		memcpy(secrets[i], "many0", 6);
		secrets[i][4] = (char)('0' + i);
		refused += secret_add(secrets[i]) != 0;
	}
	assert_true(refused > 0 && refused < SECRETS_MAX);
	check_masked("many0", "***");
	assert_int_equal(secret_add("hunter22"), 0); /* known: no place needed */
	secrets[0][1] = '\0';                        /* written over with a text too short to be masked */
	check_masked("mmmm hunter22", "mmmm ***");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masking),       cmocka_unit_test(test_masking_overlap), cmocka_unit_test(test_forms),
		cmocka_unit_test(test_base64),        cmocka_unit_test(test_errors),          cmocka_unit_test(test_clean),
		cmocka_unit_test(test_secrets_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
