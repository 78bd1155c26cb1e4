/*
 * What all answers of Consul's API have in common: what their status means, the index that a
 * blocking query goes on from; and the small ones (of sessions, keys, the agent) as a whole.
 * https://developer.hashicorp.com/consul/api-docs/features/blocking
 */
#ifndef CONSUL_ANSWER_H
#define CONSUL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http/client.h"

#define CONSUL_BODY_MAX 4096  /* bytes of a small answer; a lock's key holds less */
#define CONSUL_REASON_MAX 160 /* bytes of an error's body that are reported */
#define CONSUL_HASH_CAP 40    /* bytes of a content's hash, with the NUL */

/* What an answer means. */
enum consul_meaning {
	CONSUL_DONE,
	CONSUL_MISSING,   /* no such key, no such session */
	CONSUL_AUTH,      /* the token is refused */
	CONSUL_TRANSIENT, /* theirs, and passing */
	CONSUL_REFUSED    /* anything else */
};

enum consul_meaning consul_meaning(int status);

/*
 * Fail as that status means, with the reason that its body gives.
 *   e  ERR_AUTH, ERR_RETRY (transient), ERR_REFUSED
 */
int consul_fail(int status, const char *reason, struct err *e);

/* Take a header if it is X-Consul-Index: *index is its number, 0 when it is none. */
bool consul_take_index(const char *name, const char *value, uint64_t *index);

/*
 * The index to block on after an answer: 0, to be answered at once, when it went back, for that
 * means another truth; else never 0.
 */
uint64_t consul_next_index(uint64_t asked, uint64_t answered);

/* How long Consul may take to answer a query that waits so long: it adds up to a 16th. */
int64_t consul_wait_ms(unsigned wait_sec);

struct consul_answer {
	int status;
	uint64_t index;             /* X-Consul-Index; 0: none, or no number */
	char hash[CONSUL_HASH_CAP]; /* X-Consul-ContentHash; "": none, or a longer one */
	bool may_cut;               /* set after consul_answer_begin(): a long body is cut */
	size_t len;
	char body[CONSUL_BODY_MAX + 1];
};

/* Begin to read: the sink for the exchange. */
struct http_sink consul_answer_begin(struct consul_answer *a);

/*
 * The exchange has ended well: 0 when it was done.
 *   e  as consul_fail()
 */
int consul_answer_finish(const struct consul_answer *a, struct err *e)
	__attribute__((warn_unused_result));

#endif
