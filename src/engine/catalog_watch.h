/*
 * Watches which services Consul has in one place, and their tags, or what their checks say, for a
 * listener: it is told all of every answer, and which one holds. Never blocks: it lives in a poll
 * loop.
 */
#ifndef ENGINE_CATALOG_WATCH_H
#define ENGINE_CATALOG_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "consul/catalog.h"
#include "core/job.h"
#include "engine/blocking.h"

#define CATALOG_REST_MS 20 /* as BLOCKING_REST_MS: it stands for many services */

/* An answer that breaks off has no end; the next one begins anew. */
struct catalog_listener {
	void *ctx;
	void (*begin)(void *ctx);
	void (*take)(void *ctx, const struct consul_catalog_piece *piece);
	/* answer has its evidence and index */
	void (*end)(void *ctx, const struct consul_list *answer);
};

struct catalog_watch {
	struct blocking read; /* how often, how well; see there */
	struct consul_catalog_query query;
	uint64_t sum, incoming_sum; /* of all pieces */
	void *owner;                /* who runs it in a loop, as this part: */
	struct loop_part part;
	const struct catalog_listener *listener; /* NULL: none */
	struct consul_catalog_reader answer;
	struct err last_err;
	struct job place;
	struct blocking_reader by;
};

/* Storage for one, for the rest of the program's life. NULL: there is none. */
struct catalog_watch *catalog_watch_reserve(void);

/*
 * Prepare to watch the services of this job's datacenter, namespace and partition, or their checks.
 * place is copied, the other pointers are kept. read.wait_sec is set after it, and
 * query.is_consistent by who wants that.
 */
void catalog_watch_init(struct catalog_watch *w, const struct job *place, bool of_checks,
			const struct http_origin *origin, const char *headers, int64_t timeout_ms);

/*
 * Tell this one, from an answer on that comes at once; is_on false: not any more. Twice is like
 * once. l is kept. Not to be called by the listener.
 */
void catalog_watch_listen(struct catalog_watch *w, const struct catalog_listener *l, bool is_on);

/* Go on without waiting. BLOCKING_CHANGED: some piece is another. */
enum blocking_event catalog_watch_step(struct catalog_watch *w, int64_t now_ms, uint32_t random);

/* As http_wants(), between queries too. */
void catalog_watch_wants(const struct catalog_watch *c, struct loop_wait *w);

#endif
