/*
 * An answer of Cloudflare's v4 API: the envelope {result, success, errors, messages}, what its
 * status and error codes mean, and the rate limit headers. Success is HTTP 2xx and "success": true,
 * both. Who asks looks at the meaning and knows no number.
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
#include "core/name.h"
#include "core/pace.h"
#include "net/http/client.h"

/* What an answer means. */
enum cf_meaning {
	CF_DONE,
	CF_BUSY,       /* too many requests: later */
	CF_TRANSIENT,  /* theirs, and passing */
	CF_NO_ZONE,    /* the zone id is none */
	CF_AUTH,       /* the credentials are refused */
	CF_GONE,       /* no record of that id */
	CF_EXISTS,     /* a record of that type, name and content is there already */
	CF_IN_THE_WAY, /* another record of the name excludes it */
	CF_QUOTA,      /* no more records in this zone */
	CF_REFUSED     /* anything else */
};

struct cf_reply {
	int status;
	enum cf_meaning meaning; /* as soon as the status is there, and then by the codes */
	unsigned row;            /* the table's, that says so */
	bool is_json;
	struct pace_hint hint;
	char ray[48]; /* CF-RAY, to tell Cloudflare's support */
	struct json_split split;
	struct err body_err; /* why it is not JSON */
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
 *   e  by the meaning: ERR_BUSY, ERR_RETRY (transient), ERR_CONFIG (no zone), ERR_AUTH, else
 *      ERR_REFUSED; ERR_PROTO: 2xx, but not the envelope
 */
int cf_reply_finish(struct cf_reply *r, struct err *e) __attribute__((warn_unused_result));

/* Append the header lines that authenticate: the token if there is one, else key and e-mail. */
void cf_headers(struct buf *b, const char *token, const char *key, const char *email);

/*
 * Read the name of a zone or a record, as the API gives it, in normal form. -1: it is none, or one
 * of bytes that no name of ours has.
 */
int cf_read_name(char out[NAME_CAP], int object) __attribute__((warn_unused_result));

#endif
