/*
 * Small answers of Consul's API: status, index, and a short body. What the single calls below it
 * (sessions, keys, the agent) have in common.
 */
#ifndef CONSUL_ANSWER_H
#define CONSUL_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http/client.h"

#define CONSUL_BODY_MAX 4096 /* bytes of a small answer; a lock's key holds less */

struct consul_answer {
	int status;
	uint64_t index; /* X-Consul-Index; 0: none, or no number */
	size_t len;
	char body[CONSUL_BODY_MAX + 1];
};

/* Begin to read: the sink for the exchange. */
struct http_sink consul_answer_begin(struct consul_answer *a);

/*
 * The exchange has ended well: 0 on a 2xx.
 *   e  ERR_AUTH: 401, 403; ERR_RETRY: 429, 5xx; ERR_REFUSED: another status. With the reason that
 *      the body gives.
 */
int consul_answer_finish(const struct consul_answer *a, struct err *e)
	__attribute__((warn_unused_result));

/* The kind of failure that a status other than 2xx is. */
enum err_kind consul_status_kind(int status);

#endif
