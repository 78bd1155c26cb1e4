#include <string.h>

#include "base/log.h"
#include "base/out.h"
#include "command/command.h"
#include "version.h"

int command_version(const struct invocation *in)
{
	out_fmt("dnsbuddy %s\n", DNSBUDDY_VERSION);
	return command_close_stdout(in, EXIT_CODE_OK);
}

int command_unknown(const char *name)
{
	log_plain("dnsbuddy: there is no command \"%s\": see dnsbuddy help", name);
	return EXIT_CODE_USAGE;
}

int command_usage(void)
{
	log_plain("dnsbuddy: what shall it do?");
	for (size_t i = 0; i < commands_n; i++)
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
	if (s->traits.is_secret)
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
	for (size_t i = 0; i < commands_n; i++)
		out_fmt("  dnsbuddy %-8s %s\n", commands[i].name, commands[i].does);
	for (size_t i = 0; i < commands_n; i++)
		if (*commands[i].called[0])
			out_fmt("\nCalled as %s or %s it is %s.\n", commands[i].called[0],
				commands[i].called[1], commands[i].name);
	out_str("\nSettings: the flag goes before the environment, that before the --config file, "
		"that\nbefore the [default].\n\n");
	for (enum setting s = 0; s < SETTINGS; s++)
		print_setting(setting(s));
	out_str("\nExit codes: 0 done; 1 failed, trying again may help; 2 changes (plan\n"
		"--detailed-exitcode); 3 held: a safety rule kept records that Consul no longer "
		"lists,\nor refused a drain; 64 wrong usage; 77 credentials refused; 78 wrong or "
		"missing\nconfiguration.\n");
}

void command_print_help(const struct command *command)
{
	const char *help = command->help;
	int arguments_len = (int)strcspn(help, "\n");

	out_fmt("dnsbuddy %s %.*s\n\n%s.%s\nSettings and exit codes: dnsbuddy help\n",
		command->name, arguments_len, help, command->does, help + arguments_len);
}

int command_help(const struct invocation *in)
{
	const struct command *one = in->argc ? command_find(in->argv[0]) : NULL;

	if (in->argc && !one)
		return command_unknown(in->argv[0]);
	if (one)
		command_print_help(one);
	else
		print_all();
	return command_close_stdout(in, EXIT_CODE_OK);
}
