#include "base/json.h"

#include <string.h>

#include "base/str.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS /* without them a long array costs quadratic time */
#include <jsmn.h>

static jsmntok_t tokens[JSON_TOKENS_MAX];
static int tokens_n;
static const char *text;

/* jsmn misses a byte behind a number, true, false or null that ends the text: the only value. */
static int take_bare(const char *p, size_t len)
{
	size_t start = 0;

	while (p[start] == ' ' || p[start] == '\t' || p[start] == '\n' || p[start] == '\r')
		start++;
	tokens[0] = (jsmntok_t){
		.type = JSMN_PRIMITIVE,
		.start = (int)start,
		.end = (int)len,
		.parent = -1,
	};
	return 1;
}

/* Where the text is wrong it goes one deeper than is kept. */
static bool is_too_deep(const char *p, size_t offset)
{
	struct json_scan s;

	json_scan_init(&s);
	for (size_t i = 0; i < offset; i++)
		(void)json_scan_byte(&s, p[i]);
	return json_scan_wants_value(&s) && s.depth == JSON_DEPTH_MAX &&
	       (p[offset] == '[' || p[offset] == '{');
}

int json_parse(const char *p, size_t len, struct err *e)
{
	jsmn_parser parser;
	unsigned line, column;
	size_t offset;
	int n;

	tokens_n = 0;
	text = p;
	/* jsmn, even when strict, lets missing commas and the like pass. */
	if (json_check(p, len, &offset) != JSON_DONE) {
		json_position(p, offset, &line, &column);
		if (offset < len && is_too_deep(p, offset))
			return err_set(e, ERR_LIMIT, "nested deeper than %d: line %u, column %u",
				       JSON_DEPTH_MAX, line, column);
		return err_set(e, ERR_PROTO, "not JSON: line %u, column %u", line, column);
	}
	jsmn_init(&parser);
	n = jsmn_parse(&parser, p, len, tokens, JSON_TOKENS_MAX);
	if (n == JSMN_ERROR_PART)
		n = take_bare(p, len);
	if (n == JSMN_ERROR_NOMEM)
		return err_set(e, ERR_LIMIT, "more than %d values in one piece of JSON",
			       JSON_TOKENS_MAX);
	if (n < 1)
		return err_set(e, ERR_PROTO, "not JSON");
	tokens_n = n;
	return 0;
}

static const jsmntok_t *token(int value, jsmntype_t type)
{
	if (value < 0 || value >= tokens_n || tokens[value].type != type)
		return NULL;
	return &tokens[value];
}

bool json_is_object(int value)
{
	return token(value, JSMN_OBJECT) != NULL;
}

bool json_is_array(int value)
{
	return token(value, JSMN_ARRAY) != NULL;
}

bool json_is_string(int value)
{
	return token(value, JSMN_STRING) != NULL;
}

bool json_is_null(int value)
{
	const jsmntok_t *t = token(value, JSMN_PRIMITIVE);

	return t && text[t->start] == 'n';
}

int json_first(int container)
{
	if (!json_count(container))
		return JSON_NONE;
	return container + 1;
}

int json_next(int value)
{
	int end, parent, i;

	if (value < 0 || value >= tokens_n)
		return JSON_NONE;
	parent = tokens[value].parent;
	end = tokens[value].end;
	i = value + 1;
	/* A member's value hangs below its name. It may be "", which begins where it ends. */
	if (tokens[value].type == JSMN_STRING && tokens[value].size)
		end = tokens[i++].end;
	while (i < tokens_n && tokens[i].start < end)
		i++;
	return i < tokens_n && tokens[i].parent == parent ? i : JSON_NONE;
}

int json_value(int member)
{
	const jsmntok_t *t = token(member, JSMN_STRING);

	return t && t->size ? member + 1 : JSON_NONE;
}

int json_count(int container)
{
	if (!json_is_object(container) && !json_is_array(container))
		return 0;
	return tokens[container].size;
}

size_t json_offset(int value)
{
	return value < 0 || value >= tokens_n ? 0 : (size_t)tokens[value].start;
}

static unsigned hex4(const char *p)
{
	return (unsigned)str_hex_byte(p) << 8 | (unsigned)str_hex_byte(p + 2);
}

/* Decode the \u escape at p[0..left), a surrogate pair too. Returns its length, 0 when unfit. */
static size_t decode_unicode(const char *p, size_t left, unsigned *code)
{
	unsigned low;

	*code = hex4(p + 2);
	if (*code < 0xd800 || *code > 0xdfff)
		return *code ? 6 : 0;
	if (*code > 0xdbff || left < 12 || p[6] != '\\' || p[7] != 'u')
		return 0;
	low = hex4(p + 8);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return 12;
}

/* UTF-8 of code in out[4]; RFC 3629 section 3. Returns its length. */
static size_t put_utf8(unsigned code, char out[4])
{
	const size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len; --i; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(len == 1 ? code : 0xf00u >> len | code);
	return len;
}

/* Decode one character at p[0..left) to piece. Returns the bytes used, 0 when unfit. */
static size_t decode_one(const char *p, size_t left, char piece[4], size_t *piece_len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned code;
	size_t used;

	*piece_len = 1;
	if (p[0] != '\\') {
		piece[0] = p[0];
		return p[0] ? 1 : 0;
	}
	if (p[1] != 'u') {
		piece[0] = to[strchr(from, p[1]) - from];
		return 2;
	}
	used = decode_unicode(p, left, &code);
	if (used)
		*piece_len = put_utf8(code, piece);
	return used;
}

static bool is_equal(const jsmntok_t *t, const char *s)
{
	size_t left = strlen(s), used;

	for (size_t i = (size_t)t->start; i < (size_t)t->end; i += used) {
		char piece[4];
		size_t piece_len;

		used = decode_one(text + i, (size_t)t->end - i, piece, &piece_len);
		if (!used || piece_len > left || memcmp(s, piece, piece_len) != 0)
			return false;
		s += piece_len;
		left -= piece_len;
	}
	return !left;
}

int json_get(int object, const char *name)
{
	if (!json_is_object(object))
		return JSON_NONE;
	for (int m = json_first(object); m != JSON_NONE; m = json_next(m))
		if (is_equal(&tokens[m], name))
			return json_value(m);
	return JSON_NONE;
}

bool json_equals(int value, const char *s)
{
	const jsmntok_t *t = token(value, JSMN_STRING);

	return t && is_equal(t, s);
}

/*
 * Decode as much of t as fits, whole characters, and '?' for what is none. out may be NULL. Returns
 * whether that is all of it, and all of it text.
 */
static bool decode(const jsmntok_t *t, char *out, size_t cap)
{
	size_t len = 0, first = 0, used;
	bool is_fit = true;

	for (size_t i = (size_t)t->start; i < (size_t)t->end; i += used) {
		char piece[4];
		size_t piece_len;

		used = decode_one(text + i, (size_t)t->end - i, piece, &piece_len);
		if (!used) {
			is_fit = false;
			used = 6; /* \u and four digits */
			piece[0] = '?';
			piece_len = 1;
		}
		if ((piece[0] & 0xc0) != 0x80)
			first = len; /* a character's first byte: not cut behind it */
		if (piece_len >= cap - len) {
			is_fit = false;
			len = first;
			break;
		}
		if (out)
			memcpy(out + len, piece, piece_len);
		len += piece_len;
	}
	if (out)
		out[len] = '\0';
	return is_fit;
}

int json_string(int value, char *out, size_t cap)
{
	const jsmntok_t *t = token(value, JSMN_STRING);

	/* First measure, then write: out stays as it is when the string does not fit. */
	if (!t || !cap || !decode(t, NULL, cap))
		return -1;
	(void)decode(t, out, cap);
	return 0;
}

void json_label(int value, char *out, size_t cap)
{
	const jsmntok_t *t = token(value, JSMN_STRING);

	out[0] = '\0';
	if (t)
		(void)decode(t, out, cap);
}

int json_integer(int value, int64_t *out)
{
	const jsmntok_t *t = token(value, JSMN_PRIMITIVE);
	bool is_negative;
	int64_t v = 0;

	if (!t)
		return -1;
	is_negative = text[t->start] == '-';
	for (int i = t->start + is_negative; i < t->end; i++) {
		int digit = text[i] - '0';

		if (digit < 0 || digit > 9 || v > (INT64_MAX - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	*out = is_negative ? -v : v;
	return 0;
}

int json_boolean(int value, bool *out)
{
	const jsmntok_t *t = token(value, JSMN_PRIMITIVE);

	if (!t || (text[t->start] != 't' && text[t->start] != 'f'))
		return -1;
	*out = text[t->start] == 't';
	return 0;
}

int json_get_string(int object, const char *name, char *out, size_t cap)
{
	return json_string(json_get(object, name), out, cap);
}

int json_get_integer(int object, const char *name, int64_t *out)
{
	return json_integer(json_get(object, name), out);
}
