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

enum name_kind {
	NAME_RECORD, /* may start with the label "*" */
	NAME_HOST    /* may not */
};

/*
 * Bring text into that form.
 *   e  ERR_CONFIG: empty, too long, an empty or long label, a byte that may not be there
 *      (anything above ASCII: to be written in Punycode), a wildcard in the wrong place
 */
int name_normalize(char out[NAME_CAP], const char *text, enum name_kind kind, struct err *e)
	__attribute__((warn_unused_result));

/* name is zone, or ends in "." and zone. Both in normal form. */
bool name_is_within(const char *name, const char *zone);

#endif
