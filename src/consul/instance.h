/*
 * One instance: as the agent has it that it is registered with, and where in the catalog it stands.
 * Requests and answers, no policy.
 * https://developer.hashicorp.com/consul/api-docs/agent/service and .../catalog
 */
#ifndef CONSUL_INSTANCE_H
#define CONSUL_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "consul/answer.h"
#include "core/instance.h"
#include "core/job.h"
#include "core/name.h"

#define CONSUL_ID_CAP 512 /* bytes of an id, of a node's name */

struct consul_instance {
	char id[CONSUL_ID_CAP];
	char service[JOB_TEXT_CAP];
	char address[NAME_CAP + 1]; /* "": its node's */
	uint16_t port;              /* 0: none */
};

/*
 * GET: the agent's service of that id; or all whose id ends in "-" and that text: so a registrator
 * in a container names its own, by the host's name.
 */
void consul_instance_target(struct buf *b, const char *id, bool is_end);

/*
 * The one that came of it; none: its id is "".
 *   e  ERR_PROTO; ERR_CONFIG: there are several
 */
int consul_instance_read(const struct consul_answer *a, struct consul_instance *out, struct err *e)
	__attribute__((warn_unused_result));

/*
 * GET: its state as the agent has it, its node's checks among them: passing, in maintenance, or
 * another, which is told as critical. e: as consul_fail()
 */
void consul_instance_state_target(struct buf *b, const char *id);
int consul_instance_state_read(const struct consul_answer *a, enum instance_state *out,
			       struct err *e) __attribute__((warn_unused_result));

/* Where it stands in the catalog. */
struct consul_place {
	char node[CONSUL_ID_CAP]; /* "": nowhere */
	char address[NAME_CAP + 1];
};

/* GET; job says in which datacenter. e: ERR_PROTO */
void consul_instance_place_target(struct buf *b, const char *service, const char *id,
				  const struct job *job);
int consul_instance_place_read(const struct consul_answer *a, struct consul_place *out,
			       struct err *e) __attribute__((warn_unused_result));

#endif
