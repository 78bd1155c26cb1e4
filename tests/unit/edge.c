#include "edge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EDGE_BYTES ((size_t)1 << 20)

const char *edge_copy(const void *p, size_t n)
{
	static char *map;
	char *to;

	if (!map) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);

		map = mmap(NULL, EDGE_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED || mprotect(map + EDGE_BYTES, page, PROT_NONE))
			abort();
	}
	if (n > EDGE_BYTES)
		abort();
	to = map + EDGE_BYTES - n;
	if (n)
		memcpy(to, p, n);
	return to;
}
