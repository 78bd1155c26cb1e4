#include "engine/service_watch.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/memory.h"
#include "core/pace.h"

struct service_watch_storage {
	struct service_watch service;
	struct consul_view views[2];
	struct endpoint listed[2][CONSUL_INSTANCES_MAX];
	char element[JSON_ELEMENT_MAX + 1];
	char rest[JSON_REST_MAX + 1];
	struct tls_storage tls;
};

struct service_watch *service_watch_reserve(void)
{
	struct service_watch_storage *p = memory_reserve(sizeof *p);

	if (!p)
		return NULL;
	p->views[0].listed = p->listed[0];
	p->views[1].listed = p->listed[1];
	p->service.element = p->element;
	p->service.rest = p->rest;
	p->service.view = &p->views[0];
	p->service.incoming = &p->views[1];
	p->service.tls = &p->tls;
	return &p->service;
}

void service_watch_init(struct service_watch *w, const struct job *job,
			const struct http_origin *origin, const char *headers, int64_t timeout_ms)
{
	*w = (struct service_watch){
		.job = *job,
		.query = {.job = &w->job},
		.headers = headers,
		.timeout_ms = timeout_ms,
		.view = w->view,
		.incoming = w->incoming,
		.element = w->element,
		.rest = w->rest,
		.tls = w->tls,
	};
	http_client_init(&w->client, origin, origin->url.scheme == URL_HTTPS ? w->tls : NULL);
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
	w->cost_us = 0;
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
	w->same_n = has_changed ? 0 : w->same_n + 1;
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

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

/*
 * A proxy on the way gives up on a connection that is silent for long, with a 502 to 504 or by
 * closing it: that says nothing of Consul.
 */
static bool is_no_news(const struct service_watch *w, enum http_result result, const struct err *e,
		       int64_t silent_ms)
{
	int64_t half_ms = (int64_t)w->query.wait_sec * 500;

	if (!w->query.index || silent_ms < clamp(half_ms, 0, SERVICE_WATCH_SILENCE_MS) ||
	    silent_ms > consul_wait_ms(w->query.wait_sec) + SERVICE_WATCH_MARGIN_MS / 2)
		return false;
	return result == HTTP_BAD ? !w->reader.list.status && e->kind == ERR_RETRY
				  : w->reader.list.status >= 502 && w->reader.list.status <= 504;
}

static enum service_watch_event take_end(struct service_watch *w, enum http_result result,
					 struct err *e, int64_t now_ms, uint32_t random)
{
	if (is_no_news(w, result, e, now_ms - w->started_ms)) {
		/* Now and then Consul has to show that it lives. */
		if (now_ms - w->answered_ms > (int64_t)w->query.wait_sec * 1500)
			w->query.index = 0;
		return SERVICE_WATCH_NOTHING;
	}
	if (result == HTTP_BAD || consul_health_finish(&w->reader, e))
		return fail(w, e, now_ms, random);
	return take_answer(w, now_ms);
}

static int64_t ready_ms(const struct service_watch *w)
{
	int64_t least_ms = SERVICE_WATCH_REST_MS << (w->same_n < 4 ? w->same_n : 4);
	int64_t rest_ms = clamp(w->cost_us / 100, clamp(least_ms, 0, SERVICE_WATCH_SAME_MS),
				SERVICE_WATCH_REST_MAX_MS);

	return clamp(w->answered_ms + rest_ms, w->retry_ms, CLOCK_NEVER);
}

static enum service_watch_event go_on(struct service_watch *w, int64_t now_ms, uint32_t random)
{
	struct err e = {0};
	enum http_result result;

	if (!http_is_busy(&w->client)) {
		if (ready_ms(w) > now_ms)
			return SERVICE_WATCH_NOTHING;
		if (start(w, now_ms, &e))
			return fail(w, &e, now_ms, random);
	}
	result = http_step(&w->client, &e);
	return result == HTTP_MORE ? SERVICE_WATCH_NOTHING
				   : take_end(w, result, &e, now_ms, random);
}

enum service_watch_event service_watch_step(struct service_watch *w, int64_t now_ms,
					    uint32_t random)
{
	int64_t from_us = clock_cpu_us();
	enum service_watch_event event = go_on(w, now_ms, random);

	w->cost_us += clock_cpu_us() - from_us;
	return event;
}

void service_watch_wants(const struct service_watch *s, struct loop_wait *w)
{
	if (http_is_busy(&s->client))
		http_wants(&s->client, w);
	else
		loop_wait_until(w, ready_ms(s));
}
