#include "net/http/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check(bool ok)
{
	if (ok)
		return;
	perror("peer");
	abort();
}

static void sleep_ms(long ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

static void listen_tcp(struct peer *p)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	check(p->fd >= 0 && !bind(p->fd, (struct sockaddr *)&sa, sizeof sa));
	check(!getsockname(p->fd, (struct sockaddr *)&sa, &len));
	p->port = ntohs(sa.sin_port);
}

static void listen_unix(struct peer *p, const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	(void)snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	p->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	check(p->fd >= 0 && !bind(p->fd, (struct sockaddr *)&sa, sizeof sa));
}

/* A request with Content-Length or without a body. */
static void read_request(struct peer *p, int fd, bool with_body)
{
	char *text = p->seen->request;
	size_t n = 0, want = 0;
	const char *end, *length;

	do {
		/* A byte at a time: the body may be for a later step. */
		ssize_t got = read(fd, text + n, 1);

		if (got <= 0)
			return;
		n++;
		text[n] = '\0';
		end = strstr(text, "\r\n\r\n");
	} while (!end && n < sizeof p->seen->request - 1);
	length = strstr(text, "Content-Length: ");
	if (length && with_body)
		want = strtoul(length + 16, NULL, 10);
	while (want && n < sizeof p->seen->request - 1) {
		ssize_t got = read(fd, text + n, want);

		if (got <= 0)
			return;
		n += (size_t)got;
		want -= (size_t)got;
		text[n] = '\0';
	}
	p->seen->requests++;
}

static void drip(int fd, const char *text)
{
	for (;;)
		for (const char *s = text; *s; s++) {
			if (send(fd, s, 1, MSG_NOSIGNAL) != 1)
				return;
			sleep_ms(20);
		}
}

static void drain(struct peer *p, int fd)
{
	static char text[65536];
	ssize_t got;

	while (!p->seen->may_drain)
		sleep_ms(1);
	while ((got = read(fd, text, sizeof text)) > 0)
		p->seen->drained += (size_t)got;
	p->seen->was_reset = got < 0 && errno == ECONNRESET;
	p->seen->may_drain = 0;
}

static int do_step(struct peer *p, const struct peer_step *step, int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	switch (step->what) {
	case PEER_ACCEPT:
		fd = accept(p->fd, NULL, NULL);
		p->seen->connections++;
		break;
	case PEER_READ:
	case PEER_READ_HEAD: read_request(p, fd, step->what == PEER_READ); break;
	case PEER_SEND: (void)!send(fd, step->text, strlen(step->text), MSG_NOSIGNAL); break;
	case PEER_DRIP: drip(fd, step->text); break;
	case PEER_RESET:
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		(void)close(fd);
		break;
	case PEER_CLOSE: (void)close(fd); break;
	case PEER_DRAIN: drain(p, fd); break;
	case PEER_STAY:
		for (;;)
			(void)pause();
	}
	p->seen->steps++;
	return fd;
}

void peer_start(struct peer *p, const char *unix_path, const struct peer_step *steps)
{
	memset(p, 0, sizeof *p);
	p->seen = mmap(NULL, sizeof *p->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(p->seen != MAP_FAILED);
	if (unix_path)
		listen_unix(p, unix_path);
	else
		listen_tcp(p);
	check(!listen(p->fd, 5));
	p->pid = fork();
	check(p->pid >= 0);
	if (!p->pid) {
		int fd = -1;

		(void)alarm(60); /* should the test die */
		for (;; steps++)
			fd = do_step(p, steps, fd);
	}
}

void peer_wait(const struct peer *p, int steps)
{
	while (p->seen->steps < steps)
		sleep_ms(1);
}

void peer_drain(const struct peer *p)
{
	p->seen->may_drain = 1;
	while (p->seen->may_drain)
		sleep_ms(1);
}

void peer_end(struct peer *p)
{
	(void)kill(p->pid, SIGKILL);
	(void)waitpid(p->pid, NULL, 0);
	(void)close(p->fd);
	(void)munmap(p->seen, sizeof *p->seen);
}
