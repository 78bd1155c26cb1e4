#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "config/config.h"
#include "net/http/listener.h"

#define ORIGIN_CAP 192

/* What a check works on: all values, and which record's go first. */
struct source {
	const struct values *v;
	const struct value *own; /* of an entry of "records"; NULL outside */
};

/* Flag and environment, then the record's own value, then the file's for all, then the default. */
static const struct value *value_of(const struct source *src, enum setting s)
{
	const struct value *all = &src->v->of[s];

	if (s < SETTINGS_OF_RECORD && src->own && src->own[s].text &&
	    (all->origin == ORIGIN_NONE || all->origin == ORIGIN_FILE ||
	     all->origin == ORIGIN_DEFAULT))
		return &src->own[s];
	return all;
}

static const char *text_of(const struct source *src, enum setting s)
{
	return value_of(src, s)->text;
}

static const char *setting_name(enum setting s)
{
	if (settings[s].flag)
		return settings[s].flag;
	return settings[s].env[0] ? settings[s].env[0] : settings[s].key;
}

/* "ttl: "abc" (TTL in the environment) is wrong: 1, or 30 to 86400 seconds". */
static int bad_value(const struct source *src, enum setting s, const char *right, struct err *e)
{
	const struct value *value = value_of(src, s);
	char origin[ORIGIN_CAP];
	/* An address may hold a password before its '@'. */
	bool is_secret = settings[s].is_secret ||
			 ((s == SET_CF_API_URL || s == SET_CONSUL) && strchr(value->text, '@'));
	enum err_kind kind = value->origin == ORIGIN_FLAG || value->origin == ORIGIN_ARGUMENT
				     ? ERR_USAGE
				     : ERR_CONFIG;

	(void)values_origin(src->v, value, origin, sizeof origin);
	if (is_secret)
		return err_set(e, kind, "%s (%s) is wrong: %s", setting_name(s), origin, right);
	return err_set(e, kind, "%s: \"%.96s\" (%s) is wrong: %s", setting_name(s), value->text,
		       origin, right);
}

static int missing(enum setting s, struct err *e)
{
	if (settings[s].flag)
		return err_set(e, ERR_CONFIG, "%s is missing: set --%s or %s", settings[s].key,
			       settings[s].flag, settings[s].env[0]);
	return err_set(e, ERR_CONFIG, "%s is missing: set %s", settings[s].key, settings[s].env[0]);
}

struct range {
	uint64_t min, max;
	const char *right; /* the range in words */
};

static int check_number(const struct source *src, enum setting s, struct range range, uint64_t *out,
			struct err *e)
{
	if (str_u64(text_of(src, s), range.max, out) || *out < range.min)
		return bad_value(src, s, range.right, e);
	return 0;
}

static int check_bool(const struct source *src, enum setting s, bool *out, struct err *e)
{
	const char *text = text_of(src, s);

	if (str_eq_nocase(text, "true") || strcmp(text, "1") == 0)
		*out = true;
	else if (str_eq_nocase(text, "false") || strcmp(text, "0") == 0)
		*out = false;
	else
		return bad_value(src, s, "true or false", e);
	return 0;
}

/* A text that goes into a request. Bytes that could end a line there never pass. */
static int check_text(const struct source *src, enum setting s, size_t max, const char **out,
		      struct err *e)
{
	const char *text = text_of(src, s);

	*out = NULL;
	if (!text)
		return 0;
	if (str_has_control(text))
		return bad_value(src, s, "it holds a control character", e);
	if (strlen(text) > max)
		return bad_value(src, s, "it is too long", e);
	*out = text;
	return 0;
}

/* The same, kept in a job; "" when not set. cap counts the NUL. */
static int copy_text(const struct source *src, enum setting s, size_t cap, char *out, struct err *e)
{
	const char *text;

	if (check_text(src, s, cap - 1, &text, e))
		return -1;
	memcpy(out, text ? text : "", text ? strlen(text) + 1 : 1);
	return 0;
}

/* ---- one record ---- */

static int check_ttl(const struct source *src, struct job *r, struct err *e)
{
	const struct range range = {1, 86400, "1 (automatic), or 30 to 86400 seconds"};
	uint64_t ttl = 0;

	if (check_number(src, SET_TTL, range, &ttl, e))
		return -1;
	if (ttl > 1 && ttl < 30)
		return bad_value(src, SET_TTL, range.right, e);
	r->ttl = (uint32_t)ttl;
	return 0;
}

static int check_zone_id(const struct source *src, struct job *r, struct err *e)
{
	const char *id = text_of(src, SET_ZONE_ID);

	if (id && (strlen(id) != 32 || strspn(id, "0123456789abcdefABCDEF") != 32))
		return bad_value(src, SET_ZONE_ID,
				 "32 hexadecimal digits, as the zone's overview "
				 "page shows them",
				 e);
	return copy_text(src, SET_ZONE_ID, sizeof r->zone_id, r->zone_id, e);
}

static int check_name(const struct source *src, enum setting s, enum name_kind kind,
		      char out[NAME_CAP], struct err *e)
{
	struct err why = {0};

	if (name_normalize(out, text_of(src, s), kind, &why))
		return bad_value(src, s, why.text, e);
	return 0;
}

static int check_record_name(const struct source *src, struct job *r, struct err *e)
{
	const char *record = text_of(src, SET_RECORD);
	char origin[ORIGIN_CAP];

	if (text_of(src, SET_ZONE) && check_name(src, SET_ZONE, NAME_HOST, r->zone, e))
		return -1;
	if (!record)
		return missing(SET_RECORD, e);
	if (strcmp(record, "@") == 0) {
		if (!r->zone[0])
			return bad_value(src, SET_RECORD,
					 "@ is the apex of a zone: set --zone or "
					 "CF_ROOT_DOMAIN too",
					 e);
		memcpy(r->name, r->zone, sizeof r->name);
		return 0;
	}
	if (check_name(src, SET_RECORD, NAME_RECORD, r->name, e))
		return -1;
	if (r->zone[0] && !name_is_within(r->name, r->zone)) {
		(void)bad_value(src, SET_RECORD, "it does not lie in the zone", e);
		(void)values_origin(src->v, value_of(src, SET_ZONE), origin, sizeof origin);
		return err_set(e, e->kind,
			       "%s %.96s (%s): write the whole name, as "
			       "www.example.com",
			       e->text, r->zone, origin);
	}
	if (!strchr(r->name, '.'))
		return bad_value(src, SET_RECORD, "write the whole name, as www.example.com", e);
	return 0;
}

static int check_proxied(const struct source *src, struct job *r, struct err *e)
{
	bool proxied = false;

	r->proxied = PROXIED_KEEP;
	if (!text_of(src, SET_PROXIED))
		return 0;
	if (check_bool(src, SET_PROXIED, &proxied, e))
		return -1;
	r->proxied = proxied ? PROXIED_ON : PROXIED_OFF;
	return 0;
}

static int check_owner(const struct source *src, struct job *r, struct err *e)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	const char *owner = text_of(src, SET_OWNER);

	if (owner && (strspn(owner, allowed) != strlen(owner) || strlen(owner) >= sizeof r->owner))
		return bad_value(src, SET_OWNER,
				 "1 to 64 letters, digits, dots, hyphens and "
				 "underscores",
				 e);
	return copy_text(src, SET_OWNER, sizeof r->owner, r->owner, e);
}

static int check_on_empty(const struct source *src, struct job *r, struct err *e)
{
	static const char fallback[] = "fallback=";
	const char *text = text_of(src, SET_ON_EMPTY);
	struct target_hosts hosts = {0};
	struct target target;
	struct err why = {0};

	r->on_empty = ON_EMPTY_KEEP;
	if (strcmp(text, "keep") == 0)
		return 0;
	if (strcmp(text, "remove") == 0) {
		r->on_empty = ON_EMPTY_REMOVE;
		return 0;
	}
	if (strncmp(text, fallback, sizeof fallback - 1) != 0)
		return bad_value(src, SET_ON_EMPTY, "keep, remove or fallback=ADDRESS", e);
	if (target_parse(&target, text + sizeof fallback - 1, &hosts, &why))
		return bad_value(src, SET_ON_EMPTY, why.text, e);
	r->on_empty = ON_EMPTY_FALLBACK;
	target_format(&target, r->fallback);
	return 0;
}

static int check_addresses(const struct source *src, struct job *r, struct err *e)
{
	static const char *const names[] = {
		[ADDRESS_SERVICE] = "service",
		[ADDRESS_NODE] = "node",
		[ADDRESS_WAN] = "wan",
		[ADDRESS_LAN] = "lan",
	};
	const char *p = text_of(src, SET_ADDRESS);

	for (r->addresses_n = 0; r->addresses_n < JOB_ADDRESSES_MAX; p++) {
		size_t len, i;

		p += strspn(p, " ");
		len = strcspn(p, ", ");
		for (i = 0; i < sizeof names / sizeof names[0]; i++)
			if (strlen(names[i]) == len && strncmp(names[i], p, len) == 0)
				break;
		if (i == sizeof names / sizeof names[0])
			break;
		r->addresses[r->addresses_n++] = (enum address_source)i;
		p += len;
		p += strspn(p, " ");
		if (!*p)
			return 0;
		if (*p != ',')
			break;
	}
	return bad_value(src, SET_ADDRESS, "up to four of service, node, wan, lan", e);
}

static int check_leaving(const struct source *src, struct job *r, struct err *e)
{
	const struct range range = {0, 86400, "0 to 86400 seconds"};
	uint64_t grace_sec = 0;

	if (check_number(src, SET_GRACE, range, &grace_sec, e))
		return -1;
	r->grace_ms = (int64_t)grace_sec * 1000;
	r->removes_on_drop = strcmp(text_of(src, SET_ON_DROP), "remove") == 0;
	if (!r->removes_on_drop && strcmp(text_of(src, SET_ON_DROP), "keep") != 0)
		return bad_value(src, SET_ON_DROP, "keep or remove", e);
	return 0;
}

static int check_record(const struct source *src, struct job *r, struct err *e)
{
	const struct range min_range = {0, RECORDS_MAX, "a number of records"};
	uint64_t min_records = 0;

	*r = (struct job){.types = JOB_TYPES, .has_token = text_of(src, SET_CONSUL_TOKEN) != NULL};
	if (!text_of(src, SET_SERVICE))
		return missing(SET_SERVICE, e);
	if (copy_text(src, SET_SERVICE, sizeof r->service, r->service, e) ||
	    check_record_name(src, r, e) || check_ttl(src, r, e) || check_zone_id(src, r, e) ||
	    check_proxied(src, r, e) || check_owner(src, r, e) || check_on_empty(src, r, e) ||
	    check_number(src, SET_MIN_RECORDS, min_range, &min_records, e) ||
	    check_leaving(src, r, e) || copy_text(src, SET_TAG, sizeof r->tag, r->tag, e) ||
	    check_addresses(src, r, e) ||
	    check_bool(src, SET_INCLUDE_WARNING, &r->include_warning, e) ||
	    copy_text(src, SET_DATACENTER, sizeof r->datacenter, r->datacenter, e) ||
	    copy_text(src, SET_NAMESPACE, sizeof r->ns, r->ns, e) ||
	    copy_text(src, SET_PARTITION, sizeof r->partition, r->partition, e))
		return -1;
	r->min_records = (size_t)min_records;
	return 0;
}

/* Two entries for one name and one owner would undo each other's work for ever. */
static int check_distinct(const struct config *c, struct err *e)
{
	for (size_t i = 1; i < c->jobs_n; i++) {
		for (size_t k = 0; k < i; k++) {
			const struct job *a = &c->jobs[i], *b = &c->jobs[k];
			bool same_owner =
				!a->owner[0] || !b->owner[0] || strcmp(a->owner, b->owner) == 0;

			if (same_owner && strcmp(a->name, b->name) == 0)
				return err_set(e, ERR_CONFIG,
					       "records %zu and %zu are both for %s: give each an "
					       "owner of its own",
					       k + 1, i + 1, a->name);
		}
	}
	return 0;
}

static int check_records(const struct values *v, struct config *c, struct err *e)
{
	static const enum setting single[] = {SET_SERVICE, SET_RECORD};
	char origin[ORIGIN_CAP];

	if (!v->records_n) {
		struct source src = {.v = v};

		c->jobs_n = 1;
		return check_record(&src, &c->jobs[0], e);
	}
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
		if (v->of[single[i]].text)
			return err_set(e, ERR_CONFIG,
				       "%s (%s) and \"records\" (%s:%u) exclude each other",
				       settings[single[i]].key,
				       values_origin(v, &v->of[single[i]], origin, sizeof origin),
				       v->file, v->records_line);
	for (c->jobs_n = 0; c->jobs_n < v->records_n; c->jobs_n++) {
		struct source src = {.v = v, .own = v->of_record[c->jobs_n]};

		if (check_record(&src, &c->jobs[c->jobs_n], e))
			return err_wrap(e, "record %zu of %s", c->jobs_n + 1, v->file);
	}
	return check_distinct(c, e);
}

/* ---- the two sides ---- */

static int check_secret(const struct source *src, enum setting s, const char **out, struct err *e)
{
	if (text_of(src, s) && log_add_secret(text_of(src, s)))
		return err_set(e, ERR_CONFIG, "too many secrets");
	return check_text(src, s, CONFIG_SECRET_MAX, out, e);
}

static int check_url(const struct source *src, enum setting s, enum url_scheme scheme,
		     uint16_t port, struct url *out, struct err *e)
{
	struct err why = {0};

	if (url_parse(out, text_of(src, s), scheme, port, &why))
		return bad_value(src, s, why.text, e);
	return 0;
}

static int check_cloudflare(const struct source *src, struct config *c, struct err *e)
{
	if (check_url(src, SET_CF_API_URL, URL_HTTPS, 0, &c->cf_url, e))
		return -1;
	if (c->cf_url.scheme != URL_HTTPS)
		return bad_value(src, SET_CF_API_URL, "credentials are sent over https only", e);
	c->ca_file = text_of(src, SET_CA_FILE);
	c->https_proxy = text_of(src, SET_HTTPS_PROXY);
	c->no_proxy = text_of(src, SET_NO_PROXY);
	if (c->api_token || (c->api_key && c->api_email))
		return 0;
	if (c->api_key)
		return err_set(e, ERR_CONFIG,
			       "an API key needs the account's e-mail: set "
			       "CF_AUTH_EMAIL, or a token in CLOUDFLARE_API_TOKEN");
	return err_set(e, ERR_CONFIG,
		       "no credentials for Cloudflare: set CLOUDFLARE_API_TOKEN or "
		       "CLOUDFLARE_API_TOKEN_FILE (or CF_API_KEY and CF_AUTH_EMAIL)");
}

static int check_consul(const struct source *src, struct config *c, struct err *e)
{
	const char *address = text_of(src, SET_CONSUL);
	bool ssl = false;

	if (check_bool(src, SET_CONSUL_SSL, &ssl, e) ||
	    check_bool(src, SET_CONSUL_SSL_VERIFY, &c->consul_verify, e) ||
	    check_url(src, SET_CONSUL, ssl ? URL_HTTPS : URL_HTTP,
		      strstr(address, "://") ? 0 : 8500, &c->consul_url, e) ||
	    check_text(src, SET_CONSUL_SERVER_NAME, NAME_MAX_LEN, &c->consul_server_name, e))
		return -1;
	c->consul_cacert = text_of(src, SET_CONSUL_CACERT);
	c->consul_client_cert = text_of(src, SET_CONSUL_CLIENT_CERT);
	c->consul_client_key = text_of(src, SET_CONSUL_CLIENT_KEY);
	if (!c->consul_client_cert != !c->consul_client_key)
		return err_set(e, ERR_CONFIG,
			       "CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY are only of use together");
	return 0;
}

static int check_program(const struct source *src, struct config *c, struct err *e)
{
	const struct range retry_range = {0, 86400, "0 to 86400 seconds"};
	const struct range timeout_range = {1, 300, "1 to 300 seconds"};
	uint64_t retry_for_sec = 0, timeout_sec = 0;

	if (check_number(src, SET_RETRY_FOR, retry_range, &retry_for_sec, e) ||
	    check_number(src, SET_TIMEOUT, timeout_range, &timeout_sec, e))
		return -1;
	c->retry_for_ms = (int64_t)retry_for_sec * 1000;
	c->timeout_ms = (int64_t)timeout_sec * 1000;
	if (log_format_parse(text_of(src, SET_LOG_FORMAT), &c->log_format))
		return bad_value(src, SET_LOG_FORMAT, "text, logfmt or json", e);
	if (log_level_parse(text_of(src, SET_LOG_LEVEL), &c->log_level))
		return bad_value(src, SET_LOG_LEVEL, "debug, info, warn or error", e);
	return 0;
}

/* "true" asks for the key of the first record's zone, or of the record itself. */
static int check_lock(const struct source *src, struct config *c, struct err *e)
{
	const char *text = text_of(src, SET_LOCK);
	struct buf b;

	c->has_lock = !str_eq_nocase(text, "false") && strcmp(text, "0") != 0;
	if (!c->has_lock)
		return 0;
	buf_init(&b, c->lock_key, sizeof c->lock_key);
	if (str_eq_nocase(text, "true") || strcmp(text, "1") == 0)
		buf_fmt(&b, "service/dnsbuddy/%s/leader",
			c->jobs[0].zone[0] ? c->jobs[0].zone : c->jobs[0].name);
	else
		buf_str(&b, text);
	if (!buf_ok(&b) || str_has_control(b.p) || b.p[0] == '/')
		return bad_value(src, SET_LOCK, "true, or a key as service/dnsbuddy/www/leader", e);
	return 0;
}

static int check_watch(const struct source *src, struct config *c, struct err *e)
{
	const struct range resync_range = {5, 86400, "5 to 86400 seconds"};
	const struct range unhealthy_range = {1, 86400, "1 to 86400 seconds"};
	uint64_t resync_sec = 0, unhealthy_sec = 0;
	char host[LISTEN_HOST_CAP];
	struct err why = {0};
	uint16_t port;

	if (check_number(src, SET_RESYNC, resync_range, &resync_sec, e) ||
	    check_number(src, SET_UNHEALTHY_AFTER, unhealthy_range, &unhealthy_sec, e) ||
	    check_text(src, SET_REGISTER_AS, CONFIG_SERVICE_MAX, &c->register_as, e) ||
	    check_text(src, SET_LISTEN, CONFIG_SERVICE_MAX, &c->listen, e) || check_lock(src, c, e))
		return -1;
	if (c->listen && listen_parse(c->listen, host, &port, &why))
		return bad_value(src, SET_LISTEN, why.text, e);
	c->resync_ms = (int64_t)resync_sec * 1000;
	c->unhealthy_ms = (int64_t)unhealthy_sec * 1000;
	if (strcmp(c->register_as, "none") == 0)
		c->register_as = NULL;
	return 0;
}

static int check_secrets(const struct source *src, struct config *c, struct err *e)
{
	const struct {
		enum setting setting;
		const char **out;
	} secrets[] = {
		{SET_API_TOKEN, &c->api_token},          {SET_API_KEY, &c->api_key},
		{SET_API_EMAIL, &c->api_email},          {SET_CONSUL_TOKEN, &c->consul_token},
		{SET_CONSUL_AUTH, &c->consul_http_auth},
	};

	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
		if (check_secret(src, secrets[i].setting, secrets[i].out, e))
			return -1;
	return 0;
}

int config_read(struct config *c, struct values *v, int argc, char *const *argv, struct err *e)
{
	struct source src = {.v = v};

	if (values_from_arguments(v, argc, argv, e))
		return -1;
	c->options = v->options;
	if (c->options.help)
		return 0;
	if (values_from_environment(v, e) || values_from_file(v, e)) {
		struct err ignored; /* there is one already, which may quote a template's value */

		(void)check_secrets(&src, c, &ignored);
		return -1;
	}
	values_from_defaults(v);
	/* First what the messages about the rest depend on. */
	if (check_secrets(&src, c, e) || check_program(&src, c, e))
		return -1;
	log_setup(c->log_format, c->log_level);
	if (check_consul(&src, c, e) || check_records(v, c, e) || check_cloudflare(&src, c, e) ||
	    check_watch(&src, c, e))
		return -1;
	return 0;
}
