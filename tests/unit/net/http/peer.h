/*
 * A server for one test: a child process that follows a script on a loopback port or a unix
 * socket. What it saw is in shared memory.
 */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum peer_what {
	PEER_ACCEPT,    /* wait for a connection */
	PEER_READ,      /* a request with its body */
	PEER_READ_HEAD, /* a request's head only */
	PEER_SEND,      /* the text */
	PEER_DRIP,      /* the text, one byte each 20 ms, over and over until the peer goes */
	PEER_CLOSE,
	PEER_RESET, /* close with RST */
	PEER_DRAIN, /* once peer_drain() asks for it: read on until the end, of whatever kind */
	PEER_STAY   /* for ever: the test ends it */
};

struct peer_step {
	enum peer_what what;
	const char *text;
};

struct peer_seen {
	volatile int connections;
	volatile int requests;
	volatile int steps; /* of the script that are done */
	volatile int may_drain;
	volatile size_t drained; /* bytes */
	volatile int was_reset;
	char request[65536]; /* the last one */
};

struct peer {
	pid_t pid;
	int fd;
	uint16_t port;
	struct peer_seen *seen;
};

/* unix_path: NULL for 127.0.0.1 and a free port. steps end with PEER_STAY. */
void peer_start(struct peer *p, const char *unix_path, const struct peer_step *steps);

/* Wait until so many steps are done. */
void peer_wait(const struct peer *p, int steps);

/* Let it read on, and wait until it has come to the end. */
void peer_drain(const struct peer *p);

void peer_end(struct peer *p);

#endif
