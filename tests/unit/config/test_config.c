/* Where a value is taken from, and what a good configuration turns into. */
#include "support.h"

#include "config/conf.h"

#define TOKEN "CLOUDFLARE_API_TOKEN=tok-12345|"
#define BASE TOKEN "SERVICE=nginx|RECORD=www.example.com|"

static void read_good(const char *args, const char *env, const char *file)
{
	struct err e = {0};

	CHECK(conf_read(args, env, file, &e) == 0, "%s with %s: %s", args, env, e.text);
}

static void test_defaults(void **state)
{
	const struct job *r = &conf.jobs[0];

	(void)state;
	read_good("", BASE, NULL);
	assert_int_equal(conf.jobs_n, 1);
	assert_string_equal(r->service, "nginx");
	assert_string_equal(r->name, "www.example.com");
	assert_int_equal(r->ttl, 60);
	assert_int_equal(r->types, JOB_TYPES);
	assert_false(r->zone[0] || r->zone_id[0] || r->fallback[0] || r->include_warning || r->has_token);
	assert_int_equal(r->proxied, PROXIED_KEEP);
	assert_int_equal(r->on_empty, ON_EMPTY_KEEP);
	assert_int_equal(r->min_records, 1);
	assert_string_equal(r->owner, "");
	assert_string_equal(r->tag, "");
	assert_int_equal(r->addresses.n, 1);
	assert_int_equal(r->addresses.of[0], ADDRESS_SERVICE);
	assert_string_equal(conf.api_token, "tok-12345");
	assert_string_equal(conf.cf_url.host, "api.cloudflare.com");
	assert_string_equal(conf.cf_url.path, "/client/v4");
	assert_string_equal(conf.consul_url.host, "127.0.0.1");
	assert_int_equal(conf.consul_url.port, 8500);
	assert_int_equal(conf.consul_url.scheme, URL_HTTP);
	assert_true(conf.consul_verify);
	assert_int_equal(conf.retry_for_ms, 60000);
	assert_int_equal(conf.timeout_ms, 10000);
}

/* The ttl, from each source and from several. */
static const struct {
	const char *args, *env, *file;
	unsigned ttl;
} precedence[] = {
	{"", "", "{}", 60},
	{"", "", "{\"ttl\":100}", 100},
	{"", "", "{\"ttl\":\"100\"}", 100},
	{"", "TTL=200|", "{\"ttl\":100}", 200},
	{"", "TTL=200|DNSBUDDY_TTL=250|", "{\"ttl\":100}", 250},
	{"", "TTL=soon|DNSBUDDY_TTL=250|", "{\"ttl\":100}", 250},
	{"", "TTL=200|DNSBUDDY_TTL=|", "{\"ttl\":100}", 200},
	{"--ttl|300|", "TTL=200|", "{\"ttl\":100}", 300},
	{"--ttl=300|", "TTL=200|", "{\"ttl\":100}", 300},
	{"nginx|www.example.com|400|", "TTL=200|", "{\"ttl\":100}", 400},
	{"--ttl=|", "TTL=200|", "{\"ttl\":100}", 200},
	{"--ttl||", "TTL=|", "{\"ttl\":100}", 100},
	{"|nginx||www.example.com|400||", "", "{}", 400},
	{"nginx|--ttl|400|www.example.com|", "", "{}", 400},
	{"--|nginx|www.example.com|400|", "", "{}", 400},
	{"nginx|www.example.com|400|--ttl|400|", "", "{}", 400},
	{"--ttl|1|", "", "{}", 1},
	{"--ttl|30|", "", "{}", 30},
	{"--ttl|86400|", "", "{}", 86400},
	{"", "", "{\"ttl\":null}", 60},
};

static void test_precedence(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(precedence); i++) {
		char env[256];

		(void)snprintf(env, sizeof env, BASE "DNSBUDDY_CONFIG=%%|%s", precedence[i].env);
		read_good(precedence[i].args, env, precedence[i].file);
		CHECK(conf.jobs[0].ttl == precedence[i].ttl, "case %zu: %u", i, (unsigned)conf.jobs[0].ttl);
	}
}

/* An entry's own value stands between environment and file. */
static void test_records_precedence(void **state)
{
	static const char file[] = "{\"ttl\":100,\"owner\":\"all\",\"records\":["
				   "{\"service\":\"a\",\"record\":\"a.example.com\"},"
				   "{\"service\":\"b\",\"record\":\"b.example.com\",\"ttl\":200,\"owner\":\"own\"}]}";

	(void)state;
	read_good("", TOKEN "DNSBUDDY_CONFIG=file://%|", file);
	assert_int_equal(conf.jobs_n, 2);
	assert_int_equal(conf.jobs[0].ttl, 100);
	assert_int_equal(conf.jobs[1].ttl, 200);
	assert_string_equal(conf.jobs[0].owner, "all");
	assert_string_equal(conf.jobs[1].owner, "own");
	assert_string_equal(conf.jobs[1].service, "b");
	read_good("", TOKEN "TTL=300|DNSBUDDY_CONFIG=%|", file);
	assert_int_equal(conf.jobs[0].ttl, 300);
	assert_int_equal(conf.jobs[1].ttl, 300);
	read_good("--owner|flag|", TOKEN "DNSBUDDY_CONFIG=%|", file);
	assert_string_equal(conf.jobs[1].owner, "flag");
}

static void test_file_forms(void **state)
{
	(void)state;
	read_good("", TOKEN "DNSBUDDY_CONFIG= {\"service\":\"s\",\"record\":\"r.example.com\"}|", NULL);
	assert_string_equal(conf.jobs[0].service, "s");
	read_good("",
		  TOKEN "DNSBUDDY_CONFIG={\"service\":\"s\",\"record\":\"r.example.com\",\"address\":[\"wan\",\"node\"],"
			"\"proxied\":true,\"include_warning\":true,\"min_records\":0}|",
		  NULL);
	assert_int_equal(conf.jobs[0].addresses.n, 2);
	assert_int_equal(conf.jobs[0].addresses.of[0], ADDRESS_WAN);
	assert_int_equal(conf.jobs[0].addresses.of[1], ADDRESS_NODE);
	assert_int_equal(conf.jobs[0].proxied, PROXIED_ON);
	assert_true(conf.jobs[0].include_warning);
	assert_int_equal(conf.jobs[0].min_records, 0);
	read_good("--ttl|60|", TOKEN "NAME=we=b|REC=www.example.com|DNSBUDDY_CONFIG=%|",
		  "{\"service\":\"{{ .NAME }}\",\"record\":\"{{ .REC | default \\\"x\\\" }}\",\"ttl\":{{ .T }}7}");
	assert_string_equal(conf.jobs[0].service, "we=b");
	assert_string_equal(conf.jobs[0].name, "www.example.com");
	/* "" members are as good as absent, and hide nothing behind them. */
	read_good("", TOKEN "DNSBUDDY_CONFIG={\"datacenter\":\"\",\"service\":\"s\",\"record\":\"r.example.com\"}|", NULL);
	assert_string_equal(conf.jobs[0].datacenter, "");
}

static void test_values(void **state)
{
	const struct job *r = &conf.jobs[0];

	(void)state;
	read_good("--record|@|--zone|Example.COM.|", TOKEN "SERVICE=s|", NULL);
	assert_string_equal(r->name, "example.com");
	assert_string_equal(r->zone, "example.com");
	read_good("--record|*.Example.com|--proxied|false|--on-empty|remove|--include-warning|", BASE "DNSBUDDY_OWNER=a.B-c_9|",
		  NULL);
	assert_string_equal(r->name, "*.example.com");
	assert_int_equal(r->proxied, PROXIED_OFF);
	assert_int_equal(r->on_empty, ON_EMPTY_REMOVE);
	assert_true(r->include_warning);
	assert_string_equal(r->owner, "a.B-c_9");
	read_good("--log-level|WARN|--log-format|json|", BASE "DNSBUDDY_ON_DROP=remove|", NULL);
	assert_int_equal(conf.log_level, LOG_WARN);
	assert_int_equal(conf.log_format, LOG_JSON);
	assert_int_equal(r->on_drop, ON_DROP_REMOVE);
	read_good("--on-empty|fallback=192.0.2.9|--include-warning=false|", BASE, NULL);
	assert_true(r->on_empty == ON_EMPTY_FALLBACK && !r->include_warning);
	assert_string_equal(r->fallback, "192.0.2.9");
	read_good("--on-empty|fallback=lb.example.net|--address|wan, lan ,node,service|", BASE, NULL);
	assert_string_equal(r->fallback, "lb.example.net");
	assert_int_equal(r->addresses.n, 4);
	read_good("--zone-id|0123456789abcdefABCDEF0123456789|", BASE, NULL);
	assert_string_equal(r->zone_id, "0123456789abcdefABCDEF0123456789");
}

static const struct {
	const char *env;
	enum url_scheme scheme;
	const char *host;
	unsigned port;
} consuls[] = {
	{"CONSUL_HTTP_ADDR=consul|", URL_HTTP, "consul", 8500},
	{"CONSUL=consul:8501|", URL_HTTP, "consul", 8501},
	{"CONSUL_HTTP_ADDR=https://consul|", URL_HTTPS, "consul", 443},
	{"CONSUL_HTTP_ADDR=http://consul|", URL_HTTP, "consul", 80},
	{"CONSUL_HTTP_ADDR=consul:8501|CONSUL_HTTP_SSL=true|", URL_HTTPS, "consul", 8501},
	{"CONSUL_HTTP_ADDR=http://consul:1|CONSUL_HTTP_SSL=1|", URL_HTTP, "consul", 1},
	{"CONSUL_PORT_8500_TCP_ADDR=172.17.0.2|", URL_HTTP, "172.17.0.2", 8500},
	{"CONSUL_PORT_8500_TCP_ADDR=172.17.0.2|CONSUL=c|", URL_HTTP, "c", 8500},
	{"CONSUL=c|CONSUL_HTTP_ADDR=c|", URL_HTTP, "c", 8500},
	{"CONSUL_HTTP_ADDR=unix:///run/consul.sock|", URL_UNIX, "localhost", 0},
};

static void test_consul(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(consuls); i++) {
		char env[512];

		(void)snprintf(env, sizeof env, BASE "%s", consuls[i].env);
		read_good("", env, NULL);
		CHECK(conf.consul_url.scheme == consuls[i].scheme && conf.consul_url.port == consuls[i].port &&
			      strcmp(conf.consul_url.host, consuls[i].host) == 0,
		      "%s", consuls[i].env);
	}
}

static void test_secrets(void **state)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

	(void)state;
	read_good("", "SERVICE=s|RECORD=r.example.com|CF_API_TOKEN_FILE=%|", " \tsecret-1\r\n\n");
	assert_string_equal(conf.api_token, "secret-1");
	read_good("", "SERVICE=s|RECORD=r.example.com|CF_API_KEY=key-12345|CLOUDFLARE_EMAIL=a@b.c|", NULL);
	assert_string_equal(conf.api_token, "");
	assert_string_equal(conf.api_key, "key-12345");
	assert_string_equal(conf.api_email, "a@b.c");
	/* Two files, and a password that ends with a quote. */
	read_good("",
		  "SERVICE=s|RECORD=r.example.com|CF_API_KEY_FILE=%|CF_AUTH_EMAIL_FILE=/proc/sys/kernel/"
		  "ostype|CONSUL_HTTP_AUTH=u:p'|",
		  " key-12345 ");
	assert_string_equal(conf.api_key, "key-12345");
	assert_string_equal(conf.api_email, "Linux");
	assert_string_equal(conf.consul_http_auth, "u:p'");
	/* Two names, one value. */
	read_good("", BASE "CF_API_TOKEN=tok-12345|CF_API_TOKEN_FILE=%|", "tok-12345\n");
	/* A proxy's names: the first that is set, as curl has it; and who that was. */
	for (size_t i = 0; i < COUNT(names); i++) {
		char env[256] = BASE;

		for (size_t k = 0; k < COUNT(names); k++)
			(void)snprintf(env + strlen(env), sizeof env - strlen(env), "%s=%s|", names[k], k < i ? "" : names[k]);
		read_good("", env, NULL);
		assert_string_equal(conf.https_proxy, names[i]);
		assert_string_equal(conf.https_proxy_name, names[i]);
	}
}

/* With SERVICE=env, RECORD=env.example.com in the environment. */
static const struct {
	const char *args;
	const char *service, *record;
	unsigned ttl;
} positions[] = {
	{"s|r.x|90|", "s", "r.x", 90},
	/* an empty one between two others leaves its setting to the environment */
	{"s||90|", "s", "env.example.com", 90},
	{"|r.x|90|", "env", "r.x", 90},
	{"||90|", "env", "env.example.com", 90},
	{"s|r.x||", "s", "r.x", 60},
	{"s||90||", "s", "env.example.com", 90},
	{"s|--ttl=90|||", "s", "env.example.com", 90},
	/* doubled blanks: nothing */
	{"|s||r.x||90|", "s", "r.x", 90},
	{"|s|r.x|90|", "s", "r.x", 90},
	{"s||r.x|90|", "s", "r.x", 90},
	{"s|r.x||90|", "s", "r.x", 90},
	{"|s||r.x|", "s", "r.x", 60},
	{"|||s||||r.x||", "s", "r.x", 60},
	{"s||1.x|", "s", "1.x", 60},
	{"|s||", "s", "env.example.com", 60},
	{"|s||90|", "s", "env.example.com", 90},
	{"||s|", "s", "env.example.com", 60},
	{"|||", "env", "env.example.com", 60},
	{"s|--||r.x|", "s", "r.x", 60},
	{"--|s||90|", "s", "env.example.com", 90},
};

static void test_positions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(positions); i++) {
		read_good(positions[i].args, TOKEN "SERVICE=env|RECORD=env.example.com|", NULL);
		CHECK(strcmp(conf.jobs[0].service, positions[i].service) == 0 &&
			      strcmp(conf.jobs[0].name, positions[i].record) == 0 && conf.jobs[0].ttl == positions[i].ttl,
		      "%s: %s %s %u", positions[i].args, conf.jobs[0].service, conf.jobs[0].name, (unsigned)conf.jobs[0].ttl);
	}
}

static void test_options(void **state)
{
	static const struct {
		const char *args[3];
		unsigned options;
	} cases[] = {
		{{"--json", "--dry-run", "--detailed-exitcode"}, OPTION_JSON | OPTION_DRY_RUN | OPTION_DETAILED_EXITCODE},
		{{"--help", "nginx", "-h"}, OPTION_HELP},
		{{"--service", "--json", "-h"}, OPTION_HELP}, /* a flag's value is no option */
		{{"nginx", "--", "--json"}, 0},
	};
	static struct values values;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *argv[3];
		struct err e = {0};

		values_init(&values);
		memcpy(argv, cases[i].args, sizeof argv);
		CHECK(values_from_arguments(&values, 3, argv, CONF_RECORDS, &e) == 0, "case %zu: %s", i, e.text);
		CHECK(values.options == cases[i].options, "case %zu: %#x", i, values.options);
	}
}

/* A word of its own says that it is not set, and so does an empty value: the default is another. */
static void test_unset(void **state)
{
	static const char *const args[] = {"--register-as=|", "--register-as|none|", "", ""};
	static const char *const files[] = {"{}", "{}", "{\"register_as\":\"\"}", "{\"register_as\":\"none\"}"};

	(void)state;
	read_good("", BASE, NULL);
	assert_string_equal(conf.register_as, "cloudflare");
	read_good("", BASE "DNSBUDDY_REGISTER_AS=|", NULL);
	assert_string_equal(conf.register_as, "");
	for (size_t i = 0; i < COUNT(args); i++) {
		read_good(args[i], BASE "DNSBUDDY_CONFIG=%|", files[i]);
		CHECK(!*conf.register_as, "%s: %s", args[i], conf.register_as);
	}
}

/* These names are other people's: nothing that they set is looked at. */
static void test_names_of_others(void **state)
{
	(void)state;
	read_good("",
		  BASE
		  "OWNER=team-web|SERVICE_TAG=|ON_DROP=perhaps|LISTEN=3000|LOCK=/var/lock/app|GRACE=30s|ADDRESS=0.0.0.0|RESYNC=no|"
		  "RETRY_FOR=ever|REGISTER_AS=app|UNHEALTHY_AFTER=0|MIN_RECORDS=|ON_EMPTY=remove|INCLUDE_WARNING=maybe|",
		  NULL);
	assert_string_equal(conf.jobs[0].owner, "");
	assert_string_equal(conf.register_as, "cloudflare");
	assert_true(conf.jobs[0].on_empty == ON_EMPTY_KEEP && conf.jobs[0].grace_ms == 1000);
	read_good("", TOKEN "SERVICE=app|RECORD=app.example.com|DNSBUDDY_SERVICE=nginx|DNSBUDDY_RECORD=www.example.com|", NULL);
	assert_string_equal(conf.jobs[0].service, "nginx");
	assert_string_equal(conf.jobs[0].name, "www.example.com");
}

/* Services name their records: there need be none of the configuration's. */
static void test_discover(void **state)
{
	struct err e = {0};

	(void)state;
	read_good("--discover|--owner|me|--discover-allow|*.Example.com, a.b|", TOKEN "TTL=90|", NULL);
	assert_true(conf.discover);
	assert_int_equal(conf.jobs_n, 0);
	assert_string_equal(conf.discover_prefix, "dnsbuddy");
	assert_string_equal(conf.discover_allow, "*.example.com, a.b");
	assert_string_equal(conf.common.owner, "me");
	assert_int_equal(conf.common.ttl, 90);
	assert_string_equal(conf.common.name, "");
	assert_true(conf.fixed == (1u << SET_OWNER | 1u << SET_TTL));
	assert_ptr_equal(config_place(&conf), &conf.common);
	/* Beside records; a list of patterns in a file. */
	assert_int_equal(conf_read("", TOKEN "DNSBUDDY_CONFIG=%|",
				   "{\"discover\":true,\"owner\":\"me\",\"discover_allow\":[\"a.b\",\"*.c\"],"
				   "\"discover_prefix\":\"dns-1\",\"ttl\":70,"
				   "\"records\":[{\"service\":\"s\",\"record\":\"r.x\",\"ttl\":80}]}",
				   &e),
			 0);
	assert_int_equal(conf.jobs_n, 1);
	assert_int_equal(conf.jobs[0].ttl, 80);
	assert_int_equal(conf.common.ttl, 70);
	assert_true(conf.fixed == 0);
	assert_string_equal(conf.discover_allow, "a.b,*.c");
	assert_string_equal(conf.discover_prefix, "dns-1");
	assert_ptr_equal(config_place(&conf), &conf.jobs[0]);
	/* Who keeps names that come and go has another lock than who keeps a list of them. */
	read_good("--discover|--owner|me|--discover-allow|*.example.com|--lock|", TOKEN, NULL);
	assert_string_equal(conf.lock_key, "service/dnsbuddy/owner-me/leader");
	read_good("--discover=false|", BASE, NULL);
	assert_false(conf.discover);
	assert_int_equal(conf.jobs_n, 1);
}

/* Nor is it an error that a service is called dnsbuddy, whatever its long name. */
static void test_links(void **state)
{
	char env[1024];

	(void)state;
	read_good("",
		  BASE "DNSBUDDY_SERVICE_HOST=10.0.0.1|DNSBUDDY_SERVICE_PORT=80|DNSBUDDY_PORT=tcp://10.0.0.1:80|DNSBUDDY_ENV_A=b|",
		  NULL);
	(void)snprintf(env, sizeof env, BASE "DNSBUDDY_%063d_SERVICE_PORT_HTTP=80|DNSBUDDY_%063d_PORT_80_TCP_ADDR=10.0.0.1|", 0, 0);
	read_good("", env, NULL);
	assert_string_equal(conf.jobs[0].service, "nginx");
}

/* What others call their levels and formats; what makes no sense is as good as not said. */
static const struct {
	const char *env;
	enum log_level level;
	enum log_format format;
} logs[] = {
	{"", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=warning|LOG_FORMAT=JSON|", LOG_WARN, LOG_JSON},
	{"LOG_LEVEL=WARN|LOG_FORMAT=logfmt|", LOG_WARN, LOG_LOGFMT},
	{"LOG_LEVEL=err|LOG_FORMAT=text|", LOG_ERROR, LOG_TEXT},
	{"LOG_LEVEL=Error|LOG_FORMAT=text|", LOG_ERROR, LOG_TEXT},
	{"LOG_LEVEL=trace|LOG_FORMAT=plain|", LOG_DEBUG, LOG_AUTO},
	{"LOG_LEVEL=DEBUG|", LOG_DEBUG, LOG_AUTO},
	{"LOG_LEVEL=notice|", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=Critical|LOG_FORMAT=%h %u %t|", LOG_ERROR, LOG_AUTO},
	{"LOG_LEVEL=information|", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=Verbose|", LOG_DEBUG, LOG_AUTO},
	{"LOG_LEVEL=EMERG|LOG_FORMAT=auto|", LOG_ERROR, LOG_AUTO},
	{"LOG_LEVEL=fatal|", LOG_ERROR, LOG_AUTO},
	{"LOG_LEVEL=panic|", LOG_ERROR, LOG_AUTO},
	{"LOG_LEVEL=alert|", LOG_ERROR, LOG_AUTO},
	{"LOG_LEVEL=off|", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=3|LOG_FORMAT=warning|", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=\"warning\"|LOG_FORMAT=|", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=\n|", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=json|LOG_FORMAT=info|", LOG_INFO, LOG_AUTO},
	{"LOG_LEVEL=trace|DNSBUDDY_LOG_LEVEL=error|LOG_FORMAT=json|DNSBUDDY_LOG_FORMAT=text|", LOG_ERROR, LOG_TEXT},
};

static void test_log_words_of_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(logs); i++) {
		char env[256];

		(void)snprintf(env, sizeof env, BASE "%s", logs[i].env);
		read_good("", env, NULL);
		CHECK(conf.log_level == logs[i].level && conf.log_format == logs[i].format, "%s", env);
	}
	/* What nobody understands hides nothing. */
	read_good("--log-format|text|", BASE "LOG_LEVEL=loud|LOG_FORMAT=xml|DNSBUDDY_CONFIG=%|", "{\"log_level\":\"warn\"}");
	assert_int_equal(conf.log_level, LOG_WARN);
	assert_int_equal(conf.log_format, LOG_TEXT);
}

/* What a command does not use is not looked at. */
static void test_groups(void **state)
{
	static struct values values;
	struct err e = {0};

	(void)state;
	assert_int_equal(clearenv(), 0);
	assert_int_equal(setenv("DNSBUDDY_LISTEN", "127.0.0.1:3000", 1), 0);
	assert_int_equal(setenv("TTL", "soon", 1), 0);
	assert_int_equal(setenv("CONSUL_HTTP_ADDR", "a", 1), 0);
	assert_int_equal(setenv("CONSUL", "b", 1), 0);
	assert_int_equal(setenv("CLOUDFLARE_API_TOKEN_FILE", "/nonexistent", 1), 0);
	values_init(&values);
	CHECK(config_read(&conf, &values, GROUP_LISTEN, &e) == 0, "%s", e.text);
	assert_string_equal(conf.listen, "127.0.0.1:3000");
	assert_int_equal(setenv("DNSBUDDY_LISTEN", "3000", 1), 0);
	assert_int_equal(config_read(&conf, &values, GROUP_LISTEN, &e), -1);
	assert_non_null(strstr(e.text, "DNSBUDDY_LISTEN"));
}

/* ---- the lock's key ---- */

/* The key for the names and owners in this file. */
static const char *key_of(const char *records)
{
	static char keys[4][CONFIG_KEY_CAP];
	static size_t at;
	char file[1024];

	(void)snprintf(file, sizeof file, "{\"records\":[%s]}", records);
	read_good("--lock|", TOKEN "DNSBUDDY_CONFIG=%|", file);
	at = (at + 1) % COUNT(keys);
	return strcpy(keys[at], conf.lock_key);
}

#define A "{\"service\":\"s\",\"record\":\"a.example.com\"}"
#define B "{\"service\":\"s\",\"record\":\"b.example.com\"}"
#define C "{\"service\":\"s\",\"record\":\"c.example.com\"}"
#define B_OF(owner) "{\"service\":\"s\",\"record\":\"b.example.com\",\"owner\":\"" owner "\"}"
#define C_OF(owner) "{\"service\":\"s\",\"record\":\"c.example.com\",\"owner\":\"" owner "\"}"

static const struct {
	const char *one, *other;
	bool is_same;
} sets[] = {
	{A, A, true},
	{A "," B, B "," A, true},
	{"{\"service\":\"s\",\"record\":\"A.Example.com.\"}", A, true},
	{"{\"service\":\"s\",\"record\":\"@\",\"zone\":\"a.example.com\",\"ttl\":99}", A, true},
	{"{\"service\":\"t\",\"record\":\"a.example.com\"}", A, true}, /* the names count, not what they follow */
	{A, B, false},
	{A, A "," B, false},
	{A "," B, A "," B_OF("east"), false},
	{B_OF("east"), B_OF("west"), false},
	{B_OF("east") "," B_OF("west"), B_OF("west") "," B_OF("east"), true},
	{B_OF("east") "," C_OF("west"), B_OF("west") "," C_OF("east"), false},
	{B, B_OF("b.example.com"), false},
};

static void test_lock_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++)
		CHECK((strcmp(key_of(sets[i].one), key_of(sets[i].other)) == 0) == sets[i].is_same, "%s: %s", sets[i].one,
		      sets[i].other);
	assert_string_equal(key_of(A), "service/dnsbuddy/a.example.com-c4e2fb26/leader");
	assert_string_equal(key_of(C "," B "," A), "service/dnsbuddy/a.example.com+2-fedd257b/leader");
	read_good("--lock=my/key|", BASE, NULL);
	assert_string_equal(conf.lock_key, "my/key");
	read_good("--lock=false|", BASE, NULL);
	assert_string_equal(conf.lock_key, "");
}

/* ---- read again ---- */

static struct config old;

static void read_old_and_new(void)
{
	read_good("",
		  "SERVICE=s|RECORD=r.example.com|DNSBUDDY_CONFIG={\"api_token\":\"old-token\",\"consul\":\"a\",\"lock\":\"a/key\","
		  "\"resync\":10,\"ttl\":100}|",
		  NULL);
	old = conf;
	read_good("",
		  "SERVICE=s|RECORD=r.example.com|DNSBUDDY_CONFIG={\"api_token\":\"new-token\",\"consul\":\"b\",\"lock\":\"b/key\","
		  "\"resync\":20,\"ttl\":200,\"consul_token\":\"t-12\"}|",
		  NULL);
	assert_true(config_has_new_secrets(&old, &conf));
}

static void test_keep_until_restart(void **state)
{
	char names[128];
	struct buf b;

	(void)state;
	read_old_and_new();
	buf_init(&b, names, sizeof names);
	config_keep(&conf, &old, false, &b);
	assert_string_equal(names, "consul, lock");
	assert_string_equal(conf.consul_url.host, "a");
	assert_string_equal(conf.lock_key, "a/key");
	assert_int_equal(conf.resync_ms, 20000);
	assert_string_equal(conf.api_token, "new-token");
	assert_int_equal(conf.jobs[0].ttl, 200);
	/* It is named until it is what is in force. */
	old = conf;
	read_old_and_new();
	buf_reset(&b);
	config_keep(&conf, &old, false, &b);
	assert_string_equal(names, "consul, lock");
	buf_reset(&b);
	config_keep(&conf, &conf, false, &b);
	assert_string_equal(names, "");
}

static void test_keep_all_but_secrets(void **state)
{
	char names[128];
	struct buf b;

	(void)state;
	read_old_and_new();
	buf_init(&b, names, sizeof names);
	config_keep(&conf, &old, true, &b);
	assert_string_equal(conf.api_token, "new-token");
	assert_string_equal(conf.consul_token, "t-12");
	assert_string_equal(conf.consul_url.host, "a");
	assert_int_equal(conf.resync_ms, 10000);
	assert_int_equal(conf.jobs_n, 1);
	assert_int_equal(conf.jobs[0].ttl, 100);
	assert_true(conf.jobs[0].has_token);
	assert_int_equal(conf.common.ttl, 100);
	assert_true(conf.common.has_token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_records_precedence),
		cmocka_unit_test(test_file_forms),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_consul),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_unset),
		cmocka_unit_test(test_names_of_others),
		cmocka_unit_test(test_discover),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_log_words_of_others),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_lock_keys),
		cmocka_unit_test(test_keep_until_restart),
		cmocka_unit_test(test_keep_all_but_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
