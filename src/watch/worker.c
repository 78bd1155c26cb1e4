#include "watch/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/pace.h"
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
	if (driver_is_write_lost(&worker->driver, kind))
		worker->name->settled_ms = worker->watch->settled_ms = now_ms + WATCH_SETTLE_MS;
}

void worker_cancel(struct worker *worker, int64_t now_ms)
{
	if (!worker->name)
		return;
	if (driver_is_busy(&worker->driver)) {
		driver_abort(&worker->driver);
		note_lost(worker, ERR_RETRY, now_ms);
	}
	managed_cancel(worker->name, now_ms);
	worker->name = NULL;
}

static int64_t resync_at(const struct watch *w, int64_t now_ms)
{
	int64_t tenth = w->setup.resync_ms / 10;

	return now_ms + w->setup.resync_ms - tenth +
	       (tenth ? (int64_t)(driver_random() % (uint64_t)(2 * tenth)) : 0);
}

static void end_pass(struct watch *w, struct worker *worker, int64_t now_ms)
{
	struct reconcile *r = &worker->name->r;

	managed_end(worker->name, resync_at(w, now_ms));
	for (int i = 0; i < OP_KINDS; i++)
		w->writes[i] += r->out.done_n[i];
	w->retries += r->out.result == RECONCILE_FAILED;
	w->was_refused |= r->out.result == RECONCILE_FAILED && pace_wants_secrets(r->out.err.kind);
	if (r->out.result == RECONCILE_DONE && worker->name->job.is_dropped &&
	    worker->name->settled_ms <= worker->name->served_ms)
		worker->name->is_used = false;
	worker->name = NULL;
}

/* Whether the next call may be begun: within the API's budget, and as who leads. */
static bool may_call(const struct watch *w, const struct worker *worker, int64_t now_ms)
{
	if (!watch_may_write(w, now_ms) || w->is_stopping)
		return false;
	return reconcile_next(&worker->name->r).kind == CALL_HEALTH ||
	       bucket_ready_ms(&w->api.bucket, now_ms) <= now_ms;
}

/* Begin the call that comes next; HTTP_MORE also when it may not be begun yet. */
static enum http_result begin_call(struct watch *w, struct worker *worker, int64_t now_ms,
				   struct err *e)
{
	struct reconcile *r = &worker->name->r;
	struct call call;

	if (!may_call(w, worker, now_ms))
		return HTTP_MORE;
	reconcile_refresh(r, now_ms);
	call = reconcile_next(r);
	if (driver_begin(&worker->driver, &call, watch_fence_ms(w, now_ms), e))
		return HTTP_BAD;
	return driver_step(&worker->driver, e);
}

/* Carry the pass on as far as it goes without waiting. */
static void run_pass(struct watch *w, struct worker *worker)
{
	struct reconcile *r = &worker->name->r;

	while (reconcile_next(r).kind != CALL_END) {
		struct err e = {0};
		enum http_result result = driver_is_busy(&worker->driver)
						  ? driver_step(&worker->driver, &e)
						  : begin_call(w, worker, clock_now_ms(), &e);

		if (result == HTTP_MORE)
			return;
		account(&w->api, worker, clock_now_ms());
		if (result == HTTP_BAD)
			note_lost(worker, e.kind, clock_now_ms());
		reconcile_take(r, result == HTTP_DONE ? 0 : -1, &e, clock_now_ms(),
			       driver_random());
	}
	end_pass(w, worker, clock_now_ms());
}

/* The same; what it costs, the service's next read waits for. */
static void carry_on(struct worker *worker, bool is_new, int64_t now_ms)
{
	struct service_watch *service = worker->name->watch;
	int64_t from_us = clock_cpu_us();

	if (is_new)
		managed_begin(worker->name, &worker->storage, now_ms, driver_random());
	run_pass(worker->watch, worker);
	if (service)
		service->read.cost_us += clock_cpu_us() - from_us;
}

static void wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct worker *worker = ctx;
	const struct watch *w = worker->watch;

	if (!worker->name || w->is_leaving)
		return;
	if (driver_is_busy(&worker->driver))
		driver_wants(&worker->driver, wait);
	else if (!w->is_stopping && watch_may_write(w, now_ms))
		loop_wait_until(wait, bucket_ready_ms(&w->api.bucket, now_ms));
}

static void step(void *ctx, int64_t now_ms)
{
	struct worker *worker = ctx;

	if (worker->name) /* who was stepped before it may have called the pass off */
		carry_on(worker, false, now_ms);
}

/* ---- all of them ---- */

void worker_add_all(struct watch *w)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		struct worker *worker = &w->workers[i];

		worker->watch = w;
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

static bool has_free_worker(const struct watch *w)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		if (!w->workers[i].name)
			return true;
	return false;
}

static int64_t names_due_ms(const struct watch *w)
{
	int64_t due_ms = CLOCK_NEVER;

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (w->names[i] && w->names[i]->is_used && managed_due_ms(w->names[i]) < due_ms)
			due_ms = managed_due_ms(w->names[i]);
	return due_ms;
}

/* Of those that are due the one whose last pass is the longest ago. */
static struct managed_name *next_due(const struct watch *w, int64_t now_ms)
{
	struct managed_name *first = NULL;

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		struct managed_name *name = w->names[i];

		if (!name || !name->is_used || managed_due_ms(name) > now_ms)
			continue;
		if (!first || name->served_ms < first->served_ms)
			first = name;
	}
	return first;
}

/* While the API is not to be asked no pass begins: it would be decided too early. */
void worker_dispatch_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct watch *w = ctx;
	int64_t due_ms, ready_ms;

	if (w->is_stopping || !watch_may_write(w, now_ms) || !has_free_worker(w))
		return;
	due_ms = names_due_ms(w);
	ready_ms = bucket_ready_ms(&w->api.bucket, now_ms);
	loop_wait_until(wait, due_ms > ready_ms ? due_ms : ready_ms);
}

/* One name for each free worker; the next ones in the next turn. */
void worker_dispatch_step(void *ctx, int64_t now_ms)
{
	struct watch *w = ctx;

	if (w->is_stopping || !watch_may_write(w, now_ms) ||
	    bucket_ready_ms(&w->api.bucket, now_ms) > now_ms)
		return;
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		struct worker *worker = &w->workers[i];
		struct managed_name *due = worker->name ? NULL : next_due(w, now_ms);

		if (!due)
			continue;
		worker->name = due;
		due->served_ms = now_ms;
		carry_on(worker, true, now_ms);
	}
}
