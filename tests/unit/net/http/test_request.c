/* net/http/listener_request: heads that are sound, heads that are not, each whole and byte by byte. */
#include "support.h"

#include "edge.h"
#include "net/http/listener_request.h"

#define HOST "\r\nHost: x\r\n\r\n"

struct outcome {
	const char *text;
	int status;       /* 200: sound */
	const char *path; /* with 200 */
	bool is_head;
};

static const struct outcome outcomes[] = {
	{"GET / HTTP/1.1" HOST, 200, "/", false},
	{"HEAD /metrics HTTP/1.1" HOST, 200, "/metrics", true},
	{"GET /health?a=b?c HTTP/1.1" HOST, 200, "/health", false},
	{"GET /? HTTP/1.1" HOST, 200, "/", false},
	{"GET /%2e HTTP/1.1" HOST, 200, "/%2e", false},
	{"GET http://a.example/x?y HTTP/1.1" HOST, 200, "/x", false},
	{"GET HTTP://a.example HTTP/1.1" HOST, 200, "/", false},
	{"GET http://a.example?y HTTP/1.1" HOST, 200, "/", false},
	{"GET / HTTP/1.0\r\n\r\n", 200, "/", false},
	{"GET / HTTP/1.9\r\nhOsT:\r\nA:\tb \r\n\r\n", 200, "/", false},
	{"GET / HTTP/1.1\r\nHostess: y" HOST, 200, "/", false},
	{"GET / HTTP/1.1\r\nContent-Length: 5" HOST "hello", 200, "/", false},
	/* behind the head everything goes */
	{"GET / HTTP/1.1" HOST "\x16\x03\x01\n", 200, "/", false},

	{"GET / HTTP/1.1\r\n\r\n", 400, NULL, false},
	{"GET / HTTP/1.1\r\nHost: a" HOST, 400, NULL, false},
	{"GET /\r\n\r\n", 400, NULL, false},
	{"GET  / HTTP/1.1" HOST, 400, NULL, false},
	{"GET /a\tb HTTP/1.1" HOST, 400, NULL, false},
	{"GET /?a\tb HTTP/1.1" HOST, 400, NULL, false},
	{"GET / HTTP/1.1 " HOST, 400, NULL, false},
	{"GET / x HTTP/1.1" HOST, 400, NULL, false},
	{"GET / http/1.1" HOST, 400, NULL, false},
	{"GET / HTTP/11" HOST, 400, NULL, false},
	{"GET / HTTP/x.1" HOST, 400, NULL, false},
	{" / HTTP/1.1" HOST, 400, NULL, false},
	{"G(T / HTTP/1.1" HOST, 400, NULL, false},
	{"GET health HTTP/1.1" HOST, 400, NULL, false},
	{"GET * HTTP/1.1" HOST, 400, NULL, false},
	{"GET ftp://a/ HTTP/1.1" HOST, 400, NULL, false},
	{"GET http:///x HTTP/1.1" HOST, 400, NULL, false},
	{"GET / HTTP/1.1\r\nno field" HOST, 400, NULL, false},
	{"GET / HTTP/1.1\r\n: y" HOST, 400, NULL, false},
	{"GET / HTTP/1.1\r\nA : y" HOST, 400, NULL, false},
	{"GET / HTTP/1.1\r\nA: y\r\n folded" HOST, 400, NULL, false},
	{"\r\nGET / HTTP/1.1" HOST, 400, NULL, false},
	{"GET / HTTP/1.1\nHost: x\n\n", 400, NULL, false},
	{"GET / HTTP/1.1\r\nHost: x\rY\r\n\r\n", 400, NULL, false},
	{"GET / HTTP/1.1\r\nHost: \x01" HOST, 400, NULL, false},
	{"GET /\x7f HTTP/1.1" HOST, 400, NULL, false},
	{"\x16\x03\x01\x02", 400, NULL, false},

	{"POST / HTTP/1.1" HOST, 405, NULL, false},
	{"get / HTTP/1.1" HOST, 405, NULL, false},
	{"OPTIONS * HTTP/1.1" HOST, 405, NULL, false},
	{"CONNECT a:1 HTTP/1.1" HOST, 405, NULL, false},
	{"PRI * HTTP/2.0\r\n\r\n", 505, NULL, false},
	{"HEAD / HTTP/3.0" HOST, 505, NULL, true},
};

/* A writable copy that ends where memory does. */
static char *copy(const char *text, size_t n)
{
	return (char *)(uintptr_t)edge_copy(text, n);
}

static void check(const struct outcome *c, enum request_result got, const struct request *r)
{
	CHECK(got == (c->status == 200 ? REQUEST_DONE : REQUEST_BAD), "%s: %d", c->text, got);
	CHECK(r->is_head == c->is_head, "%s: head %d", c->text, r->is_head);
	if (c->status == 200)
		assert_string_equal(r->path, c->path);
	else
		CHECK(r->status == c->status, "%s: %d, not %d", c->text, r->status, c->status);
}

static void test_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		const struct outcome *c = &outcomes[i];
		struct request r = {.is_head = true};
		size_t n = strlen(c->text);

		check(c, request_read(copy(c->text, n), n, &r), &r);
	}
}

static void test_query(void **state)
{
	static const struct {
		const char *text, *query;
	} cases[] = {
		{"GET / HTTP/1.1" HOST, ""},
		{"GET /? HTTP/1.1" HOST, ""},
		{"GET /x?a=b?c%20&d HTTP/1.1" HOST, "a=b?c%20&d"},
		{"GET http://a.example HTTP/1.1" HOST, ""},
		{"GET http://a.example?y/z HTTP/1.1" HOST, "y/z"},
		{"GET http://a.example/x?y HTTP/1.1" HOST, "y"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = strlen(cases[i].text);
		struct request r = {0};

		assert_int_equal(request_read(copy(cases[i].text, n), n, &r), REQUEST_DONE);
		assert_string_equal(r.query, cases[i].query);
	}
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		const struct outcome *c = &outcomes[i];
		enum request_result got = REQUEST_MORE;
		struct request r = {0};

		for (size_t n = 0; got == REQUEST_MORE && n <= strlen(c->text); n++)
			got = request_read(copy(c->text, n), n, &r);
		check(c, got, &r);
	}
}

static void test_nul(void **state)
{
	static const char text[] = "GET /\0x HTTP/1.1" HOST;
	struct request r;

	(void)state;
	assert_int_equal(request_read(copy(text, sizeof text - 1), sizeof text - 1, &r), REQUEST_BAD);
	assert_int_equal(r.status, 400);
}

/* A head of exactly n bytes: padding stands in the target, or in a field. */
static size_t make_long(char *out, size_t n, bool in_target)
{
	static const char *const starts[] = {"GET / HTTP/1.1\r\nHost: x\r\nA: ", "GET /"};
	static const char *const ends[] = {"\r\n\r\n", " HTTP/1.1" HOST};
	const char *start = starts[in_target], *end = ends[in_target];

	memset(out, 'a', n);
	memcpy(out, start, strlen(start));
	memcpy(out + n - strlen(end), end, strlen(end));
	return n;
}

static void test_limit(void **state)
{
	char text[REQUEST_MAX + 1];
	struct request r;

	(void)state;
	for (int in_target = 0; in_target < 2; in_target++) {
		(void)make_long(text, REQUEST_MAX, in_target);
		assert_int_equal(request_read(copy(text, REQUEST_MAX), REQUEST_MAX, &r), REQUEST_DONE);
		(void)make_long(text, REQUEST_MAX + 1, in_target);
		assert_int_equal(request_read(copy(text, REQUEST_MAX - 1), REQUEST_MAX - 1, &r), REQUEST_MORE);
		assert_int_equal(request_read(copy(text, REQUEST_MAX), REQUEST_MAX, &r), REQUEST_BAD);
		assert_int_equal(r.status, 431);
	}
	memset(text, 'a', sizeof text);
	memcpy(text, "GET /", 5);
	assert_int_equal(request_read(copy(text, REQUEST_MAX), REQUEST_MAX, &r), REQUEST_BAD);
	assert_int_equal(r.status, 414);
}

static void test_noise(void **state)
{
	static const char alphabet[] = "GEHTAD /?:.*\r\n\t1x\x80http://HTTP/1.1";
	uint32_t seed = 20260811;
	char text[64];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		size_t n = test_random_below(&seed, sizeof text);
		struct request r = {0};
		enum request_result got;

		for (size_t k = 0; k < n; k++)
			text[k] = alphabet[test_random_below(&seed, sizeof alphabet)];
		got = request_read(copy(text, n), n, &r);
		assert_true(got != REQUEST_DONE || r.path[0] == '/');
		assert_true(got != REQUEST_BAD || (r.status >= 400 && r.status <= 505));
	}
}

/* ---- whom it is for ---- */

static bool is_for_us(const char *host, const char *names)
{
	char text[1024];
	struct request r = {0};

	(void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	assert_int_equal(request_read(text, strlen(text), &r), REQUEST_DONE);
	return request_is_for_us(&r, names);
}

static void test_hosts(void **state)
{
	static const char names[] = "Dns.Example.com, other.example.,,a.b", *const ours[] = {
										    "127.0.0.1",
										    "10.1.2.3:8080",
										    "[::1]",
										    "[::1]:8080",
										    "[2001:DB8::7]:80",
										    "localhost",
										    "LOCALHOST:1",
										    "localhost.",
										    "dnsbuddy",
										    "dns_buddy-1:8080",
										    "dnsbuddy.:8080",
										    "x:",
										    "",
										    "\t",
										    "dns.example.com",
										    "DNS.EXAMPLE.COM.:9",
										    "other.example",
										    " a.b \t",
										    "1234",
									    };
	static const char *const others[] = {
		"evil.example",
		"evil.example:8080",
		"evil.dns.example.com",
		"xdns.example.com",
		"dns.example.comx",
		"dns.example",
		"example.com",
		"localhost.evil.example",
		"127.0.0.1.evil.example",
		"127.1",
		"1.2.3.4.5",
		"0x7f.1",
		"::1",
		"[::1",
		"::1]",
		"[evil.example]",
		"[]",
		"[127.0.0.1]",
		"[::1]evil.example",
		"[::1]:8080x",
		"[::1].evil.example",
		"localhost:x",
		"localhost:80.evil.example",
		"localhost:80:90",
		"a@localhost",
		"local host",
		"ev\xc2\xadil",
		".",
		"..",
		":80",
		"evil.example,localhost",
		",",
		"a.b,",
		"x.localhost",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ours); i++)
		CHECK(is_for_us(ours[i], names), "\"%s\" is ours", ours[i]);
	for (size_t i = 0; i < COUNT(others); i++)
		CHECK(!is_for_us(others[i], names), "\"%s\" is not ours", others[i]);
	assert_false(is_for_us("dns.example.com", ""));
}

/* Longer than any name that is listed could be; and a target that names the host goes before the field. */
static void test_host_forms(void **state)
{
	static const struct {
		const char *text;
		bool is_ours;
	} cases[] = {
		{"GET / HTTP/1.0\r\n\r\n", true},
		{"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", false},
		{"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", true},
		{"GET http://evil.example?/ HTTP/1.0\r\n\r\n", false},
		{"GET http://localhost@evil.example/ HTTP/1.0\r\n\r\n", false},
		{"GET http://[::1]:80/ HTTP/1.0\r\n\r\n", true},
		{"GET / HTTP/1.0\r\nHOST:evil.example\r\n\r\n", false},
	};
	char text[600], long_name[561];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request r = {0};

		strcpy(text, cases[i].text);
		assert_int_equal(request_read(text, strlen(text), &r), REQUEST_DONE);
		CHECK(request_is_for_us(&r, "") == cases[i].is_ours, "%s", cases[i].text);
	}
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	assert_false(is_for_us(long_name, ""));
	long_name[500] = '\0';
	assert_true(is_for_us(long_name, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts), cmocka_unit_test(test_host_forms),   cmocka_unit_test(test_whole),
		cmocka_unit_test(test_query), cmocka_unit_test(test_byte_by_byte), cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limit), cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
