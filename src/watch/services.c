#include "watch/services.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/pace.h"
#include "watch/places.h"
#include "watch/watch.h"

_Static_assert(SERVICES_MAX >= WATCH_RECORDS_MAX, "each name may have a service of its own");

/* ---- what a reading says ---- */

static void service_changed(struct watch *w, const struct service_watch *s, int64_t now_ms)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++)
		if (w->names[i]->is_used && w->names[i]->watch == s)
			managed_mark(w->names[i], now_ms);
}

/* Wide, it is told once for the place; here only what is of this service alone. */
static enum log_level level(const struct service_watch *s)
{
	const struct services_place *p = s->wide.place;

	return s->read.failures > 1 || (p && p->is_blind) ? LOG_DEBUG : LOG_WARN;
}

static void service_failed(struct watch *w, const struct service_watch *s)
{
	w->was_refused |= pace_wants_secrets(s->read.last_err->kind);
	log_event(level(s), "consul does not answer", "service=%s error=%s failures=%u",
		  s->job.service, s->read.last_err->text, s->read.failures);
}

static void read_service(struct watch *w, struct service_watch *s, int64_t now_ms)
{
	struct services_place *p = s->wide.place;
	unsigned failures = s->read.failures;

	switch (service_watch_step(s, now_ms, driver_random())) {
	case BLOCKING_CHANGED:
		service_changed(w, s, now_ms);
		if (p && s->wide.is_swept)
			p->futile_n = 0;
		break;
	case BLOCKING_FAILED: service_failed(w, s); break;
	case BLOCKING_NOTHING: break;
	}
	if (failures && !s->read.failures)
		log_event(p && p->is_blind ? LOG_DEBUG : LOG_INFO, "consul answers again",
			  "service=%s", s->job.service);
}

/* ---- who reads: single, a reader for each; wide, whoever is free ---- */

static bool goes_before(const struct service_watch *a, int64_t a_ms, const struct service_watch *b,
			int64_t b_ms)
{
	if (b && a->wide.is_swept != b->wide.is_swept)
		return b->wide.is_swept;
	return a_ms < b_ms;
}

/*
 * Of those that are due and may be read the one that has been so for the longest time; first those
 * of which something was told.
 */
static struct service_watch *next_due(struct watch *w, int64_t now_ms)
{
	struct services *all = &w->services;
	struct service_watch *first = NULL;
	int64_t first_ms = CLOCK_NEVER, next_ms = CLOCK_NEVER;

	for (size_t i = 0; i < all->n; i++) {
		struct service_watch *s = all->of[i];
		int64_t *due_ms = &all->due_ms[i];

		if (*due_ms <= now_ms && goes_before(s, *due_ms, first, first_ms) &&
		    places_may_read(s->wide.place)) {
			if (blocking_ready_ms(&s->read) <= now_ms) {
				first = s;
				first_ms = *due_ms;
			} else {
				*due_ms = blocking_ready_ms(&s->read);
			}
		}
		if (*due_ms > now_ms && *due_ms < next_ms)
			next_ms = *due_ms;
	}
	all->next_ms = first ? now_ms : next_ms;
	return first;
}

static void begin_reading(struct service_reader *r, struct service_watch *s)
{
	r->service = s;
	s->reader = r;
}

static void end_reading(struct service_reader *r)
{
	http_close(&r->by.client);
	if (!r->service)
		return;
	r->service->reader = NULL;
	r->service = NULL;
}

static void take_next(struct watch *w, struct service_reader *r, int64_t now_ms)
{
	struct service_watch *s = w->services.next_ms <= now_ms ? next_due(w, now_ms) : NULL;

	if (!s)
		return;
	w->services.due_ms[s->wide.slot] = CLOCK_NEVER;
	begin_reading(r, s);
	places_begin(s);
}

/* Wide, a reading is over: when is the next one? */
static void put_back(struct watch *w, struct service_reader *r, int64_t now_ms)
{
	struct service_watch *s = r->service;
	int64_t next_ms = places_turn_ms(w, s->wide.place, now_ms);

	places_end(s);
	if (s->read.failures || s->wide.is_again)
		next_ms = now_ms; /* as soon as it may be */
	s->wide.is_again = s->wide.is_swept = false;
	s->reader = NULL;
	r->service = NULL;
	places_read(w, s, next_ms);
}

static void reader_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct service_reader *r = ctx;
	const struct watch *w = r->owner;

	(void)now_ms;
	if (w->is_stopping)
		return;
	if (r->service)
		service_watch_wants(r->service, wait);
	else if (w->services.is_wide)
		loop_wait_until(wait, w->services.next_ms);
}

/* Wide, who has read one goes on to the next: a turn of the loop may cost more than both. */
static void reader_step(void *ctx, int64_t now_ms)
{
	struct service_reader *r = ctx;
	struct watch *w = r->owner;

	for (int i = 0; i < 2; i++) {
		if (!r->service && w->services.is_wide)
			take_next(w, r, now_ms);
		if (!r->service)
			return;
		read_service(w, r->service, now_ms);
		if (!w->services.is_wide || http_is_busy(&r->by.client))
			return;
		put_back(w, r, now_ms);
	}
}

/* ---- which mode ---- */

static void begin_single(struct watch *w, struct service_watch *s)
{
	size_t i = 0;

	while (w->services.readers[i]->service)
		i++;
	s->told_by = NULL;
	s->wide.place = NULL;
	s->read.wait_sec = w->setup.wait_sec;
	loop_add(&w->loop, &w->services.readers[i]->part); /* wide, it was not of use */
	begin_reading(w->services.readers[i], s);
}

static void begin_wide(struct watch *w, struct service_watch *s)
{
	struct services_place *p = places_find(w, &s->job);

	s->wide = (struct service_wide){.place = p, .slot = s->wide.slot};
	s->read.wait_sec = 0;
	s->read.index = 0;
	s->read.rest_ms = CATALOG_REST_MS; /* what tells of it has its own */
	w->services.due_ms[s->wide.slot] = CLOCK_NEVER;
	places_read(w, s, 0);
	if (p) {
		places_follow(p, true);
		s->told_by = places_voice(p);
	}
}

/* All of them anew, as it is from now on. */
static void set_wide(struct watch *w, bool is_wide)
{
	struct services *all = &w->services;

	for (size_t i = 0; i < SERVICES_SINGLE_MAX && all->readers[i]; i++) {
		struct service_reader *r = all->readers[i];

		end_reading(r);
		if (is_wide && i >= SERVICES_READERS)
			loop_remove(&r->part);
		else
			loop_add(&w->loop, &r->part);
	}
	all->is_wide = is_wide;
	for (size_t i = 0; i < all->n; i++)
		(is_wide ? begin_wide : begin_single)(w, all->of[i]);
}

/* Of places that no service is of any more nothing is to be told. */
static void leave_places(struct watch *w)
{
	struct services *all = &w->services;

	for (size_t i = 0; i < all->places_n; i++) {
		struct services_place *p = &all->places[i];
		size_t k = 0;

		while (k < all->n && all->of[k]->wide.place != p)
			k++;
		if (k == all->n)
			places_follow(p, false);
	}
}

static void begin(struct watch *w, struct service_watch *s)
{
	struct services *all = &w->services;

	if (all->is_wide)
		begin_wide(w, s);
	else if (all->n > SERVICES_SINGLE_MAX)
		set_wide(w, true);
	else
		begin_single(w, s);
}

/* ---- which services ---- */

/* Storage for so many, and those who read them. */
static bool has_storage(struct watch *w, size_t n)
{
	struct services *all = &w->services;

	for (size_t i = 0; i < n && i < SERVICES_SINGLE_MAX; i++) {
		struct service_reader *r = all->readers[i];

		if (r)
			continue;
		r = all->readers[i] = service_reader_reserve();
		if (!r)
			return false;
		service_reader_init(r, w->setup.consul, w->setup.consul_headers,
				    w->setup.timeout_ms);
		r->owner = w;
		loop_add_new(&w->loop, &r->part, r, reader_wants, reader_step);
	}
	for (size_t i = 0; i < n; i++)
		if (!all->of[i] && !(all->of[i] = service_watch_reserve()))
			return false;
	return true;
}

struct service_watch *services_find(struct watch *w, const struct job *job)
{
	struct services *all = &w->services;
	struct service_watch *new = all->of[all->n];

	for (size_t i = 0; i < all->n; i++)
		if (job_is_same_query(&all->of[i]->job, job))
			return all->of[i];
	service_watch_init(new, job);
	new->wide.slot = all->n++;
	all->is_sorted = false;
	begin(w, new);
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

int services_reserve(struct watch *w, const struct job *jobs, size_t jobs_n)
{
	return has_storage(w, count(jobs, jobs_n)) ? 0 : -1;
}

struct service_watch *services_add(struct watch *w, const struct job *job)
{
	const size_t n = w->services.n;

	return n < SERVICES_MAX && has_storage(w, n + 1) ? services_find(w, job) : NULL;
}

static void forget(struct watch *w, struct service_watch *s)
{
	w->services.old_reads += s->read.reads;
	if (s->reader)
		end_reading(s->reader);
	s->wide.place = NULL;
}

void services_stop(struct watch *w)
{
	struct services *all = &w->services;

	for (size_t i = 0; i < all->n; i++)
		forget(w, all->of[i]);
	for (size_t i = 0; i < SERVICES_SINGLE_MAX && all->readers[i]; i++)
		end_reading(all->readers[i]);
	all->n = 0;
	all->is_sorted = all->is_wide = false;
	leave_places(w);
}

void services_sweep(struct watch *w)
{
	struct services *all = &w->services;

	for (size_t i = 0; i < all->n; i++)
		all->of[i]->wide.is_wanted = false;
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (w->names[i] && w->names[i]->is_used && w->names[i]->watch)
			w->names[i]->watch->wide.is_wanted = true;
	for (size_t i = all->n; i--;) {
		struct service_watch *s = all->of[i];

		if (s->wide.is_wanted)
			continue;
		forget(w, s);
		all->of[i] = all->of[--all->n];
		all->due_ms[i] = all->due_ms[all->n];
		all->of[i]->wide.slot = i;
		all->of[all->n] = s; /* its storage is for the next */
	}
	all->is_sorted = false;
	if (all->is_wide && all->n <= SERVICES_SINGLE_AGAIN)
		set_wide(w, false);
	leave_places(w);
}

void services_set_times(struct watch *w)
{
	struct services *all = &w->services;

	for (size_t i = 0; i < SERVICES_SINGLE_MAX; i++)
		if (all->readers[i])
			all->readers[i]->by.timeout_ms = w->setup.timeout_ms;
	for (size_t i = 0; i < all->n && !all->is_wide; i++)
		all->of[i]->read.wait_sec = w->setup.wait_sec;
	places_set_times(w);
}

void services_count(const struct watch *w, uint64_t *reads, uint64_t *connections)
{
	const struct services *all = &w->services;

	*reads = all->old_reads;
	*connections = all->old_connections;
	for (size_t i = 0; i < all->n; i++)
		*reads += all->of[i]->read.reads;
	for (size_t i = 0; i < SERVICES_SINGLE_MAX && all->readers[i]; i++)
		*connections += http_counters(&all->readers[i]->by.client)->connections;
	places_count(w, reads, connections);
}
