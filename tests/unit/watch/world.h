/*
 * The world of a watch, scripted: a clock that moves when the loop waits, an HTTP client without
 * network, behind it a Consul with services and a lock and a Cloudflare with a few zones. A program
 * that uses it is linked with the wrapped functions in the Makefile (WORLD_WRAPS).
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "watch/watch.h"

#define WORLD_START_MS 5000000
#define WORLD_RECORDS 64
#define WORLD_SERVICES 14
#define WORLD_ZONES 6

struct world_record {
	unsigned id;
	char name[NAME_CAP], content[64], comment[JOB_COMMENT_CAP];
};

extern struct world {
	int64_t now_ms;
	uint32_t seed;
	int64_t latency_ms;          /* of every exchange */
	int64_t cpu_us, cpu_step_us; /* of CPU; so much for whatever is measured */

	/* Consul: instances as "192.0.2.1 192.0.2.2/critical"; an index that grows by world_set(). */
	struct {
		const char *name, *instances;
		const char *tags; /* as the catalog has them: "\"blue\",\"green\""; NULL: it is not listed there */
		int64_t delay_ms; /* its answers take so much longer */
		bool fails;       /* they are 500 */
		uint64_t index;   /* the world's when it changed last */
	} services[WORLD_SERVICES];
	uint64_t index;
	bool consul_is_away; /* connections are refused */
	/* Or another Consul: its answer to a GET of /v1/, and the index that a blocking query of it waits for to move. */
	int (*consul)(const char *target, char *headers, size_t headers_cap, const char **body);
	uint64_t (*consul_index)(const char *target);
	bool consul_is_leaderless;
	const char *catalog_headers; /* with an answer of the catalog; or NULL */
	bool consul_refuses;         /* 403 */
	bool lock_is_refused;        /* 403 for sessions and keys */
	bool registration_fails;     /* 403 from the agent's endpoints */

	/* Cloudflare */
	struct {
		const char *name; /* at first: the first is example.com, and there are no others */
		int64_t delay_ms; /* its answers take so much longer */
		unsigned lists, writes;
		size_t quota; /* so many records there may be; 0: as many as there are */
	} zones[WORLD_ZONES];
	struct world_record records[WORLD_RECORDS];
	size_t records_n;
	unsigned next_id;
	int api_status;          /* what every call is answered; 0: as it should be */
	const char *api_headers; /* with every answer; or NULL */
	bool api_is_deaf;        /* no byte of a request goes out, and nobody answers */
	bool api_hangs;          /* writes are carried out, and never answered */

	bool memory_is_full; /* no storage for more names and services */

	/* What happened, one word a request: "zone list +192.0.2.1 -192.0.2.9 register passing..." */
	char story[4096];
	unsigned lists, writes, aborts;
} world;

/* A new world; w watches with this setup, changed by the test before world_start(). */
void world_init(void);

/* The same as a test's set-up; what watch asked for of its configuration is counted. */
int world_set_up(void **state);
extern unsigned world_reloads, world_secret_reloads;
extern struct watch world_watch;
extern struct watch_setup world_setup;

/* watch_init(), and the names www.example.com, w1..: one for each service of the world. */
void world_start(void);

/* The same with these jobs. */
void world_start_jobs(const struct job *jobs, size_t n);

/* One service web, and www.example.com in step with it. */
void world_start_with(const char *instances);

/* A job for this service and name. */
struct job world_job(const char *service, const char *name);

/* The service's instances are others from now on. */
void world_set(const char *service, const char *instances);

/* So are its tags; NULL: the catalog does not list it. */
void world_tag(const char *service, const char *tags);

/* A record, as somebody else would make it. */
void world_add_record(const char *name, const char *content);

/* Turn the loop until that much time is over, or the loop is stopped. */
void world_run(int64_t ms);

/* The contents of a name's records as "192.0.2.1 192.0.2.2", sorted. Until the next call. */
const char *world_records(const char *name);

/* Forget the story so far. */
void world_clear(void);

/* How often a word is in the story. */
size_t world_count(const char *word);

#endif
