#include "engine/catalog_watch.h"

#include "base/memory.h"

struct catalog_watch *catalog_watch_reserve(void)
{
	struct catalog_watch *w = memory_reserve(sizeof *w);

	return w && !blocking_reserve(&w->by) ? w : NULL;
}

void catalog_watch_listen(struct catalog_watch *w, const struct catalog_listener *l, bool is_on)
{
	if ((w->listener == l) == is_on)
		return;
	w->listener = is_on ? l : NULL;
	http_close(&w->by.client); /* of the answer under way it would hear the rest alone */
	w->read.index = 0;
}

/* ---- one answer ---- */

static int take(void *ctx, const struct consul_catalog_piece *piece, struct err *e)
{
	struct catalog_watch *w = ctx;

	(void)e;
	w->incoming_sum += piece->sum;
	if (w->listener)
		w->listener->take(w->listener->ctx, piece);
	return 0;
}

static struct http_sink begin(void *ctx, struct buf *target)
{
	struct catalog_watch *w = ctx;

	w->query.index = w->read.index;
	w->query.wait_sec = w->read.wait_sec;
	w->incoming_sum = 0;
	consul_catalog_target(target, &w->query);
	if (w->listener)
		w->listener->begin(w->listener->ctx);
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
	if (w->listener)
		w->listener->end(w->listener->ctx, &w->answer.list);
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
				    .rest_ms = CATALOG_REST_MS,
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
