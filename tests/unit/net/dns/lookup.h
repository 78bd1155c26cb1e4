/* One look-up at a time, with files and name servers of the test's own. */
#ifndef TEST_LOOKUP_H
#define TEST_LOOKUP_H

#include <stdint.h>

#include "base/err.h"
#include "net/dns/nameserver.h"
#include "net/dns/resolve.h"

#define LONG_MS 60000 /* a deadline that no test reaches */

extern struct resolve resolve;
extern struct net_addresses lookup_out;
extern struct err lookup_err;
extern int64_t lookup_ms; /* by the last lookup() */
extern char lookup_hosts[64];

/* Write the files and start servers, as ns_start(). lookup_end() undoes it. */
void lookup_begin(const char *hosts, const char *conf, const char *servers, const struct ns_rule *rules);
void lookup_end(void);

/* Make r new, with these files. */
void lookup_use_files(void);

/* Wait for the resolver or the servers, and let the servers answer. */
void lookup_wait(void);

/* A whole look-up, with port 8500. */
enum resolve_result lookup(const char *host, int64_t within_ms);

/* What was found: "192.0.2.1 2001:db8::1". */
void lookup_found(const char *what, const char *want);

#endif
