/*
 * Being a service oneself: register with the local agent, report one's state, leave.
 * https://developer.hashicorp.com/consul/api-docs/agent/service and .../agent/check
 */
#ifndef CONSUL_AGENT_H
#define CONSUL_AGENT_H

#include "base/buf.h"
#include "core/instance.h"

/*
 * PUT /v1/agent/service/register: a service without port, with one check that must be reported
 * within ttl_sec and that begins as passing; after gone_sec without a report Consul forgets it.
 */
void consul_agent_register_body(struct buf *b, const char *id, const char *name, unsigned ttl_sec,
				unsigned gone_sec);

/* PUT: report the check's state: passing, warning or critical, with a line of text. */
void consul_agent_report_target(struct buf *b, const char *id);
void consul_agent_report_body(struct buf *b, enum instance_state state, const char *output);

/* PUT: leave. */
void consul_agent_deregister_target(struct buf *b, const char *id);

#endif
