/* pages/pages: what does not fit is left out as a whole, and the page says so. */
#include "support.h"

#include "base/json.h"
#include "pages/pages.h"
#include "pages/render.h"
#include "pages/shown.h"

static int setup(void **state)
{
	(void)state;
	shown_init();
	return 0;
}

static void add_many(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "10.0.%zu.%zu", i / 200, i % 200 + 1);
		shown_instance(INSTANCE_PASSING, text);
		(void)shown_record(text);
	}
}

static void test_list_limit(void **state)
{
	(void)state;
	(void)shown_name("www.example.com");
	add_many(HTML_LIST_MAX);
	assert_int_equal(shown_count(shown_at("/"), "<li>"), 2 * HTML_LIST_MAX);
	assert_false(shown_has("/", "more<"));
	add_many(1);
	assert_int_equal(shown_count(shown_at("/"), "<li><b"), 2 * HTML_LIST_MAX);
	assert_int_equal(shown_count(shown_at("/"), "<li><small>and 1 more<"), 2);
	assert_true(shown_has("/", "Instances in Consul: 51<"));
}

static void test_match_limit(void **state)
{
	(void)state;
	(void)shown_name("www.example.com");
	shown_instance(INSTANCE_PASSING, "192.0.2.1");
	for (size_t i = 0; i < HTML_MATCH_MAX; i++)
		(void)shown_record("10.0.0.1");
	assert_true(shown_has("/", "not in DNS"));
	(void)shown_record("10.0.0.1");
	assert_false(shown_has("/", "not in DNS"));
}

/* Of few names all is shown; of one more only the line of their zone, and who is in trouble. */
static void test_open_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < HTML_OPEN_MAX; i++)
		(void)shown_name("www.example.com");
	assert_int_equal(shown_count(shown_at("/"), "<details "), HTML_OPEN_MAX);
	assert_false(shown_has("/", "<form>"));
	(void)shown_failing("b.example.com");
	assert_int_equal(shown_count(shown_at("/"), "<details "), 0);
	assert_int_equal(shown_count(shown_at("/"), "\"row "), 1);
	assert_true(shown_has("/", "<form>"));
}

static void test_reasons_limit(void **state)
{
	char text[32];

	(void)state;
	for (size_t i = 0; i <= HEALTH_REASONS_MAX; i++)
		(void)shown_failing("www.example.com");
	assert_int_equal(shown_count(shown_at("/health"), "example.com: "), HEALTH_REASONS_MAX);
	(void)snprintf(text, sizeof text, "\"unhealthy\":%d,", HEALTH_REASONS_MAX + 1);
	assert_true(shown_has("/health", text));
}

/* All there may be, with names as long as they may be: each page in each size is whole. */
static void fill_up(void)
{
	static char name[254], service[256], error[256];

	memset(name, 'n', sizeof name - 1);
	memset(service, '&', sizeof service - 1);
	memset(error, '<', sizeof error - 1);
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++) {
		struct status_record *r = i % 2 ? shown_name(name) : shown_failing(name);

		r->service = service;
		if (r->why)
			r->why = error;
		add_many(50);
	}
	shown_records[1].name = "well.example.com";
	shown_records[SHOWN_NAMES_MAX - 1].name = "last.example.com";
}

/* What is there and what is said to be left out are all there is. */
static void check_sum(const char *text, const char *each, const char *left)
{
	const char *at = strstr(text, left);
	size_t there_n = shown_count(text, each);

	assert_non_null(at);
	assert_true(there_n > 0);
	assert_int_equal(there_n + strtoul(at + strlen(left), NULL, 10), SHOWN_NAMES_MAX);
}

static void test_page_limit(void **state)
{
	(void)state;
	fill_up();
	for (size_t cap = PAGES_CAP_MIN; cap; cap = cap == SHOWN_CAP ? 0 : cap * 2) {
		const char *text;
		int status;

		if (cap * 2 > SHOWN_CAP)
			cap = SHOWN_CAP;
		text = shown_page("/?name=n", cap, &status);
		assert_string_equal(text + strlen(text) - 16, "</main>\n</html>\n");
		assert_int_equal(shown_count(text, "<div "), shown_count(text, "</div>"));
		assert_true(shown_count(text, "\"row ") <= HTML_LINES_MAX);
		assert_non_null(strstr(text, " more names</a>"));
		text = shown_page("/metrics", cap, &status);
		shown_check_families(text);
		check_sum(text, "\ndnsbuddy_record_in_sync{", "\ndnsbuddy_records_left_out ");
		text = shown_page("/health", cap, &status);
		assert_int_equal(json_check(text, strlen(text), &(size_t){0}), JSON_DONE);
		check_sum(text, "\"unconverged_seconds\":", "\"left_out\":");
		assert_int_equal(shown_count(text, "\"unconverged_seconds\":"), HEALTH_RECORDS_MAX);
	}
}

/* More claims than there is room for: it says how many are left out. */
static void test_claims_limit(void **state)
{
	static char why[5000];
	const char *text;
	int status;

	(void)state;
	memset(why, '<', sizeof why - 1);
	for (size_t i = 0; i < SHOWN_CLAIMS_MAX; i++)
		shown_claim("www.example.com", why);
	text = shown_page("/", PAGES_CAP_MIN, &status);
	assert_int_equal(shown_count(text, "\"row "), 12);
	assert_non_null(strstr(text, "and 52 more</p>\n</main>\n"));
	assert_false(shown_has("/", "and "));
}

/* Of a name in full, with as much as may be known of it. */
static void test_cards_limit(void **state)
{
	int status;
	const char *text;

	(void)state;
	fill_up();
	shown.records_n = HTML_OPEN_MAX;
	text = shown_page("/", SHOWN_CAP, &status);
	assert_int_equal(shown_count(text, "<details "), HTML_OPEN_MAX);
	text = shown_page("/", PAGES_CAP_MIN, &status);
	assert_int_equal(shown_count(text, "<details "), HTML_OPEN_MAX);
}

/*
 * Whoever follows the links sees each name once, of whatever length the pages are, and every page
 * but the first says what it was asked for.
 */
static void test_links(void **state)
{
	static char names[SHOWN_NAMES_MAX][32];
	static const size_t caps[] = {PAGES_CAP_MIN, SHOWN_CAP, 40000};

	(void)state;
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "n%04zu.example.com", i);
		shown_name(names[i])->zone = i % 3 ? "example.com" : "other.example";
	}
	for (size_t i = 0; i < COUNT(caps); i++) {
		char path[256] = "/?name=&state=in+sync";
		size_t seen_n = 0, pages_n = 0;

		for (const char *at; path[0]; pages_n++) {
			int status;
			const char *text = shown_page(path, caps[i], &status);

			seen_n += shown_count(text, "\"row ");
			assert_non_null(strstr(text, "<option selected>in sync"));
			at = strstr(text, "<p class=note><a href=\"");
			path[0] = '\0';
			if (!at)
				continue;
			at += strlen("<p class=note><a href=\"");
			(void)snprintf(path, sizeof path, "/%.*s", (int)strcspn(at, "\""), at);
			for (char *amp; (amp = strstr(path, "&amp;")) != NULL;)
				memmove(amp + 1, amp + 5, strlen(amp + 5) + 1);
			assert_true(pages_n < 64);
		}
		assert_int_equal(seen_n, SHOWN_NAMES_MAX);
		assert_true(pages_n >= SHOWN_NAMES_MAX / HTML_LINES_MAX + 1);
	}
}

/* Names as they are: all pages are whole with all of them. */
static void test_typical(void **state)
{
	static char names[SHOWN_NAMES_MAX][64];

	(void)state;
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "service-%04zu.production.example.com", i);
		(void)shown_name(names[i]);
		status_set(&shown_records[i], FACT_LAST_SYNC, SHOWN_NOW_SEC);
		status_set(&shown_records[i], FACT_LAST_CHANGE, SHOWN_NOW_SEC);
		add_many(5);
	}
	assert_true(shown_has("/metrics", "\ndnsbuddy_records_left_out 0\n"));
	assert_true(shown_has("/", "<p>1024 names, all in sync</p>"));
	assert_int_equal(shown_count(shown_at("/"), "\"zone "), 1);
	/* of names four times as long it cannot hold all, and says so */
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++)
		shown_records[i].service = "a-service-with-a-name-that-is-as-long-as-many-"
					   "of-them-are-in-large-companies";
	assert_false(shown_has("/metrics", "\ndnsbuddy_records_left_out 0\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_records 1024\n"));
}

/* As many zones as names, of the longest names: those past the limit are summed. */
static void test_zones_limit(void **state)
{
	static char zones[SHOWN_NAMES_MAX][254];
	const char *text;
	int status;

	(void)state;
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++) {
		memset(zones[i], 'z', sizeof zones[i] - 1);
		zones[i][0] = (char)('a' + i / 32);
		zones[i][1] = (char)('a' + i % 32);
		shown_name(zones[i])->zone = zones[i];
	}
	shown.has_name_series = false;
	text = shown_page("/metrics", PAGES_CAP_MIN, &status);
	assert_int_equal(shown_count(text, "\ndnsbuddy_zone_records{"), (METRICS_ZONES_MAX + 1) * STATUS_STATES);
	assert_non_null(strstr(text, "\ndnsbuddy_zone_records{zone=\"other\",state=\"in sync\"} 960\n"));
	text = shown_page("/", SHOWN_CAP, &status);
	assert_int_equal(shown_count(text, "\"zone "), HTML_LINES_MAX);
	assert_non_null(strstr(text, ">774 more names</a>"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_list_limit),  TEST(test_match_limit),  TEST(test_open_limit), TEST(test_reasons_limit),
		TEST(test_page_limit),  TEST(test_cards_limit),  TEST(test_links),      TEST(test_typical),
		TEST(test_zones_limit), TEST(test_claims_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
