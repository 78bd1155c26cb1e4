#include "net/http/url.h"

#include <string.h>

#include "base/addr.h"
#include "base/str.h"

_Static_assert(URL_SOCKET_MAX < sizeof((struct sockaddr_un *)0)->sun_path, "every path fits");

static int take_scheme(struct url *u, const char **text, struct err *e)
{
	static const struct {
		char prefix[9];
		enum url_scheme scheme;
	} known[] = {{"http://", URL_HTTP}, {"https://", URL_HTTPS}, {"unix://", URL_UNIX}};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (str_starts_nocase(*text, known[i].prefix)) {
			u->scheme = known[i].scheme;
			*text += strlen(known[i].prefix);
			return 0;
		}
	}
	if (str_find(*text, "://"))
		return err_set(e, ERR_CONFIG, "unknown scheme (http, https and unix are known)");
	return 0;
}

/* An empty label, a label past 63 bytes or a byte that no host name has; one dot may end it. */
static bool is_host_name(const char *s)
{
	size_t label = 0;

	for (; *s; s++) {
		if (*s == '.') {
			if (!label)
				return false;
			label = 0;
		} else if (str_is_alnum(*s) || *s == '_' || (*s == '-' && label)) {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return true;
}

/*
 * A last label that starts with a digit and holds nothing but digits or 0x...: resolvers read
 * such names as numbers in their own ways ("127.1", "0x7f000001"), so only a dotted quad is let
 * through, without a dot at the end.
 */
static bool is_numeric(const char *host)
{
	const char *end = host + strlen(host), *label;

	if (end > host && end[-1] == '.')
		end--;
	for (label = end; label > host && label[-1] != '.'; label--)
		;
	if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
		return true;
	return label < end && strspn(label, "0123456789") == (size_t)(end - label);
}

static int take_ip6(struct url *u, const char *p, size_t n, struct err *e)
{
	unsigned char a[16];

	if (str_copy_n(u->host, sizeof u->host, p, n) || addr_parse(u->host, a) != 16)
		return err_set(e, ERR_CONFIG, "not an IPv6 address between the brackets");
	u->is_ip6 = true;
	return 0;
}

static int take_name(struct url *u, const char *p, size_t n, struct err *e)
{
	unsigned char a[16];

	if (!n)
		return err_set(e, ERR_CONFIG, "the host is empty");
	if (str_copy_n(u->host, sizeof u->host, p, n))
		return err_set(e, ERR_CONFIG, "the host is longer than %d bytes", NET_HOST_MAX);
	if (!is_host_name(u->host))
		return err_set(e, ERR_CONFIG, "not a host name");
	if (is_numeric(u->host) && addr_parse(u->host, a) != 4)
		return err_set(e, ERR_CONFIG, "not an IPv4 address");
	return 0;
}

static int take_port(struct url *u, const char *p, size_t n, struct err *e)
{
	char digits[6];
	uint64_t port;

	if (str_copy_n(digits, sizeof digits, p, n) || str_u64(digits, 65535, &port) || !port)
		return err_set(e, ERR_CONFIG, "the port is not a number from 1 to 65535");
	u->port = (uint16_t)port;
	return 0;
}

/* "host", "host:port", "[v6]", "[v6]:port" in p[0..n). */
static int take_authority(struct url *u, const char *p, size_t n, struct err *e)
{
	const char *end = p + n;
	const char *host_end;

	if (memchr(p, '@', n))
		return err_set(e, ERR_CONFIG, "user and password do not belong into this URL");
	if (n && *p == '[') {
		host_end = memchr(p, ']', n);
		if (!host_end)
			return err_set(e, ERR_CONFIG, "no ] after the IPv6 address");
		if (take_ip6(u, p + 1, (size_t)(host_end - p) - 1, e))
			return -1;
		host_end++;
	} else {
		host_end = memchr(p, ':', n);
		if (!host_end)
			host_end = end;
		else if (memchr(host_end + 1, ':', (size_t)(end - host_end) - 1))
			return err_set(e, ERR_CONFIG,
				       "an IPv6 address needs brackets, as in [::1]:8500");
		if (take_name(u, p, (size_t)(host_end - p), e))
			return -1;
	}
	str_lower(u->host);
	if (host_end == end)
		return 0;
	if (*host_end != ':')
		return err_set(e, ERR_CONFIG, "something other than :port after the host");
	return take_port(u, host_end + 1, (size_t)(end - host_end) - 1, e);
}

bool url_has_dots(const char *path)
{
	size_t len = 0, dots = 0;

	for (const char *p = path;; p++) {
		char c = *p;

		if (str_starts_nocase(p, "%2e") || str_starts_nocase(p, "%2f")) {
			c = p[2] == 'e' || p[2] == 'E' ? '.' : '/';
			p += 2;
		}
		if (c && c != '?' && c != '/') {
			len++;
			dots += c == '.';
			continue;
		}
		if (len && len == dots && len <= 2)
			return true;
		if (c != '/')
			return false;
		len = dots = 0;
	}
}

static bool is_path_char(const char *p)
{
	if (*p == '%')
		return str_hex_byte(p + 1) >= 0;
	return str_is_alnum(*p) || strchr("/-._~!$&'()*+,;=:@", *p);
}

static int take_path(struct url *u, const char *p, struct err *e)
{
	size_t n = strlen(p);

	while (n && p[n - 1] == '/')
		n--;
	if (memchr(p, '?', n) || memchr(p, '#', n))
		return err_set(e, ERR_CONFIG, "a query or fragment does not belong into this URL");
	if (str_copy_n(u->path, sizeof u->path, p, n))
		return err_set(e, ERR_CONFIG, "the path is longer than %d bytes", URL_PATH_MAX);
	for (p = u->path; *p; p++)
		if (!is_path_char(p))
			return err_set(e, ERR_CONFIG,
				       "a character in the path has to be percent-encoded");
	if (url_has_dots(u->path))
		return err_set(e, ERR_CONFIG, "a part of the path is . or ..");
	return 0;
}

static int take_socket(struct url *u, const char *path, struct err *e)
{
	if (*path != '/')
		return err_set(e, ERR_CONFIG,
			       "unix:// wants an absolute path, as in unix:///run/x");
	if (str_copy(u->socket, sizeof u->socket, path))
		return err_set(e, ERR_CONFIG, "the path of the socket is longer than %d bytes",
			       URL_SOCKET_MAX);
	memcpy(u->host, "localhost", sizeof "localhost");
	u->port = 0;
	return 0;
}

int url_parse(struct url *u, const char *text, enum url_scheme scheme, uint16_t port, struct err *e)
{
	struct url new = {.scheme = scheme};
	size_t n;

	if (!*text)
		return err_set(e, ERR_CONFIG, "empty");
	if (str_has_control(text))
		return err_set(e, ERR_CONFIG, "holds a control character");
	if (take_scheme(&new, &text, e))
		return -1;
	if (new.scheme == URL_UNIX) {
		if (take_socket(&new, text, e))
			return -1;
		*u = new;
		return 0;
	}
	new.port = port ? port : new.scheme == URL_HTTPS ? 443 : 80;
	n = strcspn(text, "/?#");
	if (take_authority(&new, text, n, e) || take_path(&new, text + n, e))
		return -1;
	*u = new;
	return 0;
}

static bool has_default_port(const struct url *u)
{
	switch (u->scheme) {
	case URL_HTTP: return u->port == 80;
	case URL_HTTPS: return u->port == 443;
	case URL_UNIX: break;
	}
	return true;
}

void url_add_authority(struct buf *b, const struct url *u)
{
	buf_fmt(b, u->is_ip6 ? "[%s]" : "%s", u->host);
	if (!has_default_port(u))
		buf_fmt(b, ":%u", (unsigned)u->port);
}

void url_add_origin(struct buf *b, const struct url *u)
{
	if (u->scheme == URL_UNIX) {
		buf_fmt(b, "unix://%s", u->socket);
		return;
	}
	buf_str(b, u->scheme == URL_HTTPS ? "https://" : "http://");
	url_add_authority(b, u);
}
