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
	assert_string_equal(agent.maintenance, "dnsbuddy%20run%3A%20stopping");
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

/* ---- leaving ---- */

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
		cmocka_unit_test_setup(test_leaving, agent_set_up),
		cmocka_unit_test_setup(test_leaving_before_it_came, agent_set_up),
		cmocka_unit_test_setup(test_leaving_while_it_comes, agent_set_up),
		cmocka_unit_test_setup(test_leaving_while_it_comes_for_too_long, agent_set_up),
		cmocka_unit_test_setup(test_leaving_is_tried_again_for_a_while, agent_set_up),
		cmocka_unit_test_setup(test_another_name, agent_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
