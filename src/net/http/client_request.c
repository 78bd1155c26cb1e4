#include <string.h>

#include "base/buf.h"
#include "net/http/client_parts.h"
#include "version.h"

/* Whole lines of "name: value" CR LF: a stray CR or LF would end the head early. */
static bool are_header_lines(const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "\r");

		if (!n || s[n] != '\r' || s[n + 1] != '\n' || !memchr(s, ':', n))
			return false;
		for (size_t i = 0; i < n; i++)
			if (((unsigned char)s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
				return false;
		s += n + 2;
	}
	return true;
}

/* Visible ASCII only: what else there is has to be percent-encoded. */
static bool is_target(const char *s)
{
	if (*s != '/')
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

static bool has_body_by_nature(const char *method)
{
	return !strcmp(method, "POST") || !strcmp(method, "PUT") || !strcmp(method, "PATCH");
}

int http_write_request(struct http_client *c, const struct http_request *r, struct err *e)
{
	const struct url *u = &c->origin->url;
	struct buf b;

	if (!is_target(r->target) || url_has_dots(r->target) || !are_header_lines(r->headers))
		return err_set(e, ERR_CONFIG,
			       "the request's path or headers hold a forbidden character, or a "
			       "part that is . or ..");
	buf_init(&b, c->out, sizeof c->out);
	buf_fmt(&b, "%s %s%s HTTP/1.1\r\nHost: ", r->method, u->path, r->target);
	url_add_authority(&b, u);
	buf_str(&b, "\r\nUser-Agent: dnsbuddy/" DNSBUDDY_VERSION "\r\nAccept: application/json\r\n"
		    "Accept-Encoding: identity\r\n");
	if (r->body_len || has_body_by_nature(r->method))
		buf_fmt(&b, "Content-Length: %zu\r\n", r->body_len);
	buf_str(&b, r->headers);
	buf_str(&b, "\r\n");
	if (!buf_ok(&b))
		return err_set(e, ERR_LIMIT, "the request's head is longer than %d bytes",
			       HTTP_REQUEST_HEAD_MAX);
	c->out_len = b.len;
	c->body = r->body;
	c->body_len = r->body_len;
	c->is_read = !strcmp(r->method, "GET");
	c->is_repeatable = c->is_read || !strcmp(r->method, "PUT") || !strcmp(r->method, "DELETE");
	return 0;
}

int http_write_tunnel(struct http_client *c, struct err *e)
{
	const struct url *u = &c->origin->url;
	char authority[NET_HOST_MAX + 16];
	struct buf name, b;

	/* CONNECT wants the port always (RFC 9110 section 9.3.6). */
	buf_init(&name, authority, sizeof authority);
	buf_fmt(&name, u->is_ip6 ? "[%s]:%u" : "%s:%u", u->host, (unsigned)u->port);
	buf_init(&b, c->in, sizeof c->in);
	buf_fmt(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority, authority);
	buf_str(&b, "User-Agent: dnsbuddy/" DNSBUDDY_VERSION "\r\n");
	if (c->origin->proxy_auth[0])
		buf_fmt(&b, "Proxy-Authorization: %s\r\n", c->origin->proxy_auth);
	buf_str(&b, "\r\n");
	if (!buf_ok(&b) || !buf_ok(&name))
		return err_set(e, ERR_LIMIT, "the request to the proxy is longer than %d bytes",
			       HTTP_RECV_MAX);
	c->tunnel_len = b.len;
	c->sent = 0;
	return 0;
}
