/* engine/registration: maintenance, and leaving. */
#include "support.h"

#include "engine/agent.h"

/* ---- maintenance ---- */

static void test_maintenance(void **state)
{
	(void)state;
	agent_start();
	registration_maintain(&agent_registration, true, REGISTRATION_REASON ": stopping");
	assert_false(registration_is_settled(&agent_registration));
	agent_run(0);
	assert_true(registration_is_settled(&agent_registration));
	assert_string_equal(agent.maintenance, "dnsbuddy run: stopping");
	assert_string_equal(agent.story, "maintain");
	agent_run(60000);
	assert_non_null(strstr(agent.story, "report"));
	registration_maintain(&agent_registration, false, "");
	assert_false(registration_is_settled(&agent_registration));
	agent_run(0);
	assert_true(registration_is_settled(&agent_registration));
	assert_string_equal(agent.seen, "passing maintenance passing");
}

/* It was passing for nobody in between. */
static void test_maintenance_is_forgotten(void **state)
{
	(void)state;
	agent_start();
	registration_maintain(&agent_registration, true, REGISTRATION_REASON);
	agent_run(1000);
	agent_forget();
	agent_run(20000);
	assert_string_equal(agent.seen, "gone critical maintenance");
	registration_maintain(&agent_registration, false, "");
	agent_run(0);
	assert_string_equal(agent.status, "passing");
}

static void test_maintenance_stays_with_another_address(void **state)
{
	(void)state;
	agent_start();
	registration_maintain(&agent_registration, true, REGISTRATION_REASON);
	agent_run(1000);
	agent_clear();
	registration_describe(&agent_registration, &agent_web);
	agent_run(10000);
	assert_string_equal(agent.seen, "maintenance");
	assert_null(strstr(agent.story, "maintain"));
}

static void test_nothing_to_settle(void **state)
{
	(void)state;
	registration_wait(&agent_registration, AGENT_START_MS + 1000);
	registration_maintain(&agent_registration, true, REGISTRATION_REASON);
	assert_true(registration_is_settled(&agent_registration));
	agent.hangs = true;
	agent_run(1000);
	assert_false(registration_is_settled(&agent_registration)); /* the call under way may have registered us */
}

/* What a former life left: its reason says whose it is. */
static const struct {
	const char *reason, *seen;
} leftovers[] = {
	{"dnsbuddy run: stopping", "maintenance passing"},
	{"dnsbuddy drain", "maintenance"},
	{"Maintenance mode is enabled for this service, but no reason was provided.", "maintenance"},
};

static void test_leftovers(void **state)
{
	for (size_t i = 0; i < COUNT(leftovers); i++) {
		(void)agent_set_up(state);
		agent.has_service = agent.has_check = true;
		(void)strcpy(agent.status, "critical");
		(void)strcpy(agent.maintenance, leftovers[i].reason);
		agent_run(60000);
		CHECK(strcmp(agent.seen, leftovers[i].seen) == 0, "%s: %s", leftovers[i].reason, agent.seen);
		assert_string_equal(agent.status, "passing");
	}
}

/* What somebody else set goes with us, until they take it off. */
static void test_somebody_elses_is_kept(void **state)
{
	(void)state;
	agent_start();
	(void)strcpy(agent.maintenance, "the operator's");
	agent_run(60000);
	assert_null(strstr(agent.story, "maintain"));
	agent_forget();
	agent_run(60000);
	assert_string_equal(agent.seen, "gone critical maintenance");
	assert_string_equal(agent.maintenance, "the operator's");
	/* Ours comes and goes beside it. */
	agent_clear();
	registration_maintain(&agent_registration, true, REGISTRATION_REASON);
	assert_true(registration_is_settled(&agent_registration));
	agent_run(60000);
	registration_maintain(&agent_registration, false, "");
	agent_run(60000);
	assert_string_equal(agent.seen, "maintenance");
	agent.maintenance[0] = '\0';
	agent_clear();
	agent_run(60000);
	assert_null(strstr(agent.story, "resume"));
	agent_forget();
	agent_run(60000);
	assert_string_equal(agent.seen, "gone passing");
}

/* A look that is refused tells nothing of it. */
static void test_what_is_kept_is_not_lost_by_a_refusal(void **state)
{
	(void)state;
	agent_start();
	(void)strcpy(agent.maintenance, "the operator's");
	agent_run(60000);
	agent_registration.is_to_be_found = true;
	agent.refuses = 403;
	agent_clear();
	agent_run(0);
	assert_string_equal(agent.story, "no");
	assert_string_equal(agent_registration.kept, "the operator's");
}

/* Who leaves does not wait for what is news besides. */
static void test_maintenance_goes_first(void **state)
{
	(void)state;
	agent_start();
	registration_maintain(&agent_registration, true, REGISTRATION_REASON);
	registration_describe(&agent_registration, &(struct consul_service){.address = "192.0.2.9"});
	agent_run(0);
	assert_memory_equal(agent.story, "maintain register", 17);
	assert_string_equal(agent.seen, "passing maintenance");
}

static void test_which_call_it_was(void **state)
{
	(void)state;
	agent_start();
	agent.refuses = 403;
	registration_maintain(&agent_registration, true, REGISTRATION_REASON);
	agent_run(5000);
	assert_memory_equal(agent_registration.last_err.text, "consul: maintenance of web-", 27);
	registration_maintain(&agent_registration, false, "");
	agent_run(60000);
	assert_memory_equal(agent_registration.last_err.text, "consul: report of web-", 22);
}

/* ---- leaving ---- */

static const struct {
	int refuses;
	bool is_away, has_left;
} ends[] = {{0, false, true}, {404, false, true}, {403, false, false}, {500, false, false}, {0, true, false}};

static void test_left_or_not(void **state)
{
	for (size_t i = 0; i < COUNT(ends); i++) {
		(void)agent_set_up(state);
		agent_start();
		agent.refuses = ends[i].refuses;
		agent.is_away = ends[i].is_away;
		registration_rename(&agent_registration, "", agent_now_ms);
		agent_run(1000);
		assert_true(registration_is_over(&agent_registration));
		assert_int_equal(agent_events[REGISTRATION_LEFT], ends[i].has_left);
		assert_int_equal(agent_events[REGISTRATION_NOT_LEFT], !ends[i].has_left);
		CHECK(ends[i].has_left || strstr(agent_registration.last_err.text, "consul: deregister web-"), "%zu: %s", i,
		      agent_registration.last_err.text);
	}
}

/* Nobody can know of us: nothing is asked, nothing is waited for. */
static void test_never_heard_of(void **state)
{
	for (int is_away = 0; is_away <= 1; is_away++) {
		(void)agent_set_up(state);
		agent.is_away = is_away;
		agent.refuses = 403;
		agent_run(60000);
		agent_clear();
		registration_maintain(&agent_registration, true, REGISTRATION_REASON);
		assert_true(registration_is_settled(&agent_registration));
		registration_rename(&agent_registration, "", agent_now_ms);
		assert_true(registration_is_over(&agent_registration));
		agent_run(1000);
		assert_string_equal(agent.story, "");
	}
}

/* It was heard of before it was refused. */
static void test_refused_later(void **state)
{
	(void)state;
	agent_start();
	agent_forget();
	agent_run(5000);
	agent.refuses = 403;
	registration_describe(&agent_registration, &(struct consul_service){.address = "192.0.2.9"});
	agent_run(5000);
	registration_rename(&agent_registration, "", agent_now_ms);
	assert_false(registration_is_over(&agent_registration));
}

static void test_leaving(void **state)
{
	(void)state;
	agent_start();
	registration_rename(&agent_registration, "", agent_now_ms);
	assert_false(registration_is_over(&agent_registration));
	agent_run(0);
	assert_true(registration_is_over(&agent_registration));
	assert_false(agent.has_service);
	assert_int_equal(agent_events[REGISTRATION_LEFT], 1);
}

static void test_leaving_before_it_came(void **state)
{
	(void)state;
	registration_wait(&agent_registration, AGENT_START_MS + 1000);
	registration_rename(&agent_registration, "", agent_now_ms);
	assert_true(registration_is_over(&agent_registration));
	agent_run(5000);
	assert_string_equal(agent.story, "");
}

static void test_leaving_while_it_comes(void **state)
{
	(void)state;
	agent.hangs = true;
	agent_run(10);
	registration_rename(&agent_registration, "", agent_now_ms);
	assert_false(registration_is_over(&agent_registration));
	agent.hangs = false;
	agent_run(0);
	assert_string_equal(agent.story, "register leave");
	assert_false(agent.has_service);
	assert_true(registration_is_over(&agent_registration));
}

static void test_leaving_while_it_comes_for_too_long(void **state)
{
	(void)state;
	agent.hangs = true;
	agent_run(10);
	registration_rename(&agent_registration, "", agent_now_ms);
	agent_run(REGISTRATION_FINISH_MS - 1);
	assert_true(agent.is_busy);
	agent_run(1);
	agent.hangs = false;
	agent_run(0);
	assert_string_equal(agent.story, "leave");
	assert_true(registration_is_over(&agent_registration));
}

static void test_leaving_is_tried_again_for_a_while(void **state)
{
	(void)state;
	agent_start();
	agent.is_away = true;
	registration_rename(&agent_registration, "", agent_now_ms);
	agent_run(REGISTRATION_LEAVE_MS - 1);
	assert_false(registration_is_over(&agent_registration));
	agent.is_away = false;
	agent_run(1);
	assert_true(registration_is_over(&agent_registration));
	assert_false(agent.has_service);
	/* But not for ever. */
	(void)agent_set_up(state);
	agent_start();
	agent.is_away = true;
	registration_rename(&agent_registration, "", agent_now_ms);
	agent_run(1000);
	assert_true(registration_is_over(&agent_registration));
}

static void test_another_name(void **state)
{
	(void)state;
	agent_start();
	registration_rename(&agent_registration, "api", agent_now_ms);
	agent_run(0);
	assert_non_null(strstr(agent.description, "\"Name\":\"api\""));
	assert_memory_equal(agent_registration.id, "api-", 4);
	assert_memory_equal(agent.story, "leave register", 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_maintenance, agent_set_up),
		cmocka_unit_test_setup(test_maintenance_is_forgotten, agent_set_up),
		cmocka_unit_test_setup(test_maintenance_stays_with_another_address, agent_set_up),
		cmocka_unit_test_setup(test_nothing_to_settle, agent_set_up),
		cmocka_unit_test_setup(test_leftovers, agent_set_up),
		cmocka_unit_test_setup(test_somebody_elses_is_kept, agent_set_up),
		cmocka_unit_test_setup(test_what_is_kept_is_not_lost_by_a_refusal, agent_set_up),
		cmocka_unit_test_setup(test_maintenance_goes_first, agent_set_up),
		cmocka_unit_test_setup(test_which_call_it_was, agent_set_up),
		cmocka_unit_test_setup(test_left_or_not, agent_set_up),
		cmocka_unit_test_setup(test_never_heard_of, agent_set_up),
		cmocka_unit_test_setup(test_refused_later, agent_set_up),
		cmocka_unit_test_setup(test_leaving, agent_set_up),
		cmocka_unit_test_setup(test_leaving_before_it_came, agent_set_up),
		cmocka_unit_test_setup(test_leaving_while_it_comes, agent_set_up),
		cmocka_unit_test_setup(test_leaving_while_it_comes_for_too_long, agent_set_up),
		cmocka_unit_test_setup(test_leaving_is_tried_again_for_a_while, agent_set_up),
		cmocka_unit_test_setup(test_another_name, agent_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
