/*
 * URLs of settings, and the proxy's. Input: scheme, port, then lines: URL, proxy, no_proxy.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/http/proxy.h"
#include "net/http/url.h"

static bool is_same(const struct url *a, const struct url *b)
{
	return a->scheme == b->scheme && !strcmp(a->host, b->host) && a->port == b->port && a->is_ip6 == b->is_ip6 &&
	       !strcmp(a->path, b->path) && !strcmp(a->socket, b->socket);
}

/* What is printed is read as the same. */
static void check_url(const struct url *u)
{
	char text[NET_HOST_MAX + URL_PATH_MAX + URL_SOCKET_MAX + 32];
	size_t path_len = strlen(u->path);
	struct err e = {0};
	struct url again;
	struct buf b;

	MUST(!path_len || (u->path[0] == '/' && u->path[path_len - 1] != '/'));
	MUST(u->host[0] && (u->scheme == URL_UNIX) == !u->port);
	buf_init(&b, text, sizeof text);
	url_add_origin(&b, u);
	buf_str(&b, u->path);
	MUST(buf_ok(&b));
	MUST(url_parse(&again, text, URL_UNIX, 0, &e) == 0);
	MUST(is_same(u, &again));
	if (u->scheme != URL_UNIX)
		MUST(proxy_is_excluded(u->host, u) && proxy_is_excluded("x, *", u));
}

/* An error must not tell the credentials: looked for when they hold a byte that no message has. */
static void check_secret(const char *proxy, const struct err *e)
{
	const char *start = strstr(proxy, "://"), *at = strrchr(proxy, '@');
	char secret[64];
	size_t n;

	start = start ? start + 3 : proxy;
	if (!at || at < start || strcspn(start, "/?#") < (size_t)(at - start))
		return;
	n = (size_t)(at - start);
	if (n < 8 || n >= sizeof secret)
		return;
	memcpy(secret, start, n);
	secret[n] = '\0';
	if (strpbrk(secret, "~$%{}"))
		MUST(!strstr(e->text, secret));
}

static void check_proxy(const char *proxy, const char *no_proxy, const struct url *target)
{
	struct proxy_setting setting = {proxy, "all_proxy", no_proxy};
	char auth[PROXY_AUTH_MAX];
	bool has_proxy = true, is_wanted;
	struct err e = {0};
	struct url u;

	memset(auth, 'x', sizeof auth);
	/* This host is never asked for by a proxy. */
	is_wanted = target->scheme == URL_HTTPS && *proxy && !proxy_is_excluded(no_proxy, target) &&
		    !proxy_is_excluded("127.0.0.0/8,::1/128,::ffff:127.0.0.0/104,localhost", target);
	if (proxy_choose(&setting, target, &has_proxy, &u, auth, &e)) {
		MUST(is_wanted && !auth[0] && e.kind == ERR_CONFIG);
		fuzz_check_err(&e);
		check_secret(proxy, &e);
		return;
	}
	MUST(has_proxy == is_wanted && memchr(auth, '\0', sizeof auth));
	MUST(!auth[0] || (has_proxy && strncmp(auth, "Basic ", 6) == 0));
	MUST(strspn(auth, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= ") == strlen(auth));
	if (has_proxy) {
		MUST(u.scheme == URL_HTTP && !u.path[0]);
		check_url(&u);
	}
}

int fuzz_url(const uint8_t *p, size_t n)
{
	static const struct url api = {.scheme = URL_HTTPS, .host = "api.cloudflare.com", .port = 443};
	struct fuzz_input in = {p, n};
	enum url_scheme scheme = (enum url_scheme)(fuzz_take(&in) % 3);
	uint16_t port = (uint16_t)(fuzz_take(&in) * 100);
	char *text = fuzz_string(fuzz_take_until(&in, '\n'));
	char *proxy = fuzz_string(fuzz_take_until(&in, '\n'));
	char *no_proxy = fuzz_string(fuzz_take_until(&in, '\n'));
	struct url u, untouched;
	struct err e = {0};

	memset(&u, 0x55, sizeof u);
	untouched = u;
	if (url_parse(&u, text, scheme, port, &e)) {
		MUST(e.kind == ERR_CONFIG && memcmp(&u, &untouched, sizeof u) == 0);
		fuzz_check_err(&e);
		u = api;
	} else {
		check_url(&u);
	}
	check_proxy(proxy, no_proxy, &u);
	check_proxy(proxy, no_proxy, &api);
	check_proxy(text, "", &api);
	free(no_proxy);
	free(proxy);
	free(text);
	return 0;
}
