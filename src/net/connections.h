/*
 * How many clients hold a connection to a port of ours: from /proc/net/tcp and tcp6 (proc(5)), the
 * kernel's own tables, 100,000 lines of each. Where these are not there, as in some zones, nobody
 * can tell.
 */
#ifndef NET_CONNECTIONS_H
#define NET_CONNECTIONS_H

#include <stddef.h>
#include <stdint.h>

#define CONNECTIONS_FILES 2

/* Where to look: others are for tests. */
extern const char *const connections_files[CONNECTIONS_FILES];

/*
 * Count the connections to port that have a client at their other end, or bytes on the way to it:
 * established or about to be, or closed by one side alone. Not: those of this machine with itself,
 * as a health check's; those that only wait for stragglers (TIME_WAIT), or where all was said and
 * received and the client has still to close (FIN_WAIT2).
 * Returns 0; or -1 when none of the files can be read.
 */
int connections_count(const char *const files[CONNECTIONS_FILES], uint16_t port, size_t *n)
	__attribute__((warn_unused_result));

#endif
