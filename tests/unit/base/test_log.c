/* Log lines as they leave: their three forms, their limits, and that no secret is in them. */
#include "support.h"

#include "base/json.h"
#include "base/log.h"

/* One line and what is asked of it. */
struct line {
	enum log_level level;
	const char *message;
	struct log_field fields[4];
	size_t n;
};

static void write_event(void *ctx)
{
	const struct line *line = ctx;

	log_event(line->level, line->message, line->fields, line->n);
}

/* The line, the time taken out. */
static const char *get_line(struct line *line)
{
	static char text[8192];
	const char *all = test_stderr(write_event, line), *z = strchr(all, 'Z');
	const size_t time_len = sizeof "2026-01-01T00:00:00Z" - 1;

	if (!*all)
		return "";
	assert_true(z && z - all >= 19);
	for (const char *p = z - 19; p < z; p++)
		assert_true((*p >= '0' && *p <= '9') || strchr("-T:", *p));
	memcpy(text, all, (size_t)(z - 19 - all));
	strcpy(text + (z - 19 - all), z + 1);
	assert_int_equal(strlen(text) + time_len, strlen(all));
	return text;
}

static struct line two = {
	LOG_WARN,
	"record created",
	{{"name", "www.example.com", 0}, {"ttl", NULL, 60}, {"why", "two words", 0}},
	3,
};

static void test_formats(void **state)
{
	(void)state;
	log_setup(LOG_TEXT, LOG_INFO);
	assert_string_equal(get_line(&two), " warn  record created name=www.example.com ttl=60 why=\"two words\"\n");
	log_setup(LOG_LOGFMT, LOG_INFO);
	assert_string_equal(get_line(&two), "time= level=warn msg=\"record created\" "
					    "name=www.example.com ttl=60 why=\"two words\"\n");
	log_setup(LOG_JSON, LOG_INFO);
	assert_string_equal(get_line(&two), "{\"time\":\"\",\"level\":\"warn\",\"msg\":\"record "
					    "created\",\"name\":\"www.example.com\",\"ttl\":60,\"why\":\"two words\"}\n");
	/* Not a terminal: logfmt. */
	log_setup(LOG_AUTO, LOG_INFO);
	(void)get_line(&two);
}

static void test_quotes(void **state)
{
	static const char *const cases[][2] = {
		{"", "k=\"\""},
		{"plain", "k=plain"},
		{"a=b", "k=\"a=b\""},
		{"say \"so\"", "k=\"say \\\"so\\\"\""},
		{"back\\slash", "k=\"back\\\\slash\""},
		{"line\nbreak", "k=\"line\\u000abreak\""},
		{"\x7f", "k=\"\\u007f\""},
		{"\xc3\xa4", "k=\xc3\xa4"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct line line = {LOG_INFO, "m", {{"k", cases[i][0], 0}}, 1};
		char want[64];

		log_setup(LOG_LOGFMT, LOG_INFO);
		(void)snprintf(want, sizeof want, "time= level=info msg=m %s\n", cases[i][1]);
		assert_string_equal(get_line(&line), want);
		log_setup(LOG_TEXT, LOG_INFO);
		(void)snprintf(want, sizeof want, " info  m %s\n", cases[i][1]);
		assert_string_equal(get_line(&line), want);
	}
}

static void test_levels(void **state)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	(void)state;
	for (int at = LOG_DEBUG; at < LOG_LEVELS; at++) {
		log_setup(LOG_LOGFMT, (enum log_level)at);
		for (int level = LOG_DEBUG; level < LOG_LEVELS; level++) {
			struct line line = {(enum log_level)level, "m", {{0}}, 0};
			const char *text = get_line(&line);

			assert_int_equal(log_is_on((enum log_level)level), level >= at);
			CHECK(level >= at ? strstr(text, names[level]) != NULL : !*text, "%d at %d", level, at);
		}
		assert_string_equal(log_level_names[at], names[at]);
	}
}

static void test_words(void **state)
{
	(void)state;
	for (int i = 0; i < LOG_LEVELS; i++)
		assert_non_null(log_level_names[i]);
	for (int i = 0; i < LOG_FORMATS; i++)
		assert_non_null(log_format_names[i]);
	assert_null(log_level_names[LOG_LEVELS]);
	assert_null(log_format_names[LOG_FORMATS]);
	assert_string_equal(log_format_names[LOG_JSON], "json");
}

/* A field is whole or absent; the line is one line, in every form, up to the last byte. */
static void test_too_long(void **state)
{
	static char text[2 * LOG_LINE_MAX];

	(void)state;
	for (int format = LOG_TEXT; format < LOG_FORMATS; format++) {
		for (size_t len = LOG_LINE_MAX - 120; len < LOG_LINE_MAX + 20; len++) {
			struct line line = {
				LOG_INFO,
				"m",
				{{"a", "1", 0}, {"long", text, 0}, {"z", "9", 0}},
				3,
			};
			struct err e = {0};
			const char *all;
			size_t n;

			memset(text, 'x', len);
			text[len] = '\0';
			log_setup((enum log_format)format, LOG_INFO);
			all = test_stderr(write_event, &line);
			n = strlen(all);
			CHECK(n && n < LOG_LINE_MAX && all[n - 1] == '\n', "%zu of %zu", n, len);
			CHECK(strchr(all, '\n') == all + n - 1, "more than one line");
			CHECK(!strstr(all, "long") || strstr(all, text), "a part of a field");
			CHECK(len < LOG_LINE_MAX || (!strstr(all, "long") && strchr(all, '9')), "%s", all);
			CHECK(format != LOG_JSON || json_parse(all, n, &e) == 0, "%s: %s", e.text, all);
		}
	}
}

static void check_masked(const char *text, const char *masked)
{
	char storage[256];
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	buf_str(&b, text);
	log_mask(&b);
	assert_string_equal(storage, masked);
	assert_int_equal(b.len, strlen(masked));
}

static void test_masking(void **state)
{
	struct line line = {LOG_ERROR, "it said hunter22", {{"error", "no hunter22!", 0}}, 1};

	(void)state;
	assert_int_equal(log_add_secret("abc"), 0); /* too short to hide anything */
	check_masked("abc", "abc");
	assert_int_equal(log_add_secret("hunter22"), 0);
	assert_int_equal(log_add_secret("hunter22"), 0);
	check_masked("", "");
	check_masked("hunter2", "hunter2");
	check_masked("hunter22", "***");
	check_masked("a hunter22", "a ***");
	check_masked("hunter22 z", "*** z");
	check_masked("hunter22hunter22", "******");
	check_masked("a hunter22 b hunter22 c", "a *** b *** c");
	assert_int_equal(log_add_secret("5ec2e700-aaaa-\"bbb"), 0);
	check_masked("x 5ec2e700-aaaa", "x ***"); /* cut off at a limit */
	check_masked("5ec2e700", "***");
	check_masked("5ec2e70", "5ec2e70");
	check_masked("5ec2e700-aaaa-\\\"b", "***");
	check_masked("5ec2e700-aaaa-\\", "***\\");
	for (int format = LOG_TEXT; format < LOG_FORMATS; format++) {
		log_setup((enum log_format)format, LOG_INFO);
		assert_null(strstr(test_stderr(write_event, &line), "hunter"));
	}
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
	assert_int_equal(log_add_secret("abcd"), 0);
	assert_int_equal(log_add_secret("abcdWXYZ"), 0);
	assert_int_equal(log_add_secret("WXYZ1234"), 0);
	assert_int_equal(log_add_secret("0000abcd0000"), 0);
	for (size_t i = 0; i < COUNT(texts); i++) {
		buf_init(&b, storage, sizeof storage);
		buf_str(&b, texts[i]);
		log_mask(&b);
		CHECK(!strpbrk(storage, "bcdWXYZ1234"), "%s: %s", texts[i], storage);
	}
	buf_init(&b, storage, sizeof storage);
	buf_str(&b, "0000abcd0000");
	log_mask(&b);
	assert_null(strchr(storage, '0'));
}

/* Quotes and backslashes of a secret are escaped in the line: it is hidden all the same. */
static void test_masking_escaped(void **state)
{
	struct line line = {LOG_ERROR, "m", {{"error", "said user:pa\"ss\\word!", 0}}, 1};

	(void)state;
	assert_int_equal(log_add_secret("user:pa\"ss\\word"), 0);
	for (int format = LOG_TEXT; format < LOG_FORMATS; format++) {
		const char *text;

		log_setup((enum log_format)format, LOG_INFO);
		text = test_stderr(write_event, &line);
		CHECK(!strstr(text, "user:") && !strstr(text, "word"), "%s", text);
	}
}

/* The last in this file: the list stays full. */
static void test_secrets_limit(void **state)
{
	static char secrets[LOG_SECRETS_MAX][8];
	int refused = 0;

	(void)state;
	log_forget_secrets();
	check_masked("hunter22", "hunter22");
	assert_int_equal(log_add_secret("hunter22"), 0);
	for (int i = 0; i < LOG_SECRETS_MAX; i++) {
		memcpy(secrets[i], "many0", 6);
		secrets[i][4] = (char)('0' + i);
		refused += log_add_secret(secrets[i]) != 0;
	}
	assert_true(refused > 0 && refused < LOG_SECRETS_MAX);
	check_masked("many0", "***");
	assert_int_equal(log_add_secret("hunter22"), 0); /* known: no place needed */
	secrets[0][1] = '\0';                            /* written over with a text too short to be masked */
	check_masked("mmmm hunter22", "mmmm ***");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),         cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_levels),          cmocka_unit_test(test_words),
		cmocka_unit_test(test_too_long),        cmocka_unit_test(test_masking),
		cmocka_unit_test(test_masking_overlap), cmocka_unit_test(test_masking_escaped),
		cmocka_unit_test(test_secrets_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
