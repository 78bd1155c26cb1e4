/* Consul's list of services with their tags: what is asked, what is taken, what is left out. */
#include "support.h"

#include "consul/catalog.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct consul_catalog_reader reader;
static struct job place;
static struct consul_catalog_query query;

#define LEADER "X-Consul-KnownLeader: true\nX-Consul-LastContact: 0\nX-Consul-Index: 7\n"

struct seen {
	char text[1024]; /* "service=tag,tag,;" each */
	bool fails;
	uint64_t sums[4];
	size_t n;
};

static int take(void *ctx, const struct consul_catalog_piece *piece, struct err *e)
{
	struct seen *seen = ctx;
	uint64_t *sum = &seen->sums[seen->n++ % COUNT(seen->sums)];

	if (seen->fails)
		return err_set(e, ERR_LIMIT, "no more");
	*sum = piece->sum;
	strcat(strcat(strcat(seen->text, piece->node), piece->service), "=");
	for (int t = json_first(piece->tags); t != JSON_NONE; t = json_next(t)) {
		char tag[64] = "?";

		(void)json_string(t, tag, sizeof tag);
		strcat(strcat(seen->text, tag), ",");
	}
	strcat(seen->text, ";");
	return 0;
}

static int ask(struct seen *seen, int status, const char *headers, const char *body, size_t step, struct err *e)
{
	struct http_sink sink = consul_catalog_begin(&reader, &query, take, seen, element_buf, rest);

	if (test_answer(&sink, status, headers, body, step, e))
		return -1;
	return consul_catalog_finish(&reader, e);
}

static int set_up(void **state)
{
	(void)state;
	memset(&reader, 0xa5, sizeof reader); /* nothing may rest on what was there */
	place = (struct job){.has_token = true};
	query = (struct consul_catalog_query){.place = &place};
	return 0;
}

static const struct {
	const char *body, *seen;
	size_t unread_n;
} cases[] = {
	{"{}", "", 0},
	{"{\"consul\":[]}", "consul=;", 0},
	{"{\"consul\":null,\"web\":[\"a\",\"b\"]}\n", "consul=;web=a,b,;", 0},
	{"{\"w\\u0065b\":[\"\\\"x\\\"\"]}", "web=\"x\",;", 0},
	{"{\"web\":{\"a\":1},\"api\":[\"a\"]}", "api=a,;", 1},
	{"{\"web\":\"a\",\"b\":1,\"api\":[\"a\"]}", "api=a,;", 2},
	{"{\"a\\u0000b\":[],\"api\":[1]}", "api=?,;", 1},
	{"{\"\":[],\"api\":[]}", "api=;", 1},
};

static void test_services(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t step = 0; step < 3; step++) {
			struct seen seen = {.fails = false};
			struct err e = {0};

			CHECK(ask(&seen, 200, LEADER, cases[i].body, step, &e) == 0, "%s: %s", cases[i].body, e.text);
			assert_string_equal(seen.text, cases[i].seen);
			assert_int_equal(reader.list.evidence.unread_n, cases[i].unread_n);
			assert_int_equal(reader.list.index, 7);
			assert_true(reader.list.evidence.has_leader && reader.list.evidence.has_token);
			assert_false(reader.list.evidence.is_consistent);
		}
	}
}

static const struct {
	int status;
	const char *body;
	enum err_kind kind;
	const char *text;
} bad[] = {
	{200, "", ERR_PROTO, "the JSON is cut off"},
	{200, "{\"web\":[]", ERR_PROTO, "the JSON is cut off"},
	{200, "[]", ERR_PROTO, "not a list"},
	{200, "null", ERR_PROTO, "not a list"},
	{403, "Permission denied\n", ERR_AUTH, "HTTP 403: Permission denied"},
	{404, "no", ERR_REFUSED, "HTTP 404: no"},
	{500, "No cluster leader", ERR_RETRY, "HTTP 500: No cluster leader"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct seen seen = {.fails = false};
		struct err e = {0};

		CHECK(ask(&seen, bad[i].status, LEADER, bad[i].body, 0, &e) == -1, "%s", bad[i].body);
		assert_int_equal(e.kind, bad[i].kind);
		assert_string_equal(e.text, bad[i].text);
	}
}

static void test_whoever_takes_may_refuse(void **state)
{
	struct seen seen = {.fails = true};
	struct err e = {0};

	(void)state;
	assert_int_equal(ask(&seen, 200, LEADER, "{\"web\":[]}", 0, &e), -1);
	assert_string_equal(e.text, "no more");
}

#define CHECK_OF(node, service, id, check, status)                                                                                 \
	"{\"Node\":\"" node "\",\"CheckID\":\"" check "\",\"Name\":\"x\",\"Status\":\"" status                                     \
	"\",\"Output\":\"o\",\"ServiceID\":\"" id "\",\"ServiceName\":\"" service "\",\"ServiceTags\":[\"a\"]}"

static void test_checks(void **state)
{
	struct seen seen = {.fails = false};
	struct err e = {0};

	(void)state;
	query.of_checks = true;
	assert_int_equal(
		ask(&seen, 200, LEADER,
		    "[" CHECK_OF("n1", "", "", "serfHealth", "passing") "," CHECK_OF("n1", "web", "w1", "c", "critical") ",7]", 1,
		    &e),
		0);
	assert_string_equal(seen.text, "n1=;n1web=;");
	assert_int_equal(ask(&seen, 200, LEADER, "{}", 0, &e), -1);
}

/* What is of interest makes another sum, what is not does not. */
static const struct {
	bool of_checks;
	const char *first, *second;
	bool is_same;
} sums[] = {
	{false, "{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"y\",\"x\"]}", true},
	{false, "{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"x\",\"z\"]}", false},
	{false, "{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"xy\"]}", false},
	{false, "{\"a\":[\"x\"]}", "{\"b\":[\"x\"]}", false},
	{false, "{\"a\":[]}", "{\"a\":[\"\"]}", false},
	{true, "[" CHECK_OF("n", "s", "i", "c", "passing") "]",
	 "[" CHECK_OF("n", "s", "i", "c", "passing\",\"Output\":\"other") "]", true},
	{true, "[" CHECK_OF("n", "s", "i", "c", "passing") "]", "[" CHECK_OF("n", "s", "i", "c", "warning") "]", false},
	{true, "[{\"Node\":\"n\",\"ServiceTags\":[\"a\",\"b\"]}]", "[{\"Node\":\"n\",\"ServiceTags\":[\"b\",\"a\"]}]", true},
	{true, "[{\"Node\":\"n\",\"ServiceTags\":[\"a\",\"b\"]}]", "[{\"Node\":\"n\",\"ServiceTags\":[\"a\",\"c\"]}]", false},
	{true, "[{\"Node\":\"n\",\"ServiceTags\":null}]", "[{\"Node\":\"n\"}]", true},
	{true, "[" CHECK_OF("n", "s", "i", "c", "passing") "]", "[" CHECK_OF("m", "s", "i", "c", "passing") "]", false},
	{true, "[" CHECK_OF("n", "s", "i", "c", "passing") "]", "[" CHECK_OF("n", "s", "j", "c", "passing") "]", false},
	{true, "[" CHECK_OF("n", "s", "i", "c", "passing") "]", "[" CHECK_OF("n", "s", "i", "d", "passing") "]", false},
	{true, "[" CHECK_OF("n", "s", "i", "c", "passing") "]", "[" CHECK_OF("n", "t", "i", "c", "passing") "]", false},
};

static void test_sums(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sums); i++) {
		struct seen seen = {.fails = false};
		struct err e = {0};

		query.of_checks = sums[i].of_checks;
		assert_int_equal(ask(&seen, 200, LEADER, sums[i].first, 0, &e), 0);
		assert_int_equal(ask(&seen, 200, LEADER, sums[i].second, 0, &e), 0);
		CHECK((seen.sums[0] == seen.sums[1]) == sums[i].is_same, "%s %s", sums[i].first, sums[i].second);
	}
}

static void test_evidence(void **state)
{
	struct seen seen = {.fails = false};
	struct err e = {0};

	(void)state;
	query.is_consistent = true;
	assert_int_equal(ask(&seen, 200, LEADER "X-Consul-Results-Filtered-By-ACLs: true\nAge: 3\n", "{}", 0, &e), 0);
	assert_true(reader.list.evidence.is_consistent && reader.list.evidence.is_filtered && reader.list.evidence.is_cached);
}

static void test_target(void **state)
{
	char text[256];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	consul_catalog_target(&b, &query);
	assert_string_equal(text, "/v1/catalog/services");
	query.of_checks = true;
	buf_init(&b, text, sizeof text);
	consul_catalog_target(&b, &query);
	assert_string_equal(text, "/v1/health/state/any");
	query.of_checks = false;
	query.index = 9;
	query.wait_sec = 30;
	buf_init(&b, text, sizeof text);
	consul_catalog_target(&b, &query);
	assert_string_equal(text, "/v1/catalog/services?index=9&wait=30s");
	query.is_consistent = true;
	(void)snprintf(place.datacenter, sizeof place.datacenter, "dc 2");
	(void)snprintf(place.ns, sizeof place.ns, "n");
	buf_init(&b, text, sizeof text);
	consul_catalog_target(&b, &query);
	assert_string_equal(text, "/v1/catalog/services?dc=dc%202&ns=n&consistent&index=9&wait=30s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_services, set_up),
		cmocka_unit_test_setup(test_bad, set_up),
		cmocka_unit_test_setup(test_whoever_takes_may_refuse, set_up),
		cmocka_unit_test_setup(test_evidence, set_up),
		cmocka_unit_test_setup(test_target, set_up),
		cmocka_unit_test_setup(test_checks, set_up),
		cmocka_unit_test_setup(test_sums, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
