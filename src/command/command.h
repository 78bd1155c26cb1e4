/*
 * What a user can ask for. Each takes the arguments after the command's name and returns the exit
 * code of the program.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "base/err.h"
#include "engine/reconcile.h"

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

int command_sync(int argc, char *const *argv);
int command_plan(int argc, char *const *argv);
int command_watch(int argc, char *const *argv);
int command_health(int argc, char *const *argv);
int command_version(int argc, char *const *argv);
int command_help(int argc, char *const *argv);

/* Say on stderr which commands there are. */
int command_usage(void);

/* Say on stderr that there is no such command. */
int command_unknown(const char *name);

/* The exit code for a failure of this kind. */
enum exit_code exit_code_of(enum err_kind kind);

/*
 * Tell what a command line or a configuration is wrong with: one line on stderr, secrets masked.
 * Returns the exit code.
 */
int command_fail(const char *command, const struct err *e);

/* Copy what a peer said for stdout: secrets masked, control bytes as '?'. Returns out. */
const char *command_mask(char out[ERR_TEXT_MAX], const char *s);

/* Flush stdout; a result that nobody got is a failure: turns EXIT_CODE_OK and the like into 1. */
int command_close_stdout(const char *command, int code);

#endif
