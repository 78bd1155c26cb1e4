/*
 * Large storage whose size depends on the configuration: address space, of which only the pages
 * that are written to cost memory.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/*
 * Zeroed storage of so many bytes, for the rest of the program's life, or until it is given back to
 * the system with what is in it. NULL when there is none.
 */
void *memory_reserve(size_t size);
void memory_release(void *p, size_t size);

/* What is in it is needed no more: it reads as zeros or as before, and its whole pages are free. */
void memory_forget(void *p, size_t size);

/*
 * Constants that are seldom looked at: none of their whole pages is resident until one is looked
 * at. Otherwise the kernel brings them in with what is used and lies near.
 */
void memory_set_apart(const void *p, size_t size);

/*
 * None of the program's own pages, code and constants, is resident until it is used again: what
 * only the start needed goes.
 */
void memory_forget_program(void);

#endif
