/*
 * How a watch is doing, as plain values: what /health, /metrics and the page tell. Filled anew for
 * each question by who runs the watch; whoever renders it knows nothing else.
 */
#ifndef PAGES_STATUS_H
#define PAGES_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consul/health.h"
#include "core/instance.h"
#include "core/record.h"

enum status_state {
	STATUS_WAITING, /* for the first answer of Consul, or for the lock */
	STATUS_IN_SYNC,
	STATUS_SYNCING, /* a change is under way */
	STATUS_HELD,    /* in sync but for removals that a safety rule holds back */
	STATUS_FAILING, /* the last pass failed; there will be another */
	STATUS_STATES
};

/* The kinds of API call that are counted. */
enum status_call { STATUS_CALL_ZONES, STATUS_CALL_LIST, STATUS_CALL_WRITE, STATUS_CALLS };

/* One name. Texts are valid as long as the status is. */
struct status_record {
	const char *name;
	const char *service;
	const char *owner; /* NULL when not set; name and owner are unique together */
	enum status_state state;
	int64_t since_ms; /* in this state for so long */
	bool has_synced;
	int64_t synced_sec; /* wall clock: last time the records were what is wanted */
	bool has_changed;
	int64_t changed_sec;    /* wall clock: last write */
	int64_t unconverged_ms; /* for so long not what is wanted; 0 when it is */
	bool is_unhealthy;
	size_t wanted_n;
	size_t held_n;
	const char *held_why;           /* NULL when nothing is held */
	const char *error;              /* NULL when the last pass was well */
	const struct consul_view *view; /* NULL before the first answer */
	bool has_records; /* the list below is what Cloudflare has; else not known now */
	const struct record *records; /* those without an id are gone */
	size_t records_n;
	int64_t consul_age_ms;    /* since Consul answered last for this service; -1: never */
	const char *consul_error; /* NULL when it answers */
};

struct status {
	const char *version;
	int64_t uptime_ms;
	int64_t now_sec;   /* wall clock */
	bool has_lock_key; /* --lock: one of several copies leads */
	bool is_leader;
	const char *lock_key;
	bool is_healthy;
	size_t records_n;
	/* Answers of Cloudflare by kind and class: [kind][1..5]: 1xx..5xx; [kind][0]: none. */
	uint64_t api_calls[STATUS_CALLS][6];
	uint64_t writes[3]; /* records created, updated, deleted */
	uint64_t retries;
	uint64_t consul_reads; /* good answers to watches */
	uint64_t connections;  /* opened, to both sides */
	/* The records, one at a time: fills *r for i in 0..records_n. */
	void (*record)(const struct status *s, size_t i, struct status_record *r);
	const void *ctx; /* of record() */
};

#endif
