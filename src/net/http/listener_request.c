#include "net/http/listener_request.h"

#include <string.h>

#include "base/str.h"
#include "net/address.h"
#include "net/http/head.h"

#define HOST_CAP 512 /* bytes of a Host; a longer one is nobody's */

/* A piece of the text: not NUL-terminated. */
struct span {
	char *p;
	size_t len;
};

static enum request_result bad(struct request *r, int status)
{
	r->status = status;
	return REQUEST_BAD;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool equals(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

/*
 * Look for the empty line; *end is set behind it on DONE. No control byte but tab may be there,
 * and CR and LF only as a pair: so a TLS hello or a line by hand fails at once, not by time-out.
 */
static enum request_result find_end(const char *text, size_t len, size_t *end, size_t *lines_n)
{
	size_t line = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool after_cr = i > line && text[i - 1] == '\r';

		if (after_cr != (c == '\n') || c == 0x7f || (c < ' ' && !strchr("\t\r\n", c)) || !c)
			return REQUEST_BAD;
		if (c != '\n')
			continue;
		if (i - line == 1) {
			*end = i + 1;
			return REQUEST_DONE;
		}
		line = i + 1;
		(*lines_n)++;
	}
	return REQUEST_MORE;
}

/* Cut the next piece off *rest, up to the separator, which is dropped; all of it without one. */
static struct span cut(struct span *rest, const char *separator)
{
	struct span piece = *rest;
	size_t n = strlen(separator);

	for (size_t i = 0; i + n <= rest->len; i++) {
		if (memcmp(rest->p + i, separator, n) != 0)
			continue;
		piece.len = i;
		rest->p += i + n;
		rest->len -= i + n;
		return piece;
	}
	rest->p += rest->len;
	rest->len = 0;
	return piece;
}

/* hosts_n is raised by every Host, which is host then. -1 when a line is no field. */
static int read_fields(struct span rest, size_t *hosts_n, struct span *host)
{
	while (rest.len) {
		struct span line = cut(&rest, "\r\n"), name;

		if (!memchr(line.p, ':', line.len))
			return -1;
		name = cut(&line, ":");
		/* White space in front of a line would go on with the one before: obsolete. */
		if (!head_is_token(name.p, name.len))
			return -1;
		if (name.len != 4 || !str_starts_nocase(name.p, "host"))
			continue;
		(*hosts_n)++;
		*host = line;
	}
	return 0;
}

/* The status to refuse the version with; 0: none. */
static int check_version(struct span v, size_t hosts_n)
{
	if (v.len != 8 || memcmp(v.p, "HTTP/", 5) != 0 || !is_digit(v.p[5]) || v.p[6] != '.' ||
	    !is_digit(v.p[7]))
		return 400;
	if (v.p[5] != '1')
		return 505;
	return hosts_n > 1 || (!hosts_n && v.p[7] != '0') ? 400 : 0;
}

/*
 * Path and query of a target: "/x?y", or, as for a proxy, "http://host/x?y". -1: neither. The byte
 * behind each is a separator that was cut off.
 */
static int read_target(struct span target, struct request *r, struct span *host)
{
	static char root[] = "/";
	struct span path = cut(&target, "?");

	if (path.len > 7 && str_starts_nocase(path.p, "http://")) {
		path.p += 7;
		path.len -= 7;
		*host = cut(&path, "/"); /* goes before the field (RFC 9112 section 3.2.2) */
		if (!host->len)
			return -1;
		/* The slash that was dropped is still in front of what is left. */
		path.p--;
		path.len++;
		if (*path.p != '/')
			path = (struct span){root, 1};
	}
	if (!path.len || path.p[0] != '/')
		return -1;
	path.p[path.len] = target.p[target.len] = '\0';
	r->path = path.p;
	r->query = target.p;
	return 0;
}

enum request_result request_read(char *text, size_t len, struct request *r)
{
	struct span rest = {.p = text}, line, method, target, host = {.p = text};
	size_t lines_n = 0, hosts_n = 0;
	enum request_result found = find_end(text, len, &rest.len, &lines_n);
	int status;

	r->is_head = false;
	if (found == REQUEST_BAD)
		return bad(r, 400);
	if (found == REQUEST_MORE)
		return len < REQUEST_MAX ? REQUEST_MORE : bad(r, lines_n ? 431 : 414);
	rest.len -= 2; /* the empty line */
	line = cut(&rest, "\r\n");
	method = cut(&line, " ");
	target = cut(&line, " ");
	r->is_head = equals(method, "HEAD");
	if (!head_is_token(method.p, method.len) || !target.len ||
	    memchr(target.p, '\t', target.len) || read_fields(rest, &hosts_n, &host))
		return bad(r, 400);
	status = check_version(line, hosts_n);
	if (status)
		return bad(r, status);
	if (!r->is_head && !equals(method, "GET"))
		return bad(r, 405);
	if (read_target(target, r, &host))
		return bad(r, 400);
	r->host = host.p;
	r->host_len = host.len;
	return REQUEST_DONE;
}

/* ---- whom it is for ---- */

static bool is_listed(const char *names, const char *host)
{
	size_t len = strlen(host);

	while (*(names += strspn(names, ", "))) {
		size_t n = strcspn(names, ", ");

		if (str_starts_nocase(names, host) &&
		    (n == len || (n == len + 1 && names[len] == '.')))
			return true;
		names += n;
	}
	return false;
}

/* "host", "host:port", "[address]:port": the port, digits alone, is cut off. False: neither. */
static bool cut_port(char *text)
{
	char *end = strrchr(text, ']'), *port = strchr(end ? end : text, ':');

	if (!port)
		return true;
	*port++ = '\0';
	return !port[strspn(port, "0123456789")];
}

bool request_is_for_us(const struct request *r, const char *names)
{
	enum net_family family;
	unsigned char bytes[16];
	char text[HOST_CAP], *host, *end;

	if (str_copy_n(text, sizeof text, r->host, r->host_len))
		return false;
	host = str_trim(text);
	if (!*host)
		return true;
	if (!cut_port(host) || !*host)
		return false;
	end = host + strlen(host) - 1;
	if (*end == '.' || (*host == '[' && *end == ']'))
		*end = '\0';
	if (net_read_address(host + (*host == '['), &family, bytes) == 0)
		return (family == NET_IP6) == (*host == '[');
	return (head_is_token(host, strlen(host)) && !strchr(host, '.')) || is_listed(names, host);
}
