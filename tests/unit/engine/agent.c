#include "support.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/agent.h"

#define http_client_init wire_init
#define http_start wire_start
#define http_step wire_step
#define http_is_busy wire_is_busy
#define http_wants wire_wants
#define http_close wire_close
#define http_was_sent wire_was_sent
static void wire_init(struct http_client *c, const struct http_origin *o, struct tls_storage *tls);
static int wire_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e);
static enum http_result wire_step(struct http_client *c, struct err *e);
static bool wire_is_busy(const struct http_client *c);
static void wire_wants(const struct http_client *c, struct loop_wait *wait);
static void wire_close(struct http_client *c);
static bool wire_was_sent(const struct http_client *c);
/* Both cmocka and the module have a fail(). */
#undef fail
#define fail tested_fail
#include "consul/client.c"       /* NOLINT(bugprone-suspicious-include) */
#include "engine/registration.c" /* NOLINT(bugprone-suspicious-include) */
#undef fail
#define fail() _fail(__FILE__, __LINE__)

/* ---- an agent ---- */

struct agent agent;

static void note(char *text, size_t cap, const char *word)
{
	size_t n = strlen(text);

	assert_true(n + strlen(word) + 2 < cap);
	(void)snprintf(text + n, cap - n, "%s%s", n ? " " : "", word);
}

/* A watcher sees each state once, until it is another. */
static void see(void)
{
	const char *now = !agent.has_service     ? "gone"
			  : agent.maintenance[0] ? "maintenance"
			  : agent.has_check      ? agent.status
						 : "unchecked";
	size_t n = strlen(agent.seen), len = strlen(now);

	if (n < len || strcmp(agent.seen + n - len, now) != 0)
		note(agent.seen, sizeof agent.seen, now);
}

static void read_status(const char *text)
{
	const char *at = strstr(text, "\"Status\":\"");

	assert_non_null(at);
	assert_int_equal(sscanf(at, "\"Status\":\"%15[a-z]", agent.status), 1);
}

static int do_register(void)
{
	note(agent.story, sizeof agent.story, "register");
	if (!agent.has_service || strcmp(agent.description, agent.body) != 0)
		agent.hash++;
	(void)snprintf(agent.description, sizeof agent.description, "%.4000s", agent.body);
	if (!agent.has_check)
		read_status(agent.body);
	agent.has_service = agent.has_check = true;
	return 200;
}

static int do_update(void)
{
	struct err e;

	note(agent.story, sizeof agent.story, "report");
	if (!agent.has_check)
		return 500;
	read_status(agent.body);
	assert_int_equal(json_parse(agent.body, strlen(agent.body), &e), 0);
	assert_int_equal(json_string(json_get(0, "Output"), agent.output, sizeof agent.output), 0);
	return 200;
}

static void decode(char *out, const char *text)
{
	unsigned c;

	for (; *text && *text != '&'; text++, out++) {
		*out = *text;
		if (*text != '%')
			continue;
		assert_int_equal(sscanf(text, "%%%2x", &c), 1);
		*out = (char)c;
		text += 2;
	}
	*out = '\0';
}

static int do_maintenance(void)
{
	bool is_on = strstr(agent.target, "enable=true") != NULL;
	const char *reason = strstr(agent.target, "reason=");

	note(agent.story, sizeof agent.story, is_on ? "maintain" : "resume");
	if (!agent.has_service)
		return 404;
	if (!is_on)
		agent.maintenance[0] = '\0';
	else if (!agent.maintenance[0])
		decode(agent.maintenance, reason + 7);
	return 200;
}

static int do_find(void)
{
	note(agent.story, sizeof agent.story, "find");
	(void)snprintf(agent.answer, sizeof agent.answer, agent.maintenance[0] ? "{\"x\":{\"Notes\":\"%s\"}}" : "{}",
		       agent.maintenance);
	if (agent.is_old) /* all checks that there are */
		memset(agent.answer, ' ', CONSUL_BODY_MAX + 1);
	return 200;
}

static int do_look(void)
{
	note(agent.story, sizeof agent.story, "look");
	(void)snprintf(agent.headers, sizeof agent.headers, "X-Consul-Contenthash: %x\n", agent.hash);
	memset(agent.answer, ' ', CONSUL_BODY_MAX + 1); /* many tags */
	return agent.is_old ? 405 : agent.has_service ? 200 : 404;
}

static int do_deregister(void)
{
	note(agent.story, sizeof agent.story, "leave");
	agent.has_service = agent.has_check = false;
	agent.maintenance[0] = '\0';
	return 200;
}

static int answer(void)
{
	memset(agent.answer, 0, sizeof agent.answer);
	agent.headers[0] = '\0';
	if (agent.refuses) {
		note(agent.story, sizeof agent.story, "no");
		return agent.refuses;
	}
	if (strcmp(agent.method, "GET") == 0)
		return strncmp(agent.target, "/v1/agent/checks?filter=", 24) == 0 ? do_find() : do_look();
	if (strstr(agent.target, "/deregister/"))
		return do_deregister();
	if (strstr(agent.target, "/register"))
		return do_register();
	return strstr(agent.target, "/maintenance/") ? do_maintenance() : do_update();
}

static void wire_init(struct http_client *c, const struct http_origin *o, struct tls_storage *tls)
{
	(void)c;
	(void)o;
	(void)tls;
}

static int wire_start(struct http_client *c, const struct http_request *r, const struct http_sink *s, int64_t deadline_ms,
		      struct err *e)
{
	(void)c;
	(void)e;
	assert_false(agent.is_busy);
	agent.is_busy = true;
	agent.sink = *s;
	agent.deadline_ms = deadline_ms;
	(void)snprintf(agent.method, sizeof agent.method, "%s", r->method);
	(void)snprintf(agent.target, sizeof agent.target, "%s", r->target);
	CHECK(!agent.suffix || (strlen(r->target) > strlen(agent.suffix) &&
				strcmp(r->target + strlen(r->target) - strlen(agent.suffix), agent.suffix) == 0),
	      "%s", r->target);
	(void)snprintf(agent.body, sizeof agent.body, "%.*s", (int)r->body_len, r->body ? r->body : "");
	return 0;
}

int64_t agent_now_ms;

static enum http_result wire_step(struct http_client *c, struct err *e)
{
	int status;

	(void)c;
	if (agent.is_away || (agent.hangs && agent_now_ms >= agent.deadline_ms)) {
		agent.is_busy = false;
		note(agent.story, sizeof agent.story, "lost");
		(void)err_set(e, ERR_RETRY, "connection refused");
		return HTTP_BAD;
	}
	if (agent.hangs)
		return HTTP_MORE;
	agent.is_busy = false;
	status = answer();
	see();
	return test_answer(&agent.sink, status, agent.headers, agent.answer, 0, e) ? HTTP_BAD : HTTP_DONE;
}

static bool wire_is_busy(const struct http_client *c)
{
	(void)c;
	return agent.is_busy;
}

static void wire_wants(const struct http_client *c, struct loop_wait *wait)
{
	(void)c;
	loop_wait_until(wait, agent.hangs ? agent.deadline_ms : 0);
}

static void wire_close(struct http_client *c)
{
	(void)c;
	agent.is_busy = false;
}

static bool wire_was_sent(const struct http_client *c)
{
	(void)c;
	return !agent.is_away;
}

/* ---- one registration ---- */

struct registration agent_registration;
unsigned agent_events[REGISTRATION_NOT_LEFT + 1];
static const char *const tags[] = {"a", "b\"c"};
static const struct consul_meta metas[] = {{"k", "v"}, {"l", "w"}};
const struct consul_service agent_web = {.address = "192.0.2.1",
					 .port = 80,
					 .tags = tags,
					 .tags_n = COUNT(tags),
					 .metas = metas,
					 .metas_n = COUNT(metas),
					 .ttl_sec = 25};

void agent_init(void)
{
	memset(&agent, 0, sizeof agent);
	agent_now_ms = AGENT_START_MS;
}

int agent_set_up(void **state)
{
	(void)state;
	agent_init();
	memset(&agent_registration, 0, sizeof agent_registration);
	memset(agent_events, 0, sizeof agent_events);
	registration_init(&agent_registration, "web", REGISTRATION_ID_HOST, 10000);
	registration_describe(&agent_registration, &agent_web);
	registration_set(&agent_registration, true, "fine");
	return 0;
}

void agent_run(int64_t ms)
{
	const int64_t end_ms = agent_now_ms + ms;

	for (unsigned steps = 0;; steps++) {
		struct loop_wait w = {.wake_ms = CLOCK_NEVER};

		CHECK(steps < 10000, "it never rests: %.200s", agent.story);
		registration_wants(&agent_registration, &w);
		if (w.wake_ms > end_ms)
			break;
		agent_now_ms = w.wake_ms > agent_now_ms ? w.wake_ms : agent_now_ms;
		agent_events[registration_step(&agent_registration, agent_now_ms)]++;
	}
	agent_now_ms = end_ms;
}

void agent_clear(void)
{
	agent.story[0] = '\0';
	agent.seen[0] = '\0';
	see();
	memset(agent_events, 0, sizeof agent_events);
}

void agent_start(void)
{
	agent_run(1000);
	assert_true(agent.has_service);
	agent_clear();
}

void agent_forget(void)
{
	agent.has_service = agent.has_check = false;
	agent.maintenance[0] = '\0';
	agent_clear();
}
