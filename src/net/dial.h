/*
 * URL to connected socket: look up the name, then try each address in turn with a share of what
 * is left of the deadline. Non-blocking throughout.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/dns/resolve.h"
#include "net/http/url.h"

/* The fields are the module's own. */
struct dial {
	struct resolve resolve;
	struct net_addresses addresses;
	size_t next; /* the address to try next */
	int fd;      /* the socket being connected, -1 for none */
	bool resolving;
	uint16_t port;
	int64_t deadline_ms; /* of the whole */
	int64_t share_ms;    /* when the present address has had its time */
	struct err last;     /* why the last address failed */
};

enum dial_result { DIAL_BAD, DIAL_MORE, DIAL_DONE };

void dial_init(struct dial *d);

/* Begin to connect to the host and port, or the unix socket, of u. Follow with dial_step(). */
void dial_start(struct dial *d, const struct url *u, int64_t deadline_ms);

/*
 * Go on as far as possible without waiting.
 *   u   the one dial_start() was given
 *   fd  set on DONE: connected, non-blocking, close-on-exec, without Nagle's delay; the caller's
 *   e   filled on BAD: ERR_RETRY; says how many addresses were tried and why the last failed
 * The deadline of the whole is the caller's to watch.
 */
enum dial_result dial_step(struct dial *d, const struct url *u, int *fd, struct err *e);

/* What to wait for before the next dial_step(). */
void dial_wants(const struct dial *d, struct pollfd *pfd, int64_t *wake_ms);

/* Drop everything. Legal at any time after dial_init(). */
void dial_stop(struct dial *d);

/* What is being done, for the message when the deadline passes. */
const char *dial_phase(const struct dial *d);

#endif
