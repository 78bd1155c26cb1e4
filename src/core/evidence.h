/*
 * May this answer of Consul remove a record? An empty or short list proves nothing when it may be
 * old, filtered, cached, or not from a leader.
 * https://developer.hashicorp.com/consul/api-docs/features/consistency
 */
#ifndef CORE_EVIDENCE_H
#define CORE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_LAST_CONTACT_MAX_MS 5000

/* What an answer said of itself; all false and 0 when it said nothing. */
struct evidence {
	bool is_consistent;      /* it was asked for with ?consistent */
	bool has_leader;         /* X-Consul-KnownLeader: true */
	bool is_stale;           /* X-Consul-Effective-Consistency: stale */
	bool is_filtered;        /* X-Consul-Results-Filtered-By-ACLs */
	bool is_cached;          /* Age, or X-Cache: HIT: from an agent's or a proxy's cache */
	bool is_default_deny;    /* X-Consul-Default-ACL-Policy: deny */
	bool has_token;          /* a token was sent */
	size_t unread_n;         /* instances of which it cannot be read whether they are well */
	int64_t last_contact_ms; /* X-Consul-LastContact */
};

enum evidence_gap {
	EVIDENCE_OK,
	EVIDENCE_NO_LEADER,
	EVIDENCE_STALE,
	EVIDENCE_OLD_CONTACT,
	EVIDENCE_FILTERED,
	EVIDENCE_CACHED,
	EVIDENCE_DENIED,
	EVIDENCE_UNREAD,
	EVIDENCE_NOT_CONSISTENT,
	EVIDENCE_READ_FAILED, /* there was no answer to assess */
	EVIDENCE_GAPS
};

/*
 * EVIDENCE_OK when the answer may remove, else what is missing.
 *   is_empty  it lists no instance at all
 */
enum evidence_gap evidence_assess(const struct evidence *v, bool is_empty);

/* EVIDENCE_FILTERED or _DENIED when ACLs hid instances, whatever else is missing; else _OK. */
enum evidence_gap evidence_hidden(const struct evidence *v, bool is_empty);

/* The gap in words, for a log; NULL for EVIDENCE_OK. */
const char *evidence_gap_text(enum evidence_gap gap);

/* It may close by itself (an election, a lagging server), unlike a setting or an ACL. */
bool evidence_gap_may_pass(enum evidence_gap gap);

#endif
