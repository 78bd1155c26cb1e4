#include "cloudflare/reply.h"

#include <string.h>

#include "base/str.h"

void cf_headers(struct buf *b, const char *token, const char *key, const char *email)
{
	if (token)
		buf_fmt(b, "Authorization: Bearer %s\r\n", token);
	else
		buf_fmt(b, "X-Auth-Key: %s\r\nX-Auth-Email: %s\r\n", key, email);
}

static int take_status(void *ctx, int status, struct err *e)
{
	struct cf_reply *r = ctx;

	(void)e;
	r->status = status;
	return 0;
}

static int number_behind(const char *text, const char *key, uint64_t *out)
{
	const char *at = strstr(text, key);
	char digits[10]; /* nine are 31 years of seconds */

	if (!at)
		return -1;
	at += strlen(key);
	if (str_copy_n(digits, sizeof digits, at, strspn(at, "0123456789")))
		return -1;
	return str_u64(digits, 999999999, out);
}

/* Ratelimit: "default";r=50;t=30 -- r requests left, t seconds until there are more. */
static void read_ratelimit(struct cf_reply *r, const char *value)
{
	uint64_t left, seconds;

	if (number_behind(value, ";r=", &left) || number_behind(value, ";t=", &seconds))
		return;
	r->has_remaining = true;
	r->remaining = (int64_t)left;
	r->remaining_sec = (int64_t)seconds;
}

static int take_header(void *ctx, const char *name, const char *value, struct err *e)
{
	const uint64_t day_sec = 86400;
	struct cf_reply *r = ctx;
	uint64_t seconds;

	(void)e;
	if (str_eq_nocase(name, "CF-RAY")) {
		if (str_copy(r->ray, sizeof r->ray, value))
			r->ray[0] = '\0';
	} else if (str_eq_nocase(name, "Retry-After")) {
		if (str_u64(value, day_sec, &seconds) == 0) {
			r->has_retry_after = true;
			r->retry_after_sec = (int64_t)seconds;
		}
	} else if (str_eq_nocase(name, "Ratelimit")) {
		read_ratelimit(r, value);
	}
	return 0;
}

static int take_body(void *ctx, const char *p, size_t n, struct err *e)
{
	struct cf_reply *r = ctx;

	if (!r->is_json)
		return 0;
	if (json_split_feed(&r->split, p, n, &r->body_err) == 0)
		return 0;
	/* With an error status the status says enough, whatever the edge's HTML is like. */
	r->is_json = false;
	if (r->status / 100 != 2)
		return 0;
	return err_set(e, r->body_err.kind, "%s", r->body_err.text);
}

struct http_sink cf_reply_begin(struct cf_reply *r, enum json_cut cut, json_element_fn *element,
				void *ctx, char *element_buf, char *rest)
{
	*r = (struct cf_reply){.is_json = true};
	json_split_init(&r->split, cut, element, ctx, element_buf, rest);
	return (struct http_sink){
		.ctx = r,
		.status = take_status,
		.header = take_header,
		.body = take_body,
	};
}

/* One error, with its chain: "message (code N)". */
static void add_error(struct cf_reply *r, struct buf *b, int error)
{
	char message[256] = "";
	int64_t code = 0;

	(void)json_string(json_get(error, "message"), message, sizeof message);
	if (json_integer(json_get(error, "code"), &code) == 0 && r->codes_n < CF_CODES_MAX)
		r->codes[r->codes_n++] = code;
	buf_fmt(b, "%s (code %lld)", message, (long long)code);
}

static void add_errors(struct cf_reply *r, struct buf *b)
{
	const char *between = "";
	int errors = json_get(0, "errors");

	for (int i = json_first(errors); i != JSON_NONE; i = json_next(i)) {
		int chain = json_get(i, "error_chain");

		buf_str(b, between);
		add_error(r, b, i);
		for (int k = json_first(chain); k != JSON_NONE; k = json_next(k)) {
			buf_str(b, ": ");
			add_error(r, b, k);
		}
		between = "; ";
	}
}

bool cf_reply_has(const struct cf_reply *r, enum cf_code code)
{
	for (size_t i = 0; i < r->codes_n; i++)
		if (r->codes[i] == (int64_t)code)
			return true;
	return false;
}

/* Some refusals of credentials come with 400. */
static bool has_auth_code(const struct cf_reply *r)
{
	static const int64_t codes[] = {6003, 6103, 6111, 9103, 9106, 9109, 10000, 10001};

	for (size_t i = 0; i < r->codes_n; i++)
		for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++)
			if (r->codes[i] == codes[k])
				return true;
	return false;
}

static enum err_kind failure_kind(const struct cf_reply *r)
{
	if (r->status == 429)
		return ERR_BUSY;
	/* A 403 without the API's envelope is the edge's: a passing one, mostly. */
	if (r->status == 408 || r->status >= 500 || (r->status == 403 && !r->is_json))
		return ERR_RETRY;
	if (cf_reply_has(r, CF_CODE_NO_ROUTE))
		return ERR_CONFIG;
	if (r->status == 401 || r->status == 403 || has_auth_code(r))
		return ERR_AUTH;
	return ERR_REFUSED;
}

static int fail(struct cf_reply *r, struct err *e)
{
	char storage[ERR_TEXT_MAX / 2];
	struct err ignored;
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	if (r->is_json && json_parse(r->split.rest, r->split.rest_len, &ignored) == 0)
		add_errors(r, &b);
	/* Retry-After is not always set on a 429. */
	if (r->status == 429 && !r->has_retry_after && r->has_remaining && !r->remaining) {
		r->has_retry_after = true;
		r->retry_after_sec = r->remaining_sec;
	}
	(void)err_set(e, failure_kind(r), "HTTP %d%s%s", r->status, b.len ? ": " : "", b.p);
	if (!r->is_json)
		(void)err_set(e, e->kind, "HTTP %d with a body that is no JSON", r->status);
	if (r->ray[0])
		(void)err_set(e, e->kind, "%s (CF-RAY %s)", e->text, r->ray);
	return -1;
}

int cf_reply_finish(struct cf_reply *r, struct err *e)
{
	bool success = false;

	if (r->is_json && json_split_end(&r->split, &r->body_err))
		r->is_json = false;
	if (r->status / 100 != 2)
		return fail(r, e);
	if (!r->is_json)
		return err_set(e, r->body_err.kind, "%s", r->body_err.text);
	if (json_parse(r->split.rest, r->split.rest_len, e))
		return -1;
	if (json_boolean(json_get(0, "success"), &success))
		return err_set(e, ERR_PROTO, "an answer without \"success\"");
	return success ? 0 : fail(r, e);
}
