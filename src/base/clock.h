/*
 * Time: a monotonic clock for deadlines and leases, the wall clock for logs and certificates only,
 * that of the CPU for what something cost.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_NEVER INT64_MAX /* a deadline that does not come */

/*
 * Milliseconds of CLOCK_BOOTTIME, which goes on while the machine is suspended, for a lease of ours
 * does so, too; of CLOCK_MONOTONIC where there is none.
 */
int64_t clock_now_ms(void);

/* Microseconds that this thread has been running; 0 where that is not told. */
int64_t clock_cpu_us(void);

/* Seconds since 1970-01-01T00:00:00Z by the wall clock. */
int64_t clock_wall_sec(void);

/* Days from 1970-01-01 to a date of the Gregorian calendar, year >= 0, month and day from 1. */
int64_t clock_days(int year, int month, int day);

#define CLOCK_TEXT_CAP 24 /* bytes */

/*
 * Seconds since 1970 as UTC, "2026-11-23T08:07:19Z" (RFC 3339). What is before 0000-03-01
 * or after 9999-12-31 becomes the nearest that is not.
 */
void clock_format(int64_t sec, char out[CLOCK_TEXT_CAP]);

/* From now until deadline_ms as poll() wants it: 0 when past, at most one hour. */
int clock_poll_timeout(int64_t deadline_ms, int64_t now_ms);

/* Fill p with n random bytes: getrandom(2), else /dev/urandom. -1 when neither is there. */
int clock_entropy(void *p, size_t n) __attribute__((warn_unused_result));

#endif
