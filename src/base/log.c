#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/utf8.h"

const char log_level_names[LOG_LEVELS + 1][LOG_NAME_CAP] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

const char log_format_names[LOG_FORMATS + 1][LOG_NAME_CAP] = {
	[LOG_AUTO] = "auto",
	[LOG_TEXT] = "text",
	[LOG_LOGFMT] = "logfmt",
	[LOG_JSON] = "json",
};

static enum log_format log_format = LOG_LOGFMT;
static enum log_level log_level = LOG_INFO;
static bool drops_unread, was_unread;

void log_setup(enum log_format format, enum log_level level)
{
	if (format == LOG_AUTO)
		format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_LOGFMT;
	log_format = format;
	log_level = level;
}

void log_drop_unread(void)
{
	drops_unread = true;
}

bool log_is_on(enum log_level level)
{
	return level >= log_level;
}

static void put_time(struct buf *b)
{
	char text[CLOCK_TEXT_CAP];

	clock_format(clock_wall_sec(), text);
	buf_str(b, text);
}

static bool needs_quotes(const char *s)
{
	uint32_t c = ' ';

	if (!*s || strpbrk(s, " \"=\\"))
		return true;
	while (*s && !utf8_is_harmful(c))
		s += utf8_read(s, &c);
	return utf8_is_harmful(c);
}

static void put_text(struct buf *b, const char *s)
{
	char text[LOG_LINE_MAX];

	if (str_copy(text, sizeof text, s)) {
		b->overflow = true;
		return;
	}
	/* Before it is quoted: of the line a secret that holds a quote could take more. */
	secret_mask(text);
	if (log_format == LOG_JSON || needs_quotes(text))
		buf_json_string(b, text);
	else
		buf_str(b, text);
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
		put_text(b, message);
	} else {
		put_time(b);
		buf_fmt(b, " %-5s %s", log_level_names[level], message);
	}
}

/*
 * A pipe that can be written to takes PIPE_BUF bytes, a whole line, without waiting. Who is slow is
 * waited for a little, until he was too slow once.
 */
_Static_assert(LOG_LINE_MAX <= 4096, "a line fits into what poll(2) promises of a pipe");

static bool has_room(void)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};

	was_unread = poll(&fd, 1, was_unread ? 0 : LOG_PATIENCE_MS) == 0;
	return !was_unread;
}

static void write_line(const char *p, size_t n)
{
	if (drops_unread && !has_room())
		return;
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

/* A number of the type that stands behind the %. */
static long long take_number(const char *type, va_list *ap)
{
	switch (*type) {
	case 'l': return va_arg(*ap, long long);
	case 'z': return (long long)va_arg(*ap, size_t);
	case 'u': return va_arg(*ap, unsigned);
	default: return va_arg(*ap, int);
	}
}

/* The field at f, "name=%s", and its value. */
static void put_field(struct buf *b, const char *f, va_list *ap)
{
	int name_len = (int)strcspn(f, "=");
	const char *type = f + name_len + 2,
		   *text = *type == 's' ? va_arg(*ap, const char *) : NULL;
	size_t mark = b->len;

	if (*type == 's' && !text)
		return;
	buf_fmt(b, log_format == LOG_JSON ? ",\"%.*s\":" : " %.*s=", name_len, f);
	if (text)
		put_text(b, text);
	else
		buf_fmt(b, "%lld", take_number(type, ap));
	if (!buf_ok(b)) /* a field is whole or absent */
		buf_cut(b, mark);
}

void log_event(enum log_level level, const char *message, const char *fields, ...)
{
	char storage[LOG_LINE_MAX];
	struct buf b;
	va_list ap;

	if (!log_is_on(level))
		return;
	/* Two bytes are kept back for the closing brace and the newline. */
	buf_init(&b, storage, sizeof storage - 2);
	put_head(&b, level, message);
	va_start(ap, fields);
	for (const char *f = fields; *f; f += strspn(f, " ")) {
		put_field(&b, f, &ap);
		f += strcspn(f, " ");
	}
	va_end(ap);
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
	secret_clean(b.p);
	b.len = strlen(b.p);
	b.cap++;
	buf_str(&b, "\n");
	write_line(b.p, b.len);
}
