#define _GNU_SOURCE /* ppoll */
#include "watch/world.h"

#include <poll.h>
#include <sys/mman.h>

#include "support.h"

#include "base/clock.h"
#include "base/json.h"
#include "watch/locks.h"

#define EXCHANGES 32
#define ZONE "0123456789abcdef0123456789abcdef"
#define BODY_CAP 65536

struct world world;
struct watch world_watch;
struct watch_setup world_setup;
static struct http_origin consul, cloudflare;
static struct job place;

/* One exchange under way for each client. */
static struct exchange {
	struct http_client *client;
	bool is_busy, is_over; /* over: the answer was made, and only has to arrive */
	char method[8], target[2048];
	char body[BODY_CAP];
	struct http_sink sink;
	int64_t deadline_ms, arrive_ms;
	uint64_t asked_index;
	int64_t wait_until_ms;
} exchanges[EXCHANGES];

static char answer_body[BODY_CAP];

static void note(const char *word)
{
	size_t n = strlen(world.story);

	if (n + strlen(word) + 2 < sizeof world.story)
		(void)snprintf(world.story + n, sizeof world.story - n, "%s%s", n ? " " : "", word);
}

size_t world_count(const char *word)
{
	size_t n = 0, len = strlen(word);

	for (const char *at = world.story; *at; at += strcspn(at, " "), at += *at == ' ')
		n += strncmp(at, word, len) == 0 && (at[len] == ' ' || !at[len]);
	return n;
}

void world_clear(void)
{
	world.story[0] = '\0';
	world.lists = world.writes = world.aborts = 0;
}

/* ---- Consul ---- */

static bool has_parameter(const char *target, const char *name)
{
	const char *at = strstr(target, name);

	return at && (at[-1] == '?' || at[-1] == '&');
}

/* That a read of its health is about; WORLD_SERVICES: none that is known. */
static size_t service_of(const char *target)
{
	char service[64] = "";
	size_t i = 0;

	(void)sscanf(target, "/v1/health/service/%63[^?]", service);
	while (i < WORLD_SERVICES && (!world.services[i].name || strcmp(world.services[i].name, service) != 0))
		i++;
	return i;
}

static uint64_t index_of(const char *target)
{
	size_t service = service_of(target);

	if (world.consul_index)
		return world.consul_index(target);
	if (strncmp(target, "/v1/kv/", 7) == 0)
		return locks.index;
	return service < WORLD_SERVICES ? world.services[service].index : world.index;
}

static int answer_health(const struct exchange *x, char *headers, size_t headers_cap)
{
	char *out = answer_body;
	size_t service = service_of(x->target);
	const char *list = service < WORLD_SERVICES ? world.services[service].instances : "";

	if (service < WORLD_SERVICES && world.services[service].fails)
		return 500;
	note(has_parameter(x->target, "consistent") ? "verify" : "health");
	(void)snprintf(headers, headers_cap, "X-Consul-Index: %llu\nX-Consul-KnownLeader: %s\n",
		       (unsigned long long)index_of(x->target), world.consul_is_leaderless ? "false" : "true");
	out += sprintf(out, "[");
	while (*list) {
		char address[32];
		const char *status = "passing";
		size_t n = strcspn(list, " /");

		(void)snprintf(address, sizeof address, "%.*s", (int)n, list);
		list += n;
		if (*list == '/')
			status = strncmp(list, "/maintenance", 12) == 0 ? "maintenance" : "critical";
		list += strcspn(list, " ");
		list += *list == ' ';
		out += sprintf(out,
			       "%s{\"Node\":{\"Address\":\"10.0.0.1\"},\"Service\":{\"ID\":\"%s\",\"Address\":\"%s\"},"
			       "\"Checks\":[{\"CheckID\":\"%s\",\"Status\":\"%s\"}]}",
			       out[-1] == '[' ? "" : ",", address, address, status[0] == 'm' ? "_node_maintenance" : "c",
			       status[0] == 'p' ? "passing" : "critical");
	}
	(void)sprintf(out, "]");
	return 200;
}

static int answer_catalog(const struct exchange *x, char *headers, size_t headers_cap)
{
	char *out = answer_body;

	assert_true(has_parameter(x->target, "consistent"));
	note("catalog");
	(void)snprintf(headers, headers_cap, "X-Consul-Index: %llu\nX-Consul-KnownLeader: true\n%s",
		       (unsigned long long)world.index, world.catalog_headers ? world.catalog_headers : "");
	out += sprintf(out, "{\"consul\":[]");
	for (size_t i = 0; i < WORLD_SERVICES && world.services[i].name; i++)
		if (world.services[i].tags)
			out += sprintf(out, ",\"%s\":[%s]", world.services[i].name, world.services[i].tags);
	(void)sprintf(out, "}");
	return 200;
}

static int answer_agent(const struct exchange *x)
{
	char word[64];

	if (world.registration_fails)
		return 403;
	if (strstr(x->target, "/deregister/")) {
		note("deregister");
	} else if (strstr(x->target, "/register")) {
		note("register");
	} else {
		(void)sscanf(x->body, "{\"Status\":\"%63[a-z]", word);
		note(word);
	}
	return 200;
}

static int answer_consul(struct exchange *x, char *headers, size_t headers_cap, const char **body)
{
	int status;

	if (world.consul)
		return world.consul(x->target, headers, headers_cap, body);
	answer_body[0] = headers[0] = '\0';
	if (world.consul_refuses)
		return 403;
	if (strncmp(x->target, "/v1/health/", 11) == 0)
		return answer_health(x, headers, headers_cap);
	if (strncmp(x->target, "/v1/catalog/", 12) == 0)
		return answer_catalog(x, headers, headers_cap);
	if (strncmp(x->target, "/v1/agent/", 10) == 0)
		return answer_agent(x);
	if (world.lock_is_refused)
		return 403;
	locks_age(world.now_ms);
	status = locks_answer(x->method, x->target, x->body, world.now_ms, &world.seed, answer_body);
	(void)snprintf(headers, headers_cap, "X-Consul-Index: %llu\n", (unsigned long long)locks.index);
	note(strstr(x->target, "acquire=")      ? "acquire"
	     : strstr(x->target, "release=")    ? "release"
	     : strstr(x->target, "/destroy/")   ? "destroy"
	     : strstr(x->target, "/renew/")     ? "renew"
	     : strstr(x->target, "/v1/session") ? "session"
						: "key");
	return status;
}

/* A blocking query waits for something newer, or for its time. */
static bool is_blocked(const struct exchange *x)
{
	if (strncmp(x->target, "/v1/kv/", 7) == 0)
		locks_age(world.now_ms);
	return x->asked_index && index_of(x->target) <= x->asked_index && world.now_ms < x->wait_until_ms;
}

/* ---- Cloudflare ---- */

static char *put_zone_id(char *out, size_t zone)
{
	return out + sprintf(out, "%c%s", (char)('0' + zone), &ZONE[1]);
}

/* That a request is about. */
static size_t zone_of(const char *target)
{
	size_t zone = (size_t)(target[sizeof "/zones/" - 1] - '0');

	assert_true(strncmp(target, "/zones/", 7) == 0 && zone < WORLD_ZONES && world.zones[zone].name);
	return zone;
}

static struct world_record *record_of(unsigned id)
{
	for (size_t i = 0; i < world.records_n; i++)
		if (world.records[i].id == id)
			return &world.records[i];
	return NULL;
}

void world_add_record(const char *name, const char *content)
{
	struct world_record *r = &world.records[world.records_n++];

	assert_true(world.records_n <= WORLD_RECORDS);
	r->id = world.next_id++;
	(void)snprintf(r->name, sizeof r->name, "%s", name);
	(void)snprintf(r->content, sizeof r->content, "%s", content);
	r->comment[0] = '\0';
}

static char *put_record(char *out, const struct world_record *r)
{
	return out + sprintf(out,
			     "%s{\"id\":\"%032x\",\"type\":\"A\",\"name\":\"%s\",\"content\":\"%s\",\"ttl\":60,\"proxied\":false,"
			     "\"comment\":\"%s\"}",
			     strchr("[:", out[-1]) ? "" : ",", r->id, r->name, r->content, r->comment);
}

static int answer_list(const struct exchange *x)
{
	const char *by_name = strstr(x->target, "name.exact=");
	char name[NAME_CAP], *out = answer_body;
	size_t zone = zone_of(x->target);

	world.lists++;
	world.zones[zone].lists++;
	note("list");
	if (by_name)
		(void)sscanf(by_name + 11, "%200[^&]", name);
	out += sprintf(out, "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":[");
	for (size_t i = 0; i < world.records_n; i++)
		if (by_name ? strcmp(world.records[i].name, name) == 0
			    : name_is_within(world.records[i].name, world.zones[zone].name))
			out = put_record(out, &world.records[i]);
	(void)sprintf(out, "]}");
	return 200;
}

static void carry_out_deletes(int list)
{
	for (int i = json_first(list); i != JSON_NONE; i = json_next(i)) {
		char id[RECORD_ID_CAP], word[80];
		struct world_record *r;

		assert_int_equal(json_string(json_get(i, "id"), id, sizeof id), 0);
		r = record_of((unsigned)strtoul(id, NULL, 16));
		assert_non_null(r);
		(void)snprintf(word, sizeof word, "-%s", r->content);
		note(word);
		*r = world.records[--world.records_n];
	}
}

/* From this element on, or this one alone. */
static char *carry_out_posts(int i, bool is_alone, char *out)
{
	for (; i != JSON_NONE; i = is_alone ? JSON_NONE : json_next(i)) {
		char name[NAME_CAP], content[64], word[80];

		assert_int_equal(json_string(json_get(i, "name"), name, sizeof name), 0);
		assert_int_equal(json_string(json_get(i, "content"), content, sizeof content), 0);
		world_add_record(name, content);
		(void)json_string(json_get(i, "comment"), world.records[world.records_n - 1].comment, JOB_COMMENT_CAP);
		(void)snprintf(word, sizeof word, "+%s", content);
		note(word);
		out = put_record(out, &world.records[world.records_n - 1]);
	}
	return out;
}

/* Who deletes needs none. */
static bool has_room(size_t zone, bool is_batch)
{
	size_t quota = world.zones[zone].quota, n = !is_batch;

	for (int i = json_first(json_get(0, "posts")); i != JSON_NONE; i = json_next(i))
		n++;
	for (size_t i = 0; i < world.records_n; i++)
		n += name_is_within(world.records[i].name, world.zones[zone].name);
	return !quota || n <= quota || json_first(json_get(0, "deletes")) != JSON_NONE;
}

/* A batch, or one record that is created by itself. */
static int answer_write(const struct exchange *x)
{
	bool is_batch = strstr(x->target, "/batch") != NULL;
	size_t zone = zone_of(x->target);
	char *out = answer_body;
	struct err e;

	world.writes++;
	world.zones[zone].writes++;
	assert_int_equal(json_parse(x->body, strlen(x->body), &e), 0);
	if (!has_room(zone, is_batch)) {
		note("full");
		(void)sprintf(out, "{\"success\":false,\"errors\":[{\"code\":81045,\"message\":\"full\"}],\"messages\":[]}");
		return 400;
	}
	carry_out_deletes(json_get(0, "deletes"));
	out += sprintf(out, "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":%s", is_batch ? "{\"posts\":[" : "");
	out = carry_out_posts(is_batch ? json_first(json_get(0, "posts")) : 0, !is_batch, out);
	(void)sprintf(out, is_batch ? "]}}" : "}");
	return 200;
}

static void answer_zones(const char *target)
{
	const char *asked = strstr(target, "&name=");
	char *out = answer_body + sprintf(answer_body, "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":[");
	size_t n = 0;

	for (size_t i = 0; i < WORLD_ZONES && world.zones[i].name; i++) {
		if (asked && strcmp(asked + 6, world.zones[i].name) != 0)
			continue;
		out += sprintf(out, "%s{\"id\":\"", n++ ? "," : "");
		out = put_zone_id(out, i);
		out += sprintf(out, "\",\"name\":\"%s\",\"status\":\"active\"}", world.zones[i].name);
	}
	(void)sprintf(out, "],\"result_info\":{\"total_pages\":1,\"total_count\":%zu}}", n);
}

static int answer_cloudflare(const struct exchange *x, char *headers, size_t headers_cap)
{
	(void)snprintf(headers, headers_cap, "%s", world.api_headers ? world.api_headers : "");
	if (world.api_status) {
		note("refused");
		(void)snprintf(answer_body, sizeof answer_body,
			       "{\"success\":false,\"errors\":[{\"code\":1,\"message\":\"no\"}],\"messages\":[],\"result\":null}");
		return world.api_status;
	}
	if (strncmp(x->target, "/zones?", 7) == 0) {
		note("zone");
		answer_zones(x->target);
		return 200;
	}
	return x->method[0] == 'G' ? answer_list(x) : answer_write(x);
}

/* ---- the HTTP client and the clock, in the place of the real ones ---- */

static struct exchange *exchange_of(const struct http_client *c)
{
	for (size_t i = 0; i < EXCHANGES; i++)
		if (exchanges[i].client == c)
			return &exchanges[i];
	return NULL;
}

void *__wrap_memory_reserve(size_t size);
uint32_t __wrap_driver_random(void);
int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_cpu_us(void);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_http_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e);
enum http_result __wrap_http_step(struct http_client *c, struct err *e);
bool __wrap_http_is_busy(const struct http_client *c);
void __wrap_http_wants(const struct http_client *c, struct loop_wait *w);
void __wrap_http_close(struct http_client *c);

void *__wrap_memory_reserve(size_t size)
{
	void *p = MAP_FAILED;

	if (!world.memory_is_full)
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

uint32_t __wrap_driver_random(void)
{
	return test_random(&world.seed);
}

int64_t __wrap_clock_now_ms(void)
{
	return world.now_ms;
}

int64_t __wrap_clock_cpu_us(void)
{
	return world.cpu_us += world.cpu_step_us;
}

/* Nothing but time comes, and signals, through a real pipe. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	static const struct timespec at_once;
	int ready = ppoll(fds, n, &at_once, NULL);

	if (!ready)
		world.now_ms += timeout_ms;
	return ready;
}

static int64_t delay_of(const struct http_client *c, const char *target)
{
	size_t service = service_of(target);

	if (c->origin == &cloudflare)
		return target[sizeof "/zones" - 1] == '/' ? world.zones[zone_of(target)].delay_ms : 0;
	return service < WORLD_SERVICES ? world.services[service].delay_ms : 0;
}

int __wrap_http_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e)
{
	struct exchange *x = exchange_of(c);
	const char *at;

	if (!x)
		x = exchange_of(NULL);
	assert_non_null(x);
	assert_false(x->is_busy);
	if (c->origin == &consul && world.consul_is_away)
		return err_set(e, ERR_RETRY, "connection refused");
	x->client = c;
	x->is_busy = true;
	x->is_over = false;
	x->sink = *s;
	x->deadline_ms = deadline_ms;
	x->arrive_ms = world.now_ms + world.latency_ms + delay_of(c, r->target);
	c->counters.requests++;
	c->was_sent = false;
	(void)snprintf(x->method, sizeof x->method, "%s", r->method);
	(void)snprintf(x->target, sizeof x->target, "%s", r->target);
	assert_true(r->body_len < sizeof x->body);
	if (r->body_len)
		memcpy(x->body, r->body, r->body_len);
	x->body[r->body_len] = '\0';
	at = strstr(x->target, "index=");
	x->asked_index = at ? strtoull(at + 6, NULL, 10) : 0;
	at = strstr(x->target, "wait=");
	x->wait_until_ms = world.now_ms + (at ? strtoll(at + 5, NULL, 10) * 1000 : 0);
	return 0;
}

static bool is_answered(const struct exchange *x)
{
	if (world.now_ms < x->arrive_ms || x->is_over)
		return false;
	return x->client->origin != &consul || !is_blocked(x);
}

enum http_result __wrap_http_step(struct http_client *c, struct err *e)
{
	struct exchange *x = exchange_of(c);
	char headers[256];
	const char *body = answer_body;
	int status;

	assert_true(x && x->is_busy);
	if (world.now_ms >= x->deadline_ms) {
		x->is_busy = false;
		(void)err_set(e, ERR_RETRY, "no complete answer");
		return HTTP_BAD;
	}
	if (c->origin == &cloudflare && world.api_is_deaf)
		return HTTP_MORE;
	c->was_sent = true;
	if (!is_answered(x))
		return HTTP_MORE;
	status = c->origin == &consul ? answer_consul(x, headers, sizeof headers, &body)
				      : answer_cloudflare(x, headers, sizeof headers);
	if (c->origin == &cloudflare && world.api_hangs && x->method[0] != 'G') {
		x->is_over = true;
		return HTTP_MORE;
	}
	x->is_busy = false;
	return test_answer(&x->sink, status, headers, body, 0, e) ? HTTP_BAD : HTTP_DONE;
}

bool __wrap_http_is_busy(const struct http_client *c)
{
	const struct exchange *x = exchange_of(c);

	return x && x->is_busy;
}

void __wrap_http_wants(const struct http_client *c, struct loop_wait *w)
{
	const struct exchange *x = exchange_of(c);

	if (!x || !x->is_busy)
		return;
	loop_wait_until(w, x->deadline_ms);
	if (c->origin == &cloudflare && world.api_is_deaf)
		return;
	if (is_answered(x))
		loop_wait_until(w, world.now_ms);
	else if (world.now_ms < x->arrive_ms)
		loop_wait_until(w, x->arrive_ms);
	else if (!x->is_over)
		loop_wait_until(w, x->wait_until_ms);
}

void __wrap_http_close(struct http_client *c)
{
	struct exchange *x = exchange_of(c);

	if (!x)
		return;
	world.aborts += x->is_busy && c->origin == &cloudflare;
	x->client = NULL;
	x->is_busy = false;
}

/* ---- the test's side ---- */

void world_init(void)
{
	memset(&world, 0, sizeof world);
	memset(exchanges, 0, sizeof exchanges);
	world.now_ms = WORLD_START_MS;
	world.seed = 4711;
	world.latency_ms = 1;
	world.index = 10;
	world.next_id = 1;
	world.zones[0].name = "example.com";
	locks_init(LEADER_TTL_SEC);
	consul = (struct http_origin){.url = {.scheme = URL_HTTP}};
	cloudflare = (struct http_origin){.url = {.scheme = URL_HTTP}};
	place = world_job("", "");
	world_setup = (struct watch_setup){
		.place = &place,
		.consul = &consul,
		.cloudflare = &cloudflare,
		.consul_headers = "",
		.cf_headers = "",
		.register_as = "",
		.timeout_ms = 10000,
		.resync_ms = 300000,
		.unhealthy_ms = 60000,
		.wait_sec = 50,
	};
}

struct job world_job(const char *service, const char *name)
{
	struct job job = {
		.types = JOB_TYPES,
		.ttl = 60,
		.min_records = 1,
		.grace_ms = 1000,
		.addresses = {{ADDRESS_SERVICE}, 1},
	};

	(void)snprintf(job.service, sizeof job.service, "%s", service);
	(void)snprintf(job.name, sizeof job.name, "%s", name);
	(void)snprintf(job.zone, sizeof job.zone, "example.com");
	return job;
}

void world_start_jobs(const struct job *jobs, size_t n)
{
	struct err e = {0};

	CHECK(watch_init(&world_watch, &world_setup, &e) == 0, "%s", e.text);
	CHECK(watch_set_jobs(&world_watch, jobs, n, &e) == 0, "%s", e.text);
}

void world_start(void)
{
	struct job jobs[WORLD_SERVICES];
	size_t n = 0;

	for (; n < WORLD_SERVICES && world.services[n].name; n++) {
		char name[NAME_CAP];

		(void)snprintf(name, sizeof name, n ? "w%zu.example.com" : "www.example.com", n);
		jobs[n] = world_job(world.services[n].name, name);
	}
	world_start_jobs(jobs, n);
}

unsigned world_reloads, world_secret_reloads;

static void reload(void *ctx, bool only_secrets)
{
	(void)ctx;
	if (only_secrets)
		world_secret_reloads++;
	else
		world_reloads++;
}

int world_set_up(void **state)
{
	struct err e;

	(void)state;
	world_init();
	world_reloads = world_secret_reloads = 0;
	world_setup.reload = reload;
	assert_int_equal(watch_catch_signals(&e), 0);
	return 0;
}

void world_start_with(const char *instances)
{
	world_set("web", instances);
	world_start();
	world_run(100);
}

void world_set(const char *service, const char *instances)
{
	size_t i = 0;

	while (i < WORLD_SERVICES && world.services[i].name && strcmp(world.services[i].name, service) != 0)
		i++;
	assert_true(i < WORLD_SERVICES);
	world.services[i].name = service;
	world.services[i].instances = instances;
	world.services[i].index = ++world.index;
}

void world_tag(const char *service, const char *tags)
{
	size_t i = 0;

	while (i < WORLD_SERVICES && world.services[i].name && strcmp(world.services[i].name, service) != 0)
		i++;
	if (!world.services[i].name)
		world_set(service, "");
	world.services[i].tags = tags;
	world.index++;
}

static int64_t alarm_ms;

static void alarm_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	loop_wait_until(w, alarm_ms);
}

static void alarm_step(void *ctx, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
}

/* The clock moves no further than to the end: what the test changes then comes at its time. */
void world_run(int64_t ms)
{
	struct loop *l = &world_watch.loop;
	struct loop_part alarm = {.wants = alarm_wants, .step = alarm_step};

	alarm_ms = world.now_ms + ms;
	loop_add(l, &alarm);
	for (unsigned turns = 0; world.now_ms < alarm_ms && l->parts; turns++) {
		CHECK(turns < 100000, "it turns without end: %s", world.story);
		loop_turn(l);
	}
	loop_remove(&alarm);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

const char *world_records(const char *name)
{
	static char text[WORLD_RECORDS * 65];
	const char *contents[WORLD_RECORDS];
	size_t n = 0;

	for (size_t i = 0; i < world.records_n; i++)
		if (strcmp(world.records[i].name, name) == 0)
			contents[n++] = world.records[i].content;
	qsort(contents, n, sizeof contents[0], by_text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", contents[i]);
	return text;
}
