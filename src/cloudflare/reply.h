/*
 * An answer of Cloudflare's v4 API: the envelope {result, success, errors, messages}, its error
 * codes, and the rate limit headers. Success is HTTP 2xx and "success": true, both.
 * https://developers.cloudflare.com/fundamentals/api/reference/
 */
#ifndef CLOUDFLARE_REPLY_H
#define CLOUDFLARE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "net/http/client.h"

#define CF_CODES_MAX 8

/* https://developers.cloudflare.com/dns/manage-dns-records/ and what users report of it. */
enum cf_code {
	CF_CODE_NO_ROUTE = 7003,     /* the zone id is no zone id */
	CF_CODE_GONE = 81044,        /* no record of that id */
	CF_CODE_IN_THE_WAY = 81053,  /* a CNAME over A, AAAA or CNAME */
	CF_CODE_CNAME_THERE = 81054, /* A or AAAA over a CNAME */
	CF_CODE_EXISTS = 81057,      /* same type, name and content; the older code */
	CF_CODE_IDENTICAL = 81058    /* the same; today's */
};

struct cf_reply {
	struct json_split split;
	int status;
	bool is_json;
	struct err body_err;  /* why it is not */
	char ray[48];         /* CF-RAY, to tell Cloudflare's support */
	bool has_retry_after; /* Retry-After or Ratelimit says when to come again */
	int64_t retry_after_sec;
	bool has_remaining; /* Ratelimit says how many requests are left */
	int64_t remaining, remaining_sec;
	int64_t codes[CF_CODES_MAX]; /* of errors[] and their error_chain, in order */
	size_t codes_n;
};

/*
 * Begin to read an answer; returns the sink for the exchange. cut, element and ctx as in
 * json_split_init(); with an element function that fails, the exchange fails.
 */
struct http_sink cf_reply_begin(struct cf_reply *r, enum json_cut cut, json_element_fn *element,
				void *ctx, char *element_buf, char *rest);

/*
 * The exchange has ended well: did the API do it? On 0 the rest of the answer is parsed and
 * json_get(0, "result") and the like may be asked.
 *   e  ERR_BUSY: 429; ERR_RETRY: 408, 5xx; ERR_AUTH: 401, 403 and the codes for credentials;
 *      ERR_CONFIG: no such zone id (7003); ERR_REFUSED: any other refusal, see codes;
 *      ERR_PROTO: 2xx, but not the envelope
 */
int cf_reply_finish(struct cf_reply *r, struct err *e) __attribute__((warn_unused_result));

/* Whether one of the errors, or of their chains, has this code. */
bool cf_reply_has(const struct cf_reply *r, enum cf_code code);

/* Append the header lines that authenticate: the token if there is one, else key and e-mail. */
void cf_headers(struct buf *b, const char *token, const char *key, const char *email);

#endif
