#include "base/memory.h"

#include <elf.h>
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

extern const char __ehdr_start[]; /* the linker's */

void memory_forget_program(void)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)__ehdr_start;
	const Elf64_Phdr *part = (const Elf64_Phdr *)(const void *)(__ehdr_start + head->e_phoff);
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < head->e_phnum; i++, part++) {
		uintptr_t at = (uintptr_t)__ehdr_start + part->p_vaddr, from = at & ~(page - 1);

		/* What is written to, relocations too, would be lost. */
		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
			(void)madvise((void *)from, at + part->p_filesz - from, MADV_DONTNEED);
	}
}
