/*
 * Many services with an instance each on a few nodes, in a Consul of its own behind the world's
 * client, and a watch that follows them. Static: one per program.
 */
#ifndef TEST_MANY_H
#define TEST_MANY_H

#include "watch/world.h"

#define MANY 1024
#define MANY_NODES 16
#define MANY_RESYNC_MS 300000

extern struct many {
	struct many_service {
		const char *state;
		unsigned address; /* 198.51.100.x; another one is no change of a check */
		bool is_unchecked, is_gone;
		unsigned tag;
		uint64_t index; /* of what changed last */
	} of[MANY];
	size_t n;
	uint64_t indices[TOLD_KINDS], index;
	int told_status[TOLD_KINDS], read_status; /* 0: as it should be */

	struct service_watch *watched[MANY];
	unsigned told_n[TOLD_KINDS], reads_n, read_of[MANY]; /* since many_forget() */
	unsigned moments_n;                                  /* at which there were some, 100 ms apart */
} many;

/* Follow the first n of them. */
void many_follow(size_t n);

/* The same, until everything is read. */
void many_settle(size_t n);

/* Follow this one, too. */
void many_add(size_t i);

/* What was read until now does not count. */
void many_forget(void);

void many_set_state(size_t i, const char *state);

/* The service as its agent registers it anew: by the catalog alone. */
void many_set_address(size_t i, unsigned address);

/* The same with its check: it comes, or it has gone. */
void many_come(size_t i);

void many_set_tag(size_t i, unsigned tag);

void many_set_node(size_t node, bool is_in_maintenance);

/* The next reading of this service is from before what changes from now on. */
void many_be_old(size_t i, const char *state);

/* What the watch has read of it. */
unsigned many_address_of(size_t i);
bool many_is_passing(size_t i);

#endif
