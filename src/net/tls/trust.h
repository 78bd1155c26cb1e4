/*
 * Trusted roots from a PEM file, in storage of a fixed size: names and keys only, as BearSSL
 * wants them. (The roots built into the program need none of this.)
 */
#ifndef NET_TLS_TRUST_H
#define NET_TLS_TRUST_H

#include <bearssl.h>
#include <stddef.h>

#include "base/err.h"

#define TRUST_ANCHORS_MAX 512
#define TRUST_BYTES_MAX 524288 /* bytes of all names and keys */

/* Static at the caller's, zeroed at the start. Pages that are not used cost nothing. */
struct trust_store {
	br_x509_trust_anchor anchors[TRUST_ANCHORS_MAX];
	size_t n;
	size_t used; /* of bytes */
	unsigned char bytes[TRUST_BYTES_MAX];
};

/*
 * Add the certificates of a PEM file. CA certificates become roots. A self-signed certificate
 * that is no CA is trusted for itself only: a server that presents just it is believed. Others,
 * and what is no certificate, are skipped.
 * e: ERR_CONFIG, with the file's name: unreadable, damaged, no usable certificate in it; or
 * ERR_LIMIT: past a MAX. The store may then hold a part of the file and is not to be used.
 */
int trust_load_pem_file(struct trust_store *s, const char *path, struct err *e)
	__attribute__((warn_unused_result));

#endif
