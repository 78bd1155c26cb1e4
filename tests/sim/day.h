/*
 * One simulated day, from its seed to what came of it.
 */
#ifndef SIM_DAY_H
#define SIM_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/check.h"
#include "sim/sim.h"

#define DAY_DECISIONS 4096

/* Left out is what is not among these, when there are any. Decisions: events, then chances. */
extern struct day_only {
	bool is_set;
	unsigned n;
	unsigned numbers[DAY_DECISIONS];
	int64_t until_ms; /* no day is longer; 0: none is cut */
} day_only;

/* What came of a day, in memory that is shared with who started it. */
extern struct day_result {
	bool is_over, is_broken;
	uint64_t seed;
	unsigned steps, decisions_n;
	int64_t at_ms;
	char invariant[32], how[1024], setup[256];
	unsigned decisions[DAY_DECISIONS];
	struct check_counts counts; /* of all days of the process, as the two below */
	uint64_t calls, days;
} * day_result;

/* Live through it; what comes of it is in *day_result. */
void day_run(uint64_t seed, bool is_traced);

const char *day_kind_name(enum sim_kind kind);

#endif
