#include "net/connections.h"

#include <stdbool.h>
#include <string.h>

#include "base/addr.h"
#include "base/str.h"
#include "base/tokens.h"

/* Bytes: cut off, a table would show fewer clients than there are. */
#define TABLE_MAX 1073741824

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
	unsigned char addr[16]; /* an IPv4 address mapped into IPv6 */
	unsigned port;
};

/* "0100007F:1F90": words of the address as this machine has them in memory, then the port. */
static int read_end(const char *s, struct end *out)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	static const unsigned char none[4] = {0};
	size_t n = strspn(s, digits) / 2;
	unsigned char *to;

	if ((n != 4 && n != 16) || s[2 * n] != ':' || strspn(s + 2 * n + 1, digits) != 4)
		return -1;
	addr_map(none, out->addr);
	for (to = out->addr + sizeof out->addr - n; *s != ':'; to += 4) {
		uint32_t value = 0;

		for (int i = 0; i < 4; i++, s += 2)
			value = value << 8 | (uint32_t)str_hex_byte(s);
		memcpy(to, &value, 4);
	}
	out->port = (unsigned)str_hex_byte(s + 1) << 8 | (unsigned)str_hex_byte(s + 3);
	return 0;
}

static bool is_own(const struct end *local, const struct end *peer)
{
	static const unsigned char loopback[16] = {[15] = 1};

	if (addr_is_mapped(peer->addr) && peer->addr[12] == 127)
		return true;
	return !memcmp(peer->addr, loopback, 16) || !memcmp(peer->addr, local->addr, 16);
}

/* Add up the lines of a table, "  0: LOCAL PEER STATE QUEUES ...": whole ones, to the state. */
static int count_file(const char *path, uint16_t port, size_t *n)
{
	struct end ends[2];
	bool is_sound = false;
	int state = -1;
	struct tokens w;

	tokens_open(&w, path, TABLE_MAX);
	if (w.fd < 0)
		return -1;
	while (tokens_next(&w)) {
		if (w.words == 2 || w.words == 3)
			is_sound = !read_end(w.token, &ends[w.words - 2]) &&
				   (is_sound || w.words == 2);
		else if (w.words == 4)
			state = str_hex_byte(w.token);
		else if (w.words == 5)
			*n += is_sound && ends[0].port == port && has_client(state) &&
			      !is_own(&ends[0], &ends[1]);
	}
	tokens_close(&w);
	return 0;
}

int connections_count(const char *const files[CONNECTIONS_FILES], uint16_t port, size_t *n)
{
	size_t sum = 0;
	int rc = -1;

	for (int i = 0; i < CONNECTIONS_FILES; i++)
		if (!count_file(files[i], port, &sum))
			rc = 0;
	if (!rc)
		*n = sum;
	return rc;
}
