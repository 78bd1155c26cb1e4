#include "net/http/client_parts.h"

#include <inttypes.h>

/* The sink's own errors go to the caller as they are. */
static int on_status(void *ctx, int status, struct err *e)
{
	struct http_client *c = ctx;

	if (!c->sink.status || !c->sink.status(c->sink.ctx, status, e))
		return 0;
	c->is_sink_error = true;
	return -1;
}

static int on_header(void *ctx, const char *name, const char *value, struct err *e)
{
	struct http_client *c = ctx;

	if (!c->sink.header || !c->sink.header(c->sink.ctx, name, value, e))
		return 0;
	c->is_sink_error = true;
	return -1;
}

void http_answer_init(struct http_client *c)
{
	c->has_answer = false;
	c->has_head = false;
	c->is_over = false;
	c->has_excess = false;
	c->framing = HTTP_NO_BODY;
	c->received = 0;
	c->head_sink = (struct head_sink){.ctx = c, .status = on_status, .header = on_header};
	head_init(&c->head, &c->head_sink);
	chunk_init(&c->chunk);
}

static int check_length(uint64_t n, uint64_t max, struct err *e)
{
	if (n <= max)
		return 0;
	return err_set(e, ERR_LIMIT, "answer's body: longer than %d bytes", HTTP_BODY_MAX);
}

/* RFC 9112 section 6.3 */
static int end_head(struct http_client *c, struct err *e)
{
	const struct head *h = &c->head;

	c->has_head = true;
	if (h->status / 100 == 3 && h->location[0])
		return err_set(e, ERR_REFUSED, "HTTP %d: redirected to %s, which is not followed",
			       h->status, h->location);
	if (h->status == 204 || h->status == 304)
		c->framing = HTTP_NO_BODY;
	else if (h->chunked)
		c->framing = HTTP_CHUNKED;
	else if (h->has_length)
		c->framing = h->length ? HTTP_LENGTH : HTTP_NO_BODY;
	else
		c->framing = HTTP_UNTIL_CLOSE;
	c->is_over = c->framing == HTTP_NO_BODY;
	return check_length(h->length, HTTP_BODY_MAX, e);
}

static int give(struct http_client *c, const char *p, size_t n, struct err *e)
{
	if (check_length(n, HTTP_BODY_MAX - c->received, e))
		return -1;
	c->received += n;
	if (!n || !c->sink.body || c->head.is_encoded || !c->sink.body(c->sink.ctx, p, n, e))
		return 0;
	c->is_sink_error = true;
	return -1;
}

static int feed_length(struct http_client *c, const char *p, size_t n, size_t *used, struct err *e)
{
	uint64_t left = c->head.length - c->received;

	*used = n < left ? n : (size_t)left;
	if (give(c, p, *used, e))
		return -1;
	c->is_over = c->received == c->head.length;
	return 0;
}

static int feed_chunked(struct http_client *c, const char *p, size_t n, size_t *used, struct err *e)
{
	struct chunk_data data;
	enum chunk_result r = chunk_feed(&c->chunk, p, n, used, &data, e);

	if (r == CHUNK_BAD || give(c, data.p, data.n, e))
		return -1;
	c->is_over = r == CHUNK_DONE;
	return 0;
}

static int feed_head(struct http_client *c, const char *p, size_t n, size_t *used, struct err *e)
{
	enum head_result r = head_feed(&c->head, p, n, used, e);

	if (r == HEAD_BAD)
		return -1;
	return r == HEAD_DONE ? end_head(c, e) : 0;
}

static int feed_some(struct http_client *c, const char *p, size_t n, size_t *used, struct err *e)
{
	if (!c->has_head)
		return feed_head(c, p, n, used, e);
	if (c->framing == HTTP_CHUNKED)
		return feed_chunked(c, p, n, used, e);
	if (c->framing == HTTP_LENGTH)
		return feed_length(c, p, n, used, e);
	*used = n;
	return give(c, p, n, e);
}

enum http_progress http_answer_feed(struct http_client *c, const char *p, size_t n, struct err *e)
{
	c->has_answer = true;
	while (n && !c->is_over) {
		size_t used = 0;

		if (feed_some(c, p, n, &used, e))
			return PROGRESS_BAD;
		p += used;
		n -= used;
	}
	c->has_excess = n > 0;
	return c->is_over ? PROGRESS_DONE : PROGRESS_GO;
}

static enum http_progress cut_short(enum err_kind kind, const char *where, struct err *e)
{
	(void)err_set(e, kind, "the connection ended %s", where);
	return PROGRESS_BAD;
}

enum http_progress http_answer_eof(struct http_client *c, bool is_cut, struct err *e)
{
	if (!c->has_answer) {
		(void)err_set(e, ERR_RETRY, "the server closed the connection without an answer");
		return PROGRESS_DEAD;
	}
	if (!c->has_head)
		return cut_short(ERR_RETRY, "within the answer's head", e);
	if (c->framing != HTTP_UNTIL_CLOSE)
		return cut_short(ERR_RETRY, "before the end of the answer's body", e);
	/* Anyone on the way can end a TCP connection: only close_notify tells that this is all. */
	if (is_cut)
		return cut_short(ERR_PROTO, "without TLS's close_notify: the body may be cut off",
				 e);
	c->is_over = true;
	return PROGRESS_DONE;
}

bool http_answer_keeps(const struct http_client *c)
{
	return c->is_over && !c->has_excess && c->framing != HTTP_UNTIL_CLOSE && !c->head.close &&
	       (!c->head.is_http10 || c->head.keep_alive) && !c->is_send_broken &&
	       c->sent == c->out_len + c->body_len;
}
