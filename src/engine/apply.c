#include "engine/apply.h"

#include "engine/report.h"

void apply_start(struct apply *a, const struct job *job, struct apply_storage *storage)
{
	a->job = job;
	a->storage = storage;
	a->part = &storage->part;
	a->write = &storage->write;
	a->rounds = 0;
	a->is_single = false;
	a->is_undoing = false;
	a->has_stale_list = false;
	a->refused_n = a->absent_n = 0;
}

static enum apply_next list_again(struct apply *a)
{
	a->rounds++;
	a->has_stale_list = false;
	a->refused_n = a->absent_n = 0;
	return APPLY_LIST;
}

/*
 * One record, as the API refuses batches. No delete as long as a wanted record is refused, or
 * only said to be there: I1. A swap needs a transaction and stays a batch.
 */
static size_t pick_single(const struct apply *a, const struct plan *p)
{
	size_t n = plan_pick(p, a->storage->picked, CF_BATCH_MAX);

	if (n && a->storage->picked[0]->kind == OP_DELETE && (a->absent_n || a->has_stale_list))
		return 0;
	return n ? 1 : 0;
}

enum apply_next apply_next(struct apply *a, const struct plan *p, struct observe *o)
{
	bool is_single = a->is_single && !p->is_swap;
	size_t n = is_single ? pick_single(a, p) : plan_pick(p, a->storage->picked, CF_BATCH_MAX);
	struct cf_name *list = &o->list;

	if (!n && (a->has_stale_list || (p->is_partial && !a->refused_n)) &&
	    a->rounds < APPLY_ROUNDS_MAX)
		return list_again(a);
	if (!n)
		return APPLY_END;
	*a->part = (struct cf_part){
		.job = a->job,
		.ops = a->storage->picked,
		.ops_n = n,
		.created =
			RECORDS_MAX - list->records_n < n ? NULL : list->records + list->records_n,
	};
	*a->write = (struct cf_write){
		.zone_id = o->listing.zone_id,
		.parts = a->part,
		.parts_n = 1,
		.is_single = is_single,
	};
	return APPLY_WRITE;
}

static void drop_op(struct apply *a, struct observe *o, const struct err *e)
{
	struct op *op = a->part->ops[0];
	enum cf_meaning meaning = a->write->reply.meaning;

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
	a->refusal = *e;
	if (meaning == CF_IN_THE_WAY)
		(void)err_wrap(&a->refusal, "another record of %s is in the way", a->job->name);
	report_refused(a->job, op, &a->refusal);
}

/* The records are not what was listed, or one of ours is bad. */
enum apply_next apply_refused(struct apply *a, const struct plan *p, struct observe *o,
			      const struct err *e)
{
	a->refusal = *e;
	if (a->write->reply.meaning == CF_EXISTS && a->rounds && observe_doubts_zone(o)) {
		(void)err_set(&a->refusal, ERR_CONFIG,
			      "%s, and no record of %s is listed: is CF_ZONE_ID its zone?", e->text,
			      a->job->name);
		return APPLY_FAIL;
	}
	if (a->write->is_single) {
		drop_op(a, o, e);
		return apply_next(a, p, o);
	}
	if (!a->rounds) {
		report_batch_refused(a->job, e);
		return list_again(a);
	}
	if (p->is_swap || a->is_single)
		return APPLY_FAIL; /* only a transaction can swap */
	a->is_single = true;
	return apply_next(a, p, o);
}

void apply_undo(struct apply *a, const struct err *e)
{
	struct cf_part *p = a->part;

	a->is_undoing = true;
	a->refusal = *e;
	p->ops_n = p->created_n;
	for (size_t i = 0; i < p->ops_n; i++)
		*p->ops[i] = (struct op){.kind = OP_DELETE, .record = &p->created[i]};
	p->created = NULL;
	a->write->has_other = false;
}

void apply_written(struct apply *a, struct observe *o)
{
	for (size_t i = 0; i < a->part->ops_n; i++) {
		report_written(a->job, a->part->ops[i]);
		observe_written(o, a->part->ops[i]);
	}
	o->is_zone_known = true;
	if (a->part->created)
		o->list.records_n += a->part->created_n;
	else
		o->has_list = false;
}

bool apply_is_clean(const struct apply *a)
{
	return !a->refused_n && !a->has_stale_list;
}
