/*
 * Questions to one name server over one socket: over UDP, several at once if need be, or one over
 * TCP (RFC 7766). Knows whether what comes is an answer to one of them; what it means, and how long
 * to wait, is the caller's.
 */
#ifndef NET_DNS_EXCHANGE_H
#define NET_DNS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "net/address.h"
#include "net/dns/message.h"

#define DNS_QUESTIONS_MAX 2 /* at once */
#define DNS_LENGTH_BYTES 2  /* before a message, over TCP */

/* The fields are the module's own, but for answer and query. */
struct dns_exchange {
	int fd; /* -1: none is under way */
	bool is_tcp;
	size_t sent, got; /* over TCP: bytes */
	struct {
		bool is_open;
		enum dns_type type;
		uint16_t id;
	} of[DNS_QUESTIONS_MAX];

	unsigned char *in; /* for what comes: of a longer message the beginning, as cut off */
	size_t in_cap;     /* DNS_LENGTH_BYTES and those of a message that are read */

	/* After DNS_EXCHANGE_ANSWER, until the next step. */
	size_t question;          /* to which */
	struct dns_answer answer; /* in in */

	/* Set before the first question; room for the length is in front of the message. */
	size_t query_n; /* as dns_write_query() wrote it */
	unsigned char query[DNS_LENGTH_BYTES + DNS_QUERY_MAX];
};

enum dns_exchange_next {
	DNS_EXCHANGE_WAIT,
	DNS_EXCHANGE_ANSWER, /* that question is no longer open */
	DNS_EXCHANGE_BROKEN, /* over TCP: it closed, or sent what is no answer */
	DNS_EXCHANGE_SYSTEM  /* errno says why: nobody is there, no way... */
};

/* Prepare. in: of in_cap bytes, stays in use. */
void dns_exchange_init(struct dns_exchange *x, unsigned char *in, size_t in_cap);

/* Open a socket to the server; what was under way is dropped. -1 with errno. */
int dns_exchange_open(struct dns_exchange *x, const struct net_address *server, bool is_tcp)
	__attribute__((warn_unused_result));

/*
 * Ask for records of that type as question i; over TCP one is open at a time, and it goes on its
 * way by dns_exchange_step(). -1 with errno.
 */
int dns_exchange_ask(struct dns_exchange *x, size_t i, enum dns_type type)
	__attribute__((warn_unused_result));

/* Go on without waiting, though not for ever. */
enum dns_exchange_next dns_exchange_step(struct dns_exchange *x);

/* What to wait for. */
void dns_exchange_wants(const struct dns_exchange *x, struct loop_wait *w);

/* Close the socket. Legal at any time after dns_exchange_init(). */
void dns_exchange_close(struct dns_exchange *x);

#endif
