/*
 * Reader of a response head, RFC 9112 sections 2 to 6 and 9: status line, fields, and what they
 * say of the body's framing and of the connection. Strict: what two readers could understand
 * differently is refused. Interim answers (1xx) are read over.
 */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HTTP_HEAD_MAX 32768  /* bytes of one response head, all 1xx heads included */
#define HTTP_LINE_MAX 8192   /* bytes of a status or header line, without CR LF */
#define HTTP_HEADERS_MAX 128 /* fields of one head */
#define HTTP_LOCATION_CAP 256

enum head_result { HEAD_BAD, HEAD_MORE, HEAD_DONE };

/* Called for the final head only; may be NULL. -1, with *e set, makes the head BAD. */
struct head_sink {
	void *ctx;
	int (*status)(void *ctx, int status, struct err *e);
	int (*header)(void *ctx, const char *name, const char *value, struct err *e);
};

struct head {
	/* Valid after DONE. */
	int status;     /* 200..599 */
	bool is_http10; /* HTTP/1.0: closes unless it says keep-alive */
	bool chunked;
	bool has_length; /* Content-Length was there */
	bool close;      /* Connection: close */
	bool keep_alive; /* Connection: keep-alive */
	bool is_encoded; /* an error, whose body is not what it means */
	/* The reader's own. */
	bool has_status;
	bool has_coding;
	bool cr; /* a CR was seen, LF must follow */
	const struct head_sink *sink;
	size_t total;     /* bytes so far, interim heads included */
	size_t headers_n; /* fields of the present head */
	size_t line_len;
	/* Valid after DONE, too. */
	uint64_t length;
	char location[HTTP_LOCATION_CAP]; /* for messages: no user, query, fragment */
	char line[HTTP_LINE_MAX + 1];
};

/* Begin. The sink, which may be NULL, must live until DONE or BAD. */
void head_init(struct head *h, const struct head_sink *sink);

/*
 * Feed the next n bytes.
 *   used  set to the bytes consumed, 0..n; less than n only on DONE or BAD: the rest is body
 *   e     filled on BAD: ERR_PROTO (syntax or ambiguous framing), ERR_LIMIT (past a MAX), or
 *         what the sink said
 * Returns MORE (all n used), DONE or BAD; after DONE or BAD only head_init() may be called.
 */
enum head_result head_feed(struct head *h, const char *p, size_t n, size_t *used, struct err *e)
	__attribute__((warn_unused_result));

/* Whether p[0..n) is a token of RFC 9110 section 5.6.2. */
bool head_is_token(const char *p, size_t n);

#endif
