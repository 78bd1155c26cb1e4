#include "net/connections.h"

#include "support.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define REST " 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0\n"
/* As a little-endian machine prints them: 10.0.0.5:80, from 10.0.0.9. */
#define OURS "0500000A:0050 "
#define PEER "0900000A:C001 "
#define OURS6 "B80D0120000000000000000005000000:0050 "
#define PEER6 "B80D0120000000000000000009000000:C001 "
#define MAPPED "0000000000000000FFFF00000500000A:0050 "
#define LINE(ends, state) "   0: " ends state REST

static const struct {
	const char *what, *text;
	size_t n;
} tables[] = {
	{"nothing", "", 0},
	{"none", HEAD, 0},
	{"established", HEAD LINE(OURS PEER, "01"), 1},
	{"two", HEAD LINE(OURS PEER, "01") LINE(OURS PEER, "01"), 2},
	{"half a line at the end", HEAD LINE(OURS PEER, "01") "   1: " OURS PEER "01", 1},
	{"of another port", HEAD LINE("0500000A:0051 " PEER, "01"), 0},
	{"to that port elsewhere",
	 HEAD LINE("0500000A:C001 "
		   "0900000A:0050 ",
		   "01"),
	 0},
	{"it comes", HEAD LINE(OURS PEER, "03") LINE(OURS PEER, "0C"), 2},
	{"it listens", HEAD LINE("00000000:0050 00000000:0000 ", "0A"), 0},
	{"we have closed: FIN_WAIT1", HEAD LINE(OURS PEER, "04"), 1},
	{"all was received: FIN_WAIT2", HEAD LINE(OURS PEER, "05"), 0},
	{"TIME_WAIT", HEAD LINE(OURS PEER, "06"), 0},
	{"it has closed: CLOSE_WAIT", HEAD LINE(OURS PEER, "08"), 1},
	{"LAST_ACK, CLOSING", HEAD LINE(OURS PEER, "09") LINE(OURS PEER, "0B"), 2},
	{"SYN_SENT, CLOSE, unknown", HEAD LINE(OURS PEER, "02") LINE(OURS PEER, "07") LINE(OURS PEER, "0D"), 0},
	{"a check of ours", HEAD LINE("0100007F:0050 0100007F:C001 ", "01"), 0},
	{"another loopback", HEAD LINE("0100007F:0050 0201007F:C001 ", "01"), 0},
	{"from our own address", HEAD LINE(OURS "0500000A:C001 ", "01"), 0},
	{"IPv6", HEAD LINE(OURS6 PEER6, "01"), 1},
	{"IPv6 loopback", HEAD LINE("00000000000000000000000001000000:0050 00000000000000000000000001000000:C001 ", "01"), 0},
	{"IPv4 at an IPv6 socket", HEAD LINE(MAPPED "0000000000000000FFFF00000900000A:C001 ", "01"), 1},
	{"IPv4 loopback at an IPv6 socket",
	 HEAD LINE("0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:C001 ", "01"), 0},
	{"not understood",
	 HEAD "garbage\n\n   0:\n   0: 0500000A:0050\n   0: 0500000A:0050 0900000A\n   0: 500000A:0050 0900000A:C001 01\n"
	      "   0: 0500000A-0050 0900000A:C001 01\n   0: 0500000A:050 0900000A:C001 01\n   0: 0500000A:0050 0900000A:C001\n"
	      "   0: 0500000A:0050 0900000A:C001 zz\n   0: XX00000A:0050 0900000A:C001 01\n",
	 0},
};

static size_t count(const char *first, const char *second)
{
	const char *const files[CONNECTIONS_FILES] = {first, second};
	size_t n = 999;

	assert_int_equal(connections_count(files, 80, &n), 0);
	return n;
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++) {
		const char *path = test_file(tables[i].text, strlen(tables[i].text));

		CHECK(count(path, "/nonexistent") == tables[i].n, "%s: %zu", tables[i].what, count(path, "/nonexistent"));
		CHECK(count(path, path) == 2 * tables[i].n, "%s, twice", tables[i].what);
		CHECK(count("/nonexistent", path) == tables[i].n, "%s, in the second", tables[i].what);
	}
}

static void test_neither(void **state)
{
	static const char *const files[CONNECTIONS_FILES] = {"/nonexistent", "/nonexistent"};
	size_t n = 7;

	(void)state;
	assert_int_equal(connections_count(files, 80, &n), -1);
	assert_int_equal(n, 7);
}

/* Thousands of lines, and one that is longer than is looked at. */
static void test_many(void **state)
{
	static const char line[] = LINE(OURS PEER, "01");
	static char text[5000 * (sizeof line - 1) + 10000];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 5000; i++, n += sizeof line - 1)
		memcpy(text + n, line, sizeof line - 1);
	memset(text + n, 'x', 9999);
	n += 9999;
	text[n++] = '\n';
	assert_int_equal(count(test_file(text, n), "/nonexistent"), 5000);
}

/* The kernel's own, whatever they hold. */
static void test_real(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(connections_count(connections_files, 1, &n), 0);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_neither),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
