/*
 * Where in Consul a request goes: datacenter, namespace, partition; and parameters of a request
 * target at all.
 */
#ifndef CONSUL_PLACE_H
#define CONSUL_PLACE_H

#include "base/buf.h"
#include "core/job.h"

/* Append "?name=value", or "&..." when b has a '?' already; nothing when value is "". */
void consul_parameter_add(struct buf *b, const char *name, const char *value);

/*
 * Append dc, ns and partition as far as the job has them; of a call to the local agent, which is in
 * one datacenter, without dc.
 */
void consul_place_add(struct buf *b, const struct job *job);
void consul_place_add_local(struct buf *b, const struct job *job);

#endif
