#include "engine/registration.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/utf8.h"
#include "consul/place.h"
#include "core/pace.h"
#include "engine/driver.h"

/*
 * Be what is wanted, from anew. Neither the host's name nor the pid tells two copies apart: in
 * containers on the host's network all have the same name, and everyone is 1. So it may be drawn by
 * lot: what a copy that died has left stays beside its successor until REGISTRATION_GONE_SEC.
 */
static void begin(struct registration *r)
{
	char host[128] = "";
	struct buf b;

	memcpy(r->name, r->wanted, sizeof r->name);
	(void)gethostname(host, sizeof host - 1);
	buf_init(&b, r->id, sizeof r->id);
	buf_fmt(&b, "%s-%s", r->name, host);
	if (r->id_kind == REGISTRATION_ID_LOT)
		buf_fmt(&b, "-%08x", (unsigned)r->lot);
	utf8_clean(r->id); /* a host may have any bytes for a name */
	r->is_leaving = r->is_registered = r->may_be_there = r->is_stale = r->is_failing = false;
	r->is_maintained = r->is_showing = false;
	r->kept[0] = '\0';
	r->is_to_be_found = r->id_kind == REGISTRATION_ID_HOST;
	r->failures = r->leave_tries = 0;
	r->retry_ms = 0;
}

static void set_wanted(struct registration *r, const char *name)
{
	if (str_copy(r->wanted, sizeof r->wanted, name))
		r->wanted[0] = '\0'; /* no setting is that long */
}

void registration_init(struct registration *r, const char *name, enum registration_id id_kind,
		       int64_t timeout_ms)
{
	set_wanted(r, name);
	r->timeout_ms = timeout_ms;
	r->report_every_ms = REGISTRATION_REPORT_MS;
	r->id_kind = id_kind;
	r->lot = driver_random();
	registration_describe(r, &(struct consul_service){.ttl_sec = REGISTRATION_TTL_SEC,
							  .gone_sec = REGISTRATION_GONE_SEC});
	begin(r);
}

/* What it points to may be written over: so it is known again by a sum. */
static uint64_t sum_of(const struct consul_service *s)
{
	const unsigned numbers[] = {s->port, s->has_tag_override, s->ttl_sec, s->gone_sec,
				    (unsigned)s->tags_n};
	uint64_t sum = digest_text(DIGEST_START, s->address);

	sum = digest_add(sum, numbers, sizeof numbers);
	for (size_t i = 0; i < s->tags_n; i++)
		sum = digest_text(sum, s->tags[i]);
	for (size_t i = 0; i < s->metas_n; i++)
		sum = digest_text(digest_text(sum, s->metas[i].key), s->metas[i].value);
	return sum;
}

void registration_describe(struct registration *r, const struct consul_service *service)
{
	uint64_t sum = sum_of(service);

	r->service = *service;
	r->service.id = r->id;
	r->service.name = r->name;
	r->is_stale |= sum != r->sum;
	r->sum = sum;
}

/* By us, or by somebody else, whose word Consul may have forgotten. */
static bool shall_be_maintained(const struct registration *r)
{
	return r->wants_maintenance || r->kept[0];
}

/* What has no place in Consul yet is registered as critical until it is in maintenance: no blip. */
static void write_body(struct registration *r)
{
	bool is_hidden = shall_be_maintained(r) && !r->is_maintained;

	r->is_reported_well = r->is_well && !is_hidden;
	if (r->body)
		buf_init(&r->client.body, r->body, r->body_cap);
	consul_agent_register_body(&r->client.body, &r->service,
				   r->is_reported_well ? INSTANCE_PASSING : INSTANCE_CRITICAL);
}

void registration_wait(struct registration *r, int64_t until_ms)
{
	r->retry_ms = until_ms;
}

void registration_set(struct registration *r, bool is_well, const char *line)
{
	r->is_well = is_well;
	if (str_copy(r->line, sizeof r->line, line))
		r->line[0] = '\0';
}

void registration_show(struct registration *r)
{
	r->is_to_be_shown = true;
}

void registration_maintain(struct registration *r, bool is_on, const char *reason)
{
	r->wants_maintenance = is_on;
	r->reason = reason;
}

bool registration_is_settled(const struct registration *r)
{
	return !r->may_be_there || registration_is_over(r) ||
	       (r->is_registered && shall_be_maintained(r) == r->is_maintained);
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
	return a_ms > b_ms ? a_ms : b_ms;
}

/* The next report is due; never later than report_ms. */
static int64_t report_due_ms(const struct registration *r)
{
	int64_t hurry_ms = r->called_ms + REGISTRATION_HURRY_MS;

	if (r->is_well != r->is_reported_well)
		return 0;
	if (strcmp(r->line, r->reported) != 0 && hurry_ms < r->report_ms)
		return hurry_ms;
	return r->report_ms;
}

/* Which call is next. Returns when it is due. */
static int64_t next_call(const struct registration *r, enum registration_call *call)
{
	int64_t at_ms = 0;

	if (r->is_leaving) {
		*call = REGISTRATION_LEAVE;
	} else if (r->is_registered && shall_be_maintained(r) && !r->is_maintained) {
		*call = REGISTRATION_MAINTAIN;
	} else if (!r->is_registered || r->is_stale) {
		*call = REGISTRATION_REGISTER;
	} else if (!r->has_reported) {
		*call = REGISTRATION_REPORT; /* so comes out of maintenance what is well */
	} else if (r->is_to_be_found) {
		*call = REGISTRATION_FIND;
	} else if (r->is_maintained && !shall_be_maintained(r)) {
		*call = REGISTRATION_MAINTAIN;
	} else if (r->unseen_n >= REGISTRATION_LOOK_EVERY) {
		*call = REGISTRATION_LOOK;
	} else {
		*call = REGISTRATION_REPORT;
		at_ms = report_due_ms(r);
	}
	return later(at_ms, r->retry_ms);
}

static const char *write_request(struct registration *r)
{
	struct buf *target = &r->client.target, *body = &r->client.body;

	switch (r->call) {
	case REGISTRATION_REGISTER:
		buf_str(target, "/v1/agent/service/register");
		write_body(r);
		r->was_there = r->may_be_there;
		r->is_stale = false; /* what changes from now on is news again */
		break;
	case REGISTRATION_FIND: consul_agent_find_maintenance_target(target, r->id); return "GET";
	case REGISTRATION_LOOK: consul_agent_look_target(target, r->id); return "GET";
	case REGISTRATION_MAINTAIN:
		r->is_asked = shall_be_maintained(r);
		consul_agent_maintenance_target(target, r->id, r->is_asked,
						r->kept[0] ? r->kept : r->reason);
		break;
	case REGISTRATION_REPORT:
		consul_agent_report_target(target, r->id);
		consul_agent_report_body(body, r->is_well ? INSTANCE_PASSING : INSTANCE_CRITICAL,
					 r->line);
		memcpy(r->reported, r->line, sizeof r->reported);
		r->is_news = r->is_well != r->is_reported_well;
		r->is_reported_well = r->is_well;
		break;
	case REGISTRATION_LEAVE: consul_agent_deregister_target(target, r->id); break;
	}
	return "PUT";
}

static int start(struct registration *r, int64_t now_ms, struct err *e)
{
	const char *method;

	consul_client_prepare(&r->client);
	method = write_request(r);
	if (r->place)
		consul_place_add_local(&r->client.target, r->place);
	r->called_ms = now_ms;
	if (consul_client_start(&r->client, method, now_ms + r->timeout_ms, e))
		return -1;
	r->client.answer.may_cut = r->call == REGISTRATION_FIND || r->call == REGISTRATION_LOOK;
	return 0;
}

/* Consul was restarted without its state, or somebody took us out: be there again, and at once. */
static enum registration_event lose(struct registration *r, int64_t now_ms)
{
	r->is_registered = r->is_maintained = false;
	r->is_to_be_shown = !r->is_well;
	r->is_showing = false;
	/* At once, but not for ever so: a proxy may refuse what Consul would not. */
	r->retry_ms =
		later(now_ms, r->registered_ms + pace_delay_ms(PACE_REGISTRATION, r->losses, 0));
	return r->losses++ ? REGISTRATION_NOTHING : REGISTRATION_LOST;
}

static enum registration_event fail_to_leave(struct registration *r, int status, int64_t now_ms)
{
	if (!status && ++r->leave_tries < REGISTRATION_LEAVE_TRIES) {
		r->retry_ms = now_ms + REGISTRATION_LEAVE_MS;
		return REGISTRATION_NOTHING;
	}
	begin(r);
	return status == 404 ? REGISTRATION_LEFT : REGISTRATION_NOT_LEFT;
}

/* has_answer: it came from Consul, with a status that says no. */
static enum registration_event fail(struct registration *r, const struct err *e, bool has_answer,
				    int64_t now_ms)
{
	static const char calls[][20] = {
		[REGISTRATION_REGISTER] = "register as",
		[REGISTRATION_FIND] = "maintenance of",
		[REGISTRATION_MAINTAIN] = "maintenance of",
		[REGISTRATION_REPORT] = "report of",
		[REGISTRATION_LOOK] = "look at",
		[REGISTRATION_LEAVE] = "deregister",
	};
	int status = has_answer ? r->client.answer.status : 0;
	bool was_told = r->is_failing;

	r->counts.failures++;
	r->last_err = *e;
	(void)err_wrap(&r->last_err, "consul: %s %s", calls[r->call], r->id);
	if (r->call == REGISTRATION_LEAVE)
		return fail_to_leave(r, status, now_ms);
	/* 1.8.7 answers 500 to a report of a check that it does not know, later ones 404. */
	if (r->call != REGISTRATION_REGISTER && (status == 404 || status == 500))
		return lose(r, now_ms);
	if (r->call == REGISTRATION_REGISTER) {
		r->is_stale = true;
		r->may_be_there &= r->was_there || status / 100 != 4;
	}
	r->retry_ms = now_ms + pace_delay_ms(PACE_REGISTRATION, r->failures, 0);
	r->failures++;
	/* One report that is late is not worth a word. */
	r->is_failing |= r->failures > 1 || !r->is_registered;
	return r->is_failing && !was_told ? REGISTRATION_FAILED : REGISTRATION_NOTHING;
}

static void take_registration(struct registration *r, int64_t now_ms)
{
	r->counts.registrations += !r->is_showing;
	r->is_registered = true;
	r->has_reported = false;
	r->registered_ms = now_ms;
	r->report_ms = now_ms + r->report_every_ms;
	/* After the first report: what does it look like? */
	r->hash[0] = '\0';
	r->unseen_n = r->id_kind == REGISTRATION_ID_HOST ? REGISTRATION_LOOK_EVERY - 1 : 0;
}

/* A former life of ours was in maintenance, and died: that is over. What others set is theirs, and
 * kept for them: it goes with our registration, should Consul lose that. */
static void take_maintenance(struct registration *r)
{
	const struct consul_answer *a = &r->client.answer;
	char reason[REGISTRATION_REASON_CAP];
	bool is_ours;

	consul_agent_maintenance_reason(a->body, a->len, reason, sizeof reason);
	is_ours = str_starts_nocase(reason, REGISTRATION_REASON);
	r->is_to_be_found = false;
	if (a->status != 200)
		return;
	if (reason[0])
		r->is_maintained = true;
	else if (r->kept[0])
		r->is_maintained = false; /* they took it off */
	r->kept[0] = '\0';
	if (!is_ours)
		memcpy(r->kept, reason, sizeof reason);
}

/* Whether somebody else has written there. */
static bool take_look(struct registration *r)
{
	const char *hash = r->client.answer.hash;
	bool is_other = r->hash[0] && hash[0] && strcmp(hash, r->hash) != 0;

	r->unseen_n = 0;
	memcpy(r->hash, hash, sizeof r->hash);
	if (!is_other || r->service.has_tag_override)
		return false;
	r->is_stale = true;
	return true;
}

static enum registration_event succeed(struct registration *r, int64_t now_ms)
{
	bool was_failing = r->is_failing;

	r->retry_ms = 0;
	r->failures = 0;
	r->is_failing = false;
	switch (r->call) {
	case REGISTRATION_REGISTER:
		take_registration(r, now_ms);
		if (!r->is_showing)
			return REGISTRATION_DONE;
		r->is_showing = false;
		break;
	case REGISTRATION_FIND: take_maintenance(r); break;
	case REGISTRATION_MAINTAIN: r->is_maintained = r->is_asked; break;
	case REGISTRATION_LOOK:
		if (take_look(r))
			return REGISTRATION_OVERWRITTEN;
		break;
	case REGISTRATION_REPORT:
		r->counts.reports++;
		r->losses = 0;
		r->has_reported = true;
		r->report_ms = r->called_ms + r->report_every_ms;
		r->unseen_n += r->id_kind == REGISTRATION_ID_HOST;
		r->is_to_be_found |= r->unseen_n == REGISTRATION_LOOK_EVERY;
		r->is_showing = r->is_to_be_shown && !r->is_news && !r->is_stale;
		r->is_stale |= r->is_showing;
		r->is_to_be_shown = false;
		break;
	case REGISTRATION_LEAVE: begin(r); return REGISTRATION_LEFT;
	}
	return was_failing ? REGISTRATION_BACK : REGISTRATION_NOTHING;
}

/* What Consul does not know how to answer, or does not let us see, we do without. */
static bool is_needless(const struct registration *r)
{
	int status = r->client.answer.status;

	return r->call == REGISTRATION_FIND ||
	       (r->call == REGISTRATION_LOOK && status != 404 && status != 500);
}

/* A registration was under way when we were to leave. */
static enum registration_event finish(struct registration *r, enum http_result result,
				      int64_t now_ms)
{
	if (result == HTTP_MORE) {
		if (now_ms < r->finish_ms)
			return REGISTRATION_NOTHING;
		http_close(&r->client.http);
	}
	r->retry_ms = now_ms;
	return REGISTRATION_NOTHING;
}

enum registration_event registration_step(struct registration *r, int64_t now_ms)
{
	struct err e = {0};
	enum http_result result;

	if (!consul_client_is_busy(&r->client)) {
		if (registration_is_over(r) || next_call(r, &r->call) > now_ms)
			return REGISTRATION_NOTHING;
		if (start(r, now_ms, &e))
			return fail(r, &e, false, now_ms);
	}
	result = consul_client_step(&r->client, &e);
	r->may_be_there |= r->call == REGISTRATION_REGISTER && http_was_sent(&r->client.http);
	if (r->is_leaving && r->call != REGISTRATION_LEAVE)
		return finish(r, result, now_ms);
	if (result == HTTP_MORE)
		return REGISTRATION_NOTHING;
	if (result == HTTP_BAD)
		return fail(r, &e, false, now_ms);
	if (consul_answer_finish(&r->client.answer, &e) && !is_needless(r))
		return fail(r, &e, true, now_ms);
	return succeed(r, now_ms);
}

void registration_rename(struct registration *r, const char *name, int64_t now_ms)
{
	if (strcmp(r->wanted, name) == 0)
		return;
	set_wanted(r, name);
	if (r->is_leaving)
		return;
	/* A call that is broken off may have registered us, if it went out at all. */
	if (!r->may_be_there) {
		http_close(&r->client.http);
		begin(r);
		return;
	}
	r->is_leaving = true;
	r->retry_ms = now_ms;
	/* Consul may carry out a registration that is broken off after we have left. */
	r->finish_ms = now_ms + REGISTRATION_FINISH_MS;
	if (r->call != REGISTRATION_REGISTER)
		http_close(&r->client.http);
}

bool registration_is_over(const struct registration *r)
{
	return !r->name[0];
}

void registration_wants(const struct registration *r, struct loop_wait *w)
{
	enum registration_call call;

	if (consul_client_is_busy(&r->client)) {
		consul_client_wants(&r->client, w);
		if (r->is_leaving && r->call != REGISTRATION_LEAVE)
			loop_wait_until(w, r->finish_ms);
	} else if (!registration_is_over(r)) {
		loop_wait_until(w, next_call(r, &call));
	}
}
