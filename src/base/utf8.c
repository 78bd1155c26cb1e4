#include "base/utf8.h"

#include <string.h>

/* How many bytes a character has that begins so; 0: none does. */
static size_t len_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0 || first > 0xf7)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_read(const char *s, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = len_of((unsigned char)*s), i = 1;
	uint32_t v = (unsigned char)*s;

	if (n > 1)
		v &= 0x7fu >> n;
	for (; i < n && ((unsigned char)s[i] & 0xc0) == 0x80; i++)
		v = v << 6 | ((unsigned char)s[i] & 0x3f);
	if (!n || i < n || v < least[n] || v > 0x10ffff || v >> 11 == 0xd800 >> 11) {
		*c = UTF8_BAD;
		return 1;
	}
	*c = v;
	return n;
}

bool utf8_is_harmful(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == UTF8_BAD;
}

void utf8_clean(char *s)
{
	char *to = s;

	while (*s) {
		uint32_t c;
		size_t n = utf8_read(s, &c);

		if (utf8_is_harmful(c)) {
			*to++ = '?';
		} else {
			memmove(to, s, n);
			to += n;
		}
		s += n;
	}
	*to = '\0';
}

size_t utf8_fit(const char *p, size_t n)
{
	size_t back = 1;

	while (back < 4 && back < n && ((unsigned char)p[n - back] & 0xc0) == 0x80)
		back++;
	return n && len_of((unsigned char)p[n - back]) > back ? n - back : n;
}
