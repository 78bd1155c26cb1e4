/*
 * watch/watch and watch/worker in a scripted world: who is asked when, what is written, who waits
 * for whom, and how it ends.
 */
#include "watch/world.h"

#include "support.h"

#include "base/clock.h"
#include "base/log.h"

#define WWW "www.example.com"

/* ---- a name follows its service ---- */

static void test_the_first_pass(void **state)
{
	(void)state;
	world_add_record(WWW, "192.0.2.9");
	world_start_with("192.0.2.1 192.0.2.2");
	assert_string_equal(world.story, "health zone list +192.0.2.1 +192.0.2.2");
	world_run(2000);
	assert_string_equal(world.story, "health zone list +192.0.2.1 +192.0.2.2 verify -192.0.2.9");
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.2");
	assert_int_equal(world_watch.writes[OP_CREATE], 2);
	assert_int_equal(world_watch.writes[OP_DELETE], 1);
	assert_int_equal(world_watch.retries, 0);
}

static void test_a_change_is_written_at_once(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	world_run(5000);
	world_clear();
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(5);
	assert_string_equal(world.story, "health +192.0.2.2");
}

/* The next read waits for ten times what reading cost, and what was decided by it: to begin and to end a pass. */
static void test_what_was_decided_is_rested_for(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	assert_int_equal(world_watch.services.of[0]->read.wait_sec, 50);
	world_run(5000);
	world.cpu_step_us = 20000;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(20);
	world_clear();
	world_set("web", "192.0.2.1 192.0.2.2 192.0.2.3");
	world_run(550);
	assert_string_equal(world.story, "");
	world_run(60);
	assert_string_equal(world.story, "health +192.0.2.3");
}

static void test_grace_and_maintenance(void **state)
{
	(void)state;
	world_start_with("192.0.2.1 192.0.2.2 192.0.2.3");
	world_run(5000);
	world_clear();
	world_set("web", "192.0.2.1 192.0.2.2/critical 192.0.2.3/maintenance");
	world_run(900);
	assert_string_equal(world.story, "health verify -192.0.2.3");
	world_run(200 + MANAGED_GATHER_MS);
	assert_string_equal(world_records(WWW), "192.0.2.1");
}

static void test_at_rest_nobody_is_asked(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	world_clear();
	world_run(200000);
	assert_int_equal(world.lists + world.writes, 0);
	assert_in_range(world_count("health"), 3, 4); /* blocking queries end after a minute */
	/* A resync is a tenth of 300 s early or late. */
	world_run(69000);
	assert_int_equal(world.lists, 0);
	world_run(62000);
	assert_int_equal(world.lists, 1);
}

static void test_a_resync_mends_what_others_did(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	world.records_n = 0;
	world_run(331000);
	assert_string_equal(world_records(WWW), "192.0.2.1");
}

/* Two names of one service share its watch; a third service has its own. */
static void test_one_watch_for_a_service(void **state)
{
	struct job jobs[3];
	struct err e;

	(void)state;
	world_set("web", "192.0.2.1");
	world_set("api", "192.0.2.2");
	jobs[0] = world_job("web", WWW);
	jobs[1] = world_job("web", "web.example.com");
	jobs[2] = world_job("api", "api.example.com");
	assert_int_equal(watch_init(&world_watch, &world_setup, &e), 0);
	assert_int_equal(watch_set_jobs(&world_watch, jobs, 3, &e), 0);
	world_run(100);
	assert_int_equal(world_count("health"), 2);
	assert_string_equal(world_records(WWW), "192.0.2.1");
	assert_string_equal(world_records("web.example.com"), "192.0.2.1");
	assert_string_equal(world_records("api.example.com"), "192.0.2.2");
	/* A service's change is its names' business alone. */
	world_clear();
	world_set("api", "192.0.2.2 192.0.2.3");
	world_run(50);
	assert_int_equal(world.writes, 1);
	assert_string_equal(world_records("api.example.com"), "192.0.2.2 192.0.2.3");
	for (size_t i = 0; i < WATCH_RECORDS_MAX && world_watch.names[i]; i++)
		assert_int_equal(world_watch.names[i]->served_ms > WORLD_START_MS + 50,
				 strcmp(world_watch.names[i]->job.service, "api") == 0);
}

/* More names than workers: all get their turn. */
static void test_all_names_get_their_turn(void **state)
{
	static const char *const services[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

	(void)state;
	world.latency_ms = 50;
	for (size_t i = 0; i < COUNT(services); i++)
		world_set(services[i], "192.0.2.1");
	world_start();
	world_run(2000);
	assert_int_equal(world_count("+192.0.2.1"), COUNT(services));
}

/* When there is more to do than workers do, the one that waits longest is next. */
static void test_nobody_starves(void **state)
{
	static const char *const services[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	static const char *const lists[] = {"192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.3/maintenance"};

	(void)state;
	world.latency_ms = 1000;
	world_setup.resync_ms = 10; /* always due */
	for (size_t i = 0; i < COUNT(services); i++)
		world_set(services[i], lists[i % 2]);
	world_start();
	world_run(60000);
	for (size_t i = 0; i < COUNT(services); i++)
		assert_in_range(world.now_ms - world_watch.names[i]->served_ms, 0, 6000);
}

/* What Consul said is read again when the API was slow: a write stands on nothing older than 2 s. */
static void test_old_evidence_is_read_again(void **state)
{
	(void)state;
	world.latency_ms = 3000;
	world_start_with("192.0.2.1");
	world_run(20000);
	assert_string_equal(world.story, "health zone list verify +192.0.2.1");
}

/* ---- how a name is doing, and since when ---- */

static void assert_state(enum status_state state, int64_t since_ms)
{
	const struct managed_name *k = world_watch.names[0];

	assert_int_equal(k->state, state);
	assert_in_range(k->state_ms, since_ms, since_ms + 20);
}

static void test_the_states_of_a_name(void **state)
{
	const struct managed_name *k;
	int64_t at_ms;

	(void)state;
	world.latency_ms = 100;
	world_set("web", "192.0.2.1");
	world_start();
	k = world_watch.names[0];
	assert_state(STATUS_WAITING, WORLD_START_MS);
	world_run(150);
	assert_state(STATUS_SYNCING, WORLD_START_MS + 100);
	assert_false(k->has_synced || k->has_changed);
	world_run(1000);
	assert_state(STATUS_IN_SYNC, WORLD_START_MS + 400);
	assert_true(k->has_synced && k->has_changed && !k->is_unconverged);
	/* A change is under way, and fails for a while. */
	world.api_status = 500;
	world.api_headers = "";
	world_set("web", "192.0.2.1 192.0.2.2");
	for (int i = 0; i < 100 && k->state == STATUS_IN_SYNC; i++)
		world_run(5);
	at_ms = world.now_ms;
	assert_state(STATUS_SYNCING, at_ms - 15);
	world_run(10000);
	assert_state(STATUS_FAILING, at_ms + 90);
	assert_true(k->is_unconverged);
	assert_in_range(k->unconverged_ms, at_ms - 15, at_ms);
	world.api_status = 0;
	world_run(30000);
	assert_int_equal(k->state, STATUS_IN_SYNC);
	assert_false(k->is_unconverged);
	/* Removals that are held. */
	world.consul_is_leaderless = true;
	world_set("web", "192.0.2.1 192.0.2.3");
	world_run(5000);
	assert_int_equal(k->state, STATUS_HELD);
	world.consul_is_leaderless = false;
	world_run(70000);
	assert_int_equal(k->state, STATUS_IN_SYNC);
	/* A listing that finds nothing is no change. */
	at_ms = k->state_ms;
	world_clear();
	for (int i = 0; i < 40000 && !world.lists; i++) {
		world_run(10);
		assert_state(STATUS_IN_SYNC, at_ms);
	}
	assert_int_equal(world.lists, 1);
	world_set("web", "192.0.2.1 192.0.2.3 192.0.2.4");
	for (int i = 0; i < 100 && k->state == STATUS_IN_SYNC; i++)
		world_run(5);
	assert_int_equal(k->state, STATUS_SYNCING);
	watch_cancel(&world_watch, world.now_ms);
	assert_state(STATUS_WAITING, world.now_ms);
}

/* ---- the API's budget ---- */

/* One name is refused; the other, which has news meanwhile, does not ask either. */
static void refuse_one_then_change_the_other(const char *headers, int64_t for_ms)
{
	world_set("web", "192.0.2.1");
	world_set("api", "192.0.2.2");
	world_start();
	world_run(5000);
	world_clear();
	world.api_status = 429;
	world.api_headers = headers;
	world_set("web", "192.0.2.1 192.0.2.3");
	world_run(1000);
	assert_int_equal(world_count("refused"), 1);
	world.api_status = 0;
	world.api_headers = NULL;
	world_set("api", "192.0.2.2 192.0.2.4");
	world_run(for_ms - 2000);
	assert_int_equal(world.lists + world.writes, 0);
	assert_int_equal(world_count("refused"), 1);
	world_run(1500);
	/* Then one request after the other, a third of a second between them: a listing, a batch. */
	assert_in_range(world.lists + world.writes, 1, 2);
	world_run(5000);
	assert_int_equal(world_count("+192.0.2.3") + world_count("+192.0.2.4"), 2);
}

static void test_429_is_waited_out_by_all(void **state)
{
	(void)state;
	refuse_one_then_change_the_other("Retry-After: 20\n", 20000);
}

static void test_429_without_a_time_is_five_minutes(void **state)
{
	(void)state;
	world_setup.resync_ms = 3600000;
	refuse_one_then_change_the_other(NULL, 300000);
}

static void test_nothing_left_of_the_ratelimit(void **state)
{
	(void)state;
	world.api_status = 500;
	world.api_headers = "Ratelimit: \"default\";r=0;t=40\n";
	world_start_with("192.0.2.1");
	world.api_status = 0;
	world_run(38000);
	assert_int_equal(world_count("zone"), 0);
	world.api_headers = "Ratelimit: \"default\";r=1;t=40\n";
	world_run(5000);
	assert_string_equal(world_records(WWW), "192.0.2.1");
}

/* A number of the other side's does not stop all names for years; that it is not believed is said. */
static void wait_a_minute(void *ctx)
{
	(void)ctx;
	log_setup(LOG_LOGFMT, LOG_WARN);
	world_start_with("192.0.2.1");
	world_run(58000);
	assert_int_equal(world.lists + world.writes, 0);
	world.api_status = 0;
	world.api_headers = NULL;
	world_run(5000);
	assert_string_equal(world_records(WWW), "192.0.2.1");
}

#define ABSURD "Ratelimit: \"default\";r=0;t=999999999\n"

static void test_an_absurd_ratelimit(void **state)
{
	const char *said;

	(void)state;
	world.api_headers = ABSURD;
	said = test_stderr(wait_a_minute, NULL);
	CHECK(strstr(said, "msg=\"asked to wait for longer than is believed\" told_s=999999999\n"), "%s", said);
}

/* Once: a failure has its own line. */
static void test_an_absurd_ratelimit_of_a_failure(void **state)
{
	const char *said;

	(void)state;
	world.api_status = 500;
	world.api_headers = ABSURD;
	said = test_stderr(wait_a_minute, NULL);
	CHECK(strstr(said, "told to wait 999999999 s") && !strstr(said, "asked to wait"), "%s", said);
}

static void test_a_ratelimit_that_is_believed(void **state)
{
	const char *said;

	(void)state;
	world.api_headers = "Ratelimit: \"default\";r=0;t=60\n";
	said = test_stderr(wait_a_minute, NULL);
	CHECK(!strstr(said, "told") && !strstr(said, "asked to wait"), "%s", said);
}

/* 200 requests at once, then one in 333 ms, however much there is to ask. */
static void test_the_budget_is_kept(void **state)
{
	static const char *const services[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	struct job jobs[COUNT(services)];
	struct err e = {0};

	(void)state;
	world_setup.resync_ms = 1000;
	for (size_t i = 0; i < COUNT(services); i++) {
		char name[64];

		world_set(services[i], "192.0.2.1");
		(void)snprintf(name, sizeof name, "%s.example.com", services[i]);
		world_add_record(name, "192.0.2.1");
		/* Each in a zone of its own: a listing of its own. */
		jobs[i] = world_job(services[i], name);
		(void)snprintf(jobs[i].zone_id, sizeof jobs[i].zone_id, "%032zx", i);
	}
	assert_int_equal(watch_init(&world_watch, &world_setup, &e), 0);
	assert_int_equal(watch_set_jobs(&world_watch, jobs, COUNT(jobs), &e), 0);
	world_run(300000);
	assert_in_range(world.lists, 1000, 1102);
}

/* ---- faults ---- */

static void test_consul_away_keeps_all(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	world_run(5000);
	world_clear();
	world.consul_is_away = true;
	world_set("web", "");
	world_run(120000);
	assert_int_equal(world.writes, 0);
	world.consul_is_away = false;
	world_run(120000);
	assert_string_equal(world_records(WWW), "192.0.2.1"); /* --on-empty keep */
	assert_int_equal(world.writes, 0);
}

static void test_without_a_leader_nothing_goes(void **state)
{
	(void)state;
	world_start_with("192.0.2.1 192.0.2.2");
	world_run(5000);
	world.consul_is_leaderless = true;
	world_set("web", "192.0.2.1 192.0.2.3");
	world_run(20000);
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.2 192.0.2.3");
	world.consul_is_leaderless = false;
	world_run(70000);
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.3");
}

/* At once, and no more than once a minute, however many names are refused. */
static void test_refused_credentials_are_read_again(void **state)
{
	static const char *const services[] = {"a", "b", "c", "d", "e", "f"};

	(void)state;
	world.api_status = 401;
	for (size_t i = 0; i < COUNT(services); i++)
		world_set(services[i], "192.0.2.1");
	world_start();
	world_run(100);
	assert_int_equal(world_secret_reloads, 1);
	for (int i = 0; i < 58; i++) {
		world_set(services[i % 6], i % 2 ? "192.0.2.1" : "192.0.2.2");
		world_run(1000);
	}
	assert_int_equal(world_secret_reloads, 1);
	world_run(180000);
	assert_in_range(world_secret_reloads, 3, 5);
	assert_int_equal(world_reloads, 0);
	/* And not any more once they are taken. */
	world.api_status = 0;
	world_run(120000);
	world_secret_reloads = 0;
	world_run(600000);
	assert_int_equal(world_secret_reloads, 0);
}

static void test_consuls_refusal_counts_too(void **state)
{
	(void)state;
	world.consul_refuses = true;
	world_start_with("192.0.2.1");
	assert_int_equal(world_secret_reloads, 1);
}

/* What was refused is read again when it may be, whatever else fails meanwhile. */
static void test_a_refusal_is_not_forgotten(void **state)
{
	(void)state;
	world.consul_refuses = true;
	world_start_with("192.0.2.1");
	world_run(10000); /* refused again */
	assert_int_equal(world_secret_reloads, 1);
	assert_true(world_watch.was_refused);
	world.consul_refuses = false;
	world.consul_is_away = true;
	world_run(52000);
	assert_int_equal(world_secret_reloads, 2);
}

/* The lock is renewed many times, and the pass fails for other reasons. */
static void test_a_refusal_is_not_forgotten_by_who_leads(void **state)
{
	(void)state;
	world_setup.lock_key = "service/dnsbuddy/leader";
	world.api_status = 403;
	world.api_headers = "";
	world_start_with("192.0.2.1");
	world_run(5000); /* refused again */
	assert_int_equal(world_secret_reloads, 1);
	assert_true(world_watch.was_refused && world_watch.leader.has_lock);
	world.api_status = 500;
	world_run(57000);
	assert_int_equal(world_secret_reloads, 2);
}

/* Another name's pass succeeds. */
static void test_a_refusal_is_not_forgotten_for_another_name(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_set("api", "192.0.2.2");
	world_start();
	world_run(5000);
	world.api_status = 403;
	world.api_headers = "";
	world_set("web", "192.0.2.1 192.0.2.3");
	for (int i = 0; i < 2000 && !(world_secret_reloads && world_watch.was_refused); i++)
		world_run(10);
	assert_int_equal(world_secret_reloads, 1);
	assert_true(world_watch.was_refused);
	world.api_status = 0;
	world.api_headers = NULL;
	world_set("api", "192.0.2.2 192.0.2.4");
	world_run(1000);
	assert_string_equal(world_records("w1.example.com"), "192.0.2.2 192.0.2.4");
	assert_string_equal(world_records(WWW), "192.0.2.1");
	assert_int_equal(world_secret_reloads, 1);
	world_run(60000);
	assert_int_equal(world_secret_reloads, 2);
}

/* As long as the lock is refused, and not any more. */
static void test_a_refused_lock_counts_too(void **state)
{
	(void)state;
	world_setup.lock_key = "service/dnsbuddy/leader";
	world.lock_is_refused = true;
	world_start_with("192.0.2.1");
	assert_int_equal(world_secret_reloads, 1);
	world_run(200000);
	assert_in_range(world_secret_reloads, 3, 5);
	assert_false(watch_is_healthy(&world_watch, world.now_ms));
	assert_int_equal(world.lists + world.writes, 0);
	world.lock_is_refused = false;
	world_run(80000);
	assert_true(watch_is_healthy(&world_watch, world.now_ms));
	assert_string_equal(world_records(WWW), "192.0.2.1");
	world_secret_reloads = 0;
	world_run(300000);
	assert_int_equal(world_secret_reloads, 0);
}

/* ---- its own service ---- */

static void test_it_registers_and_reports(void **state)
{
	(void)state;
	world_setup.register_as = "cloudflare";
	world_start_with("192.0.2.1");
	assert_int_equal(world_count("register"), 1);
	world_run(5000);
	assert_true(world_count("passing") >= 1);
	assert_int_equal(world_count("critical"), 0);
	/* When nothing changes it reports every ten seconds. */
	world_clear();
	world_run(60000);
	assert_in_range(world_count("passing"), 6, 7);
}

static void test_a_refused_registration_keeps_nobody(void **state)
{
	(void)state;
	world_setup.register_as = "cloudflare";
	world.registration_fails = true;
	world_start_with("192.0.2.1");
	assert_string_equal(world_records(WWW), "192.0.2.1");
	world.registration_fails = false;
	world_run(6000);
	assert_int_equal(world_count("register"), 1);
}

static void test_the_check_tells_what_is_unhealthy(void **state)
{
	(void)state;
	world_setup.register_as = "cloudflare";
	world.api_status = 500;
	world.api_headers = "";
	world_start_with("192.0.2.1");
	world_run(55000);
	assert_int_equal(world_count("critical"), 0);
	assert_true(world_watch.retries > 3);
	world_run(10000);
	assert_true(world_count("critical") >= 1);
}

static void test_another_name_for_itself(void **state)
{
	(void)state;
	world_setup.register_as = "cloudflare";
	world_start_with("192.0.2.1");
	world_run(5000);
	world_clear();
	registration_rename(&world_watch.registration, "dns", world.now_ms);
	world_run(100);
	assert_memory_equal(world.story, "deregister register", 19);
	assert_string_equal(world_watch.registration.name, "dns");
	world_clear();
	registration_rename(&world_watch.registration, "", world.now_ms);
	world_run(60000);
	assert_int_equal(world_count("deregister"), 1);
	assert_int_equal(world_count("passing"), 0);
	registration_rename(&world_watch.registration, "dns", world.now_ms);
	world_run(100);
	assert_int_equal(world_count("register"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_first_pass, world_set_up),
		cmocka_unit_test_setup(test_a_change_is_written_at_once, world_set_up),
		cmocka_unit_test_setup(test_what_was_decided_is_rested_for, world_set_up),
		cmocka_unit_test_setup(test_grace_and_maintenance, world_set_up),
		cmocka_unit_test_setup(test_at_rest_nobody_is_asked, world_set_up),
		cmocka_unit_test_setup(test_a_resync_mends_what_others_did, world_set_up),
		cmocka_unit_test_setup(test_one_watch_for_a_service, world_set_up),
		cmocka_unit_test_setup(test_all_names_get_their_turn, world_set_up),
		cmocka_unit_test_setup(test_nobody_starves, world_set_up),
		cmocka_unit_test_setup(test_old_evidence_is_read_again, world_set_up),
		cmocka_unit_test_setup(test_the_states_of_a_name, world_set_up),
		cmocka_unit_test_setup(test_429_is_waited_out_by_all, world_set_up),
		cmocka_unit_test_setup(test_429_without_a_time_is_five_minutes, world_set_up),
		cmocka_unit_test_setup(test_nothing_left_of_the_ratelimit, world_set_up),
		cmocka_unit_test_setup(test_an_absurd_ratelimit, world_set_up),
		cmocka_unit_test_setup(test_an_absurd_ratelimit_of_a_failure, world_set_up),
		cmocka_unit_test_setup(test_a_ratelimit_that_is_believed, world_set_up),
		cmocka_unit_test_setup(test_the_budget_is_kept, world_set_up),
		cmocka_unit_test_setup(test_consul_away_keeps_all, world_set_up),
		cmocka_unit_test_setup(test_without_a_leader_nothing_goes, world_set_up),
		cmocka_unit_test_setup(test_refused_credentials_are_read_again, world_set_up),
		cmocka_unit_test_setup(test_consuls_refusal_counts_too, world_set_up),
		cmocka_unit_test_setup(test_a_refusal_is_not_forgotten, world_set_up),
		cmocka_unit_test_setup(test_a_refusal_is_not_forgotten_by_who_leads, world_set_up),
		cmocka_unit_test_setup(test_a_refusal_is_not_forgotten_for_another_name, world_set_up),
		cmocka_unit_test_setup(test_a_refused_lock_counts_too, world_set_up),
		cmocka_unit_test_setup(test_it_registers_and_reports, world_set_up),
		cmocka_unit_test_setup(test_a_refused_registration_keeps_nobody, world_set_up),
		cmocka_unit_test_setup(test_the_check_tells_what_is_unhealthy, world_set_up),
		cmocka_unit_test_setup(test_another_name_for_itself, world_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
