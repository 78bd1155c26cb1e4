/*
 * Reads something of Consul again and again, as a rule with blocking queries: when the next one may
 * begin, what an error does, when a cut is no news. What is read and what its answer means is not
 * known here. Never blocks: it lives in a poll loop.
 * https://developer.hashicorp.com/consul/api-docs/features/blocking
 */
#ifndef ENGINE_BLOCKING_H
#define ENGINE_BLOCKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"
#include "consul/list.h"
#include "net/http/client.h"

#define BLOCKING_MARGIN_MS 10000  /* and so much later no answer is believed in any more */
#define BLOCKING_SILENCE_MS 20000 /* from here on, or half the wait, a cut is no news */

/* Between two reads there is a rest, ten times as long as reading and deciding took, and... */
#define BLOCKING_REST_MS 100  /* ...not shorter; while nothing is news doubled 4 times, and... */
#define BLOCKING_SAME_MS 1000 /* ...not up to more than this; and */
#define BLOCKING_REST_MAX_MS 5000 /* not longer, whatever it cost */

enum blocking_event {
	BLOCKING_NOTHING,
	BLOCKING_CHANGED, /* there was an answer, and it is news */
	BLOCKING_FAILED   /* last_err says how */
};

/* How something is read; ctx is its own. */
struct blocking_way {
	/* Write the target, with the index to go on from, and begin to read an answer. */
	struct http_sink (*begin)(void *ctx, struct buf *target);
	/* The answer has come: take it, with its index. is_news is true before. */
	int (*finish)(void *ctx, uint64_t *index, bool *is_news, struct err *e);
};

/* What is read. Zeroed but for what its owner sets: */
struct blocking {
	unsigned wait_sec; /* a query waits so long for something newer; 0: for nothing */
	unsigned rest_ms;  /* BLOCKING_REST_MS, or another */
	const struct blocking_way *way;
	void *ctx;
	const char *what;     /* is watched, for errors */
	struct err *last_err; /* storage */

	unsigned failures;   /* in a row */
	unsigned same_n;     /* answers in a row without news */
	uint64_t index;      /* to go on from; 0: the next query is answered at once */
	uint64_t reads;      /* good answers, for the metrics */
	int64_t answered_ms; /* when the last good answer came */
	int64_t started_ms;  /* when the last query went out */
	int64_t retry_ms;    /* no query before this */
	int64_t cost_us;     /* of CPU, for the last read and what was decided by it */
};

/* Who reads: a connection and scratch, for one thing at a time. The fields are the module's own. */
struct blocking_reader {
	const char *headers;
	int64_t timeout_ms;
	const struct consul_list *list; /* the answer under way */
	struct tls_storage *tls;        /* used with https */
	char *element;                  /* JSON_ELEMENT_MAX + 1 bytes */
	char *rest;                     /* JSON_REST_MAX + 1 */
	struct http_client client;
};

/* Storage for element, rest and tls: set in r. -1: there is none. */
int blocking_reserve(struct blocking_reader *r) __attribute__((warn_unused_result));

/* Prepare; what blocking_reserve() sets is set. The pointers are kept. */
void blocking_init(struct blocking_reader *r, const struct http_origin *origin, const char *headers,
		   int64_t timeout_ms);

/* Go on without waiting. */
enum blocking_event blocking_step(struct blocking *b, struct blocking_reader *r, int64_t now_ms,
				  uint32_t random);

/* When the next read may begin. */
int64_t blocking_ready_ms(const struct blocking *b);

/* As http_wants(), between queries too. */
void blocking_wants(const struct blocking *b, const struct blocking_reader *r, struct loop_wait *w);

#endif
