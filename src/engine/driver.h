/*
 * Carries out the calls of a reconcile over HTTP: builds each request, reads each answer. Waits
 * for one exchange at a time; the connections to both sides are kept between calls.
 */
#ifndef ENGINE_DRIVER_H
#define ENGINE_DRIVER_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "cloudflare/writes.h"
#include "engine/reconcile.h"
#include "net/http.h"

#define DRIVER_TARGET_CAP 2048 /* bytes of a path and query */

struct driver {
	struct http_client consul, cloudflare;
	const char *consul_headers; /* whole lines, with the credentials of that side alone */
	const char *cf_headers;
	int64_t timeout_ms;         /* of one exchange, connect to last byte */
	char element[JSON_ELEMENT_MAX + 1];
	char rest[JSON_REST_MAX + 1];
	char body[CF_BODY_CAP];
};

/* Carry out one call, not CALL_END. Returns what reconcile_take() wants to know. */
int driver_perform(struct driver *d, struct reconcile *r, struct err *e)
	__attribute__((warn_unused_result));

/* Carry out all calls until CALL_END. */
void driver_run(struct driver *d, struct reconcile *r);

#endif
