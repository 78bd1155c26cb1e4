/*
 * The roots built into the program: Mozilla's set as Debian's ca-certificates ships it, without
 * what had ended when the program was built, turned into trust anchors then.
 */
#ifndef NET_TLS_ROOTS_H
#define NET_TLS_ROOTS_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/tls/cert.h"

#define ROOT_NAME_MAX 512 /* bytes of a root's name as DER */

/* Who is trusted: of cert subject, dates, constraints and what forbids it to issue servers'. */
struct trust_anchor {
	struct cert cert;
	br_x509_pkey key;
};

/* A walk over them: starts zeroed. */
struct roots_walk {
	size_t i;
	const unsigned char *at;
	unsigned char name[ROOT_NAME_MAX];
};

/*
 * The next one; false after the last. Of its cert is set: subject (in w, until the next call),
 * not_after_sec (the day on which it ends has begun), is_ca, may_sign; it constrains nothing.
 */
bool roots_next(struct roots_walk *w, struct trust_anchor *a);

/* Have them out of memory until the next walk: for who runs for long. */
void roots_set_apart(void);

/* How many there are. */
size_t roots_n(void);

#endif
