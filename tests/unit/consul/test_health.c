/* Consul's health answers, as 1.8.7 and newer ones give them: states, addresses, evidence, limits. */
#include "support.h"

#include "consul/health.h"
#include "core/spec.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];
static struct endpoint listed[CONSUL_INSTANCES_MAX];
static struct consul_view view;
static struct consul_reader reader;
static struct job job;
static struct consul_query query;

#define LEADER "X-Consul-KnownLeader: true\nX-Consul-LastContact: 0\n"

/* One instance: its id, address, further members of Service, its checks. */
#define CHECK_OF(id, status) "{\"Node\":\"n1\",\"CheckID\":\"" id "\",\"Name\":\"x\",\"Status\":\"" status "\"}"
#define INSTANCE(id, address, more, checks)                                                                                        \
	"{\"Node\":{\"ID\":\"9\",\"Node\":\"n1\",\"Address\":\"10.9.9.9\",\"Datacenter\":\"dc1\","                                 \
	"\"TaggedAddresses\":{\"lan\":\"10.9.9.9\",\"wan\":\"203.0.113.9\"},\"Meta\":null},"                                       \
	"\"Service\":{\"ID\":\"" id "\",\"Service\":\"nginx\",\"Tags\":[\"a\"],\"Address\":\"" address "\"" more                   \
	",\"Port\":80},\"Checks\":[" checks "]}"
#define SERF CHECK_OF("serfHealth", "passing")
#define TAGGED(pairs) ",\"TaggedAddresses\":{" pairs "}"
#define AT(name, address) "\"" name "\":{\"Address\":\"" address "\",\"Port\":80}"

static int ask(int status, const char *headers, const char *body, size_t step, struct err *e)
{
	struct http_sink sink;

	view.listed = listed;
	sink = consul_health_begin(&reader, &query, &view, element_buf, rest);
	if (test_answer(&sink, status, headers, body, step, e))
		return -1;
	return consul_health_finish(&reader, e);
}

static int set_up(void **state)
{
	(void)state;
	memset(&view, 0xa5, sizeof view); /* nothing may rest on what was there */
	job = (struct job){.service = "nginx", .addresses = {{ADDRESS_SERVICE}, 1}};
	query = (struct consul_query){.job = &job};
	return 0;
}

static const struct {
	const char *checks;
	enum instance_state state;
} states[] = {
	{SERF, INSTANCE_PASSING},
	{"", INSTANCE_PASSING},
	{SERF "," CHECK_OF("service:nginx", "passing"), INSTANCE_PASSING},
	{SERF "," CHECK_OF("service:nginx", "warning"), INSTANCE_WARNING},
	{SERF "," CHECK_OF("service:nginx", "critical"), INSTANCE_CRITICAL},
	{CHECK_OF("serfHealth", "critical") "," CHECK_OF("service:nginx", "passing"), INSTANCE_CRITICAL},
	{CHECK_OF("a", "warning") "," CHECK_OF("b", "critical") "," CHECK_OF("c", "passing"), INSTANCE_CRITICAL},
	{CHECK_OF("a", "unheard-of"), INSTANCE_CRITICAL},
	{SERF "," CHECK_OF("_node_maintenance", "critical"), INSTANCE_MAINTENANCE},
	{CHECK_OF("_service_maintenance:nginx-1", "critical") "," CHECK_OF("a", "critical"), INSTANCE_MAINTENANCE},
};

static void test_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		for (size_t step = 0; step < 8; step += 7) {
			struct err e = {0};
			char body[2048];

			(void)snprintf(body, sizeof body, "[" INSTANCE("nginx-1", "192.0.2.1", "", "%s") "]", states[i].checks);
			CHECK(ask(200, LEADER, body, step, &e) == 0, "%s: %s", body, e.text);
			assert_int_equal(view.listed_n, 1);
			assert_int_equal(view.count.instances_n, 1);
			assert_int_equal(view.count.state_n[states[i].state], 1);
			CHECK(view.listed[0].state == states[i].state, "%s", states[i].checks);
		}
	}
}

static const struct {
	const char *address, *more; /* of the service; the node is 10.9.9.9 */
	enum address_source from[JOB_ADDRESSES_MAX];
	size_t from_n;
	const char *targets; /* "" when there is none */
} addresses[] = {
	{"192.0.2.1", "", {ADDRESS_SERVICE}, 1, "192.0.2.1"},
	{"2001:db8::1", "", {ADDRESS_SERVICE}, 1, "2001:db8::1"},
	{"lb.example.net", "", {ADDRESS_SERVICE}, 1, "lb.example.net"},
	{"", "", {ADDRESS_SERVICE}, 1, ""},
	{"0.0.0.0", "", {ADDRESS_SERVICE}, 1, ""},
	{"not an address", "", {ADDRESS_SERVICE}, 1, ""},
	{"192.0.2.1", "", {ADDRESS_NODE}, 1, "10.9.9.9"},
	{"", "", {ADDRESS_SERVICE, ADDRESS_NODE}, 2, "10.9.9.9"},
	{"192.0.2.1", "", {ADDRESS_SERVICE, ADDRESS_NODE}, 2, "192.0.2.1"},
	{"192.0.2.1", "", {ADDRESS_WAN}, 1, ""}, /* the node's tags are not the service's */
	{"192.0.2.1", TAGGED(AT("wan", "203.0.113.1")), {ADDRESS_WAN}, 1, "203.0.113.1"},
	{"192.0.2.1", TAGGED(AT("lan", "10.0.0.1") "," AT("wan", "203.0.113.1")), {ADDRESS_LAN}, 1, "10.0.0.1"},
	{"192.0.2.1",
	 TAGGED(AT("wan_ipv4", "203.0.113.1") "," AT("wan_ipv6", "2001:db8::7") "," AT("wan", "203.0.113.2")),
	 {ADDRESS_WAN},
	 1,
	 "203.0.113.2 2001:db8::7"}, /* the explicit one first */
	{"192.0.2.1",
	 TAGGED(AT("wan_ipv6", "2001:db8::7") "," AT("wan", "203.0.113.2")),
	 {ADDRESS_WAN},
	 1,
	 "203.0.113.2 2001:db8::7"},
	/* What an agent adds to a registration without tags, with a wan, with a lan and a wan, of another family. */
	{"192.0.2.1", TAGGED(AT("lan_ipv4", "192.0.2.1") "," AT("wan_ipv4", "192.0.2.1")), {ADDRESS_WAN}, 1, ""},
	{"192.0.2.1", TAGGED(AT("lan_ipv4", "192.0.2.1") "," AT("wan_ipv4", "192.0.2.1")), {ADDRESS_LAN}, 1, ""},
	{"192.0.2.1",
	 TAGGED(AT("lan_ipv4", "192.0.2.1") "," AT("wan_ipv4", "192.0.2.1")),
	 {ADDRESS_WAN, ADDRESS_SERVICE},
	 2,
	 "192.0.2.1"},
	{"2001:db8::5", TAGGED(AT("lan_ipv6", "2001:db8::5") "," AT("wan_ipv6", "2001:db8:0::5")), {ADDRESS_WAN}, 1, ""},
	{"192.168.0.55",
	 TAGGED(AT("lan_ipv4", "192.168.0.55") "," AT("wan", "198.51.100.23") "," AT("wan_ipv4", "192.168.0.55")),
	 {ADDRESS_WAN},
	 1,
	 "198.51.100.23"},
	{"192.168.0.55",
	 TAGGED(AT("lan", "10.0.0.9") "," AT("lan_ipv4", "192.168.0.55") "," AT("wan_ipv4", "192.168.0.55")),
	 {ADDRESS_LAN},
	 1,
	 "10.0.0.9"},
	{"192.168.0.55",
	 TAGGED(AT("lan", "10.0.0.9") "," AT("lan_ipv4", "192.168.0.55") "," AT("wan_ipv4", "192.168.0.55")),
	 {ADDRESS_WAN},
	 1,
	 ""},
	{"2001:db8::5",
	 TAGGED(AT("wan", "198.51.100.23") "," AT("wan_ipv6", "2001:db8::5")),
	 {ADDRESS_WAN},
	 1,
	 "198.51.100.23 2001:db8::5"}, /* the family that wan leaves open */
	{"198.51.100.7",
	 TAGGED(AT("wan", "2001:db8::23") "," AT("wan_ipv4", "198.51.100.7")),
	 {ADDRESS_WAN},
	 1,
	 "2001:db8::23 198.51.100.7"},
	{"192.168.0.55",
	 TAGGED(AT("wan", "2001:db8::23") "," AT("wan_ipv4", "192.168.0.55")),
	 {ADDRESS_WAN},
	 1,
	 "2001:db8::23"}, /* a private address is nobody's wan... */
	{"192.168.0.55", TAGGED(AT("lan", "fd00::1") "," AT("lan_ipv4", "192.168.0.55")), {ADDRESS_LAN}, 1, "fd00::1 192.168.0.55"},
	{"192.168.0.55", TAGGED(AT("wan_ipv4", "10.8.0.1")), {ADDRESS_WAN}, 1, "10.8.0.1"}, /* ...unless the user says so */
	{"192.168.0.55",
	 TAGGED(AT("wan_ipv4", "192.168.0.55") "," AT("wan_ipv6", "2001:db8::23")),
	 {ADDRESS_WAN},
	 1,
	 "2001:db8::23"},
	{"192.0.2.1", TAGGED(AT("wan", "lb.example.net") "," AT("wan_ipv4", "192.0.2.1")), {ADDRESS_WAN}, 1, "lb.example.net"},
	{"192.0.2.1", TAGGED(AT("wan", "lb.example.net") "," AT("wan_ipv4", "192.0.2.9")), {ADDRESS_WAN}, 1, "lb.example.net"},
	{"192.0.2.1", TAGGED(AT("wan_ipv4", "lb.example.net") "," AT("wan_ipv6", "2001:db8::7")), {ADDRESS_WAN}, 1, "2001:db8::7"},
	{"192.0.2.1", TAGGED(AT("wan", "192.0.2.1") "," AT("wan_ipv4", "192.0.2.1")), {ADDRESS_WAN}, 1, "192.0.2.1"},
	{"192.0.2.1", TAGGED(AT("wan", "0.0.0.0") "," AT("wan_ipv4", "192.0.2.1")), {ADDRESS_WAN}, 1, ""},
	{"192.0.2.1", TAGGED(AT("wan", "") "," AT("wan_ipv4", "192.0.2.8")), {ADDRESS_WAN}, 1, "192.0.2.8"},
	{"192.0.2.1", TAGGED("\"wan\":{\"Address\":7}"), {ADDRESS_WAN, ADDRESS_NODE}, 2, "10.9.9.9"},
	{"192.0.2.1",
	 TAGGED(AT("lan_ipv4", "10.0.0.1") "," AT("lan_ipv6", "fd00::1")),
	 {ADDRESS_WAN, ADDRESS_LAN},
	 2,
	 "10.0.0.1 fd00::1"},
	{"192.0.2.1", TAGGED(AT("wan_ipv4", "bad one") "," AT("wan_ipv6", "2001:db8::7")), {ADDRESS_WAN}, 1, "2001:db8::7"},
	{"192.0.2.1", TAGGED("\"wan\":\"203.0.113.1\""), {ADDRESS_WAN}, 1, ""},
	{"192.0.2.1", ",\"TaggedAddresses\":null", {ADDRESS_WAN}, 1, ""},
	{"", TAGGED(AT("lan", "10.0.0.1")), {ADDRESS_WAN, ADDRESS_SERVICE, ADDRESS_LAN, ADDRESS_NODE}, 4, "10.0.0.1"},
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		char body[2048], all[512] = "";
		struct err e = {0};

		(void)snprintf(body, sizeof body, "[" INSTANCE("nginx-1", "%s", "%s", SERF) "]", addresses[i].address,
			       addresses[i].more);
		memcpy(job.addresses.of, addresses[i].from, sizeof job.addresses.of);
		job.addresses.n = addresses[i].from_n;
		CHECK(ask(200, LEADER, body, 0, &e) == 0, "case %zu: %s", i, e.text);
		for (size_t k = 0; k < view.listed_n; k++) {
			char text[TARGET_TEXT_CAP];

			target_format(&view.listed[k].target, text);
			strcat(strcat(all, k ? " " : ""), text);
		}
		CHECK(strcmp(all, addresses[i].targets) == 0, "case %zu: %s", i, all);
		assert_int_equal(view.count.instances_n, 1);
		assert_int_equal(view.count.unaddressed_n, addresses[i].targets[0] ? 0 : 1);
		CHECK(addresses[i].targets[0] || strstr(view.count.unaddressed, "nginx-1: "), "%s", view.count.unaddressed);
	}
}

static void test_unaddressed(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(ask(200, LEADER,
			     "[" INSTANCE("first", "", "", SERF) "," INSTANCE("second", "0.0.0.0", "",
									      SERF) "," INSTANCE("third", "1.1.1.1", "", SERF) "]",
			     0, &e),
			 0);
	assert_int_equal(view.count.unaddressed_n, 2);
	assert_string_equal(view.count.unaddressed,
			    "first: no address; with node after the others, as --address service,node, its node's");
	assert_int_equal(view.count.instances_n, 3);
	assert_int_equal(view.listed_n, 1);
	assert_int_equal(view.count.state_n[INSTANCE_PASSING], 3);
}

/* Where an address may be had, for each list that does not look there. */
static void test_no_address_names_the_remedy(void **state)
{
	static const struct {
		enum address_source from[JOB_ADDRESSES_MAX];
		size_t from_n;
		const char *told;
	} lists[] = {
		{{ADDRESS_SERVICE}, 1, "x: no address; with node after the others, as --address service,node, its node's"},
		{{ADDRESS_LAN, ADDRESS_SERVICE, ADDRESS_WAN},
		 3,
		 "x: no address; with node after the others, as --address service,node, its node's"},
		{{ADDRESS_NODE}, 1, "x: no address"},
		{{ADDRESS_NODE, ADDRESS_SERVICE, ADDRESS_WAN, ADDRESS_LAN}, 4, "x: no address"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct err e = {0};

		memcpy(job.addresses.of, lists[i].from, sizeof job.addresses.of);
		job.addresses.n = lists[i].from_n;
		assert_int_equal(
			ask(200, LEADER, "[{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"\"},\"Checks\":[]}]", 0, &e), 0);
		assert_string_equal(view.count.unaddressed, lists[i].told);
	}
}

/* ---- one bad element among good ones ---- */

#define X16(s) s s s s s s s s s s s s s s s s
#define LONG X16(X16("0123456789"))
#define GOOD_ONE INSTANCE("good", "192.0.2.1", "", SERF)

static const struct {
	const char *element;
	bool is_listed, is_unread; /* neither: left out for its address */
	enum instance_state state; /* unless it is unread */
	const char *told;          /* "" when it is listed */
} elements[] = {
	/* A text for people is cut. */
	{INSTANCE(LONG, "192.0.2.2", "", SERF), true, false, INSTANCE_PASSING, ""},
	{INSTANCE("a\\u0000b", "192.0.2.2", "", SERF), true, false, INSTANCE_PASSING, ""},
	{INSTANCE("a\\ud800b", "192.0.2.2", "", SERF), true, false, INSTANCE_PASSING, ""},
	{INSTANCE("", "192.0.2.2", "", SERF), true, false, INSTANCE_PASSING, ""},
	{"{\"Node\":{},\"Service\":{\"Address\":\"192.0.2.2\"},\"Checks\":[]}", true, false, INSTANCE_PASSING, ""},
	{"{\"Node\":{},\"Service\":{\"ID\":7,\"Address\":\"192.0.2.2\"},\"Checks\":[]}", true, false, INSTANCE_PASSING, ""},
	{"{\"Node\":{},\"Service\":{\"ID\":null,\"Address\":\"192.0.2.2\"},\"Checks\":[]}", true, false, INSTANCE_PASSING, ""},
	{INSTANCE("a\\u0000b", "", "", SERF), false, false, INSTANCE_PASSING, "a?b: no address;"},
	{INSTANCE("\xc3\xa4\\udc00", "", "", SERF), false, false, INSTANCE_PASSING, "\xc3\xa4?: no address;"},
	/* Of a CheckID the beginning counts. */
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF(LONG, "passing")), true, false, INSTANCE_PASSING, ""},
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF("\\u0000", "warning")), true, false, INSTANCE_WARNING, ""},
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF("_service_maintenance:" LONG, "critical")), true, false, INSTANCE_MAINTENANCE, ""},
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF("_service_maintenance:\\udfff", "critical")), true, false, INSTANCE_MAINTENANCE,
	 ""},
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF("_node_maintenance\\u0000", "passing")), true, false, INSTANCE_PASSING, ""},
	{INSTANCE("x", "192.0.2.2", "", "{\"Status\":\"passing\"}"), true, false, INSTANCE_PASSING, ""},
	{INSTANCE("x", "192.0.2.2", "", "{\"CheckID\":[],\"Status\":\"warning\"}"), true, false, INSTANCE_WARNING, ""},
	/* A status that is not known is not passing. */
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF("a", "passing\\u0000")), true, false, INSTANCE_CRITICAL, ""},
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF("a", LONG)), true, false, INSTANCE_CRITICAL, ""},
	{INSTANCE("x", "192.0.2.2", "", CHECK_OF("a", "")), true, false, INSTANCE_CRITICAL, ""},
	{INSTANCE("x", "192.0.2.2", "", "{\"CheckID\":\"_node_maintenance\"}"), true, false, INSTANCE_MAINTENANCE, ""},
	/* No address. */
	{INSTANCE("x", LONG, "", SERF), false, false, INSTANCE_PASSING, "x: an address too long, or no text"},
	{INSTANCE("x", "192.0.2.2\\u0000", "", SERF), false, false, INSTANCE_PASSING, "x: an address too long"},
	{INSTANCE("x", "\\ud800.example.com", "", SERF), false, false, INSTANCE_PASSING, "x: an address too long"},
	/* Who knows how it is? */
	{"{}", false, true, INSTANCE_STATES, "an instance: no Node"},
	{"{\"Service\":{\"ID\":\"x\",\"Address\":\"192.0.2.2\"},\"Checks\":[]}", false, true, INSTANCE_STATES, "x: no Node"},
	{"{\"Node\":[],\"Service\":{\"ID\":\"x\",\"Address\":\"\"},\"Checks\":[]}", false, true, INSTANCE_STATES, "x: no Node"},
	{"{\"Node\":{},\"Checks\":[]}", false, true, INSTANCE_STATES, "an instance: no Node"},
	{"{\"Node\":{},\"Service\":null,\"Checks\":[]}", false, true, INSTANCE_STATES, "an instance: no Node"},
	/* a proxy's configuration is whatever somebody likes */
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"192.0.2.2\",\"Proxy\":"
	 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},"
	 "\"Checks\":[]}",
	 true, false, INSTANCE_PASSING, ""},
	{"null", false, true, INSTANCE_STATES, "an instance: no Node"},
	{"7", false, true, INSTANCE_STATES, "an instance: no Node"},
	{"\"x\"", false, true, INSTANCE_STATES, "an instance: no Node"},
	{"[]", false, true, INSTANCE_STATES, "an instance: no Node"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\"},\"Checks\":[]}", false, true, INSTANCE_STATES,
	 "x: no Node, Service or Service.Address"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":null},\"Checks\":[]}", false, true, INSTANCE_STATES, "x: no Node"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":[1]},\"Checks\":[]}", false, true, INSTANCE_STATES, "x: no Node"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":7},\"Checks\":[]}", false, true, INSTANCE_STATES, "x: no Node"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"192.0.2.2\"},\"Checks\":null}", false, true, INSTANCE_STATES,
	 "x: Checks"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"192.0.2.2\"}}", false, true, INSTANCE_STATES,
	 "x: Checks is not a list"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"192.0.2.2\"},\"Checks\":{}}", false, true, INSTANCE_STATES,
	 "x: Checks"},
	{"{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"192.0.2.2\"},\"Checks\":\"\"}", false, true, INSTANCE_STATES,
	 "x: Checks"},
	{INSTANCE("x", "192.0.2.2", "", "{\"CheckID\":\"a\"}"), false, true, INSTANCE_STATES, "x: a check has no Status"},
	{INSTANCE("x", "192.0.2.2", "", SERF ",{\"CheckID\":\"a\",\"Status\":1}"), false, true, INSTANCE_STATES, "x: a check"},
	{INSTANCE("x", "192.0.2.2", "", "7"), false, true, INSTANCE_STATES, "x: a check"},
	{INSTANCE("x", "192.0.2.2", "", "null"), false, true, INSTANCE_STATES, "x: a check"},
};

static void test_one_bad_element(void **state)
{
	static char body[16384];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(elements); i++) {
		size_t n = i / 2, wanted_n = elements[n].is_listed ? 2 : 1;
		struct err e = {0};

		(void)snprintf(body, sizeof body, i % 2 ? "[%s," GOOD_ONE "]" : "[" GOOD_ONE ",%s]", elements[n].element);
		CHECK(ask(200, LEADER, body, 0, &e) == 0, "%.80s: %s", elements[n].element, e.text);
		assert_int_equal(view.count.instances_n, 2);
		CHECK(view.listed_n == wanted_n, "%.80s: %zu", elements[n].element, view.listed_n);
		CHECK(view.count.unaddressed_n == 2 - wanted_n, "%.80s", elements[n].element);
		CHECK(view.evidence.unread_n == elements[n].is_unread, "%.80s", elements[n].element);
		CHECK(strncmp(view.count.unaddressed, elements[n].told, strlen(elements[n].told)) == 0, "%.80s: %s",
		      elements[n].element, view.count.unaddressed);
		if (!elements[n].is_unread)
			CHECK(view.count.state_n[elements[n].state] >= 1u + (elements[n].state == INSTANCE_PASSING), "%.80s",
			      elements[n].element);
	}
}

/* An ID is told as far as there is room, in whole characters. */
static void test_a_long_id_is_cut(void **state)
{
	struct err e = {0};
	size_t cut = 0;

	(void)state;
	assert_int_equal(ask(200, LEADER, "[" INSTANCE("0" X16("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"), "", "", SERF) "]", 0, &e),
			 0);
	cut = (size_t)(strchr(view.count.unaddressed, ':') - view.count.unaddressed);
	assert_int_equal(cut, 1 + 31 * 3);
	assert_memory_equal(view.count.unaddressed + cut - 3, "\xe2\x82\xac", 3);
}

static void feed(const struct http_sink *sink, const char *text, size_t n)
{
	struct err e = {0};

	CHECK(sink->body(sink->ctx, text, n, &e) == 0, "%s", e.text);
}

/* Past the bytes, or the values, of one element: the others count, and the answer removes nothing. */
static void test_a_too_large_element(void **state)
{
	(void)state;
	for (int is_deep = 0; is_deep < 2; is_deep++) {
		static const char first[] =
			"[" GOOD_ONE ",{\"Service\":{\"ID\":\"big\",\"Address\":\"192.0.2.2\"},\"Checks\":[{\"Output\":";
		static const char last[] = "}]}," GOOD_ONE "]";
		struct http_sink sink;
		struct err e = {0};

		view.listed = listed;
		sink = consul_health_begin(&reader, &query, &view, element_buf, rest);
		assert_int_equal(sink.status(sink.ctx, 200, &e), 0);
		feed(&sink, first, sizeof first - 1);
		feed(&sink, is_deep ? "[1" : "\"x", 2);
		for (int i = 0; i < (is_deep ? JSON_TOKENS_MAX : JSON_ELEMENT_MAX + 5); i++)
			feed(&sink, is_deep ? ",1" : "x", is_deep ? 2 : 1);
		feed(&sink, is_deep ? "]" : "\"", 1);
		feed(&sink, last, sizeof last - 1);
		assert_int_equal(consul_health_finish(&reader, &e), 0);
		assert_int_equal(view.listed_n, 2);
		assert_int_equal(view.count.instances_n, 3);
		assert_int_equal(view.evidence.unread_n, 1);
		assert_non_null(strstr(view.count.unaddressed, is_deep ? "values" : "an instance: longer than 524288 bytes"));
	}
}

/* Those that nobody wants leave room for those that somebody may. */
static void test_many_host_names(void **state)
{
	static char body[400 * 512];

	(void)state;
	for (int is_last = 0; is_last < 2; is_last++) {
		struct err e = {0};
		struct buf b;

		buf_init(&b, body, sizeof body);
		buf_str(&b, "[");
		if (!is_last)
			buf_str(&b, INSTANCE("good", "lb.example.net", "", SERF) ",");
		for (int i = 0; i < 300; i++)
			buf_fmt(&b, INSTANCE("%d", "host-number-%d.example.net", "", CHECK_OF("a", "%s")) ",", i, i,
				i % 2 ? "critical" : "unheard-of");
		for (int i = 0; i < 20; i++)
			buf_fmt(&b, INSTANCE("%d", "warm-host-number-%d.example.net", "", CHECK_OF("a", "warning")) ",", i, i);
		buf_str(&b, INSTANCE("address", "192.0.2.1", "", SERF));
		buf_str(&b, is_last ? "," INSTANCE("good", "lb.example.net", "", SERF) "]" : "]");
		assert_true(buf_ok(&b));
		CHECK(ask(200, LEADER, body, 0, &e) == 0, "%s", e.text);
		assert_int_equal(view.count.state_n[INSTANCE_CRITICAL], 300);
		assert_int_equal(view.count.instances_n, 322);
		consul_view_sort(&view);
		assert_int_equal(view.listed[0].state, INSTANCE_PASSING);
		assert_int_equal(view.listed[0].target.type, RECORD_A);
		assert_string_equal(view.listed[view.listed_n - 21].target.host, "lb.example.net");
		for (int i = 1; i <= 20; i++)
			assert_int_equal(view.listed[view.listed_n - (size_t)i].state, INSTANCE_WARNING);
		assert_int_equal(view.count.unaddressed_n, 322 - view.listed_n);
		assert_non_null(strstr(view.count.unaddressed, "one host name too many"));
	}
}

/* And when there are too many even of those, what has an address is served. */
static void test_too_many_wanted_host_names(void **state)
{
	static char body[400 * 512];
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, body, sizeof body);
	buf_str(&b, "[");
	for (int i = 0; i < 400; i++)
		buf_fmt(&b, INSTANCE("%d", "host-number-%d.example.net", "", SERF) ",", i, i);
	buf_str(&b, INSTANCE("address", "192.0.2.1", "", SERF) "]");
	assert_true(buf_ok(&b));
	CHECK(ask(200, LEADER, body, 0, &e) == 0, "%s", e.text);
	consul_view_sort(&view);
	assert_int_equal(view.listed[0].target.type, RECORD_A);
	assert_in_range(view.listed_n, 200, 399);
	assert_int_equal(view.count.unaddressed_n, 401 - view.listed_n);
}

#define SAYS(h, ...)                                                                                                               \
	{                                                                                                                          \
		h,                                                                                                                 \
		{                                                                                                                  \
			__VA_ARGS__                                                                                                \
		}                                                                                                                  \
	}

static const struct {
	const char *headers;
	struct evidence v;
} headers[] = {
	SAYS("", 0),
	SAYS("X-Consul-KnownLeader: true\n", .has_leader = true),
	SAYS("x-consul-knownleader: TRUE\n", .has_leader = true),
	SAYS("X-Consul-KnownLeader: false\n", 0),
	SAYS("X-Consul-KnownLeader: \n", 0),
	SAYS("X-Consul-KnownLeader: yes\n", 0),
	SAYS("X-Consul-LastContact: 4999\n", .last_contact_ms = 4999),
	SAYS("X-Consul-LastContact: 0\n", 0),
	SAYS("X-Consul-LastContact: never\n", .last_contact_ms = INT64_MAX),
	SAYS("X-Consul-LastContact: -1\n", .last_contact_ms = INT64_MAX),
	SAYS("X-Consul-LastContact: 99999999999999999999\n", .last_contact_ms = INT64_MAX),
	SAYS("X-Consul-Effective-Consistency: stale\n", .is_stale = true),
	SAYS("X-Consul-Effective-Consistency: consistent\n", 0),
	SAYS("X-Consul-Effective-Consistency: leader\n", 0),
	SAYS("X-Consul-Results-Filtered-By-ACLs: true\n", .is_filtered = true),
	SAYS("X-Consul-Results-Filtered-By-ACLs: false\n", 0),
	SAYS("X-Consul-Results-Filtered-By-ACLs: \n", .is_filtered = true),
	SAYS("Age: 0\n", .is_cached = true),
	SAYS("age: 12\n", .is_cached = true),
	SAYS("X-Cache: HIT\n", .is_cached = true),
	SAYS("X-Cache: hit from edge\n", .is_cached = true),
	SAYS("X-Cache: MISS\n", 0),
	SAYS("X-Consul-Default-ACL-Policy: deny\n", .is_default_deny = true),
	SAYS("X-Consul-Default-ACL-Policy: allow\n", 0),
	SAYS("Content-Type: application/json\nVary: Accept-Encoding\nX-Consul-Index: 14\n", 0),
};

static void test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		const struct evidence *want = &headers[i].v, *got = &view.evidence;
		struct err e = {0};

		query.is_consistent = i % 2;
		job.has_token = i % 3;
		assert_int_equal(ask(200, headers[i].headers, "[]", 0, &e), 0);
		CHECK(got->has_leader == want->has_leader && got->is_stale == want->is_stale &&
			      got->last_contact_ms == want->last_contact_ms && got->is_filtered == want->is_filtered &&
			      got->is_cached == want->is_cached && got->is_default_deny == want->is_default_deny,
		      "%s", headers[i].headers);
		assert_int_equal(got->is_consistent, i % 2);
		assert_int_equal(got->has_token, i % 3 != 0);
	}
}

static const struct {
	int status;
	const char *body;
	enum err_kind kind;
	const char *says;
} bad[] = {
	{401, "", ERR_AUTH, "HTTP 401"},
	{403, "Permission denied\n", ERR_AUTH, "HTTP 403: Permission denied"},
	{404, "", ERR_REFUSED, "HTTP 404"},
	{400, "Invalid query", ERR_REFUSED, "Invalid query"},
	{429, "", ERR_RETRY, "HTTP 429"},
	{500, "No cluster leader", ERR_RETRY, "HTTP 500: No cluster leader"},
	{503, "<html>\x01</html>", ERR_RETRY, "<html>?</html>"},
	{302, "", ERR_REFUSED, "HTTP 302"},
	{204, "", ERR_REFUSED, "HTTP 204"},
	{200, "", ERR_PROTO, "cut off"},
	{200, "[", ERR_PROTO, "cut off"},
	{200, "<html>", ERR_PROTO, "not JSON"},
	{200, "{}", ERR_PROTO, "not a list"},
	{200, "null", ERR_PROTO, "not a list"},
	{200, "\"\"", ERR_PROTO, "not a list"},
	{200, "[1]", ERR_PROTO, "no instance can be read: an instance: no Node"},
	{200, "[null,{}]", ERR_PROTO, "no instance can be read"},
	{200, "[[]]", ERR_PROTO, "no instance can be read"},
	{200, "[{},{}]", ERR_PROTO, "no instance can be read: an instance: no Node"},
	{200, "[{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"\"}}]", ERR_PROTO, "x: Checks"},
	{200, "[{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"\"},\"Checks\":{}}]", ERR_PROTO, "Checks"},
	{200, "[" INSTANCE("x", "1.1.1.1", "", "{\"CheckID\":\"a\"}") "]", ERR_PROTO, "no Status"},
	{200, "[" INSTANCE("x", "1.1.1.1", "", "{\"CheckID\":\"a\",\"Status\":1}") "]", ERR_PROTO, "no Status"},
	{200, "[" INSTANCE("x", "1.1.1.1", "", "7") "]", ERR_PROTO, "x: a check"},
	{200, "[" INSTANCE("x", "1.1.1.1", "", SERF) ",", ERR_PROTO, "cut off"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		for (size_t step = 0; step < 2; step++) {
			struct err e = {0};

			CHECK(ask(bad[i].status, LEADER, bad[i].body, step, &e) == -1, "%s", bad[i].body);
			CHECK(e.kind == bad[i].kind && strstr(e.text, bad[i].says), "%d %s: %s", bad[i].status, bad[i].body,
			      e.text);
		}
	}
}

/* The reason is told up to its limit, and no further. */
static void test_long_reason(void **state)
{
	static char body[CONSUL_REASON_MAX * 3];
	struct err e = {0};

	(void)state;
	memset(body, 'r', sizeof body - 1);
	for (size_t step = 0; step < 8; step += 7) {
		assert_int_equal(ask(500, LEADER, body, step, &e), -1);
		assert_int_equal(strlen(e.text), strlen("HTTP 500: ") + CONSUL_REASON_MAX);
	}
}

/* Sorted by target, the best state of one last; and of the original nothing is left in a copy. */
static void test_sorted_and_copied(void **state)
{
	static const enum instance_state of[] = {INSTANCE_PASSING, INSTANCE_CRITICAL, INSTANCE_PASSING, INSTANCE_MAINTENANCE};
	static struct endpoint copied[8];
	static struct consul_view copy = {.listed = copied};
	struct target parsed[8];

	(void)state;
	view.listed = listed;
	view.hosts.len = 0;
	view.listed_n = spec_targets("b.example.net a.example.net 1.1.1.1 1.1.1.1", parsed, &view.hosts);
	for (size_t i = 0; i < view.listed_n; i++)
		listed[i] = (struct endpoint){.state = of[i], .target = parsed[i]};
	consul_view_sort(&view);
	consul_view_copy(&copy, &view);
	memset(view.hosts.text, 'x', sizeof view.hosts.text);
	memset(listed, 0, 4 * sizeof listed[0]);
	assert_int_equal(copy.listed_n, 4);
	assert_int_equal(copy.listed[0].state, INSTANCE_MAINTENANCE);
	assert_int_equal(copy.listed[1].state, INSTANCE_PASSING);
	assert_string_equal(copy.listed[2].target.host, "a.example.net");
	assert_int_equal(copy.listed[2].state, INSTANCE_CRITICAL);
	assert_string_equal(copy.listed[3].target.host, "b.example.net");
}

static void test_instances_limit(void **state)
{
	static const char one[] = "{\"Node\":{},\"Service\":{\"ID\":\"x\",\"Address\":\"1.1.1.1\"},"
				  "\"Checks\":[]}";
	struct http_sink sink;
	struct err e = {0};
	int rc = 0;

	(void)state;
	view.listed = listed;
	sink = consul_health_begin(&reader, &query, &view, element_buf, rest);
	assert_int_equal(sink.status(sink.ctx, 200, &e), 0);
	assert_int_equal(sink.body(sink.ctx, "[", 1, &e), 0);
	for (int i = 0; i < CONSUL_INSTANCES_MAX; i++) {
		assert_int_equal(sink.body(sink.ctx, i ? "," : " ", 1, &e), 0);
		assert_int_equal(sink.body(sink.ctx, one, sizeof one - 1, &e), 0);
	}
	assert_int_equal(sink.body(sink.ctx, ",", 1, &e), 0);
	assert_int_equal(view.listed_n, CONSUL_INSTANCES_MAX);
	rc = sink.body(sink.ctx, one, sizeof one - 1, &e);
	if (!rc)
		rc = sink.body(sink.ctx, "]", 1, &e);
	assert_int_equal(rc, -1);
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_target(void **state)
{
	static const struct {
		struct job job;
		bool is_consistent;
		const char *target;
	} targets[] = {
		{{.service = "nginx"}, false, "/v1/health/service/nginx"},
		{{.service = "nginx"}, true, "/v1/health/service/nginx?consistent"},
		{{.service = "a/b c?d"}, false, "/v1/health/service/a%2Fb%20c%3Fd"},
		{{.service = "../agent"}, false, "/v1/health/service/..%2Fagent"},
		{{.service = "n", .tag = "a&b", .datacenter = "dc 1"}, true, "/v1/health/service/n?dc=dc%201&tag=a%26b&consistent"},
		{{.service = "n", .ns = "team", .partition = "p"}, false, "/v1/health/service/n?ns=team&partition=p"},
		{{.service = "n", .tag = "", .datacenter = ""}, false, "/v1/health/service/n"},
		{{.service = "n", .has_token = true}, false, "/v1/health/service/n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		char text[256];
		struct buf b;

		buf_init(&b, text, sizeof text);
		query = (struct consul_query){.job = &targets[i].job, .is_consistent = targets[i].is_consistent};
		consul_health_target(&b, &query);
		assert_string_equal(text, targets[i].target);
		assert_null(strstr(text, "passing"));
	}
}

static void test_credentials(void **state)
{
	char text[256];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof text);
	consul_headers(&b, "", "");
	assert_string_equal(text, "");
	consul_headers(&b, "t0ken", "");
	assert_string_equal(text, "X-Consul-Token: t0ken\r\n");
	buf_reset(&b);
	consul_headers(&b, "t", "user:pass");
	assert_string_equal(text, "X-Consul-Token: t\r\nAuthorization: Basic dXNlcjpwYXNz\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_states, set_up),
		cmocka_unit_test_setup(test_addresses, set_up),
		cmocka_unit_test_setup(test_unaddressed, set_up),
		cmocka_unit_test_setup(test_no_address_names_the_remedy, set_up),
		cmocka_unit_test_setup(test_one_bad_element, set_up),
		cmocka_unit_test_setup(test_a_long_id_is_cut, set_up),
		cmocka_unit_test_setup(test_a_too_large_element, set_up),
		cmocka_unit_test_setup(test_many_host_names, set_up),
		cmocka_unit_test_setup(test_too_many_wanted_host_names, set_up),
		cmocka_unit_test_setup(test_headers, set_up),
		cmocka_unit_test_setup(test_bad, set_up),
		cmocka_unit_test_setup(test_long_reason, set_up),
		cmocka_unit_test_setup(test_sorted_and_copied, set_up),
		cmocka_unit_test_setup(test_instances_limit, set_up),
		cmocka_unit_test_setup(test_target, set_up),
		cmocka_unit_test_setup(test_credentials, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
