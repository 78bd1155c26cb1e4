#include "base/fmt.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define NUMBER_CAP 24 /* 2^64 has 20 digits; a sign; zeros of a width up to this */

/* The type of an argument, as the letters before the conversion name it. */
enum length { LENGTH_INT, LENGTH_LONG, LENGTH_LONG_LONG, LENGTH_SIZE };

/* What stands between the % and the conversion. */
struct spec {
	bool is_left;
	bool has_zeros;
	size_t width;
	size_t bytes_max; /* of %s */
	enum length length;
};

struct text {
	fmt_put_fn *put;
	void *ctx;
	va_list ap;
};

static void put_fill(struct text *t, size_t n)
{
	while (n--)
		t->put(t->ctx, " ", 1);
}

static void put_field(struct text *t, const struct spec *s, const char *p, size_t n)
{
	size_t fill = s->width > n ? s->width - n : 0;

	put_fill(t, s->is_left ? 0 : fill);
	t->put(t->ctx, p, n);
	put_fill(t, s->is_left ? fill : 0);
}

static void put_number(struct text *t, const struct spec *s, uint64_t v, bool is_negative,
		       char conv)
{
	const char *digits = conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned base = conv == 'x' || conv == 'X' ? 16 : 10;
	char text[NUMBER_CAP];
	size_t at = sizeof text;

	do {
		text[--at] = digits[v % base];
		v /= base;
	} while (v);
	while (s->has_zeros && at > 1 && sizeof text - at + is_negative < s->width)
		text[--at] = '0';
	if (is_negative)
		text[--at] = '-';
	put_field(t, s, text + at, sizeof text - at);
}

static int64_t take_signed(struct text *t, enum length length)
{
	switch (length) {
	case LENGTH_LONG: return va_arg(t->ap, long);
	case LENGTH_LONG_LONG: return va_arg(t->ap, long long);
	case LENGTH_SIZE: return va_arg(t->ap, ptrdiff_t);
	default: return va_arg(t->ap, int);
	}
}

static uint64_t take_unsigned(struct text *t, enum length length)
{
	switch (length) {
	case LENGTH_LONG: return va_arg(t->ap, unsigned long);
	case LENGTH_LONG_LONG: return va_arg(t->ap, unsigned long long);
	case LENGTH_SIZE: return va_arg(t->ap, size_t);
	default: return va_arg(t->ap, unsigned);
	}
}

static void put_string(struct text *t, const struct spec *s)
{
	const char *p = va_arg(t->ap, const char *);
	size_t n;

	if (!p)
		p = "(null)";
	n = strnlen(p, s->bytes_max);
	put_field(t, s, p, n == s->bytes_max ? utf8_fit(p, n) : n);
}

/* False when the conversion is none of ours: the types of what follows are not known then. */
static bool put_conversion(struct text *t, const struct spec *s, char conv)
{
	int64_t v;

	switch (conv) {
	case '%': t->put(t->ctx, "%", 1); return true;
	case 's': put_string(t, s); return true;
	case 'd':
		v = take_signed(t, s->length);
		put_number(t, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0, conv);
		return true;
	case 'u':
	case 'x':
	case 'X': put_number(t, s, take_unsigned(t, s->length), false, conv); return true;
	default: return false;
	}
}

static const char *read_count(const char *f, size_t *n)
{
	for (*n = 0; *f >= '0' && *f <= '9'; f++)
		*n = *n * 10 + (size_t)(*f - '0');
	return f;
}

static const char *read_precision(struct text *t, const char *f, struct spec *s)
{
	int n;

	if (*f != '*')
		return read_count(f, &s->bytes_max);
	n = va_arg(t->ap, int);
	if (n >= 0)
		s->bytes_max = (size_t)n;
	return f + 1;
}

/* From behind the % to the conversion. */
static const char *read_spec(struct text *t, const char *f, struct spec *s)
{
	*s = (struct spec){.bytes_max = SIZE_MAX};
	for (; *f == '-' || *f == '0'; f++)
		*(*f == '-' ? &s->is_left : &s->has_zeros) = true;
	f = read_count(f, &s->width);
	if (*f == '.')
		f = read_precision(t, f + 1, s);
	while (*f == 'h') /* promoted to int anyway */
		f++;
	for (; *f == 'l'; f++)
		s->length = s->length == LENGTH_LONG ? LENGTH_LONG_LONG : LENGTH_LONG;
	if (*f == 'z') {
		s->length = LENGTH_SIZE;
		f++;
	}
	return f;
}

void fmt_to(fmt_put_fn *put, void *ctx, const char *fmt, va_list ap)
{
	struct text t = {.put = put, .ctx = ctx};
	struct spec spec;

	va_copy(t.ap, ap);
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");
		const char *conv;

		put(ctx, fmt, plain);
		fmt += plain;
		if (!*fmt)
			break;
		conv = read_spec(&t, fmt + 1, &spec);
		if (!put_conversion(&t, &spec, *conv)) {
			put(ctx, fmt, strlen(fmt));
			break;
		}
		fmt = conv + 1;
	}
	va_end(t.ap);
}

struct storage {
	char *p;
	size_t cap;
	size_t len; /* of the whole text */
};

static void store(void *ctx, const char *p, size_t n)
{
	struct storage *s = ctx;
	size_t room = s->len < s->cap ? s->cap - s->len : 0;

	if (room)
		memcpy(s->p + s->len, p, n < room ? n : room);
	s->len += n;
}

size_t fmt_textv(char *out, size_t cap, const char *fmt, va_list ap)
{
	struct storage s = {.p = out, .cap = cap - 1};

	fmt_to(store, &s, fmt, ap);
	out[s.len > s.cap ? utf8_fit(out, s.cap) : s.len] = '\0';
	return s.len;
}

size_t fmt_text(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = fmt_textv(out, cap, fmt, ap);
	va_end(ap);
	return n;
}
