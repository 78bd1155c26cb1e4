#include "base/err.h"

#include <stdarg.h>
#include <string.h>

#include "base/fmt.h"
#include "base/secret.h"

/* A text that is cut to its limit later than it is masked. */
#define WIDE (2 * ERR_TEXT_MAX)

static void take(struct err *e, char text[WIDE])
{
	secret_clean(text);
	(void)fmt_text(e->text, sizeof e->text, "%s", text);
}

void err_put(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	/* The arguments may point into e->text itself. */
	char text[WIDE];
	va_list ap;

	va_start(ap, fmt);
	(void)fmt_textv(text, sizeof text, fmt, ap);
	va_end(ap);
	e->kind = kind;
	take(e, text);
}

void err_put_before(struct err *e, const char *fmt, ...)
{
	char text[WIDE];
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	(void)fmt_textv(text, ERR_TEXT_MAX, fmt, ap);
	va_end(ap);
	n = strlen(text);
	(void)fmt_text(text + n, sizeof text - n, ": %s", e->text);
	take(e, text);
}

const char *err_kind_name(enum err_kind kind)
{
	static const char names[][8] = {
		[ERR_NONE] = "none",   [ERR_RETRY] = "retry",     [ERR_BUSY] = "busy",
		[ERR_PROTO] = "proto", [ERR_LIMIT] = "limit",     [ERR_TLS] = "tls",
		[ERR_AUTH] = "auth",   [ERR_REFUSED] = "refused", [ERR_CONFIG] = "config",
		[ERR_USAGE] = "usage", [ERR_SYS] = "system",
	};
	_Static_assert(sizeof names / sizeof names[0] == ERR_KINDS, "a name for each kind");

	return (unsigned)kind < ERR_KINDS ? names[kind] : "unknown";
}
