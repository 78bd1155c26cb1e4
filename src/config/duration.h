/*
 * A length of time as Go writes it, "1h30m", "1.5s", "300ms"; and as Containerbuddy does, a bare
 * number of seconds.
 */
#ifndef CONFIG_DURATION_H
#define CONFIG_DURATION_H

#include <stdint.h>

#define DURATION_MAX_MS ((int64_t)31536000 * 1000) /* a year */

/* Read a time above 0, a part of a millisecond as a whole one. -1: text is none. */
int duration_read(const char *text, int64_t *ms) __attribute__((warn_unused_result));

#endif
