/*
 * What comes before main() in the static program, and in it alone: musl relocates such a program,
 * but leaves two things undone. scripts/dense.ld names the places.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define HIDDEN __attribute__((visibility("hidden")))

typedef int main_function(int, char **, char **);

extern char __ehdr_start[] HIDDEN; /* where the program lies */
extern const size_t relr_start[] HIDDEN, relr_end[] HIDDEN;
extern char relro_start[] HIDDEN, relro_end[] HIDDEN;

int main(int, char **);
/* musl's, and what the linker puts in its place (--wrap) */
int __real___libc_start_main(main_function *, int, char **);
int __wrap___libc_start_main(main_function *, int, char **);

/* Right as soon as the program is relocated. */
static const volatile struct probe {
	const volatile struct probe *self;
} probe = {&probe};

/*
 * DT_RELR: an even entry is the address of a word to relocate; the bits of an odd one, but for the
 * lowest, stand for the words behind the last. musl does so from 1.2.4 on.
 */
static void relocate(void)
{
	const size_t base = (size_t)(uintptr_t)__ehdr_start;
	size_t *to = (size_t *)(void *)__ehdr_start; /* the first entry is an address */

	for (const size_t *p = relr_start; (uintptr_t)p < (uintptr_t)relr_end; p++) {
		if (!(*p & 1)) {
			to = (size_t *)(void *)(__ehdr_start + *p);
			*to++ += base;
			continue;
		}
		for (size_t i = 0, bits = *p; bits >>= 1; i++)
			if (bits & 1)
				to[i] += base;
		to += 8 * sizeof *to - 1;
	}
}

/* Full RELRO: of pointers to functions and the like nobody makes others any more. */
static int close_and_begin(int argc, char **argv, char **environment)
{
	(void)environment;
	/* It rounds to whole pages. A system that cannot do it runs the program all the same. */
	(void)mprotect(relro_start, (size_t)((uintptr_t)relro_end - (uintptr_t)relro_start),
		       PROT_READ);
	return main(argc, argv);
}

/* The first of musl's functions that is called; before it no other may be. */
int __wrap___libc_start_main(main_function *program, int argc, char **argv)
{
	(void)program;
	if (probe.self != &probe)
		relocate();
	return __real___libc_start_main(close_and_begin, argc, argv);
}
