#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* after those it needs */
#include <cmocka.h>

#include "base/buf.h"
#include "net/http/url.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A63 A16 A16 A16 "aaaaaaaaaaaaaaa"
#define NAME_253 A63 "." A63 "." A63 "." A16 A16 A16 "aaaaaaaaaaaaa"
#define PATH_255 "/" A63 "/" A63 "/" A63 "/" A63 /* 4 * 64 = 256 less one, see below */

static const struct {
	const char *text;
	enum url_scheme scheme;
	uint16_t port;
	const char *again; /* as url_add_origin() writes it, and the path */
} good[] = {
	{"host", URL_HTTP, 0, "http://host"},
	{"host:8500", URL_HTTP, 0, "http://host:8500"},
	{"host", URL_HTTP, 8500, "http://host:8500"},
	{"host:80", URL_HTTP, 8500, "http://host"},
	{"HTTPS://API.Example.com/client/v4/", URL_HTTP, 0, "https://api.example.com/client/v4"},
	{"https://h:443", URL_HTTP, 0, "https://h"},
	{"https://h:80", URL_HTTP, 0, "https://h:80"},
	{"http://[::1]:8500", URL_HTTP, 0, "http://[::1]:8500"},
	{"[2001:DB8::1]", URL_HTTPS, 0, "https://[2001:db8::1]"},
	{"127.0.0.1:8500", URL_HTTP, 0, "http://127.0.0.1:8500"},
	{"h/a%20b/c", URL_HTTP, 0, "http://h/a%20b/c"},
	{"h/.a/..b/...", URL_HTTP, 0, "http://h/.a/..b/..."},
	{"h///", URL_HTTP, 0, "http://h"},
	{"consul.service.consul.", URL_HTTP, 0, "http://consul.service.consul."},
	{"under_score.example", URL_HTTP, 0, "http://under_score.example"},
	{"unix:///run/consul.sock", URL_HTTP, 8500, "unix:///run/consul.sock"},
	{"h:65535", URL_HTTP, 0, "http://h:65535"},
	{NAME_253, URL_HTTP, 0, "http://" NAME_253},
	{"1.example", URL_HTTP, 0, "http://1.example"},
};

static const char *const bad[] = {
	"",
	"http://",
	"http://:80",
	"https:///path",
	"ftp://h",
	"h:0",
	"h:65536",
	"h:",
	"h:80a",
	"h:+80",
	"h:000080",
	"user@h",
	"http://user:secret@h",
	"h?q",
	"h/p?q",
	"h/p#f",
	"h\r\n",
	"h/\n",
	"h /",
	"h/a b",
	"h/%",
	"h/%2",
	"h/%zz",
	"h/\xc3\xa4",
	"\xc3\xa4.example",
	"-h",
	"a..b",
	".a",
	"::1",
	"[::1",
	"[]",
	"[::1]x",
	"[::1%lo]",
	"[1.2.3.4]",
	"1.2.3",
	"1.2.3.4.5",
	"256.1.1.1",
	"0x7f.0x1",
	"127.1.",
	"127.0.0.1.",
	"a.0x1",
	"2130706433",
	"unix://run/x",
	"unix://",
	A63 "a",
	NAME_253 "a",
	"h" PATH_255 "a",
	"unix:///" A63 A16 A16 "aaaaaaaaaaaa",
	"h/..",
	"h/./a",
	"h/a/%2e%2E/b",
	"h/a%2F../b",
};

static void test_dots(void **state)
{
	static const char *const has[] = {".",      "..",   "/.",    "/..",         "/a/..", "../a",
					  "/a/./b", "/%2e", "/.%2E", "/a%2f..%2Fb", "/..?x", "a/..%2f"};
	static const char *const has_not[] = {"",        "/",       "/a", "/...",        "/a..", "/..a", "/.a/a.",
					      "/a?x=..", "/a?/../", "//", "/%252e%252e", "/%2",  "/%2d."};

	(void)state;
	for (size_t i = 0; i < sizeof has / sizeof has[0]; i++)
		if (!url_has_dots(has[i]))
			fail_msg("%s", has[i]);
	for (size_t i = 0; i < sizeof has_not / sizeof has_not[0]; i++)
		if (url_has_dots(has_not[i]))
			fail_msg("%s", has_not[i]);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char text[1024];
		struct url u = {0};
		struct buf b;
		struct err e = {0};

		if (url_parse(&u, good[i].text, good[i].scheme, good[i].port, &e))
			fail_msg("%s: %s", good[i].text, e.text);
		buf_init(&b, text, sizeof text);
		url_add_origin(&b, &u);
		buf_str(&b, u.path);
		assert_string_equal(text, good[i].again);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct url u = {.port = 7};
		struct err e = {0};

		if (!url_parse(&u, bad[i], URL_HTTP, 0, &e))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_null(strstr(e.text, "secret"));
		assert_int_equal(u.port, 7);
	}
}

static void test_limits(void **state)
{
	struct url u;
	struct err e;

	(void)state;
	assert_int_equal(strlen(NAME_253), NET_HOST_MAX);
	assert_int_equal(strlen(PATH_255), URL_PATH_MAX + 1);
	assert_int_equal(url_parse(&u, "h" PATH_255, URL_HTTP, 0, &e), -1);
	assert_int_equal(url_parse(&u, "h/" A63 "/" A63 "/" A63 "/" A16 A16 A16 "aaaaaaaaaaaaaa", URL_HTTP, 0, &e), 0);
	assert_int_equal(strlen(u.path), URL_PATH_MAX);
	assert_int_equal(url_parse(&u, "unix:///" A63 A16 A16 "aaaaaaaaaaa", URL_HTTP, 0, &e), 0);
	assert_int_equal(strlen(u.socket), URL_SOCKET_MAX);
}

static void test_authority(void **state)
{
	static const char *const cases[][2] = {
		{"http://h:8500/x", "h:8500"},
		{"https://[::1]/x", "[::1]"},
		{"https://[::1]:8501", "[::1]:8501"},
		{"unix:///x", "localhost"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[300];
		struct url u;
		struct buf b;
		struct err e;

		assert_int_equal(url_parse(&u, cases[i][0], URL_HTTP, 0, &e), 0);
		buf_init(&b, text, sizeof text);
		url_add_authority(&b, &u);
		assert_string_equal(text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dots),   cmocka_unit_test(test_good),      cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
