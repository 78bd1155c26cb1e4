/*
 * Watches one service of Consul with blocking queries and holds what it lists. Tells when the
 * content changed, which is not when the index did. Never blocks: it lives in a poll loop.
 * https://developer.hashicorp.com/consul/api-docs/features/blocking
 */
#ifndef ENGINE_SERVICE_WATCH_H
#define ENGINE_SERVICE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "consul/health.h"
#include "net/http/client.h"

#define SERVICE_WATCH_MARGIN_MS 10000  /* and so much later no answer is believed in any more */
#define SERVICE_WATCH_SILENCE_MS 20000 /* from here on, or half the wait, a cut is no news */

/* Between two reads there is a rest, ten times as long as reading and deciding took, and... */
#define SERVICE_WATCH_REST_MS 100      /* ...not shorter; while nothing is news doubled, up to... */
#define SERVICE_WATCH_SAME_MS 1000     /* ...this; and */
#define SERVICE_WATCH_REST_MAX_MS 5000 /* not longer, whatever it cost */

enum service_watch_event {
	SERVICE_WATCH_NOTHING,
	SERVICE_WATCH_CHANGED, /* view is new */
	SERVICE_WATCH_FAILED   /* last_err says how; view is still what was listed last */
};

struct service_watch {
	/* The small ones first: near the beginning their code is shorter. */
	bool has_view;
	unsigned same_n;          /* answers in a row without news */
	unsigned failures;        /* in a row */
	struct consul_view *view; /* the last good answer, sorted; see has_view */
	struct consul_view *incoming;
	char *element;           /* JSON_ELEMENT_MAX + 1 bytes */
	char *rest;              /* JSON_REST_MAX + 1 */
	struct tls_storage *tls; /* used with https */
	const char *headers;
	int64_t timeout_ms;
	int64_t answered_ms; /* when the last good answer came */
	int64_t started_ms;  /* when the last query went out */
	int64_t cost_us;     /* of CPU, for the last read and what was decided by it */
	int64_t retry_ms;    /* no query before this */
	uint64_t reads;      /* good answers, for the metrics */
	void *owner;         /* who runs it in a loop, as this part: */
	struct loop_part part;
	struct consul_query query;
	struct consul_reader reader;
	struct job job;
	struct err last_err;
	struct http_client client;
};

/*
 * Storage for one, for the rest of the program's life: view, incoming, element, rest and tls are
 * set. NULL: there is none. Of its megabytes only what is used costs memory.
 */
struct service_watch *service_watch_reserve(void);

/*
 * Prepare to watch the job's service over origin. job is copied, the other pointers are kept; view,
 * incoming, element, rest and tls of *w are set before. query.wait_sec, and query.sums_passing for
 * who wants that, are set after it.
 */
void service_watch_init(struct service_watch *w, const struct job *job,
			const struct http_origin *origin, const char *headers, int64_t timeout_ms);

/* Go on without waiting. */
enum service_watch_event service_watch_step(struct service_watch *w, int64_t now_ms,
					    uint32_t random);

/* As http_wants(), between queries too. */
void service_watch_wants(const struct service_watch *s, struct loop_wait *w);

#endif
