/*
 * All settings: which there are, under which names each is known, which commands use it, and what
 * it says in `help`. Their rows are in core/job.def and config/program.def.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Settings that are used together. A command checks those of its groups, and no others. */
enum setting_group {
	GROUP_FILE = 1, /* every command's */
	GROUP_RECORDS = 2,
	GROUP_CLOUDFLARE = 4,
	GROUP_CONSUL = 8,
	GROUP_RETRY = 16,
	GROUP_WATCH = 32,
	GROUP_LISTEN = 64,
	GROUP_LOG = 128,
	GROUP_RUN = 256,
	GROUP_DRAIN = 512,    /* how long a stop waits: run's, and the command drain's */
	GROUP_OPERATOR = 1024 /* what the command drain alone takes */
};

enum setting {
/* of one record: these may stand in an entry of "records" in a configuration file */
#define JOB_SETTING(id, ...) SET_##id,
#include "core/job.def"
	SETTINGS_OF_RECORD, /* how many these are */
	SETTING_BEFORE_PROGRAM = SETTINGS_OF_RECORD - 1,
/* of the whole program */
#define SETTING(id, ...) SET_##id,
#include "config/program.def"
	SETTINGS
};

#define SETTING_ENV_MAX 4

/* What is true of a setting besides its texts. */
struct setting_traits {
	unsigned short groups;  /* of enum setting_group: used with any of these */
	unsigned char argument; /* it is this argument too, from 1; 0: none */
	bool is_required : 1;
	bool is_switch : 1;          /* the flag alone means true */
	bool is_guard : 1;           /* empty would open what it guards: an error */
	bool is_secret : 1;          /* env names have a _FILE form; never shown */
	bool is_first_name_best : 1; /* env names may differ: the first goes before the others */
	bool may_hold_password : 1;  /* before an '@': not shown then */
	bool takes_restart : 1;      /* SIGHUP does not take it */
	bool is_words : 1;  /* in a configuration file also a list of texts, kept as they are */
	bool is_native : 1; /* Containerbuddy's configuration says it itself */
	bool is_tag : 1;    /* a service may say it of its records by a tag */
	bool is_common : 1; /* on the first screen of help */
};

struct setting_info {
	const char *flag; /* "--ttl" without the dashes; NULL: none */
	const char *key;  /* in a configuration file; NULL: not there */
	const char
		*env[SETTING_ENV_MAX]; /* the first is preferred; DNSBUDDY_<KEY> if it has none */
	const char *fallback_env;      /* asked when none of these says anything */
	const char *initial;           /* the default as text; NULL: none */
	const char *unset;             /* what says that it is not set, as an empty value does */
	const char *help;              /* a word for what it takes, a blank, what it means */
	struct setting_traits traits;
};

/* Always the same one for s: where it is asked for again, the compiler need not. */
const struct setting_info *setting(enum setting s) __attribute__((const));

#endif
