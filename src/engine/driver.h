/*
 * Carries out the calls of a reconcile over HTTP: builds each request, reads each answer. One
 * call at a time; the connections to both sides are kept between calls. Never blocks but in
 * driver_run().
 */
#ifndef ENGINE_DRIVER_H
#define ENGINE_DRIVER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"
#include "cloudflare/writes.h"
#include "engine/reconcile.h"
#include "net/http/client.h"

struct driver {
	struct http_client consul, cloudflare;
	const char *consul_headers; /* whole lines, with the credentials of that side alone */
	const char *cf_headers;
	int64_t timeout_ms; /* of one exchange, connect to last byte */

	/* The call under way. */
	struct http_client *client;
	int64_t fence_ms;
	const char *method;
	struct buf target, body;
	struct http_sink sink;
	struct consul_reader reader;
	char target_text[HTTP_TARGET_CAP];
	char body_text[CF_BODY_CAP];
	char element[JSON_ELEMENT_MAX + 1];
	char rest[JSON_REST_MAX + 1];
};

/*
 * Begin the call that reconcile_next() names: not CALL_WAIT, not CALL_END.
 *   fence_ms  the call is over by then, whatever happens; CLOCK_NEVER for none
 * After 0 follow with driver_step(); after -1 give e to reconcile_take().
 */
int driver_begin(struct driver *d, struct reconcile *r, int64_t fence_ms, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Go on without waiting. HTTP_MORE: wait as driver_wants() says. HTTP_DONE: the answer is in
 * place; HTTP_BAD: e says why not. Both are to be given to reconcile_take().
 */
enum http_result driver_step(struct driver *d, struct reconcile *r, struct err *e)
	__attribute__((warn_unused_result));

/* As http_wants(). */
void driver_wants(const struct driver *d, struct loop_wait *w);

/* Drop the call under way, its connection with it. */
void driver_abort(struct driver *d);

/* Carry out all calls until CALL_END, waits included. */
void driver_run(struct driver *d, struct reconcile *r);

/* A number for jitter. */
uint32_t driver_random(void);

#endif
