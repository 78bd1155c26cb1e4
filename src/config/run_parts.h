/*
 * How a struct run_config is filled, for its two sources: settings (run_config.c) and
 * Containerbuddy's JSON (containerbuddy.c).
 */
#ifndef CONFIG_RUN_PARTS_H
#define CONFIG_RUN_PARTS_H

#include "config/readers.h"
#include "config/run_config.h"

/* Begin anew: what was in it is lost. The application is what v says. */
void run_config_init(struct run_config *c, const struct values *v);

/* Keep n bytes as a text. NULL: e, ERR_CONFIG: there is no room. */
char *run_keep(struct run_config *c, const char *p, size_t n, struct err *e);

/*
 * A command, word by word: begin, add, end; one at a time.
 *   e  ERR_CONFIG: there is no room
 */
void run_command_begin(struct run_config *c, struct run_command *command);
int run_command_add(struct run_config *c, struct run_command *command, const char *p, size_t n,
		    struct err *e) __attribute__((warn_unused_result));
int run_command_end(struct run_config *c, struct run_command *command, struct err *e)
	__attribute__((warn_unused_result));

/* All of one from a text: cut at white space, and there are no empty words. */
int run_command_split(struct run_config *c, struct run_command *command, const char *text,
		      struct err *e) __attribute__((warn_unused_result));

/* Add a tag, which is kept. e: ERR_CONFIG: one too many, or a flaw */
int run_add_tag(struct run_service *s, const char *tag, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Copy a service's name, which Consul and DNS are to take.
 *   e  ERR_CONFIG: empty, too long, or what cannot stand in it
 */
int run_take_name(char out[RUN_NAME_MAX + 1], const char *name, struct err *e)
	__attribute__((warn_unused_result));

/* Fill *c from the settings: one service. e: as config_read() */
int run_config_take(struct run_config *c, const struct reading *r, struct err *e)
	__attribute__((warn_unused_result));

#endif
