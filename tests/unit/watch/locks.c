#include "watch/locks.h"

#include "support.h"

struct locks locks;

void locks_init(unsigned ttl_sec)
{
	locks = (struct locks){
		.holder = -1,
		.index = 1,
		.entry = LOCKS_OURS,
		.ttl_sec = ttl_sec,
		.answer_ttl_sec = ttl_sec,
	};
}

void locks_end_session(int i, int64_t now_ms)
{
	struct locks_session *s = &locks.sessions[i];

	if (!s->is_alive)
		return;
	s->is_alive = false;
	if (locks.holder != i)
		return;
	locks.holder = -1;
	locks.free_ms = now_ms + s->delay_ms;
	locks.index++;
}

void locks_age(int64_t now_ms)
{
	for (unsigned i = 0; i < locks.sessions_n; i++)
		if (locks.sessions[i].is_alive && now_ms >= locks.sessions[i].ends_ms)
			locks_end_session((int)i, now_ms);
}

static int number_in(const char *text, const char *before)
{
	const char *at = strstr(text, before);

	CHECK(at, "no %s in %s", before, text);
	return atoi(at + strlen(before));
}

static int say(char *text, int status, const char *body)
{
	(void)snprintf(text, LOCKS_TEXT_CAP, "%s", body);
	return status;
}

/* The TTL is a lower bound: a session may live twice as long. */
static int64_t expiry_ms(int64_t now_ms, uint32_t *seed)
{
	return now_ms + locks.ttl_sec * 1000 + test_random_below(seed, locks.ttl_sec * 1000);
}

static int acquire(int i, int64_t now_ms, char *text)
{
	bool is_ours;

	if (!locks.sessions[i].is_alive)
		return say(text, 500, "invalid session");
	if (locks.gives_nothing)
		return say(text, 200, "false");
	is_ours = locks.holder == i || (locks.holder < 0 && now_ms >= locks.free_ms);
	if (is_ours && locks.holder != i) {
		locks.holder = i;
		locks.is_deleted = false;
		locks.index++;
	}
	return say(text, 200, is_ours ? "true" : "false");
}

static int answer_key(const char *method, const char *target, const char *body, int64_t now_ms, char *text)
{
	int i;

	if (method[0] == 'G' && (locks.index == 1 || locks.is_deleted))
		return say(text, 404, "");
	if (method[0] == 'G' && locks.holder < 0)
		(void)snprintf(text, LOCKS_TEXT_CAP, "[{\"Key\":\"k\",%s}]", locks.entry);
	else if (method[0] == 'G')
		(void)snprintf(text, LOCKS_TEXT_CAP, "[{\"Key\":\"k\",%s,\"Session\":\"s%d\"}]", locks.entry, locks.holder);
	if (method[0] == 'G')
		return 200;
	/* What every write leaves in it says whose it is. */
	assert_int_equal(strncmp(body, "dnsbuddy", 8), 0);
	assert_non_null(strstr(target, "flags=3304740253564472344"));
	if (strstr(target, "acquire="))
		return acquire(number_in(target, "acquire=s"), now_ms, text);
	i = number_in(target, "release=s");
	if (locks.holder == i) {
		locks.holder = -1;
		locks.index++;
	}
	return say(text, 200, "true");
}

static int create(const char *body, int64_t now_ms, uint32_t *seed, char *text)
{
	assert_true(locks.sessions_n < LOCKS_SESSIONS);
	assert_int_equal(number_in(body, "\"TTL\":\""), locks.ttl_sec);
	assert_non_null(strstr(body, "\"Behavior\":\"release\""));
	assert_non_null(strstr(body, "\"Name\":\"dnsbuddy"));
	locks.sessions[locks.sessions_n] = (struct locks_session){
		.is_alive = true,
		.ends_ms = expiry_ms(now_ms, seed),
		.delay_ms = (int64_t)number_in(body, "\"LockDelay\":\"") * 1000,
	};
	(void)snprintf(text, LOCKS_TEXT_CAP, "{\"ID\":\"s%u\"}", locks.sessions_n++);
	return 200;
}

static int renew(int i, int64_t now_ms, uint32_t *seed, char *text)
{
	if (!locks.sessions[i].is_alive)
		return say(text, 404, "");
	locks.sessions[i].ends_ms = expiry_ms(now_ms, seed);
	(void)snprintf(text, LOCKS_TEXT_CAP, "[{\"ID\":\"s%d\",\"TTL\":\"%us\"}]", i, locks.answer_ttl_sec);
	return 200;
}

int locks_answer(const char *method, const char *target, const char *body, int64_t now_ms, uint32_t *seed,
		 char text[LOCKS_TEXT_CAP])
{
	if (strncmp(target, "/v1/kv/", 7) == 0)
		return answer_key(method, target, body, now_ms, text);
	if (strstr(target, "/session/create"))
		return create(body, now_ms, seed, text);
	if (strstr(target, "/session/renew/"))
		return renew(number_in(target, "/renew/s"), now_ms, seed, text);
	locks_end_session(number_in(target, "/destroy/s"), now_ms);
	return say(text, 200, "true");
}
