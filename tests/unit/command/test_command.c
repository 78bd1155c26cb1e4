/* The table of commands: each can be found, and says all that help tells. */
#include "support.h"

#include "command/command.h"

static void test_table(void **state)
{
	static const unsigned known = GROUP_RECORDS | GROUP_CLOUDFLARE | GROUP_CONSUL | GROUP_RETRY | GROUP_WATCH | GROUP_LISTEN |
				      GROUP_LOG | GROUP_RUN | GROUP_DRAIN | GROUP_OPERATOR;
	unsigned used = 0;

	(void)state;
	for (size_t i = 0; i < commands_n; i++) {
		const struct command *c = &commands[i];

		const char *does = command_texts(c), *arguments = strchr(does, '\n');

		CHECK(ENDS(c->name) && *does > ' ' && arguments && strchr(arguments + 1, '\n'), "%s", c->name);
		assert_ptr_equal(command_find(c->name), c); /* and nobody before it has this name */
		for (size_t k = 0; k < COUNT(c->called); k++) {
			const struct command *found = command_find(c->called[k]);

			assert_true(ENDS(c->called[k]) && found == (*c->called[k] == '-' ? c : NULL));
		}
		/* Who asks an API logs. */
		CHECK(!(c->groups & (GROUP_CLOUDFLARE | GROUP_CONSUL)) || c->groups & GROUP_LOG, "%s", c->name);
		for (unsigned option = 1; option <= c->options; option <<= 1)
			CHECK(!(c->options & option) || *values_option_name(option), "%s: option %u has no flag", c->name, option);
		used |= c->groups;
	}
	assert_int_equal(used, known);
	assert_null(command_find("update-dns"));
	assert_null(command_find(""));
}

/* A setting that no command uses is never checked. */
static void test_every_setting_is_used(void **state)
{
	(void)state;
	for (enum setting s = 0; s < SETTINGS; s++) {
		unsigned groups = GROUP_FILE;

		for (size_t i = 0; i < commands_n; i++)
			groups |= commands[i].groups;
		CHECK(setting(s)->traits.groups & groups, "setting %d", s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_setting_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
