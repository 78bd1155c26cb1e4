/*
 * A long answer of Consul, taken element by element as it comes: its status, what it says of itself
 * as evidence, its index; and what all such requests say at their end.
 */
#ifndef CONSUL_LIST_H
#define CONSUL_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "consul/answer.h"
#include "core/evidence.h"
#include "net/http/client.h"

/* Valid as a whole after consul_list_finish() returned 0. */
struct consul_list {
	int status;
	size_t reason_len;
	uint64_t index; /* X-Consul-Index; 0: none, or no number */
	struct evidence evidence;
	struct json_split split;
	char reason[CONSUL_REASON_MAX + 1];
};

/*
 * Append to a target that it shall be ?consistent, and with an index that it shall wait for
 * something newer, so long at most.
 */
void consul_list_add(struct buf *b, bool is_consistent, uint64_t index, unsigned wait_sec);

/*
 * Begin to read; returns the sink for the exchange. element and the buffers as in
 * json_split_init(), ctx goes to element. A too long element is given cut off. evidence says
 * before what is known of the request: set is_consistent and has_token after.
 */
struct http_sink consul_list_begin(struct consul_list *l, enum json_cut cut,
				   json_element_fn *element, void *ctx, char *element_buf,
				   char *rest);

/*
 * The exchange has ended well: was the answer one?
 *   e  as consul_fail(); ERR_PROTO: not JSON, or not what was to be cut
 */
int consul_list_finish(struct consul_list *l, struct err *e) __attribute__((warn_unused_result));

#endif
