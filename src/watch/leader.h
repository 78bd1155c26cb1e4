/*
 * Which of several copies may write: a session and a lock on a key in Consul, renewed while we
 * lead. Fences itself: when the last renewal is too old by our own clock, we do not lead any more,
 * whether Consul can be reached or not. Never blocks: it lives in a poll loop.
 * https://developer.hashicorp.com/consul/api-docs/session, Consul's guide to leader elections
 */
#ifndef WATCH_LEADER_H
#define WATCH_LEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "consul/lock.h"
#include "consul/client.h"

#define LEADER_TTL_SEC 30
#define LEADER_SEC_MS ((int64_t)1000)
#define LEADER_MARGIN_MS 5000    /* before the TTL is over we have stopped */
#define LEADER_LOCK_DELAY_SEC 30 /* after a session's end nobody leads: its last write may land */
#define LEADER_WAIT_SEC 60       /* a follower's blocking query */

enum leader_event { LEADER_NOTHING, LEADER_WON, LEADER_LOST };

enum leader_step {
	LEADER_WATCH,  /* who holds the key? */
	LEADER_CREATE, /* a session */
	LEADER_ACQUIRE,
	LEADER_RENEW,
	LEADER_RELEASE, /* the end: the lock first, so that no lock-delay follows */
	LEADER_DESTROY,
	LEADER_OVER
};

struct leader {
	struct consul_client client;
	const char *key;
	const char *name;        /* of the session: for who looks at Consul */
	const struct job *place; /* its datacenter, namespace and partition hold the key */
	int64_t timeout_ms;
	enum leader_step step; /* the call under way, or the next one */
	bool has_lock;
	char session[CONSUL_SESSION_CAP]; /* "" when there is none */
	int64_t ttl_ms;
	int64_t renewed_ms; /* when the last good renewal was sent */
	int64_t called_ms;  /* when the call under way was sent */
	int64_t next_ms;    /* no call before this */
	uint64_t index;     /* of the key */
	unsigned failures;  /* in a row */
	struct err last_err;
};

/* Prepare to run for the lock. The texts and l->client's are kept. */
void leader_init(struct leader *l, const char *key, const char *name, const struct job *place,
		 int64_t timeout_ms);

/* Go on without waiting. To be called before anything is written. */
enum leader_event leader_step(struct leader *l, int64_t now_ms, uint32_t random);

/* What may be written must be over by then: now_ms or earlier when we do not lead. */
int64_t leader_fence_ms(const struct leader *l, int64_t now_ms);

/* Give the lock back and end the session; step on until leader_is_over(). */
void leader_stop(struct leader *l, int64_t now_ms);
bool leader_is_over(const struct leader *l);

void leader_wants(const struct leader *l, struct loop_wait *w);

#endif
