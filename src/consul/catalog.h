/*
 * Which services there are and their tags, from GET /v1/catalog/services: the request and the
 * decoding of its answer, service by service. A service's tags are those of all its instances. No
 * policy.
 * https://developer.hashicorp.com/consul/api-docs/catalog#list-services
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
	bool is_consistent;
	uint64_t index;    /* block until something newer; 0: answer at once */
	unsigned wait_sec; /* with index: answer after that in any case */
};

/*
 * Takes one service.
 *   tags  the list in the text being parsed: json_first(), json_next(), json_string()
 * Returning -1 with *e set ends the reading.
 */
typedef int consul_catalog_fn(void *ctx, const char *service, int tags, struct err *e);

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
