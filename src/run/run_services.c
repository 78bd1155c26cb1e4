/*
 * The services of a run, each in a slot of its own: which there are, and what all of them do.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "run/run.h"

/* Not of its setup: one that leaves may outlive the configuration that it was of. */
static const char *name_of(const struct service *s)
{
	const struct registration *g = &s->registration;

	return *g->wanted ? g->wanted : g->name;
}

/* The one that is called so, or was, for it may have to leave first; NULL: there is none. */
static struct service *find(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->services_n; i++)
		if (strcmp(name_of(r->services[i]), name) == 0)
			return r->services[i];
	return NULL;
}

/* There is a slot for it. */
static int add(struct run *r, const struct run_service *setup, int64_t now_ms, struct err *e)
{
	struct service *s = r->services[r->services_n];

	if (service_init(s, setup, &r->setup.world, e))
		return -1;
	r->services_n++;
	if (r->is_maintained)
		service_set_maintenance(s, true, REGISTRATION_REASON ": SIGUSR1");
	if (r->has_started)
		service_start(s, now_ms);
	return 0;
}

/* Its slot is the next to be used again. */
static void drop(struct run *r, size_t i)
{
	struct service *s = r->services[i];

	for (r->services_n--; i < r->services_n; i++)
		r->services[i] = r->services[i + 1];
	r->services[i] = s;
}

static bool is_among(const struct run_config *c, const char *name)
{
	for (size_t i = 0; i < c->services_n; i++)
		if (strcmp(c->services[i].name, name) == 0)
			return true;
	return false;
}

int run_services_init(struct run *r, struct err *e)
{
	const struct run_config *c = r->setup.config;

	for (size_t i = 0; i < RUN_SLOTS; i++)
		r->services[i] = &r->slots[i];
	for (size_t i = 0; i < c->services_n; i++)
		if (add(r, &c->services[i], 0, e))
			return -1;
	backends_init(&r->backends, r->setup.world.consul, r->setup.world.consul_headers,
		      r->setup.world.timeout_ms, r->setup.wait_sec);
	return backends_set(&r->backends, c->backends, c->backends_n, e);
}

/* Whether all of them can be had. */
static int examine(const struct run *r, const struct run_config *config, struct err *e)
{
	size_t n = r->services_n;

	for (size_t i = 0; i < config->services_n; i++) {
		if (service_examine(&config->services[i], e))
			return -1;
		n += !find(r, config->services[i].name);
	}
	return n <= RUN_SLOTS
		       ? 0
		       : err_set(e, ERR_LIMIT, "too many former services have to leave first");
}

int run_set_config(struct run *r, const struct run_config *config, struct err *e)
{
	int64_t now_ms = clock_now_ms();

	if (examine(r, config, e) ||
	    backends_set(&r->backends, config->backends, config->backends_n, e))
		return -1;
	/* From here on it is in force. */
	r->setup.config = config;
	for (size_t i = 0; i < r->services_n; i++)
		if (!is_among(config, name_of(r->services[i])))
			service_leave(r->services[i], now_ms);
	for (size_t i = 0; i < config->services_n; i++) {
		const struct run_service *setup = &config->services[i];
		struct service *s = find(r, setup->name);

		if (s ? service_reload(s, setup, now_ms, e) : add(r, setup, now_ms, e))
			log_event(LOG_ERROR, "not taken before the next SIGHUP", "error=%s",
				  e->text);
	}
	return 0;
}

void run_services_start(struct run *r, int64_t now_ms)
{
	r->has_started = true;
	memory_forget_program();
	for (size_t i = 0; i < r->services_n; i++)
		service_start(r->services[i], now_ms);
}

void run_services_leave(struct run *r, int64_t now_ms)
{
	if (r->has_left)
		return;
	r->has_left = true;
	for (size_t i = 0; i < r->services_n; i++)
		service_leave(r->services[i], now_ms);
}

bool run_services_are_over(const struct run *r)
{
	for (size_t i = 0; i < r->services_n; i++)
		if (!service_is_over(r->services[i]))
			return false;
	return true;
}

void run_services_maintain(struct run *r, bool is_on, const char *reason)
{
	for (size_t i = 0; i < r->services_n; i++)
		service_set_maintenance(r->services[i], is_on, reason);
}

bool run_services_are_settled(const struct run *r)
{
	for (size_t i = 0; i < r->services_n; i++)
		if (!service_is_maintenance_settled(r->services[i]))
			return false;
	return true;
}

void run_services_tell_unsettled(const struct run *r)
{
	for (size_t i = 0; i < r->services_n; i++)
		if (!service_is_maintenance_settled(r->services[i]))
			service_give_up(r->services[i], "maintenance could not be set");
}

void run_services_tell_left(const struct run *r)
{
	for (size_t i = 0; i < r->services_n; i++)
		if (!registration_is_over(&r->services[i]->registration))
			service_give_up(r->services[i], "not deregistered");
}

void run_services_wants(const struct run *r, struct loop_wait *w)
{
	for (size_t i = 0; i < r->services_n; i++)
		service_wants(r->services[i], w);
}

void run_services_step(struct run *r, int64_t now_ms)
{
	for (size_t i = 0; i < r->services_n;) {
		struct service *s = r->services[i];

		service_step(s, now_ms);
		r->was_refused |= service_wants_secrets(s);
		if (service_is_over(s))
			drop(r, i);
		else
			i++;
	}
}
