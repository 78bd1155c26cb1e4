#include "config/containerbuddy.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "config/duration.h"
#include "config/run_parts.h"

#define KEY_CAP 32
#define STRING_CAP 4096 /* bytes of a text in the file, with its NUL */

/* ---- command line and environment ---- */

bool containerbuddy_is_used(const struct values *v)
{
	const char *old = getenv("CONTAINERBUDDY"), *new = getenv("CONTAINERPILOT");

	if (v->containerbuddy)
		return true;
	if (v->of[SET_SERVICE].origin == ORIGIN_FLAG || v->of[SET_CONFIG].origin == ORIGIN_FLAG)
		return false;
	return v->is_called_containerbuddy || (old && *old) || (new &&*new);
}

static bool is_flag(const char *flag, size_t len, const char *name)
{
	return strlen(name) == len && strncmp(flag, name, len) == 0;
}

int containerbuddy_take_flag(struct values *v, int argc, char *const *argv, int *i, bool *taken,
			     struct err *e)
{
	const char *flag = argv[*i], *equals = strchr(flag, '=');
	size_t len;

	if (flag[0] != '-' || (flag[1] == '-' && !v->is_called_containerbuddy))
		return 0;
	flag += flag[1] == '-' ? 2 : 1;
	len = equals ? (size_t)(equals - flag) : strlen(flag);
	if (is_flag(flag, len, "version")) {
		*taken = true;
		v->options |= OPTION_VERSION;
		return 0;
	}
	if (is_flag(flag, len, "template") || is_flag(flag, len, "out"))
		return err_set(e, ERR_USAGE, "-template is not done here");
	*taken = is_flag(flag, len, "config");
	if (!*taken)
		return 0;
	if (!equals && *i + 1 == argc)
		return err_set(e, ERR_USAGE, "-config needs a value");
	v->containerbuddy = equals ? equals + 1 : argv[++*i];
	v->containerbuddy_name = "-config";
	return 0;
}

/* What the flag did not say may be in either variable. */
static int find(struct values *v, struct err *e)
{
	const char *old = getenv("CONTAINERBUDDY"), *new = getenv("CONTAINERPILOT");

	if (v->containerbuddy)
		return 0;
	if (old && new &&*old &&*new &&strcmp(old, new) != 0)
		return err_set(e, ERR_CONFIG,
			       "CONTAINERBUDDY and CONTAINERPILOT differ: unset one");
	v->containerbuddy_name = old && *old ? "CONTAINERBUDDY" : "CONTAINERPILOT";
	v->containerbuddy = old && *old ? old : new;
	return v->containerbuddy && *v->containerbuddy
		       ? 0
		       : err_set(e, ERR_CONFIG,
				 "no configuration: set -config file:///PATH or CONTAINERBUDDY, or "
				 "--service");
}

/* ---- the members of an object ---- */

struct source {
	struct run_config *c;
	struct values *v;
	const char *text; /* that was parsed */
};

struct members {
	const char (*keys)[KEY_CAP]; /* that it may have */
	int keys_n;
	unsigned seen; /* a bit for each that was there */
	int member;    /* the present one */
	int value;
};

enum { KEY_END = -1, KEY_BAD = -2 };

static const struct {
	char key[16];
	char why[76];
} refused[] = {
	{"etcd", "only Consul is spoken to"},
	{"tasks", "let cron, or a container of its own, do them"},
	{"coprocesses", "run each in a container of its own"},
	{"telemetry", "set DNSBUDDY_LISTEN=ADDR:PORT, and have /metrics there"},
	{"jobs", "this is ContainerPilot 3's: write services, as for 2, or dnsbuddy's own"},
	{"watches", "this is ContainerPilot 3's: write backends, as for 2"},
	{"control", "this is ContainerPilot 3's: send signals"},
};

static unsigned line_of(const struct source *s, int value)
{
	unsigned line, column;

	json_position(s->text, json_offset(value), &line, &column);
	return line;
}

/* Put the line and the key before what is wrong there, once. */
static int at_key(const struct source *s, int member, struct err *e)
{
	char key[KEY_CAP];

	if (strncmp(e->text, "line ", 5) == 0)
		return -1;
	json_label(member, key, sizeof key);
	return err_wrap(e, "line %u, key %s", line_of(s, member), key);
}

static int unknown_key(const struct source *s, const struct members *m, const char *key,
		       struct err *e)
{
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (str_eq_nocase(key, refused[i].key)) {
			(void)err_set(e, ERR_CONFIG, "it is not done here: %s", refused[i].why);
			return at_key(s, m->member, e);
		}
	(void)err_set(e, ERR_CONFIG, "unknown");
	return at_key(s, m->member, e);
}

static struct members members_of(int object, const char (*keys)[KEY_CAP], int keys_n)
{
	return (struct members){
		.keys = keys,
		.keys_n = keys_n,
		.member = object,
		.value = JSON_NONE,
	};
}

/* The next that is not null: which key it has; KEY_END; or KEY_BAD with e. */
static int next_key(const struct source *s, struct members *m, struct err *e)
{
	char key[KEY_CAP];
	int k = 0;

	do {
		m->member = m->value == JSON_NONE ? json_first(m->member) : json_next(m->member);
		m->value = json_value(m->member);
	} while (json_is_null(m->value));
	if (m->member == JSON_NONE)
		return KEY_END;
	json_label(m->member, key, sizeof key);
	while (k < m->keys_n && !str_eq_nocase(key, m->keys[k]))
		k++;
	if (k == m->keys_n) {
		(void)unknown_key(s, m, key, e);
		return KEY_BAD;
	}
	if (m->seen & 1u << k) {
		(void)err_set(e, ERR_CONFIG, "it stands twice");
		(void)at_key(s, m->member, e);
		return KEY_BAD;
	}
	m->seen |= 1u << k;
	return k;
}

/* The first of these keys that was not there; e tells, at the object. */
static int check_seen(const struct source *s, const struct members *m, int object, unsigned needed,
		      struct err *e)
{
	for (int k = 0; k < m->keys_n; k++)
		if (needed & ~m->seen & 1u << k)
			return err_set(e, ERR_CONFIG, "line %u: key %s is missing",
				       line_of(s, object), m->keys[k]);
	return 0;
}

/* ---- values ---- */

static int take_integer(int value, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	char text[24];
	uint64_t n;
	int64_t number = INT64_MIN;

	if (json_string(value, text, sizeof text) == 0) { /* as some versions have it */
		if (str_u64(text + (*text == '-'), INT32_MAX, &n) == 0)
			number = *text == '-' ? -(int64_t)n : (int64_t)n;
	} else if (json_integer(value, &number)) {
		number = INT64_MIN;
	}
	if (number < min || number > max)
		return err_set(e, ERR_CONFIG, "must be a whole number from %lld to %lld",
			       (long long)min, (long long)max);
	*out = number;
	return 0;
}

static int take_seconds(int value, int64_t *ms, struct err *e)
{
	if (take_integer(value, 1, 86400 * 365, ms, e))
		return -1;
	*ms *= 1000;
	return 0;
}

/* "": there is none. */
static int take_duration(int value, int64_t *ms, struct err *e)
{
	char text[32];
	int64_t number;

	if (json_integer(value, &number) == 0)
		return take_seconds(value, ms, e);
	if (json_string(value, text, sizeof text) || (*text && duration_read(text, ms)))
		return err_set(e, ERR_CONFIG,
			       "must be a time, as 10 (seconds), \"90s\", \"1m30s\"");
	return 0;
}

static int take_boolean(int value, bool *out, struct err *e)
{
	*out = json_equals(value, "true");
	if (*out || json_equals(value, "false") || json_boolean(value, out) == 0)
		return 0;
	return err_set(e, ERR_CONFIG, "must be true or false");
}

static int take_string(int value, char *out, size_t cap, struct err *e)
{
	if (json_string(value, out, cap) == 0)
		return 0;
	return json_is_string(value)
		       ? err_set(e, ERR_CONFIG, "it is longer than %zu bytes, or no text", cap - 1)
		       : err_set(e, ERR_CONFIG, "must be a text");
}

/* A text of a list. In a command's null is an empty one, and a number is taken as it stands. */
static int take_word(const struct source *s, int value, char out[STRING_CAP], struct err *e)
{
	const char *start = s->text + json_offset(value);

	out[0] = '\0';
	if (json_is_null(value))
		return 0;
	if (*start == '-' || (*start >= '0' && *start <= '9'))
		return str_copy_n(out, STRING_CAP, start, strcspn(start, ",] \t\r\n"))
			       ? err_set(e, ERR_CONFIG, "a number is too long")
			       : 0;
	return take_string(value, out, STRING_CAP, e);
}

static int take_command(const struct source *s, int value, struct run_command *command,
			struct err *e)
{
	char text[STRING_CAP];

	if (!json_is_array(value)) {
		if (json_is_string(value))
			return take_string(value, text, sizeof text, e) ||
					       run_command_split(s->c, command, text, e)
				       ? -1
				       : 0;
		return err_set(e, ERR_CONFIG, "a command must be a text or a list of texts");
	}
	run_command_begin(s->c, command);
	for (int i = json_first(value); i != JSON_NONE; i = json_next(i))
		if (take_word(s, i, text, e) ||
		    run_command_add(s->c, command, text, strlen(text), e))
			return -1;
	return run_command_end(s->c, command, e);
}

/* What it says of a setting of ours. The environment is read after it. */
static int take_setting(const struct source *s, enum setting set, const char *text, int member,
			struct err *e)
{
	struct value *slot = &s->v->of[set];

	if (!*text || slot->origin == ORIGIN_FLAG)
		return 0;
	*slot = (struct value){
		.text = values_keep(s->v, text),
		.origin = ORIGIN_FILE,
		.name = setting(set)->key,
		.line = line_of(s, member),
	};
	return slot->text ? 0 : err_set(e, ERR_CONFIG, "too long");
}

/* ---- consul, logging ---- */

static int take_consul_object(const struct source *s, int object, struct err *e)
{
	static const char keys[][KEY_CAP] = {"address", "scheme", "token"};
	char texts[3][1024] = {"", "", ""}, url[1100];
	struct members m = members_of(object, keys, 3);
	struct buf b;
	int k;

	while ((k = next_key(s, &m, e)) >= 0)
		if (take_string(m.value, texts[k], sizeof texts[k], e) ||
		    (k == 2 && take_setting(s, SET_CONSUL_TOKEN, texts[2], m.member, e)))
			return at_key(s, m.member, e);
	buf_init(&b, url, sizeof url);
	if (*texts[0] && *texts[1] && !str_find(texts[0], "://"))
		buf_fmt(&b, "%s://", texts[1]);
	buf_str(&b, texts[0]);
	return k == KEY_BAD ? -1 : take_setting(s, SET_CONSUL, b.p, object, e);
}

static int take_consul(const struct source *s, int value, struct err *e)
{
	char text[1024];

	if (json_is_object(value))
		return take_consul_object(s, value, e);
	if (!json_is_string(value))
		return err_set(e, ERR_CONFIG, "must be a text, as \"consul:8500\", or an object");
	return take_string(value, text, sizeof text, e)
		       ? -1
		       : take_setting(s, SET_CONSUL, text, value, e);
}

/* Our log goes to stderr. */
static int take_output(const char *text, struct err *e)
{
	return !*text || str_eq_nocase(text, "stdout") || str_eq_nocase(text, "stderr")
		       ? 0
		       : err_set(e, ERR_CONFIG, "must be stdout or stderr");
}

static int take_log_word(const struct source *s, const struct members *m, enum setting set,
			 const char *text, struct err *e)
{
	const char *word = values_log_word(set, text);

	if (set == SET_LOG_FORMAT && str_eq_nocase(text, "text"))
		word = "logfmt";
	if (!*text || (set == SET_LOG_FORMAT && str_eq_nocase(text, "default")))
		return 0;
	return word ? take_setting(s, set, word, m->member, e)
		    : err_set(e, ERR_CONFIG, "\"%.32s\" is unknown", text);
}

static int take_logging(const struct source *s, int object, struct err *e)
{
	static const char keys[][KEY_CAP] = {"level", "format", "output"};
	struct members m = members_of(object, keys, 3);
	char text[32];
	int k;

	if (!json_is_object(object))
		return err_set(e, ERR_CONFIG, "must be an object");
	while ((k = next_key(s, &m, e)) >= 0) {
		if (take_string(m.value, text, sizeof text, e) ||
		    (k == 2 ? take_output(text, e)
			    : take_log_word(s, &m, k ? SET_LOG_FORMAT : SET_LOG_LEVEL, text, e)))
			return at_key(s, m.member, e);
	}
	return k == KEY_BAD ? -1 : 0;
}

/* ---- services ---- */

static int take_interfaces(struct run_service *service, int value, struct err *e)
{
	char rule[INTERFACE_RULE_CAP];

	if (!json_is_array(value))
		return take_string(value, rule, sizeof rule, e) ||
				       interface_rules_add(&service->interfaces, rule, e)
			       ? -1
			       : 0;
	for (int i = json_first(value); i != JSON_NONE; i = json_next(i))
		if (take_string(i, rule, sizeof rule, e) ||
		    interface_rules_add(&service->interfaces, rule, e))
			return -1;
	return 0;
}

static int take_tag(const struct source *s, struct run_service *service, int value, struct err *e)
{
	char text[STRING_CAP];

	return take_string(value, text, sizeof text, e) ||
			       run_add_tag(s->c, service, text, strlen(text), e)
		       ? -1
		       : 0;
}

static int take_tags(const struct source *s, struct run_service *service, int value, struct err *e)
{
	if (!json_is_array(value))
		return take_tag(s, service, value, e);
	for (int i = json_first(value); i != JSON_NONE; i = json_next(i))
		if (take_tag(s, service, i, e))
			return -1;
	return 0;
}

static int take_name(struct run_service *service, int value, struct err *e)
{
	char name[RUN_NAME_MAX + 2];

	return take_string(value, name, sizeof name, e) || run_set_name(service, name, e) ? -1 : 0;
}

static int take_of_consul(const struct source *s, struct run_service *service, int object,
			  struct err *e)
{
	static const char keys[][KEY_CAP] = {"enableTagOverride", "deregisterCriticalServiceAfter"};
	struct members m = members_of(object, keys, 2);
	int64_t gone_ms = 0;
	int k;

	if (!json_is_object(object))
		return err_set(e, ERR_CONFIG, "must be an object");
	while ((k = next_key(s, &m, e)) >= 0)
		if (k ? take_duration(m.value, &gone_ms, e)
		      : take_boolean(m.value, &service->enable_tag_override, e))
			return at_key(s, m.member, e);
	service->gone_sec = (uint32_t)((gone_ms + 999) / 1000);
	return k == KEY_BAD ? -1 : 0;
}

enum service_key {
	SERVICE_NAME,
	SERVICE_POLL,
	SERVICE_TTL,
	SERVICE_PORT,
	SERVICE_HEALTH,
	SERVICE_INTERFACES,
	SERVICE_PUBLIC_IP,
	SERVICE_TAGS,
	SERVICE_TIMEOUT,
	SERVICE_CONSUL,
	SERVICE_KEYS
};

struct service_times {
	int64_t poll_ms, ttl_ms, timeout_ms, port;
	bool is_public;
};

static int take_of_service(const struct source *s, struct run_service *service, enum service_key k,
			   int value, struct service_times *t, struct err *e)
{
	switch (k) {
	case SERVICE_NAME: return take_name(service, value, e);
	case SERVICE_POLL: return take_seconds(value, &t->poll_ms, e);
	case SERVICE_TTL: return take_seconds(value, &t->ttl_ms, e);
	case SERVICE_PORT: return take_integer(value, 0, UINT16_MAX, &t->port, e);
	case SERVICE_HEALTH: return take_command(s, value, &service->check.command, e);
	case SERVICE_INTERFACES: return take_interfaces(service, value, e);
	case SERVICE_PUBLIC_IP: return take_boolean(value, &t->is_public, e);
	case SERVICE_TAGS: return take_tags(s, service, value, e);
	case SERVICE_TIMEOUT: return take_duration(value, &t->timeout_ms, e);
	case SERVICE_CONSUL: return take_of_consul(s, service, value, e);
	case SERVICE_KEYS:
	default: return 0;
	}
}

/* A check that hangs counted as failed when the TTL was over: so it is when none limits it. */
static void set_times(struct run_service *service, const struct service_times *t)
{
	service->port = (uint16_t)t->port;
	service->ttl_sec = (uint32_t)(t->ttl_ms / 1000);
	service->check.interval_ms = t->poll_ms;
	service->check.timeout_ms = t->timeout_ms ? t->timeout_ms : t->ttl_ms;
	service->check.command.timeout_ms = service->check.timeout_ms;
	service->check.kind = service->check.command.n ? RUN_CHECK_EXEC : RUN_CHECK_NONE;
}

/* publicIp was false where the host has one address alone, be it called eth0 or not. */
static int set_interfaces(struct run_service *service, bool is_public, struct err *e)
{
	return service->interfaces.n ? 0
				     : interface_rules_parse(&service->interfaces,
							     is_public ? "public" : "eth0,inet", e);
}

static int check_single(const struct source *s, const struct run_service *service, int object,
			struct err *e)
{
	for (const struct run_service *other = s->c->services; other != service; other++)
		if (strcmp(other->name, service->name) == 0)
			return err_set(
				e, ERR_CONFIG,
				"line %u: two services are called %s: both would have one id",
				line_of(s, object), service->name);
	return 0;
}

static int take_service(const struct source *s, int object, struct err *e)
{
	static const char keys[SERVICE_KEYS][KEY_CAP] = {
		"name",       "poll",     "ttl",  "port",    "health",
		"interfaces", "publicIp", "tags", "timeout", "consul"};
	struct members m = members_of(object, keys, SERVICE_KEYS);
	struct run_service *service = &s->c->services[s->c->services_n];
	struct service_times t = {0};
	int k;

	if (s->c->services_n == RUN_SERVICES_MAX)
		return err_set(e, ERR_CONFIG, "line %u: more than %d services", line_of(s, object),
			       RUN_SERVICES_MAX);
	*service = (struct run_service){0};
	while ((k = next_key(s, &m, e)) >= 0)
		if (take_of_service(s, service, (enum service_key)k, m.value, &t, e))
			return at_key(s, m.member, e);
	if (k == KEY_BAD ||
	    check_seen(s, &m, object, 1 << SERVICE_NAME | 1 << SERVICE_POLL | 1 << SERVICE_TTL,
		       e) ||
	    check_single(s, service, object, e) || set_interfaces(service, t.is_public, e))
		return -1;
	set_times(service, &t);
	s->c->services_n++;
	return 0;
}

/* ---- backends ---- */

enum backend_key { BACKEND_NAME, BACKEND_ON_CHANGE, BACKEND_POLL, BACKEND_TAG, BACKEND_TIMEOUT };

static int take_backend(const struct source *s, int object, struct err *e)
{
	static const char keys[][KEY_CAP] = {"name", "onChange", "poll", "tag", "timeout"};
	struct members m = members_of(object, keys, sizeof keys / sizeof keys[0]);
	struct run_backend *b = &s->c->backends[s->c->backends_n];
	int64_t timeout_ms = 0;
	int k, rc = 0;

	if (s->c->backends_n == RUN_BACKENDS_MAX)
		return err_set(e, ERR_CONFIG, "line %u: more than %d backends", line_of(s, object),
			       RUN_BACKENDS_MAX);
	*b = (struct run_backend){.job = {.types = JOB_TYPES, .addresses = {.n = 1}}};
	while ((k = next_key(s, &m, e)) >= 0) {
		switch ((enum backend_key)k) {
		case BACKEND_NAME:
			rc = take_string(m.value, b->job.service, sizeof b->job.service, e);
			break;
		case BACKEND_ON_CHANGE: rc = take_command(s, m.value, &b->on_change, e); break;
		case BACKEND_POLL: rc = take_seconds(m.value, &b->poll_ms, e); break;
		case BACKEND_TAG:
			rc = take_string(m.value, b->job.tag, sizeof b->job.tag, e);
			break;
		case BACKEND_TIMEOUT: rc = take_duration(m.value, &timeout_ms, e); break;
		}
		if (rc)
			return at_key(s, m.member, e);
	}
	if (k == KEY_BAD ||
	    check_seen(s, &m, object,
		       1 << BACKEND_NAME | 1 << BACKEND_ON_CHANGE | 1 << BACKEND_POLL, e))
		return -1;
	if (!b->on_change.n || !*b->job.service || url_has_dots(b->job.service))
		return err_set(e, ERR_CONFIG, "line %u: name and onChange may not be empty",
			       line_of(s, object));
	b->on_change.timeout_ms = timeout_ms ? timeout_ms : CLOCK_NEVER;
	s->c->backends_n++;
	return 0;
}

/* ---- all of it ---- */

/* Each entry of a list of objects. */
static int take_each(const struct source *s, int list,
		     int (*take)(const struct source *, int, struct err *), struct err *e)
{
	if (!json_is_array(list))
		return err_set(e, ERR_CONFIG, "must be a list");
	for (int i = json_first(list); i != JSON_NONE; i = json_next(i)) {
		if (!json_is_object(i))
			return err_set(e, ERR_CONFIG, "line %u: an object is expected",
				       line_of(s, i));
		if (take(s, i, e))
			return -1;
	}
	return 0;
}

/* Absent or 0: 5 seconds; below: not at all. */
static int take_stop_timeout(const struct source *s, int value, struct err *e)
{
	int64_t sec;

	if (take_integer(value, -INT32_MAX, 86400, &sec, e))
		return -1;
	if (sec)
		s->c->stop_timeout_ms = sec < 0 ? 0 : sec * 1000;
	return 0;
}

enum top_key {
	TOP_CONSUL,
	TOP_LOGGING,
	TOP_ON_START,
	TOP_PRE_START,
	TOP_PRE_STOP,
	TOP_POST_STOP,
	TOP_STOP_TIMEOUT,
	TOP_SERVICES,
	TOP_BACKENDS,
	TOP_KEYS
};

static int take_of_top(const struct source *s, enum top_key k, int value, struct err *e)
{
	switch (k) {
	case TOP_CONSUL: return take_consul(s, value, e);
	case TOP_LOGGING: return take_logging(s, value, e);
	case TOP_ON_START:
	case TOP_PRE_START:
		return s->c->pre_start.n
			       ? err_set(e, ERR_CONFIG, "onStart is preStart: leave one out")
			       : take_command(s, value, &s->c->pre_start, e);
	case TOP_PRE_STOP: return take_command(s, value, &s->c->pre_stop, e);
	case TOP_POST_STOP: return take_command(s, value, &s->c->post_stop, e);
	case TOP_STOP_TIMEOUT: return take_stop_timeout(s, value, e);
	case TOP_SERVICES: return take_each(s, value, take_service, e);
	case TOP_BACKENDS: return take_each(s, value, take_backend, e);
	case TOP_KEYS:
	default: return 0;
	}
}

static int take(void *ctx, const char *text, struct err *e)
{
	static const char keys[TOP_KEYS][KEY_CAP] = {"consul",      "logging",  "onStart",
						     "preStart",    "preStop",  "postStop",
						     "stopTimeout", "services", "backends"};
	struct source *s = ctx;
	struct members m = members_of(0, keys, TOP_KEYS);
	int k;

	s->text = text;
	while ((k = next_key(s, &m, e)) >= 0)
		if (take_of_top(s, (enum top_key)k, m.value, e))
			return at_key(s, m.member, e);
	return k == KEY_BAD ? -1 : 0;
}

int containerbuddy_read(struct run_config *c, struct values *v, struct err *e)
{
	struct source s = {.c = c, .v = v};
	const char *config;

	if (find(v, e))
		return -1;
	config = v->containerbuddy + strspn(v->containerbuddy, " \t\r\n");
	run_config_init(c, v);
	c->stop_timeout_ms = 5000;
	if (values_parse(v, config, *config == '{' ? v->containerbuddy_name : NULL, take, &s, e) ==
	    0)
		return 0;
	return str_find(e->text, ": not JSON: ")
		       ? err_set(e, e->kind, "%s (JSON5 of ContainerPilot 3 is not read)", e->text)
		       : -1;
}
