/*
 * The roots built into the program: Mozilla's set as Debian's ca-certificates ships it, without
 * what had ended when the program was built, turned into trust anchors then.
 */
#ifndef NET_TLS_ROOTS_H
#define NET_TLS_ROOTS_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tls/cert.h"

/* Who is trusted: of cert subject, dates, constraints and what forbids it to issue servers'. */
struct trust_anchor {
	struct cert cert;
	br_x509_pkey key;
	uint32_t name_hash; /* of a built-in one, in place of the subject */
};

/* A walk over them: starts zeroed. */
struct roots_walk {
	size_t i;
	const unsigned char *at;
};

/*
 * The next one; false after the last. Of its cert is set: not_after_sec (the day on which it ends
 * has begun), is_ca, may_sign; it constrains nothing.
 */
bool roots_next(struct roots_walk *w, struct trust_anchor *a);

/* Have them out of memory until the next walk: for who runs for long. */
void roots_set_apart(void);

/*
 * The hash of a name, whole DER. It picks the roots that may be meant, no more: a name that happens
 * to have the hash of another one is no use without a signature by that one's key.
 */
uint32_t root_name_hash(struct der name);

/* How many there are. */
size_t roots_n(void);

/* The date of them, seconds since 1970: of the package that they were built from. */
int64_t roots_date_sec(void);

#endif
