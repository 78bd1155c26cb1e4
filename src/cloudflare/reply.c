#include "cloudflare/reply.h"

#include <string.h>

#include "base/str.h"

void cf_headers(struct buf *b, const char *token, const char *key, const char *email)
{
	if (*token)
		buf_fmt(b, "Authorization: Bearer %s\r\n", token);
	else
		buf_fmt(b, "X-Auth-Key: %s\r\nX-Auth-Email: %s\r\n", key, email);
}

/*
 * What the numbers mean: HTTP statuses (negative without the API's envelope: then it is the edge
 * that answers) and error codes, which begin at 1000. Of several the first row counts.
 * https://developers.cloudflare.com/dns/manage-dns-records/ and what users report.
 */
static const struct row {
	int first, last;
	enum cf_meaning meaning;
} rows[] = {
	{429, 429, CF_BUSY},           /* too many requests */
	{408, 408, CF_TRANSIENT},      /* request timeout */
	{500, 599, CF_TRANSIENT},      /* a server's error */
	{-403, -403, CF_TRANSIENT},    /* a passing one, mostly */
	{7003, 7003, CF_NO_ZONE},      /* could not route: the zone id is none */
	{401, 401, CF_AUTH},           /* unauthorized */
	{403, 403, CF_AUTH},           /* forbidden */
	{6003, 6003, CF_AUTH},         /* invalid request headers */
	{6103, 6103, CF_AUTH},         /* X-Auth-Key's format */
	{6111, 6111, CF_AUTH},         /* Authorization's format */
	{9103, 9103, CF_AUTH},         /* unknown key or e-mail */
	{9106, 9106, CF_AUTH},         /* none sent */
	{9109, 9109, CF_AUTH},         /* invalid token, or without the right */
	{10000, 10001, CF_AUTH},       /* authentication error, unable to authenticate */
	{81044, 81044, CF_GONE},       /* record does not exist */
	{81057, 81058, CF_EXISTS},     /* the older code; an identical record */
	{81053, 81054, CF_IN_THE_WAY}, /* an A, AAAA or CNAME is there; a CNAME */
	{81045, 81045, CF_QUOTA},      /* record quota exceeded */
};

#define ROWS (sizeof rows / sizeof rows[0])
#define CODE_MIN 1000
#define SECONDS_MAX INT64_C(1000000000) /* 31 years; core/pace says what of it is waited */

static void take_number(struct cf_reply *r, int64_t number)
{
	for (unsigned i = 0; i < r->row; i++) {
		if (number < rows[i].first || number > rows[i].last)
			continue;
		r->row = i;
		r->meaning = rows[i].meaning;
	}
}

static int take_status(void *ctx, int status, struct err *e)
{
	struct cf_reply *r = ctx;

	(void)e;
	r->status = status;
	take_number(r, status);
	return 0;
}

/*
 * Digits, and then the end of the value or of a list's element. What is past SECONDS_MAX is that
 * much, for it is a number all the same.
 */
static bool read_seconds(const char *p, int64_t *out)
{
	size_t n = strspn(p, "0123456789");
	int64_t v = 0;

	if (!n || (p[n] && !strchr(",; ", p[n])))
		return false;
	while (n--)
		v = v < SECONDS_MAX / 10 ? v * 10 + (*p++ - '0') : SECONDS_MAX;
	*out = v;
	return true;
}

/*
 * Ratelimit: "default";r=50;t=30 -- r requests left, t seconds until there are more. Of several
 * policies the one counts that leaves the least, for the longest time.
 */
static void read_ratelimit(struct pace_hint *h, bool is_busy, const char *p)
{
	int64_t left = -1, sec = -1;

	for (;; p++) {
		p += strcspn(p, ";,");
		if (*p == ';') {
			p += strspn(p + 1, " ");
			if (strncmp(p + 1, "r=", 2) == 0)
				(void)read_seconds(p + 3, &left);
			else if (strncmp(p + 1, "t=", 2) == 0)
				(void)read_seconds(p + 3, &sec);
			continue;
		}
		if (left >= 0 && sec >= 0 &&
		    (!h->has_left || left < h->left_n ||
		     (left == h->left_n && sec > h->reset_sec))) {
			h->has_left = true;
			h->left_n = left;
			h->reset_sec = sec;
		}
		left = sec = -1;
		if (!*p)
			break;
	}
	if (!h->left_n)
		h->reset_sec = pace_believe(h, is_busy, h->reset_sec);
}

static int take_header(void *ctx, const char *name, const char *value, struct err *e)
{
	struct cf_reply *r = ctx;
	bool is_busy = r->meaning == CF_BUSY;
	int64_t sec;

	(void)e;
	if (str_eq_nocase(name, "CF-RAY")) {
		if (str_copy(r->ray, sizeof r->ray, value))
			r->ray[0] = '\0';
	} else if (str_eq_nocase(name, "Retry-After")) {
		if (read_seconds(value, &sec)) {
			r->hint.has_retry_after = true;
			r->hint.retry_after_sec = pace_believe(&r->hint, is_busy, sec);
		}
	} else if (str_eq_nocase(name, "Ratelimit")) {
		read_ratelimit(&r->hint, is_busy, value);
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
	*r = (struct cf_reply){.is_json = true, .row = ROWS};
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

	(void)json_get_string(error, "message", message, sizeof message);
	if (json_get_integer(error, "code", &code) == 0 && code >= CODE_MIN)
		take_number(r, code);
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

static enum err_kind kind_of(enum cf_meaning meaning)
{
	switch (meaning) {
	case CF_BUSY: return ERR_BUSY;
	case CF_TRANSIENT: return ERR_RETRY;
	case CF_NO_ZONE: return ERR_CONFIG;
	case CF_AUTH: return ERR_AUTH;
	default: return ERR_REFUSED;
	}
}

static int fail(struct cf_reply *r, struct err *e)
{
	char storage[ERR_TEXT_MAX / 2];
	struct err ignored;
	struct buf b;

	buf_init(&b, storage, sizeof storage);
	if (r->is_json && json_parse(r->split.rest, r->split.rest_len, &ignored) == 0)
		add_errors(r, &b);
	if (!r->is_json)
		take_number(r, -r->status);
	if (r->meaning == CF_DONE)
		r->meaning = CF_REFUSED;
	(void)err_set(e, kind_of(r->meaning), "HTTP %d%s%s", r->status,
		      !r->is_json ? " with a body that is no JSON"
		      : b.len     ? ": "
				  : "",
		      b.p);
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

int cf_read_name(char out[NAME_CAP], int object)
{
	char given[NAME_UNICODE_CAP];
	struct err odd;

	return json_get_string(object, "name", given, sizeof given) ||
			       name_normalize(out, given, NAME_GIVEN, &odd)
		       ? -1
		       : 0;
}
