/*
 * One service of ours in Consul: its check, its address by rule, its registration with a check that
 * tells what ours came to last, and maintenance. Never blocks: it lives in a poll loop.
 *
 * A report goes out each interval, or twice within the TTL where that is sooner, whether a check is
 * under way or not; a state that changed does at once. After each five the agent is asked what it
 * holds, and for maintenance: nothing else at rest, 504 calls an hour with the default settings.
 *
 * Maintenance is of this process: one that a former life of the same id was in when it died, is
 * taken back at the first registration. What somebody else has set (`drain`, Consul's own tools)
 * stays, and is set anew should Consul lose it; its reason, which is not REGISTRATION_REASON,
 * tells.
 */
#ifndef RUN_SERVICE_H
#define RUN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/run_config.h"
#include "engine/registration.h"
#include "run/check.h"

#define SERVICE_BODY_CAP 32768 /* bytes of a registration: tags and metadata */
#define SERVICE_FIRST_MS 100   /* so long registering waits for a first result */

/* What all services of a run have in common. */
struct service_world {
	const struct http_origin *consul;
	const char *consul_headers;   /* whole lines */
	int64_t timeout_ms;           /* of a call to Consul */
	const struct job *place;      /* where in Consul; NULL: in no namespace */
	const struct tls_config *tls; /* how the servers that are checked are verified */
};

enum service_health { SERVICE_STARTS, SERVICE_HEALTHY, SERVICE_UNHEALTHY };

struct service {
	const struct service_world *world;
	const struct run_service *setup;
	struct tls_storage *tls;  /* to Consul, reserved when it is needed */
	int64_t look_ms;          /* when the host's addresses are looked at */
	bool is_unaddressed;      /* none fits, and that was told: address is the last one, or "" */
	enum service_health told; /* in the log, of the check */
	char address[ADDR_TEXT_CAP];
	struct check check;
	struct registration registration;
	char body[SERVICE_BODY_CAP];
};

/*
 * Whether there is an address for it, if it needs one, and Consul can be told all of it; changes
 * nothing.
 *   e  ERR_CONFIG: no address, and which there are; too many tags and metadata. ERR_SYS, ERR_LIMIT
 */
int service_examine(const struct run_service *setup, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Prepare. s is zeroed or one that is over, setup and world are kept. Nothing is begun before
 * service_start().
 *   e  as service_examine(), and ERR_SYS: no memory for TLS
 */
int service_init(struct service *s, const struct run_service *setup,
		 const struct service_world *world, struct err *e)
	__attribute__((warn_unused_result));

/* The application has been started: check, register. */
void service_start(struct service *s, int64_t now_ms);

/* Go on without waiting. */
void service_step(struct service *s, int64_t now_ms);
void service_wants(const struct service *s, struct loop_wait *w);

/* A maintenance check of Consul's, on for this REGISTRATION_REASON ": ...", or off. */
void service_set_maintenance(struct service *s, bool is_on, const char *reason);

/* Consul has taken it, or never knew us. Whoever waits for it has a limit. */
bool service_is_maintenance_settled(const struct service *s);

/*
 * Be this from now on, without leaving Consul; under another name: leave, and come anew. setup is
 * kept in place of the one before.
 *   e  as service_init(): then everything is as before
 */
int service_reload(struct service *s, const struct run_service *setup, int64_t now_ms,
		   struct err *e) __attribute__((warn_unused_result));

/* Nobody waits any longer for what Consul was to be told: say so, and why it was not. */
void service_give_up(const struct service *s, const char *what);

/* Leave Consul, and end the check: step on until it is over. */
void service_leave(struct service *s, int64_t now_ms);
bool service_is_over(const struct service *s);

/* Consul refuses our token: it is worth to be read again. */
bool service_wants_secrets(const struct service *s);

#endif
