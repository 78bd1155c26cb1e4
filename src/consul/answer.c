#include "consul/answer.h"

#include <string.h>

#include "base/str.h"

#define REASON_MAX 160 /* bytes of an error's body that are reported */

static int take_status(void *ctx, int status, struct err *e)
{
	struct consul_answer *a = ctx;

	(void)e;
	a->status = status;
	return 0;
}

static int take_header(void *ctx, const char *name, const char *value, struct err *e)
{
	struct consul_answer *a = ctx;

	(void)e;
	if (str_eq_nocase(name, "X-Consul-Index") && str_u64(value, UINT64_MAX, &a->index))
		a->index = 0;
	return 0;
}

static int take_body(void *ctx, const char *p, size_t n, struct err *e)
{
	struct consul_answer *a = ctx;

	if (n > CONSUL_BODY_MAX - a->len)
		return err_set(e, ERR_LIMIT, "more than %d bytes", CONSUL_BODY_MAX);
	memcpy(a->body + a->len, p, n);
	a->len += n;
	a->body[a->len] = '\0';
	return 0;
}

struct http_sink consul_answer_begin(struct consul_answer *a)
{
	a->status = 0;
	a->index = 0;
	a->len = 0;
	a->body[0] = '\0';
	return (struct http_sink){
		.ctx = a,
		.status = take_status,
		.header = take_header,
		.body = take_body,
	};
}

enum err_kind consul_status_kind(int status)
{
	if (status == 401 || status == 403)
		return ERR_AUTH;
	return status == 429 || status >= 500 ? ERR_RETRY : ERR_REFUSED;
}

int consul_answer_finish(const struct consul_answer *a, struct err *e)
{
	if (a->status / 100 == 2)
		return 0;
	return err_set(e, consul_status_kind(a->status), "HTTP %d: %.*s", a->status, REASON_MAX,
		       a->body);
}
