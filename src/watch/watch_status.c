/*
 * The status of a watch: what the pages show of it, and the line of its check in Consul.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/tls/roots.h"
#include "watch/watch.h"
#include "version.h"

static bool is_following(const struct watch *w)
{
	return w->setup.lock_key && !w->leader.has_lock;
}

static bool is_leaderless(const struct watch *w)
{
	return w->setup.lock_key && w->leader.is_leaderless;
}

static bool is_leaderless_for_long(const struct watch *w, int64_t now_ms)
{
	return is_leaderless(w) && now_ms - w->leader.leaderless_ms >= w->setup.unhealthy_ms;
}

static const char *lock_error(const struct watch *w)
{
	return w->leader.failure ? w->leader.last_err.text : NULL;
}

/* The name in a slot; NULL when the slot is free. */
static const struct managed_name *name_at(const struct watch *w, size_t slot)
{
	const struct managed_name *name = w->names[slot];

	return name && name->is_used ? name : NULL;
}

/* The slots that are used, of the status that was filled last. */
static uint16_t slots[STATUS_NAMES_MAX];

_Static_assert(STATUS_NAMES_MAX >= WATCH_RECORDS_MAX, "all are shown");

/* No answer of Consul for two waits of a blocking query; before the first, since the start. */
static bool is_consul_late(const struct watch *w, const struct service_watch *one, int64_t now_ms)
{
	int64_t heard_ms = one->has_view ? service_watch_heard_ms(one) : w->start_ms;

	return now_ms - heard_ms > (int64_t)2000 * w->setup.wait_sec;
}

/* The records are not what is wanted, and this copy is the one to write them. */
static bool is_behind(const struct watch *w, const struct managed_name *name)
{
	return name->is_unconverged && !is_following(w);
}

static bool is_unhealthy(const struct watch *w, const struct managed_name *name, int64_t now_ms)
{
	return (name->watch && is_consul_late(w, name->watch, now_ms)) ||
	       (is_behind(w, name) && now_ms - name->unconverged_ms >= w->setup.unhealthy_ms);
}

static const char *why(const struct managed_name *name)
{
	return name->state == STATUS_FAILING ? name->r.out.err->text
	       : name->state == STATUS_HELD  ? name->r.out.plan.held_why
					     : NULL;
}

static void fill_facts(const struct watch *w, const struct managed_name *name, int64_t now_ms,
		       struct status_record *r)
{
	const struct plan *plan = &name->r.out.plan;
	int64_t held_n = name->state == STATUS_HELD ? (int64_t)plan->n[OP_HOLD] : 0;

	status_set(r, FACT_WANTED, (int64_t)name->r.seen.want_n);
	status_set(r, FACT_HELD, held_n);
	status_set(r, FACT_HELD_BY_RULE, plan->is_held_by_rule ? held_n : 0);
	status_set(r, FACT_UNCONVERGED, is_behind(w, name) ? now_ms - name->unconverged_ms : 0);
	if (name->has_synced)
		status_set(r, FACT_LAST_SYNC, name->synced_sec);
	if (name->has_changed)
		status_set(r, FACT_LAST_CHANGE, name->changed_sec);
	if (r->count)
		status_set(r, FACT_CONSUL_AGE, now_ms - service_watch_heard_ms(name->watch));
}

static void fill_instances(const struct consul_view *view, struct status_record *r)
{
	r->count = &view->count;
	r->endpoints = view->listed;
	r->endpoints_n = view->listed_n;
}

static const char *zone_name(const struct managed_name *name)
{
	if (name->job.zone[0])
		return name->job.zone;
	return name->r.zone && name->r.zone->name[0] ? name->r.zone->name : NULL;
}

static void fill_record(const struct status *s, size_t i, struct status_record *r)
{
	const struct watch *w = s->ctx;
	const struct managed_name *name = w->names[slots[i]];

	r->name = name->job.name;
	r->service = name->job.service;
	r->owner = name->job.owner[0] ? name->job.owner : NULL;
	r->zone = zone_name(name);
	r->state = name->state;
	r->since_ms = s->now_ms - name->state_ms;
	r->why = why(name);
	r->is_unhealthy = is_unhealthy(w, name, s->now_ms);
	r->has_records = name->r.seen.has_list;
	r->records = name->own.have;
	r->records_n = name->r.seen.has_list ? name->r.seen.list.records_n : 0;
	if (name->watch)
		r->consul_error = service_watch_error(name->watch);
	if (name->watch && name->watch->has_view)
		fill_instances(name->watch->view, r);
	/* Of the same answer: what the pass has left out besides. */
	if (r->count && !name->is_dirty &&
	    name->r.seen.count.unaddressed_n > r->count->unaddressed_n)
		r->count = &name->r.seen.count;
	fill_facts(w, name, s->now_ms, r);
}

static void count_connections(const struct watch *w, struct status *s)
{
	services_count(w, &s->consul_reads, &s->connections);
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		s->connections += http_counters(&w->workers[i].driver.consul)->connections;
		s->connections += http_counters(&w->workers[i].driver.cloudflare)->connections;
	}
	if (w->discovery.config) {
		s->consul_reads += w->discovery.catalog->read.reads;
		s->connections += http_counters(&w->discovery.catalog->by.client)->connections;
	}
	s->connections += http_counters(&w->leader.client.http)->connections;
	s->connections += http_counters(&w->registration.client.http)->connections;
}

bool watch_is_healthy(const struct watch *w, int64_t now_ms)
{
	if (is_leaderless_for_long(w, now_ms) ||
	    (w->discovery.config && discovery_is_late(&w->discovery, w->start_ms, now_ms)))
		return false;
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (name_at(w, i) && is_unhealthy(w, w->names[i], now_ms))
			return false;
	return true;
}

void watch_status(const struct watch *w, int64_t now_ms, struct status *s)
{
	*s = (struct status){
		.version = DNSBUDDY_VERSION,
		.uptime_ms = now_ms - w->start_ms,
		.now_ms = now_ms,
		.now_sec = clock_wall_sec(),
		.has_lock_key = w->setup.lock_key != NULL,
		.lock_key = w->setup.lock_key,
		.is_leader = !is_following(w),
		.is_leaderless = is_leaderless(w),
		.leaderless_ms = is_leaderless(w) ? now_ms - w->leader.leaderless_ms : 0,
		.is_lock_unhealthy = is_leaderless_for_long(w, now_ms),
		.lock_error = lock_error(w),
		.is_healthy = watch_is_healthy(w, now_ms),
		.writes = {w->writes[OP_CREATE], w->writes[OP_UPDATE], w->writes[OP_DELETE]},
		.retries = w->retries,
		.api_left = (uint64_t)bucket_left(&w->api.bucket, now_ms),
		.roots_sec = roots_date_sec(),
		.api_end_sec = w->api.root_end_sec,
		.fill_record = fill_record,
		.has_name_series = w->setup.has_name_series,
		.ctx = w,
	};
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (name_at(w, i))
			slots[s->records_n++] = (uint16_t)i;
	memcpy(s->api_calls, w->api.calls, sizeof s->api_calls);
	watch_discovery_status(w, s);
	count_connections(w, s);
}

const char *watch_line(const struct watch *w, char *out, size_t cap)
{
	size_t n[STATUS_STATES] = {0}, names_n = 0;
	const struct managed_name *first = NULL, *name;
	const char *between = ": ";
	struct buf b;

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		if (!(name = name_at(w, i)))
			continue;
		names_n++;
		n[name->state]++;
		if (!first && why(name))
			first = name;
	}
	buf_init(&b, out, cap);
	if (w->setup.lock_key)
		buf_str(&b, !is_following(w)   ? "leading, "
			    : is_leaderless(w) ? "no leader known, "
					       : "following, ");
	if (w->setup.lock_key && lock_error(w))
		buf_fmt(&b, "%.160s; ", lock_error(w));
	buf_fmt(&b, "%zu record%s", names_n, names_n == 1 ? "" : "s");
	for (int i = 0; i < STATUS_STATES; i++) {
		if (!n[i])
			continue;
		buf_fmt(&b, "%s%zu %s", between, n[i], status_state_name((enum status_state)i));
		between = ", ";
	}
	if (first)
		buf_fmt(&b, "; %.100s: %.200s", first->job.name, why(first));
	return b.p;
}
