#include "config/conf.h"

#include "support.h"

extern char **environ;

struct config conf;
struct run_config conf_run;
static struct values values;

static void set_variable(char *pair, const char *path)
{
	static char value[16384];
	char *equals = strchr(pair, '='), *percent;

	assert_non_null(equals);
	*equals++ = '\0';
	percent = path ? strchr(equals, '%') : NULL;
	if (percent)
		(void)snprintf(value, sizeof value, "%.*s%s", (int)(percent - equals), equals, path);
	assert_int_equal(setenv(pair, percent ? value : equals, 1), 0);
}

int conf_read_as(unsigned groups, const char *args, const char *env, const char *file, struct err *e)
{
	static char arg_text[131072], env_text[32768];
	const char *path = file ? test_file(file, strlen(file)) : NULL;
	static char *argv[64]; /* the application's words stay there */
	int argc = 0;

	memset(&conf, 0, sizeof conf);
	assert_int_equal(clearenv(), 0);
	assert_int_equal(setenv("HOME", "/", 1), 0); /* without any there is no environ */
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
	argv[argc] = NULL;
	values_init(&values);
	values.wait_ms = CONFIG_WAIT_MS;
	values.is_called_containerbuddy = groups == CONF_CONTAINERBUDDY;
	conf.run = &conf_run;
	groups &= ~1u;
	return values_from_arguments(&values, argc, argv, groups, e) ? -1 : config_read(&conf, &values, groups, e);
}

int conf_read(const char *args, const char *env, const char *file, struct err *e)
{
	return conf_read_as(CONF_RECORDS, args, env, file, e);
}
