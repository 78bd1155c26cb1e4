/* Reads a configuration from texts: arguments, environment, a file. */
#ifndef TEST_CONF_H
#define TEST_CONF_H

#include "config/config.h"

extern struct config conf;
extern struct run_config conf_run;

/* What is read: all that the commands of records take; what run takes; and when it is called containerbuddy; what drain does. */
#define CONF_RECORDS (GROUP_RECORDS | GROUP_CLOUDFLARE | GROUP_CONSUL | GROUP_RETRY | GROUP_WATCH | GROUP_LISTEN | GROUP_LOG)
#define CONF_RUN (GROUP_RUN | GROUP_DRAIN | GROUP_CONSUL | GROUP_CLOUDFLARE | GROUP_LISTEN | GROUP_LOG)
#define CONF_CONTAINERBUDDY (CONF_RUN | GROUP_FILE)
#define CONF_OPERATOR (GROUP_OPERATOR | GROUP_DRAIN | GROUP_CONSUL | GROUP_CLOUDFLARE | GROUP_LOG)

/*
 * Read it with nothing else set than this.
 *   args  flags and arguments, each ended by '|': "--ttl|60|nginx|"
 *   env   variables, each ended by '|': "TTL=60|RECORD=www.example.com|"; "%" in a value is the
 *         path of a file with the bytes of file
 *   file  or NULL
 */
int conf_read(const char *args, const char *env, const char *file, struct err *e);

/* The same for one of the above. */
int conf_read_as(unsigned groups, const char *args, const char *env, const char *file, struct err *e);

#endif
