/*
 * The state of a run as plain values: all that its /health and /metrics show. Filled anew for each
 * request by who runs it; who renders it knows nothing else.
 */
#ifndef PAGES_RUN_STATUS_H
#define PAGES_RUN_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/drain.h"
#include "pages/status.h"

#define RUN_PAGES_CAP 524288 /* bytes of room for a page: all services and backends fit */

enum run_status_kind { RUN_STATUS_SERVICE, RUN_STATUS_BACKEND, RUN_STATUS_KINDS };

#define RUN_FACT(name, ...) RUN_FACT_##name,
enum run_fact {
#include "pages/run_facts.def"
	RUN_FACTS
};
#undef RUN_FACT

/* The application. */
enum run_app {
	RUN_APP_NONE,    /* there is none, and none is missed */
	RUN_APP_BEFORE,  /* it has not been started */
	RUN_APP_RUNNING, /* also while it is being stopped */
	RUN_APP_ENDED,
	RUN_APPS
};

/* Texts are valid as long as the status is; one that is not known is NULL or "". */
struct run_status_part {
	enum run_status_kind kind;
	const char *name;  /* of the service */
	const char *error; /* what Consul's silence or refusal is called; NULL: it answers */
	/* Of a service of ours: */
	const char *id, *address;
	uint16_t port;
	const char *output; /* of its last check */
	int64_t waiting_ms; /* so long it has been there without the result of a check... */
	int64_t ttl_ms;     /* ...which is no news for so long */
	struct fact_value facts[RUN_FACTS];
};

struct run_status {
	const char *version;
	int64_t uptime_ms;
	enum run_app app;
	bool is_stopping;
	bool has_drain; /* one is under way */
	enum drain_state drain;
	const char *drain_line; /* in words */
	size_t parts_n;
	/* Fills *p, which is zero, for one i of 0..parts_n. */
	void (*fill_part)(const struct run_status *s, size_t i, struct run_status_part *p);
	const void *ctx; /* of fill_part() */
};

/* A fact becomes known. */
void run_status_set(struct run_status_part *p, enum run_fact fact, int64_t n);

/*
 * Whether the application runs, if there is one, and of every service the last check passed; before
 * its first result, whether it is there for less than its TTL. Maintenance is no ill.
 */
bool run_status_is_healthy(const struct run_status *s);

/*
 * The page at path, /health or /metrics, into out: empty, RUN_PAGES_CAP bytes. As pages_answer().
 * /health has "healthy", "unhealthy" and "reasons" as that of a watch has.
 */
int run_pages_answer(const struct run_status *s, const char *path, struct buf *out,
		     const char **content_type);

#endif
