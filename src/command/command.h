/*
 * What a user can ask for: the table of commands, and what they have in common. A command's row is
 * in commands.def, its work in a file of its own.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/config.h"

/* sysexits.h where it has a word for it. */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILED = 1,  /* trying again may help */
	EXIT_CODE_CHANGES = 2, /* plan --detailed-exitcode: there is something to do */
	EXIT_CODE_HELD = 3,    /* a safety rule kept records that Consul no longer lists */
	EXIT_CODE_USAGE = 64,
	EXIT_CODE_AUTH = 77, /* an API refused the credentials */
	EXIT_CODE_CONFIG = 78
};

/* A command as it was called. */
struct invocation {
	const char *name; /* for messages */
	const struct command *command;
	int argc; /* what follows the name */
	char *const *argv;
	bool is_called;        /* the program's own name stands for it */
	struct values *values; /* read from it, where the command takes settings... */
	unsigned options;      /* ...and of enum option */
};

/* Short texts lie in it: a pointer costs 32 bytes, its relocation included. "": there is none. */
struct command {
	char name[8];
	char called[2][16]; /* names of the program that stand for it; with - first: of its own */
	unsigned short groups;  /* of the settings it takes, GROUP_FILE apart; 0: none at all */
	unsigned short options; /* of enum option that go with it, OPTION_HELP apart */
	unsigned short texts;   /* see command_texts() */
};

extern const struct command commands[];
extern const size_t commands_n;

#define COMMAND(name, ...) int command_##name(const struct invocation *in);
#include "command/commands.def"

/* Find the command by argv[0] or argv[1] and carry it out. Returns the exit code. */
int command_main(int argc, char *const *argv);

/* What it does, a line; its arguments, flags apart, a line; more about it, lines or nothing. */
const char *command_texts(const struct command *command);

/* The command by one of its names; NULL: there is none. */
const struct command *command_find(const char *name);

/*
 * Read the settings of a command that takes some; the log is set up as they say, and masks the
 * secrets. Returns EXIT_CODE_OK, or another after telling why.
 */
int command_configure(const struct invocation *in, struct config *c);

#define COMMAND_NAMES_CAP 64

/* Write the names of those that take settings of these groups: "sync, plan". */
void command_names(unsigned groups, char out[COMMAND_NAMES_CAP]);

/* Say on stderr that there is no such command. */
int command_unknown(const char *name);

/* Say on stderr which commands there are. */
int command_usage(void);

/* Print what there is to know of one command. */
void command_print_help(const struct command *command);

/* The exit code for a failure of this kind. */
enum exit_code exit_code_of(enum err_kind kind);

/*
 * Tell what a command line or a configuration is wrong with: one line on stderr.
 * Returns the exit code.
 */
int command_fail(const struct invocation *in, const struct err *e);

/* Flush stdout; a result that nobody got is a failure: turns EXIT_CODE_OK and the like into 1. */
int command_close_stdout(const struct invocation *in, int code);

#endif
