#include "engine/driver.h"

#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"

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

static int begin_write(struct driver *d, struct err *e)
{
	struct cf_write *write = d->call.write;
	char headers[HTTP_REQUEST_HEAD_MAX];
	struct buf h;

	buf_init(&h, headers, sizeof headers);
	buf_str(&h, d->cf_headers);
	d->method = cf_write_method(write);
	cf_write_target(&d->target, write);
	cf_write_body(&d->body, write);
	if (d->body.len)
		buf_str(&h, "Content-Type: application/json\r\n");
	d->sink = cf_write_begin(write, d->element, d->rest);
	if (!buf_ok(&h))
		return err_set(e, ERR_LIMIT, "the request is too long");
	return start(d, h.p, e);
}

/* "consul: health of web: GET http://127.0.0.1:8500/v1/...: why". */
static int add_where(const struct driver *d, const char *what, const char *name, struct err *e)
{
	const int target_max = 320; /* the reason behind it must not be cut off */
	const struct url *url = &d->client->origin->url;
	char storage[WHERE_CAP];
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	url_add_origin(&b, url);
	if (strncmp(e->text, b.p, b.len) == 0) /* named already: the connection failed */
		buf_reset(&b);
	return err_wrap(e, "%s %s: %s %s%s%.*s", what, name, d->method, b.p, url->path, target_max,
			d->target.p);
}

/* Of several names the first is not said to be whose fault it is. */
static const char *names_of(const struct job *first, size_t n, char out[NAME_CAP])
{
	if (n == 1)
		return first->name;
	(void)fmt_text(out, NAME_CAP, "%zu names", n);
	return out;
}

static int wrap(const struct driver *d, struct err *e)
{
	const struct call *c = &d->call;
	char name[NAME_CAP];

	switch (c->kind) {
	case CALL_HEALTH: return add_where(d, "consul: health of", c->query->job->service, e);
	case CALL_ZONE: return add_where(d, "cloudflare: zone of", c->zones->name, e);
	case CALL_LIST:
		return add_where(d, "cloudflare: list records of",
				 names_of(c->list->names[0]->job, c->list->names_n, name), e);
	default:
		return add_where(d, "cloudflare: write records of",
				 names_of(c->write->parts->job, c->write->parts_n, name), e);
	}
}

static int begin(struct driver *d, struct err *e)
{
	const struct call *c = &d->call;

	d->client = c->kind == CALL_HEALTH ? &d->consul : &d->cloudflare;
	d->method = "GET";
	buf_init(&d->target, d->target_text, sizeof d->target_text);
	buf_init(&d->body, d->body_text, sizeof d->body_text);
	switch (c->kind) {
	case CALL_HEALTH:
		consul_health_target(&d->target, c->query);
		d->sink = consul_health_begin(&d->reader, c->query, c->view, d->element, d->rest);
		return start(d, d->consul_headers, e);
	case CALL_ZONE:
		cf_zone_search_target(&d->target, c->zones);
		d->sink = cf_zone_search_begin(c->zones, d->element, d->rest);
		break;
	case CALL_LIST:
		cf_listing_target(&d->target, c->list);
		d->sink = cf_listing_begin(c->list, d->element, d->rest);
		break;
	default: return begin_write(d, e);
	}
	return start(d, d->cf_headers, e);
}

int driver_begin(struct driver *d, const struct call *call, int64_t fence_ms, struct err *e)
{
	d->call = *call;
	d->fence_ms = fence_ms;
	return call->kind != CALL_WAIT && begin(d, e) ? wrap(d, e) : 0;
}

/* The exchange has ended well; again: the next page is to be asked for. */
static int finish(struct driver *d, bool *again, struct err *e)
{
	*again = false;
	switch (d->call.kind) {
	case CALL_HEALTH: return consul_health_finish(&d->reader, e);
	case CALL_ZONE: return cf_zone_search_finish(d->call.zones, again, e);
	case CALL_LIST: return cf_listing_finish(d->call.list, again, e);
	default: return cf_write_finish(d->call.write, e);
	}
}

enum http_result driver_step(struct driver *d, struct err *e)
{
	bool again = true;

	if (d->call.kind == CALL_WAIT)
		return clock_now_ms() < d->call.until_ms ? HTTP_MORE : HTTP_DONE;
	/* What was only begun is not yet on its way: it waits for nothing before its first step. */
	while (again) {
		enum http_result result = http_step(d->client, e);

		if (result == HTTP_MORE)
			return HTTP_MORE;
		if (result == HTTP_BAD || finish(d, &again, e) || (again && begin(d, e))) {
			(void)wrap(d, e);
			return HTTP_BAD;
		}
	}
	return HTTP_DONE;
}

bool driver_is_busy(const struct driver *d)
{
	return d->client && http_is_busy(d->client);
}

void driver_wants(const struct driver *d, struct loop_wait *w)
{
	if (d->call.kind == CALL_WAIT)
		loop_wait_until(w, d->call.until_ms);
	else
		http_wants(d->client, w);
}

void driver_abort(struct driver *d)
{
	http_close(d->client);
}

bool driver_is_write_lost(const struct driver *d, enum err_kind kind)
{
	return d->call.kind == CALL_WRITE && http_was_sent(d->client) &&
	       (kind == ERR_RETRY || kind == ERR_PROTO || kind == ERR_LIMIT);
}

uint32_t driver_random(void)
{
	uint32_t random;

	if (clock_entropy(&random, sizeof random))
		random = (uint32_t)clock_now_ms(); /* jitter needs no secret */
	return random;
}

int driver_call(struct driver *d, const struct call *call, struct err *e)
{
	enum http_result result;

	if (driver_begin(d, call, CLOCK_NEVER, e))
		return -1;
	while ((result = driver_step(d, e)) == HTTP_MORE) {
		struct loop_alone alone;

		driver_wants(d, loop_alone_begin(&alone));
		loop_alone_wait(&alone);
	}
	return result == HTTP_DONE ? 0 : -1;
}
