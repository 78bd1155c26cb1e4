#include "pages/filter.h"

#include <string.h>

#include "base/str.h"

/* The value of a key, the last if there are several; cut when it does not fit. */
static void get(const char *query, const char *key, char *out, size_t cap)
{
	const size_t key_n = strlen(key);
	size_t n = 0;

	for (const char *p = query; p; p = strchr(p, '&')) {
		p += *p == '&';
		if (strncmp(p, key, key_n) != 0 || p[key_n] != '=')
			continue;
		n = 0;
		for (p += key_n + 1; *p && *p != '&'; p++) {
			int byte = *p == '%' ? str_hex_byte(p + 1) : -1;
			char c = *p;

			if (c == '+')
				c = ' ';
			if (byte > 0) {
				c = (char)byte;
				p += 2;
			}
			if (n + 1 < cap)
				out[n++] = c;
		}
	}
	out[n] = '\0';
}

void filter_read(struct filter *f, const char *query)
{
	char from[8];

	get(query, "name", f->name, sizeof f->name);
	get(query, "zone", f->zone, sizeof f->zone);
	get(query, "state", f->state, sizeof f->state);
	get(query, "from", from, sizeof from);
	if (str_u64(from, STATUS_NAMES_MAX, &f->from))
		f->from = 0;
}

bool filter_is_set(const struct filter *f)
{
	return f->name[0] || f->zone[0] || f->state[0];
}

static bool has(const char *text, const char *part)
{
	for (; !str_starts_nocase(text, part); text++)
		if (!*text)
			return false;
	return true;
}

static bool is_shown(const struct filter *f, const struct status *s, const struct order_name *o)
{
	const char *zone = *o->zone ? o->zone : FILTER_UNKNOWN;

	if (f->state[0] && strcmp(f->state, status_state_name((enum status_state)o->state)) != 0)
		return false;
	if (f->zone[0] && !str_eq_nocase(f->zone, zone))
		return false;
	if (f->name[0] == '=')
		return str_eq_nocase(f->name + 1, o->name);
	return has(o->name, f->name) || has(status_record_at(s, o->i).service, f->name);
}

size_t filter_names(const struct filter *f, const struct status *s, struct order_name *names,
		    size_t n)
{
	size_t kept_n = 0;

	for (size_t i = 0; i < n; i++)
		if (is_shown(f, s, &names[i]))
			names[kept_n++] = names[i];
	return kept_n;
}
