/*
 * One small call of Consul's API at a time, over a connection of its own: what leader and
 * registration have in common.
 */
#ifndef WATCH_CALLER_H
#define WATCH_CALLER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "consul/answer.h"
#include "net/http/client.h"

#define CALLER_TARGET_CAP 2048
#define CALLER_BODY_CAP 2048

struct caller {
	struct http_client client;
	const char *headers; /* whole lines */
	struct consul_answer answer;
	struct buf target, body; /* to be filled between caller_prepare() and caller_start() */
	char target_text[CALLER_TARGET_CAP];
	char body_text[CALLER_BODY_CAP];
};

void caller_init(struct caller *c, const struct http_origin *origin, struct tls_storage *tls,
		 const char *headers);

/* Begin a request: target and body are empty. */
void caller_prepare(struct caller *c);

/* Send it. */
int caller_start(struct caller *c, const char *method, int64_t deadline_ms, struct err *e)
	__attribute__((warn_unused_result));

/* Go on without waiting. HTTP_DONE: answer holds what came, whatever its status. */
enum http_result caller_step(struct caller *c, struct err *e) __attribute__((warn_unused_result));

bool caller_is_busy(const struct caller *c);
void caller_wants(const struct caller *c, struct pollfd *pfd, int64_t *wake_ms);

#endif
