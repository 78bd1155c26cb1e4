/*
 * How long to wait before the next try.
 */
#ifndef CORE_PACE_H
#define CORE_PACE_H

#include <stdint.h>

/*
 * Exponential backoff with jitter: half of base_ms * 2^tries, capped at cap_ms, and up to the
 * other half again by random.
 *   tries   failed ones so far, from 0
 *   random  any number; its low bits decide
 * Returns milliseconds, never below half of base_ms.
 */
int64_t pace_backoff_ms(unsigned tries, int64_t base_ms, int64_t cap_ms, uint32_t random);

#endif
