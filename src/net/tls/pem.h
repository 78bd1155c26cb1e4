/* Objects of a PEM file (RFC 7468), one after the other. */
#ifndef NET_TLS_PEM_H
#define NET_TLS_PEM_H

#include <stddef.h>

#include "base/err.h"

#define PEM_OBJECT_MAX 16384  /* bytes of one decoded object; a longer one is an error */
#define PEM_FILE_MAX 16777216 /* bytes of a file */

struct pem_sink {
	void *ctx;
	/* label: "CERTIFICATE"...; p[0..n) lives for the call only. -1, with *e set, ends it. */
	int (*object)(void *ctx, const char *label, const unsigned char *p, size_t n,
		      struct err *e);
};

/*
 * Give each object of the file to the sink. Text around objects is skipped.
 * e: ERR_CONFIG with the file's name: it cannot be read, is damaged, past a MAX, or what the
 * sink said. Nothing of a decoded object stays in memory.
 */
int pem_read_file(const char *path, const struct pem_sink *sink, struct err *e)
	__attribute__((warn_unused_result));

#endif
