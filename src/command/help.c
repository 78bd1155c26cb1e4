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

static int line_len(const char *text)
{
	return (int)strcspn(text, "\n");
}

int command_usage(void)
{
	log_plain("dnsbuddy: what shall it do?");
	for (size_t i = 0; i < commands_n; i++)
		log_plain("  dnsbuddy %-8s %.*s", commands[i].name,
			  line_len(command_texts(&commands[i])), command_texts(&commands[i]));
	return EXIT_CODE_USAGE;
}

/* `drain` finds what others must be told. */
static void print_initial(const struct setting_info *info, unsigned groups)
{
	if (info->traits.is_required && !(groups & GROUP_OPERATOR))
		out_str(" (required)");
	if (info->initial)
		out_fmt(" [%s]", info->initial);
	out_str("\n");
}

/* What most people set, in a line: what it means is told to the first semicolon. */
static void print_common(const struct setting_info *info)
{
	const char *text = strchr(info->help, ' ') + 1;

	out_fmt("  %s%-9s%-22s%.*s", info->flag ? "--" : "  ", info->flag ? info->flag : "",
		info->env[0], (int)strcspn(text, ";"), text);
	print_initial(info, 0);
}

/* Whose a setting of these is needs no telling: every command's that asks an API. */
#define GROUPS_COMMON (GROUP_FILE | GROUP_RECORDS | GROUP_CLOUDFLARE | GROUP_CONSUL | GROUP_LOG)

/* groups: of the command that it is told of. The flag --timeout of `drain` is another setting's. */
static void print_setting(enum setting s, unsigned groups)
{
	const struct setting_info *info = setting(s);
	const char *help = info->help;
	int value_len = (int)strcspn(help, " "); /* "[=KEY]" stands at the flag itself */
	char names[COMMAND_NAMES_CAP];

	if (info->flag && !(s == SET_TIMEOUT && groups & GROUP_OPERATOR))
		out_fmt("  --%s%s%.*s ", info->flag, value_len && *help != '[' ? " " : "",
			value_len, help);
	for (int i = 0; i < SETTING_ENV_MAX && info->env[i]; i++)
		out_fmt("%s %s", i ? "," : " ", info->env[i]);
	if (info->fallback_env)
		out_fmt(", else %s", info->fallback_env);
	out_str(info->traits.is_secret ? " (or with _FILE)\n      " : "\n      ");
	/* ...but there are two flags --ttl. */
	if (!groups && (s == SET_TTL || !(info->traits.groups & GROUPS_COMMON))) {
		command_names(info->traits.groups, names);
		out_fmt("%s: ", names);
	}
	out_str(help + value_len + 1);
	print_initial(info, groups);
}

/* Those that a command of these groups uses; 0: all. */
static void print_settings(unsigned groups)
{
	out_str("\nSettings: the flag goes before the environment, that before the --config file,\n"
		"that before the [default].\n\n");
	for (enum setting s = 0; s < SETTINGS; s++)
		if (!groups || setting(s)->traits.groups & (groups | GROUP_FILE))
			print_setting(s, groups);
	out_str("\nExit codes: 0 done; 1 failed, trying again may help;\n");
	if (!groups || groups & (GROUP_RECORDS | GROUP_OPERATOR))
		out_str("2 changes (plan --detailed-exitcode); 3 held: a safety rule kept records\n"
			"that Consul no longer lists, or refused a drain;\n");
	out_str("64 wrong usage; 77 credentials refused; 78 wrong or missing configuration.\n");
}

/* On one screen of 24 lines, with the prompt behind it. */
static void print_screen(void)
{
	out_str("dnsbuddy keeps Cloudflare DNS records in step with the healthy instances of\n"
		"Consul services.\n\n");
	for (size_t i = 0; i < commands_n; i++)
		out_fmt("  dnsbuddy %-8s %.*s\n", commands[i].name,
			line_len(command_texts(&commands[i])), command_texts(&commands[i]));
	out_str("\nWhat most people set:\n\n");
	for (enum setting s = 0; s < SETTINGS; s++)
		if (setting(s)->traits.is_common)
			print_common(setting(s));
	out_str("\nMore: dnsbuddy help COMMAND, dnsbuddy help settings, and dnsbuddy(1).\n");
}

void command_print_help(const struct command *command)
{
	const char *does = command_texts(command), *arguments = does + line_len(does) + 1;

	out_fmt("dnsbuddy %s%s%.*s\n\n%.*s.%s", command->name,
		command->groups ? " [--flag VALUE]..." : "", line_len(arguments), arguments,
		line_len(does), does, arguments + line_len(arguments));
	if (*command->called[0] && command->groups)
		out_fmt("Called as %s or %s it is this.\n", command->called[0], command->called[1]);
	if (command->groups)
		print_settings(command->groups);
}

int command_help(const struct invocation *in)
{
	const char *name = in->argc ? in->argv[0] : "";
	const struct command *one = command_find(name);

	if (one)
		command_print_help(one);
	else if (!*name)
		print_screen();
	else if (strcmp(name, "settings") == 0)
		print_settings(0);
	else
		return command_unknown(name);
	return command_close_stdout(in, EXIT_CODE_OK);
}
