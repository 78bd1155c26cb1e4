#include "net/http/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those it needs */
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"

struct http_client client;
struct http_origin origin;
static struct tls_storage storage;
struct err e;

/* What the sink was given. */
int status;
char body_text[65536];
static struct buf body;

static int on_status(void *ctx, int s, struct err *err)
{
	(void)ctx;
	(void)err;
	status = s;
	return 0;
}

static int on_body(void *ctx, const char *p, size_t n, struct err *err)
{
	(void)err;
	(void)ctx;
	buf_add(&body, p, n);
	return 0;
}

const struct http_sink sink = {.status = on_status, .body = on_body};

void use(const char *url)
{
	memset(&origin, 0, sizeof origin);
	assert_int_equal(url_parse(&origin.url, url, URL_HTTP, 0, &e), 0);
	http_client_init(&client, &origin, &storage);
}

void use_peer(struct peer *p, const struct peer_step *steps)
{
	char url[64];

	peer_start(p, NULL, steps);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/pre", (unsigned)p->port);
	use(url);
}

int ask_within(const char *method, const char *request_body, int64_t ms)
{
	const struct http_request r = {
		.method = method,
		.target = "/x",
		.headers = "X-Test: y\r\n",
		.body = request_body,
		.body_len = request_body ? strlen(request_body) : 0,
	};

	status = 0;
	memset(&e, 0, sizeof e);
	buf_init(&body, body_text, sizeof body_text);
	return http_exchange(&client, &r, &sink, clock_now_ms() + ms, &e);
}

int ask(const char *method)
{
	return ask_within(method, NULL, LONG_MS);
}

void assert_failed(int result, enum err_kind kind, const char *part)
{
	if (result != -1 || e.kind != kind || !strstr(e.text, part))
		fail_msg("%d %s: %s; wanted %s: %s", result, err_kind_name(e.kind), e.text, err_kind_name(kind), part);
	assert_int_equal(client.stream.fd, -1);
	assert_false(http_is_busy(&client));
}

void end(struct peer *p)
{
	http_close(&client);
	peer_end(p);
}
