#include "cloudflare/writes.h"

#include <string.h>

#include "cloudflare/records.h"

/*
 * A whole record. Every field that we rule over is sent: PATCH leaves alone what is not (comment,
 * tags, settings), and the API's own schema asks for name, type and ttl even there.
 */
static void add_fields(struct buf *b, const struct job *job, const struct op *op)
{
	char content[TARGET_TEXT_CAP];

	target_format(op->target, content);
	buf_fmt(b, "\"type\":\"%s\",\"name\":", record_type_name(op->target->type));
	buf_json_string(b, job->name);
	buf_str(b, ",\"content\":");
	buf_json_string(b, content);
	buf_fmt(b, ",\"ttl\":%u,\"proxied\":%s", (unsigned)op->ttl, op->proxied ? "true" : "false");
}

static void add_comment(struct buf *b, const struct job *job)
{
	char text[JOB_COMMENT_CAP];
	struct buf comment;

	buf_init(&comment, text, sizeof text);
	job_comment(&comment, job);
	buf_str(b, ",\"comment\":");
	buf_json_string(b, comment.p);
}

/* Somebody's CNAME of which nothing is left is ours from then on: later it may have to go. */
static bool is_made_ours(const struct op *op)
{
	const struct record *r = op->record;

	return op->kind == OP_CREATE ||
	       (r && op->kind == OP_UPDATE && r->is_unmarked && !r->has_comment &&
		target_compare(op->target, &r->target) != 0);
}

static void add_op(struct buf *b, const struct job *job, const struct op *op, bool with_id)
{
	buf_str(b, "{");
	if (with_id && op->record) {
		buf_str(b, "\"id\":");
		buf_json_string(b, op->record->id);
		if (op->kind != OP_DELETE)
			buf_str(b, ",");
	}
	if (op->kind != OP_DELETE)
		add_fields(b, job, op);
	if (is_made_ours(op))
		add_comment(b, job);
	buf_str(b, "}");
}

static void add_list(struct buf *b, const struct cf_write *w, const char *list, enum op_kind kind)
{
	const char *between = "";

	for (const struct cf_part *p = w->parts; p < w->parts + w->parts_n; p++) {
		for (size_t i = 0; i < p->ops_n; i++) {
			if (p->ops[i]->kind != kind)
				continue;
			if (!*between)
				buf_fmt(b, "%s\"%s\":[", b->p[b->len - 1] == '{' ? "" : ",", list);
			buf_str(b, between);
			add_op(b, p->job, p->ops[i], true);
			between = ",";
		}
	}
	if (*between)
		buf_str(b, "]");
}

/* That of a single call. */
static const struct op *only_op(const struct cf_write *w)
{
	return w->parts->ops[0];
}

const char *cf_write_method(const struct cf_write *w)
{
	if (!w->is_single || only_op(w)->kind == OP_CREATE)
		return "POST";
	return only_op(w)->kind == OP_UPDATE ? "PATCH" : "DELETE";
}

void cf_write_target(struct buf *b, const struct cf_write *w)
{
	buf_str(b, "/zones/");
	buf_url_part(b, w->zone_id);
	buf_str(b, "/dns_records");
	if (!w->is_single) {
		buf_str(b, "/batch");
	} else if (only_op(w)->record) {
		buf_str(b, "/");
		buf_url_part(b, only_op(w)->record->id);
	}
}

void cf_write_body(struct buf *b, const struct cf_write *w)
{
	if (w->is_single) {
		if (only_op(w)->kind != OP_DELETE)
			add_op(b, w->parts->job, only_op(w), false);
		return;
	}
	buf_str(b, "{");
	add_list(b, w, "deletes", OP_DELETE);
	add_list(b, w, "patches", OP_UPDATE);
	add_list(b, w, "posts", OP_CREATE);
	buf_str(b, "}");
}

/* ---- the answer: each op must be found in it ---- */

/* Mark the op of this kind that record r is the proof of, if one of these is. */
static bool confirm(struct cf_part *p, enum op_kind kind, const struct record *r)
{
	for (size_t i = 0; i < p->ops_n; i++) {
		struct op *op = p->ops[i];
		struct record *created;

		if (op->kind != kind || op->is_done ||
		    target_compare(op->target, &r->target) != 0 ||
		    (op->record && strcmp(op->record->id, r->id) != 0))
			continue;
		op->is_done = true;
		if (kind == OP_CREATE && p->created) {
			created = &p->created[p->created_n++];
			*created = *r;
			created->target = *op->target;
			created->is_unmarked = false;
			created->is_ours = true;
		}
		return true;
	}
	return false;
}

static bool creates(const struct cf_part *p, int content)
{
	char text[TARGET_TEXT_CAP];

	for (size_t i = 0; i < p->ops_n; i++) {
		if (p->ops[i]->kind != OP_CREATE)
			continue;
		target_format(p->ops[i]->target, text);
		if (json_equals(content, text))
			return true;
	}
	return false;
}

/*
 * A new record whose name was put in front of another zone's. It is to be removed again: so it must
 * be what was just created, as far as the answer tells.
 */
static void note_stray(struct cf_write *w, int object, const char *name)
{
	for (struct cf_part *p = w->parts; p < w->parts + w->parts_n; p++) {
		size_t len = strlen(p->job->name);
		struct record *r;

		if (!p->created || p->created_n == p->ops_n ||
		    strncmp(name, p->job->name, len) != 0 || name[len] != '.' ||
		    !creates(p, json_get(object, "content")))
			continue;
		r = &p->created[p->created_n];
		p->created_n += !json_get_string(object, "id", r->id, sizeof r->id) &&
				record_id_is_good(r->id);
		return;
	}
}

static void drop_created(struct cf_write *w)
{
	for (size_t i = 0; i < w->parts_n; i++)
		w->parts[i].created_n = 0;
}

static int take_record(struct cf_write *w, enum op_kind kind, int object, struct err *e)
{
	bool is_known = false;
	char name[NAME_CAP];

	if (cf_record_name(name, object, e))
		return -1;
	for (struct cf_part *p = w->parts; p < w->parts + w->parts_n; p++) {
		const struct cf_record_filter filter = {p->job, &w->hosts};
		struct record r;
		bool is_other = false;

		if (strcmp(p->job->name, name) != 0)
			continue;
		w->hosts.len = 0;
		if (cf_record_read(&r, object, &filter, &is_other, e))
			return -1;
		is_known |= !is_other;
		if (!is_other && !w->has_other && confirm(p, kind, &r))
			return 0;
	}
	if (is_known)
		return 0;
	if (!w->has_other)
		drop_created(w);
	w->has_other = true;
	if (kind == OP_CREATE)
		note_stray(w, object, name);
	return 0;
}

static int take_listed(void *ctx, const char *list, const char *text, size_t len, struct err *e)
{
	struct cf_write *w = ctx;

	/* What is deleted is reported by the transaction as a whole. */
	if (strcmp(list, "posts") != 0 && strcmp(list, "patches") != 0)
		return 0;
	if (json_parse(text, len, e))
		return -1;
	return take_record(w, strcmp(list, "posts") == 0 ? OP_CREATE : OP_UPDATE, 0, e);
}

struct http_sink cf_write_begin(struct cf_write *w, char *element_buf, char *rest)
{
	drop_created(w);
	return cf_reply_begin(&w->reply, w->is_single ? JSON_CUT_NONE : JSON_CUT_RESULT_LISTS,
			      take_listed, w, element_buf, rest);
}

/* Deletes are done with the transaction. False: something else was not shown. */
static bool is_all_done(struct op *const *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ops[i]->kind == OP_DELETE)
			ops[i]->is_done = true;
		if (!ops[i]->is_done)
			return false;
	}
	return true;
}

int cf_write_finish(struct cf_write *w, struct err *e)
{
	if (cf_reply_finish(&w->reply, e))
		return -1;
	if (w->is_single && only_op(w)->kind != OP_DELETE &&
	    take_record(w, only_op(w)->kind, json_get(0, "result"), e))
		return -1;
	if (w->has_other) /* in another zone its name is put behind ours */
		return err_set(e, ERR_CONFIG,
			       "the API wrote another name than was asked for: is CF_ZONE_ID the "
			       "zone of %s?",
			       w->parts->job->name);
	for (size_t i = 0; i < w->parts_n; i++)
		if (!is_all_done(w->parts[i].ops, w->parts[i].ops_n))
			return err_set(e, ERR_RETRY,
				       "the API said success without showing every record written");
	return 0;
}
