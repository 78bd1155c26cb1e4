#include "command/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

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
	char line[LOG_LINE_MAX];
	struct buf b;

	buf_init(&b, line, sizeof line);
	buf_fmt(&b, "dnsbuddy %s: %s", command, e->text);
	log_mask(&b);
	(void)fprintf(stderr, "%s\n", b.p);
	return exit_code_of(e->kind);
}

int command_close_stdout(const char *command, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	(void)fprintf(stderr, "dnsbuddy %s: standard output: %s\n", command, strerror(errno));
	return EXIT_CODE_FAILED;
}
