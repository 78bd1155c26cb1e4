#include "edge.h"
#include "net/dns/message.h"
#include "support.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A61 A16 A16 A16 "aaaaaaaaaaaaa"
#define A63 A61 "aa"
#define A64 A61 "aaa"
#define NAME_253 A63 "." A63 "." A63 "." A61 /* 255 bytes in a message */
#define NAME_254 A63 "." A63 "." A63 "." A61 "a"

/* ---- Queries ---- */

static const struct {
	const char *name, *suffix;
	const char *labels; /* as they stand in the query; NULL: refused */
} names[] = {
	{"www.example", "", "\3www\7example"},
	{"www.example.", "", "\3www\7example"},
	{"www", "example", "\3www\7example"},
	{"www", "example.org.", "\3www\7example\3org"},
	{A63, "", "\77" A63},
	{A64, "", NULL},
	{"a", A64, NULL},
	{NAME_253, "", "\77" A63 "\77" A63 "\77" A63 "\75" A61},
	{NAME_254, "", NULL},
	{A63 "." A63 "." A63, A61, "\77" A63 "\77" A63 "\77" A63 "\75" A61},
	{A63 "." A63 "." A63, A61 "a", NULL},
	{A63 "." A63 "." A63 "." A61, "a", NULL},
	{"", "", NULL},
	{".", "", NULL},
	{"a..b", "", NULL},
	{".a", "", NULL},
	{"a", ".b", NULL},
	{"a..", "", NULL},
};

static void test_query(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		unsigned char q[DNS_QUERY_MAX];
		size_t len = names[i].labels ? strlen(names[i].labels) + 1 : 0;
		size_t n = dns_write_query(q, names[i].name, names[i].suffix);

		if (!len) {
			CHECK(!n, "%s.%s is a name", names[i].name, names[i].suffix);
			continue;
		}
		CHECK(n == 12 + len + 4, "%s: %zu bytes", names[i].name, n);
		dns_set_question(q, n, 0xbeef, DNS_AAAA);
		assert_memory_equal(q, "\xbe\xef\1\0\0\1\0\0\0\0\0", 12);
		assert_memory_equal(q + 12, names[i].labels, len);
		assert_memory_equal(q + n - 4, "\0\x1c\0\1", 4);
	}
}

/* ---- Answers ---- */

#define QUERY_N 29 /* of www.example: 12 + 13 + 4; its name is at 12, "example" at 16 */
#define HEAD "\x12\x34\x81\x80\0\1"
#define REST "\0\0\0\0"
#define QUESTION "\3www\7example\0\0\1\0\1"
#define BEGIN(count) HEAD "\0" count REST QUESTION
#define OWNER "\xc0\x0c"
#define FIXED(type, n) "\0" type "\0\1\0\0\0\x3c\0" n
#define A(last) FIXED("\1", "\4") "\xc0\0\2" last

static const struct {
	const char *what, *p;
	size_t n;
	int rcode;        /* -1: refused */
	const char *last; /* the last byte of each address */
	bool is_truncated;
} answers[] = {
#define IS(text) text, sizeof text - 1
	{"one", IS(BEGIN("\1") OWNER A("\1")), 0, "\1", false},
	{"two", IS(BEGIN("\2") OWNER A("\1") OWNER A("\2")), 0, "\1\2", false},
	{"none", IS(BEGIN("\0")), 0, "", false},
	{"case of letters", IS(HEAD "\0\1" REST "\3wWw\7EXAMPLE\0\0\1\0\1\3WWW\7example\0" A("\1")), 0, "\1", false},
	{"bytes after it", IS(BEGIN("\1") OWNER A("\1") "more"), 0, "\1", false},
	{"owner spelled out", IS(BEGIN("\1") "\3www\7example\0" A("\1")), 0, "\1", false},
	{"owner half spelled out", IS(BEGIN("\1") "\3www\xc0\x10" A("\1")), 0, "\1", false},
	{"a pointer to a pointer", IS(BEGIN("\2") OWNER A("\1") "\xc0\x1d" A("\2")), 0, "\1\2", false},
	{"another owner", IS(BEGIN("\1") "\3ftp\xc0\x10" A("\1")), 0, "", false},
	{"a shorter owner", IS(BEGIN("\1") "\xc0\x10" A("\1")), 0, "", false},
	{"a longer owner", IS(BEGIN("\1") "\1a" OWNER A("\1")), 0, "", false},
	{"another class", IS(BEGIN("\1") OWNER "\0\1\0\3\0\0\0\x3c\0\4\xc0\0\2\1"), 0, "", false},
	{"another type", IS(BEGIN("\1") OWNER "\0\2\0\1\0\0\0\x3c\0\4\xc0\0\2\1"), 0, "", false},
	{"an address of another length", IS(BEGIN("\1") OWNER FIXED("\1", "\3") "\xc0\0\2"), 0, "", false},
	/* At 29 www -> a.example (41), at 50 a -> b.example (62), at 71 b's address. */
	{"a chain",
	 IS(BEGIN("\3") OWNER FIXED("\5", "\4") "\1a\xc0\x10"
						"\xc0\x29" FIXED("\5", "\4") "\1b\xc0\x10"
									     "\1b\xc0\x10" A("\1")),
	 0, "\1", false},
	{"a chain out of order",
	 IS(BEGIN("\3") "\1b\xc0\x10" A("\1") "\1a\xc0\x10" FIXED("\5", "\4") "\1b\xc0\x10" OWNER FIXED("\5", "\4") "\1a\xc0\x10"),
	 0, "\1", false},
	{"an alias and an address of another name",
	 IS(BEGIN("\2") OWNER FIXED("\5", "\4") "\1a\xc0\x10"
						"\1b\xc0\x10" A("\1")),
	 0, "", false},
	{"an alias of itself", IS(BEGIN("\1") OWNER FIXED("\5", "\2") OWNER), 0, "", false},
	{"aliases of each other",
	 IS(BEGIN("\2") OWNER FIXED("\5", "\4") "\1a\xc0\x10"
						"\1a\xc0\x10" FIXED("\5", "\2") OWNER),
	 0, "", false},
	{"NXDOMAIN", IS("\x12\x34\x81\x83\0\1\0\0" REST QUESTION), 3, "", false},
	{"SERVFAIL", IS("\x12\x34\x81\x82\0\1\0\0" REST QUESTION), 2, "", false},
	{"SERVFAIL and an address", IS("\x12\x34\x81\x82\0\1\0\1" REST QUESTION OWNER A("\1")), 2, "\1", false},
	{"truncated", IS("\x12\x34\x83\x80\0\1\0\0" REST QUESTION), 0, "", true},
	{"truncated in a record", IS("\x12\x34\x83\x80\0\1\0\2" REST QUESTION OWNER A("\1") OWNER "\0"), 0, "\1", true},

	{"nothing", "", 0, -1, "", false},
	{"another id", IS("\x12\x35\x81\x80\0\1\0\1" REST QUESTION OWNER A("\1")), -1, "", false},
	{"a query", IS("\x12\x34\x01\x80\0\1\0\1" REST QUESTION OWNER A("\1")), -1, "", false},
	{"another opcode", IS("\x12\x34\xa1\x80\0\1\0\1" REST QUESTION OWNER A("\1")), -1, "", false},
	{"no question", IS("\x12\x34\x81\x80\0\0\0\1" REST QUESTION OWNER A("\1")), -1, "", false},
	{"two questions", IS("\x12\x34\x81\x80\0\2\0\0" REST QUESTION QUESTION), -1, "", false},
	{"another name", IS(HEAD "\0\1" REST "\3ftp\7example\0\0\1\0\1" OWNER A("\1")), -1, "", false},
	{"a shorter name", IS(HEAD "\0\0" REST "\3www\0\0\1\0\1\0\0\0\0\0\0\0\0"), -1, "", false},
	{"another type asked for", IS(HEAD "\0\1" REST "\3www\7example\0\0\x1c\0\1" OWNER A("\1")), -1, "", false},
	{"another class asked for", IS(HEAD "\0\1" REST "\3www\7example\0\0\1\0\3" OWNER A("\1")), -1, "", false},
	{"fewer records than it says", IS(BEGIN("\2") OWNER A("\1")), -1, "", false},
	{"a pointer to itself", IS(BEGIN("\1") "\xc0\x1d" A("\1")), -1, "", false},
	{"a name that leads to itself", IS(BEGIN("\1") "\1a\xc0\x1d" A("\1")), -1, "", false},
	{"pointers to each other", IS(BEGIN("\2") "\xc0\x2d" A("\1") "\xc0\x1d" A("\1")), -1, "", false},
	{"a pointer forwards", IS(BEGIN("\2") "\xc0\x2d" A("\1") OWNER A("\1")), -1, "", false},
	{"a pointer into the head", IS(BEGIN("\1") "\xc0\x0b" A("\1")), -1, "", false},
	{"half a pointer", IS(BEGIN("\1") "\xc0"), -1, "", false},
	{"a label of the form 01", IS(BEGIN("\1") "\x40" OWNER A("\1")), -1, "", false},
	{"a label of the form 10", IS(BEGIN("\1") "\x80" OWNER A("\1")), -1, "", false},
	{"an alias that does not fill its record", IS(BEGIN("\1") OWNER FIXED("\5", "\3") OWNER "x"), -1, "", false},
	{"an alias past its record", IS(BEGIN("\1") OWNER FIXED("\5", "\1") OWNER), -1, "", false},
	{"data past the end", IS(BEGIN("\1") OWNER FIXED("\1", "\5") "\xc0\0\2\1"), -1, "", false},
};

struct answer {
	struct dns_answer head;
	size_t n;
	unsigned char list[DNS_ANSWER_MAX][16];
};

/* What it says of one record goes with what it says of all. */
static void read_sight(const struct answer *a)
{
	static const unsigned char address[] = {192, 0, 2, 1};
	static const struct dns_wanted wanted = {.type = DNS_A, .data = address};
	struct dns_sight s;
	bool is_listed = false;

	dns_read_sight(&a->head, &wanted, &s);
	for (size_t i = 0; i < a->n; i++)
		is_listed |= memcmp(a->list[i], address, 4) == 0;
	if (s.n <= DNS_ANSWER_MAX)
		assert_true(s.n >= a->n && s.has_it == is_listed); /* one of another length is one, too */
	assert_true(!s.n || !*s.alias);
}

/* The same as an answer to a question for a zone's servers. */
static void read_servers(const char *p, size_t n, unsigned char *q)
{
	static char copy[70000];
	char list[DNS_SERVERS_MAX][DNS_TEXT_CAP];
	struct dns_answer a;

	memcpy(copy, p, n);
	if (n >= QUERY_N)
		copy[QUERY_N - 3] = DNS_NS;
	dns_set_question(q, QUERY_N, 0x1234, DNS_NS);
	if (!dns_read_answer((const unsigned char *)edge_copy(copy, n), n, q, QUERY_N, &a))
		for (size_t i = dns_read_servers(&a, list); i--;)
			assert_true(*list[i] && ENDS(list[i]));
}

static int read_as(const char *p, size_t n, const unsigned char *q, size_t q_n, struct answer *a)
{
	if (dns_read_answer((const unsigned char *)edge_copy(p, n), n, q, q_n, &a->head))
		return -1;
	a->n = dns_read_addresses(&a->head, a->list);
	return 0;
}

static int read_text(const char *p, size_t n, struct answer *a)
{
	unsigned char q[DNS_QUERY_MAX];
	size_t q_n = dns_write_query(q, "www.example", "");
	int result;

	assert_int_equal(q_n, QUERY_N);
	dns_set_question(q, q_n, 0x1234, DNS_A);
	result = read_as(p, n, q, q_n, a);
	if (!result)
		read_sight(a);
	read_servers(p, n, q);
	return result;
}

static void test_answer_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct answer a = {.head = {.rcode = 99}};
		int result = read_text(answers[i].p, answers[i].n, &a);

		if (answers[i].rcode < 0) {
			CHECK(result == -1 && a.head.rcode == 99, "%s: taken", answers[i].what);
			continue;
		}
		CHECK(!result, "%s: refused", answers[i].what);
		CHECK((int)a.head.rcode == answers[i].rcode, "%s: code %u", answers[i].what, a.head.rcode);
		CHECK(a.head.is_truncated == answers[i].is_truncated, "%s: cut", answers[i].what);
		CHECK(a.n == strlen(answers[i].last), "%s: %zu addresses", answers[i].what, a.n);
		for (size_t k = 0; k < a.n; k++) {
			assert_memory_equal(a.list[k], "\xc0\0\2", 3);
			assert_int_equal(a.list[k][3], answers[i].last[k]);
		}
	}
}

/* Every prefix of every message; those of a truncated one may be read as far as they go. */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++)
		for (size_t n = 0; n < answers[i].n; n++) {
			struct answer a = {0};
			int result = read_text(answers[i].p, n, &a);

			assert_true(result || a.n <= 2);
			if (!answers[i].is_truncated && n < QUERY_N)
				CHECK(result, "%s: %zu bytes of it taken", answers[i].what, n);
		}
	for (size_t n = 0; n < answers[1].n; n++) {
		struct answer a;

		CHECK(read_text(answers[1].p, n, &a), "%zu bytes taken", n);
	}
}

static void test_ip6(void **state)
{
	static const char text[] = "\x12\x34\x81\x80\0\1\0\2\0\0\0\0\1a\0\0\x1c\0\1" OWNER A("\1")
		OWNER FIXED("\x1c", "\x10") "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7";
	unsigned char q[DNS_QUERY_MAX];
	size_t q_n = dns_write_query(q, "a", "");
	struct answer a;

	(void)state;
	dns_set_question(q, q_n, 0x1234, DNS_AAAA);
	assert_int_equal(read_as(text, sizeof text - 1, q, q_n, &a), 0);
	assert_int_equal(a.n, 1);
	assert_memory_equal(a.list[0], "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16);
}

static size_t add(char *p, size_t at, const char *text, size_t n)
{
	memcpy(p + at, text, n);
	return at + n;
}

/* DNS_ANSWER_MAX addresses are kept, and DNS_CHAIN_MAX aliases followed, not one more. */
static void test_limits(void **state)
{
	char p[2048];
	struct answer a;

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		size_t n = add(p, 0, BEGIN("\0"), QUERY_N);

		p[7] = (char)(DNS_ANSWER_MAX + extra);
		for (int i = 0; i < DNS_ANSWER_MAX + extra; i++)
			n = add(p, n, OWNER A("\1"), 16);
		assert_int_equal(read_text(p, n, &a), 0);
		assert_int_equal(a.n, DNS_ANSWER_MAX);
	}
	for (int extra = 0; extra < 2; extra++) {
		size_t n = add(p, 0, BEGIN("\0"), QUERY_N), target = 12;

		p[7] = (char)(DNS_CHAIN_MAX + extra + 1);
		for (int i = 0; i <= DNS_CHAIN_MAX + extra; i++) {
			const char alias[] = {1, (char)('a' + i), (char)0xc0, 0x10};

			p[n] = (char)(0xc0 | target >> 8);
			p[n + 1] = (char)target;
			n += 2;
			if (i == DNS_CHAIN_MAX + extra) {
				n = add(p, n, A("\1"), 14);
				break;
			}
			n = add(p, n, FIXED("\5", "\4"), 10);
			target = n;
			n = add(p, n, alias, 4);
		}
		assert_int_equal(read_text(p, n, &a), 0);
		assert_int_equal(a.n, extra ? 0 : 1);
	}
}

/* A name of 255 bytes is one; of 256 it is none, however it is put together. */
static void test_long_names(void **state)
{
	static const char label[] = "\77" A63;
	struct answer a;

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		char p[1024];
		size_t n = add(p, 0, BEGIN("\2"), QUERY_N), at;

		/* 3 * 64 bytes and the end; then 62 or 63 more in front of a pointer to them. */
		at = n;
		for (int i = 0; i < 3; i++)
			n = add(p, n, label, 64);
		n = add(p, n, "", 1);
		n = add(p, n, A("\1"), 14);
		p[n] = (char)(61 + extra);
		n = add(p, n + 1, A63, (size_t)(61 + extra));
		p[n] = (char)0xc0;
		p[n + 1] = (char)at;
		n = add(p, n + 2, A("\1"), 14);
		assert_int_equal(read_text(p, n, &a), extra ? -1 : 0);
	}
}

/* Good messages with some bytes changed: no fault, no endless loop, nothing out of bounds. */
static void test_fuzz(void **state)
{
	uint32_t seed = 20150817;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		size_t i = test_random_below(&seed, COUNT(answers));
		char p[512];
		size_t n = answers[i].n;
		struct answer a = {0};

		memcpy(p, answers[i].p, n);
		for (uint32_t k = test_random_below(&seed, 6); k && n; k--)
			p[test_random_below(&seed, (uint32_t)n)] = (char)test_random(&seed);
		if (n > 6 && test_random_below(&seed, 4) == 0)
			n -= test_random_below(&seed, 6);
		if (!read_text(p, n, &a))
			assert_true(a.n <= DNS_ANSWER_MAX && a.head.rcode < 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query), cmocka_unit_test(test_answer_table), cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_ip6),   cmocka_unit_test(test_limits),       cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
