/*
 * Which proxy an https URL is asked through, as curl reads the environment: https_proxy, else
 * HTTPS_PROXY, else all_proxy or ALL_PROXY, unless no_proxy covers the host. Takes strings; reads
 * no environment itself.
 */
#ifndef NET_HTTP_PROXY_H
#define NET_HTTP_PROXY_H

#include <stdbool.h>

#include "base/err.h"
#include "net/http/url.h"

#define PROXY_AUTH_MAX 512   /* bytes of "Basic ..." */
#define PROXY_SECRET_MAX 360 /* bytes of user:password, decoded */

/* Values of the environment; NULL or "" for unset. */
struct proxy_env {
	const char *https_proxy;
	const char *https_proxy_upper; /* HTTPS_PROXY */
	const char *all_proxy;
	const char *all_proxy_upper;
	const char *no_proxy;
	const char *no_proxy_upper;
};

/* Whether no_proxy's comma or space separated list covers the target. */
bool proxy_is_excluded(const char *no_proxy, const struct url *target);

/*
 * Choose the proxy for target.
 *   has_proxy  set; false for http and unix targets always
 *   proxy      set when there is one
 *   auth       set to "Basic ..." or ""; a secret
 *   e          ERR_CONFIG, naming the variable: not an http:// proxy, no URL, credentials too
 *              long. Never holds the credentials.
 */
int proxy_choose(const struct proxy_env *env, const struct url *target, bool *has_proxy,
		 struct url *proxy, char auth[PROXY_AUTH_MAX], struct err *e)
	__attribute__((warn_unused_result));

#endif
