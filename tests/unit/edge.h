/* Bytes that end where readable memory ends: reading one too far is a fault. */
#ifndef TEST_EDGE_H
#define TEST_EDGE_H

#include <stddef.h>

/* Copy p[0..n) so that the byte after it is not mapped. Until the next call. */
const char *edge_copy(const void *p, size_t n);

#endif
