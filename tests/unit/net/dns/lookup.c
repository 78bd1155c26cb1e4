#include "net/dns/lookup.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"

struct resolve resolve;
struct net_addresses lookup_out;
struct err lookup_err;
int64_t lookup_ms;
char lookup_hosts[64];
static char conf_path[64];

static void remove_files(void)
{
	(void)unlink(lookup_hosts);
	(void)unlink(conf_path);
}

static void write_file(char path[64], const char *text)
{
	int fd;

	if (!lookup_hosts[0])
		(void)atexit(remove_files);
	(void)unlink(path);

	(void)snprintf(path, 64, "/tmp/dnsbuddy-unit-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

void lookup_begin(const char *hosts, const char *conf, const char *servers, const struct ns_rule *rules)
{
	write_file(lookup_hosts, hosts);
	write_file(conf_path, conf);
	ns_start(servers, rules);
	lookup_use_files();
}

void lookup_end(void)
{
	ns_end();
	(void)unlink(lookup_hosts);
	(void)unlink(conf_path);
}

void lookup_use_files(void)
{
	static struct resolve_files files;

	files = (struct resolve_files){.hosts = lookup_hosts, .conf = conf_path, .port = ns_port()};
	resolve_init(&resolve);
	resolve.files = &files;
}

void lookup_wait(void)
{
	struct pollfd pfd[NAMESERVER_FDS + 1];
	struct loop_wait wait = {.fds = pfd, .cap = 1, .wake_ms = CLOCK_NEVER};

	resolve_wants(&resolve, &wait);
	assert_int_equal(wait.n, 1);
	(void)poll(pfd, ns_wants(pfd + 1) + 1, clock_poll_timeout(wait.wake_ms, clock_now_ms()));
	ns_step();
}

enum resolve_result lookup(const char *host, int64_t within_ms)
{
	int64_t start_ms = clock_now_ms();
	enum resolve_result result;

	lookup_out.n = 99;
	lookup_err.text[0] = '\0';
	result = resolve_start(&resolve, host, 8500, start_ms + within_ms, &lookup_out, &lookup_err);
	while (result == RESOLVE_MORE) {
		lookup_wait();
		result = resolve_step(&resolve, &lookup_out, &lookup_err);
	}
	lookup_ms = clock_now_ms() - start_ms;
	assert_int_equal(resolve.x.fd, -1);
	return result;
}

static void add_text(char *text, size_t cap, const struct net_address *a)
{
	char one[INET6_ADDRSTRLEN];
	bool is_ip6 = a->sa.any.sa_family == AF_INET6;
	const void *bytes = is_ip6 ? (const void *)&a->sa.in6.sin6_addr : (const void *)&a->sa.in.sin_addr;
	in_port_t port = is_ip6 ? a->sa.in6.sin6_port : a->sa.in.sin_port;

	assert_int_equal(ntohs(port), 8500);
	assert_int_equal(a->len, is_ip6 ? sizeof a->sa.in6 : sizeof a->sa.in);
	assert_non_null(inet_ntop(a->sa.any.sa_family, bytes, one, sizeof one));
	(void)snprintf(text + strlen(text), cap - strlen(text), "%s%s", *text ? " " : "", one);
}

void lookup_found(const char *what, const char *want)
{
	char text[2048] = "";

	for (size_t i = 0; i < lookup_out.n; i++)
		add_text(text, sizeof text, &lookup_out.list[i]);
	CHECK(!strcmp(text, want), "%s: \"%s\", not \"%s\"", what, text, want);
}
