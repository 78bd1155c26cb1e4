#include "watch/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/pace.h"
#include "engine/report.h"
#include "watch/watch.h"

/* ---- the API's budget ---- */

void budget_init(struct budget *b)
{
	*b = (struct budget){0};
	bucket_init(&b->bucket, WATCH_API_BURST, WATCH_API_MS);
}

/* What an exchange with Cloudflare cost, and what its answer says of the next ones. */
static void account(struct budget *b, struct worker *worker, int64_t now_ms)
{
	const struct call *call = &worker->driver.call;
	const struct cf_reply *reply = call_reply(call);
	uint64_t requests = http_counters(&worker->driver.cloudflare)->requests;
	int64_t block_ms;
	int class;

	if (!reply)
		return;
	for (; worker->requests < requests; worker->requests++)
		bucket_take(&b->bucket, now_ms);
	/* A worker that has not come to a handshake yet knows of none. */
	if (http_root_end_sec(&worker->driver.cloudflare))
		b->root_end_sec = http_root_end_sec(&worker->driver.cloudflare);
	class = reply->status / 100;
	b->calls[call->kind == CALL_ZONE ? STATUS_CALL_ZONES
		 : call->kind == CALL_LIST
			 ? STATUS_CALL_LIST
			 : STATUS_CALL_WRITE][class >= 1 && class <= 5 ? class : 0]++;
	block_ms = pace_block_ms(reply->meaning == CF_BUSY, &reply->hint);
	if (!block_ms)
		return;
	bucket_block(&b->bucket, now_ms + block_ms);
	/* A failure tells it itself. */
	if (reply->meaning == CF_DONE && reply->hint.told_sec)
		log_event(LOG_WARN, "asked to wait for longer than is believed", "told_s=%lld",
			  (long long)reply->hint.told_sec);
}

/* ---- one worker ---- */

/* What a lost write does not show in the next listing, it may in one when it must have landed. */
static void note_lost(struct worker *worker, enum err_kind kind, int64_t now_ms)
{
	struct reconcile *r;
	size_t i = 0;

	if (!driver_is_write_lost(&worker->driver, kind))
		return;
	worker->watch->settled_ms = now_ms + WATCH_SETTLE_MS;
	while ((r = round_asked(&worker->round, &i)))
		((struct managed_name *)r->owner)->settled_ms = worker->watch->settled_ms;
}

static void tell_sum(struct report_sum *sum, const char *zone)
{
	report_zone(sum, zone);
	*sum = (struct report_sum){0};
}

/* No name is left: its zones may be others' from now on. */
static void be_free(struct worker *worker)
{
	struct zone_table *zones = worker->watch->zones;

	worker->is_closed = false;
	reconcile_forget_all(&worker->storage);
	tell_sum(&worker->sum, NULL);
	for (size_t i = 0; i < zones->n; i++) {
		struct zone *z = &zones->zones[i];

		if (z->user != worker)
			continue;
		z->user = NULL;
		tell_sum(&z->sum, z->name);
	}
}

void worker_cancel(struct worker *worker, int64_t now_ms)
{
	struct reconcile *r;

	if (!worker->round.n)
		return;
	if (driver_is_busy(&worker->driver)) {
		driver_abort(&worker->driver);
		note_lost(worker, ERR_RETRY, now_ms);
	}
	while ((r = round_take_any(&worker->round)))
		managed_cancel(r->owner, now_ms);
	be_free(worker);
}

void worker_cancel_name(struct watch *w, struct managed_name *name, int64_t now_ms)
{
	for (size_t i = 0; i < WATCH_WORKERS && name->is_busy; i++) {
		struct worker *worker = &w->workers[i];

		if (!round_has(&worker->round, &name->r))
			continue;
		if (name->r.is_asked && driver_is_busy(&worker->driver)) {
			worker_cancel(worker, now_ms);
			return;
		}
		round_remove(&worker->round, &name->r);
		managed_cancel(name, now_ms);
		if (!worker->round.n)
			be_free(worker);
	}
}

/* One time for all names of a zone. */
static int64_t resync_at(const struct watch *w, struct zone *z, int64_t now_ms)
{
	int64_t tenth = w->setup.resync_ms / 10;
	int64_t next_ms = now_ms + w->setup.resync_ms - tenth +
			  (tenth ? (int64_t)(driver_random() % (uint64_t)(2 * tenth)) : 0);

	if (!z)
		return next_ms;
	if (z->resync_ms <= now_ms || z->resync_ms > now_ms + w->setup.resync_ms + tenth)
		z->resync_ms = next_ms;
	return z->resync_ms;
}

/* So many records are gone: as many names that wait for room may try again. */
static void tell_room(const struct watch *w, struct zone *z, size_t n, int64_t now_ms)
{
	bool is_any = false;

	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++) {
		struct managed_name *name = w->names[i];

		if (!name->is_used || name->is_busy || name->r.zone != z || !name->r.wants_room)
			continue;
		if (n) {
			name->r.wants_room = false;
			name->r.out.wake_ms = now_ms;
			n--;
		} else {
			is_any = true;
		}
	}
	z->is_wanting = is_any;
}

static void end_pass(struct worker *worker, struct managed_name *name, int64_t now_ms)
{
	struct watch *w = worker->watch;
	struct reconcile *r = &name->r;
	struct report_sum *sum = r->zone ? &r->zone->sum : &worker->sum;

	if (r->zone && !r->zone->user)
		r->zone->user = worker;
	report_quiet(sum->names_n >= REPORT_LINES_MAX);
	if (managed_end(name, resync_at(w, r->zone, now_ms)))
		report_add(sum, r);
	report_quiet(false);
	for (int i = 0; i < OP_KINDS; i++)
		w->writes[i] += r->out.done_n[i];
	if (r->out.done_n[OP_DELETE] && r->zone && r->zone->is_wanting)
		tell_room(w, r->zone, r->out.done_n[OP_DELETE], now_ms);
	w->retries += r->out.result == RECONCILE_FAILED;
	w->was_refused |= r->out.result == RECONCILE_FAILED && pace_wants_secrets(r->out.err->kind);
	if (r->out.result == RECONCILE_DONE && name->job.is_dropped &&
	    name->settled_ms <= name->served_ms)
		name->is_used = false;
}

static void end_passes(struct worker *worker, int64_t now_ms)
{
	struct reconcile *r;

	while ((r = round_take_ended(&worker->round)))
		end_pass(worker, r->owner, now_ms);
	if (!worker->round.n)
		be_free(worker);
	for (size_t i = 0; i < worker->round.n; i++)
		if (worker->round.members[i]->zone)
			worker->round.members[i]->zone->user = worker;
}

/* Whether the next call may be begun: within the API's budget, and as who leads. */
static bool may_call(const struct watch *w, enum call_kind kind, int64_t now_ms)
{
	if (kind == CALL_WAIT || !watch_may_write(w, now_ms) || w->is_stopping)
		return false;
	return kind == CALL_HEALTH || bucket_ready_ms(&w->api.bucket, now_ms) <= now_ms;
}

/* What deciding costs, the service's next read waits for. */
static void charge(struct managed_name *name, int64_t from_us)
{
	if (name->watch)
		name->watch->read.cost_us += clock_cpu_us() - from_us;
}

/* ---- which names are due, and who takes them ---- */

static bool is_open(const struct worker *worker)
{
	return !worker->is_closed && worker->round.n < ROUND_NAMES_MAX &&
	       worker->storage.room_used < RECONCILE_ROOM / 2;
}

static struct worker *free_worker(const struct watch *w)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): watch_init() has them */
		if (!w->workers[i].round.n)
			return &w->workers[i];
	return NULL;
}

static bool has_unknown_zone(const struct worker *worker)
{
	for (size_t i = 0; i < worker->round.n; i++)
		if (!worker->round.members[i]->zone)
			return true;
	return false;
}

/* Who is at work on the zone, or searches those that are not known; NULL: nobody. */
static struct worker *worker_of(const struct watch *w, const struct zone *z)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		if (z ? z->user == &w->workers[i] : has_unknown_zone(&w->workers[i]))
			return &w->workers[i];
	return NULL;
}

/*
 * When a name that is due may begin, as things stand: with who is at work on its zone, as soon as
 * the call under way has ended (which carry_on() sees), or with a free worker when that takes long.
 */
static int64_t open_ms(const struct watch *w, const struct worker *of_zone, int64_t now_ms)
{
	if (of_zone && !driver_is_busy(&of_zone->driver))
		return is_open(of_zone) ? now_ms : CLOCK_NEVER;
	if (!free_worker(w))
		return CLOCK_NEVER;
	return of_zone ? of_zone->called_ms + WATCH_STUCK_MS : now_ms;
}

/* The service of some name is being read for the first time. */
static bool is_any_unread(const struct watch *w)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++) {
		const struct managed_name *name = w->names[i];

		if (name->is_used && name->watch && !name->watch->has_view &&
		    !service_watch_error(name->watch))
			return true;
	}
	return false;
}

/* Names that were never served are served together: one listing, one batch. */
static int64_t due_ms(const struct watch *w, const struct managed_name *name)
{
	int64_t at_ms = managed_due_ms(name);

	return !name->served_ms && at_ms < w->gather_ms ? w->gather_ms : at_ms;
}

/* Until no more of them come, or those that are there have waited for long. */
static void gather(struct watch *w, int64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++)
		n += w->names[i]->is_used && !w->names[i]->served_ms &&
		     managed_due_ms(w->names[i]) <= now_ms;
	if (!n || !is_any_unread(w)) {
		w->gather_ms = w->gather_since_ms = 0;
		return;
	}
	if (w->gather_since_ms && n == w->gathered_n)
		return;
	if (!w->gather_since_ms)
		w->gather_since_ms = now_ms;
	w->gathered_n = n;
	w->gather_ms = now_ms + WATCH_GATHER_MS;
	if (w->gather_ms > w->gather_since_ms + WATCH_GATHER_MAX_MS)
		w->gather_ms = w->gather_since_ms + WATCH_GATHER_MAX_MS;
}

/* What is known by now of others tells most of them. */
static struct zone *zone_of(const struct watch *w, struct managed_name *name)
{
	if (!name->r.zone)
		name->r.zone = zone_table_find(w->zones, &name->job);
	return name->r.zone;
}

static void begin_pass(struct worker *worker, struct managed_name *name, int64_t now_ms)
{
	int64_t from_us = clock_cpu_us();

	name->served_ms = now_ms;
	managed_begin(name, &worker->storage, now_ms, driver_random());
	round_add(&worker->round, &name->r);
	charge(name, from_us);
}

/* A name is due and there is nobody for its zone: whoever ends next shall take it. */
static bool is_any_waiting(const struct watch *w, int64_t now_ms)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++) {
		struct managed_name *name = w->names[i];

		if (name->is_used && due_ms(w, name) <= now_ms && !worker_of(w, zone_of(w, name)))
			return true;
	}
	return false;
}

/* All names that are due and go with who has others of their zone, begin with it. */
static void join(struct watch *w, struct worker *worker, int64_t now_ms)
{
	bool is_searching = has_unknown_zone(worker);

	worker->is_closed |= !free_worker(w) && is_any_waiting(w, now_ms);
	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i] && is_open(worker); i++) {
		struct managed_name *name = w->names[i];

		if (name->is_used && due_ms(w, name) <= now_ms &&
		    (zone_of(w, name) ? name->r.zone->user == worker : is_searching))
			begin_pass(worker, name, now_ms);
	}
}

/* ---- the calls ---- */

/* Begin the call that comes next; HTTP_MORE also when it may not be begun yet. */
static enum http_result begin_call(struct watch *w, struct worker *worker, int64_t now_ms,
				   struct err *e)
{
	struct call call;

	join(w, worker, now_ms);
	call = round_next(&worker->round, now_ms);
	/* What a search has found for others may have told somebody that he has no zone. */
	end_passes(worker, now_ms);
	if (call.kind == CALL_END)
		return HTTP_MORE;
	if (!may_call(w, call.kind, now_ms))
		return HTTP_MORE;
	worker->called_ms = now_ms;
	if (driver_begin(&worker->driver, &call, watch_fence_ms(w, now_ms), e))
		return HTTP_BAD;
	return driver_step(&worker->driver, e);
}

/* Carry the passes on as far as it goes without waiting. */
static void carry_on(struct watch *w, struct worker *worker)
{
	end_passes(worker, clock_now_ms());
	while (worker->round.n) {
		struct err e = {0};
		enum http_result result = driver_is_busy(&worker->driver)
						  ? driver_step(&worker->driver, &e)
						  : begin_call(w, worker, clock_now_ms(), &e);

		if (result == HTTP_MORE)
			return;
		account(&w->api, worker, clock_now_ms());
		if (result == HTTP_BAD)
			note_lost(worker, e.kind, clock_now_ms());
		round_take(&worker->round, result == HTTP_DONE ? 0 : -1, &e, clock_now_ms(),
			   driver_random());
		end_passes(worker, clock_now_ms());
	}
}

static void wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct worker *worker = ctx;
	const struct watch *w = worker->watch;

	if (!worker->round.n || w->is_leaving)
		return;
	if (driver_is_busy(&worker->driver))
		driver_wants(&worker->driver, wait);
	else if (!w->is_stopping && watch_may_write(w, now_ms))
		loop_wait_until(wait, worker->round.call.kind == CALL_WAIT
					      ? worker->round.call.until_ms
					      : bucket_ready_ms(&w->api.bucket, now_ms));
}

static void step(void *ctx, int64_t now_ms)
{
	struct worker *worker = ctx;
	/* Of several the cost is nobody's alone. */
	struct managed_name *only = worker->round.n == 1 ? worker->round.members[0]->owner : NULL;
	int64_t from_us = clock_cpu_us();

	(void)now_ms;
	if (!worker->round.n) /* who was stepped before it may have called the passes off */
		return;
	carry_on(worker->watch, worker);
	if (only)
		charge(only, from_us);
}

/* ---- all of them ---- */

void worker_add_all(struct watch *w)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		struct worker *worker = &w->workers[i];

		worker->watch = w;
		worker->storage.zones = w->zones;
		worker->round.storage = &worker->storage;
		worker->round.is_paced = true;
		loop_add_new(&w->loop, &worker->part, worker, wants, step);
	}
}

bool worker_is_any_calling(const struct watch *w)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		if (driver_is_busy(&w->workers[i].driver))
			return true;
	return false;
}

/* While the API is not to be asked no pass begins: it would be decided too early. */
void worker_dispatch_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	struct watch *w = ctx;
	int64_t first_ms = CLOCK_NEVER, ready_ms;

	if (w->is_stopping || !watch_may_write(w, now_ms))
		return;
	gather(w, now_ms);
	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++) {
		struct managed_name *name = w->names[i];
		int64_t at_ms, free_ms;

		if (!name->is_used)
			continue;
		at_ms = due_ms(w, name);
		if (at_ms >= first_ms)
			continue;
		free_ms = open_ms(w, worker_of(w, zone_of(w, name)), now_ms);
		at_ms = at_ms > free_ms ? at_ms : free_ms;
		first_ms = at_ms < first_ms ? at_ms : first_ms;
	}
	ready_ms = bucket_ready_ms(&w->api.bucket, now_ms);
	loop_wait_until(wait, first_ms > ready_ms ? first_ms : ready_ms);
}

/* Of those that may begin the one whose last pass is the longest ago. */
static struct managed_name *next_due(const struct watch *w, int64_t now_ms)
{
	struct managed_name *first = NULL;

	for (size_t i = 0; i < WATCH_RECORDS_MAX && w->names[i]; i++) {
		struct managed_name *name = w->names[i];

		if (!name->is_used || due_ms(w, name) > now_ms ||
		    (first && name->served_ms >= first->served_ms))
			continue;
		if (open_ms(w, worker_of(w, zone_of(w, name)), now_ms) <= now_ms)
			first = name;
	}
	return first;
}

/* Each time one name, and with it, all that go with it. */
void worker_dispatch_step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;
	struct managed_name *first;

	if (w->is_stopping || !watch_may_write(w, now_ms) ||
	    bucket_ready_ms(&w->api.bucket, now_ms) > now_ms)
		return;
	while ((first = next_due(w, now_ms))) {
		struct worker *worker = worker_of(w, first->r.zone);

		if (!worker || driver_is_busy(&worker->driver))
			worker = free_worker(w);
		begin_pass(worker, first, now_ms);
		carry_on(w, worker);
	}
}
