#include "support.h"

#include "net/http/proxy.h"

static const struct {
	const char *no_proxy;
	const char *target;
	bool excluded;
} excluded[] = {
	{"", "https://a.example", false},
	{"*", "https://a.example", true},
	{"x, *", "https://a.example", true},
	{"**", "https://a.example", false},
	{"a.example", "https://a.example", true},
	{"A.Example", "https://a.example", true},
	{".a.example", "https://a.example", true},
	{"example", "https://a.example", true},
	{".example", "https://a.example", true},
	{"example.", "https://a.example", true},
	{"example", "https://a.example.", true},
	{"le", "https://a.example", false},
	{"xample", "https://a.example", false},
	{"b.a.example", "https://a.example", false},
	{"x,y z\ta.example", "https://a.example", true},
	{"a.example:443", "https://a.example", true},
	{"a.example:444", "https://a.example", false},
	{"a.example:444", "https://a.example:444", true},
	{"a.example:x", "https://a.example", false},
	{"127.0.0.1", "https://127.0.0.1:8501", true},
	{"127.0.0.1:8501", "https://127.0.0.1:8501", true},
	{"0.0.1", "https://127.0.0.1", false},
	{".0.1", "https://127.0.0.1", false},
	{"127.0.0.0/8", "https://127.0.0.1", true},
	{"127.0.0.1/32", "https://127.0.0.1", true},
	{"0.0.0.0/0", "https://127.0.0.1", true},
	{"10.0.0.0/8", "https://127.0.0.1", false},
	{"127.0.0.0/33", "https://127.0.0.1", false},
	{"126.0.0.0/7", "https://127.0.0.1", true},
	{"0.0.0.0/0", "https://127.0.0.1", true},
	{"::/0", "https://127.0.0.1", false},
	{"0.0.0.0/0", "https://[fd12::1]", false},
	{"127.0.0.1/", "https://127.0.0.1", false},
	{"fd00::/129", "https://[fd12::1]", false},
	{"127.0.0.0/x", "https://127.0.0.1", false},
	{"127.0.0.0/8", "https://a.example", false},
	{"::1", "https://[::1]", true},
	{"[::1]", "https://[::1]", true},
	{"[::1]:443", "https://[::1]", true},
	{"[::1]:444", "https://[::1]", false},
	{"0:0:0:0:0:0:0:1", "https://[::1]", true},
	{"fd00::/8", "https://[fd12::1]", true},
	{"fd00::/8", "https://[fe12::1]", false},
	{",,,", "https://a.example", false},
	{".", "https://a.example", false},
	{":", "https://a.example", false},
	{"/", "https://a.example", false},
};

static void test_excluded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof excluded / sizeof excluded[0]; i++) {
		struct url u;
		struct err e;

		assert_int_equal(url_parse(&u, excluded[i].target, URL_HTTPS, 0, &e), 0);
		if (proxy_is_excluded(excluded[i].no_proxy, &u) != excluded[i].excluded)
			fail_msg("%s for %s", excluded[i].no_proxy, excluded[i].target);
	}
}

static const struct {
	const char *value;
	const char *host; /* NULL: refused */
	unsigned port;
	const char *auth;
} values[] = {
	{"http://p:3128", "p", 3128, ""},
	{"p:3128", "p", 3128, ""},
	{"HTTP://p", "p", 1080, ""},
	{"http://p:3128/", "p", 3128, ""},
	{"http://[::1]:3128", "::1", 3128, ""},
	{"http://Aladdin:open%20sesame@p:1", "p", 1, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
	{"http://u@p:1", "p", 1, "Basic dTo="},
	{"http://u:@p:1", "p", 1, "Basic dTo="},
	{"u:p%40ss@p:1", "p", 1, "Basic dTpwQHNz"},
	{"u:a@b@p:1", "p", 1, "Basic dTphQGI="},
	{"https://p:3128", NULL, 0, NULL},
	{"socks5://p:1080", NULL, 0, NULL},
	{"socks5h://secret@p:1080", NULL, 0, NULL},
	{"http://", NULL, 0, NULL},
	{"http://secret@", NULL, 0, NULL},
	{"http://u:secret%0d%0a@p:1", NULL, 0, NULL},
	{"http://u:secret%@p:1", NULL, 0, NULL},
	{"http://u:secret@p:99999", NULL, 0, NULL},
	{"http://u:secret@p\r\n", NULL, 0, NULL},
};

static void test_values(void **state)
{
	struct url target;
	struct err e;

	(void)state;
	assert_int_equal(url_parse(&target, "https://a.example", URL_HTTPS, 0, &e), 0);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		const struct proxy_setting setting = {values[i].value, "ALL_PROXY", ""};
		char auth[PROXY_AUTH_MAX];
		struct url proxy;
		bool has;
		int failed = proxy_choose(&setting, &target, &has, &proxy, auth, &e);

		if (failed != (values[i].host ? 0 : -1))
			fail_msg("%s: %d", values[i].value, failed);
		if (failed) {
			assert_int_equal(e.kind, ERR_CONFIG);
			assert_non_null(strstr(e.text, "ALL_PROXY: "));
			assert_null(strstr(e.text, "secret"));
			assert_string_equal(auth, "");
			assert_false(has);
			continue;
		}
		assert_true(has);
		assert_string_equal(proxy.host, values[i].host);
		assert_int_equal(proxy.port, values[i].port);
		assert_string_equal(auth, values[i].auth);
	}
}

static void test_choice(void **state)
{
	static const struct {
		const char *proxy, *no_proxy, *target;
		bool has;
	} cases[] = {
		{"", "", "https://a", false},          {"one", "", "https://a", true},          {"one", "b", "https://a", true},
		{"one", "a", "https://a", false},      {"one", "", "http://a", false},          {"one", "", "unix:///a", false},
		{"socks5://a", "", "http://a", false}, {"socks5://a", "a", "https://a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct proxy_setting setting = {cases[i].proxy, "x", cases[i].no_proxy};
		char auth[PROXY_AUTH_MAX];
		struct url target, proxy;
		struct err e;
		bool has;

		assert_int_equal(url_parse(&target, cases[i].target, URL_HTTPS, 0, &e), 0);
		assert_int_equal(proxy_choose(&setting, &target, &has, &proxy, auth, &e), 0);
		if (has != cases[i].has)
			fail_msg("case %zu", i);
	}
}

/* This machine's own addresses, however they are written: at the proxy they are another machine's. */
static void test_loopback(void **state)
{
	static const struct {
		const char *target;
		bool has;
	} cases[] = {
		{"https://127.0.0.1", false},
		{"https://127.255.255.254:8501", false},
		{"https://[::1]:8501", false},
		{"https://[0:0:0:0:0:0:0:1]", false},
		{"https://[::ffff:127.0.0.1]", false},
		{"https://[::ffff:7f12:3456]", false},
		{"https://localhost", false},
		{"https://LocalHost.:8501", false},
		{"https://consul.localhost", false},
		{"https://a.b.localhost.", false},
		{"https://126.255.255.255", true},
		{"https://128.0.0.1", true},
		{"https://0.0.0.0", true},
		{"https://[::2]", true},
		{"https://[::]", true},
		{"https://[::ffff:128.0.0.1]", true},
		{"https://[::7f00:1]", true},
		{"https://[1::1]", true},
		{"https://xlocalhost", true},
		{"https://localhost.example.com", true},
		{"https://127.0.0.1.example.com", true},
		{"https://localhost4", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct proxy_setting setting = {"http://user:secret@proxy", "x", ""};
		char auth[PROXY_AUTH_MAX];
		struct url target, proxy;
		struct err e = {0};
		bool has;

		CHECK(url_parse(&target, cases[i].target, URL_HTTPS, 0, &e) == 0, "%s", e.text);
		assert_int_equal(proxy_choose(&setting, &target, &has, &proxy, auth, &e), 0);
		CHECK(has == cases[i].has && (*auth != '\0') == has, "%s", cases[i].target);
	}
}

static void test_secret_limit(void **state)
{
	char text[1024], auth[PROXY_AUTH_MAX];
	struct proxy_setting setting = {text, "https_proxy", ""};
	struct url target, proxy;
	struct err e;
	bool has;

	(void)state;
	assert_int_equal(url_parse(&target, "https://a", URL_HTTPS, 0, &e), 0);
	(void)snprintf(text, sizeof text, "http://%0*d@p:1", PROXY_SECRET_MAX - 1, 0);
	assert_int_equal(proxy_choose(&setting, &target, &has, &proxy, auth, &e), 0);
	assert_int_equal(strlen(auth), 6 + (PROXY_SECRET_MAX + 2) / 3 * 4);
	(void)snprintf(text, sizeof text, "http://%0*d@p:1", PROXY_SECRET_MAX, 0);
	assert_int_equal(proxy_choose(&setting, &target, &has, &proxy, auth, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_excluded), cmocka_unit_test(test_values),       cmocka_unit_test(test_choice),
		cmocka_unit_test(test_loopback), cmocka_unit_test(test_secret_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
