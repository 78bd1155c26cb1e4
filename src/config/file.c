#include <string.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/flaw.h"
#include "config/template.h"
#include "config/values.h"

unsigned values_line(const char *text, int value)
{
	unsigned line, column;

	json_position(text, json_offset(value), &line, &column);
	return line;
}

/* Put the place of what is wrong before it, once. */
static int at(const char *text, int value, struct err *e)
{
	unsigned line, column;

	json_position(text, json_offset(value), &line, &column);
	return strncmp(e->text, "line ", 5) == 0 ? -1
						 : err_wrap(e, "line %u, column %u", line, column);
}

/* Among the first n settings, where the command's own go first; n: it is no key of theirs. */
static enum setting find_key(const struct values *v, const char *name, enum setting n)
{
	enum setting s = n == SETTINGS ? values_find_own(name, v->groups) : n;

	if (s < n)
		return s;
	s = 0;
	while (s < n && !(setting(s)->key && !strcmp(name, setting(s)->key)))
		s++;
	return s;
}

/*
 * The texts of a list, with commas between; for a setting of words each with its NUL, and so the
 * members of an object, as NAME=TEXT.
 */
static int list_text(int list, bool is_words, struct buf *b, unsigned *n)
{
	char string[1024];

	for (int i = json_first(list); i != JSON_NONE; i = json_next(i)) {
		if (json_string(i, string, sizeof string))
			return -1;
		buf_fmt(b, "%s%s", *n && !is_words ? "," : "", string);
		if (json_is_object(list)) {
			if (json_string(json_value(i), string, sizeof string))
				return -1;
			buf_fmt(b, "=%s", string);
		}
		buf_add(b, "", is_words);
		++*n;
	}
	return 0;
}

/* A number or boolean as it stands; a string decoded. *n: how many texts of a list */
static int value_text(const char *text, int value, bool is_words, struct buf *b, unsigned *n)
{
	char string[1024];

	if (json_is_array(value) || (is_words && json_is_object(value)))
		return list_text(value, is_words, b, n);
	if (json_string(value, string, sizeof string) == 0) {
		buf_str(b, string);
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
	const struct setting_info *info = setting(s);
	const bool is_words = info->traits.is_words;
	char storage[4096];
	unsigned n = 0;
	struct buf b;

	if (json_is_null(json_value(member)))
		return 0;
	if (slot->origin == ORIGIN_FILE)
		return err_set(e, ERR_CONFIG, "%s stands twice", info->key);
	buf_init(&b, storage, sizeof storage);
	if (value_text(text, json_value(member), is_words, &b, &n) || !buf_ok(&b))
		return err_set(e, ERR_CONFIG, "%s must be a text, a number, true or false",
			       info->key);
	if (!b.len && info->unset)
		buf_str(&b, info->unset);
	if (!b.len && info->traits.is_guard)
		return err_set(e, ERR_CONFIG, "%s is empty: leave it out, or say what it shall be",
			       info->key);
	if (!b.len || slot->text) /* what flag or environment said goes first */
		return 0;
	*slot = (struct value){
		.text = values_keep_n(v, b.p, b.len + 1),
		.origin = ORIGIN_FILE,
		.name = info->key,
		.line = values_line(text, member),
		.words_n = is_words ? n : 0,
	};
	return slot->text
		       ? 0
		       : err_set(e, ERR_CONFIG, "more than %d bytes of settings", CONFIG_TEXT_CAP);
}

/* One of the first n settings. */
static int take_member(struct values *v, const char *text, int member, enum setting n,
		       struct value *slots, struct err *e)
{
	char name[64];
	enum setting s;

	json_label(member, name, sizeof name);
	s = find_key(v, name, n);
	if (s < n)
		return take_value(v, text, member, s, &slots[s], e);
	return err_set(e, ERR_CONFIG, "unknown key \"%s\"%s", name,
		       n == SETTINGS_OF_RECORD ? " in a record" : "");
}

static int take_record(struct values *v, const char *text, int record, struct err *e)
{
	struct value *slots;

	if (!json_is_object(record))
		return err_set(e, ERR_CONFIG, "an entry of \"records\" must be an object");
	if (v->records_n == CONFIG_RECORDS_MAX)
		return err_set(e, ERR_CONFIG, "more than %d records", CONFIG_RECORDS_MAX);
	slots = v->of_record[v->records_n++];
	memset(slots, 0, sizeof v->of_record[0]);
	for (int m = json_first(record); m != JSON_NONE; m = json_next(m))
		if (take_member(v, text, m, SETTINGS_OF_RECORD, slots, e))
			return at(text, m, e);
	return 0;
}

static int take_records(struct values *v, const char *text, int member, struct err *e)
{
	int list = json_value(member);

	v->records_line = values_line(text, member);
	if (!json_count(list) || !json_is_array(list))
		return err_set(e, ERR_CONFIG,
			       "\"records\" must be a list with one record at least");
	for (int r = json_first(list); r != JSON_NONE; r = json_next(r))
		if (take_record(v, text, r, e))
			return at(text, r, e);
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

	for (int m = json_first(0); m != JSON_NONE; m = json_next(m))
		if (json_equals(m, "records") && !v->records_n
			    ? take_records(v, text, m, e)
			    : take_member(v, text, m, SETTINGS, v->of, e))
			return at(text, m, e);
	return 0;
}

/* ---- any file of JSON ---- */

/* Of what is read and of what becomes of it; given back to the system, secrets and all. */
struct scratch {
	char raw[CONFIG_FILE_MAX + 1], text[CONFIG_FILE_MAX + 1];
};

/* scratch->text is what json_parse() was done for, after this. */
static int parse(struct values *v, const char *config, const char *name, struct scratch *scratch,
		 struct err *e)
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
	return json_is_object(0) ? 0 : err_set(e, ERR_CONFIG, "line 1: a JSON object is expected");
}

int values_parse(struct values *v, const char *config, const char *name, values_take_fn *take,
		 void *ctx, struct err *e)
{
	struct scratch *scratch = memory_reserve(sizeof *scratch);
	int rc;

	if (!scratch)
		return err_set(e, ERR_SYS, "no memory to read the configuration");
	rc = parse(v, config, name, scratch, e) || take(ctx, scratch->text, e) ? -1 : 0;
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

int values_from_file(struct values *v, unsigned groups, struct err *e)
{
	const struct value *value = &v->of[SET_CONFIG];
	char flaw[FLAW_CAP], origin[64];
	const char *why;
	bool is_literal;

	if (!value->text)
		return 0;
	v->groups = groups;
	is_literal = value->text[strspn(value->text, " \t\r\n")] == '{';
	why = config_flaw(value, is_literal, flaw);
	if (why) /* What it is set to may hold secrets. */
		return err_set(e, values_err_kind(value), "%s: %s",
			       values_origin(v, value, origin, sizeof origin), why);
	return values_parse(v, value->text, is_literal ? "configuration" : NULL, take_settings, v,
			    e);
}
