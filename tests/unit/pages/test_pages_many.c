/* pages/pages: many names: zones, what a query asks for, sums; and claims that were refused. */
#include "support.h"

#include "pages/pages.h"
#include "pages/render.h"
#include "pages/shown.h"

/* Markup, quotes, a backslash, a control byte, broken UTF-8, and a character of three bytes. */
#define NASTY "<i>&\"'\\\n\xc3x\xe2\x82\xac"
#define WELL_N 30

static int setup(void **state)
{
	static char names[WELL_N][32];

	(void)state;
	shown_init();
	for (size_t i = 0; i < WELL_N; i++) {
		(void)snprintf(names[i], sizeof names[i], "n%02zu.a.example", i);
		shown_name(names[i])->zone = "a.example";
	}
	return 0;
}

static struct status_record *add(const char *name, const char *zone, enum status_state state)
{
	struct status_record *r = shown_name(name);

	r->zone = zone;
	r->state = state;
	return r;
}

static void assert_order(const char *text, const char *const *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text = strstr(text, parts[i]);
		CHECK(text, "%s is not behind the one before", parts[i]);
	}
}

/* ---- zones ---- */

/* Those with trouble first, and their names in trouble; of the others a line each. */
static void test_overview(void **state)
{
	static const char *const parts[] = {
		"<main>",
		"\"zone bad\"><a href=\"?zone=d.example\">d.example</a><span>2 names: 1 failing, 1 in sync</span>",
		"\"row bad\"><a href=\"?name=%3Dbad.d.example\">bad.d.example</a><b>&times; failing</b>",
		"\"zone warn\"><a href=\"?zone=c.example\">c.example</a><span>1 name, held</span>",
		"\"row warn\"><a href=\"?name=%3D%2A.c.example\">*.c.example</a>",
		"\"zone info\"><a href=\"?zone=b.example\">",
		"\"zone ok\"><a href=\"?zone=a.example\">a.example</a><span>30 names, all in sync</span>",
		"</main>",
	};
	struct status_record *r;

	(void)state;
	(void)add("*.c.example", "c.example", STATUS_HELD);
	(void)add("www.d.example", "d.example", STATUS_IN_SYNC);
	(void)add("www.b.example", "b.example", STATUS_SYNCING);
	r = shown_failing("bad.d.example");
	r->zone = "d.example";
	r->why = NASTY;
	assert_order(shown_at("/"), parts, COUNT(parts));
	assert_true(shown_has("/", "<p class=why>&lt;i&gt;&amp;"));
	assert_int_equal(shown_count(shown_at("/"), "\"row "), 2);
	assert_false(shown_has("/", "more name"));
}

/* However many are in trouble in one zone, the others are seen. */
static void test_trouble_limit(void **state)
{
	static char names[HTML_TROUBLE_MAX + 1][32];
	static const char *const parts[] = {"11 names, all held</span>", "x00.", "x09.",
					    "<a href=\"?zone=b.example\">and others</a></div>",
					    "<a href=\"?zone=c.example\">c.example</a>"};

	(void)state;
	(void)add("www.c.example", "c.example", STATUS_HELD);
	for (size_t i = 0; i <= HTML_TROUBLE_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "x%02zu.b.example", i);
		(void)add(names[i], "b.example", STATUS_HELD);
		assert_true(shown_has("/", "and others") == (i == HTML_TROUBLE_MAX));
	}
	assert_order(shown_at("/"), parts, COUNT(parts));
	assert_int_equal(shown_count(shown_at("/"), "name=%3D"), HTML_TROUBLE_MAX + 1);
	assert_int_equal(shown_count(shown_at("/?zone=b.example"), "<details "), HTML_TROUBLE_MAX + 1);
}

/* A zone that is not known yet is one, too. */
static void test_unknown_zone(void **state)
{
	(void)state;
	(void)add("www.b.example", NULL, STATUS_WAITING);
	assert_true(shown_has("/", "<a href=\"?zone=-\">zone not known yet</a><span>1 name, waiting</span>"));
	assert_int_equal(shown_count(shown_at("/?zone=-"), "<details "), 1);
	assert_true(shown_has("/?zone=-", "<h2>www.b.example</h2>"));
}

/* Of few names of several zones each zone says which they are; of one zone's nothing. */
static void test_few(void **state)
{
	(void)state;
	shown_init();
	(void)add("www.a.example", "a.example", STATUS_IN_SYNC);
	assert_false(shown_has("/", "\"zone "));
	(void)add("www.b.example", "b.example", STATUS_IN_SYNC);
	assert_int_equal(shown_count(shown_at("/"), "\"zone "), 2);
	assert_int_equal(shown_count(shown_at("/"), "<details "), 2);
	assert_false(shown_has("/", "<form>"));
}

/* A page that goes on within a zone says what all of the zone is. */
static void test_zone_goes_on(void **state)
{
	(void)state;
	assert_true(shown_has("/?state=in+sync&from=20", "a.example</a><span>30 names, all in sync</span>"));
}

/* The worst are listed, whatever zone they are in. */
static void test_health_order(void **state)
{
	const char *text;

	(void)state;
	for (size_t i = 0; i < HEALTH_RECORDS_MAX; i++)
		(void)add("m.a.example", "a.example", STATUS_IN_SYNC);
	shown_failing("x.a.example")->zone = "a.example";
	shown_failing("x.b.example")->zone = "b.example";
	text = shown_at("/health");
	assert_int_equal(shown_count(text, "\"state\":\"failing\""), 2);
	assert_non_null(strstr(text, "\"unhealthy\":2,\"reasons\":[\"x.a.example: "));
	assert_non_null(strstr(text, "\"left_out\":32}"));
}

/* ---- what a query asks for ---- */

static void test_filter(void **state)
{
	static const struct {
		const char *query;
		size_t names_n;
	} cases[] = {
		{"", 0}, /* all are well */
		{"name=", 0},
		{"name=n", 31},
		{"name=N0", 11},
		{"name=0.a", 3},
		{"name=%6E00", 2},
		{"name=n0&name=n1", 10}, /* the last counts */
		{"rename=n0&xname=n1&name", 0},
		{"name=%3Dn00.a.example", 1},
		{"name==N00.A.example", 1},
		{"name==n00.a.exampl", 0},
		{"name=shop", 1}, /* a part of its service */
		{"zone=a.example", 30},
		{"zone=A.EXAMPLE", 30},
		{"zone=b.example&", 1},
		{"&zone=b.example", 1},
		{"zone=example", 0},
		{"zone=a.exampl", 0},
		{"zone=-", 0},
		{"state=in+sync", 30},
		{"state=in%20sync", 30},
		{"state=held", 1},
		{"state=held&zone=a.example", 0},
		{"state=hel", 0},
		{"name=n&zone=a.example&state=in+sync", 30},
		{"state=in+sync&from=29", 1},
		{"state=in+sync&from=30", 0},
		{"state=in+sync&from=2048", 0},
		{"state=in+sync&from=-1", 30},
		{"state=in+sync&from=2049", 30},
		{"name=%", 0},
		{"name=%n", 0},
		{"name=%00n", 0},
		{"name=n%0", 0},
	};
	char path[128];

	(void)state;
	add("n00.b.example", "b.example", STATUS_HELD)->service = "Shop";
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n;

		(void)snprintf(path, sizeof path, "/?%s", cases[i].query);
		n = shown_count(shown_at(path), "\"row ") + shown_count(shown_at(path), "<details ");
		if (!strchr(cases[i].query, '=') || cases[i].query[0] == 'r' || strcmp(cases[i].query, "name=") == 0)
			n -= 1; /* the one that is held */
		CHECK(n == cases[i].names_n, "%s: %zu", cases[i].query, n);
	}
	assert_true(shown_has("/?name=qq", "No name is like that."));
	assert_false(shown_has("/", "No name is like that."));
	shown_init();
	assert_true(shown_has("/?zone=x", "No name is like that.</p>\n</main>"));
	assert_true(shown_has("/", "<p>0 names</p>"));
	assert_false(shown_has("/", "No name is like that."));
}

/* The form shows what was asked for, whatever it is. */
static void test_filter_echo(void **state)
{
	(void)state;
	assert_true(shown_has("/?name=n0&state=held", "<input name=name placeholder=\"name or service\" value=\"n0\">"));
	assert_true(shown_has("/?name=n0&state=held", "<option selected>held"));
	assert_true(shown_has("/?zone=a+b", "<input name=zone placeholder=zone value=\"a b\">"));
	assert_true(shown_has("/?name=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
			      "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\">"));
	assert_true(shown_has("/?zone=%3Ci%3E%26%22%27%0A%C3x", "value=\"&lt;i&gt;&amp;&quot;&#39;??x\">"));
	assert_false(shown_has("/?state=%3Cscript%3E", "<script"));
	/* as nobody's browser sends it, in the link to the rest */
	for (size_t i = 0; i < HTML_LINES_MAX; i++)
		(void)add("m.a.example", "a.example", STATUS_IN_SYNC);
	assert_true(shown_has("/?name=.&x=\"><script>'",
			      "<a href=\"?name=.&amp;x=&quot;&gt;&lt;script&gt;&#39;&amp;from=250\">30 more names</a>"));
	assert_false(shown_has("/?name=.&x=\"><script>'", "<script"));
}

/* A value longer than any name is cut, and no name is like it. */
static void test_filter_limits(void **state)
{
	char path[600] = "/?zone=";
	const char *text;

	(void)state;
	memset(path + strlen(path), 'x', 500);
	text = shown_at(path);
	assert_int_equal(strspn(strstr(text, "value=\"xxx") + 7, "x"), 253);
	assert_non_null(strstr(text, "No name is like that."));
}

/* ---- sums ---- */

static void test_sums(void **state)
{
	struct status_record *r = shown_failing("bad.b.example");

	(void)state;
	r->zone = NASTY;
	status_set(r, FACT_WANTED, 5);
	status_set(r, FACT_CONSUL_AGE, 2500);
	r = add("held.b.example", "b.example", STATUS_HELD);
	status_set(r, FACT_WANTED, 2);
	status_set(r, FACT_HELD, 3);
	status_set(r, FACT_UNCONVERGED, 1500);
	for (int i = 0; i < 2; i++) {
		shown.has_name_series = i == 0;
		shown_check_families(shown_at("/metrics"));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records 32\n"));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records_in_sync 30\n"));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records_healthy 31\n"));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records_wanted 7\n"));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records_held 3\n"));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records_unconverged_seconds 75.250\n"));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records_last_answer_age_seconds 2.500\n"));
		assert_true(shown_has("/metrics", "_records{zone=\"a.example\",state=\"in sync\"} 30\n"));
		assert_true(shown_has("/metrics", "_records{zone=\"b.example\",state=\"held\"} 1\n"));
		assert_true(shown_has("/metrics", "{zone=\"<i>&\\\"'\\\\??x\xe2\x82\xac\",state=\"failing\"} 1\n"));
		assert_false(shown_has("/metrics", "zone=\"other\""));
		assert_true(shown_has("/metrics", "\ndnsbuddy_records_left_out 0\n"));
		assert_true(shown_has("/metrics", "dnsbuddy_record_held{") == (i == 0));
	}
	assert_false(shown_has("/metrics", "{name="));
}

/* ---- claims ---- */

static void test_claims(void **state)
{
	(void)state;
	assert_false(shown_has("/", "claim"));
	assert_false(shown_has("/metrics", "claim"));
	shown.has_discovery = true;
	assert_true(shown_has("/metrics", "\ndnsbuddy_claims_refused 0\n"));
	assert_true(shown_has("/", "\"top ok\""));
	shown_claim("www.c.example", NASTY);
	assert_true(shown_has("/", "in sync &middot; <a href=#claims>1 refused claim</a></p>"));
	shown_claim(NASTY, "why not");
	shown.discovered_n = 7;
	assert_true(shown_has("/", "<a href=#claims>2 refused claims</a>"));
	assert_true(shown_has("/", "\"top warn\""));
	assert_true(shown_has("/", "<div class=\"row warn\">www.c.example<span>service web</span><p class=why>&lt;i&gt;"));
	assert_true(shown_has("/", "why not</p></div>\n</main>"));
	assert_false(shown_has("/", "<i>"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_claims_refused 2\n"));
	assert_true(shown_has("/metrics", "\ndnsbuddy_records_discovered 7\n"));
	assert_true(shown_has("/health", "{\"healthy\":true"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_overview), TEST(test_trouble_limit), TEST(test_unknown_zone),  TEST(test_few),
		TEST(test_filter),   TEST(test_filter_echo),   TEST(test_filter_limits), TEST(test_sums),
		TEST(test_claims),   TEST(test_zone_goes_on),  TEST(test_health_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
