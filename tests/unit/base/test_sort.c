#include "support.h"

#include "base/sort.h"

#define MOST 16384 /* instances, or records of a name */

struct element {
	uint32_t key;
	uint32_t twin; /* ~key: who moves half of an element is seen */
	const char *text;
};

static struct element elements[MOST + 1];
static size_t calls;

static int by_key(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	calls++;
	return x->key < y->key ? -1 : x->key > y->key;
}

/* Kinds of order; the last: organ pipes. */
static uint32_t key_of(int kind, size_t i, size_t n)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	switch (kind) {
	case 0: return (uint32_t)i;
	case 1: return (uint32_t)(n - i);
	case 2: return x;
	case 3: return x % 3;
	case 4: return 7;
	case 5: return i == n / 2 ? 0 : (uint32_t)i + 1;
	case 6: return (uint32_t)(i % 2 ? i : n + i);
	default: return (uint32_t)(i < n / 2 ? i : n - i);
	}
}

static void check(int kind, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t key = key_of(kind, i, n);

		elements[i] = (struct element){key, ~key, "text"};
		sum += key;
	}
	elements[n] = (struct element){0, 1, NULL};
	calls = 0;
	sort(elements, n, sizeof elements[0], by_key);
	for (size_t i = 0; i < n; i++) {
		CHECK(!i || elements[i - 1].key <= elements[i].key, "kind %d of %zu: at %zu", kind, n, i);
		CHECK(elements[i].twin == ~elements[i].key && elements[i].text, "kind %d of %zu", kind, n);
		sum -= elements[i].key;
	}
	CHECK(!sum, "kind %d of %zu: other elements than before", kind, n);
	CHECK(elements[n].twin == 1, "kind %d of %zu: past the end", kind, n);
}

static void test_orders(void **state)
{
	(void)state;
	for (int kind = 0; kind < 8; kind++) {
		for (size_t n = 0; n < 70; n++)
			check(kind, n);
		check(kind, 8929);
		check(kind, MOST);
		/* musl's qsort() needs 591,000 for the worst of these. */
		CHECK(calls < 591000, "kind %d: %zu comparisons", kind, calls);
	}
}

static void test_in_order_is_read_once(void **state)
{
	(void)state;
	check(0, MOST);
	assert_int_equal(calls, MOST - 1);
	check(4, MOST);
	assert_int_equal(calls, MOST - 1);
}

static void test_nothing(void **state)
{
	(void)state;
	calls = 0;
	sort(NULL, 0, sizeof elements[0], by_key);
	sort(elements, 1, sizeof elements[0], by_key);
	assert_int_equal(calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_in_order_is_read_once),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
