/* What run is to do, from flags, environment and file: good configurations, and what is wrong with others. */
#include "support.h"

#include "base/clock.h"
#include "config/conf.h"

#define BASE "--service|web|"

static const struct run_service *web = &conf_run.services[0];

static void read_good(const char *args, const char *env, const char *file)
{
	struct err e = {0};

	CHECK(conf_read_as(CONF_RUN, args, env, file, &e) == 0, "%s with %s: %s", args, env, e.text);
}

static void check_words(const struct run_command *c, const char *words)
{
	char text[512] = "";

	for (size_t i = 0; i < c->n; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", c->argv[i]);
	CHECK(strcmp(text, words) == 0, "%s, not %s", text, words);
	CHECK(!c->n || !c->argv[c->n], "no NULL behind %s", text);
}

static void test_defaults(void **state)
{
	(void)state;
	read_good(BASE, "", NULL);
	assert_int_equal(conf_run.services_n, 1);
	assert_int_equal(conf_run.backends_n, 0);
	assert_string_equal(web->name, "web");
	assert_int_equal(web->port, 0);
	assert_int_equal(web->tags_n + web->metas_n, 0);
	assert_int_equal(web->interfaces.n, 3);
	assert_string_equal(web->interfaces_from, "the default");
	assert_string_equal(web->interfaces.of[0].text, "public");
	assert_string_equal(web->interfaces.of[2].text, "inet");
	assert_int_equal(web->ttl_sec, 25);
	assert_int_equal(web->gone_sec, 0);
	assert_int_equal(web->check.kind, RUN_CHECK_NONE);
	assert_int_equal(web->check.interval_ms, 10000);
	assert_int_equal(conf_run.app.n + conf_run.pre_start.n + conf_run.pre_stop.n + conf_run.post_stop.n, 0);
	assert_int_equal(conf_run.stop_timeout_ms, 5000);
	assert_false(conf_run.is_containerbuddy);
	assert_int_equal(conf.drain.way.kind, DRAIN_NONE);
	assert_int_equal(conf.drain.max_ms, 300000);
	assert_int_equal(conf.drain.settle_ms, 5000);
	assert_int_equal(conf.drain.idle_ms, 0);
	assert_false(conf.drain.resolver.is_set);
}

static void test_flags(void **state)
{
	(void)state;
	read_good(
		BASE
		"--port|80|--ttl=30|--interval|7|--tags|a, b,,c|--meta|k=v=w,x=|--interface|eth1[1], static:192.0.2.1|--pre-start|"
		" /bin/a  b\tc|--pre-stop|x|--post-stop|y|--stop-timeout|0|--deregister-after|60|--timeout|3|--|app|--flag|--|",
		"", NULL);
	assert_int_equal(web->port, 80);
	assert_int_equal(web->ttl_sec, 30);
	assert_int_equal(web->gone_sec, 60);
	assert_int_equal(web->check.interval_ms, 7000);
	assert_int_equal(web->check.timeout_ms, 3000);
	assert_int_equal(web->tags_n, 3);
	assert_string_equal(web->tags[0], "a");
	assert_string_equal(web->tags[1], "b");
	assert_string_equal(web->tags[2], "c");
	assert_int_equal(web->metas_n, 2);
	assert_string_equal(web->metas[0].key, "k");
	assert_string_equal(web->metas[0].value, "v=w");
	assert_string_equal(web->metas[1].key, "x");
	assert_string_equal(web->metas[1].value, "");
	assert_int_equal(web->interfaces.n, 2);
	assert_string_equal(web->interfaces_from, "--interface");
	assert_int_equal(web->interfaces.of[0].kind, INTERFACE_NTH);
	assert_int_equal(web->interfaces.of[1].kind, INTERFACE_STATIC);
	check_words(&conf_run.pre_start, "/bin/a|b|c|");
	check_words(&conf_run.pre_stop, "x|");
	check_words(&conf_run.post_stop, "y|");
	check_words(&conf_run.app, "app|--flag|--|");
	assert_true(conf_run.pre_start.timeout_ms == CLOCK_NEVER);
	assert_int_equal(conf_run.stop_timeout_ms, 0);
}

/* The same as JSON; lists are taken as they are. */
static void test_from_file(void **state)
{
	(void)state;
	read_good("", "DNSBUDDY_CONFIG=%|",
		  "{\"service\":\"web\",\"app_port\":80,\"check_ttl\":30,\"interval\":7,\"tags\":[\"a,b\",\"c d\"],"
		  "\"meta\":{\"k\":\"v,w\",\"x\":\"\"},\"interface\":[\"eth1[1]\",\"inet6\"],\"pre_start\":[\"/bin/sh\",\"-c\",\"a "
		  " b\",\"\"],"
		  "\"pre_stop\":\"x  y\",\"check\":[\"exec:/bin/check\",\"a "
		  "b\"],\"stop_timeout\":0,\"drain\":\"dns:www.example.com\"}");
	assert_int_equal(web->port, 80);
	assert_int_equal(web->ttl_sec, 30);
	assert_int_equal(web->tags_n, 2);
	assert_string_equal(web->tags[0], "a,b");
	assert_string_equal(web->tags[1], "c d");
	assert_int_equal(web->metas_n, 2);
	assert_string_equal(web->metas[0].value, "v,w");
	assert_string_equal(web->metas[1].key, "x");
	assert_int_equal(web->interfaces.n, 2);
	assert_string_equal(web->interfaces.of[1].text, "inet6");
	check_words(&conf_run.pre_start, "/bin/sh|-c|a  b||");
	check_words(&conf_run.pre_stop, "x|y|");
	assert_int_equal(web->check.kind, RUN_CHECK_EXEC);
	check_words(&web->check.command, "/bin/check|a b|");
	assert_int_equal(web->check.command.timeout_ms, 10000);
	assert_int_equal(conf.drain.way.kind, DRAIN_DNS);
	assert_string_equal(conf.drain.way.name, "www.example.com");
	/* A flag goes before it, with a list or without. */
	read_good("--tags|x|--interface|lo|", "DNSBUDDY_CONFIG=%|",
		  "{\"service\":\"web\",\"tags\":[\"a\",\"b\"],\"interface\":\"inet6,inet\",\"pre_start\":[],\"meta\":{},\"tag\":"
		  "\"t\"}");
	assert_int_equal(web->tags_n, 1);
	assert_string_equal(web->tags[0], "x");
	assert_string_equal(web->interfaces.of[0].text, "lo");
	assert_int_equal(conf_run.pre_start.n + web->metas_n, 0);
}

/* A key is the flag with _ for -; the longer name of another kind does, too. */
static void test_keys_are_flags(void **state)
{
	struct err e = {0};

	(void)state;
	read_good("", "DNSBUDDY_CONFIG=%|",
		  "{\"service\":\"web\",\"port\":80,\"ttl\":30,\"check\":[\"curl\",\"-f\",\"http://localhost/\"]}");
	assert_int_equal(web->port, 80);
	assert_int_equal(web->ttl_sec, 30);
	assert_int_equal(web->check.kind, RUN_CHECK_EXEC);
	check_words(&web->check.command, "curl|-f|http://localhost/|");
	read_good("", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\"check\":[\"http://localhost/\"]}");
	assert_int_equal(web->check.kind, RUN_CHECK_HTTP);
	read_good("", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\"check\":[\"true\"]}");
	check_words(&web->check.command, "true|");
	read_good("--port|81|--ttl|31|", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\"port\":80,\"ttl\":30}");
	assert_int_equal(web->port, 81);
	assert_int_equal(web->ttl_sec, 31);
	/* Another command's keys are passed over. */
	read_good("", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\"resync\":9,\"id\":\"i\",\"record\":\"www.example.com\"}");
	assert_int_equal(web->ttl_sec, 25);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "", "DNSBUDDY_CONFIG=%|", "{\"ttl\":60,\"timeout\":9,\"port\":1}", &e), -1);
	CHECK(strstr(e.text, "unknown key \"port\""), "%s", e.text);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "", "DNSBUDDY_CONFIG=%|", "{\"ttl\":60,\"timeout\":9,\"app_port\":1}", &e), 0);
	assert_int_equal(conf.drain.max_ms, 9000);
	assert_int_equal(conf.timeout_ms, 10000);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "", "DNSBUDDY_CONFIG=%|", "{\"drain_max\":8}", &e), 0);
	assert_int_equal(conf.drain.max_ms, 8000);
}

static const struct {
	const char *text;
	enum run_check_kind kind;
	enum url_scheme scheme;
	const char *host;
	int port;
	const char *target;
} checks[] = {
	{"http://localhost/health.txt", RUN_CHECK_HTTP, URL_HTTP, "localhost", 80, "/health.txt"},
	{"http://localhost:8080", RUN_CHECK_HTTP, URL_HTTP, "localhost", 8080, "/"},
	{"https://[::1]/a/?b=c&d=%20/", RUN_CHECK_HTTP, URL_HTTPS, "::1", 443, "/a/?b=c&d=%20/"},
	{"HTTP://127.0.0.1/", RUN_CHECK_HTTP, URL_HTTP, "127.0.0.1", 80, "/"},
	{"unix:///run/app.sock", RUN_CHECK_HTTP, URL_UNIX, "/run/app.sock", 0, "/"},
	{"unix:///run/app.sock:/health?x", RUN_CHECK_HTTP, URL_UNIX, "/run/app.sock", 0, "/health?x"},
	{"tcp://localhost:5432", RUN_CHECK_TCP, URL_HTTP, "localhost", 5432, NULL},
	{"tcp://[::1]:5432", RUN_CHECK_TCP, URL_HTTP, "::1", 5432, NULL},
};

static void test_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++) {
		const struct run_check *c = &web->check;
		char args[256];

		(void)snprintf(args, sizeof args, BASE "--check|%s|", checks[i].text);
		read_good(args, "", NULL);
		CHECK(c->kind == checks[i].kind && c->url.scheme == checks[i].scheme, "%s", checks[i].text);
		CHECK(strcmp(c->url.scheme == URL_UNIX ? c->url.socket : c->url.host, checks[i].host) == 0, "%s: %s",
		      checks[i].text, c->url.host);
		CHECK(c->url.port == checks[i].port && !*c->url.path, "%s: %u", checks[i].text, c->url.port);
		CHECK(!checks[i].target || strcmp(c->target, checks[i].target) == 0, "%s: %s", checks[i].text, c->target);
	}
	read_good(BASE "--check|exec:/bin/check  -v|--timeout|3|", "", NULL);
	assert_int_equal(web->check.kind, RUN_CHECK_EXEC);
	check_words(&web->check.command, "/bin/check|-v|");
	assert_int_equal(web->check.command.timeout_ms, 3000);
}

/* In the environment of a container; DNSBUDDY_APP_PORT is also what a link of dnsbuddy-app's says. */
static void test_environment(void **state)
{
	(void)state;
	read_good("", "SERVICE=web|DNSBUDDY_APP_PORT=80|DNSBUDDY_CHECK_TTL=60|DNSBUDDY_TAGS=|DNSBUDDY_DRAIN=none|TTL=x|RECORD=..|",
		  NULL);
	assert_int_equal(web->port, 80);
	assert_int_equal(web->ttl_sec, 60);
	assert_int_equal(web->tags_n, 0);
	read_good(BASE, "DNSBUDDY_APP_PORT=tcp://10.0.0.1:80|DNSBUDDY_PORT=tcp://10.0.0.1:80|", NULL);
	assert_int_equal(web->port, 0);
}

static const struct {
	const char *args, *env, *file;
	enum err_kind kind;
	const char *told[3];
} bad[] = {
	{"", "", NULL, ERR_CONFIG, {"service is missing", "--service"}},
	{"--service|..|", "", NULL, ERR_USAGE, {"service", "--service", ". or .."}},
	{BASE "--port|65536|", "", NULL, ERR_USAGE, {"port", "65535"}},
	{BASE "--port|http|", "", NULL, ERR_USAGE, {"port: \"http\" (--port)"}},
	{BASE "--tags|a,\xc2\xa0|", "", NULL, ERR_USAGE, {"tags", "no-break space"}},
	{BASE "--meta|k|", "", NULL, ERR_USAGE, {"meta: \"k\"", "KEY=VALUE"}},
	{BASE "--meta|a b=c|", "", NULL, ERR_USAGE, {"meta", "KEY=VALUE"}},
	{BASE "--meta|=c|", "", NULL, ERR_USAGE, {"meta", "KEY=VALUE"}},
	{BASE "--interface|eth0:inet4|", "", NULL, ERR_USAGE, {"interface: \"eth0:inet4\" (--interface) is wrong"}},
	{BASE, "DNSBUDDY_INTERFACE=300.0.0.0/8|", NULL, ERR_CONFIG, {"DNSBUDDY_INTERFACE in the environment"}},
	{BASE "--interval|0|", "", NULL, ERR_USAGE, {"interval", "1 to 86400 seconds"}},
	{BASE "--ttl|10|", "", NULL, ERR_USAGE, {"ttl: \"10\" (--ttl)", "longer than the interval, 10 seconds"}},
	{BASE "--interval|25|", "", NULL, ERR_CONFIG, {"ttl: \"25\" (the default)", "longer than the interval"}},
	{BASE "--deregister-after|59|", "", NULL, ERR_USAGE, {"deregister-after", "60 to"}},
	{BASE "--stop-timeout|-1|", "", NULL, ERR_USAGE, {"stop-timeout", "0 to 86400"}},
	{BASE "--pre-start|sh -c \"x y\"|", "", NULL, ERR_USAGE, {"pre-start", "quotes"}},
	{BASE "--pre-stop|sh -c 'x'|", "", NULL, ERR_USAGE, {"pre-stop", "quotes"}},
	{BASE "--check|localhost:80|", "", NULL, ERR_USAGE, {"check: \"localhost:80\"", "tcp://HOST:PORT"}},
	{BASE "--check|ftp://localhost|", "", NULL, ERR_USAGE, {"check", "unknown scheme"}},
	{BASE "--check|http://|", "", NULL, ERR_USAGE, {"check", "host is empty"}},
	{BASE "--check|http://a/b c|", "", NULL, ERR_USAGE, {"check", "percent-encoded"}},
	{BASE "--check|http://a/b#c|", "", NULL, ERR_USAGE, {"check", "percent-encoded"}},
	{BASE "--check|http://a?b|", "", NULL, ERR_USAGE, {"check", "begin with /"}},
	{BASE "--check|unix://run/x|", "", NULL, ERR_USAGE, {"check", "absolute path"}},
	{BASE "--check|unix:///run/x:y|", "", NULL, ERR_USAGE, {"check", "begin with /"}},
	{BASE "--check|tcp://localhost|", "", NULL, ERR_USAGE, {"check", "tcp://HOST:PORT"}},
	{BASE "--check|tcp://[::1]|", "", NULL, ERR_USAGE, {"check", "tcp://HOST:PORT"}},
	{BASE "--check|tcp://a:1/b|", "", NULL, ERR_USAGE, {"check", "tcp://HOST:PORT"}},
	{BASE "--check|tcp://a:0|", "", NULL, ERR_USAGE, {"check", "1 to 65535"}},
	{BASE "--check|exec:|", "", NULL, ERR_USAGE, {"check", "exec:COMMAND"}},
	{BASE "--drain|soon|", "", NULL, ERR_USAGE, {"drain: \"soon\" (--drain) is wrong"}},
	{BASE "--drain|dns:|", "", NULL, ERR_USAGE, {"drain"}},
	{BASE "--drain|api:www.example.com|", "", NULL, ERR_CONFIG, {"no credentials for Cloudflare"}},
	{BASE "--resolver|ns1|", "", NULL, ERR_USAGE, {"resolver: \"ns1\" (--resolver) is wrong"}},
	{BASE "--drain-idle|x|", "", NULL, ERR_USAGE, {"drain-idle"}},
	{BASE "--drain-idle|5|", "", NULL, ERR_USAGE, {"drain-idle: \"5\" (--drain-idle)", "set --port"}},
	{BASE "--port|0|", "DNSBUDDY_DRAIN_IDLE=5|", NULL, ERR_CONFIG, {"DNSBUDDY_DRAIN_IDLE", "set --port"}},
	{BASE "--drain|301|", "", NULL, ERR_USAGE, {"drain: \"301\" (--drain)", "--drain-max"}},
	{BASE "--drain-max|9|", "DNSBUDDY_DRAIN=10|", NULL, ERR_CONFIG, {"DNSBUDDY_DRAIN", "--drain-max"}},
	{BASE "--meta|a=b,c=d,a=c|", "", NULL, ERR_USAGE, {"meta: \"a=b,c=d,a=c\" (--meta)", "the key a stands twice"}},
	{BASE, "DNSBUDDY_PORT=80|", NULL, ERR_CONFIG, {"DNSBUDDY_PORT in the environment", "is it DNSBUDDY_APP_PORT?"}},
	{BASE "--record|www.example.com|", "", NULL, ERR_USAGE, {"unknown flag --record"}},
	{BASE "--id|x|", "", NULL, ERR_USAGE, {"unknown flag --id"}},
	{BASE "nginx|", "", NULL, ERR_USAGE, {"write -- before the application: dnsbuddy run", "-- nginx"}},
	{BASE "-x|", "", NULL, ERR_USAGE, {"unknown flag -x"}},
	{BASE "-consul-token=secret|", "", NULL, ERR_USAGE, {"unknown flag -consul-token:"}},
	{"", "DNSBUDDY_CONFIG=%|", "{\n\"service\":\"web\",\n\"check\":\"x\"}", ERR_CONFIG, {":3, key check", "is wrong"}},
	{"", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\n\"ports\":80}", ERR_CONFIG, {"line 2, column 2: unknown key \"ports\""}},
	{"", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\"stop-timeout\":8}", ERR_CONFIG, {"unknown key \"stop-timeout\""}},
	{"", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\"config\":\"x\"}", ERR_CONFIG, {"unknown key \"config\""}},
	{"", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\"app_port\":80,\"port\":80}", ERR_CONFIG, {"app_port stands twice"}},
	{"", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\n\"ttl\":5}", ERR_CONFIG, {"ttl: \"5\"", ":2, key check_ttl", "longer"}},
	{"",
	 "DNSBUDDY_CONFIG=%|",
	 "{\"service\":\"web\",\"check\":[\"http://localhost/\",\"-f\"]}",
	 ERR_CONFIG,
	 {"key check", "a list is a command's words"}},
	{"", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\n\"meta\":{\"k\":7}}", ERR_CONFIG, {"line 2, column 2: meta must be"}},
	{"", "DNSBUDDY_CONFIG=%|", "{\"service\":\"web\",\n\"tags\":[[\"a\"]]}", ERR_CONFIG, {"line 2, column 2: tags must be"}},
	{"",
	 "DNSBUDDY_CONFIG=%|",
	 "{\"service\":\"web\",\n\"pre_start\":[\"\",\"a\"]}",
	 ERR_CONFIG,
	 {":2, key pre_start", "no name"}},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {0};

		CHECK(conf_read_as(CONF_RUN, bad[i].args, bad[i].env, bad[i].file, &e) == -1, "case %zu: %s", i, bad[i].args);
		CHECK(e.kind == bad[i].kind, "case %zu: %s: kind %d", i, e.text, e.kind);
		for (size_t k = 0; k < COUNT(bad[i].told) && bad[i].told[k]; k++)
			CHECK(strstr(e.text, bad[i].told[k]), "case %zu: \"%s\", not \"%s\"", i, e.text, bad[i].told[k]);
	}
}

/* One past each limit. */
static void test_limits(void **state)
{
	static const struct {
		const char *begin, *one;
		int max;
		const char *told;
	} lists[] = {
		{"--tags|", "t,", RUN_TAGS_MAX, "more than 32 tags"},
		{"--meta|", "=v,", RUN_METAS_MAX, "more than 64 of metadata"},
		{"--pre-stop|", "w ", RUN_WORDS_MAX - 1, "more than 1024 words"},
		{"--interface|", "lo,", INTERFACE_RULES_MAX, "interface"},
		{"--check|http://a/", "x", RUN_TARGET_MAX - 1, "the path is longer than 1024 bytes"},
		{"--meta|k=", "v", RUN_META_MAX, "512 bytes at most"},
		{"--service|", "s", RUN_NAME_MAX, "too long"},
		{"--interface|lo|--post-stop|", "w", RUN_TEXT_CAP - 1 - (int)sizeof "lo\0--interface", "more than 65536 bytes"},
	};
	static char args[131072];

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++)
		for (int more = 0; more < 2; more++) {
			int n = snprintf(args, sizeof args, "%s%s", i == 6 ? "" : BASE, lists[i].begin);
			struct err e = {0};

			for (int k = 0; k < lists[i].max + more; k++)
				n += lists[i].one[0] == '=' ? snprintf(args + n, sizeof args - (size_t)n, "k%d%s", k, lists[i].one)
							    : snprintf(args + n, sizeof args - (size_t)n, "%s", lists[i].one);
			(void)snprintf(args + n, sizeof args - (size_t)n, "|");
			CHECK(conf_read_as(CONF_RUN, args, "", NULL, &e) == -more, "case %zu, %d more: %s", i, more, e.text);
			CHECK(!more || strstr(e.text, lists[i].told), "case %zu: %s", i, e.text);
		}
}

/* Whose flag it is; in the commands of records another's is passed over. */
static const struct {
	unsigned groups;
	const char *args;
	bool is_good;
} flags[] = {
	{CONF_RECORDS, "--ttl|30|--resync|9|", true},
	{GROUP_RECORDS, "--resync|9|--retry-for|7|", true},
	{CONF_RECORDS, "--check|x|", false},
	{CONF_RECORDS, "--drain|9|", false},
	{CONF_RUN, "--resync|9|", false},
	{CONF_RUN, "--tag|t|", false},
	{GROUP_LISTEN, "--consul|x|", false},
	{GROUP_LISTEN, "--listen|:1|--config|x|", true},
	{CONF_OPERATOR, "--id|x|--record|www.example.com|--timeout|9|--undo|--force|", true},
	{CONF_OPERATOR, "--check|x|", false},
};

static void test_whose_flag(void **state)
{
	static struct values values;

	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++) {
		char text[256], *argv[16];
		struct err e = {0};
		int argc = 0, rc;

		(void)snprintf(text, sizeof text, "%s", flags[i].args);
		for (char *p = text, *end; (end = strchr(p, '|')) != NULL; p = end + 1) {
			*end = '\0';
			argv[argc++] = p;
		}
		values_init(&values);
		rc = values_from_arguments(&values, argc, argv, flags[i].groups, &e);
		CHECK(rc == (flags[i].is_good ? 0 : -1), "%s: %s", flags[i].args, e.text);
		CHECK(!rc == !values.stray, "%s", flags[i].args);
		CHECK(!rc || !(values.stray_groups & flags[i].groups), "%s", flags[i].args);
	}
}

static void test_operator(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(conf_read_as(CONF_OPERATOR, "", "", NULL, &e), 0);
	assert_string_equal(conf.jobs[0].service, "");
	assert_string_equal(conf.jobs[0].name, "");
	assert_string_equal(conf.id, "");
	CHECK(conf_read_as(CONF_OPERATOR, "nginx|@|--id|i|--timeout|9|--zone|example.com|", "CF_API_TOKEN=tok-12345|", NULL, &e) ==
		      0,
	      "%s", e.text);
	assert_string_equal(conf.jobs[0].service, "nginx");
	assert_string_equal(conf.jobs[0].name, "example.com");
	assert_string_equal(conf.api_token, "tok-12345");
	assert_string_equal(conf.id, "i");
	assert_int_equal(conf.drain.max_ms, 9000);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "--drain|10|--timeout|10|--drain-idle|5|", "", NULL, &e), 0);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "--drain|10|--timeout|9|", "", NULL, &e), -1);
	CHECK(strstr(e.text, "--drain-max"), "%s", e.text);
	assert_int_equal(conf.timeout_ms, 10000);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "nginx|www.example.com|60|", "", NULL, &e), -1);
	CHECK(strstr(e.text, "one argument too many"), "%s", e.text);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "--drain|api:www.example.com|", "", NULL, &e), -1);
	CHECK(strstr(e.text, "no credentials"), "%s", e.text);
	assert_int_equal(conf_read_as(CONF_OPERATOR, "", "CF_API_KEY=k|", NULL, &e), -1);
	CHECK(strstr(e.text, "e-mail"), "%s", e.text);
}

/* Cloudflare's settings count with api: alone, wherever that stands. */
static void test_api(void **state)
{
	static const char env[] = "CF_API_TOKEN=tok-12345|CF_ROOT_DOMAIN=example.com|";

	(void)state;
	read_good(BASE "--ca-file|/roots.pem|", env, NULL);
	assert_string_equal(conf.api_token, "");
	assert_string_equal(conf.ca_file, "/roots.pem"); /* it is a check's, too */
	read_good(BASE "--drain|api:www.example.com|", env, NULL);
	assert_string_equal(conf.api_token, "tok-12345");
	assert_string_equal(conf.jobs[0].zone, "example.com");
	assert_int_equal(conf.drain.way.kind, DRAIN_API);
	read_good("", "CF_API_TOKEN=tok-12345|DNSBUDDY_CONFIG=%|",
		  "{\"service\":\"web\",\"drain\":\"api:www.example.com\",\"api_token\":\"tok-of-file\"}");
	assert_string_equal(conf.api_token, "tok-12345");
}

static void test_secrets(void **state)
{
	(void)state;
	read_good(BASE, "", NULL);
	assert_true(run_config_hides(&conf_run, "CONSUL_HTTP_TOKEN=x"));
	assert_true(run_config_hides(&conf_run, "CONSUL_HTTP_AUTH=x:y"));
	assert_true(run_config_hides(&conf_run, "CF_API_TOKEN=x"));
	assert_false(run_config_hides(&conf_run, "CONSUL_HTTP_TOKEN_FILE=x"));
	assert_false(run_config_hides(&conf_run, "CONSUL_HTTP_TOKENS=x"));
	assert_false(run_config_hides(&conf_run, "PATH=x"));
	assert_true(run_config_hides(&conf_run, "DNSBUDDY_CONFIG= {\"consul_token\": \"x\"}"));
	assert_false(run_config_hides(&conf_run, "DNSBUDDY_CONFIG=/etc/dnsbuddy.json"));
	read_good(BASE "--keep-secrets|", "", NULL);
	assert_false(run_config_hides(&conf_run, "CONSUL_HTTP_TOKEN=x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_flags),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_from_file),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_whose_flag),
		cmocka_unit_test(test_operator),
		cmocka_unit_test(test_api),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
