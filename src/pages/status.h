/*
 * The state of a watch as plain values: all that /health, /metrics and the page show. Filled anew
 * for each request by whoever runs the watch; who renders it knows nothing else.
 */
#ifndef PAGES_STATUS_H
#define PAGES_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/record.h"

/*
 * The states of a name and their words:
 *   WAITING  for the first answer of Consul, or for the lock
 *   SYNCING  a change is under way
 *   HELD     in sync but for removals that a safety rule holds back
 *   FAILING  the last pass failed; there will be another
 */
#define STATUS_STATES_LIST(ROW)                                                                    \
	ROW(WAITING, "waiting")                                                                    \
	ROW(IN_SYNC, "in sync")                                                                    \
	ROW(SYNCING, "syncing")                                                                    \
	ROW(HELD, "held")                                                                          \
	ROW(FAILING, "failing")

#define STATUS_STATE(state, name) STATUS_##state,
enum status_state { STATUS_STATES_LIST(STATUS_STATE) STATUS_STATES };

/* The kinds of API call that are counted. */
#define STATUS_CALLS_LIST(ROW) ROW(ZONES, "zones") ROW(LIST, "list") ROW(WRITE, "write")

#define STATUS_CALL(kind, name) STATUS_CALL_##kind,
enum status_call { STATUS_CALLS_LIST(STATUS_CALL) STATUS_CALLS };

#define STATUS_NAMES_MAX 2048
#define STATUS_CLASSES 6 /* of answers: 1..5: 1xx..5xx; 0: there was none */
#define STATUS_WRITES 3  /* records created, updated, deleted */

/* The facts about a name; facts.def lists them. */
#define FACT(name, ...) FACT_##name,
enum fact {
#include "pages/facts.def"
	FACTS
};
#undef FACT

/* What a value counts. */
enum fact_kind {
	FACT_IS_BOOL, /* 0 or 1 */
	FACT_IS_COUNT,
	FACT_IS_AGE, /* milliseconds, shown as seconds or in words */
	FACT_IS_TIME /* seconds of the wall clock */
};

/* When a fact is a line of the page, which shows them in this order. */
enum fact_shown {
	FACT_KNOWN,
	FACT_NOT_ZERO,
	FACT_NOT_IN_SYNC, /* while the name is in another state */
	FACT_OR_NEVER,    /* "never" while it is not known */
	FACT_SHOWNS
};

struct fact_info {
	unsigned char kind, shown; /* enum fact_kind, enum fact_shown */
	bool in_health;
	/* Not pointers: one costs 32 bytes, its relocation included. */
	char metric[37], help[42];
	char label[16]; /* "": not on the page */
};

extern const struct fact_info fact_infos[FACTS];

/* A value that is not known has no sample in /metrics, rather than a zero. */
struct fact_value {
	bool is_known;
	int64_t n;
};

/* One name. Texts are valid as long as the status is. */
struct status_record {
	const char *name;
	const char *service;
	const char *owner; /* NULL when not set; name and owner are unique together */
	const char *zone;  /* the name of its zone; NULL: not known yet */
	enum status_state state;
	bool is_unhealthy;
	bool has_records;         /* what Cloudflare has is known: see records */
	int64_t since_ms;         /* how long it has been in this state */
	const char *why;          /* FAILING: the last error; HELD: which rule; else NULL */
	const char *consul_error; /* NULL when it answers */

	/* What Consul listed last; count is NULL before its first answer. */
	const struct instance_counts *count;
	const struct endpoint *endpoints;
	size_t endpoints_n;

	const struct record *records; /* one without an id is deleted */
	size_t records_n;
	struct fact_value facts[FACTS];
};

/* A name that a service claims by its tags and does not get, or gets with a flaw. */
struct status_claim {
	const char *name; /* "": the tags name none */
	const char *service;
	const char *why;
};

struct status {
	const char *version;
	int64_t uptime_ms;
	int64_t now_ms;  /* monotonic; ages are up to it */
	int64_t now_sec; /* wall clock */
	bool is_healthy;
	bool has_lock_key; /* --lock: one of several copies leads */
	bool is_leader;
	bool is_leaderless;     /* neither this copy nor another one is known to lead */
	bool is_lock_unhealthy; /* for too long */
	int64_t leaderless_ms;
	const char *lock_key;
	const char *lock_error; /* what keeps this copy from the lock; NULL: nothing known */
	size_t records_n;       /* STATUS_NAMES_MAX at most */
	/*
	 * Fills *r, which is zero, for one i of 0..records_n. One at a time: an array of all names
	 * would be memory for this alone.
	 */
	void (*fill_record)(const struct status *s, size_t i, struct status_record *r);
	/* The same for claims that were refused, i of 0..claims_n. */
	size_t claims_n;
	void (*fill_claim)(const struct status *s, size_t i, struct status_claim *c);
	const void *ctx;      /* of both */
	bool has_discovery;   /* services name their own records: --discover */
	size_t discovered_n;  /* names that are kept because of that */
	bool has_name_series; /* --metrics-names */
	uint64_t retries;
	uint64_t consul_reads; /* good answers to watches */
	uint64_t connections;  /* opened, to both sides */
	uint64_t writes[STATUS_WRITES];
	uint64_t api_calls[STATUS_CALLS][STATUS_CLASSES];
	uint64_t api_left;   /* requests to Cloudflare that may be made at once */
	int64_t roots_sec;   /* date of the roots built in */
	int64_t api_end_sec; /* when the root ends by which Cloudflare is believed; 0: not known */
};

/* "in sync", "held"... */
const char *status_state_name(enum status_state state);

/* The i-th record, filled, and with it the facts that follow: in sync, healthy, actual. */
struct status_record status_record_at(const struct status *s, size_t i);

/* A fact becomes known. */
void status_set(struct status_record *r, enum fact fact, int64_t n);

#endif
