/* What bad input gets: one line that names the setting, where it came from and what is right. */
#include "support.h"

#include "config/conf.h"

#define TOKEN "CLOUDFLARE_API_TOKEN=tok-12345|"
#define BASE TOKEN "SERVICE=nginx|RECORD=www.example.com|"
#define FILE_BASE TOKEN "DNSBUDDY_CONFIG=%|"
#define RECORDS(list) "{\"records\":[" list "]}"

struct bad {
	const char *args, *env, *file;
	enum err_kind kind;
	const char *says[3];
};

static const struct bad usage[] = {
	{"--frobnicate|1|", BASE, NULL, ERR_USAGE, {"--frobnicate"}},
	{"-x|", BASE, NULL, ERR_USAGE, {"-x"}},
	{"--dry-run=true|", BASE, NULL, ERR_USAGE, {"--dry-run"}},
	{"--ttl|", BASE, NULL, ERR_USAGE, {"--ttl needs a value"}},
	{"--tt|60|", BASE, NULL, ERR_USAGE, {"--tt"}},
	{"--api-token|x|", BASE, NULL, ERR_USAGE, {"--api-token"}},
	{"s|90|", TOKEN, NULL, ERR_USAGE, {"record: \"90\" (argument RECORD)", "whole name"}},
	{"a|b.example.com|60|d|", TOKEN, NULL, ERR_USAGE, {"too many", "\"d\""}},
	{"--ttl|60|--ttl|61|", BASE, NULL, ERR_USAGE, {"--ttl", "different"}},
	{"--ttl|60|s|r.example.com|61|", TOKEN, NULL, ERR_USAGE, {"--ttl", "argument TTL"}},
	{"--ttl|abc|", BASE, NULL, ERR_USAGE, {"ttl: \"abc\" (--ttl)", "30 to 86400"}},
	{"s|r.example.com|soon|", TOKEN, NULL, ERR_USAGE, {"ttl: \"soon\" (argument TTL)"}},
};

static const struct bad environment[] = {
	{"", BASE "TTL=abc|", NULL, ERR_CONFIG, {"ttl: \"abc\" (TTL in the environment)", "86400"}},
	{"", BASE "TTL=0|", NULL, ERR_CONFIG, {"ttl: \"0\""}},
	{"", BASE "TTL=2|", NULL, ERR_CONFIG, {"ttl: \"2\""}},
	{"", BASE "TTL=29|", NULL, ERR_CONFIG, {"ttl: \"29\""}},
	{"", BASE "TTL=86401|", NULL, ERR_CONFIG, {"ttl: \"86401\""}},
	{"", BASE "TTL=60s|", NULL, ERR_CONFIG, {"ttl: \"60s\""}},
	{"", BASE "PROXIED=yes|", NULL, ERR_CONFIG, {"proxied: \"yes\" (PROXIED", "true or false"}},
	{"", BASE "DNSBUDDY_ON_EMPTY=drop|", NULL, ERR_CONFIG, {"on-empty", "DNSBUDDY_ON_EMPTY", "keep, remove or fallback="}},
	{"", BASE "DNSBUDDY_ON_EMPTY=fallback=|", NULL, ERR_CONFIG, {"on-empty", "empty"}},
	{"", BASE "DNSBUDDY_ON_EMPTY=fallback=0.0.0.0|", NULL, ERR_CONFIG, {"on-empty", "nobody"}},
	{"", BASE "DNSBUDDY_MIN_RECORDS=-1|", NULL, ERR_CONFIG, {"min-records", "DNSBUDDY_MIN_RECORDS"}},
	{"", BASE "DNSBUDDY_MIN_RECORDS=16385|", NULL, ERR_CONFIG, {"min-records"}},
	{"", BASE "DNSBUDDY_OWNER=a b|", NULL, ERR_CONFIG, {"owner: \"a b\" (DNSBUDDY_OWNER"}},
	{"", BASE "DNSBUDDY_OWNER=a\"b|", NULL, ERR_CONFIG, {"owner"}},
	{"", BASE "DNSBUDDY_ADDRESS=public|", NULL, ERR_CONFIG, {"address: \"public\" (DNSBUDDY_ADDRESS", "service, node"}},
	{"", BASE "DNSBUDDY_ADDRESS=wan,|", NULL, ERR_CONFIG, {"address"}},
	{"", BASE "DNSBUDDY_ADDRESS=wan;lan|", NULL, ERR_CONFIG, {"address"}},
	{"", BASE "DNSBUDDY_ADDRESS=wan,lan,node,service,wan|", NULL, ERR_CONFIG, {"address", "four"}},
	{"", BASE "DNSBUDDY_INCLUDE_WARNING=maybe|", NULL, ERR_CONFIG, {"include-warning", "DNSBUDDY_INCLUDE_WARNING"}},
	{"", BASE "CF_ZONE_ID=xyz|", NULL, ERR_CONFIG, {"zone-id", "CF_ZONE_ID", "32 hexadecimal"}},
	{"", BASE "CF_ROOT_DOMAIN=a..b|", NULL, ERR_CONFIG, {"zone", "CF_ROOT_DOMAIN", "empty label"}},
	{"", BASE "CF_ROOT_DOMAIN=example.org|", NULL, ERR_CONFIG, {"record", "does not lie in the zone"}},
	{"", TOKEN "SERVICE=s|RECORD=www|", NULL, ERR_CONFIG, {"record: \"www\" (RECORD", "whole name"}},
	{"", TOKEN "SERVICE=s|RECORD=@|", NULL, ERR_CONFIG, {"record", "CF_ROOT_DOMAIN"}},
	{"", TOKEN "SERVICE=s|RECORD=bu\xcc\x88.example|", NULL, ERR_CONFIG, {"record", "Punycode"}},
	/* a CNAME to itself, in any spelling */
	{"", BASE "DNSBUDDY_ON_EMPTY=fallback=www.example.com|", NULL, ERR_CONFIG, {"on-empty", "ON_EMPTY", "own name"}},
	{"", BASE "DNSBUDDY_ON_EMPTY=fallback=WWW.Example.com.|", NULL, ERR_CONFIG, {"on-empty", "own name"}},
	{"",
	 TOKEN "SERVICE=s|RECORD=@|CF_ROOT_DOMAIN=example.com|DNSBUDDY_ON_EMPTY=fallback=example.com|",
	 NULL,
	 ERR_CONFIG,
	 {"own name"}},
	{"", TOKEN "SERVICE=s|RECORD=xn--tda.example|DNSBUDDY_ON_EMPTY=fallback=\xc3\xbc.example|", NULL, ERR_CONFIG, {"own name"}},
	/* parts of a path that a server leaves out */
	{"", TOKEN "SERVICE=..|RECORD=r.example.com|", NULL, ERR_CONFIG, {"service", "part of a path"}},
	{"", TOKEN "SERVICE=.|RECORD=r.example.com|", NULL, ERR_CONFIG, {"service", "part of a path"}},
	{"", TOKEN "SERVICE=a/../b|RECORD=r.example.com|", NULL, ERR_CONFIG, {"service", "part of a path"}},
	{"", BASE "DNSBUDDY_REGISTER_AS=a/..|", NULL, ERR_CONFIG, {"register-as", "part of a path"}},
	{"", BASE "DNSBUDDY_LOCK=../x|", NULL, ERR_CONFIG, {"lock"}},
	{"", BASE "DNSBUDDY_LOCK=a/./x|", NULL, ERR_CONFIG, {"lock"}},
	{"", BASE "DNSBUDDY_LOCK=a//x|", NULL, ERR_CONFIG, {"lock"}},
	{"", BASE "DNSBUDDY_LOCK=a/x/|", NULL, ERR_CONFIG, {"lock"}},
	{"", BASE "DNSBUDDY_LOCK=/x|", NULL, ERR_CONFIG, {"lock"}},
	{"", BASE "CONSUL_HTTP_ADDR=http://h/a/../b|", NULL, ERR_CONFIG, {"consul", "part of the path"}},
	{"", BASE "CF_API_URL=https://h/%2E./b|", NULL, ERR_CONFIG, {"cf-api-url", "part of the path"}},
	{"", TOKEN "SERVICE=s|", NULL, ERR_CONFIG, {"record is missing", "--record or RECORD"}},
	{"", TOKEN "RECORD=www.example.com|", NULL, ERR_CONFIG, {"service is missing", "SERVICE"}},
	{"", BASE "DNSBUDDY_RETRY_FOR=86401|", NULL, ERR_CONFIG, {"retry-for", "DNSBUDDY_RETRY_FOR", "86400"}},
	{"", BASE "DNSBUDDY_TIMEOUT=0|", NULL, ERR_CONFIG, {"timeout", "DNSBUDDY_TIMEOUT", "300"}},
	{"", BASE "DNSBUDDY_TIMEOUT=301|", NULL, ERR_CONFIG, {"timeout"}},
	{"", BASE "DNSBUDDY_LOG_FORMAT=xml|", NULL, ERR_CONFIG, {"log-format", "DNSBUDDY_LOG_FORMAT", "json"}},
	{"",
	 BASE "DNSBUDDY_ON_DROP=perhaps|",
	 NULL,
	 ERR_CONFIG,
	 {"DNSBUDDY_ON_DROP in the environment", "is wrong: keep or remove"}},
	{"", BASE "DNSBUDDY_LOG_LEVEL=loud|", NULL, ERR_CONFIG, {"log-level", "DNSBUDDY_LOG_LEVEL", "debug"}},
	{"", BASE "CF_API_URL=http://api|", NULL, ERR_CONFIG, {"cf-api-url", "CF_API_URL", "https"}},
	{"", BASE "CONSUL_HTTP_ADDR=h:0|", NULL, ERR_CONFIG, {"consul", "CONSUL_HTTP_ADDR"}},
	{"", BASE "CONSUL_HTTP_SSL=yes|", NULL, ERR_CONFIG, {"CONSUL_HTTP_SSL", "true or false"}},
	{"", BASE "CONSUL_HTTP_SSL_VERIFY=no|", NULL, ERR_CONFIG, {"CONSUL_HTTP_SSL_VERIFY"}},
	{"", BASE "CONSUL_CLIENT_CERT=/x|", NULL, ERR_CONFIG, {"CONSUL_CLIENT_KEY", "CONSUL_CLIENT_CERT"}},
	{"", "SERVICE=s|RECORD=r.example.com|", NULL, ERR_CONFIG, {"CLOUDFLARE_API_TOKEN", "_FILE"}},
	{"", "SERVICE=s|RECORD=r.example.com|CF_API_KEY=key-1|", NULL, ERR_CONFIG, {"CF_AUTH_EMAIL"}},
	{"", "SERVICE=s|RECORD=r.example.com|CF_API_TOKEN=|", NULL, ERR_CONFIG, {"no credentials"}},
	/* discovery is only safe with an owner and bounds */
	{"",
	 TOKEN "DNSBUDDY_DISCOVER=true|",
	 NULL,
	 ERR_CONFIG,
	 {"discover", "DNSBUDDY_DISCOVER in", "--owner and --discover-allow"}},
	{"--discover|", BASE "DNSBUDDY_OWNER=me|", NULL, ERR_USAGE, {"discover: \"true\" (--discover)", "--discover-allow"}},
	{"--discover|--discover-allow|*.example.com|", BASE, NULL, ERR_USAGE, {"discover", "--owner"}},
	{"--discover|--discover-allow|*.example.com|--owner|me|", TOKEN "SERVICE=s|", NULL, ERR_CONFIG, {"record is missing"}},
	{"--discover|--discover-allow|*.example.com|--owner|me|", TOKEN "RECORD=r.x|", NULL, ERR_CONFIG, {"service is missing"}},
	{"", BASE "DNSBUDDY_DISCOVER=perhaps|", NULL, ERR_CONFIG, {"discover", "true or false"}},
	{"", BASE "DNSBUDDY_DISCOVER_PREFIX=a b|", NULL, ERR_CONFIG, {"discover-prefix", "letters, digits"}},
	{"", BASE "DNSBUDDY_DISCOVER_PREFIX=|", NULL, ERR_CONFIG, {"DNSBUDDY_DISCOVER_PREFIX", "is empty"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=|", NULL, ERR_CONFIG, {"DNSBUDDY_DISCOVER_ALLOW", "is empty"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=a.org;b.org|", NULL, ERR_CONFIG, {"discover-allow", "names as *.example.com"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=\xc3\xbc.org|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=*.example.com.|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=*.|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=.example.com|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=**.example.com|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=*|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=a*b.example.com|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=a.org,,b.org|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=a.org,|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=a.org b.org|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"", BASE "DNSBUDDY_DISCOVER_ALLOW=a..org|", NULL, ERR_CONFIG, {"discover-allow", "Punycode"}},
	{"",
	 BASE "DNSBUDDY_DISCOVER_ALLOW=0123456789012345678901234567890123456789012345678901234567890123.org|",
	 NULL,
	 ERR_CONFIG,
	 {"discover-allow", "Punycode"}},
	/* empty would open what these guard */
	{"--owner|", BASE "DNSBUDDY_OWNER=a|", NULL, ERR_USAGE, {"--owner needs a value"}},
	{"--owner=|", BASE, NULL, ERR_USAGE, {"--owner is empty"}},
	{"", BASE "DNSBUDDY_OWNER=|", NULL, ERR_CONFIG, {"DNSBUDDY_OWNER in the environment is empty"}},
	{"", BASE "DNSBUDDY_TAG=|", NULL, ERR_CONFIG, {"DNSBUDDY_TAG"}},
	{"--min-records=|", BASE, NULL, ERR_USAGE, {"--min-records is empty"}},
	/* quoted JSON may hold secrets: it is not told */
	{"--config|'{\"api_token\":\"tok-1\"}'|", BASE, NULL, ERR_USAGE, {"--config: byte 1 is a quote"}},
	{"",
	 BASE "DNSBUDDY_CONFIG='{\"api_token\":\"tok-1\"}'|",
	 NULL,
	 ERR_CONFIG,
	 {"DNSBUDDY_CONFIG in the environment: byte 1 is a quote"}},
	{"",
	 BASE "DNSBUDDY_CONFIG=\xef\xbb\xbf{\"api_token\":\"tok-1\"}|",
	 NULL,
	 ERR_CONFIG,
	 {"DNSBUDDY_CONFIG", "a byte order mark"}},
	{"", BASE "DNSBUDDY_CONFIG=x{\"api_token\":\"tok-1\"}|", NULL, ERR_CONFIG, {"DNSBUDDY_CONFIG", "begin with {"}},
	/* nor is an argument the place for it: everybody can see it */
	{"--config|{\"api_token\":\"tok-1\"}|", BASE, NULL, ERR_USAGE, {"--config: a path is wanted", "DNSBUDDY_CONFIG"}},
	{"--config= \n{\"https_proxy\":\"http://u:tok-1@h:1\"}|", BASE, NULL, ERR_USAGE, {"--config: a path is wanted"}},
	{"--config|{}|", BASE, NULL, ERR_USAGE, {"--config: a path is wanted"}},
	/* a name that is not known: the nearest, and not what it was set to */
	{"",
	 BASE "DNSBUDDY_OWNR=tok-1|",
	 NULL,
	 ERR_CONFIG,
	 {"DNSBUDDY_OWNR in the environment is no setting: is it DNSBUDDY_OWNER?"}},
	{"", BASE "DNSBUDDY_OWNERS=|", NULL, ERR_CONFIG, {"DNSBUDDY_OWNERS", "is it DNSBUDDY_OWNER?"}},
	{"", BASE "DNSBUDDY_onempty=remove|", NULL, ERR_CONFIG, {"DNSBUDDY_onempty", "is it DNSBUDDY_ON_EMPTY?"}},
	{"", BASE "DNSBUDDY_owner=a|", NULL, ERR_CONFIG, {"is it DNSBUDDY_OWNER?"}},
	{"", BASE "DNSBUDDY_SERVICE_TAG=a|", NULL, ERR_CONFIG, {"DNSBUDDY_SERVICE_TAG"}},
	{"", BASE "DNSBUDDY_REGISTER=a|", NULL, ERR_CONFIG, {"is it DNSBUDDY_REGISTER_AS?"}},
	{"", BASE "DNSBUDDY_OWNER_FILE=/x|", NULL, ERR_CONFIG, {"DNSBUDDY_OWNER_FILE", "is it DNSBUDDY_OWNER?"}},
	{"", BASE "DNSBUDDY_ZONE=example.com|", NULL, ERR_CONFIG, {"DNSBUDDY_ZONE", "is it CF_ROOT_DOMAIN?"}},
	{"", BASE "DNSBUDDY_PROXIED=true|", NULL, ERR_CONFIG, {"is it PROXIED?"}},
	{"", BASE "DNSBUDDY_TOKEN=tok-1|", NULL, ERR_CONFIG, {"is it CLOUDFLARE_API_TOKEN?"}},
	{"", BASE "DNSBUDDY_API_TOKEN_FILE=/x|", NULL, ERR_CONFIG, {"is it CLOUDFLARE_API_TOKEN?"}},
	{"", BASE "DNSBUDDY_CONFIG_FILE=/x|", NULL, ERR_CONFIG, {"is it DNSBUDDY_CONFIG?"}},
	{"", BASE "DNSBUDDY_=|", NULL, ERR_CONFIG, {"DNSBUDDY_ in the environment is no setting: is it DNSBUDDY_ID?"}},
	{"", BASE "DNSBUDDY_LISTEN_PORT=80|", NULL, ERR_CONFIG, {"is it DNSBUDDY_LISTEN_HOST?"}},
	/* two names of one setting */
	{"", BASE "CF_API_TOKEN=tok-other|", NULL, ERR_CONFIG, {"CLOUDFLARE_API_TOKEN", "CF_API_TOKEN", "differ"}},
	{"", BASE "CONSUL_HTTP_ADDR=a|CONSUL=b|", NULL, ERR_CONFIG, {"CONSUL_HTTP_ADDR and CONSUL"}},
	{"", BASE "CLOUDFLARE_API_TOKEN_FILE=%|", "tok-other", ERR_CONFIG, {"CLOUDFLARE_API_TOKEN and CLOUDFLARE_API_TOKEN_FILE"}},
	/* files of secrets */
	{"", "CF_API_TOKEN_FILE=/nonexistent|", NULL, ERR_CONFIG, {"CF_API_TOKEN_FILE: the file it names: No such file"}},
	{"", "CF_API_TOKEN_FILE=%|", "", ERR_CONFIG, {"CF_API_TOKEN_FILE", "is empty"}},
	{"", "CF_API_TOKEN_FILE=%|", " \n", ERR_CONFIG, {"CF_API_TOKEN_FILE", "is empty"}},
	{"", "CF_API_TOKEN_FILE=/|", NULL, ERR_CONFIG, {"CF_API_TOKEN_FILE: the file it names: Is a directory"}},
};

static const struct bad files[] = {
	{"", FILE_BASE, "", ERR_CONFIG, {"dnsbuddy-unit", "line 1"}},
	{"", FILE_BASE, "[]", ERR_CONFIG, {"object"}},
	{"", FILE_BASE, "{\n\"ttl\":60,\n}", ERR_CONFIG, {"line 3, column 1: the comma before it is one too many"}},
	{"", FILE_BASE, "{\"address\":[\"wan\" ,\t]}", ERR_CONFIG, {"column 21: the comma before"}},
	{"", FILE_BASE, "\xef\xbb\xbf{}", ERR_CONFIG, {"line 1, column 1: a byte order mark (U+FEFF)"}},
	{"", FILE_BASE, "{} // all\n", ERR_CONFIG, {"line 1, column 4: JSON has no comments"}},
	{"", FILE_BASE, "/* all */ {}", ERR_CONFIG, {"line 1, column 1: JSON has no comments"}},
	{"", FILE_BASE, "{\n # all\n}", ERR_CONFIG, {"line 2, column 2: JSON has no comments"}},
	{"", FILE_BASE, "{\"ttl\":60, // all\n\"tag\":\"a\"}", ERR_CONFIG, {"column 12: JSON has no comments"}},
	{"", FILE_BASE, "{\"ttl\":60/* all */}", ERR_CONFIG, {"column 10: JSON has no comments"}},
	{"", FILE_BASE, "{\n\xc2\xa0\"ttl\":60}", ERR_CONFIG, {"line 2, column 1: a no-break space (U+00A0)"}},
	{"", FILE_BASE, "{'ttl':60}", ERR_CONFIG, {"column 2: a quote (U+0027)"}},
	{"", FILE_BASE, "{\xe2\x80\x9cttl\xe2\x80\x9d:60}", ERR_CONFIG, {"column 2: a quote (U+201C)"}},
	{"", FILE_BASE, "{\"tag\":\"a\nb\"}", ERR_CONFIG, {"column 10: a control character (U+000A)"}},
	{"", FILE_BASE, "{\"ttl\":60", ERR_CONFIG, {"not JSON: line 1, column 10"}},
	{"", FILE_BASE, "{\n\"ttl\":60,\n \"tll\":60}", ERR_CONFIG, {"line 3, column 3: unknown key \"tll\""}},
	{"", FILE_BASE, "{\"ttl\":60,\n\"ttl\":60}", ERR_CONFIG, {"line 2, column 2: ttl stands twice"}},
	{"", FILE_BASE, "{\"config\":\"x\"}", ERR_CONFIG, {"unknown key \"config\""}},
	{"", FILE_BASE, "{\"ttl\":{}}", ERR_CONFIG, {"line 1, column 3: ttl must be"}},
	{"", FILE_BASE, "{\"ttl\":[1]}", ERR_CONFIG, {"line 1, column 3: ttl must be"}},
	{"", FILE_BASE, "{\"service\":\"s\",\"record\":\"r.example.com\",\n\"ttl\":7}", ERR_CONFIG, {"ttl: \"7\"", ":2, key ttl"}},
	{"", FILE_BASE, "{\n\n\"x\":\"{{ bad }}\"}", ERR_CONFIG, {"line 3, column 6"}},
	{"", FILE_BASE, "{\"records\":[]}", ERR_CONFIG, {"line 1, column 3: \"records\" must be a list"}},
	{"", FILE_BASE, "{\"records\":{}}", ERR_CONFIG, {"\"records\" must be a list"}},
	{"", FILE_BASE, "{\"records\":[1]}", ERR_CONFIG, {"must be an object"}},
	{"",
	 FILE_BASE,
	 RECORDS("{\"service\":\"s\",\n\"api_token\":\"x\"}"),
	 ERR_CONFIG,
	 {"line 2, column ", "unknown key \"api_token\" in a record"}},
	{"", FILE_BASE, RECORDS("{\"service\":\"s\"}"), ERR_CONFIG, {"record 1 of", "record is missing"}},
	{"",
	 FILE_BASE,
	 RECORDS("{\"service\":\"s\",\"record\":\"a.example.com\"},\n{\"record\":\"b.x.y\","
		 "\"service\":\"t\",\"ttl\":5}"),
	 ERR_CONFIG,
	 {"record 2", ":2, key ttl"}},
	{"",
	 FILE_BASE,
	 RECORDS("{\"service\":\"s\",\"record\":\"a.b\"},{\"service\":\"t\",\"record\":\"A.B\"}"),
	 ERR_CONFIG,
	 {"records 1 and 2 are both for a.b"}},
	{"",
	 FILE_BASE,
	 RECORDS("{\"service\":\"s\",\"record\":\"a.b\",\"owner\":\"x\"},"
		 "{\"service\":\"t\",\"record\":\"a.b\"}"),
	 ERR_CONFIG,
	 {"both for a.b"}},
	{"",
	 FILE_BASE "SERVICE=s|",
	 RECORDS("{\"record\":\"a.b\"}"),
	 ERR_CONFIG,
	 {"service (SERVICE in the environment)", "exclude each other"}},
	{"", FILE_BASE, "{\"records\":[{\"service\":\"s\",\"record\":\"a.b\"}],\n\"records\":[]}", ERR_CONFIG, {"line 2"}},
	{"", TOKEN "DNSBUDDY_CONFIG=/nonexistent.json|", NULL, ERR_CONFIG, {"/nonexistent.json"}},
	{"", TOKEN "DNSBUDDY_CONFIG={\"x\":1}|", NULL, ERR_CONFIG, {"configuration: line 1, column 3: unknown key"}},
};

static void check(const struct bad *b)
{
	struct err e = {0};

	CHECK(conf_read(b->args, b->env, b->file, &e) == -1, "args %s, env %s, file %s", b->args, b->env, b->file ? b->file : "-");
	CHECK(e.kind == b->kind, "%s: %s", err_kind_name(e.kind), e.text);
	for (size_t i = 0; i < COUNT(b->says) && b->says[i]; i++)
		CHECK(strstr(e.text, b->says[i]), "\"%s\" is not in: %s", b->says[i], e.text);
	CHECK(!strstr(e.text, "tok-") && !strstr(e.text, "key-1"), "a secret: %s", e.text);
}

static void test_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(usage); i++)
		check(&usage[i]);
}

static void test_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(environment); i++)
		check(&environment[i]);
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		check(&files[i]);
}

/* No control character gets anywhere near a request. */
static void test_controls(void **state)
{
	static const char *const names[] = {
		"SERVICE",
		"RECORD",
		"TTL",
		"CF_ROOT_DOMAIN",
		"CF_ZONE_ID",
		"PROXIED",
		"DNSBUDDY_OWNER",
		"DNSBUDDY_ON_EMPTY",
		"DNSBUDDY_MIN_RECORDS",
		"DNSBUDDY_TAG",
		"DNSBUDDY_ADDRESS",
		"CONSUL_DATACENTER",
		"CONSUL_NAMESPACE",
		"CONSUL_PARTITION",
		"CF_API_URL",
		"CONSUL_HTTP_ADDR",
		"CONSUL_TLS_SERVER_NAME",
		"DNSBUDDY_RETRY_FOR",
		"DNSBUDDY_LOG_LEVEL",
		"CONSUL_HTTP_TOKEN",
		"CONSUL_HTTP_AUTH",
		"CF_API_KEY",
		"CF_AUTH_EMAIL",
	};
	static const char *const values[] = {"a.b\r\nX: y", "a.b\n.c", "a.b\x01.c", "a.b\x7f.c"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		for (size_t k = 0; k < COUNT(values); k++) {
			struct err e = {0};
			char env[512];

			(void)snprintf(env, sizeof env, BASE "%s=%s|", names[i], values[k]);
			CHECK(conf_read("", env, NULL, &e) == -1, "%s", env);
			CHECK(strstr(e.text, names[i]), "%s: %s", names[i], e.text);
			CHECK(strcspn(e.text, "\r\n\x01\x7f") == strlen(e.text), "%s", e.text);
		}
}

/* A secret that is wrong is named, and not shown; nor is a password in an address. */
static void test_no_secret_is_told(void **state)
{
	static const char *const envs[] = {
		BASE "CONSUL_HTTP_TOKEN=hidden\x01secret|",
		BASE "CONSUL_HTTP_AUTH=user:hidden\x01|",
		"CLOUDFLARE_API_TOKEN=hidden\nsecret|SERVICE=s|RECORD=r.example.com|",
		BASE "CF_API_TOKEN=hidden|",
		BASE "CF_API_URL=https://user:hidden@api.example.com|",
		BASE "CONSUL_HTTP_ADDR=http://user:hidden@consul:8500|",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(envs); i++) {
		struct err e = {0};

		CHECK(conf_read("", envs[i], NULL, &e) == -1, "%s", envs[i]);
		CHECK(e.kind == ERR_CONFIG && !strstr(e.text, "hidden"), "%s", e.text);
	}
}

static void test_limits(void **state)
{
	static char file[CONFIG_FILE_MAX + 2];
	static char args[512], records[CONFIG_RECORDS_MAX * 64 + 128];
	struct err e = {0};

	(void)state;
	memset(file, ' ', sizeof file - 1);
	memcpy(file, "{}", 2);
	assert_int_equal(conf_read("", BASE "DNSBUDDY_CONFIG=%|", file, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	file[CONFIG_FILE_MAX] = '\0';
	file[CONFIG_FILE_MAX - 1] = ' ';
	(void)conf_read("", BASE "DNSBUDDY_CONFIG=%|", file, &e);
	/* secrets */
	memset(file, 's', CONFIG_SECRET_MAX + 1);
	file[CONFIG_SECRET_MAX + 1] = '\0';
	assert_int_equal(conf_read("", BASE "CONSUL_HTTP_TOKEN_FILE=%|", file, &e), -1);
	assert_non_null(strstr(e.text, "CONSUL_HTTP_TOKEN_FILE: the file it names: it is longer than 4096 bytes"));
	file[CONFIG_SECRET_MAX] = '\0';
	assert_int_equal(conf_read("", BASE "CONSUL_HTTP_TOKEN_FILE=%|", file, &e), 0);
	/* a service's name */
	memset(args, 'n', sizeof args);
	memcpy(args + (JOB_TEXT_CAP - 1), "|", 2);
	assert_int_equal(conf_read(args, TOKEN "RECORD=r.example.com|", NULL, &e), 0);
	memcpy(args + (JOB_TEXT_CAP - 1), "n|", 3);
	assert_int_equal(conf_read(args, TOKEN "RECORD=r.example.com|", NULL, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	/* the file with its variables in it */
	memset(file, 'x', 8000);
	memcpy(file, "BIG=", 4);
	strcpy(file + 8000, "|" BASE "DNSBUDDY_CONFIG=%|");
	strcpy(records, "{\"tag\":\"");
	for (int i = 0; i < CONFIG_FILE_MAX / 7996 + 1; i++)
		strcat(records, "{{ .BIG }}");
	strcat(records, "\"}");
	assert_int_equal(conf_read("", file, records, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.text, "longer than"));
	/* entries of "records" */
	for (int over = 0; over < 2; over++) {
		strcpy(records, "{\"records\":[");
		for (int i = 0; i < CONFIG_RECORDS_MAX + over; i++)
			(void)snprintf(records + strlen(records), 64, "%s{\"service\":\"s\",\"record\":\"r%d.x\"}", i ? "," : "",
				       i);
		strcat(records, "]}");
		assert_int_equal(conf_read("", TOKEN "DNSBUDDY_CONFIG=%|", records, &e), over ? -1 : 0);
	}
	assert_non_null(strstr(e.text, "more than 1024 records"));
	assert_int_equal(e.kind, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage),    cmocka_unit_test(test_environment),       cmocka_unit_test(test_files),
		cmocka_unit_test(test_controls), cmocka_unit_test(test_no_secret_is_told), cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
