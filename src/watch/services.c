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
	w->was_refused |= pace_wants_secrets(s->read.last_err->kind);
	log_event(s->read.failures == 1 ? LOG_WARN : LOG_DEBUG, "consul does not answer",
		  "service=%s error=%s failures=%u", s->job.service, s->read.last_err->text,
		  s->read.failures);
}

static void reader_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct service_reader *r = ctx;
	const struct watch *w = r->owner;

	(void)now_ms;
	if (!w->is_stopping)
		service_watch_wants(r->service, wait);
}

static void reader_step(void *ctx, int64_t now_ms)
{
	struct service_reader *r = ctx;
	struct service_watch *s = r->service;
	unsigned failures = s->read.failures;

	switch (service_watch_step(s, now_ms, driver_random())) {
	case BLOCKING_CHANGED: service_changed(r->owner, s, now_ms); break;
	case BLOCKING_FAILED: service_failed(r->owner, s); break;
	case BLOCKING_NOTHING: break;
	}
	if (failures && !s->read.failures)
		log_event(LOG_INFO, "consul answers again", "service=%s", s->job.service);
}

struct service_watch *services_find(struct watch *w, const struct job *job)
{
	struct service_watch *new = w->services[w->services_n];
	struct service_reader *r;

	for (size_t i = 0; i < w->services_n; i++)
		if (job_is_same_query(&w->services[i]->job, job))
			return w->services[i];
	w->services_n++;
	r = new->reader;
	service_watch_init(new, job);
	new->read.wait_sec = w->setup.wait_sec;
	service_reader_init(r, w->setup.consul, w->setup.consul_headers, w->setup.timeout_ms);
	r->owner = w;
	r->service = new;
	loop_add_new(&w->loop, &r->part, r, reader_wants, reader_step);
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

static void stop(struct watch *w, struct service_watch *s)
{
	w->old_reads += s->read.reads;
	w->old_connections += http_counters(&s->reader->by.client)->connections;
	http_close(&s->reader->by.client);
	loop_remove(&s->reader->part);
}

void services_stop(struct watch *w)
{
	for (size_t i = 0; i < w->services_n; i++)
		stop(w, w->services[i]);
	w->services_n = 0;
}

static int reserve(struct service_watch **s)
{
	return (!*s && !(*s = service_watch_reserve())) ||
			       (!(*s)->reader && !((*s)->reader = service_reader_reserve()))
		       ? -1
		       : 0;
}

int services_reserve(struct watch *w, const struct job *jobs, size_t jobs_n)
{
	const size_t n = count(jobs, jobs_n);

	for (size_t i = 0; i < n; i++)
		if (reserve(&w->services[i]))
			return -1;
	return 0;
}

struct service_watch *services_add(struct watch *w, const struct job *job)
{
	const size_t n = w->services_n;

	return n < WATCH_RECORDS_MAX && !reserve(&w->services[n]) ? services_find(w, job) : NULL;
}

static bool is_wanted(const struct watch *w, const struct service_watch *s)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (w->names[i] && w->names[i]->is_used && w->names[i]->watch == s)
			return true;
	return false;
}

void services_sweep(struct watch *w)
{
	for (size_t i = w->services_n; i--;) {
		struct service_watch *s = w->services[i];

		if (is_wanted(w, s))
			continue;
		stop(w, s);
		w->services[i] = w->services[--w->services_n];
		w->services[w->services_n] = s; /* its storage is for the next */
	}
}

void services_set_times(struct watch *w)
{
	for (size_t i = 0; i < w->services_n; i++) {
		w->services[i]->reader->by.timeout_ms = w->setup.timeout_ms;
		w->services[i]->read.wait_sec = w->setup.wait_sec;
	}
}
