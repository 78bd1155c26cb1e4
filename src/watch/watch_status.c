/*
 * What a watch tells of itself.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "watch/watch.h"
#include "version.h"

static bool is_following(const struct watch *w)
{
	return w->setup.lock_key && !w->leader.has_lock;
}

static const struct managed_name *nth_name(const struct watch *w, size_t n)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (w->names[i] && w->names[i]->is_used && !n--)
			return w->names[i];
	return NULL;
}

/* Consul has to answer within two waits; before its first answer, since the start. */
static bool is_consul_late(const struct watch *w, const struct service_watch *one, int64_t now_ms)
{
	int64_t heard_ms = one->has_view ? one->answered_ms : w->start_ms;

	return now_ms - heard_ms > (int64_t)2 * SERVICE_WATCH_WAIT_SEC * 1000;
}

static bool is_unhealthy(const struct watch *w, const struct managed_name *k, int64_t now_ms)
{
	if (k->watch && is_consul_late(w, k->watch, now_ms))
		return true;
	return !is_following(w) && k->is_unconverged &&
	       now_ms - k->unconverged_ms >= w->setup.unhealthy_ms;
}

static void fill_record(const struct status *s, size_t i, struct status_record *r)
{
	const struct watch *w = s->ctx;
	const struct managed_name *k = nth_name(w, i);
	int64_t now_ms = clock_now_ms();

	memset(r, 0, sizeof *r);
	if (!k)
		return;
	r->name = k->job.name;
	r->service = k->job.service;
	r->owner = k->job.owner[0] ? k->job.owner : NULL;
	r->state = k->state;
	r->since_ms = now_ms - k->state_ms;
	r->has_synced = k->has_synced;
	r->synced_sec = k->synced_sec;
	r->has_changed = k->has_changed;
	r->changed_sec = k->changed_sec;
	r->unconverged_ms = k->is_unconverged && !is_following(w) ? now_ms - k->unconverged_ms : 0;
	r->is_unhealthy = is_unhealthy(w, k, now_ms);
	r->wanted_n = k->r.want_n;
	r->held_n = k->state == STATUS_HELD ? k->r.plan.n[OP_HOLD] : 0;
	r->held_why = r->held_n ? k->r.plan.held_why : NULL;
	r->error = k->state == STATUS_FAILING ? k->last_err.text : NULL;
	r->has_records = k->r.has_list;
	r->records = k->have;
	r->records_n = k->r.has_list ? k->r.list.records_n : 0;
	r->consul_age_ms = -1;
	if (!k->watch)
		return;
	r->consul_error = k->watch->failures ? k->watch->last_err.text : NULL;
	if (!k->watch->has_view)
		return;
	r->view = k->watch->view;
	r->consul_age_ms = now_ms - k->watch->answered_ms;
}

static void count_service_watches(const struct watch *w, struct status *s)
{
	s->consul_reads = w->old_reads;
	s->connections = w->old_connections;
	for (size_t i = 0; i < w->services_n; i++) {
		s->consul_reads += w->services[i]->reads;
		s->connections += http_counters(&w->services[i]->client)->connections;
	}
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		s->connections += http_counters(&w->workers[i].driver.consul)->connections;
		s->connections += http_counters(&w->workers[i].driver.cloudflare)->connections;
	}
	s->connections += http_counters(&w->leader.client.http)->connections;
	s->connections += http_counters(&w->registration.client.http)->connections;
}

void watch_status(const struct watch *w, struct status *s)
{
	int64_t now_ms = clock_now_ms();

	memset(s, 0, sizeof *s);
	s->version = DNSBUDDY_VERSION;
	s->uptime_ms = now_ms - w->start_ms;
	s->now_sec = clock_wall_sec();
	s->has_lock_key = w->setup.lock_key != NULL;
	s->lock_key = w->setup.lock_key;
	s->is_leader = !is_following(w);
	s->is_healthy = true;
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		const struct managed_name *k = w->names[i];

		if (!k || !k->is_used)
			continue;
		s->records_n++;
		s->is_healthy &= !is_unhealthy(w, k, now_ms);
	}
	memcpy(s->api_calls, w->api.calls, sizeof s->api_calls);
	s->writes[0] = w->writes[OP_CREATE];
	s->writes[1] = w->writes[OP_UPDATE];
	s->writes[2] = w->writes[OP_DELETE];
	s->retries = w->retries;
	count_service_watches(w, s);
	s->record = fill_record;
	s->ctx = w;
}

/* "3 records: 2 in sync, 1 failing (www.example.com: ...)": counts, then the first trouble. */
const char *watch_line(const struct status *s, char *out, size_t cap)
{
	static const char *const words[STATUS_STATES] = {
		[STATUS_WAITING] = "waiting", [STATUS_IN_SYNC] = "in sync",
		[STATUS_SYNCING] = "syncing", [STATUS_HELD] = "held",
		[STATUS_FAILING] = "failing",
	};
	size_t n[STATUS_STATES] = {0};
	const char *between = ": ";
	struct status_record r;
	struct buf b;

	buf_init(&b, out, cap);
	if (s->has_lock_key)
		buf_str(&b, s->is_leader ? "leading, " : "following, ");
	buf_fmt(&b, "%zu record%s", s->records_n, s->records_n == 1 ? "" : "s");
	for (size_t i = 0; i < s->records_n; i++) {
		s->record(s, i, &r);
		n[r.state]++;
	}
	for (int i = 0; i < STATUS_STATES; i++) {
		if (!n[i])
			continue;
		buf_fmt(&b, "%s%zu %s", between, n[i], words[i]);
		between = ", ";
	}
	for (size_t i = 0; i < s->records_n; i++) {
		const char *trouble;

		s->record(s, i, &r);
		trouble = r.error ? r.error : r.held_why;
		if (!trouble)
			continue;
		buf_fmt(&b, "; %.100s: %.200s", r.name, trouble);
		break;
	}
	return b.p;
}
