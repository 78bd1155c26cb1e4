#include "base/secret.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"

/* Masking "a" everywhere would eat the text, and hide nothing; the mask must not be longer. */
#define SECRET_MIN 4
#define PREFIX_MIN 8
#define PREFIX_DIGITS_MIN 11 /* the same in base64 */

static const char *secrets[SECRETS_MAX];
static size_t secrets_n;

int secret_add(const char *s)
{
	if (strlen(s) < SECRET_MIN)
		return 0;
	for (size_t i = 0; i < secrets_n; i++)
		if (strcmp(secrets[i], s) == 0)
			return 0;
	if (secrets_n == SECRETS_MAX)
		return -1;
	secrets[secrets_n++] = s;
	return 0;
}

void secret_forget(void)
{
	secrets_n = 0;
}

/* The byte that stands at text, escaped or not. Returns how many bytes it takes there. */
static size_t unescape(const char *text, char *c)
{
	size_t mark = *text == '%' ? 1 : strncmp(text, "\\u00", 4) == 0 ? 4 : 0;
	int value = mark ? str_hex_byte(text + mark) : -1;

	*c = *text;
	if (value >= 0) {
		*c = (char)value;
		return mark + 2;
	}
	if (*text != '\\' || !text[1])
		return 1;
	*c = text[1];
	return 2;
}

/* How many bytes at text are this secret, as it is or escaped. */
static size_t match(const char *text, const char *secret, bool is_escaped)
{
	const char *at = text;
	size_t matched_n = 0;

	for (; secret[matched_n]; matched_n++) {
		char c = *at;
		size_t len = is_escaped ? unescape(at, &c) : 1;

		if (c != secret[matched_n])
			return matched_n >= PREFIX_MIN ? (size_t)(at - text) : 0;
		at += len;
	}
	return (size_t)(at - text);
}

/* The same in base64, from the bit on where a digit begins: 0, 4 or 2 behind others' bytes. */
static size_t match_base64(const char *text, const char *secret, size_t bit)
{
	size_t n = 0, bits_n = 8 * strlen(secret);

	for (; bit + 6 <= bits_n; bit += 6) {
		unsigned two = (unsigned)(unsigned char)secret[bit / 8] << 8 |
			       (unsigned char)secret[bit / 8 + 1];
		char digit = text[n];

		if (digit == '-' || digit == '_') /* RFC 4648, section 5 */
			digit = digit == '-' ? '+' : '/';
		if (digit != buf_base64_digits[two >> (10 - bit % 8) & 63])
			return n >= PREFIX_DIGITS_MIN ? n : 0;
		n++;
	}
	return n;
}

static size_t secret_at(const char *text)
{
	size_t longest = 0;

	for (size_t i = 0; i < 5 * secrets_n; i++) {
		const char *secret = secrets[i / 5];
		size_t way = i % 5, len = way < 2 ? match(text, secret, way == 1)
						  : match_base64(text, secret, 2 * (way - 2));

		longest = len > longest ? len : longest;
	}
	/* Its storage may have got a shorter text since. */
	return longest < SECRET_MIN ? 0 : longest;
}

void secret_mask(char *text)
{
	static const char mask[] = "***"; /* shorter than any secret */
	char *to = text;

	for (const char *from = text; *from;) {
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
}

void secret_clean(char *text)
{
	secret_mask(text);
	utf8_clean(text);
}
