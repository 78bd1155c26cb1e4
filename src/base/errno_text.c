#include "base/errno_text.h"

#include <errno.h>
#include <stddef.h>

#include "base/fmt.h"

static const struct {
	unsigned char number;
	char text[26];
} texts[] = {
	{EPERM, "Operation not permitted"},
	{ENOENT, "No such file or directory"},
	{EIO, "I/O error"},
	{EBADF, "Bad file descriptor"},
	{ENOMEM, "Out of memory"},
	{EACCES, "Permission denied"},
	{ENOTDIR, "Not a directory"},
	{EISDIR, "Is a directory"},
	{EINVAL, "Invalid argument"},
	{ENFILE, "Too many open files"},
	{EMFILE, "Too many open files"},
	{ENOSPC, "No space left on device"},
	{EPIPE, "Broken pipe"},
	{ELOOP, "Symbolic link loop"},
	{ENAMETOOLONG, "Filename too long"},
	{EADDRINUSE, "Address in use"},
	{EADDRNOTAVAIL, "Address not available"},
	{EAFNOSUPPORT, "Address family unknown"},
	{ENETUNREACH, "Network unreachable"},
	{EHOSTUNREACH, "Host is unreachable"},
	{ECONNRESET, "Connection reset by peer"},
	{ECONNREFUSED, "Connection refused"},
	{ETIMEDOUT, "Operation timed out"},
};

const char *errno_text(int number)
{
	static char other[24];

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].number == number)
			return texts[i].text;
	(void)fmt_text(other, sizeof other, "error %d", number);
	return other;
}
