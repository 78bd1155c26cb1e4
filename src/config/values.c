#include "config/values.h"

#include <string.h>

#include "base/fmt.h"
#include "base/str.h"
#include "config/containerbuddy.h"

void values_init(struct values *v)
{
	/* Of the rest only what is used is looked at. */
	memset(v->of, 0, sizeof v->of);
	v->records_n = 0;
	v->options = 0;
	v->file = NULL;
	v->stray = NULL;
	v->app = NULL;
	v->app_n = 0;
	v->containerbuddy = NULL;
	explicit_bzero(v->text, v->text_len);
	v->text_len = 0;
	v->wait_ms = CONFIG_REREAD_MS;
}

const char *values_keep_n(struct values *v, const char *p, size_t n)
{
	char *kept = v->text + v->text_len;

	if (n > sizeof v->text - v->text_len)
		return NULL;
	memcpy(kept, p, n);
	v->text_len += n;
	return kept;
}

const char *values_keep(struct values *v, const char *text)
{
	return values_keep_n(v, text, strlen(text) + 1);
}

const char *values_origin(const struct values *v, const struct value *value, char *out, size_t cap)
{
	switch (value->origin) {
	case ORIGIN_ARGUMENT: (void)fmt_text(out, cap, "argument %s", value->name); break;
	case ORIGIN_FLAG: (void)fmt_text(out, cap, "--%s", value->name); break;
	case ORIGIN_ENV: (void)fmt_text(out, cap, "%s in the environment", value->name); break;
	case ORIGIN_FILE:
		(void)fmt_text(out, cap, "%s:%u, key %s", v->file, value->line, value->name);
		break;
	case ORIGIN_DEFAULT: (void)fmt_text(out, cap, "the default"); break;
	case ORIGIN_NONE:
	default: (void)fmt_text(out, cap, "nowhere"); break;
	}
	return out;
}

enum err_kind values_err_kind(const struct value *value)
{
	return value->origin == ORIGIN_FLAG || value->origin == ORIGIN_ARGUMENT ? ERR_USAGE
										: ERR_CONFIG;
}

int values_take_empty(const struct values *v, enum setting s, struct value *value, struct err *e)
{
	char origin[64];

	if (*value->text)
		return 0;
	if (setting(s)->traits.is_guard)
		return err_set(e, values_err_kind(value),
			       "%s is empty: leave it out, or say what it shall be",
			       values_origin(v, value, origin, sizeof origin));
	value->text = setting(s)->unset;
	return 0;
}

/* ---- command line ---- */

struct arguments {
	int argc;
	char *const *argv;
	unsigned groups; /* of the settings that the command takes */
};

static int set_from_command_line(struct values *v, enum setting s, struct value *value,
				 struct err *e)
{
	char old[64], new[64];

	if (values_take_empty(v, s, value, e))
		return -1;
	if (!value->text)
		return 0;
	if (v->of[s].text && strcmp(v->of[s].text, value->text) != 0)
		return err_set(e, ERR_USAGE, "%s and %s give different values",
			       values_origin(v, &v->of[s], old, sizeof old),
			       values_origin(v, value, new, sizeof new));
	v->of[s] = *value;
	return 0;
}

static const struct {
	unsigned char option; /* of enum option */
	char flag[20];
} option_flags[] = {
#define OPTION(id, flag, ...) {OPTION_##id, flag},
#include "config/options.def"
	{OPTION_HELP, "-h"},
};
#define OPTIONS_N (sizeof option_flags / sizeof option_flags[0])

const char *values_option_name(unsigned options)
{
	for (size_t i = 0; i < OPTIONS_N; i++)
		if (option_flags[i].option & options)
			return option_flags[i].flag;
	return "";
}

static bool take_option(struct values *v, const char *flag)
{
	for (size_t i = 0; i < OPTIONS_N; i++) {
		if (strcmp(option_flags[i].flag, flag) != 0)
			continue;
		v->options |= option_flags[i].option;
		return true;
	}
	return false;
}

/*
 * A script may switch between the commands of records and keep its flags: who does not need one
 * passes over it.
 */
#define GROUPS_OF_RECORDS                                                                          \
	(GROUP_RECORDS | GROUP_CLOUDFLARE | GROUP_CONSUL | GROUP_RETRY | GROUP_WATCH |             \
	 GROUP_LISTEN | GROUP_LOG)

/* Of these groups, or of any but these; SETTINGS: there is none. */
static enum setting find_flag(const char *flag, size_t len, unsigned groups)
{
	enum setting s = 0;

	while (s < SETTINGS &&
	       !(setting(s)->traits.groups & (groups | GROUP_FILE) && setting(s)->flag &&
		 strlen(setting(s)->flag) == len && strncmp(setting(s)->flag, flag, len) == 0))
		s++;
	return s;
}

static int unknown_flag(struct values *v, const char *flag, size_t len, struct err *e)
{
	enum setting s = find_flag(flag, len, ~0u);

	if (s < SETTINGS) {
		v->stray = setting(s)->flag;
		v->stray_groups = setting(s)->traits.groups;
	}
	return err_set(e, ERR_USAGE, "unknown flag --%.*s: see dnsbuddy help", (int)len, flag);
}

/* The operator waits for the drain: there is no other time-out to speak of. */
static enum setting find_setting(const char *flag, size_t len, unsigned groups)
{
	if (groups & GROUP_OPERATOR && len == 7 && strncmp(flag, "timeout", 7) == 0)
		return SET_DRAIN_MAX;
	return find_flag(flag, len, groups & GROUP_RECORDS ? groups | GROUPS_OF_RECORDS : groups);
}

enum setting values_find_own(const char *key, unsigned groups)
{
	char flag[32];
	enum setting s;

	if (strchr(key, '-') || str_copy(flag, sizeof flag, key))
		return SETTINGS;
	for (char *p = flag; (p = strchr(p, '_'));)
		*p = '-';
	s = find_setting(flag, strlen(flag), groups);
	return s < SETTINGS && setting(s)->key ? s : SETTINGS;
}

/* One flag at argv[*i]; *i moves past its value. */
static int take_flag(struct values *v, const struct arguments *a, int *i, struct err *e)
{
	const char *flag = a->argv[*i] + 2, *equals = strchr(flag, '=');
	size_t len = equals ? (size_t)(equals - flag) : strlen(flag);
	struct value value = {.origin = ORIGIN_FLAG};
	enum setting s = find_setting(flag, len, a->groups);

	if (s == SETTINGS)
		return unknown_flag(v, flag, len, e);
	value.name = setting(s)->flag;
	if (equals)
		value.text = equals + 1;
	else if (setting(s)->traits.is_switch)
		value.text = "true";
	else if (*i + 1 < a->argc)
		value.text = a->argv[++*i];
	else
		return err_set(e, ERR_USAGE, "--%s needs a value", setting(s)->flag);
	return set_from_command_line(v, s, &value, e);
}

/* What is no flag: empty ones are counted, not kept. */
struct positionals {
	const char *text[3];
	int n;
	int all_n;     /* with the empty ones */
	int place;     /* of the last that is kept, among all, from 1 */
	bool is_apart; /* that one comes after an empty one */
};

static int add_positional(struct positionals *p, const char *text, struct err *e)
{
	p->all_n++;
	if (!*text)
		return 0;
	if (p->n == 3)
		return err_set(e, ERR_USAGE, "one argument too many: \"%s\"", text);
	p->is_apart = p->all_n > p->place + 1;
	p->place = p->all_n;
	p->text[p->n++] = text;
	return 0;
}

/*
 * Containerbuddy makes an empty argument of two spaces, so an empty one is nothing. But
 * `update-dns nginx '' 60` of a shell leaves RECORD to the environment: a number at the third
 * place or behind is the TTL, for it is no whole DNS name.
 */
static int set_positionals(struct values *v, const struct positionals *p, unsigned groups,
			   struct err *e)
{
	const char *last = p->n ? p->text[p->n - 1] : "";
	bool is_ttl =
		p->n < 3 && p->place > 2 && *last >= '0' && *last <= '9' && !strchr(last, '.');

	for (int i = 0; i < p->n; i++) {
		int nth = !is_ttl ? i + 1 : i == p->n - 1 ? 3 : p->is_apart ? 1 : 2;
		struct value value;
		enum setting s = 0;

		while (setting(s)->traits.argument != nth)
			s++;
		if (!(setting(s)->traits.groups & groups))
			return err_set(e, ERR_USAGE, "one argument too many: \"%s\"", p->text[i]);
		/* Named as the article calls it. */
		value = (struct value){.text = p->text[i],
				       .origin = ORIGIN_ARGUMENT,
				       .name = setting(s)->fallback_env};
		if (set_from_command_line(v, s, &value, e))
			return -1;
	}
	return 0;
}

/* The application, from argv[i] on. */
static void take_app(struct values *v, const struct arguments *a, int i)
{
	v->app = a->argv + i;
	v->app_n = (size_t)(a->argc - i);
}

/* A word that is no flag, where the words after it are an application's. */
static int take_run_word(struct values *v, const struct arguments *a, int *i, struct err *e)
{
	if (!*a->argv[*i]) /* Containerbuddy makes an empty argument of two spaces */
		return 0;
	if (!containerbuddy_is_used(v))
		return err_set(e, ERR_USAGE,
			       "write -- before the application: dnsbuddy run [--flag VALUE]... "
			       "-- %s",
			       a->argv[*i]);
	take_app(v, a, *i);
	*i = a->argc;
	return 0;
}

/* The argument at *i, which moves to the last of what belongs to it. */
static int take_argument(struct values *v, const struct arguments *a, int *i,
			 struct positionals *positionals, struct err *e)
{
	const char *text = a->argv[*i];
	bool is_run = a->groups & GROUP_RUN, is_taken = false;

	if (take_option(v, text))
		return 0;
	if (is_run && containerbuddy_take_flag(v, a->argc, a->argv, i, &is_taken, e))
		return -1;
	if (is_taken)
		return 0;
	if (strncmp(text, "--", 2) == 0)
		return take_flag(v, a, i, e);
	if (text[0] == '-' && text[1])
		return err_set(e, ERR_USAGE, "unknown flag %.*s: see dnsbuddy help",
			       (int)strcspn(text, "="), text);
	return is_run ? take_run_word(v, a, i, e) : add_positional(positionals, text, e);
}

int values_from_arguments(struct values *v, int argc, char *const *argv, unsigned groups,
			  struct err *e)
{
	const struct arguments a = {argc, argv, groups};
	struct positionals positionals = {0};
	int i = 0;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (take_argument(v, &a, &i, &positionals, e))
			return -1;
	if (groups & GROUP_RUN && i < argc)
		take_app(v, &a, i + 1);
	for (i++; !(groups & GROUP_RUN) && i < argc; i++)
		if (add_positional(&positionals, argv[i], e))
			return -1;
	return set_positionals(v, &positionals, groups, e);
}

void values_from_defaults(struct values *v)
{
	for (enum setting s = 0; s < SETTINGS; s++)
		if (!v->of[s].text && setting(s)->initial)
			v->of[s] = (struct value){
				.text = setting(s)->initial,
				.origin = ORIGIN_DEFAULT,
				.name = setting(s)->key,
			};
}
