/*
 * Sessions and the lock on a key: who of several copies leads. Requests and answers, no policy.
 * https://developer.hashicorp.com/consul/api-docs/session and .../kv
 */
#ifndef CONSUL_LOCK_H
#define CONSUL_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "consul/answer.h"
#include "core/job.h"

#define CONSUL_SESSION_CAP 64                /* a session's id: a UUID */
#define CONSUL_KEY_FLAGS 3304740253564472344 /* what Consul's own clients write beside a lock */
#define CONSUL_LOCK_WORD "dnsbuddy"          /* by it the value of a lock of ours is known */

/* In all of these place is the job whose datacenter, namespace and partition are meant. */

/*
 * PUT: "create" a session that dies with its TTL and then releases what it holds, with a body and
 * "" for its id; "renew/" it, "destroy/" it.
 */
void consul_session_target(struct buf *b, const char *what, const char *id,
			   const struct job *place);
void consul_session_create_body(struct buf *b, const char *name, unsigned ttl_sec,
				unsigned lock_delay_sec);

/* Which session was created or renewed: never "". e: ERR_PROTO */
int consul_session_read(const struct consul_answer *a, char id[CONSUL_SESSION_CAP], struct err *e)
	__attribute__((warn_unused_result));

/*
 * PUT with a body that says who holds it, and begins with CONSUL_LOCK_WORD: "acquire", "release".
 * The answer is true or false.
 */
void consul_lock_target(struct buf *b, const char *what, const char *key, const char *session,
			const struct job *place);
int consul_lock_read(const struct consul_answer *a, bool *is_ours, struct err *e)
	__attribute__((warn_unused_result));

/*
 * GET: who holds the key.
 *   index     block until something newer; 0: answer at once
 *   wait_sec  with index: answer after that in any case
 */
void consul_lock_watch_target(struct buf *b, const char *key, uint64_t index, unsigned wait_sec,
			      const struct job *place);

/*
 * The session that holds it, "" for none: also when the key is missing, which
 * consul_answer_finish() refuses.
 *   e  ERR_PROTO; ERR_REFUSED: the key is not such a lock, by its flags or its value, or is none at
 *      all. Whoever made it needs it: it is not to be written.
 */
int consul_lock_watch_read(const struct consul_answer *a, char session[CONSUL_SESSION_CAP],
			   struct err *e) __attribute__((warn_unused_result));

#endif
