/*
 * A simulated world: copies of `watch` as they are, against a simulated Consul and a simulated
 * Cloudflare, by one clock that jumps from one thing that happens to the next. A seed is a day: it
 * decides what is configured, what happens and what goes wrong. What goes wrong is a decision with
 * a number: a day can be repeated with some of them left out.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/job.h"

#define SIM_COPIES 3
#define SIM_SERVICES 24
#define SIM_SLOTS 6 /* places for an instance of a service, each with an address of its own */
#define SIM_JOBS 24
#define SIM_ZONES 3
#define SIM_START_MS 5000000
#define SIM_DAY_MS 86400000
#define SIM_EPISODES 4
#define SIM_EVENTS 512 /* of a day */
#define SIM_TEXT_CAP 128

/* ---- chance: a row of numbers for each purpose, so that one does not shift the other ---- */

enum sim_row { ROW_SETUP, ROW_EVENTS, ROW_WORLD, ROW_CLOUD, ROW_COPY /* and one for each copy */ };

uint32_t sim_random(unsigned row);
uint32_t sim_below(unsigned row, uint32_t n);
int64_t sim_between(unsigned row, int64_t from, int64_t to); /* both included */

/* ---- what is configured ---- */

struct sim_setup {
	size_t copies_n, services_n, jobs_n, zones_n;
	bool has_lock, has_token;
	int64_t timeout_ms, resync_ms, unhealthy_ms;
	unsigned wait_sec;
	struct job jobs[SIM_JOBS];
	size_t service_of[SIM_JOBS];
	const char *zones[SIM_ZONES];
};

/* ---- what happens ---- */

enum sim_kind {
	/* instances */
	EVENT_STATE, /* one is in another state */
	EVENT_BLIP,  /* one is registered anew */
	EVENT_ROLL,  /* all are, one after the other */
	EVENT_DOWN,  /* all are critical, in maintenance or gone */
	EVENT_UP,
	EVENT_OUTPUT, /* a check says the same in other words: the index moves */
	/* copies */
	EVENT_KILL,
	EVENT_TERM,
	EVENT_PAUSE,
	EVENT_RELOAD,
	/* Consul */
	EVENT_NO_LEADER,
	EVENT_STALE,   /* default reads are old, and say so */
	EVENT_DEPOSED, /* they are, and do not: for a short time */
	EVENT_CACHED,
	EVENT_HIDDEN, /* ACLs hide some */
	EVENT_DENIED, /* the token is refused */
	EVENT_FULL,   /* no more connections than a few */
	EVENT_AWAY,
	EVENT_RESTORED, /* a snapshot: the index goes back */
	EVENT_WIRE,     /* calls are lost, cut, late */
	EVENT_SESSION,  /* is ended by hand */
	EVENT_KEY,      /* is deleted by hand */
	/* Cloudflare */
	EVENT_STIR,
	EVENT_RATES,
	EVENT_CLOCK, /* the wall clock jumps */
	EVENT_KINDS
};

struct sim_event {
	int64_t at_ms, until_ms;
	enum sim_kind kind;
	uint32_t random; /* what else it needs */
};

extern struct sim {
	uint64_t seed;
	int64_t now_ms, end_ms;
	int64_t wall_sec; /* beside now_ms */
	bool is_calm;     /* nothing goes wrong any more */
	bool is_traced;
	unsigned steps; /* calls that were begun */
	unsigned chances;
	struct sim_setup setup;
	struct sim_event events[SIM_EVENTS];
	size_t events_n;
	/* What was found first. */
	bool is_broken;
	char invariant[32], how[1024];
} sim;

/* Something must not be: the first is kept, and the day ends. */
void sim_broken(const char *invariant, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line of the trace. */
void sim_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define NOTE(...) (sim.is_traced ? sim_note(__VA_ARGS__) : (void)0)

/* Whether this happens, in so many of a million cases; unless the decision is left out. */
bool sim_chance(const char *what, unsigned per_million);

/* Secrets: what must be nowhere but where it belongs. Nothing else begins so: they are soon looked for. */
#define SIM_SECRET '~'
#define SIM_CONSUL_TOKEN "~c0ffee00-secret-of-consul"
#define SIM_CF_TOKEN "~cf-secret-0123456789abcdef"
bool sim_has_secret(const char *p, size_t n);

/* schedule.c: setup and events of this seed. */
void schedule_make(void);

/* A change at rest, which has to be seen at once. */
void schedule_probe(void);

#endif
