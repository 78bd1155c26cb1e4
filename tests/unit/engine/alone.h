/*
 * One name's reconcile with all that it is lent, driven as a round of one. Static: one per program.
 */
#ifndef TEST_ALONE_H
#define TEST_ALONE_H

#include "engine/round.h"

extern struct alone {
	struct reconcile r;
	struct round round;
	struct reconcile_storage storage;
	struct zone_table zones;
	struct reconcile_seldom seldom;
	struct record have[RECORDS_MAX];
	struct consul_view view; /* sync's */
	struct endpoint listed[CONSUL_INSTANCES_MAX];
} alone;

/* No zone is known yet. */
void alone_forget_zones(void);

/* reconcile_init(), reconcile_init_watch(), reconcile_begin(). */
void alone_init(const struct job *job, bool is_dry_run, int64_t give_up_ms);
void alone_init_watch(const struct job *job);
void alone_begin(const struct consul_view *listed, bool is_resync, int64_t now_ms);

struct call alone_next(int64_t now_ms);
void alone_take(int rc, const struct err *e, int64_t now_ms, uint32_t random);

/* What is written of its name. */
struct cf_part *alone_part(const struct call *c);

#endif
