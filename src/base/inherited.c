#include "base/inherited.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel is asked itself: musl's functions leave out three signals that are its own, and its
 * setrlimit(), which stops all threads, is 2 kB of code.
 */
#define SIGNALS_N 64
#define SET_SIZE 8 /* bytes of the kernel's set of them */

/* The kernel's struct sigaction, longer than any. First is the handler; zeroed: SIG_DFL. */
struct action {
	uintptr_t words[8];
};

static uint64_t blocked, ignored; /* a bit for each signal, the first for 1 */
static uint64_t cores[2];         /* struct rlimit64 */
static bool has_cores, was_closed[STDERR_FILENO + 1];

static void set_mask(const uint64_t *mask, uint64_t *old)
{
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, old, SET_SIZE);
}

static void fill_standard_files(void)
{
	int fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++)
		was_closed[fd] = fcntl(fd, F_GETFD) < 0;
	do
		fd = open("/", O_RDONLY | O_DIRECTORY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

void inherited_save(void)
{
	fill_standard_files();
	set_mask(NULL, &blocked);
	for (int number = 1; number <= SIGNALS_N; number++) {
		struct action action = {{0}};

		(void)syscall(SYS_rt_sigaction, number, NULL, &action, SET_SIZE);
		if (action.words[0] == (uintptr_t)SIG_IGN)
			ignored |= UINT64_C(1) << (number - 1);
	}
}

void inherited_block_signals(void)
{
	const uint64_t all = UINT64_MAX;

	set_mask(&all, NULL);
}

void inherited_unblock_signals(void)
{
	const uint64_t none = 0;

	set_mask(&none, NULL);
}

void inherited_forbid_cores(void)
{
	uint64_t none[2];

	has_cores = syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, cores) == 0;
	none[0] = 0;
	none[1] = cores[1]; /* the hard one could not be given back */
	if (has_cores)
		(void)syscall(SYS_prlimit64, 0, RLIMIT_CORE, none, NULL);
}

void inherited_restore(void)
{
	for (int number = 1; number <= SIGNALS_N; number++) {
		bool is_ignored = ignored >> (number - 1) & 1;
		struct action action = {{is_ignored ? (uintptr_t)SIG_IGN : (uintptr_t)SIG_DFL}};

		(void)syscall(SYS_rt_sigaction, number, &action, NULL, SET_SIZE);
	}
	if (has_cores)
		(void)syscall(SYS_prlimit64, 0, RLIMIT_CORE, cores, NULL);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (was_closed[fd])
			(void)close(fd);
	set_mask(&blocked, NULL);
}
