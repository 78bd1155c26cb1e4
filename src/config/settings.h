/*
 * The table of settings: under which names each is known, and what it says in `help`. The one
 * place to add a setting; what a value means is in check.c.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

enum setting {
	/* of one record: these may stand in an entry of "records" in a configuration file */
	SET_SERVICE,
	SET_RECORD,
	SET_TTL,
	SET_ZONE,
	SET_ZONE_ID,
	SET_PROXIED,
	SET_OWNER,
	SET_ON_EMPTY,
	SET_MIN_RECORDS,
	SET_TAG,
	SET_ADDRESS,
	SET_INCLUDE_WARNING,
	SET_GRACE,
	SET_ON_DROP,
	SET_DATACENTER,
	SET_NAMESPACE,
	SET_PARTITION,
	SETTINGS_OF_RECORD, /* how many these are */

	/* of the whole program */
	SET_API_TOKEN = SETTINGS_OF_RECORD,
	SET_API_KEY,
	SET_API_EMAIL,
	SET_CF_API_URL,
	SET_CA_FILE,
	SET_CONSUL,
	SET_CONSUL_TOKEN,
	SET_CONSUL_AUTH,
	SET_CONSUL_SSL,
	SET_CONSUL_SSL_VERIFY,
	SET_CONSUL_CACERT,
	SET_CONSUL_CLIENT_CERT,
	SET_CONSUL_CLIENT_KEY,
	SET_CONSUL_SERVER_NAME,
	SET_HTTPS_PROXY,
	SET_NO_PROXY,
	SET_RESYNC,
	SET_LOCK,
	SET_REGISTER_AS,
	SET_UNHEALTHY_AFTER,
	SET_LISTEN,
	SET_RETRY_FOR,
	SET_TIMEOUT,
	SET_LOG_FORMAT,
	SET_LOG_LEVEL,
	SET_CONFIG,
	SETTINGS
};

#define SETTING_ENV_MAX 4

struct setting_info {
	const char *flag;                 /* "--ttl" without the dashes; NULL: none */
	const char *key;                  /* in a configuration file; NULL: not there */
	const char *env[SETTING_ENV_MAX]; /* the first is preferred */
	const char *fallback_env;         /* asked when nothing else says anything */
	const char *initial;              /* the default as text; NULL: none */
	const char *help;                 /* what it takes and means; NULL: not listed */
	bool is_switch;                   /* the flag alone means true */
	bool is_guard;                    /* empty would open what it guards: an error */
	bool is_secret;                   /* env names have a _FILE form; never shown */
};

extern const struct setting_info settings[SETTINGS];

#endif
