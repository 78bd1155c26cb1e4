#include "consul/answer.h"

#include <limits.h>
#include <string.h>

#include "base/str.h"

/* Of several the first row counts; what is in none is refused. */
static const struct {
	int first, last;
	enum consul_meaning meaning;
	enum err_kind kind;
} rows[] = {
	{200, 200, CONSUL_DONE, ERR_NONE},
	{401, 401, CONSUL_AUTH, ERR_AUTH},
	{403, 403, CONSUL_AUTH, ERR_AUTH},
	{404, 404, CONSUL_MISSING, ERR_REFUSED},
	{429, 429, CONSUL_TRANSIENT, ERR_RETRY}, /* no leader, or its rate limit */
	{500, 599, CONSUL_TRANSIENT, ERR_RETRY}, /* a server's error */
	{INT_MIN, INT_MAX, CONSUL_REFUSED, ERR_REFUSED},
};

static size_t row_of(int status)
{
	size_t i = 0;

	while (status < rows[i].first || status > rows[i].last)
		i++;
	return i;
}

enum consul_meaning consul_meaning(int status)
{
	return rows[row_of(status)].meaning;
}

int consul_fail(int status, const char *reason, struct err *e)
{
	return err_set(e, rows[row_of(status)].kind, "HTTP %d: %.*s", status, CONSUL_REASON_MAX,
		       reason);
}

bool consul_take_index(const char *name, const char *value, uint64_t *index)
{
	if (!str_eq_nocase(name, "X-Consul-Index"))
		return false;
	if (str_u64(value, UINT64_MAX, index))
		*index = 0;
	return true;
}

uint64_t consul_next_index(uint64_t asked, uint64_t answered)
{
	if (answered < asked)
		return 0;
	return answered ? answered : 1;
}

int64_t consul_wait_ms(unsigned wait_sec)
{
	const int64_t wait_ms = (int64_t)wait_sec * 1000;

	return wait_ms + wait_ms / 16;
}

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
	if (!consul_take_index(name, value, &a->index) &&
	    str_eq_nocase(name, "X-Consul-ContentHash") && str_copy(a->hash, sizeof a->hash, value))
		a->hash[0] = '\0';
	return 0;
}

static int take_body(void *ctx, const char *p, size_t n, struct err *e)
{
	struct consul_answer *a = ctx;
	size_t room = CONSUL_BODY_MAX - a->len;

	/* An error is told by its status, however long somebody's page is. */
	if (n > room && !a->may_cut && consul_meaning(a->status) == CONSUL_DONE)
		return err_set(e, ERR_LIMIT, "more than %d bytes", CONSUL_BODY_MAX);
	n = n < room ? n : room;
	memcpy(a->body + a->len, p, n);
	a->len += n;
	a->body[a->len] = '\0';
	return 0;
}

struct http_sink consul_answer_begin(struct consul_answer *a)
{
	a->status = 0;
	a->index = 0;
	a->hash[0] = '\0';
	a->may_cut = false;
	a->len = 0;
	a->body[0] = '\0';
	return (struct http_sink){
		.ctx = a,
		.status = take_status,
		.header = take_header,
		.body = take_body,
	};
}

int consul_answer_finish(const struct consul_answer *a, struct err *e)
{
	return consul_meaning(a->status) == CONSUL_DONE ? 0 : consul_fail(a->status, a->body, e);
}
