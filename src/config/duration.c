#include "config/duration.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NS_PER_MS 1000000

static const struct {
	char name[4];
	int64_t ns;
} units[] = {
	{"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000}, /* micro sign */
	{"\xce\xbcs", 1000},                                         /* mu */
	{"ms", NS_PER_MS},   {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The unit at p, len bytes; 0: there is no such. */
static int64_t find_unit(const char *p, size_t len)
{
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strlen(units[i].name) == len && strncmp(units[i].name, p, len) == 0)
			return units[i].ns;
	return 0;
}

/* Add "1.5h" at *p, which moves past it. */
static int add_part(const char **p, int64_t *sum_ns)
{
	const char *digits = *p, *fraction;
	int64_t n = 0, unit, scale;
	size_t len;

	for (; is_digit(**p); ++*p)
		if ((n = n * 10 + **p - '0') > DURATION_MAX_MS * NS_PER_MS / 10)
			return -1;
	fraction = **p == '.' ? ++*p : *p;
	while (is_digit(**p))
		++*p;
	if (!is_digit(*digits) && *p == fraction)
		return -1;
	len = strcspn(*p, "0123456789.");
	unit = find_unit(*p, len);
	if (!unit || n > DURATION_MAX_MS * NS_PER_MS / unit)
		return -1;
	*p += len;
	*sum_ns += n * unit;
	for (scale = unit / 10; is_digit(*fraction) && scale; fraction++, scale /= 10)
		*sum_ns += (*fraction - '0') * scale;
	return *sum_ns > DURATION_MAX_MS * NS_PER_MS ? -1 : 0;
}

int duration_read(const char *text, int64_t *ms)
{
	size_t n = strspn(text, "0123456789");
	int64_t ns = 0;
	char seconds[16];

	if (n && !text[n]) { /* a bare number */
		if (n > sizeof seconds - 2)
			return -1;
		memcpy(seconds, text, n);
		memcpy(seconds + n, "s", 2);
		text = seconds;
	}
	do
		if (add_part(&text, &ns))
			return -1;
	while (*text);
	if (!ns)
		return -1;
	*ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
	return 0;
}
