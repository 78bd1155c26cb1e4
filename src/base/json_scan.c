#include <string.h>

#include "base/json.h"
#include "base/str.h"

enum state {
	S_VALUE,       /* a value must come */
	S_FIRST_VALUE, /* after '[': a value or ']' */
	S_FIRST_KEY,   /* after '{': a name or '}' */
	S_KEY,         /* after ',' in an object: a name */
	S_COLON,
	S_AFTER, /* after a value inside a container: ',' or its end */
	S_STRING,
	S_ESCAPE,
	S_UNICODE, /* inside \uXXXX */
	S_LITERAL,
	S_MINUS, /* numbers, RFC 8259 section 6 */
	S_ZERO,
	S_INT,
	S_DOT,
	S_FRACTION,
	S_E,
	S_E_SIGN,
	S_EXPONENT,
	S_END,
	S_FAILED
};

void json_scan_init(struct json_scan *s)
{
	*s = (struct json_scan){.state = S_VALUE, .rest = ""};
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool in_object(const struct json_scan *s)
{
	return s->depth && (s->objects >> (s->depth - 1) & 1);
}

static enum state after_value(const struct json_scan *s)
{
	return s->depth ? S_AFTER : S_END;
}

static enum state open_container(struct json_scan *s, bool is_object)
{
	uint64_t bit;

	if (s->depth == JSON_DEPTH_MAX)
		return S_FAILED;
	bit = (uint64_t)1 << s->depth;
	s->objects = is_object ? s->objects | bit : s->objects & ~bit;
	s->depth++;
	return is_object ? S_FIRST_KEY : S_FIRST_VALUE;
}

static enum state close_container(struct json_scan *s, char c)
{
	if (!s->depth || in_object(s) != (c == '}'))
		return S_FAILED;
	s->depth--;
	return after_value(s);
}

static enum state begin_literal(struct json_scan *s, const char *rest)
{
	s->rest = rest;
	return S_LITERAL;
}

static enum state begin_value(struct json_scan *s, char c)
{
	switch (c) {
	case '{': return open_container(s, true);
	case '[': return open_container(s, false);
	case '"': s->is_key = false; return S_STRING;
	case 't': return begin_literal(s, "rue");
	case 'f': return begin_literal(s, "alse");
	case 'n': return begin_literal(s, "ull");
	case '-': return S_MINUS;
	case '0': return S_ZERO;
	default: return is_digit(c) ? S_INT : S_FAILED;
	}
}

static enum state begin_key(struct json_scan *s, char c)
{
	s->is_key = true;
	return c == '"' ? S_STRING : S_FAILED;
}

static enum state between(struct json_scan *s, char c)
{
	if (c == ',')
		return in_object(s) ? S_KEY : S_VALUE;
	return c == ']' || c == '}' ? close_container(s, c) : S_FAILED;
}

static enum state in_string(struct json_scan *s, char c)
{
	if (c == '"')
		return s->is_key ? S_COLON : after_value(s);
	if (c == '\\')
		return S_ESCAPE;
	return (unsigned char)c < 0x20 ? S_FAILED : S_STRING;
}

static enum state in_escape(struct json_scan *s, char c)
{
	s->count = 0;
	if (c == 'u')
		return S_UNICODE;
	return c && strchr("\"\\/bfnrt", c) ? S_STRING : S_FAILED;
}

static enum state in_unicode(struct json_scan *s, char c)
{
	if (str_hex_digit(c) < 0)
		return S_FAILED;
	return ++s->count == 4 ? S_STRING : S_UNICODE;
}

static enum state in_literal(struct json_scan *s, char c)
{
	if (!s->rest || c != *s->rest)
		return S_FAILED;
	return *++s->rest ? S_LITERAL : after_value(s);
}

/* A number has no end of its own: the byte after it belongs to what surrounds it. */
static enum state after_number(struct json_scan *s, char c)
{
	if (is_space(c))
		return after_value(s);
	return s->depth ? between(s, c) : S_FAILED;
}

static enum state in_number(struct json_scan *s, char c)
{
	bool is_e = c == 'e' || c == 'E';

	switch (s->state) {
	case S_MINUS: return c == '0' ? S_ZERO : is_digit(c) ? S_INT : S_FAILED;
	case S_INT:
		if (is_digit(c))
			return S_INT;
		/* fallthrough */
	case S_ZERO: return c == '.' ? S_DOT : is_e ? S_E : after_number(s, c);
	case S_DOT: return is_digit(c) ? S_FRACTION : S_FAILED;
	case S_FRACTION: return is_digit(c) ? S_FRACTION : is_e ? S_E : after_number(s, c);
	case S_E:
		if (c == '+' || c == '-')
			return S_E_SIGN;
		/* fallthrough */
	case S_E_SIGN: return is_digit(c) ? S_EXPONENT : S_FAILED;
	default: return is_digit(c) ? S_EXPONENT : after_number(s, c);
	}
}

static enum state step(struct json_scan *s, char c)
{
	if (is_space(c) && (s->state <= S_AFTER || s->state == S_END))
		return (enum state)s->state;
	switch (s->state) {
	case S_VALUE: return begin_value(s, c);
	case S_FIRST_VALUE: return c == ']' ? close_container(s, c) : begin_value(s, c);
	case S_FIRST_KEY: return c == '}' ? close_container(s, c) : begin_key(s, c);
	case S_KEY: return begin_key(s, c);
	case S_COLON: return c == ':' ? S_VALUE : S_FAILED;
	case S_AFTER: return between(s, c);
	case S_STRING: return in_string(s, c);
	case S_ESCAPE: return in_escape(s, c);
	case S_UNICODE: return in_unicode(s, c);
	case S_LITERAL: return in_literal(s, c);
	case S_END:
	case S_FAILED: return S_FAILED;
	default: return in_number(s, c);
	}
}

enum json_result json_scan_byte(struct json_scan *s, char c)
{
	/* Most bytes are the inside of a string. */
	if (s->state == S_STRING && c != '"' && c != '\\' && (unsigned char)c >= 0x20)
		return JSON_MORE;
	s->state = (uint8_t)step(s, c);
	if (s->state == S_FAILED)
		return JSON_BAD;
	return s->state == S_END ? JSON_DONE : JSON_MORE;
}

enum json_result json_scan_end(struct json_scan *s)
{
	bool is_number = s->state == S_ZERO || s->state == S_INT || s->state == S_FRACTION ||
			 s->state == S_EXPONENT;

	if (s->state == S_END || (is_number && !s->depth))
		return JSON_DONE;
	return JSON_BAD;
}

bool json_scan_in_name(const struct json_scan *s)
{
	return s->is_key && s->state >= S_STRING && s->state <= S_UNICODE;
}

bool json_scan_wants_value(const struct json_scan *s)
{
	return s->state == S_VALUE || s->state == S_FIRST_VALUE;
}

bool json_scan_wants_member(const struct json_scan *s)
{
	return s->state == S_KEY;
}

enum json_result json_check(const char *text, size_t len, size_t *offset)
{
	struct json_scan s;

	json_scan_init(&s);
	for (size_t i = 0; i < len; i++) {
		if (json_scan_byte(&s, text[i]) == JSON_BAD) {
			*offset = i;
			return JSON_BAD;
		}
	}
	*offset = len;
	return json_scan_end(&s);
}

void json_position(const char *text, size_t offset, unsigned *line, unsigned *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < offset && text[i]; i++) {
		(*column)++;
		if (text[i] == '\n') {
			(*line)++;
			*column = 1;
		}
	}
}
