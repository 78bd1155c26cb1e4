/*
 * Put an array in order, in place. As qsort(), in a tenth of the bytes and half the time of musl's.
 */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>

/*
 * n elements of size bytes each, a multiple of sizeof(size_t). compare() returns < 0, 0 or > 0. Of
 * equal elements any may come first. No order of the input makes it slow: O(n^4/3).
 */
void sort(void *array, size_t n, size_t size, int (*compare)(const void *a, const void *b));

#endif
