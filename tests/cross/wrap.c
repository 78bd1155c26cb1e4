/*
 * What clang's UndefinedBehaviorSanitizer calls where it finds something, for programs on musl: its
 * own library needs glibc. Each place is told once, in the file that WRAP_FOUND names; the program
 * goes on. scripts/wrap.sh reads it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What each finding's data begins with. */
struct place {
	const char *file;
	uint32_t line, column;
};

static void tell(struct place *at, const char *what)
{
	const char *path = getenv("WRAP_FOUND");
	char text[512];
	int n = snprintf(text, sizeof text, "%s:%u:%u: %s\n", at->file, at->line, at->column, what);
	int fd = path && at->line ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;

	at->line = 0;
	if (fd < 0)
		return;
	(void)!write(fd, text, n < (int)sizeof text ? (size_t)n : sizeof text);
	(void)close(fd);
}

#define HANDLE(name)                                                                                                               \
	void __ubsan_handle_##name(struct place *at);                                                                              \
	void __ubsan_handle_##name(struct place *at)                                                                               \
	{                                                                                                                          \
		tell(at, #name);                                                                                                   \
	}

HANDLE(add_overflow)
HANDLE(sub_overflow)
HANDLE(mul_overflow)
HANDLE(negate_overflow)
HANDLE(divrem_overflow)
HANDLE(shift_out_of_bounds)
HANDLE(out_of_bounds)
HANDLE(implicit_conversion)
HANDLE(load_invalid_value)
HANDLE(type_mismatch_v1)
HANDLE(pointer_overflow)
HANDLE(float_cast_overflow)
HANDLE(nonnull_arg)
HANDLE(invalid_builtin)
HANDLE(builtin_unreachable)
HANDLE(vla_bound_not_positive)
