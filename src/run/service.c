#include "run/service.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/pace.h"
#include "net/interfaces.h"

/* ---- what Consul is told ---- */

static int choose_address(const struct run_service *setup, char out[ADDR_TEXT_CAP], struct err *e)
{
	static struct interface_address list[INTERFACE_ADDRESSES_MAX];
	size_t n;

	if (interfaces_list(list, INTERFACE_ADDRESSES_MAX, &n, e) ||
	    interface_choose(&setup->interfaces, list, n, out, e))
		return err_wrap(e, "service %s (%s)", setup->name, setup->interfaces_from);
	return 0;
}

static struct consul_service describe(const struct run_service *setup, const char *address)
{
	return (struct consul_service){
		.id = "",
		.name = setup->name,
		.address = address,
		.port = setup->port,
		.tags = setup->tags,
		.tags_n = setup->tags_n,
		.metas = setup->metas,
		.metas_n = setup->metas_n,
		.has_tag_override = setup->enable_tag_override,
		.ttl_sec = setup->ttl_sec,
		.gone_sec = setup->gone_sec,
	};
}

static int examine(const struct run_service *setup, char address[ADDR_TEXT_CAP], struct err *e)
{
	static char body[SERVICE_BODY_CAP];
	struct consul_service service = describe(setup, address);
	struct buf b;

	if (choose_address(setup, address, e)) {
		if (!setup->may_lack_address || e->kind != ERR_CONFIG)
			return -1;
		address[0] = '\0'; /* e stays for take_address() */
	}
	buf_init(&b, body, sizeof body - REGISTRATION_ID_CAP);
	consul_agent_register_body(&b, &service, INSTANCE_CRITICAL);
	if (buf_ok(&b))
		return 0;
	return err_set(e, ERR_CONFIG, "service %s: tags and metadata are longer than %d bytes",
		       setup->name, SERVICE_BODY_CAP - REGISTRATION_ID_CAP);
}

int service_examine(const struct run_service *setup, struct err *e)
{
	char address[ADDR_TEXT_CAP];

	return examine(setup, address, e);
}

/* Take it on: what can fail has not. */
static void take(struct service *s, const struct run_service *setup)
{
	struct registration *r = &s->registration;
	int64_t half_ms = (int64_t)setup->ttl_sec * 500;
	struct consul_service service = describe(setup, s->address);

	s->setup = setup;
	r->timeout_ms = s->world->timeout_ms;
	r->report_every_ms =
		setup->check.interval_ms < half_ms ? setup->check.interval_ms : half_ms;
	registration_describe(r, &service);
}

/* As examine() left them. */
static void take_address(struct service *s, const char address[ADDR_TEXT_CAP], const struct err *e)
{
	bool was_unaddressed = s->is_unaddressed;

	memcpy(s->address, address, sizeof s->address);
	s->is_unaddressed = !*address;
	if (s->is_unaddressed && !was_unaddressed)
		log_event(LOG_WARN, "registered without an address", "error=%s", e->text);
}

static int init_client(struct service *s, struct err *e)
{
	const struct http_origin *consul = s->world->consul;
	if (consul->url.scheme == URL_HTTPS && tls_reserve(&s->tls, e))
		return -1;
	consul_client_init(&s->registration.client, consul, s->tls, s->world->consul_headers);
	return 0;
}

/* Of a former one: all but what is reserved for good. */
static void clear(struct service *s)
{
	struct tls_storage *tls = s->tls, *check_tls = s->check.tls;

	http_close(&s->registration.client.http);
	memset(s, 0, offsetof(struct service, body));
	s->tls = tls;
	s->check.tls = check_tls;
}

int service_init(struct service *s, const struct run_service *setup,
		 const struct service_world *world, struct err *e)
{
	char address[ADDR_TEXT_CAP];

	if (s->setup) /* else it is zeroed, and its pages are not there yet */
		clear(s);
	s->world = world;
	if (examine(setup, address, e))
		return -1;
	take_address(s, address, e);
	if (init_client(s, e) || check_init(&s->check, &setup->check, world->tls, e))
		return -1;
	s->registration.body = s->body;
	s->registration.body_cap = sizeof s->body;
	s->registration.place = world->place;
	registration_init(&s->registration, setup->name, REGISTRATION_ID_HOST, world->timeout_ms);
	registration_set(&s->registration, false, "no check has ended yet");
	registration_wait(&s->registration, CLOCK_NEVER);
	take(s, setup);
	s->look_ms = CLOCK_NEVER;
	return 0;
}

void service_start(struct service *s, int64_t now_ms)
{
	check_start(&s->check, now_ms);
	registration_wait(&s->registration, now_ms + SERVICE_FIRST_MS);
	s->look_ms = now_ms + s->setup->check.interval_ms;
}

int service_reload(struct service *s, const struct run_service *setup, int64_t now_ms,
		   struct err *e)
{
	char address[ADDR_TEXT_CAP];

	if (examine(setup, address, e) || check_init(&s->check, &setup->check, s->world->tls, e))
		return -1;
	take_address(s, address, e);
	registration_rename(&s->registration, setup->name, now_ms);
	take(s, setup);
	check_start(&s->check, now_ms);
	s->look_ms = now_ms + setup->check.interval_ms;
	return 0;
}

/* ---- the address ---- */

static void look(struct service *s, int64_t now_ms)
{
	char address[ADDR_TEXT_CAP];
	struct err e = {0};
	bool was_unaddressed = s->is_unaddressed;

	s->look_ms = now_ms + s->setup->check.interval_ms;
	s->is_unaddressed = choose_address(s->setup, address, &e) != 0;
	if (s->is_unaddressed && !was_unaddressed)
		log_event(LOG_WARN, "address lost", "kept=%s error=%s", s->address, e.text);
	if (s->is_unaddressed || strcmp(address, s->address) == 0)
		return;
	log_event(LOG_INFO, "address changed", "service=%s from=%s to=%s", s->setup->name,
		  s->address, address);
	memcpy(s->address, address, sizeof s->address);
	take(s, s->setup);
}

/* ---- the check ---- */

/* Who starts fails at first: that is told only if it lasts, within the first interval. */
static void tell_result(struct service *s, int64_t now_ms)
{
	const struct check *c = &s->check;
	enum service_health health = c->is_passing ? SERVICE_HEALTHY : SERVICE_UNHEALTHY;

	/* When the next one can have ended. Of no check, which passes, there is none. */
	int64_t next_ms = c->next_ms > now_ms ? c->next_ms : now_ms;

	if (health == s->told ||
	    (!c->is_passing && s->told == SERVICE_STARTS &&
	     next_ms + c->duration_ms - c->begun_ms < s->setup->check.interval_ms))
		return;
	s->told = health;
	log_event(c->is_passing ? LOG_INFO : LOG_WARN, c->is_passing ? "healthy" : "unhealthy",
		  "service=%s output=%s", s->setup->name, c->output);
}

static void take_result(struct service *s, int64_t now_ms)
{
	struct registration *r = &s->registration;

	registration_set(r, s->check.is_passing, s->check.output);
	if (s->check.runs == 1) {
		registration_wait(r, now_ms);
		if (!s->check.is_passing) /* why not is to be seen */
			registration_show(r);
	}
	tell_result(s, now_ms);
}

/* ---- Consul ---- */

static const struct {
	unsigned char level;
	bool has_error;
	char text[36];
} events[] = {
	[REGISTRATION_DONE] = {LOG_INFO, false, "registered in Consul"},
	[REGISTRATION_FAILED] = {LOG_WARN, true, "Consul cannot be told"},
	[REGISTRATION_BACK] = {LOG_INFO, false, "Consul is back"},
	[REGISTRATION_LOST] = {LOG_WARN, true, "Consul does not know us any more"},
	[REGISTRATION_OVERWRITTEN] = {LOG_WARN, false, "somebody else registered as we are"},
	[REGISTRATION_LEFT] = {LOG_INFO, false, "deregistered"},
	[REGISTRATION_NOT_LEFT] = {LOG_WARN, true, "not deregistered"},
};

static void tell_event(const struct service *s, enum registration_event event)
{
	const struct registration *r = &s->registration;
	enum log_level level = (enum log_level)events[event].level;

	if (event == REGISTRATION_DONE)
		log_event(level, events[event].text, "service=%s id=%s address=%s port=%u",
			  s->setup->name, r->id, s->address, (unsigned)s->setup->port);
	else if (event != REGISTRATION_NOTHING)
		log_event(level, events[event].text, "service=%s id=%s error=%s", s->setup->name,
			  event >= REGISTRATION_LEFT ? NULL : r->id,
			  events[event].has_error ? r->last_err.text : NULL);
}

void service_step(struct service *s, int64_t now_ms)
{
	if (now_ms >= s->look_ms)
		look(s, now_ms);
	if (check_step(&s->check, now_ms))
		take_result(s, now_ms);
	tell_event(s, registration_step(&s->registration, now_ms));
}

void service_wants(const struct service *s, struct loop_wait *w)
{
	loop_wait_until(w, s->look_ms);
	check_wants(&s->check, w);
	registration_wants(&s->registration, w);
}

void service_set_maintenance(struct service *s, bool is_on, const char *reason)
{
	registration_maintain(&s->registration, is_on, reason);
}

bool service_is_maintenance_settled(const struct service *s)
{
	return registration_is_settled(&s->registration);
}

void service_give_up(const struct service *s, const char *what)
{
	const struct registration *r = &s->registration;

	log_event(LOG_WARN, what, "service=%s id=%s error=%s", s->setup->name, r->id,
		  r->failures || r->leave_tries ? r->last_err.text : "no answer of Consul yet");
}

void service_leave(struct service *s, int64_t now_ms)
{
	check_stop(&s->check);
	s->look_ms = CLOCK_NEVER;
	registration_rename(&s->registration, "", now_ms);
}

bool service_is_over(const struct service *s)
{
	return registration_is_over(&s->registration) && !check_is_dying(&s->check);
}

bool service_wants_secrets(const struct service *s)
{
	return s->registration.is_failing && pace_wants_secrets(s->registration.last_err.kind);
}
