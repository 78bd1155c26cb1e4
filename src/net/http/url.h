/*
 * A URL as settings give it: http, https or unix; host, port, path prefix. RFC 3986 as far as
 * it is needed; user information, query and fragment are refused.
 */
#ifndef NET_HTTP_URL_H
#define NET_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/address.h"

#define URL_PATH_MAX 255   /* bytes of a path prefix */
#define URL_SOCKET_MAX 107 /* bytes of a unix socket's path: sockaddr_un.sun_path less the NUL */

enum url_scheme { URL_HTTP, URL_HTTPS, URL_UNIX };

struct url {
	enum url_scheme scheme;
	char host[NET_HOST_MAX + 1]; /* lower case, no brackets; "localhost" with unix */
	uint16_t port;               /* 0 with unix */
	bool is_ip6;                 /* host is an IPv6 address and wants brackets in a URL */
	char path[URL_PATH_MAX + 1]; /* "" or "/a/b": no slash at the end; already encoded */
	char socket[URL_SOCKET_MAX + 1];
};

/*
 * Read text into *u.
 *   scheme  taken when text has none ("host:port", "host", "[::1]:8500")
 *   port    taken when text has none; 0: the scheme's own, 80 or 443
 *   e       ERR_CONFIG: what is wrong with the text (control bytes, empty host, port out of
 *           range, unknown scheme, user information, query, fragment...)
 * Returns 0, or -1 with *u untouched.
 */
int url_parse(struct url *u, const char *text, enum url_scheme scheme, uint16_t port, struct err *e)
	__attribute__((warn_unused_result));

/*
 * Whether a part of the path is "." or "..": servers leave it out, and more, wherever it came from.
 * They decode first, so %2e and %2f count as what they stand for. A query is not looked at.
 */
bool url_has_dots(const char *path);

/* Append "host", "host:port" or "[host]:port": the Host field, without a default port. */
void url_add_authority(struct buf *b, const struct url *u);

/* Append the URL without its path, for messages. */
void url_add_origin(struct buf *b, const struct url *u);

#endif
