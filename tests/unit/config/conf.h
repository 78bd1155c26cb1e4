/* Reads a configuration from texts: arguments, environment, a file. */
#ifndef TEST_CONF_H
#define TEST_CONF_H

#include "config/config.h"

extern struct config conf;

/*
 * Read it with nothing else set than this.
 *   args  flags and arguments, each ended by '|': "--ttl|60|nginx|"
 *   env   variables, each ended by '|': "TTL=60|RECORD=www.example.com|"; "%" in a value is the
 *         path of a file with the bytes of file
 *   file  or NULL
 */
int conf_read(const char *args, const char *env, const char *file, struct err *e);

#endif
