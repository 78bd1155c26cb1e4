/* Log lines as they leave: their three forms, their limits, and that no secret is in them. */
#include "support.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"

/* One line and what is asked of it. A text that is NULL has no field. */
struct line {
	enum log_level level;
	const char *message;
	const char *first, *long_one, *error, *z;
};

static void write_event(void *ctx)
{
	const struct line *line = ctx;

	log_event(line->level, line->message, "k=%s long=%s error=%s z=%s", line->first, line->long_one, line->error, line->z);
}

static void write_two(void *none)
{
	log_event(LOG_WARN, "record created", "name=%s ttl=%u none=%s why=%s", "www.example.com", 60u, (const char *)none,
		  "two words");
}

static void write_numbers(void *ctx)
{
	(void)ctx;
	log_event(LOG_INFO, "m", "d=%d u=%u zu=%zu lld=%lld k=%s", -1, 4294967295u, SIZE_MAX / 2, -5000000000LL, "v");
}

/* The line, the time taken out. */
static const char *get_text(void (*write_line)(void *ctx), void *ctx)
{
	static char text[8192];
	const char *all = test_stderr(write_line, ctx), *z = strchr(all, 'Z');
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

static const char *get_line(struct line *line)
{
	return get_text(write_event, line);
}

static void test_formats(void **state)
{
	(void)state;
	log_setup(LOG_TEXT, LOG_INFO);
	assert_string_equal(get_text(write_two, NULL), " warn  record created name=www.example.com ttl=60 why=\"two words\"\n");
	log_setup(LOG_LOGFMT, LOG_INFO);
	assert_string_equal(get_text(write_two, NULL), "time= level=warn msg=\"record created\" "
						       "name=www.example.com ttl=60 why=\"two words\"\n");
	log_setup(LOG_JSON, LOG_INFO);
	assert_string_equal(get_text(write_two, NULL),
			    "{\"time\":\"\",\"level\":\"warn\",\"msg\":\"record "
			    "created\",\"name\":\"www.example.com\",\"ttl\":60,\"why\":\"two words\"}\n");
	/* Not a terminal: logfmt. */
	log_setup(LOG_AUTO, LOG_INFO);
	(void)get_text(write_two, NULL);
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
		struct line line = {LOG_INFO, "m", .first = cases[i][0]};
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
			struct line line = {.level = (enum log_level)level, .message = "m"};
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
		assert_true(*log_level_names[i]);
	for (int i = 0; i < LOG_FORMATS; i++)
		assert_true(*log_format_names[i]);
	assert_string_equal(log_level_names[LOG_LEVELS], "");
	assert_string_equal(log_format_names[LOG_FORMATS], "");
	assert_string_equal(log_format_names[LOG_JSON], "json");
}

static void test_numbers(void **state)
{
	(void)state;
	log_setup(LOG_LOGFMT, LOG_INFO);
	assert_string_equal(get_text(write_numbers, NULL),
			    sizeof(size_t) == 8
				    ? "time= level=info msg=m d=-1 u=4294967295 zu=9223372036854775807 lld=-5000000000 k=v\n"
				    : "time= level=info msg=m d=-1 u=4294967295 zu=2147483647 lld=-5000000000 k=v\n");
}

/* A field is whole or absent; the line is one line, in every form, up to the last byte. */
static void test_too_long(void **state)
{
	static char text[2 * LOG_LINE_MAX];

	(void)state;
	for (int format = LOG_TEXT; format < LOG_FORMATS; format++) {
		for (size_t len = LOG_LINE_MAX - 120; len < LOG_LINE_MAX + 20; len++) {
			struct line line = {
				LOG_INFO, "m", .first = "1", .long_one = text, .z = "9",
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

static void test_masking(void **state)
{
	struct line line = {LOG_ERROR, "m", .error = "no hunter22!", .z = "hunter22"};

	(void)state;
	assert_int_equal(secret_add("hunter22"), 0);
	for (int format = LOG_TEXT; format < LOG_FORMATS; format++) {
		log_setup((enum log_format)format, LOG_INFO);
		assert_null(strstr(test_stderr(write_event, &line), "hunter"));
	}
}

/* Quotes and backslashes of a secret are escaped in the line: it is hidden all the same. */
static void test_masking_escaped(void **state)
{
	struct line line = {LOG_ERROR, "m", .error = "said user:pa\"ss\\word!"};

	(void)state;
	assert_int_equal(secret_add("user:pa\"ss\\word"), 0);
	for (int format = LOG_TEXT; format < LOG_FORMATS; format++) {
		const char *text;

		log_setup((enum log_format)format, LOG_INFO);
		text = test_stderr(write_event, &line);
		CHECK(!strstr(text, "user:") && !strstr(text, "word"), "%s", text);
	}
}

/* A secret that was cut right where the value ends does not take the value's own quote with it. */
static void test_masking_quote(void **state)
{
	struct line line = {LOG_ERROR, "m", .error = "said longword", .z = "9"};
	struct err e = {0};
	const char *text;

	(void)state;
	assert_int_equal(secret_add("longword\",\"z\":\"9\"}"), 0);
	log_setup(LOG_JSON, LOG_INFO);
	text = test_stderr(write_event, &line);
	CHECK(json_parse(text, strlen(text), &e) == 0, "%s: %s", e.text, text);
	assert_non_null(strstr(text, "\"error\":\"said ***\",\"z\":\"9\""));
}

/* What an instance's ID or an answer may hold: no line shows it as it is, and each JSON line is UTF-8. */
static void test_harmful(void **state)
{
	static const char *const cases[][2] = {
		{"a\xc2\x9b"
		 "31mb",
		 "k=\"a\\u009b31mb\""},
		{"a\xe2\x80\xae"
		 "b",
		 "k=\"a\\u202eb\""},
		{"a\xe2\x80\xa8", "k=\"a\\u2028\""},
		{"a\xff"
		 "b",
		 "k=\"a\\ufffdb\""},
		{"a\xc3", "k=\"a\\ufffd\""},
		{"b\xc3\xbc"
		 "cher",
		 "k=b\xc3\xbc"
		 "cher"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct line line = {LOG_INFO, "m", .first = cases[i][0]};

		for (int format = LOG_TEXT; format <= LOG_LOGFMT; format++) {
			log_setup((enum log_format)format, LOG_INFO);
			CHECK(strstr(get_line(&line), cases[i][1]), "%s", get_line(&line));
		}
	}
}

/* Fill a pipe, with what is already in it. */
static void fill(int fd)
{
	char block[4096];

	memset(block, 'x', sizeof block);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, block, sizeof block) > 0)
		;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

/* The last one: from then on lines are dropped. */
static void test_unread(void **state)
{
	char all[1 << 17];
	int fds[2], kept = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	fill(STDERR_FILENO);
	log_setup(LOG_TEXT, LOG_INFO);
	log_drop_unread();
	(void)alarm(10);
	write_two(NULL);
	log_plain("record created");
	n = read(fds[0], all, sizeof all);
	log_plain("record created");
	(void)alarm(0);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	assert_true(n > 0);
	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(all[i], 'x');
	n = read(fds[0], all, sizeof all);
	assert_int_equal(n, strlen("record created\n"));
	assert_memory_equal(all, "record created\n", (size_t)n);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),         cmocka_unit_test(test_quotes),        cmocka_unit_test(test_levels),
		cmocka_unit_test(test_words),           cmocka_unit_test(test_too_long),      cmocka_unit_test(test_masking),
		cmocka_unit_test(test_masking_escaped), cmocka_unit_test(test_masking_quote), cmocka_unit_test(test_harmful),
		cmocka_unit_test(test_unread),          cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
