/*
 * Being a service oneself: register with the local agent, report one's state, go into maintenance,
 * leave; and look at what the agent holds of it.
 * https://developer.hashicorp.com/consul/api-docs/agent/service and .../agent/check
 */
#ifndef CONSUL_AGENT_H
#define CONSUL_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/instance.h"

struct consul_meta {
	const char *key, *value;
};

/* A service with one check, to be reported within ttl_sec. All pointers are the caller's. */
struct consul_service {
	const char *id, *name;
	const char *address; /* NULL or "": the node's */
	uint16_t port;       /* 0: none */
	const char *const *tags;
	size_t tags_n;
	const struct consul_meta *metas;
	size_t metas_n;
	bool has_tag_override; /* others may change the tags */
	unsigned ttl_sec;
	unsigned gone_sec; /* after so long critical Consul forgets it; 0: never */
};

/*
 * PUT /v1/agent/service/register. state is what the check begins as; where the agent has that check
 * already, its state and output stay as they are (measured: 1.8.7).
 */
void consul_agent_register_body(struct buf *b, const struct consul_service *s,
				enum instance_state state);

/* PUT: report the check's state: passing, warning or critical, with a line of text. */
void consul_agent_report_target(struct buf *b, const char *id);
void consul_agent_report_body(struct buf *b, enum instance_state state, const char *output);

/* PUT: maintenance on, for this reason, or off. */
void consul_agent_maintenance_target(struct buf *b, const char *id, bool is_on, const char *reason);

/* GET: the service as the agent has it; the answer's hash is another when anything was changed. */
void consul_agent_look_target(struct buf *b, const char *id);

/* GET: its maintenance check alone, by CheckID; an empty object when there is none. */
void consul_agent_find_maintenance_target(struct buf *b, const char *id);

/*
 * The reason in such an answer into out[0..cap), "" where there is no such check or the answer
 * cannot be read.
 */
void consul_agent_maintenance_reason(const char *body, size_t len, char *out, size_t cap);

/* PUT: leave. */
void consul_agent_deregister_target(struct buf *b, const char *id);

#endif
