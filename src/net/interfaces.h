/*
 * The addresses of this host's interfaces, those of our network namespace: IPv4 by SIOCGIFCONF
 * (netdevice(7)), IPv6 from /proc/net/if_inet6 (proc(5)), for both are there in every emulation of
 * Linux, too, and answer at once. Decides nothing.
 */
#ifndef NET_INTERFACES_H
#define NET_INTERFACES_H

#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"

/*
 * Fill out[0..cap) with the addresses of all interfaces that are up, in no order. Where there is no
 * /proc there is no IPv6. Link-local IPv6 addresses come last and as far as there is room: a host
 * has one for each container, and nobody publishes them.
 *   n  set to how many there are, 0 too
 *   e  ERR_LIMIT: more than cap others; ERR_SYS: no socket
 * Returns 0, or -1 with *n untouched.
 */
int interfaces_list(struct interface_address *out, size_t cap, size_t *n, struct err *e)
	__attribute__((warn_unused_result));

#endif
