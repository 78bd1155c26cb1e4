#include "engine/driver.h"

#include <string.h>

#include "base/clock.h"

#define WHERE_CAP 1024 /* bytes of an origin's URL */

static int start(struct driver *d, const char *headers, struct err *e)
{
	struct http_request request = {
		.method = d->method,
		.target = d->target.p,
		.headers = headers,
		.body = d->body.len ? d->body.p : NULL,
		.body_len = d->body.len,
	};
	int64_t deadline_ms = clock_now_ms() + d->timeout_ms;

	if (!buf_ok(&d->target) || !buf_ok(&d->body))
		return err_set(e, ERR_LIMIT, "the request is too long");
	return http_start(d->client, &request, &d->sink,
			  deadline_ms < d->fence_ms ? deadline_ms : d->fence_ms, e);
}

static int begin_health(struct driver *d, struct reconcile *r, struct err *e)
{
	d->client = &d->consul;
	consul_health_target(&d->target, &r->query);
	d->sink = consul_health_begin(&d->reader, &r->query, &r->view, d->element, d->rest);
	return start(d, d->consul_headers, e);
}

static int begin_zone(struct driver *d, struct reconcile *r, struct err *e)
{
	cf_zone_search_target(&d->target, &r->zones);
	d->sink = cf_zone_search_begin(&r->zones, d->element, d->rest);
	return start(d, d->cf_headers, e);
}

static int begin_list(struct driver *d, struct reconcile *r, struct err *e)
{
	cf_record_list_target(&d->target, &r->list);
	d->sink = cf_record_list_begin(&r->list, d->element, d->rest);
	return start(d, d->cf_headers, e);
}

static int begin_write(struct driver *d, struct reconcile *r, struct err *e)
{
	char headers[HTTP_REQUEST_HEAD_MAX];
	struct buf h;

	buf_init(&h, headers, sizeof headers);
	buf_str(&h, d->cf_headers);
	d->method = cf_write_method(&r->write);
	cf_write_target(&d->target, &r->write);
	cf_write_body(&d->body, &r->write);
	if (d->body.len)
		buf_str(&h, "Content-Type: application/json\r\n");
	d->sink = cf_write_begin(&r->write, d->element, d->rest);
	if (!buf_ok(&h))
		return err_set(e, ERR_LIMIT, "the request is too long");
	return start(d, h.p, e);
}

/* "consul: health of web: GET http://127.0.0.1:8500/v1/...: why". */
static int add_where(const struct driver *d, const char *what, const char *name, struct err *e)
{
	const int target_max = 320; /* the reason behind it must not be cut off */
	const struct url *url = &d->client->origin->url;
	struct url origin = *url;
	char storage[WHERE_CAP];
	struct buf b;

	origin.path[0] = '\0';
	buf_init(&b, storage, sizeof storage);
	url_add(&b, &origin);
	if (strncmp(e->text, b.p, b.len) == 0) /* named already: the connection failed */
		buf_reset(&b);
	return err_wrap(e, "%s %s: %s %s%s%.*s", what, name, d->method, b.p, url->path, target_max,
			d->target.p);
}

static int wrap(const struct driver *d, const struct reconcile *r, struct err *e)
{
	switch (reconcile_next(r)) {
	case CALL_HEALTH: return add_where(d, "consul: health of", r->job->service, e);
	case CALL_ZONE: return add_where(d, "cloudflare: zone of", r->zones.name, e);
	case CALL_LIST: return add_where(d, "cloudflare: list records of", r->name, e);
	default: return add_where(d, "cloudflare: write records of", r->name, e);
	}
}

static int begin(struct driver *d, struct reconcile *r, struct err *e)
{
	d->client = &d->cloudflare;
	d->method = "GET";
	buf_init(&d->target, d->target_text, sizeof d->target_text);
	buf_init(&d->body, d->body_text, sizeof d->body_text);
	switch (reconcile_next(r)) {
	case CALL_HEALTH: return begin_health(d, r, e);
	case CALL_ZONE: return begin_zone(d, r, e);
	case CALL_LIST: return begin_list(d, r, e);
	default: return begin_write(d, r, e);
	}
}

int driver_begin(struct driver *d, struct reconcile *r, int64_t fence_ms, struct err *e)
{
	d->fence_ms = fence_ms;
	return begin(d, r, e) ? wrap(d, r, e) : 0;
}

/* The exchange has ended well; again: the next page is to be asked for. */
static int finish(struct driver *d, struct reconcile *r, bool *again, struct err *e)
{
	*again = false;
	switch (reconcile_next(r)) {
	case CALL_HEALTH: return consul_health_finish(&d->reader, e);
	case CALL_ZONE: return cf_zone_search_finish(&r->zones, again, e);
	case CALL_LIST: return cf_record_list_finish(&r->list, again, e);
	default: return cf_write_finish(&r->write, e);
	}
}

enum http_result driver_step(struct driver *d, struct reconcile *r, struct err *e)
{
	bool again = true;

	/* What was only begun is not yet on its way: it waits for nothing before its first step. */
	while (again) {
		enum http_result result = http_step(d->client, e);

		if (result == HTTP_MORE)
			return HTTP_MORE;
		if (result == HTTP_BAD || finish(d, r, &again, e) || (again && begin(d, r, e))) {
			(void)wrap(d, r, e);
			return HTTP_BAD;
		}
	}
	return HTTP_DONE;
}

void driver_wants(const struct driver *d, struct loop_wait *w)
{
	http_wants(d->client, w);
}

void driver_abort(struct driver *d)
{
	http_close(d->client);
}

uint32_t driver_random(void)
{
	uint32_t random;

	if (clock_entropy(&random, sizeof random))
		random = (uint32_t)clock_now_ms(); /* jitter needs no secret */
	return random;
}

/* ---- a reconcile in a loop of its own ---- */

struct lone {
	struct driver *d;
	struct reconcile *r;
	struct loop_part part;
	bool is_calling;
};

static void lone_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	const struct lone *x = ctx;

	(void)now_ms;
	if (x->is_calling)
		driver_wants(x->d, w);
	else
		loop_wait_until(w, reconcile_next(x->r) == CALL_WAIT ? x->r->wake_ms : 0);
}

/* The call that comes next, as far as it goes without waiting. */
static enum http_result perform(struct lone *x, int64_t now_ms, struct err *e)
{
	if (reconcile_next(x->r) == CALL_WAIT)
		return now_ms < x->r->wake_ms ? HTTP_MORE : HTTP_DONE;
	if (!x->is_calling && driver_begin(x->d, x->r, CLOCK_NEVER, e))
		return HTTP_BAD;
	x->is_calling = true;
	return driver_step(x->d, x->r, e);
}

static void lone_step(void *ctx, int64_t now_ms)
{
	struct lone *x = ctx;
	struct err e = {0};
	enum http_result result;

	if (!x->is_calling)
		reconcile_refresh(x->r, now_ms);
	result = perform(x, now_ms, &e);
	if (result == HTTP_MORE)
		return;
	x->is_calling = false;
	reconcile_take(x->r, result == HTTP_DONE ? 0 : -1, &e, clock_now_ms(), driver_random());
	if (reconcile_next(x->r) == CALL_END)
		loop_remove(&x->part);
}

void driver_run(struct driver *d, struct reconcile *r)
{
	struct lone x = {
		.d = d, .r = r, .part = {.ctx = &x, .wants = lone_wants, .step = lone_step}};

	loop_run_alone(&x.part);
}
