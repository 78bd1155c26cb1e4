#include "core/record.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/addr.h"
#include "base/str.h"

static const char *const type_names[] = {
	[RECORD_A] = "A",
	[RECORD_AAAA] = "AAAA",
	[RECORD_CNAME] = "CNAME",
};
_Static_assert(sizeof type_names / sizeof type_names[0] == RECORD_TYPES, "a name for each type");

const char *record_type_name(enum record_type type)
{
	return type_names[type];
}

int record_type_parse(const char *s, enum record_type *out)
{
	for (int i = 0; i < RECORD_TYPES; i++) {
		if (strcmp(type_names[i], s) == 0) {
			*out = (enum record_type)i;
			return 0;
		}
	}
	return -1;
}

static int keep_host(struct target *t, const char *name, struct target_hosts *hosts, struct err *e)
{
	size_t len = strlen(name) + 1, at = 0;

	/* A thousand instances behind one load balancer have one host name. */
	while (at < hosts->len && strcmp(hosts->text + at, name) != 0)
		at += strlen(hosts->text + at) + 1;
	if (at == hosts->len) {
		if (len > sizeof hosts->text - hosts->len)
			return err_set(e, ERR_LIMIT, "more than %d bytes of host names",
				       TARGET_HOSTS_CAP);
		memcpy(hosts->text + at, name, len);
		hosts->len += len;
	}
	*t = (struct target){.type = RECORD_CNAME, .host = hosts->text + at};
	return 0;
}

static int parse_host(struct target *t, const char *text, struct target_hosts *hosts, struct err *e)
{
	char name[NAME_CAP];
	const char *last;

	if (name_normalize(name, text, NAME_HOST, e))
		return -1;
	/* "300.1.1.1" and "10.0.0" are slips of an address, not names: no TLD is all digits. */
	/* A container's own name: nobody in the world can look it up. */
	if (!strchr(name, '.'))
		return err_set(e, ERR_CONFIG, "\"%s\" is neither an address nor a whole host name",
			       text);
	last = strrchr(name, '.') + 1;
	if (strspn(last, "0123456789") == strlen(last))
		return err_set(e, ERR_CONFIG, "\"%s\" is neither an address nor a host name", text);
	return keep_host(t, name, hosts, e);
}

/* ::ffff:192.0.2.1 is a way of writing 192.0.2.1, RFC 4291 section 2.5.5.2. */
static void unmap(struct target *t)
{
	static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

	if (t->type != RECORD_AAAA || memcmp(t->addr, prefix, sizeof prefix) != 0)
		return;
	t->type = RECORD_A;
	memmove(t->addr, t->addr + 12, 4);
	memset(t->addr + 4, 0, 12);
}

struct prefix {
	unsigned char addr[16];
	unsigned bits;
};

static bool is_in(const unsigned char *addr, const struct prefix *p)
{
	unsigned bytes = p->bits / 8, bits = p->bits % 8;
	unsigned mask = 0xffu << (8 - bits) & 0xff;

	if (memcmp(addr, p->addr, bytes) != 0)
		return false;
	return !bits || ((addr[bytes] ^ p->addr[bytes]) & mask) == 0;
}

static bool is_in_any(const struct target *t, const struct prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(t->addr, &list[i]))
			return true;
	return false;
}

#define IS_IN_ANY(t, list) is_in_any((t), (list), sizeof(list) / sizeof((list)[0]))

/* Unspecified, loopback, link-local, multicast, reserved: RFC 6890, RFC 4291 section 2.4. */
static bool is_unreachable(const struct target *t)
{
	static const struct prefix four[] = {
		{{0}, 8}, {{127}, 8}, {{169, 254}, 16}, {{224}, 4}, {{240}, 4},
	};
	static const struct prefix six[] = {
		{{0}, 128},
		{{[15] = 1}, 128},
		{{0xfe, 0x80}, 10},
		{{0xff}, 8},
	};

	return t->type == RECORD_A ? IS_IN_ANY(t, four) : IS_IN_ANY(t, six);
}

int target_parse(struct target *t, const char *text, struct target_hosts *hosts, struct err *e)
{
	struct target out = {0};

	if (inet_pton(AF_INET, text, out.addr) == 1)
		out.type = RECORD_A;
	else if (inet_pton(AF_INET6, text, out.addr) == 1)
		out.type = RECORD_AAAA;
	else if (hosts && !strchr(text, ':'))
		return parse_host(t, text, hosts, e);
	else
		return err_set(e, ERR_CONFIG, "\"%s\" is not an address", text);
	unmap(&out);
	if (is_unreachable(&out))
		return err_set(e, ERR_CONFIG, "\"%s\" is an address that nobody else can reach",
			       text);
	*t = out;
	return 0;
}

int target_from_content(struct target *t, enum record_type type, const char *content,
			struct target_hosts *hosts, struct err *e)
{
	struct target out = {.type = type};
	char name[NAME_CAP];
	size_t len = strlen(content);

	if (str_has_control(content))
		return err_set(e, ERR_PROTO, "a content with control characters");
	if (type == RECORD_CNAME) {
		if (len && content[len - 1] == '.')
			len--;
		if (str_copy_n(name, sizeof name, content, len))
			return err_set(e, ERR_PROTO, "a host name longer than %d bytes",
				       NAME_MAX_LEN);
		str_lower(name);
		return keep_host(t, name, hosts, e);
	}
	if (inet_pton(type == RECORD_A ? AF_INET : AF_INET6, content, out.addr) != 1)
		return err_set(e, ERR_PROTO, "\"%s\" is no content of type %s", content,
			       type_names[type]);
	*t = out;
	return 0;
}

void target_format(const struct target *t, char out[TARGET_TEXT_CAP])
{
	if (t->type == RECORD_CNAME) {
		memcpy(out, t->host, strlen(t->host) + 1);
		return;
	}
	addr_format(t->addr, t->type == RECORD_A ? 4 : 16, out);
}

int target_compare(const struct target *a, const struct target *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->type == RECORD_CNAME ? strcmp(a->host, b->host)
				       : memcmp(a->addr, b->addr, sizeof a->addr);
}

bool target_is_private(const struct target *t)
{
	/* RFC 1918, 1122, 3927, 6598; RFC 4193, 4291. */
	static const struct prefix four[] = {
		{{10}, 8},  {{172, 16}, 12},  {{192, 168}, 16},
		{{127}, 8}, {{169, 254}, 16}, {{100, 64}, 10},
	};
	static const struct prefix six[] = {
		{{0xfc}, 7},
		{{0xfe, 0x80}, 10},
		{{[15] = 1}, 128},
	};

	if (t->type == RECORD_CNAME)
		return false;
	return t->type == RECORD_A ? IS_IN_ANY(t, four) : IS_IN_ANY(t, six);
}
