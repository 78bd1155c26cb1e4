#include "watch/leader.h"

#include <string.h>

#include "base/clock.h"
#include "core/pace.h"

/* A session can end early (its node is lost, it is destroyed): we stop before others may. */
_Static_assert(LEADER_LOCK_DELAY_SEC *LEADER_SEC_MS >=
		       LEADER_TTL_SEC * LEADER_SEC_MS - LEADER_MARGIN_MS,
	       "nobody else leads before the fence");

void leader_init(struct leader *l, const char *key, const char *name, const struct job *place,
		 int64_t timeout_ms)
{
	l->key = key;
	l->name = name;
	l->place = place;
	l->timeout_ms = timeout_ms;
	l->step = LEADER_WATCH;
	l->ttl_ms = LEADER_TTL_SEC * LEADER_SEC_MS;
}

/*
 * For how long a renewal counts. A session may end long before its TTL (its node is lost, it is
 * destroyed by hand), and then the lock-delay is all that keeps the others away from the lock.
 */
static int64_t valid_ms(const struct leader *l)
{
	const int64_t delay_ms = LEADER_LOCK_DELAY_SEC * LEADER_SEC_MS;

	return l->ttl_ms < delay_ms ? l->ttl_ms : delay_ms;
}

int64_t leader_fence_ms(const struct leader *l, int64_t now_ms)
{
	return l->has_lock ? l->renewed_ms + valid_ms(l) - LEADER_MARGIN_MS : now_ms;
}

static const char *prepare(struct leader *l)
{
	struct buf *target = &l->client.target, *body = &l->client.body;

	consul_client_prepare(&l->client);
	switch (l->step) {
	case LEADER_WATCH:
		consul_lock_watch_target(target, l->key, l->index, LEADER_WAIT_SEC, l->place);
		return "GET";
	case LEADER_CREATE:
		consul_session_create_target(target, l->place);
		consul_session_create_body(body, l->name, LEADER_TTL_SEC, LEADER_LOCK_DELAY_SEC);
		break;
	case LEADER_ACQUIRE:
		consul_lock_acquire_target(target, l->key, l->session, l->place);
		buf_str(body, l->name);
		break;
	case LEADER_RENEW: consul_session_renew_target(target, l->session, l->place); break;
	case LEADER_RELEASE:
		consul_lock_release_target(target, l->key, l->session, l->place);
		buf_str(body, l->name);
		break;
	case LEADER_DESTROY:
	default: consul_session_destroy_target(target, l->session, l->place); break;
	}
	return "PUT";
}

static int64_t call_deadline_ms(const struct leader *l, int64_t now_ms)
{
	bool waits = l->step == LEADER_WATCH && l->index;

	return now_ms + l->timeout_ms + (waits ? consul_wait_ms(LEADER_WAIT_SEC) : 0);
}

static void set_step(struct leader *l, enum leader_step step, int64_t at_ms)
{
	l->step = step;
	l->next_ms = at_ms;
}

/* We lead: until then renew in time, every third of what a renewal is good for. */
static void lead(struct leader *l)
{
	l->has_lock = true;
	set_step(l, LEADER_RENEW, l->renewed_ms + valid_ms(l) / 3);
}

static void drop_session(struct leader *l, int64_t now_ms)
{
	l->session[0] = '\0';
	l->index = 0;
	set_step(l, LEADER_WATCH, now_ms);
}

static int after_watch(struct leader *l, int64_t now_ms, struct err *e)
{
	char holder[CONSUL_SESSION_CAP];

	if (consul_lock_watch_read(&l->client.answer, holder, e))
		return -1;
	l->index = consul_next_index(l->index, l->client.answer.index);
	if (l->has_lock) {
		l->index = 0;
		l->has_lock = strcmp(holder, l->session) == 0; /* or it was taken from us by hand */
		if (l->has_lock)
			lead(l);
		return 0;
	}
	if (holder[0] && l->session[0] && strcmp(holder, l->session) == 0) {
		set_step(l, LEADER_RENEW, now_ms); /* ours after all: an answer was lost */
	} else if (holder[0]) {
		l->session[0] = '\0'; /* its TTL ends it */
		set_step(l, LEADER_WATCH, now_ms);
	} else if (l->session[0] && now_ms - l->renewed_ms < l->ttl_ms / 2) {
		set_step(l, LEADER_ACQUIRE, now_ms);
	} else {
		set_step(l, LEADER_CREATE, now_ms);
	}
	return 0;
}

static int after_acquire(struct leader *l, int64_t now_ms, uint32_t random, struct err *e)
{
	bool is_ours;

	if (consul_lock_read(&l->client.answer, &is_ours, e))
		return -1;
	if (is_ours) {
		lead(l);
		return 0;
	}
	/* Somebody was faster, or the lock-delay is not over. */
	l->index = 0;
	set_step(l, LEADER_WATCH, now_ms + pace_delay_ms(PACE_CANDIDATE, 0, random));
	return 0;
}

static int after_renew(struct leader *l, int64_t now_ms, struct err *e)
{
	unsigned ttl_sec;

	if (consul_session_renew_read(&l->client.answer, &ttl_sec, e))
		return -1;
	l->renewed_ms = l->called_ms;
	if ((int64_t)ttl_sec * 1000 > l->ttl_ms)
		l->ttl_ms = (int64_t)ttl_sec * 1000;
	set_step(l, l->has_lock ? LEADER_WATCH : LEADER_ACQUIRE, now_ms);
	return 0;
}

static int after_call(struct leader *l, int64_t now_ms, uint32_t random, struct err *e)
{
	/* A key that nobody ever locked is not there. */
	bool is_missing = consul_meaning(l->client.answer.status) == CONSUL_MISSING;

	if (is_missing && l->step == LEADER_RENEW) {
		drop_session(l, now_ms);
		return 0;
	}
	if (!(is_missing && l->step == LEADER_WATCH) && consul_answer_finish(&l->client.answer, e))
		return -1;
	switch (l->step) {
	case LEADER_WATCH: return after_watch(l, now_ms, e);
	case LEADER_CREATE:
		if (consul_session_create_read(&l->client.answer, l->session, e))
			return -1;
		l->renewed_ms = l->called_ms;
		l->ttl_ms = LEADER_TTL_SEC * LEADER_SEC_MS;
		set_step(l, LEADER_ACQUIRE, now_ms);
		return 0;
	case LEADER_ACQUIRE: return after_acquire(l, now_ms, random, e);
	case LEADER_RENEW: return after_renew(l, now_ms, e);
	case LEADER_RELEASE: set_step(l, LEADER_DESTROY, now_ms); return 0;
	case LEADER_DESTROY:
	default: set_step(l, LEADER_OVER, now_ms); return 0;
	}
}

static void fail(struct leader *l, const struct err *e, int64_t now_ms, uint32_t random)
{
	l->last_err = *e;
	(void)err_wrap(&l->last_err, "consul: lock %s", l->key);
	if (l->step == LEADER_RELEASE || l->step == LEADER_DESTROY) {
		set_step(l, LEADER_OVER, now_ms); /* the TTL will do it */
		return;
	}
	l->index = 0;
	/* Who leads has no time for more; what became of the others' calls, the key tells. */
	if (l->has_lock)
		set_step(l, LEADER_RENEW, now_ms + pace_delay_ms(PACE_LEADER, 0, random));
	else
		set_step(l, LEADER_WATCH,
			 now_ms + pace_delay_ms(PACE_FOLLOWER, l->failures, random));
	l->failures++;
}

/* The fence has come: whatever Consul will say, until it does we do not lead. */
static void check_fence(struct leader *l, int64_t now_ms)
{
	if (!l->has_lock || now_ms < leader_fence_ms(l, now_ms))
		return;
	l->has_lock = false;
	http_close(&l->client.http);
	if (l->step != LEADER_RELEASE && l->step != LEADER_DESTROY)
		set_step(l, LEADER_RENEW, now_ms);
}

static void step_call(struct leader *l, int64_t now_ms, uint32_t random)
{
	struct err e = {0};
	enum http_result result;

	if (!consul_client_is_busy(&l->client)) {
		const char *method;

		if (l->step == LEADER_OVER || l->next_ms > now_ms)
			return;
		method = prepare(l);
		l->called_ms = now_ms;
		if (consul_client_start(&l->client, method, call_deadline_ms(l, now_ms), &e)) {
			fail(l, &e, now_ms, random);
			return;
		}
	}
	result = consul_client_step(&l->client, &e);
	if (result == HTTP_MORE)
		return;
	if (result == HTTP_BAD || after_call(l, now_ms, random, &e))
		fail(l, &e, now_ms, random);
	else
		l->failures = 0;
}

enum leader_event leader_step(struct leader *l, int64_t now_ms, uint32_t random)
{
	bool had_lock = l->has_lock;

	check_fence(l, now_ms);
	step_call(l, now_ms, random);
	if (!l->session[0])
		l->has_lock = false;
	if (had_lock == l->has_lock)
		return LEADER_NOTHING;
	return l->has_lock ? LEADER_WON : LEADER_LOST;
}

void leader_stop(struct leader *l, int64_t now_ms)
{
	http_close(&l->client.http);
	l->has_lock = false;
	/* Even if we do not know that we hold it: a session that ends with it delays the others. */
	set_step(l, l->session[0] ? LEADER_RELEASE : LEADER_OVER, now_ms);
}

bool leader_is_over(const struct leader *l)
{
	return l->step == LEADER_OVER;
}

void leader_wants(const struct leader *l, struct loop_wait *w)
{
	if (consul_client_is_busy(&l->client))
		consul_client_wants(&l->client, w);
	else if (l->step != LEADER_OVER)
		loop_wait_until(w, l->next_ms);
	if (l->has_lock)
		loop_wait_until(w, leader_fence_ms(l, 0));
}
