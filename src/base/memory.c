#include "base/memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void *memory_reserve(size_t size)
{
	/* Not reserved in swap: zones and containers count that, used or not. */
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	/* cppcheck-suppress invalidFunctionArg ; -1 is the way to say "no file" */
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	/* cppcheck-suppress memleak ; it is the caller's now, for good */
	return p == MAP_FAILED ? NULL : p;
}

void memory_release(void *p, size_t size)
{
	(void)munmap(p, size);
}

void memory_set_apart(const void *p, size_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)p + size) & ~(page - 1);

	if (from >= to)
		return;
	/* Other advice makes it a mapping of its own, beyond which nothing is brought in. */
	(void)madvise((void *)from, to - from, MADV_RANDOM);
	(void)madvise((void *)from, to - from, MADV_DONTNEED);
}
