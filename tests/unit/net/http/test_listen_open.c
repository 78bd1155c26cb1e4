/* net/http/listener: what may be given as address, and opening it. */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/address.h"
#include "net/http/listener.h"

#define NEW_NETWORK 0x40000000 /* CLONE_NEWNET: not every libc has it without all of GNU's */

static struct listener l, other;

static void test_good(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} cases[] = {
		{":8080", "", 8080},
		{"0.0.0.0:1", "0.0.0.0", 1},
		{"127.0.0.1:65535", "127.0.0.1", 65535},
		{"[::]:9119", "::", 9119},
		{"[2001:db8::1]:80", "2001:db8::1", 80},
		{"[1111:2222:3333:4444:5555:6666:255.255.255.255]:1", "1111:2222:3333:4444:5555:6666:255.255.255.255", 1},
		{"localhost:80", "127.0.0.1", 80},
		{"LocalHost:80", "127.0.0.1", 80},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char host[LISTEN_HOST_CAP];
		uint16_t port = 0;
		struct err e = {0};

		CHECK(!listen_parse(cases[i].text, host, &port, &e), "%s", e.text);
		assert_string_equal(host, cases[i].host);
		assert_int_equal(port, cases[i].port);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "no port"},
		{"8080", "no port"},
		{"127.0.0.1", "no port"},
		{":", "the port is no number from 1 to 65535"},
		{":0", "the port is no number from 1 to 65535"},
		{":65536", "the port is no number from 1 to 65535"},
		{":-1", "the port is no number from 1 to 65535"},
		{":80 ", "the port is no number from 1 to 65535"},
		{":http", "the port is no number from 1 to 65535"},
		{"www.example.com:80", "no IP address"},
		{"http://127.0.0.1:80", "no IP address"},
		{"1.2.3:80", "no IP address"},
		{"[]:80", "no IP address"},
		{"[127.0.0.1]:80", "no IP address"},
		{"[fe80::1%lo]:80", "no IP address"},
		{"[1111:2222:3333:4444:5555:6666:255.255.255.2555]:1", "no IP address"},
		{"[::1:80", "a bracket is missing"},
		{"[:80", "a bracket is missing"},
		{"[::1]", "the port is no number from 1 to 65535"},
		{"::1:80", "brackets are missing"},
		{"::]:80", "no IP address"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char host[LISTEN_HOST_CAP] = "as it was", text[256];
		uint16_t port = 7;
		struct err e = {0};

		(void)snprintf(text, sizeof text, "\"%s\": %s: give ADDR:PORT, [ADDR]:PORT or :PORT, as 0.0.0.0:8080",
			       cases[i].text, cases[i].why);
		CHECK(listen_parse(cases[i].text, host, &port, &e) == -1, "%s", cases[i].text);
		assert_string_equal(e.text, text);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_string_equal(host, "as it was");
		assert_int_equal(port, 7);
	}
}

/* The port the kernel gave to a listener that was let choose. */
static uint16_t free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	(void)close(fd);
	return ntohs(sa.sin_port);
}

static int dial(bool is_ip6, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(is_ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), failed;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	failed = is_ip6 ? connect(fd, (struct sockaddr *)&in6, sizeof in6) : connect(fd, (struct sockaddr *)&in, sizeof in);
	if (!failed)
		return fd;
	(void)close(fd);
	return -1;
}

static bool has_ip6(void)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && !bind(fd, (struct sockaddr *)&sa, sizeof sa);

	if (fd >= 0)
		(void)close(fd);
	return has;
}

static void check_open(const char *host, bool answers_4, bool answers_6)
{
	uint16_t port = free_port();
	struct err e = {0};
	char text[64];
	int fds[2];

	(void)snprintf(text, sizeof text, "%s:%u", host, (unsigned)port);
	CHECK(!listen_open(&l, text, &e), "%s", e.text);
	for (int i = 0; i < 2; i++) {
		fds[i] = dial(i, port);
		CHECK((fds[i] >= 0) == (i ? answers_6 : answers_4), "%s: family %d", text, i);
	}
	assert_int_equal(listen_open(&other, text, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	CHECK(strstr(e.text, text) && strstr(e.text, "in use"), "%s", e.text);
	/* Closed by us first: the port is in TIME_WAIT, and ours again all the same. */
	listen_step(&l, 1, NULL, NULL);
	listen_close(&l);
	CHECK(!listen_open(&l, text, &e), "%s", e.text);
	listen_close(&l);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static void test_open(void **state)
{
	bool ip6 = has_ip6();

	(void)state;
	check_open("127.0.0.1", true, false);
	check_open("0.0.0.0", true, false);
	check_open("", true, ip6);
	if (ip6) {
		check_open("[::1]", false, true);
		check_open("[::]", true, true);
	}
}

/* Somebody has it for IPv6: to take IPv4 alone in silence would be half of what was asked. */
static void test_half_taken(void **state)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_port = htons(free_port())};
	int fd = socket(AF_INET6, SOCK_STREAM, 0), on = 1;
	struct err e = {0};
	char text[16];

	(void)state;
	if (!has_ip6()) {
		print_message("skipped: no IPv6 here\n");
		skip();
	}
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(fd, 1), 0);
	(void)snprintf(text, sizeof text, ":%u", (unsigned)ntohs(sa.sin6_port));
	assert_int_equal(listen_open(&l, text, &e), -1);
	CHECK(strstr(e.text, "in use"), "%s", e.text);
	(void)close(fd);
}

static void test_not_ours(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(listen_open(&l, "192.0.2.1:8080", &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	CHECK(strncmp(e.text, "listen at 192.0.2.1:8080: ", 26) == 0, "%s", e.text);
	assert_int_equal(listen_open(&l, "8080", &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_false(l.is_open);
	listen_close(&l);
}

/* ---- by number ---- */

static int dial_local(unsigned number)
{
	int fd = net_open_socket(AF_UNIX, SOCK_STREAM);
	char name[LISTEN_LOCAL_CAP];
	struct net_address a;

	listen_local_name(name, number);
	net_address_set_unix(&a, name);
	if (connect(fd, &a.sa.any, a.len) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Every copy has a number of its own, which is free again when it has gone. */
static void test_local(void **state)
{
	struct listener *all[] = {&l, &other};
	struct sockaddr_un names[2] = {{0}};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		socklen_t len = sizeof names[i];

		CHECK(!listen_open_local(all[i], &e), "%s", e.text);
		assert_int_equal(getsockname(all[i]->fd, (struct sockaddr *)&names[i], &len), 0);
		assert_int_equal(names[i].sun_path[0], '\0');
		assert_int_equal(strncmp(names[i].sun_path + 1, "dnsbuddy/", 9), 0);
	}
	assert_string_not_equal(names[0].sun_path + 1, names[1].sun_path + 1);
	for (size_t i = 0; i < COUNT(all); i++) {
		unsigned number = (unsigned)atoi(names[i].sun_path + 10);
		int fd = dial_local(number);

		assert_true(fd >= 0 && number < LISTEN_LOCALS);
		assert_true(listen_is_near(fd, true) && listen_is_near(fd, false));
		(void)close(fd);
		listen_close(all[i]);
	}
}

/* Of another user than us we believe nothing, but of root. */
static void test_local_users(void **state)
{
	struct err e = {0};
	int fd = -1;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: takes root\n");
		skip();
	}
	assert_int_equal(seteuid(65533), 0);
	CHECK(!listen_open_local(&l, &e), "%s", e.text);
	for (unsigned i = 0; i < LISTEN_LOCALS; i++) {
		if ((fd = dial_local(i)) >= 0) {
			struct sockaddr_un name = {0}, ours = {0};
			socklen_t len = sizeof name, ours_len = sizeof ours;

			(void)getpeername(fd, (struct sockaddr *)&name, &len);
			(void)getsockname(l.fd, (struct sockaddr *)&ours, &ours_len);
			if (memcmp(&name, &ours, sizeof name) == 0)
				break;
			(void)close(fd);
		}
	}
	assert_true(listen_is_near(fd, true));
	assert_int_equal(seteuid(0), 0);
	assert_true(listen_is_near(fd, false) && !listen_is_near(fd, true));
	assert_int_equal(seteuid(65532), 0);
	assert_true(listen_is_near(fd, false) && !listen_is_near(fd, true));
	assert_int_equal(seteuid(0), 0);
	(void)close(fd);
	listen_close(&l);
}

static void test_not_near(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_false(listen_is_near(fd, false));
	(void)close(fd);
	assert_false(listen_is_near(-1, false));
}

/* Others have every number. In a network of its own, for there it disturbs nobody. */
static void test_local_all_taken(void **state)
{
	static struct listener taken;
	struct err e = {0};
	unsigned n = 0;

	(void)state;
	if (syscall(SYS_unshare, NEW_NETWORK)) {
		print_message("skipped: no network namespace may be made here\n");
		skip();
	}
	while (n <= LISTEN_LOCALS && listen_open_local(&taken, &e) == 0)
		n++; /* the sockets before stay open */
	assert_int_equal(n, LISTEN_LOCALS);
	assert_int_equal(e.kind, ERR_SYS);
	assert_non_null(strstr(e.text, "in use"));
	listen_close(&taken); /* the last one */
	CHECK(listen_open_local(&taken, &e) == 0, "%s", e.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_half_taken),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_local_users),
		cmocka_unit_test(test_not_near),
		cmocka_unit_test(test_local_all_taken), /* the last: it has left the network */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
