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

/*
 * Constants that are seldom looked at: only the pages that are, are resident, until they are set
 * apart once more. Otherwise the kernel brings in those that lie around what is used.
 */
void memory_set_apart(const void *p, size_t size);
void memory_release(void *p, size_t size);

#endif
