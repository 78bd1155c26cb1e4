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

static void test_read(void **state)
{
	static const char *const bad[] = {"",
					  "[]",
					  "{}",
					  "{\"ID\":\"a\",\"Service\":\"w\"}",
					  "{\"ID\":7,\"Service\":\"w\",\"Address\":\"\"}",
					  "{\"ID\":\"a\",\"Service\":\"w\",\"Address\":\"\",\"Port\":65536}",
					  "{\"ID\":\"a\",\"Service\":\"w\",\"Address\":\"\",\"Port\":-1}"};
	struct consul_instance i = {.port = 1};
	struct err e = {0};

	(void)state;
	assert_int_equal(
		consul_instance_read(answered(200, "{\"ID\":\"w-1\",\"Service\":\"w\",\"Address\":\"192.0.2.1\",\"Port\":65535}"),
				     &i, &e),
		0);
	assert_string_equal(i.id, "w-1");
	assert_string_equal(i.service, "w");
	assert_string_equal(i.address, "192.0.2.1");
	assert_int_equal(i.port, 65535);
	assert_int_equal(consul_instance_read(answered(200, "{\"ID\":\"w-1\",\"Service\":\"w\",\"Address\":\"\"}"), &i, &e), 0);
	assert_int_equal(i.port, 0);
	for (size_t k = 0; k < COUNT(bad); k++) {
		i.port = 7;
		CHECK(consul_instance_read(answered(200, bad[k]), &i, &e) == -1 && e.kind == ERR_PROTO && i.port == 7, "%s",
		      bad[k]);
	}
}

/* The host is its own text, whatever it is made of. */
static void test_own_target(void **state)
{
	char text[2048];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	consul_instance_own_target(&b, "a.b+c");
	assert_string_equal(text, "/v1/agent/services?filter=ID%20matches%20%60-a%5C.b%5C%2Bc%24%60");
	assert_true(buf_ok(&b));
	buf_reset(&b);
	consul_instance_own_target(
		&b,
		"................................................................................................................"
		"................................................................................................................"
		"....................................");
	assert_false(buf_ok(&b));
}

static void test_own(void **state)
{
	static const struct {
		const char *body, *id; /* NULL: refused */
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{"{\"w-h\":{\"ID\":\"w-h\"}}", "w-h", ERR_NONE, ""},
		{"{}", NULL, ERR_CONFIG, "no service of this host: name it by --id"},
		{"{\"w-h\":{\"ID\":\"w-h\"},\"v-h\":{\"ID\":\"v-h\"}}", NULL, ERR_CONFIG, "--id w-h, --id v-h"},
		{"{\"w-h\":{}}", NULL, ERR_PROTO, "without ID"},
		{"[]", NULL, ERR_PROTO, "not a list of services"},
		{"", NULL, ERR_PROTO, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char id[CONSUL_ID_CAP] = "untouched";
		struct err e = {0};
		int rc = consul_instance_own_read(answered(200, cases[i].body), id, &e);

		CHECK(rc == (cases[i].id ? 0 : -1) && e.kind == cases[i].kind && strstr(e.text, cases[i].words), "%s: %s",
		      cases[i].body, e.text);
		CHECK(!strcmp(id, cases[i].id ? cases[i].id : "untouched"), "%s: %s", cases[i].body, id);
	}
}

static void test_state(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum instance_state want; /* INSTANCE_STATES: refused */
		enum err_kind kind;
	} cases[] = {
		{200, "passing", INSTANCE_PASSING, ERR_NONE},
		{200, "passing\n", INSTANCE_PASSING, ERR_NONE},
		{429, "warning", INSTANCE_WARNING, ERR_NONE},
		{503, "critical", INSTANCE_CRITICAL, ERR_NONE},
		{503, "maintenance", INSTANCE_MAINTENANCE, ERR_NONE},
		{503, "no leader", INSTANCE_STATES, ERR_RETRY},
		{200, "{}", INSTANCE_STATES, ERR_RETRY},
		{200, "", INSTANCE_STATES, ERR_RETRY},
		{200, "maintenance and so much more than any word that there is of Consul's", INSTANCE_STATES, ERR_RETRY},
		{404, "ServiceId w not found", INSTANCE_STATES, ERR_REFUSED},
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
		cmocka_unit_test(test_read),  cmocka_unit_test(test_own_target), cmocka_unit_test(test_own),
		cmocka_unit_test(test_state), cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
