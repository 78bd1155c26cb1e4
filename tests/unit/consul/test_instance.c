#include "consul/instance.h"

#include "support.h"

static struct consul_answer answer;

static const struct consul_answer *answered(int status, const char *body)
{
	answer.status = status;
	answer.len = strlen(body);
	memcpy(answer.body, body, answer.len + 1);
	return &answer;
}

#define ONE(id, more) "{\"ID\":\"" id "\",\"Service\":\"w\",\"Address\":\"192.0.2.1\"" more "}"

static const struct {
	const char *body;
	const char *id; /* NULL: refused */
	int port;
	enum err_kind kind;
	const char *words;
} lists[] = {
	{"{\"w-h\":" ONE("w-h", ",\"Port\":65535") "}", "w-h", 65535, ERR_NONE, ""},
	{"{\"w-h\":" ONE("w-h", "") "}", "w-h", 0, ERR_NONE, ""},
	{"{}", "", 0, ERR_NONE, ""},
	{"{\"w-h\":" ONE("w-h", "") ",\"v-h\":" ONE("v-h", "") "}", NULL, 0, ERR_CONFIG, "--id w-h, --id v-h"},
	{"{\"w-h\":" ONE("w-h", "") ",\"v-h\":{}}", NULL, 0, ERR_PROTO, "not a list of services"},
	{"{\"w-h\":" ONE("w-h", ",\"Port\":65536") "}", NULL, 0, ERR_PROTO, "not a list of services"},
	{"{\"w-h\":" ONE("w-h", ",\"Port\":-1") "}", NULL, 0, ERR_PROTO, "not a list of services"},
	{"{\"w-h\":{\"ID\":\"a\",\"Service\":\"w\"}}", NULL, 0, ERR_PROTO, "not a list of services"},
	{"{\"w-h\":7}", NULL, 0, ERR_PROTO, "not a list of services"},
	{"[]", NULL, 0, ERR_PROTO, "not a list of services"},
	{"", NULL, 0, ERR_PROTO, ""},
};

static void test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct consul_instance one = {.id = "untouched"};
		struct err e = {0};
		int rc = consul_instance_read(answered(200, lists[i].body), &one, &e);

		CHECK(rc == (lists[i].id ? 0 : -1) && e.kind == lists[i].kind && strstr(e.text, lists[i].words), "%s: %s",
		      lists[i].body, e.text);
		CHECK(!strcmp(one.id, lists[i].id ? lists[i].id : "untouched") && one.port == lists[i].port, "%s: %s",
		      lists[i].body, one.id);
		CHECK(!lists[i].id || !*one.id || (!strcmp(one.service, "w") && !strcmp(one.address, "192.0.2.1")), "%s",
		      lists[i].body);
	}
}

/* The host is its own text, whatever it is made of. */
static void test_target(void **state)
{
	char text[256];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	consul_instance_target(&b, "a.b+c", true);
	assert_string_equal(text, "/v1/agent/services?filter=ID%20matches%20%60-%5CQa.b%2Bc%5CE%24%60");
	buf_reset(&b);
	consul_instance_target(&b, "a.b c", false);
	assert_string_equal(text, "/v1/agent/services?filter=ID%20%3D%3D%20%60a.b%20c%60");
}

static void test_state(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum instance_state want; /* INSTANCE_STATES: refused */
		enum err_kind kind;
	} cases[] = {
		{200, "passing", INSTANCE_PASSING, ERR_NONE},          {200, "passing\n", INSTANCE_PASSING, ERR_NONE},
		{429, "warning", INSTANCE_CRITICAL, ERR_NONE},         {503, "critical", INSTANCE_CRITICAL, ERR_NONE},
		{503, "maintenance", INSTANCE_MAINTENANCE, ERR_NONE},  {503, "no leader", INSTANCE_STATES, ERR_RETRY},
		{502, "<html>", INSTANCE_STATES, ERR_RETRY},           {500, "", INSTANCE_STATES, ERR_RETRY},
		{404, "passing", INSTANCE_STATES, ERR_REFUSED},        {404, "ServiceId w not found", INSTANCE_STATES, ERR_REFUSED},
		{403, "Permission denied", INSTANCE_STATES, ERR_AUTH},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum instance_state out = INSTANCE_STATES;
		struct err e = {0};
		int rc = consul_instance_state_read(answered(cases[i].status, cases[i].body), &out, &e);

		CHECK(out == cases[i].want && rc == (e.kind ? -1 : 0) && e.kind == cases[i].kind, "%d %s: %s", cases[i].status,
		      cases[i].body, e.text);
	}
}

static void test_place(void **state)
{
	static const struct job job = {.datacenter = "dc2"};
	struct consul_place place;
	struct err e = {0};
	char text[1024];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	consul_instance_place_target(&b, "w", "w 1", &job);
	assert_string_equal(text, "/v1/catalog/service/w?filter=ServiceID%20%3D%3D%20%60w%201%60&dc=dc2");
	assert_int_equal(consul_instance_place_read(answered(200, "[{\"Node\":\"n\",\"Address\":\"10.0.0.1\"}]"), &place, &e), 0);
	assert_string_equal(place.node, "n");
	assert_string_equal(place.address, "10.0.0.1");
	assert_int_equal(consul_instance_place_read(answered(200, "[]"), &place, &e), 0);
	assert_string_equal(place.node, "");
	assert_int_equal(consul_instance_place_read(answered(200, "[{\"Node\":\"n\"}]"), &place, &e), -1);
	assert_int_equal(consul_instance_place_read(answered(200, "{}"), &place, &e), -1);
	assert_int_equal(e.kind, ERR_PROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
