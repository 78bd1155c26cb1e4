/*
 * A status made by hand, for the pages: names are added one by one, each with instances in Consul
 * and records at Cloudflare.
 */
#ifndef TEST_SHOWN_H
#define TEST_SHOWN_H

#include "pages/status.h"

#define SHOWN_NAMES_MAX 1024
#define SHOWN_CLAIMS_MAX 64
#define SHOWN_CAP 2097153        /* bytes the server gives for a page, with the NUL */
#define SHOWN_NOW_SEC 1700000000 /* 2023-11-14T22:13:20Z */

extern struct status shown;
extern struct status_record shown_records[SHOWN_NAMES_MAX];

/* A healthy leader, up for a day, with no name yet. */
void shown_init(void);

/* One more name of service web, in sync, that Consul has not answered for. */
struct status_record *shown_name(const char *name);

/* One that makes the whole unhealthy: not what is wanted for 75.25 s, and an error. */
struct status_record *shown_failing(const char *name);

/* What r counts, once it has an instance. */
struct instance_counts *shown_count_of(const struct status_record *r);

/* An instance in this state at this address, for the name added last. */
void shown_instance(enum instance_state state, const char *address);

/* A record with this content, for the name added last: ours, 60 s, wanted. */
struct record *shown_record(const char *content);

/* A claim of service web that was refused. */
void shown_claim(const char *name, const char *why);

/* The page at path, a query behind it; *status as the server would send it. Until the next call. */
const char *shown_page(const char *path, size_t cap, int *status);

/* The same of SHOWN_CAP; whether that holds a part; how often a text does. */
const char *shown_at(const char *path);
bool shown_has(const char *path, const char *part);
size_t shown_count(const char *text, const char *part);

/*
 * Fail unless /metrics' text has one HELP and one TYPE for each name, and its samples right
 * behind them.
 */
void shown_check_families(const char *text);

#endif
