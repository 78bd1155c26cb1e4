/*
 * The drain of a run that is being stopped, of its first service: nobody knows of one that Consul
 * was never told of.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/run.h"

static const struct service *first_service(const struct run *r)
{
	for (size_t i = 0; i < r->services_n; i++)
		if (r->services[i]->registration.may_be_there)
			return r->services[i];
	return NULL;
}

/* Whether the address is gone; no one need tell us that we were heard. */
static bool is_asking(const struct drain_rule *rule)
{
	return rule->way.kind == DRAIN_DNS || rule->way.kind == DRAIN_API;
}

bool run_drain_is_set(const struct run *r)
{
	const struct drain_rule *rule = r->setup.drain;

	return rule && (rule->way.kind != DRAIN_NONE || rule->idle_ms) && first_service(r);
}

void run_drain_look(struct run *r, int64_t now_ms)
{
	const struct service *s = first_service(r);
	struct drain_setup setup = {
		.rule = r->setup.drain,
		.driver = r->setup.driver,
		.records = r->setup.records,
		.job = r->setup.place,
		.gives_up_blind = true,
	};
	struct err e;

	if (!run_drain_is_set(r) || r->has_drain)
		return;
	setup.port = s->setup->port;
	if (target_parse(&setup.address, s->address, NULL, &e) && is_asking(setup.rule)) {
		log_event(LOG_WARN, "no drain for this address", "error=%s", e.text);
		return;
	}
	r->has_drain = true;
	drain_start(&r->drain, &setup, now_ms);
	if (s->registration.wants_maintenance || s->registration.is_maintained)
		drain_leave(&r->drain, now_ms); /* it may have left DNS just before */
	(void)drain_line(&r->drain, now_ms, r->drain_text);
}

/* A line when it goes on to something else, not at each answer. */
static void tell(struct run *r, int64_t now_ms)
{
	struct drain_verdict v = drain_judge(&r->drain, now_ms);
	const char *note = drain_take_note(&r->drain);
	bool is_news = v.state != r->drain_told.state || v.source != r->drain_told.source;

	if (note)
		log_event(LOG_WARN, note, "name=%s error=%s", *r->drain.name ? r->drain.name : NULL,
			  r->drain.last_err.kind ? r->drain.last_err.text : NULL);
	r->drain_told = v;
	(void)drain_line(&r->drain, now_ms, r->drain_text);
	if (is_news && v.state != DRAIN_BEFORE && v.state != DRAIN_OVER)
		log_event(LOG_INFO, "draining", "state=%s", r->drain_text);
}

void run_drain_leave(struct run *r, int64_t now_ms)
{
	if (!r->has_drain)
		return;
	r->is_unheard = !run_services_are_settled(r);
	drain_leave(&r->drain, now_ms);
	tell(r, now_ms);
}

void run_drain_end(struct run *r)
{
	if (r->has_drain && !r->is_drained)
		drain_stop(&r->drain);
	r->is_drained = true;
}

void run_drain_wants(const struct run *r, struct loop_wait *w, int64_t now_ms)
{
	if (r->has_drain && !r->is_drained)
		drain_wants(&r->drain, w, now_ms);
}

void run_drain_step(struct run *r, int64_t now_ms)
{
	struct err e = {0};
	enum drain_result result;

	if (!r->has_drain || r->is_drained)
		return;
	result = drain_step(&r->drain, now_ms, &e);
	tell(r, now_ms);
	if (result == DRAIN_MORE)
		return;
	if (result == DRAIN_DONE && r->is_unheard && !is_asking(r->setup.drain))
		(void)err_set(&e, ERR_RETRY, "Consul has not heard that we leave");
	if (e.kind)
		log_event(LOG_WARN, "stopping undrained", "error=%s", e.text);
	else
		log_event(LOG_INFO, "drained", "seconds=%lld",
			  (long long)((now_ms - r->drain.view.start_ms) / 1000));
	run_drain_end(r);
}
