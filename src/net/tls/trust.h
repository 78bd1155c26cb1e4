/*
 * Trusted roots: the built-in ones, or those of a PEM file in storage of a fixed size. Of each,
 * all that decides whether it may vouch for a server: name, key, dates, constraints.
 */
#ifndef NET_TLS_TRUST_H
#define NET_TLS_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/tls/cert.h"
#include "net/tls/roots.h"

#define TRUST_ANCHORS_MAX 512
#define TRUST_BYTES_MAX 524288 /* bytes of all names, keys and constraints, and of what is no CA */

/* Static at the caller's, zeroed at the start. Pages that are not used cost nothing. */
struct trust_store {
	/* Of their ders subject, key and constraints; and of what is no CA the body. */
	struct cert certs[TRUST_ANCHORS_MAX];
	size_t n;
	size_t used; /* of bytes */
	unsigned char bytes[TRUST_BYTES_MAX];
};

/*
 * Add the certificates of a PEM file. CA certificates become roots, those of version 1 among them
 * that signed themselves. A self-signed certificate that is no CA is trusted for itself only: a
 * server that presents just it is believed. Others, and what is no certificate, are skipped.
 * What is wrong with a root (ended, not for servers...) is told of the connection that needs it.
 * e: ERR_CONFIG, with the file's name: unreadable, damaged, no usable certificate in it; or
 * ERR_LIMIT: past a MAX. The store may then hold a part of the file and is not to be used.
 */
int trust_load_pem_file(struct trust_store *s, const char *path, struct err *e)
	__attribute__((warn_unused_result));

/* A walk over who is trusted; the fields are the module's own. */
struct trust_walk {
	const struct trust_store *store;
	struct roots_walk roots;
};

/* store: NULL for the built-in roots; must outlive the walk. */
void trust_walk_init(struct trust_walk *w, const struct trust_store *store);

/* The next one, valid until the next call; false after the last. */
bool trust_next(struct trust_walk *w, struct trust_anchor *a);

/*
 * Whether it may be meant by this name, whole DER, which is at hand where that is asked: as the
 * issuer of a certificate, or its subject. Its key is what has to fit.
 */
bool trust_may_be(const struct trust_anchor *a, struct der name);

size_t trust_n(const struct trust_store *store);

#endif
