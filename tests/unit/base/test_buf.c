#include "support.h"

#include "base/buf.h"

static void test_bounds(void **state)
{
	char storage[8];
	struct buf b;

	(void)state;
	memset(storage, '#', sizeof storage);
	buf_init(&b, storage, 6);
	assert_string_equal(storage, "");
	buf_str(&b, "abc");
	buf_add(&b, "de", 2);
	assert_true(buf_ok(&b));
	assert_string_equal(storage, "abcde");
	buf_add(&b, "", 0);
	assert_true(buf_ok(&b));
	buf_str(&b, "f");
	assert_false(buf_ok(&b));
	assert_string_equal(storage, "abcde");
	assert_memory_equal(storage + 6, "##", 2);
	buf_reset(&b);
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, 0);
	assert_string_equal(storage, "");
	/* Sticky: what would fit after it does not come. */
	buf_str(&b, "abcdef");
	buf_str(&b, "x");
	buf_fmt(&b, "%d", 1);
	assert_string_equal(storage, "");
	assert_false(buf_ok(&b));
	buf_reset(&b);
	buf_add(&b, "x", SIZE_MAX); /* no sum that could wrap */
	assert_false(buf_ok(&b));
	assert_string_equal(storage, "");
}

static void test_one_byte(void **state)
{
	char storage[1];
	struct buf b;

	(void)state;
	buf_init(&b, storage, 1);
	buf_str(&b, "");
	assert_true(buf_ok(&b));
	buf_str(&b, "a");
	assert_false(buf_ok(&b));
	assert_int_equal(storage[0], 0);
}

static void test_fmt(void **state)
{
	char storage[9];
	struct buf b;

	(void)state;
	buf_init(&b, storage, sizeof storage);
	buf_fmt(&b, "%s=%d", "ab", 42);
	buf_fmt(&b, "%03u", 7u);
	assert_true(buf_ok(&b));
	assert_string_equal(storage, "ab=42007");
	assert_int_equal(b.len, 8);
	buf_fmt(&b, "%s", "");
	assert_true(buf_ok(&b));
	buf_reset(&b);
	buf_fmt(&b, "%s", "12345678");
	assert_true(buf_ok(&b));
	buf_reset(&b);
	buf_str(&b, "x");
	buf_fmt(&b, "%s", "12345678");
	assert_false(buf_ok(&b));
	assert_string_equal(storage, "x");
	assert_int_equal(b.len, 1);
}

static const struct {
	const char *text, *json;
} strings[] = {
	{"", "\"\""},
	{"abc", "\"abc\""},
	{"\"\\/", "\"\\\"\\\\/\""},
	{"\n\r\t\x01\x1f", "\"\\u000a\\u000d\\u0009\\u0001\\u001f\""},
	{"\x7f", "\"\\u007f\""},
	{"\xc2\x80\xe2\x80\xaf", "\"\\u0080\xe2\x80\xaf\""},
	{"\xe2\x81\xa7\xd8\x9c", "\"\\u2067\\u061c\""},
	{"\xe2\x80", "\"\\ufffd\\ufffd\""},
	{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
	{" \xc3\xa4\xf0\x9f\x98\x80", "\" \xc3\xa4\xf0\x9f\x98\x80\""},
	{"</script>", "\"</script>\""},
};

static void test_json_string(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(strings); i++) {
		size_t len = strlen(strings[i].json);
		char storage[64];
		struct buf b;

		buf_init(&b, storage, sizeof storage);
		buf_json_string(&b, strings[i].text);
		assert_string_equal(storage, strings[i].json);
		buf_init(&b, storage, len + 1);
		buf_json_string(&b, strings[i].text);
		assert_true(buf_ok(&b));
		buf_init(&b, storage, len);
		buf_json_string(&b, strings[i].text);
		assert_false(buf_ok(&b));
	}
}

static void test_url_part(void **state)
{
	static const struct {
		const char *text, *part;
	} parts[] = {
		{"", ""},
		{"nginx", "nginx"},
		{"AZaz09-._~", "AZaz09-._~"},
		{"a/b c", "a%2Fb%20c"},
		{"../..", "..%2F.."},
		{"?&=#%+*@:", "%3F%26%3D%23%25%2B%2A%40%3A"},
		{"\r\n\x7f", "%0D%0A%7F"},
		{"\xc3\xa4", "%C3%A4"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		char storage[64];
		struct buf b;

		buf_init(&b, storage, sizeof storage);
		buf_url_part(&b, parts[i].text);
		assert_true(buf_ok(&b));
		assert_string_equal(storage, parts[i].part);
	}
}

/* RFC 4648 section 10. */
static void test_base64(void **state)
{
	static const char *const vectors[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xff\xfe\xfd", "//79"},
		{"\xfb\xf0", "+/A="},
		{"user:pass", "dXNlcjpwYXNz"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char storage[32];
		struct buf b;

		buf_init(&b, storage, sizeof storage);
		buf_base64(&b, vectors[i][0], strlen(vectors[i][0]));
		assert_string_equal(storage, vectors[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),      cmocka_unit_test(test_one_byte), cmocka_unit_test(test_fmt),
		cmocka_unit_test(test_json_string), cmocka_unit_test(test_url_part), cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
