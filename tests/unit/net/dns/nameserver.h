/*
 * Name servers for one test, in its own thread: up to three, 127.0.0.1 to .3, on one free port,
 * UDP and TCP. They answer by rules and note who was asked for what.
 */
#ifndef TEST_NAMESERVER_H
#define TEST_NAMESERVER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define NAMESERVERS_MAX 3
#define NAMESERVER_FDS (NAMESERVERS_MAX * 3)

/*
 * The first rule that fits a question says how it is answered; without one it is with NXDOMAIN.
 * `how` is words: an address, ">name" for a CNAME (what follows is of that name), "&name" for an NS,
 * "@name" for records of another name, "ttl=N" for those that follow, "aa", "rcode=N", "tc",
 * "lame" (it does not recurse),
 * "silent", "|" for one more message, and what is wrong with this one: "id", "late" (the id of the
 * first query for the family), "name", "type", "query", "short", "other" (from another server's
 * socket), "close" (TCP, before an answer), "fill=N" (so many records of no interest first).
 */
struct ns_rule {
	int server; /* 1 to 3, 0 any */
	const char *name;
	char family; /* '4', '6', 'n' for NS, 'c' for CNAME, 0 all */
	char over;   /* 'u', 't', 0 both */
	const char *how;
	int times; /* how often it fits; 0 always */
};

/* Start the servers whose digits are in `which`. The rules end with a NULL name. */
void ns_start(const char *which, const struct ns_rule *rules);

uint16_t ns_port(void);

/* What to wait for, at most NAMESERVER_FDS; returns how many. */
size_t ns_wants(struct pollfd *pfd);

/* Answer what has come. */
void ns_step(void);

/* "1u4 www.example,1u6 www.example": server, transport (U, T: no recursion wanted), family, name. */
const char *ns_asked(void);

void ns_end(void);

#endif
