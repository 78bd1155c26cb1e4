#include "watch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_text.h"
#include "base/log.h"
#include "pages/pages.h"

#define SECRETS_MS 60000 /* credentials are read again at most that often */

/* ---- signals: a handler that writes to a pipe, so that poll() wakes ---- */

static int signal_pipe[2] = {-1, -1};

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;

	/* A full pipe means that enough is waiting to be read. */
	if (write(signal_pipe[1], &byte, 1) < 0)
		errno = saved;
	errno = saved;
}

int watch_catch_signals(struct err *e)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};

	if (signal_pipe[0] < 0 && pipe(signal_pipe))
		return err_set(e, ERR_SYS, "no pipe for signals: %s", errno_text(errno));
	for (int i = 0; i < 2; i++) {
		(void)fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
	}
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaction(numbers[i], &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return 0;
}

static void begin_stop(struct watch *w, int64_t now_ms)
{
	if (w->is_stopping)
		_exit(0); /* asked twice: at once */
	w->is_stopping = true;
	w->stop_ms = now_ms;
	LOG_EVENT(LOG_INFO, "stopping", {"pid", NULL, getpid()});
}

static void take_signals(struct watch *w, int64_t now_ms)
{
	char number;

	while (read(signal_pipe[0], &number, 1) == 1) {
		if (number != SIGHUP)
			begin_stop(w, now_ms);
		else if (!w->is_stopping)
			w->setup.reload(w->setup.ctx, false);
	}
}

/* ---- the parts, one step each ---- */

static void step_service_watch(struct watch *w, struct service_watch *one, int64_t now_ms)
{
	unsigned failures = one->failures;

	switch (service_watch_step(one, now_ms, driver_random())) {
	case SERVICE_WATCH_CHANGED:
		for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
			if (w->names[i] && w->names[i]->is_used && w->names[i]->watch == one)
				managed_mark(w->names[i], now_ms);
		break;
	case SERVICE_WATCH_FAILED:
		w->was_refused |= one->last_err.kind == ERR_AUTH;
		LOG_EVENT(one->failures == 1 ? LOG_WARN : LOG_DEBUG, "consul does not answer",
			  {"service", one->query.service, 0}, {"error", one->last_err.text, 0},
			  {"failures", NULL, one->failures});
		break;
	case SERVICE_WATCH_NOTHING:
	default: break;
	}
	if (failures && !one->failures)
		LOG_EVENT(LOG_INFO, "consul answers again", {"service", one->query.service, 0});
}

static bool may_write(const struct watch *w, int64_t now_ms)
{
	return !w->setup.lock_key || leader_fence_ms(&w->leader, now_ms) > now_ms;
}

static int64_t fence_ms(const struct watch *w, int64_t now_ms)
{
	return w->setup.lock_key ? leader_fence_ms(&w->leader, now_ms) : CLOCK_NEVER;
}

static void release_worker(struct worker *k)
{
	k->name = NULL;
	k->is_calling = false;
}

void watch_cancel(struct watch *w, int64_t now_ms)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		struct worker *k = &w->workers[i];

		if (!k->name)
			continue;
		if (k->is_calling)
			driver_abort(&k->driver);
		managed_cancel(k->name, now_ms);
		release_worker(k);
	}
}

/* The first thing in every turn: who has lost the lock must not even finish a write. */
static void step_leader(struct watch *w, int64_t now_ms)
{
	switch (leader_step(&w->leader, now_ms, driver_random())) {
	case LEADER_WON:
		LOG_EVENT(LOG_INFO, "leading", {"lock", w->setup.lock_key, 0});
		for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
			if (w->names[i] && w->names[i]->is_used)
				managed_forget(w->names[i], now_ms);
		break;
	case LEADER_LOST:
		watch_cancel(w, now_ms);
		LOG_EVENT(LOG_WARN, "not leading any more", {"lock", w->setup.lock_key, 0},
			  {"error", w->leader.last_err.text, 0});
		break;
	case LEADER_NOTHING:
	default: break;
	}
}

/* ---- workers ---- */

static const struct cf_reply *reply_of(const struct reconcile *r, enum call call)
{
	switch (call) {
	case CALL_ZONE: return &r->zones.reply;
	case CALL_LIST: return &r->list.reply;
	case CALL_WRITE: return &r->write.reply;
	default: return NULL;
	}
}

/* What an exchange with Cloudflare cost, and what its answer says of the next ones. */
static void account(struct watch *w, struct worker *k, enum call call, int64_t now_ms)
{
	const struct cf_reply *reply = reply_of(&k->name->r, call);
	uint64_t requests = http_counters(&k->driver.cloudflare)->requests;
	int class;

	if (!reply)
		return;
	for (; k->requests < requests; k->requests++)
		bucket_take(&w->api, now_ms);
	class = reply->status / 100;
	w->api_calls[call == CALL_ZONE ? STATUS_CALL_ZONES
		     : call == CALL_LIST
			     ? STATUS_CALL_LIST
			     : STATUS_CALL_WRITE][class >= 1 && class <= 5 ? class : 0]++;
	if (reply->status == 429)
		bucket_block(&w->api,
			     now_ms + (reply->has_retry_after ? reply->retry_after_sec * 1000
							      : RECONCILE_BUSY_MS));
	else if (reply->has_remaining && !reply->remaining)
		bucket_block(&w->api, now_ms + reply->remaining_sec * 1000);
}

static int64_t resync_at(const struct watch *w, int64_t now_ms)
{
	int64_t tenth = w->setup.resync_ms / 10;

	return now_ms + w->setup.resync_ms - tenth +
	       (tenth ? (int64_t)(driver_random() % (uint64_t)(2 * tenth)) : 0);
}

static void end_pass(struct watch *w, struct worker *k, int64_t now_ms)
{
	struct reconcile *r = &k->name->r;

	managed_end(k->name, resync_at(w, now_ms));
	for (int i = 0; i < OP_KINDS; i++)
		w->writes[i] += r->done_n[i];
	w->retries += r->result == RECONCILE_FAILED;
	w->was_refused |= r->result == RECONCILE_FAILED && r->last_err.kind == ERR_AUTH;
	if (r->result == RECONCILE_DONE && k->name->job.is_dropped)
		k->name->is_used = false;
	release_worker(k);
}

/* Whether the next call may be begun: within the API's budget, and as who leads. */
static bool may_call(const struct watch *w, const struct worker *k, int64_t now_ms)
{
	if (!may_write(w, now_ms) || w->is_stopping)
		return false;
	return reconcile_next(&k->name->r) == CALL_HEALTH ||
	       bucket_ready_ms(&w->api, now_ms) <= now_ms;
}

static void step_worker(struct watch *w, struct worker *k)
{
	while (k->name) {
		struct reconcile *r = &k->name->r;
		enum call call = reconcile_next(r);
		int64_t now_ms = clock_now_ms();
		enum http_result result = HTTP_MORE;
		struct err e = {0};

		if (call == CALL_END) {
			end_pass(w, k, now_ms);
			return;
		}
		if (!k->is_calling && !may_call(w, k, now_ms))
			return;
		if (!k->is_calling)
			reconcile_refresh(r, now_ms);
		call = reconcile_next(r);
		if (!k->is_calling && driver_begin(&k->driver, r, fence_ms(w, now_ms), &e))
			result = HTTP_BAD;
		k->is_calling = result != HTTP_BAD;
		if (k->is_calling)
			result = driver_step(&k->driver, r, &e);
		if (result == HTTP_MORE)
			return;
		k->is_calling = false;
		now_ms = clock_now_ms();
		account(w, k, call, now_ms);
		reconcile_take(r, result == HTTP_DONE ? 0 : -1, &e, now_ms, driver_random());
	}
}

static struct managed_name *next_due(struct watch *w, int64_t now_ms)
{
	struct managed_name *first = NULL;

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		struct managed_name *k = w->names[i];

		if (!k || !k->is_used || managed_due_ms(k) > now_ms)
			continue;
		if (!first || k->served_ms < first->served_ms)
			first = k;
	}
	return first;
}

static void give_work(struct watch *w, int64_t now_ms)
{
	/* While the API is not to be asked nothing is begun: it would be decided too early. */
	if (w->is_stopping || !may_write(w, now_ms) || bucket_ready_ms(&w->api, now_ms) > now_ms)
		return;
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		struct worker *k = &w->workers[i];
		struct managed_name *due = k->name ? NULL : next_due(w, now_ms);

		if (!due)
			continue;
		k->name = due;
		due->served_ms = now_ms;
		managed_begin(due, &k->storage, now_ms, driver_random());
		step_worker(w, k);
	}
}

/* ---- the end ---- */

static bool is_calling(const struct watch *w)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		if (w->workers[i].name && w->workers[i].is_calling)
			return true;
	return false;
}

static void leave(struct watch *w, int64_t now_ms)
{
	w->is_leaving = true;
	watch_cancel(w, now_ms);
	if (w->setup.lock_key)
		leader_stop(&w->leader, now_ms);
	if (w->setup.register_as)
		registration_stop(&w->registration, now_ms);
}

/* First the exchange under way, then lock and registration; a second for all. */
static bool is_over(struct watch *w, int64_t now_ms)
{
	if (!w->is_stopping)
		return false;
	if (!w->is_leaving && (!is_calling(w) || now_ms >= w->stop_ms + WATCH_FINISH_MS))
		leave(w, now_ms);
	if (!w->is_leaving)
		return false;
	return now_ms >= w->stop_ms + WATCH_LEAVE_MS ||
	       ((!w->setup.lock_key || leader_is_over(&w->leader)) &&
		(!w->setup.register_as || w->registration.is_over));
}

/* ---- one turn of the loop ---- */

/* Signals, service watches, workers, leader, registration, listener. */
#define WAITS_MAX (1 + WATCH_RECORDS_MAX + WATCH_WORKERS + 2 + LISTEN_POLLS)

/* What each part waits for: a descriptor, a time, or both. */
struct wait {
	struct pollfd pfds[WAITS_MAX];
	int64_t wake_ms[WAITS_MAX];
	nfds_t n;
	int64_t first_ms;
};

static struct pollfd *add_wait(struct wait *t, int64_t **wake_ms)
{
	t->pfds[t->n] = (struct pollfd){.fd = -1};
	t->wake_ms[t->n] = CLOCK_NEVER;
	*wake_ms = &t->wake_ms[t->n];
	return &t->pfds[t->n++];
}

static void worker_wants(const struct watch *w, const struct worker *k, struct pollfd *pfd,
			 int64_t *wake_ms, int64_t now_ms)
{
	if (!k->name || w->is_leaving)
		return;
	if (k->is_calling)
		driver_wants(&k->driver, pfd, wake_ms);
	else if (!w->is_stopping && may_write(w, now_ms))
		*wake_ms = bucket_ready_ms(&w->api, now_ms);
}

static int64_t names_due_ms(const struct watch *w, int64_t now_ms)
{
	int64_t due_ms = CLOCK_NEVER, ready_ms = bucket_ready_ms(&w->api, now_ms);

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (w->names[i] && w->names[i]->is_used && managed_due_ms(w->names[i]) < due_ms)
			due_ms = managed_due_ms(w->names[i]);
	return due_ms > ready_ms ? due_ms : ready_ms;
}

static bool has_free_worker(const struct watch *w)
{
	for (size_t i = 0; i < WATCH_WORKERS; i++)
		if (!w->workers[i].name)
			return true;
	return false;
}

static void add_listener(const struct watch *w, struct wait *t)
{
	size_t n;

	if (!w->setup.listener)
		return;
	n = listen_wants(w->setup.listener, t->pfds + t->n, LISTEN_POLLS, &t->wake_ms[0]);
	for (; n; n--)
		t->wake_ms[t->n++] = CLOCK_NEVER;
}

static void gather(const struct watch *w, struct wait *t, int64_t now_ms)
{
	struct pollfd *pfd;
	int64_t *wake_ms;

	t->n = 0;
	pfd = add_wait(t, &wake_ms);
	*pfd = (struct pollfd){.fd = signal_pipe[0], .events = POLLIN};
	if (w->is_stopping)
		*wake_ms = w->stop_ms + (w->is_leaving ? WATCH_LEAVE_MS : WATCH_FINISH_MS);
	else if (may_write(w, now_ms) && has_free_worker(w))
		*wake_ms = names_due_ms(w, now_ms);
	for (size_t i = 0; i < w->services_n; i++) {
		pfd = add_wait(t, &wake_ms);
		if (!w->is_stopping)
			service_watch_wants(w->services[i], pfd, wake_ms);
	}
	for (size_t i = 0; i < WATCH_WORKERS; i++) {
		pfd = add_wait(t, &wake_ms);
		worker_wants(w, &w->workers[i], pfd, wake_ms, now_ms);
	}
	pfd = add_wait(t, &wake_ms);
	if (w->setup.lock_key)
		leader_wants(&w->leader, pfd, wake_ms);
	pfd = add_wait(t, &wake_ms);
	if (w->setup.register_as)
		registration_wants(&w->registration, pfd, wake_ms);
	add_listener(w, t);
	t->first_ms = CLOCK_NEVER;
	for (nfds_t i = 0; i < t->n; i++)
		if (t->wake_ms[i] < t->first_ms)
			t->first_ms = t->wake_ms[i];
}

static bool is_ready(const struct wait *t, nfds_t i, int64_t now_ms)
{
	return t->pfds[i].revents || t->wake_ms[i] <= now_ms;
}

static int answer_page(void *ctx, const char *path, struct buf *out, const char **content_type)
{
	struct status s;

	watch_status(ctx, &s);
	return pages_answer(&s, path, out, content_type);
}

static void step_registration(struct watch *w, int64_t now_ms)
{
	struct status s;
	char line[REGISTRATION_LINE_CAP];

	if (!w->registration.is_leaving) {
		watch_status(w, &s);
		registration_set(&w->registration, s.is_healthy, watch_line(&s, line, sizeof line));
	}
	if (registration_step(&w->registration, now_ms))
		LOG_EVENT(LOG_WARN, "not registered in Consul",
			  {"error", w->registration.last_err.text, 0});
}

static void refresh_secrets(struct watch *w, int64_t now_ms)
{
	if (!w->was_refused || (w->refused_ms && now_ms - w->refused_ms < SECRETS_MS))
		return;
	w->was_refused = false;
	w->refused_ms = now_ms;
	w->setup.reload(w->setup.ctx, true);
}

static void turn(struct watch *w, const struct wait *t)
{
	size_t services_n = w->services_n;
	int64_t now_ms = clock_now_ms();
	nfds_t i = 1;

	if (w->setup.lock_key)
		step_leader(w, now_ms);
	if (t->pfds[0].revents)
		take_signals(w, now_ms);
	if (w->services_n != services_n)
		return; /* read again: what was waited for is not what is there */
	for (size_t k = 0; k < services_n; k++, i++)
		if (!w->is_stopping && is_ready(t, i, now_ms))
			step_service_watch(w, w->services[k], now_ms);
	for (size_t k = 0; k < WATCH_WORKERS; k++, i++)
		if (is_ready(t, i, now_ms))
			step_worker(w, &w->workers[k]);
	give_work(w, now_ms);
	refresh_secrets(w, now_ms);
	if (w->setup.register_as)
		step_registration(w, now_ms);
	if (w->setup.listener)
		listen_step(w->setup.listener, now_ms, answer_page, w);
}

void watch_run(struct watch *w)
{
	static struct wait t;

	/* From here on nothing but a signal ends us. */
	for (;;) {
		int64_t now_ms = clock_now_ms();

		if (is_over(w, now_ms))
			break;
		gather(w, &t, now_ms);
		if (poll(t.pfds, t.n, clock_poll_timeout(t.first_ms, clock_now_ms())) < 0)
			for (nfds_t i = 0; i < t.n; i++)
				t.pfds[i].revents = 0; /* EINTR: what is due is found by time */
		turn(w, &t);
	}
	LOG_EVENT(LOG_INFO, "stopped", {"pid", NULL, getpid()});
}
