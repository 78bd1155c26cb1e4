#include "cloudflare/records.h"

#include <string.h>

#include "base/sort.h"

#define COMMENT_READ_CAP 2048 /* a comment has at most 500 characters */

static int by_name(const void *a, const void *b)
{
	struct cf_name *const *x = a, *const *y = b;

	return strcmp((*x)->job->name, (*y)->job->name);
}

void cf_listing_init(struct cf_listing *l, const char *zone_id, struct cf_name **names,
		     size_t names_n, bool is_whole)
{
	l->zone_id = zone_id;
	l->names = names;
	l->names_n = names_n;
	l->is_whole = is_whole;
	l->has_suffix = false;
	l->page = 1;
	l->seen_n = 0;
	l->per_page = CF_RECORDS_PER_PAGE;
	l->suffix[0] = '\0';
	sort(names, names_n, sizeof(struct cf_name *), by_name);
	for (size_t i = 0; i < names_n; i++) {
		names[i]->records_n = names[i]->seen_n = 0;
		if (names[i]->hosts->len) /* else its page need not be there at all */
			names[i]->hosts->len = 0;
		names[i]->is_odd = false;
	}
}

void cf_listing_target(struct buf *b, const struct cf_listing *l)
{
	buf_str(b, "/zones/");
	buf_url_part(b, l->zone_id);
	buf_str(b, "/dns_records?");
	if (!l->is_whole) {
		buf_str(b, "name.exact=");
		buf_url_part(b, l->names[0]->job->name);
		buf_str(b, "&");
	}
	buf_fmt(b, "per_page=%d&page=%u", CF_RECORDS_PER_PAGE, l->page);
}

/* Our mark, alone or with words of somebody's behind it; an owner's is not that of who has none. */
static bool is_marked(int object, const struct job *job)
{
	char comment[COMMENT_READ_CAP], mark[JOB_COMMENT_CAP];
	const char *behind = comment;
	struct buf b;

	buf_init(&b, mark, sizeof mark);
	job_comment(&b, job);
	if (json_get_string(object, "comment", comment, sizeof comment) ||
	    strncmp(comment, mark, b.len) != 0)
		return false;
	behind += b.len;
	return !*behind ||
	       (*behind == ' ' && (job->owner[0] || strncmp(behind, " owner=", 7) != 0));
}

int cf_record_name(char out[NAME_CAP], int object, struct err *e)
{
	if (!json_is_string(json_get(object, "name")))
		return err_set(e, ERR_PROTO, "a record without a name");
	if (cf_read_name(out, object))
		out[0] = '\0';
	return 0;
}

int cf_record_read(struct record *r, int object, const struct cf_record_filter *f, bool *is_other,
		   struct err *e)
{
	char type_name[32], content[NAME_UNICODE_CAP];
	struct record out = {.state = INSTANCE_VANISHED};
	enum record_type type;
	int64_t ttl;

	if (json_get_string(object, "type", type_name, sizeof type_name))
		return err_set(e, ERR_PROTO, "a record without a type");
	/* Before the content is looked at: an odd one of theirs is no fault of ours. */
	*is_other = record_type_parse(type_name, &type) || !(f->job->types & RECORD_BIT(type));
	if (*is_other)
		return 0;
	if (json_get_string(object, "id", out.id, sizeof out.id) || !record_id_is_good(out.id) ||
	    json_get_string(object, "content", content, sizeof content) ||
	    json_get_integer(object, "ttl", &ttl) || ttl < 0 || ttl > UINT32_MAX ||
	    json_boolean(json_get(object, "proxied"), &out.proxied))
		return err_set(e, ERR_PROTO,
			       "an %s record without a good id, content, ttl or proxied",
			       type_name);
	out.ttl = (uint32_t)ttl;
	if (target_from_content(&out.target, type, content, f->hosts, e))
		return err_wrap(e, "record %s", out.id);
	out.is_ours = is_marked(object, f->job) || (!f->job->owner[0] && type == RECORD_A);
	out.has_comment = json_is_string(json_get(object, "comment")) &&
			  !json_equals(json_get(object, "comment"), "");
	out.is_unmarked = !f->job->owner[0] && !out.is_ours;
	*r = out;
	return 0;
}

/* What is left of suffix is an end of this name, too. */
static void narrow(struct cf_listing *l, const char *name)
{
	const char *end = l->has_suffix ? l->suffix : name;

	while (*end && !name_is_within(name, end)) {
		end += strcspn(end, ".");
		end += *end == '.';
	}
	memmove(l->suffix, end, strlen(end) + 1);
	l->has_suffix = true;
}

/* The first of those that have this name; if none has, where it would stand. */
static size_t find_name(const struct cf_listing *l, const char *name)
{
	size_t low = 0, high = l->names_n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(l->names[mid]->job->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int take_for(struct cf_name *n, struct err *e)
{
	const struct cf_record_filter filter = {n->job, n->hosts};
	struct record r;
	bool is_other = false;

	n->seen_n++;
	if (cf_record_read(&r, 0, &filter, &is_other, e))
		return -1;
	if (is_other)
		return 0;
	if (n->records_n == RECORDS_MAX)
		return err_set(e, ERR_LIMIT, "%s has more than %d records", n->job->name,
			       RECORDS_MAX);
	n->records[n->records_n++] = r;
	return 0;
}

/* Most of a large zone's are nobody's here: of those no more than the name is read. */
static int take_entry(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct cf_listing *l = ctx;
	char name[NAME_CAP];

	(void)list;
	l->page_seen_n++;
	if (json_parse(text, len, e) || cf_record_name(name, 0, e))
		return -1;
	if (!name[0])
		return 0;
	narrow(l, name);
	for (size_t i = find_name(l, name);
	     i < l->names_n && strcmp(l->names[i]->job->name, name) == 0; i++) {
		if (take_for(l->names[i], e) == 0)
			continue;
		if (!l->is_whole)
			return -1;
		l->names[i]->is_odd = true;
	}
	return 0;
}

struct http_sink cf_listing_begin(struct cf_listing *l, char *element_buf, char *rest)
{
	l->page_seen_n = 0;
	return cf_reply_begin(&l->reply, JSON_CUT_RESULT, take_entry, l, element_buf, rest);
}

/*
 * Pages are numbered without a snapshot: another writer shifts them. A total that changes from
 * page to page, or is not what was listed, gives that away.
 */
static int check_total(struct cf_listing *l, int info, bool is_last, struct err *e)
{
	int64_t total;

	if (json_get_integer(info, "total_count", &total))
		return 0;
	if (l->page == 1)
		l->total = total;
	if (total == l->total && (!is_last || total == (int64_t)l->seen_n))
		return 0;
	return err_set(e, ERR_RETRY, "%lld records of %s were announced and %zu listed",
		       (long long)l->total, l->is_whole ? "the zone" : l->names[0]->job->name,
		       l->seen_n);
}

static int by_id(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return strcmp(x->id, y->id);
}

/*
 * One added before and one removed behind leave the total as it was, but a record that moved to the
 * next page comes twice. It must not pass for its own duplicate.
 */
static int check_distinct(struct cf_name *n, struct err *e)
{
	sort(n->records, n->records_n, sizeof *n->records, by_id);
	for (size_t i = 1; i < n->records_n; i++)
		if (by_id(&n->records[i - 1], &n->records[i]) == 0)
			return err_set(e, ERR_RETRY, "the record %s of %s was listed twice",
				       n->records[i].id, n->job->name);
	return 0;
}

/* The API's own word on pages where it gives it, else a full page promises another. */
static bool has_next_page(struct cf_listing *l, int info)
{
	int64_t pages, per_page;

	if (json_get_integer(info, "per_page", &per_page) == 0 && per_page > 0)
		l->per_page = per_page;
	if (!l->page_seen_n)
		return false;
	if (json_get_integer(info, "total_pages", &pages) == 0)
		return (int64_t)l->page < pages;
	return (int64_t)l->page_seen_n >= l->per_page;
}

int cf_listing_finish(struct cf_listing *l, bool *again, struct err *e)
{
	int64_t page;
	int info;

	if (cf_reply_finish(&l->reply, e))
		return -1;
	if (!l->reply.split.has_cut)
		return err_set(e, ERR_PROTO, "an answer without a list of records");
	info = json_get(0, "result_info");
	if (json_get_integer(info, "page", &page) == 0 && page != (int64_t)l->page)
		return err_set(e, ERR_PROTO, "page %u was asked for and page %lld answered",
			       l->page, (long long)page);
	l->seen_n += l->page_seen_n;
	*again = has_next_page(l, info);
	if (check_total(l, info, !*again, e))
		return -1;
	for (size_t i = 0; !*again && i < l->names_n; i++)
		if (check_distinct(l->names[i], e))
			return -1;
	if (*again && l->page++ == CF_RECORD_PAGES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d pages of records", CF_RECORD_PAGES_MAX);
	return 0;
}
