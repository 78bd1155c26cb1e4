#include "core/idn.h"

#include "base/utf8.h"
#include "core/name.h"

/* ---- characters ---- */

#define EVEN 1 /* capital letters are even, their small ones come next */
#define ODD 2  /* the same with odd ones */

/* What may be in a name, and what is to be added to make it small, modulo 65536. */
static const struct range {
	uint16_t first, last;
	int16_t add;
} ranges[] = {
	/* Latin */
	{0xc0, 0xd6, 32},
	{0xd8, 0xde, 32},
	{0xdf, 0xf6, 0},
	{0xf8, 0xff, 0},
	{0x100, 0x12f, EVEN},
	{0x131, 0x131, 0},
	{0x134, 0x137, EVEN},
	{0x139, 0x13e, ODD},
	{0x141, 0x148, ODD},
	{0x14a, 0x177, EVEN},
	{0x178, 0x178, -121},
	{0x179, 0x17e, ODD},
	{0x1a0, 0x1a1, EVEN},
	{0x1af, 0x1b0, ODD},
	{0x218, 0x21b, EVEN},
	{0x1ea0, 0x1ef9, EVEN},
	/* Greek */
	{0x386, 0x386, 38},
	{0x388, 0x38a, 37},
	{0x38c, 0x38c, 64},
	{0x38e, 0x38f, 63},
	{0x390, 0x390, 0},
	{0x391, 0x3a1, 32},
	{0x3a3, 0x3ab, 32},
	{0x3ac, 0x3ce, 0},
	/* Cyrillic */
	{0x400, 0x40f, 80},
	{0x410, 0x42f, 32},
	{0x430, 0x45f, 0},
	{0x48a, 0x4bf, EVEN},
	{0x4d0, 0x52f, EVEN},
	/* Hebrew, Arabic, Devanagari, Thai, Georgian */
	{0x5d0, 0x5ea, 0},
	{0x620, 0x63f, 0},
	{0x641, 0x64a, 0},
	{0x679, 0x6bf, 0},
	{0x6cc, 0x6cc, 0},
	{0x901, 0x939, 0},
	{0x93e, 0x94d, 0},
	{0xe01, 0xe32, 0},
	{0xe34, 0xe3a, 0},
	{0xe40, 0xe4e, 0},
	{0x10d0, 0x10fa, 0},
	/* Kana, Han, Hangul */
	{0x3005, 0x3007, 0},
	{0x3041, 0x3096, 0},
	{0x30a1, 0x30fa, 0},
	{0x30fc, 0x30fc, 0},
	{0x3400, 0x4dbf, 0},
	{0x4e00, 0x9fff, 0},
	{0xac00, 0xd7a3, 0},
	/* Full stops, and ASCII in full width */
	{0x3002, 0x3002, '.' - 0x3002},
	{0xff61, 0xff61, '.' - 0xff61 + 0x10000},
	{0xff0d, 0xff0e, '-' - 0xff0d + 0x10000},
	{0xff10, 0xff19, '0' - 0xff10 + 0x10000},
	{0xff21, 0xff3a, 'a' - 0xff21 + 0x10000},
	{0xff41, 0xff5a, 'a' - 0xff41 + 0x10000},
};

/* 0: it may not be there. */
static uint32_t make_small(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		const struct range *r = &ranges[i];

		if (c < r->first || c > r->last)
			continue;
		if (r->add == EVEN)
			return c | 1;
		if (r->add == ODD)
			return c + (c & 1);
		return (uint16_t)((int)c + r->add);
	}
	return 0;
}

size_t idn_read(uint32_t *points, size_t cap, const char *text, bool keeps_unknown)
{
	size_t n = 0;

	while (*text) {
		uint32_t c, small;

		if (n == cap)
			return cap + 1;
		text += utf8_read(text, &c);
		small = make_small(c);
		if (!small && keeps_unknown && c != UTF8_BAD)
			small = c;
		points[n++] = small;
		if (!small)
			return 0;
	}
	return n;
}

/* ---- Punycode, with the parameters of RFC 3492 section 5 ---- */

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 0x80 };

static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

static uint32_t threshold(uint32_t k, uint32_t bias)
{
	return k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
}

static uint32_t adapt(uint32_t delta, uint32_t n, bool is_first)
{
	uint32_t k = 0;

	delta /= is_first ? DAMP : 2;
	delta += delta / n;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void add_number(struct buf *b, uint32_t n, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = threshold(k, bias);

		if (n < t)
			break;
		buf_add(b, &digits[t + (n - t) % (BASE - t)], 1);
		n = (n - t) / (BASE - t);
	}
	buf_add(b, &digits[n], 1);
}

static size_t add_basic(struct buf *b, const uint32_t *points, size_t n)
{
	size_t basic_n = 0;

	for (size_t i = 0; i < n; i++) {
		const char c = (char)points[i];

		if (points[i] >= FIRST)
			continue;
		buf_add(b, &c, 1);
		basic_n++;
	}
	return basic_n;
}

static uint32_t next_point(const uint32_t *points, size_t n, uint32_t least)
{
	uint32_t next = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (points[i] >= least && points[i] < next)
			next = points[i];
	return next;
}

void idn_add_label(struct buf *b, const uint32_t *points, size_t n)
{
	uint32_t delta = 0, bias = BIAS, code = FIRST;
	size_t done_n, basic_n;

	if (next_point(points, n, FIRST) == UINT32_MAX) {
		(void)add_basic(b, points, n);
		return;
	}
	buf_str(b, NAME_PUNYCODE);
	done_n = basic_n = add_basic(b, points, n);
	if (basic_n)
		buf_str(b, "-");
	for (; done_n < n; delta++, code++) {
		uint32_t next = next_point(points, n, code);

		delta += (next - code) * (uint32_t)(done_n + 1);
		code = next;
		for (size_t i = 0; i < n; i++) {
			delta += points[i] < code;
			if (points[i] != code)
				continue;
			add_number(b, delta, bias);
			bias = adapt(delta, (uint32_t)done_n + 1, done_n == basic_n);
			delta = 0;
			done_n++;
		}
	}
}
