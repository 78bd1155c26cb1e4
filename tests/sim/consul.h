/*
 * The simulated Consul: services with instances and their history, blocking queries, consistency,
 * ACLs, sessions and a lock. It knows no copies but by number.
 */
#ifndef SIM_CONSUL_H
#define SIM_CONSUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

enum slot { SLOT_ABSENT, SLOT_PASSING, SLOT_WARNING, SLOT_CRITICAL, SLOT_MAINTENANCE, SLOT_NODE_DOWN, SLOT_STATES };

/* What an answer about a service says. */
struct consul_said {
	bool is_good;     /* a list, and not an error */
	bool is_evidence; /* it was right when it was made, and says all that it must */
	bool is_consistent;
	bool is_false; /* it was right some time ago, or is only a part */
	size_t service;
	int64_t made_ms;
	unsigned char slots[SIM_SLOTS];
};

struct consul_answer_text {
	int status;
	uint64_t index;
	char headers[512];
	char *body; /* CONSUL_TEXT_CAP bytes, the caller's */
	struct consul_said said;
};
#define CONSUL_TEXT_CAP 65536

void consul_init(void);

const char *consul_service_name(size_t service);

/* The content of the record that a slot's instance asks for. */
const char *consul_content(size_t service, size_t slot);

/* As it is now. */
const unsigned char *consul_slots(size_t service);
void consul_set(size_t service, size_t slot, enum slot state);

/* Its faults, each until then; consul_calm() ends all. */
void consul_event(const struct sim_event *event);
void consul_calm(void);

/* When something happens by itself: a session ends. */
int64_t consul_next_ms(void);
void consul_age(void);

/* Whether a connection is to be had by who has so many. */
bool consul_is_open(size_t connections_n);

/* Whether a query has to wait still. */
bool consul_is_blocked(const char *target, uint64_t asked, int64_t wait_until_ms);

/* A request has arrived. */
void consul_serve(const char *method, const char *target, const char *headers, const char *body, struct consul_answer_text *a);

/* A number that is another when something has changed for which a query may wait. */
extern unsigned consul_changes;

/* When the lock's key was deleted by hand: then no lock-delay keeps the others away. */
extern int64_t consul_key_gone_ms;

#endif
