#include "support.h"

#include "cloudflare/zones.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct cf_zone_search s;

static int page(const char *zones, const char *info, bool *again, struct err *e)
{
	struct http_sink sink = cf_zone_search_begin(&s, element_buf, rest);
	char body[4096];

	(void)snprintf(body, sizeof body, "{\"result\":[%s],\"success\":true%s}", zones, info);
	if (test_answer(&sink, 200, "", body, 0, e))
		return -1;
	return cf_zone_search_finish(&s, again, e);
}

#define ZONE_AS(id, name, status) "{\"id\":\"" id "\",\"name\":\"" name "\",\"status\":\"" status "\"}"
#define ZONE(id, name) ZONE_AS(id, name, "active")

static const struct {
	const char *name;
	bool is_exact;
	const char *zones;
	const char *id; /* NULL: not found */
	const char *says;
} cases[] = {
	{"www.example.com", false, ZONE("1", "example.com"), "1", NULL},
	{"example.com", false, ZONE("1", "example.com"), "1", NULL},
	{"a.b.example.com", false, ZONE("1", "example.com") "," ZONE("2", "b.example.com"), "2", NULL},
	{"a.b.example.com", false, ZONE("2", "b.example.com") "," ZONE("1", "example.com"), "2", NULL},
	{"www.example.com", false, ZONE("1", "Example.COM"), "1", NULL},
	{"www.example.com", false, ZONE("1", "ample.com"), NULL, "no zone that holds www.example.com"},
	{"www.example.com", false, ZONE("1", "www.example.com.evil.net"), NULL, "among the 1"},
	{"www.example.com", false, "", NULL, "among the 0"},
	{"www.example.com", false, ZONE_AS("1", "example.com", "deleted"), NULL, "no zone"},
	{"www.example.com", false, ZONE_AS("1", "example.com", "deactivated"), NULL, "no zone"},
	{"www.example.com", false, ZONE_AS("1", "example.com", "pending"), "1", NULL},
	{"www.example.com", false, ZONE_AS("1", "example.com", "moved") "," ZONE("2", "com"), "1", NULL},
	{"www.example.com", false, ZONE_AS("1", "www.example.com", "deleted") "," ZONE("2", "example.com"), "2", NULL},
	{"www.example.com", false, ZONE("1", "example.com") "," ZONE("2", "example.com"), NULL, "two zones are named example.com"},
	{"www.example.com", false, ZONE("1", "example.com") "," ZONE("1", "example.com"), "1", NULL},
	{"www.example.com", false, ZONE("1", "example.com") "," ZONE_AS("2", "example.com", "deleted"), "1", NULL},
	/* a longer one makes the doubt go away */
	{"a.www.example.com", false, ZONE("1", "example.com") "," ZONE("2", "example.com") "," ZONE("3", "www.example.com"), "3",
	 NULL},
	{"example.com", true, ZONE("1", "example.com"), "1", NULL},
	/* the filter was not honoured */
	{"example.com", true, ZONE("9", "com") "," ZONE("1", "example.com"), "1", NULL},
	{"b.example.com", true, ZONE("1", "example.com"), NULL, "no zone named b.example.com"},
};

static void test_search(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool again = true;
		struct err e = {0};

		cf_zone_search_init(&s, cases[i].name, cases[i].is_exact);
		CHECK(page(cases[i].zones, "", &again, &e) == (cases[i].id ? 0 : -1), "case %zu: %s", i, e.text);
		if (cases[i].id) {
			assert_false(again);
			assert_string_equal(s.id, cases[i].id);
			continue;
		}
		CHECK(e.kind == ERR_CONFIG && strstr(e.text, cases[i].says), "case %zu: %s", i, e.text);
	}
}

static void test_pages(void **state)
{
	char target[256];
	struct err e = {0};
	bool again = false;
	struct buf b;

	(void)state;
	cf_zone_search_init(&s, "www.example.com", false);
	for (unsigned p = 1; p <= 3; p++) {
		buf_init(&b, target, sizeof target);
		cf_zone_search_target(&b, &s);
		assert_non_null(strstr(target, "/zones?per_page=50&page="));
		assert_int_equal(strtoul(strstr(target, "&page=") + 6, NULL, 10), p);
		assert_int_equal(page(p == 2 ? ZONE("1", "example.com") : ZONE("7", "example.org"),
				      ",\"result_info\":{\"total_pages\":3}", &again, &e),
				 0);
		assert_int_equal(again, p < 3);
	}
	assert_string_equal(s.id, "1");
	assert_int_equal(s.seen_n, 3);
}

static void test_pages_limit(void **state)
{
	struct err e = {0};
	bool again = true;
	int rc = 0;

	(void)state;
	cf_zone_search_init(&s, "www.example.com", false);
	for (unsigned p = 1; p <= CF_ZONE_PAGES_MAX && !rc; p++) {
		rc = page("", ",\"result_info\":{\"total_pages\":1000}", &again, &e);
		assert_int_equal(rc, p == CF_ZONE_PAGES_MAX ? -1 : 0);
	}
	assert_int_equal(e.kind, ERR_LIMIT);
	cf_zone_search_init(&s, "www.example.com", false);
	s.page = CF_ZONE_PAGES_MAX;
	assert_int_equal(page(ZONE("1", "example.com"), ",\"result_info\":{\"total_pages\":100}", &again, &e), 0);
}

static void test_exact_target(void **state)
{
	char target[256];
	struct buf b;

	(void)state;
	buf_init(&b, target, sizeof target);
	cf_zone_search_init(&s, "example.com", true);
	cf_zone_search_target(&b, &s);
	assert_non_null(strstr(target, "&name=example.com"));
}

static void test_bad(void **state)
{
	static const char *const zones[] = {
		"{}",
		"7",
		"null",
		"{\"id\":\"1\",\"name\":\"x\"}",
		"{\"id\":\"1\",\"status\":\"active\"}",
		"{\"name\":\"x\",\"status\":\"active\"}",
		"{\"id\":1,\"name\":\"x\",\"status\":\"active\"}",
		ZONE("123456789012345678901234567890123", "example.com"), /* an id too long */
	};
	struct http_sink sink;
	struct err e = {0};
	bool again;

	(void)state;
	for (size_t i = 0; i < COUNT(zones); i++) {
		cf_zone_search_init(&s, "www.example.com", false);
		CHECK(page(zones[i], "", &again, &e) == -1 && e.kind == ERR_PROTO, "%s", zones[i]);
	}
	sink = cf_zone_search_begin(&s, element_buf, rest);
	assert_int_equal(test_answer(&sink, 200, "", "{\"success\":true,\"result\":{}}", 0, &e), 0);
	assert_int_equal(cf_zone_search_finish(&s, &again, &e), -1);
	assert_int_equal(e.kind, ERR_PROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),       cmocka_unit_test(test_pages), cmocka_unit_test(test_pages_limit),
		cmocka_unit_test(test_exact_target), cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
