/*
 * DNS names as Cloudflare takes and gives them: whole, lower case, in Punycode, no dot at the
 * end. RFC 1035 section 2.3.4 for the lengths; letters, digits, hyphen and underscore.
 */
#ifndef CORE_NAME_H
#define CORE_NAME_H

#include <stdbool.h>

#include "base/err.h"

#define NAME_MAX_LEN 253 /* bytes, without a NUL */
#define NAME_CAP (NAME_MAX_LEN + 1)
#define NAME_PUNYCODE "xn--"                    /* begins a label that is */
#define NAME_UNICODE_CAP (3 * NAME_MAX_LEN + 2) /* the same in UTF-8, with a dot at the end */

enum name_kind {
	NAME_RECORD, /* may start with the label "*" */
	NAME_HOST,   /* may not */
	NAME_GIVEN   /* a record's as the API gives it: small and composed, in whatever script */
};

/*
 * Bring text into that form.
 *   text  UTF-8; what is not ASCII becomes Punycode, see core/idn.h
 *   e     ERR_CONFIG: empty, too long, an empty or long label, a character that may not be there or
 *         that idn_read() does not know, a wildcard in the wrong place
 */
int name_normalize(char out[NAME_CAP], const char *text, enum name_kind kind, struct err *e)
	__attribute__((warn_unused_result));

/* name is zone, or ends in "." and zone. Both in normal form. */
bool name_is_within(const char *name, const char *zone);

#endif
