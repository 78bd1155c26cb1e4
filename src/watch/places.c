#include "watch/places.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/sort.h"
#include "core/pace.h"
#include "watch/watch.h"

/* ---- when a service is read ---- */

void places_read(struct watch *w, struct service_watch *s, int64_t at_ms)
{
	struct services *all = &w->services;
	int64_t *due_ms = &all->due_ms[s->wide.slot];

	if (s->reader) {
		s->wide.is_again = true;
		return;
	}
	if (at_ms < *due_ms)
		*due_ms = at_ms;
	if (at_ms < all->next_ms)
		all->next_ms = at_ms;
}

/* Of all services of a place, one after the other: what is read of them besides goes on. */
static void sweep(struct services_place *p, int64_t now_ms)
{
	const struct services *all = &p->watch->services;
	int64_t n = 0;

	p->futile_n += p->sweep_ms <= now_ms; /* until it has news */
	p->sweep_ms = CLOCK_NEVER;
	p->swept_ms = now_ms;
	for (size_t i = 0; i < all->n; i++) {
		if (all->of[i]->wide.place != p)
			continue;
		all->of[i]->wide.is_swept = true;
		places_read(p->watch, all->of[i], now_ms + n++ / SERVICES_SWEEP_PER_MS);
	}
}

/*
 * Read all of them soon: what moved the catalog is told as a rule, but not what else did at the
 * same time. A sweep that had no news makes the next one wait for longer; not that of a node of
 * which a check has changed, for its instances without checks are told by nothing.
 */
static void sweep_soon(struct services_place *p, bool has_nodes, int64_t now_ms)
{
	int64_t delay_ms = SERVICES_SOON_MS;

	if (has_nodes || now_ms - p->swept_ms > SERVICES_QUIET_MS)
		p->futile_n = 0;
	for (unsigned i = 0; i < p->futile_n && delay_ms < SERVICES_SOON_MAX_MS; i++)
		delay_ms *= 2;
	if (p->sweep_ms == CLOCK_NEVER || (has_nodes && now_ms + delay_ms < p->sweep_ms))
		p->sweep_ms = now_ms + delay_ms;
}

void places_begin(struct service_watch *s)
{
	const struct services_place *p = s->wide.place;

	s->wide.told_index = p ? p->ears[TOLD_CHECKS].index : 0;
}

/*
 * What a reading has shown before it was told may be over when it is told: then what is told is as
 * it was. Of a service that is not there the index may be that of all others.
 */
void places_end(struct service_watch *s)
{
	const struct services_place *p = s->wide.place;

	if (!p || !s->view->count.instances_n || s->view->index <= s->wide.told_index)
		return;
	if (p->ears[TOLD_CHECKS].index == s->wide.told_index)
		s->wide.has_sum[TOLD_CHECKS] = false; /* whatever is told next, it is news */
	else
		s->wide.is_again = true; /* it was told meanwhile */
}

static bool is_answered(const struct services_place *p)
{
	for (int kind = 0; kind < TOLD_KINDS; kind++)
		if (!p->ears[kind].has_heard || p->ears[kind].told->read.failures)
			return false;
	return true;
}

bool places_may_read(const struct services_place *p)
{
	return !p || p->is_blind || is_answered(p);
}

int64_t places_turn_ms(const struct watch *w, const struct services_place *p, int64_t now_ms)
{
	const int64_t blind_ms = (int64_t)w->services.n * SERVICES_BLIND_EACH_MS;
	const int64_t slot_ms = w->setup.resync_ms / SERVICES_TURNS;

	if (!p || p->is_blind)
		return now_ms + (blind_ms > SERVICES_BLIND_MS ? blind_ms : SERVICES_BLIND_MS);
	/* Many at a time: whoever wakes for one has most of the cost. */
	return (now_ms + w->setup.resync_ms) / slot_ms * slot_ms;
}

/* ---- what is told ---- */

static int name_order(const void *a, const void *b)
{
	const struct service_watch *const *x = a, *const *y = b;

	return strcasecmp((*x)->job.service, (*y)->job.service); /* as Consul has them */
}

/* The first of this name in by_name, or where it would be. */
static size_t find_name(struct services *all, const char *name)
{
	size_t low = 0, high = all->n;

	if (!all->is_sorted) {
		for (size_t i = 0; i < all->n; i++)
			all->by_name[i] = all->of[i];
		sort(all->by_name, all->n, sizeof(void *), name_order);
		all->is_sorted = true;
	}
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcasecmp(all->by_name[middle]->job.service, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t node_bucket(const char *node)
{
	uint64_t sum = digest_text(DIGEST_START, node);

	return (sum ^ sum >> 32) % SERVICES_NODE_BUCKETS;
}

static void hear_begin(void *ctx)
{
	struct services_ear *ear = ctx;
	const struct services *all = &ear->place->watch->services;

	memset(ear->incoming_nodes, 0, sizeof ear->incoming_nodes);
	for (size_t i = 0; i < all->n; i++) {
		all->of[i]->wide.incoming_sums[ear->kind] = 0;
		if (ear->kind == TOLD_CHECKS)
			all->of[i]->wide.incoming_nodes = 0;
	}
}

static void hear(void *ctx, const struct consul_catalog_piece *piece)
{
	struct services_ear *ear = ctx;
	struct services *all = &ear->place->watch->services;
	const size_t bucket = node_bucket(piece->node);

	if (!*piece->service) {
		ear->incoming_nodes[bucket] += piece->sum;
		return;
	}
	for (size_t i = find_name(all, piece->service);
	     i < all->n && strcasecmp(all->by_name[i]->job.service, piece->service) == 0; i++) {
		struct service_wide *one = &all->by_name[i]->wide;

		if (one->place != ear->place)
			continue;
		one->incoming_sums[ear->kind] += piece->sum;
		if (ear->kind == TOLD_CHECKS)
			one->incoming_nodes |= (uint64_t)1 << bucket;
	}
}

/* The buckets of nodes of which a check has changed, one bit each. */
static uint64_t take_nodes(struct services_ear *ear)
{
	uint64_t changed = 0;

	for (size_t i = 0; i < SERVICES_NODE_BUCKETS; i++)
		if (ear->nodes[i] != ear->incoming_nodes[i])
			changed |= (uint64_t)1 << i;
	memcpy(ear->nodes, ear->incoming_nodes, sizeof ear->nodes);
	return changed;
}

/* Whether something was told of this service; what is told from now on is compared with that. */
static bool take_sum(struct services_ear *ear, struct service_wide *one, uint64_t nodes)
{
	const int kind = ear->kind;
	const bool is_checks = kind == TOLD_CHECKS;
	bool is_news = one->has_sum[kind] ? one->sums[kind] != one->incoming_sums[kind] : is_checks;

	if (is_checks) {
		is_news |= (nodes & (one->nodes | one->incoming_nodes)) != 0;
		one->nodes = one->incoming_nodes;
	}
	one->sums[kind] = one->incoming_sums[kind];
	one->has_sum[kind] = true;
	return is_news;
}

static void hear_end(void *ctx, const struct consul_list *answer)
{
	struct services_ear *ear = ctx;
	struct services_place *p = ear->place;
	const struct services *all = &p->watch->services;
	const int64_t now_ms = clock_now_ms();
	const uint64_t nodes = take_nodes(ear);
	/* A check's state does not move the catalog's index; what comes, goes or changes does. */
	const bool has_moved = ear->kind == TOLD_TAGS && ear->index != answer->index;

	for (size_t i = 0; i < all->n; i++) {
		if (all->of[i]->wide.place != p || !take_sum(ear, &all->of[i]->wide, nodes))
			continue;
		all->of[i]->wide.is_swept = false; /* before those of which nothing is told */
		all->of[i]->read.same_n = 0;       /* what was read in vain does not count */
		places_read(p->watch, all->of[i], blocking_ready_ms(&all->of[i]->read));
	}
	ear->index = answer->index;
	if (ear->has_heard && (has_moved || nodes))
		sweep_soon(p, nodes != 0, now_ms);
	ear->has_heard = true;
}

/* ---- one wide query, as a part of the loop ---- */

/* Whose word it is that a service is what it was: of two the one that fails; blind, its own. */
const struct blocking *places_voice(const struct services_place *p)
{
	const struct blocking *tags = &p->ears[TOLD_TAGS].told->read;

	if (p->is_blind)
		return NULL;
	return tags->failures ? tags : &p->ears[TOLD_CHECKS].told->read;
}

static void ear_failed(struct services_ear *ear, int64_t now_ms)
{
	struct services_place *p = ear->place;
	const struct blocking *read = &ear->told->read;

	p->watch->was_refused |= pace_wants_secrets(read->last_err->kind);
	log_event(read->failures == 1 ? LOG_WARN : LOG_DEBUG, "consul does not answer",
		  "error=%s failures=%u", read->last_err->text, read->failures);
	if (p->is_blind ||
	    (read->last_err->kind == ERR_RETRY && read->failures < SERVICES_BLIND_FAILURES))
		return;
	p->is_blind = true;
	log_event(LOG_WARN, "services are read in turns", "error=%s", read->last_err->text);
	sweep(p, now_ms);
}

/* Another answer, or none any more: who may be read now, and who says how it is? */
static void look_again(struct services_place *p, int64_t now_ms)
{
	struct services *all = &p->watch->services;

	if (is_answered(p))
		p->is_blind = false; /* what was missed differs from what was told last */
	for (size_t i = 0; i < all->n; i++) {
		struct service_watch *s = all->of[i];

		if (s->wide.place != p)
			continue;
		s->told_by = places_voice(p);
		if (s->read.failures && is_answered(p)) { /* as all did; it need not wait longer */
			s->read.retry_ms = 0;
			places_read(p->watch, s, now_ms);
		}
	}
	all->next_ms = 0;
}

static void ear_wants(void *ctx, struct loop_wait *wait, int64_t now_ms)
{
	const struct services_ear *ear = ctx;
	const struct services_place *p = ear->place;

	(void)now_ms;
	if (p->watch->is_stopping || !p->is_followed)
		return;
	catalog_watch_wants(ear->told, wait);
	if (ear->kind == TOLD_CHECKS)
		loop_wait_until(wait, p->sweep_ms);
}

static void ear_step(void *ctx, int64_t now_ms)
{
	struct services_ear *ear = ctx;
	struct services_place *p = ear->place;
	struct catalog_watch *told = ear->told;
	const unsigned failures = told->read.failures;
	const bool has_heard = ear->has_heard;

	if (p->sweep_ms <= now_ms)
		sweep(p, now_ms);
	if (catalog_watch_step(told, now_ms, driver_random()) == BLOCKING_FAILED)
		ear_failed(ear, now_ms);
	if (failures > told->read.failures)
		log_event(LOG_INFO, "consul answers again", "watch=%s", told->read.what);
	if (failures != told->read.failures || has_heard != ear->has_heard)
		look_again(p, now_ms);
}

/* ---- which places ---- */

static bool is_of(const struct services_place *p, const struct job *job)
{
	const struct job *place = &p->ears[0].told->place;

	return strcmp(place->datacenter, job->datacenter) == 0 && strcmp(place->ns, job->ns) == 0 &&
	       strcmp(place->partition, job->partition) == 0 && place->has_token == job->has_token;
}

/* Storage for one more place, that nothing is known of yet. */
static struct services_place *add_place(struct watch *w)
{
	struct services *all = &w->services;
	struct services_place *p = &all->places[all->places_n];

	for (int kind = 0; kind < TOLD_KINDS; kind++)
		if (all->places_n == SERVICES_PLACES_MAX ||
		    (!p->ears[kind].told && !(p->ears[kind].told = catalog_watch_reserve())))
			return NULL;
	all->places_n++;
	p->watch = w;
	return p;
}

static void init_place(struct services_place *p, const struct job *job)
{
	struct watch *w = p->watch;

	for (int kind = 0; kind < TOLD_KINDS; kind++) {
		struct services_ear *ear = &p->ears[kind];

		ear->place = p;
		ear->kind = kind;
		ear->listener = (struct catalog_listener){ear, hear_begin, hear, hear_end};
		catalog_watch_init(ear->told, job, kind == TOLD_CHECKS, w->setup.consul,
				   w->setup.consul_headers, w->setup.timeout_ms);
		ear->told->read.wait_sec = w->setup.wait_sec;
		loop_remove(&ear->told->part);
		loop_add_new(&w->loop, &ear->told->part, ear, ear_wants, ear_step);
	}
}

struct services_place *places_find(struct watch *w, const struct job *job)
{
	struct services *all = &w->services;
	struct services_place *p = NULL;

	for (size_t i = 0; i < all->places_n; i++) {
		if (is_of(&all->places[i], job))
			return &all->places[i];
		if (!all->places[i].is_followed)
			p = &all->places[i];
	}
	if (!p)
		p = add_place(w);
	if (p)
		init_place(p, job);
	return p;
}

void places_follow(struct services_place *p, bool is_on)
{
	if (p->is_followed == is_on)
		return;
	p->is_followed = is_on;
	p->is_blind = false;
	p->sweep_ms = CLOCK_NEVER;
	for (int kind = 0; kind < TOLD_KINDS; kind++) {
		p->ears[kind].has_heard = false;
		catalog_watch_listen(p->ears[kind].told, &p->ears[kind].listener, is_on);
	}
}

void places_set_times(struct watch *w)
{
	for (size_t i = 0; i < w->services.places_n; i++) {
		for (int kind = 0; kind < TOLD_KINDS; kind++) {
			struct catalog_watch *told = w->services.places[i].ears[kind].told;

			told->by.timeout_ms = w->setup.timeout_ms;
			told->read.wait_sec = w->setup.wait_sec;
		}
	}
}

void places_count(const struct watch *w, uint64_t *reads, uint64_t *connections)
{
	for (size_t i = 0; i < w->services.places_n; i++) {
		for (int kind = 0; kind < TOLD_KINDS; kind++) {
			const struct catalog_watch *told = w->services.places[i].ears[kind].told;

			*reads += told->read.reads;
			*connections += http_counters(&told->by.client)->connections;
		}
	}
}
