/* engine/zone_table: which zone a name has, and how many names make a listing of the zone worth it. */
#include "support.h"

#include "engine/zone_table.h"

static struct zone_table table;
static struct job job;

static const char *id_of(size_t n)
{
	static char id[RECORD_ID_CAP];

	(void)snprintf(id, sizeof id, "%032zx", n);
	return id;
}

static void note(const char *name, size_t id)
{
	struct cf_zone *z = &table.book.zones[table.book.n++];

	memcpy(z->id, id_of(id), RECORD_ID_CAP);
	(void)snprintf(z->name, sizeof z->name, "%s", name);
	(void)snprintf(z->status, sizeof z->status, "active");
}

static int set_up(void **state)
{
	(void)state;
	memset(&table, 0, sizeof table);
	job = (struct job){.name = "www.example.com"};
	return 0;
}

static void test_zones_stay_where_they_are(void **state)
{
	struct zone *first, *second;

	(void)state;
	first = zone_table_get(&table, id_of(1));
	second = zone_table_get(&table, id_of(2));
	assert_ptr_not_equal(first, second);
	assert_string_equal(first->id, id_of(1));
	assert_string_equal(first->name, "");
	assert_ptr_equal(zone_table_get(&table, id_of(1)), first);
	assert_ptr_equal(zone_table_get(&table, id_of(2)), second);
	assert_int_equal(table.n, 2);
}

static void test_there_are_too_many(void **state)
{
	struct cf_zone_search found = {.zone = "example.com"};

	(void)state;
	for (size_t i = 0; i < ZONES_MAX; i++)
		assert_non_null(zone_table_get(&table, id_of(i)));
	assert_null(zone_table_get(&table, id_of(ZONES_MAX)));
	memcpy(found.id, id_of(ZONES_MAX), RECORD_ID_CAP);
	assert_null(zone_table_add(&table, &found));
	/* One that is known still is. */
	assert_ptr_equal(zone_table_get(&table, id_of(ZONES_MAX - 1)), &table.zones[ZONES_MAX - 1]);
	memcpy(found.id, id_of(7), RECORD_ID_CAP);
	assert_ptr_equal(zone_table_add(&table, &found), &table.zones[7]);
	assert_string_equal(table.zones[7].name, "example.com");
}

/* By the job's id, whatever is known; else by what others were shown. */
static void test_find(void **state)
{
	(void)state;
	assert_null(zone_table_find(&table, &job));
	note("example.com", 1);
	note("dev.example.com", 2);
	note("example.net", 3);
	assert_null(zone_table_find(&table, &job)); /* of those not shown one may be longer */
	table.book.is_whole = true;
	assert_string_equal(zone_table_find(&table, &job)->id, id_of(1));
	assert_string_equal(table.zones[0].name, "example.com");
	(void)snprintf(job.name, sizeof job.name, "www.dev.example.com");
	assert_string_equal(zone_table_find(&table, &job)->id, id_of(2));
	(void)snprintf(job.zone, sizeof job.zone, "example.com"); /* that very one is meant */
	assert_string_equal(zone_table_find(&table, &job)->id, id_of(1));
	table.book.is_whole = false; /* for it the others do not matter */
	assert_string_equal(zone_table_find(&table, &job)->id, id_of(1));
	(void)snprintf(job.zone, sizeof job.zone, "www.dev.example.com");
	assert_null(zone_table_find(&table, &job));
	table.book.is_whole = true; /* nor one that holds it in its place */
	assert_null(zone_table_find(&table, &job));
	memcpy(job.zone_id, id_of(9), RECORD_ID_CAP);
	assert_string_equal(zone_table_find(&table, &job)->id, id_of(9));
	assert_string_equal(zone_table_find(&table, &job)->name, "");
	assert_int_equal(table.n, 3);
}

/* None, by a whole book, is not found either: who asks searches, and is told. */
static void test_of_no_zone(void **state)
{
	(void)state;
	note("example.net", 1);
	table.book.is_whole = true;
	assert_null(zone_table_find(&table, &job));
	note("example.com", 2);
	note("example.com", 3); /* two of one name */
	assert_null(zone_table_find(&table, &job));
	assert_int_equal(table.n, 0);
}

static void test_holds(void **state)
{
	struct zone z = {0};

	(void)state;
	assert_false(zone_holds(&z, "www.example.com"));
	(void)snprintf(z.suffix, sizeof z.suffix, "dev.example.com");
	assert_true(zone_holds(&z, "www.dev.example.com"));
	assert_true(zone_holds(&z, "dev.example.com"));
	assert_false(zone_holds(&z, "www.example.com")); /* perhaps: it was not shown */
	(void)snprintf(z.name, sizeof z.name, "example.com");
	assert_true(zone_holds(&z, "www.example.com"));
	assert_false(zone_holds(&z, "www.example.net"));
	assert_false(zone_holds(&z, "wwwexample.com"));
}

static void test_a_listing_is_noted(void **state)
{
	struct cf_listing l = {.page = 4, .seen_n = 350, .suffix = "example.com"};
	struct zone z = {.torn_n = 2};

	(void)state;
	zone_note_listing(&z, &l, true, 1000);
	assert_int_equal(z.pages_n, 4);
	assert_int_equal(z.entries_n, 350);
	assert_string_equal(z.suffix, "example.com");
	assert_int_equal(z.torn_n, 0);
	assert_int_equal(z.whole_ms, 0);
	/* One that fails says nothing of the zone. */
	l = (struct cf_listing){.page = 2, .seen_n = 100};
	zone_note_listing(&z, &l, false, 1000);
	assert_int_equal(z.pages_n, 4);
	assert_int_equal(z.entries_n, 350);
	assert_string_equal(z.suffix, "example.com");
}

/* And when that while is over, three more. */
static void test_torn_again(void **state)
{
	struct cf_listing l = {.page = 2};
	struct zone z = {0};

	(void)state;
	for (int64_t now_ms = 0; now_ms <= 1200000; now_ms += 600000) {
		for (int i = 0; i < 3; i++) {
			assert_true(zone_is_cheaper_whole(&z, 100, now_ms));
			zone_note_listing(&z, &l, false, now_ms);
		}
		assert_false(zone_is_cheaper_whole(&z, 100, now_ms));
	}
}

/* Three in a row, of several pages; one page that fails was not torn by another writer. */
static void test_torn_listings(void **state)
{
	static const struct {
		const char *listings; /* t: torn; 1: a single page failed; g: good */
		bool is_by_name;
	} cases[] = {
		{"t", false},     {"tt", false},  {"ttt", true},   {"11111", false},
		{"ttgtt", false}, {"tt1", false}, {"t1t1t", true}, {"tttg", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct zone z = {0};

		for (const char *p = cases[i].listings; *p; p++) {
			struct cf_listing l = {.page = *p == '1' ? 1 : 2};

			zone_note_listing(&z, &l, *p == 'g', 5000);
		}
		CHECK(zone_is_cheaper_whole(&z, 1000, 5000) == !cases[i].is_by_name, "%s", cases[i].listings);
		assert_int_equal(zone_is_cheaper_whole(&z, 1000, 5000 + 599999), !cases[i].is_by_name);
		assert_true(zone_is_cheaper_whole(&z, 1000, 5000 + 600000));
	}
}

static void test_cheaper_whole(void **state)
{
	static const struct {
		size_t pages_n;
		int64_t entries_n;
		size_t names_n; /* so many make it cheaper, one less does not */
	} cases[] = {
		{0, 0, 2}, {1, 0, 2}, {1, 999, 2}, {1, 1000, 3}, {1, 3500, 5}, {35, 3500, 39}, {4, 20000, 25},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct zone z = {.pages_n = cases[i].pages_n, .entries_n = cases[i].entries_n};

		CHECK(zone_is_cheaper_whole(&z, cases[i].names_n, 0), "case %zu", i);
		CHECK(!zone_is_cheaper_whole(&z, cases[i].names_n - 1, 0), "case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_zones_stay_where_they_are, set_up),
		cmocka_unit_test_setup(test_there_are_too_many, set_up),
		cmocka_unit_test_setup(test_find, set_up),
		cmocka_unit_test_setup(test_of_no_zone, set_up),
		cmocka_unit_test_setup(test_holds, set_up),
		cmocka_unit_test_setup(test_a_listing_is_noted, set_up),
		cmocka_unit_test_setup(test_torn_listings, set_up),
		cmocka_unit_test_setup(test_torn_again, set_up),
		cmocka_unit_test_setup(test_cheaper_whole, set_up),
	};

	return cmocka_run_group_tests_name("engine/zone_table", tests, NULL, NULL);
}
