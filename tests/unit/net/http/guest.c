#include "net/http/guest.h"

#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener l;
int64_t now_ms;
static uint16_t port;
static char where[32];
char got[GUEST_GOT_CAP];
size_t got_n;

static int page(void *ctx, const char *path, const char *query, struct buf *out, const char **content_type)
{
	size_t n = strcmp(path, "/big") == 0 ? LISTEN_ANSWER_MAX : LISTEN_ANSWER_MAX + 1;

	assert_ptr_equal(ctx, &port);
	if (strcmp(path, "/") == 0) {
		*content_type = "text/html";
		buf_fmt(out, "hello%s\n", query);
		return 200;
	}
	if (strcmp(path, "/sick") == 0) {
		buf_str(out, "sick\n");
		return 503;
	}
	if (strcmp(path, "/empty") == 0)
		return 503;
	if (strcmp(path, "/big") != 0 && strcmp(path, "/huge") != 0)
		return 404;
	for (size_t i = 0; i < n; i++)
		buf_add(out, "x", 1);
	return 200;
}

void step(void)
{
	listen_step(&l, now_ms, page, &port);
}

int guest_setup(void **state)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;
	struct err e = {0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(close(fd), 0);
	port = ntohs(sa.sin_port);
	now_ms = START_MS;
	(void)snprintf(where, sizeof where, "127.0.0.1:%u", (unsigned)port);
	CHECK(!listen_open(&l, where, &e), "%s", e.text);
	return 0;
}

int guest_teardown(void **state)
{
	(void)state;
	listen_close(&l);
	return 0;
}

int guest_connect_sized(int receive_buffer)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (receive_buffer)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer), 0);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

int guest_connect(void)
{
	return guest_connect_sized(0);
}

void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

enum end hear(int fd)
{
	for (;;) {
		ssize_t n = recv(fd, got + got_n, GUEST_GOT_CAP - 1 - got_n, MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN ? OPEN : RESET;
		if (!n)
			return CLOSED;
		got_n += (size_t)n;
		got[got_n] = '\0';
	}
}

enum end hear_anew(int fd)
{
	got_n = 0;
	got[0] = '\0';
	return hear(fd);
}

void guest_ask_at(int fd, const char *text)
{
	say(fd, text);
	step();
	assert_int_equal(hear_anew(fd), CLOSED);
	assert_int_equal(close(fd), 0);
	step();
}

void guest_ask(const char *text)
{
	guest_ask_at(guest_connect(), text);
}

bool is_status(int status)
{
	char line[32];

	(void)snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	return strncmp(got, line, strlen(line)) == 0;
}

bool has_field(const char *line)
{
	const char *end = strstr(got, "\r\n\r\n"), *at = strstr(got, line);

	return end && at && at < end && at[-1] == '\n' && at[strlen(line)] == '\r';
}

const char *body(void)
{
	const char *end = strstr(got, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

size_t used_n(enum listen_phase phase)
{
	size_t n = 0;

	for (size_t i = 0; i < LISTEN_CONNECTIONS_MAX; i++)
		n += l.connections[i].phase == phase;
	return n;
}

bool is_idle(void)
{
	return used_n(LISTEN_FREE) == LISTEN_CONNECTIONS_MAX;
}
