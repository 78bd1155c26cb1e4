#include "command/command.h"

#include "base/log.h"
#include "base/out.h"

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

int command_fail(const char *command, const struct err *e)
{
	log_plain("dnsbuddy %s: %s", command, e->text);
	return (int)exit_code_of(e->kind);
}

int command_close_stdout(const char *command, int code)
{
	struct err e = {0};

	return out_flush(&e) ? command_fail(command, &e) : code;
}
