/*
 * Of all services of a place at once, requests and the decoding of their answers, piece by piece:
 * which there are and their tags (those of all their instances), from GET /v1/catalog/services; and
 * all checks, from GET /v1/health/state/any. No policy.
 * https://developer.hashicorp.com/consul/api-docs/catalog#list-services and
 * .../health#list-checks-in-state
 */
#ifndef CONSUL_CATALOG_H
#define CONSUL_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "consul/list.h"
#include "core/job.h"
#include "net/http/client.h"

struct consul_catalog_query {
	const struct job *place; /* where to ask, and whether with a token */
	bool of_checks;
	bool is_consistent;
	uint64_t index;    /* block until something newer; 0: answer at once */
	unsigned wait_sec; /* with index: answer after that in any case */
};

/* A service with its tags, or one check of a service. */
struct consul_catalog_piece {
	const char *service; /* "": the check is a node's own */
	const char *node;    /* of the check; "": it is a service */
	int tags;            /* the list in the text being parsed: json_first(), json_next()... */
	/*
	 * Stands for what is of interest in it: the tags, in whatever order; which check, and its
	 * state. So mixed that sums of such numbers tell sets apart.
	 */
	uint64_t sum;
};

/* Takes one. Returning -1 with *e set ends the reading. */
typedef int consul_catalog_fn(void *ctx, const struct consul_catalog_piece *piece, struct err *e);

/* Valid after consul_catalog_finish() returned 0: list.index, list.evidence. */
struct consul_catalog_reader {
	consul_catalog_fn *take;
	void *ctx;
	struct consul_list list;
};

/* Append the request target: path and query. */
void consul_catalog_target(struct buf *b, const struct consul_catalog_query *q);

/*
 * Begin to read an answer; returns the sink for the exchange. r and the two buffers (see
 * json_split_init) are used until finish. What is no service that can be read is left out and
 * counted in evidence.unread_n.
 */
struct http_sink consul_catalog_begin(struct consul_catalog_reader *r,
				      const struct consul_catalog_query *q, consul_catalog_fn *take,
				      void *ctx, char *element_buf, char *rest);

/* The exchange has ended well: was the answer one? e: as consul_list_finish() */
int consul_catalog_finish(struct consul_catalog_reader *r, struct err *e)
	__attribute__((warn_unused_result));

#endif
