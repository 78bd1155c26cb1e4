#include <string.h>

#include "base/json.h"

void json_split_init(struct json_split *s, enum json_cut cut, json_element_fn *element, void *ctx,
		     char *element_buf, char *rest)
{
	*s = (struct json_split){
		.cut = cut,
		.element = element,
		.ctx = ctx,
		.element_buf = element_buf,
		.rest = rest,
	};
	json_scan_init(&s->scan);
	rest[0] = '\0';
}

/* Note the names of the members under way, as far as is_cut_place() looks at them. */
static void follow_name(struct json_split *s, bool was_in_name, char c)
{
	unsigned i = s->scan.depth - 1u;

	if (i > 1 || !json_scan_in_name(&s->scan))
		return;
	if (!was_in_name) {
		s->name_len[i] = 0;
	} else if (s->name_len[i] < sizeof s->name[i] - 1) {
		s->name[i][s->name_len[i]++] = c;
	}
	s->name[i][s->name_len[i]] = '\0';
}

/* A '[' was just read where a value may be, or anything else: does what is cut begin with it? */
static bool is_cut_place(const struct json_split *s, bool is_array)
{
	const unsigned root_is_object = s->scan.objects & 1;
	const unsigned result_is_object = s->scan.objects & 2;

	if (s->cut == JSON_CUT_MEMBERS)
		return s->scan.depth == 1 && root_is_object && !s->has_cut;
	if (!is_array)
		return false;
	switch (s->cut) {
	case JSON_CUT_ROOT: return s->scan.depth == 1;
	case JSON_CUT_RESULT:
		return s->scan.depth == 2 && root_is_object && strcmp(s->name[0], "result") == 0;
	case JSON_CUT_RESULT_LISTS:
		return s->scan.depth == 3 && root_is_object && result_is_object &&
		       strcmp(s->name[0], "result") == 0;
	case JSON_CUT_MEMBERS:
	case JSON_CUT_NONE:
	default: return false;
	}
}

static int keep_rest(struct json_split *s, char c, struct err *e)
{
	if (s->rest_len == JSON_REST_MAX)
		return err_set(e, ERR_LIMIT, "more than %d bytes of JSON around the list",
			       JSON_REST_MAX);
	s->rest[s->rest_len++] = c;
	s->rest[s->rest_len] = '\0';
	return 0;
}

static int give_element(struct json_split *s, struct err *e)
{
	size_t len = s->element_len;

	if (!len)
		return 0;
	s->element_len = 0;
	if (s->cut == JSON_CUT_MEMBERS)
		s->element_buf[len++] = '}';
	s->element_buf[len] = '\0';
	return s->element(s->ctx, s->cut == JSON_CUT_RESULT_LISTS ? s->name[1] : "", s->element_buf,
			  len, e);
}

static int take_in_cut(struct json_split *s, char c, struct err *e)
{
	const size_t is_member = s->cut == JSON_CUT_MEMBERS;

	if (s->scan.depth < s->cut_depth) {
		s->is_cutting = false;
		return give_element(s, e) ? -1 : keep_rest(s, c, e);
	}
	if (s->scan.depth == s->cut_depth && c == ',' &&
	    (json_scan_wants_value(&s->scan) || json_scan_wants_member(&s->scan)))
		return give_element(s, e);
	if (!s->element_len && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
		return 0;
	if (is_member && !s->element_len)
		s->element_buf[s->element_len++] = '{';
	if (s->element_len == JSON_ELEMENT_MAX - is_member) /* '}' finds room */
		return s->takes_long ? 0
				     : err_set(e, ERR_LIMIT,
					       "an element of the list is longer than %d bytes",
					       JSON_ELEMENT_MAX);
	s->element_buf[s->element_len++] = c;
	return 0;
}

static int take_outside(struct json_split *s, bool was_in_name, char c, struct err *e)
{
	follow_name(s, was_in_name, c);
	if (is_cut_place(s, c == '[' && json_scan_wants_value(&s->scan))) {
		/* Twice the same member would mean two truths. */
		if (s->has_cut && s->cut == JSON_CUT_RESULT)
			return err_set(e, ERR_PROTO, "\"result\" stands twice in the JSON");
		s->has_cut = true;
		s->is_cutting = true;
		s->cut_depth = s->scan.depth;
	}
	return keep_rest(s, c, e);
}

int json_split_feed(struct json_split *s, const char *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		bool was_in_name = json_scan_in_name(&s->scan);

		if (json_scan_byte(&s->scan, p[i]) == JSON_BAD)
			return err_set(e, ERR_PROTO, "not JSON");
		if (s->is_cutting ? take_in_cut(s, p[i], e) : take_outside(s, was_in_name, p[i], e))
			return -1;
	}
	return 0;
}

int json_split_end(struct json_split *s, struct err *e)
{
	if (json_scan_end(&s->scan) != JSON_DONE)
		return err_set(e, ERR_PROTO, "the JSON is cut off");
	return 0;
}
