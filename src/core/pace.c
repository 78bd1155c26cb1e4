#include "core/pace.h"

int64_t pace_backoff_ms(unsigned tries, int64_t base_ms, int64_t cap_ms, uint32_t random)
{
	int64_t full = base_ms < cap_ms ? base_ms : cap_ms;

	while (tries-- && full < cap_ms)
		full = full > cap_ms / 2 ? cap_ms : full * 2;
	return full / 2 + (int64_t)(random % (uint64_t)(full - full / 2 + 1));
}
