#include "config/values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/errno_text.h"
#include "base/fmt.h"
#include "base/str.h"

void values_init(struct values *v)
{
	/* Of the rest only what is used is looked at. */
	memset(v->of, 0, sizeof v->of);
	v->records_n = 0;
	v->options = 0;
	v->file = NULL;
	explicit_bzero(v->text, v->text_len);
	v->text_len = 0;
}

const char *values_keep(struct values *v, const char *text)
{
	size_t len = strlen(text) + 1;
	char *kept = v->text + v->text_len;

	if (len > sizeof v->text - v->text_len)
		return NULL;
	memcpy(kept, text, len);
	v->text_len += len;
	return kept;
}

int values_read_file(const char *path, char *out, size_t cap, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;
	size_t len = 0;
	int rc = -1;

	if (fd < 0)
		return err_set(e, ERR_CONFIG, "%s: %s", path, errno_text(errno));
	while (len < cap && got > 0) {
		got = read(fd, out + len, cap - len);
		if (got < 0 && errno != EINTR) {
			(void)err_set(e, ERR_CONFIG, "%s: %s", path, errno_text(errno));
			goto out;
		}
		len += got > 0 ? (size_t)got : 0;
		got = got < 0 ? 1 : got;
	}
	if (len == cap) {
		(void)err_set(e, ERR_CONFIG, "%s is longer than %zu bytes", path, cap - 1);
		goto out;
	}
	if (memchr(out, '\0', len)) {
		(void)err_set(e, ERR_CONFIG, "%s holds a NUL byte", path);
		goto out;
	}
	out[len] = '\0';
	rc = 0;
out:
	if (rc)
		explicit_bzero(out, len);
	(void)close(fd);
	return rc;
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

/*
 * What an empty text stands for, if for anything: templates of Containerbuddy's produce it.
 * "DNSBUDDY_OWNER=" from a variable that somebody forgot to set must not mean "all records are
 * ours".
 */
static int take_empty(const struct values *v, enum setting s, struct value *value, struct err *e)
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

static int set_from_command_line(struct values *v, enum setting s, struct value value,
				 struct err *e)
{
	char old[64], new[64];

	if (take_empty(v, s, &value, e))
		return -1;
	if (!value.text)
		return 0;
	if (v->of[s].text && strcmp(v->of[s].text, value.text) != 0)
		return err_set(e, ERR_USAGE, "%s and %s give different values",
			       values_origin(v, &v->of[s], old, sizeof old),
			       values_origin(v, &value, new, sizeof new));
	v->of[s] = value;
	return 0;
}

static const struct {
	enum option option;
	const char *flag;
} option_flags[] = {
	{OPTION_HELP, "--help"},
	{OPTION_HELP, "-h"},
	{OPTION_DRY_RUN, "--dry-run"},
	{OPTION_JSON, "--json"},
	{OPTION_DETAILED_EXITCODE, "--detailed-exitcode"},
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

/* SETTINGS: there is none. */
static enum setting find_flag(const char *flag, size_t len)
{
	enum setting s = 0;

	while (s < SETTINGS && !(setting(s)->flag && strlen(setting(s)->flag) == len &&
				 strncmp(setting(s)->flag, flag, len) == 0))
		s++;
	return s;
}

/* One flag at argv[*i]; *i moves past its value. */
static int take_flag(struct values *v, int argc, char *const *argv, int *i, struct err *e)
{
	const char *flag = argv[*i] + 2, *equals = strchr(flag, '=');
	size_t len = equals ? (size_t)(equals - flag) : strlen(flag);
	struct value value = {.origin = ORIGIN_FLAG};
	enum setting s = find_flag(flag, len);

	if (s == SETTINGS)
		return err_set(e, ERR_USAGE, "unknown flag --%.*s: see dnsbuddy help", (int)len,
			       flag);
	value.name = setting(s)->flag;
	if (equals)
		value.text = equals + 1;
	else if (setting(s)->traits.is_switch)
		value.text = "true";
	else if (*i + 1 < argc)
		value.text = argv[++*i];
	else
		return err_set(e, ERR_USAGE, "--%s needs a value", setting(s)->flag);
	return set_from_command_line(v, s, value, e);
}

/* The nth argument that is no flag, from 1. */
static int set_argument(struct values *v, int n, const char *text, struct err *e)
{
	struct value value = {.text = text, .origin = ORIGIN_ARGUMENT};

	for (enum setting s = 0; s < SETTINGS; s++) {
		if (setting(s)->traits.argument != n)
			continue;
		value.name = setting(s)->fallback_env; /* as the article calls it */
		return set_from_command_line(v, s, value, e);
	}
	return err_set(e, ERR_USAGE, "one argument too many: \"%s\"", text);
}

int values_from_arguments(struct values *v, int argc, char *const *argv, struct err *e)
{
	bool has_flags = true;
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (has_flags && strcmp(argv[i], "--") == 0) {
			has_flags = false;
		} else if (has_flags && take_option(v, argv[i])) {
			continue;
		} else if (has_flags && strncmp(argv[i], "--", 2) == 0) {
			if (take_flag(v, argc, argv, &i, e))
				return -1;
		} else if (has_flags && argv[i][0] == '-' && argv[i][1]) {
			return err_set(e, ERR_USAGE, "unknown flag %s: see dnsbuddy help", argv[i]);
		} else if (argv[i][0]) {
			/* Containerbuddy turns two spaces into an empty argument. */
			if (set_argument(v, ++n, argv[i], e))
				return -1;
		}
	}
	return 0;
}

/* ---- environment ---- */

/* Why a file cannot be read. What was to be its path may be the secret itself. */
static int hide_path(const char *name, const char *path, struct err *e)
{
	size_t named = strncmp(e->text, path, strlen(path)) == 0 ? strlen(path) : 0;

	return err_set(e, e->kind, "%s: the file it names%s", name, e->text + named);
}

/* Keep a secret, trimmed: the value's text, or what the file holds. */
static int take_secret(struct values *v, struct value *value, const char *path, struct err *e)
{
	char secret[CONFIG_SECRET_MAX + 1];
	int rc = 0;

	if (path && values_read_file(path, secret, sizeof secret, e))
		rc = hide_path(value->name, path, e);
	else if (!path && str_copy(secret, sizeof secret, value->text))
		rc = err_set(e, ERR_CONFIG, "%s is longer than %d bytes", value->name,
			     CONFIG_SECRET_MAX);
	value->text = rc ? "" : values_keep(v, str_trim(secret));
	explicit_bzero(secret, sizeof secret);
	if (value->text)
		return rc;
	return err_set(e, ERR_CONFIG, "%s: more than %d bytes of settings", value->name,
		       CONFIG_TEXT_CAP);
}

/* One value more for a setting from the environment: it must say what the others say. */
static int merge_env(struct value *found, const struct value *value, struct err *e)
{
	if (!value->text || !*value->text)
		return 0;
	if (found->text && strcmp(found->text, value->text) != 0)
		return err_set(e, ERR_CONFIG,
			       "%s and %s in the environment are two names of one "
			       "setting and differ: unset one",
			       found->name, value->name);
	if (!found->text)
		*found = *value;
	return 0;
}

static const char *get_env(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

static int merge_secret_file(struct values *v, const char *of, struct value *found, struct err *e)
{
	struct value value = {.origin = ORIGIN_ENV};
	char name[64];
	const char *path;

	(void)fmt_text(name, sizeof name, "%s_FILE", of);
	path = get_env(name);
	if (!path)
		return 0;
	value.name = values_keep(v, name);
	if (!value.name)
		value.name = of;
	if (take_secret(v, &value, path, e))
		return -1;
	if (!*value.text)
		return err_set(e, ERR_CONFIG, "%s: the file it names is empty", value.name);
	return merge_env(found, &value, e);
}

static int merge_env_name(struct values *v, enum setting s, const char *name, struct value *found,
			  struct err *e)
{
	struct value value = {.text = getenv(name), .origin = ORIGIN_ENV, .name = name};

	if (value.text && take_empty(v, s, &value, e))
		return -1;
	if (setting(s)->traits.is_first_name_best && found->text)
		return 0;
	if (value.text && setting(s)->traits.is_secret && take_secret(v, &value, NULL, e))
		return -1;
	if (merge_env(found, &value, e))
		return -1;
	return setting(s)->traits.is_secret ? merge_secret_file(v, name, found, e) : 0;
}

static int take_env(struct values *v, enum setting s, struct err *e)
{
	struct value found = {0};

	for (int i = 0; i < SETTING_ENV_MAX && setting(s)->env[i]; i++)
		if (merge_env_name(v, s, setting(s)->env[i], &found, e))
			return -1;
	if (!found.text && setting(s)->fallback_env) {
		found.text = get_env(setting(s)->fallback_env);
		found.origin = ORIGIN_ENV;
		found.name = setting(s)->fallback_env;
	}
	if (found.text && !v->of[s].text)
		v->of[s] = found;
	return 0;
}

int values_from_environment(struct values *v, unsigned groups, struct err *e)
{
	for (enum setting s = 0; s < SETTINGS; s++)
		if (setting(s)->traits.groups & (groups | GROUP_FILE) && take_env(v, s, e))
			return -1;
	return 0;
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
