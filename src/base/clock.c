#include "base/clock.h"

#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"

#define DAY_SEC 86400
#define DAYS_TO_1970 719468      /* from 0000-03-01 */
#define DAYS_OF_400_YEARS 146097 /* after which the calendar repeats */

int64_t clock_now_ms(void)
{
	struct timespec ts = {0};

	/* Linux before 2.6.39, and others that run its programs, know the second alone. */
	if (clock_gettime(CLOCK_BOOTTIME, &ts))
		(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_cpu_us(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_wall_sec(void)
{
	return (int64_t)time(NULL);
}

/* Both ways the years begin in March: the leap day comes last. */
int64_t clock_days(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - DAYS_TO_1970;
}

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

void clock_format(int64_t sec, char out[CLOCK_TEXT_CAP])
{
	int64_t first = clock_days(0, 3, 1) * DAY_SEC, last = clock_days(10000, 1, 1) * DAY_SEC - 1;
	uint64_t since = (uint64_t)(clamp(sec, first, last) - first);
	unsigned long days = (unsigned long)(since / DAY_SEC);
	unsigned long time = (unsigned long)(since % DAY_SEC);
	unsigned long age = days % DAYS_OF_400_YEARS; /* of the era: days, then whole years */
	unsigned long years = (age - age / 1460 + age / 36524 - age / 146096) / 365;
	unsigned long day = age - (years * 365 + years / 4 - years / 100);
	unsigned long month = (day * 5 + 2) / 153;

	years += days / DAYS_OF_400_YEARS * 400 + (month > 9);
	day -= (month * 153 + 2) / 5;
	month = month > 9 ? month - 9 : month + 3;
	(void)fmt_text(out, CLOCK_TEXT_CAP, "%04lu-%02lu-%02luT%02lu:%02lu:%02luZ", years, month,
		       day + 1, time / 3600, time / 60 % 60, time % 60);
}

int clock_poll_timeout(int64_t deadline_ms, int64_t now_ms)
{
	const int64_t hour_ms = 3600000;

	if (deadline_ms <= now_ms)
		return 0;
	return (int)(deadline_ms - now_ms < hour_ms ? deadline_ms - now_ms : hour_ms);
}

/* Old kernels and LX zones may lack getrandom(2). */
static int read_urandom(unsigned char *p, size_t n)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (n) {
		ssize_t got = read(fd, p, n);

		if (got <= 0)
			break;
		p += got;
		n -= (size_t)got;
	}
	(void)close(fd);
	return n ? -1 : 0;
}

int clock_entropy(void *p, size_t n)
{
	if (n <= 256 && getrandom(p, n, 0) == (ssize_t)n)
		return 0;
	return read_urandom(p, n);
}
