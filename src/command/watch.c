/*
 * watch: stay, and keep every record of the configuration in step.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "command/clients.h"
#include "command/command.h"
#include "watch/watch.h"

_Static_assert(WATCH_RECORDS_MAX >= 2 * CONFIG_RECORDS_MAX,
	       "room for every record, and for every one that was just dropped");

static struct {
	const struct invocation *in;
	struct config configs[2]; /* the one in force, and the one that is read again */
	int current;
	struct clients clients;
	struct watch watch;
	struct listener listeners[WATCH_LISTENERS];
	/* Only a restart changes these. */
	char lock_key[CONFIG_KEY_CAP], listen_host[CONFIG_KEY_CAP];
	struct job place;
} self;

/* What is masked: of both configurations, for a peer may still echo what it was sent before. */
static void hide_secrets(bool has_both)
{
	struct err e = {0};

	secret_forget();
	if (config_hide_secrets(&self.configs[self.current], &e) ||
	    clients_hide_secrets(&self.clients, &e) ||
	    (has_both && config_hide_secrets(&self.configs[!self.current], &e)))
		log_event(LOG_ERROR, "not all secrets can be masked", "error=%s", e.text);
}

static int read_again(struct config *new, struct err *e)
{
	const struct invocation *in = self.in;

	return values_from_arguments(in->values, in->argc, in->argv, in->command->groups, e) ||
			       config_read(new, in->values, in->command->groups, e)
		       ? -1
		       : 0;
}

/*
 * Everything that can be refused is built beside what is in force; then it takes its place.
 *   only_secrets  the rest may be of a file that is in the middle of an edit: it waits for SIGHUP
 */
static int take(struct config *new, bool only_secrets, struct err *e)
{
	const struct config *old = &self.configs[self.current];
	struct credentials credentials;
	char names[512];
	struct buf kept;

	buf_init(&kept, names, sizeof names);
	if (only_secrets && !config_has_new_secrets(old, new))
		return 0;
	if (!only_secrets && strcmp(new->lock_key, old->lock_key) != 0)
		log_event(LOG_WARN, "the lock stays that of the names at the start", "lock=%s",
			  old->lock_key);
	config_keep(new, old, only_secrets, &kept);
	if (credentials_build(&credentials, new, e) ||
	    watch_set_jobs(&self.watch, new->jobs, new->jobs_n, e))
		return -1;
	self.clients.credentials = credentials;
	watch_set_times(&self.watch, new->timeout_ms, new->resync_ms, new->unhealthy_ms,
			new->wait_sec);
	registration_rename(&self.watch.registration, new->register_as, clock_now_ms());
	log_setup(new->log_format, new->log_level);
	self.current = !self.current;
	log_event(LOG_INFO, only_secrets ? "credentials read again" : "configuration read again",
		  "records=%zu", new->jobs_n);
	if (kept.len && !only_secrets)
		log_event(LOG_WARN, "not taken: it takes a restart", "settings=%s", names);
	return 0;
}

/* What is wrong with the new configuration is logged, and the old one stays as it is. */
static void reload(void *ctx, bool only_secrets)
{
	struct config *new = &self.configs[!self.current];
	struct err e = {0};
	int rc;

	(void)ctx;
	hide_secrets(false); /* those before are written over now */
	rc = read_again(new, &e);
	hide_secrets(true);
	if (rc || take(new, only_secrets, &e))
		log_event(LOG_ERROR, "configuration not taken, the old one stays", "error=%s",
			  e.text);
	hide_secrets(true);
}

static struct watch_setup setup_of(const struct config *c)
{
	memcpy(self.lock_key, c->lock_key, sizeof self.lock_key);
	self.place = c->jobs[0];
	return (struct watch_setup){
		.consul = &self.clients.consul.origin,
		.cloudflare = &self.clients.cloudflare.origin,
		.consul_headers = self.clients.credentials.consul,
		.cf_headers = self.clients.credentials.cf,
		.timeout_ms = c->timeout_ms,
		.resync_ms = c->resync_ms,
		.unhealthy_ms = c->unhealthy_ms,
		.wait_sec = c->wait_sec,
		.lock_key = self.lock_key[0] ? self.lock_key : NULL,
		.register_as = c->register_as,
		.place = &self.place,
		.listeners = self.listeners,
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
	memcpy(self.listen_host, c->listen_host, sizeof self.listen_host);
	self.listeners[0].names = self.listen_host;
	if (clients_prepare(&self.clients, c, &e) ||
	    (c->listen[0] && listen_open(&self.listeners[0], c->listen, &e)))
		return command_fail(in, &e);
	if (listen_open_local(&self.listeners[1], &e))
		log_event(LOG_WARN, "health has to be asked at --listen", "error=%s", e.text);
	setup = setup_of(c);
	if (watch_init(&self.watch, &setup, &e) ||
	    watch_set_jobs(&self.watch, c->jobs, c->jobs_n, &e))
		return command_fail(in, &e);
	log_event(LOG_INFO, "watching", "records=%zu", c->jobs_n);
	log_drop_unread();
	watch_run(&self.watch);
	return EXIT_CODE_OK;
}
