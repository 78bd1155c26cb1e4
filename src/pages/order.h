/*
 * The names of a status in an order, worst first or by zone, without looking at all of them for
 * each place.
 */
#ifndef PAGES_ORDER_H
#define PAGES_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pages/status.h"

/* How bad it is, worst first; up to RANK_HELD it is trouble. */
enum rank { RANK_UNHEALTHY, RANK_FAILING, RANK_HELD, RANK_UNDER_WAY, RANK_IN_SYNC };

enum order_by {
	ORDER_ZONE,       /* zone, rank, name */
	ORDER_WORST_ZONE, /* the same, zones by their worst name */
	ORDER_RANK        /* rank, zone, name */
};

/* Texts are valid as long as the status is. */
struct order_name {
	const char *zone; /* "": not known */
	const char *name;
	uint16_t i;          /* of status_record_at() */
	uint8_t key;         /* what goes first in the order */
	uint8_t rank, state; /* enum rank, enum status_state */
};

/* How many there are, and of them in each state. */
struct order_sum {
	size_t n, unhealthy_n;
	size_t state_n[STATUS_STATES];
};

/* All s->records_n names in order, until the next call; they may be changed. */
struct order_name *order_names(const struct status *s, enum order_by by);

/* The end of those from at on that have its zone. */
const struct order_name *order_zone_end(const struct order_name *at, const struct order_name *end);

/* Count from at to end. */
struct order_sum order_count(const struct order_name *at, const struct order_name *end);

#endif
