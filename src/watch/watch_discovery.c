/*
 * The names of a watch that services claim: what a new answer of the catalog makes of those that
 * are kept.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/tags.h"
#include "core/pace.h"
#include "watch/services.h"
#include "watch/watch.h"

static bool is_discovered(const struct managed_name *name)
{
	return name->is_used && name->is_discovered && !name->job.is_dropped;
}

static void add(struct watch *w, const struct claim *claim, bool is_news, int64_t now_ms)
{
	struct managed_name *name;
	struct job job;

	claims_job(claim, w->discovery.config, &job);
	name = watch_add_name(w, &job, now_ms);
	if (name)
		name->claim_sum = claim->by->sum;
	if (is_news || !name)
		log_event(name ? LOG_INFO : LOG_ERROR,
			  name ? "name discovered" : "no room for a name", "name=%s service=%s",
			  claim->name, job.service);
}

/*
 * It is not granted any more. What its service wants of it is unknown while others claim it, too,
 * or a tag is wrong: then it stays as it is. Else the tag is gone; who registers anew does without
 * it for a moment, so removals have the grace of an instance, and then another answer.
 */
static void drop(struct watch *w, struct managed_name *name, bool is_claimed, int64_t now_ms)
{
	struct claims *c = w->discovery.last;
	const struct claimant *by = claims_find_by(c, name->job.service);
	const bool removes =
		!is_claimed && !(by && by->is_bad) && name->job.on_drop == ON_DROP_REMOVE;
	const char *gap = removes ? evidence_gap_text(c->gap) : NULL;
	int64_t due_ms;

	if (!name->left_ms)
		name->left_ms = now_ms;
	due_ms = name->left_ms + name->job.grace_ms;
	if (gap && !name->is_doubted)
		log_event(LOG_WARN, "name not dropped yet", "name=%s service=%s error=%s",
			  name->job.name, name->job.service, gap);
	name->is_doubted = gap != NULL;
	if (gap)
		return;
	if (removes && due_ms > now_ms) {
		if (!w->discovery.ask_ms || due_ms < w->discovery.ask_ms)
			w->discovery.ask_ms = due_ms;
		return;
	}
	log_event(LOG_INFO, "name dropped", "name=%s service=%s records=%s", name->job.name,
		  name->job.service, removes ? "removed" : "kept");
	watch_drop_name(w, name, removes, now_ms);
}

/* Of names that are kept, and of claims. */
static void taken(void *ctx)
{
	struct watch *w = ctx;
	struct claims *c = w->discovery.last;
	const int64_t now_ms = clock_now_ms();

	w->discovery.ask_ms = 0;
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		struct managed_name *name = w->names[i];
		struct claim *claim;

		if (!name || !is_discovered(name))
			continue;
		claim = claims_find(c, name->job.name);
		if (!claim || claim->verdict) {
			drop(w, name, claim != NULL, now_ms);
			continue;
		}
		claim->is_served = true;
		name->is_doubted = false;
		name->left_ms = 0;
		if (name->claim_sum != claim->by->sum)
			add(w, claim, true, now_ms);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct claim *claim = &c->of[i];

		if (!claim->verdict && !claim->is_served)
			add(w, claim, claim->before != CLAIM_GRANTED, now_ms);
	}
	services_sweep(w);
}

static void fill_claim(const struct status *s, size_t i, struct status_claim *out)
{
	static struct err why;
	const struct watch *w = s->ctx;
	const struct claim *claim = discovery_refused(&w->discovery, i);

	*out = (struct status_claim){
		.name = claim->name,
		.service = claim->by->tags.service,
		.why = claims_why(claim, w->discovery.config, &why),
	};
}

void watch_discovery_status(const struct watch *w, struct status *s)
{
	s->has_discovery = w->discovery.config != NULL;
	s->claims_n = discovery_refused_n(&w->discovery);
	s->fill_claim = fill_claim;
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		s->discovered_n += w->names[i] && is_discovered(w->names[i]);
}

static void wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct watch *w = ctx;

	(void)now_ms;
	if (w->is_stopping)
		return;
	if (w->discovery.ask_ms)
		loop_wait_until(wait, w->discovery.ask_ms);
	catalog_watch_wants(w->discovery.catalog, wait);
}

static void step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;

	if (discovery_step(&w->discovery, now_ms, driver_random()) == BLOCKING_FAILED)
		w->was_refused |= pace_wants_secrets(w->discovery.catalog->last_err.kind);
}

int watch_discover(struct watch *w, const struct config *config, struct err *e)
{
	w->discovery.taken = taken;
	w->discovery.ctx = w;
	if (discovery_init(&w->discovery, config, w->setup.consul, w->setup.consul_headers, e))
		return -1;
	loop_add_new(&w->loop, &w->discovery.catalog->part, w, wants, step);
	return 0;
}

void watch_discover_by(struct watch *w, const struct config *config)
{
	if (w->discovery.config)
		discovery_set_config(&w->discovery, config);
}
