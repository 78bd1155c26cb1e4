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

static void drop(struct watch *w, struct managed_name *name, bool removes, int64_t now_ms)
{
	log_event(LOG_INFO, "name dropped", "name=%s service=%s records=%s", name->job.name,
		  name->job.service, removes ? "removed" : "kept");
	watch_drop_name(w, name, removes, now_ms);
}

static void freeze(struct watch *w, struct managed_name *name, const char *why, int64_t now_ms)
{
	if (why && why != name->frozen)
		log_event(LOG_WARN, "name held", "name=%s service=%s error=%s", name->job.name,
			  name->job.service, why);
	watch_freeze_name(w, name, why, now_ms);
}

static void add(struct watch *w, const struct job *job, int64_t now_ms)
{
	bool is_added = watch_add_name(w, job, now_ms);

	log_event(is_added ? LOG_INFO : LOG_ERROR,
		  is_added ? "name discovered" : "no room for a name", "name=%s service=%s",
		  job->name, job->service);
}

/* Nobody claims it any more, and its service has not just vanished. */
static void give_up(struct watch *w, struct managed_name *name, int64_t now_ms)
{
	const struct claims *c = w->discovery.last;
	const bool removes = name->job.on_drop == ON_DROP_REMOVE;

	if (removes && c->gap != EVIDENCE_OK)
		freeze(w, name, evidence_gap_text(c->gap), now_ms);
	else
		drop(w, name, removes, now_ms);
}

/* Of services that are listed, and of those that vanished, with their last tags. */
static void judge(struct watch *w, struct managed_name *name, int64_t now_ms)
{
	struct claims *c = w->discovery.last;
	struct claim *claim = claims_find(c, name->job.name);
	struct claimant *by = claims_find_by(c, name->job.service);
	struct job job;

	if (by)
		by->is_kept = true;
	if (!claim && by && by->is_bad) {
		freeze(w, name, claims_verdict_text(CLAIM_BAD), now_ms);
	} else if (!claim) {
		give_up(w, name, now_ms);
	} else if (claim->verdict == CLAIM_CONFIGURED) {
		drop(w, name, false, now_ms);
	} else if (claim->verdict) {
		freeze(w, name, claims_verdict_text(claim->verdict), now_ms);
		for (; claim < c->of + c->n && strcmp(claim->name, name->job.name) == 0; claim++)
			claim->is_kept = claim->by == by;
	} else {
		claim->is_kept = claim->by->is_kept = true;
		claims_job(claim, w->discovery.config, &job);
		if (memcmp(&job, &name->job, sizeof job) == 0)
			freeze(w, name, NULL, now_ms);
		else
			add(w, &job, now_ms);
	}
}

static void taken(void *ctx, struct claims *was)
{
	struct watch *w = ctx;
	struct claims *c = w->discovery.last;
	const int64_t now_ms = clock_now_ms();

	(void)was;
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		struct managed_name *name = w->names[i];

		if (name && is_discovered(name))
			judge(w, name, now_ms);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct claim *claim = &c->of[i];
		struct job job;

		if (claim->verdict || claim->is_kept)
			continue;
		claim->is_kept = claim->by->is_kept = true;
		claims_job(claim, w->discovery.config, &job);
		add(w, &job, now_ms);
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
	if (!w->is_stopping)
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
	const int64_t now_ms = clock_now_ms();

	if (!w->discovery.config)
		return;
	discovery_set_config(&w->discovery, config);
	/* What is not allowed any more waits for nothing. */
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		struct managed_name *name = w->names[i];

		if (name && is_discovered(name) && !tags_is_allowed(config, name->job.name))
			freeze(w, name, claims_verdict_text(CLAIM_NOT_ALLOWED), now_ms);
	}
}
