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

/* Scratch of the caller's, for one pass. */
struct observe_storage {
	struct consul_view view; /* where Consul's answer is read into */
	struct endpoint listed[CONSUL_INSTANCES_MAX];
	struct target want[CONSUL_INSTANCES_MAX + 1]; /* sorted, each once */
	struct target targets[CONSUL_INSTANCES_MAX + 1 + RECORDS_MAX];
	struct target_hosts hosts; /* of want */
	struct leaving leaving[RECORDS_MAX];
	size_t leaving_n;
};

struct observe {
	const struct job *job;
	struct observe_storage *storage;
	bool has_grace; /* an unwanted record stays for the job's grace, maintenance apart */

	bool is_zone_known;  /* there was an entry of the name in it, or it was asked */
	bool has_list;       /* list is what the API said last, and what was written since */
	size_t want_n;       /* in storage->want */
	unsigned types;      /* RECORD_BITs: of these the service has targets now */
	bool is_on_fallback; /* no instance is wanted, but the fallback in their place */
	int64_t linger_ms;   /* when the next record's grace is over; CLOCK_NEVER */

	/* Of Consul's last good answer: the next one overwrites the view even when it fails. */
	struct instance_counts count; /* with the host names beside addresses */
	enum evidence_gap hidden;     /* instances that ACLs hid; else EVIDENCE_OK */

	/* Where Cloudflare's answer is read into. */
	struct cf_name list;
	struct cf_name *names[1];
	struct cf_listing listing;
	struct target_hosts hosts;
};

/* Prepare. job and have, RECORDS_MAX records, are used as long as o is. */
void observe_init(struct observe *o, const struct job *job, struct record *have, bool has_grace);

/* Use this scratch from now on; nothing of the one before is needed any more. */
void observe_lend(struct observe *o, struct observe_storage *storage);

/*
 * A good answer of Consul is in the storage's view: it is sorted, and says what is wanted. Beside
 * addresses a host name is not: a name has one CNAME and nothing beside it.
 */
void observe_answer(struct observe *o);

/*
 * A listing begins, or has ended well. It overwrites what is remembered of the records, but for who
 * is leaving, and since when.
 */
void observe_begin_list(struct observe *o, const char *zone_id);
void observe_end_list(struct observe *o);

/* Note at each record what Consul says of its target, and whether that makes it ours. */
void observe_states(struct observe *o);

/*
 * Fill storage->targets with what the plan shall lead to: what is wanted, and for the time of the
 * grace what was. Returns how many; sets linger_ms. Registrars' re-registration takes an instance
 * away for 50 ms to 6 s. Maintenance is no blip: it asked to go.
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
