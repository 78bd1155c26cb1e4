#include "consul/client.h"

void consul_client_init(struct consul_client *c, const struct http_origin *origin,
			struct tls_storage *tls, const char *headers)
{
	c->headers = headers;
	http_client_init(&c->http, origin, tls);
}

void consul_client_prepare(struct consul_client *c)
{
	buf_init(&c->target, c->target_text, sizeof c->target_text);
	buf_init(&c->body, c->body_text, sizeof c->body_text);
}

int consul_client_start(struct consul_client *c, const char *method, int64_t deadline_ms,
			struct err *e)
{
	struct http_sink sink = consul_answer_begin(&c->answer);
	struct http_request request = {
		.method = method,
		.target = c->target.p,
		.headers = c->headers,
		.body = c->body.len ? c->body.p : NULL,
		.body_len = c->body.len,
	};

	if (!buf_ok(&c->target) || !buf_ok(&c->body))
		return err_set(e, ERR_LIMIT, "the request is too long");
	return http_start(&c->http, &request, &sink, deadline_ms, e);
}

enum http_result consul_client_step(struct consul_client *c, struct err *e)
{
	return http_step(&c->http, e);
}

bool consul_client_is_busy(const struct consul_client *c)
{
	return http_is_busy(&c->http);
}

void consul_client_wants(const struct consul_client *c, struct loop_wait *w)
{
	http_wants(&c->http, w);
}
