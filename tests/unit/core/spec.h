/*
 * Targets, records and plans as short texts, for tables of cases:
 *   targets  "1.1.1.1 2001:db8::1 lb.example.net"
 *   records  "a=1.1.1.1/60 b=2.2.2.2/1/p": id, content, ttl, then letters: p proxied, f foreign,
 *            u without our comment, and ours only as long as the service has such targets,
 *            and the state in Consul: m maintenance, v vanished (if none), c critical, w warning,
 *            g passing
 *   plan     "+1.1.1.1/60 ~a=1.1.1.1/60 -b !c": create, update, delete, hold; a p after the ttl
 *            when proxied; "swap " before a swap
 */
#ifndef TEST_SPEC_H
#define TEST_SPEC_H

#include "core/plan.h"

/* Both append to their lists and return how many there are; hosts keeps the host names. */
size_t spec_targets(const char *text, struct target *out, struct target_hosts *hosts);
size_t spec_records(const char *text, struct record *out, struct target_hosts *hosts);

/* Write the plan's ops as text. */
void spec_plan(const struct plan *p, char *out, size_t cap);

#endif
