/*
 * watch: stay, and keep every record of the configuration in step.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "command/command.h"
#include "command/clients.h"
#include "watch/watch.h"

_Static_assert(WATCH_RECORDS_MAX >= 2 * CONFIG_RECORDS_MAX, "room for every record, old and new");

/* Two of each: the one in use, and the one that is read on SIGHUP. */
static struct {
	struct config configs[2];
	int current;
	const struct invocation *in;
	struct clients clients;
	struct watch watch;
	struct listener listener;
	/* These outlive the configuration they are from: only a restart changes them. */
	char lock_key[CONFIG_KEY_CAP];
	char register_as[JOB_TEXT_CAP];
	struct job place;
} self;

static bool has_new_credentials(const struct config *old, const struct config *new)
{
	return strcmp(old->api_token, new->api_token) != 0 ||
	       strcmp(old->api_key, new->api_key) != 0 ||
	       strcmp(old->api_email, new->api_email) != 0 ||
	       strcmp(old->consul_token, new->consul_token) != 0 ||
	       strcmp(old->consul_http_auth, new->consul_http_auth) != 0;
}

/* What is wrong with the new configuration is logged, and the old one stays. */
static void reload(void *ctx, bool only_secrets)
{
	int next = !self.current;
	struct config *old = &self.configs[self.current], *new = &self.configs[next];
	struct err e = {0};

	(void)ctx;
	/* The secrets of the configuration before this one were in what is written over now. */
	log_forget_secrets();
	if (clients_hide_secrets(&self.clients, old, &e))
		LOG_EVENT(LOG_ERROR, "configuration not read", {"error", e.text, 0});
	if (values_from_arguments(self.in->values, self.in->argc, self.in->argv, &e) ||
	    config_read(new, self.in->values, self.in->command->groups, &e)) {
		LOG_EVENT(LOG_ERROR, "configuration not taken, the old one stays",
			  {"error", e.text, 0});
		return;
	}
	if (only_secrets && !has_new_credentials(old, new))
		return;
	if (clients_set_credentials(&self.clients, new, &e) ||
	    watch_set_jobs(&self.watch, new->jobs, new->jobs_n, &e)) {
		LOG_EVENT(LOG_ERROR, "configuration not taken", {"error", e.text, 0});
		return;
	}
	self.current = next;
	log_setup(new->log_format, new->log_level);
	LOG_EVENT(LOG_INFO, only_secrets ? "credentials read again" : "configuration read again",
		  {"records", NULL, (int64_t) new->jobs_n});
}

static const char *keep(char *out, size_t cap, const char *text)
{
	return *text && str_copy(out, cap, text) == 0 ? out : NULL;
}

static struct watch_setup setup_of(const struct config *c)
{
	self.place = c->jobs[0];
	return (struct watch_setup){
		.consul = &self.clients.consul.origin,
		.cloudflare = &self.clients.cloudflare.origin,
		.consul_headers = self.clients.consul.headers,
		.cf_headers = self.clients.cloudflare.headers,
		.timeout_ms = c->timeout_ms,
		.resync_ms = c->resync_ms,
		.unhealthy_ms = c->unhealthy_ms,
		.lock_key = keep(self.lock_key, sizeof self.lock_key, c->lock_key),
		.register_as = keep(self.register_as, sizeof self.register_as, c->register_as),
		.place = &self.place,
		.listener = c->listen[0] ? &self.listener : NULL,
		.reload = reload,
	};
}

int command_watch(const struct invocation *in)
{
	struct config *c = &self.configs[0];
	struct watch_setup setup;
	struct err e = {0};
	int code;

	self.in = in;
	if (watch_catch_signals(&e))
		return command_fail(in, &e);
	code = command_configure(in, c);
	if (code != EXIT_CODE_OK)
		return code;
	if (clients_init(&self.clients, c, &e) ||
	    (c->listen[0] && listen_open(&self.listener, c->listen, &e)))
		return command_fail(in, &e);
	setup = setup_of(c);
	if (watch_init(&self.watch, &setup, &e) ||
	    watch_set_jobs(&self.watch, c->jobs, c->jobs_n, &e))
		return command_fail(in, &e);
	LOG_EVENT(LOG_INFO, "watching", {"records", NULL, (int64_t)c->jobs_n});
	watch_run(&self.watch);
	return EXIT_CODE_OK;
}
