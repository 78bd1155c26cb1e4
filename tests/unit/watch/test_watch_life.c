/*
 * watch/watch and watch/watch_jobs in a scripted world: other names and settings while it runs, signals,
 * and how it ends.
 */
#include "watch/world.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#include "base/clock.h"
#include "base/log.h"
#include "watch/locks.h"

#define WWW "www.example.com"

/* ---- other names ---- */

#define MANY (WATCH_RECORDS_MAX / 2)

/* So many names of one service, whose records go with them; which tells the sets apart. */
static const struct job *many(char which)
{
	static struct job jobs[MANY];
	char name[32];

	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof name, "%c%zu.example.com", which, i);
		jobs[i] = world_job("web", name);
		jobs[i].on_drop = ON_DROP_REMOVE;
	}
	return jobs;
}

static size_t count_names(char which, bool is_dropped)
{
	size_t n = 0;

	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++) {
		const struct managed_name *k = world_watch.names[i];

		n += k && k->is_used && k->job.name[0] == which && k->job.is_dropped == is_dropped;
	}
	return n;
}

/* Removals that do not succeed leave room for the names in force, and for those just dropped. */
static void test_many_other_names_while_the_api_is_away(void **state)
{
	struct err e = {0};

	(void)state;
	world_set("web", "192.0.2.1");
	world.api_status = 503;
	world.api_headers = "";
	assert_int_equal(watch_init(&world_watch, &world_setup, &e), 0);
	for (char which = 'a'; which < 'f'; which++) {
		CHECK(watch_set_jobs(&world_watch, many(which), MANY, &e) == 0, "%c: %s", which, e.text);
		world_run(5000);
		assert_int_equal(count_names(which, false), MANY);
		assert_int_equal(count_names((char)(which - 1), true), which == 'a' ? 0 : MANY);
	}
	assert_int_equal(count_names('c', true), 0); /* they gave their place up */
}

/* The watch has published one name that is to be removed when it is dropped. */
static struct job start_removing(void)
{
	struct job job = world_job("web", WWW);
	struct err e = {0};

	job.on_drop = ON_DROP_REMOVE;
	world_set("web", "192.0.2.1");
	assert_int_equal(watch_init(&world_watch, &world_setup, &e), 0);
	CHECK(watch_set_jobs(&world_watch, &job, 1, &e) == 0, "%s", e.text);
	world_run(5000);
	return job;
}

/* Seen through, and then forgotten: its place is free. */
static void test_a_removal_ends(void **state)
{
	struct err e = {0};
	struct job job = start_removing();

	(void)state;
	assert_string_equal(world_records(WWW), "192.0.2.1");
	world.api_status = 503;
	world.api_headers = "";
	job = world_job("web", "api.example.com");
	assert_int_equal(watch_set_jobs(&world_watch, &job, 1, &e), 0);
	world_run(5000);
	assert_int_equal(count_names('w', true), 1);
	world.api_status = 0;
	world_run(60000);
	assert_string_equal(world_records(WWW), "");
	assert_int_equal(count_names('w', true), 0);
}

static void test_names_that_are_not_taken_change_nothing(void **state)
{
	struct err e = {0};
	struct job job = start_removing();

	(void)state;
	world_clear();
	world.memory_is_full = true;
	assert_int_equal(watch_set_jobs(&world_watch, many('a'), MANY, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	world_run(5000);
	assert_int_equal(count_names('w', false), 1);
	assert_int_equal(world.lists + world.writes, 0); /* it did not even begin anew */
	assert_string_equal(world_records(WWW), "192.0.2.1");
	/* What is there already can be taken again. */
	assert_int_equal(watch_set_jobs(&world_watch, &job, 1, &e), 0);
	world_run(5000);
	assert_string_equal(world_records(WWW), "192.0.2.1");
}

/* An entry that gets an owner still rules over the name: nothing is removed. */
static void test_a_job_of_the_same_records_is_not_dropped(void **state)
{
	struct err e = {0};
	struct job job = start_removing();

	(void)state;
	strcpy(job.owner, "east");
	assert_int_equal(watch_set_jobs(&world_watch, &job, 1, &e), 0);
	assert_int_equal(count_names('w', true), 0);
	assert_int_equal(count_names('w', false), 1);
}

static void test_other_times(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	watch_set_times(&world_watch, 2000, 20000, 5000, 7);
	assert_int_equal(world_watch.services.of[0]->reader->by.timeout_ms, 2000);
	assert_int_equal(world_watch.services.of[0]->read.wait_sec, 7);
	assert_int_equal(world_watch.workers[0].driver.timeout_ms, 2000);
	assert_int_equal(world_watch.leader.timeout_ms, 2000);
	assert_int_equal(world_watch.leader.wait_sec, 7);
	assert_int_equal(world_watch.registration.timeout_ms, 2000);
	world.api_status = 500;
	world.api_headers = "";
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(6000);
	{
		struct status s;

		watch_status(&world_watch, world.now_ms, &s);
		assert_false(s.is_healthy);
	}
}

/* A pass under way is called off before its name is prepared anew. */
static void test_jobs_change_under_a_pass(void **state)
{
	const struct job job = world_job("web", WWW);
	struct status s;
	uint64_t reads;
	struct err e;

	(void)state;
	world_start_with("192.0.2.1");
	world_run(5000);
	watch_status(&world_watch, world.now_ms, &s);
	reads = s.consul_reads;
	world.api_hangs = true;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(100);
	assert_int_equal(watch_set_jobs(&world_watch, &job, 1, &e), 0);
	assert_int_equal(world.aborts, 1);
	watch_status(&world_watch, world.now_ms, &s);
	assert_int_equal(s.consul_reads, reads + 1);
	world.api_hangs = false;
	world_clear();
	world_set("web", "192.0.2.1 192.0.2.2 192.0.2.3");
	world_run(100);
	assert_string_equal(world.story, "health list +192.0.2.3");
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.2 192.0.2.3");
}

/* ---- what is said ---- */

static size_t count_lines(const char *log, const char *line)
{
	size_t n = 0;

	while ((log = strstr(log, line))) {
		n++;
		log += strlen(line);
	}
	return n;
}

static void lose_consul_for_a_while(void *ctx)
{
	(void)ctx;
	log_setup(LOG_LOGFMT, LOG_INFO);
	world_start_with("192.0.2.1");
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(5000);
	world.consul_is_away = true;
	world_set("web", "192.0.2.1 192.0.2.3");
	world_run(20000);
	assert_true(world_watch.services.of[0]->read.failures > 2);
	world.consul_is_away = false;
	world_run(100000);
	world_set("web", "192.0.2.1 192.0.2.4");
	world_run(5000);
}

/* Once when it begins, once when it is over. */
static void test_that_consul_answers_again_is_said_once(void **state)
{
	const char *said;

	(void)state;
	said = test_stderr(lose_consul_for_a_while, NULL);
	CHECK(count_lines(said, "msg=\"consul does not answer\" service=web") == 1, "%s", said);
	CHECK(count_lines(said, "msg=\"consul answers again\" service=web\n") == 1, "%s", said);
	CHECK(strstr(said, "does not answer") < strstr(said, "answers again"), "%s", said);
}

/* ---- signals, and the end ---- */

static void take_the_same_jobs(void *ctx, bool only_secrets)
{
	const struct job job = world_job("web", WWW);
	struct err e;

	(void)ctx;
	(void)only_secrets;
	assert_int_equal(watch_set_jobs(&world_watch, &job, 1, &e), 0);
}

/* In one turn of the loop the pass is called off, and then its answer has come. */
static void test_the_answer_to_a_pass_that_was_called_off(void **state)
{
	(void)state;
	world_setup.reload = take_the_same_jobs;
	world_start_with("192.0.2.1");
	world_run(5000);
	world.latency_ms = 100;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(50); /* the write is under way */
	assert_true(worker_is_any_calling(&world_watch));
	world.now_ms += 1000;
	assert_int_equal(raise(SIGHUP), 0);
	world_run(5000);
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.2");
}

static void test_hup_reloads(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	assert_int_equal(raise(SIGHUP), 0);
	world_run(10);
	assert_int_equal(world_reloads, 1);
	assert_int_equal(world_secret_reloads, 0);
	assert_non_null(world_watch.loop.parts);
}

static void test_stop_at_rest_is_at_once(void **state)
{
	(void)state;
	world_start_with("192.0.2.1");
	world_run(1000);
	assert_int_equal(raise(SIGTERM), 0);
	world_run(10);
	assert_null(world_watch.loop.parts);
}

/* The exchange under way ends, the lock is given back, the service leaves; nothing new begins. */
static void test_stop_in_order(void **state)
{
	int64_t stop_ms;

	(void)state;
	world_setup.lock_key = "service/dnsbuddy/leader";
	world_setup.register_as = "cloudflare";
	world_start_with("192.0.2.1");
	world_run(5000);
	world_clear();
	world.latency_ms = 100;
	world_set("web", "192.0.2.1/maintenance 192.0.2.2");
	world_run(150); /* the first of two writes is under way */
	world_set("web", "192.0.2.2 192.0.2.3");
	stop_ms = world.now_ms;
	assert_int_equal(raise(SIGTERM), 0);
	world_run(10);
	assert_int_equal(raise(SIGHUP), 0);
	world_run(5000);
	assert_null(world_watch.loop.parts);
	assert_in_range(world.now_ms - stop_ms, 200, WATCH_LEAVE_MS);
	assert_int_equal(world_count("+192.0.2.2"), 1);
	assert_int_equal(world_count("+192.0.2.3"), 0);
	assert_int_equal(world_count("-192.0.2.1"), 0);
	assert_int_equal(world_reloads, 0);
	assert_int_equal(world.aborts, 0);
	assert_int_equal(world_count("release"), 1);
	assert_int_equal(world_count("destroy"), 1);
	assert_int_equal(world_count("deregister"), 1);
	assert_true(strstr(world.story, "+192.0.2.2") < strstr(world.story, "release"));
	assert_int_equal(locks.holder, -1);
}

static void test_stop_waits_for_the_service_to_leave(void **state)
{
	(void)state;
	world_setup.register_as = "cloudflare";
	world_start_with("192.0.2.1");
	world_run(5000);
	world.latency_ms = 200;
	assert_int_equal(raise(SIGTERM), 0);
	world_run(1000);
	assert_null(world_watch.loop.parts);
	assert_int_equal(world_count("deregister"), 1);
}

/* ---- writes that were given up ---- */

/* www.example.com is in step, and a write of its next instance is under way that nobody answers. */
static void start_hanging(void)
{
	world_start_with("192.0.2.1");
	world_run(5000);
	world.api_hangs = true;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(100);
	assert_int_equal(world_count("+192.0.2.2"), 1);
	world_clear();
}

/* Once at once, and once more when what was given up must have landed; then no more. */
static void check_lists_twice(int64_t lost_ms)
{
	size_t lists;

	world_run(lost_ms + 29900 - world.now_ms);
	lists = world.lists;
	assert_in_range(lists, 1, 2);
	/* It lands now. */
	world_add_record(WWW, "192.0.2.66");
	world_run(2000);
	assert_int_equal(world.lists, lists + 1);
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.2");
	world_run(200000);
	assert_int_equal(world.lists, lists + 1);
}

static void test_a_write_without_an_answer(void **state)
{
	int64_t lost_ms;

	(void)state;
	start_hanging();
	world_run(9800);
	assert_int_equal(world.lists, 0);
	world_run(150);
	lost_ms = world.now_ms;
	world.api_hangs = false;
	check_lists_twice(lost_ms);
}

/* The first of all: nothing was in step before. */
static void test_the_first_write_without_an_answer(void **state)
{
	int64_t lost_ms;

	(void)state;
	world.api_hangs = true;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_start();
	world_run(100);
	world.api_hangs = false;
	world_run(9950);
	lost_ms = world.now_ms;
	world_run(15000);
	world_clear();
	assert_string_equal(world_records(WWW), "192.0.2.1 192.0.2.2");
	world_run(lost_ms + 32000 - world.now_ms);
	assert_int_equal(world.lists, 1);
}

static void test_a_pass_that_a_reload_calls_off(void **state)
{
	const struct job job = world_job("web", WWW);
	int64_t lost_ms;
	struct err e;

	(void)state;
	start_hanging();
	lost_ms = world.now_ms;
	assert_int_equal(watch_set_jobs(&world_watch, &job, 1, &e), 0);
	assert_int_equal(world.aborts, 1);
	world.api_hangs = false;
	check_lists_twice(lost_ms);
}

/* Its records go for good only when nothing can bring them back. */
static void test_a_write_of_a_name_that_is_dropped(void **state)
{
	struct job job = start_removing();
	struct err e;

	(void)state;
	world.api_hangs = true;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(100);
	world.api_hangs = false;
	job = world_job("web", "api.example.com");
	assert_int_equal(watch_set_jobs(&world_watch, &job, 1, &e), 0);
	world_run(20000);
	assert_string_equal(world_records(WWW), "");
	world_add_record(WWW, "192.0.2.2");
	world_run(12000);
	assert_string_equal(world_records(WWW), "");
	assert_int_equal(count_names('w', true), 0);
}

static void test_a_pass_that_the_fence_ends(void **state)
{
	int64_t lost_ms;

	(void)state;
	world_setup.lock_key = "service/dnsbuddy/leader";
	start_hanging();
	locks_end_session(locks.holder, world.now_ms);
	world_run(100);
	lost_ms = world.now_ms - 100;
	assert_int_equal(world.aborts, 1);
	assert_false(world_watch.leader.has_lock);
	world.api_hangs = false;
	world_run(29500);
	assert_int_equal(world.lists, 0); /* the lock-delay */
	world_run(10000);
	assert_true(world_watch.leader.has_lock);
	assert_true(world.lists >= 1);
	assert_true(world.now_ms - lost_ms > WATCH_SETTLE_MS);
}

static const struct {
	int status; /* of the answer to the write; 0: no byte of it went out */
	bool is_lost;
} outcomes[] = {{500, true}, {504, true}, {520, true}, {429, false}, {401, false}, {403, false}, {0, false}};

/* Whether what is known of it says that it was not done. */
static void test_which_outcomes_are_unknown(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		assert_int_equal(world_set_up(NULL), 0);
		world_setup.lock_key = "service/dnsbuddy/leader";
		world_start_with("192.0.2.1");
		world_run(5000);
		world.api_status = outcomes[i].status;
		world.api_is_deaf = !outcomes[i].status;
		world.api_headers = "Retry-After: 1\n";
		world_set("web", "192.0.2.1 192.0.2.2");
		world_run(outcomes[i].status ? 100 : 10100);
		world.api_status = 0;
		world.api_is_deaf = false;
		world_clear();
		assert_int_equal(world_watch.settled_ms > world.now_ms, outcomes[i].is_lost);
		assert_int_equal(raise(SIGTERM), 0);
		world_run(1000);
		assert_int_equal(world_count("release"), !outcomes[i].is_lost);
		assert_int_equal(world_count("destroy"), 1);
	}
}

/* The others wait for the lock-delay as long as what was given up may land. */
static void test_stop_after_a_lost_write(void **state)
{
	static const struct {
		int64_t later_ms;
		size_t released;
	} cases[] = {{0, 0}, {29000, 0}, {31000, 1}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(world_set_up(state), 0);
		world_setup.lock_key = "service/dnsbuddy/leader";
		start_hanging();
		if (cases[i].later_ms) {
			world_run(9910);
			world.api_hangs = false;
			world_run(cases[i].later_ms);
			world_clear();
		}
		assert_int_equal(raise(SIGTERM), 0);
		world_run(2000);
		assert_null(world_watch.loop.parts);
		assert_int_equal(world_count("release"), cases[i].released);
		assert_int_equal(world_count("destroy"), 1);
		assert_int_equal(world.aborts, cases[i].later_ms == 0);
		assert_int_equal(locks.free_ms > world.now_ms, !cases[i].released);
	}
}

/* A peer that does not answer costs a second, no more. */
static void test_stop_does_not_wait_for_a_dead_peer(void **state)
{
	int64_t stop_ms;

	(void)state;
	world_setup.lock_key = "service/dnsbuddy/leader";
	world_start_with("192.0.2.1");
	world_run(5000);
	world.api_hangs = true;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_run(100);
	world.latency_ms = 100000;
	stop_ms = world.now_ms;
	assert_int_equal(raise(SIGINT), 0);
	world_run(WATCH_FINISH_MS - 10);
	assert_int_equal(world.aborts, 0);
	world_run(20);
	assert_int_equal(world.aborts, 1);
	world_run(5000);
	assert_null(world_watch.loop.parts);
	assert_in_range(world.now_ms - stop_ms, WATCH_LEAVE_MS, WATCH_LEAVE_MS + 2);
}

/* Who ends needs no other credentials. */
static void test_a_refusal_while_it_stops(void **state)
{
	(void)state;
	start_hanging();
	assert_int_equal(raise(SIGTERM), 0);
	world_run(10);
	world_watch.was_refused = true;
	world_run(5000);
	assert_null(world_watch.loop.parts);
	assert_int_equal(world_secret_reloads, 0);
}

/* Who asks twice does not wait for what is under way; the process is one of the test's own. */
static void test_stop_asked_for_twice_is_at_once(void **state)
{
	int ends[2], status = 0;
	char reached = 0;
	pid_t pid;

	(void)state;
	start_hanging();
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		(void)raise(SIGTERM);
		world_run(10);
		(void)raise(SIGHUP);
		world_run(10);
		if (!world_watch.is_stopping || world_watch.is_leaving || write(ends[1], "!", 1) != 1)
			_exit(2);
		(void)raise(SIGINT);
		world_run(10);
		_exit(1);
	}
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(read(ends[0], &reached, 1), 1); /* once did not end it */
	assert_int_equal(close(ends[0]), 0);
}

int main(void)
{
	/* Alone: where the first signal ends it the others would end before they could fail. */
	const struct CMUnitTest first[] = {
		cmocka_unit_test_setup(test_stop_asked_for_twice_is_at_once, world_set_up),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_many_other_names_while_the_api_is_away, world_set_up),
		cmocka_unit_test_setup(test_a_removal_ends, world_set_up),
		cmocka_unit_test_setup(test_names_that_are_not_taken_change_nothing, world_set_up),
		cmocka_unit_test_setup(test_a_job_of_the_same_records_is_not_dropped, world_set_up),
		cmocka_unit_test_setup(test_other_times, world_set_up),
		cmocka_unit_test_setup(test_jobs_change_under_a_pass, world_set_up),
		cmocka_unit_test_setup(test_the_answer_to_a_pass_that_was_called_off, world_set_up),
		cmocka_unit_test_setup(test_that_consul_answers_again_is_said_once, world_set_up),
		cmocka_unit_test_setup(test_hup_reloads, world_set_up),
		cmocka_unit_test_setup(test_stop_at_rest_is_at_once, world_set_up),
		cmocka_unit_test_setup(test_stop_in_order, world_set_up),
		cmocka_unit_test_setup(test_stop_waits_for_the_service_to_leave, world_set_up),
		cmocka_unit_test_setup(test_a_write_without_an_answer, world_set_up),
		cmocka_unit_test_setup(test_the_first_write_without_an_answer, world_set_up),
		cmocka_unit_test_setup(test_a_pass_that_a_reload_calls_off, world_set_up),
		cmocka_unit_test_setup(test_a_write_of_a_name_that_is_dropped, world_set_up),
		cmocka_unit_test_setup(test_a_pass_that_the_fence_ends, world_set_up),
		cmocka_unit_test_setup(test_which_outcomes_are_unknown, world_set_up),
		cmocka_unit_test_setup(test_stop_after_a_lost_write, world_set_up),
		cmocka_unit_test_setup(test_stop_does_not_wait_for_a_dead_peer, world_set_up),
		cmocka_unit_test_setup(test_a_refusal_while_it_stops, world_set_up),
	};

	return cmocka_run_group_tests(first, NULL, NULL) || cmocka_run_group_tests(tests, NULL, NULL);
}
