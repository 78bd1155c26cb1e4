#include "engine/observe.h"

#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"

static bool is_wanted(const struct job *job, enum instance_state state)
{
	return state == INSTANCE_PASSING || (job->include_warning && state == INSTANCE_WARNING);
}

/* The one target that is wanted when no instance is: none of the view's host names is needed. */
static void want_fallback(struct observe *o)
{
	struct target_hosts *hosts = &o->storage->fallback;
	struct err checked;

	hosts->len = 0;
	if (target_parse(&o->storage->want[0], o->job->fallback, hosts, &checked) == 0)
		o->want_n = 1;
}

void observe_init(struct observe *o, const struct job *job, struct record *have,
		  struct target_hosts *hosts, bool has_grace)
{
	*o = (struct observe){
		.job = job,
		.has_grace = has_grace,
		.linger_ms = CLOCK_NEVER,
		.list = {.job = job, .records = have, .hosts = hosts},
	};
}

/* The first is told. */
static void leave_out(struct instance_counts *count, const char *host, const char *why)
{
	if (!count->unaddressed_n++)
		(void)fmt_text(count->unaddressed, sizeof count->unaddressed, "%.200s%s", host,
			       why);
}

void observe_answer(struct observe *o, const struct consul_view *v)
{
	struct target *want = o->storage->want;
	unsigned types[2] = {0}; /* what can stand beside others, and what cannot */

	o->count = v->count;
	o->hidden = evidence_hidden(&v->evidence, !v->count.instances_n);
	o->want_n = 0;
	for (size_t i = 0; i < v->listed_n; i++) {
		const struct target *t = &v->listed[i].target;

		/* A CNAME to itself answers nobody, in the place of what would. */
		if (t->host && strcmp(t->host, o->job->name) == 0) {
			leave_out(&o->count, t->host, " is the record's own name");
			continue;
		}
		types[target_is_alone(t)] |= RECORD_BIT(t->type);
		if (!is_wanted(o->job, v->listed[i].state))
			continue;
		/* A CNAME stands alone; sorted, addresses come first. */
		if (t->host && o->want_n && !want[0].host) {
			leave_out(&o->count, t->host, ": a host name beside addresses");
			continue;
		}
		if (!o->want_n || target_compare(&want[o->want_n - 1], t) != 0)
			want[o->want_n++] = *t;
	}
	/*
	 * In whatever state: records of instances that are all critical may be removed. But not
	 * what cannot stand beside what is wanted: a CNAME there need not have come from us.
	 */
	o->types = o->want_n ? types[target_is_alone(want)] : types[0] | types[1];
	o->is_on_fallback = !o->want_n && o->job->on_empty == ON_EMPTY_FALLBACK;
	if (o->is_on_fallback)
		want_fallback(o);
}

/* What Consul says of a record's target: the best of the instances that have it. */
static enum instance_state find_state(const struct consul_view *v, const struct target *t)
{
	size_t low = 0, high = v->listed_n;
	enum instance_state best = INSTANCE_VANISHED;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (target_compare(&v->listed[mid].target, t) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	/* The view is sorted: the best of several comes last. */
	for (; low < v->listed_n && target_compare(&v->listed[low].target, t) == 0; low++)
		best = v->listed[low].state;
	return best;
}

void observe_states(struct observe *o, const struct consul_view *v)
{
	for (size_t i = 0; i < o->list.records_n; i++) {
		struct record *record = &o->list.records[i];

		record->state = find_state(v, &record->target);
		if (record->is_unmarked)
			record->is_ours = o->types & RECORD_BIT(record->target.type);
	}
}

/* A record whose target can stand beside what is wanted. */
static bool may_linger(const struct observe *o, const struct record *record)
{
	return !o->want_n || !target_excludes(&o->storage->want[0], &record->target);
}

static bool is_still_wanted(const struct observe *o, const struct record *record)
{
	const struct job *job = o->job;

	if (is_wanted(job, record->state))
		return true;
	return o->is_on_fallback && target_compare(&o->storage->want[0], &record->target) == 0;
}

size_t observe_targets(struct observe *o, int64_t now_ms)
{
	struct target *want = o->storage->want;
	size_t n = o->want_n;

	o->linger_ms = CLOCK_NEVER;
	for (size_t i = 0; i < o->list.records_n; i++) {
		struct record *record = &o->list.records[i];
		int64_t until_ms;

		if (!record->is_ours || is_still_wanted(o, record)) {
			record->is_leaving = false;
			continue;
		}
		if (!record->is_leaving) {
			record->is_leaving = true;
			record->leaving_since_ms = now_ms;
		}
		until_ms = record->leaving_since_ms + (o->has_grace ? o->job->grace_ms : 0);
		if (until_ms <= now_ms || record->state == INSTANCE_MAINTENANCE ||
		    !may_linger(o, record))
			continue;
		want[n++] = record->target;
		if (until_ms < o->linger_ms)
			o->linger_ms = until_ms;
	}
	return n;
}

size_t observe_begin_list(struct observe *o, struct leaving *leaving, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; o->has_list && i < o->list.records_n && n < cap; i++) {
		const struct record *record = &o->list.records[i];

		/* A host name's text is the listing's. */
		if (record->is_leaving && !record->target.host)
			leaving[n++] = (struct leaving){
				.target = record->target,
				.since_ms = record->leaving_since_ms,
			};
	}
	o->has_list = false;
	return n;
}

void observe_end_list(struct observe *o, const struct leaving *leaving, size_t n)
{
	o->has_list = true;
	o->is_zone_known |= o->list.seen_n > 0;
	for (size_t i = 0; n && i < o->list.records_n; i++) {
		struct record *record = &o->list.records[i];

		for (size_t k = 0; k < n; k++) {
			if (target_compare(&leaving[k].target, &record->target) != 0)
				continue;
			record->is_leaving = true;
			record->leaving_since_ms = leaving[k].since_ms;
		}
	}
}

bool observe_doubts_zone(const struct observe *o)
{
	return o->job->zone_id[0] && !o->is_zone_known;
}

void observe_forget_deleted(struct observe *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->list.records_n; i++)
		if (o->list.records[i].id[0])
			o->list.records[n++] = o->list.records[i];
	o->list.records_n = n;
}

void observe_written(struct observe *o, const struct op *op)
{
	struct record *record;

	if (op->kind != OP_DELETE && op->target->host)
		o->has_list = false; /* its host's text is not ours to keep: to be listed anew */
	if (!op->record)
		return;
	record = &o->list.records[op->record - o->list.records];
	if (op->kind == OP_DELETE) {
		record->id[0] = '\0';
		return;
	}
	record->ttl = op->ttl;
	record->proxied = op->proxied;
}
