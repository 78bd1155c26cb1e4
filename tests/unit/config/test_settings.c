/* The table of settings itself, and the templates of a configuration file. */
#include "support.h"

#include "base/secret.h"
#include "config/settings.h"
#include "config/template.h"
#include "config/values.h"

static bool is_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static bool shares_env(const struct setting_info *a, const struct setting_info *b)
{
	for (int i = 0; i < SETTING_ENV_MAX; i++) {
		for (int k = 0; k < SETTING_ENV_MAX; k++)
			if (is_same(a->env[i], b->env[k]))
				return true;
		if (is_same(a->env[i], b->fallback_env) || is_same(b->env[i], a->fallback_env))
			return true;
	}
	return false;
}

/* A key is its flag with '_' for '-', or that behind a word that tells whose it is where another has the flag or the variable. */
static bool is_key_of_flag(const char *key, const char *flag)
{
	if (strcmp(key, "app_port") == 0 || strcmp(key, "check_ttl") == 0)
		key = strchr(key, '_') + 1;
	for (; *key && *key == (*flag == '-' ? '_' : *flag); flag++)
		key++;
	return *key == *flag;
}

/* The article's names, and those of the vendors' own tools. Any other would be somebody else's. */
static bool is_of_others(const char *name)
{
	static const char *const whole[] = {"SERVICE",     "RECORD",      "TTL",        "CONSUL",       "PROXIED",
					    "https_proxy", "HTTPS_PROXY", "all_proxy",  "ALL_PROXY",    "no_proxy",
					    "NO_PROXY",    "LOG_LEVEL",   "LOG_FORMAT", "SSL_CERT_FILE"};
	static const char *const begun[] = {"CF_", "CLOUDFLARE_", "CONSUL_"};

	for (size_t i = 0; i < COUNT(whole); i++)
		if (strcmp(whole[i], name) == 0)
			return true;
	for (size_t i = 0; i < COUNT(begun); i++)
		if (strncmp(begun[i], name, strlen(begun[i])) == 0)
			return true;
	return false;
}

/* "DNSBUDDY_ON_EMPTY" of "on_empty". */
static bool is_ours_of(const char *name, const char *key)
{
	static const char prefix[] = "DNSBUDDY_";

	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return false;
	name += sizeof prefix - 1;
	while (*name && *name == (*key == '_' ? '_' : *key - 32)) {
		name++;
		key++;
	}
	return !*name && !*key;
}

static void test_names(void **state)
{
	(void)state;
	for (enum setting s = 0; s < SETTINGS; s++) {
		const struct setting_info *a = setting(s);
		bool is_ours = is_ours_of(a->env[0], a->key ? a->key : "config");

		CHECK(is_ours || is_of_others(a->env[0]), "%s", a->env[0]);
		CHECK(!is_ours || !a->env[1], "%s", a->env[1]);
		for (int i = 1; i < SETTING_ENV_MAX && a->env[i]; i++)
			CHECK(is_of_others(a->env[i]), "%s", a->env[i]);
		CHECK(!a->fallback_env || is_of_others(a->fallback_env), "%s", a->fallback_env);
		/* What is missing is told by the name that people know. */
		CHECK(!a->traits.is_required || a->fallback_env, "%s", a->env[0]);
		CHECK(!a->traits.argument || a->fallback_env, "%s", a->env[0]);
	}
	assert_string_equal(setting(SET_TAG)->env[0], "DNSBUDDY_TAG");
	assert_string_equal(setting(SET_CONFIG)->env[0], "DNSBUDDY_CONFIG");
	assert_string_equal(setting(SET_UNHEALTHY_AFTER)->env[0], "DNSBUDDY_UNHEALTHY_AFTER");
}

/* What Kubernetes and a link of Docker's set for a service or a container of such a name; what they do not. */
static const struct {
	const char *pair;
	bool is_link;
} links[] = {
	{"DNSBUDDY_SERVICE_HOST=10.0.0.1", true},
	{"DNSBUDDY_SERVICE_PORT=80", true},
	{"DNSBUDDY_SERVICE_PORT_HTTP_ALT=80", true},
	{"DNSBUDDY_PORT=tcp://10.0.0.1:80", true},
	{"DNSBUDDY_PORT_80_TCP=tcp://10.0.0.1:80", true},
	{"DNSBUDDY_PORT_80_TCP_ADDR=10.0.0.1", true},
	{"DNSBUDDY_PORT_80_TCP_PORT=80", true},
	{"DNSBUDDY_PORT_80_TCP_PROTO=tcp", true},
	{"DNSBUDDY_PORT_53_UDP_ADDR=10.0.0.1", true},
	{"DNSBUDDY_PORT_5000_SCTP_PROTO=sctp", true},
	{"DNSBUDDY_PORT_80_TCP_PORT_START=80", true},
	{"DNSBUDDY_NAME=/web/dnsbuddy", true},
	{"DNSBUDDY_NAME=web", true},
	{"DNSBUDDY_ENV_PATH=/bin", true},
	{"DNSBUDDY_ENV_owner=", true},
	{"DNSBUDDY_WEB_SERVICE_HOST=10.0.0.1", true},
	{"DNSBUDDY_WEB_SERVICE_PORT_HTTP=80", true},
	{"DNSBUDDY_WEB_PORT=tcp://10.0.0.1:80", true},
	{"DNSBUDDY_WEB_PORT_80_TCP_ADDR=10.0.0.1", true},
	{"DNSBUDDY_WEB_NAME=/app/dnsbuddy-web", true},
	{"DNSBUDDY_WEB_ENV_X=y", true},
	{"DNSBUDDY_1_PORT_80_TCP=tcp://10.0.0.1:80", true},
	{"DNSBUDDY_PORT_PORT=tcp://10.0.0.1:80", true},
	{"DNSBUDDY_PORT_API_PORT_80_TCP_ADDR=10.0.0.1", true},
	{"DNSBUDDY_NAME_SERVICE_HOST=10.0.0.1", true},
	{"DNSBUDDY_SERVICE_SERVICE_PORT=80", true},
	{"DNSBUDDY_SERVICE=nginx", false},
	{"DNSBUDDY_SERVICE_HOSTS=a", false},
	{"DNSBUDDY_SERVICE_PORTS=80", false},
	{"DNSBUDDY_PORTS=80", false},
	{"DNSBUDDY_PORT=8080", false},
	{"DNSBUDDY_PORT_HTTP=80", false},
	{"DNSBUDDY_NAMES=/a/b", false},
	{"DNSBUDDY_ENV=test", false},
	{"DNSBUDDY_ENVIRONMENT_X=test", false},
	{"DNSBUDDY_LISTEN_PORT=8080", false},
	{"DNSBUDDY_OWNER_NAME=eu", false},
};

static void test_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(links); i++)
		CHECK(values_is_link(links[i].pair) == links[i].is_link, "%s", links[i].pair);
	/* No setting may have a name that one of them, with whatever value, has. */
	for (enum setting s = 0; s < SETTINGS; s++)
		for (int i = 0; i < SETTING_ENV_MAX && setting(s)->env[i]; i++) {
			char pair[2][96];

			(void)snprintf(pair[0], sizeof pair[0], "%s=/", setting(s)->env[i]);
			(void)snprintf(pair[1], sizeof pair[1], "%s=tcp://", setting(s)->env[i]);
			/* DNSBUDDY_APP_PORT=tcp://... is a link's, and passed over: test_run_config.c */
			if (s == SET_APP_PORT)
				(void)snprintf(pair[1], sizeof pair[1], "%s=80", setting(s)->env[i]);
			CHECK(strncmp(pair[0], "DNSBUDDY_", 9) != 0 || (!values_is_link(pair[0]) && !values_is_link(pair[1])), "%s",
			      setting(s)->env[i]);
		}
}

static void test_table(void **state)
{
	size_t secrets_n = 0;

	(void)state;
	for (enum setting s = 0; s < SETTINGS; s++) {
		const struct setting_info *a = setting(s);

		secrets_n += a->traits.is_secret;
		CHECK(a->help && strchr(a->help, ' ') && strchr(a->help, ' ')[1] > ' ', "setting %d has no help", s);
		CHECK(!a->traits.is_switch || *a->help == ' ' || *a->help == '[', "--%s", a->flag);
		CHECK(a->traits.groups, "setting %d is nobody's", s);
		/* sync takes all of a record but what only watch can do. */
		if (s < SETTINGS_OF_RECORD)
			CHECK((a->traits.groups == GROUP_WATCH) == (s == SET_GRACE || s == SET_ON_DROP), "%s", a->key);
		CHECK(!a->flag || !a->key || is_key_of_flag(a->key, a->flag), "--%s and %s", a->flag, a->key);
		CHECK(a->env[0] && *a->env[0], "setting %d has no variable", s);
		CHECK(a->key || s == SET_CONFIG, "setting %d has no key", s);
		CHECK(!a->traits.is_secret || !a->flag, "setting %d: a secret on the command line", s);
		CHECK(!a->traits.is_switch || a->flag, "setting %d", s);
		for (enum setting k = 0; k < s; k++) {
			const struct setting_info *b = setting(k);

			CHECK(!is_same(a->key, b->key) && !shares_env(a, b), "settings %d and %d share a name", s, k);
			CHECK(!is_same(a->flag, b->flag) || !(a->traits.groups & b->traits.groups),
			      "settings %d and %d of one command share a flag", s, k);
		}
	}
	/* The log masks two configurations' secrets at once, and what is sent of CONSUL_HTTP_AUTH and of two proxies'. */
	assert_true(2 * (secrets_n + 1) + 2 <= SECRETS_MAX);
	assert_true(setting(SET_API_TOKEN)->traits.is_secret && setting(SET_API_KEY)->traits.is_secret);
	assert_true(setting(SET_CONSUL_TOKEN)->traits.is_secret && setting(SET_CONSUL_AUTH)->traits.is_secret);
}

/* README.md shows this, in back quotes. */
static void check_shown(const char *readme, const char *dashes, const char *name)
{
	char quoted[64];

	(void)snprintf(quoted, sizeof quoted, "`%s%s`", dashes, name);
	CHECK(strstr(readme, quoted), "README.md does not show %s", quoted);
}

static void test_readme(void **state)
{
	static char readme[65536];
	FILE *file = fopen("README.md", "r");

	(void)state;
	assert_non_null(file);
	assert_in_range(fread(readme, 1, sizeof readme - 1, file), 1, sizeof readme - 2);
	(void)fclose(file);
	for (enum setting s = 0; s < SETTINGS; s++) {
		if (setting(s)->flag)
			check_shown(readme, "--", setting(s)->flag);
		for (int i = 0; i < SETTING_ENV_MAX && setting(s)->env[i]; i++)
			check_shown(readme, "", setting(s)->env[i]);
	}
}

/* With NAME=value, QUOTED=a"b\c, REC=a=b=c, EMPTY="". */
static const struct {
	const char *text, *expanded;
} good[] = {
	{"", ""},
	{"{\"a\": 1}", "{\"a\": 1}"},
	{"{{ .NAME }}", "value"},
	{"{{.NAME}}", "value"},
	{"\"{{ .NAME }}\"", "\"value\""},
	{"\"x{{ .NAME }}y{{ .NAME }}\"", "\"xvaluey"
					 "value\""},
	{"\"{{ .REC }}\"", "\"a=b=c\""},
	{"\"{{ .QUOTED }}\"", "\"a\\\"b\\\\c\""},
	{"\"{{ .LINES }}\"", "\"a\\u000ab\""},
	{"{{ .QUOTED }}", "a\"b\\c"},
	{"\"{{ .ABSENT }}\"", "\"\""},
	{"\"{{ .EMPTY }}\"", "\"\""},
	{"\"{{ .ABSENT | default \"x y\" }}\"", "\"x y\""},
	{"\"{{ .ABSENT | default \\\"x y\\\" }}\"", "\"x y\""},
	{"\"{{ .EMPTY | default \"x\" }}\"", "\"x\""},
	{"\"{{ .NAME | default \"x\" }}\"", "\"value\""},
	{"{{.ABSENT|default\"60\"}}", "60"},
	{"\"\\\"{{ .QUOTED }}\"", "\"\\\"a\\\"b\\\\c\""}, /* the quote before it is escaped */
	{"\"\\\\\" {{ .NAME }}", "\"\\\\\" value"},
	{"{ {x} }", "{ {x} }"},
	{"}}", "}}"},
	{"{{\n .NAME\t\n}}", "value"},
	{"{{ default \"x\" .ABSENT }}{{ default \"x\" .NAME }}", "xvalue"},
	{"{{ .ABSENT | default 8500 }} {{ .ABSENT | default -1.5 }}", "8500 -1.5"},
	{"{{ .ABSENT | default true }} {{ .EMPTY | default .NAME }}", "true value"},
	{"{{ .ABSENT | default .EMPTY | default \"z\" }}", "z"},
	{"{{ .ABSENT | default `a\"b` }}", "a\"b"},
	{"\"{{ .ABSENT | default `a\"b` }}\"", "\"a\\\"b\""},
	{"{{ \"x\" }}{{ 7 }}{{ false }}", "x7false"},
	{"a{{/* {{ .NAME }} \n */}}b", "ab"},
	{"a {{- /* x */ -}} b", "ab"},
	{"a\n {{- .NAME -}} \t\nb", "avalueb"},
	{"a {{ .ABSENT -}} {{- .NAME }} b", "a value b"}, /* what a template gives is not trimmed */
	{"{{ 5 -}} b", "5b"},
	{"{{ if .NAME }}y{{ end }}", "y"},
	{"{{ if .EMPTY }}y{{ end }}{{ if .ABSENT }}y{{ end }}{{ if 0 }}y{{ end }}{{ if false }}y{{ end }}", ""},
	{"{{ if .NAME }}y{{ else }}n{{ end }}{{ if .ABSENT }}y{{ else }}n{{ end }}", "yn"},
	{"{{ if .ABSENT }}1{{ else if .NAME }}2{{ else if .REC }}3{{ else }}4{{ end }}", "2"},
	{"{{ if .NAME }}1{{ else if .NAME }}2{{ else }}3{{ end }}.", "1."},
	{"{{ if .NAME }}a{{ if .ABSENT }}b{{ else }}c{{ end }}d{{ else }}e{{ if .NAME }}f{{ end }}g{{ end }}", "acd"},
	{"{{ if .ABSENT }}a{{ if .NAME }}b{{ else }}c{{ end }}{{ .NAME }}{{ end }}.", "."},
	{"{{ if .ABSENT | default \"x\" }}y{{ end }}", "y"},
	{"{{ if eq .NAME \"value\" }}y{{ end }}{{ if ne .NAME \"value\" }}n{{ end }}{{ if .NAME | eq \"value\" }}y{{ end }}", "yy"},
	{"{{ if not .ABSENT }}y{{ end }}{{ if not .NAME }}n{{ end }}{{ not 0 }}", "ytrue"},
	{"{{ if and .NAME .REC }}1{{ end }}{{ if and .NAME .ABSENT }}2{{ end }}{{ if or .ABSENT .REC }}3{{ end }}", "13"},
	{"{{ or .ABSENT .NAME }} {{ and .NAME .REC }} {{ eq 1 1 }}", "value a=b=c true"},
	/* Which branch is taken tells whether a string goes on behind it. */
	{"{{ if .NAME }}\"a{{ else }}{{ end }}{{ .QUOTED }}\"", "\"aa\\\"b\\\\c\""},
	{"\"a{{ if .NAME }}b\"{{ else }}c\"{{ end }}{{ .QUOTED }}", "\"ab\"a\"b\\c"},
	{"\"a{{ if .ABSENT }}b\"{{ else }}c\"{{ end }}{{ .QUOTED }}", "\"ac\"a\"b\\c"},
	{"\"a{{ if .ABSENT }}b\"{{ end }}{{ .QUOTED }}\"", "\"aa\\\"b\\\\c\""},
	{"\"{{ if .NAME }}{{ default \\\"x\\\" .ABSENT }}{{ end }}\"", "\"x\""},
};

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(setenv("NAME", "value", 1), 0);
	assert_int_equal(setenv("QUOTED", "a\"b\\c", 1), 0);
	assert_int_equal(setenv("LINES", "a\nb", 1), 0);
	assert_int_equal(setenv("REC", "a=b=c", 1), 0);
	assert_int_equal(setenv("EMPTY", "", 1), 0);
	assert_int_equal(unsetenv("ABSENT"), 0);
	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len = strlen(good[i].expanded);
		char storage[128];
		struct err e = {0};
		struct buf b;

		buf_init(&b, storage, sizeof storage);
		CHECK(template_expand(&b, good[i].text, &e) == 0, "%s: %s", good[i].text, e.text);
		CHECK(strcmp(storage, good[i].expanded) == 0, "%s: %s", good[i].text, storage);
		if (!len)
			continue;
		buf_init(&b, storage, len);
		assert_int_equal(template_expand(&b, good[i].text, &e), -1);
		assert_int_equal(e.kind, ERR_LIMIT);
	}
}

static const struct {
	const char *text, *where;
} bad[] = {
	{"{{ NAME }}", "line 1, column 1"},
	{"a{{", "line 1, column 2"},
	{"\n  {{ . }}", "line 2, column 3"},
	{"{{ .NAME", "line 1"},
	{"{{ .NAME }", "line 1"},
	{"{{ .NAME x }}", "line 1"},
	{"{{ .NA-ME }}", "line 1"},
	{"{{ .NAME | upper }}", "line 1"},
	{"{{ .NAME | default }}", "line 1"},
	{"{{ .NAME | default x }}", "line 1"},
	{"{{ .NAME | default \"x }}", "line 1"},
	{"{{ .NAME | default \"x\" | y }}", "line 1"},
	{"{{ range .X }}", "line 1"},
	{"{{ .NAME }}\n\n x {{ if }}", "line 3, column 4"},
	{"\n{{ if .NAME }}{{ if .NAME }}{{ end }}", "line 2, column 1: this if has no end"},
	{"{{ end }}", "line 1"},
	{"{{ else }}", "line 1"},
	{"{{ if .NAME }}{{ else }}{{ else }}{{ end }}", "column 25"},
	{"{{ if .NAME }}{{ else }}{{ else if .NAME }}{{ end }}", "column 25"},
	{"{{ if .NAME }}{{ end x }}", "column 15"},
	{"{{ else if .NAME }}", "line 1"},
	{"{{ if .ABSENT }}{{ bogus }}{{ end }}", "column 17"},
	{"{{ }}", "line 1"},
	{"{{ .NAME .NAME }}", "line 1"},
	{"{{ default \"x\" }}", "line 1"},
	{"{{ default \"x\" \"y\" \"z\" }}", "line 1"},
	{"{{ eq .NAME }}", "line 1"},
	{"{{ not .NAME .NAME }}", "line 1"},
	{"{{ .NAME | .NAME }}", "line 1"},
	{"{{ eq 1 2 3 4 5 }}", "line 1"},
	{"{{ .NAME | }}", "line 1"},
	{"{{ (.NAME) }}", "line 1"},
	{"{{ 5- }}", "line 1"},
	{"{{ - }}", "line 1"},
	{"{{ `x }}", "line 1"},
	{"{{ \\\"x\\\" }}", "line 1"}, /* not within a string */
	{"{{/* x }}", "line 1"},
	{"{{ template \"x\" }}", "line 1"},
	{"{{ .NAME -}", "line 1"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char storage[64];
		struct err e = {0};
		struct buf b;

		buf_init(&b, storage, sizeof storage);
		CHECK(template_expand(&b, bad[i].text, &e) == -1, "%s", bad[i].text);
		CHECK(e.kind == ERR_CONFIG && strstr(e.text, bad[i].where), "%s: %s", bad[i].text, e.text);
	}
}

/* One past each limit. */
static void test_template_limits(void **state)
{
	static char text[4096], storage[4096];
	struct err e = {0};
	struct buf b;

	(void)state;
	for (int depth = 16; depth <= 17; depth++) {
		text[0] = '\0';
		for (int i = 0; i < depth; i++)
			strcat(text, "{{ if 1 }}");
		strcat(text, "x");
		for (int i = 0; i < depth; i++)
			strcat(text, "{{ end }}");
		buf_init(&b, storage, sizeof storage);
		assert_int_equal(template_expand(&b, text, &e), depth > 16 ? -1 : 0);
		assert_true(depth > 16 || strcmp(storage, "x") == 0);
	}
	for (int len = 127; len <= 128; len++) {
		(void)snprintf(text, sizeof text, "{{ .%0*d }}", len, 7);
		buf_init(&b, storage, sizeof storage);
		assert_int_equal(template_expand(&b, text, &e), len > 127 ? -1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_template_limits),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_readme),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
