/*
 * What a command that stays has: the configuration in force, the one that is read again beside it,
 * what both are turned into, and who may ask for pages.
 */
#ifndef COMMAND_STAY_H
#define COMMAND_STAY_H

#include <stdbool.h>

#include "base/err.h"
#include "command/clients.h"
#include "command/command.h"
#include "net/http/listener.h"

#define STAY_LISTENERS 2 /* for people and Prometheus; for health */

/*
 * Be new from now on. With only_secrets nothing else of it is another.
 *   e  then everything has to be as before
 */
typedef int stay_set_fn(const struct config *new, bool only_secrets, struct err *e);

/* Static, and zeroed at first. */
struct stay {
	const struct invocation *in;
	stay_set_fn *set;
	struct run_config *run_configs;
	struct config configs[2];
	int current; /* the one in force */
	struct clients clients;
	struct listener listeners[STAY_LISTENERS];
	char listen_host[CONFIG_KEY_CAP]; /* only a restart changes it */
};

/* The configuration in force. */
const struct config *stay_config(const struct stay *s);

/*
 * Read the configuration, prepare clients and open the listeners. Returns EXIT_CODE_OK, or another
 * after telling why. All are kept.
 *   set          takes a configuration that was read again
 *   run_configs  two, for the configurations of run; NULL: it is another command
 */
int stay_begin(struct stay *s, const struct invocation *in, stay_set_fn *set,
	       struct run_config *run_configs);

/*
 * Read the configuration again, and set it; what is wrong with it is logged, and the old one stays
 * as it is.
 *   ctx           the struct stay
 *   only_secrets  the rest may be of a file that is in the middle of an edit: it waits for SIGHUP
 */
void stay_reload(void *ctx, bool only_secrets);

#endif
