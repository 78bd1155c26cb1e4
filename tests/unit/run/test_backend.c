/*
 * run/backend: when a command is run, and when not. The module is compiled a second time, against a Consul that lists what
 * it is told, and against commands that end when they are told.
 */
#include "support.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/driver.h"
#include "engine/service_watch.h"
#include "run/process.h"

static void fake_init(struct service_watch *w, const struct job *job);
static void fake_reader_init(struct service_reader *r, const struct http_origin *o, const char *headers, int64_t timeout_ms);
static struct service_reader *fake_reader_reserve(void);
static enum blocking_event fake_step(struct service_watch *w, int64_t now_ms, uint32_t random);
static void fake_wants(const struct service_watch *s, struct loop_wait *w);
static struct service_watch *fake_reserve(void);
static void fake_close(struct http_client *c);
static uint32_t fake_random(void);
static int fake_start(struct process *p, char *const *argv, enum process_output output, struct err *e);
static void fake_kill(const struct process *p, int number);
static void fake_process_step(struct process *p);
static void fake_process_wants(const struct process *p, struct loop_wait *w);

#define service_watch_init fake_init
#define service_reader_init fake_reader_init
#define service_reader_reserve fake_reader_reserve
#define service_watch_step fake_step
#define service_watch_wants fake_wants
#define service_watch_reserve fake_reserve
#define http_close fake_close
#define driver_random fake_random
#define process_start fake_start
#define process_kill fake_kill
#define process_step fake_process_step
#define process_wants fake_process_wants
#define backends_init tested_backends_init
#define backends_set tested_backends_set
#define backends_wants tested_backends_wants
#define backends_step tested_backends_step
#define backends_stop tested_backends_stop
#define backends_are_over tested_backends_are_over
#define backends_show tested_backends_show
/* Both cmocka and the module have a fail(). */
#undef fail
#define fail tested_fail
#include "run/backend.c" /* NOLINT(bugprone-suspicious-include) */
#undef fail
#define fail() _fail(__FILE__, __LINE__)

/* ---- Consul ---- */

struct place {
	struct service_watch watch;
	struct service_reader reader;
	struct err last_err;
	struct consul_view view;
	bool has_news, fails;
	enum err_kind fails_as;
	unsigned inits, closes, steps;
};

static struct place places[BACKENDS_MAX];
static size_t places_n, room_n;

static struct service_watch *fake_reserve(void)
{
	return places_n < room_n ? &places[places_n++].watch : NULL;
}

static struct place *place_of(const struct service_watch *w)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++)
		if (&places[i].watch == w)
			return &places[i];
	abort();
}

/* Of the service watch that was reserved last. */
static struct service_reader *fake_reader_reserve(void)
{
	return &places[places_n - 1].reader;
}

static void fake_reader_init(struct service_reader *r, const struct http_origin *o, const char *headers, int64_t timeout_ms)
{
	assert_true(r && o && strcmp(headers, "H: 1\r\n") == 0);
	assert_int_equal(timeout_ms, 7000);
}

static void fake_init(struct service_watch *w, const struct job *job)
{
	struct place *p = place_of(w);

	*w = (struct service_watch){.job = *job, .view = &p->view, .reader = w->reader, .read = {.last_err = &p->last_err}};
	p->inits++;
}

static enum blocking_event fake_step(struct service_watch *w, int64_t now_ms, uint32_t random)
{
	struct place *p = place_of(w);

	(void)now_ms;
	(void)random;
	assert_true(w->query.sums_passing);
	assert_int_equal(w->read.wait_sec, 45);
	p->steps++;
	if (p->fails) {
		w->read.failures++;
		w->read.last_err->kind = p->fails_as;
		return BLOCKING_FAILED;
	}
	w->read.failures = 0;
	if (p->has_news)
		w->read.reads++;
	p->has_news = false;
	return BLOCKING_NOTHING; /* only the sum counts: it may be a port that changed */
}

static void fake_wants(const struct service_watch *s, struct loop_wait *w)
{
	(void)s;
	loop_wait_until(w, 900000000);
}

static void fake_close(struct http_client *c)
{
	for (size_t i = 0; i < BACKENDS_MAX; i++)
		if (&places[i].reader.by.client == c)
			places[i].closes++;
}

static uint32_t fake_random(void)
{
	return 0; /* half of every delay */
}

/* ---- commands ---- */

static struct {
	struct process *of[64]; /* all that were started */
	char words[64][32];
	size_t n;
	bool fails;
	int killed_with;
} commands;

static int fake_start(struct process *p, char *const *argv, enum process_output output, struct err *e)
{
	assert_int_equal(output, PROCESS_INHERIT);
	if (commands.fails)
		return err_set(e, ERR_SYS, "no process");
	*p = (struct process){.pid = 1000 + (pid_t)commands.n};
	(void)snprintf(commands.words[commands.n], sizeof commands.words[0], "%s", argv[0]);
	commands.of[commands.n++] = p;
	return 0;
}

static void fake_kill(const struct process *p, int number)
{
	assert_true(p->pid && !p->is_over);
	commands.killed_with = number;
}

static void fake_process_step(struct process *p)
{
	(void)p;
}

static void fake_process_wants(const struct process *p, struct loop_wait *w)
{
	(void)p;
	(void)w;
}

/* ---- the scene ---- */

static struct backends b;
static struct http_origin origin;
static int64_t now_ms;
static char words[4][32];
static char *argvs[4][2];
static struct run_backend setups[BACKENDS_MAX + 1];

static void set_backend(struct run_backend *r, const char *service, size_t argv)
{
	*r = (struct run_backend){.on_change = {.n = 1, .argv = argvs[argv], .timeout_ms = CLOCK_NEVER}};
	(void)snprintf(r->job.service, sizeof r->job.service, "%s", service);
}

static int set_up(void **state)
{
	struct err e;

	(void)state;
	memset(&b, 0, sizeof b);
	memset(&commands, 0, sizeof commands);
	memset(places, 0, sizeof places);
	places_n = 0;
	room_n = BACKENDS_MAX;
	now_ms = 1000000;
	log_setup(LOG_LOGFMT, LOG_ERROR);
	for (size_t i = 0; i < COUNT(words); i++) {
		(void)snprintf(words[i], sizeof words[i], "/command-%zu", i);
		argvs[i][0] = words[i];
	}
	set_backend(&setups[0], "web", 0);
	set_backend(&setups[1], "app", 1);
	backends_init(&b, &origin, "H: 1\r\n", 7000, 45);
	assert_int_equal(backends_set(&b, setups, 1, &e), 0);
	return 0;
}

static void step(void)
{
	backends_step(&b, now_ms);
}

static void list_at(size_t i, uint64_t sum, size_t passing_n)
{
	places[i].view.passing_sum = sum;
	places[i].view.count.state_n[INSTANCE_PASSING] = passing_n;
	places[i].has_news = true;
	step();
}

static void list(uint64_t sum, size_t passing_n)
{
	list_at(0, sum, passing_n);
}

static void end(size_t i, int code)
{
	commands.of[i]->is_over = true;
	commands.of[i]->code = code;
	step();
}

/* Let time go until so many were started; how long that was. */
static int64_t wait_for(size_t n)
{
	int64_t from_ms = now_ms;

	for (step(); commands.n < n; step())
		CHECK(++now_ms - from_ms < 100000, "no run in 100 s");
	assert_int_equal(commands.n, n);
	return now_ms - from_ms;
}

static void assert_quiet(size_t n)
{
	int64_t until_ms = now_ms + 200000;

	for (; now_ms < until_ms; now_ms += 100)
		step();
	assert_int_equal(commands.n, n);
}

static int64_t wake_ms(void)
{
	struct loop_wait w = {.wake_ms = CLOCK_NEVER};

	backends_wants(&b, &w);
	return w.wake_ms;
}

/* ---- when ---- */

/* Lists, one after the other, each with its command done: "SUM/PASSING", and the runs that makes. */
static const struct {
	struct {
		uint64_t sum;
		size_t passing_n;
	} lists[5];
	size_t lists_n, runs;
} rows[] = {
	{{{0, 0}}, 1, 0}, /* nobody there at the beginning */
	{{{7, 1}}, 1, 1}, /* somebody */
	{{{0, 0}, {7, 1}}, 2, 1},
	{{{7, 1}, {0, 0}}, 2, 2},         /* all gone */
	{{{7, 1}, {7, 1}, {7, 1}}, 3, 1}, /* the index moved, nothing else did */
	{{{7, 1}, {8, 1}}, 2, 2},         /* a swap */
	{{{7, 1}, {8, 2}, {7, 1}}, 3, 3},
	{{{7, 1}, {7, 2}}, 2, 2}, /* sums that happen to be alike */
	{{{0, 0}, {0, 0}, {7, 1}, {0, 0}, {0, 0}}, 5, 2},
};

static void test_when(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)set_up(state);
		for (size_t k = 0; k < rows[i].lists_n; k++) {
			size_t before = commands.n;

			list(rows[i].lists[k].sum, rows[i].lists[k].passing_n);
			assert_true(commands.n <= before + 1);
			if (commands.n > before)
				end(before, 0);
		}
		CHECK(commands.n == rows[i].runs, "case %zu: %zu runs", i, commands.n);
		assert_quiet(rows[i].runs);
	}
}

/* What happens meanwhile makes one further run, also when all is as it was in the end. */
static void test_coalesced(void **state)
{
	for (int back = 0; back < 2; back++) {
		(void)set_up(state);
		list(1, 1);
		for (uint64_t sum = 2; sum < 6; sum++)
			list(sum, 1);
		list(back ? 1 : 6, 1);
		assert_quiet(1);
		end(0, 0);
		assert_int_equal(commands.n, 2);
		end(1, 0);
		assert_quiet(2);
	}
}

/* ---- failures ---- */

static void test_again(void **state)
{
	static const int64_t delays_ms[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};

	(void)state;
	list(1, 1);
	for (size_t i = 0; i < COUNT(delays_ms); i++) {
		end(i, i % 2 ? 5 : 127);
		assert_int_equal(wake_ms(), now_ms + delays_ms[i]);
		CHECK(wait_for(i + 2) == delays_ms[i], "try %zu", i);
	}
	end(COUNT(delays_ms), 0);
	assert_quiet(COUNT(delays_ms) + 1);
	/* One that was done begins anew. */
	list(2, 1);
	end(commands.n - 1, 1);
	assert_int_equal(wait_for(commands.n + 1), 500);
}

static void test_a_change_comes_at_once(void **state)
{
	(void)state;
	list(1, 1);
	for (size_t i = 0; i < 5; i++) {
		end(i, 1);
		(void)wait_for(i + 2);
	}
	end(5, 1);
	assert_int_equal(commands.n, 6);
	list(2, 1);
	assert_int_equal(commands.n, 7);
	end(6, 1);
	assert_int_equal(wait_for(8), 500);
	/* And one that comes while a run fails. */
	list(3, 1);
	assert_int_equal(commands.n, 8);
	end(7, 1);
	assert_int_equal(wait_for(9), 500);
	end(8, 0);
	assert_quiet(9);
}

static void test_no_process(void **state)
{
	(void)state;
	commands.fails = true;
	list(1, 1);
	assert_int_equal(b.of[0].failed, 1);
	now_ms += 500;
	step();
	assert_int_equal(b.of[0].failed, 2);
	commands.fails = false;
	assert_int_equal(wait_for(1), 1000);
}

static void test_timeout(void **state)
{
	struct err e;

	(void)state;
	setups[0].on_change.timeout_ms = 3000;
	assert_int_equal(backends_set(&b, setups, 1, &e), 0);
	list(1, 1);
	assert_int_equal(wake_ms(), now_ms + 3000);
	now_ms += 2999;
	step();
	assert_int_equal(commands.killed_with, 0);
	now_ms++;
	step();
	assert_int_equal(commands.killed_with, SIGKILL);
	commands.killed_with = 0;
	step();
	assert_int_equal(commands.killed_with, 0); /* once is enough */
	/* Whatever it ended with meanwhile. */
	end(0, 0);
	assert_int_equal(b.of[0].failed, 1);
	assert_int_equal(wait_for(2), 500);
	end(1, 0);
	assert_quiet(2);
}

/* ---- the loop ---- */

static void test_wants(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(wake_ms(), 900000000); /* what Consul says */
	list(1, 1);
	assert_int_equal(wake_ms(), 900000000);
	commands.of[0]->is_over = true; /* reaped, not looked at yet */
	assert_true(wake_ms() <= now_ms);
	step();
	assert_int_equal(wake_ms(), 900000000);
	assert_int_equal(backends_set(&b, NULL, 0, &e), 0);
	assert_int_equal(wake_ms(), CLOCK_NEVER);
}

static void test_each_for_itself(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(backends_set(&b, setups, 2, &e), 0);
	list_at(0, 1, 1);
	list_at(1, 1, 1);
	assert_int_equal(commands.n, 2); /* two at once */
	assert_string_equal(commands.words[0], "/command-0");
	assert_string_equal(commands.words[1], "/command-1");
	end(1, 0);
	list_at(1, 2, 1);
	assert_int_equal(commands.n, 3); /* the other still runs */
	assert_string_equal(commands.words[2], "/command-1");
}

static void test_refused(void **state)
{
	static const struct {
		enum err_kind kind;
		bool is_refusal;
	} cases[] = {{ERR_RETRY, false}, {ERR_AUTH, true}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)set_up(state);
		list(1, 1);
		end(0, 0);
		places[0].fails = true;
		places[0].fails_as = cases[i].kind;
		step();
		assert_int_equal(b.was_refused, cases[i].is_refusal);
		/* What was listed before still holds. */
		assert_quiet(1);
		places[0].fails = false;
		list(1, 1);
		assert_quiet(1);
	}
}

/* ---- the end ---- */

static void test_stop(void **state)
{
	unsigned steps;

	(void)state;
	list(1, 1);
	list(2, 1);
	assert_false(backends_are_over(&b));
	backends_stop(&b, now_ms + 800);
	assert_int_equal(commands.killed_with, SIGTERM);
	assert_int_equal(wake_ms(), now_ms + 800);
	steps = places[0].steps;
	now_ms += 799;
	step();
	assert_int_equal(commands.killed_with, SIGTERM);
	now_ms++;
	step();
	assert_int_equal(commands.killed_with, SIGKILL);
	end(0, 137);
	assert_true(backends_are_over(&b));
	assert_int_equal(b.of[0].failed, 0); /* it was asked to */
	assert_int_equal(wake_ms(), CLOCK_NEVER);
	assert_quiet(1);
	assert_int_equal(places[0].steps, steps); /* Consul is not asked either */
}

/* What waits for its next try has none. */
static void test_stop_between_tries(void **state)
{
	(void)state;
	list(1, 1);
	end(0, 1);
	backends_stop(&b, now_ms);
	assert_true(backends_are_over(&b));
	assert_int_equal(commands.killed_with, 0);
	assert_quiet(1);
}

/* ---- another configuration ---- */

static void test_new_command(void **state)
{
	struct run_backend again[2];
	struct err e;

	(void)state;
	list(1, 1);
	end(0, 0);
	/* In another place of the list, too. */
	set_backend(&again[0], "app", 1);
	set_backend(&again[1], "web", 2);
	assert_int_equal(backends_set(&b, again, 2, &e), 0);
	assert_int_equal(places[0].inits, 1);
	list(1, 1);
	assert_quiet(1); /* nothing has changed for it */
	list(2, 1);
	assert_string_equal(commands.words[1], "/command-2");
	/* Another tag is another list. */
	end(1, 0);
	(void)snprintf(again[1].job.tag, sizeof again[1].job.tag, "blue");
	assert_int_equal(backends_set(&b, again, 2, &e), 0);
	assert_int_equal(places[2].inits, 1);
	assert_string_equal(places[2].watch.job.tag, "blue");
	list_at(2, 2, 1);
	assert_int_equal(commands.n, 3);
}

static void test_dropped(void **state)
{
	struct err e;

	(void)state;
	list(1, 1);
	list(2, 1);
	assert_int_equal(backends_set(&b, &setups[1], 1, &e), 0);
	assert_int_equal(commands.killed_with, 0);
	assert_false(backends_are_over(&b));
	assert_int_equal(places[1].inits, 1); /* its place is not free yet */
	assert_int_equal(places[0].closes, 1);
	end(0, 1);
	assert_int_equal(b.of[0].failed, 0);
	assert_quiet(1); /* neither again nor for what changed */
	assert_true(backends_are_over(&b));
	/* It comes back: as if it had never been there. */
	assert_int_equal(backends_set(&b, setups, 2, &e), 0);
	assert_int_equal(places[0].inits, 2);
	list(2, 1);
	assert_int_equal(commands.n, 2);
	/* Dropped while it was to run again; nobody is there when it is back. */
	end(1, 1);
	assert_int_equal(backends_set(&b, NULL, 0, &e), 0);
	assert_int_equal(backends_set(&b, setups, 1, &e), 0);
	list(0, 0);
	assert_quiet(2);
}

/* It comes back while its command still runs: there are never two of it. */
static void test_dropped_and_back(void **state)
{
	struct err e;

	(void)state;
	list(1, 1);
	assert_int_equal(backends_set(&b, NULL, 0, &e), 0);
	assert_int_equal(backends_set(&b, setups, 1, &e), 0);
	assert_int_equal(places_n, 1);
	list(1, 1);
	assert_quiet(1);
	end(0, 0);
	assert_int_equal(commands.n, 2);
}

/* Two of one service are two. */
static void test_twins(void **state)
{
	struct run_backend twins[2];
	struct err e;

	(void)state;
	set_backend(&twins[0], "web", 1);
	set_backend(&twins[1], "web", 2);
	assert_int_equal(backends_set(&b, twins, 2, &e), 0);
	list_at(0, 1, 1);
	list_at(1, 1, 1);
	assert_int_equal(commands.n, 2);
	assert_string_not_equal(commands.words[0], commands.words[1]);
}

static void test_room(void **state)
{
	struct err e = {0};
	char name[32];

	(void)state;
	for (size_t i = 0; i < COUNT(setups); i++) {
		(void)snprintf(name, sizeof name, "service-%zu", i);
		set_backend(&setups[i], name, 0);
	}
	assert_int_equal(backends_set(&b, NULL, 0, &e), 0);
	/* As many as there may be, all with a command that runs, and as many others. */
	assert_int_equal(backends_set(&b, setups, RUN_BACKENDS_MAX, &e), 0);
	for (size_t i = 0; i < RUN_BACKENDS_MAX; i++)
		list_at(i, 1, 1);
	assert_int_equal(commands.n, RUN_BACKENDS_MAX);
	assert_int_equal(backends_set(&b, setups + RUN_BACKENDS_MAX, RUN_BACKENDS_MAX, &e), 0);
	for (size_t i = RUN_BACKENDS_MAX; i < BACKENDS_MAX; i++)
		list_at(i, 1, 1);
	assert_int_equal(commands.n, BACKENDS_MAX);
	/* One more has no place; nothing has changed. */
	assert_int_equal(backends_set(&b, &setups[BACKENDS_MAX], 1, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	for (size_t i = 0; i < BACKENDS_MAX; i++)
		assert_int_equal(b.of[i].is_followed, i >= RUN_BACKENDS_MAX);
	end(3, 0);
	assert_int_equal(backends_set(&b, &setups[BACKENDS_MAX], 1, &e), 0);
	assert_true(b.of[3].is_followed);
}

static void test_no_memory(void **state)
{
	struct err e = {0};

	(void)state;
	room_n = 1;
	assert_int_equal(backends_set(&b, setups, 2, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_true(b.of[0].is_followed && !b.of[1].is_followed);
	list(1, 1);
	assert_int_equal(commands.n, 1);
}

/* ---- shown ---- */

static void test_shown(void **state)
{
	struct run_status_part p = {.name = NULL};
	struct err e;

	(void)state;
	assert_int_equal(backends_set(&b, setups, 2, &e), 0);
	assert_true(backends_show(&b, 0, &p));
	assert_string_equal(p.name, "web");
	assert_int_equal(p.kind, RUN_STATUS_BACKEND);
	assert_false(p.facts[RUN_FACT_INSTANCES].is_known);
	list_at(0, 1, 3);
	end(0, 1);
	places[1].fails = true;
	step();
	assert_true(backends_show(&b, 0, &p));
	assert_int_equal(p.facts[RUN_FACT_INSTANCES].n, 3);
	assert_int_equal(p.facts[RUN_FACT_RUNS].n, 1);
	assert_int_equal(p.facts[RUN_FACT_RUN_FAILURES].n, 1);
	assert_int_equal(p.facts[RUN_FACT_BEHIND].n, 1);
	assert_null(p.error);
	p = (struct run_status_part){.name = NULL};
	assert_true(backends_show(&b, 1, &p));
	assert_string_equal(p.name, "app");
	assert_non_null(p.error);
	assert_int_equal(p.facts[RUN_FACT_BEHIND].n, 0);
	assert_false(backends_show(&b, 2, &p));
	(void)wait_for(2);
	assert_true(backends_show(&b, 0, &p));
	assert_int_equal(p.facts[RUN_FACT_BEHIND].n, 1);
	end(1, 0);
	assert_true(backends_show(&b, 0, &p));
	assert_int_equal(p.facts[RUN_FACT_BEHIND].n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_when, set_up),
		cmocka_unit_test_setup(test_coalesced, set_up),
		cmocka_unit_test_setup(test_again, set_up),
		cmocka_unit_test_setup(test_a_change_comes_at_once, set_up),
		cmocka_unit_test_setup(test_no_process, set_up),
		cmocka_unit_test_setup(test_timeout, set_up),
		cmocka_unit_test_setup(test_wants, set_up),
		cmocka_unit_test_setup(test_each_for_itself, set_up),
		cmocka_unit_test_setup(test_refused, set_up),
		cmocka_unit_test_setup(test_stop, set_up),
		cmocka_unit_test_setup(test_stop_between_tries, set_up),
		cmocka_unit_test_setup(test_new_command, set_up),
		cmocka_unit_test_setup(test_dropped, set_up),
		cmocka_unit_test_setup(test_dropped_and_back, set_up),
		cmocka_unit_test_setup(test_twins, set_up),
		cmocka_unit_test_setup(test_room, set_up),
		cmocka_unit_test_setup(test_no_memory, set_up),
		cmocka_unit_test_setup(test_shown, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
