/*
 * From the text of a setting to its field in struct config or struct job, one setting at a time;
 * what depends on several is in config.c.
 */
#ifndef CONFIG_READERS_H
#define CONFIG_READERS_H

#include "config/config.h"

/* What is read, and for whom. */
struct reading {
	const struct values *v;
	const struct value *own; /* of an entry of "records"; NULL outside */
	unsigned groups;         /* the settings that are read */
	struct config *config;
	struct job *job; /* settings of records go here */
};

/* Read the settings from..to-1 of its groups. e: as config_read() */
int reading_take(const struct reading *r, enum setting from, enum setting to, struct err *e)
	__attribute__((warn_unused_result));

/* The value that counts: flag and environment, the entry's own, the file's for all, the default. */
const struct value *reading_value(const struct reading *r, enum setting s);

/* Its text; NULL when not set. */
const char *reading_text(const struct reading *r, enum setting s);

/*
 * Read the text of one setting of a record, whoever says it, to its field in job.
 *   e  ERR_CONFIG: what would be right
 */
int reading_take_text(enum setting s, const char *text, struct job *job, struct err *e)
	__attribute__((warn_unused_result));

/* "ttl: "abc" (TTL in the environment) is wrong: 1, or 30 to 86400 seconds". Returns -1. */
int reading_bad(const struct reading *r, enum setting s, const char *right, struct err *e);

#endif
