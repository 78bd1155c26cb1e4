/*
 * The raw value of every setting and where it came from: command line, environment, file. Says
 * nothing about what a value means.
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/settings.h"

#define CONFIG_FILE_MAX 262144  /* bytes of a configuration file, before and after its templates */
#define CONFIG_RECORDS_MAX 1024 /* entries of "records" */
#define CONFIG_TEXT_CAP 131072  /* bytes of all values that come from files */
#define CONFIG_SECRET_MAX 4096  /* bytes of a _FILE */
#define CONFIG_WAIT_MS 10000  /* at the start, for a file that is a pipe or whose mount hangs... */
#define CONFIG_REREAD_MS 1000 /* ...and when all that is in force waits too */

enum origin { ORIGIN_NONE, ORIGIN_ARGUMENT, ORIGIN_FLAG, ORIGIN_ENV, ORIGIN_FILE, ORIGIN_DEFAULT };

struct value {
	const char *text; /* NULL: not set */
	enum origin origin;
	const char *name; /* of the flag, the variable, or the key */
	unsigned line;    /* in the file */
	unsigned words_n; /* not 0: a list of so many texts, each with its NUL */
};

/* What a command takes besides its settings: their flags are in config/options.def. */
enum option {
	OPTION_HELP = 1,
	OPTION_DRY_RUN = 2,
	OPTION_JSON = 4,
	OPTION_DETAILED_EXITCODE = 8,
	OPTION_UNDO = 16,
	OPTION_FORCE = 32,
	OPTION_VERSION = 64, /* Containerbuddy's -version */
};

/* The texts from files are in it: secrets. */
struct values {
	size_t records_n; /* entries of "records"; 0 when there is no such list */
	unsigned records_line;
	const char *file;  /* the configuration file's name for messages */
	unsigned groups;   /* of the settings whose flags are keys in it */
	unsigned options;  /* of enum option */
	const char *stray; /* why arguments are wrong, if so: this flag is one of other groups... */
	unsigned stray_groups; /* ...namely these */
	char *const *app; /* of run: the application's words, in argv, NULL behind them; or NULL */
	size_t app_n;
	const char
		*containerbuddy; /* its configuration, as it was given; NULL: the settings count */
	const char *containerbuddy_name; /* what gave it, for messages */
	size_t text_len;
	/* What the caller says: */
	int wait_ms;                   /* for each file */
	bool is_called_containerbuddy; /* the program is: its flags, not ours, go first */
	struct value of[SETTINGS];
	/* What is large stands last: of it only the begin is touched. */
	char text[CONFIG_TEXT_CAP];
	struct value of_record[CONFIG_RECORDS_MAX][SETTINGS_OF_RECORD];
};

/* Forget everything, to read anew, with little time for files; at first v is zeroed. */
void values_init(struct values *v);

/*
 * Read the arguments after the command: flags, and [SERVICE [RECORD [TTL]]] as far as the command
 * takes them, empty ones ignored. With GROUP_RUN the application follows "--"; under
 * Containerbuddy's configuration it begins with the first word that is no flag, too. The texts stay
 * in argv.
 *   groups  of the settings that the command takes: one flag may be of two settings. Commands of
 *           records take each other's flags, too, and pass over them
 *   e  ERR_USAGE: an unknown flag, a value missing, one argument too many, the same setting twice
 *      with different values, a flag of another command (stray)
 */
int values_from_arguments(struct values *v, int argc, char *const *argv, unsigned groups,
			  struct err *e) __attribute__((warn_unused_result));

/*
 * The setting of these groups whose flag, with _ for -, is a key of a configuration file; SETTINGS:
 * there is none. What a command's flag means, its key does, too.
 */
enum setting values_find_own(const char *key, unsigned groups);

/* The first of these options as it is typed: "--json". */
const char *values_option_name(unsigned options);

/*
 * Fill what is not set yet from the environment (empty variables count as unset), which goes before
 * a file that was read already, then from the configuration file, then from the defaults.
 *   groups  of the settings that the environment is asked for, and whose flags are keys of the file
 *   e  ERR_CONFIG: a DNSBUDDY_... that is no setting, whoever's it may be; two names of one setting
 *      that differ, a _FILE or the configuration file that cannot be read, is too large, is not
 *      JSON, or holds an unknown key
 */
int values_from_environment(struct values *v, unsigned groups, struct err *e)
	__attribute__((warn_unused_result));
int values_from_file(struct values *v, unsigned groups, struct err *e)
	__attribute__((warn_unused_result));
void values_from_defaults(struct values *v);

/* Of the environment only what secrets can be read, whoever's, to be masked. */
void values_take_secrets(struct values *v);

/*
 * Put what an empty text stands for, if for anything, in its place: templates of Containerbuddy's
 * produce it. "DNSBUDDY_OWNER=" from a variable that somebody forgot to set must not mean "all
 * records are ours": an error of values_err_kind().
 */
int values_take_empty(const struct values *v, enum setting s, struct value *value, struct err *e)
	__attribute__((warn_unused_result));

/* What kind of failure a wrong value is: of usage when it was typed. */
enum err_kind values_err_kind(const struct value *value);

/*
 * This variable, "DNSBUDDY_...=...", is of those that Kubernetes or a link of Docker's sets because
 * a service is called dnsbuddy or dnsbuddy-x. No setting may have such a name.
 */
bool values_is_link(const char *pair);

/* A variable of the environment; NULL: unset, or empty. */
const char *values_env(const char *name);

/* What a word of others for a log's level or format is called here; NULL: it makes no sense. */
const char *values_log_word(enum setting s, const char *text);

/* Keep a text, or n bytes, as long as v lives. NULL when CONFIG_TEXT_CAP is used up. */
const char *values_keep(struct values *v, const char *text);
const char *values_keep_n(struct values *v, const char *p, size_t n);

/* The line, from 1, of a value in the JSON that was parsed. */
unsigned values_line(const char *text, int value);

/* Takes a configuration that is JSON; json_parse() was done for text. */
typedef int values_take_fn(void *ctx, const char *text, struct err *e);

/*
 * Read a configuration: its templates are replaced, it is parsed and given to take(). v->file is
 * its name from then on.
 *   config   a path, with or without file://, or with name the JSON itself
 *   name     of what holds the JSON; NULL: config is a path
 *   e        ERR_CONFIG: it cannot be read, is too large, is no JSON object; or what take() said
 */
int values_parse(struct values *v, const char *config, const char *name, values_take_fn *take,
		 void *ctx, struct err *e) __attribute__((warn_unused_result));

/*
 * Read a whole small file into out[0..cap), a pipe to its end too.
 *   v  its wait_ms is how long that may take
 *   e  ERR_CONFIG: cannot be read, does not come, or too large; without its name
 */
int values_read_file(const struct values *v, const char *path, char *out, size_t cap, struct err *e)
	__attribute__((warn_unused_result));

/*
 * "--ttl", "TTL in the environment", "dnsbuddy.json:7"... for messages; in storage of v or out.
 */
const char *values_origin(const struct values *v, const struct value *value, char *out, size_t cap);

#endif
