#include "base/buf.h"

#include <stdarg.h>
#include <string.h>

#include "base/fmt.h"
#include "base/str.h"
#include "base/utf8.h"

void buf_init(struct buf *b, char *p, size_t cap)
{
	b->p = p;
	b->cap = cap;
	buf_reset(b);
}

void buf_reset(struct buf *b)
{
	buf_cut(b, 0);
}

void buf_cut(struct buf *b, size_t len)
{
	b->len = len;
	b->overflow = false;
	b->p[len] = '\0';
}

void buf_add(struct buf *b, const char *p, size_t n)
{
	if (b->overflow || n >= b->cap - b->len) {
		b->overflow = true;
		return;
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	size_t n;

	if (b->overflow)
		return;
	va_start(ap, fmt);
	n = fmt_textv(b->p + b->len, room, fmt, ap);
	va_end(ap);
	if (n >= room) {
		b->p[b->len] = '\0';
		b->overflow = true;
		return;
	}
	b->len += n;
}

void buf_json_text(struct buf *b, const char *s, size_t len)
{
	for (const char *end = s + len; s < end;) {
		uint32_t c;
		size_t n = utf8_read(s, &c);

		if (utf8_is_harmful(c)) { /* all of them have four digits at most */
			buf_fmt(b, "\\u%04x", c == UTF8_BAD ? 0xfffdu : (unsigned)c);
		} else {
			if (c == '"' || c == '\\')
				buf_add(b, "\\", 1);
			buf_add(b, s, n);
		}
		s += n;
	}
}

void buf_json_string(struct buf *b, const char *s)
{
	buf_add(b, "\"", 1);
	buf_json_text(b, s, strlen(s));
	buf_add(b, "\"", 1);
}

static bool is_unreserved(char c)
{
	return str_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void buf_url_part(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (is_unreserved(*s))
			buf_add(b, s, 1);
		else
			buf_fmt(b, "%%%02X", (unsigned char)*s);
	}
}

const char buf_base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void buf_base64(struct buf *b, const char *p, size_t n)
{
	const char *digits = buf_base64_digits;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)p[i] << 16;
		char out[4];

		v |= i + 1 < n ? (unsigned)(unsigned char)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? (unsigned char)p[i + 2] : 0;
		out[0] = digits[v >> 18];
		out[1] = digits[v >> 12 & 63];
		out[2] = (char)(i + 1 < n ? digits[v >> 6 & 63] : '=');
		out[3] = (char)(i + 2 < n ? digits[v & 63] : '=');
		buf_add(b, out, sizeof out);
	}
}

bool buf_ok(const struct buf *b)
{
	return !b->overflow;
}
