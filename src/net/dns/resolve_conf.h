/*
 * What a machine says of names: /etc/resolv.conf (who is asked and how, resolv.conf(5)) and
 * /etc/hosts (hosts(5)). What is not understood in them is passed over. Asks nobody.
 */
#ifndef NET_DNS_RESOLVE_CONF_H
#define NET_DNS_RESOLVE_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

#define RESOLVE_SERVERS_MAX 3
#define RESOLVE_SEARCH_MAX 6         /* domains of a search list */
#define RESOLVE_SEARCH_BYTES_MAX 512 /* of all of them together, each with its NUL */
#define RESOLVE_NDOTS_MAX 15
#define RESOLVE_TIMEOUT_MAX_SEC 30
#define RESOLVE_ATTEMPTS_MAX 5

struct resolve_server {
	enum net_family family;
	uint32_t scope;
	unsigned char bytes[16];
};

struct resolve_conf {
	unsigned ndots;       /* dots from which on a name is first taken as it is */
	unsigned timeout_sec; /* of one try at one server */
	unsigned attempts;    /* tries at each server */
	size_t search_n;
	size_t search_len;
	size_t servers_n; /* from 1 on */
	struct resolve_server servers[RESOLVE_SERVERS_MAX];
	char search[RESOLVE_SEARCH_BYTES_MAX]; /* one after the other */
};

/*
 * Read the file. Of several "search" and "domain" lines the last counts. A server with a zone
 * that this machine does not have is passed over; without any server it is 127.0.0.1. Numbers past
 * their MAX become it.
 */
void resolve_conf_read(struct resolve_conf *c, const char *path);

/* The i-th domain of the search list, i < search_n. */
const char *resolve_conf_search(const struct resolve_conf *c, size_t i);

/* Add the addresses of all lines that have the name, without regard to case. */
void resolve_hosts_find(const char *path, const char *name, struct net_found *out);

#endif
