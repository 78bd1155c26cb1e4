#include "base/buf.h"
#include "base/fmt.h"
#include "base/out.h"
#include "base/secret.h"
#include "command/command.h"
#include "command/print.h"
#include "command/tally.h"

static void put_string(const char *s)
{
	/* The longest text is an error's, and a byte takes six at most. */
	char storage[6 * ERR_TEXT_MAX + 3], text[ERR_TEXT_MAX];
	struct buf b;

	(void)fmt_text(text, sizeof text, "%s", s);
	secret_mask(text);
	buf_init(&b, storage, sizeof storage);
	buf_json_string(&b, text);
	out_str(buf_ok(&b) ? b.p : "\"\"");
}

static void put_member(const char *name, const char *s)
{
	out_fmt("\"%s\":", name);
	put_string(s);
}

static void put_or_null(const char *name, const char *s)
{
	if (s && *s)
		put_member(name, s);
	else
		out_fmt("\"%s\":null", name);
}

static void put_target(const struct target *t)
{
	char content[TARGET_TEXT_CAP];

	target_format(t, content);
	out_fmt("\"type\":\"%s\",", record_type_name(t->type));
	put_member("content", content);
}

static void put_attributes(unsigned ttl, bool proxied)
{
	out_fmt(",\"ttl\":%u,\"proxied\":%s", ttl, proxied ? "true" : "false");
}

static void put_existing(const struct record *r)
{
	put_target(&r->target);
	put_attributes((unsigned)r->ttl, r->proxied);
}

static void put_op(const struct op *op)
{
	out_str("{");
	if (op->kind != OP_CREATE) {
		put_member("id", op->record->id);
		out_str(",");
	}
	if (op->kind == OP_CREATE || op->kind == OP_UPDATE) {
		put_target(op->target);
		put_attributes((unsigned)op->ttl, op->proxied);
	} else {
		put_existing(op->record);
		out_str(",");
		put_member("reason",
			   op->is_duplicate ? "duplicate" : instance_state_name(op->record->state));
	}
	if (op->kind == OP_UPDATE) {
		out_str(",\"from\":{");
		put_existing(op->record);
		out_str("}");
	}
	out_str("}");
}

static void put_ops(const struct plan *p, const char *name, enum op_kind kind)
{
	const char *between = "";

	out_fmt(",\"%s\":[", name);
	for (size_t i = 0; i < p->ops_n; i++) {
		if (p->ops[i].kind != kind)
			continue;
		out_str(between);
		put_op(&p->ops[i]);
		between = ",";
	}
	out_str("]");
}

static void put_instances(const struct reconcile *r)
{
	static const enum instance_state states[] = {
		INSTANCE_PASSING,
		INSTANCE_WARNING,
		INSTANCE_CRITICAL,
		INSTANCE_MAINTENANCE,
	};

	out_fmt(",\"instances\":{\"listed\":%zu,\"wanted\":%zu,\"without_address\":%zu",
		r->seen.count.instances_n, r->seen.want_n, r->seen.count.unaddressed_n);
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		out_fmt(",\"%s\":%zu", instance_state_name(states[i]),
			r->seen.count.state_n[states[i]]);
	out_str("}");
}

static void put_plan(const struct reconcile *r)
{
	out_str(",\"zone_id\":");
	put_string(reconcile_zone_id(r));
	put_instances(r);
	out_fmt(",\"kept\":%zu", r->out.plan.kept_n);
	put_ops(&r->out.plan, "create", OP_CREATE);
	put_ops(&r->out.plan, "update", OP_UPDATE);
	put_ops(&r->out.plan, "delete", OP_DELETE);
	put_ops(&r->out.plan, "held", OP_HOLD);
	out_str(",");
	put_or_null("held_reason", r->out.plan.held_why);
}

static void put_record(const struct reconcile *r)
{
	out_str("\n{");
	put_member("name", r->in.job->name);
	out_str(",");
	put_member("service", r->in.job->service);
	if (r->out.result == RECONCILE_FAILED) {
		out_str(",\"error\":{");
		put_member("kind", err_kind_name(r->out.err->kind));
		out_str(",");
		put_member("message", r->out.err->text);
		out_str("}");
	} else {
		put_plan(r);
	}
	out_str("}");
}

static void put_tally(const struct tally *t)
{
	out_fmt("\"names\":{\"all\":%zu,\"failed\":%zu,\"held\":%zu,\"changing\":%zu,\"in_sync\":%"
		"zu},"
		"\"records\":{\"create\":%zu,\"update\":%zu,\"delete\":%zu,\"held\":%zu,\"kept\":%"
		"zu}}",
		t->names_n, t->state_n[PLAN_FAILED], t->state_n[PLAN_HELD],
		t->state_n[PLAN_CHANGES], t->state_n[PLAN_IN_SYNC], t->op_n[OP_CREATE],
		t->op_n[OP_UPDATE], t->op_n[OP_DELETE], t->op_n[OP_HOLD], t->kept_n);
}

static void put_zone(const struct reconcile *r, const struct tally *t)
{
	out_str("\n{");
	put_or_null("zone_id", r->zone ? r->zone->id : NULL);
	out_str(",");
	put_or_null("zone", r->zone ? r->zone->name : NULL);
	out_str(",");
	put_tally(t);
}

void print_json(const struct reconcile *r, size_t n)
{
	const char *between = "";
	struct tally all = {0};

	out_str("{\"version\":1,\"records\":[");
	for (size_t i = 0; i < n; i++) {
		out_str(i ? "," : "");
		put_record(&r[i]);
		tally_add(&all, &r[i]);
	}
	out_str("\n],\"zones\":[");
	for (size_t i = 0; i < n; i++) {
		struct tally t;

		if (!tally_is_new_zone(r, i))
			continue;
		t = tally_zone(r, n, i);
		out_str(between);
		put_zone(&r[i], &t);
		between = ",";
	}
	out_str("\n],\"totals\":{");
	put_tally(&all);
	out_str("}\n");
}
