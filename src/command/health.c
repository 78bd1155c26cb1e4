/*
 * health: ask the watch or run of this container whether it is well. For HEALTHCHECK in an image
 * that holds nothing else: however it was configured, it answers at a local socket that is found by
 * its number, so no setting is read. With --listen it is asked there; and where the system has no
 * such sockets, at --listen as set in any other way.
 */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/str.h"
#include "command/command.h"
#include "net/http/client.h"
#include "net/http/listener.h"

#define WHERE_CAP (URL_SOCKET_MAX + NET_HOST_MAX)
#define HEALTH_MS 2000 /* for all of it */

static struct {
	struct config config;
	struct http_origin origin;
	struct http_client client;
	struct buf body;
	char where[WHERE_CAP]; /* whom we ask, for messages */
	int64_t deadline_ms;
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

/* Where it listens, as a client reaches it: every address is this machine's own, too. */
static int find_listener(const char *listen, struct url *u, struct err *e)
{
	char host[LISTEN_HOST_CAP];
	const char *local = NULL;

	if (!*listen)
		return err_set(e, ERR_RETRY, "no watch or run of this user is here");
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
	(void)json_get_integer(0, "unhealthy", &unhealthy_n);
	if (unhealthy_n > 1)
		return err_set(e, ERR_RETRY, "unhealthy: %lld reasons, the first: %s",
			       (long long)unhealthy_n, reason);
	return err_set(e, ERR_RETRY, "unhealthy: %s", reason);
}

/* A port may be somebody else's: only one of ours says whether it is healthy. */
static int check_answer(struct err *e)
{
	bool is_healthy = false;
	struct err not_json;

	if ((self.status != 200 && self.status != 503) || !buf_ok(&self.body) ||
	    json_parse(self.body.p, self.body.len, &not_json) ||
	    json_boolean(json_get(0, "healthy"), &is_healthy))
		return err_set(e, ERR_PROTO,
			       "what answers at %s is neither watch nor run: status %d", self.where,
			       self.status);
	return is_healthy && self.status == 200 ? 0 : report_reasons(e);
}

static int ask(struct err *e)
{
	const struct http_request request = {.method = "GET", .target = "/health", .headers = ""};
	const struct http_sink sink = {.status = take_status, .body = take_body};

	buf_init(&self.body, self.text, sizeof self.text);
	http_client_init(&self.client, &self.origin, NULL);
	if (http_exchange(&self.client, &request, &sink, self.deadline_ms, e))
		return err_wrap(e, "no answer from watch or run at %s", self.where);
	http_close(&self.client);
	return check_answer(e);
}

/* Whether one of ours is at that address; what else may be there is not even asked. */
static bool is_ours(const struct net_address *a)
{
	int fd = net_open_socket(AF_UNIX, SOCK_STREAM);
	bool is = fd >= 0 && connect(fd, &a->sa.any, a->len) == 0 && listen_is_near(fd, true);

	if (fd >= 0)
		(void)close(fd);
	return is;
}

/* Of several each must be well. Returns how many there are, -1 when one is not. */
static int ask_near(struct err *e)
{
	struct url *u = &self.origin.url;
	int n = 0;

	u->scheme = URL_UNIX;
	memcpy(u->host, "localhost", sizeof "localhost");
	for (unsigned i = 0; i < LISTEN_LOCALS; i++) {
		struct net_address a;

		listen_local_name(u->socket, i);
		net_address_set_unix(&a, u->socket);
		if (!is_ours(&a))
			continue;
		(void)fmt_text(self.where, sizeof self.where, "%s", u->socket);
		if (ask(e))
			return -1;
		n++;
	}
	return n;
}

static int ask_at(const char *listen, struct err *e)
{
	struct url *u = &self.origin.url;

	if (find_listener(listen, u, e))
		return -1;
	(void)fmt_text(self.where, sizeof self.where, "%s port %u", u->host, (unsigned)u->port);
	return ask(e);
}

int command_health(const struct invocation *in)
{
	struct err e = {0};
	int code, near_n = 0;

	self.deadline_ms = clock_now_ms() + HEALTH_MS;
	if (in->values->of[SET_LISTEN].origin != ORIGIN_FLAG)
		near_n = ask_near(&e);
	if (near_n < 0)
		return command_fail(in, &e);
	if (near_n)
		return EXIT_CODE_OK;
	code = command_configure(in, &self.config);
	if (code != EXIT_CODE_OK)
		return code;
	return ask_at(self.config.listen, &e) ? command_fail(in, &e) : EXIT_CODE_OK;
}
