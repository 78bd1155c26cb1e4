#include "base/memory.h"

#include <sys/mman.h>

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
