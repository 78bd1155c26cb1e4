/*
 * run: be the shim of one application.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "command/clients.h"
#include "command/command.h"
#include "net/tls/roots.h"
#include "run/run.h"

static struct {
	const struct invocation *in;
	/* The ones in force, and the ones that are read again. */
	struct config configs[2];
	struct run_config run_configs[2];
	int current, run_current;
	struct drain_rule drain; /* in force, with the record's place for it */
	struct job place;
	struct clients clients;
	struct run run;
	struct listener listeners[RUN_LISTENERS];
	char listen_host[CONFIG_KEY_CAP]; /* only a restart changes it */
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

/* Not for the application, checks, hooks and handlers. */
static bool is_hidden(const char *pair)
{
	return run_config_hides(&self.run_configs[self.run_current], pair);
}

static int read_again(struct config *new, struct err *e)
{
	const struct invocation *in = self.in;

	new->run = &self.run_configs[!self.run_current];
	return values_from_arguments(in->values, in->argc, in->argv, in->command->groups, e) ||
			       config_read(new, in->values, in->command->groups, e)
		       ? -1
		       : 0;
}

static void set_drain(const struct config *c)
{
	self.drain = c->drain;
	self.place = c->jobs[0];
	if (c->drain.way.kind == DRAIN_API)
		clients_init_driver(&self.clients, c);
}

/* As in watch: all that can be refused is built beside what is in force. */
static int take(struct config *new, bool only_secrets, struct err *e)
{
	const struct config *old = &self.configs[self.current];
	struct credentials credentials;
	char names[512];
	struct buf kept;

	buf_init(&kept, names, sizeof names);
	if (only_secrets && !config_has_new_secrets(old, new))
		return 0;
	config_keep(new, old, only_secrets, &kept);
	if (credentials_build(&credentials, new, e))
		return -1;
	if (!only_secrets && run_set_config(&self.run, new->run, e))
		return -1;
	self.clients.credentials = credentials;
	self.current = !self.current;
	if (only_secrets) {
		new->run = old->run;
		log_event(LOG_INFO, "credentials read again", "services=%zu", new->run->services_n);
		return 0;
	}
	self.run_current = !self.run_current;
	set_drain(new);
	log_setup(new->log_format, new->log_level);
	log_event(LOG_INFO, "configuration read again", "services=%zu", new->run->services_n);
	if (kept.len)
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

static struct run_setup setup_of(const struct config *c)
{
	set_drain(c);
	return (struct run_setup){
		.config = c->run,
		.drain = &self.drain,
		.world = {.consul = &self.clients.consul.origin,
			  .consul_headers = self.clients.credentials.consul,
			  .timeout_ms = c->timeout_ms,
			  .tls = &self.clients.cloudflare.tls_config},
		.wait_sec = c->wait_sec,
		.driver = &self.clients.driver,
		.records = self.clients.have,
		.place = &self.place,
		.listeners = self.listeners,
		.reload = reload,
	};
}

static int open_listeners(const struct config *c, struct err *e)
{
	memcpy(self.listen_host, c->listen_host, sizeof self.listen_host);
	self.listeners[0].names = self.listen_host;
	if (c->listen[0] && listen_open(&self.listeners[0], c->listen, e))
		return -1;
	if (listen_open_local(&self.listeners[1], e))
		log_event(LOG_WARN, "health has to be asked at --listen", "error=%s", e->text);
	return 0;
}

int command_run(const struct invocation *in)
{
	struct config *c = &self.configs[0];
	struct run_setup setup;
	struct err e = {0};
	int code;

	self.in = in;
	c->run = &self.run_configs[0];
	if (run_catch_signals(&e))
		return command_fail(in, &e);
	code = command_configure(in, c);
	if (code != EXIT_CODE_OK)
		return code;
	if (clients_prepare(&self.clients, c, &e) || open_listeners(c, &e))
		return command_fail(in, &e);
	process_hide_environment(is_hidden);
	setup = setup_of(c);
	if (run_init(&self.run, &setup, &e))
		return command_fail(in, &e);
	roots_set_apart();
	e.kind = ERR_NONE;
	log_drop_unread();
	code = run_run(&self.run, &e);
	return e.kind ? command_fail(in, &e) : code;
}
