#include "pages/order.h"

#include <string.h>

#include "base/sort.h"

static struct order_name names[STATUS_NAMES_MAX];

static uint8_t rank_of(const struct status_record *r)
{
	static const uint8_t ranks[STATUS_STATES] = {
		[STATUS_WAITING] = RANK_UNDER_WAY, [STATUS_IN_SYNC] = RANK_IN_SYNC,
		[STATUS_SYNCING] = RANK_UNDER_WAY, [STATUS_HELD] = RANK_HELD,
		[STATUS_FAILING] = RANK_FAILING,
	};

	return r->is_unhealthy ? RANK_UNHEALTHY : ranks[r->state];
}

static int compare(const void *a, const void *b)
{
	const struct order_name *x = a, *y = b;
	int order = x->key - y->key;

	if (!order)
		order = strcmp(x->zone, y->zone);
	if (!order)
		order = x->rank - y->rank;
	return order ? order : strcmp(x->name, y->name);
}

struct order_name *order_names(const struct status *s, enum order_by by)
{
	for (size_t i = 0; i < s->records_n; i++) {
		struct status_record r = status_record_at(s, i);

		names[i] = (struct order_name){
			.zone = r.zone ? r.zone : "",
			.name = r.name,
			.i = (uint16_t)i,
			.rank = rank_of(&r),
			.key = by == ORDER_RANK ? rank_of(&r) : 0,
			.state = (uint8_t)r.state,
		};
	}
	sort(names, s->records_n, sizeof *names, compare);
	if (by != ORDER_WORST_ZONE)
		return names;
	for (size_t i = 0; i < s->records_n; i++) {
		bool is_first = !i || strcmp(names[i].zone, names[i - 1].zone) != 0;

		names[i].key = is_first ? names[i].rank : names[i - 1].key;
	}
	sort(names, s->records_n, sizeof *names, compare);
	return names;
}

const struct order_name *order_zone_end(const struct order_name *at, const struct order_name *end)
{
	const char *zone = at->zone;

	while (at < end && strcmp(at->zone, zone) == 0)
		at++;
	return at;
}

struct order_sum order_count(const struct order_name *at, const struct order_name *end)
{
	struct order_sum sum = {.n = (size_t)(end - at)};

	for (; at < end; at++) {
		sum.state_n[at->state]++;
		sum.unhealthy_n += at->rank == RANK_UNHEALTHY;
	}
	return sum;
}
