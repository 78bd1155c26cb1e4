/*
 * Who answers for a name, and what they say of one record: finds the name's zone and the zone's own
 * servers by way of the system's (RFC 1034 section 5.3.3, from the name upwards), then asks one of
 * them at a time. Or it asks one server that was given instead. Never blocks. What is answered is
 * not proven (no DNSSEC); it is believed as far as a resolver would.
 */
#ifndef NET_DNS_AUTHORITY_H
#define NET_DNS_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/dns/exchange.h"
#include "net/dns/message.h"
#include "net/dns/resolve.h"

#define AUTHORITY_ADDRESSES_MAX 6 /* of one server that are kept */
#define AUTHORITY_ANSWER_MAX 4096 /* bytes of an answer that are read: 240 addresses */
#define AUTHORITY_TRY_MS 1500     /* for one question to one address */
#define AUTHORITY_TRIES 2         /* each at the server's next address */
#define AUTHORITY_FIND_MS 20000   /* for finding the zone and its servers */

enum authority_phase {
	AUTHORITY_IDLE,
	AUTHORITY_GIVEN,   /* there is nothing to find */
	AUTHORITY_ZONE,    /* who serves the zone at that name? */
	AUTHORITY_ADDRESS, /* where is that server? */
	AUTHORITY_RECORD   /* what does it say? */
};

struct authority_server {
	size_t n, next;
	struct net_address list[AUTHORITY_ADDRESSES_MAX];
};

/* The fields are the module's own, but files, names, sight. */
struct authority {
	const struct resolve_files *files;
	enum authority_phase phase;
	bool is_given;   /* the one server was given: it recurses */
	bool is_finding; /* all servers' addresses are looked up, not one's before it is asked */
	size_t at;       /* ZONE: the end of name that is asked about begins here */
	size_t who;      /* ADDRESS, RECORD: the server; ZONE: the system's, that is asked */
	size_t servers_n;
	unsigned tries_left;
	int64_t try_ms, deadline_ms;
	struct net_address to; /* who is asked now */
	struct dns_exchange x;
	const struct dns_wanted *wanted;
	struct resolve_conf conf;
	struct resolve resolve;
	struct err last_err;
	char name[RESOLVE_NAME_MAX + 1];

	/* After AUTHORITY_DONE of authority_find(); servers_n of them. */
	char names[DNS_SERVERS_MAX][DNS_TEXT_CAP];
	struct authority_server servers[DNS_SERVERS_MAX];
	/* After AUTHORITY_DONE of authority_ask(). */
	struct dns_sight sight;

	unsigned char in[DNS_LENGTH_BYTES + AUTHORITY_ANSWER_MAX];
};

enum authority_result { AUTHORITY_BAD, AUTHORITY_MORE, AUTHORITY_DONE };

void authority_init(struct authority *a);

/* Ask this server alone, by its address, for whatever name. */
void authority_give(struct authority *a, enum net_family family, const unsigned char *bytes,
		    uint16_t port);

/*
 * Begin to find the servers of the zone that holds name; with a given one there is nothing to find.
 * Follow with authority_step(): e on BAD: ERR_RETRY; ERR_CONFIG: no zone holds it
 */
void authority_find(struct authority *a, const char *name, int64_t now_ms);

/*
 * Begin to ask servers[i] about the record of the name that was found; wanted is kept until the
 * answer. Follow with authority_step(): e on BAD: ERR_RETRY: no answer, or none that counts
 */
void authority_ask(struct authority *a, size_t i, const struct dns_wanted *wanted, int64_t now_ms);

/* Go on without waiting, until DONE or BAD. */
enum authority_result authority_step(struct authority *a, int64_t now_ms, struct err *e)
	__attribute__((warn_unused_result));

/* What to wait for. Only after MORE. */
void authority_wants(const struct authority *a, struct loop_wait *w);

/* Give up. Legal at any time after authority_init(). */
void authority_stop(struct authority *a);

#endif
