#include "base/err.h"

#include <stdarg.h>
#include <string.h>

#include "base/fmt.h"

static void replace_controls(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s == 0x7f)
			*s = '?';
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	/* The arguments may point into e->text itself. */
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)fmt_textv(text, sizeof text, fmt, ap);
	va_end(ap);
	replace_controls(text);
	e->kind = kind;
	memcpy(e->text, text, sizeof e->text);
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char context[ERR_TEXT_MAX];
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)fmt_textv(context, sizeof context, fmt, ap);
	va_end(ap);
	replace_controls(context);
	(void)fmt_text(text, sizeof text, "%s: %s", context, e->text);
	memcpy(e->text, text, sizeof e->text);
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",   [ERR_RETRY] = "retry",     [ERR_BUSY] = "busy",
		[ERR_PROTO] = "proto", [ERR_LIMIT] = "limit",     [ERR_TLS] = "tls",
		[ERR_AUTH] = "auth",   [ERR_REFUSED] = "refused", [ERR_CONFIG] = "config",
		[ERR_USAGE] = "usage", [ERR_SYS] = "system",
	};
	_Static_assert(sizeof names / sizeof names[0] == ERR_KINDS, "a name for each kind");

	return (unsigned)kind < ERR_KINDS ? names[kind] : "unknown";
}
