/*
 * One name to keep in step with one service: what reconcile works on. Read only once filled.
 */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "consul/health.h"
#include "core/plan.h"

struct job {
	struct consul_query query;
	struct plan_policy policy; /* not_evidence stays NULL: reconcile finds it out */
	const char *name;          /* of the records, normal form */
	const char *zone;          /* normal form; NULL: the longest zone that holds name */
	const char *zone_id;       /* NULL: looked up */
	const char *owner;         /* NULL: every A, AAAA and CNAME at name is ours */
	int64_t grace_ms;          /* watch: an unwanted record stays so long, maintenance apart */
	bool removes_on_drop;      /* when the configuration drops it, its records go too */
	bool is_dropped;           /* and it has: nothing is wanted, and that needs no evidence */
	bool include_warning;      /* instances in state warning are wanted too */
	bool has_fallback;         /* wanted when no instance is */
	struct target fallback;
};

#endif
