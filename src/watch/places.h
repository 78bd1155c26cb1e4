/*
 * The places in Consul whose services are followed wide: what is told of all of them at once, and
 * which services are to be read therefore. See watch/services.h.
 */
#ifndef WATCH_PLACES_H
#define WATCH_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/service_watch.h"
#include "watch/services.h"

/* The place of this job, with storage: one that is there, or a free one. NULL: there is none. */
struct services_place *places_find(struct watch *w, const struct job *job);

/* From now on (or no longer) a service of this place is followed. */
void places_follow(struct services_place *p, bool is_on);

/* Other times from now on: those of w->setup. */
void places_set_times(struct watch *w);

/* Add what its wide queries had of good answers and connections. */
void places_count(const struct watch *w, uint64_t *reads, uint64_t *connections);

/* Whether services of this place (NULL: of none) can be read: what is told of changes is heard. */
bool places_may_read(const struct services_place *p);

/* A reading of this service begins. */
void places_begin(struct service_watch *s);

/* A reading of this service is over. */
void places_end(struct service_watch *s);

/* When to read a service again that was just read, if nothing is told of it until then. */
int64_t places_turn_ms(const struct watch *w, const struct services_place *p, int64_t now_ms);

/* What tells now that a service of this place is what it was; NULL: nothing does. */
const struct blocking *places_voice(const struct services_place *p);

/* Read this one at that time at the latest; one that is being read, once more after that. */
void places_read(struct watch *w, struct service_watch *s, int64_t at_ms);

#endif
