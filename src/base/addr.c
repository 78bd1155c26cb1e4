#include "base/addr.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define GROUPS 8

static void add_dotted(struct buf *b, const unsigned char *p)
{
	buf_fmt(b, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
}

static unsigned group(const unsigned char *p, size_t i)
{
	return (unsigned)p[2 * i] << 8 | p[2 * i + 1];
}

/* The longest run of two zero groups and more, the first of several; *n 0: there is none. */
static size_t find_zeros(const unsigned char *p, size_t *n)
{
	size_t best = 0, run = 0;

	*n = 0;
	for (size_t i = 0; i < GROUPS; i++) {
		run = group(p, i) ? 0 : run + 1;
		if (run >= 2 && run > *n) {
			*n = run;
			best = i + 1 - run;
		}
	}
	return best;
}

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

bool addr_is_mapped(const unsigned char *p)
{
	return memcmp(p, mapped, sizeof mapped) == 0;
}

void addr_map(const unsigned char *p, unsigned char out[16])
{
	memcpy(out, mapped, sizeof mapped);
	memcpy(out + sizeof mapped, p, 4);
}

static void add_groups(struct buf *b, const unsigned char *p)
{
	size_t zeros_n, zeros = find_zeros(p, &zeros_n);

	for (size_t i = 0; i < GROUPS; i++) {
		if (zeros_n && i == zeros) {
			buf_str(b, "::");
			i += zeros_n - 1;
			continue;
		}
		buf_fmt(b, "%s%x", i && !(zeros_n && i == zeros + zeros_n) ? ":" : "", group(p, i));
	}
}

void addr_format(const unsigned char *p, size_t n, char out[ADDR_TEXT_CAP])
{
	struct buf b;

	buf_init(&b, out, ADDR_TEXT_CAP);
	if (n == 4) {
		add_dotted(&b, p);
	} else if (addr_is_mapped(p)) {
		buf_str(&b, "::ffff:");
		add_dotted(&b, p + 12);
	} else {
		add_groups(&b, p);
	}
}

/* ---- reading ---- */

/* Four numbers. Returns what is behind them; NULL: they are not there. */
static const char *read_dotted(const char *p, unsigned char out[4])
{
	for (int i = 0; i < 4; i++) {
		unsigned n = 0;
		int digits = 0;

		if (i && *p++ != '.')
			return NULL;
		for (; *p >= '0' && *p <= '9' && (n || !digits); digits++)
			if ((n = n * 10 + (unsigned)(*p++ - '0')) > 255)
				return NULL;
		if (!digits)
			return NULL;
		out[i] = (unsigned char)n;
	}
	return p;
}

/* A number of up to four hexadecimal digits, likewise. */
static const char *read_group(const char *p, unsigned char out[2])
{
	unsigned n = 0;
	int digits = 0;

	for (; digits < 4 && str_hex_digit(*p) >= 0; digits++)
		n = n << 4 | (unsigned)str_hex_digit(*p++);
	out[0] = (unsigned char)(n >> 8);
	out[1] = (unsigned char)n;
	return digits ? p : NULL;
}

static bool read_groups(const char *p, unsigned char out[16])
{
	unsigned char bytes[16];
	size_t n = 0, gap = sizeof bytes;

	while (n < sizeof bytes) {
		const char *end = n <= 12 ? read_dotted(p, bytes + n) : NULL;

		if (*p == ':') { /* the second of two, which are the gap */
			if (gap < sizeof bytes || (!n && *++p != ':'))
				return false;
			gap = n;
			if (!*++p)
				break;
			continue;
		}
		if (end && !*end) {
			n += 4;
			p = end;
			break;
		}
		p = read_group(p, bytes + n);
		if (!p)
			return false;
		n += 2;
		if (!*p)
			break;
		if (*p++ != ':' || !*p)
			return false;
	}
	if (*p || (gap == sizeof bytes) != (n == sizeof bytes))
		return false;
	memset(out, 0, sizeof bytes);
	memcpy(out, bytes, gap < n ? gap : n);
	if (gap < n)
		memcpy(out + sizeof bytes - (n - gap), bytes + gap, n - gap);
	return true;
}

size_t addr_parse(const char *text, unsigned char out[16])
{
	const char *end = read_dotted(text, out);

	if (end && !*end)
		return 4;
	return read_groups(text, out) ? 16 : 0;
}
