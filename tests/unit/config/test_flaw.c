/* What a value has that nobody means: found wherever a value comes from, and told by name and byte. */
#include "support.h"

#include "config/conf.h"
#include "config/flaw.h"

#define NBSP "\xc2\xa0"
#define BOM "\xef\xbb\xbf"

static const struct {
	const char *text, *told; /* NULL: nothing is wrong */
} texts[] = {
	{"", NULL},
	{"nginx", NULL},
	{"a b", NULL},
	{"it's", NULL},
	{"a\"b", NULL},
	{"b\xc3\xbc"
	 "cher.example",
	 NULL},
	{"\xe4\xb8\xad\xf0\x9f\x8c\x90", NULL},
	{"\"nginx\"", "byte 1 is a quote (U+0022)"},
	{"nginx\"", "byte 6 is a quote (U+0022)"},
	{"\"", "byte 1 is a quote (U+0022)"},
	{"'nginx'", "byte 1 is a quote (U+0027)"},
	{"`nginx`", "byte 1 is a quote (U+0060)"},
	{"\xe2\x80\x9cnginx\xe2\x80\x9d", "byte 1 is a quote (U+201C)"},
	{"nginx\xe2\x80\x99", "byte 6 is a quote (U+2019)"},
	{"\xe2\x80\x9enginx", "byte 1 is a quote (U+201E)"},
	{"\xc2\xabnginx\xc2\xbb", "byte 1 is a quote (U+00AB)"},
	{" nginx", "byte 1 is white space (U+0020)"},
	{"nginx ", "byte 6 is white space (U+0020)"},
	{"nginx\n", "byte 6 is white space (U+000A)"},
	{"\tnginx", "byte 1 is white space (U+0009)"},
	{"nginx\r", "byte 6 is white space (U+000D)"},
	{" ", "byte 1 is white space (U+0020)"},
	{"a\tb", "byte 2 is a control character (U+0009)"},
	{"a\nb", "byte 2 is a control character (U+000A)"},
	{"a\x7f"
	 "b",
	 "byte 2 is a control character (U+007F)"},
	{"a\x1b[31m", "byte 2 is a control character (U+001B)"},
	{"a\xc2\x85"
	 "b",
	 "byte 2 is a control character (U+0085)"},
	{BOM "nginx", "byte 1 is a byte order mark (U+FEFF)"},
	{"a" BOM, "byte 2 is a byte order mark (U+FEFF)"},
	{NBSP "nginx", "byte 1 is a no-break space (U+00A0)"},
	{"a" NBSP "b", "byte 2 is a no-break space (U+00A0)"},
	{"\xc3\xbc" NBSP, "byte 3 is a no-break space (U+00A0)"},
	{"a\xc2\xad"
	 "b",
	 "byte 2 is an invisible character (U+00AD)"},
	{"a\xf0\x9b\xb2\xa0", "byte 2 is an invisible character (U+1BCA0)"},
	{"a\xf0\x9b\xb2\xa3", "byte 2 is an invisible character (U+1BCA3)"},
	{"a\xf0\x9b\xb2\xa4", NULL},
	{"a\xe2\x80\x8b", "byte 2 is an invisible character (U+200B)"},
	{"\xe2\x80\x8d"
	 "a",
	 "byte 1 is an invisible character (U+200D)"},
	{"a\xe2\x80\xae"
	 "b",
	 "byte 2 is an invisible character (U+202E)"},
	{"a\xe2\x80\xaf"
	 "b",
	 "byte 2 is an invisible character (U+202F)"},
	{"a\xe2\x81\xa0", "byte 2 is an invisible character (U+2060)"},
	{"a\xe3\x80\x80"
	 "b",
	 "byte 2 is an invisible character (U+3000)"},
	{"a\xef\xb8\x8f", "byte 2 is an invisible character (U+FE0F)"},
	{"a\xf3\xa0\x81\x81"
	 "b",
	 "byte 2 is an invisible character (U+E0041)"},
	{"a\xa0"
	 "b",
	 "byte 2 is no UTF-8"},
	{"\x93nginx\x94", "byte 1 is no UTF-8"},
	{"\xff\xfen", "byte 1 is no UTF-8"},
	{"a\xc3", "byte 2 is no UTF-8"},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		char flaw[FLAW_CAP] = "";
		bool has = flaw_find(texts[i].text, false, flaw);

		CHECK(has == (texts[i].told != NULL), "case %zu: %s", i, flaw);
		CHECK(!has || strcmp(flaw, texts[i].told) == 0, "case %zu: %s", i, flaw);
	}
}

/* A password may have a quote at an end; quotes around it were not meant. */
static void test_passwords(void **state)
{
	char flaw[FLAW_CAP];

	(void)state;
	assert_false(flaw_find("user:pass'", true, flaw));
	assert_false(flaw_find("'ser:pass", true, flaw));
	assert_false(flaw_find("\"", true, flaw));
	assert_false(flaw_find("u:a'b'c", true, flaw));
	assert_true(flaw_find("\"user:pass\"", true, flaw));
	assert_string_equal(flaw, "byte 11 is a quote (U+0022)");
	assert_true(flaw_find("user:pass ", true, flaw));
	assert_true(flaw_find("'ser:" NBSP "pass", true, flaw));
}

/* ---- every setting, from each source ---- */

static const struct {
	const char *value, *in_json, *told;
} flawed[] = {
	{"\"ab.c\"", "\\\"ab.c\\\"", "is a quote (U+0022)"},
	{"'ab.c'", "'ab.c'", "is a quote (U+0027)"},
	{"ab.c ", "ab.c ", "byte 5 is white space (U+0020)"},
	{"ab.c\n", "ab.c\\n", "byte 5 is white space (U+000A)"},
	{BOM "ab.c", "\\ufeffab.c", "byte 1 is a byte order mark (U+FEFF)"},
	{"ab" NBSP "c", "ab" NBSP "c", "byte 3 is a no-break space (U+00A0)"},
	{"ab\xe2\x80\x8b"
	 "c",
	 "ab\\u200bc", "byte 3 is an invisible character (U+200B)"},
};

static void refuse(const char *args, const char *env, const char *file, const char *name, const char *told)
{
	struct err e = {0};

	CHECK(conf_read(args, env, file, &e) == -1, "args %s, env %s, file %s", args, env, file ? file : "-");
	CHECK(strstr(e.text, name) && strstr(e.text, told), "\"%s\", \"%s\" are not in: %s", name, told, e.text);
	CHECK(e.kind == (*args ? ERR_USAGE : ERR_CONFIG), "%s: %s", err_kind_name(e.kind), e.text);
}

static void refuse_everywhere(enum setting s, size_t flaw)
{
	static const enum setting wanted[] = {SET_SERVICE, SET_RECORD, SET_API_TOKEN};
	const char *value = flawed[flaw].value;
	char text[512], where[64];

	for (int i = 0; i < SETTING_ENV_MAX && setting(s)->env[i]; i++) {
		(void)snprintf(text, sizeof text, "SERVICE=s|RECORD=r.example.com|%s%s=%s|",
			       s == SET_API_TOKEN ? "" : "CF_API_TOKEN=tok|", setting(s)->env[i], value);
		refuse("", text, NULL, setting(s)->env[i], flawed[flaw].told);
	}
	if (setting(s)->flag) {
		(void)snprintf(text, sizeof text, "--%s=%s|", setting(s)->flag, value);
		refuse(text, "SERVICE=s|RECORD=r.example.com|CF_API_TOKEN=tok|", NULL, setting(s)->flag, flawed[flaw].told);
	}
	if (!setting(s)->key)
		return;
	(void)snprintf(text, sizeof text, "{");
	for (size_t i = 0; i < COUNT(wanted); i++)
		if (wanted[i] != s)
			(void)snprintf(text + strlen(text), sizeof text - strlen(text), "\"%s\":\"r.example.com\",",
				       setting(wanted[i])->key);
	(void)snprintf(text + strlen(text), sizeof text - strlen(text), "\n\"%s\":\"%s\"}", setting(s)->key, flawed[flaw].in_json);
	(void)snprintf(where, sizeof where, ":2, key %s", setting(s)->key);
	refuse("", "DNSBUDDY_CONFIG=%|", text, where, flawed[flaw].told);
}

static void test_everywhere(void **state)
{
	(void)state;
	for (enum setting s = 0; s < SETTINGS; s++)
		for (size_t i = 0; i < COUNT(flawed); i++)
			if (setting(s)->traits.groups & (CONF_RECORDS | GROUP_FILE)) /* of run: test_run_config.c */
				refuse_everywhere(s, i);
	/* In an entry of "records", by argument, by the names that go last. */
	refuse("", "CF_API_TOKEN=tok|DNSBUDDY_CONFIG=%|", "{\"records\":[{\"service\":\"'web'\",\"record\":\"a.b\"}]}",
	       "key service", "byte 1 is a quote");
	refuse("nginx |a.b|", "CF_API_TOKEN=tok|", NULL, "argument SERVICE", "byte 6 is white space");
	refuse("", "CF_API_TOKEN=tok|SERVICE=\"nginx\"|RECORD=a.b|", NULL, "SERVICE in the environment", "byte 1 is a quote");
	refuse("", "CF_API_TOKEN=tok|SERVICE=s|RECORD=a.b|CONSUL_PORT_8500_TCP_ADDR=1.2.3.4 |", NULL, "CONSUL_PORT_8500_TCP_ADDR",
	       "byte 8 is white space");
	/* What the environment puts into a file. */
	refuse("", "CF_API_TOKEN=tok|APP=\"web\"|RECORD=a.b|DNSBUDDY_CONFIG=%|", "{\"service\":\"{{ .APP }}\"}", "key service",
	       "byte 1 is a quote");
}

/* Files of secrets are trimmed, of white space alone. */
static void test_secret_files(void **state)
{
	static const struct {
		const char *bytes, *told;
	} files[] = {
		{BOM "tok\n", "byte 1 is a byte order mark"},
		{"tok" NBSP "\n", "byte 4 is a no-break space"},
		{"\"tok\"\n", "byte 1 is a quote"},
		{"to\nk\n", "byte 3 is a control character"},
	};
	struct err e = {0};

	(void)state;
	assert_int_equal(conf_read("s|a.b|", "CF_API_TOKEN_FILE=%|", " \t\r\ntok\r\n ", &e), 0);
	assert_string_equal(conf.api_token, "tok");
	for (size_t i = 0; i < COUNT(files); i++)
		refuse("", "SERVICE=s|RECORD=a.b|CF_API_TOKEN_FILE=%|", files[i].bytes, "CF_API_TOKEN_FILE", files[i].told);
	refuse("", "SERVICE=s|RECORD=a.b|CF_API_TOKEN_FILE=\n%|", "tok", "CF_API_TOKEN_FILE: ", "byte 1 is white space (U+000A)");
	refuse("", "SERVICE=s|RECORD=a.b|CF_API_TOKEN_FILE=\"/x\"|", NULL, "CF_API_TOKEN_FILE: ", "byte 1 is a quote");
}

/* ---- tokens ---- */

static const struct {
	const char *value, *told; /* told: NULL, it is one */
} tokens[] = {
	{"cfut_Az09-._~+/==", NULL},
	{"abc=", NULL},
	{"Bearer abc", "without Bearer or NAME="},
	{"bearer abc", "without Bearer or NAME="},
	{"Bearer  ", "white space"},
	{"CF_API_TOKEN=abc", "without Bearer or NAME="},
	{"CLOUDFLARE_API_TOKEN=", "without Bearer or NAME="},
	{"X=y", "without Bearer or NAME="},
	{"Authorization: Bearer abc", "byte 14 is none of a token's"},
	{"export A=b", "byte 7 is none of a token's"},
	{"a=b", "byte 3 is none of a token's"},
	{"{\"a\":1}", "byte 1 is none of a token's"},
	{"abc,def", "byte 4 is none of a token's"},
	{"abc...", NULL},
	{"t\xc3\xb6k", "byte 2 is none of a token's"},
};

static void test_tokens(void **state)
{
	static const char *const names[] = {"CF_API_TOKEN", "CF_API_KEY"};

	(void)state;
	for (size_t n = 0; n < COUNT(names); n++)
		for (size_t i = 0; i < COUNT(tokens); i++) {
			struct err e = {0};
			char env[256];
			int rc;

			(void)snprintf(env, sizeof env, "CF_AUTH_EMAIL=a@b.c|%s=%s|", names[n], tokens[i].value);
			rc = conf_read("s|a.b|", env, NULL, &e);
			CHECK((rc == 0) == !tokens[i].told, "%s: %s", env, e.text);
			CHECK(!tokens[i].told || (strstr(e.text, tokens[i].told) && strstr(e.text, names[n])), "%s: %s", env,
			      e.text);
			CHECK(!strstr(e.text, tokens[i].value), "%s", e.text);
		}
}

/* Consul's may be any visible ASCII. */
static void test_consul_token(void **state)
{
	static const char base[] = "CF_API_TOKEN=tok|CONSUL_HTTP_TOKEN=";
	static const char *const bad[] = {"Bearer uuid", "CONSUL_HTTP_TOKEN=uuid", "a b", "t\xc3\xb6k"};
	struct err e = {0};
	char env[256];

	(void)state;
	(void)snprintf(env, sizeof env, "%s%s", base, "a!{}:,=b|");
	CHECK(conf_read("s|a.b|", env, NULL, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < COUNT(bad); i++) {
		(void)snprintf(env, sizeof env, "%s%s|", base, bad[i]);
		CHECK(conf_read("s|a.b|", env, NULL, &e) == -1 && strstr(e.text, "CONSUL_HTTP_TOKEN"), "%s: %s", env, e.text);
		CHECK(!strstr(e.text, bad[i]), "%s", e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),        cmocka_unit_test(test_passwords), cmocka_unit_test(test_everywhere),
		cmocka_unit_test(test_secret_files), cmocka_unit_test(test_tokens),    cmocka_unit_test(test_consul_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
