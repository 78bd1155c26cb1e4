#include <string.h>

#include "base/log.h"
#include "base/out.h"
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
	 "New records come first; stale ones go only when every wanted record is confirmed, and "
	 "only\non a consistent answer of Consul. --dry-run makes it plan."},
	{"plan", "[--flag VALUE]... [SERVICE [RECORD [TTL]]]",
	 "print what sync would change, write nothing",
	 "--json                prints it for programs (docs/plan.schema.json)\n"
	 "--detailed-exitcode   exit 2 when there is something to do"},
	{"watch", "[--flag VALUE]... [SERVICE [RECORD [TTL]]]",
	 "stay, and do what sync does whenever Consul changes",
	 "SIGHUP reads --config and the _FILEs of secrets again; SIGTERM ends it."},
	{"health", "[--listen ADDR:PORT]",
	 "ask the watch of this container whether it is well: exit 0 or 1",
	 "For HEALTHCHECK in an image without a shell. LISTEN is the same as for watch."},
	{"version", "", "print the version", ""},
	{"help", "[COMMAND]", "print this, or more about one command", ""},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

int command_version(int argc, char *const *argv)
{
	(void)argc;
	(void)argv;
	out_fmt("dnsbuddy %s\n", DNSBUDDY_VERSION);
	return command_close_stdout("version", EXIT_CODE_OK);
}

int command_unknown(const char *name)
{
	log_plain("dnsbuddy: there is no command \"%s\": see dnsbuddy help", name);
	return EXIT_CODE_USAGE;
}

int command_usage(void)
{
	log_plain("dnsbuddy: what shall it do?");
	for (size_t i = 0; i < COMMANDS; i++)
		log_plain("  dnsbuddy %-8s %s", commands[i].name, commands[i].does);
	return EXIT_CODE_USAGE;
}

static void print_setting(const struct setting_info *s)
{
	const char *help = s->help;
	size_t value_len = strcspn(help, " ");

	if (s->flag)
		out_fmt("  --%s%s%.*s\n", s->flag, value_len ? " " : "", (int)value_len, help);
	out_str(s->flag ? "      " : "  ");
	for (int i = 0; i < SETTING_ENV_MAX && s->env[i]; i++)
		out_fmt("%s%s", i ? ", " : "", s->env[i]);
	if (s->fallback_env)
		out_fmt(", else %s", s->fallback_env);
	if (s->is_secret)
		out_str(" (or with _FILE)");
	out_fmt("\n      %s", help + value_len + strspn(help + value_len, " "));
	if (s->initial)
		out_fmt(" [%s]", s->initial);
	out_str("\n");
}

static void print_all(void)
{
	out_str("dnsbuddy keeps Cloudflare DNS records in step with the healthy instances of "
		"Consul\nservices.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		out_fmt("  dnsbuddy %-8s %s\n", commands[i].name, commands[i].does);
	out_str("\nCalled as update-dns or update-dns.sh it is sync.\n\n"
		"Settings: the flag goes before the environment, that before the --config file, "
		"that\nbefore the [default].\n\n");
	for (int s = 0; s < SETTINGS; s++)
		print_setting(&settings[s]);
	out_str("\nExit codes: 0 done; 1 failed, trying again may help; 2 changes (plan\n"
		"--detailed-exitcode); 3 held: a safety rule kept records that Consul no longer "
		"lists;\n"
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
		out_fmt("dnsbuddy %s %s\n\n%s.\n%s%s\nSettings and exit codes: dnsbuddy help\n",
			commands[i].name, commands[i].arguments, commands[i].does, commands[i].more,
			*commands[i].more ? "\n" : "");
		return command_close_stdout("help", EXIT_CODE_OK);
	}
	return command_unknown(argv[0]);
}
