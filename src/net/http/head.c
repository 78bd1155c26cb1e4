#include "net/http/head.h"

#include <string.h>

#include "base/fmt.h"
#include "base/str.h"

void head_init(struct head *h, const struct head_sink *sink)
{
	/* Not the line: 8 KiB that nobody reads before it is written. */
	memset(h, 0, offsetof(struct head, line));
	h->sink = sink;
}

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_PROTO, "answer's head: %s", what);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool head_is_token(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_is_alnum(p[i]) && !(p[i] && strchr("!#$%&'*+-.^_`|~", p[i])))
			return false;
	return n > 0;
}

/* Take the next element of a comma separated list; NULL at its end. */
static char *next_element(char **list)
{
	char *s = *list;
	char *comma;

	if (!s)
		return NULL;
	comma = strchr(s, ',');
	*list = comma ? comma + 1 : NULL;
	if (comma)
		*comma = '\0';
	return str_trim(s);
}

/* "HTTP/1.1 200 OK"; the reason, and the space before it, may be missing. */
static int read_status_line(struct head *h, struct err *e)
{
	const char *s = h->line;

	if (strncmp(s, "HTTP/", 5) != 0)
		return bad(e, "this is not HTTP");
	if (strncmp(s + 5, "1.", 2) != 0 || !is_digit(s[7]) || s[8] != ' ')
		return bad(e, "not a version HTTP/1.x");
	if (s[9] < '1' || s[9] > '5' || !is_digit(s[10]) || !is_digit(s[11]) ||
	    (s[12] && s[12] != ' '))
		return bad(e, "the status is not from 100 to 599");
	h->is_http10 = s[7] == '0';
	h->status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
	if (h->status == 101)
		return bad(e, "it switches protocols (status 101), which was not asked for");
	h->has_status = true;
	if (h->status >= 200 && h->sink && h->sink->status)
		return h->sink->status(h->sink->ctx, h->status, e);
	return 0;
}

/*
 * Equal values may be repeated, as a list or as lines (RFC 9110 section 8.6): taken once.
 */
static int read_length(struct head *h, char *value, struct err *e)
{
	char *one;

	while ((one = next_element(&value))) {
		uint64_t n;

		if (str_u64(one, UINT64_MAX, &n))
			return bad(e, "Content-Length is not a number");
		if (h->has_length && n != h->length)
			return bad(e, "two different values of Content-Length");
		h->has_length = true;
		h->length = n;
	}
	return 0;
}

static int read_coding(struct head *h, const char *value, struct err *e)
{
	if (h->has_coding || !str_eq_nocase(value, "chunked"))
		return bad(e, "Transfer-Encoding is not just \"chunked\"");
	h->has_coding = true;
	h->chunked = true;
	return 0;
}

static void read_connection(struct head *h, char *value)
{
	char *one;

	while ((one = next_element(&value))) {
		if (str_eq_nocase(one, "close"))
			h->close = true;
		else if (str_eq_nocase(one, "keep-alive"))
			h->keep_alive = true;
	}
}

/* An error's body that nobody can read matters not: its status says enough. */
static int read_encoding(struct head *h, const char *value, struct err *e)
{
	if (!*value || str_eq_nocase(value, "identity"))
		return 0;
	h->is_encoded = true;
	return h->status < 300 ? bad(e, "Content-Encoding is not just \"identity\"") : 0;
}

/* Without query and fragment, and from behind a user: there secrets are. */
static void read_location(struct head *h, char *value)
{
	const char *at;

	value[strcspn(value, "?#")] = '\0';
	at = strrchr(value, '@');
	(void)fmt_text(h->location, sizeof h->location, "%s", at ? at + 1 : value);
}

/* What the field means for the framing, and for whom else. May cut value into pieces. */
static int read_framing(struct head *h, const char *name, char *value, struct err *e)
{
	if (str_eq_nocase(name, "content-length"))
		return read_length(h, value, e);
	if (str_eq_nocase(name, "transfer-encoding"))
		return read_coding(h, value, e);
	if (str_eq_nocase(name, "content-encoding"))
		return read_encoding(h, value, e);
	if (str_eq_nocase(name, "connection"))
		read_connection(h, value);
	else if (str_eq_nocase(name, "location"))
		read_location(h, value);
	return 0;
}

static int read_field(struct head *h, struct err *e)
{
	char *colon = strchr(h->line, ':');
	char *value;

	if (h->line[0] == ' ' || h->line[0] == '\t')
		return bad(e, "a folded header line");
	if (!colon)
		return bad(e, "a header line without a colon");
	*colon = '\0';
	if (!head_is_token(h->line, (size_t)(colon - h->line)))
		return bad(e, "a header name that is empty or holds a forbidden character");
	if (++h->headers_n > HTTP_HEADERS_MAX)
		return err_set(e, ERR_LIMIT, "answer's head: more than %d fields",
			       HTTP_HEADERS_MAX);
	if (h->status < 200)
		return 0;
	value = str_trim(colon + 1);
	if (h->sink && h->sink->header && h->sink->header(h->sink->ctx, h->line, value, e))
		return -1;
	return read_framing(h, h->line, value, e);
}

/* The empty line: the end, or the end of an interim head. */
static enum head_result end_head(struct head *h, struct err *e)
{
	if (h->status < 200) {
		h->has_status = false;
		h->headers_n = 0;
		return HEAD_MORE;
	}
	if (h->chunked && h->has_length) {
		(void)bad(e, "both Content-Length and Transfer-Encoding");
		return HEAD_BAD;
	}
	if (h->chunked && h->is_http10) {
		(void)bad(e, "Transfer-Encoding in an HTTP/1.0 answer");
		return HEAD_BAD;
	}
	return HEAD_DONE;
}

static enum head_result end_line(struct head *h, struct err *e)
{
	size_t n = h->line_len;

	h->line[n] = '\0';
	h->line_len = 0;
	if (!h->has_status)
		return read_status_line(h, e) ? HEAD_BAD : HEAD_MORE;
	if (!n)
		return end_head(h, e);
	return read_field(h, e) ? HEAD_BAD : HEAD_MORE;
}

static enum head_result take_byte(struct head *h, char b, struct err *e)
{
	if (++h->total > HTTP_HEAD_MAX) {
		(void)err_set(e, ERR_LIMIT, "answer's head: longer than %d bytes", HTTP_HEAD_MAX);
		return HEAD_BAD;
	}
	if (h->cr != (b == '\n')) {
		(void)bad(e, h->cr ? "CR without LF" : "LF without CR");
		return HEAD_BAD;
	}
	if (h->cr) {
		h->cr = false;
		return end_line(h, e);
	}
	if (b == '\r') {
		h->cr = true;
		return HEAD_MORE;
	}
	if (((unsigned char)b < 0x20 && b != '\t') || b == 0x7f) {
		(void)bad(e, "a control character");
		return HEAD_BAD;
	}
	if (h->line_len >= HTTP_LINE_MAX) {
		(void)err_set(e, ERR_LIMIT, "answer's head: a line longer than %d bytes",
			      HTTP_LINE_MAX);
		return HEAD_BAD;
	}
	h->line[h->line_len++] = b;
	return HEAD_MORE;
}

enum head_result head_feed(struct head *h, const char *p, size_t n, size_t *used, struct err *e)
{
	enum head_result r = HEAD_MORE;
	size_t i = 0;

	while (i < n && r == HEAD_MORE)
		r = take_byte(h, p[i++], e);
	*used = i;
	return r;
}
