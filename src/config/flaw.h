/*
 * What a value has that nobody means: quotes around it, which `docker run --env-file` keeps, white
 * space at an end, and characters that are not to be seen.
 */
#ifndef CONFIG_FLAW_H
#define CONFIG_FLAW_H

#include <stdbool.h>

#define FLAW_CAP 64 /* bytes of what is said of one */

/*
 * Whether text has one; "byte 6 is a no-break space (U+00A0)" goes to out then. That is all it
 * tells of the text.
 *   is_password  it may begin or end with a quote, if not with both
 */
bool flaw_find(const char *text, bool is_password, char out[FLAW_CAP]);

/* Whether the character at p, which is not its end, is of these kinds: "a quote (U+0022)". */
bool flaw_name(const char *p, char out[FLAW_CAP]);

#endif
