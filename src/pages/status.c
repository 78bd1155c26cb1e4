#include "pages/status.h"

#define FACT(name, value, text, ...)                                                               \
	[FACT_##name] = {.kind = FACT_IS_##value, .metric = text, __VA_ARGS__},
const struct fact_info fact_infos[FACTS] = {
#include "pages/facts.def"
};

const char *status_state_name(enum status_state state)
{
/* NOLINTNEXTLINE(bugprone-macro-parentheses): it initialises an array */
#define NAME(state, name) [STATUS_##state] = name,
	static const char names[][8] = {STATUS_STATES_LIST(NAME)};

	return names[state];
}

void status_set(struct status_record *r, enum fact fact, int64_t n)
{
	r->facts[fact] = (struct fact_value){.is_known = true, .n = n};
}

struct status_record status_record_at(const struct status *s, size_t i)
{
	struct status_record r = {0};
	int64_t actual_n = 0;

	s->fill_record(s, i, &r);
	status_set(&r, FACT_IN_SYNC, r.state == STATUS_IN_SYNC);
	status_set(&r, FACT_HEALTHY, !r.is_unhealthy);
	for (size_t k = 0; k < r.records_n; k++)
		actual_n += r.records[k].id[0] && r.records[k].is_ours;
	if (r.has_records)
		status_set(&r, FACT_ACTUAL, actual_n);
	return r;
}
