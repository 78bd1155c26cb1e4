/* JSON: the scanner, the splitter in every cut, the look-ups. Input: cut, seed, text. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static char element_buf[JSON_ELEMENT_MAX + 1], rest[JSON_REST_MAX + 1];

struct split_run {
	struct buf told;
	size_t elements_n;
};

static int take_element(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct split_run *r = ctx;
	size_t offset;

	(void)e;
	MUST(text[len] == '\0');
	MUST(json_check(text, len, &offset) == JSON_DONE);
	r->elements_n++;
	buf_fmt(&r->told, "%s:", list);
	buf_add(&r->told, text, len);
	buf_str(&r->told, "\n");
	return 0;
}

/* The number of elements that were cut out; -1: it is not JSON. */
static long split(struct fuzz_input in, enum json_cut cut, struct fuzz_cuts cuts, int way)
{
	struct split_run r = {.elements_n = 0};
	struct json_split s;
	struct err e = {0};
	int failed = 0;
	size_t offset;

	fuzz_tell_start(&r.told, way);
	json_split_init(&s, cut, take_element, &r, element_buf, rest);
	while (in.n && !failed) {
		struct fuzz_input piece = fuzz_piece(&in, &cuts);

		failed = json_split_feed(&s, (const char *)piece.p, piece.n, &e);
	}
	if (!failed)
		failed = json_split_end(&s, &e);
	fuzz_tell_err(&r.told, failed, &e);
	MUST(strlen(rest) <= s.rest_len && s.rest_len <= JSON_REST_MAX);
	buf_fmt(&r.told, "rest %s\n", rest);
	if (failed)
		return -1;
	MUST(json_check(rest, s.rest_len, &offset) == JSON_DONE);
	MUST(s.has_cut || !r.elements_n);
	return (long)r.elements_n;
}

/* ---- look-ups ---- */

/* Decode it, with the room it needs and with one byte less; write it as JSON and read it again. */
static void check_string(int value)
{
	static char out[65536], again[65536], quoted[6 * sizeof out + 3];
	char canary[8] = "canary";
	struct buf b;
	size_t len;

	if (json_string(value, out, sizeof out))
		return;
	len = strlen(out);
	MUST(len < sizeof out);
	MUST(json_string(value, again, len + 1) == 0 && strcmp(out, again) == 0);
	if (len < sizeof canary) {
		MUST(json_string(value, canary, len) == -1);
		MUST(strcmp(canary, "canary") == 0);
	}
	buf_init(&b, quoted, sizeof quoted);
	buf_json_string(&b, out);
	MUST(buf_ok(&b));
	MUST(json_check(b.p, b.len, &len) == JSON_DONE);
}

static void check_value(int value, unsigned depth, size_t n);

static void check_members(int value, unsigned depth, size_t n)
{
	int count = 0;
	size_t before = json_offset(value);

	for (int i = json_first(value); i != JSON_NONE; i = json_next(i), count++) {
		MUST(json_offset(i) > before);
		before = json_offset(i);
		if (json_is_object(value)) {
			char name[64];

			MUST(json_is_string(i));
			if (json_string(i, name, sizeof name) == 0)
				MUST(json_equals(i, name) && json_get(value, name) != JSON_NONE &&
				     json_get(value, name) <= json_value(i));
		}
		check_value(json_is_object(value) ? json_value(i) : i, depth + 1, n);
	}
	MUST(count == json_count(value));
}

static void check_value(int value, unsigned depth, size_t n)
{
	bool is_container = json_is_object(value) || json_is_array(value);
	int64_t number = 77;
	bool truth = false;
	int kinds = json_is_object(value) + json_is_array(value) + json_is_string(value) + json_is_null(value);

	MUST(depth <= JSON_DEPTH_MAX && value >= 0);
	MUST(json_offset(value) < n || (json_is_string(value) && json_offset(value) == n));
	kinds += json_boolean(value, &truth) == 0;
	if (json_integer(value, &number) == 0)
		kinds++;
	else
		MUST(number == 77);
	MUST(kinds <= 1); /* 0: a number that is no integer */
	if (json_is_string(value))
		check_string(value);
	if (is_container)
		check_members(value, depth, n);
	else
		MUST(json_first(value) == JSON_NONE && json_count(value) == 0);
}

/* What the splitter counted is what is there. */
static void check_cut(enum json_cut cut, long elements_n)
{
	int result = json_get(0, "result");

	if (elements_n < 0)
		return;
	if (cut == JSON_CUT_NONE)
		MUST(elements_n == 0);
	else if (cut == JSON_CUT_ROOT)
		MUST(elements_n == (json_is_array(0) ? json_count(0) : 0));
	else if (cut == JSON_CUT_MEMBERS)
		MUST(elements_n == (json_is_object(0) ? json_count(0) : 0));
	else if (cut == JSON_CUT_RESULT && json_is_array(result))
		MUST(elements_n == json_count(result));
}

int fuzz_json(const uint8_t *p, size_t n)
{
	struct fuzz_input in = {p, n};
	enum json_cut cut = (enum json_cut)(fuzz_take(&in) % (JSON_CUT_MEMBERS + 1));
	unsigned seed = fuzz_take(&in);
	char *text = malloc(in.n ? in.n : 1); /* no NUL behind it */
	struct err e = {0};
	long elements_n = 0;
	size_t offset;
	bool is_json;

	for (int way = 0; way < FUZZ_WAYS; way++) {
		elements_n = split(in, cut, fuzz_way(way, seed), way);
		fuzz_tell_same(way);
	}
	MUST(text);
	if (in.n)
		memcpy(text, in.p, in.n);
	is_json = json_check(text, in.n, &offset) == JSON_DONE;
	MUST(offset <= in.n && (!is_json || offset == in.n));
	MUST(is_json || elements_n < 0);
	if (json_parse(text, in.n, &e)) {
		fuzz_check_err(&e);
		MUST(!is_json || e.kind == ERR_LIMIT);
		MUST(!json_is_object(0) && json_get(0, "result") == JSON_NONE);
	} else {
		MUST(is_json);
		check_value(0, 0, in.n);
		MUST(json_next(0) == JSON_NONE);
		check_cut(cut, elements_n);
	}
	free(text);
	return 0;
}
