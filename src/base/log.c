#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/str.h"

const char *const log_level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn",
	[LOG_ERROR] = "error", [LOG_LEVELS] = NULL,
};

const char *const log_format_names[] = {
	[LOG_AUTO] = "auto", [LOG_TEXT] = "text",  [LOG_LOGFMT] = "logfmt",
	[LOG_JSON] = "json", [LOG_FORMATS] = NULL,
};

#define PREFIX_MIN 8

static enum log_format log_format = LOG_LOGFMT;
static enum log_level log_level = LOG_INFO;
/* Masking "a" everywhere would eat the log, and hide nothing; the mask must not be longer. */
#define SECRET_MIN 4

static const char *secrets[LOG_SECRETS_MAX];
static size_t secrets_n;

void log_setup(enum log_format format, enum log_level level)
{
	if (format == LOG_AUTO)
		format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_LOGFMT;
	log_format = format;
	log_level = level;
}

bool log_is_on(enum log_level level)
{
	return level >= log_level;
}

int log_add_secret(const char *s)
{
	if (strlen(s) < SECRET_MIN)
		return 0;
	for (size_t i = 0; i < secrets_n; i++)
		if (strcmp(secrets[i], s) == 0)
			return 0;
	if (secrets_n == LOG_SECRETS_MAX)
		return -1;
	secrets[secrets_n++] = s;
	return 0;
}

void log_forget_secrets(void)
{
	secrets_n = 0;
}

/*
 * How many bytes at text are this secret, as it is or with quotes and backslashes escaped. One that
 * was cut off counts from PREFIX_MIN bytes on: messages are cut to their limits.
 */
static size_t match(const char *text, const char *secret, bool is_escaped)
{
	const char *at = text;
	size_t matched_n = 0;

	for (; secret[matched_n]; matched_n++) {
		char c = secret[matched_n];
		size_t len = is_escaped && (c == '"' || c == '\\') ? 2 : 1;

		if ((len == 2 && at[0] != '\\') || at[len - 1] != c)
			return matched_n >= PREFIX_MIN ? (size_t)(at - text) : 0;
		at += len;
	}
	return (size_t)(at - text);
}

static size_t secret_at(const char *text)
{
	size_t longest = 0;

	for (size_t i = 0; i < 2 * secrets_n; i++) {
		size_t len = match(text, secrets[i / 2], i % 2);

		longest = len > longest ? len : longest;
	}
	/* Its storage may have got a shorter text since. */
	return longest < SECRET_MIN ? 0 : longest;
}

void log_mask(struct buf *b)
{
	static const char mask[] = "***"; /* shorter than any secret */
	char *to = b->p;

	for (const char *from = b->p; *from;) {
		const char *end = from + secret_at(from);

		if (end == from) {
			*to++ = *from++;
			continue;
		}
		/* A secret that begins within another goes with it. */
		while (++from < end) {
			size_t len = secret_at(from);

			end = len > (size_t)(end - from) ? from + len : end;
		}
		memcpy(to, mask, sizeof mask - 1);
		to += sizeof mask - 1;
	}
	*to = '\0';
	b->len = (size_t)(to - b->p);
}

static void put_time(struct buf *b)
{
	char text[CLOCK_TEXT_CAP];

	clock_format(clock_wall_sec(), text);
	buf_str(b, text);
}

static bool needs_quotes(const char *s)
{
	if (!*s)
		return true;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == '"' || *s == '=' || *s == 0x7f || *s == '\\')
			return true;
	return false;
}

static void put_value(struct buf *b, const struct log_field *f)
{
	if (!f->text)
		buf_fmt(b, "%lld", (long long)f->number);
	else if (log_format == LOG_JSON || needs_quotes(f->text))
		buf_json_string(b, f->text);
	else
		buf_str(b, f->text);
}

static void put_head(struct buf *b, enum log_level level, const char *message)
{
	if (log_format == LOG_JSON) {
		buf_str(b, "{\"time\":\"");
		put_time(b);
		buf_fmt(b, "\",\"level\":\"%s\",\"msg\":", log_level_names[level]);
		buf_json_string(b, message);
	} else if (log_format == LOG_LOGFMT) {
		buf_str(b, "time=");
		put_time(b);
		buf_fmt(b, " level=%s msg=", log_level_names[level]);
		put_value(b, &(struct log_field){.text = message});
	} else {
		put_time(b);
		buf_fmt(b, " %-5s %s", log_level_names[level], message);
	}
}

static void write_line(const char *p, size_t n)
{
	while (n) {
		ssize_t put = write(STDERR_FILENO, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) /* EPIPE, EAGAIN, ENOSPC: nobody reads; the work matters more */
			return;
		p += put;
		n -= (size_t)put;
	}
}

void log_event(enum log_level level, const char *message, const struct log_field *fields, size_t n)
{
	char storage[LOG_LINE_MAX];
	struct buf b;

	if (!log_is_on(level))
		return;
	/* Two bytes are kept back for the closing brace and the newline. */
	buf_init(&b, storage, sizeof storage - 2);
	put_head(&b, level, message);
	for (size_t i = 0; i < n; i++) {
		size_t mark = b.len;

		if (log_format == LOG_JSON)
			buf_fmt(&b, ",\"%s\":", fields[i].key);
		else
			buf_fmt(&b, " %s=", fields[i].key);
		put_value(&b, &fields[i]);
		if (!buf_ok(&b)) { /* a field is whole or absent */
			b.len = mark;
			b.p[mark] = '\0';
			b.overflow = false;
		}
	}
	log_mask(&b);
	b.cap += 2;
	buf_str(&b, log_format == LOG_JSON ? "}\n" : "\n");
	write_line(b.p, b.len);
}

void log_plain(const char *fmt, ...)
{
	char storage[LOG_LINE_MAX];
	struct buf b;
	va_list ap;

	buf_init(&b, storage, sizeof storage - 1);
	va_start(ap, fmt);
	(void)fmt_textv(b.p, b.cap, fmt, ap);
	va_end(ap);
	b.len = strlen(b.p);
	log_mask(&b);
	b.cap++;
	buf_str(&b, "\n");
	write_line(b.p, b.len);
}
