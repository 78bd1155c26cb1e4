#include "base/clock.h"

#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

int64_t clock_now_ms(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_sec(void)
{
	return (int64_t)time(NULL);
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
