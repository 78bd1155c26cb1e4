/* consul/health: the number that stands for all passing instances is another for another set of them. */
#include "support.h"

#include "consul/health.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct endpoint listed[CONSUL_INSTANCES_MAX];
static struct consul_view view;
static struct consul_reader reader;
static const struct job job = {.service = "nginx", .addresses = {{ADDRESS_SERVICE}, 1}};

#define CHECK_OF(id, status) "{\"CheckID\":\"" id "\",\"Status\":\"" status "\"}"
#define SERF CHECK_OF("serfHealth", "passing")

#define NODE_AT(node) "{\"Node\":{\"Address\":\"" node "\"},\"Service\":"
#define SERVICE_AT(id, address, port) "{\"ID\":\"" id "\",\"Address\":\"" address "\",\"Port\":" port "},\"Checks\":["
#define BOTH(id, address, port, checks) NODE_AT("10.9.9.9") SERVICE_AT(id, address, port) checks "]}"
#define CRITICAL CHECK_OF("c", "critical")
#define ONE BOTH("a", "192.0.2.1", "80", SERF)
#define TWO BOTH("b", "192.0.2.2", "80", SERF)

static uint64_t sum_with(bool sums_passing, const char *instances)
{
	const struct consul_query query = {.job = &job, .sums_passing = sums_passing};
	struct http_sink sink;
	char body[4096];
	struct err e = {0};

	view.listed = listed;
	(void)snprintf(body, sizeof body, "[%s]", instances);
	sink = consul_health_begin(&reader, &query, &view, element_buf, rest);
	CHECK(!test_answer(&sink, 200, "X-Consul-KnownLeader: true\n", body, 0, &e), "%s: %s", body, e.text);
	CHECK(!consul_health_finish(&reader, &e), "%s: %s", body, e.text);
	return view.passing_sum;
}

static uint64_t sum_of(const char *instances)
{
	return sum_with(true, instances);
}

static void test_passing_sum(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{ONE "," TWO, TWO "," ONE, true},
		{ONE, BOTH("other", "192.0.2.1", "80", SERF), true},
		{ONE, ONE "," BOTH("c", "192.0.2.3", "80", CRITICAL), true},
		{ONE, BOTH("a", "192.0.2.1", "80", ""), true}, /* no check is passing, too */
		{"", BOTH("c", "192.0.2.3", "80", CRITICAL), true},
		{ONE, "", false},
		{ONE, TWO, false},
		{ONE, ONE "," ONE, false},
		{"", ONE "," ONE, false},
		{ONE, BOTH("a", "192.0.2.1", "81", SERF), false},
		{ONE, BOTH("a", "192.0.2.1", "0", SERF), false},
		{ONE "," TWO, BOTH("a", "192.0.2.1", "81", SERF) "," BOTH("b", "192.0.2.2", "79", SERF), false},
		{ONE "," BOTH("b", "192.0.2.2", "81", SERF), BOTH("a", "192.0.2.1", "81", SERF) "," TWO, false},
		{ONE, ONE "," BOTH("c", "192.0.2.3", "80", CHECK_OF("_node_maintenance", "critical")), true},
		/* What no record could have: loopback, a container's own name, none but the node's. */
		{"", BOTH("a", "127.0.0.1", "80", SERF), false},
		{BOTH("a", "127.0.0.1", "80", SERF), BOTH("a", "127.0.0.2", "80", SERF), false},
		{BOTH("a", "web", "80", SERF), BOTH("a", "web2", "80", SERF), false},
		{NODE_AT("10.0.0.1") SERVICE_AT("a", "", "80") "]}", NODE_AT("10.0.0.2") SERVICE_AT("a", "", "80") "]}", false},
		{NODE_AT("10.0.0.1") SERVICE_AT("a", "192.0.2.1", "80") "]}",
		 NODE_AT("10.0.0.2") SERVICE_AT("a", "192.0.2.1", "80") "]}", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t a = sum_of(cases[i].a);

		CHECK((a == sum_of(cases[i].b)) == cases[i].is_same, "case %zu", i);
	}
	/* Who does not want it does not pay for it. */
	assert_true(sum_of(ONE) != 0 && sum_with(false, ONE) == 0);
}

/* Of many neighbours, each with its own: moved ports and addresses do not cancel each other out. */
static void test_passing_sums_differ(void **state)
{
	static uint64_t sums[4096];
	size_t n = 0;

	(void)state;
	for (int address = 0; address < 64; address++) {
		for (int port = 0; port < 64; port++) {
			char body[512];

			(void)snprintf(body, sizeof body, BOTH("a", "10.0.0.%d", "%d", SERF) "," BOTH("b", "10.0.0.%d", "%d", SERF),
				       address, 8000 + port, 63 - address + 64, 8063 - port);
			sums[n] = sum_of(body);
			for (size_t i = 0; i < n; i++)
				CHECK(sums[i] != sums[n], "%zu and %zu are alike", i, n);
			n++;
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passing_sum),
		cmocka_unit_test(test_passing_sums_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
