#include "core/drain.h"

#include "base/clock.h"
#include "support.h"

/* ---- Settings ---- */

static void test_ways(void **state)
{
	static const struct {
		const char *text;
		enum drain_kind kind;
		int64_t fixed_ms;
		const char *name;
	} good[] = {
		{"none", DRAIN_NONE, 0, ""},
		{"0", DRAIN_NONE, 0, ""},
		{"30", DRAIN_FIXED, 30000, ""},
		{"86400", DRAIN_FIXED, 86400000, ""},
		{"dns:WWW.example.com.", DRAIN_DNS, 0, "www.example.com"},
		{"dns:*.example.com", DRAIN_DNS, 0, "*.example.com"},
		{"api:www.example.com", DRAIN_API, 0, "www.example.com"},
	};
	static const char *const bad[] = {"",       "86401", "-1", "1s", "dns:", "dns", "dns:a..b", "api: x", "DNS:www.example.com",
					  "nothing"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct drain_way w = {.fixed_ms = 77};
		struct err e = {0};

		CHECK(!drain_way_parse(&w, good[i].text, &e), "%s: %s", good[i].text, e.text);
		CHECK(w.kind == good[i].kind && w.fixed_ms == good[i].fixed_ms && !strcmp(w.name, good[i].name), "%s",
		      good[i].text);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct drain_way w = {.fixed_ms = 77};
		struct err e = {0};

		CHECK(drain_way_parse(&w, bad[i], &e), "%s is taken", bad[i]);
		CHECK(e.kind == ERR_CONFIG && w.fixed_ms == 77, "%s", bad[i]);
	}
}

static void test_resolvers(void **state)
{
	static const struct {
		const char *text;
		bool is_ip6;
		unsigned port;
		unsigned char last; /* byte of the address */
	} good[] = {
		{"192.0.2.1", false, 53, 1},    {"192.0.2.1:5353", false, 5353, 1}, {"2001:db8::7", true, 53, 7},
		{"[2001:db8::7]", true, 53, 7}, {"[::1]:5353", true, 5353, 1},
	};
	static const char *const bad[] = {"",
					  "ns1.example.com",
					  "192.0.2.1:",
					  "192.0.2.1:0",
					  "192.0.2.1:65536",
					  "[::1",
					  "[::1]:",
					  "[::1]5353",
					  "192.0.2.1:53:53",
					  "[::1]x",
					  ":53",
					  "[]",
					  "192.0.2.256",
					  "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct drain_resolver r = {0};
		struct err e = {0};

		CHECK(!drain_resolver_parse(&r, good[i].text, &e), "%s: %s", good[i].text, e.text);
		CHECK(r.is_set && r.is_ip6 == good[i].is_ip6 && r.port == good[i].port && r.addr[r.is_ip6 ? 15 : 3] == good[i].last,
		      "%s", good[i].text);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct drain_resolver r = {0};
		struct err e = {0};

		CHECK(drain_resolver_parse(&r, bad[i], &e), "%s is taken", bad[i]);
		CHECK(e.kind == ERR_CONFIG && !r.is_set, "%s", bad[i]);
	}
}

/* ---- The decision: what happens at which second, and when it is over ---- */

/*
 * A script: "TIME what" in seconds, in order; what:
 *   =N   so many sources are known     L    it leaves
 *   iP   source i has the address      iA   it does not       iX   it does not answer
 *   iPn, iAn  with a TTL of n; iAn* proxied
 *   Cn   n clients are connected       B1   nobody can ever tell; B0   or somebody can
 */
struct scene {
	const char *what;
	enum drain_kind kind;
	int fixed, idle, settle; /* seconds */
	const char *script;
	double over;        /* seconds, as is found out to the tenth; 0: not within 900 */
	const char *states; /* each that was seen, once */
};

static const char state_letters[] = {
	[DRAIN_BEFORE] = 'b',   [DRAIN_ASKING] = 'a',  [DRAIN_LISTED] = 'l',  [DRAIN_SILENT] = 'x', [DRAIN_TTL] = 't',
	[DRAIN_SETTLING] = 's', [DRAIN_WAITING] = 'w', [DRAIN_CLIENTS] = 'c', [DRAIN_OVER] = 'o',
};
_Static_assert(sizeof state_letters == DRAIN_STATES, "a letter for each");

static const struct scene scenes[] = {
	{"nothing to wait for", DRAIN_NONE, 0, 0, 5, "0 L", 0.1, "o"},
	{"not before it has left", DRAIN_NONE, 0, 0, 5, "7 L", 7, "bo"},
	{"so long", DRAIN_FIXED, 20, 0, 5, "2 L", 22, "bwo"},
	{"clients alone", DRAIN_NONE, 0, 10, 5, "0 L, 0 C2, 3 C1, 5 C0, 6 C0", 15, "co"},
	{"a client comes back", DRAIN_NONE, 0, 10, 5, "0 L, 0 C1, 3 C0, 12 C1, 13 C0", 23, "co"},
	{"no client at all: so long all the same", DRAIN_NONE, 0, 10, 5, "0 L, 0 C0", 10, "co"},
	{"a client that stays", DRAIN_NONE, 0, 10, 5, "0 L, 0 C1", 0, "c"},
	{"connections cannot be seen", DRAIN_FIXED, 3, 10, 5, "0 L", 3, "wo"},
	{"clients while it waits count, too", DRAIN_FIXED, 20, 10, 5, "0 L, 0 C1, 18 C0", 28, "wco"},
	{"idle while it waits", DRAIN_FIXED, 20, 10, 5, "0 L, 0 C1, 4 C0", 20, "wo"},

	{"the TTL, from the first answer without it", DRAIN_DNS, 0, 0, 5, "0 =1, 0 0P60, 1 L, 10 0P60, 12 0A60, 14 0A60", 73,
	 "blto"},
	{"all servers, from the last one on", DRAIN_DNS, 0, 0, 5, "0 =2, 0 0P60, 0 1P60, 1 L, 5 0A60, 5 1P60, 30 0A60, 30 1A60", 91,
	 "blto"},
	{"the highest TTL that was seen", DRAIN_DNS, 0, 0, 5, "0 =2, 0 0P30, 0 1P120, 1 L, 5 0A20, 5 1A20", 126, "blto"},
	{"a resolver's TTL counts down, that of the others comes anew", DRAIN_DNS, 0, 0, 5, "0 =1, 0 0P7, 1 L, 8 0A60", 69, "blto"},
	{"it comes back", DRAIN_DNS, 0, 0, 5, "0 =1, 0 0P60, 1 L, 5 0A60, 30 0P60, 40 0A60", 101, "blto"},
	{"one server has it again", DRAIN_DNS, 0, 0, 5, "0 =2, 0 0P9, 0 1P9, 1 L, 2 0A9, 2 1A9, 6 1P9, 8 1A9", 18, "blto"},
	{"gone before it left, for it was seen: the TTL all the same", DRAIN_DNS, 0, 0, 5, "0 =1, 0 0P60, 2 0A, 3 L", 63, "bto"},
	{"never there: settle", DRAIN_DNS, 0, 0, 5, "0 =1, 0 0A300, 1 L, 2 0A300", 6, "bso"},
	{"never there, until it was", DRAIN_DNS, 0, 0, 5, "0 =1, 0 0A60, 1 L, 4 0P60, 5 0A60", 66, "bslto"},
	{"twice is like once", DRAIN_DNS, 0, 0, 5, "0 =1, 0 L, 1 0A40, 2 L", 42, "ato"},
	{"not looked at before: perhaps it was there", DRAIN_DNS, 0, 0, 5, "0 =1, 0 L, 1 0A40", 42, "ato"},
	{"nor does anything tell the TTL", DRAIN_DNS, 0, 0, 5, "0 =1, 0 L, 1 0A", 62, "ato"},
	{"one server was not looked at before", DRAIN_DNS, 0, 0, 5, "0 =2, 0 0A40, 0 L, 1 1A40", 42, "ato"},
	{"whom to ask is not known", DRAIN_DNS, 0, 0, 5, "0 L", 0, "a"},
	{"nobody answers", DRAIN_DNS, 0, 0, 5, "0 =2, 0 L, 1 0X, 1 1X", 0, "ax"},
	{"one of two is silent: left out late, and the TTL begins there", DRAIN_DNS, 0, 0, 5,
	 "0 =2, 0 0P30, 0 1X, 1 L, 2 0A30, 3 1X", 91, "blxto"},
	{"it falls silent with the address", DRAIN_DNS, 0, 0, 5, "0 =2, 0 0P30, 0 1P30, 1 L, 5 0A30, 5 1X", 96, "blxto"},
	{"a silent one speaks again", DRAIN_DNS, 0, 0, 5, "0 =2, 0 0P30, 0 1X, 1 L, 5 0A30, 40 1P30, 45 1A30", 76, "blxto"},
	{"silent, one answer with it, silent: from there on", DRAIN_DNS, 0, 0, 5, "0 =2, 0 0A30, 0 1X, 1 L, 30 1P30, 40 1X", 131,
	 "bxlto"},
	{"another name's servers", DRAIN_DNS, 0, 0, 5, "0 =1, 0 0P30, 1 L, 2 0A, 5 =2, 6 0A, 7 1A", 38, "bltao"},

	{"the API: the TTL and settle", DRAIN_API, 0, 0, 5, "0 =1, 0 0P60, 1 L, 3 0A60", 68, "blto"},
	{"the API: proxied", DRAIN_API, 0, 0, 5, "0 =1, 0 0P300*, 1 L, 3 0A", 8, "blso"},
	{"the API: proxied, gone before", DRAIN_API, 0, 0, 5, "0 =1, 0 L, 3 0A300*", 8, "aso"},
	{"the API is away: no answer is no evidence", DRAIN_API, 0, 0, 5, "0 =1, 0 0P60, 1 L, 2 0X", 0, "blx"},
	{"the API was away", DRAIN_API, 0, 0, 5, "0 =1, 0 0P60, 1 L, 2 0X, 200 0A60", 265, "blxto"},
	{"blind: the guess and settle", DRAIN_API, 0, 0, 5, "0 =1, 1 L, 0 0X, 2 B1, 9 B1", 67, "bxwo"},
	{"blind before it left", DRAIN_DNS, 0, 0, 5, "0 B1, 3 L", 68, "bwo"},
	{"blind, the TTL is known", DRAIN_API, 0, 0, 5, "0 =1, 0 0P30, 1 L, 2 0X, 3 B1", 38, "blxwo"},
	{"blind for a while", DRAIN_API, 0, 0, 5, "0 =1, 1 L, 2 B1, 50 B0, 50 0P60, 60 0A60", 125, "bawlto"},
	{"a client longer than the TTL", DRAIN_DNS, 0, 10, 5, "0 =1, 0 0P30, 0 C1, 1 L, 2 0A30, 60 C0", 70, "bltco"},
};

static struct drain_view view;

/* Carry out all that is due; returns what is left of the script. */
static const char *advance(const char *script, int64_t now_ms)
{
	while (*script) {
		char *p;
		int64_t at_ms = strtol(script, &p, 10) * 1000;

		if (at_ms > now_ms)
			return script;
		p++;
		if (*p == '=') {
			drain_view_sources(&view, (size_t)(p[1] - '0'));
		} else if (*p == 'L') {
			drain_view_leave(&view, now_ms);
		} else if (*p == 'B') {
			drain_view_blind(&view, p[1] == '1', now_ms);
		} else if (*p == 'C') {
			drain_view_count(&view, (size_t)(p[1] - '0'), now_ms);
		} else {
			struct drain_answer a = {.is_present = p[1] == 'P', .has_ttl = p[2] >= '0' && p[2] <= '9'};
			char *end = p + 2;

			if (a.has_ttl)
				a.ttl_sec = (uint32_t)strtol(p + 2, &end, 10);
			a.is_proxied = *end == '*';
			drain_view_take(&view, (size_t)(*p - '0'), p[1] == 'X' ? NULL : &a, now_ms);
		}
		script = p + strcspn(p, ",");
		script += strspn(script, ", ");
	}
	return script;
}

static void play(const struct scene *s)
{
	const struct drain_rule rule = {.way = {.kind = s->kind, .fixed_ms = s->fixed * 1000},
					.idle_ms = s->idle * 1000,
					.settle_ms = s->settle * 1000,
					.max_ms = 900000};
	char states[32] = "";
	const char *script = s->script;
	int64_t over_ms = 0;

	drain_view_init(&view, &rule, 0);
	for (int64_t now_ms = 0; now_ms < 900000 && !over_ms; now_ms += 100) {
		struct drain_verdict v;

		assert_false(drain_view_is_late(&view, now_ms));
		script = advance(script, now_ms);
		v = drain_view_judge(&view, now_ms);
		if (!strchr(states, state_letters[v.state]))
			states[strlen(states)] = state_letters[v.state];
		if (v.state == DRAIN_OVER)
			over_ms = now_ms ? now_ms : 100;
		else
			CHECK(v.until_ms > now_ms, "%s: at %lld it waits for what has passed", s->what, (long long)now_ms);
	}
	assert_true(drain_view_is_late(&view, 900000));
	CHECK(over_ms == (int64_t)(s->over * 1000 + 0.5), "%s: over at %lld ms, not %.1f s", s->what, (long long)over_ms, s->over);
	CHECK(!strcmp(states, s->states), "%s: the states were %s, not %s", s->what, states, s->states);
}

static void test_scenes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scenes); i++)
		play(&scenes[i]);
}

/* ---- The rule itself ---- */

#define SERVERS 3
#define TTL_SEC 20

/*
 * Servers that drop the address at random, asked at random, some of the questions lost: never is it
 * safe before a resolver that asked the last of them at its last moment has forgotten.
 */
static void test_never_early(void **state)
{
	const struct drain_rule rule = {.way = {.kind = DRAIN_DNS}, .settle_ms = 0, .max_ms = 3600000};
	uint32_t seed = 20261126;
	int overs = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		int64_t gone_ms[SERVERS], last_ms = 0, now_ms = 0;

		for (int i = 0; i < SERVERS; i++) {
			gone_ms[i] = 1000 + test_random_below(&seed, 30000);
			last_ms = gone_ms[i] > last_ms ? gone_ms[i] : last_ms;
		}
		drain_view_init(&view, &rule, 0);
		drain_view_sources(&view, SERVERS);
		/* Half the time it is looked at before. */
		if (test_random_below(&seed, 2))
			drain_view_leave(&view, 0);
		while (drain_view_judge(&view, now_ms).state != DRAIN_OVER && now_ms < 200000) {
			size_t i = test_random_below(&seed, SERVERS);
			struct drain_answer a = {.is_present = now_ms < gone_ms[i], .has_ttl = true, .ttl_sec = TTL_SEC};

			drain_view_take(&view, i, test_random_below(&seed, 4) ? &a : NULL, now_ms);
			now_ms += test_random_below(&seed, 1500);
			if (!view.has_left && now_ms > 900)
				drain_view_leave(&view, now_ms);
		}
		if (drain_view_judge(&view, now_ms).state != DRAIN_OVER)
			continue;
		overs++;
		CHECK(now_ms >= last_ms + TTL_SEC * 1000, "round %d: over at %lld, though the last server dropped it at %lld",
		      round, (long long)now_ms, (long long)last_ms);
	}
	assert_true(overs > 2900);
}

static void test_limits(void **state)
{
	const struct drain_rule rule = {.way = {.kind = DRAIN_DNS}, .max_ms = 1000};

	(void)state;
	drain_view_init(&view, &rule, 5000);
	drain_view_sources(&view, DRAIN_SOURCES_MAX + 1);
	assert_int_equal(view.sources_n, DRAIN_SOURCES_MAX);
	assert_false(drain_view_is_late(&view, 5999));
	assert_true(drain_view_is_late(&view, 6000));
	assert_false(drain_view_is_known(&view));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),   cmocka_unit_test(test_resolvers),   cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_never_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
