/*
 * What every command needs before it begins.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "command/command.h"

/*
 * The number of a closed standard file would go to the next socket, and results or logs to its
 * peer. A folder is opened in its place: writing there fails, and is seen to.
 */
static void fill_standard_files(void)
{
	int fd;

	do
		fd = open("/", O_RDONLY | O_DIRECTORY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	fill_standard_files();
	(void)signal(SIGPIPE, SIG_IGN); /* who reads the log may go; the work goes on */
	return command_main(argc, argv);
}
