#include "command/command.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/out.h"

#define DOES(text) text "\n"
#define ARGUMENTS(text) text "\n"
#define MORE(text) text

static const struct texts {
#define COMMAND(name, texts, ...) char name[sizeof(texts)];
#include "command/commands.def"
} texts = {
#define COMMAND(name, texts, ...) .name = texts,
#include "command/commands.def"
};

const struct command commands[] = {
#define COMMAND(name_, texts_, ...)                                                                \
	{.name = #name_, .texts = offsetof(struct texts, name_), __VA_ARGS__},
#include "command/commands.def"
};
const size_t commands_n = sizeof commands / sizeof commands[0];

const char *command_texts(const struct command *command)
{
	return (const char *)&texts + command->texts;
}

void command_names(unsigned groups, char out[COMMAND_NAMES_CAP])
{
	struct buf b;

	buf_init(&b, out, COMMAND_NAMES_CAP);
	for (size_t i = 0; i < commands_n; i++)
		if (commands[i].groups & groups)
			buf_fmt(&b, "%s%s", b.len ? ", " : "", commands[i].name);
}

/* One of a row's names; an unused one is "". */
static bool is_called(const struct command *command, const char *name)
{
	return *name && (!strcmp(command->called[0], name) || !strcmp(command->called[1], name));
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_n; i++)
		if (strcmp(commands[i].name, name) == 0 ||
		    (*name == '-' && is_called(&commands[i], name)))
			return &commands[i];
	return NULL;
}

/* The binary may take the place of the article's handler script in an image. */
static const struct command *find_called(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; *name != '-' && i < commands_n; i++)
		if (is_called(&commands[i], name))
			return &commands[i];
	return NULL;
}

/* ---- carry one out ---- */

static int check_options(const struct invocation *in, struct err *e)
{
	unsigned odd = in->options & ~in->command->options;
	const char *with = "nothing";

	if (!odd)
		return 0;
	for (size_t i = 0; i < commands_n; i++)
		if (commands[i].options & odd)
			with = commands[i].name;
	return err_set(e, ERR_USAGE, "%s does not go with %s, only with %s",
		       values_option_name(odd), in->name, with);
}

/* A flag of other commands is told with their names. */
static int fail_arguments(const struct invocation *in, struct err *e)
{
	char names[COMMAND_NAMES_CAP];

	if (!in->values->stray)
		return command_fail(in, e);
	command_names(in->values->stray_groups, names);
	(void)err_set(e, ERR_USAGE, "--%s does not go with %s, only with %s", in->values->stray,
		      in->name, names);
	return command_fail(in, e);
}

/* Where a command stands in the table. */
enum place {
#define COMMAND(name, ...) PLACE_##name,
#include "command/commands.def"
};

/* No table of functions: a pointer there would cost 32 bytes, its relocation included. */
static int carry_out(const struct invocation *in)
{
	const enum place place = (enum place)(in->command - commands);

#define COMMAND(name, ...)                                                                         \
	if (place == PLACE_##name)                                                                 \
		return command_##name(in);
#include "command/commands.def"
	return EXIT_CODE_USAGE; /* there is no other */
}

static int run(struct invocation *in)
{
	static struct values values;
	struct err e = {0};

	values.wait_ms = CONFIG_WAIT_MS;
	values.is_called_containerbuddy = in->is_called && in->command->groups & GROUP_RUN;
	in->values = &values;
	if (values_from_arguments(&values, in->argc, in->argv, in->command->groups, &e))
		return fail_arguments(in, &e);
	in->options = values.options;
	if (in->options & OPTION_VERSION)
		return command_version(in);
	if (in->options & OPTION_HELP) {
		command_print_help(in->command);
		return command_close_stdout(in, EXIT_CODE_OK);
	}
	if (in->options & in->command->options & OPTION_DRY_RUN)
		in->command = command_find("plan");
	if (check_options(in, &e))
		return command_fail(in, &e);
	return carry_out(in);
}

int command_main(int argc, char *const *argv)
{
	const struct command *command = argc ? find_called(argv[0]) : NULL;
	int names_n = command ? 1 : 2;
	struct invocation in;

	/* Containerbuddy makes an empty argument of two spaces. */
	for (; !command && argc > 1 && !*argv[1]; argc--)
		argv++;
	if (!command && argc < 2)
		return command_usage();
	if (!command)
		command = command_find(argv[1]);
	if (!command)
		return command_unknown(argv[1]);
	in = (struct invocation){
		.name = command->name,
		.command = command,
		.argc = argc - names_n,
		.argv = argv + names_n,
		.is_called = names_n == 1,
	};
	return command->groups ? run(&in) : carry_out(&in);
}

/* ---- what they have in common ---- */

int command_configure(const struct invocation *in, struct config *c)
{
	struct err e = {0}, crowded = {0};
	int rc = config_read(c, in->values, in->command->groups, &e);

	if (config_hide_secrets(c, &crowded))
		return command_fail(in, &crowded);
	if (rc) {
		(void)err_set(&e, e.kind, "%s", e.text); /* the secrets were not known yet */
		return command_fail(in, &e);
	}
	if (in->command->groups & GROUP_LOG)
		log_setup(c->log_format, c->log_level);
	return EXIT_CODE_OK;
}

enum exit_code exit_code_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE: return EXIT_CODE_OK;
	case ERR_USAGE: return EXIT_CODE_USAGE;
	case ERR_CONFIG: return EXIT_CODE_CONFIG;
	case ERR_AUTH: return EXIT_CODE_AUTH;
	default: return EXIT_CODE_FAILED;
	}
}

int command_fail(const struct invocation *in, const struct err *e)
{
	log_plain("dnsbuddy %s: %s", in->name, e->text);
	return (int)exit_code_of(e->kind);
}

int command_close_stdout(const struct invocation *in, int code)
{
	struct err e = {0};

	return out_flush(&e) ? command_fail(in, &e) : code;
}
