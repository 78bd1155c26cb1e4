/* Which zone holds a name: what is asked for, and which of the answers counts. */
#include "support.h"

#include "cloudflare/zones.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct cf_zone_search s;

/* An id: a hexadecimal digit and 31 zeros. */
#define ID(digit) digit "0000000000000000000000000000000"
#define ZONE_AS(id, name, status) "{\"id\":\"" ID(id) "\",\"name\":\"" name "\",\"status\":\"" status "\"}"
#define ZONE(id, name) ZONE_AS(id, name, "active")

/* The answer to whatever is asked for. */
static int page_as(int status, const char *zones, const char *info, bool *again, struct err *e)
{
	struct http_sink sink = cf_zone_search_begin(&s, element_buf, rest);
	char body[4096];

	(void)snprintf(body, sizeof body, "{\"result\":[%s],\"success\":%s%s}", zones, status == 200 ? "true" : "false", info);
	if (test_answer(&sink, status, "", body, 0, e))
		return -1;
	return cf_zone_search_finish(&s, again, e);
}

static int page(const char *zones, const char *info, bool *again, struct err *e)
{
	return page_as(200, zones, info, again, e);
}

/* What the request asks for: "name", or "*" without a filter. */
static const char *asked(void)
{
	static const char start[] = "/zones?per_page=50&page=", key[] = "&name=";
	static char target[512];
	struct buf b;

	buf_init(&b, target, sizeof target);
	cf_zone_search_target(&b, &s);
	assert_true(buf_ok(&b) && strncmp(target, start, sizeof start - 1) == 0);
	assert_int_equal(strtoul(target + sizeof start - 1, NULL, 10), s.page);
	return strstr(target, key) ? strstr(target, key) + sizeof key - 1 : "*";
}

/* The first answer lists zones, whatever was asked for: filters are not taken on trust. */
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
	{"www.example.com", false, ZONE("1", "example.com."), "1", NULL},
	{"www.example.com", false, ZONE("1", "ample.com"), NULL, "no zone that holds www.example.com"},
	{"www.example.com", false, ZONE("1", "www.example.com.evil.net"), NULL, "no zone that holds"},
	{"www.example.com", false, "", NULL, "Zone:Read"},
	/* in Unicode, and somebody else's that nobody can read */
	{"www.xn--bcher-kva.example", false, ZONE("1", "b\u00fccher.example"), "1", NULL},
	{"www.xn--bcher-kva.example", false, ZONE("1", "B\u00dcCHER.example"), "1", NULL},
	{"www.xn--bcher-kva.example", false, ZONE("1", "b\\u00fccher.example"), "1", NULL},
	{"www.xn--bcher-kva.example", false, ZONE("1", "xn--bcher-kva.example"), "1", NULL},
	{"www.xn--bcher-kva.example", false, ZONE("1", "bucher.example"), NULL, "no zone"},
	{"xn--bcher-kva.example", true, ZONE("1", "b\u00fccher.example"), "1", NULL},
	{"www.example.com", false, ZONE("2", "\U0001f4a9.example") "," ZONE("1", "example.com"), "1", NULL},
	{"www.xn--ls8h.example", false, ZONE("1", "\U0001f4a9.example"), "1", NULL},
	/* what is of no use, by name */
	{"www.example.com", false, ZONE_AS("1", "example.com", "deleted"), NULL,
	 "the zone example.com is of no use, it is deleted"},
	{"www.example.com", false, ZONE_AS("1", "example.com", "deactivated"), NULL, "example.com is of no use, it is deactivated"},
	{"www.example.com", false, ZONE_AS("1", "example.com", "read only"), NULL, "it is read only"},
	{"example.com", true, ZONE_AS("1", "example.com", "deleted"), NULL, "it is deleted"},
	{"www.example.com", false, ZONE_AS("1", "example.org", "deleted"), NULL, "no zone that holds"},
	{"www.example.com", false, ZONE_AS("1", "www.example.com", "deleted") "," ZONE("2", "example.com"), "2", NULL},
	{"www.example.com", false, ZONE("2", "example.com") "," ZONE_AS("1", "www.example.com", "deleted"), "2", NULL},
	/* what is not served yet */
	{"www.example.com", false, ZONE_AS("1", "example.com", "pending"), "1", NULL},
	{"www.example.com", false, ZONE_AS("1", "example.com", "initializing"), "1", NULL},
	{"www.example.com", false, ZONE_AS("1", "example.com", "moved"), "1", NULL},
	{"www.example.com", false, ZONE_AS("1", "www.example.com", "pending") "," ZONE("2", "example.com"), "2", NULL},
	{"www.example.com", false, ZONE("2", "example.com") "," ZONE_AS("1", "www.example.com", "moved"), "2", NULL},
	{"www.example.com", false, ZONE_AS("1", "example.com", "pending") "," ZONE_AS("2", "www.example.com", "moved"), "2", NULL},
	{"www.example.com", false, ZONE_AS("1", "example.com", "deleted") "," ZONE_AS("2", "example.com", "moved"), "2", NULL},
	/* two of one name */
	{"www.example.com", false, ZONE("1", "example.com") "," ZONE("2", "example.com"), NULL, "two zones are named example.com"},
	{"www.example.com", false, ZONE("1", "example.com") "," ZONE("1", "example.com"), "1", NULL},
	{"www.example.com", false, ZONE("1", "example.com") "," ZONE_AS("2", "example.com", "deleted"), "1", NULL},
	{"www.example.com", false, ZONE_AS("2", "example.com", "pending") "," ZONE("1", "example.com"), "1", NULL},
	{"www.example.com", false, ZONE_AS("2", "example.com", "pending") "," ZONE_AS("1", "example.com", "moved"), NULL,
	 "two zones"},
	{"www.example.com", false, ZONE_AS("2", "example.com", "deleted") "," ZONE_AS("1", "example.com", "deleted"), NULL,
	 "it is deleted"},
	/* a longer one makes the doubt go away */
	{"a.www.example.com", false, ZONE("1", "example.com") "," ZONE("2", "example.com") "," ZONE("3", "www.example.com"), "3",
	 NULL},
	{"example.com", true, ZONE("1", "example.com"), "1", NULL},
	{"example.com", true, ZONE("9", "com") "," ZONE("1", "example.com"), "1", NULL},
	{"b.example.com", true, ZONE("1", "example.com"), NULL, "no zone named b.example.com"},
};

static void test_search(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *zones = cases[i].zones;
		struct err e = {0};
		bool again = true;
		int rc = 0;

		cf_zone_search_init(&s, cases[i].name, cases[i].is_exact);
		for (; again && !rc; zones = "")
			rc = page(zones, "", &again, &e);
		CHECK(rc == (cases[i].id ? 0 : -1), "case %zu: %s", i, e.text);
		if (cases[i].id)
			CHECK(s.id[0] == cases[i].id[0], "case %zu: %s", i, s.id);
		else
			CHECK(e.kind == ERR_CONFIG && strstr(e.text, cases[i].says), "case %zu: %s", i, e.text);
	}
}

static void test_status_is_told(void **state)
{
	struct err e = {0};
	bool again;

	(void)state;
	cf_zone_search_init(&s, "example.com", true);
	assert_int_equal(page(ZONE_AS("1", "example.com", "moved"), "", &again, &e), 0);
	assert_true(s.has_found && !s.is_served);
	assert_string_equal(s.status, "moved");
	cf_zone_search_init(&s, "example.com", true);
	assert_int_equal(page(ZONE("1", "example.com"), "", &again, &e), 0);
	assert_true(s.has_found && s.is_served);
}

/* What is asked for, one after the other, of an API that has more than a page of zones, the last of them this one. */
static const struct {
	const char *name;
	bool is_exact;
	const char *zone, *status;
	const char *asked; /* "*": the first page without a name; "*2": the second */
} orders[] = {
	{"example.com", false, "example.com", "active", "* example.com"},
	{"a.b.example.com", false, "example.com", "active", "* a.b.example.com b.example.com example.com"},
	{"a.b.example.com", false, "b.example.com", "active", "* a.b.example.com b.example.com"},
	/* a served one may come further up */
	{"a.b.example.com", false, "b.example.com", "pending", "* a.b.example.com b.example.com example.com"},
	{"a.b.example.com", false, "b.example.com", "deleted", "* a.b.example.com b.example.com example.com"},
	/* never a top level domain, never the asterisk */
	{"a.example.com", false, "", "", "* a.example.com example.com"},
	{"*.example.com", false, "example.com", "active", "* example.com"},
	{"*.a.example.com", false, "example.com", "active", "* a.example.com example.com"},
	{"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27.28.example.com", false, "example.com", "active",
	 "* 21.22.23.24.25.26.27.28.example.com 22.23.24.25.26.27.28.example.com 23.24.25.26.27.28.example.com "
	 "24.25.26.27.28.example.com 25.26.27.28.example.com 26.27.28.example.com 27.28.example.com 28.example.com example.com"},
	{"example.com", true, "", "", "example.com"},
	{"com", true, "com", "active", "com"},
	/* in Unicode there, which the filter does not match: all are listed, last */
	{"www.xn--bcher-kva.example", false, "b\u00fccher.example", "active",
	 "* www.xn--bcher-kva.example xn--bcher-kva.example *2"},
	{"www.xn--bcher-kva.example", false, "xn--bcher-kva.example", "active",
	 "* www.xn--bcher-kva.example xn--bcher-kva.example"},
	{"xn--bcher-kva.example", true, "b\u00fccher.example", "active", "xn--bcher-kva.example * *2"},
	{"xn--bcher-kva.example", true, "xn--bcher-kva.example", "active", "xn--bcher-kva.example"},
	{"xn--bcher-kva.example", true, "", "", "xn--bcher-kva.example * *2"},
};

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++) {
		char all[1024] = "", zone[256];
		struct err e = {0};
		bool again = true;
		int rc = 0;

		cf_zone_search_init(&s, orders[i].name, orders[i].is_exact);
		(void)snprintf(zone, sizeof zone, ZONE_AS("1", "%s", "%s"), orders[i].zone, orders[i].status);
		while (again && !rc) {
			const char *name = asked();
			bool is_all = *name == '*', is_there = is_all ? s.page == 2 : strcmp(name, orders[i].zone) == 0;

			(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s%s", all[0] ? " " : "", name,
				       is_all && s.page > 1 ? "2" : "");
			rc = page(is_there ? zone
				  : is_all ? ZONE("7", "example.org")
					   : "",
				  is_all ? ",\"result_info\":{\"total_pages\":2}" : ",\"result_info\":{\"total_pages\":1}", &again,
				  &e);
		}
		CHECK(strcmp(all, orders[i].asked) == 0, "%s: %s", orders[i].name, all);
		CHECK(!rc == s.has_found && (rc || s.id[0] == '1'), "%s: %s", orders[i].name, e.text);
	}
}

/* One page is all there is: nothing else is asked. */
static void test_first_look(void **state)
{
	static const char info[] = ",\"result_info\":{\"total_pages\":1}", more[] = ",\"result_info\":{\"total_pages\":2}";
	struct err e = {0};
	bool again = true;

	(void)state;
	cf_zone_search_init(&s, "a.xn--bcher-kva.example", false);
	assert_int_equal(page(ZONE("1", "b\u00fccher.example"), info, &again, &e), 0);
	assert_false(again);
	cf_zone_search_init(&s, "a.example.com", false);
	assert_int_equal(page(ZONE("7", "example.org"), info, &again, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	cf_zone_search_init(&s, "a.example.com", false);
	assert_int_equal(page("", ",\"result_info\":{\"total_pages\":0}", &again, &e), -1);
	/* It does not tell how many there are. */
	cf_zone_search_init(&s, "a.example.com", false);
	assert_int_equal(page(ZONE("7", "example.org"), "", &again, &e), 0);
	assert_string_equal(asked(), "a.example.com");
	/* More, and one of those seen fits: only a longer one is asked for. */
	cf_zone_search_init(&s, "a.b.example.com", false);
	assert_int_equal(page(ZONE("1", "example.com"), more, &again, &e), 0);
	assert_string_equal(asked(), "a.b.example.com");
	assert_int_equal(page("", info, &again, &e), 0);
	assert_string_equal(asked(), "b.example.com");
	assert_int_equal(page("", info, &again, &e), 0);
	assert_false(again);
	assert_string_equal(s.id, ID("1"));
	cf_zone_search_init(&s, "b.example.com", false);
	assert_int_equal(page(ZONE("1", "b.example.com"), more, &again, &e), 0);
	assert_false(again);
}

/* Does the zone of an id hold the name? */
static void test_check(void **state)
{
	static const struct {
		int status;
		const char *result;
		int rc;
		bool has_found;
		enum err_kind kind;
	} checks[] = {
		{200, ZONE("1", "example.com"), 0, true, ERR_NONE},
		{200, ZONE("1", "www.Example.com"), 0, true, ERR_NONE},
		{200, ZONE("1", "other.net"), -1, false, ERR_CONFIG},
		{200, ZONE("1", "ample.com"), -1, false, ERR_CONFIG},
		{200, ZONE("1", "b.www.example.com"), -1, false, ERR_CONFIG},
		/* nobody may know, or can read it */
		{403, "null", 0, false, ERR_NONE},
		{401, "null", 0, false, ERR_NONE},
		{400, "null", 0, false, ERR_NONE},
		{200, "{}", 0, false, ERR_NONE},
		{200, ZONE("1", "\xff.example"), 0, false, ERR_NONE},
		{200, ZONE("1", "\U0001f4a9.example"), -1, false, ERR_CONFIG},
		/* later */
		{500, "null", -1, false, ERR_RETRY},
		{429, "null", -1, false, ERR_BUSY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++) {
		char body[512], target[256];
		struct err e = {0};
		bool again = true;
		struct http_sink sink;
		struct buf b;
		int rc;

		cf_zone_check_init(&s, "www.example.com", ID("1"));
		buf_init(&b, target, sizeof target);
		cf_zone_search_target(&b, &s);
		assert_string_equal(target, "/zones/" ID("1"));
		sink = cf_zone_search_begin(&s, element_buf, rest);
		(void)snprintf(body, sizeof body, "{\"result\":%s,\"success\":%s}", checks[i].result,
			       checks[i].status == 200 ? "true" : "false");
		rc = test_answer(&sink, checks[i].status, "", body, 0, &e) ? -1 : cf_zone_search_finish(&s, &again, &e);
		CHECK(rc == checks[i].rc && s.has_found == checks[i].has_found && !again, "case %zu: %d %s", i, rc, e.text);
		CHECK(!rc || e.kind == checks[i].kind, "case %zu: %s", i, e.text);
	}
}

/* A name that the API does not take for a zone's is none; but when it takes no name at all, it says why. */
static void test_refused(void **state)
{
	static const char why[] = ",\"errors\":[{\"code\":1234,\"message\":\"no name\"}]";
	struct err e = {0};
	bool again = false;

	(void)state;
	cf_zone_search_init(&s, "_x.example.com", false);
	assert_int_equal(page_as(400, "", why, &again, &e), 0);
	assert_string_equal(asked(), "_x.example.com");
	assert_int_equal(page_as(400, "", why, &again, &e), 0);
	assert_true(again);
	assert_string_equal(asked(), "example.com");
	assert_int_equal(page_as(400, "", why, &again, &e), -1);
	assert_int_equal(e.kind, ERR_REFUSED);
	/* The zone was seen before: that it is not asked for once more is no fault. */
	cf_zone_search_init(&s, "_x.example.com", false);
	assert_int_equal(page(ZONE("1", "example.com"), ",\"result_info\":{\"total_pages\":2}", &again, &e), 0);
	assert_true(again);
	assert_string_equal(asked(), "_x.example.com");
	assert_int_equal(page_as(400, "", why, &again, &e), 0);
	assert_false(again);
	assert_string_equal(s.zone, "example.com");
	cf_zone_search_init(&s, "_x.example.com", false);
	assert_int_equal(page_as(403, "", why, &again, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
}

static void test_pages(void **state)
{
	static const char info[] = ",\"result_info\":{\"total_pages\":3}";
	struct err e = {0};
	bool again = false;

	(void)state;
	cf_zone_search_init(&s, "example.com", true);
	for (unsigned p = 1; p <= 3; p++) {
		assert_string_equal(asked(), "example.com");
		assert_int_equal(s.page, p);
		assert_int_equal(page(p == 2 ? ZONE("1", "example.com") : ZONE("7", "example.org"), info, &again, &e), 0);
		assert_int_equal(again, p < 3);
	}
	assert_string_equal(s.id, ID("1"));
	/* The next name begins anew. */
	cf_zone_search_init(&s, "www.example.com", false);
	assert_int_equal(page("", info, &again, &e), 0);
	for (unsigned p = 1; p <= 3; p++)
		assert_int_equal(page("", info, &again, &e), 0);
	assert_string_equal(asked(), "example.com");
	assert_int_equal(s.page, 1);
}

static void test_pages_limit(void **state)
{
	struct err e = {0};
	bool again = true;
	int rc = 0;

	(void)state;
	cf_zone_search_init(&s, "example.com", true);
	for (unsigned p = 1; p <= CF_ZONE_PAGES_MAX && !rc; p++) {
		rc = page("", ",\"result_info\":{\"total_pages\":1000}", &again, &e);
		assert_int_equal(rc, p == CF_ZONE_PAGES_MAX ? -1 : 0);
	}
	assert_int_equal(e.kind, ERR_LIMIT);
	cf_zone_search_init(&s, "example.com", true);
	s.page = CF_ZONE_PAGES_MAX;
	assert_int_equal(page(ZONE("1", "example.com"), ",\"result_info\":{\"total_pages\":100}", &again, &e), 0);
}

static void test_bad(void **state)
{
	static const char *const zones[] = {
		"{}",
		"7",
		"null",
		"{\"id\":\"" ID("1") "\",\"name\":\"x\"}",
		"{\"id\":\"" ID("1") "\",\"status\":\"active\"}",
		"{\"name\":\"x\",\"status\":\"active\"}",
		"{\"id\":1,\"name\":\"x\",\"status\":\"active\"}",
		/* ids that are none: of 31, of 33, and what would lead elsewhere */
		ZONE("", "example.com"),
		ZONE("12", "example.com"),
		ZONE("g", "example.com"),
		ZONE("/", "example.com"),
		ZONE(".", "example.com"),
		"{\"id\":\"..\",\"name\":\"example.com\",\"status\":\"active\"}",
		"{\"id\":\"\",\"name\":\"example.com\",\"status\":\"active\"}",
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

/* ---- the book ---- */

static struct cf_zone_book book;

static void search(const char *name, bool is_exact)
{
	cf_zone_search_init(&s, name, is_exact);
	s.book = &book;
	s.names_n = CF_BOOK_ZONES_MAX;
}

/* An account of n zones: example.com first, sub.example.com last, between them z2.net, z3.net...; answers what is asked. */
static int answer_account(unsigned n, bool *again, struct err *e)
{
	static char body[65536];
	struct http_sink sink = cf_zone_search_begin(&s, element_buf, rest);
	char name[NAME_CAP], id[RECORD_ID_CAP];
	unsigned shown = 0;
	struct buf b;

	buf_init(&b, body, sizeof body);
	buf_str(&b, "{\"success\":true,\"result\":[");
	for (unsigned i = 1; i <= n; i++) {
		(void)snprintf(name, sizeof name, i == 1 ? "example.com" : i == n ? "sub.example.com" : "z%u.net", i);
		if (s.asked ? strcmp(s.asked, name) != 0 : (i - 1) / CF_ZONES_PER_PAGE + 1 != s.page)
			continue;
		(void)snprintf(id, sizeof id, "%032x", i);
		buf_fmt(&b, "%s{\"id\":\"%s\",\"name\":\"%s\",\"status\":\"active\"}", shown++ ? "," : "", id, name);
	}
	buf_fmt(&b, "],\"result_info\":{\"total_pages\":%u,\"total_count\":%u}}",
		s.asked ? 1 : (n + CF_ZONES_PER_PAGE - 1) / CF_ZONES_PER_PAGE, s.asked ? shown : n);
	assert_true(buf_ok(&b));
	if (test_answer(&sink, 200, "", body, 0, e))
		return -1;
	return cf_zone_search_finish(&s, again, e);
}

/* A search in such an account; returns how many calls it took. */
static unsigned search_account(unsigned n)
{
	unsigned calls = 0;
	struct err e = {0};
	bool again = true;

	for (; again; calls++)
		CHECK(answer_account(n, &again, &e) == 0, "%s: %s", s.name, e.text);
	return calls;
}

static enum cf_told told(const char *name, bool is_exact, struct err *e)
{
	search(name, is_exact);
	return cf_zone_search_told(&s, e);
}

/* One search tells the zones of all names, as long as they fit. */
static void test_book(void **state)
{
	static const struct {
		unsigned zones_n, calls;
		bool is_whole;
	} accounts[] = {
		{2, 1, true},
		{CF_ZONES_PER_PAGE, 1, true},
		{CF_ZONES_PER_PAGE + 1, 2, true},
		{CF_BOOK_ZONES_MAX, CF_ZONE_PAGES_MAX, true},
		{CF_BOOK_ZONES_MAX + 1, 2, false}, /* all, and www.example.com: as without a book */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(accounts); i++) {
		struct err e = {0};
		unsigned calls;

		book.n = 9; /* what was noted before is gone */
		book.is_whole = true;
		search("www.example.com", false);
		calls = search_account(accounts[i].zones_n);
		CHECK(calls == accounts[i].calls, "%u zones: %u calls", accounts[i].zones_n, calls);
		assert_int_equal(strtoul(s.id, NULL, 16), 1);
		CHECK(book.is_whole == accounts[i].is_whole, "%u zones", accounts[i].zones_n);
		assert_int_equal(told("api.example.com", false, &e), accounts[i].is_whole ? CF_TOLD_FOUND : CF_TOLD_NOTHING);
		assert_int_equal(s.has_found, accounts[i].is_whole);
		if (!accounts[i].is_whole)
			continue;
		assert_true(s.is_served && strtoul(s.id, NULL, 16) == 1);
		assert_string_equal(s.zone, "example.com");
		assert_int_equal(told("a.sub.example.com", false, &e), CF_TOLD_FOUND);
		assert_int_equal(strtoul(s.id, NULL, 16), accounts[i].zones_n);
		assert_int_equal(told("sub.example.com", true, &e), CF_TOLD_FOUND);
		assert_int_equal(told("www.example.org", false, &e), CF_TOLD_NONE);
		CHECK(e.kind == ERR_CONFIG && strstr(e.text, "no zone that holds www.example.org"), "%s", e.text);
		assert_int_equal(told("www.example.com", true, &e), CF_TOLD_NONE);
		cf_zone_book_forget(&book);
		assert_int_equal(told("www.example.com", false, &e), CF_TOLD_NOTHING);
	}
}

/* For few names no more is read than is asked for one by one. */
static void test_book_for_few(void **state)
{
	static const struct {
		size_t names_n;
		unsigned zones_n, calls;
	} accounts[] = {
		{1, CF_ZONES_PER_PAGE, 1},         {1, 2 * CF_ZONES_PER_PAGE, 2},
		{1, 2 * CF_ZONES_PER_PAGE + 1, 2}, /* all, and www.example.com */
		{2, 4 * CF_ZONES_PER_PAGE, 4},     {2, 4 * CF_ZONES_PER_PAGE + 1, 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(accounts); i++) {
		unsigned calls;

		search("www.example.com", false);
		s.names_n = accounts[i].names_n;
		calls = search_account(accounts[i].zones_n);
		CHECK(calls == accounts[i].calls, "%u zones: %u calls", accounts[i].zones_n, calls);
		CHECK(book.is_whole == (calls * CF_ZONES_PER_PAGE >= accounts[i].zones_n), "%u zones", accounts[i].zones_n);
	}
}

/* Where not all are known, one that is named, or is the name, is told all the same. */
static void test_book_of_some(void **state)
{
	struct err e = {0};
	bool again;

	(void)state;
	cf_zone_book_forget(&book);
	search("example.com", true);
	assert_int_equal(search_account(CF_BOOK_ZONES_MAX + 1), 1);
	assert_int_equal(book.n, 1);
	assert_false(book.is_whole);
	assert_int_equal(told("example.com", true, &e), CF_TOLD_FOUND);
	assert_int_equal(told("example.com", false, &e), CF_TOLD_FOUND);
	assert_int_equal(told("www.example.com", false, &e), CF_TOLD_NOTHING);
	/* What is told then is as just started. */
	assert_true(!s.has_found && !s.id[0] && s.page == 1 && s.book == &book);
	assert_string_equal(asked(), "*");
	/* One that is not served may not be the only one of its name. */
	cf_zone_book_forget(&book);
	search("example.com", true);
	assert_int_equal(page(ZONE_AS("1", "example.com", "pending"), "", &again, &e), 0);
	assert_int_equal(told("example.com", true, &e), CF_TOLD_NOTHING);
	/* Nobody's book tells nothing. */
	cf_zone_search_init(&s, "example.com", true);
	assert_int_equal(cf_zone_search_told(&s, &e), CF_TOLD_NOTHING);
}

/* It is as it was shown last; of two of one name nothing is told but that. */
static void test_book_is_kept(void **state)
{
	static const char one[] = ",\"result_info\":{\"total_pages\":1,\"total_count\":1}";
	static const char two[] = ",\"result_info\":{\"total_pages\":1,\"total_count\":2}";
	struct err e = {0};
	bool again;

	(void)state;
	cf_zone_book_forget(&book);
	search("www.example.com", false);
	assert_int_equal(page(ZONE("1", "example.com"), one, &again, &e), 0);
	assert_true(book.is_whole);
	search("example.com", true);
	assert_int_equal(page(ZONE_AS("1", "example.com", "moved"), one, &again, &e), 0);
	assert_int_equal(book.n, 1);
	assert_int_equal(told("www.example.com", false, &e), CF_TOLD_FOUND);
	assert_false(s.is_served);
	assert_string_equal(s.status, "moved");
	/* Of what cannot be read, or was not shown, nothing is known. */
	search("www.example.com", false);
	assert_int_equal(page(ZONE("1", "example.com") "," ZONE("2", "a..b"), two, &again, &e), 0);
	assert_false(book.is_whole);
	search("www.example.com", false);
	assert_int_equal(page(ZONE("1", "example.com"), two, &again, &e), 0);
	assert_false(book.is_whole);
	search("www.example.com", false);
	assert_int_equal(page(ZONE("1", "example.com") "," ZONE("2", "example.com"), two, &again, &e), -1);
	assert_true(book.is_whole);
	assert_int_equal(told("api.example.com", false, &e), CF_TOLD_NONE);
	CHECK(strstr(e.text, "two zones are named example.com"), "%s", e.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),       cmocka_unit_test(test_status_is_told), cmocka_unit_test(test_check),
		cmocka_unit_test(test_order),        cmocka_unit_test(test_first_look),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_pages),        cmocka_unit_test(test_pages_limit),    cmocka_unit_test(test_bad),
		cmocka_unit_test(test_book),         cmocka_unit_test(test_book_for_few),   cmocka_unit_test(test_book_of_some),
		cmocka_unit_test(test_book_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
