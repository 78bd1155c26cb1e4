#include "config/tags.h"

#include <string.h>

#include "base/str.h"
#include "config/readers.h"

bool tags_is_ours(const char *tag, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(tag, prefix, len) == 0 && tag[len] == '.';
}

/* The setting of this name, where "-" is for "_"; SETTINGS_OF_RECORD: no tag may be of it. */
static enum setting find_key(const char *name, size_t len)
{
	enum setting s = 0;

	for (; s < SETTINGS_OF_RECORD; s++) {
		const char *key = setting(s)->key;
		size_t i = 0;

		while (i < len && name[i] == (key[i] == '_' ? '-' : key[i]))
			i++;
		if (setting(s)->traits.is_tag && i == len && !key[i])
			break;
	}
	return s;
}

/* Names with commas between; of is what the other tags said. */
static int take_names(const char *list, const struct job *of, tags_name_fn *take, void *ctx,
		      struct err *e)
{
	char text[NAME_UNICODE_CAP];
	struct job job;

	for (;; list++) {
		size_t n = strcspn(list, ",");

		if (str_copy_n(text, sizeof text, list, n))
			return err_set(e, ERR_CONFIG, "a name is too long");
		if (reading_take_text(SET_RECORD, str_trim(text), &job, e))
			return -1;
		if (!strchr(job.name, '.'))
			return err_set(e, ERR_CONFIG, "write whole names, as www.example.com");
		if (of->on_empty == ON_EMPTY_FALLBACK && strcmp(of->fallback, job.name) == 0)
			return err_set(e, ERR_CONFIG, "the fallback is the record's own name");
		if (take(ctx, job.name, e))
			return -1;
		list += n;
		if (!*list)
			return 0;
	}
}

struct tags {
	const struct config *c;
	uint32_t seen; /* a bit for each setting that was said */
	struct job *job;
	tags_name_fn *take;
	void *ctx;
};

/* One tag without "PREFIX.": in the first pass all but the names, in the second the names. */
static int take_tag(struct tags *t, const char *tag, bool is_second, struct err *e)
{
	const char *equals = strchr(tag, '=');
	enum setting s = find_key(tag, strcspn(tag, "="));
	const uint32_t bit = 1u << s;
	struct job fixed;

	if (s == SETTINGS_OF_RECORD)
		return err_set(e, ERR_CONFIG, "there is no such key");
	if (!equals || !equals[1])
		return err_set(e, ERR_CONFIG, "it says nothing");
	if ((s == SET_RECORD) != is_second)
		return 0;
	if (is_second)
		return take_names(equals + 1, t->job, t->take, t->ctx, e);
	if (t->seen & bit)
		return err_set(e, ERR_CONFIG, "another tag says otherwise");
	t->seen |= bit;
	return reading_take_text(s, equals + 1, t->c->fixed & bit ? &fixed : t->job, e);
}

int tags_read(const struct config *c, const struct service_tags *tags, struct job *job,
	      tags_name_fn *take, void *ctx, struct err *e)
{
	const size_t skip = strlen(c->discover_prefix) + 1;
	struct tags t = {.c = c, .job = job, .take = take, .ctx = ctx};
	struct err wrong = {0};

	*job = c->common;
	if (reading_take_text(SET_SERVICE, tags->service, job, &wrong))
		(void)err_wrap(&wrong, "the service's name");
	for (int pass = 0; pass < 2; pass++) {
		const char *tag = tags->text;

		for (size_t i = 0; i < tags->n; i++, tag += strlen(tag) + 1) {
			if (!take_tag(&t, tag + skip, pass, e))
				continue;
			if (e->kind != ERR_CONFIG)
				return -1;
			if (!wrong.kind)
				(void)err_set(&wrong, ERR_CONFIG, "tag \"%.96s\": %s", tag,
					      e->text);
		}
	}
	*e = wrong;
	return wrong.kind ? -1 : 0;
}

/* Whether name is the pattern at p, which a comma or a blank may end. */
static bool is_match(const char *p, const char *name)
{
	for (;; p++, name++) {
		if (*p == '*') {
			p++;
			name += strcspn(name, ".");
		}
		if (!*name)
			return !*p || *p == ',' || *p == ' ';
		if (*p != *name)
			return false;
	}
}

bool tags_is_allowed(const struct config *c, const char *name)
{
	if (*name == '*' || (c->common.zone[0] && !name_is_within(name, c->common.zone)))
		return false;
	for (const char *p = c->discover_allow;; p++) {
		p += strspn(p, " ");
		if (is_match(p, name))
			return true;
		p += strcspn(p, ",");
		if (!*p)
			return false;
	}
}
