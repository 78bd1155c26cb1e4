/*
 * Which service gets which name: the claims of all services, from the tags in one answer of
 * Consul's catalog, and the verdict over each. It depends on that answer and on who has what now,
 * not on the order of anything. Knows no socket, and nobody who keeps names.
 */
#ifndef CONFIG_CLAIMS_H
#define CONFIG_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "config/tags.h"
#include "core/evidence.h"

#define CLAIMS_MAX 2048         /* names, refused ones included; and services that claim any */
#define CLAIMS_TAGS_CAP 32768   /* bytes of one service's tags of ours */
#define CLAIMS_TEXT_CAP 4194304 /* of all */

enum claim_verdict {
	CLAIM_GRANTED,
	CLAIM_BAD, /* a tag of the service is wrong */
	CLAIM_TWICE,
	CLAIM_NOT_ALLOWED,
	CLAIM_CONFIGURED,
	CLAIM_NO_ROOM,
	CLAIM_VERDICTS,
	CLAIM_NEW = CLAIM_VERDICTS /* before only */
};

/* A service with tags of ours. */
/* A service with tags of ours. */
struct claimant {
	struct service_tags tags;
	size_t granted_n; /* of its claims */
	uint64_t sum;     /* stands for its name and its tags, in whatever order */
	bool is_large;    /* there were more tags than are taken */
	bool is_bad;
	bool is_gone;   /* no longer in the catalog, by evidence: these are its last tags */
	bool is_listed; /* while the next answer is taken: it is in that too */
};

struct claim {
	const char *name; /* normal form; "": its tags are wrong and name none */
	struct claimant *by;
	enum claim_verdict verdict, before; /* before: when it was judged the last time */
	bool is_served;                     /* the caller's, false after each judgement */
};

/* What one answer said. */
struct claims {
	size_t by_n, n, granted_n;
	enum evidence_gap gap; /* EVIDENCE_OK: it may remove */
	struct buf text;
	struct claimant by[CLAIMS_MAX]; /* in order of services */
	struct claim of[CLAIMS_MAX];    /* of names, and of services */
	char storage[CLAIMS_TEXT_CAP];
};

/*
 * Begin with an answer after old, if that is not NULL. c is of memory_reserve(): of its megabytes
 * only what is used is touched.
 */
void claims_begin(struct claims *c, struct claims *old);

/*
 * Take one service of the answer.
 *   old   the last answer that was taken, as claims_begin() was given it
 *   tags  the list in the JSON that is parsed
 *   e     ERR_LIMIT: more than there is room for; the answer cannot be taken
 */
int claims_take(struct claims *c, struct claims *old, const char *prefix, const char *service,
		int tags, struct err *e) __attribute__((warn_unused_result));

/*
 * All services were taken: who of old has names and is not listed stays, with its last tags, and so
 * does whoever may only be hidden. All claims are judged.
 *   gap  what the answer lacks to be evidence
 *   e    as above
 */
int claims_end(struct claims *c, struct claims *old, const struct config *config,
	       enum evidence_gap gap, struct err *e) __attribute__((warn_unused_result));

/* Judge the same claims by another configuration, but for what is wrong with tags. */
void claims_judge(struct claims *c, const struct config *config);

/* The first claim on this name; NULL: there is none. One that is granted is the only one. */
struct claim *claims_find(struct claims *c, const char *name);

/* This service; NULL: it is listed without tags of ours, or nobody remembers it. */
struct claimant *claims_find_by(struct claims *c, const char *service);

/* The job that a claim that is granted makes. */
void claims_job(const struct claim *claim, const struct config *config, struct job *job);

/* Why it is refused, in out. */
const char *claims_why(const struct claim *claim, const struct config *config, struct err *out);

#endif
