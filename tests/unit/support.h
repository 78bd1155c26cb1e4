/* What every unit test includes: cmocka with what it needs, a counted table, seeded randomness. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those it needs */
#include <cmocka.h>

#include "net/http/client.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* The text in this array has its end there, too: C takes one that is a byte too long. */
#define ENDS(array) (memchr(array, '\0', sizeof(array)) != NULL)

/* Fail with words of its own when the condition does not hold. */
#define CHECK(condition, ...)                                                                                                      \
	do {                                                                                                                       \
		if (!(condition))                                                                                                  \
			fail_msg(__VA_ARGS__);                                                                                     \
	} while (0)

/* The next of a fixed row of numbers (xorshift32); *state is the seed, not 0. */
uint32_t test_random(uint32_t *state);

/* The same, below n. */
uint32_t test_random_below(uint32_t *state, uint32_t n);

/* Path of a new temporary file with these bytes; until the next call. */
const char *test_file(const void *p, size_t n);

/*
 * Give an answer to a sink as an exchange does: the status, each line "Name: value\n" of headers,
 * the body in pieces of step bytes (0: whole). Returns -1 with *e when the sink refuses.
 */
int test_answer(const struct http_sink *sink, int status, const char *headers, const char *body, size_t step, struct err *e);

/*
 * What fn writes to stderr, as a string; until the next call.
 */
const char *test_stderr(void (*fn)(void *ctx), void *ctx);

#endif
