#include "engine/service_watch.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

#define PAGE_BYTES 4096
#define FEW_MAX 24 /* addresses that find room on a service's first page */

/* First what every service uses: one page. */
struct service_watch_storage {
	struct service_watch service;
	struct endpoint few[FEW_MAX];
	struct consul_view view; /* last in it: its host names */
	struct endpoint many[CONSUL_INSTANCES_MAX];
	struct err last_err;
};

_Static_assert(offsetof(struct service_watch_storage, view.hosts.text) <= PAGE_BYTES,
	       "a service with few addresses takes one page");

struct service_reader_storage {
	struct service_reader reader;
	struct endpoint listed[CONSUL_INSTANCES_MAX];
};

struct service_watch *service_watch_reserve(void)
{
	struct service_watch_storage *p = memory_reserve(sizeof *p);

	if (!p)
		return NULL;
	p->service.few = p->few;
	p->service.many = p->many;
	p->service.view = &p->view;
	p->service.read.last_err = &p->last_err;
	return &p->service;
}

struct service_reader *service_reader_reserve(void)
{
	struct service_reader_storage *p = memory_reserve(sizeof *p);

	if (!p || blocking_reserve(&p->reader.by))
		return NULL;
	p->reader.incoming.listed = p->listed;
	return &p->reader;
}

void service_reader_init(struct service_reader *r, const struct http_origin *origin,
			 const char *headers, int64_t timeout_ms)
{
	blocking_init(&r->by, origin, headers, timeout_ms);
}

/* ---- one read ---- */

static struct http_sink begin(void *ctx, struct buf *target)
{
	struct service_watch *w = ctx;
	struct service_reader *r = w->reader;

	w->query.index = w->read.index;
	w->query.wait_sec = w->read.wait_sec;
	consul_health_target(target, &w->query);
	return consul_health_begin(&r->answer, &w->query, &r->incoming, r->by.element, r->by.rest);
}

static bool is_same_content(const struct consul_view *a, const struct consul_view *b)
{
	if (a->listed_n != b->listed_n || a->count.instances_n != b->count.instances_n ||
	    a->count.unaddressed_n != b->count.unaddressed_n ||
	    memcmp(a->count.state_n, b->count.state_n, sizeof a->count.state_n) != 0)
		return false;
	/* The same list may remove now, or may not any more: ACLs were changed, a cache is gone. */
	if (evidence_assess(&a->evidence, !a->count.instances_n) !=
	    evidence_assess(&b->evidence, !b->count.instances_n))
		return false;
	for (size_t i = 0; i < a->listed_n; i++)
		if (a->listed[i].state != b->listed[i].state ||
		    target_compare(&a->listed[i].target, &b->listed[i].target) != 0)
			return false;
	return true;
}

static int finish(void *ctx, uint64_t *index, bool *is_news, struct err *e)
{
	struct service_watch *w = ctx;
	struct service_reader *r = w->reader;

	if (consul_health_finish(&r->answer, e))
		return -1;
	consul_view_sort(&r->incoming);
	*index = r->incoming.index;
	*is_news = !w->has_view || !is_same_content(w->view, &r->incoming);
	w->view->listed = r->incoming.listed_n > FEW_MAX ? w->many : w->few;
	consul_view_copy(w->view, &r->incoming);
	memory_forget(r->incoming.listed, r->incoming.listed_n * sizeof *r->incoming.listed);
	w->has_view = true;
	return 0;
}

static const struct blocking_way way = {begin, finish};

void service_watch_init(struct service_watch *w, const struct job *job)
{
	*w = (struct service_watch){
		.job = *job,
		.query = {.job = &w->job},
		.view = w->view,
		.few = w->few,
		.many = w->many,
		.reader = w->reader,
		.read = {.way = &way,
			 .ctx = w,
			 .what = w->job.service,
			 .rest_ms = BLOCKING_REST_MS,
			 .last_err = w->read.last_err},
	};
}

int64_t service_watch_heard_ms(const struct service_watch *w)
{
	if (!w->told_by || w->read.failures || w->told_by->answered_ms < w->read.answered_ms)
		return w->read.answered_ms;
	return w->told_by->answered_ms;
}

const char *service_watch_error(const struct service_watch *w)
{
	if (w->read.failures)
		return w->read.last_err->text;
	return w->told_by && w->told_by->failures ? w->told_by->last_err->text : NULL;
}

enum blocking_event service_watch_step(struct service_watch *w, int64_t now_ms, uint32_t random)
{
	return blocking_step(&w->read, &w->reader->by, now_ms, random);
}

void service_watch_wants(const struct service_watch *s, struct loop_wait *w)
{
	blocking_wants(&s->read, &s->reader->by, w);
}
