#include "watch/service_watch.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "core/pace.h"

#define BURST 2
#define BUSY_CHANGES 8 /* changes in a row after which a service counts as churning */

void service_watch_init(struct service_watch *w, const struct job *job,
			const struct http_origin *origin, const char *headers, int64_t timeout_ms)
{
	*w = (struct service_watch){
		.job = *job,
		.query = {.job = &w->job, .wait_sec = SERVICE_WATCH_WAIT_SEC},
		.headers = headers,
		.timeout_ms = timeout_ms,
		.view = w->view,
		.incoming = w->incoming,
		.element = w->element,
		.rest = w->rest,
		.tls = w->tls,
	};
	http_client_init(&w->client, origin, origin->url.scheme == URL_HTTPS ? w->tls : NULL);
	bucket_init(&w->bucket, BURST, SERVICE_WATCH_READ_MS);
}

static int start(struct service_watch *w, int64_t now_ms, struct err *e)
{
	char target[HTTP_TARGET_CAP];
	struct buf b;
	struct http_sink sink;
	struct http_request request = {.method = "GET", .headers = w->headers, .target = target};

	buf_init(&b, target, sizeof target);
	consul_health_target(&b, &w->query);
	if (!buf_ok(&b))
		return err_set(e, ERR_LIMIT, "the request is too long");
	sink = consul_health_begin(&w->reader, &w->query, w->incoming, w->element, w->rest);
	w->started_ms = now_ms;
	return http_start(&w->client, &request, &sink,
			  now_ms + (w->query.index ? consul_wait_ms(w->query.wait_sec) +
							     SERVICE_WATCH_MARGIN_MS
						   : w->timeout_ms),
			  e);
}

static bool is_same_content(const struct consul_view *a, const struct consul_view *b)
{
	if (a->listed_n != b->listed_n || a->count.instances_n != b->count.instances_n ||
	    a->count.unaddressed_n != b->count.unaddressed_n ||
	    memcmp(a->count.state_n, b->count.state_n, sizeof a->count.state_n) != 0)
		return false;
	/* The same list may remove now, or may not any more: ACLs were changed, a cache is gone. */
	if (evidence_assess(&a->evidence, !a->count.instances_n) !=
	    evidence_assess(&b->evidence, !b->count.instances_n))
		return false;
	for (size_t i = 0; i < a->listed_n; i++)
		if (a->listed[i].state != b->listed[i].state ||
		    target_compare(&a->listed[i].target, &b->listed[i].target) != 0)
			return false;
	return true;
}

/*
 * One read per second, and fewer while answers keep coming at once: soon fewer when nothing in
 * them is news (a check's output that changes all the time), later when it is.
 */
static void set_pace(struct service_watch *w, bool has_changed, int64_t now_ms)
{
	int64_t slower_ms = 2 * w->bucket.interval_ms;

	if (now_ms - w->started_ms > 2 * w->bucket.interval_ms) {
		w->busy_n = 0;
		bucket_set_interval(&w->bucket, SERVICE_WATCH_READ_MS);
		return;
	}
	w->busy_n++;
	if (w->busy_n <= BURST || (has_changed && w->busy_n % BUSY_CHANGES != 0))
		return;
	bucket_set_interval(&w->bucket, slower_ms < SERVICE_WATCH_READ_MAX_MS
						? slower_ms
						: SERVICE_WATCH_READ_MAX_MS);
}

static enum service_watch_event take_answer(struct service_watch *w, int64_t now_ms)
{
	struct consul_view *old = w->view;
	bool has_changed;

	consul_view_sort(w->incoming);
	has_changed = !w->has_view || !is_same_content(w->view, w->incoming);
	w->view = w->incoming;
	w->incoming = old;
	w->has_view = true;
	w->query.index = consul_next_index(w->query.index, w->view->index);
	w->answered_ms = now_ms;
	w->failures = 0;
	w->reads++;
	set_pace(w, has_changed, now_ms);
	return has_changed ? SERVICE_WATCH_CHANGED : SERVICE_WATCH_NOTHING;
}

static enum service_watch_event fail(struct service_watch *w, const struct err *e, int64_t now_ms,
				     uint32_t random)
{
	w->last_err = *e;
	(void)err_wrap(&w->last_err, "consul: watch of %s", w->job.service);
	w->query.index = 0;
	w->retry_ms = now_ms + pace_delay_ms(PACE_SERVICE, w->failures, random);
	w->failures++;
	return SERVICE_WATCH_FAILED;
}

static int64_t ready_ms(const struct service_watch *w, int64_t now_ms)
{
	int64_t bucket_ms = bucket_ready_ms(&w->bucket, now_ms);

	return w->retry_ms > bucket_ms ? w->retry_ms : bucket_ms;
}

enum service_watch_event service_watch_step(struct service_watch *w, int64_t now_ms,
					    uint32_t random)
{
	struct err e = {0};
	enum http_result result;

	if (!http_is_busy(&w->client)) {
		if (ready_ms(w, now_ms) > now_ms)
			return SERVICE_WATCH_NOTHING;
		bucket_take(&w->bucket, now_ms);
		if (start(w, now_ms, &e))
			return fail(w, &e, now_ms, random);
	}
	result = http_step(&w->client, &e);
	if (result == HTTP_MORE)
		return SERVICE_WATCH_NOTHING;
	if (result == HTTP_BAD || consul_health_finish(&w->reader, &e))
		return fail(w, &e, now_ms, random);
	return take_answer(w, now_ms);
}

void service_watch_wants(const struct service_watch *s, struct loop_wait *w, int64_t now_ms)
{
	if (http_is_busy(&s->client))
		http_wants(&s->client, w);
	else
		loop_wait_until(w, ready_ms(s, now_ms));
}
