#include "cloudflare/records.h"

#include <string.h>

#include "base/sort.h"

#define COMMENT_READ_CAP 2048 /* a comment has at most 500 characters */

void cf_record_list_init(struct cf_record_list *l, const char *zone_id, const struct job *job,
			 struct record *records)
{
	l->zone_id = zone_id;
	l->job = job;
	l->records = records;
	l->records_n = l->seen_n = 0;
	l->page = 1;
	l->hosts.len = 0;
}

void cf_record_list_target(struct buf *b, const struct cf_record_list *l)
{
	buf_str(b, "/zones/");
	buf_url_part(b, l->zone_id);
	buf_str(b, "/dns_records?name.exact=");
	buf_url_part(b, l->job->name);
	buf_fmt(b, "&per_page=%d&page=%u", CF_RECORDS_PER_PAGE, l->page);
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

int cf_record_read(struct record *r, int object, const struct cf_record_filter *f, bool *is_other,
		   struct err *e)
{
	char name[NAME_CAP], type_name[32], content[NAME_UNICODE_CAP];
	struct record out = {.state = INSTANCE_VANISHED};
	enum record_type type;
	int64_t ttl;

	if (json_get_string(object, "type", type_name, sizeof type_name) ||
	    !json_is_string(json_get(object, "name")))
		return err_set(e, ERR_PROTO, "a record without type or name");
	/* Before the content is looked at: an odd one of theirs is no fault of ours. */
	*is_other = record_type_parse(type_name, &type) || !(f->job->types & RECORD_BIT(type)) ||
		    cf_read_name(name, object) || strcmp(name, f->job->name) != 0;
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

static int take_record(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct cf_record_list *l = ctx;
	struct cf_record_filter filter = {l->job, &l->hosts};
	struct record r;
	bool is_other = false;

	(void)list;
	l->page_seen_n++;
	if (json_parse(text, len, e) || cf_record_read(&r, 0, &filter, &is_other, e))
		return -1;
	if (is_other)
		return 0;
	if (l->records_n == RECORDS_MAX)
		return err_set(e, ERR_LIMIT, "%s has more than %d records", l->job->name,
			       RECORDS_MAX);
	l->records[l->records_n++] = r;
	return 0;
}

struct http_sink cf_record_list_begin(struct cf_record_list *l, char *element_buf, char *rest)
{
	l->page_seen_n = 0;
	return cf_reply_begin(&l->reply, JSON_CUT_RESULT, take_record, l, element_buf, rest);
}

/*
 * Pages are numbered without a snapshot: another writer shifts them. A total that changes from
 * page to page, or is not what was listed, gives that away.
 */
static int check_total(struct cf_record_list *l, int info, bool is_last, struct err *e)
{
	int64_t total;

	if (json_get_integer(info, "total_count", &total))
		return 0;
	if (l->page == 1)
		l->total = total;
	if (total == l->total && (!is_last || total == (int64_t)l->seen_n))
		return 0;
	return err_set(e, ERR_RETRY, "%lld records of %s were announced and %zu listed",
		       (long long)l->total, l->job->name, l->seen_n);
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
static int check_distinct(struct cf_record_list *l, struct err *e)
{
	sort(l->records, l->records_n, sizeof *l->records, by_id);
	for (size_t i = 1; i < l->records_n; i++)
		if (by_id(&l->records[i - 1], &l->records[i]) == 0)
			return err_set(e, ERR_RETRY, "the record %s of %s was listed twice",
				       l->records[i].id, l->job->name);
	return 0;
}

/* The API's own word on pages where it gives it, else a full page promises another. */
static bool has_next_page(const struct cf_record_list *l, int info)
{
	int64_t pages, per_page;

	if (!l->page_seen_n)
		return false;
	if (json_get_integer(info, "total_pages", &pages) == 0)
		return (int64_t)l->page < pages;
	if (json_get_integer(info, "per_page", &per_page))
		per_page = CF_RECORDS_PER_PAGE;
	return (int64_t)l->page_seen_n >= per_page;
}

int cf_record_list_finish(struct cf_record_list *l, bool *again, struct err *e)
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
	if (!*again)
		return check_distinct(l, e);
	if (l->page == CF_RECORD_PAGES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d pages of records", CF_RECORD_PAGES_MAX);
	l->page++;
	return 0;
}
