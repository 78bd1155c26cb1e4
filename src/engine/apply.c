#include "engine/apply.h"

#include "engine/report.h"

void apply_start(struct apply *a, const struct job *job, struct err *refusal)
{
	*a = (struct apply){.job = job, .refusal = refusal};
}

static enum apply_next list_again(struct apply *a)
{
	a->rounds++;
	a->has_stale_list = false;
	a->refused_n = a->absent_n = 0;
	return APPLY_LIST;
}

/* A swap needs a transaction. */
static bool is_single(const struct apply *a, const struct plan *p)
{
	return a->is_single && !p->is_swap;
}

/*
 * One record alone, as the API refuses batches. No delete as long as a wanted record is refused, or
 * only said to be there: I1.
 */
static size_t pick(const struct apply *a, const struct plan *p, struct op **picked, size_t cap)
{
	size_t n = plan_pick(p, picked, cap);

	if (n && is_single(a, p)) {
		bool may_not_go = a->absent_n || a->has_stale_list;

		return picked[0]->kind != OP_DELETE || !may_not_go || a->is_undoing;
	}
	return n;
}

enum apply_next apply_next(struct apply *a, const struct plan *p)
{
	struct op *picked[CF_BATCH_MAX];

	if (pick(a, p, picked, CF_BATCH_MAX))
		return APPLY_WRITE;
	if ((a->has_stale_list || (p->is_partial && !a->refused_n)) && a->rounds < APPLY_ROUNDS_MAX)
		return list_again(a);
	return APPLY_END;
}

void apply_fill(const struct apply *a, const struct plan *p, const struct observe *o,
		struct cf_part *part, struct op **picked, size_t cap)
{
	const struct cf_name *list = &o->list;
	size_t n = pick(a, p, picked, cap);

	*part = (struct cf_part){
		.job = a->job,
		.ops = picked,
		.ops_n = n,
		.created =
			RECORDS_MAX - list->records_n < n ? NULL : list->records + list->records_n,
	};
}

bool apply_is_alone(const struct apply *a, const struct plan *p)
{
	return a->rounds || a->is_single || a->is_undoing || p->is_swap;
}

static void drop_op(struct apply *a, struct observe *o, struct op *op, enum cf_meaning meaning,
		    const struct err *e)
{
	op->is_done = true; /* for this round: it is not tried again */
	if (op->kind == OP_DELETE && meaning == CF_GONE) {
		observe_written(o, op); /* somebody else deleted it */
		return;
	}
	if (meaning == CF_EXISTS || meaning == CF_GONE) {
		a->has_stale_list = true; /* the next listing shows what is so */
		return;
	}
	a->refused_n++;
	a->absent_n += op->kind == OP_CREATE;
	*a->refusal = *e;
	if (meaning == CF_IN_THE_WAY)
		(void)err_wrap(a->refusal, "another record of %s is in the way", a->job->name);
	report_refused(a->job, op, a->refusal);
}

/* The records are not what was listed, or one of ours is bad. */
enum apply_next apply_refused(struct apply *a, const struct plan *p, struct observe *o,
			      const struct cf_part *part, enum cf_meaning meaning,
			      const struct err *e)
{
	*a->refusal = *e;
	if (meaning == CF_EXISTS && a->rounds && observe_doubts_zone(o)) {
		(void)err_set(a->refusal, ERR_CONFIG,
			      "%s, and no record of %s is listed: is CF_ZONE_ID its zone?", e->text,
			      a->job->name);
		return APPLY_FAIL;
	}
	if (is_single(a, p)) {
		drop_op(a, o, part->ops[0], meaning, e);
		return apply_next(a, p);
	}
	if (!a->rounds) {
		report_batch_refused(a->job, e);
		return list_again(a);
	}
	if (p->is_swap || a->is_single)
		return APPLY_FAIL; /* only a transaction can swap */
	a->is_single = true;
	return apply_next(a, p);
}

void apply_undo(struct apply *a, struct plan *p, const struct cf_part *part, const struct err *e)
{
	a->is_undoing = true;
	*a->refusal = *e;
	for (size_t i = 0; i < part->created_n; i++)
		p->ops[i] = (struct op){.kind = OP_DELETE, .record = &part->created[i]};
	p->ops_n = part->created_n;
	p->is_swap = false;
}

void apply_written(struct apply *a, struct observe *o, const struct cf_part *part)
{
	for (size_t i = 0; i < part->ops_n; i++) {
		report_written(a->job, part->ops[i]);
		observe_written(o, part->ops[i]);
	}
	o->is_zone_known = true;
	if (part->created)
		o->list.records_n += part->created_n;
	else
		o->has_list = false;
}

bool apply_is_clean(const struct apply *a)
{
	return !a->refused_n && !a->has_stale_list;
}
