/*
 * Carries out calls over HTTP: builds each request, reads each answer, page after page. One call
 * at a time; the connections to both sides are kept between calls. Never blocks but where that is
 * said.
 */
#ifndef ENGINE_DRIVER_H
#define ENGINE_DRIVER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"
#include "engine/call.h"
#include "net/http/client.h"

struct driver {
	struct http_client *client; /* of the call under way */
	const char *consul_headers; /* whole lines, with the credentials of that side alone */
	const char *cf_headers;
	int64_t timeout_ms; /* of one exchange, look-up to last byte */
	/* The call under way. */
	int64_t fence_ms;
	const char *method;
	struct call call;
	struct buf target, body;
	struct http_sink sink;
	struct consul_reader reader;
	/* The large ones last: near the beginning code is shorter. */
	struct http_client consul, cloudflare;
	char target_text[HTTP_TARGET_CAP];
	char body_text[CF_BODY_CAP];
	char element[JSON_ELEMENT_MAX + 1];
	char rest[JSON_REST_MAX + 1];
};

/*
 * Begin a call: not CALL_END. call is copied.
 *   fence_ms  the call is over by then, whatever happens; CLOCK_NEVER for none
 *   e         as the module of that call says, with what was asked of whom in front
 * After 0 follow with driver_step(), before anything is waited for.
 */
int driver_begin(struct driver *d, const struct call *call, int64_t fence_ms, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Go on without waiting. HTTP_MORE: wait as driver_wants() says. HTTP_DONE: the answer is in
 * place; HTTP_BAD: e says why not.
 */
enum http_result driver_step(struct driver *d, struct err *e) __attribute__((warn_unused_result));

/* Whether a call is under way. */
bool driver_is_busy(const struct driver *d);

/* As http_wants(). */
void driver_wants(const struct driver *d, struct loop_wait *w);

/* Drop the call under way, its connection with it. */
void driver_abort(struct driver *d);

/*
 * After a call that was dropped or failed with this: whether what it wrote may be done, or be done
 * yet. Bytes of a write began to be sent, and no answer said what became of it.
 */
bool driver_is_write_lost(const struct driver *d, enum err_kind kind);

/* Carry out one call, waiting for its end. */
int driver_call(struct driver *d, const struct call *call, struct err *e)
	__attribute__((warn_unused_result));

/* A number for jitter. */
uint32_t driver_random(void);

#endif
