#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/log.h"
#include "base/str.h"
#include "config/flaw.h"
#include "config/values.h"

/* ---- names ---- */

extern char **environ;

static const char prefix[] = "DNSBUDDY_";

/* What follows mark at the beginning of s; NULL: it does not begin with it. */
static const char *after(const char *s, const char *mark)
{
	size_t len = strlen(mark);

	return strncmp(s, mark, len) == 0 ? s + len : NULL;
}

/*
 * p, "_SUFFIX=value", is how a variable of a link ends. The value has to be a link's too, where
 * it may be meant otherwise: DNSBUDDY_LISTEN_PORT=80 and DNSBUDDY_PORT=80 are mistakes.
 */
static bool is_link_end(const char *p, bool is_whole)
{
	const char *end;

	if ((end = after(p, "_SERVICE_PORT")))
		return *end == '=' || *end == '_';
	if ((end = after(p, "_PORT=")))
		return str_find(end, "://");
	if ((end = after(p, "_PORT_")))
		return *end >= '0' && *end <= '9';
	if ((end = after(p, "_NAME=")))
		return is_whole || *end == '/';
	return after(p, "_SERVICE_HOST=") || after(p, "_ENV_");
}

bool values_is_link(const char *pair)
{
	const char *rest = pair + sizeof prefix - 2;

	for (const char *p = rest; *p != '='; p++)
		if (*p == '_' && is_link_end(p, p == rest))
			return true;
	return false;
}

/* Letters to take out of the name and put in to make it the key, upper or lower case. */
static unsigned distance(const char *name, const char *key)
{
	unsigned row[64], n = (unsigned)strlen(key);

	for (unsigned k = 0; k <= n; k++)
		row[k] = k;
	for (; *name != '='; name++) {
		unsigned before = row[0]++;

		for (unsigned k = 1; k <= n; k++) {
			unsigned old = row[k], less = old < row[k - 1] ? old : row[k - 1];

			row[k] = (*name | ' ') == (key[k - 1] | ' ') ? before : less + 1;
			before = old;
		}
	}
	return row[n];
}

static int unknown_name(const char *pair, struct err *e)
{
	unsigned least = UINT_MAX;
	const char *nearest = "";

	for (enum setting s = 0; s < SETTINGS; s++) {
		const char *key = setting(s)->key ? setting(s)->key : setting(s)->flag;
		unsigned d = distance(pair + sizeof prefix - 1, key);

		if (d >= least)
			continue;
		least = d;
		nearest = setting(s)->env[0];
	}
	return err_set(e, ERR_CONFIG, "%.*s in the environment is no setting: is it %s?",
		       (int)strcspn(pair, "="), pair, nearest);
}

static bool is_setting(const char *pair)
{
	for (enum setting s = 0; s < SETTINGS; s++) {
		const char *end = after(pair, setting(s)->env[0]);

		if (end && *end == '=')
			return true;
	}
	return false;
}

/* A setting whose name is mistyped is one that is not there: an owner, a guard. */
static int check_names(struct err *e)
{
	for (char **pair = environ; *pair; pair++)
		if (after(*pair, prefix) && strchr(*pair, '=') && !is_setting(*pair) &&
		    !values_is_link(*pair))
			return unknown_name(*pair, e);
	return 0;
}

/* ---- settings ---- */

#define SECRET_CAP (CONFIG_SECRET_MAX + 1)

/*
 * Keep the secret that is in the file at *text, trimmed: the new *text. What was to be its path may
 * be the secret itself.
 */
static int take_secret(struct values *v, const char *name, const char **text, struct err *e)
{
	char *kept = v->text + v->text_len, flaw[FLAW_CAP];
	size_t cap = sizeof v->text - v->text_len;

	if (flaw_find(*text, false, flaw))
		return err_set(e, ERR_CONFIG, "%s: %s", name, flaw);
	if (values_read_file(v, *text, kept, cap < SECRET_CAP ? cap : SECRET_CAP, e))
		return err_wrap(e, "%s: the file it names", name);
	v->text_len += strlen(kept) + 1;
	*text = str_trim(kept);
	return **text ? 0 : err_set(e, ERR_CONFIG, "%s: the file it names is empty", name);
}

/* One value more for a setting from the environment: it must say what the others say. */
static int merge_env(struct value *found, const char *name, const char *text, struct err *e)
{
	if (!text || !*text)
		return 0;
	if (found->text && strcmp(found->text, text) != 0)
		return err_set(e, ERR_CONFIG,
			       "%s and %s in the environment are two names of one "
			       "setting and differ: unset one",
			       found->name, name);
	if (!found->text)
		*found = (struct value){.text = text, .origin = ORIGIN_ENV, .name = name};
	return 0;
}

const char *values_env(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

static int merge_secret_file(struct values *v, const char *of, struct value *found, struct err *e)
{
	char name[64];
	const char *text, *kept;

	(void)fmt_text(name, sizeof name, "%s_FILE", of);
	text = values_env(name);
	if (!text)
		return 0;
	kept = values_keep(v, name);
	if (!kept)
		kept = of;
	return take_secret(v, kept, &text, e) ? -1 : merge_env(found, kept, text, e);
}

static int merge_env_name(struct values *v, enum setting s, const char *name, struct value *found,
			  struct err *e)
{
	struct value value = {.text = getenv(name), .origin = ORIGIN_ENV, .name = name};

	if (value.text && values_take_empty(v, s, &value, e))
		return -1;
	/* Kubernetes has that of a service called dnsbuddy-app. */
	if (s == SET_APP_PORT && value.text && str_find(value.text, "://"))
		value.text = NULL;
	if (setting(s)->traits.is_first_name_best && found->text)
		return 0;
	if (merge_env(found, name, value.text, e))
		return -1;
	return setting(s)->traits.is_secret ? merge_secret_file(v, name, found, e) : 0;
}

/* LOG_LEVEL and LOG_FORMAT are everybody's: what others say there is never an error. */
const char *values_log_word(enum setting s, const char *text)
{
	static const struct {
		char begun[5];
		uint8_t level;
	} words[] = {
		{"debu", LOG_DEBUG}, {"trac", LOG_DEBUG}, {"verb", LOG_DEBUG}, {"info", LOG_INFO},
		{"noti", LOG_INFO},  {"warn", LOG_WARN},  {"err", LOG_ERROR},  {"crit", LOG_ERROR},
		{"fata", LOG_ERROR}, {"pani", LOG_ERROR}, {"aler", LOG_ERROR}, {"emer", LOG_ERROR},
	};

	for (size_t i = 0; s == SET_LOG_LEVEL && i < sizeof words / sizeof words[0]; i++)
		if (str_starts_nocase(text, words[i].begun))
			return log_level_names[words[i].level];
	for (size_t i = 0; s == SET_LOG_FORMAT && i < LOG_FORMATS; i++)
		if (str_eq_nocase(text, log_format_names[i]))
			return log_format_names[i];
	return NULL;
}

static int take_env(struct values *v, enum setting s, struct err *e)
{
	const char *name = setting(s)->fallback_env, *text;
	struct value found = {0};

	for (int i = 0; i < SETTING_ENV_MAX && setting(s)->env[i]; i++)
		if (merge_env_name(v, s, setting(s)->env[i], &found, e))
			return -1;
	if (!found.text && name) {
		text = values_env(name);
		if (text && setting(s)->traits.groups == GROUP_LOG)
			text = values_log_word(s, text);
		(void)merge_env(&found, name, text, e);
	}
	if (found.text && (!v->of[s].text || v->of[s].origin == ORIGIN_FILE))
		v->of[s] = found;
	return 0;
}

/* Where Consul is, no variable says when Containerbuddy's configuration, read before, does. */
static bool is_settled(const struct values *v, enum setting s)
{
	return s == SET_CONSUL && v->of[s].origin == ORIGIN_FILE;
}

int values_from_environment(struct values *v, unsigned groups, struct err *e)
{
	if (check_names(e))
		return -1;
	for (enum setting s = 0; s < SETTINGS; s++)
		if (setting(s)->traits.groups & (groups | GROUP_FILE) && !is_settled(v, s) &&
		    take_env(v, s, e))
			return -1;
	return 0;
}

void values_take_secrets(struct values *v)
{
	struct err ignored;

	for (enum setting s = 0; s < SETTINGS; s++)
		if (setting(s)->traits.is_secret)
			(void)take_env(v, s, &ignored);
}
