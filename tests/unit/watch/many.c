#include "watch/many.h"

#include "support.h"

struct many many;

static bool is_maintained[MANY_NODES];
static const char *old_state; /* the next read is answered with what was before, or NULL... */
static size_t old_of;         /* ...that of this service... */
static uint64_t old_index;    /* ...and with this index */
static int64_t read_ms;       /* the last one */
static char body[MANY * 512];

/* ---- Consul ---- */

static char *put_check(char *out, const char *node, size_t i, const char *id, const char *status)
{
	out += sprintf(out, "%s{\"Node\":\"%s\",\"CheckID\":\"%s\",\"Status\":\"%s\",\"Output\":\"%u\"", out[-1] == '[' ? "" : ",",
		       node, id, status, (unsigned)many.index);
	if (i < MANY)
		out += sprintf(out, ",\"ServiceName\":\"s%zu\",\"ServiceID\":\"s%zu-1\"", i, i);
	return out + sprintf(out, "}");
}

static void put_checks(void)
{
	char node[16], *out = body + sprintf(body, "[");

	for (size_t i = 0; i < MANY_NODES; i++) {
		(void)snprintf(node, sizeof node, "n%zu", i);
		out = put_check(out, node, MANY, "serfHealth", "passing");
		if (is_maintained[i])
			out = put_check(out, node, MANY, "_node_maintenance", "critical");
	}
	for (size_t i = 0; i < many.n; i++) {
		(void)snprintf(node, sizeof node, "n%zu", i % MANY_NODES);
		if (!many.of[i].is_unchecked && !many.of[i].is_gone)
			out = put_check(out, node, i, "c", many.of[i].state);
	}
	(void)sprintf(out, "]");
}

static void put_catalog(void)
{
	char *out = body + sprintf(body, "{\"consul\":[]");

	for (size_t i = 0; i < many.n; i++)
		out += sprintf(out, ",\"s%zu\":[\"t%u\"]", i, many.of[i].tag);
	(void)sprintf(out, "}");
}

static void put_instance(size_t i)
{
	const char *state = old_state && i == old_of        ? old_state
			    : is_maintained[i % MANY_NODES] ? "critical"
			    : many.of[i].is_unchecked       ? "passing"
							    : many.of[i].state;

	if (i == old_of)
		old_state = NULL;
	if (many.of[i].is_gone)
		(void)strcpy(body, "[]");
	else
		(void)sprintf(body,
			      "[{\"Node\":{\"Address\":\"10.0.0.1\"},\"Service\":{\"ID\":\"s%zu-1\",\"Address\":\"198.51.100.%u\"},"
			      "\"Checks\":[{\"CheckID\":\"c\",\"Status\":\"%s\"}]}]",
			      i, many.of[i].address, state);
}

static int kind_of(const char *target)
{
	return strncmp(target, "/v1/catalog/services", 20) == 0   ? TOLD_TAGS
	       : strncmp(target, "/v1/health/state/any", 20) == 0 ? TOLD_CHECKS
								  : -1;
}

static uint64_t index_of(const char *target)
{
	unsigned i = 0;

	if (kind_of(target) >= 0)
		return many.indices[kind_of(target)];
	assert_int_equal(sscanf(target, "/v1/health/service/%*[sS]%u", &i), 1);
	assert_true(i < many.n);
	/* Of a service that is not there, that of all. */
	return old_state && i == old_of ? old_index : many.of[i].is_gone ? many.index : many.of[i].index;
}

static int answer(const char *target, char *headers, size_t headers_cap, const char **out)
{
	const int kind = kind_of(target);
	unsigned i = 0;

	*out = body;
	(void)snprintf(headers, headers_cap, "X-Consul-Index: %llu\nX-Consul-KnownLeader: true\n",
		       (unsigned long long)index_of(target));
	(void)strcpy(body, "no");
	if (kind >= 0) {
		many.told_n[kind]++;
		if (many.told_status[kind])
			return many.told_status[kind];
		(kind == TOLD_TAGS ? put_catalog : put_checks)();
		return 200;
	}
	(void)sscanf(target, "/v1/health/service/%*[sS]%u", &i);
	many.reads_n++;
	many.read_of[i]++;
	many.moments_n += world.now_ms - read_ms > 100;
	read_ms = world.now_ms;
	put_instance(i);
	return many.read_status ? many.read_status : 200;
}

void many_be_old(size_t i, const char *state)
{
	old_of = i;
	old_state = state;
	old_index = many.of[i].index;
}

void many_set_state(size_t i, const char *state)
{
	many.of[i].state = state;
	many.of[i].index = many.indices[TOLD_CHECKS] = ++many.index;
}

void many_set_address(size_t i, unsigned address)
{
	many.of[i].address = address;
	many.of[i].index = many.indices[TOLD_TAGS] = ++many.index;
}

void many_come(size_t i)
{
	many.of[i].index = many.indices[TOLD_CHECKS] = many.indices[TOLD_TAGS] = ++many.index;
}

void many_set_tag(size_t i, unsigned tag)
{
	many.of[i].tag = tag;
	many.of[i].index = many.indices[TOLD_TAGS] = ++many.index;
}

void many_set_node(size_t node, bool is_in_maintenance)
{
	is_maintained[node] = is_in_maintenance;
	many.indices[TOLD_CHECKS] = ++many.index;
	for (size_t i = node; i < many.n; i += MANY_NODES)
		many.of[i].index = many.index;
}

/* ---- what follows it ---- */

void many_add(size_t i)
{
	char name[16];
	struct job job;

	(void)snprintf(name, sizeof name, i == 5 ? "S%zu" : "s%zu", i); /* to Consul they are the same */
	job = world_job(name, "www.example.com");
	many.watched[i] = services_add(&world_watch, &job);
	assert_non_null(many.watched[i]);
}

void many_forget(void)
{
	memset(many.read_of, 0, sizeof many.read_of);
	memset(many.told_n, 0, sizeof many.told_n);
	many.reads_n = many.moments_n = 0;
}

void many_follow(size_t n)
{
	struct err e;

	world.consul = answer;
	world.consul_index = index_of;
	world_setup.resync_ms = MANY_RESYNC_MS;
	memset(is_maintained, 0, sizeof is_maintained);
	old_state = NULL;
	many = (struct many){.n = n, .index = 10, .indices = {10, 10}};
	for (size_t i = 0; i < MANY; i++)
		many.of[i] = (struct many_service){.state = "passing", .address = 1, .index = 5};
	assert_int_equal(watch_init(&world_watch, &world_setup, &e), 0);
	for (size_t i = 0; i < n; i++)
		many_add(i);
}

void many_settle(size_t n)
{
	many_follow(n);
	world_run(2000);
	for (size_t i = 0; i < n; i++)
		CHECK(many.watched[i]->has_view && many.watched[i]->view->count.state_n[INSTANCE_PASSING] == 1, "%zu", i);
	many_forget();
}

unsigned many_address_of(size_t i)
{
	return many.watched[i]->view->listed[0].target.addr[3];
}

bool many_is_passing(size_t i)
{
	return many.watched[i]->view->count.state_n[INSTANCE_PASSING] == 1;
}
