/*
 * Which of several copies may write: a session and a lock on a key in Consul. Leads while both are
 * shown: the session by renewals, the lock by reads of the key, which is watched all the time.
 * Fences itself: when the last of either is too old by our own clock, we do not lead any more,
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
#define LEADER_TTL_MS ((int64_t)LEADER_TTL_SEC * 1000)
#define LEADER_MARGIN_MS 5000    /* before the TTL is over we have stopped */
#define LEADER_LOCK_DELAY_SEC 30 /* after a session's end nobody leads: its last write may land */
#define LEADER_LOOK_SEC 4        /* the leader's: two between renewals */
#define LEADER_REST_MS 200       /* from one read of the key to the next */
#define LEADER_NAME_CAP 160

enum leader_event {
	LEADER_NOTHING,
	LEADER_WON,
	LEADER_LOST,    /* last_err says why */
	LEADER_FOLLOWS, /* another one leads: holder */
	LEADER_FAILS    /* last_err says how, and it is another failure than the last */
};

enum leader_step {
	LEADER_WATCH,  /* who holds the key? */
	LEADER_CREATE, /* a session */
	LEADER_ACQUIRE,
	LEADER_RENEW,
	LEADER_RELEASE, /* the end, in order: the lock first, so that no lock-delay follows */
	LEADER_DESTROY,
	LEADER_OVER
};

struct leader {
	const char *key;
	const char *name;        /* of the session and in the key: for who looks at Consul */
	const struct job *place; /* its datacenter, namespace and partition hold the key */
	int64_t timeout_ms;
	unsigned wait_sec;     /* a follower's blocking query; the caller's, as client */
	enum leader_step step; /* the call under way, or the next one */
	bool has_lock;
	bool is_foreign;       /* the key is not a lock of ours: it is not written */
	bool has_news;         /* of failures or holder, not yet told */
	bool is_leaderless;    /* neither do we lead, nor does the key name a living holder */
	unsigned refusals;     /* to acquire, in a row, while nobody held the key */
	unsigned failures;     /* of calls, since it was last known who leads */
	unsigned failure;      /* what fails, for telling one from the other; 0: nothing does */
	int64_t leaderless_ms; /* since when */
	int64_t renewed_ms;    /* when the last good renewal was sent */
	int64_t shown_ms;      /* when the last read that showed our session was */
	int64_t acquire_ms;    /* we do not try to acquire before this */
	int64_t called_ms;     /* when the call under way was sent */
	int64_t next_ms;       /* no call before this */
	uint64_t index;        /* of the key */
	char session[CONSUL_SESSION_CAP]; /* "" when there is none */
	char holder[CONSUL_SESSION_CAP];  /* of another copy, as it was read last; or "" */
	struct err last_err;
	struct consul_client client;
};

/* Prepare to run for the lock. The texts and l->client's are kept, and l->wait_sec. */
void leader_init(struct leader *l, const char *key, const char *name, const struct job *place,
		 int64_t timeout_ms, int64_t now_ms);

/* Go on without waiting. To be called before anything is written. */
enum leader_event leader_step(struct leader *l, int64_t now_ms, uint32_t random);

/* What may be written must be over by then: now_ms or earlier when we do not lead. */
int64_t leader_fence_ms(const struct leader *l, int64_t now_ms);

/*
 * End the session; step on until leader_is_over().
 *   release  give the lock back before that, so that another one leads at once; false: what we
 *            wrote last may still land, and the lock-delay keeps the others away until it has
 */
void leader_stop(struct leader *l, bool release, int64_t now_ms);
bool leader_is_over(const struct leader *l);

void leader_wants(const struct leader *l, struct loop_wait *w);

#endif
