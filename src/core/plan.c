#include "core/plan.h"

#include <string.h>

#include "base/sort.h"

static int by_target(const void *a, const void *b)
{
	return target_compare(a, b);
}

/* Ours first: of two records of one target, the foreign one is not ours to rely on. */
static int by_target_ours_id(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = target_compare(&x->target, &y->target);

	if (order)
		return order;
	if (x->is_ours != y->is_ours)
		return x->is_ours ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int op_order(const void *a, const void *b)
{
	const struct op *x = a, *y = b;
	const struct target *x_target = x->target ? x->target : &x->record->target;
	const struct target *y_target = y->target ? y->target : &y->record->target;
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == OP_DELETE) {
		if (x->is_duplicate != y->is_duplicate)
			return x->is_duplicate ? -1 : 1;
		order = instance_compare(x->record->state, y->record->state);
		if (order)
			return order;
	}
	order = target_compare(x_target, y_target);
	if (order || !x->record || !y->record)
		return order;
	return strcmp(x->record->id, y->record->id);
}

static size_t sort_unique(struct target *want, size_t n)
{
	size_t kept = 0;

	if (!n)
		return 0;
	sort(want, n, sizeof *want, by_target);
	for (size_t i = 1; i < n; i++)
		if (target_compare(&want[kept], &want[i]) != 0)
			want[++kept] = want[i];
	return kept + 1;
}

static int add_op(struct plan *p, struct op op, struct err *e)
{
	if (p->ops_n == p->ops_cap)
		return err_set(e, ERR_LIMIT, "more than %zu changes in one plan", p->ops_cap);
	p->ops[p->ops_n++] = op;
	return 0;
}

/* What a record of this target shall be, that is now as r. */
static void set_attributes(struct op *op, const struct target *t, const struct record *r,
			   const struct job *job)
{
	op->target = t;
	if (job->proxied == PROXIED_KEEP)
		op->proxied = r->proxied;
	else
		op->proxied = job->proxied == PROXIED_ON && target_can_be_proxied(t);
	op->ttl = op->proxied ? TTL_AUTOMATIC : job->ttl;
}

static int add_update(struct plan *p, const struct target *t, const struct record *r,
		      const struct job *job, struct err *e)
{
	struct op op = {.kind = OP_UPDATE, .record = r};

	set_attributes(&op, t, r, job);
	/* What only stays for its grace is not worth a write, which might be refused. */
	if (r->is_leaving ||
	    (target_compare(t, &r->target) == 0 && r->ttl == op.ttl && r->proxied == op.proxied)) {
		p->kept_n++;
		return 0;
	}
	return add_op(p, op, e);
}

static int add_create(struct plan *p, const struct target *t, const struct job *job, struct err *e)
{
	const struct record like = {.proxied = p->is_proxied && target_can_be_proxied(t)};
	struct op op = {.kind = OP_CREATE};

	set_attributes(&op, t, &like, job);
	return add_op(p, op, e);
}

static bool is_as_wanted(const struct record *r, const struct target *t, const struct job *job)
{
	struct op op;

	set_attributes(&op, t, r, job);
	return r->ttl == op.ttl && r->proxied == op.proxied;
}

/*
 * One wanted target and the group[0..n) of records that have it, ours first: one of ours stays,
 * the others are duplicates. It stays as it is while they are there: a change could make it
 * identical to one of them, which the API refuses.
 */
static int plan_wanted(struct plan *p, const struct target *t, const struct record *group, size_t n,
		       const struct job *job, struct err *e)
{
	size_t ours_n = 0, stays = 0;

	if (!n)
		return add_create(p, t, job, e);
	while (ours_n < n && group[ours_n].is_ours)
		ours_n++;
	if (ours_n == 1)
		return add_update(p, t, &group[0], job, e);
	p->kept_n++;
	if (!ours_n)
		return 0;
	while (stays + 1 < ours_n && !is_as_wanted(&group[stays], t, job))
		stays++;
	p->is_partial |= !is_as_wanted(&group[stays], t, job);
	for (size_t i = 0; i < ours_n; i++) {
		struct op op = {.kind = OP_DELETE, .record = &group[i], .is_duplicate = true};

		if (i != stays && add_op(p, op, e))
			return -1;
	}
	return 0;
}

static int plan_unwanted(struct plan *p, const struct record *r, struct err *e)
{
	if (!r->is_ours)
		return 0;
	return add_op(p, (struct op){.kind = OP_DELETE, .record = r}, e);
}

/* The one walk over both sorted lists. */
static int walk(struct plan *p, const struct plan_input *in, struct err *e)
{
	size_t h = 0;

	for (size_t w = 0; w < in->want_n; w++) {
		const struct target *t = &in->want[w];
		size_t n = 0;

		for (; h < in->have_n && target_compare(&in->have[h].target, t) < 0; h++)
			if (plan_unwanted(p, &in->have[h], e))
				return -1;
		while (h + n < in->have_n && target_compare(&in->have[h + n].target, t) == 0)
			n++;
		if (plan_wanted(p, t, in->have + h, n, in->job, e))
			return -1;
		h += n;
	}
	for (; h < in->have_n; h++)
		if (plan_unwanted(p, &in->have[h], e))
			return -1;
	return 0;
}

static int check_targets(const struct plan_input *in, struct err *e)
{
	char text[TARGET_TEXT_CAP];

	for (size_t i = in->want_n; in->want_n > 1 && i--;) {
		if (!target_is_alone(&in->want[i]))
			continue;
		target_format(&in->want[i], text);
		return err_set(e, ERR_REFUSED,
			       "%s: %zu targets are wanted and %s is a host name: a name has one "
			       "CNAME and nothing beside it",
			       in->job->name, in->want_n, text);
	}
	return 0;
}

static int check_foreign(const struct plan_input *in, struct err *e)
{
	char text[TARGET_TEXT_CAP], comment[JOB_COMMENT_CAP];
	struct buf b;

	for (size_t i = 0; in->want_n && i < in->have_n; i++) {
		const struct record *r = &in->have[i];

		if (r->is_ours || !target_excludes(&r->target, &in->want[0]))
			continue;
		target_format(&r->target, text);
		buf_init(&b, comment, sizeof comment);
		job_comment(&b, in->job);
		return err_set(e, ERR_REFUSED,
			       "%s: the %s record %s (id %s) is in the way and not ours: remove it "
			       "by hand, or give it the comment \"%s\"",
			       in->job->name, record_type_name(r->target.type), text, r->id, b.p);
	}
	return 0;
}

/*
 * A new record is as most of ours at the name that could be either. Cloudflare proxies all
 * addresses of a name of which one is proxied, and an origin that was shown once is known for ever:
 * as many of each count as proxied.
 * https://developers.cloudflare.com/dns/proxy-status/
 */
static void look_proxied(struct plan *p, const struct plan_input *in)
{
	size_t n[2] = {0};

	for (size_t i = 0; i < in->have_n; i++)
		if (in->have[i].is_ours && target_can_be_proxied(&in->have[i].target))
			n[in->have[i].proxied]++;
	p->is_proxied = n[true] && n[true] >= n[false];
	p->is_mixed = n[true] && n[false] && in->job->proxied == PROXIED_KEEP;
}

static void count_kinds(struct plan *p)
{
	memset(p->n, 0, sizeof p->n);
	for (size_t i = 0; i < p->ops_n; i++)
		p->n[p->ops[i].kind]++;
}

/*
 * The single CNAME changes its host: no second one can be added first, so the record itself is
 * updated, in one step.
 */
static void replace_cname(struct plan *p, const struct job *job)
{
	struct op *create = &p->ops[0], *remove = &p->ops[1];

	if (p->ops_n != 2 || create->kind != OP_CREATE || remove->kind != OP_DELETE ||
	    create->target->type != remove->record->target.type || !target_is_alone(create->target))
		return;
	create->kind = OP_UPDATE;
	create->record = remove->record;
	set_attributes(create, create->target, remove->record, job);
	p->ops_n = 1;
}

static bool replaces(const struct op *op)
{
	return op->kind == OP_UPDATE && target_compare(op->target, &op->record->target) != 0;
}

static void find_swap(struct plan *p)
{
	if (!p->n[OP_CREATE])
		return;
	for (size_t i = 0; i < p->ops_n; i++)
		if (p->ops[i].kind == OP_DELETE &&
		    target_excludes(&p->ops[i].record->target, p->ops[0].target))
			p->is_swap = true;
}

static const char *why_not_remove(const struct plan_input *in)
{
	if (in->not_evidence)
		return in->not_evidence;
	/* A record in its grace is nobody's to rely on: when that is over it is held, too. */
	return (!in->want_n || in->wants_none) && in->job->on_empty != ON_EMPTY_REMOVE
		       ? "no instance is wanted and --on-empty is keep"
		       : NULL;
}

/* Nothing may go: what would go is held, and what could only come in its place does not come. */
static void hold_all(struct plan *p, const char *why)
{
	size_t n = 0;

	for (size_t i = 0; i < p->ops_n; i++) {
		struct op op = p->ops[i];

		if (op.kind == OP_DELETE || replaces(&op))
			op.kind = OP_HOLD;
		else if (op.kind == OP_CREATE && (p->is_swap || p->is_substitute))
			continue;
		p->ops[n++] = op;
	}
	p->ops_n = n;
	p->is_swap = p->is_partial = false;
	count_kinds(p);
	if (p->n[OP_HOLD])
		p->held_why = why;
}

/*
 * The records that the floor counts. A foreign one does as well as ours, but only where it can
 * serve who is served now: with a hand-made AAAA alone a name is dark to all of IPv4.
 */
static size_t count_lit(const struct plan_input *in)
{
	unsigned types = 0;
	size_t n = 0;

	for (size_t i = 0; i < in->want_n; i++)
		types |= RECORD_BIT(in->want[i].type);
	types &= ~in->brief_types;
	for (size_t i = 0; i < in->have_n; i++)
		n += in->have[i].is_ours || types & RECORD_BIT(in->have[i].target.type);
	return n;
}

/* Hold so many of the last deletes that min_records stay. */
static void hold_floor(struct plan *p, const struct plan_input *in)
{
	static const char why[] = "fewer than --min-records would remain";
	size_t present = count_lit(in) + p->n[OP_CREATE];
	size_t floor = in->job->min_records;
	size_t spare = present > floor ? present - floor : 0;
	struct op *op = p->ops + p->ops_n;

	if (!in->want_n || p->n[OP_DELETE] <= spare)
		return;
	if (p->is_swap) {
		hold_all(p, why); /* they cannot stand beside each other: all or nothing */
		return;
	}
	while (p->n[OP_DELETE] > spare) {
		(--op)->kind = OP_HOLD;
		p->n[OP_DELETE]--;
		p->n[OP_HOLD]++;
	}
	p->held_why = why;
}

int plan_build(struct plan *p, struct plan_input *in, struct err *e)
{
	const char *why;

	p->ops_n = p->kept_n = 0;
	p->is_swap = p->is_partial = false;
	p->is_substitute = in->is_substitute && in->have_n;
	p->held_why = NULL;
	/* Whatever a listing took them for. */
	for (size_t i = 0; i < in->have_n; i++)
		if (!(in->job->types & RECORD_BIT(in->have[i].target.type)))
			in->have[i].is_ours = false;
	look_proxied(p, in);
	in->want_n = sort_unique(in->want, in->want_n);
	sort(in->have, in->have_n, sizeof *in->have, by_target_ours_id);
	if (check_targets(in, e) || check_foreign(in, e) || walk(p, in, e))
		return -1;
	sort(p->ops, p->ops_n, sizeof *p->ops, op_order);
	replace_cname(p, in->job);
	count_kinds(p);
	find_swap(p);
	why = why_not_remove(in);
	if (why)
		hold_all(p, why);
	else
		hold_floor(p, in);
	p->is_held_by_rule = p->held_why && !in->not_evidence;
	return 0;
}

bool plan_needs_evidence(const struct plan *p)
{
	if (p->is_held_by_rule)
		return true;
	for (size_t i = 0; i < p->ops_n; i++)
		if (p->ops[i].kind == OP_DELETE || replaces(&p->ops[i]) ||
		    (p->ops[i].kind == OP_CREATE && p->is_substitute))
			return true;
	return false;
}

static size_t count_pending(const struct plan *p, enum op_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < p->ops_n; i++)
		n += p->ops[i].kind == kind && !p->ops[i].is_done;
	return n;
}

bool plan_only_deletes(const struct plan *p)
{
	return !count_pending(p, OP_CREATE) && !count_pending(p, OP_UPDATE);
}

bool plan_is_done(const struct plan *p)
{
	return plan_only_deletes(p) && !count_pending(p, OP_DELETE);
}

static size_t pick_pending(const struct plan *p, bool deletes, struct op **picked, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < p->ops_n && n < cap; i++) {
		struct op *op = &p->ops[i];

		if (op->kind != OP_HOLD && (op->kind == OP_DELETE) == deletes && !op->is_done)
			picked[n++] = op;
	}
	return n;
}

size_t plan_pick(const struct plan *p, struct op **picked, size_t cap)
{
	size_t deletes_n = count_pending(p, OP_DELETE), n;

	if (p->is_swap && deletes_n) {
		/* The name is never dark: some stay until the creates come in their transaction. */
		if (deletes_n >= cap)
			return pick_pending(p, true, picked,
					    deletes_n - 1 < cap ? deletes_n - 1 : cap);
		n = pick_pending(p, true, picked, cap);
		return n + pick_pending(p, false, picked + n, cap - n);
	}
	n = pick_pending(p, false, picked, cap);
	return n ? n : pick_pending(p, true, picked, cap);
}
