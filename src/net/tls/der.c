#include "net/tls/der.h"

#include <string.h>

#include "base/clock.h"

bool der_next(struct der *in, unsigned *tag, struct der *value)
{
	size_t at = 2, len, count;

	/* Tag numbers from 31 on take more bytes: certificates have none. */
	if (in->n < 2 || (in->p[0] & 0x1f) == 0x1f)
		return false;
	len = in->p[1];
	if (len & 0x80) {
		count = len & 0x7f;
		if (count < 1 || count > 3 || count > in->n - 2)
			return false;
		for (len = 0; count; count--)
			len = len << 8 | in->p[at++];
	}
	if (len > in->n - at)
		return false;
	*tag = in->p[0];
	*value = (struct der){.p = in->p + at, .n = len};
	in->p += at + len;
	in->n -= at + len;
	return true;
}

bool der_take(struct der *in, enum der_tag tag, struct der *value)
{
	struct der rest = *in;
	unsigned found;

	if (!der_next(&rest, &found, value) || found != tag)
		return false;
	*in = rest;
	return true;
}

bool der_take_whole(struct der *in, enum der_tag tag, struct der *whole)
{
	const unsigned char *start = in->p;
	struct der value;

	if (!der_take(in, tag, &value))
		return false;
	*whole = (struct der){.p = start, .n = (size_t)(in->p - start)};
	return true;
}

bool der_take_last(struct der in, enum der_tag tag, struct der *value)
{
	return der_take(&in, tag, value) && !in.n;
}

bool der_take_unsigned(struct der *in, struct der *value)
{
	if (!der_take(in, DER_INTEGER, value) || !value->n || value->p[0] & 0x80)
		return false;
	for (; value->n && !*value->p; value->n--)
		value->p++;
	return true;
}

bool der_equals(struct der a, const void *p, size_t n)
{
	return a.n == n && (!n || memcmp(a.p, p, n) == 0);
}

static unsigned lower(unsigned c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool der_equals_nocase(struct der a, const void *p, size_t n)
{
	const unsigned char *b = p;

	if (a.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(a.p[i]) != lower(b[i]))
			return false;
	return true;
}

static bool two_digits(const unsigned char *p, int *v)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*v = (p[0] - '0') * 10 + (p[1] - '0');
	return true;
}

bool der_take_time(struct der *in, int64_t *sec)
{
	struct der rest = *in, text;
	int part[7] = {0}; /* century, year, month, day, hour, minute, second */
	unsigned tag;
	size_t first;

	if (!der_next(&rest, &tag, &text))
		return false;
	if (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME)
		return false;
	first = tag == DER_UTC_TIME ? 1 : 0;
	if (text.n != (7 - first) * 2 + 1 || text.p[text.n - 1] != 'Z')
		return false;
	for (size_t i = first; i < 7; i++)
		if (!two_digits(text.p + (i - first) * 2, &part[i]))
			return false;
	if (first)
		part[0] = part[1] < 50 ? 20 : 19;
	*sec = clock_days(part[0] * 100 + part[1], part[2], part[3]) * 86400 +
	       (int64_t)part[4] * 3600 + (int64_t)part[5] * 60 + part[6];
	*in = rest;
	return true;
}
