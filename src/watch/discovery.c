#include "watch/discovery.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"

/* ---- one answer ---- */

static void begin(void *ctx)
{
	struct discovery *d = ctx;

	claims_begin(d->next, d->has_answer ? d->last : NULL);
	d->has_services = false;
	d->err.kind = ERR_NONE;
}

static void take_service(void *ctx, const struct consul_catalog_piece *piece)
{
	struct discovery *d = ctx;

	d->has_services = true;
	if (!d->err.kind)
		(void)!claims_take(d->next, d->has_answer ? d->last : NULL,
				   d->config->discover_prefix, piece->service, piece->tags,
				   &d->err);
}

/* It may lack services, not more; and it is not of yesterday. */
static bool is_of_today(enum evidence_gap gap)
{
	return gap == EVIDENCE_OK || gap == EVIDENCE_FILTERED || gap == EVIDENCE_DENIED ||
	       gap == EVIDENCE_UNREAD;
}

/* Say what is refused now, and was not before for the same reason. */
static void tell(const struct discovery *d)
{
	struct err why;

	for (size_t i = 0; i < d->last->n; i++) {
		const struct claim *claim = &d->last->of[i];

		if (claim->verdict && claim->verdict != claim->before)
			log_event(LOG_WARN, "claim refused", "name=%s service=%s error=%s",
				  claim->name, claim->by->tags.service,
				  claims_why(claim, d->config, &why));
	}
	d->taken(d->ctx);
}

static int take_answer(struct discovery *d, enum evidence_gap gap, struct err *e)
{
	struct claims *was = d->has_answer ? d->last : NULL;

	if (e->kind)
		return -1;
	if (!is_of_today(gap))
		return err_set(e, ERR_RETRY, "%s", evidence_gap_text(gap));
	if (was && d->is_same && was->gap == gap && d->sum == d->catalog->sum)
		return 0;
	if (claims_end(d->next, was, d->config, gap, e))
		return -1;
	d->last = d->next;
	d->next = was ? was : d->last + 1;
	d->has_answer = d->is_same = true;
	d->sum = d->catalog->sum;
	tell(d);
	return 0;
}

static void end(void *ctx, const struct consul_list *answer)
{
	struct discovery *d = ctx;

	(void)!take_answer(d, evidence_assess(&answer->evidence, !d->has_services), &d->err);
	if (d->err.kind && d->err.kind != d->told)
		log_event(LOG_WARN, "the catalog is not taken, discovered names stay", "error=%s",
			  d->err.text);
	d->told = d->err.kind;
}

/* ---- all of them ---- */

int discovery_init(struct discovery *d, const struct config *config,
		   const struct http_origin *origin, const char *headers, struct err *e)
{
	/* Of both only what is used is touched. */
	d->next = memory_reserve(2 * sizeof *d->next);
	d->catalog = catalog_watch_reserve();
	if (!d->next || !d->catalog)
		return err_set(e, ERR_SYS, "no memory");
	d->config = config;
	catalog_watch_init(d->catalog, &config->common, false, origin, headers, config->timeout_ms);
	d->catalog->query.is_consistent = true;
	d->catalog->read.wait_sec = config->wait_sec;
	d->listener = (struct catalog_listener){d, begin, take_service, end};
	catalog_watch_listen(d->catalog, &d->listener, true);
	return 0;
}

/* Once more, from the beginning. */
static void ask(struct discovery *d)
{
	d->ask_ms = 0;
	d->is_same = false;
	catalog_watch_listen(d->catalog, &d->listener, false);
	catalog_watch_listen(d->catalog, &d->listener, true);
}

void discovery_set_config(struct discovery *d, const struct config *config)
{
	d->config = config;
	d->catalog->by.timeout_ms = config->timeout_ms;
	d->catalog->read.wait_sec = config->wait_sec;
	ask(d);
	if (!d->has_answer)
		return;
	/* Consul may be away: what is not allowed any more does not wait for it. */
	claims_judge(d->last, config);
	tell(d);
}

enum blocking_event discovery_step(struct discovery *d, int64_t now_ms, uint32_t random)
{
	const struct blocking *read = &d->catalog->read;
	enum blocking_event event;

	if (d->ask_ms && d->ask_ms <= now_ms)
		ask(d);
	event = catalog_watch_step(d->catalog, now_ms, random);
	if (event == BLOCKING_FAILED)
		log_event(read->failures == 1 ? LOG_WARN : LOG_DEBUG, "consul does not answer",
			  "error=%s failures=%u", read->last_err->text, read->failures);
	return event;
}

bool discovery_is_late(const struct discovery *d, int64_t start_ms, int64_t now_ms)
{
	const struct blocking *read = &d->catalog->read;

	return now_ms - (read->reads ? read->answered_ms : start_ms) >
	       (int64_t)2000 * read->wait_sec;
}

size_t discovery_refused_n(const struct discovery *d)
{
	return d->has_answer ? d->last->n - d->last->granted_n : 0;
}

const struct claim *discovery_refused(const struct discovery *d, size_t i)
{
	const struct claim *claim = d->last->of;

	while (!claim->verdict || i--)
		claim++;
	return claim;
}
