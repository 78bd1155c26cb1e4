#include "config/readers.h"

#include <string.h>

#include "base/digest.h"
#include "base/fmt.h"
#include "base/secret.h"
#include "base/str.h"
#include "config/flaw.h"
#include "net/http/listener.h"

#define ORIGIN_CAP 192

const struct value *reading_value(const struct reading *r, enum setting s)
{
	const struct value *all = &r->v->of[s];

	if (s < SETTINGS_OF_RECORD && r->own && r->own[s].text &&
	    (all->origin == ORIGIN_NONE || all->origin == ORIGIN_FILE ||
	     all->origin == ORIGIN_DEFAULT))
		return &r->own[s];
	return all;
}

const char *reading_text(const struct reading *r, enum setting s)
{
	const char *text = reading_value(r, s)->text, *unset = setting(s)->unset;

	return text && unset && strcmp(text, unset) == 0 ? NULL : text;
}

static const char *setting_name(enum setting s)
{
	if (setting(s)->flag)
		return setting(s)->flag;
	return setting(s)->env[0];
}

int reading_bad(const struct reading *r, enum setting s, const char *right, struct err *e)
{
	const struct value *value = reading_value(r, s);
	char origin[ORIGIN_CAP];
	bool is_secret = setting(s)->traits.is_secret ||
			 (setting(s)->traits.may_hold_password && strchr(value->text, '@'));
	enum err_kind kind = values_err_kind(value);

	(void)values_origin(r->v, value, origin, sizeof origin);
	if (is_secret)
		return err_set(e, kind, "%s (%s) is wrong: %s", setting_name(s), origin, right);
	return err_set(e, kind, "%s: \"%.96s\" (%s) is wrong: %s", setting_name(s), value->text,
		       origin, right);
}

static int missing(enum setting s, struct err *e)
{
	return err_set(e, ERR_CONFIG, "%s is missing: set --%s or %s", setting(s)->key,
		       setting(s)->flag, setting(s)->fallback_env);
}

/*
 * ---- readers: the text of s, which is set, to its field of the type that the row names ----
 * What they say is what would be right: e, ERR_CONFIG.
 */

enum reader {
	READER_NONE,
#define READER(name) READER_##name,
#include "config/readers.def"
};

struct field {
	uint32_t max;    /* of a number */
	uint16_t offset; /* in struct job or struct config */
	uint16_t size;   /* in bytes: of a text, with its NUL */
	uint8_t min;     /* of a number */
	uint8_t reader;  /* of enum reader */
};

static const struct field fields[SETTINGS];

/* Any text: what could end a line of a request is a flaw, and never comes here. */
static int read_text(const struct reading *r, enum setting s, const char *text, void *field,
		     struct err *e)
{
	(void)r;
	return str_copy(field, fields[s].size, text) ? err_set(e, ERR_CONFIG, "it is too long") : 0;
}

/* What goes into the path of requests to Consul. */
static int read_path(const struct reading *r, enum setting s, const char *text, void *field,
		     struct err *e)
{
	if (url_has_dots(text))
		return err_set(e, ERR_CONFIG, "no part of a path may be . or ..");
	return read_text(r, s, text, field, e);
}

/* The first 27 are those of the NAME of NAME=. */
#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz0123456789.-"

/* What a header carries: token68 of RFC 6750, or (Consul's) any visible ASCII. */
static int read_token(const struct reading *r, enum setting s, const char *text, void *field,
		      struct err *e)
{
	const char *p = text;

	while (*p && memchr(ALPHABET, *p, 27))
		p++;
	if (str_starts_nocase(text, "Bearer ") || (p > text && *p == '='))
		return err_set(e, ERR_CONFIG, "write the token without Bearer or NAME= before it");
	p = text + strspn(text, ALPHABET "~+/");
	p += strspn(p, "=");
	while (s == SET_CONSUL_TOKEN && *p > ' ' && *p < 0x7f)
		p++;
	if (*p)
		return err_set(e, ERR_CONFIG, "byte %zu is none of a token's",
			       (size_t)(p - text) + 1);
	return read_text(r, s, text, field, e);
}

/* Of the row's range; seconds are kept in ms. */
static int read_number(const struct reading *r, enum setting s, const char *text, void *field,
		       struct err *e)
{
	const struct field *f = &fields[s];
	const bool is_seconds = f->size == sizeof(int64_t);
	uint64_t n;

	(void)r;
	if (str_u64(text, f->max, &n) || n < f->min)
		return err_set(e, ERR_CONFIG,
			       is_seconds ? "%u to %u seconds" : "a number from %u to %u",
			       (unsigned)f->min, (unsigned)f->max);
	if (is_seconds)
		*(int64_t *)field = (int64_t)n * 1000;
	else
		*(uint32_t *)field = (uint32_t)n;
	return 0;
}

/* One of the words, by its place: the enum has them in this order. */
static int read_choice(const struct reading *r, enum setting s, const char *text, void *field,
		       struct err *e)
{
	const char(*words)[LOG_NAME_CAP] = s == SET_LOG_LEVEL ? log_level_names : log_format_names;
	int i = 0;

	(void)r;
	while (*words[i] && !str_eq_nocase(text, words[i]))
		i++;
	if (!*words[i]) /* where they are told, too */
		return err_set(e, ERR_CONFIG, "%.*s", (int)strcspn(setting(s)->help, " "),
			       setting(s)->help);
	*(int *)field = i;
	return 0;
}

static bool is_true(const char *text)
{
	return str_eq_nocase(text, "true") || strcmp(text, "1") == 0;
}

static bool is_false(const char *text)
{
	return str_eq_nocase(text, "false") || strcmp(text, "0") == 0;
}

static int read_boolean(const struct reading *r, enum setting s, const char *text, void *field,
			struct err *e)
{
	(void)r;
	(void)s;
	*(bool *)field = is_true(text);
	return is_true(text) || is_false(text) ? 0 : err_set(e, ERR_CONFIG, "true or false");
}

static int read_host(const struct reading *r, enum setting s, const char *text, void *field,
		     struct err *e)
{
	(void)r;
	(void)s;
	return name_normalize(field, text, NAME_HOST, e);
}

/* "@" gives "", until the zone is known. */
static int read_record(const struct reading *r, enum setting s, const char *text, void *field,
		       struct err *e)
{
	(void)r;
	(void)s;
	*(char *)field = '\0';
	return strcmp(text, "@") == 0 ? 0 : name_normalize(field, text, NAME_RECORD, e);
}

static int read_ttl(const struct reading *r, enum setting s, const char *text, void *field,
		    struct err *e)
{
	uint64_t ttl;

	(void)r;
	(void)s;
	if (str_u64(text, 86400, &ttl) || (ttl != 1 && ttl < 30))
		return err_set(e, ERR_CONFIG, "1 (automatic), or 30 to 86400 seconds");
	*(uint32_t *)field = (uint32_t)ttl;
	return 0;
}

static int read_zone_id(const struct reading *r, enum setting s, const char *text, void *field,
			struct err *e)
{
	if (!record_id_is_good(text))
		return err_set(e, ERR_CONFIG,
			       "32 hexadecimal digits, as the zone's overview page shows them");
	return read_text(r, s, text, field, e);
}

static int read_proxied(const struct reading *r, enum setting s, const char *text, void *field,
			struct err *e)
{
	bool is_on;

	if (read_boolean(r, s, text, &is_on, e))
		return -1;
	*(enum proxied *)field = is_on ? PROXIED_ON : PROXIED_OFF;
	return 0;
}

static int read_owner(const struct reading *r, enum setting s, const char *text, void *field,
		      struct err *e)
{
	if (text[strspn(text, ALPHABET)] || read_text(r, s, text, field, e))
		return err_set(e, ERR_CONFIG,
			       "1 to 64 letters, digits, dots, hyphens and underscores");
	return 0;
}

/* 0 and 1 of an enum that begins so; -1: neither. */
static int keep_or_remove(const char *text)
{
	return strcmp(text, "keep") == 0 ? 0 : strcmp(text, "remove") == 0 ? 1 : -1;
}

static int read_on_drop(const struct reading *r, enum setting s, const char *text, void *field,
			struct err *e)
{
	int n = keep_or_remove(text);

	(void)r;
	(void)s;
	if (n < 0)
		return err_set(e, ERR_CONFIG, "keep or remove");
	*(enum on_drop *)field = (enum on_drop)n;
	return 0;
}

static int read_on_empty(const struct reading *r, enum setting s, const char *text, void *field,
			 struct err *e)
{
	static const char fallback[] = "fallback=";
	int n = keep_or_remove(text);
	struct target_hosts hosts = {0};
	struct target target;

	(void)s;
	if (n < 0) {
		if (strncmp(text, fallback, sizeof fallback - 1) != 0)
			return err_set(e, ERR_CONFIG, "keep, remove or fallback=ADDRESS");
		if (target_parse(&target, text + sizeof fallback - 1, &hosts, e))
			return -1;
		target_format(&target, r->job->fallback);
		n = ON_EMPTY_FALLBACK;
	}
	*(enum on_empty *)field = (enum on_empty)n;
	return 0;
}

static int read_addresses(const struct reading *r, enum setting s, const char *text, void *field,
			  struct err *e)
{
	static const char names[ADDRESS_SOURCES][8] = {
		[ADDRESS_SERVICE] = "service",
		[ADDRESS_NODE] = "node",
		[ADDRESS_WAN] = "wan",
		[ADDRESS_LAN] = "lan",
	};
	struct address_list *list = field;

	(void)r;
	(void)s;
	list->n = 0;
	for (const char *p = text; list->n < JOB_ADDRESSES_MAX; p++) {
		size_t len, i;

		p += strspn(p, " ");
		len = strcspn(p, ", ");
		for (i = 0; i < ADDRESS_SOURCES; i++)
			if (strlen(names[i]) == len && strncmp(names[i], p, len) == 0)
				break;
		if (i == ADDRESS_SOURCES)
			break;
		list->of[list->n++] = (enum address_source)i;
		p += len;
		p += strspn(p, " ");
		if (!*p)
			return 0;
		if (*p != ',')
			break;
	}
	return err_set(e, ERR_CONFIG, "up to four of service, node, wan, lan");
}

/* One that no name could match is a mistake. */
static bool is_pattern(const char *p, size_t len)
{
	char name[NAME_CAP], normal[NAME_CAP];
	struct err e;

	if (!len || len >= sizeof name || p[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '*' && i + 1 < len && p[i + 1] != '.')
			return false;
		name[i] = (char)(p[i] == '*' ? 'x' : p[i]);
	}
	name[len] = '\0';
	return strchr(name, '.') && name_normalize(normal, name, NAME_HOST, &e) == 0;
}

static int read_patterns(const struct reading *r, enum setting s, const char *text, void *field,
			 struct err *e)
{
	bool is_good = !text[strspn(text, ALPHABET "*, ")];

	for (const char *p = text; is_good; p++) {
		size_t len;

		p += strspn(p, " ");
		len = strcspn(p, ", ");
		is_good = is_pattern(p, len);
		p += len;
		p += strspn(p, " ");
		if (!*p)
			break;
		is_good &= *p == ',';
	}
	if (!is_good || read_text(r, s, text, field, e))
		return err_set(e, ERR_CONFIG,
			       "names as *.example.com, in Punycode, with commas between");
	str_lower(field);
	return 0;
}

static int read_api_url(const struct reading *r, enum setting s, const char *text, void *field,
			struct err *e)
{
	struct url *url = field;

	(void)r;
	(void)s;
	if (url_parse(url, text, URL_HTTPS, 0, e))
		return -1;
	return url->scheme == URL_HTTPS
		       ? 0
		       : err_set(e, ERR_CONFIG, "credentials are sent over https only");
}

/* The row before says whether it is over TLS. */
static int read_consul_url(const struct reading *r, enum setting s, const char *text, void *field,
			   struct err *e)
{
	(void)s;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): no tag says it */
	return url_parse(field, text, r->config->consul_ssl ? URL_HTTPS : URL_HTTP,
			 str_find(text, "://") ? 0 : 8500, e);
}

static uint64_t digest_on(uint64_t sum, const char *text)
{
	return digest_add(sum, text, text ? strlen(text) : 0);
}

/*
 * The key for those who keep these names for these owners, in whatever order they are listed: the
 * first by the alphabet, how many more, and a sum of all.
 */
static void add_default_key(struct buf *b, const struct job *jobs, size_t jobs_n)
{
	const char *first = jobs[0].name;
	uint64_t sum = 0;

	for (size_t i = 0; i < jobs_n; i++) {
		sum += digest_on(digest_on(DIGEST_START, jobs[i].name) ^ '/', jobs[i].owner);
		if (strcmp(jobs[i].name, first) < 0)
			first = jobs[i].name;
	}
	buf_fmt(b, "service/dnsbuddy/%s", first);
	if (jobs_n > 1)
		buf_fmt(b, "+%zu", jobs_n - 1);
	buf_fmt(b, "-%08x/leader", (unsigned)(sum >> 32));
}

/* "true" asks for the default. */
static int read_lock_key(const struct reading *r, enum setting s, const char *text, void *field,
			 struct err *e)
{
	struct buf b;

	buf_init(&b, field, fields[s].size);
	if (is_false(text))
		return 0;
	if (is_true(text) && r->config->discover)
		buf_fmt(&b, "service/dnsbuddy/owner-%s/leader", r->config->common.owner);
	else if (is_true(text))
		add_default_key(&b, r->config->jobs, r->config->jobs_n);
	else
		buf_str(&b, text);
	if (!buf_ok(&b) || b.p[0] == '/' || b.p[b.len - 1] == '/' || str_find(b.p, "//") ||
	    url_has_dots(b.p))
		return err_set(e, ERR_CONFIG, "true, or a key as service/dnsbuddy/www/leader");
	return 0;
}

static int read_listen(const struct reading *r, enum setting s, const char *text, void *field,
		       struct err *e)
{
	char host[LISTEN_HOST_CAP];
	uint16_t port;

	return listen_parse(text, host, &port, e) ? -1 : read_text(r, s, text, field, e);
}

static int read_listen_host(const struct reading *r, enum setting s, const char *text, void *field,
			    struct err *e)
{
	if (strpbrk(text, ":/@[]*"))
		return err_set(e, ERR_CONFIG, "names without port, commas between");
	return read_text(r, s, text, field, e);
}

static int read_drain(const struct reading *r, enum setting s, const char *text, void *field,
		      struct err *e)
{
	(void)r;
	(void)s;
	return drain_way_parse(field, text, e);
}

static int read_resolver(const struct reading *r, enum setting s, const char *text, void *field,
			 struct err *e)
{
	(void)r;
	(void)s;
	return drain_resolver_parse(field, text, e);
}

/* ---- which reader fills which field ---- */

#define AT(member, reader_)                                                                        \
	.offset = offsetof(OWNER, member), .size = sizeof(((OWNER *)0)->member),                   \
	.reader = READER_##reader_
#define READ_TEXT(field, cap, reader) {AT(field, reader)},
#define READ_VALUE(type, field, reader) {AT(field, reader)},
#define READ_NUMBER(field, min_, max_) {AT(field, number), .min = (min_), .max = (max_)},
#define READ_SECONDS(...) READ_NUMBER(__VA_ARGS__)
#define READ_CHOICE(type, field) {AT(field, choice)},
#define READ_SECRET(field, reader) {AT(field, reader)},
#define READ_MEMBER(member, reader, min_, max_) {AT(member, reader), .min = (min_), .max = (max_)},
#define READ_NONE() {.reader = READER_NONE},

static const struct field fields[SETTINGS] = {
#define OWNER struct job
#define JOB_SETTING(id, groups, role, type, ...) [SET_##id] = READ_##type
#include "core/job.def"
#undef OWNER
#define OWNER struct config
#define SETTING(id, groups, reload, type, ...) [SET_##id] = READ_##type
#include "config/program.def"
};

#define READER(name)                                                                               \
	if (fields[s].reader == READER_##name)                                                     \
		return read_##name(r, s, text, field, e);

static int read_field(const struct reading *r, enum setting s, const char *text, void *field,
		      struct err *e)
{
	char flaw[FLAW_CAP];

	if (flaw_find(text, s == SET_CONSUL_AUTH, flaw))
		return err_set(e, ERR_CONFIG, "%s", flaw);
#include "config/readers.def"
	return 0;
}

/* What is not set is zero. Memory that was never used is not touched for nothing. */
static void clear(char *field, size_t n)
{
	while (n--)
		if (field[n])
			field[n] = 0;
}

static int take(const struct reading *r, enum setting s, struct err *e)
{
	char *field = s < SETTINGS_OF_RECORD ? (char *)r->job : (char *)r->config;
	const char *text = reading_text(r, s);

	field += fields[s].offset;
	if (s >= SETTINGS_OF_RECORD)
		r->config->digests[s - SETTINGS_OF_RECORD] = digest_on(DIGEST_START, text);
	if (text)
		return read_field(r, s, text, field, e) ? reading_bad(r, s, e->text, e) : 0;
	if (setting(s)->traits.is_required && !(r->groups & GROUP_OPERATOR))
		return missing(s, e);
	clear(field, fields[s].size);
	return 0;
}

int reading_take_text(enum setting s, const char *text, struct job *job, struct err *e)
{
	const struct reading r = {.job = job};

	return read_field(&r, s, text, (char *)job + fields[s].offset, e);
}

int reading_take(const struct reading *r, enum setting from, enum setting to, struct err *e)
{
	for (enum setting s = from; s < to; s++)
		if (fields[s].reader && setting(s)->traits.groups & r->groups && take(r, s, e))
			return -1;
	return 0;
}

/* ---- two configurations: the one in force and one that was read later ---- */

static const char *field_of(const struct config *c, enum setting s)
{
	return (const char *)c + fields[s].offset;
}

int config_hide_secrets(const struct config *c, struct err *e)
{
	const char *colon = strchr(c->consul_http_auth, ':');
	int rc = colon ? secret_add(colon + 1) : 0; /* USER:PASSWORD, and the password alone */

	for (enum setting s = SETTINGS_OF_RECORD; s < SETTINGS; s++)
		if (setting(s)->traits.is_secret && secret_add(field_of(c, s)))
			rc = -1;
	return rc ? err_set(e, ERR_CONFIG, "too many secrets") : 0;
}

bool config_has_new_secrets(const struct config *old, const struct config *new)
{
	for (enum setting s = SETTINGS_OF_RECORD; s < SETTINGS; s++)
		if (setting(s)->traits.is_secret && strcmp(field_of(old, s), field_of(new, s)) != 0)
			return true;
	return false;
}

void config_keep(struct config *new, const struct config *old, bool all_but_secrets,
		 struct buf *names)
{
	for (enum setting s = SETTINGS_OF_RECORD; s < SETTINGS; s++) {
		const size_t i = s - SETTINGS_OF_RECORD;

		if (all_but_secrets ? setting(s)->traits.is_secret
				    : !setting(s)->traits.takes_restart)
			continue;
		if (new->digests[i] != old->digests[i])
			buf_fmt(names, "%s%s", names->len ? ", " : "", setting(s)->key);
		memcpy((char *)new + fields[s].offset, field_of(old, s), fields[s].size);
		new->digests[i] = old->digests[i];
	}
	if (!all_but_secrets)
		return;
	new->jobs_n = old->jobs_n;
	memcpy(new->jobs, old->jobs, old->jobs_n * sizeof old->jobs[0]);
	new->common = old->common;
	new->fixed = old->fixed;
	new->common.has_token = new->consul_token[0] != '\0';
	for (size_t i = 0; i < new->jobs_n; i++)
		new->jobs[i].has_token = new->common.has_token;
}
