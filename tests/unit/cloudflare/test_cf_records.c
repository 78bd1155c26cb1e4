/* Listing the records of a name: what is taken, what is passed over, and when a page follows. */
#include "support.h"

#include "cloudflare/records.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct record records[RECORDS_MAX];
static struct target_hosts hosts;
static struct cf_listing list;

static struct job job;
static struct cf_name name = {.job = &job, .records = records, .hosts = &hosts}, *names[] = {&name};

static void start(const char *owner)
{
	job = (struct job){.types = JOB_TYPES, .name = "www.example.com"};
	(void)snprintf(job.owner, sizeof job.owner, "%s", owner ? owner : "");
	cf_listing_init(&list, "z0ne", names, 1, false);
}

static int page(const char *entries, const char *info, bool *again, struct err *e)
{
	static char body[65536];
	struct http_sink sink = cf_listing_begin(&list, element_buf, rest);

	(void)snprintf(body, sizeof body, "{\"result\":[%s],\"success\":true,\"result_info\":{%s}}", entries, info);
	if (test_answer(&sink, 200, "", body, 0, e))
		return -1;
	return cf_listing_finish(&list, again, e);
}

/* An id: a hexadecimal digit and 31 zeros. */
#define ID(digit) digit "0000000000000000000000000000000"
#define ENTRY(id, type, name, content, more) ENTRY_AS(ID(id), type, name, content, more)
#define ENTRY_AS(id, type, name, content, more)                                                                                    \
	"{\"id\":\"" id "\",\"type\":\"" type "\",\"name\":\"" name "\",\"content\":\"" content                                    \
	"\",\"ttl\":60,\"proxied\":false,\"settings\":{},\"tags\":[]" more "}"
#define A_RECORD(id, content) ENTRY(id, "A", "www.example.com", content, "")
#define COMMENT(text) ",\"comment\":" text

static const struct {
	const char *entry;
	bool is_taken;
} entries[] = {
	{A_RECORD("1", "192.0.2.1"), true},
	{ENTRY("1", "AAAA", "www.example.com", "2001:db8::1", ""), true},
	{ENTRY("1", "CNAME", "www.example.com", "lb.example.net", ""), true},
	{ENTRY("1", "A", "WWW.Example.Com", "192.0.2.1", ""), true},
	{ENTRY("1", "A", "www.example.com.", "192.0.2.1", ""), true},
	{ENTRY("1", "A", "www.example.com", "0.0.0.0", ""), true},
	{ENTRY("1", "A", "www\u3002example.com", "192.0.2.1", ""), true},
	{ENTRY("1", "A", "w\u00fcw.example.com", "192.0.2.1", ""), false},
	{ENTRY("1", "A", "\U0001f4a9.example.com", "192.0.2.1", ""), false},
	{ENTRY("1", "MX", "www.example.com", "mail", ""), false},
	{ENTRY("1", "TXT", "www.example.com", "v=spf1", ""), false},
	{ENTRY("1", "HTTPS", "www.example.com", "1 .", ""), false},
	{ENTRY("1", "A", "example.com", "192.0.2.1", ""), false},
	{ENTRY("1", "A", "ww.example.com", "192.0.2.1", ""), false},
	{ENTRY("1", "A", "www.example.co", "192.0.2.1", ""), false},
	{ENTRY("1", "A", "", "192.0.2.1", ""), false},
	{ENTRY("1", "A", "a.www.example.com", "192.0.2.1", ""), false},
	{"{\"type\":\"SRV\",\"name\":\"www.example.com\",\"data\":{}}", false},
};

static void test_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(entries); i++) {
		struct err e = {0};
		bool again = true;

		start(NULL);
		CHECK(page(entries[i].entry, "\"total_count\":1", &again, &e) == 0, "%s: %s", entries[i].entry, e.text);
		assert_false(again);
		CHECK(name.records_n == (entries[i].is_taken ? 1 : 0), "%s", entries[i].entry);
		/* Nothing of the listing before is kept. */
		assert_true(!name.records_n || hosts.len == (records[0].target.host ? 15 : 0));
		assert_int_equal(list.seen_n, 1);
	}
}

/* Records of a type that can be read and was not asked for: not even a bad one of them matters. */
static void test_types(void **state)
{
	struct err e = {0};
	bool again;

	(void)state;
	start(NULL);
	job.types = RECORD_BIT(RECORD_AAAA);
	assert_int_equal(page(A_RECORD("1", "192.0.2.1") "," A_RECORD("2", "no address") "," ENTRY(
				      "3", "CNAME", "www.example.com", "lb.example.net",
				      "") "," ENTRY("4", "AAAA", "www.example.com", "2001:db8::1", ""),
			      "\"total_count\":4", &again, &e),
			 0);
	assert_int_equal(list.seen_n, 4);
	assert_int_equal(name.records_n, 1);
	assert_string_equal(records[0].id, ID("4"));
}

static void test_fields(void **state)
{
	struct err e = {0};
	bool again;

	(void)state;
	start(NULL);
	assert_int_equal(page("{\"id\":\"" ID("1") "\",\"type\":\"A\",\"name\":\"www.example.com\",\"content\":"
						   "\"192.0.2.1\",\"ttl\":1,\"proxied\":true,\"comment\":null}",
			      "", &again, &e),
			 0);
	assert_string_equal(records[0].id, ID("1"));
	assert_int_equal(records[0].ttl, 1);
	assert_true(records[0].proxied);
	assert_true(records[0].is_ours);
	assert_int_equal(records[0].state, INSTANCE_VANISHED);
}

static const struct {
	const char *entry;
	const char *says;
} bad[] = {
	{"{}", "a record without a name"},
	{"null", ""},
	{"{\"type\":\"A\"}", "a record without a name"},
	{"{\"name\":\"www.example.com\"}", "a record without a type"},
	{"{\"type\":\"A\",\"name\":\"www.example.com\"}", "an A record"},
	{"{\"id\":\"\",\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"1.1.1.1\",\"ttl\":1,"
	 "\"proxied\":true}",
	 "without a good id"},
	{"{\"id\":7,\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"1.1.1.1\",\"ttl\":1,"
	 "\"proxied\":true}",
	 "without a good id"},
	{"{\"id\":\"" ID("1") "\",\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"1.1.1.1\",\"ttl\":\"1\","
			      "\"proxied\":true}",
	 "ttl"},
	{"{\"id\":\"" ID("1") "\",\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"1.1.1.1\",\"ttl\":-1,"
			      "\"proxied\":true}",
	 "ttl"},
	{"{\"id\":\"" ID("1") "\",\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"1.1.1.1\","
			      "\"ttl\":4294967296,\"proxied\":true}",
	 "ttl"},
	{"{\"id\":\"" ID("1") "\",\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"1.1.1.1\",\"ttl\":1}", "proxied"},
	{"{\"id\":\"" ID("1") "\",\"type\":\"A\",\"name\":\"www.example.com\",\"ttl\":1,\"proxied\":true}", "content"},
	{A_RECORD("1", "not an address"), "record 1"},
	{A_RECORD("1", "::1"), "record 1"},
	{A_RECORD("12", "1.1.1.1"), "without a good id"}, /* of 33 */
	{A_RECORD("", "1.1.1.1"), "without a good id"},
	{A_RECORD("g", "1.1.1.1"), "without a good id"},
	{A_RECORD("/", "1.1.1.1"), "without a good id"},
	{A_RECORD("..", "1.1.1.1"), "without a good id"},
	{A_RECORD(".", "1.1.1.1"), "without a good id"},
	{A_RECORD("?", "1.1.1.1"), "without a good id"},
	{A_RECORD("\\u0000", "1.1.1.1"), "without a good id"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {0};
		bool again;

		start(NULL);
		CHECK(page(bad[i].entry, "", &again, &e) == -1, "%s", bad[i].entry);
		CHECK(e.kind == ERR_PROTO && strstr(e.text, bad[i].says), "%s: %s", bad[i].entry, e.text);
	}
}

static void test_no_list(void **state)
{
	static const char *const bodies[] = {
		"{\"success\":true}",
		"{\"success\":true,\"result\":null}",
		"{\"success\":true,\"result\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct http_sink sink;
		struct err e = {0};
		bool again;

		start(NULL);
		sink = cf_listing_begin(&list, element_buf, rest);
		assert_int_equal(test_answer(&sink, 200, "", bodies[i], 0, &e), 0);
		assert_int_equal(cf_listing_finish(&list, &again, &e), -1);
		assert_int_equal(e.kind, ERR_PROTO);
	}
}

static const struct {
	const char *owner, *comment;
	bool is_marked;
} marks[] = {
	{NULL, "null", false},
	{NULL, "\"by hand\"", false},
	{NULL, "\"managed by dnsbuddy\"", true},
	{NULL, "\"managed by dnsbuddy for us\"", true},
	{NULL, "\"managed by dnsbuddy owner=web\"", false},
	{NULL, "\"managed by dnsbuddy-2\"", false},
	{NULL, "\"Managed by dnsbuddy\"", false},
	{"web", "\"managed by dnsbuddy owner=web\"", true},
	{"web", "\"managed by dnsbuddy owner=web, with love\"", false},
	{"web", "\"managed by dnsbuddy owner=web and a word\"", true},
	{"web", "\"managed by dnsbuddy owner=web2\"", false},
	{"web", "\"managed by dnsbuddy owner=we\"", false},
	{"web", "\"managed by dnsbuddy owner=Web\"", false},
	{"web", "\"managed by dnsbuddy\"", false},
	{"web", "\" managed by dnsbuddy owner=web\"", false},
	{"web", "\"not managed by dnsbuddy owner=web\"", false},
	{"web", "\"\"", false},
	{"web", "null", false},
	{"web", "7", false},
	{"web", "\"managed by dnsbuddy owner\\u003dweb\"", true},
};

static void test_owner(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(marks); i++) {
		struct err e = {0};
		char entry[1024];
		bool again;

		start(marks[i].owner);
		(void)snprintf(entry, sizeof entry, ENTRY("1", "A", "www.example.com", "192.0.2.1", COMMENT("%s")),
			       marks[i].comment);
		assert_int_equal(page(entry, "", &again, &e), 0);
		CHECK(records[0].is_ours == (marks[i].is_marked || !marks[i].owner), "A, %s", marks[i].comment);
		assert_false(records[0].is_unmarked);
		/* Without an owner it depends on the service. */
		start(marks[i].owner);
		(void)snprintf(entry, sizeof entry,
			       ENTRY("1", "AAAA", "www.example.com", "::1",
				     COMMENT("%s")) "," ENTRY("2", "CNAME", "www.example.com", "a.b", COMMENT("%s")),
			       marks[i].comment, marks[i].comment);
		assert_int_equal(page(entry, "", &again, &e), 0);
		for (size_t k = 0; k < 2; k++) {
			CHECK(records[k].is_ours == marks[i].is_marked, "%s", marks[i].comment);
			CHECK(records[k].is_unmarked == (!marks[i].is_marked && !marks[i].owner), "%s", marks[i].comment);
			CHECK(records[k].has_comment == (marks[i].comment[0] == '"' && marks[i].comment[1] != '"'), "%s",
			      marks[i].comment);
		}
	}
}

/* ---- pages ---- */

static const struct {
	const char *info;
	size_t entries_n;
	enum { LAST, NEXT, BROKEN, RETRIED } outcome;
} first_pages[] = {
	{"", 1, LAST},
	{"\"page\":1,\"per_page\":5000,\"count\":1,\"total_count\":1,\"total_pages\":1", 1, LAST},
	{"\"page\":1,\"per_page\":2,\"total_count\":3,\"total_pages\":2", 2, NEXT},
	/* total_pages absent: a full page promises another, whatever was granted */
	{"\"page\":1,\"per_page\":2,\"total_count\":3", 2, NEXT},
	{"\"page\":1,\"per_page\":2", 2, NEXT},
	{"\"page\":1,\"per_page\":3", 2, LAST},
	{"\"page\":1,\"per_page\":4294967298", 2, LAST}, /* 2, were it cut off at 32 bits */
	{"\"per_page\":2,\"total_count\":2,\"total_pages\":1", 2, LAST},
	{"\"total_count\":0,\"total_pages\":0", 0, LAST},
	{"\"total_count\":0", 0, LAST},
	/* page asked and page answered */
	{"\"page\":2,\"per_page\":2", 2, BROKEN},
	{"\"page\":0", 1, BROKEN},
	/* what was announced is not there */
	{"\"total_count\":2,\"total_pages\":1", 1, RETRIED},
	{"\"total_count\":1", 2, RETRIED},
	{"\"total_count\":5,\"total_pages\":3", 0, RETRIED},
	{"\"total_count\":1", 0, RETRIED},
	/* wrong types count as absent */
	{"\"page\":\"1\",\"total_pages\":\"9\",\"total_count\":null", 1, LAST},
};

static void test_first_page(void **state)
{
	static const char *const several[] = {
		"",
		A_RECORD("1", "192.0.2.1"),
		A_RECORD("1", "192.0.2.1") "," A_RECORD("2", "192.0.2.2"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(first_pages); i++) {
		struct err e = {0};
		bool again = false;
		int rc;

		start(NULL);
		rc = page(several[first_pages[i].entries_n], first_pages[i].info, &again, &e);
		switch (first_pages[i].outcome) {
		case LAST: CHECK(rc == 0 && !again, "%s: %s", first_pages[i].info, e.text); break;
		case NEXT: CHECK(rc == 0 && again, "%s: %s", first_pages[i].info, e.text); break;
		case BROKEN: CHECK(rc && e.kind == ERR_PROTO, "%s", first_pages[i].info); break;
		case RETRIED:
		default: CHECK(rc && e.kind == ERR_RETRY, "%s", first_pages[i].info); break;
		}
		CHECK(first_pages[i].outcome != NEXT || list.page == 2, "%s", first_pages[i].info);
	}
}

static const struct {
	const char *entries[3], *infos[3];
	int fails_at; /* 0: it does not */
} listings[] = {
	{{A_RECORD("1", "192.0.2.1"), A_RECORD("2", "192.0.2.2"), A_RECORD("3", "192.0.2.3")},
	 {"\"total_count\":3,\"total_pages\":3", "\"total_count\":3,\"total_pages\":3", "\"total_count\":3,\"total_pages\":3"},
	 0},
	{{A_RECORD("1", "192.0.2.1"), A_RECORD("2", "192.0.2.2"), ""},
	 {"\"per_page\":1,\"total_count\":2", "\"per_page\":1,\"total_count\":2", "\"per_page\":1,\"total_count\":2"},
	 0},
	/* one was added or removed between two pages */
	{{A_RECORD("1", "192.0.2.1"), A_RECORD("2", "192.0.2.2"), ""},
	 {"\"total_count\":3,\"total_pages\":3", "\"total_count\":2,\"total_pages\":3", ""},
	 2},
	{{A_RECORD("1", "192.0.2.1"), A_RECORD("2", "192.0.2.2"), A_RECORD("3", "192.0.2.3")},
	 {"\"total_count\":3,\"total_pages\":3", "\"total_count\":4,\"total_pages\":4", ""},
	 2},
	/* one was added before and one removed behind: the total is the same, a record comes twice */
	{{A_RECORD("1", "192.0.2.1"), A_RECORD("1", "192.0.2.1"), A_RECORD("3", "192.0.2.3")},
	 {"\"total_count\":3,\"total_pages\":3", "\"total_count\":3,\"total_pages\":3", "\"total_count\":3,\"total_pages\":3"},
	 3},
	{{A_RECORD("2", "192.0.2.2"), A_RECORD("1", "192.0.2.1"), A_RECORD("2", "192.0.2.2")},
	 {"\"page\":1,\"per_page\":1", "\"page\":2,\"per_page\":1", "\"page\":3,\"per_page\":2"},
	 3},
	/* the same page again */
	{{A_RECORD("1", "192.0.2.1"), A_RECORD("2", "192.0.2.2"), ""},
	 {"\"page\":1,\"total_pages\":2", "\"page\":1,\"total_pages\":2", ""},
	 2},
};

static void test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(listings); i++) {
		bool again = true;
		int p = 0;

		start(NULL);
		for (; again; p++) {
			struct err e = {0};
			int rc = page(listings[i].entries[p], listings[i].infos[p], &again, &e);

			CHECK(rc == (p + 1 == listings[i].fails_at ? -1 : 0), "case %zu, page %d: %s", i, p + 1, e.text);
			CHECK(!rc || e.kind == ERR_RETRY || e.kind == ERR_PROTO, "%s", e.text);
			if (rc)
				break;
		}
		CHECK(!again || listings[i].fails_at, "case %zu", i);
	}
}

static void test_limits(void **state)
{
	struct err e = {0};
	bool again = true;
	int rc = 0;

	(void)state;
	start(NULL);
	list.page = CF_RECORD_PAGES_MAX;
	assert_int_equal(page(A_RECORD("1", "192.0.2.1"), "\"total_pages\":1001", &again, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	start(NULL);
	for (unsigned n = 0; n <= RECORDS_MAX && !rc; n++) {
		char entry[256];

		(void)snprintf(entry, sizeof entry, ENTRY_AS("%032x", "A", "www.example.com", "10.0.%u.%u", ""), n, n >> 8 & 255,
			       n & 255);
		list.page = 1;
		rc = page(entry, "\"total_pages\":2", &again, &e);
		assert_int_equal(rc, n == RECORDS_MAX ? -1 : 0);
	}
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_target(void **state)
{
	char text[512];
	struct buf b;

	(void)state;
	job = (struct job){.types = JOB_TYPES, .name = "*.example.com"};
	cf_listing_init(&list, "z/1", names, 1, false);
	buf_init(&b, text, sizeof text);
	cf_listing_target(&b, &list);
	assert_string_equal(text, "/zones/z%2F1/dns_records?name.exact=%2A.example.com&per_page=5000&page=1");
	cf_listing_init(&list, "z/1", names, 1, true);
	list.page = 7;
	buf_reset(&b);
	cf_listing_target(&b, &list);
	assert_string_equal(text, "/zones/z%2F1/dns_records?per_page=5000&page=7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),    cmocka_unit_test(test_types),   cmocka_unit_test(test_fields),
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_no_list), cmocka_unit_test(test_owner),
		cmocka_unit_test(test_first_page), cmocka_unit_test(test_pages),   cmocka_unit_test(test_limits),
		cmocka_unit_test(test_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
