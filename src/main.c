/*
 * argv[0], argv[1] -> command.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char *const *argv);
} commands[] = {
	{"sync", command_sync},     {"plan", command_plan},       {"watch", command_watch},
	{"health", command_health}, {"version", command_version}, {"--version", command_version},
	{"help", command_help},     {"--help", command_help},     {"-h", command_help},
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The binary may take the place of the article's handler script in an image. */
static int is_handler_name(const char *name)
{
	return strcmp(name, "update-dns") == 0 || strcmp(name, "update-dns.sh") == 0;
}

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
	if (argc < 1)
		return EXIT_CODE_USAGE;
	if (is_handler_name(base_name(argv[0])))
		return command_sync(argc - 1, argv + 1);
	if (argc < 2)
		return command_usage();
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].run(argc - 2, argv + 2);
	return command_unknown(argv[1]);
}
