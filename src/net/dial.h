/*
 * Addresses to connected socket: each in turn, with a share of what is left of the deadline.
 * Non-blocking throughout.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/address.h"

/* The fields are the module's own, but for addresses. */
struct dial {
	struct net_addresses
		addresses;   /* the caller's to fill, one at least, before dial_start() */
	size_t next;         /* the address to try next */
	int fd;              /* the socket being connected, -1 for none */
	int64_t deadline_ms; /* of the whole */
	int64_t share_ms;    /* when the present address has had its time */
	struct err last;     /* why the last address failed */
};

enum dial_result { DIAL_BAD, DIAL_MORE, DIAL_DONE };

void dial_init(struct dial *d);

/* Begin to connect to one of the addresses. Follow with dial_step(). */
void dial_start(struct dial *d, int64_t deadline_ms);

/*
 * Go on as far as possible without waiting.
 *   fd  set on DONE: connected, non-blocking, close-on-exec, without Nagle's delay; the caller's
 *   e   filled on BAD: ERR_RETRY; says how many addresses were tried and why the last failed
 * The deadline of the whole is the caller's to watch.
 */
enum dial_result dial_step(struct dial *d, int *fd, struct err *e);

/* Add what to wait for before the next dial_step(). */
void dial_wants(const struct dial *d, struct loop_wait *w);

/* Give up. Legal at any time after dial_init(). */
void dial_stop(struct dial *d);

#endif
