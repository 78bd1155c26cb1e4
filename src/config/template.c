#include "config/template.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define VARIABLE_CAP 128
#define DEFAULT_CAP 1024

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static bool is_name_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* ".NAME" at *p, which moves past it. */
static bool take_variable(const char **p, char name[VARIABLE_CAP])
{
	const char *start;

	if (**p != '.')
		return false;
	start = ++*p;
	while (is_name_byte(**p))
		++*p;
	return *p > start && str_copy_n(name, VARIABLE_CAP, start, (size_t)(*p - start)) == 0;
}

/*
 * '| default "text"' at *p, which moves past it; absent is fine. Within a string the file escapes
 * the quotes; anywhere else a text with a quote in it would begin one behind our back.
 */
static bool take_default(const char **p, char text[DEFAULT_CAP], bool in_string)
{
	const char *end, *quote = "\"";

	text[0] = '\0';
	if (**p != '|')
		return true;
	*p = skip_space(*p + 1);
	if (strncmp(*p, "default", 7) != 0)
		return false;
	*p = skip_space(*p + 7);
	if (in_string && strncmp(*p, "\\\"", 2) == 0)
		quote = "\\\"";
	else if (**p != '"')
		return false;
	*p += strlen(quote);
	end = str_find(*p, quote);
	if (!end || str_copy_n(text, DEFAULT_CAP, *p, (size_t)(end - *p)))
		return false;
	*p = skip_space(end + strlen(quote));
	return true;
}

static void put_value(struct buf *out, const char *value, bool in_string)
{
	size_t mark = out->len;

	if (!in_string) {
		buf_str(out, value);
		return;
	}
	buf_json_string(out, value);
	if (!buf_ok(out))
		return;
	/* The text around it brings the quotes. */
	memmove(out->p + mark, out->p + mark + 1, out->len - mark - 2);
	out->len -= 2;
	out->p[out->len] = '\0';
}

/* The template that starts at p. Returns the byte after it, or NULL. */
static const char *expand_one(struct buf *out, const char *p, bool in_string)
{
	char name[VARIABLE_CAP], initial[DEFAULT_CAP];
	const char *value;

	p = skip_space(p + 2);
	if (!take_variable(&p, name))
		return NULL;
	p = skip_space(p);
	if (!take_default(&p, initial, in_string) || strncmp(p, "}}", 2) != 0)
		return NULL;
	value = getenv(name);
	put_value(out, value && *value ? value : initial, in_string);
	return p + 2;
}

int template_expand(struct buf *out, const char *text, struct err *e)
{
	bool in_string = false;

	for (const char *p = text; *p;) {
		unsigned line, column;
		const char *end;

		if (p[0] == '{' && p[1] == '{') {
			end = expand_one(out, p, in_string);
			if (!end) {
				json_position(text, (size_t)(p - text), &line, &column);
				return err_set(e, ERR_CONFIG,
					       "line %u, column %u: only "
					       "{{ .NAME }} and {{ .NAME | default \"text\" }} are "
					       "understood",
					       line, column);
			}
			p = end;
			continue;
		}
		if (*p == '"')
			in_string = !in_string;
		else if (*p == '\\' && in_string && p[1])
			buf_add(out, p++, 1);
		buf_add(out, p++, 1);
	}
	if (!buf_ok(out))
		return err_set(e, ERR_LIMIT, "longer than %zu bytes with its variables", out->cap);
	return 0;
}
