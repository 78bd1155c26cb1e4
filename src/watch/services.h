/*
 * Which services a watch follows for its names, and how. A few by a blocking query each: nothing is
 * faster. More of them wide: of each place in Consul two blocking queries (what all checks say;
 * which services there are, with their tags) tell which services have changed, and a few readers
 * read these. What the two cannot tell is read in turns.
 */
#ifndef WATCH_SERVICES_H
#define WATCH_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/job.h"
#include "engine/catalog_watch.h"
#include "engine/service_watch.h"

#define SERVICES_MAX 2048
#define SERVICES_SINGLE_MAX 16   /* followed by a query each; with more, wide... */
#define SERVICES_SINGLE_AGAIN 8  /* ...until there are only so many */
#define SERVICES_READERS 8       /* who read for all, wide */
#define SERVICES_PLACES_MAX 8    /* services of further places are read in turns alone */
#define SERVICES_NODE_BUCKETS 64 /* nodes are told apart by so many */

/*
 * The catalog's index moved, or a node's check changed: all services are read soon, for what
 * nothing tells.
 */
#define SERVICES_SOON_MS 300
#define SERVICES_SOON_MAX_MS 4800 /* doubled up to that while such reading has no news */
#define SERVICES_QUIET_MS 60000   /* after so long that is forgotten */
#define SERVICES_SWEEP_PER_MS 2   /* reads of a sweep */
#define SERVICES_TURNS 8       /* so often in each resync some are read of which nothing is told */
#define SERVICES_BLIND_MS 5000 /* a place tells nothing: each is read so often at most... */
#define SERVICES_BLIND_EACH_MS 10 /* ...and one in so much */
#define SERVICES_BLIND_FAILURES 3 /* in a row; a refusal is enough */

#define SERVICES_CONNECTIONS_MAX (SERVICES_SINGLE_MAX + TOLD_KINDS * SERVICES_PLACES_MAX)

enum { TOLD_TAGS, TOLD_CHECKS, TOLD_KINDS };

struct watch;

/* One of a place's wide queries, and what it told last. */
struct services_ear {
	struct services_place *place;
	int kind; /* TOLD_... */
	bool has_heard;
	uint64_t index;
	uint64_t nodes[SERVICES_NODE_BUCKETS], incoming_nodes[SERVICES_NODE_BUCKETS];
	struct catalog_listener listener;
	struct catalog_watch *told; /* NULL: never used */
};

struct services_place {
	struct watch *watch;
	bool is_followed;  /* a service is of this place, wide */
	bool is_blind;     /* a wide query is refused: its services are read in turns */
	unsigned futile_n; /* sweeps in a row that had no news */
	int64_t sweep_ms;  /* when to read all its services; CLOCK_NEVER */
	int64_t swept_ms;  /* the last time */
	struct services_ear ears[TOLD_KINDS];
};

struct services {
	bool is_wide;
	bool is_sorted; /* by_name is */
	size_t n, places_n;
	int64_t next_ms;                        /* wide: no read is due before */
	uint64_t old_reads, old_connections;    /* of those that are gone */
	struct service_watch *of[SERVICES_MAX]; /* n of them; then the storage of others */
	struct service_watch *by_name[SERVICES_MAX];
	int64_t due_ms
		[SERVICES_MAX]; /* wide: of of[i], when to read it; CLOCK_NEVER: is being read */
	struct service_reader *readers[SERVICES_SINGLE_MAX];
	struct services_place places[SERVICES_PLACES_MAX];
};

/* Storage for the services of these jobs: -1 when there is none. */
int services_reserve(struct watch *w, const struct job *jobs, size_t jobs_n)
	__attribute__((warn_unused_result));

/* The service watch for this job: one that is there, or a new one, for which there is storage. */
struct service_watch *services_find(struct watch *w, const struct job *job);

/* The same while others are followed, with storage of its own; NULL: there is none. */
struct service_watch *services_add(struct watch *w, const struct job *job);

/* Follow no longer what no name is for. */
void services_sweep(struct watch *w);

/* Follow none any more. */
void services_stop(struct watch *w);

/* Other times from now on: those of w->setup. */
void services_set_times(struct watch *w);

/* Good answers of Consul, and connections to it, so far. */
void services_count(const struct watch *w, uint64_t *reads, uint64_t *connections);

#endif
