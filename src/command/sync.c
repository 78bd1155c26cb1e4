/*
 * sync and plan: every record of the configuration once, one after the other.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/out.h"
#include "command/clients.h"
#include "command/command.h"
#include "command/discover.h"
#include "command/print.h"
#include "command/progress.h"
#include "engine/report.h"
#include "engine/round.h"

static struct config config;
static struct clients clients;
static struct reconcile reconcile;
static struct round names;

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

static void print_result(bool is_first, unsigned options)
{
	if (options & OPTION_JSON)
		print_json_plan(&reconcile, is_first);
	else if (reconcile.out.result != RECONCILE_FAILED)
		print_plan(&reconcile, wants_colour());
	/* A terminal shows both; what failed is reported in its place. */
	out_push();
	if (reconcile.out.result == RECONCILE_FAILED)
		report_end(&reconcile);
}

static void carry_out(struct reconcile *r, struct driver *d)
{
	struct call call;

	names.storage = &clients.storage;
	round_add(&names, r);
	while ((call = round_next(&names, clock_now_ms())).kind != CALL_END) {
		struct err e = {0};
		int rc = driver_call(d, &call, &e);

		round_take(&names, rc, &e, clock_now_ms(), driver_random());
	}
	(void)round_take_ended(&names);
}

static int run_record(size_t i, bool is_plan, unsigned options, int64_t give_up_ms)
{
	/* Who waits for a plan is a person: one try. */
	clients.view.listed = clients.listed;
	clients.storage.zones = &clients.zones;
	reconcile_init(&reconcile, &config.jobs[i], &clients.storage, &clients.view, clients.have,
		       &clients.seldom, is_plan, is_plan ? 0 : give_up_ms);
	carry_out(&reconcile, &clients.driver);
	if (is_plan)
		print_result(i == 0, options);
	else
		report_end(&reconcile);
	return result_code(&reconcile, options);
}

static int run(const struct invocation *in, bool is_plan)
{
	const unsigned options = in->options;
	struct err e = {0};
	int code = command_configure(in, &config);
	int64_t give_up_ms;

	if (code != EXIT_CODE_OK)
		return code;
	if (clients_init(&clients, &config, &e))
		return command_fail(in, &e);
	/* One deadline for all: a record whose turn comes after it has one try. */
	give_up_ms = clock_now_ms() + config.retry_for_ms;
	if (config.discover)
		code = discover_jobs(&config, &clients, is_plan ? 0 : give_up_ms);
	if (options & OPTION_JSON)
		print_json_begin();
	for (size_t i = 0; i < config.jobs_n; i++) {
		int one = run_record(i, is_plan, options, give_up_ms);

		if (weight(one) > weight(code))
			code = one;
	}
	if (options & OPTION_JSON)
		print_json_end();
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
