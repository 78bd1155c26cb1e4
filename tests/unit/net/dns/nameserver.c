#include "net/dns/nameserver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server {
	int udp, tcp, peer;
	unsigned char in[600];
	size_t in_n;
	unsigned char out[70000];
	size_t out_n, out_at;
	bool must_close;
} servers[NAMESERVERS_MAX];

static struct ns_rule rules[32];
static uint16_t port;
static char asked[4096];
static unsigned char first_id[2][2]; /* of the first query for each family */

struct message {
	unsigned char p[66000];
	size_t n;
	size_t owner; /* where the present owner's name is */
	uint32_t ttl;
};

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* ---- Sockets ---- */

static struct sockaddr_in address_of(int i)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i);
	return sa;
}

static int open_at(int i, int type)
{
	struct sockaddr_in sa = address_of(i);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	check(fd >= 0, "socket");
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) || (type == SOCK_STREAM && listen(fd, 5))) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void find_port(void)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof sa;
	int fd;

	port = 0;
	fd = open_at(0, SOCK_DGRAM);
	check(fd >= 0 && !getsockname(fd, (struct sockaddr *)&sa, &len), "port");
	port = ntohs(sa.sin_port);
	(void)close(fd);
}

static bool open_all(const char *which)
{
	bool ok = true;

	find_port();
	for (int i = 0; i < NAMESERVERS_MAX; i++) {
		struct server *s = &servers[i];

		s->udp = s->tcp = s->peer = -1;
		if (!strchr(which, '1' + i))
			continue;
		s->udp = open_at(i, SOCK_DGRAM);
		s->tcp = open_at(i, SOCK_STREAM);
		ok = ok && s->udp >= 0 && s->tcp >= 0;
	}
	return ok;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void ns_start(const char *which, const struct ns_rule *list)
{
	size_t n = 0;

	memset(rules, 0, sizeof rules);
	for (; list && list->name; list++)
		rules[n++] = *list;
	asked[0] = '\0';
	while (!open_all(which))
		ns_end();
}

void ns_end(void)
{
	for (int i = 0; i < NAMESERVERS_MAX; i++) {
		close_fd(&servers[i].udp);
		close_fd(&servers[i].tcp);
		close_fd(&servers[i].peer);
	}
}

uint16_t ns_port(void)
{
	return port;
}

const char *ns_asked(void)
{
	return asked;
}

/* ---- Messages ---- */

static void put(struct message *m, const void *p, size_t n)
{
	check(n <= sizeof m->p - m->n, "message");
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static void put16(struct message *m, size_t v)
{
	const unsigned char b[2] = {(unsigned char)(v >> 8), (unsigned char)v};

	put(m, b, 2);
}

static void put_name(struct message *m, const char *name)
{
	for (size_t n; *name; name += n + (name[n] == '.')) {
		const unsigned char len = (unsigned char)(n = strcspn(name, "."));

		put(m, &len, 1);
		put(m, name, n);
	}
	put(m, "", 1);
}

static void begin_record(struct message *m, unsigned type, size_t n)
{
	size_t count = ((size_t)m->p[6] << 8 | m->p[7]) + 1;

	put16(m, 0xc000 | m->owner);
	put16(m, type);
	put16(m, 1);
	put16(m, m->ttl >> 16);
	put16(m, m->ttl & 0xffff);
	put16(m, n);
	m->p[6] = (unsigned char)(count >> 8);
	m->p[7] = (unsigned char)count;
}

static void put_server(struct message *m, const char *name)
{
	begin_record(m, 2, strlen(name) + 2);
	put_name(m, name);
}

static void put_alias(struct message *m, const char *target)
{
	begin_record(m, 5, strlen(target) + 2);
	m->owner = m->n;
	put_name(m, target);
}

/* Records of the owner may only point backwards: its name goes into a record of no interest. */
static void put_owner(struct message *m, const char *name)
{
	begin_record(m, 16, strlen(name) + 2);
	m->owner = m->n;
	put_name(m, name);
}

/* What one word adds. Returns false when it is "silent". */
static bool put_word(struct message *m, const char *word, size_t question_n)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, word, bytes) == 1) {
		begin_record(m, 1, 4);
		put(m, bytes, 4);
	} else if (inet_pton(AF_INET6, word, bytes) == 1) {
		begin_record(m, 28, 16);
		put(m, bytes, 16);
	} else if (*word == '>') {
		put_alias(m, word + 1);
	} else if (*word == '&') {
		put_server(m, word + 1);
	} else if (!strncmp(word, "ttl=", 4)) {
		m->ttl = (uint32_t)strtoul(word + 4, NULL, 10);
	} else if (!strcmp(word, "aa")) {
		m->p[2] |= 4;
	} else if (!strcmp(word, "lame")) {
		m->p[3] &= 0x7f;
	} else if (*word == '@') {
		put_owner(m, word + 1);
	} else if (!strncmp(word, "rcode=", 6)) {
		m->p[3] |= (unsigned char)atoi(word + 6);
	} else if (!strncmp(word, "fill=", 5)) {
		for (int i = atoi(word + 5); i; i--) {
			begin_record(m, 16, 2);
			put(m, "\x01x", 2);
		}
	} else if (!strcmp(word, "tc")) {
		m->p[2] |= 2;
	} else if (!strcmp(word, "late")) {
		memcpy(m->p, first_id[m->p[question_n - 3] == 28], 2);
	} else if (!strcmp(word, "id")) {
		m->p[0] ^= 0xff;
	} else if (!strcmp(word, "name")) {
		m->p[13] ^= 1;
	} else if (!strcmp(word, "type")) {
		m->p[question_n - 3] ^= 1 ^ 28;
	} else if (!strcmp(word, "query")) {
		m->p[2] &= 0x7f;
	} else if (!strcmp(word, "short")) {
		m->n -= 3;
	} else {
		return false;
	}
	return true;
}

struct client {
	int server;
	bool is_tcp;
	struct sockaddr_in from;
};

static void send_message(const struct client *c, const struct message *m, bool is_other)
{
	struct server *s = &servers[c->server];
	int from = is_other ? (c->server + 1) % NAMESERVERS_MAX : c->server;

	if (c->is_tcp) {
		const unsigned char len[2] = {(unsigned char)(m->n >> 8), (unsigned char)m->n};

		memcpy(s->out, len, 2);
		memcpy(s->out + 2, m->p, m->n);
		s->out_n = 2 + m->n;
		return;
	}
	check(servers[from].udp >= 0, "the other server");
	(void)sendto(servers[from].udp, m->p, m->n, 0, (const struct sockaddr *)&c->from, sizeof c->from);
}

static void answer(const struct client *c, const unsigned char *q, size_t n, const char *how)
{
	static struct message m;
	char words[1024], *save = NULL, *word;
	bool is_other = false, is_silent = false;

	(void)snprintf(words, sizeof words, "| %s |", how);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "|")) {
			if (m.n && !is_silent)
				send_message(c, &m, is_other);
			m.n = 0;
			put(&m, q, n);
			m.p[2] = 0x81;
			m.p[3] = 0x80;
			m.owner = 12;
			m.ttl = 60;
			is_other = is_silent = false;
		} else if (!strcmp(word, "other")) {
			is_other = true;
		} else if (!strcmp(word, "close")) {
			servers[c->server].must_close = true;
		} else if (!strcmp(word, "silent")) {
			is_silent = true;
		} else if (!put_word(&m, word, n)) {
			check(false, word);
		}
	}
	m.n = 0;
}

static const char *find_rule(int server, const char *name, char family, char over)
{
	for (struct ns_rule *r = rules; r->name; r++) {
		if ((r->server && r->server != server) || (r->family && r->family != family) || (r->over && r->over != over) ||
		    strcasecmp(r->name, name) || r->times < 0)
			continue;
		if (r->times && !--r->times)
			r->times = -1;
		return r->how;
	}
	return "rcode=3";
}

static void take_query(const struct client *c, const unsigned char *q, size_t n)
{
	char name[300] = "", family = q[n - 3] == 28 ? '6' : q[n - 3] == 2 ? 'n' : q[n - 3] == 5 ? 'c' : '4';
	char over = c->is_tcp ? 't' : 'u';
	size_t at = strlen(asked);

	if (!strchr(asked, family))
		memcpy(first_id[family == '6'], q, 2);
	for (size_t i = 12; i < n - 5; i += q[i] + 1u)
		(void)snprintf(name + strlen(name), sizeof name - strlen(name), "%s%.*s", i > 12 ? "." : "", q[i], q + i + 1);
	(void)snprintf(asked + at, sizeof asked - at, "%s%d%c%c %s", at ? "," : "", c->server + 1, q[2] & 1 ? over : over - 32,
		       family, name);
	answer(c, q, n, find_rule(c->server + 1, name, family, over));
}

/* ---- The loop's part ---- */

static void step_udp(int i)
{
	struct client c = {.server = i};
	socklen_t len = sizeof c.from;
	unsigned char q[600];
	ssize_t n;

	while ((n = recvfrom(servers[i].udp, q, sizeof q, 0, (struct sockaddr *)&c.from, &len)) > 0)
		take_query(&c, q, (size_t)n);
}

/* A query may come, and an answer goes, in pieces. */
static void step_tcp(int i)
{
	struct server *s = &servers[i];
	struct client c = {.server = i, .is_tcp = true};
	size_t piece;
	ssize_t n;

	if (s->peer < 0) {
		s->peer = accept(s->tcp, NULL, NULL);
		if (s->peer >= 0)
			check(!fcntl(s->peer, F_SETFL, O_NONBLOCK), "fcntl");
		s->in_n = s->out_n = s->out_at = 0;
		s->must_close = false;
	}
	if (s->peer < 0)
		return;
	n = read(s->peer, s->in + s->in_n, sizeof s->in - s->in_n);
	if (!n)
		s->must_close = true;
	s->in_n += n > 0 ? (size_t)n : 0;
	if (s->in_n >= 2 && s->in_n == 2 + ((size_t)s->in[0] << 8 | s->in[1])) {
		take_query(&c, s->in + 2, s->in_n - 2);
		s->in_n = 0;
	}
	piece = s->out_n - s->out_at > 4096 ? 4096 : s->out_n - s->out_at > 40 ? 40 : 1;
	if (s->out_at < s->out_n) {
		n = send(s->peer, s->out + s->out_at, piece, MSG_NOSIGNAL);
		s->out_at += n > 0 ? (size_t)n : 0;
	}
	if (s->must_close)
		close_fd(&s->peer);
}

void ns_step(void)
{
	for (int i = 0; i < NAMESERVERS_MAX; i++) {
		if (servers[i].udp >= 0)
			step_udp(i);
		if (servers[i].tcp >= 0)
			step_tcp(i);
	}
}

size_t ns_wants(struct pollfd *pfd)
{
	size_t n = 0;

	for (int i = 0; i < NAMESERVERS_MAX; i++) {
		const struct server *s = &servers[i];
		bool is_sending = s->out_at < s->out_n;

		if (s->udp >= 0)
			pfd[n++] = (struct pollfd){.fd = s->udp, .events = POLLIN};
		if (s->tcp >= 0 && s->peer < 0)
			pfd[n++] = (struct pollfd){.fd = s->tcp, .events = POLLIN};
		if (s->peer >= 0)
			pfd[n++] = (struct pollfd){.fd = s->peer, .events = is_sending ? POLLOUT : POLLIN};
	}
	return n;
}
