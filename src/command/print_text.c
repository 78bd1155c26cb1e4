#include <string.h>

#include "base/out.h"
#include "base/secret.h"
#include "command/command.h"
#include "command/print.h"
#include "command/tally.h"
#include "engine/report.h"

#define FEW ((size_t)8) /* names of which all are shown, in sync or not */

struct style {
	char sign[2];
	char colour[6]; /* SGR sequence */
};

static const struct style styles[OP_KINDS] = {
	[OP_CREATE] = {"+", "\033[32m"},
	[OP_UPDATE] = {"~", "\033[33m"},
	[OP_DELETE] = {"-", "\033[31m"},
	[OP_HOLD] = {"=", "\033[36m"},
};

static void print_observed(const struct reconcile *r)
{
	const char *between = ": ";
	char service[JOB_TEXT_CAP];

	memcpy(service, r->in.job->service, sizeof service);
	secret_clean(service);
	out_fmt("%s: service %s, %zu instance%s", r->in.job->name, service,
		r->seen.count.instances_n, r->seen.count.instances_n == 1 ? "" : "s");
	for (int i = INSTANCE_STATES; i--;) {
		enum instance_state s = instance_by_rank(i);

		if (!r->seen.count.state_n[s])
			continue;
		out_fmt("%s%zu %s", between, r->seen.count.state_n[s], instance_state_name(s));
		between = ", ";
	}
	out_fmt("; %zu wanted, %zu record%s there\n", r->seen.want_n, r->seen.list.records_n,
		r->seen.list.records_n == 1 ? "" : "s");
	if (r->seen.count.unaddressed_n)
		out_fmt("  left out, without a usable address: %zu (%s)\n",
			r->seen.count.unaddressed_n, r->seen.count.unaddressed);
	if (r->seen.hidden && !r->out.plan.held_why)
		out_fmt("  not all instances may be seen: %s\n", evidence_gap_text(r->seen.hidden));
}

static const char *proxied_word(bool proxied)
{
	return proxied ? "proxied" : "unproxied";
}

static const char *proxied_mark(bool proxied)
{
	return proxied ? "  proxied" : "";
}

/* What changes in the record that stays. */
static void print_update(const struct op *op)
{
	char old[TARGET_TEXT_CAP];

	if (target_compare(op->target, &op->record->target) != 0) {
		target_format(&op->record->target, old);
		out_fmt("  instead of %s", old);
	}
	if (op->ttl != op->record->ttl)
		out_fmt("  ttl %u -> %u", (unsigned)op->record->ttl, (unsigned)op->ttl);
	if (op->proxied != op->record->proxied)
		out_fmt("  %s -> %s", proxied_word(op->record->proxied), proxied_word(op->proxied));
	else
		out_str(proxied_mark(op->proxied));
}

static const char *leaving_word(const struct op *op)
{
	return op->is_duplicate ? "duplicate" : instance_state_name(op->record->state);
}

static void print_op(const struct op *op, bool has_colour)
{
	const struct style *style = &styles[op->kind];
	const struct target *t =
		op->kind == OP_CREATE || op->kind == OP_UPDATE ? op->target : &op->record->target;
	char content[TARGET_TEXT_CAP];

	target_format(t, content);
	out_fmt("%s  %s %-5s %-15s", has_colour ? style->colour : "", style->sign,
		record_type_name(t->type), content);
	if (op->kind == OP_CREATE)
		out_fmt("  ttl %u%s", (unsigned)op->ttl, proxied_mark(op->proxied));
	else if (op->kind == OP_UPDATE)
		print_update(op);
	else
		out_fmt("  %s%s%s", leaving_word(op), op->kind == OP_HOLD ? ", held" : "",
			proxied_mark(op->record->proxied));
	out_str(has_colour ? "\033[0m\n" : "\n");
}

static void print_sums(const size_t op_n[OP_KINDS], size_t kept_n)
{
	out_fmt("  %zu to create, %zu to update, %zu to delete, %zu held, %zu kept\n",
		op_n[OP_CREATE], op_n[OP_UPDATE], op_n[OP_DELETE], op_n[OP_HOLD], kept_n);
}

static void print_name(const struct reconcile *r, bool has_colour)
{
	const struct plan *p = &r->out.plan;

	print_observed(r);
	for (size_t i = 0; i < p->ops_n; i++)
		print_op(&p->ops[i], has_colour);
	if (!p->ops_n) {
		out_str("  in sync: nothing to do\n");
		return;
	}
	print_sums(p->n, p->kept_n);
	if (p->held_why)
		out_fmt("  held: %s\n", p->held_why);
	if (r->out.gap == EVIDENCE_READ_FAILED)
		out_fmt("  that read: %s\n", r->out.gap_err->text);
}

/* ---- several names ---- */

static const char *zone_label(const struct reconcile *r)
{
	if (!r->zone)
		return "not known";
	return r->zone->name[0] ? r->zone->name : r->zone->id;
}

static void print_counts(const struct tally *t)
{
	static const char words[PLAN_STATES][10] = {"failed", "held", "to change", "in sync"};
	const char *between = ": ";

	out_fmt("%zu name%s", t->names_n, t->names_n == 1 ? "" : "s");
	for (int i = 0; i < PLAN_STATES; i++) {
		if (!t->state_n[i])
			continue;
		out_fmt("%s%zu %s", between, t->state_n[i], words[i]);
		between = ", ";
	}
	out_str("\n");
}

/* A terminal shows both streams: what failed is told in its place. */
static void print_failed(const struct reconcile *r)
{
	out_fmt("%s: failed\n", r->in.job->name);
	out_push();
	report_end(r);
}

/* Those of the i-th one's zone, trouble first. Returns whether anything was shown below it. */
static bool print_zone(const struct reconcile *r, size_t n, size_t i, bool has_colour)
{
	const struct tally t = tally_zone(r, n, i);
	bool has_more = false;

	out_fmt("zone %s: ", zone_label(&r[i]));
	print_counts(&t);
	for (enum plan_state state = 0; state < PLAN_STATES; state++) {
		for (size_t k = i; k < n; k++) {
			if (r[k].zone != r[i].zone || plan_state(&r[k]) != state ||
			    (state == PLAN_IN_SYNC && n > FEW))
				continue;
			has_more = true;
			if (state == PLAN_FAILED)
				print_failed(&r[k]);
			else
				print_name(&r[k], has_colour);
		}
	}
	return has_more;
}

void print_plans(const struct reconcile *r, size_t n, bool has_colour)
{
	struct tally all = {0};
	bool has_gap = false;
	size_t zones_n = 0;

	if (n == 1 && r->out.result != RECONCILE_FAILED)
		print_name(r, has_colour);
	out_push();
	if (n == 1) {
		if (r->out.result == RECONCILE_FAILED)
			report_end(r);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		tally_add(&all, &r[i]);
		if (!tally_is_new_zone(r, i))
			continue;
		if (has_gap)
			out_str("\n");
		has_gap = print_zone(r, n, i, has_colour);
		zones_n++;
	}
	out_fmt("%sin all, %zu zone%s, ", has_gap ? "\n" : "", zones_n, zones_n == 1 ? "" : "s");
	print_counts(&all);
	print_sums(all.op_n, all.kept_n);
}
