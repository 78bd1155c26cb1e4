/*
 * Host name to addresses without blocking: the C library's resolver runs in a short-lived child
 * process that writes its answer into a pipe. Each look-up asks anew; nothing is cached.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/err.h"

#define RESOLVE_ADDRESSES_MAX 16 /* addresses of one host that are kept */

struct net_address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} sa;
};

struct net_addresses {
	size_t n;
	struct net_address list[RESOLVE_ADDRESSES_MAX];
};

/* What the child writes: at most PIPE_BUF bytes, so that it comes whole. */
struct resolve_answer {
	int32_t failure; /* 0, or what getaddrinfo() said */
	int32_t system;  /* errno when that was EAI_SYSTEM */
	uint32_t n;
	struct {
		uint32_t is_ip6;
		uint32_t scope;
		unsigned char bytes[16];
	} list[RESOLVE_ADDRESSES_MAX];
};

struct resolve {
	pid_t pid; /* the child, 0 for none */
	int fd;    /* the pipe, -1 for none; wait for POLLIN on it */
	size_t got;
	struct resolve_answer answer;
};

enum resolve_result { RESOLVE_BAD, RESOLVE_MORE, RESOLVE_DONE };

void resolve_init(struct resolve *r);

/*
 * Begin to look up host. A numeric one needs no resolver: DONE at once.
 *   port  put into each address
 *   out   filled on DONE: both families, in the resolver's order but with families taking turns
 *   e     filled on BAD: ERR_RETRY
 * After MORE call resolve_step() when r->fd is readable, or resolve_stop().
 */
enum resolve_result resolve_start(struct resolve *r, const char *host, uint16_t port,
				  struct net_addresses *out, struct err *e);
enum resolve_result resolve_step(struct resolve *r, uint16_t port, struct net_addresses *out,
				 struct err *e);

/* Give up: the child is killed and reaped. Legal at any time after resolve_init(). */
void resolve_stop(struct resolve *r);

#endif
