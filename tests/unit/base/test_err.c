#include "support.h"

#include "base/err.h"

static void test_set(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_LIMIT, "%s: %d of %zu", "x", -3, (size_t)7), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_string_equal(e.text, "x: -3 of 7");
	/* Its own text may be an argument. */
	assert_int_equal(err_set(&e, ERR_PROTO, "%s (again %s)", e.text, e.text), -1);
	assert_string_equal(e.text, "x: -3 of 7 (again x: -3 of 7)");
	assert_int_equal(e.kind, ERR_PROTO);
}

static void test_controls(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_set(&e, ERR_PROTO, "a%sb", "\r\n\t\x01\x1f\x7f");
	assert_string_equal(e.text, "a??????b");
	(void)err_wrap(&e, "c%sd", "\n\033");
	assert_string_equal(e.text, "c??d: a??????b");
	(void)err_set(&e, ERR_PROTO, "%s", "\xc3\xa4"); /* not a control */
	assert_string_equal(e.text, "\xc3\xa4");
	(void)err_set(&e, ERR_PROTO, "%s", "\xc2\x9b|\xe2\x80\xae|\xe2\x80\xa8|\xff|\xc3"); /* C1, direction, line */
	assert_string_equal(e.text, "?|?|?|?|?");
}

static void test_wrap(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_set(&e, ERR_TLS, "expired");
	assert_int_equal(err_wrap(&e, "list records of %s", "www.example.com"), -1);
	assert_int_equal(err_wrap(&e, "cloudflare"), -1);
	assert_int_equal(e.kind, ERR_TLS);
	assert_string_equal(e.text, "cloudflare: list records of www.example.com: expired");
}

/* A text that does not fit is cut, whole or by its context, and ends in a NUL. */
static void test_long(void **state)
{
	char text[2 * ERR_TEXT_MAX];
	struct err e = {0};

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (size_t len = ERR_TEXT_MAX - 2; len < ERR_TEXT_MAX + 2; len++) {
		(void)err_set(&e, ERR_SYS, "%.*s", (int)len, text);
		assert_int_equal(strlen(e.text), len < ERR_TEXT_MAX ? len : ERR_TEXT_MAX - 1);
	}
	(void)err_set(&e, ERR_SYS, "short");
	(void)err_wrap(&e, "%s", text);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_int_equal(e.text[0], 'x');
	(void)err_set(&e, ERR_SYS, "%s", text);
	(void)err_wrap(&e, "context");
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(e.text, "context: xxx", 12);
}

/* A cut is between characters, where it may be and not only where it is. */
static void test_cut(void **state)
{
	char text[ERR_TEXT_MAX + 8];
	struct err e = {0};

	(void)state;
	for (size_t at = ERR_TEXT_MAX - 8; at < ERR_TEXT_MAX; at++) {
		memset(text, 'x', sizeof text);
		strcpy(text + at, "\xf0\x9f\x98\x80");
		(void)err_set(&e, ERR_SYS, "%s", text);
		CHECK(strlen(e.text) == (at + 4 < ERR_TEXT_MAX ? at + 4 : at), "%zu: %zu", at, strlen(e.text));
		CHECK(!strchr(e.text, '?'), "%zu", at);
		(void)err_set(&e, ERR_SYS, "\xf0\x9f\x98\x80");
		text[at] = '\0';
		(void)err_wrap(&e, "%.*s", (int)at - 2, text);
		CHECK(!strchr(e.text, '?'), "%zu, wrapped", at);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (int k = 0; k < ERR_KINDS; k++) {
		const char *name = err_kind_name((enum err_kind)k);

		assert_non_null(name);
		assert_true(*name);
		for (int other = 0; other < k; other++)
			assert_string_not_equal(name, err_kind_name((enum err_kind)other));
	}
	assert_string_equal(err_kind_name(ERR_RETRY), "retry");
	assert_string_equal(err_kind_name(ERR_AUTH), "auth");
	assert_string_equal(err_kind_name(ERR_KINDS), "unknown");
	assert_string_equal(err_kind_name((enum err_kind) - 1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),  cmocka_unit_test(test_controls), cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_long), cmocka_unit_test(test_cut),      cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
