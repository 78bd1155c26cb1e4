/* What run is to do, from flags, environment and file: good configurations, and what is wrong with others. */
#include "support.h"

#include "base/clock.h"
#include "config/conf.h"

#define BASE "--service|web|"

static const struct run_service *web = &conf_run.services[0];

static void read_good(const char *args, const char *env, const char *file)
{
	struct err e = {0};

	CHECK(conf_read_as(CONF_RUN, args, env, file, &e) == 0, "%s with %s: %s", args, env, e.text);
}

static void check_words(const struct run_command *c, const char *words)
{
	char text[512] = "";

	for (size_t i = 0; i < c->n; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", c->argv[i]);
	CHECK(strcmp(text, words) == 0, "%s, not %s", text, words);
	CHECK(!c->n || !c->argv[c->n], "no NULL behind %s", text);
}

static void test_defaults(void **state)
{
	(void)state;
	read_good(BASE, "", NULL);
	assert_int_equal(conf_run.services_n, 1);
	assert_int_equal(conf_run.backends_n, 0);
	assert_string_equal(web->name, "web");
	assert_int_equal(web->port, 0);
	assert_int_equal(web->tags_n + web->metas_n, 0);
	assert_int_equal(web->interfaces.n, 3);
	assert_string_equal(web->interfaces.of[0].text, "public");
	assert_string_equal(web->interfaces.of[2].text, "inet");
	assert_int_equal(web->ttl_sec, 25);
	assert_int_equal(web->gone_sec, 0);
	assert_int_equal(web->check.kind, RUN_CHECK_NONE);
	assert_int_equal(web->check.interval_ms, 10000);
	assert_int_equal(conf_run.app.n + conf_run.pre_start.n + conf_run.pre_stop.n + conf_run.post_stop.n, 0);
	assert_int_equal(conf_run.stop_timeout_ms, 5000);
	assert_false(conf_run.is_containerbuddy);
	assert_int_equal(conf.drain.way.kind, DRAIN_NONE);
	assert_int_equal(conf.drain.max_ms, 300000);
	assert_int_equal(conf.drain.settle_ms, 5000);
	assert_int_equal(conf.drain.idle_ms, 0);
	assert_false(conf.drain.resolver.is_set);
}

static void test_flags(void **state)
{
	(void)state;
	read_good(
		BASE
		"--port|80|--ttl=30|--interval|7|--tags|a, b,,c|--meta|k=v=w,x=|--interface|eth1[1], static:192.0.2.1|--pre-start|"
		" /bin/a  b\tc|--pre-stop|x|--post-stop|y|--stop-timeout|0|--deregister-after|60|--timeout|3|--|app|--flag|--|",
		"", NULL);
	assert_int_equal(web->port, 80);
	assert_int_equal(web->ttl_sec, 30);
	assert_int_equal(web->gone_sec, 60);
	assert_int_equal(web->check.interval_ms, 7000);
	assert_int_equal(web->check.timeout_ms, 3000);
	assert_int_equal(web->tags_n, 3);
	assert_string_equal(web->tags[0], "a");
	assert_string_equal(web->tags[1], "b");
	assert_string_equal(web->tags[2], "c");
	assert_int_equal(web->metas_n, 2);
	assert_string_equal(web->metas[0].key, "k");
	assert_string_equal(web->metas[0].value, "v=w");
	assert_string_equal(web->metas[1].key, "x");
	assert_string_equal(web->metas[1].value, "");
	assert_int_equal(web->interfaces.n, 2);
	assert_int_equal(web->interfaces.of[0].kind, INTERFACE_NTH);
	assert_int_equal(web->interfaces.of[1].kind, INTERFACE_STATIC);
	check_words(&conf_run.pre_start, "/bin/a|b|c|");
	check_words(&conf_run.pre_stop, "x|");
	check_words(&conf_run.post_stop, "y|");
	check_words(&conf_run.app, "app|--flag|--|");
	assert_true(conf_run.pre_start.timeout_ms == CLOCK_NEVER);
	assert_int_equal(conf_run.stop_timeout_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
