#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_text.h"

#define SIGNALS_MAX 65 /* numbers below it */

void loop_wait_fd(struct loop_wait *w, int fd, short events)
{
	if (fd < 0)
		return;
	if (w->n < w->cap)
		w->fds[w->n++] = (struct pollfd){.fd = fd, .events = events};
	else
		loop_wait_until(w, clock_now_ms() + LOOP_CROWDED_MS);
}

void loop_wait_until(struct loop_wait *w, int64_t at_ms)
{
	if (at_ms < w->wake_ms)
		w->wake_ms = at_ms;
}

void loop_init(struct loop *l, struct pollfd *fds, size_t cap)
{
	*l = (struct loop){.wait = {.fds = fds, .cap = cap}};
}

void loop_add(struct loop *l, struct loop_part *part)
{
	struct loop_part **end = &l->parts;

	if (part->loop)
		return;
	while (*end)
		end = &(*end)->next;
	*end = part;
	part->next = NULL;
	part->loop = l;
	/* Added within a turn, it has not been asked yet what it waits for. */
	part->n = 0;
	part->wake_ms = CLOCK_NEVER;
}

void loop_add_new(struct loop *l, struct loop_part *part, void *ctx, loop_wants_fn *wants,
		  loop_step_fn *step)
{
	*part = (struct loop_part){.ctx = ctx, .wants = wants, .step = step};
	loop_add(l, part);
}

void loop_remove(struct loop_part *part)
{
	struct loop *l = part->loop;
	struct loop_part **at;

	if (!l)
		return;
	for (at = &l->parts; *at != part; at = &(*at)->next)
		;
	*at = part->next;
	part->loop = NULL;
	if (l->following == part)
		l->following = part->next;
}

/* Ask every part; returns the first time that one of them waits for. */
static int64_t gather(struct loop *l, int64_t now_ms)
{
	int64_t first_ms = CLOCK_NEVER;

	l->wait.n = 0;
	for (struct loop_part *p = l->parts; p; p = p->next) {
		p->first = l->wait.n;
		l->wait.wake_ms = CLOCK_NEVER;
		p->wants(p->ctx, &l->wait, now_ms);
		p->n = l->wait.n - p->first;
		p->wake_ms = l->wait.wake_ms;
		if (p->wake_ms < first_ms)
			first_ms = p->wake_ms;
	}
	return first_ms;
}

static bool is_ready(const struct loop *l, const struct loop_part *p, int64_t now_ms)
{
	for (size_t i = 0; i < p->n; i++)
		if (l->wait.fds[p->first + i].revents)
			return true;
	return p->wake_ms <= now_ms;
}

void loop_turn(struct loop *l)
{
	int64_t first_ms = gather(l, clock_now_ms()), now_ms;

	if (poll(l->wait.fds, l->wait.n, clock_poll_timeout(first_ms, clock_now_ms())) < 0)
		for (size_t i = 0; i < l->wait.n; i++)
			l->wait.fds[i].revents = 0; /* EINTR: the next turn finds what there is */
	now_ms = clock_now_ms();
	for (struct loop_part *p = l->parts; p; p = l->following) {
		l->following = p->next; /* a step may take out others, and itself */
		if (is_ready(l, p, now_ms))
			p->step(p->ctx, now_ms);
	}
}

void loop_run(struct loop *l)
{
	while (l->parts)
		loop_turn(l);
}

struct loop_wait *loop_alone_begin(struct loop_alone *a)
{
	a->wait = (struct loop_wait){.fds = a->fds, .cap = LOOP_ALONE_FDS, .wake_ms = CLOCK_NEVER};
	return &a->wait;
}

void loop_alone_wait(const struct loop_alone *a)
{
	(void)poll(a->wait.fds, a->wait.n, clock_poll_timeout(a->wait.wake_ms, clock_now_ms()));
}

void loop_stop(struct loop *l)
{
	while (l->parts)
		loop_remove(l->parts);
}

/* ---- signals: the handler notes the number and writes to a pipe, so that poll() wakes ---- */

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t pending[SIGNALS_MAX], are_taken;

/* Of these the kernel makes use when we do what we must not: that is not for others. */
static bool is_fault(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
	       number == SIGTRAP || number == SIGSYS;
}

static void note_signal(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (info->si_code > 0 && is_fault(number)) {
		(void)signal(number, SIG_DFL); /* what brought it is done once more */
		return;
	}
	/* What a write of ours brought: the write has failed, and says so. */
	if ((number == SIGPIPE || number == SIGXFSZ) && info->si_pid == getpid())
		return;
	if (number == SIGHUP && info->si_code == SI_KERNEL)
		number = SIGTERM; /* our terminal is gone */
	if (number != SIGHUP && !are_taken)
		_exit(128 + number);
	pending[number] = 1;
	(void)!write(signal_pipe[1], "", 1); /* a full pipe wakes as well */
	errno = saved;
}

/*
 * Some real-time signals the C library keeps to itself: the kernel gets for them what the library
 * made of SIGHUP, which is caught then.
 */
static int catch_real_time(int number)
{
	unsigned long like[8] = {0}; /* the kernel's struct sigaction, and more */

	if (number < SIGSYS + 1 || syscall(SYS_rt_sigaction, SIGHUP, NULL, like, 8))
		return -1;
	return like[0] == (unsigned long)note_signal
		       ? (int)syscall(SYS_rt_sigaction, number, like, NULL, 8)
		       : -1;
}

int loop_catch_signals(const int *numbers, size_t n, struct err *e)
{
	struct sigaction action = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO};

	if (signal_pipe[0] < 0 && syscall(SYS_pipe2, signal_pipe, O_CLOEXEC | O_NONBLOCK))
		return err_set(e, ERR_SYS, "no pipe for signals: %s", errno_text(errno));
	(void)sigfillset(&action.sa_mask);
	for (size_t i = 0; i < n; i++)
		if (numbers[i] >= SIGNALS_MAX ||
		    (sigaction(numbers[i], &action, NULL) && catch_real_time(numbers[i])))
			return err_set(e, ERR_SYS, "signal %d cannot be caught", numbers[i]);
	return 0;
}

static void signals_wants(void *ctx, struct loop_wait *w, int64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	loop_wait_fd(w, signal_pipe[0], POLLIN);
}

static void signals_step(void *ctx, int64_t now_ms)
{
	struct loop *l = ctx;
	char bytes[64];

	(void)now_ms;
	/* First the pipe, then the notes: what comes in between wakes once more. */
	while (read(signal_pipe[0], bytes, sizeof bytes) > 0)
		;
	for (int number = 1; number < SIGNALS_MAX; number++) {
		if (!pending[number])
			continue;
		pending[number] = 0;
		l->on_signal(l->signal_ctx, number);
	}
}

void loop_on_signal(struct loop *l, void (*on_signal)(void *ctx, int number), void *ctx)
{
	are_taken = true;
	l->on_signal = on_signal;
	l->signal_ctx = ctx;
	loop_add_new(l, &l->signals, l, signals_wants, signals_step);
}
