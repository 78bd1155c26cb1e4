/*
 * What run is to do, as JSON of ours (0) or of Containerbuddy's (1). Input: that digit, text.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "config/config.h"

#define TOKEN "s3cr3t-of-the-fuzzer"
#define GROUPS (GROUP_RUN | GROUP_DRAIN | GROUP_CONSUL | GROUP_CLOUDFLARE | GROUP_LISTEN | GROUP_LOG)

static struct run_config run;

static bool is_kept(const char *p)
{
	return p >= run.text && p < run.text + run.text_len;
}

static void check_command(const struct run_command *c)
{
	MUST(c->timeout_ms > 0);
	if (!c->n)
		return;
	MUST(*c->argv[0] && !c->argv[c->n]);
	for (size_t i = 0; i < c->n; i++)
		MUST(is_kept(c->argv[i]));
}

static void check_check(const struct run_check *c)
{
	MUST(c->interval_ms > 0 && c->timeout_ms > 0);
	if (c->kind == RUN_CHECK_EXEC)
		MUST(c->command.n && c->command.timeout_ms == c->timeout_ms);
	else
		MUST(!c->command.n);
	if (c->kind == RUN_CHECK_HTTP)
		MUST(*c->target == '/' && (is_kept(c->target) || !c->target[1]) && !*c->url.path);
	if (c->kind == RUN_CHECK_TCP)
		MUST(*c->url.host && c->url.port);
	if (c->kind == RUN_CHECK_EXEC)
		check_command(&c->command);
}

static void check_service(const struct run_service *s)
{
	MUST(*s->name && strlen(s->name) <= RUN_NAME_MAX);
	MUST(s->interfaces.n && s->interfaces.n <= INTERFACE_RULES_MAX);
	MUST(s->tags_n <= RUN_TAGS_MAX && s->metas_n <= RUN_METAS_MAX && s->ttl_sec);
	for (size_t i = 0; i < s->tags_n; i++)
		MUST(is_kept(s->tags[i]));
	for (size_t i = 0; i < s->metas_n; i++)
		MUST(is_kept(s->metas[i].key) && is_kept(s->metas[i].value));
	check_check(&s->check);
	for (const struct run_service *other = run.services; other != s; other++)
		MUST(strcmp(other->name, s->name) != 0);
}

static void check_all(bool is_containerbuddy)
{
	MUST(run.is_containerbuddy == is_containerbuddy);
	MUST(run.services_n <= RUN_SERVICES_MAX && run.backends_n <= RUN_BACKENDS_MAX);
	MUST(is_containerbuddy || (run.services_n == 1 && !run.backends_n));
	MUST(run.stop_timeout_ms >= 0 && !run.app.n);
	check_command(&run.pre_start);
	check_command(&run.pre_stop);
	check_command(&run.post_stop);
	for (size_t i = 0; i < run.services_n; i++)
		check_service(&run.services[i]);
	for (size_t i = 0; i < run.backends_n; i++) {
		MUST(*run.backends[i].job.service && run.backends[i].on_change.n && run.backends[i].poll_ms > 0);
		check_command(&run.backends[i].on_change);
	}
}

/* A template may put a secret into any value; what is logged of it is masked. */
static void check_error(const struct err *e)
{
	char text[ERR_TEXT_MAX];

	fuzz_check_err(e);
	MUST(e->kind == ERR_CONFIG);
	memcpy(text, e->text, sizeof text);
	secret_mask(text);
	MUST(!strstr(text, TOKEN));
}

int fuzz_run(const uint8_t *p, size_t n)
{
	static struct config c;
	static struct values v;
	struct fuzz_input in = {p, n};
	bool is_containerbuddy = fuzz_take(&in) & 1;
	const char *name = is_containerbuddy ? "CONTAINERBUDDY" : "DNSBUDDY_CONFIG";
	char *text = fuzz_string(in);
	struct err e = {0}, crowded = {0};
	int failed;

	/* Anything else is a file's name. */
	if (text[strspn(text, " \t\r\n")] == '{') {
		MUST(unsetenv("CONTAINERBUDDY") == 0 && unsetenv("DNSBUDDY_CONFIG") == 0);
		MUST(setenv("CONSUL_HTTP_TOKEN", TOKEN, 1) == 0 && setenv("FUZZ", "fuzz", 1) == 0 && setenv(name, text, 1) == 0);
		memset(&c, 0, sizeof c);
		c.run = &run;
		values_init(&v);
		secret_forget();
		failed = config_read(&c, &v, GROUPS, &e);
		MUST(config_hide_secrets(&c, &crowded) == 0);
		if (failed)
			check_error(&e);
		else
			check_all(is_containerbuddy);
		MUST(unsetenv("CONTAINERBUDDY") == 0 && unsetenv("DNSBUDDY_CONFIG") == 0 && unsetenv("CONSUL_HTTP_TOKEN") == 0);
	}
	free(text);
	return 0;
}
