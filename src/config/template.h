/*
 * Templates in a configuration file, replaced from the environment as Containerbuddy does by Go's
 * text/template, as far as they are of use there:
 *   {{ .NAME }}, {{ .NAME | default "text" }}, {{ default "text" .NAME }}
 *   {{ if .NAME }} ... {{ else if eq .NAME "text" }} ... {{ else }} ... {{ end }}
 * with eq, ne, not, and, or, comments, and the trimming of "{{- " and " -}}". But for two things: a
 * value keeps everything after a second '=', and inside a JSON string it is escaped, so that no
 * value can break out of its string.
 */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Append text to out with its templates replaced; a variable that is not set gives "".
 *   e  ERR_CONFIG: another template than these, with line and column; ERR_LIMIT: out is full
 */
int template_expand(struct buf *out, const char *text, struct err *e)
	__attribute__((warn_unused_result));

#endif
