#include "net/http/proxy.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "net/address.h"

/* "host", "host:port", "[v6]", "[v6]:port", "v6" -> host and port (0: any). */
static bool split_entry(char *entry, const char **host, uint64_t *port)
{
	char *colon = strrchr(entry, ':');
	char *bracket = strrchr(entry, ']');

	*port = 0;
	*host = entry;
	if (entry[0] == '[' && bracket) {
		if (bracket[1] == ':' && str_u64(bracket + 2, 65535, port))
			return false;
		*bracket = '\0';
		*host = entry + 1;
		return true;
	}
	if (!colon || strchr(entry, ':') != colon)
		return true; /* none, or an IPv6 address without brackets */
	*colon = '\0';
	return !str_u64(colon + 1, 65535, port);
}

struct address {
	enum net_family family;
	unsigned char bytes[16];
};

/* Whether a is in "10.0.0.0" "8" or "fd00::" "8"; is "10.0.0.1", when bits is NULL. */
static bool is_in_network(const char *network, const char *bits, const struct address *a)
{
	struct address n;
	uint64_t equal_n;

	if (net_read_address(network, &n.family, n.bytes) || n.family != a->family)
		return false;
	equal_n = 8 * net_family_bytes(n.family);
	if (bits && str_u64(bits, equal_n, &equal_n))
		return false;
	for (uint64_t i = 0; i < equal_n; i++)
		if ((n.bytes[i / 8] ^ a->bytes[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* The host itself, or a name below it; a dot at either end of either means nothing. */
static bool is_below(char *suffix, const char *host)
{
	size_t suffix_len, host_len = strlen(host);

	if (*suffix == '.')
		suffix++;
	suffix_len = strlen(suffix);
	if (suffix_len && suffix[suffix_len - 1] == '.')
		suffix[--suffix_len] = '\0';
	if (!suffix_len || suffix_len > host_len || !str_ends_nocase(host, suffix))
		return false;
	return suffix_len == host_len || host[host_len - suffix_len - 1] == '.';
}

static bool entry_covers(char *entry, const struct url *target)
{
	char host_copy[NET_HOST_MAX + 1], *slash = strchr(entry, '/');
	size_t n = strlen(target->host);
	const char *host = entry;
	struct address a;
	uint64_t port;

	memcpy(host_copy, target->host, n + 1);
	if (n && host_copy[n - 1] == '.')
		host_copy[n - 1] = '\0';
	if (slash)
		*slash++ = '\0';
	else if (!split_entry(entry, &host, &port) || (port && port != target->port))
		return false;
	if (!net_read_address(host_copy, &a.family, a.bytes))
		return is_in_network(host, slash, &a);
	return !slash && is_below(entry, host_copy);
}

bool proxy_is_excluded(const char *no_proxy, const struct url *target)
{
	while (*no_proxy) {
		char entry[NET_HOST_MAX + 16];
		size_t n;

		no_proxy += strspn(no_proxy, ", \t");
		n = strcspn(no_proxy, ", \t");
		if (n == 1 && *no_proxy == '*')
			return true;
		/* An entry longer than any host covers none. */
		if (n && !str_copy_n(entry, sizeof entry, no_proxy, n) &&
		    entry_covers(entry, target))
			return true;
		no_proxy += n;
	}
	return false;
}

/* Percent-decode p[0..n). Returns -1 when it does not fit or is no proper encoding. */
static int decode(const char *p, size_t n, char *out, size_t cap, size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)p[i];

		if (c == '%') {
			c = n - i < 3 ? -1 : str_hex_byte(p + i + 1);
			i += 2;
		}
		if (*len == cap || c < 0x20 || c == 0x7f)
			return -1;
		out[(*len)++] = (char)c;
	}
	return 0;
}

/* "user:password" or "user", percent-encoded, to "Basic ...". */
static int set_auth(char auth[PROXY_AUTH_MAX], const char *p, size_t n, struct err *e)
{
	char secret[PROXY_SECRET_MAX];
	struct buf b;
	size_t len;

	if (decode(p, n, secret, sizeof secret - 1, &len))
		return err_set(e, ERR_CONFIG,
			       "user and password are too long or not percent-encoded");
	if (!memchr(p, ':', n))
		secret[len++] = ':';
	buf_init(&b, auth, PROXY_AUTH_MAX);
	buf_str(&b, "Basic ");
	buf_base64(&b, secret, len);
	explicit_bzero(secret, sizeof secret);
	return 0;
}

static int read_proxy(const char *text, struct url *proxy, char auth[PROXY_AUTH_MAX], struct err *e)
{
	char rest[NET_HOST_MAX + 64];
	const char *authority = str_find(text, "://");
	const char *at = NULL;
	size_t n;

	if (str_has_control(text))
		return err_set(e, ERR_CONFIG, "holds a control character");
	if (authority && !str_starts_nocase(text, "http://"))
		return err_set(e, ERR_CONFIG,
			       "only http:// proxies are supported, not https or socks");
	authority = authority ? authority + 3 : text;
	n = strcspn(authority, "/?#");
	for (const char *p = authority; p < authority + n; p++)
		if (*p == '@')
			at = p;
	if (at) {
		if (set_auth(auth, authority, (size_t)(at - authority), e))
			return -1;
		n -= (size_t)(at - authority) + 1;
		authority = at + 1;
	}
	if (str_copy_n(rest, sizeof rest, authority, n))
		return err_set(e, ERR_CONFIG, "the host is too long");
	return url_parse(proxy, rest, URL_HTTP, 1080, e);
}

int proxy_choose(const struct proxy_setting *setting, const struct url *target, bool *has_proxy,
		 struct url *proxy, char auth[PROXY_AUTH_MAX], struct err *e)
{
	static const char own[] = "127.0.0.0/8,::1/128,::ffff:127.0.0.0/104,localhost";

	*has_proxy = false;
	auth[0] = '\0';
	if (target->scheme != URL_HTTPS || !setting->proxy[0] || proxy_is_excluded(own, target) ||
	    proxy_is_excluded(setting->no_proxy, target))
		return 0;
	if (read_proxy(setting->proxy, proxy, auth, e)) {
		auth[0] = '\0';
		return err_wrap(e, "%s", setting->name);
	}
	*has_proxy = true;
	return 0;
}
