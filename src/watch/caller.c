#include "watch/caller.h"

void caller_init(struct caller *c, const struct http_origin *origin, struct tls_storage *tls,
		 const char *headers)
{
	c->headers = headers;
	http_client_init(&c->client, origin, tls);
}

void caller_prepare(struct caller *c)
{
	buf_init(&c->target, c->target_text, sizeof c->target_text);
	buf_init(&c->body, c->body_text, sizeof c->body_text);
}

int caller_start(struct caller *c, const char *method, int64_t deadline_ms, struct err *e)
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
	return http_start(&c->client, &request, &sink, deadline_ms, e);
}

enum http_result caller_step(struct caller *c, struct err *e)
{
	return http_step(&c->client, e);
}

bool caller_is_busy(const struct caller *c)
{
	return http_is_busy(&c->client);
}

void caller_wants(const struct caller *c, struct pollfd *pfd, int64_t *wake_ms)
{
	http_wants(&c->client, pfd, wake_ms);
}
