/*
 * Which proxy an https URL is asked through: the one that is set, unless no_proxy covers the host,
 * as curl has it, or the host is this machine's own: at the proxy loopback is another one. Takes
 * strings; reads no environment itself.
 */
#ifndef NET_HTTP_PROXY_H
#define NET_HTTP_PROXY_H

#include <stdbool.h>

#include "base/err.h"
#include "net/http/url.h"

#define PROXY_AUTH_MAX 512   /* bytes of "Basic ..." */
#define PROXY_SECRET_MAX 360 /* bytes of user:password, decoded */

struct proxy_setting {
	const char *proxy;    /* "": none */
	const char *name;     /* what set it, for messages */
	const char *no_proxy; /* "": none */
};

/* Whether no_proxy's comma or space separated list covers the target. */
bool proxy_is_excluded(const char *no_proxy, const struct url *target);

/*
 * Choose the proxy for target.
 *   has_proxy  set; false for http and unix targets always
 *   proxy      set when there is one
 *   auth       set to "Basic ..." or ""; a secret
 *   e          ERR_CONFIG, naming what set it: not an http:// proxy, no URL, credentials too
 *              long. Never holds the credentials.
 */
int proxy_choose(const struct proxy_setting *setting, const struct url *target, bool *has_proxy,
		 struct url *proxy, char auth[PROXY_AUTH_MAX], struct err *e)
	__attribute__((warn_unused_result));

#endif
