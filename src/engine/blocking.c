#include "engine/blocking.h"

#include "base/clock.h"
#include "base/memory.h"
#include "core/pace.h"

struct blocking_storage {
	char element[JSON_ELEMENT_MAX + 1];
	char rest[JSON_REST_MAX + 1];
	struct tls_storage tls;
};

int blocking_reserve(struct blocking_reader *r)
{
	struct blocking_storage *p = memory_reserve(sizeof *p);

	if (!p)
		return -1;
	r->element = p->element;
	r->rest = p->rest;
	r->tls = &p->tls;
	return 0;
}

void blocking_init(struct blocking_reader *r, const struct http_origin *origin, const char *headers,
		   int64_t timeout_ms)
{
	r->headers = headers;
	r->timeout_ms = timeout_ms;
	http_client_init(&r->client, origin, origin->url.scheme == URL_HTTPS ? r->tls : NULL);
}

static int start(struct blocking *b, struct blocking_reader *r, int64_t now_ms, struct err *e)
{
	char target[HTTP_TARGET_CAP];
	struct buf text;
	struct http_sink sink;
	struct http_request request = {.method = "GET", .headers = r->headers, .target = target};

	buf_init(&text, target, sizeof target);
	sink = b->way->begin(b->ctx, &text);
	r->list = sink.ctx;
	b->started_ms = now_ms;
	b->cost_us = 0;
	if (!buf_ok(&text))
		return err_set(e, ERR_LIMIT, "the request is too long");
	return http_start(&r->client, &request, &sink,
			  now_ms + (b->index ? consul_wait_ms(b->wait_sec) + BLOCKING_MARGIN_MS
					     : r->timeout_ms),
			  e);
}

static enum blocking_event fail(struct blocking *b, const struct err *e, int64_t now_ms,
				uint32_t random)
{
	*b->last_err = *e;
	(void)err_wrap(b->last_err, "consul: watch of %s", b->what);
	b->index = 0;
	b->retry_ms = now_ms + pace_delay_ms(PACE_SERVICE, b->failures, random);
	b->failures++;
	return BLOCKING_FAILED;
}

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

/*
 * A proxy on the way gives up on a connection that is silent for long, with a 502 to 504 or by
 * closing it: that says nothing of Consul.
 */
static bool is_no_news(const struct blocking *b, int status, enum http_result result,
		       const struct err *e, int64_t silent_ms)
{
	int64_t half_ms = (int64_t)b->wait_sec * 500;

	if (!b->index || silent_ms < clamp(half_ms, 0, BLOCKING_SILENCE_MS) ||
	    silent_ms > consul_wait_ms(b->wait_sec) + BLOCKING_MARGIN_MS / 2)
		return false;
	return result == HTTP_BAD ? !status && e->kind == ERR_RETRY
				  : status >= 502 && status <= 504;
}

static enum blocking_event take_end(struct blocking *b, const struct blocking_reader *r,
				    enum http_result result, struct err *e, int64_t now_ms,
				    uint32_t random)
{
	bool is_news = true;
	uint64_t index = 0;

	if (is_no_news(b, r->list->status, result, e, now_ms - b->started_ms)) {
		/* Now and then Consul has to show that it lives. */
		if (now_ms - b->answered_ms > (int64_t)b->wait_sec * 1500)
			b->index = 0;
		return BLOCKING_NOTHING;
	}
	if (result == HTTP_BAD || b->way->finish(b->ctx, &index, &is_news, e))
		return fail(b, e, now_ms, random);
	b->index = b->wait_sec ? consul_next_index(b->index, index) : 0;
	b->answered_ms = now_ms;
	b->failures = 0;
	b->reads++;
	b->same_n = is_news ? 0 : b->same_n + 1;
	return is_news ? BLOCKING_CHANGED : BLOCKING_NOTHING;
}

int64_t blocking_ready_ms(const struct blocking *b)
{
	int64_t least_ms = (int64_t)b->rest_ms << (b->same_n < 4 ? b->same_n : 4);
	int64_t rest_ms =
		clamp(b->cost_us / 100, clamp(least_ms, 0, BLOCKING_SAME_MS), BLOCKING_REST_MAX_MS);

	return clamp(b->answered_ms + rest_ms, b->retry_ms, CLOCK_NEVER);
}

static enum blocking_event go_on(struct blocking *b, struct blocking_reader *r, int64_t now_ms,
				 uint32_t random)
{
	struct err e = {0};
	enum http_result result;

	if (!http_is_busy(&r->client)) {
		if (blocking_ready_ms(b) > now_ms)
			return BLOCKING_NOTHING;
		if (start(b, r, now_ms, &e))
			return fail(b, &e, now_ms, random);
	}
	result = http_step(&r->client, &e);
	return result == HTTP_MORE ? BLOCKING_NOTHING : take_end(b, r, result, &e, now_ms, random);
}

enum blocking_event blocking_step(struct blocking *b, struct blocking_reader *r, int64_t now_ms,
				  uint32_t random)
{
	int64_t from_us = clock_cpu_us();
	enum blocking_event event = go_on(b, r, now_ms, random);

	b->cost_us += clock_cpu_us() - from_us;
	return event;
}

void blocking_wants(const struct blocking *b, const struct blocking_reader *r, struct loop_wait *w)
{
	if (http_is_busy(&r->client))
		http_wants(&r->client, w);
	else
		loop_wait_until(w, blocking_ready_ms(b));
}
