/*
 * Which names a watch keeps.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/log.h"
#include "base/memory.h"
#include "watch/services.h"
#include "watch/watch.h"

static int no_memory(struct err *e)
{
	return err_set(e, ERR_SYS, "no memory");
}

static bool is_https(const struct http_origin *o)
{
	return o->url.scheme == URL_HTTPS;
}

/* Storage for TLS with one peer; NULL for plain connections is no failure. */
static int reserve_tls(const struct http_origin *o, struct tls_storage **tls, struct err *e)
{
	*tls = NULL;
	return is_https(o) ? tls_reserve(tls, e) : 0;
}

static int init_worker(struct worker *worker, const struct watch_setup *s, struct err *e)
{
	struct tls_storage *consul_tls, *cf_tls;

	if (reserve_tls(s->consul, &consul_tls, e) || reserve_tls(s->cloudflare, &cf_tls, e))
		return -1;
	http_client_init(&worker->driver.consul, s->consul, consul_tls);
	http_client_init(&worker->driver.cloudflare, s->cloudflare, cf_tls);
	worker->driver.consul_headers = s->consul_headers;
	worker->driver.cf_headers = s->cf_headers;
	worker->driver.timeout_ms = s->timeout_ms;
	return 0;
}

static void init_leader(struct watch *w, const struct watch_setup *s)
{
	char host[128] = "";

	(void)gethostname(host, sizeof host - 1);
	(void)fmt_text(w->lock_name, sizeof w->lock_name, CONSUL_LOCK_WORD " %s %lld", host,
		       (long long)getpid());
	w->leader.wait_sec = s->wait_sec;
	leader_init(&w->leader, s->lock_key, w->lock_name, s->place, s->timeout_ms, w->start_ms);
}

int watch_init(struct watch *w, const struct watch_setup *setup, struct err *e)
{
	struct tls_storage *leader_tls, *registration_tls;

	memset(w, 0, sizeof *w);
	w->setup = *setup;
	w->start_ms = clock_now_ms();
	w->workers = memory_reserve(WATCH_WORKERS * sizeof *w->workers);
	w->zones = memory_reserve(sizeof *w->zones);
	if (!w->workers || !w->zones)
		return no_memory(e);
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		if (init_worker(&w->workers[i], setup, e))
			return -1;
	if (reserve_tls(setup->consul, &leader_tls, e) ||
	    reserve_tls(setup->consul, &registration_tls, e))
		return -1;
	consul_client_init(&w->leader.client, setup->consul, leader_tls, setup->consul_headers);
	consul_client_init(&w->registration.client, setup->consul, registration_tls,
			   setup->consul_headers);
	w->registration.place = setup->place;
	registration_init(&w->registration, setup->register_as, REGISTRATION_ID_LOT,
			  setup->timeout_ms);
	if (setup->lock_key)
		init_leader(w, setup);
	budget_init(&w->api);
	watch_add_parts(w);
	return 0;
}

/* ---- names ---- */

static bool has_storage(struct watch *w, size_t i)
{
	if (!w->names[i])
		w->names[i] = managed_reserve();
	return w->names[i];
}

static struct managed_name *free_name(const struct watch *w)
{
	size_t i = 0;

	while (w->names[i]->is_used)
		i++;
	return w->names[i];
}

static bool is_among(const struct job *job, const struct job *jobs, size_t jobs_n)
{
	for (size_t i = 0; i < jobs_n; i++)
		if (job_overlaps(job, &jobs[i]))
			return true;
	return false;
}

/* These jobs do not rule over its records any more, and they shall go. */
static bool is_to_remove(const struct managed_name *name, const struct job *jobs, size_t jobs_n)
{
	return name && name->is_used && name->job.on_drop == ON_DROP_REMOVE &&
	       !is_among(&name->job, jobs, jobs_n);
}

/* Storage for these jobs, and for the removals that they bring. What is in force is not touched. */
static int reserve(struct watch *w, const struct job *jobs, size_t jobs_n, struct err *e)
{
	size_t names_n = jobs_n;

	if (jobs_n > WATCH_RECORDS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d records", WATCH_RECORDS_MAX);
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		names_n += is_to_remove(w->names[i], jobs, jobs_n);
	if (services_reserve(w, jobs, jobs_n))
		return no_memory(e);
	for (size_t i = 0; i < names_n && i < WATCH_RECORDS_MAX; i++)
		if (!has_storage(w, i))
			return no_memory(e);
	return 0;
}

/* The removal that has been tried for the longest time; NULL when there are no more than room. */
static struct managed_name *find_surplus(const struct watch *w, size_t room)
{
	struct managed_name *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		struct managed_name *name = w->names[i];

		if (!name || !name->is_used)
			continue;
		n++;
		if (!oldest || name->dropped_ms < oldest->dropped_ms)
			oldest = name;
	}
	return n > room ? oldest : NULL;
}

/* Free the names, but for those that have to remove what they kept. */
static void drop_names(struct watch *w, const struct job *jobs, size_t jobs_n, int64_t now_ms)
{
	struct managed_name *surplus;

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		struct managed_name *name = w->names[i];

		if (!name)
			continue;
		/* What is discovered comes again: watch_discover_by(). */
		name->is_used = (name->job.is_dropped || !name->is_discovered) &&
				is_to_remove(name, jobs, jobs_n);
		if (name->is_used && !name->job.is_dropped)
			managed_drop(name, now_ms);
	}
	while ((surplus = find_surplus(w, WATCH_RECORDS_MAX - jobs_n))) {
		surplus->is_used = false;
		log_event(LOG_ERROR, "records that were to be removed stay: no room for more",
			  "name=%s", surplus->job.name);
	}
}

static void keep(struct watch *w, struct managed_name *name, const struct job *job,
		 struct service_watch *service, int64_t now_ms)
{
	managed_init(name, job, service, now_ms);
	name->settled_ms = w->settled_ms;
}

int watch_set_jobs(struct watch *w, const struct job *jobs, size_t jobs_n, struct err *e)
{
	int64_t now_ms = clock_now_ms();

	if (reserve(w, jobs, jobs_n, e))
		return -1;
	/* From here on nothing fails. */
	watch_cancel(w, now_ms);
	services_stop(w);
	drop_names(w, jobs, jobs_n, now_ms);
	for (size_t i = 0; i < jobs_n; i++)
		keep(w, free_name(w), &jobs[i], services_find(w, &jobs[i]), now_ms);
	return 0;
}

void watch_get_jobs(const struct watch *w, struct job *jobs, bool has_token)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		const struct managed_name *name = w->names[i];

		if (!name || !name->is_used || name->job.is_dropped || name->is_discovered)
			continue;
		*jobs = name->job;
		jobs++->has_token = has_token;
	}
}

/* ---- one name ---- */

/* The place of a name that is discovered or removed; or one that is free; NULL: there is none. */
static struct managed_name *place_of(struct watch *w, const struct job *job)
{
	size_t free = WATCH_RECORDS_MAX;

	for (size_t i = WATCH_RECORDS_MAX; i--;) {
		struct managed_name *name = w->names[i];

		if (!name || !name->is_used)
			free = i;
		else if (job_overlaps(&name->job, job))
			return name;
	}
	return free < WATCH_RECORDS_MAX && has_storage(w, free) ? w->names[free] : NULL;
}

struct managed_name *watch_add_name(struct watch *w, const struct job *job, int64_t now_ms)
{
	struct managed_name *name = place_of(w, job);
	struct service_watch *service = name ? services_add(w, job) : NULL;

	if (!service)
		return NULL;
	worker_cancel_name(w, name, now_ms);
	keep(w, name, job, service, now_ms);
	name->is_discovered = true;
	return name;
}

void watch_drop_name(struct watch *w, struct managed_name *name, bool removes, int64_t now_ms)
{
	worker_cancel_name(w, name, now_ms);
	name->is_used = removes;
	if (removes)
		managed_drop(name, now_ms);
}

void watch_set_times(struct watch *w, int64_t timeout_ms, int64_t resync_ms, int64_t unhealthy_ms,
		     unsigned wait_sec)
{
	w->setup.timeout_ms = timeout_ms;
	w->setup.resync_ms = resync_ms;
	w->setup.unhealthy_ms = unhealthy_ms;
	w->leader.timeout_ms = w->registration.timeout_ms = timeout_ms;
	w->setup.wait_sec = w->leader.wait_sec = wait_sec;
	services_set_times(w);
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		w->workers[i].driver.timeout_ms = timeout_ms;
}
