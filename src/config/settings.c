#include "config/settings.h"

#include <string.h>

#include "base/fmt.h"

/*
 * The texts of a setting in one, each behind the letter of its kind: a pointer to each would cost
 * the program 32 bytes, its relocation included. They are told apart at the first question.
 */
#define KEY(text) "k" text "\0"
#define NAME(text) "n" text "\0" /* the key and, with dashes, the flag */
#define FLAG(text) "f" text "\0"
#define ENV(text) "e" text "\0"
#define FALLBACK(text) "l" text "\0"
#define INITIAL(text) "i" text "\0"
#define UNSET(text) "u" text "\0"
#define HELP(text) "h" text "\0"
#define DEFAULT(text)
#define VALUES(text)
#define DOC(text)

static const struct store {
#define JOB_SETTING(id, groups, role, type, texts, ...) char id[sizeof(texts)];
#include "core/job.def"
#define SETTING(id, groups, reload, type, texts, ...) char id[sizeof(texts)];
#include "config/program.def"
} store = {
#define JOB_SETTING(id, groups, role, type, texts, ...) .id = texts,
#include "core/job.def"
#define SETTING(id, groups, reload, type, texts, ...) .id = texts,
#include "config/program.def"
};

#define NAMES_TEXT(...)
#define NAMES_VALUE(...)
#define NAMES_CHOICE(...)
#define NAMES_NUMBER(...)
#define NAMES_SECONDS(...)
#define NAMES_MEMBER(...)
#define NAMES_NONE()
#define NAMES_SECRET(...) .is_secret = true,
#define NAMES_LIVE
#define NAMES_RESTART .takes_restart = true,

static const struct {
	unsigned short texts; /* offset in store */
	struct setting_traits traits;
} rows[SETTINGS] = {
#define JOB_SETTING(id, groups_, role, type, texts, ...)                                           \
	[SET_##id] = {offsetof(struct store, id), {.groups = groups_, __VA_ARGS__}},
#include "core/job.def"
#define SETTING(id, groups_, reload, type, texts, ...)                                             \
	[SET_##id] = {offsetof(struct store, id),                                                  \
		      {.groups = groups_, NAMES_##reload NAMES_##type __VA_ARGS__}},
#include "config/program.def"
};

/* The name of a setting whose row gives none: other people live in the environment, too. */
static const char *name_ours(enum setting s, const char *key)
{
	static char names[SETTINGS][32];
	char *name = names[s];

	(void)fmt_text(name, sizeof names[s], "DNSBUDDY_%s", key);
	for (; *name; name++)
		if (*name >= 'a')
			*name = (char)(*name - ('a' - 'A'));
	return names[s];
}

static const char *flag_of(enum setting s, const char *key)
{
	static char flags[SETTINGS][20];
	char *flag = flags[s];

	(void)fmt_text(flag, sizeof flags[s], "%s", key);
	while ((flag = strchr(flag, '_')))
		*flag = '-';
	return flags[s];
}

static struct setting_info read_row(enum setting s)
{
	struct setting_info info = {.traits = rows[s].traits};
	int env_n = 0;

	for (const char *text = (const char *)&store + rows[s].texts; *text;) {
		char kind = *text++;

		switch (kind) {
		case 'k': info.key = text; break;
		case 'n':
			info.key = text;
			info.flag = flag_of(s, text);
			break;
		case 'f': info.flag = text; break;
		case 'e':
			if (env_n < SETTING_ENV_MAX)
				info.env[env_n++] = text;
			break;
		case 'l': info.fallback_env = text; break;
		case 'i': info.initial = text; break;
		case 'u': info.unset = text; break;
		default: info.help = text; break;
		}
		text += strlen(text) + 1;
	}
	if (!env_n)
		info.env[0] = name_ours(s, info.key ? info.key : info.flag);
	return info;
}

const struct setting_info *setting(enum setting s)
{
	static struct setting_info infos[SETTINGS];

	if (!infos[s].help)
		infos[s] = read_row(s);
	return &infos[s];
}
