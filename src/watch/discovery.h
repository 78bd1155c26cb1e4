/*
 * Reads of Consul's catalog which names services claim by their tags, and judges that. What becomes
 * of names that are kept is watch/watch_names.c's. Never blocks.
 */
#ifndef WATCH_DISCOVERY_H
#define WATCH_DISCOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "config/claims.h"
#include "engine/catalog_watch.h"

struct discovery {
	const struct config *config; /* in force; NULL: nothing is discovered */
	struct claims *last, *next;  /* the last answer that was taken, and the one that comes */
	void (*taken)(void *ctx);    /* last is another, or judged anew */
	void *ctx;
	struct catalog_watch *catalog;
	struct catalog_listener listener;
	bool has_answer;
	bool has_services; /* the answer that comes has one */
	bool is_same;      /* as last the next answer says nothing new */
	int64_t ask_ms;    /* then it is asked anew; 0: no time is set. taken() sets it */
	uint64_t sum;      /* of last */
	struct err err;    /* why the last answer could not be taken; kind 0: it could */
	enum err_kind told;
};

/*
 * Prepare; config, origin and headers stay in use, taken and ctx of *d are set before.
 *   e  ERR_SYS: no memory
 */
int discovery_init(struct discovery *d, const struct config *config,
		   const struct http_origin *origin, const char *headers, struct err *e)
	__attribute__((warn_unused_result));

/* Another configuration is in force: all is judged anew, and by an answer that comes at once. */
void discovery_set_config(struct discovery *d, const struct config *config);

/* Go on without waiting. What fails is logged. */
enum blocking_event discovery_step(struct discovery *d, int64_t now_ms, uint32_t random);

/* Whether nothing has been heard of the catalog for two waits; before the first, since start_ms. */
bool discovery_is_late(const struct discovery *d, int64_t start_ms, int64_t now_ms);

/* How many claims are refused, and the i-th of them. */
size_t discovery_refused_n(const struct discovery *d);
const struct claim *discovery_refused(const struct discovery *d, size_t i);

#endif
