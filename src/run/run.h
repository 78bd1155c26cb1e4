/*
 * The shim: one loop of the application, its services in Consul, backends and pages. Whatever
 * Consul does or does not answer: once the application runs, only its own end or a signal ends us.
 *
 * Its life is a row of phases (run_phases.c). A signal or the application's end makes the present
 * one be over, and none but the working one lasts without a limit.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "config/run_config.h"
#include "core/drain.h"
#include "engine/drain.h"
#include "net/http/listener.h"
#include "pages/run_status.h"
#include "run/app.h"
#include "run/backend.h"
#include "run/hook.h"
#include "run/service.h"

#define RUN_SETTLE_MS 2000 /* for Consul to take maintenance, or that a service leaves... */
#define RUN_LEAVE_MS 950   /* ...where no application has had to be stopped */
#define RUN_HANDLER_MS 700 /* from SIGTERM to SIGKILL for a command of a backend */
#define RUN_KILL_MS 5000   /* from SIGKILL until nobody waits for the application any more */
#define RUN_LISTENERS 2    /* for people and Prometheus; for health */

/* Those that SIGHUP dropped are among them until they have left. */
#define RUN_SLOTS ((size_t)2 * RUN_SERVICES_MAX)

enum run_phase {
	RUN_PRE_START,
	RUN_WORKING,
	RUN_LOOKING,     /* what stands in DNS before we ask to leave */
	RUN_MAINTENANCE, /* Consul takes it */
	RUN_DRAINING,
	RUN_PRE_STOP,
	RUN_ENDING,  /* the application has SIGTERM */
	RUN_KILLING, /* and SIGKILL */
	RUN_LEAVING, /* the services deregister */
	RUN_POST_STOP,
	RUN_OVER
};

/* What it is given; what is pointed to stays in use. */
struct run_setup {
	const struct run_config *config;
	const struct drain_rule *drain;
	struct service_world world;
	unsigned wait_sec; /* of a blocking query */
	/* For a drain by the API. */
	struct driver *driver;
	struct record *records;
	const struct job *place;    /* its zone, and zone_id */
	struct listener *listeners; /* RUN_LISTENERS of them, open or closed; NULL: none */
	/*
	 * Read the configuration again: on SIGHUP all of it, after credentials were refused only
	 * the credentials. A new one is put in with run_set_config().
	 */
	void (*reload)(void *ctx, bool only_secrets);
	void *ctx;
};

#define RUN_FDS                                                                                    \
	(16 + RUN_SLOTS * (2 * HTTP_FDS + 2) + BACKENDS_MAX * (HTTP_FDS + 2) +                     \
	 RUN_LISTENERS * LISTEN_FDS)

/* Static, and zeroed at first. */
struct run {
	/* The small ones first: near the beginning their code is shorter. */
	enum run_phase phase;
	unsigned stops_n;   /* how often we were asked to end */
	int stop_signal;    /* by what, at first */
	int code;           /* that we end with */
	bool has_app;       /* there is one, or was to be */
	bool has_ended;     /* it has, and that was told */
	bool has_started;   /* services and backends */
	bool has_left;      /* they have been told to leave */
	bool is_maintained; /* by SIGUSR1 */
	bool is_unheard;    /* when it asked to leave, Consul had not taken that */
	bool has_drain;     /* it has begun... */
	bool is_drained;    /* ...and is over */
	bool was_refused;   /* our credentials, and when they were read for that last; 0: never */
	int64_t refused_ms;
	int64_t start_ms;
	int64_t limit_ms;  /* when the phase is over, whatever is missing */
	struct hook *hook; /* the last that was begun; those before are over */
	size_t services_n;
	struct run_setup setup;
	struct drain_verdict drain_told;
	struct loop loop;
	struct loop_part part;
	struct app app;
	struct hook pre_start, pre_stop, post_stop;
	struct service *services[RUN_SLOTS]; /* so many of them; then the slots that are free */
	char drain_text[DRAIN_LINE_CAP];
	struct drain drain;
	struct backends backends;
	struct pollfd fds[RUN_FDS];
	struct service slots[RUN_SLOTS];
};

/*
 * From now on SIGTERM and SIGINT are for run_run(), but until then end us; SIGHUP is kept for it.
 * e: ERR_SYS
 */
int run_catch_signals(struct err *e) __attribute__((warn_unused_result));

/*
 * Prepare; opens nothing and starts nothing.
 *   e  as service_init(), backends_set()
 */
int run_init(struct run *r, const struct run_setup *setup, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Run the application until it ends, or without one until SIGTERM. Returns the exit code.
 * e: ERR_SYS: signals cannot be caught; nothing was started then, and the code is 1
 */
int run_run(struct run *r, struct err *e);

/*
 * Be this from now on, without leaving Consul; the application stays. config is kept.
 *   e  as run_init(), and ERR_LIMIT: RUN_SLOTS; then everything is as before
 */
int run_set_config(struct run *r, const struct run_config *config, struct err *e)
	__attribute__((warn_unused_result));

/* ---- Between run.c, run_phases.c, run_services.c, run_drain.c and run_status.c ---- */

/* The application is there, and has not ended. */
bool run_has_app(const struct run *r);

/* Begin with the first phase; go on with the next as long as one is over; until when it is not. */
void run_phase_begin(struct run *r, int64_t now_ms);
void run_phase_step(struct run *r, int64_t now_ms);
int64_t run_phase_until_ms(const struct run *r, int64_t now_ms);

/* Asked to end once more. */
void run_phase_stop(struct run *r, int number, int64_t now_ms);

/* Prepare them as the configuration says; begin, when the application has been started; leave. */
int run_services_init(struct run *r, struct err *e) __attribute__((warn_unused_result));
void run_services_start(struct run *r, int64_t now_ms);
void run_services_leave(struct run *r, int64_t now_ms);
bool run_services_are_over(const struct run *r);

/* Of all that are there; and whether Consul has taken that. */
void run_services_maintain(struct run *r, bool is_on, const char *reason);
bool run_services_are_settled(const struct run *r);

/* Nobody waits any longer: which ones Consul has not put into maintenance, or not let go. */
void run_services_tell_unsettled(const struct run *r);
void run_services_tell_left(const struct run *r);

/* What they wait for, and go on without waiting. */
void run_services_wants(const struct run *r, struct loop_wait *w);
void run_services_step(struct run *r, int64_t now_ms);
void run_drain_wants(const struct run *r, struct loop_wait *w, int64_t now_ms);
void run_drain_step(struct run *r, int64_t now_ms);

/*
 * Whether there is something to wait for at the stop, and Consul may know of us; look; we have
 * asked to leave; end.
 */
bool run_drain_is_set(const struct run *r);
void run_drain_look(struct run *r, int64_t now_ms);
void run_drain_leave(struct run *r, int64_t now_ms);
void run_drain_end(struct run *r);

/* Fill s, which is valid until the loop goes on. */
void run_status_fill(const struct run *r, int64_t now_ms, struct run_status *s);

#endif
