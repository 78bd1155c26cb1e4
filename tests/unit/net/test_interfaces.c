/*
 * net/interfaces: what the kernel says of real interfaces, in a network namespace of the test's own (which takes root), and
 * of lines that no interface here would have. The module is compiled a second time, for those.
 */
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/interfaces.h"

/* As little at once as no kernel would give: lines come in pieces. */
static ssize_t read_slowly(int fd, void *p, size_t n)
{
	return read(fd, p, n < 100 ? n : 100);
}

#define read read_slowly
#define interfaces_list tested_list
int tested_list(struct interface_address *out, size_t cap, size_t *n, struct err *e);
#include "net/interfaces.c" /* NOLINT(bugprone-suspicious-include) */
#undef interfaces_list
#undef read

#define MAX 1024

static struct interface_address list[MAX];
static size_t list_n;

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof list[0]);
}

/* What there is as "NAME ADDRESS FLAGS, ...", in order; flags: l loopback, f fleeting. */
static const char *listed(size_t cap)
{
	static char text[4096];
	struct err e = {0};

	if (tested_list(list, cap, &list_n, &e))
		return strcpy(text, e.text);
	qsort(list, list_n, sizeof list[0], compare);
	text[0] = '\0';
	for (size_t i = 0; i < list_n && i < 20; i++) {
		char address[ADDR_TEXT_CAP];

		addr_format(list[i].bytes, 16, address);
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.15s %s%s%s", i ? ", " : "", list[i].name,
			       address, list[i].is_loopback ? " l" : "", list[i].is_fleeting ? " f" : "");
	}
	if (list_n > 20)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), " of %zu", list_n);
	return text;
}

/*
 * What is listed in a new namespace after these commands of ip(8); NULL: there are no such namespaces for us. In a process
 * of its own: who has left a namespace may not come back.
 */
static const char *listed_after(const char *commands, size_t cap)
{
	static char text[4096];
	size_t len = 0;
	int ends[2], status;
	ssize_t got;
	pid_t pid;

	if (pipe(ends) || (pid = fork()) < 0)
		abort();
	if (!pid) {
		const char *p;
		FILE *ip;

		if (unshare(CLONE_NEWNET) || !(ip = popen("ip -batch - >/dev/null 2>&1", "w"))) /* NOLINT: a test's own words */
			_exit(1);
		if (fputs(commands, ip) < 0 || pclose(ip))
			_exit(1);
		p = listed(cap);
		_exit(write(ends[1], p, strlen(p)) < 0);
	}
	(void)close(ends[1]);
	while ((got = read(ends[0], text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	(void)close(ends[0]);
	text[len] = '\0';
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return status ? NULL : text;
}

static bool has_namespaces(void)
{
	static int has = -1;

	if (has < 0)
		has = listed_after("link set lo up", MAX) != NULL;
	if (!has)
		print_message("skipped: network namespaces take root and ip(8)\n");
	return has;
}

/* Its other end is in the same namespace, and has no address. */
#define PAIR_OF(name)                                                                                                              \
	"link add " name " type veth peer name peer0\nlink set peer0 addrgenmode none\nlink set " name                             \
	" addrgenmode none\nlink set peer0 up\nlink set " name " up\n"
#define PAIR PAIR_OF("eth0")

static const struct {
	const char *commands, *there;
} scenes[] = {
	{"", ""},
	{"link set lo up", "lo ::1 l, lo ::ffff:127.0.0.1 l"},
	{PAIR "addr add 10.20.30.40/24 dev eth0\naddr add 10.20.30.9/24 dev eth0\naddr add 192.0.2.1/32 dev eth0 label eth0:vip",
	 "eth0 ::ffff:10.20.30.9, eth0 ::ffff:10.20.30.40, eth0 ::ffff:192.0.2.1"},
	/* It is no address of use that an interface has which is down. */
	{"link add eth0 type veth peer name peer0\naddr add 10.0.0.1/24 dev eth0", ""},
	{PAIR "addr add 10.0.0.1/24 dev eth0\nlink set eth0 down", ""},
	{PAIR "addr add 10.0.0.1 peer 10.0.0.2 dev eth0", "eth0 ::ffff:10.0.0.1"},
	{"link set lo up\naddr add 10.1.1.1/32 dev lo", "lo ::1 l, lo ::ffff:10.1.1.1 l, lo ::ffff:127.0.0.1 l"},
	{PAIR "addr add 2001:db8::7/64 dev eth0 nodad\naddr add fe80::7/64 dev eth0 nodad\naddr add 192.0.2.7/24 dev eth0",
	 "eth0 ::ffff:192.0.2.7, eth0 2001:db8::7, eth0 fe80::7"},
	{PAIR "addr add 2001:db8::7/64 dev eth0 nodad preferred_lft 0", "eth0 2001:db8::7 f"},
	/* Its uniqueness is not known yet: the kernel waits a second for who objects. */
	{PAIR "addr add 2001:db8::8/64 dev eth0", "eth0 2001:db8::8 f"},
	{PAIR_OF("br-abc.def@1234") "addr add 10.0.0.1/8 dev br-abc.def@1234", "br-abc.def@1234 ::ffff:10.0.0.1"},
};

static void test_scenes(void **state)
{
	(void)state;
	if (!has_namespaces())
		skip();
	for (size_t i = 0; i < COUNT(scenes); i++) {
		const char *there = listed_after(scenes[i].commands, MAX);

		CHECK(there && !strcmp(there, scenes[i].there), "case %zu: %s", i, there ? there : "failed");
	}
}

/* So many fit, and one more is an error; but link-local ones are only left out. */
static void test_room(void **state)
{
	static const char commands[] = PAIR "addr add 10.0.0.1/24 dev eth0\naddr add 10.0.0.2/24 dev eth0\n"
					    "addr add 2001:db8::7/64 dev eth0 nodad\n"
					    "addr add fe80::7/64 dev eth0 nodad\naddr add fe80::8/64 dev eth0 nodad";
	static const struct {
		size_t cap;
		const char *there;
	} cases[] = {
		{1, "more than 1 addresses of interfaces"},
		{2, "more than 2 addresses of interfaces"},
		{3, "eth0 ::ffff:10.0.0.1, eth0 ::ffff:10.0.0.2, eth0 2001:db8::7"},
		{5, "eth0 ::ffff:10.0.0.1, eth0 ::ffff:10.0.0.2, eth0 2001:db8::7, eth0 fe80::7, eth0 fe80::8"},
	};

	(void)state;
	if (!has_namespaces())
		skip();
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *there = listed_after(commands, cases[i].cap);

		CHECK(there && !strcmp(there, cases[i].there), "case %zu: %s", i, there ? there : "failed");
	}
}

/* More of them than there is room for while the file is read. */
static void test_many(void **state)
{
	static char commands[65536];
	const char *there;
	size_t len;

	(void)state;
	if (!has_namespaces())
		skip();
	len = (size_t)snprintf(commands, sizeof commands, "%s", PAIR);
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(commands + len, sizeof commands - len,
					"addr add 10.0.%d.1/32 dev eth0\naddr add 2001:db8::%x/128 dev eth0 nodad\n", i,
					0x1000 + i);
	there = listed_after(commands, MAX);
	CHECK(there && strstr(there, "10.0.0.1") && strstr(there, "of 400"), "%s", there ? there : "failed");
}

/* ---- lines ---- */

static void test_lines(void **state)
{
	static const struct {
		const char *line, *there; /* NULL: not taken */
		bool is_link_local;
	} cases[] = {
		{"20010db8000000000000000000000007 02 40 00 80     eth0", "eth0 2001:db8::7", false},
		{"20010db8000000000000000000000007 02 40 00 80 abcdefghijklmno", "abcdefghijklmno 2001:db8::7", false},
		{"20010db8000000000000000000000007 12f 40 00 80     eth0", "eth0 2001:db8::7", false},
		{"fe800000000000000000000000000001 02 40 20 80     eth0", "eth0 fe80::1", true},
		{"20010DB8000000000000000000000007 02 40 00 01     eth0", "eth0 2001:db8::7 f", false}, /* temporary */
		{"20010db8000000000000000000000007 02 40 00 20     eth0", "eth0 2001:db8::7 f", false}, /* deprecated */
		{"20010db8000000000000000000000007 02 40 00 40     eth0", "eth0 2001:db8::7 f", false}, /* tentative */
		{"20010db8000000000000000000000007 02 40 00 48     eth0", NULL, false},                 /* somebody else's */
		{"20010db8000000000000000000000007 02 40 00 80 abcdefghijklmnop", NULL, false},
		{"20010db800000000000000000000007 02 40 00 80     eth0", NULL, false},
		{"20010db8000000000000000000000007 02 40 00 80", NULL, false},
		{"", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct interface_address a;
		char line[128], address[ADDR_TEXT_CAP], text[128];
		bool is_link_local = false;
		int rc;

		(void)snprintf(line, sizeof line, "%s", cases[i].line);
		rc = read_line(line, &a, &is_link_local);
		CHECK(!rc == (cases[i].there != NULL), "case %zu", i);
		if (rc)
			continue;
		addr_format(a.bytes, 16, address);
		(void)snprintf(text, sizeof text, "%s %s%s", a.name, address, a.is_fleeting ? " f" : "");
		assert_string_equal(text, cases[i].there);
		assert_int_equal(is_link_local, cases[i].is_link_local);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
