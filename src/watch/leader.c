#include "watch/leader.h"

#include <string.h>

#include "base/clock.h"
#include "core/pace.h"

/* A session can end early (its node is lost, it is destroyed): we stop before others may. */
_Static_assert((int64_t)LEADER_LOCK_DELAY_SEC * 1000 >= LEADER_TTL_MS - LEADER_MARGIN_MS,
	       "nobody else leads before the fence");

void leader_init(struct leader *l, const char *key, const char *name, const struct job *place,
		 int64_t timeout_ms, int64_t now_ms)
{
	l->key = key;
	l->name = name;
	l->place = place;
	l->timeout_ms = timeout_ms;
	l->step = LEADER_WATCH;
	l->is_leaderless = true;
	l->leaderless_ms = now_ms;
}

/*
 * Until when what was shown may be believed. A longer TTL, which a renewal may answer, changes
 * nothing: a session may end long before it (its node is lost, it is destroyed by hand), and then
 * the lock-delay is all that keeps the others away from the lock.
 */
static int64_t lease_ms(const struct leader *l)
{
	return (l->renewed_ms < l->shown_ms ? l->renewed_ms : l->shown_ms) + LEADER_TTL_MS -
	       LEADER_MARGIN_MS;
}

int64_t leader_fence_ms(const struct leader *l, int64_t now_ms)
{
	return l->has_lock ? lease_ms(l) : now_ms;
}

static unsigned wait_sec(const struct leader *l)
{
	return l->has_lock && l->wait_sec > LEADER_LOOK_SEC ? LEADER_LOOK_SEC : l->wait_sec;
}

static const char *prepare(struct leader *l)
{
	struct buf *target = &l->client.target, *body = &l->client.body;

	consul_client_prepare(&l->client);
	switch (l->step) {
	case LEADER_WATCH:
		consul_lock_watch_target(target, l->key, l->index, wait_sec(l), l->place);
		return "GET";
	case LEADER_CREATE:
		consul_session_target(target, "create", "", l->place);
		consul_session_create_body(body, l->name, LEADER_TTL_SEC, LEADER_LOCK_DELAY_SEC);
		break;
	case LEADER_ACQUIRE:
	case LEADER_RELEASE:
		consul_lock_target(target, l->step == LEADER_ACQUIRE ? "acquire" : "release",
				   l->key, l->session, l->place);
		buf_str(body, l->name);
		break;
	case LEADER_RENEW: consul_session_target(target, "renew/", l->session, l->place); break;
	case LEADER_DESTROY:
	default: consul_session_target(target, "destroy/", l->session, l->place); break;
	}
	return "PUT";
}

static int64_t call_deadline_ms(const struct leader *l, int64_t now_ms)
{
	bool waits = l->step == LEADER_WATCH && l->index;

	return now_ms + l->timeout_ms + (waits ? consul_wait_ms(wait_sec(l)) : 0);
}

static void set_step(struct leader *l, enum leader_step step, int64_t at_ms)
{
	l->step = step;
	l->next_ms = at_ms;
}

/* Not before this, nor before now. */
static void set_step_after(struct leader *l, enum leader_step step, int64_t after_ms,
			   int64_t now_ms)
{
	set_step(l, step, after_ms > now_ms ? after_ms : now_ms);
}

static void set_leaderless(struct leader *l, int64_t now_ms)
{
	if (!l->is_leaderless)
		l->leaderless_ms = now_ms;
	l->is_leaderless = true;
	l->holder[0] = '\0';
	l->index = 0; /* what comes next is not waited for */
}

/* It is known who leads. */
static void settle(struct leader *l)
{
	l->is_leaderless = false;
	l->failures = l->failure = l->refusals = 0;
}

/* why: NULL when last_err says it. */
static void lose(struct leader *l, const char *why, int64_t now_ms)
{
	if (!l->has_lock)
		return;
	l->has_lock = false;
	l->failures = 0; /* a follower's begin anew */
	if (why)
		(void)err_set(&l->last_err, ERR_RETRY, "%s", why);
	set_leaderless(l, now_ms);
}

static void drop_session(struct leader *l, int64_t now_ms)
{
	lose(l, "the session has ended", now_ms);
	l->session[0] = '\0';
	l->index = 0;
	set_step(l, LEADER_WATCH, now_ms);
}

/* The key names our session: we lead, if that session is sure to be alive. */
static void after_ours(struct leader *l, int64_t now_ms)
{
	const int64_t look_ms = consul_wait_ms(LEADER_LOOK_SEC);
	bool is_late;

	l->shown_ms = l->called_ms;
	l->has_lock = lease_ms(l) > now_ms;
	if (!l->has_lock) {
		set_leaderless(l, now_ms);
		set_step(l, LEADER_RENEW, now_ms);
		return;
	}
	/* Would a renewal be late after one more look? Then it may be what fails. */
	is_late = now_ms + look_ms > l->renewed_ms + LEADER_TTL_MS / 3;
	if (!is_late)
		settle(l);
	l->is_leaderless = false;
	set_step_after(l, is_late ? LEADER_RENEW : LEADER_WATCH, l->called_ms + LEADER_REST_MS,
		       now_ms);
}

static void after_others(struct leader *l, const char *holder, int64_t now_ms)
{
	lose(l, "another one holds the lock", now_ms);
	l->session[0] = '\0'; /* its TTL ends it */
	settle(l);
	l->has_news = l->has_news || strcmp(l->holder, holder) != 0;
	memcpy(l->holder, holder, sizeof l->holder);
	set_step_after(l, LEADER_WATCH, l->called_ms + LEADER_REST_MS, now_ms);
}

static void after_nobody(struct leader *l, int64_t now_ms)
{
	int64_t age_ms = now_ms - l->renewed_ms;

	lose(l, "the lock was taken away", now_ms);
	set_leaderless(l, now_ms);
	if (!l->session[0] || age_ms >= LEADER_TTL_MS)
		set_step(l, LEADER_CREATE, now_ms);
	else if (age_ms >= LEADER_TTL_MS / 2)
		set_step(l, LEADER_RENEW, now_ms);
	else
		set_step_after(l, LEADER_ACQUIRE, l->acquire_ms, now_ms);
}

static int after_watch(struct leader *l, int64_t now_ms, struct err *e)
{
	char holder[CONSUL_SESSION_CAP];

	if (consul_lock_watch_read(&l->client.answer, holder, e))
		return -1;
	l->is_foreign = false;
	l->index = consul_next_index(l->index, l->client.answer.index);
	if (!holder[0])
		after_nobody(l, now_ms);
	else if (strcmp(holder, l->session) == 0)
		after_ours(l, now_ms);
	else
		after_others(l, holder, now_ms);
	return 0;
}

/* What cannot be done, and the right that it takes. */
static const char calls[][34] = {
	/* no pointers: they would be relocated */
	[LEADER_WATCH] = "read the key (key:read)",
	[LEADER_CREATE] = "create a session (session:write)",
	[LEADER_ACQUIRE] = "acquire (key:write)",
	[LEADER_RENEW] = "renew the session (session:write)",
};

static void note_failure(struct leader *l, const struct err *e)
{
	/* Texts may hold what is another each time: times, ids. */
	unsigned failure = 1 + (unsigned)l->step + 16 * (unsigned)e->kind +
			   1024 * (unsigned)l->client.answer.status;

	l->last_err = *e;
	(void)err_wrap(&l->last_err, "consul: lock %s: %s", l->key, calls[l->step]);
	l->has_news = l->has_news || failure != l->failure;
	l->failure = failure;
}

static int after_acquire(struct leader *l, int64_t now_ms, uint32_t random, struct err *e)
{
	bool is_ours;

	if (consul_lock_read(&l->client.answer, &is_ours, e))
		return -1;
	l->acquire_ms = now_ms + pace_delay_ms(PACE_CANDIDATE, 0, random);
	/* Somebody was faster; or nobody holds it, and it rests: when that goes on it is told. */
	if (!is_ours && l->refusals++) {
		(void)err_set(e, ERR_RETRY, "not given, though nobody holds it (lock-delay)");
		note_failure(l, e);
	}
	set_step(l, LEADER_WATCH, now_ms); /* which shows it, if it is ours */
	return 0;
}

static int after_renew(struct leader *l, int64_t now_ms, struct err *e)
{
	char id[CONSUL_SESSION_CAP];

	if (consul_session_read(&l->client.answer, id, e))
		return -1;
	if (strcmp(id, l->session) != 0)
		return err_set(e, ERR_PROTO, "another session was renewed");
	l->renewed_ms = l->called_ms;
	if (l->has_lock)
		settle(l);
	set_step(l, LEADER_WATCH, now_ms);
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
		if (consul_session_read(&l->client.answer, l->session, e))
			return -1;
		l->renewed_ms = l->called_ms;
		set_step_after(l, LEADER_ACQUIRE, l->acquire_ms, now_ms);
		return 0;
	case LEADER_ACQUIRE: return after_acquire(l, now_ms, random, e);
	case LEADER_RENEW: return after_renew(l, now_ms, e);
	case LEADER_RELEASE:
	case LEADER_DESTROY:
	default: set_step(l, l->step + 1, now_ms); return 0;
	}
}

static void fail(struct leader *l, const struct err *e, int64_t now_ms, uint32_t random)
{
	if (l->step >= LEADER_RELEASE) {
		/* The TTL will do it. */
		set_step(l, l->step + 1, now_ms);
		return;
	}
	note_failure(l, e);
	if (l->step == LEADER_WATCH && (e->kind == ERR_REFUSED || e->kind == ERR_LIMIT))
		l->is_foreign = true;
	if (l->is_foreign)
		lose(l, NULL, now_ms);
	l->index = 0;
	if (!l->has_lock)
		set_leaderless(l, now_ms);
	/* What became of the call, the key tells; who leads has no time for a longer rest. */
	set_step(l, LEADER_WATCH,
		 now_ms + pace_delay_ms(l->has_lock ? PACE_LEADER : PACE_FOLLOWER, l->failures,
					random));
	l->failures++;
}

/* The fence has come: whatever Consul will say, until it does we do not lead. */
static void check_fence(struct leader *l, int64_t now_ms)
{
	if (!l->has_lock || now_ms < lease_ms(l))
		return;
	lose(l, l->failure ? NULL : "no answer of Consul in time", now_ms);
	http_close(&l->client.http);
	set_step(l, LEADER_WATCH, now_ms);
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
	if (l->step == LEADER_WATCH && e.kind == ERR_LIMIT)
		(void)err_wrap(&e, "it is not a lock of ours and stays as it is");
	if (result == HTTP_BAD || after_call(l, now_ms, random, &e))
		fail(l, &e, now_ms, random);
}

enum leader_event leader_step(struct leader *l, int64_t now_ms, uint32_t random)
{
	bool had_lock = l->has_lock;

	check_fence(l, now_ms);
	step_call(l, now_ms, random);
	if (had_lock != l->has_lock)
		return l->has_lock ? LEADER_WON : LEADER_LOST;
	if (!l->has_news)
		return LEADER_NOTHING;
	l->has_news = false;
	return l->failure ? LEADER_FAILS : LEADER_FOLLOWS;
}

void leader_stop(struct leader *l, bool release, int64_t now_ms)
{
	enum leader_step step = release && !l->is_foreign ? LEADER_RELEASE : LEADER_DESTROY;

	http_close(&l->client.http);
	l->has_lock = false;
	/* Even if we do not know that we hold it: a session that ends with it delays the others. */
	set_step(l, l->session[0] ? step : LEADER_OVER, now_ms);
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
