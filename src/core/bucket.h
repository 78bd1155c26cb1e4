/*
 * A token bucket: so many at once, then one per interval. Pure: the caller brings the time.
 */
#ifndef CORE_BUCKET_H
#define CORE_BUCKET_H

#include <stdint.h>

struct bucket {
	int64_t interval_ms; /* one token comes back in this time */
	int64_t burst;       /* tokens when full */
	int64_t full_ms;     /* when it will be full again */
};

void bucket_init(struct bucket *b, int64_t burst, int64_t interval_ms);

/* When a token is there: now_ms or earlier means now. */
int64_t bucket_ready_ms(const struct bucket *b, int64_t now_ms);

/* How many may be taken at once now. */
int64_t bucket_left(const struct bucket *b, int64_t now_ms);

/* Take a token, which bucket_ready_ms() said is there. */
void bucket_take(struct bucket *b, int64_t now_ms);

/* No token before until_ms: the other side asked for it. */
void bucket_block(struct bucket *b, int64_t until_ms);

#endif
