/* Containerbuddy's configuration: its flags and variables, and its JSON of all versions from 0.0.1 to 2. */
#include "support.h"

#include "base/clock.h"
#include "config/conf.h"
#include "config/duration.h"

#define SERVICE "\"name\":\"web\",\"poll\":1,\"ttl\":3"

static const struct run_service *web = &conf_run.services[0];
static const struct run_backend *app = &conf_run.backends[0];

/* The article's own two files. */
static const char cloudflare_json[] = "{\n"
				      "  \"consul\": \"consul:8500\",\n"
				      "  \"services\": [\n"
				      "    {\n"
				      "      \"name\": \"cloudflare\",\n"
				      "      \"health\": \"/usr/bin/curl --fail -s http://localhost/health.txt\",\n"
				      "      \"poll\": 10,\n"
				      "      \"ttl\": 25\n"
				      "    }\n"
				      "  ],\n"
				      "  \"backends\": [\n"
				      "    {\n"
				      "      \"name\": \"nginx\",\n"
				      "      \"poll\": 5,\n"
				      "      \"onChange\": \"/opt/containerbuddy/update-dns.sh\"\n"
				      "    }\n"
				      "  ]\n"
				      "}\n";
static const char nginx_json[] = "{\n"
				 "  \"consul\": \"consul:8500\",\n"
				 "  \"services\": [\n"
				 "    {\n"
				 "      \"name\": \"nginx\",\n"
				 "      \"port\": 80,\n"
				 "      \"publicIp\": true,\n"
				 "      \"health\": \"/usr/bin/curl --fail -s http://localhost/health.txt\",\n"
				 "      \"poll\": 10,\n"
				 "      \"ttl\": 25\n"
				 "    }\n"
				 "  ]\n"
				 "}\n";

static int read_json(const char *json, struct err *e)
{
	static char env[16384];

	(void)snprintf(env, sizeof env, "CONTAINERBUDDY=%s|", json);
	return conf_read_as(CONF_CONTAINERBUDDY, "", env, NULL, e);
}

static void read_good(const char *json)
{
	struct err e = {0};

	CHECK(read_json(json, &e) == 0, "%s: %s", json, e.text);
}

/* "a|b|" of a command's words. */
static const char *words(const struct run_command *c)
{
	static char text[1024];

	text[0] = '\0';
	for (size_t i = 0; i < c->n; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", c->argv[i]);
	CHECK(!c->n || !c->argv[c->n], "no NULL behind %s", text);
	return text;
}

static void test_cloudflare(void **state)
{
	(void)state;
	read_good(cloudflare_json);
	assert_int_equal(conf_run.services_n, 1);
	assert_int_equal(conf_run.backends_n, 1);
	assert_true(conf_run.is_containerbuddy);
	assert_string_equal(conf.consul_url.host, "consul");
	assert_int_equal(conf.consul_url.port, 8500);
	assert_string_equal(web->name, "cloudflare");
	assert_int_equal(web->port, 0);
	assert_int_equal(web->ttl_sec, 25);
	assert_int_equal(web->check.kind, RUN_CHECK_EXEC);
	assert_int_equal(web->check.interval_ms, 10000);
	assert_int_equal(web->check.timeout_ms, 25000);
	assert_string_equal(words(&web->check.command), "/usr/bin/curl|--fail|-s|http://localhost/health.txt|");
	assert_int_equal(web->interfaces.n, 2);
	assert_string_equal(web->interfaces.of[0].text, "eth0");
	assert_string_equal(web->interfaces.of[1].text, "inet");
	assert_string_equal(app->job.service, "nginx");
	assert_int_equal(app->job.addresses.of[0], ADDRESS_SERVICE);
	assert_int_equal(app->poll_ms, 5000);
	assert_string_equal(words(&app->on_change), "/opt/containerbuddy/update-dns.sh|");
	assert_true(app->on_change.timeout_ms == CLOCK_NEVER);
	assert_int_equal(app->job.addresses.n, 2);
	assert_int_equal(app->job.addresses.of[1], ADDRESS_NODE);
	assert_int_equal(conf_run.stop_timeout_ms, 5000);
	assert_int_equal(conf_run.app.n, 0);
}

static void test_nginx(void **state)
{
	(void)state;
	read_good(nginx_json);
	assert_string_equal(web->name, "nginx");
	assert_int_equal(web->port, 80);
	assert_int_equal(web->interfaces.n, 1);
	assert_string_equal(web->interfaces.of[0].text, "public");
	assert_string_equal(web->interfaces_from, "CONTAINERBUDDY, line 4: interfaces");
	assert_int_equal(conf_run.backends_n, 0);
}

static void test_everything(void **state)
{
	(void)state;
	read_good("{\"consul\":{\"address\":\"consul.example.com:8443\",\"scheme\":\"https\",\"token\":\"t0ken\"},"
		  "\"preStart\":[\"/bin/pre\",\"a b\",null,7],\"preStop\":\" /bin/stop  now "
		  "\",\"postStop\":null,\"stopTimeout\":\"9\","
		  "\"logging\":{\"level\":\"DEBUG\",\"format\":\"text\",\"output\":\"stdout\"},"
		  "\"services\":[{\"name\":\"web\",\"port\":\"8080\",\"poll\":\"2\",\"ttl\":\"6\",\"health\":[\"/bin/check\",\"\"],"
		  "\"interfaces\":[\"eth1\",\"static:192.0.2.7\"],\"tags\":[\"a\",\"b\"],\"timeout\":\"1500ms\","
		  "\"consul\":{\"enableTagOverride\":true,\"deregisterCriticalServiceAfter\":\"90m\"}},"
		  "{\"name\":\"other\",\"poll\":1,\"ttl\":3,\"interfaces\":\"lo\",\"tags\":null}],"
		  "\"backends\":[{\"name\":\"app\",\"poll\":7,\"onChange\":[\"/bin/x\",\"a "
		  "b\"],\"tag\":\"blue\",\"timeout\":\"30\"}]}");
	assert_int_equal(conf.consul_url.scheme, URL_HTTPS);
	assert_int_equal(conf.consul_url.port, 8443);
	assert_string_equal(conf.consul_token, "t0ken");
	assert_true(app->job.has_token);
	assert_string_equal(words(&conf_run.pre_start), "/bin/pre|a b||7|");
	assert_string_equal(words(&conf_run.pre_stop), "/bin/stop|now|");
	assert_int_equal(conf_run.post_stop.n, 0);
	assert_int_equal(conf_run.stop_timeout_ms, 9000);
	assert_int_equal(conf.log_level, LOG_DEBUG);
	assert_int_equal(conf.log_format, LOG_LOGFMT);
	assert_int_equal(conf_run.services_n, 2);
	assert_int_equal(web->port, 8080);
	assert_int_equal(web->check.interval_ms, 2000);
	assert_int_equal(web->ttl_sec, 6);
	assert_string_equal(words(&web->check.command), "/bin/check||");
	assert_int_equal(web->check.timeout_ms, 1500);
	assert_int_equal(web->check.command.timeout_ms, 1500);
	assert_int_equal(web->interfaces.n, 2);
	assert_int_equal(web->tags_n, 2);
	assert_string_equal(web->tags[1], "b");
	assert_true(web->enable_tag_override);
	assert_int_equal(web->gone_sec, 5400);
	assert_int_equal(web[1].check.kind, RUN_CHECK_NONE);
	assert_int_equal(web[1].tags_n, 0);
	assert_false(web[1].enable_tag_override);
	assert_string_equal(web[1].interfaces.of[0].text, "lo");
	assert_string_equal(app->job.tag, "blue");
	assert_string_equal(words(&app->on_change), "/bin/x|a b|");
	assert_int_equal(app->on_change.timeout_ms, 30000);
}

/* Where Consul is, and who goes first. */
static const struct {
	const char *consul, *env, *args, *host;
	int port, scheme;
} consuls[] = {
	{"\"consul:8500\"", "CONSUL_HTTP_ADDR=other:1|CONSUL=third|", "", "consul", 8500, URL_HTTP},
	{"\"http://consul:8500/\"", "", "", "consul", 8500, URL_HTTP},
	{"\"https://consul:8501\"", "", "", "consul", 8501, URL_HTTPS},
	{"\"consul\"", "", "", "consul", 8500, URL_HTTP},
	{"\"\"", "CONSUL=other|", "", "other", 8500, URL_HTTP},
	{"null", "", "", "127.0.0.1", 8500, URL_HTTP},
	{"{\"address\":\"consul:1\"}", "", "", "consul", 1, URL_HTTP},
	{"{\"address\":\"http://consul:1\",\"scheme\":\"https\"}", "", "", "consul", 1, URL_HTTP},
	{"{}", "", "", "127.0.0.1", 8500, URL_HTTP},
	{"\"consul:8500\"", "", "--consul|flag:2|", "flag", 2, URL_HTTP},
	{"\"{{ .CONSUL }}:8500\"", "CONSUL=linked|", "", "linked", 8500, URL_HTTP},
};

static void test_consul(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(consuls); i++) {
		char env[512];
		struct err e = {0};

		(void)snprintf(env, sizeof env, "%sCONTAINERBUDDY={\"consul\":%s}|", consuls[i].env, consuls[i].consul);
		CHECK(conf_read_as(CONF_CONTAINERBUDDY, consuls[i].args, env, NULL, &e) == 0, "case %zu: %s", i, e.text);
		CHECK(strcmp(conf.consul_url.host, consuls[i].host) == 0, "case %zu: %s", i, conf.consul_url.host);
		CHECK(conf.consul_url.port == consuls[i].port, "case %zu: %u", i, conf.consul_url.port);
		CHECK((int)conf.consul_url.scheme == consuls[i].scheme, "case %zu", i);
	}
}

static void test_token(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(conf_read_as(CONF_CONTAINERBUDDY, "",
				      "CONSUL_HTTP_TOKEN=fromenv|CONTAINERBUDDY={\"consul\":{\"token\":\"fromfile\"}}|", NULL, &e),
			 0);
	assert_string_equal(conf.consul_token, "fromenv");
	assert_false(run_config_hides(&conf_run, "CONSUL_HTTP_TOKEN=fromenv"));
}

/* What a template put into a wrong place is known as a secret, the handlers' too. */
static void test_secret_in_template(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(conf_read_as(CONF_CONTAINERBUDDY, "",
				      "CONSUL_HTTP_TOKEN=tok-12345|CF_API_KEY=key-12345|CONTAINERBUDDY={\"{{ .CF_API_KEY }}\":1}|",
				      NULL, &e),
			 -1);
	assert_non_null(strstr(e.text, "key-12345"));
	assert_string_equal(conf.consul_token, "tok-12345");
	assert_string_equal(conf.api_key, "key-12345");
}

static const struct {
	const char *stop_timeout;
	int ms;
} stops[] = {{"0", 5000}, {"null", 5000}, {"-1", 0}, {"2", 2000}, {"\"-1\"", 0}, {"86400", 86400000}};

static void test_stop_timeout(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stops); i++) {
		char json[64];

		(void)snprintf(json, sizeof json, "{\"stopTimeout\":%s}", stops[i].stop_timeout);
		read_good(json);
		CHECK(conf_run.stop_timeout_ms == stops[i].ms, "%s: %lld", stops[i].stop_timeout,
		      (long long)conf_run.stop_timeout_ms);
	}
}

/* What is fine, besides. */
static const char *const fine[] = {
	"{}",
	"  \n{\"services\":null,\"backends\":null,\"logging\":null}",
	"{\"Services\":[{\"NAME\":\"web\",\"Poll\":1,\"TTL\":3,\"PublicIP\":false}],\"BACKENDS\":[]}",
	"{\"services\":[{" SERVICE ",\"health\":\"\",\"interfaces\":null,\"timeout\":\"\"}]}",
	"{\"onStart\":\"\",\"preStart\":\"/bin/x\"}",
	"{\"etcd\":null}",
	"{\"logging\":{\"level\":\"FATAL\",\"format\":\"default\",\"output\":\"stderr\"}}",
};

static void test_fine(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fine); i++)
		read_good(fine[i]);
}

#define DEEP_16 "[[[[[[[[[[[[[[[["
#define DEEP DEEP_16 DEEP_16 DEEP_16 DEEP_16

static const struct {
	const char *json;
	const char *told[3];
} bad[] = {
	{"{\"bogus\":1}", {"CONTAINERBUDDY: line 1, key bogus: unknown"}},
	{"{\n\"etcd\":\"x\"}", {"line 2, key etcd", "only Consul"}},
	{"{\"tasks\":[]}", {"key tasks: it is not done here"}},
	{"{\"coprocesses\":[]}", {"key coprocesses: it is not done here"}},
	{"{\"telemetry\":{}}", {"key telemetry", "DNSBUDDY_LISTEN"}},
	{"{\"jobs\":[]}", {"key jobs", "ContainerPilot 3"}},
	{"{\"watches\":[]}", {"key watches", "ContainerPilot 3"}},
	{"{\"control\":{}}", {"key control", "ContainerPilot 3"}},
	{"{consul: 'x'}", {"not JSON: line 1, column 2", "JSON5"}},
	{"{} x", {"not JSON"}},
	{"\xef\xbb\xbf{}", {"CONTAINERBUDDY: byte 1 is a byte order mark"}},
	{"{\"a\":" DEEP, {"nested deeper than 64: line 1, column 69"}},
	{"{\"a\":1,}", {"the comma before it"}},
	{"{\"consul\":\"a\",\"Consul\":\"b\"}", {"key Consul: it stands twice"}},
	{"{\"consul\":7}", {"key consul: must be a text"}},
	{"{\"consul\":\"a b\"}", {"consul: \"a b\" (CONTAINERBUDDY:1, key consul) is wrong"}},
	{"{\"consul\":{\"adress\":\"x\"}}", {"key adress: unknown"}},
	{"{\"consul\":{\"address\":1}}", {"key address: must be a text"}},
	{"{\"preStart\":\"a\",\"onStart\":\"b\"}", {"key onStart", "preStart"}},
	{"{\"preStop\":7}", {"key preStop: a command must be"}},
	{"{\"preStop\":[[\"a\"]]}", {"key preStop: must be a text"}},
	{"{\"preStop\":[\"\",\"a\"]}", {"key preStop: the command has no name"}},
	{"{\"stopTimeout\":\"5s\"}", {"key stopTimeout: must be a whole number"}},
	{"{\"stopTimeout\":86401}", {"key stopTimeout: must be a whole number"}},
	{"{\"logging\":{\"level\":\"LOUD\"}}", {"key level: \"LOUD\" is unknown"}},
	{"{\"logging\":{\"format\":\"xml\"}}", {"key format: \"xml\" is unknown"}},
	{"{\"logging\":{\"output\":\"syslog\"}}", {"key output: \"syslog\" is unknown"}},
	{"{\"logging\":{\"raw\":true}}", {"key raw: unknown"}},
	{"{\"logging\":7}", {"key logging: an object is expected"}},
	{"{\"services\":{}}", {"key services: must be a list"}},
	{"{\"services\":[\nnull]}", {"line 2, key services: an object is expected"}},
	{"{\"backends\":[\nnull]}", {"line 2, key backends: an object is expected"}},
	{"{\"services\":[{" SERVICE ",\n\"health\":[]}]}", {"line 2, key health: a command must be a text or a list of one"}},
	{"{\"preStart\":[]}", {"line 1, key preStart: a command must be"}},
	{"{\"services\":[\n{\"poll\":1,\"ttl\":3}]}", {"line 2, key services: key name is missing"}},
	{"{\"services\":[{\"name\":\"web\",\"ttl\":3}]}", {"key poll is missing"}},
	{"{\"services\":[{\"name\":\"web\",\"poll\":1}]}", {"key ttl is missing"}},
	{"{\"services\":[{\"name\":\"\",\"poll\":1,\"ttl\":3}]}", {"key name: a service must have a name"}},
	{"{\"services\":[{\"name\":\"..\",\"poll\":1,\"ttl\":3}]}", {"key name: no part of a path"}},
	{"{\"services\":[{\"name\":\"web\",\"poll\":0,\"ttl\":3}]}", {"key poll: must be a whole number from 1"}},
	{"{\"services\":[{\"name\":\"web\",\"poll\":1.0,\"ttl\":3}]}", {"key poll: must be a whole number"}},
	{"{\"services\":[{\"name\":\"web\",\"poll\":1,\"ttl\":-1}]}", {"key ttl: must be a whole number"}},
	{"{\"services\":[{" SERVICE ",\"port\":65536}]}", {"key port: must be a whole number from 0 to 65535"}},
	{"{\"services\":[{" SERVICE ",\"publicIp\":\"yes\"}]}", {"key publicIp: must be true or false"}},
	{"{\"services\":[{" SERVICE ",\"interfaces\":\"eth0:inet4\"}]}", {"key interfaces: "}},
	{"{\"services\":[{" SERVICE ",\"interfaces\":[\"lo\",7]}]}", {"key interfaces: must be a text"}},
	{"{\"services\":[{" SERVICE ",\"tags\":[\"a\\u0007\"]}]}", {"key tags: tag \"a", "control character"}},
	{"{\"services\":[{" SERVICE ",\"timeout\":\"10 s\"}]}", {"key timeout: must be a time"}},
	{"{\"services\":[{" SERVICE ",\"bogus\":1}]}", {"key bogus: unknown"}},
	{"{\"services\":[{" SERVICE ",\"consul\":{\"bogus\":1}}]}", {"key bogus: unknown"}},
	{"{\"services\":[{" SERVICE ",\"consul\":{\"deregisterCriticalServiceAfter\":\"soon\"}}]}",
	 {"key deregisterCriticalServiceAfter: must be a time"}},
	{"{\"services\":[{" SERVICE "},\n{" SERVICE "}]}", {"line 2, key services: two services are called web"}},
	{"{\"backends\":[\n{\"name\":\"a\",\"poll\":1}]}", {"line 2, key backends: key onChange is missing"}},
	{"{\"backends\":[{\"name\":\"a\",\"onChange\":\"x\"}]}", {"key poll is missing"}},
	{"{\"backends\":[{\"poll\":1,\"onChange\":\"x\"}]}", {"key name is missing"}},
	{"{\"backends\":[{\"name\":\"a\",\"poll\":1,\n\"onChange\":\" \"}]}", {"line 2, key onChange: there is no command"}},
	{"{\"backends\":[{\"name\":\"a\",\"poll\":1,\n\"onChange\":[]}]}", {"line 2, key onChange: a command must be"}},
	{"{\"backends\":[{\"name\":\"\",\"poll\":1,\"onChange\":\"x\"}]}", {"line 1, key name: a service must have a name"}},
	{"{\"backends\":[{\"name\":\"..\",\"poll\":1,\"onChange\":\"x\"}]}", {"line 1, key name: no part of a path"}},
	{"{\"backends\":[{\"name\":\"a\",\"poll\":1,\"onChange\":\"x\",\"health\":\"y\"}]}", {"key health: unknown"}},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {0};

		CHECK(read_json(bad[i].json, &e) == -1, "%s", bad[i].json);
		CHECK(e.kind == ERR_CONFIG, "%s: kind %d", bad[i].json, e.kind);
		for (size_t k = 0; k < COUNT(bad[i].told) && bad[i].told[k]; k++)
			CHECK(strstr(e.text, bad[i].told[k]), "%s: \"%s\", not \"%s\"", bad[i].json, e.text, bad[i].told[k]);
	}
}

/* One past each limit. */
static void test_limits(void **state)
{
	static char json[32768];
	static const struct {
		const char *begin, *one, *two, *told;
		int max;
	} lists[] = {
		{"{\"services\":[", "{\"name\":\"s", "\",\"poll\":1,\"ttl\":2}", "more than 16 services", RUN_SERVICES_MAX},
		{"{\"backends\":[", "{\"name\":\"s", "\",\"poll\":1,\"onChange\":\"x\"}", "more than 16 backends",
		 RUN_BACKENDS_MAX},
		{"{\"services\":[{" SERVICE ",\"tags\":[", "\"t", "\"", "more than 32 tags", RUN_TAGS_MAX},
		{"{\"preStop\":[", "\"w", "\"", "more than 1024 words", RUN_WORDS_MAX - 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++)
		for (int more = 0; more < 2; more++) {
			int n = snprintf(json, sizeof json, "%s", lists[i].begin);
			struct err e = {0};

			for (int k = 0; k < lists[i].max + more; k++)
				n += snprintf(json + n, sizeof json - (size_t)n, "%s%s%d%s", k ? "," : "", lists[i].one, k,
					      lists[i].two);
			(void)snprintf(json + n, sizeof json - (size_t)n, i == 2 ? "]}]}" : "]}");
			CHECK(strlen(json) < 16000, "%zu", strlen(json));
			CHECK(read_json(json, &e) == -more, "%s", e.text);
			CHECK(!more || strstr(e.text, lists[i].told), "%s", e.text);
		}
}

/* ---- where it is taken from ---- */

#define JSON "{\"services\":[{" SERVICE "}]}"

static const struct {
	unsigned groups;
	const char *args, *env;
	const char *app;
	const char *told; /* NULL: it is good */
} calls[] = {
	{CONF_CONTAINERBUDDY, "-config|" JSON "|app|-x|--|y|", "", "app|-x|--|y|", NULL},
	{CONF_CONTAINERBUDDY, "-config=" JSON "|--|-app|", "", "-app|", NULL},
	{CONF_CONTAINERBUDDY, "--config|" JSON "|", "", "", NULL},
	{CONF_CONTAINERBUDDY, "--config=" JSON "||app||", "", "app||", NULL},
	{CONF_CONTAINERBUDDY, "app|-config|x|", "CONTAINERPILOT=" JSON "|", "app|-config|x|", NULL},
	{CONF_CONTAINERBUDDY, "app|", "CONTAINERBUDDY=" JSON "|CONTAINERPILOT=" JSON "|", "app|", NULL},
	{CONF_CONTAINERBUDDY, "--log-level|debug|--drain|7|app|", "CONTAINERBUDDY=" JSON "|", "app|", NULL},
	{CONF_CONTAINERBUDDY, "--service|web|--|app|", "CONTAINERBUDDY={|", "app|", NULL},
	{CONF_CONTAINERBUDDY, "-config|" JSON "|", "CONTAINERBUDDY={|", "", NULL},
	{CONF_RUN, "-config|" JSON "|app|", "", "app|", NULL},
	{CONF_RUN, "app|", "CONTAINERBUDDY=" JSON "|", "app|", NULL},
	{CONF_RUN, "--|app|", "CONTAINERBUDDY=" JSON "|DNSBUDDY_SERVICE=x|DNSBUDDY_CONFIG=/none|", "app|", NULL},
	{CONF_RUN, "--service|web|app|", "CONTAINERBUDDY=" JSON "|", "", "write -- before the application"},
	{CONF_RUN, "--service|web|app|", "", "", "write -- before the application"},
	{CONF_RUN, "--config|/none|--|app|", "CONTAINERBUDDY=" JSON "|", "", "/none"},
	{CONF_CONTAINERBUDDY, "", "", "", "-config file:///PATH"},
	{CONF_CONTAINERBUDDY, "", "SERVICE=web|", "", "-config file:///PATH"},
	{CONF_CONTAINERBUDDY, "-config|", "", "", "-config needs a value"},
	{CONF_CONTAINERBUDDY, "-config|file:///none/x.json|", "", "", "/none/x.json: No such file"},
	{CONF_CONTAINERBUDDY, "-bogus|", "CONTAINERBUDDY=" JSON "|", "", "unknown flag -bogus"},
	{CONF_CONTAINERBUDDY, "-template|", "CONTAINERBUDDY=" JSON "|", "", "-template is not done here"},
	{CONF_CONTAINERBUDDY, "-out|x|", "CONTAINERBUDDY=" JSON "|", "", "-template is not done here"},
	{CONF_CONTAINERBUDDY, "", "CONTAINERBUDDY=" JSON "|CONTAINERPILOT={}|", "", "differ"},
	{CONF_CONTAINERBUDDY, "--check|tcp://a:1|", "CONTAINERBUDDY=" JSON "|", "", "--check does not go with Containerbuddy's"},
	{CONF_CONTAINERBUDDY, "", "DNSBUDDY_TAGS=a|CONTAINERBUDDY=" JSON "|", "", "DNSBUDDY_TAGS in the environment does not go"},
	{CONF_CONTAINERBUDDY, "", "DNSBUDDY_BOGUS=a|CONTAINERBUDDY=" JSON "|", "", "DNSBUDDY_BOGUS"},
};

static void test_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++) {
		struct err e = {0};
		int rc = conf_read_as(calls[i].groups, calls[i].args, calls[i].env, NULL, &e);

		CHECK(rc == (calls[i].told ? -1 : 0), "case %zu: %s", i, e.text);
		if (calls[i].told)
			CHECK(strstr(e.text, calls[i].told), "case %zu: %s", i, e.text);
		else
			CHECK(strcmp(words(&conf_run.app), calls[i].app) == 0, "case %zu: %s", i, words(&conf_run.app));
	}
}

static void test_from_file(void **state)
{
	static const char *const forms[] = {"CONTAINERBUDDY=file://%|", "CONTAINERBUDDY=%|"};

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct err e = {0};

		CHECK(conf_read_as(CONF_CONTAINERBUDDY, "", forms[i], nginx_json, &e) == 0, "%s: %s", forms[i], e.text);
		assert_string_equal(web->name, "nginx");
	}
}

/* What is of the handlers is not looked at, however wrong it is; an address for the drain makes it ours. */
static void test_handlers_environment(void **state)
{
	static const char env[] = "CONTAINERBUDDY=" JSON "|SERVICE=a b |RECORD=..|TTL=x|CF_API_KEY=k|CF_ROOT_DOMAIN=..|PROXIED=7|"
				  "CF_API_TOKEN_FILE=/none|DNSBUDDY_RETRY_FOR=x|";
	struct err e = {0};

	(void)state;
	CHECK(conf_read_as(CONF_CONTAINERBUDDY, "", env, NULL, &e) == 0, "%s", e.text);
	assert_int_equal(conf_read_as(CONF_CONTAINERBUDDY, "--drain|api:www.example.com|", env, NULL, &e), -1);
	CHECK(strstr(e.text, "CF_API_TOKEN_FILE"), "%s", e.text);
}

static const struct {
	const char *text;
	int64_t ms; /* -1: it is none */
} durations[] = {
	{"10", 10000},
	{"10s", 10000},
	{"1.5s", 1500},
	{"1h30m", 5400000},
	{"300ms", 300},
	{".5s", 500},
	{"1.s", 1000},
	{"1us", 1},
	{"1\xc2\xb5s", 1},
	{"1ns", 1},
	{"1m0.0001s", 60001},
	{"8760h", DURATION_MAX_MS},
	{"8761h", -1},
	{"0", -1},
	{"0s", -1},
	{"", -1},
	{"s", -1},
	{"1", 1000},
	{"-1s", -1},
	{"1 s", -1},
	{"1d", -1},
	{"1.5", -1},
	{"1s1", -1},
	{".s", -1},
	{"99999999999999999999h", -1},
	{"31536000", DURATION_MAX_MS},
	{"31536001", -1},
	{"1mss", -1},
	{"1h.", -1},
	{"999999999999999", -1},
};

static void test_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(durations); i++) {
		int64_t ms = -1;
		int rc = duration_read(durations[i].text, &ms);

		CHECK(rc == (durations[i].ms < 0 ? -1 : 0) && ms == durations[i].ms, "%s: %d, %lld", durations[i].text, rc,
		      (long long)ms);
	}
}

/* What was before is gone: the one is read into that the last but one was in. */
static void test_again(void **state)
{
	struct err e = {0};

	(void)state;
	read_good("{\"preStop\":\"x\",\"stopTimeout\":9,\"services\":[{" SERVICE
		  ",\"tags\":[\"a\"],\"consul\":{\"enableTagOverride\":true}}],"
		  "\"backends\":[{\"name\":\"a\",\"poll\":1,\"onChange\":\"x\",\"tag\":\"t\"}]}");
	read_good("{\"services\":[{" SERVICE "}],\"backends\":[{\"name\":\"b\",\"poll\":1,\"onChange\":\"y\"}]}");
	assert_int_equal(conf_run.pre_stop.n, 0);
	assert_int_equal(conf_run.stop_timeout_ms, 5000);
	assert_int_equal(web->tags_n, 0);
	assert_false(web->enable_tag_override);
	assert_string_equal(app->job.tag, "");
	assert_string_equal(words(&app->on_change), "y|");
	assert_int_equal(conf_read_as(CONF_RUN, "--service|x|", "", NULL, &e), 0);
	assert_false(conf_run.is_containerbuddy);
	assert_int_equal(conf_run.backends_n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cloudflare),
		cmocka_unit_test(test_nginx),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_consul),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_secret_in_template),
		cmocka_unit_test(test_stop_timeout),
		cmocka_unit_test(test_fine),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_from_file),
		cmocka_unit_test(test_handlers_environment),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
