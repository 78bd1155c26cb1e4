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

#endif
