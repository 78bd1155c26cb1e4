/*
 * When it is safe to stop an instance that asked to leave: as a rule, from settings; and as the
 * decision over what was observed since. Pure: the caller observes, and brings the clock.
 *
 * Its address is no longer answered by any source, be it the name's servers or the API; from then
 * on, not from the last answer that still had it, a TTL passes, for a resolver may have asked just
 * before the address went; and no client has held a connection for so long.
 */
#ifndef CORE_DRAIN_H
#define CORE_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/name.h"

#define DRAIN_SOURCES_MAX 8
#define DRAIN_FIXED_MAX_SEC 86400
#define DRAIN_ROUND_MS 1000    /* resolvers count in whole seconds */
#define DRAIN_SILENT_MS 60000  /* a source that is silent for so long is left out */
#define DRAIN_TTL_AUTO_SEC 300 /* what Cloudflare makes of the TTL 1 */
#define DRAIN_TTL_GUESS_SEC 60 /* where nothing tells the TTL: that of our own records */
#define DRAIN_RESOLVER_PORT 53

enum drain_kind {
	DRAIN_NONE,  /* there is nothing to wait for, but clients if that is set */
	DRAIN_FIXED, /* so long */
	DRAIN_DNS, /* until the name's own servers, or the resolver, no longer answer the address */
	DRAIN_API  /* until Cloudflare no longer lists it */
};

struct drain_way {
	enum drain_kind kind;
	int64_t fixed_ms;    /* FIXED */
	char name[NAME_CAP]; /* DNS, API: in normal form */
};

struct drain_resolver {
	bool is_set;
	bool is_ip6;
	uint16_t port;
	unsigned char addr[16];
};

/* The settings. */
struct drain_rule {
	int64_t idle_ms;   /* 0: clients are not waited for */
	int64_t max_ms;    /* of all of it */
	int64_t settle_ms; /* until the API's word holds at the edge: in place of a proxied name's
			      TTL, beside that of others; and where the address never was there */
	struct drain_resolver resolver; /* DNS: is asked in place of the name's own servers */
	struct drain_way way;
};

/* Read "none", "SECONDS", "dns:NAME" or "api:NAME". e: ERR_CONFIG, without what was read */
int drain_way_parse(struct drain_way *w, const char *text, struct err *e)
	__attribute__((warn_unused_result));

/* Read "ADDR", "ADDR:PORT" or "[ADDR]:PORT". e: ERR_CONFIG */
int drain_resolver_parse(struct drain_resolver *r, const char *text, struct err *e)
	__attribute__((warn_unused_result));

/* ---- The decision ---- */

/* One that was asked about the address; the fields are the module's own. */
struct drain_source {
	bool was_answered; /* once at least */
	bool is_present;   /* by its last answer */
	int64_t absent_ms; /* else: when the first came of all answers without it since */
	bool is_silent;    /* its last try was without answer... */
	int64_t silent_ms; /* ...and all since then */
};

/* What a source says. */
struct drain_answer {
	bool is_present;
	bool has_ttl; /* of whatever record of that name */
	uint32_t ttl_sec;
	bool is_proxied;
};

struct drain_view {
	const struct drain_rule *rule;
	int64_t start_ms;
	bool has_left;   /* the instance has asked to leave */
	int64_t left_ms; /* then */
	bool was_known;  /* all sources had answered before */
	bool was_seen;   /* the address was answered */
	bool is_proxied;
	bool is_blind;    /* nobody can ever tell, since... */
	int64_t blind_ms; /* ...then */
	bool has_ttl;
	uint32_t ttl_sec; /* the highest that was seen */
	bool has_clients; /* connections can be seen: clients_n counts */
	size_t clients_n;
	int64_t busy_ms;  /* when there may have been some last */
	size_t sources_n; /* 0: not known yet */
	struct drain_source sources[DRAIN_SOURCES_MAX];
};

enum drain_state {
	DRAIN_BEFORE,   /* it has not left yet */
	DRAIN_ASKING,   /* a source was not answered yet */
	DRAIN_LISTED,   /* the address is still answered */
	DRAIN_SILENT,   /* by none; but this source says nothing */
	DRAIN_TTL,      /* gone: caches forget it */
	DRAIN_SETTLING, /* gone: proxied, or it never was there */
	DRAIN_WAITING,  /* FIXED; or blind: settle and a TTL */
	DRAIN_CLIENTS,  /* all else is over: there are clients, or were until just now */
	DRAIN_OVER,     /* safe to stop */
	DRAIN_STATES
};

/* What to tell of it. */
struct drain_verdict {
	enum drain_state state;
	size_t source;    /* LISTED, SILENT, ASKING: which, of several the first */
	int64_t until_ms; /* TTL, SETTLING, WAITING, CLIENTS: if nothing else comes; else
			     CLOCK_NEVER */
};

/* Begin. rule is kept. */
void drain_view_init(struct drain_view *v, const struct drain_rule *rule, int64_t now_ms);

/* Whom to ask is known, or another: n of them, DRAIN_SOURCES_MAX at most. */
void drain_view_sources(struct drain_view *v, size_t n);

/* All that are to be asked have answered once. */
bool drain_view_is_known(const struct drain_view *v);

/* The instance asks to leave now. Twice is like once. */
void drain_view_leave(struct drain_view *v, int64_t now_ms);

/* Source i has answered; a: NULL, a try of it was in vain. */
void drain_view_take(struct drain_view *v, size_t i, const struct drain_answer *a, int64_t now_ms);

/* From now on nobody can ever tell whether the address is gone; or somebody can. */
void drain_view_blind(struct drain_view *v, bool is_blind, int64_t now_ms);

/* Connections of clients were counted. */
void drain_view_count(struct drain_view *v, size_t n, int64_t now_ms);

struct drain_verdict drain_view_judge(const struct drain_view *v, int64_t now_ms);

/* max_ms is over. */
bool drain_view_is_late(const struct drain_view *v, int64_t now_ms);

#endif
