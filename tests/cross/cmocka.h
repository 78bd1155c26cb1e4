/*
 * What the unit tests use of cmocka's interface, for programs on musl: Debian's cmocka needs glibc,
 * and is not there for every architecture that is built for. What a test prints is read by
 * scripts/test.sh, so it has the same form.
 */
#ifndef TEST_CMOCKA_H
#define TEST_CMOCKA_H

#include <stddef.h>
#include <stdint.h>

struct CMUnitTest {
	const char *name;
	void (*test_func)(void **state);
	int (*setup_func)(void **state);
	int (*teardown_func)(void **state);
	void *initial_state;
};

/* Where a test says something: its file and line. */
struct cm_place {
	const char *file;
	int line;
};

#define CM_PLACE ((struct cm_place){__FILE__, __LINE__})

void cm_fail(struct cm_place at, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void cm_skip(void) __attribute__((noreturn));
void cm_true(struct cm_place at, int is_true, const char *text);
void cm_numbers(struct cm_place at, uintmax_t a, uintmax_t b, int wants_equal);
void cm_range(struct cm_place at, uintmax_t v, uintmax_t min, uintmax_t max);
void cm_strings(struct cm_place at, const char *a, const char *b, int wants_equal);
void cm_bytes(struct cm_place at, const void *a, const void *b, size_t n, int wants_equal);
int cm_group(const char *name, const struct CMUnitTest *tests, size_t n, int (*setup)(void **), int (*teardown)(void **));
void print_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define fail() cm_fail(CM_PLACE, "failed")
#define fail_msg(...) cm_fail(CM_PLACE, __VA_ARGS__)
#define skip() cm_skip()
#define assert_true(c) cm_true(CM_PLACE, (c) ? 1 : 0, #c)
#define assert_false(c) cm_true(CM_PLACE, (c) ? 0 : 1, "not " #c)
#define assert_non_null(p) cm_true(CM_PLACE, (p) ? 1 : 0, #p)
#define assert_null(p) cm_true(CM_PLACE, (p) ? 0 : 1, "no " #p)
#define assert_int_equal(a, b) cm_numbers(CM_PLACE, (uintmax_t)(a), (uintmax_t)(b), 1)
#define assert_int_not_equal(a, b) cm_numbers(CM_PLACE, (uintmax_t)(a), (uintmax_t)(b), 0)
#define assert_ptr_equal(a, b) cm_numbers(CM_PLACE, (uintptr_t)(a), (uintptr_t)(b), 1)
#define assert_ptr_not_equal(a, b) cm_numbers(CM_PLACE, (uintptr_t)(a), (uintptr_t)(b), 0)
#define assert_in_range(v, min, max) cm_range(CM_PLACE, (uintmax_t)(v), (uintmax_t)(min), (uintmax_t)(max))
#define assert_string_equal(a, b) cm_strings(CM_PLACE, a, b, 1)
#define assert_string_not_equal(a, b) cm_strings(CM_PLACE, a, b, 0)
#define assert_memory_equal(a, b, n) cm_bytes(CM_PLACE, a, b, n, 1)
#define assert_memory_not_equal(a, b, n) cm_bytes(CM_PLACE, a, b, n, 0)

#define cmocka_unit_test(f)                                                                                                        \
	{                                                                                                                          \
#f, f, NULL, NULL, NULL                                                                                            \
	}
#define cmocka_unit_test_setup(f, setup)                                                                                           \
	{                                                                                                                          \
#f, f, setup, NULL, NULL                                                                                           \
	}
#define cmocka_unit_test_setup_teardown(f, setup, teardown)                                                                        \
	{                                                                                                                          \
#f, f, setup, teardown, NULL                                                                                       \
	}
#define cmocka_run_group_tests(tests, setup, teardown) cmocka_run_group_tests_name(#tests, tests, setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                                                  \
	cm_group(name, tests, sizeof(tests) / sizeof(tests)[0], setup, teardown)

#endif
