#include "config/config.h"

#include <string.h>

#include "config/containerbuddy.h"
#include "config/readers.h"
#include "config/run_parts.h"

/* ---- what depends on more than one setting ---- */

static int check_name(const struct reading *r, struct err *e)
{
	struct job *job = r->job;
	char origin[192];

	if (!job->name[0] && !job->zone[0])
		return reading_bad(r, SET_RECORD,
				   "@ is the apex of a zone: set --zone or CF_ROOT_DOMAIN too", e);
	if (!job->name[0]) {
		memcpy(job->name, job->zone, sizeof job->name);
		return 0;
	}
	if (job->zone[0] && !name_is_within(job->name, job->zone)) {
		(void)reading_bad(r, SET_RECORD, "it does not lie in the zone", e);
		(void)values_origin(r->v, reading_value(r, SET_ZONE), origin, sizeof origin);
		return err_set(e, e->kind,
			       "%s %.96s (%s): write the whole name, as www.example.com", e->text,
			       job->zone, origin);
	}
	if (!strchr(job->name, '.'))
		return reading_bad(r, SET_RECORD, "write the whole name, as www.example.com", e);
	return 0;
}

/* No name would be answered by a CNAME to itself. */
static int check_fallback(const struct reading *r, struct err *e)
{
	if (strcmp(r->job->fallback, r->job->name) != 0)
		return 0;
	return reading_bad(r, SET_ON_EMPTY, "the fallback is the record's own name", e);
}

static bool has_token(const struct reading *r)
{
	return reading_text(r, SET_CONSUL_TOKEN) != NULL;
}

/*
 * What there is of a record's settings. A run has no record; a drain may do without, and without
 * the service; Containerbuddy's configuration names services itself.
 */
static int read_job(struct reading *r, struct err *e)
{
	*r->job = (struct job){.types = JOB_TYPES, .has_token = has_token(r)};
	if (reading_take(r, r->v->containerbuddy ? SET_SERVICE + 1 : 0, SETTINGS_OF_RECORD, e))
		return -1;
	if (!(r->groups & (GROUP_RECORDS | GROUP_OPERATOR)) || !reading_text(r, SET_RECORD))
		return 0;
	return check_name(r, e) ? -1 : check_fallback(r, e);
}

/* Two entries for one name and one owner would undo each other's work for ever. */
static int check_distinct(const struct config *c, struct err *e)
{
	for (size_t i = 1; i < c->jobs_n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (job_overlaps(&c->jobs[i], &c->jobs[k]))
				return err_set(e, ERR_CONFIG,
					       "records %zu and %zu are both for %s: give each an "
					       "owner of its own",
					       k + 1, i + 1, c->jobs[i].name);
		}
	}
	return 0;
}

/* What an entry must say itself cannot be said for all of them. */
static int check_single(const struct values *v, struct err *e)
{
	char origin[192];

	for (enum setting s = 0; s < SETTINGS_OF_RECORD; s++)
		if (setting(s)->traits.is_required && v->of[s].text)
			return err_set(
				e, ERR_CONFIG, "%s (%s) and \"records\" (%s:%u) exclude each other",
				setting(s)->key, values_origin(v, &v->of[s], origin, sizeof origin),
				v->file, v->records_line);
	return 0;
}

/* What the tags of services say nothing of. As an entry of "records", they come after a flag. */
static int read_common(struct reading *r, struct err *e)
{
	struct config *c = r->config;

	r->job = &c->common;
	*r->job = (struct job){.types = JOB_TYPES, .has_token = has_token(r)};
	c->fixed = 0;
	for (enum setting s = SET_RECORD + 1; s < SETTINGS_OF_RECORD; s++) {
		const enum origin origin = r->v->of[s].origin;

		if (origin == ORIGIN_FLAG || origin == ORIGIN_ENV || origin == ORIGIN_ARGUMENT)
			c->fixed |= 1u << s;
	}
	if (reading_take(r, SET_RECORD + 1, SETTINGS_OF_RECORD, e) ||
	    reading_take(r, SET_DISCOVER, SET_DISCOVER_ALLOW + 1, e))
		return -1;
	if (c->discover && !(c->common.owner[0] && c->discover_allow[0]))
		return reading_bad(r, SET_DISCOVER, "it takes --owner and --discover-allow too", e);
	return 0;
}

static bool has_records(const struct reading *r)
{
	return r->v->records_n || reading_text(r, SET_SERVICE) || reading_text(r, SET_RECORD);
}

static int read_jobs(struct reading *r, struct err *e)
{
	struct config *c = r->config;

	c->jobs_n = 0;
	if (r->groups & GROUP_RECORDS && read_common(r, e))
		return -1;
	if (r->groups & GROUP_RECORDS && c->discover && !has_records(r))
		return 0;
	r->job = &c->jobs[0];
	c->jobs_n = 1;
	if (!(r->groups & GROUP_RECORDS) || !r->v->records_n)
		return read_job(r, e);
	if (check_single(r->v, e))
		return -1;
	for (size_t i = 0; i < r->v->records_n; i++) {
		r->own = r->v->of_record[i];
		r->job = &c->jobs[i];
		if (read_job(r, e))
			return err_wrap(e, "record %zu of %s", i + 1, r->v->file);
	}
	c->jobs_n = r->v->records_n;
	return check_distinct(c, e);
}

/* A drain by DNS does without. */
static int check_credentials(const struct config *c, unsigned groups, struct err *e)
{
	const bool is_optional = groups & GROUP_OPERATOR && c->drain.way.kind != DRAIN_API;

	if (c->api_token[0] || (c->api_key[0] && c->api_email[0]) ||
	    (is_optional && !c->api_key[0]))
		return 0;
	if (c->api_key[0])
		return err_set(e, ERR_CONFIG,
			       "an API key needs the account's e-mail: set "
			       "CF_AUTH_EMAIL, or a token in CLOUDFLARE_API_TOKEN");
	return err_set(e, ERR_CONFIG,
		       "no credentials for Cloudflare: set CLOUDFLARE_API_TOKEN or "
		       "CLOUDFLARE_API_TOKEN_FILE (or CF_API_KEY and CF_AUTH_EMAIL)");
}

static int check_client(const struct config *c, struct err *e)
{
	if (!c->consul_client_cert[0] == !c->consul_client_key[0])
		return 0;
	return err_set(e, ERR_CONFIG,
		       "CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY are only of use together");
}

/* The secrets first: what is said of the rest may quote them. */
static int read_secrets(const struct reading *r, struct err *e)
{
	for (enum setting s = SETTINGS_OF_RECORD; s < SETTINGS; s++)
		if (setting(s)->traits.is_secret && reading_take(r, s, s + 1, e))
			return -1;
	return 0;
}

/* ---- run, drain ---- */

/* Both would be cut off, or be waited for in vain. */
static int check_drain(const struct reading *r, struct err *e)
{
	const struct config *c = r->config;
	const struct run_config *run = r->groups & GROUP_RUN ? c->run : NULL;

	if (c->drain.way.fixed_ms > c->drain.max_ms)
		return reading_bad(r, SET_DRAIN, "longer than --drain-max: raise that, too", e);
	if (!c->drain.idle_ms || !run || !run->services_n || run->services[0].port)
		return 0;
	return reading_bad(r, SET_DRAIN_IDLE, "no port whose clients to wait for: set --port", e);
}

/* What Containerbuddy's configuration says itself may not be said beside it. */
static int check_foreign(const struct values *v, struct err *e)
{
	char origin[96];

	for (enum setting s = SETTINGS_OF_RECORD; s < SETTINGS; s++)
		if (setting(s)->traits.is_native && v->of[s].text)
			return err_set(e, values_err_kind(&v->of[s]),
				       "%s does not go with Containerbuddy's configuration (%s)",
				       values_origin(v, &v->of[s], origin, sizeof origin),
				       v->containerbuddy_name);
	return 0;
}

/*
 * Where values are, to the last. Who drains by Cloudflare's API needs its settings; any other `run`
 * leaves them to its handlers.
 */
static int read_sources(struct reading *r, struct values *v, struct err *e)
{
	const bool is_run = r->groups & GROUP_RUN;

	if (is_run) {
		r->groups &= ~(unsigned)GROUP_CLOUDFLARE;
		run_config_init(r->config->run, v);
	}
	if (is_run && containerbuddy_is_used(v)) {
		if (containerbuddy_read(r->config->run, v, e) ||
		    values_from_environment(v, r->groups, e) || check_foreign(v, e))
			return -1;
	} else if (values_from_environment(v, r->groups, e) || values_from_file(v, r->groups, e)) {
		return -1;
	}
	if (!is_run || !v->of[SET_DRAIN].text || strncmp(v->of[SET_DRAIN].text, "api:", 4) != 0)
		return 0;
	r->groups |= GROUP_CLOUDFLARE;
	return values_from_environment(v, r->groups, e);
}

/* Where Consul is asked is a matter of settings. */
static void place_backends(struct run_config *run, const struct job *place)
{
	for (size_t i = 0; i < run->backends_n; i++) {
		struct job *job = &run->backends[i].job;

		job->has_token = place->has_token;
		memcpy(job->datacenter, place->datacenter, sizeof job->datacenter);
		memcpy(job->ns, place->ns, sizeof job->ns);
		memcpy(job->partition, place->partition, sizeof job->partition);
	}
}

static int read_run(const struct reading *r, struct err *e)
{
	struct run_config *run = r->config->run;

	place_backends(run, r->job);
	if (!run->is_containerbuddy || r->v->of[SET_STOP_TIMEOUT].origin != ORIGIN_DEFAULT)
		run->stop_timeout_ms = r->config->stop_timeout_ms;
	if (run->is_containerbuddy)
		return 0;
	if (!r->config->keep_secrets)
		run->hidden_groups = GROUP_CONSUL | GROUP_CLOUDFLARE;
	return run_config_take(run, r, e);
}

/* ---- all of it ---- */

static int check_groups(const struct reading *r, struct err *e)
{
	if (r->groups & GROUP_CONSUL && check_client(r->config, e))
		return -1;
	return r->groups & GROUP_CLOUDFLARE ? check_credentials(r->config, r->groups, e) : 0;
}

static int read_all(struct reading *r, struct values *v, struct err *e)
{
	if (read_sources(r, v, e)) {
		struct err ignored; /* there is one already */

		/* A template may have put any into what is quoted. */
		values_take_secrets(v);
		r->groups |= GROUP_CLOUDFLARE | GROUP_CONSUL;
		(void)read_secrets(r, &ignored);
		return -1;
	}
	values_from_defaults(v);
	if (read_secrets(r, e) ||
	    (r->groups & (GROUP_RECORDS | GROUP_RUN | GROUP_OPERATOR) && read_jobs(r, e)))
		return -1;
	r->own = NULL;
	if (reading_take(r, SETTINGS_OF_RECORD, SETTINGS, e))
		return -1;
	r->config->https_proxy_name = v->of[SET_HTTPS_PROXY].name;
	if (r->groups & GROUP_RUN && read_run(r, e))
		return -1;
	return (r->groups & GROUP_DRAIN && check_drain(r, e)) || check_groups(r, e) ? -1 : 0;
}

const struct job *config_place(const struct config *c)
{
	return c->jobs_n ? &c->jobs[0] : &c->common;
}

int config_read(struct config *c, struct values *v, unsigned groups, struct err *e)
{
	struct reading r = {.v = v, .config = c, .groups = groups};
	int rc = read_all(&r, v, e);

	values_init(v);
	return rc;
}
