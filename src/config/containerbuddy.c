#include "config/containerbuddy.h"

#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/str.h"
#include "config/duration.h"
#include "config/flaw.h"
#include "config/run_parts.h"

#define KEY_CAP 40
#define TEXT_CAP 512    /* bytes of a text with its NUL; that is kept: JOB_TEXT_CAP */
#define STRING_CAP 4096 /* of a command's word, or of all of one */

/* ---- command line and environment ---- */

#define OLD_NAME "CONTAINERBUDDY"
#define NEW_NAME "CONTAINERPILOT"

bool containerbuddy_is_used(const struct values *v)
{
	if (v->containerbuddy)
		return true;
	if (v->of[SET_SERVICE].origin == ORIGIN_FLAG || v->of[SET_CONFIG].origin == ORIGIN_FLAG)
		return false;
	return v->is_called_containerbuddy || values_env(OLD_NAME) || values_env(NEW_NAME);
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
	*taken = is_flag(flag, len, "version") || is_flag(flag, len, "help");
	if (*taken) {
		v->options |= *flag == 'v' ? OPTION_VERSION : OPTION_HELP;
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
	const char *old = values_env(OLD_NAME), *new = values_env(NEW_NAME);

	if (v->containerbuddy)
		return 0;
	if (old && new &&strcmp(old, new) != 0)
		return err_set(e, ERR_CONFIG, "%s and %s differ: unset one", OLD_NAME, NEW_NAME);
	v->containerbuddy_name = old ? OLD_NAME : NEW_NAME;
	v->containerbuddy = old ? old : new;
	return 0;
}

/* ---- its keys ---- */

enum object { TOP, CONSUL, LOGGING, SERVICE, OF_CONSUL, BACKEND };

enum type {
	TYPE_REFUSED,
	TYPE_CONSUL, /* a text or an object */
	TYPE_LOGGING,
	TYPE_OF_CONSUL,
	TYPE_SERVICES,
	TYPE_BACKENDS,
	TYPE_STOP,    /* seconds; absent or 0: 5, below: none */
	TYPE_SECONDS, /* 1 and more, to ms */
	TYPE_DURATION,
	TYPE_PORT,
	TYPE_BOOLEAN,
	TYPE_COMMAND,
	TYPE_INTERFACES,
	TYPE_TAGS,
	/* texts, from here on */
	TYPE_TEXT,
	TYPE_NAME,
	TYPE_TOKEN,
	TYPE_LEVEL,
	TYPE_FORMAT,
	TYPE_OUTPUT
};

struct consul {
	char address[JOB_TEXT_CAP], scheme[JOB_TEXT_CAP];
};

/* What there is to say of a service or a backend. */
struct entry {
	struct run_command command;
	int64_t poll_ms, ttl_ms, timeout_ms, gone_ms, port;
	bool is_public, has_override;
	char name[RUN_NAME_MAX + 1], tag[JOB_TEXT_CAP];
};

static const struct keys {
#define FIELD(id, object, key, ...) char id[sizeof(key)];
#include "config/containerbuddy.def"
} keys = {
#define FIELD(id, object, key, ...) .id = key,
#include "config/containerbuddy.def"
};

#define OPTIONAL false
#define NEEDED true

static const struct field {
	uint16_t key; /* offset in keys */
	uint16_t at;  /* of its value, in what its object is read to */
	uint8_t object, type;
	bool is_needed;
} fields[] = {
#define FIELD(id, object, key, type, need, owner, member)                                          \
	{offsetof(struct keys, id), offsetof(owner, member), object, TYPE_##type, need},
#include "config/containerbuddy.def"
};
#define FIELDS_N (sizeof fields / sizeof fields[0])
_Static_assert(FIELDS_N <= 64, "a bit for each");

static const char *key_of(const struct field *f)
{
	return (const char *)&keys + f->key;
}

struct source {
	struct run_config *c;
	struct values *v;
	const char *text;            /* that was parsed */
	struct run_service *service; /* that is filled */
};

/* Put the line and the key before what is wrong there, once. */
static int at_key(const struct source *s, int member, struct err *e)
{
	char key[KEY_CAP];

	if (strncmp(e->text, "line ", 5) == 0)
		return -1;
	json_label(member, key, sizeof key);
	return err_wrap(e, "line %u, key %s", values_line(s->text, member), key);
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
	} else {
		(void)json_integer(value, &number);
	}
	if (number < min || number > max)
		return err_set(e, ERR_CONFIG, "must be a whole number from %lld to %lld",
			       (long long)min, (long long)max);
	*out = number;
	return 0;
}

static int take_seconds(int value, int64_t *ms, struct err *e)
{
	int64_t sec = 0;

	if (take_integer(value, 1, DURATION_MAX_MS / 1000, &sec, e))
		return -1;
	*ms = sec * 1000;
	return 0;
}

/* "": there is none. */
static int take_duration(int value, int64_t *ms, struct err *e)
{
	char text[32];

	if (!json_is_string(value))
		return take_seconds(value, ms, e);
	if (json_string(value, text, sizeof text) == 0 && (!*text || duration_read(text, ms) == 0))
		return 0;
	return err_set(e, ERR_CONFIG, "must be a time, as 10 (seconds), \"90s\", \"1m30s\"");
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
	return err_set(e, ERR_CONFIG, "must be a text of less than %zu bytes", cap);
}

static int take_port(int value, int64_t *port, struct err *e)
{
	return take_integer(value, 0, UINT16_MAX, port, e);
}

static int take_stop(int value, int64_t *ms, struct err *e)
{
	int64_t sec = 0;

	if (take_integer(value, -INT32_MAX, 86400, &sec, e))
		return -1;
	if (sec)
		*ms = sec < 0 ? 0 : sec * 1000;
	return 0;
}

/* ---- lists of texts ---- */

typedef int take_word_fn(const struct source *s, void *to, const char *word, struct err *e);

static int add_word(const struct source *s, void *to, const char *word, struct err *e)
{
	return run_command_add(s->c, to, word, strlen(word), e);
}

static int add_tag(const struct source *s, void *to, const char *word, struct err *e)
{
	const char *tag = run_keep(s->c, word, strlen(word), e);

	(void)to;
	return tag ? run_add_tag(s->service, tag, e) : -1;
}

static int add_rule(const struct source *s, void *to, const char *word, struct err *e)
{
	(void)to;
	return interface_rules_add(&s->service->interfaces, word, e);
}

/* A text of a list. In a command's null is an empty one, and a number is taken as it stands. */
static int read_word(const struct source *s, int value, bool is_command, char out[STRING_CAP],
		     struct err *e)
{
	const char *start = s->text + json_offset(value);
	size_t n = is_command && !json_is_string(value) ? strspn(start, "-.0123456789") : 0;

	out[0] = '\0';
	if (is_command && json_is_null(value))
		return 0;
	return n ? str_copy_n(out, STRING_CAP, start, n) : take_string(value, out, STRING_CAP, e);
}

/* One text, or each of a list. */
static int take_words(const struct source *s, int value, take_word_fn *take, void *to,
		      struct err *e)
{
	const bool is_list = json_is_array(value);
	char word[STRING_CAP];

	for (int i = is_list ? json_first(value) : value; i != JSON_NONE;
	     i = is_list ? json_next(i) : JSON_NONE)
		if (read_word(s, i, take == add_word, word, e) || take(s, to, word, e))
			return -1;
	return 0;
}

static int split_command(const struct source *s, int value, struct run_command *command,
			 bool is_needed, struct err *e)
{
	char text[STRING_CAP];

	if (take_string(value, text, sizeof text, e) || run_command_split(s->c, command, text, e))
		return -1;
	return command->n || !is_needed ? 0 : err_set(e, ERR_CONFIG, "there is no command");
}

/* "" is none where it may be: a template can come to that; no list does. */
static int take_command(const struct source *s, int value, struct run_command *command,
			bool is_needed, struct err *e)
{
	if (command->n)
		return err_set(e, ERR_CONFIG, "it stands twice, be it as onStart or preStart");
	if (json_is_string(value))
		return split_command(s, value, command, is_needed, e);
	if (!json_is_array(value) || !json_count(value))
		return err_set(e, ERR_CONFIG,
			       "a command must be a text or a list of one text at least");
	run_command_begin(s->c, command);
	return take_words(s, value, add_word, command, e) || run_command_end(s->c, command, e) ? -1
											       : 0;
}

/* ---- settings of ours ---- */

/* The environment is read after it. */
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
		.line = values_line(s->text, member),
	};
	return slot->text ? 0 : err_set(e, ERR_CONFIG, "too long");
}

/* Our log goes to stderr, wherever its went. */
static int take_log_word(const struct source *s, enum type type, const char *text, int member,
			 struct err *e)
{
	const enum setting set = type == TYPE_LEVEL ? SET_LOG_LEVEL : SET_LOG_FORMAT;
	const char *word = values_log_word(set, text);

	if (type == TYPE_OUTPUT)
		word = str_eq_nocase(text, "stdout") || str_eq_nocase(text, "stderr") ? "" : NULL;
	else if (type == TYPE_FORMAT && str_eq_nocase(text, "default"))
		word = "";
	else if (type == TYPE_FORMAT && str_eq_nocase(text, "text"))
		word = "logfmt";
	return word ? take_setting(s, set, word, member, e)
		    : err_set(e, ERR_CONFIG, "\"%.32s\" is unknown", text);
}

static int take_text(const struct source *s, enum type type, int member, void *to, struct err *e)
{
	char text[TEXT_CAP];

	if (type == TYPE_TEXT)
		return take_string(json_value(member), to, JOB_TEXT_CAP, e);
	if (take_string(json_value(member), text, sizeof text, e))
		return -1;
	switch (type) {
	case TYPE_NAME: return run_take_name(to, text, e);
	case TYPE_TOKEN: return take_setting(s, SET_CONSUL_TOKEN, text, member, e);
	default: return take_log_word(s, type, text, member, e);
	}
}

/* ---- a key's value ---- */

typedef int take_field_fn(struct source *s, const struct field *f, int member, void *to,
			  struct err *e);

/* Of one that is no object, nor a list of such. */
static int take_plain(struct source *s, const struct field *f, int member, void *to, struct err *e)
{
	int value = json_value(member);

	switch ((enum type)f->type) {
	case TYPE_REFUSED:
		return err_set(e, ERR_CONFIG, "it is not done here: %s",
			       key_of(f) + strlen(key_of(f)) + 1);
	case TYPE_STOP: return take_stop(value, to, e);
	case TYPE_SECONDS: return take_seconds(value, to, e);
	case TYPE_DURATION: return take_duration(value, to, e);
	case TYPE_PORT: return take_port(value, to, e);
	case TYPE_BOOLEAN: return take_boolean(value, to, e);
	case TYPE_COMMAND: return take_command(s, value, to, f->is_needed, e);
	case TYPE_INTERFACES: return take_words(s, value, add_rule, NULL, e);
	case TYPE_TAGS: return take_words(s, value, add_tag, NULL, e);
	default: return take_text(s, (enum type)f->type, member, to, e);
	}
}

/* In whatever case; FIELDS_N: it is none of the object's. */
static size_t find_field(enum object object, int member)
{
	char key[KEY_CAP];
	size_t i = 0;

	json_label(member, key, sizeof key);
	while (i < FIELDS_N &&
	       (fields[i].object != object || !str_eq_nocase(key, key_of(&fields[i]))))
		i++;
	return i;
}

/* The field of an object's member; NULL: null, as if it were not there. */
static int read_key(enum object object, int member, uint64_t *seen, const struct field **f,
		    struct err *e)
{
	size_t i = find_field(object, member);

	*f = NULL;
	if (i == FIELDS_N)
		return err_set(e, ERR_CONFIG, "unknown");
	if (json_is_null(json_value(member)))
		return 0;
	if (*seen >> i & 1)
		return err_set(e, ERR_CONFIG, "it stands twice");
	*seen |= (uint64_t)1 << i;
	*f = &fields[i];
	return 0;
}

/*
 * Each member of an object.
 *   to    what it is read to
 *   take  takes a value; those of the objects in it by another such function
 */
static int take_object(struct source *s, enum object object, int value, take_field_fn *take,
		       void *to, struct err *e)
{
	uint64_t seen = 0;

	if (!json_is_object(value))
		return err_set(e, ERR_CONFIG, "an object is expected");
	for (int m = json_first(value); m != JSON_NONE; m = json_next(m)) {
		const struct field *f;

		if (read_key(object, m, &seen, &f, e) ||
		    (f && take(s, f, m, (char *)to + f->at, e)))
			return at_key(s, m, e);
	}
	for (size_t i = 0; i < FIELDS_N; i++)
		if (fields[i].object == object && fields[i].is_needed && !(seen >> i & 1))
			return err_set(e, ERR_CONFIG, "key %s is missing", key_of(&fields[i]));
	return 0;
}

/* ---- objects ---- */

static int take_consul(struct source *s, int member, struct err *e)
{
	struct consul consul = {"", ""};
	char url[2 * JOB_TEXT_CAP];
	struct buf b;

	buf_init(&b, url, sizeof url);
	if (json_is_object(json_value(member))
		    ? take_object(s, CONSUL, json_value(member), take_plain, &consul, e)
		    : take_text(s, TYPE_TEXT, member, consul.address, e))
		return -1;
	if (*consul.address && *consul.scheme && !str_find(consul.address, "://"))
		buf_fmt(&b, "%s://", consul.scheme);
	buf_str(&b, consul.address);
	return take_setting(s, SET_CONSUL, b.p, member, e);
}

/* A check that hangs counted as failed when the TTL was over: so it is when none limits it. */
static void fill_service(struct run_service *service, const struct entry *entry)
{
	struct run_check *check = &service->check;

	memcpy(service->name, entry->name, sizeof service->name);
	service->port = (uint16_t)entry->port;
	service->ttl_sec = (uint32_t)(entry->ttl_ms / 1000);
	service->gone_sec = (uint32_t)((entry->gone_ms + 999) / 1000);
	service->enable_tag_override = entry->has_override;
	check->kind = entry->command.n ? RUN_CHECK_EXEC : RUN_CHECK_NONE;
	check->command = entry->command;
	check->interval_ms = entry->poll_ms;
	check->timeout_ms = entry->timeout_ms ? entry->timeout_ms : entry->ttl_ms;
	check->command.timeout_ms = check->timeout_ms;
}

static int take_of_service(struct source *s, const struct field *f, int member, void *to,
			   struct err *e)
{
	if (f->type != TYPE_OF_CONSUL)
		return take_plain(s, f, member, to, e);
	return take_object(s, OF_CONSUL, json_value(member), take_plain, (char *)to - f->at, e);
}

/* With publicIp it ran without a public address, too, and was registered without: so it is here.
 * publicIp was false where the host has one address alone, be it called eth0 or not. */
static int take_service(struct source *s, int object, struct err *e)
{
	struct run_service *service = s->service = &s->c->services[s->c->services_n];
	struct entry entry = {.is_public = false};
	char from[160];

	if (s->c->services_n == RUN_SERVICES_MAX)
		return err_set(e, ERR_CONFIG, "more than %d services", RUN_SERVICES_MAX);
	*service = (struct run_service){0};
	if (take_object(s, SERVICE, object, take_of_service, &entry, e))
		return -1;
	fill_service(service, &entry);
	for (const struct run_service *other = s->c->services; other != service; other++)
		if (strcmp(other->name, service->name) == 0)
			return err_set(e, ERR_CONFIG,
				       "two services are called %s: both would have one id",
				       service->name);
	(void)fmt_text(from, sizeof from, "%.120s, line %u: interfaces", s->v->file,
		       values_line(s->text, object));
	service->interfaces_from = run_keep(s->c, from, strlen(from), e);
	if (!service->interfaces_from)
		return -1;
	s->c->services_n++;
	if (service->interfaces.n)
		return 0;
	service->may_lack_address = entry.is_public;
	if (entry.is_public)
		return interface_rules_add(&service->interfaces, "public", e);
	return interface_rules_add(&service->interfaces, "eth0", e) ||
			       interface_rules_add(&service->interfaces, "inet", e)
		       ? -1
		       : 0;
}

static int take_backend(struct source *s, int object, struct err *e)
{
	struct run_backend *b = &s->c->backends[s->c->backends_n];
	struct entry entry = {.is_public = false};

	if (s->c->backends_n == RUN_BACKENDS_MAX)
		return err_set(e, ERR_CONFIG, "more than %d backends", RUN_BACKENDS_MAX);
	if (take_object(s, BACKEND, object, take_plain, &entry, e))
		return -1;
	/* The node's address where the service has none: a moved one is another there, too. */
	*b = (struct run_backend){
		.job = {.types = JOB_TYPES, .addresses = {{ADDRESS_SERVICE, ADDRESS_NODE}, 2}},
		.on_change = entry.command,
		.poll_ms = entry.poll_ms,
	};
	b->on_change.timeout_ms = entry.timeout_ms ? entry.timeout_ms : CLOCK_NEVER;
	memcpy(b->job.service, entry.name, sizeof entry.name);
	memcpy(b->job.tag, entry.tag, sizeof b->job.tag);
	s->c->backends_n++;
	return 0;
}

/* Each entry of a list of objects. */
static int take_each(struct source *s, const struct field *f, int list, struct err *e)
{
	if (!json_is_array(list))
		return err_set(e, ERR_CONFIG, "must be a list");
	for (int i = json_first(list); i != JSON_NONE; i = json_next(i)) {
		if (f->type == TYPE_SERVICES ? take_service(s, i, e) : take_backend(s, i, e))
			return strncmp(e->text, "line ", 5) == 0
				       ? -1
				       : err_wrap(e, "line %u, key %s", values_line(s->text, i),
						  key_of(f));
	}
	return 0;
}

static int take_of_top(struct source *s, const struct field *f, int member, void *to, struct err *e)
{
	int value = json_value(member);

	switch ((enum type)f->type) {
	case TYPE_CONSUL: return take_consul(s, member, e);
	case TYPE_LOGGING: return take_object(s, LOGGING, value, take_plain, to, e);
	case TYPE_SERVICES:
	case TYPE_BACKENDS: return take_each(s, f, value, e);
	default: return take_plain(s, f, member, to, e);
	}
}

static int take(void *ctx, const char *text, struct err *e)
{
	struct source *s = ctx;

	s->text = text;
	return take_object(s, TOP, 0, take_of_top, s->c, e);
}

int containerbuddy_read(struct run_config *c, struct values *v, struct err *e)
{
	struct source s = {.c = c, .v = v};
	const char *config;
	char flaw[FLAW_CAP];

	if (find(v, e))
		return -1;
	if (!v->containerbuddy)
		return err_set(e, ERR_CONFIG,
			       "no configuration: set -config file:///PATH or CONTAINERBUDDY, or "
			       "--service");
	config = v->containerbuddy + strspn(v->containerbuddy, " \t\r\n");
	if (*config != '{' && flaw_find(config, false, flaw))
		return err_set(e, ERR_CONFIG, "%s: %s", v->containerbuddy_name, flaw);
	c->is_containerbuddy = true;
	c->stop_timeout_ms = 5000;
	if (values_parse(v, config, *config == '{' ? v->containerbuddy_name : NULL, take, &s, e) ==
	    0)
		return 0;
	return str_find(e->text, ": not JSON: ")
		       ? err_set(e, e->kind, "%s (JSON5 of ContainerPilot 3 is not read)", e->text)
		       : -1;
}
