/*
 * One call to Consul or to Cloudflare: what is asked and where the answer goes. Whoever wants
 * something fills it in, the driver carries it out; neither knows the other.
 */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include <stdint.h>

#include "cloudflare/records.h"
#include "cloudflare/writes.h"
#include "cloudflare/zones.h"
#include "consul/health.h"

enum call_kind {
	CALL_HEALTH, /* read query into view */
	CALL_ZONE,   /* search the zone, all pages: zones */
	CALL_LIST,   /* list the records, all pages: list */
	CALL_WRITE,  /* carry out write */
	CALL_WAIT,   /* ask nobody until until_ms */
	CALL_END     /* none: there is no more to do */
};

/* What is pointed to is used until the call has ended; of another kind it is NULL. */
struct call {
	enum call_kind kind;
	int64_t until_ms; /* monotonic */
	const struct consul_query *query;
	struct consul_view *view;
	struct cf_zone_search *zones;
	struct cf_listing *list;
	struct cf_write *write;
};

/* The answer of Cloudflare that it got last; NULL for a call to Consul. */
const struct cf_reply *call_reply(const struct call *c);

#endif
