#define _GNU_SOURCE
#include "sim/copy.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "pages/pages.h"
#include "sim/check.h"
#include "sim/cloudflare.h"
#include "sim/wire.h"

#define ARENA_CAP ((size_t)1 << 30) /* address space */
#define SPINS_MAX 5000

struct copy copies[SIM_COPIES];
int copy_now = -1;

static struct http_origin consul_origin, cf_origin;
static struct job place;
static char to_consul[256], to_cloudflare[256];
static int64_t poll_ms;

/* ---- in the place of the system ---- */

void *__wrap_memory_reserve(size_t size);
void __wrap_memory_release(void *p, size_t size);
uint32_t __wrap_driver_random(void);
int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_cpu_us(void);
int64_t __wrap_clock_wall_sec(void);
int __wrap_clock_entropy(void *p, size_t n);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
pid_t __wrap_getpid(void);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __real_write(int fd, const void *p, size_t n);

void *__wrap_memory_reserve(size_t size)
{
	struct copy *c = &copies[copy_now];
	void *p = c->arena + c->arena_used;

	size = (size + 4095) & ~(size_t)4095;
	if (size > ARENA_CAP - c->arena_used)
		return NULL;
	c->arena_used += size;
	return p;
}

void __wrap_memory_release(void *p, size_t size)
{
	(void)madvise(p, size, MADV_DONTNEED);
}

uint32_t __wrap_driver_random(void)
{
	return sim_random(ROW_COPY + (unsigned)copy_now);
}

int64_t __wrap_clock_now_ms(void)
{
	return sim.now_ms;
}

int64_t __wrap_clock_cpu_us(void)
{
	return 0;
}

int64_t __wrap_clock_wall_sec(void)
{
	return sim.wall_sec + sim.now_ms / 1000;
}

int __wrap_clock_entropy(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)p)[i] = (unsigned char)sim_random(ROW_COPY + (unsigned)copy_now);
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = 0;
	poll_ms = timeout_ms;
	return 0;
}

pid_t __wrap_getpid(void)
{
	return 1000 + copy_now;
}

/* What a copy logs. */
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (fd != STDERR_FILENO || copy_now < 0)
		return __real_write(fd, p, n);
	if (sim_has_secret(p, n))
		sim_broken("I8", "a secret in the log: %.*s", (int)n, (const char *)p);
	NOTE("%d: %.*s", copy_now, (int)n - 1, (const char *)p);
	return (ssize_t)n;
}

/* ---- life and death ---- */

static void reload(void *ctx, bool only_secrets)
{
	(void)ctx;
	(void)only_secrets;
}

static size_t jobs_of(const struct copy *c, struct job *out)
{
	size_t n = 0;

	for (size_t i = 0; i < sim.setup.jobs_n; i++)
		if (!c->is_dropped[i])
			out[n++] = sim.setup.jobs[i];
	return n;
}

static void set_jobs(struct copy *c)
{
	static struct job jobs[SIM_JOBS];
	struct err e;

	if (watch_set_jobs(c->watch, jobs, jobs_of(c, jobs), &e))
		sim_broken("I9", "the jobs are not taken: %s", e.text);
}

static void start(int who)
{
	struct copy *c = &copies[who];
	const struct sim_setup *s = &sim.setup;
	struct watch_setup setup = {
		.consul = &consul_origin,
		.cloudflare = &cf_origin,
		.consul_headers = to_consul,
		.cf_headers = to_cloudflare,
		.timeout_ms = s->timeout_ms,
		.resync_ms = s->resync_ms,
		.unhealthy_ms = s->unhealthy_ms,
		.wait_sec = s->wait_sec,
		.lock_key = s->has_lock ? "dnsbuddy/leader" : NULL,
		.register_as = "",
		.place = &place,
		.reload = reload,
	};
	struct err e;

	c->arena_used = 0;
	c->watch = __wrap_memory_reserve(sizeof *c->watch);
	if (watch_init(c->watch, &setup, &e))
		sim_broken("I9", "it does not begin: %s", e.text);
	set_jobs(c);
}

void copy_start(int who)
{
	struct copy *c = &copies[who];

	NOTE("%d: starts", who);
	c->is_alive = true;
	c->life++;
	c->start_ms = CLOCK_NEVER;
	c->wake_ms = sim.now_ms;
	c->death = DEATH_NONE;
	c->wants_end = c->wants_end_in_write = c->wants_reload = false;
	c->calls = 0;
	place.has_token = sim.setup.has_token;
	(void)snprintf(to_consul, sizeof to_consul, "%s", sim.setup.has_token ? "X-Consul-Token: " SIM_CONSUL_TOKEN "\r\n" : "");
	(void)snprintf(to_cloudflare, sizeof to_cloudflare, "Authorization: Bearer " SIM_CF_TOKEN "\r\n");
	cloud_restart(who);
	check_restart(who);
	copy_now = who;
	start(who);
	copy_now = -1;
}

/* What it knew is lost. */
static void bury(int who, int64_t rest_ms)
{
	struct copy *c = &copies[who];

	NOTE("%d: is gone, for %lld ms", who, (long long)rest_ms);
	wire_drop_all(who);
	c->is_alive = false;
	c->death = DEATH_NONE;
	c->start_ms = sim.now_ms + rest_ms;
	(void)madvise(c->arena, c->arena_used, MADV_DONTNEED);
	c->arena_used = 0;
}

void copy_kill(int who, int64_t rest_ms)
{
	if (copies[who].is_alive)
		bury(who, rest_ms);
}

void copy_reach(enum death where)
{
	struct copy *c = &copies[copy_now];

	if (where == DEATH_AFTER_SENDING && c->wants_end_in_write) {
		c->wants_end = true;
		c->wants_end_in_write = false;
		c->wake_ms = sim.now_ms;
	}
	if (c->death != where || c->death_n-- > 0)
		return;
	longjmp(c->jump, 1);
}

void copy_event(const struct sim_event *event)
{
	uint32_t r = event->random;
	int who = (int)(r % (uint32_t)sim.setup.copies_n);
	struct copy *c = &copies[who];

	switch (event->kind) {
	case EVENT_KILL:
		c->death = (enum death)((r >> 4) % 4);
		c->death_n = (r >> 8) % 4;
		c->rest_ms = event->until_ms - event->at_ms;
		if (c->death == DEATH_NONE)
			copy_kill(who, c->rest_ms);
		break;
	case EVENT_TERM:
		c->wants_end = c->is_alive && r >> 4 & 1;
		c->wants_end_in_write = c->is_alive && !c->wants_end;
		c->rest_ms = event->until_ms - event->at_ms;
		break;
	case EVENT_PAUSE:
		c->paused_ms = event->until_ms;
		check_failed(who, event->until_ms);
		break;
	case EVENT_RELOAD: {
		size_t job = (r >> 8) % (uint32_t)sim.setup.jobs_n;

		/* All copies have one configuration. */
		for (size_t i = 0; i < sim.setup.copies_n; i++) {
			copies[i].is_dropped[job] = !copies[i].is_dropped[job];
			copies[i].wants_reload = copies[i].is_alive;
		}
		NOTE("configuration: job %zu %s", job, copies[0].is_dropped[job] ? "is dropped" : "comes back");
		break;
	}
	default: break;
	}
	c->wake_ms = sim.now_ms;
}

void copy_calm(void)
{
	for (size_t i = 0; i < sim.setup.copies_n; i++) {
		struct copy *c = &copies[i];

		c->paused_ms = 0;
		c->death = DEATH_NONE;
		c->wants_end_in_write = false;
		if (!c->is_alive && c->start_ms > sim.now_ms)
			c->start_ms = sim.now_ms;
	}
}

/* ---- turns ---- */

static void take_signals(struct copy *c)
{
	struct watch *w = c->watch;

	if (c->wants_reload)
		set_jobs(c);
	if (c->wants_end && !w->is_stopping)
		w->loop.on_signal(w->loop.signal_ctx, SIGTERM);
	c->wants_reload = c->wants_end = false;
}

static void turn(int who)
{
	struct copy *c = &copies[who];
	unsigned spins = 0;

	take_signals(c);
	do {
		poll_ms = 1;
		loop_turn(&c->watch->loop);
		if (++spins > SPINS_MAX) {
			sim_broken("I9", "it turns without end");
			return;
		}
	} while (c->watch->loop.parts && !poll_ms && !sim.is_broken);
	c->wake_ms = sim.now_ms + poll_ms;
}

void copy_turn(int who)
{
	struct copy *c = &copies[who];

	copy_now = who;
	if (setjmp(c->jump)) {
		copy_now = -1;
		bury(who, c->rest_ms);
		return;
	}
	turn(who);
	copy_now = -1;
	if (!c->watch->loop.parts)
		bury(who, c->rest_ms);
}

int64_t copy_next_ms(int who)
{
	const struct copy *c = &copies[who];

	if (!c->is_alive)
		return c->start_ms;
	return c->wake_ms > c->paused_ms ? c->wake_ms : c->paused_ms;
}

void copy_init_all(void)
{
	struct err e;

	if (url_parse(&consul_origin.url, "http://127.0.0.1:8500", URL_HTTP, 0, &e) ||
	    url_parse(&cf_origin.url, "https://api.cloudflare.com/client/v4", URL_HTTPS, 0, &e))
		abort();
	for (int i = 0; i < SIM_COPIES; i++) {
		struct copy *c = &copies[i];
		char *arena = c->arena;

		if (!arena)
			arena = mmap(NULL, ARENA_CAP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (arena == MAP_FAILED)
			abort();
		if (c->arena_used)
			(void)madvise(arena, c->arena_used, MADV_DONTNEED);
		*c = (struct copy){.arena = arena, .start_ms = CLOCK_NEVER};
	}
}
