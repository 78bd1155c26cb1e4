#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tokens.h"
#include "net/dns/resolve_conf.h"
#include "support.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A63 A16 A16 A16 "aaaaaaaaaaaaaaa"
#define A253 A63 A63 A63 A63 "a"
#define A254 A253 "a"
#define A255 A253 "aa"

/* ---- Words ---- */

static const struct {
	const char *text;
	size_t n;
	const char *words; /* each in brackets, '/' between those of two lines */
} files[] = {
#define IS(text) text, sizeof text - 1
	{IS(""), ""},
	{IS("\n"), ""},
	{IS("a"), "[a]"},
	{IS("a b\n"), "[a][b]"},
	{IS(" \ta\t b \r\n\n c"), "[a][b]/[c]"},
	{IS("a#b\nc"), "[a]/[c]"},
	{IS("a # b ; c\n# d\n"), "[a]"},
	{IS("a ; b\n;c\nd;e"), "[a]/[d;e]"},
	{IS("#"), ""},
	{IS("a\0b c"), "[][c]"},
	{IS(A255 " " A255 "b c\n"), "[" A255 "][][c]"},
};

static const char *all_words(const char *path)
{
	static char text[4096];
	struct tokens w;

	text[0] = '\0';
	tokens_open(&w, path, TOKENS_SIZELESS_MAX);
	while (tokens_next(&w))
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), w.words == 1 && *text ? "/[%s]" : "[%s]", w.token);
	tokens_close(&w);
	assert_int_equal(w.fd, -1);
	tokens_close(&w);
	return text;
}

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		assert_string_equal(all_words(test_file(files[i].text, files[i].n)), files[i].words);
}

/* Words that lie across what is read at once: at each place. */
static void test_pieces(void **state)
{
	const size_t piece = sizeof((struct tokens *)NULL)->buf;
	char text[sizeof((struct tokens *)NULL)->buf + 64];

	(void)state;
	for (size_t at = piece - 12; at <= piece + 4; at++) {
		memset(text, ' ', sizeof text);
		memcpy(text + at, "word#no\nnext", 12);
		assert_string_equal(all_words(test_file(text, at + 12)), "[word]/[next]");
		assert_string_equal(all_words(test_file(text, at + 4)), "[word]");
	}
}

/* Absent, a directory, endless, a pipe that nobody writes to, one that somebody holds open. */
static void test_odd_files(void **state)
{
	char fifo[] = "/tmp/dnsbuddy-unit-fifo-XXXXXX";
	int fd;

	(void)state;
	assert_string_equal(all_words("/nonexistent/hosts"), "");
	assert_string_equal(all_words("/tmp"), "");
	assert_string_equal(all_words("/dev/null"), "");
	assert_string_equal(all_words("/dev/zero"), "[]");
	assert_string_equal(all_words("/proc/sys/kernel/ostype"), "[Linux]"); /* it has no size */
	assert_true(close(mkstemp(fifo)) == 0 && unlink(fifo) == 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_string_equal(all_words(fifo), "");
	fd = open(fifo, O_RDWR);
	assert_int_equal(write(fd, "a b\n", 4), 4);
	assert_string_equal(all_words(fifo), "[a][b]");
	(void)close(fd);
	(void)unlink(fifo);
}

/* A list of what is not to be reached is as long as it likes; so is a line, a comment, a word. */
static void test_no_file_is_too_long(void **state)
{
	static const struct {
		int filler;
		const char *words;
	} cases[] = {{' ', "[a][b]"}, {'\r', "[a][b]"}, {'#', "[a][b]"}, {'x', "[]/[a][b]"}};
	static char text[5 << 20];
	size_t n = sizeof text - 5;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		memset(text, cases[i].filler, n);
		memcpy(text + n, "\na b\n", 5);
		assert_string_equal(all_words(test_file(text, sizeof text)), cases[i].words);
	}
}

static void test_many_lines(void **state)
{
	static const char line[] = "0.0.0.0 ad.test\n";
	static char text[200000 * (sizeof line - 1) + 64];
	struct net_found found = {0};
	struct resolve_conf c;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 200000; i++, n += sizeof line - 1)
		memcpy(text + n, line, sizeof line - 1);
	(void)snprintf(text + n, 64, "::7 x\nnameserver 10.0.0.2");
	resolve_hosts_find(test_file(text, strlen(text)), "x", &found);
	assert_int_equal(found.n[NET_IP6], 1);
	assert_int_equal(found.list[NET_IP6][0][15], 7);
	resolve_conf_read(&c, test_file(text, strlen(text)));
	assert_int_equal(c.servers[0].bytes[0], 10);
}

/* ---- resolv.conf ---- */

static const struct {
	const char *text;
	const char *want; /* servers; search; ndots, timeout, attempts */
} confs[] = {
	{"", "127.0.0.1; 1 5 2"},
	{"nameserver 10.0.0.2", "10.0.0.2; 1 5 2"},
	{"nameserver 10.0.0.2 10.0.0.3\n", "10.0.0.2; 1 5 2"},
	{"nameserver 127.0.0.11\noptions ndots:0\n", "127.0.0.11; 0 5 2"},
	{"# x\n; y\nnameserver 10.0.0.2 # z\nnameserver ::1\n", "10.0.0.2 ::1; 1 5 2"},
	{"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n",
	 "10.0.0.1 10.0.0.2 10.0.0.3; 1 5 2"},
	{"nameserver x\nnameserver 10.0.0.256\nnameserver\nnameserver 10.0.0.2", "10.0.0.2; 1 5 2"},
	{"nameserver fe80::1%nosuch0\nnameserver fe80::2%7", "fe80::2%7; 1 5 2"},
	{"nameserver fe80::1%lo\nnameserver fe80::2%\nnameserver fe80::2%0", "fe80::1%1; 1 5 2"},
	{"nameserver 10.0.0.2\nsearch a b c\noptions ndots:5\n", "10.0.0.2; a b c 5 5 2"},
	{"search a b\nsearch c", "127.0.0.1; c 1 5 2"},
	{"search a b\ndomain c d", "127.0.0.1; c 1 5 2"},
	{"domain c\nsearch a b", "127.0.0.1; a b 1 5 2"},
	{"search a\nsearch\n", "127.0.0.1; 1 5 2"},
	{"search .", "127.0.0.1; 1 5 2"},
	{"search a b c d e f g", "127.0.0.1; a b c d e f 1 5 2"},
	{"search " A255 " " A255 " b", "127.0.0.1; " A255 " " A255 " 1 5 2"},
	{"search " A255 " " A253 " b", "127.0.0.1; " A255 " " A253 " b 1 5 2"},
	{"search " A255 " " A254 " b", "127.0.0.1; " A255 " " A254 " 1 5 2"},
	{"options ndots:99 timeout:99 attempts:99", "127.0.0.1; 15 30 5"},
	{"options ndots:15 timeout:30 attempts:5", "127.0.0.1; 15 30 5"},
	{"options timeout:0 attempts:0", "127.0.0.1; 1 1 1"},
	{"options ndots: timeout:x attempts:-1 rotate edns0 ndots", "127.0.0.1; 1 5 2"},
	{"options timeout:2\noptions attempts:3", "127.0.0.1; 1 2 3"},
	{"sortlist 10.0.0.0\nNAMESERVER 10.0.0.9\nnameserverx 10.0.0.9", "127.0.0.1; 1 5 2"},
};

static void show_conf(const struct resolve_conf *c, char *text, size_t cap)
{
	text[0] = '\0';
	for (size_t i = 0; i < c->servers_n; i++) {
		const struct resolve_server *s = &c->servers[i];
		char one[INET6_ADDRSTRLEN];

		assert_non_null(inet_ntop(s->family == NET_IP6 ? AF_INET6 : AF_INET, s->bytes, one, sizeof one));
		(void)snprintf(text + strlen(text), cap - strlen(text), "%s%s", i ? " " : "", one);
		if (s->scope)
			(void)snprintf(text + strlen(text), cap - strlen(text), "%%%u", s->scope);
	}
	(void)snprintf(text + strlen(text), cap - strlen(text), "; ");
	for (size_t i = 0; i < c->search_n; i++)
		(void)snprintf(text + strlen(text), cap - strlen(text), "%s ", resolve_conf_search(c, i));
	(void)snprintf(text + strlen(text), cap - strlen(text), "%u %u %u", c->ndots, c->timeout_sec, c->attempts);
}

static void test_conf(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(confs); i++) {
		struct resolve_conf c;
		char text[1024];

		memset(&c, 0xff, sizeof c);
		resolve_conf_read(&c, test_file(confs[i].text, strlen(confs[i].text)));
		show_conf(&c, text, sizeof text);
		assert_string_equal(text, confs[i].want);
	}
}

static void test_random_conf(void **state)
{
	static const char bytes[] = "nameserver search options ndots:1.%#;\n\n  \t\0:";
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct net_found found = {0};
		struct resolve_conf c;
		char text[1500];

		for (size_t i = 0; i < sizeof text; i++)
			text[i] = bytes[test_random_below(&seed, sizeof bytes)];
		resolve_conf_read(&c, test_file(text, sizeof text));
		assert_true(c.servers_n >= 1 && c.servers_n <= RESOLVE_SERVERS_MAX);
		assert_true(c.search_n <= RESOLVE_SEARCH_MAX);
		assert_true(c.search_len <= sizeof c.search);
		resolve_hosts_find(test_file(text, sizeof text), "n", &found);
	}
}

/* ---- hosts ---- */

static void test_many_hosts(void **state)
{
	static char text[200000];
	struct net_found found = {0};
	size_t n = 0;

	(void)state;
	for (int i = 0; i < ADDRESSES_MAX + 1; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "10.0.0.%d many\n", i);
	n += (size_t)snprintf(text + n, sizeof text - n, "::2");
	for (int i = 0; i < 10000; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, " name%d", i);
	resolve_hosts_find(test_file(text, n), "many", &found);
	assert_int_equal(found.n[NET_IP4], ADDRESSES_MAX);
	assert_int_equal(found.n[NET_IP6], 0);
	resolve_hosts_find(test_file(text, n), "Name9999", &found);
	assert_int_equal(found.n[NET_IP6], 1);
	assert_int_equal(found.list[NET_IP6][0][15], 2);
	resolve_hosts_find(test_file(text, n), "name10000", &found);
	resolve_hosts_find(test_file(text, n), "::2", &found);
	assert_int_equal(found.n[NET_IP6], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),       cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_odd_files),   cmocka_unit_test(test_no_file_is_too_long),
		cmocka_unit_test(test_many_lines),  cmocka_unit_test(test_conf),
		cmocka_unit_test(test_random_conf), cmocka_unit_test(test_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
