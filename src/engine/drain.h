/*
 * Is it safe to stop an instance? Asks the name's servers or Cloudflare's API again and again,
 * counts the connections of clients, and has core/drain.h decide. Never blocks: it lives in a poll
 * loop. Used by run's stop and by the command drain.
 *
 * drain_start(), before the instance asks to leave; as soon as drain_knows(), or after
 * DRAIN_LOOK_MS, it is put into maintenance, then drain_leave(); drain_step() until it is over.
 * So what stood there before is known: the TTL, and whether the address was there at all. Who
 * cannot wait, or whose instance was not wanted already, calls drain_leave() at once: an address
 * that is not there may have left just before.
 */
#ifndef ENGINE_DRAIN_H
#define ENGINE_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "cloudflare/records.h"
#include "cloudflare/zones.h"
#include "core/drain.h"
#include "core/job.h"
#include "core/record.h"
#include "engine/driver.h"
#include "net/dns/authority.h"

#define DRAIN_LOOK_MS 2000 /* at most, before the instance asks to leave */
#define DRAIN_LINE_CAP 512

/* Of whom. What is pointed to is used until the drain is over. */
struct drain_setup {
	const struct drain_rule *rule;
	struct target address;  /* of the instance: target_parse() reads it */
	uint16_t port;          /* of the service here; 0: no connections are counted */
	struct driver *driver;  /* DRAIN_API only: with its client for Cloudflare, of its own use */
	struct record *records; /* the same: RECORDS_MAX of them */
	const struct job *job;  /* the same: says in which zone */
	bool gives_up_blind;    /* nobody can ever tell: a TTL and settle are waited for */
};

enum drain_result {
	DRAIN_MORE,
	DRAIN_DONE,   /* safe to stop */
	DRAIN_GAVE_UP /* max_ms is over: e says what it was still waiting for; or blind: why */
};

/* The fields are the module's own. */
struct drain {
	bool is_asking;     /* one of the sources, or whom to ask */
	size_t source;      /* that one, or the next */
	int64_t ask_ms;     /* not before this */
	int64_t count_ms;   /* connections are counted next */
	unsigned failures;  /* in a row */
	unsigned refusals;  /* answers that will be the same each time: in a row */
	bool is_name_there; /* a server knows the name, with whatever records */
	bool was_long_told;
	unsigned aliases_n;
	const char *note; /* to be told once */
	struct drain_view view;
	struct drain_setup setup;
	struct err last_err;
	char text[TARGET_TEXT_CAP]; /* the address */

	/* DNS. */
	struct authority authority;
	struct dns_wanted wanted;
	char name[DNS_TEXT_CAP]; /* that is asked for: where the rule's leads to */

	/* API. */
	struct job job; /* with the zone's id, once that is known */
	struct cf_zone_search zones;
	struct cf_listing list;
	struct cf_name records, *names[1];
	struct target_hosts hosts;
};

/* Begin to look. Nothing is asked before the first drain_step(). */
void drain_start(struct drain *d, const struct drain_setup *setup, int64_t now_ms);

/* All is known that can be known before the instance asks to leave. */
bool drain_knows(const struct drain *d);

/* All servers that were asked say that there is no such name: drain.name. */
bool drain_lacks_name(const struct drain *d);

/* It asks to leave from now on (Consul has taken its maintenance). Twice is like once. */
void drain_leave(struct drain *d, int64_t now_ms);

/* Go on without waiting. e: ERR_RETRY, on GAVE_UP. */
enum drain_result drain_step(struct drain *d, int64_t now_ms, struct err *e)
	__attribute__((warn_unused_result));

/* What to wait for before the next drain_step(). */
void drain_wants(const struct drain *d, struct loop_wait *w, int64_t now_ms);

/* Give up, whenever: sockets are closed. */
void drain_stop(struct drain *d);

/* How it stands, in one line for people: "192.0.2.1 is still answered by ns1.example.com". */
const char *drain_line(const struct drain *d, int64_t now_ms, char out[DRAIN_LINE_CAP]);

/* How it stands: for /metrics, and to see whether it is another line. */
struct drain_verdict drain_judge(const struct drain *d, int64_t now_ms);

/* What is to be told once, as a warning (connections cannot be seen here); NULL: nothing (more). */
const char *drain_take_note(struct drain *d);

#endif
