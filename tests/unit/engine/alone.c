#include "engine/alone.h"

#include <string.h>

struct alone alone;
static const struct reconcile_own own = {alone.have, &alone.seldom, &alone.view};

static void lend(void)
{
	alone.storage.zones = &alone.zones;
	alone.round.storage = &alone.storage;
	alone.round.n = 0;
	alone.round.parts_max = 0;
	reconcile_forget_all(&alone.storage);
}

void alone_forget_zones(void)
{
	memset(alone.zones.zones, 0, alone.zones.n * sizeof alone.zones.zones[0]);
	alone.zones.n = 0;
	cf_zone_book_forget(&alone.zones.book);
}

void alone_init(const struct job *job, bool is_dry_run, int64_t give_up_ms)
{
	lend();
	alone.view.listed = alone.listed;
	reconcile_init(&alone.r, job, &alone.storage, &own, is_dry_run, give_up_ms);
	round_add(&alone.round, &alone.r);
}

void alone_init_watch(const struct job *job)
{
	lend();
	reconcile_init_watch(&alone.r, job, &own);
}

void alone_begin(const struct consul_view *listed, bool is_resync, int64_t now_ms)
{
	lend();
	reconcile_begin(&alone.r, &alone.storage, listed, is_resync, now_ms, 0);
	round_add(&alone.round, &alone.r);
}

struct call alone_next(int64_t now_ms)
{
	return round_next(&alone.round, now_ms);
}

void alone_take(int rc, const struct err *e, int64_t now_ms, uint32_t random)
{
	round_take(&alone.round, rc, e, now_ms, random);
}

struct cf_part *alone_part(const struct call *c)
{
	return &c->write->parts[0];
}
