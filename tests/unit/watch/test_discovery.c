/* Names that services claim: they come, change, stay as they are, and go, while the watch runs. */
#include "support.h"

#include "watch/world.h"

#define R(name) "\"dnsbuddy.record=" name ".example.com\""
#define DROP ",\"dnsbuddy.on-drop=remove\""
#define FILTERED "X-Consul-Results-Filtered-By-ACLs: true\n"

static struct config config;

static struct job common(void)
{
	struct job job = world_job("", "");

	(void)snprintf(job.owner, sizeof job.owner, "me");
	return job;
}

static void configure(const char *allow)
{
	config = (struct config){.discover = true, .common = common(), .timeout_ms = 10000, .wait_sec = 50};
	(void)snprintf(config.discover_prefix, sizeof config.discover_prefix, "dnsbuddy");
	(void)snprintf(config.discover_allow, sizeof config.discover_allow, "%s", allow);
}

static void start_with(const struct job *jobs, size_t jobs_n)
{
	struct err e = {0};

	CHECK(watch_init(&world_watch, &world_setup, &e) == 0, "%s", e.text);
	CHECK(watch_set_jobs(&world_watch, jobs, jobs_n, &e) == 0, "%s", e.text);
	CHECK(watch_discover(&world_watch, &config, &e) == 0, "%s", e.text);
	world_run(2000);
}

static void start(void)
{
	configure("*.example.com");
	start_with(NULL, 0);
}

static struct managed_name *find(const char *name)
{
	for (size_t i = 0; i < WATCH_RECORDS_MAX; i++)
		if (world_watch.names[i] && world_watch.names[i]->is_used && strcmp(world_watch.names[i]->job.name, name) == 0)
			return world_watch.names[i];
	return NULL;
}

#define WWW "www.example.com"

static void expect(const char *name, const char *records)
{
	CHECK(strcmp(world_records(name), records) == 0, "%s: %s; %s", name, world_records(name), world.story);
}

static void test_comes(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_set("api", "192.0.2.3");
	start();
	assert_null(find(WWW));
	assert_int_equal(world.lists, 0);
	world_tag("web", R("www") "," R("w"));
	world_run(1000);
	expect(WWW, "192.0.2.1 192.0.2.2");
	expect("w.example.com", "192.0.2.1 192.0.2.2");
	assert_true(find(WWW)->is_discovered);
	world_tag("api", R("api"));
	world_run(3000);
	expect("api.example.com", "192.0.2.3");
	/* From then on it is a name like any other. */
	world_set("web", "192.0.2.1 192.0.2.4");
	world_run(3000);
	expect(WWW, "192.0.2.1 192.0.2.4");
	assert_int_equal(world_watch.services.n, 2);
	/* Nothing to do, nothing done. */
	world_clear();
	world.index++;
	world_run(5000);
	assert_int_equal(world.lists + world.writes, 0);
}

/* Other tags make another job of it; the same in another order do not. */
static void test_changes(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") ",\"dnsbuddy.ttl=60\"");
	start();
	expect(WWW, "192.0.2.1");
	world_clear();
	world_tag("web", "\"dnsbuddy.ttl=60\",\"x\"," R("www"));
	world_run(5000);
	assert_int_equal(world.lists, 0);
	world_tag("web", R("www") ",\"dnsbuddy.on-empty=remove\"");
	world_run(1000);
	assert_int_equal(find(WWW)->job.on_empty, ON_EMPTY_REMOVE);
	world_set("web", "");
	world_run(5000);
	expect(WWW, "");
}

static void test_tag_goes(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") "," R("w"));
	start();
	world_tag("web", R("w"));
	world_run(5000);
	assert_null(find(WWW));
	expect(WWW, "192.0.2.1");
	assert_non_null(find("w.example.com"));
	world_tag("web", "");
	world_run(5000);
	expect("w.example.com", "192.0.2.1");
	assert_int_equal(world_watch.services.n, 0);
	/* It comes again. */
	world_set("web", "192.0.2.2");
	world_tag("web", R("www"));
	world_run(5000);
	expect(WWW, "192.0.2.2");
}

static void test_tag_goes_and_removes(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") "," R("w") DROP);
	start();
	world_tag("web", R("w") DROP);
	world_run(5000);
	expect(WWW, "");
	assert_null(find(WWW));
	expect("w.example.com", "192.0.2.1");
	/* Not on an answer that may lack something. */
	world.catalog_headers = FILTERED;
	world_tag("web", "");
	world_run(60000);
	expect("w.example.com", "192.0.2.1");
	assert_true(find("w.example.com")->is_doubted && !find("w.example.com")->job.is_dropped);
	world.catalog_headers = NULL;
	world_run(60000);
	expect("w.example.com", "");
}

/* Until it is seen that the tag is gone. */
static void lose_tag(void)
{
	world_tag("web", "");
	for (int i = 0; i < 500 && find(WWW) && !find(WWW)->left_ms; i++)
		world_run(10);
	assert_non_null(find(WWW));
	assert_true(find(WWW)->left_ms);
}

/* Who registers anew lacks the tag for a moment: less than the grace is nothing. */
static void test_grace(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") DROP);
	start();
	world_clear();
	for (int i = 0; i < 3; i++) {
		lose_tag();
		world_run(900);
		assert_non_null(find(WWW));
		assert_false(find(WWW)->job.is_dropped);
		world_tag("web", R("www") DROP);
		world_run(3000);
		assert_int_equal(find(WWW)->left_ms, 0);
	}
	assert_int_equal(world.writes + world.lists, 0);
	/* It is over, but whether the tag is still gone nobody says. */
	lose_tag();
	world.consul_is_away = true;
	world_run(60000);
	expect(WWW, "192.0.2.1");
	assert_false(find(WWW)->job.is_dropped);
	world.consul_is_away = false;
	world_run(200000);
	expect(WWW, "");
}

/* While it is being removed it is claimed anew. */
static void test_comes_back_while_it_is_removed(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") DROP);
	start();
	world.api_status = 500;
	world_tag("web", "");
	world_run(3000);
	assert_true(find(WWW)->job.is_dropped);
	world_tag("web", R("www"));
	world_run(3000);
	assert_false(find(WWW)->job.is_dropped);
	world.api_status = 0;
	world_run(60000);
	expect(WWW, "192.0.2.1");
}

/* Who is not in the catalog any more keeps its names, and its instances go as ever. */
static void test_service_vanishes(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1 192.0.2.2");
	world_tag("web", R("www") DROP);
	start();
	world_set("web", "");
	world_tag("web", NULL);
	world_run(60000);
	assert_non_null(find(WWW));
	assert_false(find(WWW)->job.is_dropped);
	expect(WWW, "192.0.2.1 192.0.2.2"); /* on-empty=keep */
	world_set("web", "192.0.2.5");
	world_tag("web", R("www") DROP);
	world_run(5000);
	expect(WWW, "192.0.2.5");
}

/* What two claim stays as it is, whoever had it. */
static void test_conflict(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_set("api", "192.0.2.3");
	world_tag("web", R("www") "," R("w") DROP);
	start();
	world_tag("api", R("www") "," R("api"));
	world_run(1000);
	assert_null(find(WWW));
	world_clear();
	world_set("web", "192.0.2.2");
	world_run(400000); /* a resync, too */
	expect(WWW, "192.0.2.1");
	expect("w.example.com", "192.0.2.2");
	expect("api.example.com", "192.0.2.3");
	assert_true(watch_is_healthy(&world_watch, world.now_ms)); /* it is as it shall be */
	world_tag("api", R("api"));
	world_run(3000);
	expect(WWW, "192.0.2.2");
	/* Or the other one gets it. */
	world_tag("api", R("www") "," R("api"));
	world_run(1000);
	world_tag("web", "");
	world_run(3000);
	expect(WWW, "192.0.2.3");
	assert_string_equal(find(WWW)->job.service, "api");
}

/* From the start nobody has it. */
static void test_conflict_at_the_start(void **state)
{
	(void)state;
	world_add_record(WWW, "192.0.2.9");
	world_set("web", "192.0.2.1");
	world_set("api", "192.0.2.3");
	world_tag("web", R("www"));
	world_tag("api", R("www"));
	start();
	assert_null(find(WWW));
	expect(WWW, "192.0.2.9");
	assert_int_equal(discovery_refused_n(&world_watch.discovery), 2);
	assert_string_equal(discovery_refused(&world_watch.discovery, 1)->by->tags.service, "web");
}

/* What the pages are given, and that nothing was ever heard of the catalog. */
static void test_status(void **state)
{
	struct status s;
	struct status_claim claim;

	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") ",\"dnsbuddy.record=a.org\"");
	world_tag("api", R("api") ",\"dnsbuddy.ttl=soon\"");
	start();
	watch_status(&world_watch, world.now_ms, &s);
	assert_true(s.has_discovery && s.is_healthy);
	assert_int_equal(s.discovered_n, 1);
	assert_int_equal(s.claims_n, 2);
	s.fill_claim(&s, 0, &claim);
	assert_string_equal(claim.name, "a.org");
	assert_string_equal(claim.service, "web");
	assert_string_equal(claim.why, "--discover-allow does not allow it");
	s.fill_claim(&s, 1, &claim);
	assert_string_equal(claim.name, "api.example.com");
	assert_non_null(strstr(claim.why, "dnsbuddy.ttl=soon"));
	world_tag("web", R("www") ",\"dnsbuddy.ttl=soon\"");
	world_run(2000);
	watch_status(&world_watch, world.now_ms, &s);
	assert_int_equal(s.claims_n, 2);
	assert_int_equal(s.discovered_n, 0);
}

static void test_no_catalog(void **state)
{
	(void)state;
	world.consul_is_away = true;
	start();
	assert_true(watch_is_healthy(&world_watch, world.now_ms));
	world_run(100000);
	assert_false(watch_is_healthy(&world_watch, world.now_ms));
	world.consul_is_away = false;
	world_run(60000);
	assert_true(watch_is_healthy(&world_watch, world.now_ms));
}

static void test_bad_tags(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") "," R("w") DROP);
	start();
	/* Whatever else they say, www too. */
	world_tag("web", R("w") DROP ",\"dnsbuddy.ttl=soon\"");
	world_run(1000);
	world_set("web", "192.0.2.2");
	world_run(60000);
	expect(WWW, "192.0.2.1");
	expect("w.example.com", "192.0.2.1");
	assert_null(find(WWW));
	world_tag("web", R("w") DROP);
	world_run(5000);
	expect(WWW, "192.0.2.1"); /* it was not kept any more when its tag went */
	expect("w.example.com", "192.0.2.2");
}

/* A pass that is under way when it is held does not go on. */
static void test_held_in_the_midst(void **state)
{
	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www"));
	start();
	world.latency_ms = 500;
	world_set("web", "192.0.2.2");
	world_tag("web", R("www") ",\"dnsbuddy.ttl=soon\"");
	world_run(60000);
	CHECK(strstr(world_records(WWW), "192.0.2.1"), "%s", world_records(WWW));
	assert_null(find(WWW));
}

/* The configuration's names go first, also when it takes one later. */
static void test_configured(void **state)
{
	struct job job = world_job("api", WWW);
	struct err e;

	(void)state;
	world_set("web", "192.0.2.1");
	world_set("api", "192.0.2.3");
	world_tag("web", R("www") "," R("w") DROP);
	configure("*.example.com");
	config.jobs[0] = job;
	config.jobs_n = 1;
	start_with(&job, 1);
	expect(WWW, "192.0.2.3");
	assert_int_equal(discovery_refused_n(&world_watch.discovery), 1);
	(void)snprintf(config.jobs[0].name, NAME_CAP, "w.example.com");
	assert_int_equal(watch_set_jobs(&world_watch, config.jobs, 1, &e), 0);
	watch_discover_by(&world_watch, &config);
	world_run(5000);
	expect("w.example.com", "192.0.2.3");
	assert_false(find("w.example.com")->is_discovered);
	assert_string_equal(find(WWW)->job.service, "web");
}

/* What the configuration reads anew leaves discovered names alone. */
static void test_reload(void **state)
{
	struct err e;

	(void)state;
	world_set("web", "192.0.2.1");
	world_tag("web", R("www") "," R("w") DROP);
	start();
	assert_int_equal(watch_set_jobs(&world_watch, NULL, 0, &e), 0);
	watch_discover_by(&world_watch, &config);
	world_clear();
	world_run(5000);
	expect(WWW, "192.0.2.1");
	assert_int_equal(world.writes, 0);
	world_set("web", "192.0.2.2");
	world_run(5000);
	expect(WWW, "192.0.2.2");
	/* What is not allowed any more stays as it is, from then on, Consul or not. */
	configure("w.example.com");
	world.consul_is_away = true;
	assert_int_equal(watch_set_jobs(&world_watch, NULL, 0, &e), 0);
	watch_discover_by(&world_watch, &config);
	assert_null(find(WWW));
	assert_non_null(find("w.example.com"));
	world.consul_is_away = false;
	world_set("web", "192.0.2.4");
	world_run(60000);
	expect(WWW, "192.0.2.2");
	expect("w.example.com", "192.0.2.4");
	configure("*.example.com");
	assert_int_equal(watch_set_jobs(&world_watch, NULL, 0, &e), 0);
	watch_discover_by(&world_watch, &config);
	world_run(5000);
	expect(WWW, "192.0.2.4");
}

/* An answer that is old, or not whole, says nothing of who is there. */
static void test_no_answer(void **state)
{
	static const char *const headers[] = {"X-Cache: HIT\nAge: 3\n", "X-Consul-Effective-Consistency: stale\n",
					      "X-Consul-LastContact: 60000\n"};

	(void)state;
	world_set("web", "192.0.2.1");
	world_set("api", "192.0.2.3");
	world_tag("web", R("www") DROP);
	start();
	for (size_t i = 0; i < COUNT(headers); i++) {
		world.catalog_headers = headers[i];
		world_tag("web", "");
		world_tag("api", R("www"));
		world_run(100000);
		assert_string_equal(find(WWW)->job.service, "web");
		assert_int_equal(find(WWW)->left_ms, 0);
		world_tag("web", R("www") DROP);
		world_tag("api", "");
		world.catalog_headers = NULL;
		world_run(100000);
	}
	world.consul_refuses = true;
	world_run(200000);
	expect(WWW, "192.0.2.1");
	assert_false(watch_is_healthy(&world_watch, world.now_ms));
	world.consul_refuses = false;
	world_run(100000);
	assert_true(watch_is_healthy(&world_watch, world.now_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_comes, world_set_up),
		cmocka_unit_test_setup(test_changes, world_set_up),
		cmocka_unit_test_setup(test_tag_goes, world_set_up),
		cmocka_unit_test_setup(test_tag_goes_and_removes, world_set_up),
		cmocka_unit_test_setup(test_grace, world_set_up),
		cmocka_unit_test_setup(test_comes_back_while_it_is_removed, world_set_up),
		cmocka_unit_test_setup(test_service_vanishes, world_set_up),
		cmocka_unit_test_setup(test_conflict, world_set_up),
		cmocka_unit_test_setup(test_conflict_at_the_start, world_set_up),
		cmocka_unit_test_setup(test_bad_tags, world_set_up),
		cmocka_unit_test_setup(test_status, world_set_up),
		cmocka_unit_test_setup(test_no_catalog, world_set_up),
		cmocka_unit_test_setup(test_held_in_the_midst, world_set_up),
		cmocka_unit_test_setup(test_configured, world_set_up),
		cmocka_unit_test_setup(test_reload, world_set_up),
		cmocka_unit_test_setup(test_no_answer, world_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
