/*
 * sync and plan: every record of the configuration once, one after the other.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/out.h"
#include "command/command.h"
#include "command/print.h"
#include "command/clients.h"
#include "engine/report.h"

static struct values values;
static struct config config;
static struct clients clients;
static struct reconcile reconcile;

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

static int result_code(const struct reconcile *r)
{
	if (r->result == RECONCILE_FAILED)
		return (int)exit_code_of(r->last_err.kind);
	if (r->is_dry_run && config.options.detailed_exitcode && !plan_is_done(&r->plan))
		return EXIT_CODE_CHANGES;
	return r->result == RECONCILE_HELD ? EXIT_CODE_HELD : EXIT_CODE_OK;
}

static bool wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

static void print_result(bool is_first)
{
	if (config.options.json)
		print_json_plan(&reconcile, is_first);
	else if (reconcile.result != RECONCILE_FAILED)
		print_plan(&reconcile, wants_colour());
	/* A terminal shows both; what failed is reported in its place. */
	out_push();
	if (reconcile.result == RECONCILE_FAILED)
		report_end(&reconcile);
}

static int run_record(size_t i, bool is_plan, int64_t give_up_ms)
{
	/* Who waits for a plan is a person: one try. */
	reconcile_init(&reconcile, &config.jobs[i], &clients.storage, clients.have, is_plan,
		       is_plan ? 0 : give_up_ms);
	driver_run(&clients.driver, &reconcile);
	if (is_plan)
		print_result(i == 0);
	else
		report_end(&reconcile);
	return result_code(&reconcile);
}

static int run(const char *command, bool is_plan, int argc, char *const *argv)
{
	struct err e = {0};
	int code = EXIT_CODE_OK;
	int64_t give_up_ms;

	if (config_read(&config, &values, argc, argv, &e))
		return command_fail(command, &e);
	if (config.options.help) {
		char name[16];
		char *const help[] = {name};

		(void)fmt_text(name, sizeof name, "%s", command);
		return command_help(1, help);
	}
	is_plan |= config.options.dry_run;
	if (!is_plan && (config.options.json || config.options.detailed_exitcode)) {
		(void)err_set(&e, ERR_USAGE,
			      "--json and --detailed-exitcode go with plan, or with "
			      "--dry-run");
		return command_fail(command, &e);
	}
	if (clients_init(&clients, &config, &e))
		return command_fail(command, &e);
	/* One deadline for all: a record whose turn comes after it has one try. */
	give_up_ms = clock_now_ms() + config.retry_for_ms;
	if (is_plan && config.options.json)
		print_json_begin();
	for (size_t i = 0; i < config.jobs_n; i++) {
		int one = run_record(i, is_plan, give_up_ms);

		if (weight(one) > weight(code))
			code = one;
	}
	if (is_plan && config.options.json)
		print_json_end();
	return command_close_stdout(command, code);
}

int command_sync(int argc, char *const *argv)
{
	return run("sync", false, argc, argv);
}

int command_plan(int argc, char *const *argv)
{
	return run("plan", true, argc, argv);
}
