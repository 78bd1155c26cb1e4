/* Listing a zone for many names: what is whose, and whom a bad record or a bad page concerns. */
#include "support.h"

#include "cloudflare/records.h"

#define MANY 6

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct cf_listing list;
static struct record records[MANY][RECORDS_MAX];
static struct target_hosts hosts[MANY];
static struct job jobs[MANY];
static struct cf_name names[MANY], *sorted[MANY];
static char shown[65536]; /* what the next page shows */

/* Of each word "owner/name" one; a listing of the whole zone. */
static void start(const char *words)
{
	char copy[512], *save = NULL;
	size_t n = 0;

	(void)snprintf(copy, sizeof copy, "%s", words);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save), n++) {
		const char *slash = strchr(p, '/');

		jobs[n] = (struct job){.types = JOB_TYPES};
		(void)snprintf(jobs[n].owner, sizeof jobs[n].owner, "%.*s", (int)(slash - p), p);
		(void)snprintf(jobs[n].name, sizeof jobs[n].name, "%s", slash + 1);
		names[n] = (struct cf_name){.job = &jobs[n], .records = records[n], .hosts = &hosts[n]};
		/* What a listing before left. */
		names[n].records_n = names[n].seen_n = hosts[n].len = 9;
		names[n].is_odd = true;
		sorted[n] = &names[n];
	}
	shown[0] = '\0';
	cf_listing_init(&list, "z0ne", sorted, n, true);
}

static void show(const char *entry)
{
	(void)snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s%s", shown[0] ? "," : "", entry);
}

/* The same of these fields; with an owner its mark. */
static void show_record(unsigned id, const char *type, const char *name, const char *content, const char *owner)
{
	char entry[1024];

	(void)snprintf(entry, sizeof entry,
		       "{\"id\":\"%032x\",\"type\":\"%s\",\"name\":\"%s\",\"content\":\"%s\",\"ttl\":60,"
		       "\"proxied\":false,\"comment\":\"%s%s\"}",
		       id, type, name, content, owner ? "managed by dnsbuddy owner=" : "", owner ? owner : "");
	show(entry);
}

/* The next page: what was shown since the last one. */
static int page(size_t step, const char *info, bool *again, struct err *e)
{
	static char body[sizeof shown + 256];
	struct http_sink sink = cf_listing_begin(&list, element_buf, rest);

	(void)snprintf(body, sizeof body, "{\"result\":[%s],\"success\":true,\"result_info\":{%s}}", shown, info);
	shown[0] = '\0';
	if (test_answer(&sink, 200, "", body, step, e))
		return -1;
	return cf_listing_finish(&list, again, e);
}

static void test_whose_is_what(void **state)
{
	(void)state;
	for (size_t step = 0; step < 2; step++) {
		struct err e = {0};
		bool again = true;

		start("one/www.example.com two/www.example.com me/api.example.com me/*.example.com me/new.example.com");
		show_record(1, "A", "www.example.com", "192.0.2.1", "one");
		show_record(2, "TXT", "example.com", "v=spf1", NULL);
		show_record(3, "A", "WWW.example.com", "192.0.2.2", "two");
		show_record(4, "A", "www.example.com", "192.0.2.3", NULL);
		show_record(5, "CNAME", "api.example.com", "lb.example.net", NULL);
		show_record(6, "A", "zz.example.com", "192.0.2.9", "me");
		show_record(7, "MX", "*.example.com", "mail", NULL);
		CHECK(page(step, "\"total_count\":7,\"per_page\":100", &again, &e) == 0, "%s", e.text);
		assert_false(again);
		assert_int_equal(list.seen_n, 7);
		assert_int_equal(list.per_page, 100);
		assert_string_equal(list.suffix, "example.com");
		/* Each sees all of its name, and knows its own. */
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(names[i].records_n, 3);
			assert_int_equal(names[i].seen_n, 3);
			for (size_t k = 0; k < 3; k++)
				assert_int_equal(records[i][k].is_ours, i == k);
		}
		assert_int_equal(names[2].records_n, 1);
		assert_ptr_equal(records[2][0].target.host, hosts[2].text);
		assert_string_equal(hosts[2].text, "lb.example.net");
		assert_int_equal(names[3].records_n, 0);
		assert_int_equal(names[3].seen_n, 1);
		assert_int_equal(names[4].seen_n + names[4].records_n, 0);
		for (size_t i = 0; i < 5; i++)
			assert_false(names[i].is_odd);
	}
}

/* As one by one: each name has its entries and no others, whatever the others are. */
static void test_any_names(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t count[MANY] = {0}, n = 1 + test_random_below(&seed, MANY - 1);
		unsigned entries_n = test_random_below(&seed, 12);
		char words[512] = "", name[32];
		struct err e = {0};
		bool again;

		for (size_t i = 0; i < n; i++)
			(void)snprintf(words + strlen(words), sizeof words - strlen(words), "o%zu/%c%c.example.com ", i,
				       "abc"[test_random_below(&seed, 3)], "abc"[test_random_below(&seed, 3)]);
		start(words);
		for (unsigned k = 0; k < entries_n; k++) {
			(void)snprintf(name, sizeof name, "%c%c.example.com", "abc"[test_random_below(&seed, 3)],
				       "abc"[test_random_below(&seed, 3)]);
			show_record(k, "A", name, "192.0.2.1", NULL);
			for (size_t i = 0; i < n; i++)
				count[i] += strcmp(jobs[i].name, name) == 0;
		}
		assert_int_equal(page(0, "", &again, &e), 0);
		for (size_t i = 0; i < n; i++)
			CHECK(names[i].records_n == count[i] && names[i].seen_n == count[i], "%s: %s: %zu of %zu", words,
			      jobs[i].name, names[i].records_n, count[i]);
	}
}

/* A record that cannot be read fails its name, and nobody else's; one of nobody's fails none. */
static void test_odd_records(void **state)
{
	static const struct {
		const char *entry;
		bool is_odd;
	} cases[] = {
		{"{\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"no address\"}", true},
		{"{\"id\":\"../\",\"type\":\"A\",\"name\":\"www.example.com\"}", true},
		{"{\"name\":\"www.example.com\"}", true},
		{"{\"type\":\"TXT\",\"name\":\"www.example.com\"}", false},
		{"{\"type\":\"A\",\"name\":\"theirs.example.com\",\"content\":\"no address\"}", false},
		{"{\"id\":\"../\",\"type\":\"A\",\"name\":\"theirs.example.com\"}", false},
		{"{\"name\":\"theirs.example.com\"}", false},
		{"{\"name\":\"a..b\"}", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = {0};
		bool again;

		start("me/www.example.com me/api.example.com you/www.example.com");
		show(cases[i].entry);
		show_record(2, "A", "www.example.com", "192.0.2.2", "me");
		show_record(3, "A", "api.example.com", "192.0.2.3", "me");
		CHECK(page(0, "\"total_count\":3", &again, &e) == 0, "%s: %s", cases[i].entry, e.text);
		CHECK(names[0].is_odd == cases[i].is_odd && names[2].is_odd == cases[i].is_odd, "%s", cases[i].entry);
		assert_false(names[1].is_odd);
		assert_int_equal(names[1].records_n, 1);
		/* By itself it is told why. */
		cf_listing_init(&list, "z0ne", sorted + 1, 2, false);
		assert_string_equal(list.names[0]->job->name, "www.example.com");
		show(cases[i].entry);
		CHECK((page(0, "", &again, &e) == -1) == cases[i].is_odd, "%s: %s", cases[i].entry, e.text);
	}
}

/* An entry of which nobody can say whose it is may be anybody's. */
static void test_nameless(void **state)
{
	static const char *const entries[] = {"{}", "null", "{\"type\":\"A\",\"name\":7}"};

	(void)state;
	for (size_t i = 0; i < COUNT(entries); i++) {
		struct err e = {0};
		bool again;

		start("me/www.example.com");
		show(entries[i]);
		CHECK(page(0, "", &again, &e) == -1 && e.kind == ERR_PROTO, "%s", entries[i]);
	}
}

static void test_one_too_many(void **state)
{
	struct err e = {0};
	bool again = true;

	(void)state;
	start("me/www.example.com me/api.example.com");
	for (unsigned n = 0; n <= RECORDS_MAX; n++) {
		list.page = 1;
		show_record(n, "A", "www.example.com", "192.0.2.1", "me");
		assert_int_equal(page(0, "\"total_pages\":2", &again, &e), 0);
		assert_int_equal(names[0].is_odd, n == RECORDS_MAX);
	}
	assert_int_equal(names[0].records_n, RECORDS_MAX);
	assert_false(names[1].is_odd);
}

static void test_suffix(void **state)
{
	static const struct {
		const char *names[3];
		const char *suffix;
	} cases[] = {
		{{"www.example.com"}, "www.example.com"},
		{{"www.example.com", "www.example.com"}, "www.example.com"},
		{{"www.example.com", "a.www.example.com"}, "www.example.com"},
		{{"a.www.example.com", "www.example.com"}, "www.example.com"},
		{{"www.example.com", "api.example.com"}, "example.com"},
		{{"xwww.example.com", "www.example.com"}, "example.com"},
		{{"www.example.com", "xwww.example.com"}, "example.com"},
		{{"*.example.com", "example.com"}, "example.com"},
		{{"www.example.com", "www.example.net"}, ""},
		{{"www.example.com", "www.example.net", "www.example.com"}, ""},
		{{"com", "com"}, "com"},
		{{"a..b", "www.example.com"}, "www.example.com"},
		{{"www.example.com", "WWW.Example.Com."}, "www.example.com"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = {0};
		bool again = true;

		start("me/www.example.com");
		assert_string_equal(list.suffix, "");
		for (size_t k = 0; k < 3 && cases[i].names[k]; k++) {
			list.page = 1;
			show_record(1, "TXT", cases[i].names[k], "", NULL);
			assert_int_equal(page(0, "\"total_pages\":9", &again, &e), 0);
		}
		CHECK(strcmp(list.suffix, cases[i].suffix) == 0, "case %zu: %s", i, list.suffix);
	}
}

static void test_pages(void **state)
{
	static const struct {
		unsigned id; /* 0: the page is empty */
		const char *name, *info;
		const char *says; /* NULL: all is well */
	} seconds[] = {
		{3, "x.example.com", "\"page\":2,\"per_page\":2,\"total_count\":3", NULL},
		/* shifted: one comes twice, or there is one more, or one less */
		{2, "api.example.com", "\"page\":2,\"per_page\":2,\"total_count\":3", "of api.example.com was listed twice"},
		{3, "x.example.com", "\"page\":2,\"per_page\":2,\"total_count\":4", "3 records of the zone were announced"},
		{0, "", "\"page\":2,\"per_page\":2,\"total_count\":3", "3 records of the zone were announced and 2 listed"},
		{3, "x.example.com", "\"page\":1,\"per_page\":2,\"total_count\":3", "page 2 was asked for"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(seconds); i++) {
		struct err e = {0};
		bool again = false;
		int rc;

		start("me/www.example.com me/api.example.com");
		show_record(1, "A", "www.example.com", "192.0.2.1", "me");
		show_record(2, "A", "api.example.com", "192.0.2.2", "me");
		assert_int_equal(page(0, "\"page\":1,\"per_page\":2,\"total_count\":3", &again, &e), 0);
		assert_true(again);
		if (seconds[i].id)
			show_record(seconds[i].id, "A", seconds[i].name, "192.0.2.3", "me");
		rc = page(0, seconds[i].info, &again, &e);
		if (!seconds[i].says)
			CHECK(rc == 0 && !again && list.seen_n == 3, "case %zu: %s", i, e.text);
		else
			CHECK(rc == -1 && strstr(e.text, seconds[i].says), "case %zu: %s", i, e.text);
	}
}

/* However much of it came: it is not taken for the whole. */
static void test_broken_off(void **state)
{
	static char whole[sizeof shown + 256];

	(void)state;
	start("me/www.example.com");
	show_record(1, "A", "www.example.com", "192.0.2.1", "me");
	show_record(2, "A", "x.example.com", "192.0.2.2", NULL);
	(void)snprintf(whole, sizeof whole, "{\"result\":[%s],\"success\":true,\"result_info\":{\"total_count\":2}}", shown);
	for (size_t len = strlen(whole); len-- > 0;) {
		struct http_sink sink;
		struct err e = {0};
		bool again = true;

		whole[len] = '\0';
		start("me/www.example.com me/api.example.com");
		sink = cf_listing_begin(&list, element_buf, rest);
		assert_int_equal(test_answer(&sink, 200, "", whole, 0, &e), 0);
		CHECK(cf_listing_finish(&list, &again, &e) == -1, "%s", whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_is_what), cmocka_unit_test(test_any_names),    cmocka_unit_test(test_odd_records),
		cmocka_unit_test(test_nameless),      cmocka_unit_test(test_one_too_many), cmocka_unit_test(test_suffix),
		cmocka_unit_test(test_pages),         cmocka_unit_test(test_broken_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
