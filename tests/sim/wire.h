/*
 * What is between the copies and the world: calls under way, in the place of the HTTP client.
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include <stdint.h>

#include "sim/sim.h"

struct cloud_exchange;

void wire_init(void);

/* When the next call arrives. */
int64_t wire_next_ms(void);

/* Serve what has arrived, and what had to wait for what has come. */
void wire_serve(void);

/* All calls of this copy are nobody's any more. */
void wire_drop_all(int who);

/* Whether the client of this call is still there. */
bool wire_is_awaited(const struct cloud_exchange *x);

/* When it was sent. */
int64_t wire_sent_ms(const struct cloud_exchange *x);

/* Consul's wire is bad until then. */
void wire_event(const struct sim_event *event);
void wire_calm(void);

#endif
