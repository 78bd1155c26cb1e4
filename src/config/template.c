#include "config/template.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define VARIABLE_CAP 128
#define ARGUMENTS_MAX 4
#define DEPTH_MAX 16 /* of if within if */

/* A text in the template or in the environment; of 0 and false it is not "" that is false. */
struct operand {
	const char *p;
	size_t n;
	bool is_true;
};

/* An if that is not ended yet. */
struct branch {
	bool is_outer;     /* what is around it is put out */
	bool was_chosen;   /* one of its branches was, or is */
	bool has_else;     /* the last one is under way */
	bool was_string;   /* it stands within a JSON string */
	bool is_string;    /* that is so behind the branch that was chosen */
	const char *start; /* for messages */
};

struct expansion {
	struct buf *out;
	const char *p; /* the next byte */
	bool in_string;
	bool is_on;  /* the text here is put out */
	size_t kept; /* bytes of out that trimming leaves alone */
	size_t depth;
	struct branch branches[DEPTH_MAX];
};

static void skip_space(struct expansion *t)
{
	t->p += strspn(t->p, " \t\r\n");
}

static bool take(struct expansion *t, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(t->p, text, n) != 0)
		return false;
	t->p += n;
	return true;
}

/* The bytes of a name or a number. */
static size_t word_len(const char *p)
{
	return strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* A word that ends here. */
static bool take_word(struct expansion *t, const char *word)
{
	size_t n = strlen(word);

	return word_len(t->p) == n && take(t, word);
}

static bool at_end(const struct expansion *t)
{
	return strncmp(t->p + (*t->p == '-'), "}}", 2) == 0;
}

/* ---- values ---- */

static struct operand operand_of(const char *p, size_t n, bool is_true)
{
	return (struct operand){p, n, is_true};
}

static bool take_variable(struct expansion *t, struct operand *o)
{
	char name[VARIABLE_CAP];
	size_t n = word_len(t->p);
	const char *value;

	if (str_copy_n(name, sizeof name, t->p, n))
		return false;
	t->p += n;
	value = getenv(name);
	if (!value)
		value = "";
	*o = operand_of(value, strlen(value), *value);
	return true;
}

/*
 * Within a string the file may escape the quotes; anywhere else a text with a quote in it would
 * begin one behind our back.
 */
static bool take_text(struct expansion *t, struct operand *o)
{
	const char *quote = *t->p == '`' ? "`" : *t->p == '"' ? "\"" : "\\\"", *end;

	if (!take(t, quote) || (quote[1] && !t->in_string))
		return false;
	end = str_find(t->p, quote);
	if (!end)
		return false;
	*o = operand_of(t->p, (size_t)(end - t->p), end > t->p);
	t->p = end + strlen(quote);
	return true;
}

/* "true", "false" or a number, as it stands. */
static bool take_plain(struct expansion *t, struct operand *o)
{
	const char *start = t->p;
	bool is_true = *start == 't';

	if (!take_word(t, "true") && !take_word(t, "false")) {
		t->p += *start == '-';
		if (*t->p < '0' || *t->p > '9')
			return false;
		t->p += strspn(t->p, "0123456789.");
		is_true = strspn(start, "-0.") < (size_t)(t->p - start);
	}
	*o = operand_of(start, (size_t)(t->p - start), is_true);
	return true;
}

static bool take_operand(struct expansion *t, struct operand *o)
{
	if (*t->p == '.' && word_len(t->p + 1)) {
		t->p++;
		return take_variable(t, o);
	}
	return strchr("\"`\\", *t->p) ? take_text(t, o) : take_plain(t, o);
}

/* ---- what is done with them ---- */

enum function { NO_FUNCTION, DEFAULT, AND, OR, NOT, EQ, NE, FUNCTIONS };

static enum function take_function(struct expansion *t)
{
	static const char names[FUNCTIONS][8] = {"", "default", "and", "or", "not", "eq", "ne"};
	int f = FUNCTIONS - 1;

	while (f && !take_word(t, names[f]))
		f--;
	return (enum function)f;
}

static bool is_same(const struct operand *a, const struct operand *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* The argument that it chooses, or, from NOT on, whether it is so. */
static size_t choose(enum function f, const struct operand *a)
{
	switch (f) {
	case DEFAULT: return a[1].is_true || !a[0].n;
	case AND: return a[0].is_true;
	case OR:
	case NOT: return !a[0].is_true;
	case EQ: return is_same(&a[0], &a[1]);
	case NE: return !is_same(&a[0], &a[1]);
	default: return 0;
	}
}

static bool apply(enum function f, const struct operand *a, size_t n, struct operand *o)
{
	if (n != (f == NO_FUNCTION || f == NOT ? 1 : 2))
		return false;
	n = choose(f, a);
	if (f < NOT)
		*o = a[n];
	else
		*o = n ? operand_of("true", 4, true) : operand_of("false", 5, false);
	return true;
}

/* "FUNCTION ARGUMENT... | FUNCTION ARGUMENT...": a value is the last argument of the next one. */
static bool take_pipeline(struct expansion *t, struct operand *o)
{
	bool has_value = false;

	do {
		struct operand arguments[ARGUMENTS_MAX];
		enum function f;
		size_t n = 0;

		skip_space(t);
		f = take_function(t);
		for (skip_space(t); !at_end(t) && *t->p != '|'; skip_space(t))
			if (n == ARGUMENTS_MAX - 1 || !take_operand(t, &arguments[n++]))
				return false;
		if (has_value)
			arguments[n++] = *o;
		if ((has_value && f == NO_FUNCTION) || !apply(f, arguments, n, o))
			return false;
		has_value = true;
	} while (take(t, "|"));
	return true;
}

static void put_value(struct expansion *t, const struct operand *o)
{
	if (t->is_on && t->in_string)
		buf_json_text(t->out, o->p, o->n);
	else if (t->is_on)
		buf_add(t->out, o->p, o->n);
}

/* ---- branches ---- */

static bool begin_if(struct expansion *t, const char *start)
{
	struct branch *b = &t->branches[t->depth];
	struct operand o;

	if (t->depth == DEPTH_MAX || !take_pipeline(t, &o))
		return false;
	*b = (struct branch){t->is_on, o.is_true, false, t->in_string, t->in_string, start};
	t->is_on = t->is_on && o.is_true;
	t->depth++;
	return true;
}

/* The branch that is under way ends. */
static struct branch *end_branch(struct expansion *t)
{
	struct branch *b = &t->branches[t->depth - 1];

	if (t->is_on || !b->was_chosen)
		b->is_string = t->is_on ? t->in_string : b->was_string;
	return b;
}

static bool begin_else(struct expansion *t)
{
	struct operand o = {.is_true = true};
	struct branch *b;

	if (!t->depth || t->branches[t->depth - 1].has_else)
		return false;
	b = end_branch(t);
	t->in_string = b->was_string;
	skip_space(t);
	b->has_else = !take_word(t, "if");
	if (!b->has_else && !take_pipeline(t, &o))
		return false;
	t->is_on = b->is_outer && !b->was_chosen && o.is_true;
	b->was_chosen = b->was_chosen || o.is_true;
	return true;
}

static bool end_if(struct expansion *t)
{
	struct branch *b;

	if (!t->depth)
		return false;
	b = end_branch(t);
	t->in_string = b->is_string;
	t->is_on = b->is_outer;
	t->depth--;
	return true;
}

/* ---- all of it ---- */

static bool take_comment(struct expansion *t)
{
	t->p = str_find(t->p, "*/");
	t->p = t->p ? t->p + 2 : "";
	return true;
}

static bool take_action(struct expansion *t, const char *start)
{
	struct operand o;

	if (take(t, "/*"))
		return take_comment(t);
	if (take_word(t, "if"))
		return begin_if(t, start);
	if (take_word(t, "else"))
		return begin_else(t);
	if (take_word(t, "end"))
		return end_if(t);
	if (!take_pipeline(t, &o))
		return false;
	put_value(t, &o);
	return true;
}

static void trim(struct expansion *t)
{
	struct buf *out = t->out;

	while (out->len > t->kept && strchr(" \t\r\n", out->p[out->len - 1]))
		out->p[--out->len] = '\0';
}

/* The template behind "{{", which is at start. */
static bool expand_one(struct expansion *t, const char *start)
{
	bool is_trimmed;

	if (*t->p == '-' && t->p[1] && strchr(" \t\r\n", t->p[1])) {
		t->p++;
		trim(t);
	}
	skip_space(t);
	if (!take_action(t, start))
		return false;
	skip_space(t);
	t->kept = t->out->len;
	is_trimmed = take(t, "-");
	if (!take(t, "}}"))
		return false;
	if (is_trimmed)
		skip_space(t);
	return true;
}

/* A byte of the text, two of an escape. */
static void take_byte(struct expansion *t)
{
	size_t n = t->in_string && t->p[0] == '\\' && t->p[1] ? 2 : 1;

	if (*t->p == '"')
		t->in_string = !t->in_string;
	if (t->is_on)
		buf_add(t->out, t->p, n);
	t->p += n;
}

static int complain(const char *text, const char *at, const char *what, struct err *e)
{
	unsigned line, column;

	json_position(text, (size_t)(at - text), &line, &column);
	return err_set(e, ERR_CONFIG, "line %u, column %u: %s", line, column, what);
}

int template_expand(struct buf *out, const char *text, struct err *e)
{
	struct expansion t = {.out = out, .p = text, .is_on = true};

	while (*t.p) {
		const char *start = t.p;

		if (!take(&t, "{{"))
			take_byte(&t);
		else if (!expand_one(&t, start))
			return complain(text, start,
					"only {{ .NAME }}, {{ .NAME | default \"text\" }}, if, "
					"else, end, eq, ne, not, and, or are understood",
					e);
	}
	if (t.depth)
		return complain(text, t.branches[t.depth - 1].start, "this if has no end", e);
	if (!buf_ok(out))
		return err_set(e, ERR_LIMIT, "longer than %zu bytes with its variables", out->cap);
	return 0;
}
