/*
 * run/service: address, check and registration together, by a clock of the test's: addresses and
 * checks are what the test says, the agent is engine/agent.h's. The module is compiled a second time.
 */
#include "support.h"

#include "engine/agent.h"

#include "base/clock.h"
#include "base/log.h"
#include "run/check.h"

#define interfaces_list scene_interfaces
#define tls_reserve scene_tls_reserve
#define check_init scene_check_init
#define check_start scene_check_start
#define check_step scene_check_step
#define check_wants scene_check_wants
#define check_stop scene_check_stop
#define check_is_dying scene_check_is_dying
#define service_examine tested_examine
#define service_init tested_service_init
#define service_start tested_service_start
#define service_step tested_service_step
#define service_wants tested_service_wants
#define service_set_maintenance tested_set_maintenance
#define service_is_maintenance_settled tested_is_maintenance_settled
#define service_reload tested_reload
#define service_leave tested_leave
#define service_is_over tested_service_is_over
#define service_give_up tested_give_up
#define service_wants_secrets tested_wants_secrets
static int scene_interfaces(struct interface_address *out, size_t cap, size_t *n, struct err *e);
static int scene_tls_reserve(struct tls_storage **t, struct err *e);
static int scene_check_init(struct check *c, const struct run_check *setup, const struct tls_config *tls, struct err *e);
static void scene_check_start(struct check *c, int64_t now_ms);
static bool scene_check_step(struct check *c, int64_t now_ms);
static void scene_check_wants(const struct check *c, struct loop_wait *w);
static void scene_check_stop(struct check *c);
static bool scene_check_is_dying(const struct check *c);
#include "run/service.c" /* NOLINT(bugprone-suspicious-include) */

/* ---- what there is ---- */

static struct {
	const char *addresses; /* IPv4 of eth0, with blanks between */
	bool passes, hangs, is_dying, is_stopped, is_broken;
	const char *output; /* NULL: another each time */
	unsigned starts;
	int64_t rest_ms; /* of a check; 0: the interval */
	size_t storages_n;
} scene;

static int scene_interfaces(struct interface_address *out, size_t cap, size_t *n, struct err *e)
{
	const char *at = scene.addresses;
	unsigned p[4];
	int used;

	(void)cap;
	(void)e;
	*n = 0;
	while (sscanf(at, "%u.%u.%u.%u%n", &p[0], &p[1], &p[2], &p[3], &used) == 4) {
		struct interface_address *a = &out[(*n)++];

		memset(a, 0, sizeof *a);
		(void)strcpy(a->name, "eth0");
		a->bytes[10] = a->bytes[11] = 0xff;
		for (size_t i = 0; i < 4; i++)
			a->bytes[12 + i] = (unsigned char)p[i];
		at += used;
	}
	return 0;
}

static int scene_tls_reserve(struct tls_storage **t, struct err *e)
{
	static struct tls_storage storages[2];

	(void)e;
	if (!*t) {
		assert_true(scene.storages_n < COUNT(storages));
		*t = &storages[scene.storages_n++];
	}
	return 0;
}

static int scene_check_init(struct check *c, const struct run_check *setup, const struct tls_config *tls, struct err *e)
{
	if (setup->url.scheme == URL_HTTPS)
		assert_int_equal(scene_tls_reserve(&c->tls, e), 0);
	(void)tls;
	if (scene.is_broken)
		return err_set(e, ERR_SYS, "no memory for TLS");
	c->setup = setup;
	c->next_ms = CLOCK_NEVER;
	return 0;
}

static void scene_check_start(struct check *c, int64_t now_ms)
{
	scene.starts++;
	scene.is_stopped = false;
	c->begun_ms = c->next_ms = now_ms;
}

static bool scene_check_step(struct check *c, int64_t now_ms)
{
	if (scene.hangs || scene.is_stopped || now_ms < c->next_ms)
		return false;
	c->next_ms = now_ms + (scene.rest_ms ? scene.rest_ms : c->setup->interval_ms);
	c->has_result = true;
	c->is_passing = scene.passes;
	c->runs++;
	(void)snprintf(c->output, sizeof c->output, "%s %u", scene.output ? scene.output : "news",
		       scene.output ? 0 : (unsigned)c->runs);
	return true;
}

static void scene_check_wants(const struct check *c, struct loop_wait *w)
{
	if (!scene.hangs && !scene.is_stopped)
		loop_wait_until(w, c->next_ms);
}

static void scene_check_stop(struct check *c)
{
	(void)c;
	scene.is_stopped = true;
}

static bool scene_check_is_dying(const struct check *c)
{
	(void)c;
	return scene.is_dying;
}

/* ---- one service ---- */

static struct service service;
static struct run_service setups[2];
static struct http_origin origin;
static const struct service_world world = {.consul = &origin, .consul_headers = "", .timeout_ms = 10000};

static int set_up(void **state)
{
	(void)state;
	agent_init();
	memset(&service, 0, sizeof service);
	memset(&scene, 0, sizeof scene);
	scene.addresses = "192.0.2.1";
	scene.output = "fine";
	scene.passes = true;
	for (size_t i = 0; i < COUNT(setups); i++) {
		struct err e;

		setups[i] = (struct run_service){
			.name = "web", .port = 80, .ttl_sec = 25, .check = {.interval_ms = 10000, .timeout_ms = 5000}};
		setups[i].interfaces_from = "the test";
		assert_int_equal(interface_rules_add(&setups[i].interfaces, "eth0", &e), 0);
	}
	log_setup(LOG_LOGFMT, LOG_INFO);
	return 0;
}

static void init(void)
{
	struct err e = {0};

	CHECK(service_init(&service, &setups[0], &world, &e) == 0, "%s", e.text);
}

static void run(int64_t ms)
{
	const int64_t end_ms = agent_now_ms + ms;

	for (unsigned steps = 0;; steps++) {
		struct loop_wait w = {.wake_ms = CLOCK_NEVER};

		CHECK(steps < 10000, "it never rests: %.200s", agent.story);
		service_wants(&service, &w);
		if (w.wake_ms > end_ms)
			break;
		agent_now_ms = w.wake_ms > agent_now_ms ? w.wake_ms : agent_now_ms;
		service_step(&service, agent_now_ms);
	}
	agent_now_ms = end_ms;
}

static void begin(void)
{
	init();
	service_start(&service, agent_now_ms);
	run(0);
}

static size_t count(const char *word)
{
	size_t n = 0;

	for (const char *s = agent.story; (s = strstr(s, word)); s++)
		n++;
	return n;
}

static void do_run(void *ms)
{
	run(*(int64_t *)ms);
}

/* What is logged meanwhile. */
static const char *logged(int64_t ms)
{
	return test_stderr(do_run, &ms);
}

/* ---- the beginning ---- */

static void test_it_is_wanted_at_once(void **state)
{
	(void)state;
	begin();
	assert_string_equal(agent.story, "register report find look");
	assert_string_equal(agent.seen, "passing");
	assert_non_null(strstr(agent.description, "\"Address\":\"192.0.2.1\",\"Port\":80,"));
	assert_non_null(strstr(agent.description, "\"TTL\":\"25s\""));
	assert_null(strstr(agent.description, "DeregisterCritical"));
	assert_string_equal(agent.output, "fine 0");
}

static void test_it_begins_as_critical(void **state)
{
	(void)state;
	scene.passes = false;
	begin();
	assert_string_equal(agent.seen, "critical");
}

static void test_a_check_that_takes_its_time(void **state)
{
	(void)state;
	scene.hangs = true;
	begin();
	run(SERVICE_FIRST_MS - 1);
	assert_string_equal(agent.story, "");
	run(1);
	assert_string_equal(agent.seen, "critical");
	assert_string_equal(agent.output, "no check has ended yet");
	scene.hangs = false;
	run(0);
	assert_string_equal(agent.seen, "critical passing");
}

static void test_nothing_before_the_start(void **state)
{
	(void)state;
	init();
	run(100000);
	assert_string_equal(agent.story, "");
	service_leave(&service, agent_now_ms);
	assert_true(service_is_over(&service));
}

static void test_no_address(void **state)
{
	struct err e;

	(void)state;
	scene.addresses = "";
	assert_int_equal(service_init(&service, &setups[0], &world, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_memory_equal(e.text, "service web (the test): ", 24);
	assert_int_equal(service_examine(&setups[0], &e), -1);
}

static void test_too_much_metadata(void **state)
{
	static char value[SERVICE_BODY_CAP];
	struct err e;
	size_t least = 0, most = sizeof value;

	(void)state;
	setups[0].metas_n = 1;
	setups[0].metas[0] = (struct consul_meta){"k", value};
	while (most - least > 1) {
		size_t n = (least + most) / 2;

		memset(value, 0, sizeof value);
		memset(value, 'x', n - 1);
		if (service_examine(&setups[0], &e))
			most = n;
		else
			least = n;
	}
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.text, "service web: tags and metadata are longer than"));
	assert_in_range(least, 30000, SERVICE_BODY_CAP);
	/* The longest that may be, can be. */
	memset(value, 0, sizeof value);
	memset(value, 'x', least - 1);
	begin();
	assert_true(agent.has_service);
}

/* ---- reports ---- */

static const struct {
	uint32_t ttl_sec;
	int64_t interval_ms, report_ms;
} paces[] = {{25, 10000, 10000}, {10, 10000, 5000}, {25, 60000, 12500}, {1, 1000, 500}, {25, 1000, 1000}};

static void test_how_often_it_is_reported(void **state)
{
	for (size_t i = 0; i < COUNT(paces); i++) {
		(void)set_up(state);
		setups[0].ttl_sec = paces[i].ttl_sec;
		setups[0].check.interval_ms = paces[i].interval_ms;
		begin();
		agent_clear();
		run(paces[i].report_ms * 3);
		CHECK(count("report") == 3, "%zu: %s", i, agent.story);
	}
}

static void test_a_check_that_hangs_holds_up_nothing(void **state)
{
	(void)state;
	begin();
	scene.hangs = true;
	agent_clear();
	run(60000);
	assert_int_equal(count("report"), 6);
	assert_string_equal(agent.seen, "passing");
}

/* Also with an output that is another each time. */
static void test_an_hour(void **state)
{
	size_t calls = 0;

	(void)state;
	scene.output = NULL;
	begin();
	service.check.next_ms += 3000;
	for (int i = 0; i < 60; i++) {
		agent_clear();
		run(60000);
		assert_int_equal(count("register"), 0);
		calls += count("report") + count("find") + count("look");
	}
	assert_in_range(calls, 502, 506);
}

static void test_what_changes_is_told_at_once(void **state)
{
	(void)state;
	begin();
	run(9000);
	agent_clear();
	scene.passes = false;
	run(1000);
	assert_string_equal(agent.seen, "passing critical");
}

/* ---- addresses ---- */

static void test_another_address(void **state)
{
	(void)state;
	begin();
	agent_clear();
	scene.addresses = "192.0.2.2";
	assert_non_null(strstr(logged(10000), "msg=\"address changed\" service=web from=192.0.2.1 to=192.0.2.2"));
	assert_non_null(strstr(agent.description, "192.0.2.2"));
	assert_string_equal(agent.seen, "passing");
	assert_int_equal(count("register"), 1);
	run(100000);
	assert_int_equal(count("register"), 1);
}

static void test_an_address_that_is_gone(void **state)
{
	const char *text;

	(void)state;
	begin();
	agent_clear();
	scene.addresses = "";
	text = logged(60000);
	text = strstr(text, "msg=\"address lost\" kept=192.0.2.1");
	assert_non_null(text);
	assert_null(strstr(text + 10, "address lost")); /* once */
	assert_int_equal(count("register"), 0);
	scene.addresses = "192.0.2.1";
	run(20000);
	assert_int_equal(count("register"), 0);
	scene.addresses = "";
	assert_non_null(strstr(logged(10000), "address lost"));
	scene.addresses = "192.0.2.3";
	run(10000);
	assert_int_equal(count("register"), 1);
}

/* It needs none: registered without, until there is one. */
static void test_it_may_lack_an_address(void **state)
{
	const char *text;

	(void)state;
	setups[0].may_lack_address = true;
	scene.addresses = "";
	assert_int_equal(service_examine(&setups[0], &(struct err){0}), 0);
	begin();
	assert_string_equal(agent.status, "passing");
	assert_null(strstr(agent.description, "Address"));
	assert_string_equal(logged(60000), "");
	scene.addresses = "192.0.2.1";
	text = logged(10000);
	assert_non_null(strstr(text, "msg=\"address changed\""));
	assert_non_null(strstr(agent.description, "192.0.2.1"));
}

static void do_init(void *unused)
{
	(void)unused;
	init();
}

static void test_the_lack_of_an_address_is_told(void **state)
{
	const char *text;

	(void)state;
	setups[0].may_lack_address = true;
	scene.addresses = "";
	text = strstr(test_stderr(do_init, NULL), "level=warn msg=\"registered without an address\" error=\"");
	assert_non_null(text);
	assert_non_null(strstr(text, "no address for eth0: there is no interface"));
}

/* ---- another configuration ---- */

static int reload(struct run_service *setup, struct err *e)
{
	*e = (struct err){0};
	return service_reload(&service, setup, agent_now_ms, e);
}

static void test_reload(void **state)
{
	struct err e;

	(void)state;
	begin();
	agent_clear();
	assert_int_equal(reload(&setups[1], &e), 0);
	run(0);
	assert_int_equal(count("register"), 0); /* nothing has changed */
	agent_clear();
	setups[0].tags[0] = "blue";
	setups[0].tags_n = 1;
	setups[0].port = 81;
	setups[0].check.interval_ms = 5000;
	scene.hangs = true; /* the new check has not come to anything yet */
	assert_int_equal(reload(&setups[0], &e), 0);
	run(0);
	assert_string_equal(agent.story, "register report find look");
	assert_string_equal(agent.seen, "passing");
	assert_non_null(strstr(agent.description, "\"Port\":81,\"Tags\":[\"blue\"]"));
	assert_int_equal(scene.starts, 3);
	agent_clear();
	run(50000);
	assert_int_equal(count("report"), 10);
}

static void test_a_reload_that_is_no_good(void **state)
{
	struct err e;

	(void)state;
	begin();
	setups[1].interfaces.n = 0;
	assert_int_equal(interface_rules_add(&setups[1].interfaces, "eth9", &e), 0);
	assert_int_equal(reload(&setups[1], &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_ptr_equal(service.setup, &setups[0]);
	assert_ptr_equal(service.check.setup, &setups[0].check);
	assert_int_equal(scene.starts, 1);
	agent_clear();
	run(10000);
	assert_string_equal(agent.story, "report");
}

static void test_another_name(void **state)
{
	struct err e;

	(void)state;
	begin();
	agent_clear();
	(void)strcpy(setups[1].name, "api");
	assert_int_equal(reload(&setups[1], &e), 0);
	run(0);
	assert_memory_equal(agent.story, "leave register", 14);
	assert_non_null(strstr(agent.description, "\"Name\":\"api\""));
	assert_string_equal(agent.status, "passing");
}

/* Taken out of the configuration, and back before it has left. */
static void test_back_again(void **state)
{
	struct err e;

	(void)state;
	begin();
	service_leave(&service, agent_now_ms);
	assert_int_equal(reload(&setups[1], &e), 0);
	agent_clear();
	run(0);
	assert_string_equal(agent.story, "leave register report find look");
	assert_string_equal(agent.status, "passing");
	scene.addresses = "192.0.2.2";
	run(10000);
	assert_non_null(strstr(agent.description, "192.0.2.2"));
}

static void test_many_reloads(void **state)
{
	struct err e;

	(void)state;
	begin();
	agent_clear();
	for (int i = 0; i < 300; i++) {
		assert_int_equal(reload(&setups[i % 2], &e), 0);
		agent.story[0] = '\0';
		run(i % 30);
	}
	assert_string_equal(agent.seen, "passing");
}

/* ---- maintenance, and the end ---- */

static void test_maintenance(void **state)
{
	(void)state;
	begin();
	service_set_maintenance(&service, true, REGISTRATION_REASON ": stopping");
	assert_false(service_is_maintenance_settled(&service));
	run(0);
	assert_true(service_is_maintenance_settled(&service));
	assert_string_equal(agent.maintenance, "dnsbuddy run: stopping");
}

static void test_leaving(void **state)
{
	(void)state;
	begin();
	scene.is_dying = true;
	service_leave(&service, agent_now_ms);
	assert_true(scene.is_stopped);
	run(0);
	assert_false(agent.has_service);
	assert_false(service_is_over(&service));
	scene.is_dying = false;
	assert_true(service_is_over(&service));
	agent_clear();
	scene.addresses = "192.0.2.9";
	assert_string_equal(logged(100000), "");
	assert_string_equal(agent.story, "");
}

/* What a service reserved for TLS is its successor's, in the same place, however often. */
static void test_one_after_another(void **state)
{
	(void)state;
	origin.url.scheme = setups[0].check.url.scheme = URL_HTTPS;
	for (int i = 0; i < 10; i++) {
		agent.story[0] = agent.seen[0] = '\0';
		begin();
		assert_string_equal(agent.status, "passing");
		assert_int_equal(service.check.runs, 1);
		service_leave(&service, agent_now_ms);
		run(1000);
		assert_true(service_is_over(&service));
	}
	assert_int_equal(scene.storages_n, 2);
	origin.url.scheme = URL_HTTP;
}

/* ---- what is said ---- */

static const char *logged_begin(void)
{
	init();
	service_start(&service, agent_now_ms);
	return logged(0);
}

static void test_said_at_the_start(void **state)
{
	const char *text;

	(void)state;
	text = logged_begin();
	assert_non_null(strstr(text, "msg=healthy service=web output=\"fine 0\""));
	assert_non_null(strstr(text, "msg=\"registered in Consul\" service=web id=web-"));
	assert_string_equal(logged(600000), "");
}

static void test_failing_at_first_is_not_worth_a_word(void **state)
{
	(void)state;
	scene.passes = false;
	scene.rest_ms = 1000;
	assert_null(strstr(logged_begin(), "unhealthy"));
	assert_string_equal(logged(8999), "");
	assert_non_null(strstr(logged(1), "msg=unhealthy")); /* the next would come after the interval */
	assert_string_equal(logged(60000), "");
	scene.passes = true;
	assert_non_null(strstr(logged(10000), "msg=healthy"));
	scene.passes = false;
	assert_non_null(strstr(logged(10000), "level=warn msg=unhealthy"));
}

static void test_said_of_consul(void **state)
{
	const char *text;

	(void)state;
	begin();
	agent.is_away = true;
	text = strstr(logged(60000), "level=warn msg=\"Consul cannot be told\"");
	assert_non_null(text);
	assert_null(strchr(strchr(text, '\n') + 1, '\n'));
	agent.is_away = false;
	assert_non_null(strstr(logged(10000), "msg=\"Consul is back\""));
	agent_forget();
	text = logged(10000);
	assert_non_null(strstr(text, "level=warn msg=\"Consul does not know us any more\""));
	assert_non_null(strstr(text, "msg=\"registered in Consul\""));
	agent.hash++;
	assert_non_null(strstr(logged(60000), "level=warn msg=\"somebody else registered as we are\" service=web"));
	service_leave(&service, agent_now_ms);
	assert_non_null(strstr(logged(0), "msg=deregistered service=web"));
}

static void test_secrets_are_wanted(void **state)
{
	(void)state;
	begin();
	assert_false(service_wants_secrets(&service));
	agent.refuses = 403;
	run(60000);
	assert_true(service_wants_secrets(&service));
	agent.refuses = 0;
	run(10000);
	assert_false(service_wants_secrets(&service));
	agent.is_away = true;
	run(60000);
	assert_false(service_wants_secrets(&service));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_it_is_wanted_at_once, set_up),
		cmocka_unit_test_setup(test_it_begins_as_critical, set_up),
		cmocka_unit_test_setup(test_a_check_that_takes_its_time, set_up),
		cmocka_unit_test_setup(test_nothing_before_the_start, set_up),
		cmocka_unit_test_setup(test_no_address, set_up),
		cmocka_unit_test_setup(test_too_much_metadata, set_up),
		cmocka_unit_test_setup(test_how_often_it_is_reported, set_up),
		cmocka_unit_test_setup(test_a_check_that_hangs_holds_up_nothing, set_up),
		cmocka_unit_test_setup(test_an_hour, set_up),
		cmocka_unit_test_setup(test_what_changes_is_told_at_once, set_up),
		cmocka_unit_test_setup(test_another_address, set_up),
		cmocka_unit_test_setup(test_an_address_that_is_gone, set_up),
		cmocka_unit_test_setup(test_it_may_lack_an_address, set_up),
		cmocka_unit_test_setup(test_the_lack_of_an_address_is_told, set_up),
		cmocka_unit_test_setup(test_reload, set_up),
		cmocka_unit_test_setup(test_a_reload_that_is_no_good, set_up),
		cmocka_unit_test_setup(test_another_name, set_up),
		cmocka_unit_test_setup(test_back_again, set_up),
		cmocka_unit_test_setup(test_many_reloads, set_up),
		cmocka_unit_test_setup(test_maintenance, set_up),
		cmocka_unit_test_setup(test_leaving, set_up),
		cmocka_unit_test_setup(test_one_after_another, set_up),
		cmocka_unit_test_setup(test_said_at_the_start, set_up),
		cmocka_unit_test_setup(test_failing_at_first_is_not_worth_a_word, set_up),
		cmocka_unit_test_setup(test_said_of_consul, set_up),
		cmocka_unit_test_setup(test_secrets_are_wanted, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
