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

static void test_open_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < HTML_OPEN_MAX; i++)
		(void)shown_name("www.example.com");
	assert_int_equal(shown_count(shown_at("/"), " open>"), HTML_OPEN_MAX);
	(void)shown_failing("b.example.com");
	assert_int_equal(shown_count(shown_at("/"), " open>"), 1);
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
	static char name[254], service[256], error[700];

	memset(name, 'n', sizeof name - 1);
	memset(service, '&', sizeof service - 1);
	memset(error, '<', sizeof error - 1);
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++) {
		struct status_record *r = i % 2 ? shown_name(name) : shown_failing(name);

		r->service = service;
		if (r->why)
			r->why = error;
		add_many(60);
	}
	shown_records[1].name = "well.example.com";
	shown_records[SHOWN_NAMES_MAX - 1].name = "last.example.com";
}

/* What is there and what is said to be left out are all there is. */
static void check_sum(const char *text, const char *each, const char *left, size_t cap)
{
	const char *at = strstr(text, left);
	size_t there_n = shown_count(text, each);

	assert_non_null(at);
	assert_true(there_n > 0 || cap == PAGES_CAP_MIN);
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
		text = shown_page("/", cap, &status);
		assert_non_null(strstr(text, "This page has no room for "));
		assert_string_equal(text + strlen(text) - 16, "</main>\n</html>\n");
		assert_int_equal(shown_count(text, "<details "), shown_count(text, "</details>"));
		check_sum(text, "<details ", "no room for ", cap);
		text = shown_page("/metrics", cap, &status);
		shown_check_families(text);
		check_sum(text, "\ndnsbuddy_record_in_sync{", "\ndnsbuddy_records_left_out ", cap);
		text = shown_page("/health", cap, &status);
		assert_int_equal(json_check(text, strlen(text), &(size_t){0}), JSON_DONE);
		check_sum(text, "\"unconverged_seconds\":", "\"left_out\":", cap);
	}
}

/* So many names as fit are all there; of one more it is said how many are not. */
static void test_one_past(void **state)
{
	size_t whole, shown_n;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		(void)shown_name("www.example.com");
	whole = strlen(shown_at("/")) - strlen("</main>\n</html>\n");
	for (size_t spare = 1023; spare <= 1026; spare++) {
		int status;
		const char *text = shown_page("/", whole + spare, &status);

		shown_n = shown_count(text, "<details ");
		assert_int_equal(shown_n, spare > 1024 ? 100 : 99);
		assert_true(!strstr(text, "no room for 1 more name:") == (shown_n == 100));
	}
}

static void test_typical(void **state)
{
	static char names[SHOWN_NAMES_MAX][64];

	(void)state;
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "service-%03zu.production.example.com", i);
		(void)shown_name(names[i]);
		status_set(&shown_records[i], FACT_LAST_SYNC, SHOWN_NOW_SEC);
		status_set(&shown_records[i], FACT_LAST_CHANGE, SHOWN_NOW_SEC);
		add_many(5);
	}
	assert_int_equal(shown_count(shown_at("/"), "<details "), SHOWN_NAMES_MAX);
	assert_true(shown_has("/metrics", "\ndnsbuddy_records_left_out 0\n"));
	assert_true(shown_has("/health", "\"left_out\":0}"));
	/* of names four times as long it cannot hold all, and says so */
	for (size_t i = 0; i < SHOWN_NAMES_MAX; i++)
		shown_records[i].service = "a-service-with-a-name-that-is-as-long-as-many-"
					   "of-them-are-in-large-companies";
	assert_false(shown_has("/metrics", "\ndnsbuddy_records_left_out 0\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_records 256\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_list_limit), TEST(test_match_limit), TEST(test_open_limit), TEST(test_reasons_limit),
		TEST(test_page_limit), TEST(test_one_past),    TEST(test_typical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
