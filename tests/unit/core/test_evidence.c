/* The three small pure parts: evidence, states of instances, backoff. */
#include "support.h"

#include "core/evidence.h"
#include "core/instance.h"

#define GOOD .has_leader = true, .is_consistent = true
#define LATE (EVIDENCE_LAST_CONTACT_MAX_MS + 1)

static const struct {
	struct evidence v;
	bool is_empty;
	enum evidence_gap gap;
} cases[] = {
	{{GOOD}, false, EVIDENCE_OK},
	{{GOOD}, true, EVIDENCE_OK},
	{{GOOD, .has_token = true}, true, EVIDENCE_OK},
	{{GOOD, .last_contact_ms = EVIDENCE_LAST_CONTACT_MAX_MS}, false, EVIDENCE_OK},
	{{GOOD, .is_default_deny = true}, false, EVIDENCE_OK},
	{{GOOD, .is_default_deny = true, .has_token = true}, true, EVIDENCE_OK},
	{{0}, false, EVIDENCE_NO_LEADER},
	{{.is_consistent = true}, false, EVIDENCE_NO_LEADER},
	{{GOOD, .is_stale = true}, false, EVIDENCE_STALE},
	{{GOOD, .last_contact_ms = LATE}, false, EVIDENCE_OLD_CONTACT},
	{{GOOD, .last_contact_ms = INT64_MAX}, false, EVIDENCE_OLD_CONTACT},
	{{GOOD, .is_filtered = true}, false, EVIDENCE_FILTERED},
	{{GOOD, .is_filtered = true, .has_token = true}, false, EVIDENCE_FILTERED},
	{{GOOD, .is_cached = true}, false, EVIDENCE_CACHED},
	{{GOOD, .is_default_deny = true}, true, EVIDENCE_DENIED},
	{{GOOD, .unread_n = 1}, false, EVIDENCE_UNREAD},
	{{.has_leader = true, .unread_n = 1}, false, EVIDENCE_UNREAD},
	{{GOOD, .unread_n = 1, .is_cached = true}, false, EVIDENCE_CACHED},
	{{.has_leader = true}, false, EVIDENCE_NOT_CONSISTENT},
	/* several at once: the worst is told */
	{{.is_stale = true, .is_filtered = true, .is_cached = true}, true, EVIDENCE_NO_LEADER},
	{{.has_leader = true, .is_stale = true, .last_contact_ms = LATE}, false, EVIDENCE_STALE},
	{{.has_leader = true, .last_contact_ms = LATE, .is_filtered = true}, false, EVIDENCE_OLD_CONTACT},
	{{.has_leader = true, .is_filtered = true, .is_cached = true}, false, EVIDENCE_FILTERED},
	{{.has_leader = true, .is_cached = true, .is_default_deny = true}, true, EVIDENCE_DENIED},
	{{.has_leader = true, .is_default_deny = true}, true, EVIDENCE_DENIED},
};

static void test_assess(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum evidence_gap gap = evidence_assess(&cases[i].v, cases[i].is_empty);

		CHECK(gap == cases[i].gap, "case %zu: %d", i, gap);
	}
}

/* What ACLs hid is known of any answer; and the reader is told what the token lacks. */
static void test_hidden(void **state)
{
	const struct evidence filtered = {.is_filtered = true, .is_stale = true}, deny = {.is_default_deny = true},
			      token = {.is_default_deny = true, .has_token = true};

	(void)state;
	assert_int_equal(evidence_hidden(&filtered, false), EVIDENCE_FILTERED);
	assert_int_equal(evidence_hidden(&filtered, true), EVIDENCE_FILTERED);
	assert_int_equal(evidence_hidden(&deny, true), EVIDENCE_DENIED);
	assert_int_equal(evidence_hidden(&deny, false), EVIDENCE_OK);
	assert_int_equal(evidence_hidden(&token, true), EVIDENCE_OK);
	for (int gap = EVIDENCE_FILTERED; gap != EVIDENCE_OK; gap = gap == EVIDENCE_FILTERED ? EVIDENCE_DENIED : EVIDENCE_OK) {
		assert_non_null(strstr(evidence_gap_text((enum evidence_gap)gap), "service:read"));
		assert_non_null(strstr(evidence_gap_text((enum evidence_gap)gap), "node:read"));
	}
}

static void test_gaps(void **state)
{
	(void)state;
	assert_null(evidence_gap_text(EVIDENCE_OK));
	for (int gap = EVIDENCE_OK + 1; gap < EVIDENCE_GAPS; gap++) {
		bool passes = gap == EVIDENCE_NO_LEADER || gap == EVIDENCE_STALE || gap == EVIDENCE_OLD_CONTACT ||
			      gap == EVIDENCE_READ_FAILED;

		assert_non_null(evidence_gap_text((enum evidence_gap)gap));
		assert_int_equal(evidence_gap_may_pass((enum evidence_gap)gap), passes);
	}
	assert_false(evidence_gap_may_pass(EVIDENCE_OK));
}

static void test_states(void **state)
{
	static const struct {
		const char *id, *status;
		enum instance_state state;
	} checks[] = {
		{"serfHealth", "passing", INSTANCE_PASSING},
		{"service:nginx", "warning", INSTANCE_WARNING},
		{"service:nginx", "critical", INSTANCE_CRITICAL},
		{"service:nginx", "", INSTANCE_CRITICAL},
		{"service:nginx", "Passing", INSTANCE_CRITICAL},
		{"service:nginx", "maintenance", INSTANCE_CRITICAL},
		{"", "passing", INSTANCE_PASSING},
		{"_node_maintenance", "critical", INSTANCE_MAINTENANCE},
		{"_node_maintenance", "passing", INSTANCE_MAINTENANCE},
		{"_service_maintenance:nginx-1", "critical", INSTANCE_MAINTENANCE},
		{"_service_maintenance:", "critical", INSTANCE_MAINTENANCE},
		{"_service_maintenance", "critical", INSTANCE_CRITICAL},
		{"_node_maintenance:x", "critical", INSTANCE_CRITICAL},
		{"x_node_maintenance", "passing", INSTANCE_PASSING},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		CHECK(instance_check_state(checks[i].id, checks[i].status) == checks[i].state, "%s %s", checks[i].id,
		      checks[i].status);
}

static void test_order(void **state)
{
	static const enum instance_state worst_first[] = {INSTANCE_MAINTENANCE, INSTANCE_VANISHED, INSTANCE_CRITICAL,
							  INSTANCE_WARNING, INSTANCE_PASSING};

	(void)state;
	assert_int_equal(COUNT(worst_first), INSTANCE_STATES);
	for (int a = 0; a < INSTANCE_STATES; a++) {
		assert_int_equal(instance_by_rank(a), worst_first[a]);
		for (int b = 0; b < INSTANCE_STATES; b++) {
			int order = instance_compare(worst_first[a], worst_first[b]);

			assert_true(a < b ? order < 0 : a > b ? order > 0 : order == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_assess), cmocka_unit_test(test_hidden), cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_states), cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
