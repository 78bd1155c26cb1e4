#include "core/record.h"

#include <string.h>

#include "base/addr.h"
#include "base/str.h"

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
	t->host = hosts->text + at;
	return 0;
}

static int read_host(struct target *t, const char *content, struct target_hosts *hosts,
		     struct err *e)
{
	size_t len = strlen(content);
	char name[NAME_CAP];
	struct err odd;

	if (name_normalize(name, content, NAME_GIVEN, &odd) == 0)
		return keep_host(t, name, hosts, e);
	if (len && content[len - 1] == '.')
		len--;
	if (str_copy_n(name, sizeof name, content, len))
		return err_set(e, ERR_PROTO, "a host name longer than %d bytes", NAME_MAX_LEN);
	str_lower(name);
	return keep_host(t, name, hosts, e);
}

/* What a type of record is. A new one is a row of this table. */
static const struct kind {
	char name[6];
	/* The content as DNS holds it, when it is a text: target.host. */
	int (*read)(struct target *t, const char *content, struct target_hosts *hosts,
		    struct err *e);
	unsigned char addr_n; /* else bytes of an address */
	bool is_alone;        /* no other record stands at its name: RFC 1034 section 3.6.2 */
	bool can_be_proxied;
} kinds[] = {
	[RECORD_A] = {"A", .addr_n = 4, .can_be_proxied = true},
	[RECORD_AAAA] = {"AAAA", .addr_n = 16, .can_be_proxied = true},
	[RECORD_CNAME] = {"CNAME", .read = read_host, .is_alone = true, .can_be_proxied = true},
};
_Static_assert(sizeof kinds / sizeof kinds[0] == RECORD_TYPES, "a row for each type");

enum range {
	UNREACHABLE = 1, /* by anybody else: RFC 6890, RFC 4291 section 2.4 */
	PRIVATE = 2,     /* RFC 1918, 1122, 3927, 6598; RFC 4193, 4291 */
	INTERNAL = 4     /* neither, and yet not routed in the Internet: RFC 6890, RFC 2544 */
};

static const struct prefix {
	unsigned char type, bits, ranges;
	unsigned char addr[16];
} prefixes[] = {
	{RECORD_A, 8, UNREACHABLE, {0}},
	{RECORD_A, 8, PRIVATE, {10}},
	{RECORD_A, 10, PRIVATE, {100, 64}},
	{RECORD_A, 8, UNREACHABLE | PRIVATE, {127}},
	{RECORD_A, 16, UNREACHABLE | PRIVATE, {169, 254}},
	{RECORD_A, 12, PRIVATE, {172, 16}},
	{RECORD_A, 24, INTERNAL, {192, 0, 0}},
	{RECORD_A, 16, PRIVATE, {192, 168}},
	{RECORD_A, 15, INTERNAL, {198, 18}},
	{RECORD_A, 4, UNREACHABLE, {224}},
	{RECORD_A, 4, UNREACHABLE, {240}},
	{RECORD_AAAA, 128, UNREACHABLE, {0}},
	{RECORD_AAAA, 128, UNREACHABLE | PRIVATE, {[15] = 1}},
	{RECORD_AAAA, 7, PRIVATE, {0xfc}},
	{RECORD_AAAA, 10, UNREACHABLE | PRIVATE, {0xfe, 0x80}},
	{RECORD_AAAA, 8, UNREACHABLE, {0xff}},
};

bool record_id_is_good(const char *id)
{
	return strlen(id) == RECORD_ID_CAP - 1 &&
	       strspn(id, "0123456789abcdefABCDEF") == RECORD_ID_CAP - 1;
}

const char *record_type_name(enum record_type type)
{
	return kinds[type].name;
}

int record_type_parse(const char *s, enum record_type *out)
{
	for (int i = 0; i < RECORD_TYPES; i++) {
		if (strcmp(kinds[i].name, s) == 0) {
			*out = (enum record_type)i;
			return 0;
		}
	}
	return -1;
}

static int parse_host(struct target *t, const char *text, struct target_hosts *hosts, struct err *e)
{
	char name[NAME_CAP];
	const char *last;

	if (name_normalize(name, text, NAME_HOST, e))
		return -1;
	/*
	 * Nobody in the world can look up a container's own name; "300.1.1.1" and "10.0.0" are
	 * slips of an address: no TLD is all digits.
	 */
	last = strrchr(name, '.');
	if (!last || !last[1 + strspn(last + 1, "0123456789")])
		return err_set(e, ERR_CONFIG, "\"%s\" is neither an address nor a whole host name",
			       text);
	t->type = RECORD_CNAME;
	return keep_host(t, name, hosts, e);
}

/* ::ffff:192.0.2.1 is a way of writing 192.0.2.1, RFC 4291 section 2.5.5.2. */
static void unmap(struct target *t)
{
	if (t->type != RECORD_AAAA || !addr_is_mapped(t->addr))
		return;
	t->type = RECORD_A;
	memmove(t->addr, t->addr + 12, 4);
	memset(t->addr + 4, 0, 12);
}

static bool parse_address(struct target *t, const char *text)
{
	size_t n = addr_parse(text, t->addr);

	t->type = n == 4 ? RECORD_A : RECORD_AAAA;
	unmap(t);
	return n;
}

static bool is_in(const unsigned char *addr, const struct prefix *p)
{
	unsigned bytes = p->bits / 8, bits = p->bits % 8;
	unsigned mask = 0xffu << (8 - bits) & 0xff;

	if (memcmp(addr, p->addr, bytes) != 0)
		return false;
	return !bits || ((addr[bytes] ^ p->addr[bytes]) & mask) == 0;
}

static bool is_in_range(const struct target *t, enum range range)
{
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (prefixes[i].type == t->type && (prefixes[i].ranges & range) &&
		    is_in(t->addr, &prefixes[i]))
			return true;
	return false;
}

int target_parse(struct target *t, const char *text, struct target_hosts *hosts, struct err *e)
{
	struct target out = {0};

	if (!parse_address(&out, text)) {
		if (!hosts || strchr(text, ':'))
			return err_set(e, ERR_CONFIG, "\"%s\" is not an address", text);
		if (parse_host(&out, text, hosts, e))
			return -1;
	}
	if (is_in_range(&out, UNREACHABLE))
		return err_set(e, ERR_CONFIG, "\"%s\" is an address that nobody else can reach",
			       text);
	*t = out;
	return 0;
}

int target_from_content(struct target *t, enum record_type type, const char *content,
			struct target_hosts *hosts, struct err *e)
{
	const struct kind *k = &kinds[type];
	struct target out = {.type = type};

	if (str_has_control(content))
		return err_set(e, ERR_PROTO, "a content with control characters");
	if (k->read && k->read(&out, content, hosts, e))
		return -1;
	if (!k->read && addr_parse(content, out.addr) != k->addr_n)
		return err_set(e, ERR_PROTO, "\"%s\" is no content of type %s", content, k->name);
	*t = out;
	return 0;
}

void target_format(const struct target *t, char out[TARGET_TEXT_CAP])
{
	if (kinds[t->type].addr_n)
		addr_format(t->addr, kinds[t->type].addr_n, out);
	else
		memcpy(out, t->host, strlen(t->host) + 1);
}

int target_compare(const struct target *a, const struct target *b)
{
	if (a->type != b->type)
		return strcmp(kinds[a->type].name, kinds[b->type].name);
	return kinds[a->type].addr_n ? memcmp(a->addr, b->addr, sizeof a->addr)
				     : strcmp(a->host, b->host);
}

bool target_excludes(const struct target *a, const struct target *b)
{
	return (target_is_alone(a) || target_is_alone(b)) && target_compare(a, b) != 0;
}

bool target_is_alone(const struct target *t)
{
	return kinds[t->type].is_alone;
}

bool target_can_be_proxied(const struct target *t)
{
	return kinds[t->type].can_be_proxied && !is_in_range(t, PRIVATE);
}

void target_from_bytes(struct target *t, const unsigned char bytes[16])
{
	*t = (struct target){.type = RECORD_AAAA};
	memcpy(t->addr, bytes, sizeof t->addr);
	unmap(t);
}

bool target_is_reachable(const struct target *t)
{
	return !is_in_range(t, UNREACHABLE);
}

bool target_is_public(const struct target *t)
{
	/* Of IPv6 nothing else has ever been given out but 2000::/3. */
	return t->type == RECORD_AAAA ? t->addr[0] >> 5 == 1
				      : !is_in_range(t, UNREACHABLE | PRIVATE | INTERNAL);
}
