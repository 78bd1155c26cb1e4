/*
 * run: be the shim of one application.
 */
#include "base/log.h"
#include "command/command.h"
#include "command/stay.h"
#include "net/tls/roots.h"
#include "run/run.h"

_Static_assert(STAY_LISTENERS == RUN_LISTENERS, "a run answers at all of them");

static struct run_config run_configs[2];
static struct stay stay;
static struct run run;
static struct drain_rule drain; /* in force, with the record's place for it */
static struct job place;
static struct job home; /* whose namespace we are in; only a restart changes it */

/* Not for the application, checks, hooks and handlers. */
static bool is_hidden(const char *pair)
{
	return run_config_hides(stay_config(&stay)->run, pair);
}

static void set_drain(const struct config *c)
{
	drain = c->drain;
	place = c->jobs[0];
	if (c->drain.way.kind == DRAIN_API)
		clients_init_driver(&stay.clients, c);
}

static int set(const struct config *new, bool only_secrets, struct err *e)
{
	if (only_secrets)
		return 0;
	if (clients_lack_roots(&stay.clients, new))
		return err_set(e, ERR_CONFIG,
			       "SSL_CERT_FILE or --ca-file was of no use at the start, and not "
			       "read: what needs it now takes a restart");
	if (run_set_config(&run, new->run, e))
		return -1;
	set_drain(new);
	return 0;
}

static struct run_setup setup_of(const struct config *c)
{
	set_drain(c);
	home = place;
	return (struct run_setup){
		.config = c->run,
		.drain = &drain,
		.world = {.consul = &stay.clients.consul.origin,
			  .consul_headers = stay.clients.credentials.consul,
			  .timeout_ms = c->timeout_ms,
			  .place = &home,
			  .tls = &stay.clients.cloudflare.tls_config},
		.wait_sec = c->wait_sec,
		.driver = &stay.clients.driver,
		.records = stay.clients.have,
		.place = &place,
		.listeners = stay.listeners,
		.reload = stay_reload,
		.ctx = &stay,
	};
}

int command_run(const struct invocation *in)
{
	struct run_setup setup;
	struct err e = {0};
	int code;

	if (run_catch_signals(&e))
		return command_fail(in, &e);
	code = stay_begin(&stay, in, set, run_configs);
	if (code != EXIT_CODE_OK)
		return code;
	process_hide_environment(is_hidden);
	setup = setup_of(stay_config(&stay));
	if (run_init(&run, &setup, &e))
		return command_fail(in, &e);
	roots_set_apart();
	e.kind = ERR_NONE;
	log_drop_unread();
	code = run_run(&run, &e);
	return e.kind ? command_fail(in, &e) : code;
}
