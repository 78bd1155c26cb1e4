#include "base/memory.h"

#include <link.h>
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

static void advise(char *p, size_t size, int advice)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t skip = -(uintptr_t)p & (page - 1);

	if (size >= skip + page)
		(void)madvise(p + skip, (size - skip) & ~(page - 1), advice);
}

void memory_forget(void *p, size_t size)
{
	advise(p, size, MADV_DONTNEED);
}

void memory_set_apart(const void *p, size_t size)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): madvise() has no const, and changes nothing */
	char *from = (char *)(uintptr_t)p;

	/* Other advice makes it a mapping of its own, beyond which nothing is brought in. */
	advise(from, size, MADV_RANDOM);
	advise(from, size, MADV_DONTNEED);
}

extern char __ehdr_start[]; /* the linker's: where the program lies */

void memory_forget_program(void)
{
	const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)(const void *)__ehdr_start;
	const ElfW(Phdr) *part = (const ElfW(Phdr) *)(const void *)(__ehdr_start + head->e_phoff);
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < head->e_phnum; i++, part++) {
		size_t skip = part->p_vaddr & (page - 1);

		/* What is written to, relocations too, would be lost. */
		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
			(void)madvise(__ehdr_start + part->p_vaddr - skip, part->p_filesz + skip,
				      MADV_DONTNEED);
	}
}
