/*
 * watch: stay, and keep every record of the configuration in step.
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "command/command.h"
#include "command/stay.h"
#include "watch/watch.h"

_Static_assert(WATCH_RECORDS_MAX >= 2 * CONFIG_RECORDS_MAX,
	       "room for every record, and for every one that was just dropped");
_Static_assert(STAY_LISTENERS == WATCH_LISTENERS, "a watch answers at all of them");

static struct stay stay;
static struct watch watch;
/* Only a restart changes these. */
static char lock_key[CONFIG_KEY_CAP];
static struct job place;

/*
 * The watch has its jobs: what they were read from costs memory for nothing, twice as much as they.
 * But claims are compared with those of the configuration.
 */
static void forget_jobs(void)
{
	struct values *v = stay.in->values;

	memory_forget(v->text, sizeof *v - offsetof(struct values, text));
	for (size_t i = 0; i < 2 && !stay_config(&stay)->discover; i++)
		memory_forget(stay.configs[i].jobs, sizeof stay.configs[i].jobs);
}

static int set(const struct config *new, bool only_secrets, struct err *e)
{
	if (only_secrets && !new->discover) /* those of the old one are forgotten */
		watch_get_jobs(&watch, stay.configs[!stay.current].jobs, new->common.has_token);
	if (watch_set_jobs(&watch, new->jobs, new->jobs_n, e))
		return -1;
	watch.setup.has_name_series = new->metrics_names;
	watch_set_times(&watch, new->timeout_ms, new->resync_ms, new->unhealthy_ms, new->wait_sec);
	watch_discover_by(&watch, new);
	registration_rename(&watch.registration, new->register_as, clock_now_ms());
	forget_jobs();
	return 0;
}

static struct watch_setup setup_of(const struct config *c)
{
	memcpy(lock_key, c->lock_key, sizeof lock_key);
	place = *config_place(c);
	return (struct watch_setup){
		.consul = &stay.clients.consul.origin,
		.cloudflare = &stay.clients.cloudflare.origin,
		.consul_headers = stay.clients.credentials.consul,
		.cf_headers = stay.clients.credentials.cf,
		.timeout_ms = c->timeout_ms,
		.resync_ms = c->resync_ms,
		.unhealthy_ms = c->unhealthy_ms,
		.wait_sec = c->wait_sec,
		.lock_key = lock_key[0] ? lock_key : NULL,
		.register_as = c->register_as,
		.has_name_series = c->metrics_names,
		.place = &place,
		.listeners = stay.listeners,
		.reload = stay_reload,
		.ctx = &stay,
	};
}

int command_watch(const struct invocation *in)
{
	const struct config *c = stay_config(&stay);
	struct watch_setup setup;
	struct err e = {0};
	int code;

	if (watch_catch_signals(&e))
		return command_fail(in, &e);
	code = stay_begin(&stay, in, set, NULL);
	if (code != EXIT_CODE_OK)
		return code;
	setup = setup_of(c);
	if (watch_init(&watch, &setup, &e) || watch_set_jobs(&watch, c->jobs, c->jobs_n, &e) ||
	    (c->discover && watch_discover(&watch, c, &e)))
		return command_fail(in, &e);
	forget_jobs();
	log_event(LOG_INFO, "watching", "records=%zu", c->jobs_n);
	log_drop_unread();
	watch_run(&watch);
	return EXIT_CODE_OK;
}
