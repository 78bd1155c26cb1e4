/*
 * What the page is asked to show: the query of its form and of its links.
 */
#ifndef PAGES_FILTER_H
#define PAGES_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/name.h"
#include "pages/order.h"

#define FILTER_UNKNOWN "-" /* the zone of names whose zone is not known yet */

/* Decoded, but as anybody may have sent it; "": all. What is longer than any can be is cut. */
struct filter {
	char name
		[NAME_CAP]; /* a part of the name or of its service; behind a '=' all of the name */
	char zone[NAME_CAP];
	char state[12];
	uint64_t from; /* names left out: those on the pages before */
};

void filter_read(struct filter *f, const char *query);

/* Whether something is left out. */
bool filter_is_set(const struct filter *f);

/* Keep those of names[0..n) that are to be shown. Returns how many. */
size_t filter_names(const struct filter *f, const struct status *s, struct order_name *names,
		    size_t n);

#endif
