/*
 * JSON, RFC 8259. A strict scanner that takes a text byte by byte; a splitter that cuts the long
 * array out of an answer while its bytes arrive; typed look-ups in one small text at a time, on
 * top of jsmn. Memory is bounded by the largest element, never by the answer.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define JSON_DEPTH_MAX 64       /* nested arrays and objects */
#define JSON_TOKENS_MAX 16384   /* strings, numbers, containers of one parsed text */
#define JSON_ELEMENT_MAX 524288 /* bytes of one element of a cut array */
#define JSON_REST_MAX 65536     /* bytes of an answer around its cut arrays */

enum json_result { JSON_BAD, JSON_MORE, JSON_DONE };

/* ---- scanner: is this JSON, and where are we in it ---- */

struct json_scan {
	uint8_t state;
	uint8_t depth;    /* containers that are open */
	uint8_t count;    /* position in a literal or a \u escape */
	bool is_key;      /* the string under way or just read is a member's name */
	const char *rest; /* what is left of true, false, null */
	uint64_t objects; /* bit d: the container at depth d + 1 is an object */
};

void json_scan_init(struct json_scan *s);

/*
 * Take one byte. JSON_MORE: it fits so far. JSON_DONE: a whole value was read before or with
 * this byte, only white space may follow. JSON_BAD: not JSON, or deeper than JSON_DEPTH_MAX.
 */
enum json_result json_scan_byte(struct json_scan *s, char c);

/* No more bytes: JSON_DONE when what was read is one whole value (a number needs this). */
enum json_result json_scan_end(struct json_scan *s);

/*
 * Inside a member's name; waiting for a value (after '[', ',' in an array, or ':'); waiting for
 * another member (after ',' in an object).
 */
bool json_scan_in_name(const struct json_scan *s);
bool json_scan_wants_value(const struct json_scan *s);
bool json_scan_wants_member(const struct json_scan *s);

/*
 * Check text[0..len). Returns JSON_DONE, or JSON_BAD with *offset at the first byte that is wrong
 * (len when the text is cut off).
 */
enum json_result json_check(const char *text, size_t len, size_t *offset);

/* Line and column, both from 1, of a byte offset in text. */
void json_position(const char *text, size_t offset, unsigned *line, unsigned *column);

/* ---- splitter: long arrays, element by element ---- */

enum json_cut {
	JSON_CUT_NONE,
	JSON_CUT_ROOT,         /* the text is the array:              [E, E...]                 */
	JSON_CUT_RESULT,       /* the array is member "result":       {"result": [E, E...]}     */
	JSON_CUT_RESULT_LISTS, /* arrays in the object "result":      {"result": {"x": [E...]}} */
	JSON_CUT_MEMBERS       /* the text is an object; an element is one of its members, as
				 {"name": value}:                 {"x": E, "y": E...}      */
};

/*
 * Takes one element; text is NUL-terminated and valid only during the call. list is the name of
 * the array with JSON_CUT_RESULT_LISTS, else "". Returning -1 with *e set ends the splitting.
 */
typedef int json_element_fn(void *ctx, const char *list, const char *text, size_t len,
			    struct err *e);

struct json_split {
	struct json_scan scan;
	enum json_cut cut;
	json_element_fn *element;
	void *ctx;
	bool is_cutting;   /* inside the array that is cut */
	bool has_cut;      /* an array, or the object, was cut */
	bool takes_long;   /* set after init: a too long element is given all the same, cut off */
	uint8_t cut_depth; /* scan.depth inside that array */
	char name[2][24];  /* of the members under way at depth 1 and 2; cut when longer */
	uint8_t name_len[2];
	size_t element_len;
	size_t rest_len;
	char *element_buf; /* JSON_ELEMENT_MAX + 1 bytes */
	char *rest;        /* JSON_REST_MAX + 1 bytes: the text, its cut arrays left empty */
};

/*
 * Start a text. element_buf and rest are the caller's, of the sizes above, used until the end.
 */
void json_split_init(struct json_split *s, enum json_cut cut, json_element_fn *element, void *ctx,
		     char *element_buf, char *rest);

/*
 * Take the next n bytes.
 *   e  ERR_PROTO: not JSON, or "result" twice; ERR_LIMIT: an element or the rest too long; or
 *      what the element function said
 */
int json_split_feed(struct json_split *s, const char *p, size_t n, struct err *e)
	__attribute__((warn_unused_result));

/* The text has ended. -1, ERR_PROTO, when it is not one whole JSON value. rest is complete then. */
int json_split_end(struct json_split *s, struct err *e) __attribute__((warn_unused_result));

/* ---- look-ups in one parsed text ---- */

#define JSON_NONE (-1) /* no such value; every look-up takes it and answers "not there" */

/*
 * Parse p[0..len), which must outlive the look-ups; value 0 is the root. One text at a time:
 * the next json_parse() ends the look-ups of the one before.
 *   e  ERR_PROTO: not JSON; ERR_LIMIT: more than JSON_TOKENS_MAX values
 */
int json_parse(const char *p, size_t len, struct err *e) __attribute__((warn_unused_result));

bool json_is_object(int value);
bool json_is_array(int value);
bool json_is_string(int value);
bool json_is_null(int value);

/* Member of an object by name (the first of that name, escapes decoded), or JSON_NONE. */
int json_get(int object, const char *name);

/*
 * First element of an array, or first member's name (a string) of an object; then the next.
 * JSON_NONE at the end. json_value() is the value of a member's name.
 */
int json_first(int container);
int json_next(int value);
int json_value(int member);

/* How many elements or members. 0 for anything else. */
int json_count(int container);

/* Byte offset of a value in the parsed text. */
size_t json_offset(int value);

/*
 * Typed reads, for `T out = initial;`: -1, *out untouched, when the value is absent, of another
 * type, or does not fit. A string is decoded from its escapes to UTF-8; one that holds U+0000 or
 * half a surrogate pair does not fit.
 */
int json_string(int value, char *out, size_t cap);
int json_integer(int value, int64_t *out);
int json_boolean(int value, bool *out);

/* The same of a member of an object. */
int json_get_string(int object, const char *name, char *out, size_t cap);
int json_get_integer(int object, const char *name, int64_t *out);

/*
 * A string that people read, or of which the beginning counts: whatever is there of it. Past
 * cap - 1 bytes it is cut, between characters; U+0000 and half a surrogate pair become '?'; "" when
 * it is no string at all. cap is not 0.
 */
void json_label(int value, char *out, size_t cap);

/* True when the value is a string that decodes to s. */
bool json_equals(int value, const char *s);

#endif
