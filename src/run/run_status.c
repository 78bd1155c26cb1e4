/*
 * What a run shows of itself.
 */
#include "base/clock.h"
#include "run/run.h"
#include "version.h"

static enum run_app app_of(const struct run *r)
{
	if (!r->setup.config->app.n)
		return RUN_APP_NONE;
	if (!r->has_app)
		return RUN_APP_BEFORE;
	return run_has_app(r) ? RUN_APP_RUNNING : RUN_APP_ENDED;
}

static void show_service(const struct service *s, int64_t now_ms, struct run_status_part *p)
{
	const struct registration *g = &s->registration;
	const struct check *c = &s->check;

	p->kind = RUN_STATUS_SERVICE;
	p->name = s->setup->name;
	p->id = g->id;
	p->address = s->address;
	p->port = s->setup->port;
	p->error = g->is_failing ? g->last_err.text : NULL;
	p->ttl_ms = (int64_t)s->setup->ttl_sec * 1000;
	p->waiting_ms = c->begun_ms ? now_ms - c->begun_ms : 0; /* 0: it has not begun */
	run_status_set(p, RUN_FACT_REGISTERED, g->is_registered);
	run_status_set(p, RUN_FACT_MAINTENANCE, g->wants_maintenance);
	run_status_set(p, RUN_FACT_REGISTRATIONS, (int64_t)g->counts.registrations);
	run_status_set(p, RUN_FACT_HEARTBEATS, (int64_t)g->counts.reports);
	run_status_set(p, RUN_FACT_CALL_FAILURES, (int64_t)g->counts.failures);
	run_status_set(p, RUN_FACT_CHECKS, (int64_t)c->runs);
	run_status_set(p, RUN_FACT_CHECK_FAILURES, (int64_t)c->failures);
	if (!c->has_result)
		return;
	p->output = c->output;
	run_status_set(p, RUN_FACT_PASSING, c->is_passing);
	run_status_set(p, RUN_FACT_CHECK_TIME, c->duration_ms);
}

static void fill_part(const struct run_status *s, size_t i, struct run_status_part *p)
{
	const struct run *r = s->ctx;

	if (i < r->services_n)
		show_service(r->services[i], clock_now_ms(), p);
	else
		(void)backends_show(&r->backends, i - r->services_n, p);
}

static size_t backends_n(const struct run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < BACKENDS_MAX; i++)
		n += r->backends.of[i].is_followed;
	return n;
}

void run_status_fill(const struct run *r, int64_t now_ms, struct run_status *s)
{
	*s = (struct run_status){
		.version = DNSBUDDY_VERSION,
		.uptime_ms = now_ms - r->start_ms,
		.app = app_of(r),
		.is_stopping = r->phase > RUN_WORKING,
		.has_drain = r->has_drain && !r->is_drained,
		.parts_n = r->services_n + backends_n(r),
		.fill_part = fill_part,
		.ctx = r,
	};
	if (!s->has_drain)
		return;
	s->drain = r->drain_told.state;
	s->drain_line = r->drain_text;
}
