/*
 * What reconcile knows of the world between its calls: which targets are wanted, what Consul says
 * of each record, which records are only there for the time of their grace.
 */
#ifndef ENGINE_OBSERVE_H
#define ENGINE_OBSERVE_H

#include <stddef.h>
#include <stdint.h>

#include "consul/health.h"
#include "engine/reconcile.h"

/* Bring a good answer into the order that the rest wants: by target, then by state. */
void observe_sort_view(struct consul_view *v);

/* Copy a view; to's listed array is its own. */
void observe_copy_view(struct consul_view *to, const struct consul_view *from);

/*
 * Take a good, sorted answer of Consul: what is wanted, and the figures to tell. v stays in use
 * for the states; its host names are copied, since the next read may overwrite them.
 */
void observe_view(struct reconcile *r, const struct consul_view *v);

/* Note at each listed record what Consul says of its target. */
void observe_states(struct reconcile *r);

/*
 * Fill storage->plan_want with what the plan shall aim at: what is wanted, and for the time of the
 * grace what was. Returns how many; sets linger_ms. Registrars' re-registration takes an instance
 * away for 50 ms to 6 s. Maintenance is no blip: it asked to go.
 */
size_t observe_targets(struct reconcile *r, int64_t now_ms);

/*
 * A listing overwrites what is remembered of the records: keep who is leaving, and since when,
 * before it, and bring that back after it.
 */
void observe_save_leaving(struct reconcile *r);
void observe_restore_leaving(struct reconcile *r);

/*
 * Keep what is remembered of the records in step with an op that was carried out. The plan may
 * still point to them: one that is deleted only loses its id here.
 */
void observe_written(struct reconcile *r, const struct op *op);

/* Close the gaps that deleted records left; no plan may point to the records. */
void observe_forget_deleted(struct reconcile *r);

#endif
