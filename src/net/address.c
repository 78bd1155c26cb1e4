#include "net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"

size_t net_family_bytes(enum net_family f)
{
	return f == NET_IP6 ? 16 : 4;
}

int net_read_address(const char *text, enum net_family *family, unsigned char out[16])
{
	size_t n = addr_parse(text, out);

	if (!n)
		return -1;
	*family = n == 4 ? NET_IP4 : NET_IP6;
	return 0;
}

void net_found_add(struct net_found *f, enum net_family family, const unsigned char *bytes)
{
	size_t len = net_family_bytes(family);

	for (size_t i = 0; i < f->n[family]; i++)
		if (!memcmp(f->list[family][i], bytes, len))
			return;
	if (f->n[family] < ADDRESSES_MAX)
		memcpy(f->list[family][f->n[family]++], bytes, len);
}

bool net_found_any(const struct net_found *f)
{
	return f->n[NET_IP4] || f->n[NET_IP6];
}

void net_found_order(const struct net_found *f, uint16_t port, struct net_addresses *out)
{
	out->n = 0;
	for (size_t i = 0; i < ADDRESSES_MAX; i++)
		for (enum net_family family = NET_IP4; family < NET_FAMILIES; family++)
			if (i < f->n[family] && out->n < ADDRESSES_MAX)
				net_address_set(&out->list[out->n++], family, f->list[family][i], 0,
						port);
}

void net_address_set(struct net_address *a, enum net_family family, const unsigned char *bytes,
		     uint32_t scope, uint16_t port)
{
	memset(a, 0, sizeof *a);
	if (family == NET_IP6) {
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

void net_address_set_unix(struct net_address *a, const char *path)
{
	memset(a, 0, sizeof *a);
	a->sa.un.sun_family = AF_UNIX;
	memcpy(a->sa.un.sun_path, path, strlen(path) + 1);
	a->len = sizeof a->sa.un;
	if (*path != '@')
		return;
	a->sa.un.sun_path[0] = '\0';
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

int net_set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)
		       ? -1
		       : 0;
}

int net_open_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Kernels and emulations older than the flags. */
	if (fd < 0 && (errno == EINVAL || errno == EPROTOTYPE))
		fd = socket(family, type, 0);
	if (fd < 0)
		return -1;
	if (net_set_flags(fd)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}
