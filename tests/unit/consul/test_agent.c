/* consul/agent: what an agent is told and asked, byte by byte; what it holds of a maintenance. */
#include "support.h"

#include "consul/agent.h"

static const char *const tags[] = {"a", "b\"\n"};
static const struct consul_meta metas[] = {{"k", "v"}, {"l", ""}};

static const struct {
	struct consul_service service;
	enum instance_state state;
	const char *body;
} bodies[] = {
	{{.id = "a-h", .name = "a", .ttl_sec = 25},
	 INSTANCE_PASSING,
	 "{\"ID\":\"a-h\",\"Name\":\"a\",\"Check\":{\"TTL\":\"25s\",\"Status\":\"passing\"}}"},
	{{.id = "a-h", .name = "a", .address = "", .ttl_sec = 30, .gone_sec = 600},
	 INSTANCE_CRITICAL,
	 "{\"ID\":\"a-h\",\"Name\":\"a\",\"Check\":{\"TTL\":\"30s\",\"Status\":\"critical\",\"DeregisterCriticalServiceAfter\":"
	 "\"600s\"}}"},
	{{.id = "a-h",
	  .name = "a",
	  .address = "::1",
	  .port = 65535,
	  .tags = tags,
	  .tags_n = 2,
	  .metas = metas,
	  .metas_n = 2,
	  .has_tag_override = true,
	  .ttl_sec = 1},
	 INSTANCE_WARNING,
	 "{\"ID\":\"a-h\",\"Name\":\"a\",\"Address\":\"::1\","
	 "\"Port\":65535,\"Tags\":[\"a\",\"b\\\"\\u000a\"],\"Meta\":{\"k\":\"v\","
	 "\"l\":\"\"},\"EnableTagOverride\":true,\"Check\":{\"TTL\":\"1s\",\"Status\":\"warning\"}}"},
};

static void test_register(void **state)
{
	char text[512];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		buf_init(&b, text, sizeof text);
		consul_agent_register_body(&b, &bodies[i].service, bodies[i].state);
		assert_true(buf_ok(&b));
		assert_string_equal(text, bodies[i].body);
	}
}

static void test_targets(void **state)
{
	char text[512];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	consul_agent_maintenance_target(&b, "a b", true, "why & so");
	assert_string_equal(text, "/v1/agent/service/maintenance/a%20b?enable=true&reason=why%20%26%20so");
	buf_reset(&b);
	consul_agent_maintenance_target(&b, "a", false, "why");
	assert_string_equal(text, "/v1/agent/service/maintenance/a?enable=false");
	buf_reset(&b);
	consul_agent_look_target(&b, "a/b");
	assert_string_equal(text, "/v1/agent/service/a%2Fb");
	buf_reset(&b);
	consul_agent_find_maintenance_target(&b, "a");
	assert_string_equal(text, "/v1/agent/checks?filter=CheckID%20%3D%3D%20%60_service_maintenance%3Aa%60");
}

static const struct {
	const char *body, *reason;
} answers[] = {
	{"{}", ""},
	{"{\"_service_maintenance:a\":{\"CheckID\":\"_service_maintenance:a\",\"Notes\":\"why\"}}", "why"},
	{"{\n \"x\": {\n \"Output\": \"o\", \"Notes\": \"a\\\"b\" } }\n", "a\"b"},
	{"{\"x\":{\"Notes\":7}}", ""},
	{"{\"x\":{\"Notes\":\"longer than there is room for\"}}", ""},
	{"{\"x\":{}}", ""},
	{"{\"x\":null}", ""},
	{"[{\"Notes\":\"why\"}]", ""},
	{"{\"x\":{\"Notes\":\"why\"", ""}, /* cut */
	{"Bad request", ""},
	{"", ""},
};

static void test_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		char reason[16] = "before";

		consul_agent_maintenance_reason(answers[i].body, strlen(answers[i].body), reason, sizeof reason);
		CHECK(strcmp(reason, answers[i].reason) == 0, "%s: %s", answers[i].body, reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
