/* engine/registration: being there, whatever Consul does: which call comes when. */
#include "support.h"

#include <unistd.h>

#include "engine/agent.h"

/* ---- being there ---- */

static void test_one_call(void **state)
{
	char want[1024];

	(void)state;
	agent_run(0);
	(void)snprintf(want, sizeof want,
		       "{\"ID\":\"%s\",\"Name\":\"web\",\"Address\":\"192.0.2.1\",\"Port\":80,\"Tags\":[\"a\",\"b\\\"c\"],"
		       "\"Meta\":{\"k\":\"v\",\"l\":\"w\"},\"Check\":{\"TTL\":\"25s\",\"Status\":\"passing\"}}",
		       agent_registration.id);
	assert_string_equal(agent.description, want);
	assert_string_equal(agent.story, "register report find look");
	assert_string_equal(agent.seen, "passing");
	assert_string_equal(agent.output, "fine");
	assert_int_equal(agent_events[REGISTRATION_DONE], 1);
}

static void test_the_id_is_of_the_host(void **state)
{
	char host[65] = "", want[80];

	(void)state;
	(void)gethostname(host, sizeof host - 1);
	(void)snprintf(want, sizeof want, "web-%s", host);
	assert_string_equal(agent_registration.id, want);
	registration_init(&agent_registration, "web", REGISTRATION_ID_LOT, 10000);
	assert_memory_equal(agent_registration.id, want, strlen(want));
	assert_int_equal(strlen(agent_registration.id), strlen(want) + 9);
}

static void test_critical_until_it_is_well(void **state)
{
	(void)state;
	registration_set(&agent_registration, false, "connection refused");
	agent_run(300);
	assert_string_equal(agent.seen, "critical");
	registration_set(&agent_registration, true, "fine");
	agent_run(0);
	assert_string_equal(agent.seen, "critical passing");
	assert_string_equal(agent.output, "fine");
}

static void test_it_waits_for_a_first_result(void **state)
{
	(void)state;
	registration_wait(&agent_registration, AGENT_START_MS + 1000);
	agent_run(999);
	assert_string_equal(agent.story, "");
	registration_wait(&agent_registration, agent_now_ms);
	agent_run(0);
	assert_true(agent.has_service);
}

/* An hour at rest: a report each 10 s and a look after each five. */
static void test_an_hour(void **state)
{
	size_t reports = 0, looks = 0;

	(void)state;
	agent_start();
	for (int i = 0; i < 60; i++) {
		agent_run(60000);
		for (const char *s = agent.story; *s; s++) {
			reports += strncmp(s, "report", 6) == 0;
			looks += strncmp(s, "look", 4) == 0;
			assert_false(*s == 'r' && s[1] == 'e' && s[2] == 'g');
		}
		agent_clear();
	}
	assert_in_range(reports, 359, 361);
	assert_in_range(looks, 71, 73);
}

static void test_a_line_hurries_and_a_state_does_not_wait(void **state)
{
	(void)state;
	agent_start();
	agent_run(5000);
	registration_set(&agent_registration, true, "finer");
	agent_run(0);
	assert_string_equal(agent.story, "report");
	registration_set(&agent_registration, true, "finest");
	agent_run(999);
	assert_string_equal(agent.output, "finer");
	agent_run(1);
	assert_string_equal(agent.output, "finest");
	registration_set(&agent_registration, false, "bad");
	agent_run(0);
	assert_string_equal(agent.status, "critical");
}

/* Another line of the same state is not shown by Consul for minutes: registered anew it is, once. */
static void test_a_line_is_shown(void **state)
{
	(void)state;
	registration_show(&agent_registration);
	agent_run(60000);
	assert_memory_equal(agent.story, "register report register report find look ", 42);
	assert_null(strstr(agent.story + 42, "reg"));
	assert_int_equal(agent_events[REGISTRATION_DONE], 1);
	assert_string_equal(agent.seen, "passing");
	/* With another state it is without that. */
	agent_clear();
	registration_show(&agent_registration);
	registration_set(&agent_registration, false, "bad");
	agent_run(10000);
	assert_null(strstr(agent.story, "reg"));
}

/* ---- changed ---- */

static void test_another_address(void **state)
{
	struct consul_service other = agent_web;

	(void)state;
	agent_start();
	other.address = "192.0.2.2";
	registration_describe(&agent_registration, &other);
	agent_run(0);
	assert_non_null(strstr(agent.description, "192.0.2.2"));
	assert_string_equal(agent.story, "register report find look");
	assert_string_equal(agent.seen, "passing");
	agent_run(100000);
	assert_int_equal(agent_events[REGISTRATION_OVERWRITTEN], 0);
}

/* Each part counts, and nothing but what it says. */
static void test_the_same_again(void **state)
{
	static const char *const tags[] = {"a", "b"}, *const joined[] = {"ab", ""}, *const turned[] = {"b", "a"};
	static const struct consul_meta metas[] = {{"k", "v"}}, shifted[] = {{"kv", ""}};
	static const struct consul_service others[] = {
		{.address = "192.0.2.1", .ttl_sec = 25},
		{.address = "192.0.2.1", .ttl_sec = 26},
		{.address = "192.0.2.1", .ttl_sec = 26, .gone_sec = 60},
		{.address = "192.0.2.1", .port = 26, .gone_sec = 60},
		{.address = "192.0.2.1", .has_tag_override = true},
		{.address = "192.0.2.1"},
		{.address = ""},
		{.tags = tags, .tags_n = 2},
		{.tags = joined, .tags_n = 2},
		{.tags = turned, .tags_n = 2},
		{.tags = tags, .tags_n = 1, .metas = metas, .metas_n = 1},
		{.tags = tags, .tags_n = 1, .metas = shifted, .metas_n = 1},
		{.tags = tags, .tags_n = 1},
	};

	(void)state;
	agent_start();
	for (size_t i = 0; i < COUNT(others); i++) {
		char address[] = "192.0.2.1";
		struct consul_service same = others[i];

		registration_describe(&agent_registration, &others[i]);
		agent_run(0);
		CHECK(strstr(agent.story, "register"), "row %zu is as the one before it", i);
		if (same.address && *same.address)
			same.address = address;
		agent_clear();
		registration_describe(&agent_registration, &same);
		agent_run(0);
		CHECK(!*agent.story, "row %zu: %s", i, agent.story);
	}
}

static void test_changed_while_it_is_registered(void **state)
{
	struct consul_service other = agent_web;

	(void)state;
	agent.hangs = true;
	agent_run(0);
	other.port = 81;
	registration_describe(&agent_registration, &other);
	agent.hangs = false;
	agent_run(0);
	assert_non_null(strstr(agent.description, ":81,"));
}

static void test_a_refused_change_is_tried_again(void **state)
{
	struct consul_service other = agent_web;

	(void)state;
	agent_start();
	other.port = 81;
	registration_describe(&agent_registration, &other);
	agent.refuses = 503;
	agent_run(500);
	assert_null(strstr(agent.description, ":81,"));
	agent.refuses = 0;
	agent_run(1000);
	assert_non_null(strstr(agent.description, ":81,"));
}

static void test_long_descriptions_have_a_room_of_their_own(void **state)
{
	static char value[CONSUL_CLIENT_BODY_CAP], room[2 * CONSUL_CLIENT_BODY_CAP];
	const struct consul_meta meta = {"k", value};
	const struct consul_service fat = {.metas = &meta, .metas_n = 1, .ttl_sec = 25};

	(void)state;
	memset(value, 'x', sizeof value - 1);
	registration_describe(&agent_registration, &fat);
	agent_run(0);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 1);
	assert_int_equal(agent_registration.last_err.kind, ERR_LIMIT);
	agent_registration.body = room;
	agent_registration.body_cap = sizeof room;
	agent_run(1000);
	assert_true(agent.has_service);
}

/* ---- forgotten, overwritten ---- */

static void test_forgotten(void **state)
{
	(void)state;
	agent_start();
	agent_forget();
	agent_run(9999);
	assert_string_equal(agent.seen, "gone passing");
	assert_string_equal(agent.story, "report register report find look");
	assert_int_equal(agent_events[REGISTRATION_LOST], 1);
	assert_int_equal(agent_events[REGISTRATION_DONE], 1);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 0);
}

static void test_forgotten_while_it_is_ill(void **state)
{
	(void)state;
	agent_start();
	registration_set(&agent_registration, false, "bad");
	agent_run(1000);
	agent_forget();
	agent_run(10000);
	assert_string_equal(agent.seen, "gone critical");
}

static void test_only_the_check_is_gone(void **state)
{
	(void)state;
	agent_start();
	agent.has_check = false;
	agent_run(10000);
	assert_true(agent.has_check);
	assert_string_equal(agent.status, "passing");
}

/* An agent that takes the registration and knows no check all the same is not run over. */
static void test_forgotten_again_and_again(void **state)
{
	(void)state;
	agent_start();
	for (int i = 0; i < 10; i++) {
		agent_forget();
		registration_set(&agent_registration, i % 2, "news");
		agent_run(100);
	}
	assert_true(agent_registration.counts.registrations <= 3);
}

static void test_overwritten(void **state)
{
	(void)state;
	agent_start();
	agent.hash++;
	(void)strcpy(agent.description, "other");
	agent_run(51000);
	assert_int_equal(agent_events[REGISTRATION_OVERWRITTEN], 1);
	assert_non_null(strstr(agent.description, "192.0.2.1"));
	assert_string_equal(agent.seen, "passing");
	agent_run(300000);
	assert_int_equal(agent_events[REGISTRATION_OVERWRITTEN], 1);
}

static void test_tags_that_others_may_change(void **state)
{
	struct consul_service open = agent_web;

	(void)state;
	open.has_tag_override = true;
	registration_describe(&agent_registration, &open);
	agent_start();
	agent.hash++;
	agent_run(200000);
	assert_int_equal(agent_events[REGISTRATION_OVERWRITTEN], 0);
	/* That it is not there at all is seen nevertheless. */
	agent.has_service = false;
	agent_run(60000);
	assert_true(agent.has_service);
}

static void test_an_agent_that_cannot_be_looked_at(void **state)
{
	(void)state;
	agent.is_old = true;
	agent_run(200000);
	assert_true(agent.has_service);
	assert_int_equal(agent_registration.counts.registrations, 1);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 0);
}

/* ---- away ---- */

static void test_away_at_the_start(void **state)
{
	(void)state;
	agent.is_away = true;
	agent_run(60000);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 1);
	assert_string_equal(agent.story, "lost lost lost lost lost lost lost lost lost lost lost lost lost lost");
	agent.is_away = false;
	agent_run(5000);
	assert_true(agent.has_service);
	assert_int_equal(agent_events[REGISTRATION_DONE], 1);
}

static void test_away_for_a_while(void **state)
{
	(void)state;
	agent_start();
	agent.is_away = true;
	agent_run(60000);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 1);
	agent.is_away = false;
	agent_run(5000);
	assert_int_equal(agent_events[REGISTRATION_BACK], 1);
	assert_int_equal(agent_registration.counts.registrations, 1);
	assert_string_equal(agent.seen, "passing");
}

/* That it is back is told whichever call is the first. */
static void test_away_when_it_is_looked_at(void **state)
{
	(void)state;
	agent_start();
	agent_registration.unseen_n = REGISTRATION_LOOK_EVERY;
	agent.is_away = true;
	agent_run(60000);
	agent.is_away = false;
	agent.story[0] = '\0';
	agent_run(5000);
	CHECK(strncmp(agent.story, "look", 4) == 0, "%s", agent.story);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 1);
	assert_int_equal(agent_events[REGISTRATION_BACK], 1);
}

static void test_one_late_report_is_not_told(void **state)
{
	(void)state;
	agent_start();
	agent_run(8500);
	agent.is_away = true;
	agent_run(1000);
	agent.is_away = false;
	agent_run(5000);
	assert_non_null(strstr(agent.story, "lost report"));
	assert_int_equal(agent_events[REGISTRATION_FAILED] + agent_events[REGISTRATION_BACK], 0);
}

static void test_restarted_without_state(void **state)
{
	(void)state;
	agent_start();
	agent.is_away = true;
	agent_run(60000);
	agent_forget();
	agent.is_away = false;
	agent_run(5000);
	assert_string_equal(agent.seen, "gone passing");
}

static void test_a_peer_that_hangs(void **state)
{
	(void)state;
	agent_start();
	agent.hangs = true;
	agent_run(60000);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 1);
	agent.hangs = false;
	agent_run(20000);
	assert_int_equal(agent_events[REGISTRATION_BACK], 1);
}

static void test_refused(void **state)
{
	(void)state;
	agent.refuses = 403;
	agent_run(60000);
	assert_int_equal(agent_events[REGISTRATION_FAILED], 1);
	assert_int_equal(agent_registration.last_err.kind, ERR_AUTH);
	agent.refuses = 0;
	agent_run(5000);
	assert_true(agent.has_service);
}

/* All calls are of our namespace, and none of another datacenter. */
static void test_namespace(void **state)
{
	static const struct job place = {.datacenter = "dc9", .ns = "team", .partition = "p"};

	(void)state;
	agent_registration.place = &place;
	agent.suffix = "ns=team&partition=p";
	agent_run(60000);
	tested_maintain(&agent_registration, true, REGISTRATION_REASON ": test");
	agent_run(1000);
	tested_maintain(&agent_registration, false, "");
	agent_run(1000);
	tested_rename(&agent_registration, "", agent_now_ms);
	agent_run(1000);
	for (const char *word = "register\0report\0find\0look\0maintain\0resume\0leave\0"; *word; word += strlen(word) + 1)
		CHECK(strstr(agent.story, word), "%s: %s", word, agent.story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_call, agent_set_up),
		cmocka_unit_test_setup(test_the_id_is_of_the_host, agent_set_up),
		cmocka_unit_test_setup(test_critical_until_it_is_well, agent_set_up),
		cmocka_unit_test_setup(test_it_waits_for_a_first_result, agent_set_up),
		cmocka_unit_test_setup(test_an_hour, agent_set_up),
		cmocka_unit_test_setup(test_a_line_hurries_and_a_state_does_not_wait, agent_set_up),
		cmocka_unit_test_setup(test_a_line_is_shown, agent_set_up),
		cmocka_unit_test_setup(test_another_address, agent_set_up),
		cmocka_unit_test_setup(test_the_same_again, agent_set_up),
		cmocka_unit_test_setup(test_changed_while_it_is_registered, agent_set_up),
		cmocka_unit_test_setup(test_a_refused_change_is_tried_again, agent_set_up),
		cmocka_unit_test_setup(test_long_descriptions_have_a_room_of_their_own, agent_set_up),
		cmocka_unit_test_setup(test_forgotten, agent_set_up),
		cmocka_unit_test_setup(test_forgotten_while_it_is_ill, agent_set_up),
		cmocka_unit_test_setup(test_only_the_check_is_gone, agent_set_up),
		cmocka_unit_test_setup(test_forgotten_again_and_again, agent_set_up),
		cmocka_unit_test_setup(test_overwritten, agent_set_up),
		cmocka_unit_test_setup(test_tags_that_others_may_change, agent_set_up),
		cmocka_unit_test_setup(test_an_agent_that_cannot_be_looked_at, agent_set_up),
		cmocka_unit_test_setup(test_away_at_the_start, agent_set_up),
		cmocka_unit_test_setup(test_away_for_a_while, agent_set_up),
		cmocka_unit_test_setup(test_away_when_it_is_looked_at, agent_set_up),
		cmocka_unit_test_setup(test_one_late_report_is_not_told, agent_set_up),
		cmocka_unit_test_setup(test_restarted_without_state, agent_set_up),
		cmocka_unit_test_setup(test_a_peer_that_hangs, agent_set_up),
		cmocka_unit_test_setup(test_refused, agent_set_up),
		cmocka_unit_test_setup(test_namespace, agent_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
