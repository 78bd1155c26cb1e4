/*
 * What must always hold (src/README.md), on the world's state: what each copy knew, by what it was
 * answered, and what it did then.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "sim/cloudflare.h"
#include "sim/consul.h"
#include "sim/sim.h"

void check_begin(void);

/* A copy begins anew. */
void check_restart(int who);

/* It was given this answer of Consul, to a call begun then. */
void check_heard(int who, const struct consul_said *said, int64_t begun_ms);

/* It was given a page of a listing, or an answer to a write. */
void check_listed(int who, const struct cloud_exchange *x);

/* Until then it is not well off: a call of its failed, took long, or was answered what is not true any more; it is paused. */
void check_failed(int who, int64_t until_ms);

/* It begins a call to Cloudflare. */
void check_call(int who);

/* A transaction is in force. */
void check_committed(int who, const struct cloud_exchange *x, const struct cloud_change *changes, size_t n);

/*
 * Nothing goes wrong since long: are the records what is wanted? And may there be calls?
 *   is_soon  something has changed since the last time, a short time ago
 */
void check_rest(bool is_soon);
void check_begin_quiet(void);
void check_end_quiet(int64_t quiet_ms);

extern struct check_counts {
	uint64_t checked, excused, writes, episodes;
} check_counts;

#endif
