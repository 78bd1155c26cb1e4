/*
 * The instances of one service, from GET /v1/health/service/:service: the request and the
 * decoding of its answer, element by element. What is wrong with one instance is its own fault: it
 * is left out and counted. No policy: which instances are wanted, and whether
 * the answer is evidence, is not decided here.
 * https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service
 */
#ifndef CONSUL_HEALTH_H
#define CONSUL_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "consul/list.h"
#include "core/endpoint.h"
#include "core/evidence.h"
#include "core/job.h"
#include "core/record.h"
#include "net/http/client.h"

#define CONSUL_INSTANCES_MAX RECORDS_MAX /* for the same reason */

struct consul_query {
	const struct job *job; /* service, tag, addresses and where to ask are its */
	bool is_consistent;
	bool sums_passing; /* the view shall have passing_sum */
	uint64_t index;    /* block until something newer; 0: answer at once */
	unsigned wait_sec; /* with index: answer after that in any case */
};

/* What Consul said. Valid as a whole after consul_health_finish() returned 0. */
struct consul_view {
	struct endpoint *listed; /* the caller's, CONSUL_INSTANCES_MAX of them */
	size_t listed_n;
	struct instance_counts count;
	struct evidence evidence;
	uint64_t index; /* X-Consul-Index; 0: none, or no number */
	/*
	 * A number that stands for the addresses and ports of all passing instances, in whatever
	 * order and under whatever ids: those which no record could have are among them.
	 */
	uint64_t passing_sum;
	struct target_hosts hosts;
};

struct consul_reader {
	const struct consul_query *query;
	struct consul_view *view;
	struct consul_list list;
};

/* Append the request target: path and query. */
void consul_health_target(struct buf *b, const struct consul_query *q);

/*
 * Begin to read an answer into view; returns the sink for the exchange. r, view, q and the two
 * buffers (see json_split_init) are used until finish.
 */
struct http_sink consul_health_begin(struct consul_reader *r, const struct consul_query *q,
				     struct consul_view *view, char *element_buf, char *rest);

/*
 * The exchange has ended well: was the answer one?
 *   e  as consul_fail(); ERR_PROTO: not JSON, not a list, or a list of which nothing can be read
 */
int consul_health_finish(struct consul_reader *r, struct err *e)
	__attribute__((warn_unused_result));

/* Bring what it said into order: by target, then by state, the best last. */
void consul_view_sort(struct consul_view *v);

/* Copy it; to's listed array is its own. */
void consul_view_copy(struct consul_view *to, const struct consul_view *from);

/*
 * Append the header lines that authenticate: X-Consul-Token and Authorization: Basic.
 *   token, http_auth ("user:password")  "" when there is none
 */
void consul_headers(struct buf *b, const char *token, const char *http_auth);

#endif
