/*
 * Our own place in Consul: a service with a check that says in one line how we are, and
 * maintenance. Consul may forget us, somebody may overwrite us: then we are registered anew. Never
 * blocks: it lives in a poll loop.
 */
#ifndef ENGINE_REGISTRATION_H
#define ENGINE_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "consul/agent.h"
#include "consul/client.h"
#include "core/job.h"

#define REGISTRATION_TTL_SEC 30
#define REGISTRATION_GONE_SEC 600 /* after so long without us Consul forgets us */
#define REGISTRATION_REPORT_MS 10000
#define REGISTRATION_HURRY_MS                                                                      \
	1000 /* a changed line is reported that soon, a changed state at once */
#define REGISTRATION_LOOK_EVERY 5  /* after so many reports: has somebody overwritten us? */
#define REGISTRATION_LEAVE_TRIES 3 /* to reach Consul for the last time, and the rest between */
#define REGISTRATION_LEAVE_MS 300
#define REGISTRATION_FINISH_MS 700 /* before that, for a registration that is under way */
#define REGISTRATION_ID_CAP 384
#define REGISTRATION_LINE_CAP 512
#define REGISTRATION_REASON_CAP 128

/* What begins so in a maintenance check's reason is ours: a former life may have left it. */
#define REGISTRATION_REASON "dnsbuddy run"

/* How our id is one among those of the name. */
enum registration_id {
	REGISTRATION_ID_LOT, /* NAME-HOST-chance: nobody else has it, nor had */
	REGISTRATION_ID_HOST /* NAME-HOST, in each life the same */
};

enum registration_event {
	REGISTRATION_NOTHING,
	REGISTRATION_DONE,        /* registered, for the first time or anew */
	REGISTRATION_FAILED,      /* Consul begins to fail or to refuse us: last_err; told once */
	REGISTRATION_BACK,        /* and that is over */
	REGISTRATION_LOST,        /* Consul does not know us any more: last_err */
	REGISTRATION_OVERWRITTEN, /* somebody changed what we registered */
	REGISTRATION_LEFT,
	REGISTRATION_NOT_LEFT /* Consul could not be reached, or refuses: last_err; it is over */
};

enum registration_call {
	REGISTRATION_REGISTER,
	REGISTRATION_FIND, /* is there a maintenance check, and whose? */
	REGISTRATION_MAINTAIN,
	REGISTRATION_REPORT,
	REGISTRATION_LOOK,
	REGISTRATION_LEAVE
};

struct registration {
	/* The small ones first: near the beginning their code is shorter. */
	enum registration_id id_kind;
	enum registration_call call; /* the one under way */
	bool was_there,
		may_be_there; /* Consul was asked to register us: before the call, and now */
	bool is_registered;
	bool is_stale; /* registered as something else than service says */
	bool is_leaving;
	bool is_failing; /* and that was told */
	bool is_well;
	bool has_reported;     /* since we were registered */
	bool is_reported_well; /* what was reported last */
	bool is_to_be_found;   /* a former life may have left a maintenance check */
	bool wants_maintenance, is_maintained, is_asked;
	bool is_to_be_shown; /* see registration_show() */
	bool is_showing;     /* is_stale for that */
	bool is_news;        /* the report under way is of another state */
	unsigned leave_tries;
	unsigned failures; /* in a row */
	unsigned losses;   /* since the last report that was taken */
	unsigned unseen_n; /* reports since the last look at what the agent holds */
	uint32_t lot;      /* this process's part of the id */
	int64_t timeout_ms;
	int64_t report_every_ms;
	int64_t retry_ms;        /* no call before this */
	int64_t report_ms;       /* the next report is due */
	int64_t called_ms;       /* when the call under way went out */
	int64_t finish_ms;       /* when one that we would leave for is broken off */
	int64_t registered_ms;   /* when we were registered last */
	uint64_t sum;            /* of what service says */
	const struct job *place; /* its namespace and partition; NULL: none */
	const char *reason;      /* of maintenance */
	char *body; /* the caller's, where descriptions may be long; NULL: the client's own */
	size_t body_cap;
	struct registration_counts {
		uint64_t registrations, reports, failures; /* calls that failed, of all kinds */
	} counts;
	struct consul_service service; /* id and name are below */
	char hash[CONSUL_HASH_CAP];
	char id[REGISTRATION_ID_CAP];
	char name[JOB_TEXT_CAP];   /* of the service; "": there is none */
	char wanted[JOB_TEXT_CAP]; /* what name shall be, once the present one has left */
	char line[REGISTRATION_LINE_CAP];
	char reported[REGISTRATION_LINE_CAP];
	char kept[REGISTRATION_REASON_CAP]; /* the reason of who else has us in maintenance */
	struct err last_err;
	struct consul_client client;
};

/*
 * Prepare to be the service name on this host, or none with "". r->client, r->place, r->body and
 * r->body_cap are kept. What else Consul shall know is in r->service: at first a check of
 * REGISTRATION_TTL_SEC, and that Consul forgets us after REGISTRATION_GONE_SEC; report_every_ms is
 * at first REGISTRATION_REPORT_MS.
 */
void registration_init(struct registration *r, const char *name, enum registration_id id_kind,
		       int64_t timeout_ms);

/*
 * Be this, but for id and name, from now on and without a moment of absence. What it points to is
 * kept. Who is registered is so anew if it says anything else than before.
 */
void registration_describe(struct registration *r, const struct consul_service *service);

/* Make no call before that time, which may also be an earlier one than before. */
void registration_wait(struct registration *r, int64_t until_ms);

/* What the check shall say from now on. */
void registration_set(struct registration *r, bool is_well, const char *line);

/*
 * The line that is reported next shall be seen at once: Consul puts off for five minutes what is no
 * other state, unless we register anew (measured: 1.8.7). So it is when Consul has forgotten us and
 * we are not well.
 */
void registration_show(struct registration *r);

/*
 * Maintenance on, for this reason, which begins with REGISTRATION_REASON, or off. reason is kept.
 * It is set again when Consul has forgotten it, and so is somebody else's, which only they take
 * off. Settled: Consul has taken it, or never knew us.
 */
void registration_maintain(struct registration *r, bool is_on, const char *reason);
bool registration_is_settled(const struct registration *r);

/* Go on without waiting. Not to be known to Consul does not keep anybody from the work. */
enum registration_event registration_step(struct registration *r, int64_t now_ms);

/* Be another service, after the present one has left; with "" none: step on until it is over. */
void registration_rename(struct registration *r, const char *name, int64_t now_ms);
bool registration_is_over(const struct registration *r);

void registration_wants(const struct registration *r, struct loop_wait *w);

#endif
