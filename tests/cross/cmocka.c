#include "cmocka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum end { RUNS, FAILED, SKIPPED };

static jmp_buf way_out;
static int is_under_way;

static void leave(enum end end) __attribute__((noreturn));

static void leave(enum end end)
{
	if (!is_under_way) /* in a child, say, that has come back from where it was started */
		abort();
	longjmp(way_out, end);
}

void cm_fail(struct cm_place at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
	(void)printf("\n[   LINE   ] --- %s:%d: error: Failure!\n", at.file, at.line);
	leave(FAILED);
}

void cm_skip(void)
{
	leave(SKIPPED);
}

void cm_true(struct cm_place at, int is_true, const char *text)
{
	if (!is_true)
		cm_fail(at, "%s", text);
}

void cm_numbers(struct cm_place at, uintmax_t a, uintmax_t b, int wants_equal)
{
	if ((a == b) != wants_equal)
		cm_fail(at, "%#jx %s %#jx", a, wants_equal ? "!=" : "==", b);
}

void cm_range(struct cm_place at, uintmax_t v, uintmax_t min, uintmax_t max)
{
	if (v < min || v > max)
		cm_fail(at, "%ju is not within the range %ju-%ju", v, min, max);
}

void cm_strings(struct cm_place at, const char *a, const char *b, int wants_equal)
{
	if (!a || !b || (strcmp(a, b) == 0) != wants_equal)
		cm_fail(at, "\"%s\" %s \"%s\"", a ? a : "NULL", wants_equal ? "!=" : "==", b ? b : "NULL");
}

void cm_bytes(struct cm_place at, const void *a, const void *b, size_t n, int wants_equal)
{
	if ((memcmp(a, b, n) == 0) != wants_equal)
		cm_fail(at, "%zu bytes are %s", n, wants_equal ? "different" : "the same");
}

void print_message(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
}

void print_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
}

static enum end run(const struct CMUnitTest *test, void *state)
{
	enum end end;

	(void)printf("[ RUN      ] %s\n", test->name);
	(void)fflush(stdout);
	end = (enum end)setjmp(way_out);
	if (end == RUNS) {
		is_under_way = 1;
		if (test->setup_func && test->setup_func(&state))
			cm_fail(CM_PLACE, "its setup failed");
		test->test_func(&state);
	}
	is_under_way = 0;
	if (test->teardown_func && test->teardown_func(&state) && end == RUNS)
		end = FAILED;
	(void)printf("%s %s\n", end == FAILED ? "[  FAILED  ]" : end == SKIPPED ? "[  SKIPPED ]" : "[       OK ]", test->name);
	(void)fflush(stdout);
	return end;
}

int cm_group(const char *name, const struct CMUnitTest *tests, size_t n, int (*setup)(void **), int (*teardown)(void **))
{
	void *state = NULL;
	int failed = 0;

	(void)printf("[==========] %s: Running %zu test(s).\n", name, n);
	if (setup && setup(&state))
		return -1;
	for (size_t i = 0; i < n; i++)
		failed += run(&tests[i], tests[i].initial_state ? tests[i].initial_state : state) == FAILED;
	if (teardown && teardown(&state))
		failed++;
	if (failed)
		(void)printf("[  FAILED  ] %s: %d test(s), listed above\n", name, failed);
	return failed;
}
