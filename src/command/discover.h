/*
 * What sync and plan know of services that name their own records.
 */
#ifndef COMMAND_DISCOVER_H
#define COMMAND_DISCOVER_H

#include <stdint.h>

#include "command/clients.h"
#include "command/command.h"

/*
 * Read Consul's catalog once, and add to c->jobs what services claim; what is refused is logged.
 * What fails is tried again until give_up_ms. Returns EXIT_CODE_OK; EXIT_CODE_HELD: claims are
 * refused; or what stands for a failure, which is logged: none was added.
 */
enum exit_code discover_jobs(struct config *c, const struct clients *w, int64_t give_up_ms);

#endif
