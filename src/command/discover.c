#include "command/discover.h"

#include "base/clock.h"
#include "base/log.h"
#include "watch/discovery.h"

static struct discovery discovery;

static void taken(void *ctx)
{
	const struct claims *claims = discovery.last;
	struct config *c = ctx;

	for (size_t i = 0; i < claims->n; i++)
		if (!claims->of[i].verdict)
			claims_job(&claims->of[i], c, &c->jobs[c->jobs_n++]);
}

/* Until an answer is taken, or none can be expected any more. */
static int read_catalog(int64_t give_up_ms, struct err *e)
{
	const struct blocking *read = &discovery.catalog->read;

	while (!discovery.has_answer) {
		const int64_t now_ms = clock_now_ms();
		struct loop_alone alone;

		if (discovery_step(&discovery, now_ms, driver_random()) == BLOCKING_NOTHING) {
			catalog_watch_wants(discovery.catalog, loop_alone_begin(&alone));
			loop_alone_wait(&alone);
		} else if (read->reads ? discovery.err.kind : read->retry_ms > give_up_ms) {
			*e = read->reads ? discovery.err : *read->last_err;
			return -1;
		}
	}
	return 0;
}

enum exit_code discover_jobs(struct config *c, const struct clients *w, int64_t give_up_ms)
{
	struct err e = {0};

	discovery.taken = taken;
	discovery.ctx = c;
	if (discovery_init(&discovery, c, &w->consul.origin, w->credentials.consul, &e) ||
	    read_catalog(give_up_ms, &e)) {
		log_event(LOG_ERROR, "no names are discovered", "error=%s", e.text);
		return exit_code_of(e.kind);
	}
	http_close(&discovery.catalog->by.client);
	return discovery_refused_n(&discovery) ? EXIT_CODE_HELD : EXIT_CODE_OK;
}
