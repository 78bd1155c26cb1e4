/*
 * Everything that was set, checked, in the form that the rest of the program uses. A mistake is
 * found here, before a socket opens.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "config/values.h"
#include "core/job.h"
#include "net/http/url.h"

#define CONFIG_SERVICE_MAX (JOB_TEXT_CAP - 1)
#define CONFIG_KEY_MAX 511

struct config {
	struct options options;
	struct job jobs[CONFIG_RECORDS_MAX]; /* one per record */
	size_t jobs_n;
	int64_t retry_for_ms;
	int64_t timeout_ms;
	int64_t resync_ms;
	int64_t unhealthy_ms;
	bool has_lock;
	char lock_key[CONFIG_KEY_MAX + 1];
	const char *register_as; /* NULL: not */
	const char *listen;      /* NULL: not */
	enum log_format log_format;
	enum log_level log_level;

	/* Cloudflare. The token, or key and e-mail; these three are secrets. */
	struct url cf_url;
	const char *api_token, *api_key, *api_email;
	const char *ca_file; /* from here: NULL when not set */
	const char *https_proxy, *no_proxy;

	/* Consul. token and http_auth are secrets. */
	struct url consul_url;
	const char *consul_token, *consul_http_auth;
	const char *consul_cacert, *consul_client_cert, *consul_client_key;
	const char *consul_server_name;
	bool consul_verify;
};

/*
 * Read everything: arguments (those after the command), environment, file.
 *   v  the values as text: storage that c points into
 *   e  ERR_USAGE: the command line is wrong; ERR_CONFIG: another source is. One line that names
 *      the setting, where its value came from and what would be right; never a secret
 * The secrets are registered with log_add_secret(), also when something else is wrong.
 */
int config_read(struct config *c, struct values *v, int argc, char *const *argv, struct err *e)
	__attribute__((warn_unused_result));

#endif
