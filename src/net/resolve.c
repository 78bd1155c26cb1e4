#define _GNU_SOURCE /* _Fork() */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_FD_MAX 1024 /* descriptors that the child closes; it only lives for a look-up */

void resolve_init(struct resolve *r)
{
	r->pid = 0;
	r->fd = -1;
	r->got = 0;
}

static void address_set(struct net_address *a, bool is_ip6, const void *bytes, uint32_t scope,
			uint16_t port)
{
	memset(a, 0, sizeof *a);
	if (is_ip6) {
		a->sa.in6.sin6_family = AF_INET6;
		a->sa.in6.sin6_port = htons(port);
		a->sa.in6.sin6_scope_id = scope;
		memcpy(&a->sa.in6.sin6_addr, bytes, 16);
		a->len = sizeof a->sa.in6;
	} else {
		a->sa.in.sin_family = AF_INET;
		a->sa.in.sin_port = htons(port);
		memcpy(&a->sa.in.sin_addr, bytes, 4);
		a->len = sizeof a->sa.in;
	}
}

static bool take_numeric(const char *host, uint16_t port, struct net_addresses *out)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, host, bytes) == 1)
		address_set(&out->list[0], false, bytes, 0, port);
	else if (inet_pton(AF_INET6, host, bytes) == 1)
		address_set(&out->list[0], true, bytes, 0, port);
	else
		return false;
	out->n = 1;
	return true;
}

static void answer_add(struct resolve_answer *a, const struct addrinfo *i)
{
	if (a->n == RESOLVE_ADDRESSES_MAX)
		return;
	if (i->ai_family == AF_INET6) {
		struct sockaddr_in6 sa;

		memcpy(&sa, i->ai_addr, sizeof sa);
		a->list[a->n].is_ip6 = 1;
		a->list[a->n].scope = sa.sin6_scope_id;
		memcpy(a->list[a->n++].bytes, &sa.sin6_addr, 16);
	} else if (i->ai_family == AF_INET) {
		struct sockaddr_in sa;

		memcpy(&sa, i->ai_addr, sizeof sa);
		memcpy(a->list[a->n++].bytes, &sa.sin_addr, 4);
	}
}

/* A signal for the parent's handlers, inherited, must not be answered twice. */
static void child_reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* refused for SIGKILL and the like */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_run(const char *host, int fd) __attribute__((noreturn));
static void child_run(const char *host, int fd)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct resolve_answer answer = {0};
	struct addrinfo *list = NULL;
	ssize_t n;

	child_reset_signals();
	/* A connection the parent closes meanwhile must end for its peer. */
	for (int other = 0; other < CHILD_FD_MAX; other++)
		if (other != fd)
			(void)close(other);
	answer.failure = getaddrinfo(host, NULL, &hints, &list);
	if (answer.failure == EAI_SYSTEM)
		answer.system = errno;
	if (!answer.failure)
		for (const struct addrinfo *i = list; i; i = i->ai_next)
			answer_add(&answer, i);
	n = write(fd, &answer, sizeof answer);
	/* No exit handlers: they are the parent's. */
	_exit(n == (ssize_t)sizeof answer ? 0 : 1);
}

static int open_pipe(int fds[2])
{
	if (pipe(fds))
		return -1;
	for (int i = 0; i < 2; i++)
		(void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static enum resolve_result cannot_start(struct err *e)
{
	(void)err_set(e, ERR_RETRY, "cannot start the resolver's process: %s", strerror(errno));
	return RESOLVE_BAD;
}

enum resolve_result resolve_start(struct resolve *r, const char *host, uint16_t port,
				  struct net_addresses *out, struct err *e)
{
	int fds[2];
	pid_t pid;

	if (take_numeric(host, port, out))
		return RESOLVE_DONE;
	if (open_pipe(fds))
		return cannot_start(e);
	/* Not fork(): there are no threads and no handlers whose locks it would have to take. */
	pid = _Fork();
	if (!pid)
		child_run(host, fds[1]);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)cannot_start(e);
		(void)close(fds[0]);
		return RESOLVE_BAD;
	}
	r->pid = pid;
	r->fd = fds[0];
	r->got = 0;
	return RESOLVE_MORE;
}

static enum resolve_result fail(const struct resolve_answer *a, struct err *e)
{
	if (a->failure == EAI_SYSTEM)
		(void)err_set(e, ERR_RETRY, "resolver: %s", strerror(a->system));
	else if (a->failure)
		(void)err_set(e, ERR_RETRY, "resolver: %s", gai_strerror(a->failure));
	else
		(void)err_set(e, ERR_RETRY, "resolver: the name has no address");
	return RESOLVE_BAD;
}

/* The index of the next address after `from` of the family, or n. */
static uint32_t find_family(const struct resolve_answer *a, uint32_t from, uint32_t is_ip6)
{
	while (from < a->n && a->list[from].is_ip6 != is_ip6)
		from++;
	return from;
}

/* One family can be wholly unreachable: let the families take turns (RFC 8305 section 4). */
static void interleave(const struct resolve_answer *a, uint16_t port, struct net_addresses *out)
{
	uint32_t turn = a->list[0].is_ip6;
	uint32_t next[2] = {find_family(a, 0, 0), find_family(a, 0, 1)};

	out->n = 0;
	while (out->n < a->n) {
		uint32_t i;

		if (next[turn] >= a->n)
			turn = !turn;
		i = next[turn];
		address_set(&out->list[out->n++], turn, a->list[i].bytes, a->list[i].scope, port);
		next[turn] = find_family(a, i + 1, turn);
		turn = !turn;
	}
}

enum resolve_result resolve_step(struct resolve *r, uint16_t port, struct net_addresses *out,
				 struct err *e)
{
	char *p = (char *)&r->answer;
	ssize_t n = 0;

	while (r->got < sizeof r->answer) {
		n = read(r->fd, p + r->got, sizeof r->answer - r->got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return RESOLVE_MORE;
		if (n <= 0)
			break;
		r->got += (size_t)n;
	}
	resolve_stop(r);
	if (r->got < sizeof r->answer) {
		(void)err_set(e, ERR_RETRY, "the resolver's process died");
		return RESOLVE_BAD;
	}
	if (r->answer.failure || !r->answer.n || r->answer.n > RESOLVE_ADDRESSES_MAX)
		return fail(&r->answer, e);
	interleave(&r->answer, port, out);
	return RESOLVE_DONE;
}

void resolve_stop(struct resolve *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
	/*
	 * ECHILD is tolerated: as PID 1 another part of the program may have reaped it already.
	 * Asked first, so that a number that is no longer our child's is never killed.
	 */
	if (r->pid > 0 && waitpid(r->pid, NULL, WNOHANG) == 0) {
		(void)kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	r->pid = 0;
}
