#include "core/name.h"

#include <string.h>

#include "base/str.h"
#include "core/idn.h"

#define LABEL_MAX 63

static bool is_label_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static int check_byte(unsigned char c, const char *text, struct err *e)
{
	if (is_label_byte(c))
		return 0;
	if (c == '*')
		return err_set(e, ERR_CONFIG,
			       "\"%s\": a wildcard may only be the whole first label "
			       "(*.example.com)",
			       text);
	return err_set(e, ERR_CONFIG, "\"%s\" holds a character that no DNS name has", text);
}

static int check_labels(const char *name, const char *text, struct err *e)
{
	size_t label_len = 0;

	for (const char *p = name;; p++) {
		if (*p && *p != '.') {
			if (check_byte((unsigned char)*p, text, e))
				return -1;
			if (++label_len > LABEL_MAX)
				return err_set(e, ERR_CONFIG,
					       "\"%s\": a label is longer than %d bytes", text,
					       LABEL_MAX);
			continue;
		}
		if (!label_len)
			return err_set(e, ERR_CONFIG, "\"%s\" has an empty label", text);
		if (!*p)
			return 0;
		label_len = 0;
	}
}

static void add_labels(struct buf *b, const uint32_t *points, size_t n)
{
	for (size_t i = 0, start = 0; i <= n && !b->overflow; i++) {
		if (i < n && points[i] != '.')
			continue;
		idn_add_label(b, points + start, i - start);
		if (i < n)
			buf_str(b, ".");
		start = i + 1;
	}
}

int name_normalize(char out[NAME_CAP], const char *text, enum name_kind kind, struct err *e)
{
	uint32_t points[NAME_CAP]; /* one more than a name has: a dot may end it */
	size_t n = idn_read(points, NAME_CAP, text, kind == NAME_GIVEN);
	const char *labels;
	char name[NAME_CAP];
	struct buf b;

	if (!n && *text)
		return err_set(e, ERR_CONFIG,
			       "\"%s\" holds a character that is not known: write the name in "
			       "Punycode (xn--...)",
			       text);
	if (n && n <= NAME_CAP && points[n - 1] == '.')
		n--;
	if (!n)
		return err_set(e, ERR_CONFIG, "the name is empty");
	buf_init(&b, name, sizeof name);
	b.overflow = n > NAME_MAX_LEN;
	add_labels(&b, points, n);
	if (!buf_ok(&b))
		return err_set(e, ERR_CONFIG, "the name is longer than %d bytes", NAME_MAX_LEN);
	labels = name;
	if (kind != NAME_HOST && strncmp(name, "*.", 2) == 0)
		labels += 2;
	if (check_labels(labels, text, e))
		return -1;
	memcpy(out, name, b.len + 1);
	return 0;
}

bool name_is_within(const char *name, const char *zone)
{
	size_t name_len = strlen(name), zone_len = strlen(zone);

	if (name_len < zone_len || strcmp(name + name_len - zone_len, zone) != 0)
		return false;
	return name_len == zone_len || name[name_len - zone_len - 1] == '.';
}
