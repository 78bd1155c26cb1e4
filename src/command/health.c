/*
 * health: ask the watch of this container, at the address it listens at, whether it is well. For
 * HEALTHCHECK in an image that holds nothing else; so it asks for no other setting.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "command/command.h"
#include "net/http/client.h"
#include "net/http/listener.h"

#define HEALTH_MS 2000 /* for the whole exchange */

static struct {
	struct config config;
	struct http_origin origin;
	struct http_client client;
	struct buf body;
	int status;
	char text[LISTEN_ANSWER_MAX + 1];
} self;

static int take_status(void *ctx, int status, struct err *e)
{
	(void)ctx;
	(void)e;
	self.status = status;
	return 0;
}

static int take_body(void *ctx, const char *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)e;
	buf_add(&self.body, p, n);
	return 0;
}

/* Where the watch listens, as a client reaches it: every address is this machine's own, too. */
static int find_watch(const char *listen, struct url *u, struct err *e)
{
	char host[LISTEN_HOST_CAP];
	const char *local = NULL;

	if (!*listen)
		return err_set(e, ERR_CONFIG,
			       "DNSBUDDY_LISTEN is not set: give it, or --listen, the "
			       "value that watch has");
	if (listen_parse(listen, host, &u->port, e))
		return -1;
	if (!*host || strcmp(host, "0.0.0.0") == 0)
		local = "127.0.0.1";
	else if (strspn(host, ":0") == strlen(host))
		local = "::1";
	u->scheme = URL_HTTP;
	u->is_ip6 = strchr(local ? local : host, ':') != NULL;
	return str_copy(u->host, sizeof u->host, local ? local : host);
}

/* What the answer says; json_parse() was done. */
static int report_reasons(struct err *e)
{
	char reason[2048] = "it says not why";
	int64_t unhealthy_n = 0;

	(void)json_string(json_first(json_get(0, "reasons")), reason, sizeof reason);
	(void)json_integer(json_get(0, "unhealthy"), &unhealthy_n);
	if (unhealthy_n > 1)
		return err_set(e, ERR_RETRY, "unhealthy: %lld names, the first: %s",
			       (long long)unhealthy_n, reason);
	return err_set(e, ERR_RETRY, "unhealthy: %s", reason);
}

/* A port may be somebody else's: only a watch says whether it is healthy. */
static int check_answer(struct err *e)
{
	bool is_healthy = false;
	struct err not_json;

	if ((self.status != 200 && self.status != 503) || !buf_ok(&self.body) ||
	    json_parse(self.body.p, self.body.len, &not_json) ||
	    json_boolean(json_get(0, "healthy"), &is_healthy))
		return err_set(e, ERR_PROTO, "what answers at %s port %u is no watch: status %d",
			       self.origin.url.host, (unsigned)self.origin.url.port, self.status);
	return is_healthy && self.status == 200 ? 0 : report_reasons(e);
}

static int ask(struct err *e)
{
	const struct http_request request = {.method = "GET", .target = "/health", .headers = ""};
	const struct http_sink sink = {.status = take_status, .body = take_body};

	buf_init(&self.body, self.text, sizeof self.text);
	http_client_init(&self.client, &self.origin, NULL);
	if (http_exchange(&self.client, &request, &sink, clock_now_ms() + HEALTH_MS, e))
		return err_wrap(e, "no answer from watch at %s port %u", self.origin.url.host,
				(unsigned)self.origin.url.port);
	http_close(&self.client);
	return check_answer(e);
}

int command_health(const struct invocation *in)
{
	struct err e = {0};
	int code = command_configure(in, &self.config);

	if (code != EXIT_CODE_OK)
		return code;
	if (find_watch(self.config.listen, &self.origin.url, &e) || ask(&e))
		return command_fail(in, &e);
	return EXIT_CODE_OK;
}
