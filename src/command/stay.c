#include "command/stay.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"

const struct config *stay_config(const struct stay *s)
{
	return &s->configs[s->current];
}

/* ---- at the start ---- */

static int open_listeners(struct stay *s, struct err *e)
{
	const struct config *c = stay_config(s);

	memcpy(s->listen_host, c->listen_host, sizeof s->listen_host);
	s->listeners[0].names = s->listen_host;
	if (c->listen[0] && listen_open(&s->listeners[0], c->listen, e))
		return -1;
	if (listen_open_local(&s->listeners[1], e))
		log_event(LOG_WARN, "health has to be asked at --listen", "error=%s", e->text);
	return 0;
}

int stay_begin(struct stay *s, const struct invocation *in, stay_set_fn *set,
	       struct run_config *run_configs)
{
	struct config *c = &s->configs[0];
	struct err e = {0};
	int code;

	s->in = in;
	s->set = set;
	s->run_configs = c->run = run_configs;
	code = command_configure(in, c);
	if (code == EXIT_CODE_OK && (clients_prepare(&s->clients, c, &e) || open_listeners(s, &e)))
		code = command_fail(in, &e);
	return code;
}

/* ---- again ---- */

/* What is masked: of both configurations, for a peer may still echo what it was sent before. */
static void hide_secrets(const struct stay *s, bool has_both)
{
	struct err e = {0};

	secret_forget();
	if (config_hide_secrets(stay_config(s), &e) || clients_hide_secrets(&s->clients, &e) ||
	    (has_both && config_hide_secrets(&s->configs[!s->current], &e)))
		log_event(LOG_ERROR, "not all secrets can be masked", "error=%s", e.text);
}

static int read_again(struct stay *s, struct config *new, struct err *e)
{
	const struct invocation *in = s->in;
	unsigned groups = in->command->groups;

	if (s->run_configs) /* the one that is not in force */
		new->run = &s->run_configs[stay_config(s)->run == s->run_configs];
	return values_from_arguments(in->values, in->argc, in->argv, groups, e) ||
			       config_read(new, in->values, groups, e)
		       ? -1
		       : 0;
}

/* Everything that can be refused is built beside what is in force; then it takes its place. */
static int take(struct stay *s, struct config *new, bool only_secrets, struct err *e)
{
	const struct config *old = stay_config(s);
	struct credentials credentials;
	char names[512];
	struct buf kept;

	buf_init(&kept, names, sizeof names);
	if (only_secrets && !config_has_new_secrets(old, new))
		return 0;
	if (!only_secrets && new->discover != old->discover)
		return err_set(e, ERR_CONFIG, "discover is another: that takes a restart");
	if (!only_secrets && strcmp(new->lock_key, old->lock_key) != 0)
		log_event(LOG_WARN, "the lock stays that of the names at the start", "lock=%s",
			  old->lock_key);
	config_keep(new, old, only_secrets, &kept);
	if (only_secrets)
		new->run = old->run;
	if (credentials_build(&credentials, new, e) || s->set(new, only_secrets, e))
		return -1;
	s->clients.credentials = credentials;
	s->current = !s->current;
	log_setup(new->log_format, new->log_level);
	log_event(LOG_INFO, only_secrets ? "credentials read again" : "configuration read again",
		  new->run ? "services=%zu" : "records=%zu",
		  new->run ? new->run->services_n : new->jobs_n);
	if (kept.len && !only_secrets)
		log_event(LOG_WARN, "not taken: it takes a restart", "settings=%s", names);
	return 0;
}

void stay_reload(void *ctx, bool only_secrets)
{
	struct stay *s = ctx;
	struct config *new = &s->configs[!s->current];
	struct err e = {0};
	int rc;

	hide_secrets(s, false); /* those before are written over now */
	rc = read_again(s, new, &e);
	hide_secrets(s, true);
	if (rc || take(s, new, only_secrets, &e))
		log_event(LOG_ERROR, "configuration not taken, the old one stays", "error=%s",
			  e.text);
	hide_secrets(s, true);
}
