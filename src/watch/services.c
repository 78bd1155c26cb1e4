#include "watch/services.h"

#include "base/log.h"
#include "core/pace.h"
#include "watch/watch.h"

static void service_changed(struct watch *w, const struct service_watch *s, int64_t now_ms)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (w->names[i] && w->names[i]->is_used && w->names[i]->watch == s)
			managed_mark(w->names[i], now_ms);
}

static void service_failed(struct watch *w, const struct service_watch *s)
{
	w->was_refused |= pace_wants_secrets(s->last_err.kind);
	log_event(s->failures == 1 ? LOG_WARN : LOG_DEBUG, "consul does not answer",
		  "service=%s error=%s failures=%u", s->job.service, s->last_err.text, s->failures);
}

static void service_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct service_watch *s = ctx;
	const struct watch *w = s->owner;

	(void)now_ms;
	if (!w->is_stopping)
		service_watch_wants(s, wait);
}

static void service_step(void *ctx, int64_t now_ms)
{
	struct service_watch *s = ctx;
	unsigned failures = s->failures;

	switch (service_watch_step(s, now_ms, driver_random())) {
	case SERVICE_WATCH_CHANGED: service_changed(s->owner, s, now_ms); break;
	case SERVICE_WATCH_FAILED: service_failed(s->owner, s); break;
	case SERVICE_WATCH_NOTHING: break;
	}
	if (failures && !s->failures)
		log_event(LOG_INFO, "consul answers again", "service=%s", s->job.service);
}

static void add(struct watch *w, struct service_watch *s)
{
	s->owner = w;
	loop_add_new(&w->loop, &s->part, s, service_wants, service_step);
}

struct service_watch *services_find(struct watch *w, const struct job *job)
{
	struct service_watch *new = w->services[w->services_n];

	for (size_t i = 0; i < w->services_n; i++)
		if (job_is_same_query(&w->services[i]->job, job))
			return w->services[i];
	w->services_n++;
	service_watch_init(new, job, w->setup.consul, w->setup.consul_headers, w->setup.timeout_ms);
	new->query.wait_sec = w->setup.wait_sec;
	add(w, new);
	return new;
}

/* How many different services these jobs are for. */
static size_t count(const struct job *jobs, size_t jobs_n)
{
	size_t n = 0;

	for (size_t i = 0; i < jobs_n; i++) {
		size_t k = 0;

		while (k < i && !job_is_same_query(&jobs[k], &jobs[i]))
			k++;
		n += k == i;
	}
	return n;
}

void services_stop(struct watch *w)
{
	for (size_t i = 0; i < w->services_n; i++) {
		w->old_reads += w->services[i]->reads;
		w->old_connections += http_counters(&w->services[i]->client)->connections;
		http_close(&w->services[i]->client);
		loop_remove(&w->services[i]->part);
	}
	w->services_n = 0;
}

int services_reserve(struct watch *w, const struct job *jobs, size_t jobs_n)
{
	const size_t n = count(jobs, jobs_n);

	for (size_t i = 0; i < n; i++)
		if (!w->services[i] && !(w->services[i] = service_watch_reserve()))
			return -1;
	return 0;
}

void services_set_times(struct watch *w)
{
	for (size_t i = 0; i < w->services_n; i++) {
		w->services[i]->timeout_ms = w->setup.timeout_ms;
		w->services[i]->query.wait_sec = w->setup.wait_sec;
	}
}
