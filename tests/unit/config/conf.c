#include "config/conf.h"

#include "support.h"

extern char **environ;

struct config conf;
static struct values values;

static void set_variable(char *pair, const char *path)
{
	char value[8192], *equals = strchr(pair, '='), *percent;

	assert_non_null(equals);
	*equals++ = '\0';
	percent = path ? strchr(equals, '%') : NULL;
	if (percent)
		(void)snprintf(value, sizeof value, "%.*s%s", (int)(percent - equals), equals, path);
	assert_int_equal(setenv(pair, percent ? value : equals, 1), 0);
}

int conf_read(const char *args, const char *env, const char *file, struct err *e)
{
	static char arg_text[16384], env_text[16384];
	const char *path = file ? test_file(file, strlen(file)) : NULL;
	char *argv[64];
	int argc = 0;

	memset(&conf, 0, sizeof conf);
	assert_int_equal(clearenv(), 0);
	(void)snprintf(arg_text, sizeof arg_text, "%s", args);
	(void)snprintf(env_text, sizeof env_text, "%s", env);
	for (char *p = arg_text, *end; (end = strchr(p, '|')) != NULL; p = end + 1) {
		*end = '\0';
		argv[argc++] = p;
	}
	for (char *p = env_text, *end; (end = strchr(p, '|')) != NULL; p = end + 1) {
		*end = '\0';
		set_variable(p, path);
	}
	values_init(&values);
	return values_from_arguments(&values, argc, argv, e) ? -1 : config_read(&conf, &values, ~0u, e);
}
