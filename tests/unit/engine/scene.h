/*
 * A scripted world for the engine: what Consul lists, what Cloudflare holds, a clock, and one fault
 * at one call. Answers the calls of a reconcile, and checks at every write what must always hold.
 */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include "engine/reconcile.h"

#define SCENE_MAX 512
#define SCENE_CALLS_MAX 400 /* past this it is said to run for ever */

enum scene_fault {
	SCENE_NO_FAULT,
	SCENE_LOST_BEFORE,  /* the request never arrives */
	SCENE_LOST_AFTER,   /* it is carried out, the answer is lost */
	SCENE_GARBAGE,      /* it is carried out, the answer is no JSON */
	SCENE_DEATH_BEFORE, /* our process dies and is started again */
	SCENE_DEATH_AFTER,
	SCENE_BUSY,    /* 429; see retry_after_sec */
	SCENE_DOWN,    /* 503; see retry_after_sec */
	SCENE_AUTH,    /* 401 */
	SCENE_LIMIT,   /* an answer past a limit */
	SCENE_REFUSED, /* 400, a code nobody knows */
	SCENE_FAULTS
};

struct scene {
	struct job job;
	int64_t retry_for_ms;
	bool is_dry_run;

	/* Consul */
	struct {
		struct target target;
		enum instance_state state;
	} listed[SCENE_MAX];
	size_t listed_n;
	struct evidence evidence; /* of every answer; is_consistent is as asked */
	struct evidence gap;      /* of the first gap_reads consistent ones instead */
	unsigned gap_reads;
	bool is_healed; /* consistent reads find every instance passing */

	/* Cloudflare */
	struct record records[SCENE_MAX];
	size_t records_n;
	bool is_bare;                       /* no other entry of that name proves that the zone is the right one */
	bool is_wrong_zone, is_zone_secret; /* and what a check of it says */
	size_t strays_n;                    /* records in that other zone */
	unsigned next_id;
	const char *bad;     /* a content that no record may have */
	const char *phantom; /* a content that is said to be there, and is not */
	bool refuses_batches;
	bool refuses_singles_of_kind[OP_KINDS];
	const char *late;       /* a record that another hand adds after the first listing */
	const char *stolen;     /* and the id of one it removes */
	unsigned late_after;    /* after this listing instead */
	unsigned refused_lists; /* so many listings find the credentials refused */

	/* the fault */
	unsigned fault_at, fault_n; /* from this call on, so many; from 1 */
	enum scene_fault fault;
	int64_t retry_after_sec; /* with SCENE_BUSY, SCENE_DOWN; -1: not told */
	bool is_not_first;       /* a record of the same process came before: what it learned is known */

	/* what happened */
	int64_t now_ms;
	unsigned calls, lists, writes, starts;
	char story[4096]; /* H V Z L . W[+1.1.1.1/60] S[-a]: see spec.h; . is a wait */
	uint32_t seed;
	struct target_hosts hosts;
};

/*
 * instances  targets with a state letter: "1.1.1.1 2.2.2.2/c", see spec.h; passing if none
 * have       records, see spec.h
 */
void scene_init(struct scene *s, const char *instances, const char *have);

/* Run from the start to the end. The result stays in the returned reconcile until the next run. */
const struct reconcile *scene_run(struct scene *s);

/* The records are the wanted ones, each once, and the foreign ones. */
bool scene_is_right(const struct scene *s);

/* The records as "1.1.1.1 2.2.2.2", sorted. Until the next call. */
const char *scene_records(const struct scene *s);

#endif
