#include "core/bucket.h"

void bucket_init(struct bucket *b, int64_t burst, int64_t interval_ms)
{
	*b = (struct bucket){.interval_ms = interval_ms, .burst = burst};
}

int64_t bucket_ready_ms(const struct bucket *b, int64_t now_ms)
{
	int64_t full_ms = b->full_ms > now_ms ? b->full_ms : now_ms;

	return full_ms - (b->burst - 1) * b->interval_ms;
}

int64_t bucket_left(const struct bucket *b, int64_t now_ms)
{
	int64_t used_ms = b->full_ms - now_ms, left;

	if (used_ms <= 0)
		return b->burst;
	left = b->burst - (used_ms + b->interval_ms - 1) / b->interval_ms;
	return left > 0 ? left : 0; /* blocked: it is full only long after */
}

void bucket_take(struct bucket *b, int64_t now_ms)
{
	b->full_ms = (b->full_ms > now_ms ? b->full_ms : now_ms) + b->interval_ms;
}

void bucket_block(struct bucket *b, int64_t until_ms)
{
	int64_t full_ms = until_ms + (b->burst - 1) * b->interval_ms;

	if (full_ms > b->full_ms)
		b->full_ms = full_ms;
}
