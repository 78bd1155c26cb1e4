/*
 * Our own place in Consul: a service with a check that says in one line how we are. Never blocks:
 * it lives in a poll loop.
 */
#ifndef ENGINE_REGISTRATION_H
#define ENGINE_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "consul/client.h"
#include "core/job.h"

#define REGISTRATION_TTL_SEC 30
#define REGISTRATION_GONE_SEC 600 /* after so long without us Consul forgets us */
#define REGISTRATION_REPORT_MS 10000
#define REGISTRATION_HURRY_MS 1000 /* a changed line is reported that soon */
#define REGISTRATION_ID_CAP 256
#define REGISTRATION_LINE_CAP 512

struct registration {
	struct consul_client client;
	char name[JOB_TEXT_CAP];   /* of the service; "": there is none */
	char wanted[JOB_TEXT_CAP]; /* what name shall be, once the present one has left */
	uint32_t lot;              /* this process's part of the id */
	char id[REGISTRATION_ID_CAP];
	int64_t timeout_ms;
	bool is_registered;
	bool is_leaving;
	bool was_refused;  /* the last call failed, and that was logged */
	int64_t next_ms;   /* no call before this */
	int64_t report_ms; /* the next report is due */
	bool is_well;
	char line[REGISTRATION_LINE_CAP];
	bool is_reported_well; /* what was reported last */
	char reported[REGISTRATION_LINE_CAP];
	struct err last_err;
};

/* Prepare to be the service name on this host, or none with "". r->client is kept. */
void registration_init(struct registration *r, const char *name, int64_t timeout_ms);

/* What the check shall say from now on. */
void registration_set(struct registration *r, bool is_well, const char *line);

/*
 * Go on without waiting. Returns -1 once when Consul begins to refuse us (last_err says how): not
 * to be known to Consul does not keep anybody from the work.
 */
int registration_step(struct registration *r, int64_t now_ms);

/* Be another service, after the present one has left; with "" none: step on until it is over. */
void registration_rename(struct registration *r, const char *name, int64_t now_ms);
bool registration_is_over(const struct registration *r);

void registration_wants(const struct registration *r, struct loop_wait *w);

#endif
