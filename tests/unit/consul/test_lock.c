/* consul/lock: sessions and the lock on a key, as servers write them with and without white space. */
#include "support.h"

#include "consul/lock.h"

static struct consul_answer answer;
static const struct job nowhere;

static const struct consul_answer *say(int status, const char *body)
{
	struct http_sink sink = consul_answer_begin(&answer);
	struct err e = {0};

	assert_int_equal(test_answer(&sink, status, "X-Consul-Index: 7\n", body, 3, &e), 0);
	return &answer;
}

static const struct {
	const char *body;
	int rc;
	bool is_ours;
} locks[] = {
	{"true", 0, true},   /* a server */
	{"true\n", 0, true}, /* an agent in -dev mode */
	{"false", 0, false},      {"false\r\n", 0, false}, {"", -1, false},       {"tru", -1, false},  {"trueish", -1, false},
	{"truefalse", -1, false}, {"\"true\"", -1, false}, {"[true]", -1, false}, {"null", -1, false}, {"{}", -1, false},
};

static void test_lock(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(locks); i++) {
		struct err e = {0};
		bool is_ours = false;
		int rc = consul_lock_read(say(200, locks[i].body), &is_ours, &e);

		CHECK(rc == locks[i].rc && (rc || is_ours == locks[i].is_ours), "%s", locks[i].body);
		CHECK(!rc || e.kind == ERR_PROTO, "%s", locks[i].body);
	}
}

#define FLAGS "\"Flags\":3304740253564472344"
#define OURS FLAGS ",\"Value\":\"ZG5zYnVkZHkgYQ==\"" /* dnsbuddy a */

static const struct {
	int status;
	const char *body;
	int rc;
	const char *holder;
	enum err_kind kind;
} holders[] = {
	{200, "[{\"LockIndex\":1," OURS ",\"Session\":\"abc\"}]", 0, "abc", 0},
	{200, "[\n  {\n    \"Session\": \"abc\",\n    " OURS "\n  }\n]\n", 0, "abc", 0},
	{200, "[{\"LockIndex\":1," OURS "}]", 0, "", 0},
	{200, "[{" FLAGS ",\"Value\":\"ZG5zYnVkZHk=\"}]", 0, "", 0}, /* the word alone */
	/* Released, acquired by hand: */
	{200, "[{\"LockIndex\":1,\"Flags\":0,\"Value\":null}]", 0, "", 0},
	{200, "[{\"LockIndex\":2,\"Flags\":0,\"Value\":\"\",\"Session\":\"abc\"}]", 0, "abc", 0},
	{404, "", 0, "", 0},
	{200, "[]", -1, "", ERR_PROTO},
	{200, "", -1, "", ERR_PROTO},
	{200, "[1]", -1, "", ERR_PROTO},
	{200, "[{" OURS ",\"Session\":7}]", -1, "", ERR_PROTO},
	{200, "[{" OURS ",\"Session\":\"0123456789012345678901234567890123456789012345678901234567890123\"}]", -1, "", ERR_PROTO},
	/* Of others: */
	{200, "[{\"Flags\":0,\"Value\":\"ZG5zYnVkZHkgYQ==\",\"Session\":\"abc\"}]", -1, "", ERR_REFUSED},
	{200, "[{\"Flags\":\"3304740253564472344\",\"Value\":\"ZG5zYnVkZHkgYQ==\"}]", -1, "", ERR_REFUSED},
	{200, "[{" FLAGS ",\"Value\":\"ZG5zYnVkZA==\",\"Session\":\"abc\"}]", -1, "", ERR_REFUSED},
	{200, "[{" FLAGS ",\"Value\":\"\"}]", -1, "", ERR_REFUSED},
	{200, "[{\"LockIndex\":0,\"Flags\":0,\"Value\":null}]", -1, "", ERR_REFUSED},
	{200, "[{\"LockIndex\":1,\"Flags\":42,\"Value\":null}]", -1, "", ERR_REFUSED}, /* somebody else's */
	{200, "[{\"LockIndex\":1,\"Flags\":18446744073709551615,\"Value\":\"\",\"Session\":\"abc\"}]", -1, "", ERR_REFUSED},
	{200, "[{\"LockIndex\":1," FLAGS ",\"Value\":\"\"}]", 0, "", 0},
	{200, "[{\"LockIndex\":1,\"Flags\":0,\"Value\":\"eA==\"}]", -1, "", ERR_REFUSED},
	{200, "[{\"LockIndex\":1," FLAGS ",\"Value\":\"eA==\"}]", -1, "", ERR_REFUSED},
	{200, "[{" FLAGS ",\"Value\":null}]", -1, "", ERR_REFUSED},
	{200, "[{" FLAGS "}]", -1, "", ERR_REFUSED},
};

static void test_watch(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(holders); i++) {
		struct err e = {0};
		char holder[CONSUL_SESSION_CAP];
		int rc = consul_lock_watch_read(say(holders[i].status, holders[i].body), holder, &e);

		CHECK(rc == holders[i].rc && strcmp(holder, holders[i].holder) == 0, "%zu: %d %s", i, rc, holder);
		CHECK(e.kind == holders[i].kind, "%zu: %s", i, e.text);
		assert_int_equal(answer.index, 7);
	}
}

static const struct {
	const char *body, *id; /* NULL: bad */
} sessions[] = {
	{"{\"ID\":\"abc\"}", "abc"},                                             /* created */
	{"[{\"ID\":\"abc\",\"TTL\":\"30s\",\"LockDelay\":15000000000}]", "abc"}, /* renewed */
	{"{\"ID\":\"\"}", NULL},                                                 /* it would acquire for nobody */
	{"[{\"ID\":\"\"}]", NULL},
	{"{\"ID\":\"..\"}", NULL}, /* it goes into a path */
	{"[{\"ID\":\"../../kv/x\"}]", NULL},
	{"{}", NULL},
	{"[{}]", NULL},
	{"[]", NULL},
	{"{\"ID\":7}", NULL},
	{"\"abc\"", NULL},
	{"true", NULL},
	{"", NULL},
};

static void test_session(void **state)
{
	char id[CONSUL_SESSION_CAP], body[256];
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		int rc = consul_session_read(say(200, sessions[i].body), id, &e);

		CHECK(rc == (sessions[i].id ? 0 : -1), "%s", sessions[i].body);
		CHECK(rc ? e.kind == ERR_PROTO : strcmp(id, sessions[i].id) == 0, "%s", sessions[i].body);
	}
	(void)snprintf(body, sizeof body, "{\"ID\":\"%0*d\"}", CONSUL_SESSION_CAP, 1);
	assert_int_equal(consul_session_read(say(200, body), id, &e), -1); /* too long */
}

static void test_requests(void **state)
{
	const struct job place = {.datacenter = "dc 1", .ns = "n"};
	char text[1024], key[300];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	consul_lock_watch_target(&b, "service/a b/leader", 5, 60, &place);
	assert_string_equal(text, "/v1/kv/service/a%20b/leader?consistent&index=5&wait=60s&dc=dc%201&ns=n");
	buf_init(&b, text, sizeof text);
	consul_lock_watch_target(&b, "k", 0, 60, &nowhere);
	assert_string_equal(text, "/v1/kv/k?consistent");
	buf_init(&b, text, sizeof text);
	consul_lock_target(&b, "acquire", "k?x", "s", &place);
	assert_string_equal(text, "/v1/kv/k%3Fx?flags=3304740253564472344&acquire=s&dc=dc%201&ns=n");
	/* A part of a key that is too long is no other key. */
	(void)snprintf(key, sizeof key, "%0255d", 1);
	buf_init(&b, text, sizeof text);
	consul_lock_watch_target(&b, key, 0, 60, &nowhere);
	assert_true(buf_ok(&b));
	(void)snprintf(key, sizeof key, "%0256d", 1);
	buf_init(&b, text, sizeof text);
	consul_lock_watch_target(&b, key, 0, 60, &nowhere);
	assert_false(buf_ok(&b));
	buf_init(&b, text, sizeof text);
	consul_session_create_body(&b, "a\"b", 30, 15);
	assert_string_equal(text, "{\"Name\":\"a\\\"b\",\"TTL\":\"30s\",\"LockDelay\":\"15s\","
				  "\"Behavior\":\"release\"}");
	buf_init(&b, text, sizeof text);
	consul_session_target(&b, "create", "", &nowhere);
	assert_string_equal(text, "/v1/session/create");
	buf_init(&b, text, sizeof text);
	consul_session_target(&b, "renew/", "s", &place);
	assert_string_equal(text, "/v1/session/renew/s?dc=dc%201&ns=n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
