#include "cloudflare/writes.h"

#include <string.h>

#include "cloudflare/records.h"

/*
 * A whole record. Every field that we rule over is sent: PATCH leaves alone what is not (comment,
 * tags, settings), and the API's own schema asks for name, type and ttl even there.
 */
static void add_fields(struct buf *b, const struct cf_write *w, const struct op *op)
{
	char content[TARGET_TEXT_CAP];

	target_format(op->target, content);
	buf_fmt(b, "\"type\":\"%s\",\"name\":", record_type_name(op->target->type));
	buf_json_string(b, w->job->name);
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

static void add_op(struct buf *b, const struct cf_write *w, const struct op *op, bool with_id)
{
	buf_str(b, "{");
	if (with_id && op->record) {
		buf_str(b, "\"id\":");
		buf_json_string(b, op->record->id);
		if (op->kind != OP_DELETE)
			buf_str(b, ",");
	}
	if (op->kind != OP_DELETE)
		add_fields(b, w, op);
	if (is_made_ours(op))
		add_comment(b, w->job);
	buf_str(b, "}");
}

static void add_list(struct buf *b, const struct cf_write *w, const char *list, enum op_kind kind)
{
	const char *between = "";

	for (size_t i = 0; i < w->ops_n; i++) {
		if (w->ops[i]->kind != kind)
			continue;
		if (!*between)
			buf_fmt(b, "%s\"%s\":[", b->p[b->len - 1] == '{' ? "" : ",", list);
		buf_str(b, between);
		add_op(b, w, w->ops[i], true);
		between = ",";
	}
	if (*between)
		buf_str(b, "]");
}

const char *cf_write_method(const struct cf_write *w)
{
	if (!w->is_single || w->ops[0]->kind == OP_CREATE)
		return "POST";
	return w->ops[0]->kind == OP_UPDATE ? "PATCH" : "DELETE";
}

void cf_write_target(struct buf *b, const struct cf_write *w)
{
	buf_str(b, "/zones/");
	buf_url_part(b, w->zone_id);
	buf_str(b, "/dns_records");
	if (!w->is_single) {
		buf_str(b, "/batch");
	} else if (w->ops[0]->record) {
		buf_str(b, "/");
		buf_url_part(b, w->ops[0]->record->id);
	}
}

void cf_write_body(struct buf *b, const struct cf_write *w)
{
	if (w->is_single) {
		if (w->ops[0]->kind != OP_DELETE)
			add_op(b, w, w->ops[0], false);
		return;
	}
	buf_str(b, "{");
	add_list(b, w, "deletes", OP_DELETE);
	add_list(b, w, "patches", OP_UPDATE);
	add_list(b, w, "posts", OP_CREATE);
	buf_str(b, "}");
}

/* ---- the answer: each op must be found in it ---- */

/* Mark the op of this kind that record r is the proof of. */
static void confirm(struct cf_write *w, enum op_kind kind, const struct record *r)
{
	for (size_t i = 0; i < w->ops_n; i++) {
		struct op *op = w->ops[i];

		if (op->kind != kind || op->is_done ||
		    target_compare(op->target, &r->target) != 0 ||
		    (op->record && strcmp(op->record->id, r->id) != 0))
			continue;
		op->is_done = true;
		if (kind == OP_CREATE && w->created) {
			w->created[w->created_n] = *r;
			w->created[w->created_n].target = *op->target;
			w->created[w->created_n].is_unmarked = false;
			w->created[w->created_n++].is_ours = true;
		}
		return;
	}
}

/*
 * A new record whose name was put in front of another zone's. It is to be removed again: so it must
 * be what was just created, as far as the answer tells.
 */
static void note_stray(struct cf_write *w, int object)
{
	char name[NAME_CAP], content[TARGET_TEXT_CAP];
	struct record *r = &w->created[w->created_n];
	size_t len = strlen(w->job->name);

	if (cf_read_name(name, object) || strncmp(name, w->job->name, len) != 0 ||
	    name[len] != '.' || json_get_string(object, "id", r->id, sizeof r->id) ||
	    !record_id_is_good(r->id))
		return;
	for (size_t i = 0; i < w->ops_n; i++) {
		if (w->ops[i]->kind != OP_CREATE)
			continue;
		target_format(w->ops[i]->target, content);
		if (json_equals(json_get(object, "content"), content)) {
			w->created_n++;
			return;
		}
	}
}

static int take_record(struct cf_write *w, enum op_kind kind, int object, struct err *e)
{
	struct cf_record_filter filter = {w->job, &w->hosts};
	struct record r;
	bool is_other = false;

	w->hosts.len = 0;
	if (cf_record_read(&r, object, &filter, &is_other, e))
		return -1;
	if (is_other && !w->has_other)
		w->created_n = 0;
	w->has_other |= is_other;
	if (!w->has_other)
		confirm(w, kind, &r);
	else if (is_other && kind == OP_CREATE && w->created && w->created_n < w->ops_n)
		note_stray(w, object);
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
	w->created_n = 0;
	return cf_reply_begin(&w->reply, w->is_single ? JSON_CUT_NONE : JSON_CUT_RESULT_LISTS,
			      take_listed, w, element_buf, rest);
}

int cf_write_finish(struct cf_write *w, struct err *e)
{
	int result;

	if (cf_reply_finish(&w->reply, e))
		return -1;
	result = json_get(0, "result");
	if (w->is_single && w->ops[0]->kind != OP_DELETE &&
	    take_record(w, w->ops[0]->kind, result, e))
		return -1;
	if (w->has_other) /* in another zone its name is put behind ours */
		return err_set(e, ERR_CONFIG,
			       "the API wrote another name than was asked for: is CF_ZONE_ID the "
			       "zone of %s?",
			       w->job->name);
	for (size_t i = 0; i < w->ops_n; i++) {
		if (w->ops[i]->kind == OP_DELETE)
			w->ops[i]->is_done = true;
		if (!w->ops[i]->is_done)
			return err_set(e, ERR_RETRY,
				       "the API said success without showing every record written");
	}
	return 0;
}
