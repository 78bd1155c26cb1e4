/*
 * Bring the records of one name in step with one service: observe, decide, apply. Does no I/O
 * and knows no clock: it says which call comes next and is given its outcome, so that one loop can
 * drive many of them and a test can script every answer. What must always hold (src/README.md)
 * holds at every call, whatever the answers are. engine/round.h makes one call of what several
 * names of a zone want.
 *
 * Used in two ways. Once, by sync: reconcile_init(), then calls until STEP_END; it reads Consul
 * itself and tries again by itself. Again and again, by watch: reconcile_init_watch(), then for
 * each pass reconcile_begin() and calls until STEP_END; it is given what Consul lists, remembers
 * the records in between, and says when it wants the next pass.
 */
#ifndef ENGINE_RECONCILE_H
#define ENGINE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cloudflare/writes.h"
#include "core/evidence.h"
#include "core/job.h"
#include "core/pace.h"
#include "core/plan.h"
#include "engine/apply.h"
#include "engine/observe.h"
#include "engine/zone_table.h"

#define RECONCILE_READ_MS 2000 /* so old may be what Consul said when a write begins */
#define RECONCILE_ROOM ((size_t)8 * 1024 * 1024)

enum reconcile_result {
	RECONCILE_DONE,  /* the records are what is wanted */
	RECONCILE_HELD,  /* but for removals that a safety rule holds back */
	RECONCILE_FAILED /* err says how */
};

/* Whose credentials. */
enum reconcile_side { SIDE_CONSUL, SIDE_CLOUDFLARE, SIDES };

/*
 * Scratch of the caller's, for passes one after another or side by side. All 0 at first, but for
 * zones. Pages that are not used cost no memory.
 */
struct reconcile_storage {
	struct observe_storage observe;
	struct op ops[PLAN_OPS_MAX];

	/* These go on from one pass to the next. */
	struct pace_trust trust[SIDES];
	struct zone_table *zones; /* set by the caller, who may share it among several storages */

	/* What passes keep from one of their calls to the next: until reconcile_forget_all(). */
	size_t room_used;
	_Alignas(16) char room[RECONCILE_ROOM];
};

/* What only some names need, on pages of its own. */
struct reconcile_seldom {
	struct err err;     /* with RECONCILE_FAILED: how */
	struct err gap_err; /* with EVIDENCE_READ_FAILED: how */
	struct err refusal;
	struct target_hosts hosts;
};

/* What is one name's own, from one pass to the next: the caller's. */
struct reconcile_own {
	struct record *have; /* RECORDS_MAX of them */
	struct reconcile_seldom *seldom;
	struct consul_view *view; /* without watch: where Consul's answer is kept */
};

/* What it was given. */
struct reconcile_input {
	const struct job *job;
	struct reconcile_storage *storage;
	const struct consul_view *view; /* what Consul lists, sorted: the caller's */
	struct consul_view *own_view;   /* without watch: it is read into this, the same */
	bool is_watch;
	bool is_dry_run;    /* plan only: no STEP_WRITE ever */
	int64_t give_up_ms; /* no new try after this */
};

/* What came of it, for whoever runs or shows it. Final at STEP_END. */
struct reconcile_output {
	enum reconcile_result result; /* of the last pass that came to its end */
	enum evidence_gap gap;        /* why nothing may be removed */
	int64_t wake_ms;              /* of the next try; see reconcile_begin() */
	size_t done_n[OP_KINDS];      /* what was written, over all tries */
	struct plan plan;             /* its ops are in the storage's room */
	struct err *err;              /* struct reconcile_seldom has them */
	struct err *gap_err;
};

/* What it wants next. */
enum reconcile_step {
	STEP_HEALTH, /* read Consul: query */
	STEP_ZONE,   /* search the zone that holds the name, or has the job's */
	STEP_CHECK,  /* does the zone hold the name? */
	STEP_LIST,   /* list the records of the name: seen.list */
	STEP_VERIFY, /* the consistent read before anything is removed: query */
	STEP_WRITE,  /* carry out what reconcile_fill() says */
	STEP_WAIT,   /* until out.wake_ms */
	STEP_END
};

struct reconcile {
	/* Its own. The small ones first: near the beginning code is shorter. */
	enum reconcile_step step;
	bool is_asked; /* round.h's: a call under way is for it... */
	bool is_zone_wrong;
	bool is_resync;    /* listed anew for no reason but time: a change is drift */
	bool is_suspect;   /* what it wrote was refused: its batches are its own until it is done */
	bool lists_alone;  /* a listing of the whole zone did not tell its records */
	bool wants_room;   /* its last try failed because the zone is full */
	size_t part_i;     /* ...and this part of a write */
	unsigned tries;    /* failed ones */
	int64_t read_ms;   /* when Consul answered last */
	struct zone *zone; /* NULL: not known */
	void *owner;       /* whoever has it finds himself here */
	struct consul_query query;

	struct reconcile_input in;
	struct reconcile_output out;

	struct apply apply;
	/* Who is leaving, while the records are listed: in the room. */
	struct leaving *leaving;
	size_t leaving_n;
	/* The plan's part of the room. */
	char *room;
	size_t room_cap;
	/* What is wanted and what is there; read only for others. */
	struct observe seen;
};

/* How a call went. */
struct outcome {
	int rc; /* 0: its answer is in place; -1: e says why not */
	const struct err *e;
	const struct cf_reply *reply;       /* of the API; NULL: it was not asked */
	const struct cf_zone_search *zones; /* STEP_ZONE, STEP_CHECK */
	const struct cf_part *parts;        /* STEP_WRITE: part_i of them was this name's */
	bool is_isolated;                   /* STEP_WRITE: found among others that were refused */
	bool has_other;                     /* STEP_WRITE: as in struct cf_write */
	int64_t now_ms;                     /* the monotonic clock */
	uint32_t random;                    /* for jitter */
};

/*
 * Start. What is pointed to, by own too, is used until STEP_END.
 *   give_up_ms  on the monotonic clock; now or earlier: one try only
 */
void reconcile_init(struct reconcile *r, const struct job *job, struct reconcile_storage *storage,
		    const struct reconcile_own *own, bool is_dry_run, int64_t give_up_ms);

/* Prepare for many passes. What is pointed to, by own too, is used as long as r is. */
void reconcile_init_watch(struct reconcile *r, const struct job *job,
			  const struct reconcile_own *own);

/*
 * Start a pass: what does this mean for the records? When nothing has to be called, STEP_END comes
 * at once.
 *   storage  used until STEP_END
 *   listed   what Consul lists, sorted; looked at until STEP_END: it may be another by then
 *   resync   list the records anew, whatever is remembered
 * After STEP_END: out.result; seen.linger_ms; and after RECONCILE_FAILED, or when evidence may come
 * by itself, out.wake_ms, when to start the next pass (CLOCK_NEVER otherwise).
 */
void reconcile_begin(struct reconcile *r, struct reconcile_storage *storage,
		     const struct consul_view *listed, bool resync, int64_t now_ms,
		     uint32_t random);

/* What is remembered counts no more; a pass under way is called off. */
void reconcile_cancel(struct reconcile *r);

/* No pass is under way that has this storage: what passes kept in it is given up. */
void reconcile_forget_all(struct reconcile_storage *storage);

/*
 * To be called before a call is begun: when what Consul said has grown old (the API was slow, or
 * not to be asked for a while), it is read again before a write.
 */
void reconcile_refresh(struct reconcile *r, int64_t now_ms);

/* STEP_ZONE: perhaps what others have found by now tells it. */
void reconcile_look_up(struct reconcile *r);

/* STEP_LIST: the listing begins. */
void reconcile_begin_list(struct reconcile *r);

/* STEP_WRITE: what is to be written, at most cap ops, picked has room for. */
void reconcile_fill(struct reconcile *r, struct cf_part *part, struct op **picked, size_t cap);

/* STEP_WRITE: it is not to be written together with others'; it only deletes. */
bool reconcile_writes_alone(const struct reconcile *r);
bool reconcile_only_deletes(const struct reconcile *r);

/* How the call went that its step asked for. */
void reconcile_take(struct reconcile *r, const struct outcome *o);

/* STEP_WRITE: the records are not what was listed, as an answer to others, too, has said. */
void reconcile_list_again(struct reconcile *r);

/* STEP_WRITE: o->e is why it is not even tried. */
void reconcile_give_up(struct reconcile *r, const struct outcome *o);

/* "": it is not known. */
const char *reconcile_zone_id(const struct reconcile *r);

#endif
