/*
 * sync and plan: every record of the configuration once, side by side: names of one zone share what
 * calls they can.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/memory.h"
#include "base/out.h"
#include "command/clients.h"
#include "command/command.h"
#include "command/discover.h"
#include "command/print.h"
#include "command/progress.h"
#include "engine/report.h"
#include "engine/round.h"

#define SHOW_MS 1000 /* a plan that takes longer shows where it is */

/* What of one name is large, and mostly not used. */
struct room {
	struct reconcile_seldom seldom;
	struct consul_view view;
	struct endpoint listed[CONSUL_INSTANCES_MAX];
	struct record have[RECORDS_MAX];
};

static struct config config;
static struct clients clients;
static struct zone_table zones;
static struct round together;
static struct reconcile *names; /* of each job one */
static struct progress progress;

/* The result's weight: a failure outweighs what is held, and that a change. */
static int weight(int code)
{
	switch (code) {
	case EXIT_CODE_OK: return 0;
	case EXIT_CODE_CHANGES: return 2;
	case EXIT_CODE_HELD: return 1;
	default: return 3;
	}
}

static int result_code(const struct reconcile *r, unsigned options)
{
	if (r->out.result == RECONCILE_FAILED)
		return (int)exit_code_of(r->out.err->kind);
	if (r->in.is_dry_run && options & OPTION_DETAILED_EXITCODE && !plan_is_done(&r->out.plan))
		return EXIT_CODE_CHANGES;
	return r->out.result == RECONCILE_HELD ? EXIT_CODE_HELD : EXIT_CODE_OK;
}

static bool wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");

	return !(no_colour && *no_colour) && progress_can_draw(STDOUT_FILENO);
}

/* ---- carrying it out ---- */

static void show_progress(enum call_kind kind)
{
	static const char doing[][18] = {
		[CALL_HEALTH] = "reading Consul",
		[CALL_ZONE] = "looking for zones",
		[CALL_LIST] = "listing records",
	};
	size_t i = 0, left = 0;
	const struct reconcile *asked = round_asked(&together, &i);
	char line[80];

	if (!progress.is_terminal || kind >= sizeof doing / sizeof doing[0] || !asked)
		return;
	for (i = 0; i < together.n; i++)
		left += together.members[i]->step <= asked->step;
	(void)fmt_text(line, sizeof line, "%s, %zu of %zu names to go", doing[kind], left,
		       config.jobs_n);
	progress_show(&progress, line, 0, clock_now_ms());
}

static int call(const struct call *c, struct err *e)
{
	struct driver *d = &clients.driver;
	enum http_result result;

	if (driver_begin(d, c, CLOCK_NEVER, e))
		return -1;
	while ((result = driver_step(d, e)) == HTTP_MORE) {
		struct loop_alone alone;
		struct loop_wait *w = loop_alone_begin(&alone);

		driver_wants(d, w);
		progress_wants(&progress, w, clock_now_ms());
		loop_alone_wait(&alone);
		show_progress(c->kind);
	}
	progress_end(&progress); /* there may be something to log */
	return result == HTTP_DONE ? 0 : -1;
}

static void carry_out(bool is_plan)
{
	struct call c;

	do {
		struct reconcile *ended;
		struct err e = {0};

		c = round_next(&together, clock_now_ms());
		if (c.kind != CALL_END) {
			int rc = call(&c, &e);

			round_take(&together, rc, &e, clock_now_ms(), driver_random());
		}
		/* What others found may have ended some without a call. */
		while ((ended = round_take_ended(&together)))
			if (!is_plan)
				report_end(ended);
	} while (c.kind != CALL_END);
}

static int begin(bool is_plan, int64_t give_up_ms, struct err *e)
{
	size_t n = config.jobs_n;
	struct room *rooms = n ? memory_reserve(n * sizeof *rooms) : NULL;

	names = n ? memory_reserve(n * sizeof *names) : NULL;
	if (n && (!rooms || !names))
		return err_set(e, ERR_SYS, "no memory for %zu names", n);
	clients.storage.zones = &zones;
	together.storage = &clients.storage;
	for (size_t i = 0; i < n; i++) {
		struct room *room = &rooms[i];
		const struct reconcile_own own = {room->have, &room->seldom, &room->view};

		room->view.listed = room->listed;
		reconcile_init(&names[i], &config.jobs[i], &clients.storage, &own, is_plan,
			       give_up_ms);
		round_add(&together, &names[i]);
	}
	return 0;
}

static void show(unsigned options)
{
	if (!(options & OPTION_JSON)) {
		print_plans(names, config.jobs_n, wants_colour());
		return;
	}
	print_json(names, config.jobs_n);
	out_push();
	for (size_t i = 0; i < config.jobs_n; i++)
		if (names[i].out.result == RECONCILE_FAILED)
			report_end(&names[i]);
}

static int run(const struct invocation *in, bool is_plan)
{
	struct err e = {0};
	int code = command_configure(in, &config);
	int64_t give_up_ms;

	if (code != EXIT_CODE_OK)
		return code;
	if (clients_init(&clients, &config, &e))
		return command_fail(in, &e);
	/* One deadline for all. Who waits for a plan is a person: one try. */
	give_up_ms = is_plan ? 0 : clock_now_ms() + config.retry_for_ms;
	if (config.discover)
		code = (int)discover_jobs(&config, &clients, give_up_ms);
	if (begin(is_plan, give_up_ms, &e))
		return command_fail(in, &e);
	if (is_plan) {
		progress_begin(&progress, "plan");
		progress.next_ms = clock_now_ms() + SHOW_MS;
	}
	carry_out(is_plan);
	if (is_plan)
		show(in->options);
	for (size_t i = 0; i < config.jobs_n; i++) {
		int one = result_code(&names[i], in->options);

		if (weight(one) > weight(code))
			code = one;
	}
	return command_close_stdout(in, code);
}

int command_sync(const struct invocation *in)
{
	return run(in, false);
}

int command_plan(const struct invocation *in)
{
	return run(in, true);
}
