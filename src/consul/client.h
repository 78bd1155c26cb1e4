/*
 * One small call of Consul's API at a time, over a connection of its own: what lock and
 * registration have in common.
 */
#ifndef CONSUL_CLIENT_H
#define CONSUL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "consul/answer.h"
#include "net/http/client.h"

#define CONSUL_CLIENT_BODY_CAP 2048

struct consul_client {
	const char *headers; /* whole lines */
	struct buf target,
		body; /* to be filled between consul_client_prepare() and consul_client_start() */
	struct consul_answer answer;
	struct http_client http;
	char target_text[HTTP_TARGET_CAP];
	char body_text[CONSUL_CLIENT_BODY_CAP];
};

void consul_client_init(struct consul_client *c, const struct http_origin *origin,
			struct tls_storage *tls, const char *headers);

/* Begin a request: target and body are empty. */
void consul_client_prepare(struct consul_client *c);

/* Send it. */
int consul_client_start(struct consul_client *c, const char *method, int64_t deadline_ms,
			struct err *e) __attribute__((warn_unused_result));

/* Go on without waiting. HTTP_DONE: answer holds what came, whatever its status. */
enum http_result consul_client_step(struct consul_client *c, struct err *e)
	__attribute__((warn_unused_result));

bool consul_client_is_busy(const struct consul_client *c);
void consul_client_wants(const struct consul_client *c, struct loop_wait *w);

#endif
