/*
 * What is wanted of one name, by what Consul lists, and what is there, by what Cloudflare listed
 * and what was written since: with what Consul says of each record's target, and with the records
 * that are only there for the time of their grace.
 */
#ifndef ENGINE_OBSERVE_H
#define ENGINE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloudflare/records.h"
#include "consul/health.h"
#include "core/job.h"
#include "core/op.h"

struct leaving {
	struct target target;
	int64_t since_ms;
};

/* Scratch of the caller's, which several use one after another: nothing stays in it. */
struct observe_storage {
	struct consul_view view; /* where Consul's answer is read into */
	struct endpoint listed[CONSUL_INSTANCES_MAX];
	struct target want[CONSUL_INSTANCES_MAX + 1 + RECORDS_MAX];
	struct target_hosts fallback; /* of want, when it is the fallback */
};

struct observe {
	const struct job *job;
	struct observe_storage *storage;
	bool has_grace; /* an unwanted record stays for the job's grace, maintenance apart */

	bool is_zone_known;       /* there was an entry of the name in it, or it was asked */
	bool has_list;            /* list is what the API said last, and what was written since */
	bool is_on_fallback;      /* no instance is wanted, but the fallback in their place */
	enum evidence_gap hidden; /* instances that ACLs hid; else EVIDENCE_OK */
	unsigned types;           /* RECORD_BITs: of these the service has targets now */
	size_t want_n;            /* by the last answer */
	int64_t linger_ms;        /* when the next record's grace is over; CLOCK_NEVER */
	struct cf_name list;      /* where Cloudflare's answer is read into */
	/* Of Consul's last good answer, with the host names beside addresses. */
	struct instance_counts count;
};

/* Prepare. job, have (RECORDS_MAX records) and hosts are used as long as o is. */
void observe_init(struct observe *o, const struct job *job, struct record *have,
		  struct target_hosts *hosts, bool has_grace);

/*
 * v, a good answer of Consul, sorted, says what is wanted: storage->want[0..want_n), sorted, each
 * once, whose host names are v's. Beside addresses a host name is not wanted: a name has one CNAME
 * and nothing beside it.
 */
void observe_answer(struct observe *o, const struct consul_view *v);

/*
 * A listing of the name begins: it overwrites what is remembered of the records. Who is leaving,
 * and since when, is put into leaving, as far as there is room: returns how many. Or it has ended
 * well.
 */
size_t observe_begin_list(struct observe *o, struct leaving *leaving, size_t cap);
void observe_end_list(struct observe *o, const struct leaving *leaving, size_t n);

/* Note at each record what v says of its target, and whether that makes it ours. */
void observe_states(struct observe *o, const struct consul_view *v);

/*
 * Behind what is wanted put what was, for the time of the grace: then storage->want is what the
 * plan shall lead to. Returns how many; sets linger_ms. Once for each answer. Registrars'
 * re-registration takes an instance away for 50 ms to 6 s. Maintenance is no blip: it asked to go.
 */
size_t observe_targets(struct observe *o, int64_t now_ms);

/*
 * Keep what is remembered of the records in step with an op that was carried out. The plan may
 * still point to them: one that is deleted only loses its id here.
 */
void observe_written(struct observe *o, const struct op *op);

/*
 * The zone's id was given, and nothing has shown yet that it is the right one: in another zone a
 * new record's name would be put in front of that zone's.
 */
bool observe_doubts_zone(const struct observe *o);

/* Close the gaps that deleted records left; no plan may point to the records. */
void observe_forget_deleted(struct observe *o);

#endif
