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

		CHECK(c->run && strchr(c->help, '\n') && *c->does, "%s", c->name);
		CHECK(ENDS(c->name) && ENDS(c->does) && ENDS(c->dry_run), "%s", c->name);
		assert_ptr_equal(command_find(c->name), c); /* and nobody before it has this name */
		for (size_t k = 0; k < COUNT(c->also); k++)
			assert_true(ENDS(c->also[k]) && (!*c->also[k] || command_find(c->also[k]) == c));
		for (size_t k = 0; k < COUNT(c->called); k++)
			assert_true(ENDS(c->called[k]));
		/* Who asks an API logs. */
		CHECK(!(c->groups & (GROUP_CLOUDFLARE | GROUP_CONSUL)) || c->groups & GROUP_LOG, "%s", c->name);
		for (unsigned option = 1; option <= c->options; option <<= 1)
			CHECK(!(c->options & option) || *values_option_name(option), "%s: option %u has no flag", c->name, option);
		CHECK(!*c->dry_run || (command_find(c->dry_run) && c->options & OPTION_DRY_RUN), "%s", c->name);
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
