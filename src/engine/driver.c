#include "engine/driver.h"

#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

#define WHERE_CAP 1024 /* bytes of an origin's URL */

/* One request and what reads its answer. */
struct exchange {
	struct http_client *client;
	const char *method;
	const char *headers;
	struct buf target;
	struct buf body;
	struct http_sink sink;
};

static int run_exchange(struct driver *d, struct exchange *x, struct err *e)
{
	struct http_request request = {
		.method = x->method,
		.target = x->target.p,
		.headers = x->headers,
		.body = x->body.len ? x->body.p : NULL,
		.body_len = x->body.len,
	};

	if (!buf_ok(&x->target) || !buf_ok(&x->body))
		return err_set(e, ERR_LIMIT, "the request is too long");
	return http_exchange(x->client, &request, &x->sink, clock_now_ms() + d->timeout_ms, e);
}

/* "consul: health of web: GET http://127.0.0.1:8500/v1/...: why". */
static int tell_where(const struct exchange *x, const char *what, const char *name, struct err *e)
{
	const int target_max = 320; /* the reason behind it must not be cut off */
	const struct url *url = &x->client->origin->url;
	struct url origin = *url;
	char storage[WHERE_CAP];
	struct buf b;

	origin.path[0] = '\0';
	buf_init(&b, storage, sizeof storage);
	url_add(&b, &origin);
	if (strncmp(e->text, b.p, b.len) == 0) /* told already: the connection failed */
		buf_reset(&b);
	return err_wrap(e, "%s %s: %s %s%s%.*s", what, name, x->method, b.p, url->path, target_max,
			x->target.p);
}

static int perform_health(struct driver *d, struct reconcile *r, struct exchange *x, struct err *e)
{
	struct consul_reader reader;

	x->client = &d->consul;
	x->headers = d->consul_headers;
	consul_health_target(&x->target, &r->query);
	x->sink = consul_health_begin(&reader, &r->query, &r->view, d->element, d->rest);
	if (run_exchange(d, x, e) || consul_health_finish(&reader, e))
		return tell_where(x, "consul: health of", r->query.service, e);
	return 0;
}

static int perform_zone(struct driver *d, struct reconcile *r, struct exchange *x, struct err *e)
{
	bool again = true;

	while (again) {
		buf_reset(&x->target);
		cf_zone_search_target(&x->target, &r->zones);
		x->sink = cf_zone_search_begin(&r->zones, d->element, d->rest);
		if (run_exchange(d, x, e) || cf_zone_search_finish(&r->zones, &again, e))
			return tell_where(x, "cloudflare: zone of", r->zones.name, e);
	}
	return 0;
}

static int perform_list(struct driver *d, struct reconcile *r, struct exchange *x, struct err *e)
{
	bool again = true;

	while (again) {
		buf_reset(&x->target);
		cf_record_list_target(&x->target, &r->list);
		x->sink = cf_record_list_begin(&r->list, d->element, d->rest);
		if (run_exchange(d, x, e) || cf_record_list_finish(&r->list, &again, e))
			return tell_where(x, "cloudflare: list records of", r->name, e);
	}
	return 0;
}

static int perform_write(struct driver *d, struct reconcile *r, struct exchange *x, struct err *e)
{
	char headers[HTTP_REQUEST_HEAD_MAX];
	struct buf h;

	buf_init(&h, headers, sizeof headers);
	buf_str(&h, d->cf_headers);
	x->method = cf_write_method(&r->write);
	cf_write_target(&x->target, &r->write);
	cf_write_body(&x->body, &r->write);
	if (x->body.len)
		buf_str(&h, "Content-Type: application/json\r\n");
	x->headers = h.p;
	x->sink = cf_write_begin(&r->write, d->element, d->rest);
	if (!buf_ok(&h))
		return err_set(e, ERR_LIMIT, "the request is too long");
	if (run_exchange(d, x, e) || cf_write_finish(&r->write, e))
		return tell_where(x, "cloudflare: write records of", r->name, e);
	return 0;
}

static int perform_wait(const struct reconcile *r)
{
	for (;;) {
		int64_t now_ms = clock_now_ms();

		if (now_ms >= r->wake_ms)
			return 0;
		(void)poll(NULL, 0, clock_poll_timeout(r->wake_ms, now_ms));
	}
}

int driver_perform(struct driver *d, struct reconcile *r, struct err *e)
{
	char target[DRIVER_TARGET_CAP];
	struct exchange x = {
		.client = &d->cloudflare,
		.method = "GET",
		.headers = d->cf_headers,
	};

	buf_init(&x.target, target, sizeof target);
	buf_init(&x.body, d->body, sizeof d->body);
	switch (reconcile_next(r)) {
	case CALL_HEALTH: return perform_health(d, r, &x, e);
	case CALL_ZONE: return perform_zone(d, r, &x, e);
	case CALL_LIST: return perform_list(d, r, &x, e);
	case CALL_WRITE: return perform_write(d, r, &x, e);
	case CALL_WAIT: return perform_wait(r);
	case CALL_END:
	default: return 0;
	}
}

void driver_run(struct driver *d, struct reconcile *r)
{
	while (reconcile_next(r) != CALL_END) {
		struct err e = {0};
		uint32_t random = 0;
		int rc = driver_perform(d, r, &e);

		if (clock_entropy(&random, sizeof random))
			random = (uint32_t)clock_now_ms(); /* jitter needs no secret */
		reconcile_take(r, rc, &e, clock_now_ms(), random);
	}
}
