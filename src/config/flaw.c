#include "config/flaw.h"

#include <stdint.h>

#include "base/fmt.h"
#include "base/utf8.h"

enum flaw { FLAW_NONE, FLAW_QUOTE, FLAW_SPACE, FLAW_CONTROL, FLAW_NBSP, FLAW_BOM, FLAW_UNSEEN };

/* White space at an end is not among them: see flaw_within(). */
static const struct {
	uint16_t from, to;
	uint16_t flaw;
} ranges[] = {
	{'"', '"', FLAW_QUOTE},
	{'\'', '\'', FLAW_QUOTE},
	{'`', '`', FLAW_QUOTE},
	{0x00ab, 0x00ab, FLAW_QUOTE}, /* angle quotes */
	{0x00b4, 0x00b4, FLAW_QUOTE}, /* acute accent */
	{0x00bb, 0x00bb, FLAW_QUOTE}, /* angle quotes */
	{0x2018, 0x201f, FLAW_QUOTE}, /* typographic */
	{0x2032, 0x2037, FLAW_QUOTE}, /* primes */
	{0x2039, 0x203a, FLAW_QUOTE}, /* single angle quotes */
	{0x300c, 0x300f, FLAW_QUOTE}, /* corner brackets */
	{0xff02, 0xff02, FLAW_QUOTE}, /* full width */
	{0xff07, 0xff07, FLAW_QUOTE}, /* full width */
	{0x0001, 0x001f, FLAW_CONTROL},
	{0x007f, 0x009f, FLAW_CONTROL},
	{0x00a0, 0x00a0, FLAW_NBSP},
	{0xfeff, 0xfeff, FLAW_BOM},
	/* Default_Ignorable_Code_Point and White_Space of Unicode; blanks among the letters */
	{0x00ad, 0x00ad, FLAW_UNSEEN}, /* soft hyphen */
	{0x034f, 0x034f, FLAW_UNSEEN},
	{0x061c, 0x061c, FLAW_UNSEEN},
	{0x115f, 0x1160, FLAW_UNSEEN},
	{0x1680, 0x1680, FLAW_UNSEEN},
	{0x17b4, 0x17b5, FLAW_UNSEEN},
	{0x180b, 0x180f, FLAW_UNSEEN},
	{0x2000, 0x200f, FLAW_UNSEEN}, /* spaces, zero width, direction */
	{0x2028, 0x202f, FLAW_UNSEEN}, /* separators, direction, narrow no-break space */
	{0x205f, 0x206f, FLAW_UNSEEN},
	{0x2800, 0x2800, FLAW_UNSEEN},
	{0x3000, 0x3000, FLAW_UNSEEN},
	{0x3164, 0x3164, FLAW_UNSEEN},
	{0xfe00, 0xfe0f, FLAW_UNSEEN}, /* variation selectors */
	{0xffa0, 0xffa0, FLAW_UNSEEN},
	{0xfff0, 0xfffb, FLAW_UNSEEN},
};

static enum flaw flaw_of(uint32_t c)
{
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return (enum flaw)ranges[i].flaw;
	/* tags and more selectors; marks of music, of shorthand; no UTF-8 */
	return c >> 12 == 0xe0 || (c >= 0x1d173 && c <= 0x1d17a) || c >> 2 == 0x1bca0 >> 2 ||
			       c == UTF8_BAD
		       ? FLAW_UNSEEN
		       : FLAW_NONE;
}

/* at: the byte, from 1, or 0. */
static bool tell(enum flaw flaw, uint32_t c, size_t at, char out[FLAW_CAP])
{
	static const char names[][23] = {
		[FLAW_QUOTE] = "a quote",
		[FLAW_SPACE] = "white space",
		[FLAW_CONTROL] = "a control character",
		[FLAW_NBSP] = "a no-break space",
		[FLAW_BOM] = "a byte order mark",
		[FLAW_UNSEEN] = "an invisible character",
	};
	size_t n = at ? fmt_text(out, FLAW_CAP, "byte %zu is ", at) : 0;

	(void)fmt_text(out + n, FLAW_CAP - n, c == UTF8_BAD ? "no UTF-8" : "%s (U+%04X)",
		       names[flaw], (unsigned)c);
	return flaw != FLAW_NONE;
}

bool flaw_name(const char *p, char out[FLAW_CAP])
{
	uint32_t c;

	(void)utf8_read(p, &c);
	return tell(flaw_of(c), c, 0, out);
}

/* Of what is fine in the middle of a text, and of all that is fine nowhere. */
static enum flaw flaw_within(uint32_t c, bool is_end)
{
	enum flaw flaw = flaw_of(c);

	if (is_end && (c == ' ' || (c >= '\t' && c <= '\r')))
		return FLAW_SPACE;
	return flaw == FLAW_QUOTE && !is_end ? FLAW_NONE : flaw;
}

bool flaw_find(const char *text, bool is_password, char out[FLAW_CAP])
{
	bool is_quote_fine = is_password;
	size_t n;

	for (const char *p = text; *p; p += n) {
		enum flaw flaw;
		uint32_t c;

		n = utf8_read(p, &c);
		flaw = flaw_within(c, p == text || !p[n]);
		if (flaw == FLAW_QUOTE && is_quote_fine) {
			is_quote_fine = p != text;
			flaw = FLAW_NONE;
		}
		if (flaw != FLAW_NONE)
			return tell(flaw, c, (size_t)(p - text) + 1, out);
	}
	return false;
}
