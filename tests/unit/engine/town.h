/*
 * Many names side by side in one round: a Consul with their services, a Cloudflare with a few zones
 * and transactions, a clock. At every write what must always hold is checked, for each name. Static:
 * one per program.
 */
#ifndef TEST_TOWN_H
#define TEST_TOWN_H

#include "engine/round.h"

#define TOWN_NAMES 1024
#define TOWN_INSTANCES 16 /* of a service */
#define TOWN_HAVE 64      /* records of a name */
#define TOWN_RECORDS 4096
#define TOWN_ZONES 4
#define TOWN_STORY 16384

struct town_record {
	size_t zone;
	char name[64], id[RECORD_ID_CAP], content[64];
	uint32_t ttl;
	bool is_marked;
	char owner[16]; /* with the mark; "": none */
};

/* What becomes of a call. */
enum town_fault { TOWN_FINE, TOWN_LOST_BEFORE, TOWN_LOST_AFTER };

extern struct town_name {
	struct job job;
	size_t service;
	bool is_busy;
	bool is_bad;     /* no new record of it is taken */
	bool is_odd;     /* a listing of the whole zone does not tell its records */
	bool is_ill;     /* nor does one of its own */
	bool is_poison;  /* a write that has something of it is answered 500, and nothing of it is done */
	unsigned ends_n; /* passes that came to their end */
	/* In calls, from 1: when its pass began, its records were listed, Consul was read for it. */
	unsigned begun_at, listed_at, verified_at;
	struct reconcile r;
	struct reconcile_seldom seldom;
	struct record have[TOWN_HAVE];
	struct consul_view own_view; /* sync's */
	struct endpoint own_listed[TOWN_INSTANCES];
	struct consul_view known; /* what Consul said when it was read for it last */
	struct endpoint known_listed[TOWN_INSTANCES];
} town_names[TOWN_NAMES];

extern struct town {
	size_t names_n;
	struct zone_table zones;
	struct round round;
	struct reconcile_storage storage;
	int64_t now_ms;
	int64_t latency_ms[CALL_END];
	uint32_t random, seed;

	/* Consul */
	bool has_no_leader;

	/* Cloudflare */
	struct {
		char id[RECORD_ID_CAP];
		const char *name;
		bool is_away;
		size_t others_n; /* entries of names that nobody here keeps */
		bool is_torn;    /* a listing of several pages fails */
		size_t quota;    /* so many records there may be; 0: as many as there are */
	} api[TOWN_ZONES];
	size_t unseen_zones_n; /* zones of the account on further pages */
	size_t per_page;       /* records that a page of a listing has */
	struct town_record records[TOWN_RECORDS];
	size_t records_n;
	unsigned next_id;
	bool goes_astray; /* what is created is made in another zone */
	size_t strays_n;

	/* Asked at each call. */
	enum town_fault (*fault)(const struct call *c, struct err *e);

	/*
	 * What happened, a word a call: H or V and how many asked, Z, C, L and how many names (the whole
	 * zone) or l (one name), W or S and +created ~updated -deleted /parts, "." a wait; ! when it
	 * failed.
	 */
	char story[TOWN_STORY];
	unsigned calls, healths, verifies, searches, lists, writes, refused_n;
} town;

/* A new town of n names n000.example.com... of services s0..., one each, without instances. */
void town_init(size_t n);

/* The instances of a service, passing unless "/c" (critical), "/m" (maintenance) follows. */
void town_set(size_t service, const char *instances);

/* A record of the i-th name, with the mark that the name's job makes. */
void town_add_record(size_t i, const char *content);

/* The service lists 10.x.y.1 of that name's number; and the record is there. */
void town_want(size_t i);
void town_have(size_t i);

/* For a test's set-up: a town without names. */
int town_set_up(void **state);

/* The same of all names; and with a second record each, which is to go. */
void town_want_all(void);
void town_have_all(void);
void town_surplus_all(void);

/* Every pass has ended well, and all records are right. */
void town_check_all_done(void);

/* Begin a pass as watch does, or all passes; or a run as sync does. */
void town_begin(size_t i, bool is_resync);
void town_begin_all(bool is_resync);
void town_begin_sync(size_t i, int64_t give_up_ms);

/* The next call; false: there is none. All calls. */
bool town_step(void);
void town_run(void);

void town_clear_story(void);

/* The name's records are those that are wanted, each once, and those of others. */
bool town_is_right(size_t i);
size_t town_count_right(void);
size_t town_count_records(size_t i);

/* For its own parts: what the API answers; what Consul lists; in which zone the name lies. */
int town_answer_zone(struct cf_zone_search *z, struct err *e);
int town_answer_list(struct cf_listing *l, struct err *e);
int town_answer_write(struct cf_write *w, struct err *e);
const struct consul_view *town_view(size_t service);
size_t town_zone_of(const char *name);

#endif
