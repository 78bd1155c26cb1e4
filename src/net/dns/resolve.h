/*
 * Host name to addresses without blocking: a stub resolver (RFC 1034 section 5.3.1). Numbers, then
 * /etc/hosts, then the servers of /etc/resolv.conf: A and AAAA at once over UDP, over TCP what
 * was truncated (RFC 7766). Each look-up reads the files and asks anew; nothing is cached.
 */
#ifndef NET_DNS_RESOLVE_H
#define NET_DNS_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/address.h"
#include "net/dns/exchange.h"
#include "net/dns/resolve_conf.h"

#define RESOLVE_NAME_MAX 255    /* bytes of a host name, a dot at its end included */
#define RESOLVE_ANSWER_MAX 2048 /* bytes of an answer that are read; what comes after is left */
#define RESOLVE_TRY_MIN_MS 500  /* a server has this long, however near the deadline is */

/* Where to look: for tests, which set the field `files` after resolve_init(). */
struct resolve_files {
	const char *hosts, *conf;
	uint16_t port; /* of every server */
};

enum resolve_phase {
	RESOLVE_IDLE,
	RESOLVE_BEGIN,
	RESOLVE_TRY,
	RESOLVE_UDP,
	RESOLVE_TCP,
	RESOLVE_CONCLUDE
};

enum resolve_reply {
	REPLY_NONE,      /* not yet */
	REPLY_ADDRESSES, /* some */
	REPLY_EMPTY,     /* the name is there, but without address of this family */
	REPLY_NO_NAME,   /* NXDOMAIN */
	REPLY_CUT,       /* truncated: to be asked again over TCP */
	REPLY_FAILED     /* the server could not, or would not, tell */
};

/* The fields are the module's own, but for files. */
struct resolve {
	const struct resolve_files *files;
	enum resolve_phase phase;
	uint16_t port;
	int64_t deadline_ms;
	int64_t try_ms; /* when the present try has had its time */

	bool is_absolute;
	size_t candidate; /* of the names the search list makes of it, the next one */
	bool was_asked;   /* any of them could be asked for */
	bool was_empty;   /* one of them exists */
	bool has_failed;  /* of one of them no server could tell; trouble says why */

	size_t server; /* the present one: the next name begins with the one that answered */
	unsigned tries_left;
	enum resolve_reply reply[NET_FAMILIES];
	const char *trouble; /* why one could not tell last... */
	size_t trouble_server;
	bool is_told; /* ...in its own words: an rcode */

	enum net_family asked; /* over TCP */
	struct resolve_conf conf;
	struct dns_exchange x; /* a question's number is its family's */
	struct net_found found;
	char name[RESOLVE_NAME_MAX + 1]; /* without a dot at its end */
	/* Not cleared: what needs no server takes no memory for it. */
	unsigned char in[DNS_LENGTH_BYTES + RESOLVE_ANSWER_MAX];
};

enum resolve_result { RESOLVE_BAD, RESOLVE_MORE, RESOLVE_DONE };

void resolve_init(struct resolve *r);

/*
 * Begin to look up host. What is numeric, in the hosts file, or local needs no server: DONE at
 * once.
 *   host         not kept
 *   port         put into each address
 *   deadline_ms  of the look-up and what follows it: a share is left for connecting
 *   out          filled on DONE: families take turns, IPv4 begins
 *   e            filled on BAD: ERR_RETRY
 * After MORE wait as resolve_wants() says and call resolve_step(), or resolve_stop().
 */
enum resolve_result resolve_start(struct resolve *r, const char *host, uint16_t port,
				  int64_t deadline_ms, struct net_addresses *out, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Go on as far as possible without waiting. As resolve_start(); BAD at the deadline at the latest.
 * After DONE or BAD resolve_start() may be called.
 */
enum resolve_result resolve_step(struct resolve *r, struct net_addresses *out, struct err *e)
	__attribute__((warn_unused_result));

/* Add what to wait for. Only after MORE. */
void resolve_wants(const struct resolve *r, struct loop_wait *w);

/* Give up. Legal at any time after resolve_init(). */
void resolve_stop(struct resolve *r);

#endif
