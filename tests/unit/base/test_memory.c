/* base/memory: what is resident, as the kernel tells it. */
#include "support.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"

#define SIZE 262144
#define PAGE 4096

static const char constants[SIZE] = {1, 2, 3, [SIZE - 1] = 9};

/* How many pages of p[0..size) are resident in this process. */
static size_t resident(const void *p, size_t size)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	assert_true(fd >= 0);
	for (size_t i = 0; i < size / PAGE; i++) {
		uint64_t page = 0;
		off_t at = (off_t)(((uintptr_t)p / PAGE + i) * sizeof page);

		assert_int_equal(pread(fd, &page, sizeof page, at), sizeof page);
		n += (size_t)(page >> 63);
	}
	(void)close(fd);
	return n;
}

static size_t look_at_all(void)
{
	const volatile char *p = constants;
	size_t sum = 0;

	for (size_t i = 0; i < SIZE; i++)
		sum += (unsigned char)p[i];
	return sum;
}

static void test_reserved_is_not_resident(void **state)
{
	char *p = memory_reserve(SIZE);

	(void)state;
	assert_non_null(p);
	assert_int_equal(resident(p, SIZE), 0);
	p[SIZE / 2] = 1;
	assert_int_equal(p[SIZE - 1], 0);
	assert_in_range(resident(p, SIZE), 1, 2);
}

static void test_set_apart(void **state)
{
	(void)state;
	assert_int_equal(look_at_all(), 15);
	assert_true(resident(constants, SIZE) >= SIZE / PAGE - 1);
	memory_set_apart(constants, SIZE);
	assert_in_range(resident(constants, SIZE), 0, 2); /* where it begins and ends in a page */
	assert_int_equal(look_at_all(), 15);
	memory_set_apart(constants + 1, 2); /* no whole page */
	assert_true(resident(constants, SIZE) >= SIZE / PAGE - 1);
}

/* And nothing that was written to is lost. */
static void test_forget_program(void **state)
{
	static int written = 1;

	(void)state;
	written = 2;
	assert_int_equal(look_at_all(), 15);
	memory_forget_program();
	assert_in_range(resident(constants, SIZE), 0, SIZE / PAGE / 2);
	assert_int_equal(look_at_all(), 15);
	assert_int_equal(written, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserved_is_not_resident),
		cmocka_unit_test(test_set_apart),
		cmocka_unit_test(test_forget_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
