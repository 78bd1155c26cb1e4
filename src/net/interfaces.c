#include "net/interfaces.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/errno_text.h"
#include "base/str.h"
#include "net/address.h"

#define IP4_MAX 1024 /* addresses that SIOCGIFCONF tells at once */
#define IP6_FILE "/proc/net/if_inet6"

/* Flags of an IPv6 address: include/uapi/linux/if_addr.h, which musl has not. */
enum { TEMPORARY = 0x01, NOT_UNIQUE = 0x08, DEPRECATED = 0x20, TENTATIVE = 0x40 };
#define SCOPE_LINK 0x20 /* include/net/ipv6.h */

struct list {
	struct interface_address *of;
	size_t n, cap;
	int fd; /* of a socket, to ask with */
};

/* Returns -1 when it is down, or gone meanwhile. */
static int read_flags(const struct list *l, struct interface_address *a)
{
	struct ifreq request = {.ifr_flags = 0};

	memcpy(request.ifr_name, a->name, sizeof a->name);
	if (ioctl(l->fd, SIOCGIFFLAGS, &request) || !(request.ifr_flags & IFF_UP))
		return -1;
	a->is_loopback = request.ifr_flags & IFF_LOOPBACK;
	return 0;
}

/* Returns -1 when there is no room. */
static int add(struct list *l, const struct interface_address *a)
{
	if (l->n == l->cap)
		return -1;
	l->of[l->n] = *a;
	if (!read_flags(l, &l->of[l->n]))
		l->n++;
	return 0;
}

/* ---- IPv4 ---- */

static int add_ip4(struct list *l, const struct ifreq *r)
{
	struct interface_address a = {.is_fleeting = false};
	struct sockaddr_in in;

	memcpy(&in, &r->ifr_addr, sizeof in);
	if (in.sin_family != AF_INET)
		return 0;
	/* "eth0:1" is a label of an address; the interface is eth0. */
	if (str_copy_n(a.name, sizeof a.name, r->ifr_name, strcspn(r->ifr_name, ":")))
		return 0;
	addr_map((const unsigned char *)&in.sin_addr, a.bytes);
	return add(l, &a);
}

static int say_too_many(const struct list *l, struct err *e)
{
	return err_set(e, ERR_LIMIT, "more than %zu addresses of interfaces", l->cap);
}

static int list_ip4(struct list *l, struct err *e)
{
	static struct ifreq found[IP4_MAX + 1]; /* one more, to tell that there are more */
	struct ifconf conf = {.ifc_len = sizeof found, .ifc_req = found};

	if (ioctl(l->fd, SIOCGIFCONF, &conf))
		return err_set(e, ERR_SYS, "interfaces: %s", errno_text(errno));
	for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof found[0]; i++)
		if (i == IP4_MAX || add_ip4(l, &found[i]))
			return say_too_many(l, e);
	return 0;
}

/* ---- IPv6 ---- */

/* Its words, each ended. Returns how many; more than cap are none. */
static size_t split(char *line, char **words, size_t cap)
{
	size_t n = 0;

	for (char *at = line + strspn(line, " "); *at && n < cap; at += strspn(at, " ")) {
		words[n++] = at;
		at += strcspn(at, " ");
		if (*at)
			*at++ = '\0';
	}
	return n;
}

/* "fe80...0001 02 40 20 80     eth0": address, interface, bits, scope, flags, name; all in hex. */
static int read_line(char *line, struct interface_address *a, bool *is_link_local)
{
	char *words[6];
	int flags;

	*a = (struct interface_address){.is_fleeting = false};
	if (split(line, words, 6) != 6 || strlen(words[0]) != 2 * sizeof a->bytes)
		return -1;
	for (size_t i = 0; i < sizeof a->bytes; i++)
		a->bytes[i] = (unsigned char)str_hex_byte(words[0] + 2 * i);
	*is_link_local = str_hex_byte(words[3]) == SCOPE_LINK;
	flags = str_hex_byte(words[4]);
	a->is_fleeting = flags & (TEMPORARY | DEPRECATED | TENTATIVE);
	return flags & NOT_UNIQUE ? -1 : str_copy(a->name, sizeof a->name, words[5]);
}

/* Take the whole lines of text[0..len). Returns how many bytes they were, -1 without room. */
static ssize_t take_lines(struct list *l, char *text, size_t len, bool wants_link_local)
{
	char *from = text, *end;

	while ((end = memchr(from, '\n', len - (size_t)(from - text)))) {
		struct interface_address a;
		bool is_link_local;

		*end = '\0';
		if (!read_line(from, &a, &is_link_local) && is_link_local == wants_link_local &&
		    add(l, &a))
			return -1;
		from = end + 1;
	}
	return from - text;
}

static int list_ip6(struct list *l, bool wants_link_local)
{
	int fd = open(IP6_FILE, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t got, taken;
	char text[4096];
	size_t len = 0;

	while (!rc && len < sizeof text && (got = read(fd, text + len, sizeof text - len)) > 0) {
		len += (size_t)got;
		taken = take_lines(l, text, len, wants_link_local);
		rc = taken < 0 ? -1 : 0;
		if (rc)
			break;
		len -= (size_t)taken;
		memmove(text, text + taken, len);
	}
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* ---- both ---- */

int interfaces_list(struct interface_address *out, size_t cap, size_t *n, struct err *e)
{
	struct list l = {.of = out, .cap = cap, .fd = net_open_socket(AF_INET, SOCK_DGRAM)};
	int rc;

	if (l.fd < 0)
		return err_set(e, ERR_SYS, "interfaces: %s", errno_text(errno));
	rc = list_ip4(&l, e);
	if (!rc && list_ip6(&l, false))
		rc = say_too_many(&l, e);
	if (!rc)
		(void)list_ip6(&l, true);
	(void)close(l.fd);
	if (!rc)
		*n = l.n;
	return rc;
}
