/*
 * Log lines on stderr: one event, one line, one write(2). Text for people, logfmt or JSON for
 * machines. Secrets (base/secret.h) are masked in every field, whoever put them there.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LOG_LINE_MAX 4096 /* bytes of one line; a longer one loses its last fields */
#define LOG_PATIENCE_MS 100

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_LOGFMT, LOG_JSON, LOG_FORMATS };

/* Lines below level are dropped. LOG_AUTO: text when stderr is a terminal, else logfmt. */
void log_setup(enum log_format format, enum log_level level);

/*
 * From now on a line for which there is no room, since nobody reads what is there, is dropped: the
 * work of who stays for years does not wait for a reader.
 */
void log_drop_unread(void);

bool log_is_on(enum log_level level);

/*
 * Write one line. A full or closed stderr is not an error of ours.
 *   fields  what belongs to it, with a space between: "name=%s in_ms=%lld"; %s, %d, %u, %zu and
 *           %lld alone. A %s that is NULL is left out, with its name
 */
void log_event(enum log_level level, const char *message, const char *fields, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Write one line to stderr as it is, whatever the format and the level: for a user who asked for
 * something wrong. It is clean (base/utf8.h); a line past LOG_LINE_MAX is cut.
 */
void log_plain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The names that --log-level and --log-format take; "" ends them. */
#define LOG_NAME_CAP 7
extern const char log_level_names[LOG_LEVELS + 1][LOG_NAME_CAP],
	log_format_names[LOG_FORMATS + 1][LOG_NAME_CAP];

#endif
