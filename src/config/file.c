#include <string.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/flaw.h"
#include "config/template.h"
#include "config/values.h"

static unsigned line_of(const char *text, int value)
{
	unsigned line, column;

	json_position(text, json_offset(value), &line, &column);
	return line;
}

/* Among the first n settings; n: it is no key of theirs. */
static enum setting find_key(int name, enum setting n)
{
	enum setting s = 0;

	while (s < n && !(setting(s)->key && json_equals(name, setting(s)->key)))
		s++;
	return s;
}

/* The texts of a list, or the members of an object as NAME=TEXT, each with its NUL. */
static int words_text(int list, struct buf *b, unsigned *n)
{
	char string[1024];

	for (int i = json_first(list); i != JSON_NONE; i = json_next(i)) {
		if (json_string(i, string, sizeof string))
			return -1;
		buf_str(b, string);
		if (json_is_object(list)) {
			if (json_string(json_value(i), string, sizeof string))
				return -1;
			buf_fmt(b, "=%s", string);
		}
		buf_add(b, "", 1);
		++*n;
	}
	return 0;
}

/*
 * A number or boolean as it stands; a string decoded; a list of strings joined with commas, but for
 * a setting of words.
 */
static int value_text(const char *text, int value, struct buf *b, unsigned *words_n)
{
	char string[1024];

	if (words_n && (json_is_array(value) || json_is_object(value)))
		return words_text(value, b, words_n);

	if (json_string(value, string, sizeof string) == 0) {
		buf_str(b, string);
		return 0;
	}
	if (json_is_array(value)) {
		for (int i = json_first(value); i != JSON_NONE; i = json_next(i)) {
			if (json_string(i, string, sizeof string))
				return -1;
			buf_fmt(b, "%s%s", b->len ? "," : "", string);
		}
		return 0;
	}
	if (json_is_object(value) || json_is_string(value))
		return -1;
	/* A primitive ends where the JSON around it goes on. */
	text += json_offset(value);
	buf_add(b, text, strcspn(text, ",]} \t\r\n"));
	return 0;
}

static int take_value(struct values *v, const char *text, int member, enum setting s,
		      struct value *slot, struct err *e)
{
	bool is_words = setting(s)->traits.is_words;
	char storage[4096];
	unsigned words_n = 0;
	struct buf b;

	if (json_is_null(json_value(member)))
		return 0;
	if (slot->origin == ORIGIN_FILE)
		return err_set(e, ERR_CONFIG, "line %u: %s stands twice", line_of(text, member),
			       setting(s)->key);
	buf_init(&b, storage, sizeof storage);
	if (value_text(text, json_value(member), &b, is_words ? &words_n : NULL) || !buf_ok(&b))
		return err_set(e, ERR_CONFIG, "line %u: %s must be a text, a number, true or false",
			       line_of(text, member), setting(s)->key);
	if (!b.len && setting(s)->unset)
		buf_str(&b, setting(s)->unset);
	if (!b.len && setting(s)->traits.is_guard)
		return err_set(e, ERR_CONFIG,
			       "line %u: %s is empty: leave it out, or say what it "
			       "shall be",
			       line_of(text, member), setting(s)->key);
	if (!b.len || slot->text) /* what flag or environment said goes first */
		return 0;
	slot->text = values_keep_n(v, b.p, b.len + 1);
	if (!slot->text)
		return err_set(e, ERR_CONFIG, "line %u: more than %d bytes of settings",
			       line_of(text, member), CONFIG_TEXT_CAP);
	slot->origin = ORIGIN_FILE;
	slot->words_n = words_n;
	slot->name = setting(s)->key;
	slot->line = line_of(text, member);
	return 0;
}

static int unknown_key(const char *text, int member, const char *where, struct err *e)
{
	unsigned line, column;
	char name[64];

	json_position(text, json_offset(member), &line, &column);
	if (json_string(member, name, sizeof name))
		(void)fmt_text(name, sizeof name, "a long one");
	return err_set(e, ERR_CONFIG, "line %u, column %u: unknown key \"%s\"%s", line, column,
		       name, where);
}

static int take_record(struct values *v, const char *text, int record, struct err *e)
{
	struct value *slots;

	if (!json_is_object(record))
		return err_set(e, ERR_CONFIG, "line %u: an entry of \"records\" must be an object",
			       line_of(text, record));
	if (v->records_n == CONFIG_RECORDS_MAX)
		return err_set(e, ERR_CONFIG, "line %u: more than %d records",
			       line_of(text, record), CONFIG_RECORDS_MAX);
	slots = v->of_record[v->records_n];
	memset(slots, 0, sizeof v->of_record[0]);
	for (int m = json_first(record); m != JSON_NONE; m = json_next(m)) {
		enum setting s = find_key(m, SETTINGS_OF_RECORD);

		if (s == SETTINGS_OF_RECORD)
			return unknown_key(text, m, " in a record", e);
		if (take_value(v, text, m, s, &slots[s], e))
			return -1;
	}
	v->records_n++;
	return 0;
}

static int take_records(struct values *v, const char *text, int member, struct err *e)
{
	int list = json_value(member);

	v->records_line = line_of(text, member);
	if (!json_count(list) || !json_is_array(list))
		return err_set(e, ERR_CONFIG,
			       "line %u: \"records\" must be a list with one record "
			       "at least",
			       v->records_line);
	for (int r = json_first(list); r != JSON_NONE; r = json_next(r))
		if (take_record(v, text, r, e))
			return -1;
	return 0;
}

/* What is at the byte where it is not JSON, of what people write there. */
static int tell_syntax(const char *text, size_t len, struct err *e)
{
	const char *what = "";
	char flaw[FLAW_CAP] = "";
	size_t at = 0, before;

	(void)json_check(text, len, &at);
	for (before = at; before && strchr(" \t\r\n", text[before - 1]);)
		before--;
	if (text[at] == '#' || text[at] == '/')
		what = "JSON has no comments";
	else if (before && text[before - 1] == ',')
		what = "the comma before it is one too many";
	else if (at < len && flaw_name(text + at, flaw))
		what = flaw;
	return *what ? err_set(e, e->kind, "%s: %s", e->text, what) : -1;
}

static int take_settings(void *ctx, const char *text, struct err *e)
{
	struct values *v = ctx;

	for (int m = json_first(0); m != JSON_NONE; m = json_next(m)) {
		enum setting s = find_key(m, SETTINGS);

		if (json_equals(m, "records") && !v->records_n) {
			if (take_records(v, text, m, e))
				return -1;
		} else if (s == SETTINGS) {
			return unknown_key(text, m, "", e);
		} else if (take_value(v, text, m, s, &v->of[s], e)) {
			return -1;
		}
	}
	return 0;
}

/* ---- any file of JSON ---- */

/* Of what is read and of what becomes of it; given back to the system, secrets and all. */
struct scratch {
	char raw[CONFIG_FILE_MAX + 1], text[CONFIG_FILE_MAX + 1];
};

static int parse(struct values *v, const char *config, const char *name, values_take_fn *take,
		 void *ctx, struct scratch *scratch, struct err *e)
{
	struct buf b;

	v->file = name ? name : strncmp(config, "file://", 7) == 0 ? config + 7 : config;
	if (!name && values_read_file(v, v->file, scratch->raw, sizeof scratch->raw, e))
		return -1;
	buf_init(&b, scratch->text, sizeof scratch->text);
	if (template_expand(&b, name ? config : scratch->raw, e))
		return -1;
	if (json_parse(b.p, b.len, e))
		return tell_syntax(b.p, b.len, e);
	if (!json_is_object(0))
		return err_set(e, ERR_CONFIG, "line 1: a JSON object is expected");
	return take(ctx, b.p, e);
}

int values_parse(struct values *v, const char *config, const char *name, values_take_fn *take,
		 void *ctx, struct err *e)
{
	struct scratch *scratch = memory_reserve(sizeof *scratch);
	int rc;

	if (!scratch)
		return err_set(e, ERR_SYS, "no memory to read the configuration");
	rc = parse(v, config, name, take, ctx, scratch, e);
	memory_release(scratch, sizeof *scratch);
	if (rc)
		e->kind = ERR_CONFIG;
	return rc ? err_wrap(e, "%s", v->file) : 0;
}

/* ---- ours ---- */

/* Why it is neither a path nor, where that is fine, a JSON object; NULL: it is one. */
static const char *config_flaw(const struct value *value, bool is_literal, char flaw[FLAW_CAP])
{
	if (is_literal && value->origin == ORIGIN_FLAG)
		return "a path is wanted, for everybody can see arguments: a JSON object goes into "
		       "DNSBUDDY_CONFIG";
	if (!is_literal && flaw_find(value->text, false, flaw))
		return flaw;
	if (!is_literal && strpbrk(value->text, "{\""))
		return "neither a path nor a JSON object: it has to begin with {";
	return NULL;
}

int values_from_file(struct values *v, struct err *e)
{
	const struct value *value = &v->of[SET_CONFIG];
	char flaw[FLAW_CAP], origin[64];
	const char *why;
	bool is_literal;

	if (!value->text)
		return 0;
	is_literal = value->text[strspn(value->text, " \t\r\n")] == '{';
	why = config_flaw(value, is_literal, flaw);
	if (why) /* What it is set to may hold secrets. */
		return err_set(e, values_err_kind(value), "%s: %s",
			       values_origin(v, value, origin, sizeof origin), why);
	return values_parse(v, value->text, is_literal ? "configuration" : NULL, take_settings, v,
			    e);
}
