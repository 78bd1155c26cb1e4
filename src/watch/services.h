/*
 * Which services a watch follows for its names.
 */
#ifndef WATCH_SERVICES_H
#define WATCH_SERVICES_H

#include <stddef.h>

#include "core/job.h"
#include "engine/service_watch.h"

struct watch;

/* Storage for the services of these jobs: -1 when there is none. */
int services_reserve(struct watch *w, const struct job *jobs, size_t jobs_n)
	__attribute__((warn_unused_result));

/* The service watch for this job: one that is there, or a new one, for which there is storage. */
struct service_watch *services_find(struct watch *w, const struct job *job);

/* The same while others are followed, with storage of its own; NULL: there is none. */
struct service_watch *services_add(struct watch *w, const struct job *job);

/* Follow no longer what no name is for. */
void services_sweep(struct watch *w);

/* Follow none any more. */
void services_stop(struct watch *w);

/* Other times from now on: those of w->setup. */
void services_set_times(struct watch *w);

#endif
