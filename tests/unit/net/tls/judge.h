/* A verdict over certificates from lines of text (forge.h), as a handshake would ask for it. */
#ifndef TEST_JUDGE_H
#define TEST_JUDGE_H

#include "net/tls/verifier.h"

#define JUDGE_CERTS 24
#define JUDGE_NOW_SEC 1800000000 /* 2027-01-15: what forge makes is valid then */

#define ROOT "Root<Root !ca"
#define MID "Mid<Root !ca"
#define LEAF "leaf<Mid san=DNS:server.test"

struct judged {
	const char *roots[4];           /* trusted; the first unused is NULL */
	const char *chain[JUDGE_CERTS]; /* as the server sends them */
	const char *host;               /* NULL: server.test */
};

struct judge_row {
	struct judged j;
	const char *says; /* within what a user reads; "ok" */
};

/* Fails the test at the first whose verdict is another one. */
void judge_rows(const struct judge_row *rows, size_t n);

/* Give it all to v, each certificate in pieces of step bytes (0: whole): the engine's code. */
unsigned judge(struct verifier *v, const struct judged *j, size_t step);

/* The same, as what a user reads: "ok", or why not; until the next call. */
const char *judge_text(const struct judged *j);

#endif
