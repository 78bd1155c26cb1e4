#include "engine/observe.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static bool is_wanted(const struct job *job, enum instance_state state)
{
	return state == INSTANCE_PASSING || (job->include_warning && state == INSTANCE_WARNING);
}

static int listed_order(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;
	int order = target_compare(&x->target, &y->target);

	return order ? order : instance_compare(x->state, y->state);
}

void observe_sort_view(struct consul_view *v)
{
	if (v->listed_n)
		qsort(v->listed, v->listed_n, sizeof *v->listed, listed_order);
}

void observe_copy_view(struct consul_view *to, const struct consul_view *from)
{
	struct endpoint *listed = to->listed;

	/* Not the whole struct: of the host names' storage only what is used. */
	to->listed_n = from->listed_n;
	to->instances_n = from->instances_n;
	memcpy(to->n, from->n, sizeof to->n);
	to->unaddressed_n = from->unaddressed_n;
	memcpy(to->unaddressed, from->unaddressed, sizeof to->unaddressed);
	to->evidence = from->evidence;
	to->index = from->index;
	to->hosts.len = from->hosts.len;
	memcpy(to->hosts.text, from->hosts.text, from->hosts.len);
	for (size_t i = 0; i < from->listed_n; i++) {
		listed[i] = from->listed[i];
		if (listed[i].target.host)
			listed[i].target.host =
				to->hosts.text + (listed[i].target.host - from->hosts.text);
	}
}

/* The one target that is wanted when no instance is: none of the view's host names is needed. */
static void want_fallback(struct reconcile *r)
{
	struct target_hosts *hosts = &r->storage->want_hosts;
	struct err checked;

	hosts->len = 0;
	if (target_parse(&r->storage->want[0], r->job->fallback, hosts, &checked) == 0)
		r->want_n = 1;
}

/*
 * Take a good answer of Consul, sorted: what is wanted, and the figures to tell. The host names
 * move to storage of their own, since the next read overwrites the view's even when it fails.
 */
void observe_view(struct reconcile *r, const struct consul_view *v)
{
	struct target *want = r->storage->want;

	r->seen = v;
	r->instances_n = v->instances_n;
	memcpy(r->state_n, v->n, sizeof r->state_n);
	r->unaddressed_n = v->unaddressed_n;
	memcpy(r->unaddressed, v->unaddressed, sizeof r->unaddressed);
	memcpy(r->storage->want_hosts.text, v->hosts.text, v->hosts.len);
	r->want_n = 0;
	for (size_t i = 0; i < v->listed_n; i++) {
		struct target t = v->listed[i].target;

		if (!is_wanted(r->job, v->listed[i].state))
			continue;
		if (t.host)
			t.host = r->storage->want_hosts.text + (t.host - v->hosts.text);
		if (!r->want_n || target_compare(&want[r->want_n - 1], &t) != 0)
			want[r->want_n++] = t;
	}
	r->is_on_fallback = !r->want_n && r->job->on_empty == ON_EMPTY_FALLBACK;
	if (r->is_on_fallback)
		want_fallback(r);
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

void observe_states(struct reconcile *r)
{
	for (size_t i = 0; i < r->list.records_n; i++)
		r->list.records[i].state = find_state(r->seen, &r->list.records[i].target);
}

/* A record whose target can stand beside what is wanted. */
static bool may_linger(const struct reconcile *r, const struct record *record)
{
	return !r->want_n || !target_excludes(&r->storage->want[0], &record->target);
}

static bool is_still_wanted(const struct reconcile *r, const struct record *record)
{
	const struct job *job = r->job;

	if (is_wanted(job, record->state))
		return true;
	return r->is_on_fallback && target_compare(&r->storage->want[0], &record->target) == 0;
}

/*
 * What the plan shall aim at: what is wanted, and for the time of the grace what was. Registrars'
 * re-registration takes an instance away for 50 ms to 6 s. Maintenance is no blip: it asked to go.
 */
size_t observe_targets(struct reconcile *r, int64_t now_ms)
{
	struct target *targets = r->storage->plan_want;
	size_t n = r->want_n;

	memcpy(targets, r->storage->want, n * sizeof *targets);
	r->linger_ms = CLOCK_NEVER;
	for (size_t i = 0; i < r->list.records_n; i++) {
		struct record *record = &r->list.records[i];
		int64_t until_ms;

		if (!record->is_ours || is_still_wanted(r, record)) {
			record->is_leaving = false;
			continue;
		}
		if (!record->is_leaving) {
			record->is_leaving = true;
			record->leaving_since_ms = now_ms;
		}
		until_ms = record->leaving_since_ms + (r->is_watch ? r->job->grace_ms : 0);
		if (until_ms <= now_ms || record->state == INSTANCE_MAINTENANCE ||
		    !may_linger(r, record))
			continue;
		targets[n++] = record->target;
		if (until_ms < r->linger_ms)
			r->linger_ms = until_ms;
	}
	return n;
}

/* The listing overwrites what is remembered: who is leaving, and since when, must outlive it. */
void observe_save_leaving(struct reconcile *r)
{
	struct reconcile_storage *s = r->storage;

	s->leaving_n = 0;
	for (size_t i = 0; r->has_list && i < r->list.records_n; i++) {
		const struct record *record = &r->list.records[i];

		/* A host name's text is the listing's. */
		if (record->is_leaving && !record->target.host)
			s->leaving[s->leaving_n++] = (struct leaving){
				.target = record->target,
				.since_ms = record->leaving_since_ms,
			};
	}
}

void observe_restore_leaving(struct reconcile *r)
{
	const struct reconcile_storage *s = r->storage;

	for (size_t i = 0; s->leaving_n && i < r->list.records_n; i++) {
		struct record *record = &r->list.records[i];

		for (size_t k = 0; k < s->leaving_n; k++) {
			if (target_compare(&s->leaving[k].target, &record->target) != 0)
				continue;
			record->is_leaving = true;
			record->leaving_since_ms = s->leaving[k].since_ms;
		}
	}
}

void observe_forget_deleted(struct reconcile *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->list.records_n; i++)
		if (r->have[i].id[0])
			r->have[n++] = r->have[i];
	r->list.records_n = n;
}

void observe_written(struct reconcile *r, const struct op *op)
{
	struct record *record;

	if (op->kind != OP_DELETE && op->target->host)
		r->has_list = false; /* its host's text is not ours to keep: to be listed anew */
	if (!op->record)
		return;
	record = &r->have[op->record - r->have];
	if (op->kind == OP_DELETE) {
		record->id[0] = '\0';
		return;
	}
	record->ttl = op->ttl;
	record->proxied = op->proxied;
}
