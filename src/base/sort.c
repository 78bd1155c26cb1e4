#include "base/sort.h"

#include <stdint.h>
#include <string.h>

/* Shell's sort. The gaps are Sedgewick's (1986), up to half of the 16,384 elements we may have. */
static const uint16_t gaps[] = {8929, 3905, 2161, 929, 505, 209, 109, 41, 19, 5, 1};

static void swap(char *a, char *b, size_t size)
{
	size_t x, y;

	for (size_t i = 0; i < size; i += sizeof x) {
		memcpy(&x, a + i, sizeof x);
		memcpy(&y, b + i, sizeof y);
		memcpy(a + i, &y, sizeof y);
		memcpy(b + i, &x, sizeof x);
	}
}

void sort(void *array, size_t n, size_t size, int (*compare)(const void *a, const void *b))
{
	char *const first = array;
	size_t sorted = size;

	/* What is in order, as most lists are, is looked at once. */
	while (sorted < n * size && compare(first + sorted - size, first + sorted) <= 0)
		sorted += size;
	for (size_t i = 0; sorted < n * size && i < sizeof gaps / sizeof gaps[0]; i++) {
		const size_t gap = gaps[i] * size;

		for (size_t at = gap; at < n * size; at += size)
			for (size_t x = at; x >= gap && compare(first + x - gap, first + x) > 0;
			     x -= gap)
				swap(first + x - gap, first + x, size);
	}
}
