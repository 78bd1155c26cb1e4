/*
 * The certificates that a server sent, and the paths among them: from its own, which TLS puts
 * first (RFC 5246 section 7.4.2), each to one that bears its issuer's name. Servers send them out
 * of order, twice, with the root or with strays, and who signed what only a path tells. Goes by
 * names alone: whether a path is a good one is for others to say.
 */
#ifndef NET_TLS_CHAIN_H
#define NET_TLS_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "net/tls/cert.h"

#define CHAIN_MAX 16          /* certificates that are kept */
#define CHAIN_BYTES_MAX 65536 /* bytes of them all */

/* Filled byte by byte. What would not fit, and all after it, is left out. */
struct chain {
	size_t n; /* complete ones; the first is the server's own */
	size_t used;
	size_t begun;       /* where in bytes the present one begins */
	bool is_cut;        /* something was left out */
	bool is_unreadable; /* the server's own is no certificate; n is 0 then */
	struct cert certs[CHAIN_MAX];
	struct der whole[CHAIN_MAX];
	unsigned char bytes[CHAIN_BYTES_MAX];
};

void chain_start(struct chain *c);
void chain_start_cert(struct chain *c);
void chain_append(struct chain *c, const unsigned char *p, size_t n);

/* Keep it, unless it is there already, or another's than the server's and no certificate. */
void chain_end_cert(struct chain *c);

/* Indices into the certs of a chain. Starts zeroed. */
struct chain_path {
	size_t n;
	size_t at[CHAIN_MAX];
};

/*
 * The next path, for a caller who stops when he has seen one he likes, or enough: each begins
 * with the server's certificate, is as short as it can be, and holds none twice. False: no more.
 */
bool chain_next_path(const struct chain *c, struct chain_path *p);

#endif
