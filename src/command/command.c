#include "command/command.h"

#include "base/buf.h"
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

const char *command_mask(char out[ERR_TEXT_MAX], const char *s)
{
	struct buf b;

	buf_init(&b, out, ERR_TEXT_MAX);
	buf_str(&b, s);
	log_mask(&b);
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return out;
}

int command_close_stdout(const char *command, int code)
{
	struct err e = {0};

	return out_flush(&e) ? command_fail(command, &e) : code;
}
