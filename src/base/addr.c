#include "base/addr.h"

#include <string.h>

#include "base/buf.h"

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
