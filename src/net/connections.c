#include "net/connections.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define LINE_MAX_BYTES 256 /* that are looked at: what counts is in the first 100 */

const char *const connections_files[CONNECTIONS_FILES] = {"/proc/net/tcp", "/proc/net/tcp6"};

/* The kernel's numbers, include/net/tcp_states.h. */
enum tcp_state {
	TCP_ESTABLISHED_ = 1,
	TCP_SYN_RECV_ = 3,
	TCP_FIN_WAIT1_ = 4,
	TCP_CLOSE_WAIT_ = 8,
	TCP_LAST_ACK_ = 9,
	TCP_CLOSING_ = 11,
	TCP_NEW_SYN_RECV_ = 12
};

static bool has_client(int state)
{
	switch (state) {
	case TCP_ESTABLISHED_:
	case TCP_SYN_RECV_:
	case TCP_FIN_WAIT1_:  /* not all of our bytes have arrived */
	case TCP_CLOSE_WAIT_: /* it has sent all, and may be waiting for the answer */
	case TCP_LAST_ACK_:
	case TCP_CLOSING_:
	case TCP_NEW_SYN_RECV_: return true;
	default: return false;
	}
}

struct end {
	size_t n; /* bytes of the address: 4 or 16 */
	unsigned char addr[16];
	unsigned port;
};

/* "0100007F:1F90": words of the address as this machine has them in memory, then the port. */
static int read_end(const char *s, struct end *out)
{
	size_t digits = strspn(s, "0123456789abcdefABCDEF");

	if ((digits != 8 && digits != 32) || s[digits] != ':')
		return -1;
	out->n = digits / 2;
	for (size_t word = 0; word < out->n; word += 4) {
		uint32_t value = 0;

		for (int i = 0; i < 4; i++, s += 2)
			value = value << 8 | (uint32_t)str_hex_byte(s);
		memcpy(out->addr + word, &value, 4);
	}
	s++;
	if (strspn(s, "0123456789abcdefABCDEF") != 4)
		return -1;
	out->port = (unsigned)str_hex_byte(s) << 8 | (unsigned)str_hex_byte(s + 2);
	return 0;
}

/* An IPv4 address, plain or mapped into IPv6; NULL: it is none. */
static const unsigned char *ip4_of(const struct end *e)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (e->n == 4)
		return e->addr;
	return memcmp(e->addr, mapped, sizeof mapped) == 0 ? e->addr + sizeof mapped : NULL;
}

static bool is_own(const struct end *local, const struct end *peer)
{
	static const unsigned char loopback[16] = {[15] = 1};
	const unsigned char *ip4 = ip4_of(peer);

	if (ip4 ? ip4[0] == 127 : memcmp(peer->addr, loopback, 16) == 0)
		return true;
	return local->n == peer->n && memcmp(local->addr, peer->addr, peer->n) == 0;
}

/* The next word of a line, and *s at what follows it. */
static const char *next_word(const char **s)
{
	const char *word = *s + strspn(*s, " ");

	*s = word + strcspn(word, " ");
	return word;
}

/* "  0: LOCAL PEER STATE ..." */
static bool is_counted(const char *line, uint16_t port)
{
	struct end local, peer;

	(void)next_word(&line);
	if (read_end(next_word(&line), &local) || local.port != port ||
	    read_end(next_word(&line), &peer))
		return false;
	return has_client(str_hex_byte(next_word(&line))) && !is_own(&local, &peer);
}

struct counter {
	uint16_t port;
	size_t n;
	size_t len;
	char line[LINE_MAX_BYTES];
};

static void feed(struct counter *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n') {
			if (c->len < sizeof c->line - 1)
				c->line[c->len++] = p[i];
			continue;
		}
		c->line[c->len] = '\0';
		c->n += is_counted(c->line, c->port);
		c->len = 0;
	}
}

static int count_file(const char *path, struct counter *c)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t left = CONNECTIONS_BYTES_MAX;
	char block[4096];
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	c->len = 0;
	while (left && (n = read(fd, block, left < sizeof block ? left : sizeof block)) > 0) {
		feed(c, block, (size_t)n);
		left -= (size_t)n;
	}
	(void)close(fd);
	return n < 0 ? -1 : 0;
}

int connections_count(const char *const files[CONNECTIONS_FILES], uint16_t port, size_t *n)
{
	struct counter c = {.port = port};
	int rc = -1;

	for (int i = 0; i < CONNECTIONS_FILES; i++)
		if (!count_file(files[i], &c))
			rc = 0;
	if (!rc)
		*n = c.n;
	return rc;
}
