/* What the tags of a service say: the settings, the names, and what is wrong with them. */
#include "support.h"

#include "config/conf.h"
#include "config/tags.h"

#define BASE "CLOUDFLARE_API_TOKEN=tok-12345|DNSBUDDY_DISCOVER=true|DNSBUDDY_OWNER=me|"
#define ALLOW BASE "DNSBUDDY_DISCOVER_ALLOW=*.example.com|"
#define T(key_and_value) "dnsbuddy." key_and_value "\0"

static char named[65536]; /* the names that were given, each with a blank behind it */
static size_t names_n;
static struct job job;

static int take(void *ctx, const char *name, struct err *e)
{
	size_t len = strlen(named);

	(void)ctx;
	(void)e;
	names_n++;
	(void)snprintf(named + len, sizeof named - len, "%s ", name);
	return 0;
}

static int read_tags(const char *service, const char *text, struct err *e)
{
	struct service_tags tags = {.service = service, .text = text};

	for (const char *p = text; *p; p += strlen(p) + 1)
		tags.n++;
	named[0] = '\0';
	names_n = 0;
	return tags_read(&conf, &tags, &job, take, NULL, e);
}

static void configure(const char *args, const char *env)
{
	struct err e = {0};

	CHECK(conf_read(args, env, NULL, &e) == 0, "%s", e.text);
}

static void check_good(const char *text)
{
	struct err e = {0};

	CHECK(read_tags("web", text, &e) == 0, "%s: %s", text, e.text);
	assert_int_equal(e.kind, ERR_NONE);
}

static void test_ours(void **state)
{
	(void)state;
	assert_true(tags_is_ours("dnsbuddy.record=a.example.com", "dnsbuddy"));
	assert_true(tags_is_ours("dnsbuddy.", "dnsbuddy"));
	assert_false(tags_is_ours("dnsbuddy", "dnsbuddy"));
	assert_false(tags_is_ours("dnsbuddyx.record=a.example.com", "dnsbuddy"));
	assert_false(tags_is_ours("dnsbudd", "dnsbuddy"));
	assert_false(tags_is_ours("Dnsbuddy.ttl=60", "dnsbuddy"));
	assert_false(tags_is_ours("", "dnsbuddy"));
}

/* Each setting that a tag may be of, and that no other is. */
static void test_settings(void **state)
{
	(void)state;
	configure("", ALLOW);
	check_good(T("record=www.example.com") T("ttl=90") T("proxied=true") T("address=wan,node") T("on-empty=remove")
			   T("on-drop=remove") T("tag=blue") T("min-records=0") T("grace=7") T("include-warning=true"));
	assert_string_equal(named, "www.example.com ");
	assert_string_equal(job.service, "web");
	assert_string_equal(job.owner, "me");
	assert_int_equal(job.types, JOB_TYPES);
	assert_int_equal(job.ttl, 90);
	assert_int_equal(job.proxied, PROXIED_ON);
	assert_int_equal(job.addresses.n, 2);
	assert_int_equal(job.addresses.of[0], ADDRESS_WAN);
	assert_int_equal(job.on_empty, ON_EMPTY_REMOVE);
	assert_int_equal(job.on_drop, ON_DROP_REMOVE);
	assert_string_equal(job.tag, "blue");
	assert_int_equal(job.min_records, 0);
	assert_int_equal(job.grace_ms, 7000);
	assert_true(job.include_warning);
	for (enum setting s = 0; s < SETTINGS_OF_RECORD; s++) {
		static const enum setting no[] = {SET_SERVICE,    SET_ZONE,      SET_ZONE_ID,  SET_OWNER,
						  SET_DATACENTER, SET_NAMESPACE, SET_PARTITION};
		bool is_no = false;

		for (size_t i = 0; i < COUNT(no); i++)
			is_no = is_no || no[i] == s;
		CHECK(setting(s)->traits.is_tag == !is_no, "%s", setting(s)->key);
	}
	/* What they do not say is as it is for all. */
	check_good(T("record=www.example.com"));
	assert_int_equal(job.ttl, 60);
	assert_int_equal(job.proxied, PROXIED_KEEP);
	assert_int_equal(job.on_empty, ON_EMPTY_KEEP);
	assert_int_equal(job.on_drop, ON_DROP_KEEP);
	assert_int_equal(job.min_records, 1);
	assert_string_equal(job.tag, "");
}

/* As with an entry of "records": flag and environment, the tag, the file, the default. */
static void test_precedence(void **state)
{
	struct err e = {0};

	(void)state;
	configure("--on-empty|keep|", ALLOW "TTL=300|");
	check_good(T("record=www.example.com") T("on-empty=remove") T("ttl=90") T("proxied=true"));
	assert_int_equal(job.on_empty, ON_EMPTY_KEEP);
	assert_int_equal(job.ttl, 300);
	assert_int_equal(job.proxied, PROXIED_ON);
	/* that they do not count makes them no better */
	assert_int_equal(read_tags("web", T("ttl=abc"), &e), -1);
	assert_int_equal(conf_read("", ALLOW "DNSBUDDY_CONFIG=%|", "{\"ttl\":400,\"on_drop\":\"remove\"}", &e), 0);
	check_good(T("record=www.example.com") T("ttl=90"));
	assert_int_equal(job.ttl, 90);
	assert_int_equal(job.on_drop, ON_DROP_REMOVE);
	check_good(T("record=www.example.com"));
	assert_int_equal(job.ttl, 400);
}

static void test_names(void **state)
{
	(void)state;
	configure("", ALLOW);
	check_good(T("record=WWW.Example.COM.,b.example.com, c.example.com"));
	assert_string_equal(named, "www.example.com b.example.com c.example.com ");
	check_good(T("record=a.example.com") T("record=b.example.com"));
	assert_string_equal(named, "a.example.com b.example.com ");
	check_good(T("record=a.example.com,a.example.com")); /* who takes them sees that */
	assert_int_equal(names_n, 2);
	check_good(T("record=b\xc3\xbc"
		     "cher.example.com"));
	assert_string_equal(named, "xn--bcher-kva.example.com ");
	check_good(T("ttl=60"));
	assert_string_equal(named, "");
	/* it is not for who reads to refuse */
	check_good(T("record=*.example.com"));
	assert_string_equal(named, "*.example.com ");
}

static void test_a_thousand(void **state)
{
	static char text[65536];
	size_t len = (size_t)snprintf(text, sizeof text, "dnsbuddy.record=");

	(void)state;
	configure("", ALLOW);
	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%sn%d.example.com", i ? "," : "", i);
	check_good(text);
	assert_int_equal(names_n, 1000);
}

static char long_tag[4096];

static const struct {
	const char *text, *says, *named;
} bad[] = {
	{T("recrod=a.example.com"), "tag \"dnsbuddy.recrod=a.example.com\": there is no such key", ""},
	{T("recordx=a.example.com"), "no such key", ""},
	{T("recor=a.example.com"), "no such key", ""},
	{T("Record=a.example.com"), "no such key", ""},
	{T(""), "tag \"dnsbuddy.\": there is no such key", ""},
	{T("=a.example.com"), "no such key", ""},
	{T("on_empty=keep"), "no such key", ""},
	{T("service=x"), "no such key", ""},
	{T("owner=x"), "no such key", ""},
	{T("zone=example.com"), "no such key", ""},
	{T("datacenter=x"), "no such key", ""},
	{T("api-token=x"), "no such key", ""},
	{T("lock=x"), "no such key", ""},
	{T("record"), "tag \"dnsbuddy.record\": it says nothing", ""},
	{T("record="), "it says nothing", ""},
	{T("tag="), "it says nothing", ""},
	{T("include-warning"), "it says nothing", ""},
	{T("record= "), "the name is empty", ""},
	{T("record=a.example.com,"), "the name is empty", "a.example.com "},
	{T("record=,a.example.com"), "the name is empty", ""},
	{T("record=@"), "write whole names", ""},
	{T("record=www"), "write whole names", ""},
	{T("record=a..example.com"), "empty label", ""},
	{T("record=a b.example.com"), "character that no DNS name has", ""},
	{T("record=a.example.com;b.example.com"), "character that no DNS name has", ""},
	{T("record=a/b.example.com"), "character that no DNS name has", ""},
	{T("record=x.*.example.com"), "wildcard", ""},
	{T("record=a\x01"
	   "b.example.com"),
	 "control character", ""},
	{T("record=a.example.com\n"), NULL, "a.example.com "}, /* white space around */
	{T("record=a\n.example.com"), "a control character (U+000A)", ""},
	{T("record=\xff.example.com"), "no UTF-8", ""},
	{T("record=\"a.example.com\""), "a quote", ""},
	{T("record=a\xe2\x80\x8b.example.com"), "invisible", ""},
	{T("ttl=0"), "tag \"dnsbuddy.ttl=0\": 1 (automatic), or 30 to 86400 seconds", ""},
	{T("ttl=60s"), "30 to 86400", ""},
	{T("ttl=99999999999999999999"), "30 to 86400", ""},
	{T("ttl=60") T("ttl=61"), "tag \"dnsbuddy.ttl=61\": another tag says otherwise", ""},
	{T("ttl=60") T("ttl=abc"), "another tag says otherwise", ""},
	{T("proxied=yes"), "true or false", ""},
	{T("proxied=true ") T("record=a.example.com"), "white space", "a.example.com "},
	{T("address=public"), "up to four of", ""},
	{T("on-empty=drop"), "keep, remove or fallback=", ""},
	{T("on-empty=fallback="), "empty", ""},
	{T("on-empty=fallback=a.example.com") T("record=a.example.com"), "own name", ""},
	{T("record=A.example.com") T("on-empty=fallback=a.example.com"), "own name", ""},
	{T("on-drop=perhaps"), "keep or remove", ""},
	{T("min-records=-1"), "a number from 0", ""},
	{T("grace=86401"), "0 to 86400 seconds", ""},
	{T("tag=a\x7f"), "control character", ""},
	{long_tag, "it is too long", "a.example.com "},
	/* the names are told all the same */
	{T("record=a.example.com") T("ttl=0") T("record=b.example.com"), "ttl=0", "a.example.com b.example.com "},
	{T("record=a.example.com,b..c,d.example.com"), "empty label", "a.example.com "},
};

static void test_bad(void **state)
{
	static char long_name[1024] = T("record=");

	(void)state;
	configure("", ALLOW);
	(void)snprintf(long_tag, sizeof long_tag, "dnsbuddy.tag=%0300d", 0);
	(void)snprintf(long_tag + strlen(long_tag) + 1, 64, "dnsbuddy.record=a.example.com");
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {0};
		int rc = read_tags("web", bad[i].text, &e);

		CHECK(rc == (bad[i].says ? -1 : 0) && e.kind == (bad[i].says ? ERR_CONFIG : ERR_NONE), "%s: %s", bad[i].text,
		      e.text);
		CHECK(!bad[i].says || strstr(e.text, bad[i].says), "%s: %s", bad[i].text, e.text);
		CHECK(strcmp(named, bad[i].named) == 0, "%s: %s", bad[i].text, named);
	}
	/* A name of 253 bytes is one. */
	for (int i = 0; i < 4; i++)
		(void)snprintf(long_name + 16 + i * 64, 128, "%0*d%s", i == 3 ? 61 : 63, 0, i == 3 ? "" : ".");
	for (int over = 0; over < 2; over++, long_name[16 + 253] = '0') {
		struct err e = {0};

		CHECK(read_tags("web", long_name, &e) == (over ? -1 : 0), "%d: %s", over, e.text);
	}
	memset(long_name + 16, 'a', 900);
	CHECK(read_tags("web", long_name, &(struct err){0}) == -1, "a name of 900 bytes");
}

/* A service's name goes into a path. */
static void test_service(void **state)
{
	struct err e = {0};
	char name[300];

	(void)state;
	configure("", ALLOW);
	assert_int_equal(read_tags("..", T("record=a.example.com"), &e), -1);
	assert_non_null(strstr(e.text, "the service's name"));
	(void)snprintf(name, sizeof name, "%0256d", 0);
	assert_int_equal(read_tags(name, T("record=a.example.com"), &e), -1);
	name[255] = '\0';
	assert_int_equal(read_tags(name, T("record=a.example.com"), &e), 0);
}

static const struct {
	const char *patterns, *name;
	bool is_allowed;
} allowed[] = {
	{"*.example.com", "www.example.com", true},
	{"*.example.com", "a.b.example.com", false},
	{"*.example.com", "example.com", false},
	{"*.example.com", "wwwexample.com", false},
	{"*.example.com", "www.example.com.evil.org", false},
	{"*.example.com", "www.example.co", false},
	{"*.example.com", "*.example.com", false},
	{"*.*.example.com", "a.b.example.com", true},
	{"*.*.example.com", "b.example.com", false},
	{"a.*.example.com", "a.b.example.com", true},
	{"a.*.example.com", "c.b.example.com", false},
	{"www.example.com", "www.example.com", true},
	{"www.example.com", "ww.example.com", false},
	{"www.example.com", "www.example.comm", false},
	{"WWW.Example.com", "www.example.com", true},
	{"w*.example.com", "www.example.com", true},
	{"w*.example.com", "w.example.com", true},
	{"w*.example.com", "a.example.com", false},
	{"*.example.org, *.example.com ,x.y", "www.example.com", true},
	{"*.example.org,*.example.com,x.y", "x.y", true},
	{"*.example.org,*.example.com,x.y", "z.y", false},
};

static void test_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(allowed); i++) {
		char env[512];

		(void)snprintf(env, sizeof env, BASE "DNSBUDDY_DISCOVER_ALLOW=%s|", allowed[i].patterns);
		configure("", env);
		CHECK(tags_is_allowed(&conf, allowed[i].name) == allowed[i].is_allowed, "%s: %s", allowed[i].patterns,
		      allowed[i].name);
	}
	configure("", BASE "DNSBUDDY_DISCOVER_ALLOW=*.a.org,*.example.com|CF_ROOT_DOMAIN=example.com|");
	assert_true(tags_is_allowed(&conf, "www.example.com"));
	assert_false(tags_is_allowed(&conf, "www.a.org"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),    cmocka_unit_test(test_settings),   cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_names),   cmocka_unit_test(test_a_thousand), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_service), cmocka_unit_test(test_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
