#include "engine/registration.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"
#include "consul/agent.h"
#include "core/pace.h"
#include "engine/driver.h"

/*
 * Be what is wanted, from anew. Neither the host's name nor the pid tells two copies apart: in
 * containers on the host's network all have the same name, and everyone is 1. So it is drawn by
 * lot: what a copy that died has left stays beside its successor until REGISTRATION_GONE_SEC.
 */
static void begin(struct registration *r)
{
	char host[128] = "";
	struct buf b;

	memcpy(r->name, r->wanted, sizeof r->name);
	(void)gethostname(host, sizeof host - 1);
	buf_init(&b, r->id, sizeof r->id);
	buf_fmt(&b, "%s-%s-%08x", r->name, host, (unsigned)r->lot);
	utf8_clean(r->id); /* a host may have any bytes for a name */
	r->is_leaving = r->is_registered = r->was_refused = false;
	r->reported[0] = '\0';
	r->next_ms = 0;
}

static void set_wanted(struct registration *r, const char *name)
{
	if (str_copy(r->wanted, sizeof r->wanted, name))
		r->wanted[0] = '\0'; /* no setting is that long */
}

void registration_init(struct registration *r, const char *name, int64_t timeout_ms)
{
	set_wanted(r, name);
	r->timeout_ms = timeout_ms;
	r->lot = driver_random();
	begin(r);
}

void registration_set(struct registration *r, bool is_well, const char *line)
{
	r->is_well = is_well;
	if (str_copy(r->line, sizeof r->line, line))
		r->line[0] = '\0';
}

static bool is_news(const struct registration *r)
{
	return r->is_well != r->is_reported_well || strcmp(r->line, r->reported) != 0;
}

/* When the next call is due. */
static int64_t due_ms(const struct registration *r)
{
	int64_t at_ms = r->next_ms;

	if (r->is_leaving || !r->is_registered)
		return at_ms;
	if (!is_news(r) && r->report_ms > at_ms)
		at_ms = r->report_ms;
	return at_ms;
}

static int start(struct registration *r, int64_t now_ms, struct err *e)
{
	struct buf *target = &r->client.target, *body = &r->client.body;

	consul_client_prepare(&r->client);
	if (r->is_leaving) {
		consul_agent_deregister_target(target, r->id);
	} else if (!r->is_registered) {
		buf_str(target, "/v1/agent/service/register");
		consul_agent_register_body(body, r->id, r->name, REGISTRATION_TTL_SEC,
					   REGISTRATION_GONE_SEC);
	} else {
		consul_agent_report_target(target, r->id);
		consul_agent_report_body(body, r->is_well ? INSTANCE_PASSING : INSTANCE_CRITICAL,
					 r->line);
		memcpy(r->reported, r->line, sizeof r->reported);
		r->is_reported_well = r->is_well;
	}
	return consul_client_start(&r->client, "PUT", now_ms + r->timeout_ms, e);
}

static int fail(struct registration *r, const struct err *e, int64_t now_ms)
{
	bool is_first = !r->was_refused;

	r->last_err = *e;
	(void)err_wrap(&r->last_err, "consul: register as %s", r->id);
	if (r->is_leaving) {
		begin(r);
		return 0;
	}
	/* A Consul that was restarted does not know us any more: register anew, and soon. */
	r->next_ms = now_ms +
		     pace_delay_ms(r->is_registered ? PACE_REGISTERED : PACE_REGISTRATION, 0, 0);
	r->was_refused = !r->is_registered;
	r->is_registered = false;
	r->reported[0] = '\0';
	return is_first && r->was_refused ? -1 : 0;
}

int registration_step(struct registration *r, int64_t now_ms)
{
	struct err e = {0};
	enum http_result result;

	if (!consul_client_is_busy(&r->client)) {
		if (registration_is_over(r) || due_ms(r) > now_ms)
			return 0;
		if (start(r, now_ms, &e))
			return fail(r, &e, now_ms);
	}
	result = consul_client_step(&r->client, &e);
	if (result == HTTP_MORE)
		return 0;
	if (result == HTTP_BAD || consul_answer_finish(&r->client.answer, &e))
		return fail(r, &e, now_ms);
	if (r->is_leaving) {
		begin(r);
		return 0;
	}
	r->was_refused = false;
	r->next_ms = now_ms + (r->is_registered ? REGISTRATION_HURRY_MS : 0);
	r->report_ms = now_ms + REGISTRATION_REPORT_MS;
	r->is_registered = true;
	return 0;
}

void registration_rename(struct registration *r, const char *name, int64_t now_ms)
{
	if (strcmp(r->wanted, name) == 0)
		return;
	set_wanted(r, name);
	if (r->is_leaving)
		return;
	/* A call that is broken off may have registered us. */
	if (!r->is_registered && !consul_client_is_busy(&r->client)) {
		begin(r);
		return;
	}
	http_close(&r->client.http);
	r->is_leaving = true;
	r->next_ms = now_ms;
}

bool registration_is_over(const struct registration *r)
{
	return !r->name[0];
}

void registration_wants(const struct registration *r, struct loop_wait *w)
{
	if (consul_client_is_busy(&r->client))
		consul_client_wants(&r->client, w);
	else if (!registration_is_over(r))
		loop_wait_until(w, due_ms(r));
}
