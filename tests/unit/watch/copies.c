#include "watch/copies.h"

#include "support.h"

#include "base/clock.h"
#include "consul/client.h"

#define consul_client_start wire_start
#define consul_client_step wire_step
#define consul_client_is_busy wire_is_busy
#define consul_client_wants wire_wants
#define http_close wire_close
static int wire_start(struct consul_client *c, const char *method, int64_t deadline_ms, struct err *e);
static enum http_result wire_step(struct consul_client *c, struct err *e);
static bool wire_is_busy(const struct consul_client *c);
static void wire_wants(const struct consul_client *c, struct loop_wait *wait);
static void wire_close(struct http_client *c);
/* Both cmocka and the module have a fail(). */
#undef fail
#define fail tested_fail
#include "watch/leader.c" /* NOLINT(bugprone-suspicious-include) */
#undef fail
#define fail() _fail(__FILE__, __LINE__)

struct copy copies[COPIES];
int64_t test_now_ms;
uint32_t test_seed;

static struct copy *copy_of(const struct consul_client *c)
{
	for (int i = 0; i < COPIES; i++)
		if (&copies[i].l.client == c)
			return &copies[i];
	fail_msg("no copy");
	return NULL;
}

static int wire_start(struct consul_client *c, const char *method, int64_t deadline_ms, struct err *e)
{
	struct copy *k = copy_of(c);
	const char *index;

	assert_false(k->is_busy);
	k->calls_n[k->l.step]++;
	if (k->cannot_start)
		return err_set(e, ERR_LIMIT, "the request is too long");
	assert_true(buf_ok(&c->target) && buf_ok(&c->body));
	k->is_busy = true;
	k->is_done = k->has_arrived = k->is_lost = false;
	(void)snprintf(k->method, sizeof k->method, "%s", method);
	(void)snprintf(k->target, sizeof k->target, "%s", c->target.p);
	(void)snprintf(k->body, sizeof k->body, "%s", c->body.len ? c->body.p : "");
	index = strstr(k->target, "index=");
	k->asked_index = index ? strtoull(index + 6, NULL, 10) : 0;
	k->wait_ms = index ? strtoll(strstr(k->target, "wait=") + 5, NULL, 10) * 1000 : 0;
	k->started_ms = test_now_ms;
	k->deadline_ms = deadline_ms;
	k->arrive_ms = test_now_ms;
	k->answer_ms = test_now_ms;
	return 0;
}

static enum http_result wire_step(struct consul_client *c, struct err *e)
{
	struct copy *k = copy_of(c);

	assert_true(k->is_busy);
	if (test_now_ms >= k->deadline_ms) {
		k->is_busy = false;
		(void)err_set(e, ERR_RETRY, "no answer in time");
		return HTTP_BAD;
	}
	if (!k->is_done || k->is_lost || test_now_ms < k->answer_ms)
		return HTTP_MORE;
	k->is_busy = false;
	if (c->answer.status >= 0)
		return HTTP_DONE;
	c->answer.status = 200;
	(void)err_set(e, ERR_LIMIT, "more than 4096 bytes");
	return HTTP_BAD;
}

static bool wire_is_busy(const struct consul_client *c)
{
	return copy_of(c)->is_busy;
}

static void wire_wants(const struct consul_client *c, struct loop_wait *wait)
{
	loop_wait_until(wait, copy_of(c)->deadline_ms);
}

static void wire_close(struct http_client *c)
{
	for (int i = 0; i < COPIES; i++)
		if (&copies[i].l.client.http == c)
			copies[i].is_busy = false;
}

/* ---- Consul ---- */

static void say(struct copy *k, int status, const char *text)
{
	struct consul_answer *a = &k->l.client.answer;

	k->is_done = true;
	k->answer_ms = test_now_ms > k->answer_ms ? test_now_ms : k->answer_ms;
	a->status = status;
	a->index = locks.index;
	a->len = strlen(text);
	memcpy(a->body, text, a->len + 1);
}

void serve(void)
{
	locks_age(test_now_ms);
	for (int i = 0; i < COPIES; i++) {
		struct copy *k = &copies[i];

		char text[LOCKS_TEXT_CAP], call[sizeof k->method + sizeof k->target];
		int status;

		if (!k->is_busy || k->is_done || test_now_ms < k->arrive_ms)
			continue;
		(void)snprintf(call, sizeof call, "%s %s", k->method, k->target);
		if (k->denied && strstr(call, k->denied)) {
			say(k, k->status, k->said ? k->said : "Permission denied");
			continue;
		}
		if (k->asked_index && k->asked_index == locks.index && test_now_ms - k->arrive_ms < k->wait_ms)
			continue; /* it waits */
		status = locks_answer(k->method, k->target, k->body, test_now_ms, &test_seed, text);
		say(k, status, text);
	}
}

/* ---- copies ---- */

void start_copy(int i)
{
	static const struct job place;

	memset(&copies[i], 0, sizeof copies[i]);
	copies[i].l.wait_sec = 45;
	leader_init(&copies[i].l, "service/k/leader", "dnsbuddy", &place, TIMEOUT_MS, test_now_ms);
}

int copies_set_up(void **state)
{
	(void)state;
	locks_init(LEADER_TTL_SEC);
	test_now_ms = 1000000;
	test_seed = 1;
	for (int i = 0; i < COPIES; i++)
		start_copy(i);
	return 0;
}

enum leader_event step_copy(int i)
{
	enum leader_event event = leader_step(&copies[i].l, test_now_ms, test_random(&test_seed));

	copies[i].events_n[event]++;
	copies[i].may_write = leader_fence_ms(&copies[i].l, test_now_ms) > test_now_ms;
	assert_true(copies[i].may_write == copies[i].l.has_lock);
	return event;
}

/* Whether it could write now, awake or woken between its step and its write. */
bool could_write(int i)
{
	return copies[i].may_write && leader_fence_ms(&copies[i].l, test_now_ms) > test_now_ms;
}

/* Let time go for the first n copies. */
void run(int n, int64_t ms)
{
	for (int64_t until_ms = test_now_ms + ms; test_now_ms < until_ms; test_now_ms += 10) {
		for (int i = 0; i < n; i++)
			if (test_now_ms >= copies[i].frozen_until_ms)
				(void)step_copy(i);
		serve();
	}
}

void deny(int i, const char *part, int status)
{
	copies[i].denied = part;
	copies[i].status = status;
}

void close_call(int i)
{
	wire_close(&copies[i].l.client.http);
}
