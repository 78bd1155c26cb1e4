#include "core/evidence.h"

static const char *const gap_texts[] = {
	[EVIDENCE_OK] = NULL,
	[EVIDENCE_NO_LEADER] = "Consul has no leader, or does not say so (X-Consul-KnownLeader)",
	[EVIDENCE_STALE] = "Consul's answer is stale (X-Consul-Effective-Consistency)",
	[EVIDENCE_OLD_CONTACT] =
		"the Consul server that answered has lost its leader (X-Consul-LastContact)",
	[EVIDENCE_FILTERED] =
		("ACLs hid part of Consul's answer (X-Consul-Results-Filtered-By-ACLs): the token "
		 "needs service:read and node:read"),
	[EVIDENCE_CACHED] = "Consul's answer comes from a cache (Age, X-Cache)",
	[EVIDENCE_DENIED] =
		("Consul's answer is empty, its ACL policy is deny and no token was sent: one with "
		 "service:read and node:read is needed"),
	[EVIDENCE_UNREAD] = "Consul lists an instance that cannot be read: it may be one to keep",
	[EVIDENCE_NOT_CONSISTENT] = "Consul's answer was not a consistent read",
	[EVIDENCE_READ_FAILED] = "the consistent read of Consul failed",
};
_Static_assert(sizeof gap_texts / sizeof gap_texts[0] == EVIDENCE_GAPS, "a text for each gap");

enum evidence_gap evidence_hidden(const struct evidence *v, bool is_empty)
{
	if (v->is_filtered)
		return EVIDENCE_FILTERED;
	return is_empty && v->is_default_deny && !v->has_token ? EVIDENCE_DENIED : EVIDENCE_OK;
}

enum evidence_gap evidence_assess(const struct evidence *v, bool is_empty)
{
	enum evidence_gap hidden = evidence_hidden(v, is_empty);

	if (!v->has_leader)
		return EVIDENCE_NO_LEADER;
	if (v->is_stale)
		return EVIDENCE_STALE;
	if (v->last_contact_ms > EVIDENCE_LAST_CONTACT_MAX_MS)
		return EVIDENCE_OLD_CONTACT;
	if (hidden)
		return hidden;
	if (v->is_cached)
		return EVIDENCE_CACHED;
	if (v->unread_n)
		return EVIDENCE_UNREAD;
	return v->is_consistent ? EVIDENCE_OK : EVIDENCE_NOT_CONSISTENT;
}

const char *evidence_gap_text(enum evidence_gap gap)
{
	return gap_texts[gap];
}

bool evidence_gap_may_pass(enum evidence_gap gap)
{
	return gap == EVIDENCE_NO_LEADER || gap == EVIDENCE_STALE || gap == EVIDENCE_OLD_CONTACT ||
	       gap == EVIDENCE_READ_FAILED;
}
