#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "config/settings.h"
#include "version.h"

static const struct {
	const char *name;
	const char *arguments;
	const char *does;
	const char *more; /* for `help NAME` */
} commands[] = {
	{"sync", "[--flag VALUE]... [SERVICE [RECORD [TTL]]]",
	 "make the records at Cloudflare what Consul lists, and exit",
	 "New records come first; stale ones go only when every wanted record is confirmed, and only\n"
	 "on a consistent answer of Consul. --dry-run makes it plan."},
	{"plan", "[--flag VALUE]... [SERVICE [RECORD [TTL]]]",
	 "print what sync would change, write nothing",
	 "--json                prints it for programs (docs/plan.schema.json)\n"
	 "--detailed-exitcode   exit 2 when there is something to do"},
	{"version", "", "print the version", ""},
	{"help", "[COMMAND]", "print this, or more about one command", ""},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

int command_version(int argc, char *const *argv)
{
	(void)argc;
	(void)argv;
	printf("dnsbuddy %s\n", DNSBUDDY_VERSION);
	return command_close_stdout("version", EXIT_CODE_OK);
}

int command_unknown(const char *name)
{
	(void)fprintf(stderr, "dnsbuddy: there is no command \"%s\": see dnsbuddy help\n", name);
	return EXIT_CODE_USAGE;
}

static void print_setting(const struct setting_info *s)
{
	const char *help = s->help;
	size_t value_len = strcspn(help, " ");

	if (s->flag)
		printf("  --%s %.*s\n", s->flag, (int)value_len, help);
	printf("%s", s->flag ? "      " : "  ");
	for (int i = 0; i < SETTING_ENV_MAX && s->env[i]; i++)
		printf("%s%s", i ? ", " : "", s->env[i]);
	if (s->is_secret)
		printf(" (or with _FILE)");
	printf("\n      %s", help + value_len + strspn(help + value_len, " "));
	if (s->initial)
		printf(" [%s]", s->initial);
	printf("\n");
}

static void print_all(void)
{
	printf("dnsbuddy keeps Cloudflare DNS records in step with the healthy instances of Consul\n"
	       "services.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  dnsbuddy %-8s %s\n", commands[i].name, commands[i].does);
	printf("\nCalled as update-dns or update-dns.sh it is sync.\n\n"
	       "Settings: the flag goes before the environment, that before the --config file, that\n"
	       "before the [default].\n\n");
	for (int s = 0; s < SETTINGS; s++)
		print_setting(&settings[s]);
	printf("\nExit codes: 0 done; 1 failed, trying again may help; 2 changes (plan\n"
	       "--detailed-exitcode); 3 held: a safety rule kept records that Consul no longer lists;\n"
	       "64 wrong usage; 77 credentials refused; 78 wrong or missing configuration.\n");
}

int command_help(int argc, char *const *argv)
{
	if (argc < 1) {
		print_all();
		return command_close_stdout("help", EXIT_CODE_OK);
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		printf("dnsbuddy %s %s\n\n%s.\n%s%s\nSettings and exit codes: dnsbuddy help\n",
		       commands[i].name, commands[i].arguments, commands[i].does, commands[i].more,
		       *commands[i].more ? "\n" : "");
		return command_close_stdout("help", EXIT_CODE_OK);
	}
	return command_unknown(argv[0]);
}
