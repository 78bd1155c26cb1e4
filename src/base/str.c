#include "base/str.h"

#include <string.h>

int str_copy(char *dst, size_t cap, const char *s)
{
	return str_copy_n(dst, cap, s, strlen(s));
}

int str_copy_n(char *dst, size_t cap, const char *p, size_t n)
{
	if (n >= cap || memchr(p, '\0', n))
		return -1;
	memcpy(dst, p, n);
	dst[n] = '\0';
	return 0;
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_eq_nocase(const char *a, const char *b)
{
	for (; *a && lower(*a) == lower(*b); a++, b++)
		;
	return lower(*a) == lower(*b);
}

bool str_starts_nocase(const char *s, const char *prefix)
{
	for (; *prefix && lower(*s) == lower(*prefix); s++, prefix++)
		;
	return !*prefix;
}

bool str_ends_nocase(const char *s, const char *suffix)
{
	size_t s_len = strlen(s), suffix_len = strlen(suffix);

	return suffix_len <= s_len && str_eq_nocase(s + s_len - suffix_len, suffix);
}

const char *str_find(const char *s, const char *sub)
{
	size_t n = strlen(sub);

	for (; strncmp(s, sub, n) != 0; s++)
		if (!*s)
			return NULL;
	return s;
}

bool str_has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s == 0x7f)
			return true;
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *str_trim(char *s)
{
	size_t n;

	while (is_space(*s))
		s++;
	n = strlen(s);
	while (n && is_space(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

int str_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		uint64_t digit = (uint64_t)(unsigned char)*s - '0';

		if (digit > 9 || digit > max || v > (max - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	*out = v;
	return 0;
}

bool str_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

int str_hex_byte(const char *s)
{
	int high = str_hex_digit(s[0]), low = high < 0 ? -1 : str_hex_digit(s[1]);

	return low < 0 ? -1 : high << 4 | low;
}

void str_lower(char *s)
{
	for (; *s; s++)
		*s = (char)lower(*s);
}
