#include "engine/catalog_watch.h"

#include "base/memory.h"

struct catalog_watch *catalog_watch_reserve(void)
{
	struct catalog_watch *w = memory_reserve(sizeof *w);

	return w && !blocking_reserve(&w->by) ? w : NULL;
}

void catalog_watch_listen(struct catalog_watch *w, const struct catalog_listener *l, bool is_on)
{
	size_t at = CATALOG_LISTENERS_MAX;

	for (size_t i = 0; i < CATALOG_LISTENERS_MAX; i++)
		if (w->listeners[i] == l || (!w->listeners[i] && at == CATALOG_LISTENERS_MAX))
			at = i;
	if (at == CATALOG_LISTENERS_MAX || (w->listeners[at] == l) == is_on)
		return;
	w->listeners[at] = is_on ? l : NULL;
	w->hearing &= ~(1u << at);
	if (http_is_busy(&w->by.client))
		http_close(&w->by.client);
	w->read.index = 0;
}

bool catalog_watch_is_heard(const struct catalog_watch *w)
{
	return w->listeners[0] || w->listeners[1];
}

/* ---- one answer ---- */

/* The i-th listener if it has heard the answer from its beginning. */
static const struct catalog_listener *hearer(const struct catalog_watch *w, size_t i)
{
	return w->hearing >> i & 1 ? w->listeners[i] : NULL;
}

static int take(void *ctx, const struct consul_catalog_piece *piece, struct err *e)
{
	struct catalog_watch *w = ctx;

	(void)e;
	w->incoming_sum += piece->sum;
	for (size_t i = 0; i < CATALOG_LISTENERS_MAX; i++)
		if (hearer(w, i))
			hearer(w, i)->take(hearer(w, i)->ctx, piece);
	return 0;
}

static struct http_sink begin(void *ctx, struct buf *target)
{
	struct catalog_watch *w = ctx;

	w->query.index = w->read.index;
	w->query.wait_sec = w->read.wait_sec;
	w->incoming_sum = 0;
	w->hearing = 0;
	consul_catalog_target(target, &w->query);
	for (size_t i = 0; i < CATALOG_LISTENERS_MAX; i++) {
		if (!w->listeners[i])
			continue;
		w->hearing |= 1u << i;
		w->listeners[i]->begin(w->listeners[i]->ctx);
	}
	return consul_catalog_begin(&w->answer, &w->query, take, w, w->by.element, w->by.rest);
}

static int finish(void *ctx, uint64_t *index, bool *is_news, struct err *e)
{
	struct catalog_watch *w = ctx;

	if (consul_catalog_finish(&w->answer, e))
		return -1;
	*is_news = !w->read.reads || w->sum != w->incoming_sum;
	w->sum = w->incoming_sum;
	*index = w->answer.list.index;
	for (size_t i = 0; i < CATALOG_LISTENERS_MAX; i++) {
		if (hearer(w, i))
			hearer(w, i)->end(hearer(w, i)->ctx, &w->answer.list);
	}
	for (size_t i = 0; i < CATALOG_LISTENERS_MAX; i++)
		if (w->listeners[i] && !hearer(w, i))
			*index = 0; /* for those who have come since */
	return 0;
}

static const struct blocking_way way = {begin, finish};

void catalog_watch_init(struct catalog_watch *w, const struct job *place, bool of_checks,
			const struct http_origin *origin, const char *headers, int64_t timeout_ms)
{
	w->place = *place;
	w->query = (struct consul_catalog_query){.place = &w->place, .of_checks = of_checks};
	w->read = (struct blocking){.way = &way,
				    .ctx = w,
				    .what = of_checks ? "the checks" : "the catalog",
				    .last_err = &w->last_err};
	blocking_init(&w->by, origin, headers, timeout_ms);
}

enum blocking_event catalog_watch_step(struct catalog_watch *w, int64_t now_ms, uint32_t random)
{
	return blocking_step(&w->read, &w->by, now_ms, random);
}

void catalog_watch_wants(const struct catalog_watch *c, struct loop_wait *w)
{
	blocking_wants(&c->read, &c->by, w);
}
