/*
 * Watches one service of Consul and holds what it lists. Tells when the content changed, which is
 * not when the index did. Never blocks: it lives in a poll loop.
 */
#ifndef ENGINE_SERVICE_WATCH_H
#define ENGINE_SERVICE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "consul/health.h"
#include "engine/blocking.h"

struct service_watch;

/* Who reads a service: what an answer needs on its way. */
struct service_reader {
	void *owner; /* who runs it in a loop, as this part, for this service: */
	struct service_watch *service;
	struct loop_part part;
	struct consul_reader answer;
	struct blocking_reader by;
	struct consul_view incoming;
};

/* For who follows more services than it has readers: what was told of this one last. */
struct service_wide {
	void *place; /* by whom */
	size_t slot; /* its number there */
	bool is_again, is_swept, is_wanted;
	bool has_sum[2];
	uint64_t sums[2], incoming_sums[2];
	uint64_t told_index; /* as its reading began */
	uint64_t nodes, incoming_nodes;
};

struct service_watch {
	/* The small ones first: near the beginning their code is shorter. */
	bool has_view;
	struct consul_view *view;    /* the last good answer, sorted; see has_view */
	struct endpoint *few, *many; /* what it lists is in the one or the other */
	struct service_reader *reader;
	const struct blocking
		*told_by;     /* what tells of its changes meanwhile; NULL: nothing does */
	struct blocking read; /* how often, how well; see there */
	struct consul_query query;
	struct service_wide wide;
	struct job job;
};

/*
 * Storage for one, for the rest of the program's life: what service_watch_init() keeps is set.
 * NULL: there is none. Of its bytes only what is used costs memory: one page, with a few addresses.
 */
struct service_watch *service_watch_reserve(void);

/* The same for a reader: all that service_reader_init() does not set is. */
struct service_reader *service_reader_reserve(void);

/* Prepare a reader, over origin. The pointers are kept. */
void service_reader_init(struct service_reader *r, const struct http_origin *origin,
			 const char *headers, int64_t timeout_ms);

/*
 * Prepare to watch the job's service. job is copied; view, few, many and read.last_err of *w are
 * set before, reader before or after. After it are set: read.wait_sec, where 0 is for one that is
 * read only when its owner wants; query.sums_passing for who wants that.
 */
void service_watch_init(struct service_watch *w, const struct job *job);

/* When Consul said something last that tells what the service lists. */
int64_t service_watch_heard_ms(const struct service_watch *w);

/* Why it does not do so now; NULL: it does. */
const char *service_watch_error(const struct service_watch *w);

/* Go on without waiting. BLOCKING_CHANGED: view is new. */
enum blocking_event service_watch_step(struct service_watch *w, int64_t now_ms, uint32_t random);

/* As http_wants(), between queries too. */
void service_watch_wants(const struct service_watch *s, struct loop_wait *w);

#endif
